//! The server that is tried: the whole application in this process, whose clock can be moved, several nodes of it, the
//! real binary, which can be killed, or a set of those behind a proxy.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use domain::{Clock, Timestamp};
use testkit::databases::Database;
use testkit::{Client, Nodes, TestApp};

use crate::set::Set;

/// Tables that go back with a copy on PostgreSQL. On SQLite the whole file does.
const SYNCED: [&str; 4] = ["favourite", "tombstone", "receipt", "account_sync"];

/// A server and its database.
pub enum Server {
    Here(Box<TestApp>),
    Nodes(Box<Nodes>),
    Process(Box<Process>),
    Set(Box<Set>),
}

impl Server {
    /// The application, or its first node, unless it is a process.
    pub fn app(&self) -> Option<&TestApp> {
        match self {
            Self::Here(app) => Some(app),
            Self::Nodes(nodes) => nodes.first(),
            Self::Process(_) | Self::Set(_) => None,
        }
    }

    /// How many there are that a client may ask.
    pub fn nodes(&self) -> usize {
        if let Self::Nodes(nodes) = self { nodes.len() } else { 1 }
    }

    pub fn now(&self) -> Timestamp {
        self.app().map_or_else(|| Clock::system().now(), TestApp::now)
    }

    /// Somebody without a credential.
    pub fn visitor(&self) -> Client {
        match self {
            Self::Here(app) => app.visitor(),
            Self::Nodes(nodes) => nodes[0].visitor(),
            Self::Process(process) => Client::at(&process.base_url),
            Self::Set(set) => set.visitor(),
        }
    }

    /// The same client at one of the nodes.
    pub fn at(&self, client: &Client, node: usize) -> Client {
        if let Self::Nodes(nodes) = self { client.moved_to(&nodes[node]) } else { client.clone() }
    }

    pub fn database(&self) -> Database {
        match self {
            Self::Here(app) => app.database(),
            Self::Nodes(nodes) => nodes[0].database(),
            Self::Process(process) => Database::Sqlite(process.folder.path().join("fairweather.db")),
            Self::Set(set) => set.database(),
        }
    }

    /// Moves the clock; tells whether there is one to move.
    pub fn advance(&self, by: Duration) -> bool {
        self.app().map(|app| app.advance(by)).is_some()
    }

    pub async fn stop(&mut self) {
        match self {
            Self::Here(app) => app.stop().await,
            Self::Nodes(nodes) => {
                for node in nodes.iter_mut() {
                    node.stop().await;
                }
            }
            Self::Process(process) => process.kill(),
            Self::Set(set) => set.kill_all().await,
        }
    }

    pub async fn resume(&mut self) {
        match self {
            Self::Here(app) => app.resume().await,
            Self::Nodes(nodes) => {
                for node in nodes.iter_mut() {
                    node.resume().await;
                }
            }
            Self::Process(process) => process.start(),
            Self::Set(set) => {
                set.rise();
                set.reachable().await;
            }
        }
    }

    /// Stops one node and starts it anew.
    pub async fn restart(&mut self, node: usize) {
        if let Self::Nodes(nodes) = self {
            nodes[node].restart().await;
        } else {
            self.stop().await;
            self.resume().await;
        }
    }

    /// Cuts the nodes off from one another, which they mend by themselves. Where they share a Redis, nothing.
    pub async fn cut(&self) -> bool {
        let terminate = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
            WHERE application_name = 'fairweather-bus' AND datname = current_database()";
        matches!(self, Self::Nodes(_) | Self::Set(_)) && !self.database().column(terminate).await.is_empty()
    }

    /// Puts a copy of the database aside, in place of an earlier one.
    pub async fn copy(&self) {
        match self.database() {
            Database::Sqlite(path) => {
                let copy = copy_of(&path);
                // It is not there the first time.
                let _ = fs::remove_file(&copy);
                self.database().run(&format!("VACUUM INTO '{}'", copy.display())).await;
            }
            database @ Database::Postgres(_) => database.keep(&SYNCED).await,
        }
    }

    /// Puts the copy back, as an operator does.
    pub async fn restore(&mut self) {
        self.stop().await;
        let database = self.database();
        match (&mut *self, database) {
            (Self::Here(_), Database::Sqlite(path)) => {
                fs::copy(copy_of(&path), &path).expect("the copy can be put back");
            }
            (Self::Process(_), Database::Sqlite(path)) => {
                for beside in ["-wal", "-shm"] {
                    // A server that was stopped in order leaves none.
                    let _ = fs::remove_file(format!("{}{beside}", path.display()));
                }
                fs::copy(copy_of(&path), &path).expect("the copy can be put back");
            }
            (_, database) => {
                database.put_back(&SYNCED).await;
                self.begin_new_era();
            }
        }
        self.resume().await;
    }

    /// `fairweather sync new-era`. On SQLite every start does it.
    pub fn begin_new_era(&self) {
        let data = match self {
            Self::Here(app) => app.data().to_owned(),
            Self::Nodes(nodes) => nodes[0].data().to_owned(),
            Self::Set(set) => set.data(),
            Self::Process(_) => return,
        };
        let mut command = fairweather();
        command.args(["sync", "new-era", "--data"]).arg(data);
        if let Database::Postgres(url) = self.database() {
            command.args(["--database", &url]);
        }
        let output = command.output().expect("the binary runs");
        assert!(output.status.success(), "{output:?}");
    }
}

fn copy_of(path: &Path) -> PathBuf {
    path.with_extension("copy")
}

/// The binary, with nothing of this process's environment that could configure it.
fn fairweather() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fairweather"));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("FAIRWEATHER_") || ["PORT", "DATABASE_URL", "REDIS_URL"].contains(&&*name) {
            command.env_remove(name);
        }
    }
    command
}

/// `fairweather dev` with a data folder of its own.
pub struct Process {
    child: Option<Child>,
    base_url: String,
    folder: tempfile::TempDir,
}

impl Process {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        testkit::app::share_places(folder.path());
        let mut process = Self { child: None, base_url: String::new(), folder };
        process.start();
        process
    }

    /// SIGKILL: it is told nothing and finishes nothing.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("it can be killed");
            child.wait().expect("it has ended");
        }
    }

    fn start(&mut self) {
        let mut child = fairweather()
            .args(["dev", "--listen", "127.0.0.1:0", "--data"])
            .arg(self.folder.path())
            .env("FAIRWEATHER_WEATHER__SANDBOX__ALWAYS", "true")
            .env("FAIRWEATHER_LIMITS__ACCOUNT_BURST", "1000000")
            .env("FAIRWEATHER_LIMITS__MUTATIONS_BURST", "1000000")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary runs");
        let out = BufReader::new(child.stdout.take().expect("its output is piped"));
        self.child = Some(child);
        let mut lines = out.lines().map_while(Result::ok);
        let address = lines.find_map(|line| Some(line.trim().strip_prefix("listening on ")?.to_owned()));
        let address = address.expect("it says where it listens");
        address.split_whitespace().next().expect("an address").clone_into(&mut self.base_url);
        // Whatever else it says is read, so that it never finds its output closed.
        std::thread::spawn(move || lines.for_each(drop));
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}
