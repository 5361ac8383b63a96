//! A real SMTP server for stories (Nodemailer's, in `tests/smtp`). What it does with a message is said by the address
//! that the message goes to: `later-2@…` is put off twice, `never@…` is refused, `hang@…` and `close@…` break the first
//! conversation, everybody else gets their mail.
//!
//! Stories that need it say that they were skipped where Node or the server's packages are not installed.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

use crate::databases::skip;
use crate::events::AT_LAST;

/// How the server wants to be talked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    None,
    StartTls,
    Tls,
}

/// A server on a port of its own. It ends when it is dropped.
pub struct SmtpServer {
    pub port: u16,
    /// What it was told to trust, where there is encryption.
    pub authority: Option<PathBuf>,
    child: Child,
    told: UnboundedReceiver<Value>,
    /// What it told before something else was asked for.
    passed: Vec<Value>,
}

impl SmtpServer {
    /// Starts one; `None`, said aloud, where it cannot be.
    pub async fn start(scratch: &Path, encryption: Encryption, account: Option<&str>) -> Option<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/smtp");
        if !folder.join("node_modules/smtp-server").exists() {
            skip("the packages of tests/smtp are not installed (npm ci)");
            return None;
        }
        let mut command = Command::new("node");
        command.arg("server.mjs").current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut authority = None;
        if encryption != Encryption::None {
            let Some(made) = certificates(scratch) else {
                skip("the program openssl is not installed");
                return None;
            };
            let read = |name: &str| std::fs::read_to_string(made.join(name)).expect("openssl wrote it");
            command.env("KEY", read("key.pem")).env("CERT", read("cert.pem"));
            command.arg(if encryption == Encryption::Tls { "--tls" } else { "--starttls" });
            authority = Some(made.join("ca.pem"));
        }
        if let Some(account) = account {
            command.args(["--user", account]);
        }
        let Ok(mut child) = command.spawn() else {
            skip("node is not installed");
            return None;
        };
        let lines = BufReader::new(child.stdout.take().expect("its output is ours"));
        let (tell, told) = unbounded_channel();
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                let line = serde_json::from_str(&line).expect("it tells JSON");
                if tell.send(line).is_err() {
                    return;
                }
            }
        });
        let mut server = Self { port: 0, authority, child, told, passed: Vec::new() };
        let listening = server.told("listening").await;
        server.port = u16::try_from(listening["listening"].as_u64().unwrap_or_default()).expect("a port");
        Some(server)
    }

    /// The next thing of this kind that it tells. What comes before may be asked for later: two conversations at once
    /// are in no order.
    ///
    /// # Panics
    /// When that does not happen soon.
    pub async fn told(&mut self, kind: &str) -> Value {
        if let Some(at) = self.passed.iter().position(|line| line.get(kind).is_some()) {
            return self.passed.remove(at);
        }
        let next = async {
            loop {
                let line = self.told.recv().await.expect("the server runs");
                if line.get(kind).is_some() {
                    return line;
                }
                self.passed.push(line);
            }
        };
        timeout(AT_LAST, next).await.unwrap_or_else(|_| panic!("the SMTP server tells nothing of {kind}"))
    }

    /// What it has told since somebody asked last; what was passed over then is forgotten.
    pub fn rest(&mut self) -> Vec<Value> {
        self.passed.clear();
        std::iter::from_fn(|| self.told.try_recv().ok()).collect()
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A certificate for `localhost`, and the authority that signed it; `None` without the program that makes them.
fn certificates(scratch: &Path) -> Option<PathBuf> {
    let folder = scratch.join("smtp");
    std::fs::create_dir_all(&folder).expect("a folder for certificates");
    let openssl = |arguments: &str| {
        let run = Command::new("openssl").args(arguments.split(' ')).current_dir(&folder).output().ok()?;
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        Some(())
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(&format!("req -x509 {key} -keyout ca.key -out ca.pem -days 3650 -subj /CN=authority"))?;
    openssl(&format!("req {key} -keyout key.pem -out request.pem -subj /CN=localhost"))?;
    std::fs::write(folder.join("names"), "subjectAltName=DNS:localhost\n").expect("a file can be written");
    openssl(
        "x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 3650 -extfile names -out cert.pem",
    )?;
    Some(folder)
}
