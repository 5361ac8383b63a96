//! A proxy before several nodes: the system's own nginx, Apache or HAProxy with the configuration in `deploy/`, on a
//! port of its own, as an ordinary user, without TLS.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, geteuid, kill_process};
use tempfile::TempDir;

use crate::databases::skip;
use crate::ports;
use crate::process::{pause, program};

/// Where the configurations lie.
const DEPLOY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy");
/// Addresses of the nodes in them.
const NODES: [&str; 3] = ["10.0.0.11:8080", "10.0.0.12:8080", "10.0.0.13:8080"];
/// `nobody` on every Linux. Proxies that are started by root would become another user themselves, in their own ways.
const NOBODY: u32 = 65534;
/// How long one may take to start.
const SOON: Duration = Duration::from_secs(60);

/// Which program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Nginx,
    Apache,
    Haproxy,
}

impl Kind {
    /// The one that `FAIRWEATHER_TEST_PROXY` names, by default nginx.
    ///
    /// # Panics
    /// When it names another one.
    pub fn wanted() -> Self {
        match std::env::var("FAIRWEATHER_TEST_PROXY").as_deref() {
            Err(_) | Ok("nginx") => Self::Nginx,
            Ok("apache") => Self::Apache,
            Ok("haproxy") => Self::Haproxy,
            Ok(other) => panic!("FAIRWEATHER_TEST_PROXY is nginx, apache or haproxy, not {other}"),
        }
    }

    fn program(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Apache => "apache2",
            Self::Haproxy => "haproxy",
        }
    }

    /// Whether it can be tried; said aloud where it cannot.
    ///
    /// # Panics
    /// When it must be tried.
    pub fn is_installed(self) -> bool {
        let is_there = program(self.program()).is_some();
        if !is_there {
            skip(&format!("{} is not installed", self.program()));
        }
        is_there
    }
}

/// A proxy that runs. It is ended when dropped.
pub struct Proxy {
    kind: Kind,
    child: Child,
    address: SocketAddr,
    folder: TempDir,
}

