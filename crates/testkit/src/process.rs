//! `fairweather serve` as an operator runs it: a process of its own that can be killed, drained and frozen.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::app::share_places;
use crate::clients::Client;
use crate::ports;

/// How long a process may take for what it does at once.
const SOON: Duration = Duration::from_secs(30);

/// One server in a process and with a data folder of its own. It is killed when dropped.
pub struct Process {
    command: Vec<String>,
    settings: Vec<(String, String)>,
    folder: TempDir,
    address: SocketAddr,
    child: Option<Child>,
}

impl Process {
    /// Prepares `serve` of this binary, behind `prefix` (such as `faketime`), with these arguments and settings from
    /// the environment, and with nothing else of this process's environment that could configure it. It is reached
    /// as on a machine of one's own, asks no weather provider, and limits no test.
    ///
    /// # Panics
    /// When no folder can be made.
    pub fn new(binary: &str, prefix: &[&str], arguments: &[&str], settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        share_places(&folder.path().join("data"));
        let usual = [
            ("FAIRWEATHER_PUBLIC_URL", "http://localhost:8080"),
            ("FAIRWEATHER_TRUSTED_PROXIES", r#"["127.0.0.1"]"#),
            // Nobody listens there, and nobody else is asked.
            ("FAIRWEATHER_WEATHER__OPEN_METEO__BASE_URL", "http://127.0.0.1:9"),
            ("FAIRWEATHER_LIMITS__ACCOUNT_BURST", "1000000"),
            ("FAIRWEATHER_LIMITS__MUTATIONS_BURST", "1000000"),
            ("FAIRWEATHER_LIMITS__ANONYMOUS_BURST", "1000000"),
        ];
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let program = [binary, "serve"];
        let command = prefix.iter().chain(&program).chain(arguments);
        Self {
            command: command.map(ToString::to_string).collect(),
            settings: usual.iter().chain(settings).map(pair).collect(),
            folder,
            address: ports::free(),
            child: None,
        }
    }

    /// Starts it; [`Process::listening`] waits until it takes requests. Each start takes the same port.
    ///
    /// # Panics
    /// When it runs already or cannot be run.
    pub fn spawn(&mut self) {
        assert!(self.child.is_none(), "it runs already");
        let [program, arguments @ ..] = self.command.as_slice() else {
            unreachable!("a command has a program")
        };
        let log =
            File::options().create(true).append(true).open(self.log_file()).expect("a log can be written");
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if name.starts_with("FAIRWEATHER_") || ["PORT", "DATABASE_URL", "REDIS_URL"].contains(&&*name) {
                command.env_remove(name);
            }
        }
        command.args(arguments).args(["--listen", &self.address.to_string(), "--data"]).arg(self.data());
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        self.child = Some(command.spawn().expect("the binary runs"));
    }

    /// Waits until it takes requests.
    ///
    /// # Panics
    /// When it was not started, or ends instead.
    pub fn listening(&mut self) {
        let child = self.child.as_mut().expect("it was started");
        let mut lines = BufReader::new(child.stdout.take().expect("its output is piped")).lines();
        let address = lines.by_ref().map_while(Result::ok).find_map(|line| {
            line.trim().strip_prefix("listening on http://").and_then(|address| address.parse().ok())
        });
        let Some(address) = address else { panic!("it does not start: {}", self.log()) };
        self.address = address;
        // Whatever else it says is read, so that it never finds its output closed.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
    }

    /// Starts it and waits until it takes requests.
    pub fn start(&mut self) {
        self.spawn();
        self.listening();
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Somebody who asks this process itself.
    pub fn visitor(&self) -> Client {
        Client::at(format!("http://{}", self.address))
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Whether it was started and has not been ended by [`Process::kill`] or [`Process::ended`].
    pub fn is_running(&self) -> bool {
        self.child.is_some()
    }

    /// SIGKILL: it is told nothing and finishes nothing.
    ///
    /// # Panics
    /// When it cannot be killed.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("it can be killed");
            child.wait().expect("it has ended");
        }
    }

    /// SIGTERM: it drains, finishes what is at work, and ends.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// SIGSTOP: it does nothing and does not know it.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// SIGCONT: it goes on.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let child = self.child.as_ref().expect("it runs");
        kill_process(Pid::from_child(child), signal).expect("it is ours");
    }

    /// Waits until it has ended by itself.
    ///
    /// # Panics
    /// When it does not.
    pub fn ended(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("it was started");
        let begun = Instant::now();
        loop {
            if let Some(status) = child.try_wait().expect("it is ours") {
                return status;
            }
            assert!(begun.elapsed() < SOON, "it does not end: {}", self.log());
            pause();
        }
    }

    /// Its root folder as it sees it, for what it has mounted for itself.
    ///
    /// # Panics
    /// When it does not run.
    pub fn root(&self) -> PathBuf {
        let child = self.child.as_ref().expect("it runs");
        PathBuf::from(format!("/proc/{}/root", child.id()))
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// What it has logged since its first start.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("log of {}:\n{}", self.address, self.log());
        }
        self.kill();
    }
}

/// Lets another process get on, before it is looked at again.
#[expect(clippy::disallowed_methods, reason = "other processes follow no clock of ours")]
pub(crate) fn pause() {
    std::thread::sleep(Duration::from_millis(5));
}

/// Where a program of the system lies; those for administrators are not on everybody's path.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders =
        std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin"), PathBuf::from("/usr/local/sbin")]);
    folders.map(|folder| folder.join(name)).find(|program| Path::is_file(program))
}
