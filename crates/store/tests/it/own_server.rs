//! A PostgreSQL of a test's own, to be killed and to be given certificates.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// Runs until it is dropped.
pub struct OwnServer {
    programs: PathBuf,
    folder: TempDir,
    port: u16,
    user: Option<(u32, u32)>,
}

/// Files for a client.
pub struct Certificates {
    /// Of the authority that signed the server's certificate.
    pub ca: PathBuf,
    /// Of one that did not.
    pub other_ca: PathBuf,
}

impl OwnServer {
    /// `None`, said aloud, where PostgreSQL's programs are not installed and need not be.
    pub fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            let all =
                ["CI", "FAIRWEATHER_TEST_ALL"].into_iter().find(|name| std::env::var_os(name).is_some());
            assert!(all.is_none(), "everything must run, so PostgreSQL's server programs must be installed");
            eprintln!("skipped: PostgreSQL's server programs are not installed");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        // PostgreSQL refuses root, who lends it the user of Debian's package.
        let user = (id(&["-u"]) == Some(0)).then(|| {
            let user = (id(&["-u", "postgres"]).unwrap(), id(&["-g", "postgres"]).unwrap());
            chown(folder.path(), Some(user.0), Some(user.1)).unwrap();
            user
        });
        // Below those that the system gives to whoever asks for any, since it is taken seconds later.
        let begin = 33 * (std::process::id() % 300);
        let port = (0..).map(|n| 10_000 + (begin + n) % 9_900).map(|port| u16::try_from(port).unwrap());
        let port = { port }.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).unwrap();
        let server = Self { programs, folder, port, user };
        server.run(
            "initdb",
            &["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"],
        );
        // Crash-safe as in production, since it is crashed.
        server.set(&format!(
            "port = {port}\nlisten_addresses = 'localhost'\nunix_socket_directories = ''\nmax_connections = 50\n"
        ));
        server.run("pg_ctl", &["start", "--wait", "--silent", "--log=/dev/null"]);
        Some(server)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn set(&self, lines: &str) {
        let file = self.data().join("postgresql.auto.conf");
        let before = fs::read_to_string(&file).unwrap_or_default();
        fs::write(&file, before + lines).unwrap();
        self.own(&file);
    }

    fn own(&self, file: &Path) {
        if let Some((user, group)) = self.user {
            chown(file, Some(user), Some(group)).unwrap();
        }
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let mut command = Command::new(self.programs.join(program));
        command.arg("-D").arg(self.data()).args(arguments).current_dir("/").stdin(Stdio::null());
        // A server that stays would hold on to pipes.
        command.stdout(Stdio::null()).stderr(Stdio::null());
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        let status = command.status().unwrap();
        assert!(status.success(), "{program} {arguments:?}: {status}");
    }

    /// Its address; more settings may follow.
    pub fn url(&self, query: &str) -> String {
        format!("postgres://postgres@localhost:{}/postgres?{query}", self.port)
    }

    /// Kills it as a power cut would, and starts it again.
    pub fn crash_and_restart(&mut self) {
        self.run("pg_ctl", &["restart", "--mode=immediate", "--wait", "--silent", "--log=/dev/null"]);
    }

    /// From now on takes encrypted connections only, with a certificate for `localhost` of a new authority.
    pub fn encrypt_only(&self) -> Certificates {
        let folder = self.folder.path();
        for ca in ["ca", "other"] {
            openssl(
                folder,
                &format!(
                    "req -x509 -newkey rsa:2048 -nodes -keyout {ca}.key -out {ca}.pem -days 2 -subj /CN={ca}"
                ),
            );
        }
        openssl(folder, "req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=localhost");
        fs::write(folder.join("names"), "subjectAltName = DNS:localhost\n").unwrap();
        openssl(
            folder,
            "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.crt",
        );
        for name in ["server.key", "server.crt"] {
            let file = self.data().join(name);
            fs::copy(folder.join(name), &file).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
            self.own(&file);
        }
        self.set("ssl = on\n");
        fs::write(self.data().join("pg_hba.conf"), "hostssl all all all trust\n").unwrap();
        self.run("pg_ctl", &["restart", "--mode=fast", "--wait", "--silent", "--log=/dev/null"]);
        Certificates { ca: folder.join("ca.pem"), other_ca: folder.join("other.pem") }
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        self.run("pg_ctl", &["stop", "--mode=immediate", "--wait", "--silent"]);
    }
}

/// Where `initdb` and `pg_ctl` are: Debian keeps them out of the path.
fn programs() -> Option<PathBuf> {
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = debian.map(|version| version.path().join("bin")).collect();
    folders.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders.extend(std::env::split_paths(&path));
    folders.into_iter().find(|folder| folder.join("initdb").is_file() && folder.join("pg_ctl").is_file())
}

fn id(arguments: &[&str]) -> Option<u32> {
    let output = Command::new("id").args(arguments).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

fn openssl(folder: &Path, arguments: &str) {
    let arguments: Vec<&str> = arguments.split(' ').collect();
    let done =
        Command::new("openssl").args(&arguments).current_dir(folder).output().expect("openssl is installed");
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
}