impl Proxy {
    /// Starts one before these nodes, which must be three.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(kind: Kind, nodes: &[SocketAddr]) -> Self {
        assert_eq!(nodes.len(), NODES.len(), "the configurations are for three nodes");
        // Another program may take the port before the proxy does, so that it is tried with a few.
        for _ in 0..3 {
            if let Some(proxy) = Self::try_start(kind, nodes) {
                return proxy;
            }
        }
        panic!("{kind:?} does not start");
    }

    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn try_start(kind: Kind, nodes: &[SocketAddr]) -> Option<Self> {
        let address = ports::free();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let arguments = prepare(kind, folder.path(), address, nodes);
        let mut command = Command::new(program(kind.program()).expect("it is installed"));
        command.args(arguments).current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::null());
        let log = fs::File::create(folder.path().join("stderr")).expect("a log can be written");
        command.stderr(log);
        if geteuid().is_root() {
            give(folder.path());
            command.uid(NOBODY).gid(NOBODY);
        }
        let child = command.spawn().expect("the proxy runs");
        let mut proxy = Self { kind, child, address, folder };
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            let has_ended = proxy.child.try_wait().expect("it is ours").is_some();
            if has_ended || begun.elapsed() > SOON {
                eprintln!("{kind:?} does not start: {}", proxy.log());
                return None;
            }
            pause();
        }
        Some(proxy)
    }

    /// What it has said.
    pub fn log(&self) -> String {
        let read = |name| fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
        ["stderr", "error.log", "fairweather.log"].map(read).concat()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("log of {:?}:\n{}", self.kind, self.log());
        }
        // Asked first: a master that is killed leaves its workers behind.
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let begun = Instant::now();
        while begun.elapsed() < SOON {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            pause();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Writes the files and tells the arguments that make the program use them.
fn prepare(kind: Kind, folder: &Path, address: SocketAddr, nodes: &[SocketAddr]) -> Vec<String> {
    let (file, around) = match kind {
        Kind::Nginx => ("nginx/fairweather.conf", NGINX),
        Kind::Apache => ("apache/fairweather.conf", APACHE),
        Kind::Haproxy => ("haproxy/haproxy.cfg", "{deployed}"),
    };
    let path = Path::new(DEPLOY).join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut deployed = fitted(kind, &text, address);
    for (name, node) in NODES.iter().zip(nodes) {
        assert!(deployed.contains(name), "{} names no node {name}", path.display());
        deployed = deployed.replace(name, &node.to_string());
    }
    let whole = around.replace("{deployed}", &deployed).replace("{folder}", &folder.display().to_string());
    let written = folder.join("proxy.conf");
    fs::write(&written, whole).expect("a configuration can be written");
    let written = written.display().to_string();
    let arguments: &[&str] = match kind {
        Kind::Nginx => &["-p", ".", "-e", "error.log", "-c", &written],
        Kind::Apache => &["-DFOREGROUND", "-d", ".", "-f", &written],
        Kind::Haproxy => &["-db", "-f", &written],
    };
    arguments.iter().map(ToString::to_string).collect()
}

/// The deployed configuration without TLS, at the address.
fn fitted(kind: Kind, text: &str, address: SocketAddr) -> String {
    let line = |line: &str| match (kind, line.trim_start()) {
        (Kind::Nginx, own) if own.starts_with("listen [::]") || own.starts_with("ssl_") => None,
        (Kind::Nginx, own) if own.starts_with("listen ") => Some(format!("listen {address};")),
        (Kind::Nginx, own) if own.starts_with("access_log ") => {
            Some(String::from("access_log fairweather.log fairweather;"))
        }
        (Kind::Apache, own) if own.starts_with("SSL") || own.starts_with("Protocols ") => None,
        (Kind::Apache, own) if own.starts_with("<VirtualHost") => Some(format!("<VirtualHost {address}>")),
        (Kind::Apache, own) if own.starts_with("CustomLog ") => {
            Some(String::from("CustomLog fairweather.log fairweather"))
        }
        // An ordinary user may not open that many files.
        (Kind::Haproxy, own) if own.starts_with("maxconn ") => Some(String::from("    maxconn 1000")),
        (Kind::Haproxy, own) if own.starts_with("bind ") => Some(format!("    bind {address}")),
        _ => Some(line.to_owned()),
    };
    let lines: Vec<_> = text.lines().filter_map(line).collect();
    let listen = if kind == Kind::Apache { format!("Listen {address}\n") } else { String::new() };
    listen + &lines.join("\n") + "\n"
}

/// What stands around a site of nginx.
const NGINX: &str = "daemon off;
worker_processes 1;
pid pid;
error_log error.log;
events { worker_connections 2048; }
http {
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    {deployed}
}
";

/// What stands around a site of Apache, with Debian's modules.
const APACHE: &str = "ServerRoot {folder}
ServerName localhost
PidFile pid
DefaultRuntimeDir {folder}
Mutex file:{folder}
ErrorLog error.log
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule headers_module /usr/lib/apache2/modules/mod_headers.so
LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so
LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so
LoadModule proxy_balancer_module /usr/lib/apache2/modules/mod_proxy_balancer.so
LoadModule slotmem_shm_module /usr/lib/apache2/modules/mod_slotmem_shm.so
LoadModule proxy_hcheck_module /usr/lib/apache2/modules/mod_proxy_hcheck.so
LoadModule lbmethod_byrequests_module /usr/lib/apache2/modules/mod_lbmethod_byrequests.so
LoadModule lbmethod_bybusyness_module /usr/lib/apache2/modules/mod_lbmethod_bybusyness.so
{deployed}
";

/// Gives the folder and what is in it to the user that the proxy runs as.
fn give(folder: &Path) {
    let entries =
        fs::read_dir(folder).expect("a folder of ours").map(|entry| entry.expect("an entry").path());
    for path in entries.chain([folder.to_owned()]) {
        chown(&path, Some(NOBODY), Some(NOBODY)).expect("root may give what is its own");
    }
}
