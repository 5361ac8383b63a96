//! Redis for stories: the one that the tests were given at `FAIRWEATHER_TEST_REDIS` (`redis://host:port`), or one of a
//! story's own that it may kill. Without them those stories say that they were skipped, or fail where everything must
//! run.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ::redis::aio::MultiplexedConnection;
use ::redis::{Client, cmd};

use crate::databases::{named_for_tests, skip};
use crate::events::AT_LAST;
use crate::ports;

/// The Redis that the tests were given.
pub fn server() -> Option<String> {
    named_for_tests("FAIRWEATHER_TEST_REDIS")
}

/// A Redis on a port of its own that keeps nothing.
pub struct RedisServer {
    address: SocketAddr,
    child: Option<Child>,
    folder: tempfile::TempDir,
}

impl RedisServer {
    /// Starts one; `None`, said aloud, where the program is not installed.
    ///
    /// # Panics
    /// When it does not start, or must be there.
    pub fn start() -> Option<Self> {
        let address = ports::free();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut server = Self { address, child: None, folder };
        if Command::new("redis-server").arg("--version").stdout(Stdio::null()).status().is_err() {
            skip("redis-server is not installed");
            return None;
        }
        server.resume();
        Some(server)
    }

    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    /// Ends it at once: connections break, and what it held is gone.
    ///
    /// # Panics
    /// When it cannot be ended.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("it can be killed");
            child.wait().expect("it has ended");
        }
    }

    /// Starts it anew on the same port, and empty.
    ///
    /// # Panics
    /// When it does not start.
    pub fn resume(&mut self) {
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &self.address.port().to_string()])
            .args(["--save", "", "--appendonly", "no", "--dir"])
            .arg(self.folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server runs");
        self.child = Some(child);
        let begun = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            assert!(begun.elapsed() < AT_LAST, "Redis does not listen");
            std::thread::park_timeout(Duration::from_millis(10));
        }
    }

    /// Lets it forget everything.
    ///
    /// # Panics
    /// When it does not.
    pub fn flush(&self) {
        assert_eq!(self.outsider().ask(&[b"FLUSHALL"]), [b"OK"]);
    }

    /// Somebody who may do with it what he likes, and is no node.
    ///
    /// # Panics
    /// When it takes no connection.
    pub fn outsider(&self) -> Outsider {
        let connection = TcpStream::connect(self.address).expect("Redis listens");
        connection.set_read_timeout(Some(AT_LAST)).expect("a timeout can be set");
        Outsider(BufReader::new(connection))
    }

    async fn connect(&self) -> MultiplexedConnection {
        let client = Client::open(self.url()).expect("its own address");
        client.get_multiplexed_async_connection().await.expect("it takes connections")
    }

    /// All values that it holds, by their keys, once there are so many.
    ///
    /// # Panics
    /// When there are not so many soon.
    pub async fn values(&self, count: usize) -> BTreeMap<String, Vec<u8>> {
        let mut connection = self.connect().await;
        let reading = async {
            loop {
                let keys: Vec<String> =
                    cmd("KEYS").arg("*").query_async(&mut connection).await.expect("its keys");
                if keys.len() == count {
                    let mut values = BTreeMap::new();
                    for key in keys {
                        let value = cmd("GET").arg(&key).query_async(&mut connection).await.expect("a value");
                        values.insert(key, value);
                    }
                    return values;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(AT_LAST, reading).await.expect("it holds so many soon")
    }

    /// Puts values in, in place of what was there, as somebody who may write to it.
    ///
    /// # Panics
    /// When it takes none.
    pub async fn put(&self, values: &BTreeMap<String, Vec<u8>>) {
        let mut connection = self.connect().await;
        for (key, value) in values {
            let put = cmd("SET").arg(key).arg(value.as_slice()).query_async::<()>(&mut connection).await;
            put.expect("it takes a value");
        }
    }

    /// Stops it from answering, without breaking a connection, until [`RedisServer::thaw`].
    pub fn freeze(&self) {
        self.signal(rustix::process::Signal::STOP);
    }

    pub fn thaw(&self) {
        self.signal(rustix::process::Signal::CONT);
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let child = self.child.as_ref().expect("it runs");
        rustix::process::kill_process(rustix::process::Pid::from_child(child), signal).expect("it is ours");
    }
}

/// A connection of somebody who is no node.
pub struct Outsider(BufReader<TcpStream>);

impl Outsider {
    /// The strings and numbers of the answer to a command, in their order.
    ///
    /// # Panics
    /// When there is no answer, or an error.
    pub fn ask(&mut self, command: &[&[u8]]) -> Vec<Vec<u8>> {
        let mut request = format!("*{}\r\n", command.len()).into_bytes();
        for word in command {
            request.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
            request.extend_from_slice(word);
            request.extend_from_slice(b"\r\n");
        }
        self.0.get_mut().write_all(&request).expect("Redis reads");
        self.hear()
    }

    /// What comes next: an answer, or something that was published.
    ///
    /// # Panics
    /// When nothing comes, or an error.
    pub fn hear(&mut self) -> Vec<Vec<u8>> {
        let mut parts = Vec::new();
        self.read_into(&mut parts);
        parts
    }

    fn read_into(&mut self, parts: &mut Vec<Vec<u8>>) {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("Redis answers");
        let (kind, rest) = line.trim_end().split_at_checked(1).expect("an answer");
        let length = || rest.parse::<usize>().expect("a length");
        match kind {
            "+" | ":" => parts.push(rest.into()),
            "$" => {
                let mut string = vec![0; length() + 2];
                self.0.read_exact(&mut string).expect("Redis answers");
                string.truncate(length());
                parts.push(string);
            }
            "*" => (0..length()).for_each(|_| self.read_into(parts)),
            _ => panic!("Redis answers {line}"),
        }
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}
