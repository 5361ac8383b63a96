//! The binary itself, as an operator runs it.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;
use testkit::{Client, TestApp};
use tokio::sync::mpsc;

/// The command with nothing of this process's environment that could configure it, in an empty folder.
pub fn fairweather(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fairweather"));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("FAIRWEATHER_") || ["PORT", "DATABASE_URL", "REDIS_URL"].contains(&&*name) {
            command.env_remove(name);
        }
    }
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub fn run(folder: &Path, arguments: &[&str]) -> Output {
    fairweather(folder, arguments).output().expect("the binary runs")
}

/// What a command wrote to stdout and stderr, and its exit code.
pub fn said(output: &Output) -> (String, String, i32) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr), output.status.code().unwrap_or(-1))
}

/// What a command on this installation's data says.
pub fn command(app: &TestApp, arguments: &[&str]) -> (String, String, i32) {
    let mut all = arguments.to_vec();
    let data = app.data().to_str().unwrap();
    all.extend(["--data", data]);
    if let Some(url) = &app.config().database {
        all.extend(["--database", url]);
    }
    said(&run(app.scratch(), &all))
}

/// A server in a process and a folder of its own; it is ended when dropped.
pub struct Served {
    child: Child,
    folder: TempDir,
    base_url: String,
    lines: mpsc::UnboundedReceiver<String>,
    said: String,
}

impl Served {
    /// Starts `dev` with more arguments and settings, in a data folder `data`.
    pub async fn start(arguments: &[&str], settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut all = vec!["dev", "--listen", "127.0.0.1:0", "--data", "data"];
        all.extend(arguments);
        let log = File::create(folder.path().join("log")).unwrap();
        let mut command = fairweather(folder.path(), &all);
        command.envs(settings.iter().copied()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().expect("the binary runs");
        let (sender, lines) = mpsc::unbounded_channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        let mut served = Self { child, folder, base_url: String::new(), lines, said: String::new() };
        served.base_url = served.line_after("listening on ").await;
        served
    }

    /// What follows `prefix` in the next line of stdout that begins with it, up to a blank.
    pub async fn line_after(&mut self, prefix: &str) -> String {
        while let Some(line) = self.lines.recv().await {
            self.said += &format!("{line}\n");
            if let Some(rest) = line.trim_start().strip_prefix(prefix) {
                return rest.split_whitespace().next().unwrap_or_default().to_owned();
            }
        }
        panic!("it ended without saying {prefix:?}: {}{}", self.said, self.log());
    }

    pub fn visitor(&self) -> Client {
        Client::at(&self.base_url)
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// Asks it to stop, waits until it has, and gives its exit code.
    pub fn stop(&mut self) -> i32 {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        self.child.wait().unwrap().code().unwrap_or(-1)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
