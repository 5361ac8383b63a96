//! PgBouncer in transaction mode, for stories about nodes behind it.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use crate::cluster::unprivileged;
use crate::databases::{authority, skip};
use crate::events::AT_LAST;
use crate::ports;
use crate::process::{pause, program};

/// Connections to a database that it lends to all who ask.
const LENT: usize = 3;

/// One on a port of its own, before one server. It is ended when dropped.
pub struct PgBouncer {
    program: PathBuf,
    folder: tempfile::TempDir,
    server: String,
    address: SocketAddr,
    child: Option<Child>,
}

impl PgBouncer {
    /// Starts one before the server in this URL; `None`, said aloud, where the program is not installed.
    ///
    /// # Panics
    /// When it does not start, or must be there.
    pub fn before(url: &str) -> Option<Self> {
        let Some(program) = program("pgbouncer") else {
            skip("pgbouncer is not installed");
            return None;
        };
        let server = authority(url).expect("a URL with a host and a port").to_owned();
        let address = ports::free();
        let folder = tempfile::tempdir().expect("a temporary folder");
        if let Some((user, group)) = unprivileged() {
            chown(folder.path(), Some(user), Some(group)).expect("root may give what is its own");
        }
        let (host, port) = server.rsplit_once(':').expect("a port");
        let settings = format!(
            "[databases]
             * = host={host} port={port} user=postgres
             [pgbouncer]
             listen_addr = 127.0.0.1
             listen_port = {}
             unix_socket_dir =
             auth_type = any
             pool_mode = transaction
             default_pool_size = {LENT}
             ",
            address.port()
        );
        fs::write(folder.path().join("pgbouncer.ini"), settings).expect("a file can be written");
        let mut bouncer = Self { program, folder, server, address, child: None };
        bouncer.resume();
        Some(bouncer)
    }

    /// The same URL, leading here.
    pub fn url(&self, url: &str) -> String {
        url.replacen(&self.server, &self.address.to_string(), 1)
    }

    /// Ends it at once: all connections break.
    ///
    /// # Panics
    /// When it cannot be ended.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("it can be killed");
            child.wait().expect("it has ended");
        }
    }

    /// Starts it (anew) and waits until it listens.
    ///
    /// # Panics
    /// When it does not.
    pub fn resume(&mut self) {
        let log = fs::File::create(self.folder.path().join("log")).expect("a log can be written");
        let mut command = Command::new(&self.program);
        command.arg(self.folder.path().join("pgbouncer.ini")).current_dir("/");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        if let Some((user, group)) = unprivileged() {
            command.uid(user).gid(group);
        }
        self.child = Some(command.spawn().expect("pgbouncer runs"));
        let begun = Instant::now();
        while TcpStream::connect(self.address).is_err() {
            let log = || fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(begun.elapsed() < AT_LAST, "PgBouncer does not listen: {}", log());
            pause();
        }
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        self.kill();
    }
}
