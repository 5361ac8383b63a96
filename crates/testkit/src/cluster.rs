//! A PostgreSQL of a story's own, which it may crash, replicate and promote. The one that all tests share is not for
//! that.

use std::fs;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, geteuid, kill_process};
use tempfile::TempDir;
use tokio_postgres::NoTls;

use crate::databases::{Database, skip};
use crate::ports;
use crate::process::pause;

/// How long it may take to start or to recover.
const SOON: Duration = Duration::from_secs(60);

/// One server with a data folder and a port of its own. It is ended when dropped.
pub struct Cluster {
    programs: PathBuf,
    folder: TempDir,
    port: u16,
    settings: Vec<String>,
    child: Option<Child>,
}

impl Cluster {
    /// Makes one and starts it with these settings (`max_connections=10`); `None`, said aloud, where PostgreSQL is not
    /// installed.
    ///
    /// # Panics
    /// When it does not start, or must be there.
    pub async fn start(settings: &[&str]) -> Option<Self> {
        let Some(programs) = programs() else {
            skip("PostgreSQL is not installed");
            return None;
        };
        let mut cluster = Self::prepare(programs, settings);
        let arguments =
            ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"];
        let data = format!("--pgdata={}", cluster.data().display());
        cluster.run("initdb", &[&arguments[..], &[&data]].concat());
        cluster.resume().await;
        Some(cluster)
    }

    /// Makes a replica that follows this one, and from now on acknowledges each of its commits.
    ///
    /// # Panics
    /// When that cannot be done.
    pub async fn replica(&self) -> Self {
        let mut replica = Self::prepare(self.programs.clone(), &[]);
        let (port, data) = (self.port.to_string(), replica.data().display().to_string());
        let from = ["--host=127.0.0.1", "--username=postgres", "--port", &port];
        let to = ["--pgdata", &data, "--write-recovery-conf", "--checkpoint=fast", "--no-sync"];
        replica.run("pg_basebackup", &[&from[..], &to[..]].concat());
        replica.resume().await;
        self.database().run("ALTER SYSTEM SET synchronous_standby_names = '*'").await;
        self.database().run("SELECT pg_reload_conf()").await;
        let begun = Instant::now();
        let synchronous = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'";
        while self.database().number(synchronous).await == 0 {
            assert!(begun.elapsed() < SOON, "the replica does not follow");
            pause();
        }
        replica
    }

    fn prepare(programs: PathBuf, settings: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        if let Some((user, group)) = unprivileged() {
            chown(folder.path(), Some(user), Some(group)).expect("root may give what is its own");
        }
        let port = ports::free().port();
        let settings = settings.iter().map(ToString::to_string).collect();
        Self { programs, folder, port, settings, child: None }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// `host:port`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    pub fn url(&self) -> String {
        format!("postgres://postgres@{}/postgres", self.address())
    }

    /// What it holds, past every application.
    pub fn database(&self) -> Database {
        Database::Postgres(self.url())
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null());
        if let Some((user, group)) = unprivileged() {
            command.uid(user).gid(group);
        }
        command
    }

    fn run(&mut self, program: &str, arguments: &[&str]) {
        let output = self.command(program).args(arguments).output().expect(program);
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Starts it (anew) and waits until it answers.
    ///
    /// # Panics
    /// When it does not.
    pub async fn resume(&mut self) {
        self.spawn();
        let begun = Instant::now();
        while tokio_postgres::connect(&self.url(), NoTls).await.is_err() {
            assert!(begun.elapsed() < SOON, "PostgreSQL does not start: {}", self.log());
            pause();
        }
    }

    /// Starts it anew, and lets it recover while others go on.
    ///
    /// # Panics
    /// When it cannot be run.
    pub fn spawn(&mut self) {
        let mut command = self.command("postgres");
        command.arg("-D").arg(self.data()).args(["-p", &self.port.to_string()]);
        for setting in ["listen_addresses=127.0.0.1", "unix_socket_directories="] {
            command.args(["-c", setting]);
        }
        for setting in &self.settings {
            command.args(["-c", setting]);
        }
        let log = fs::File::options().create(true).append(true).open(self.folder.path().join("log"));
        command.stderr(log.expect("a log can be written"));
        self.child = Some(command.spawn().expect("PostgreSQL runs"));
    }

    /// Stops it as `pg_ctl stop -m immediate` does: it finishes nothing, and recovers at the next start.
    pub fn crash(&mut self) {
        self.end(Signal::QUIT);
    }

    /// SIGKILL, as a machine that is gone.
    pub fn kill(&mut self) {
        self.end(Signal::KILL);
    }

    fn end(&mut self, signal: Signal) {
        let Some(mut child) = self.child.take() else { return };
        // It may have ended by itself, which is found out by waiting.
        let _ = kill_process(Pid::from_child(&child), signal);
        child.wait().expect("it has ended");
    }

    /// Makes a replica the primary.
    ///
    /// # Panics
    /// When it does not become one.
    pub async fn promote(&self) {
        let done = self.database().column("SELECT pg_promote(true, 60)").await;
        assert_eq!(done, ["t"], "{}", self.log());
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.end(Signal::QUIT);
    }
}

/// The newest PostgreSQL; Debian and Ubuntu keep it off the path.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions
        .filter_map(|entry| {
            Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path().join("bin")))
        })
        .max();
    let on_path = || Some(crate::process::program("postgres")?.parent()?.to_owned());
    newest.map(|(_, folder)| folder).filter(|folder| Path::is_dir(folder)).or_else(on_path)
}

/// PostgreSQL and PgBouncer refuse root, so root lends it the user that its package made.
pub(crate) fn unprivileged() -> Option<(u32, u32)> {
    if !geteuid().is_root() {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").expect("a list of users");
    let line = users.lines().find(|line| line.starts_with("postgres:")).expect("a user postgres");
    let mut numbers = line.split(':').skip(2).map(|number| number.parse().expect("a number"));
    numbers.next().zip(numbers.next())
}
