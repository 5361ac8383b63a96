//! How PostgreSQL is reached: what the URL says about TLS, and what production needs of a connection.

use std::path::PathBuf;
use std::time::Duration;

use percent_encoding::percent_decode_str;
use tokio::time::timeout;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{Client, Config};

use crate::address::Address;
use crate::error::{Error, Result};
use crate::tls::{MakeTls, Roots, Trust};

/// How long a server may take to accept a connection, unless the URL says otherwise.
const CONNECT: Duration = Duration::from_secs(5);
/// How long it may take until it has let somebody in, all its servers tried.
const GREETED: Duration = Duration::from_secs(20);
/// A connection on which nothing moves is asked for a sign of life after this time, and this often, so that a server
/// that is gone without a word is noticed within seconds.
const IDLE: Duration = Duration::from_secs(10);
const INTERVAL: Duration = Duration::from_secs(3);
const SIGNS: u32 = 3;
/// What was sent and not received by the other side for so long will not be.
const UNSENT: Duration = Duration::from_secs(10);

/// A PostgreSQL server as a URL names it.
#[derive(Clone)]
pub struct Target {
    pub(crate) config: Config,
    pub(crate) tls: MakeTls,
    /// What the URL says about TLS, if it says anything.
    mode: Option<Mode>,
}

/// `sslmode`, with the meaning that it has for PostgreSQL's own programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Disable,
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

impl Mode {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "disable" => Self::Disable,
            "allow" | "prefer" => Self::Prefer,
            "require" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" => Self::VerifyFull,
            _ => return None,
        })
    }

    const fn driver(self) -> SslMode {
        match self {
            Self::Disable => SslMode::Disable,
            Self::Prefer => SslMode::Prefer,
            Self::Require | Self::VerifyCa | Self::VerifyFull => SslMode::Require,
        }
    }
}

impl Target {
    /// Reads `postgres://…` with what the driver knows in its query, `sslmode` (`disable`, `prefer`, `require`,
    /// `verify-ca`, `verify-full`) and `sslrootcert` (a file with certificates, or `system`).
    ///
    /// # Errors
    /// When the URL does not parse or the certificates cannot be read. The text holds no password.
    pub fn parse(url: &str) -> Result<Self> {
        let wrong = |what: String| Error::Database(format!("the database URL does not parse: {what}"));
        let address = Address::parse(url).ok_or_else(|| wrong(String::from("it has no ://")))?;
        let (mut mode, mut roots, mut rest) = (None, None, Vec::new());
        for pair in address.query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = percent_decode_str(value).decode_utf8_lossy();
            match name {
                "sslmode" => {
                    let known = Mode::parse(&value);
                    mode = Some(known.ok_or_else(|| wrong(format!("sslmode={value} is not known")))?);
                }
                "sslrootcert" => roots = Some(value.into_owned()),
                _ => rest.push(pair),
            }
        }
        let plain = address.with_query(&rest.join("&"));
        let mut config: Config =
            plain.parse().map_err(|error: tokio_postgres::Error| wrong(error.to_string()))?;
        let says = |name: &str| rest.iter().any(|pair| pair.split('=').next() == Some(name));
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT);
        }
        if config.get_application_name().is_none() {
            config.application_name("fairweather");
        }
        if !says("keepalives_idle") {
            config.keepalives_idle(IDLE);
        }
        if !says("keepalives_interval") {
            config.keepalives_interval(INTERVAL);
        }
        if !says("keepalives_retries") {
            config.keepalives_retries(SIGNS);
        }
        if !says("tcp_user_timeout") {
            config.tcp_user_timeout(UNSENT);
        }
        config.ssl_mode(mode.unwrap_or(Mode::Prefer).driver());
        let roots = roots.map(|value| match value.as_str() {
            "system" => Roots::System,
            file => Roots::File(PathBuf::from(file)),
        });
        let tls = MakeTls::new(trust(mode, roots))?;
        Ok(Self { config, tls, mode })
    }

    /// The host on another machine to which data would travel in plain text although nobody said that it may.
    pub(crate) fn plain_host(&self) -> Option<String> {
        if !matches!(self.mode, None | Some(Mode::Prefer)) {
            return None;
        }
        let named = self.config.get_hosts().iter().filter_map(|host| match host {
            Host::Tcp(name) if !is_this_machine(name) => Some(name.clone()),
            _ => None,
        });
        let addresses =
            self.config.get_hostaddrs().iter().filter(|addr| !addr.is_loopback()).map(ToString::to_string);
        named.chain(addresses).next()
    }

    /// A connection outside the pool, and the task that drives it. It ends when the client is dropped.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub async fn connect(&self) -> Result<(Client, tokio::task::JoinHandle<()>)> {
        // The driver bounds the time to the first answer only where nobody accepts the connection.
        let connected = timeout(GREETED, self.config.connect(self.tls.clone())).await;
        let failed = |why: String| Error::Unavailable(format!("PostgreSQL at {}: {why}", self.hosts()));
        let (client, connection) = connected
            .map_err(|_| failed(format!("it said nothing within {GREETED:?}")))?
            .map_err(|error| failed(reason(&error)))?;
        let driver = tokio::spawn(async move {
            // Whoever uses the client is told of its end by the next statement.
            let _ = connection.await;
        });
        Ok((client, driver))
    }

    /// Where the servers listen, as the URL says.
    fn hosts(&self) -> String {
        let ports = self.config.get_ports();
        // One port may stand for all hosts.
        let port = |n: usize| ports.get(n).or(ports.first()).copied().unwrap_or(5432);
        let named = self.config.get_hosts().iter().map(|host| match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(folder) => folder.display().to_string(),
        });
        let mut hosts: Vec<String> = named.collect();
        if hosts.is_empty() {
            hosts = self.config.get_hostaddrs().iter().map(ToString::to_string).collect();
        }
        let with_ports = hosts.iter().enumerate().map(|(n, host)| format!("{host}:{}", port(n)));
        with_ports.collect::<Vec<_>>().join(", ")
    }

    /// Settings that hold on each new connection.
    pub(crate) fn set(&mut self, settings: &[(&str, Duration)]) {
        let mut options = self.config.get_options().unwrap_or_default().to_owned();
        for (name, value) in settings {
            options.push_str(&format!(" -c {name}={}", value.as_millis()));
        }
        self.config.options(options.trim_start());
    }
}

/// What must be shown by the server, as PostgreSQL's own programs see it: `require` alone encrypts, with certificates
/// it also looks who answers.
fn trust(mode: Option<Mode>, roots: Option<Roots>) -> Trust {
    match (mode, roots) {
        (None | Some(Mode::Disable | Mode::Prefer), _) | (Some(Mode::Require), None) => Trust::Anybody,
        (Some(Mode::Require), Some(roots)) => Trust::Chain(roots),
        (Some(Mode::VerifyCa), roots) => Trust::Chain(roots.unwrap_or(Roots::System)),
        (Some(Mode::VerifyFull), roots) => Trust::Name(roots.unwrap_or(Roots::System)),
    }
}

fn is_this_machine(name: &str) -> bool {
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

pub(crate) fn unreachable(error: &tokio_postgres::Error) -> Error {
    Error::Unavailable(format!("PostgreSQL: {}", reason(error)))
}

/// Why a server could not be used, in its own words where it has any.
pub(crate) fn reason(error: &tokio_postgres::Error) -> String {
    let mut text = error.as_db_error().map_or_else(|| error.to_string(), |db| db.message().to_owned());
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause.filter(|_| error.as_db_error().is_none()) {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain_host(url: &str) -> Option<String> {
        Target::parse(url).unwrap().plain_host()
    }

    #[test]
    fn another_machine_is_not_reached_in_plain_text_by_accident() {
        let db = Some(String::from("db.example.org"));
        assert_eq!(plain_host("postgres://u:p@db.example.org/f"), db);
        assert_eq!(plain_host("postgres://u:p@db.example.org/f?sslmode=prefer"), db);
        assert_eq!(plain_host("postgres://u:p@127.0.0.1,db.example.org/f"), db);
        assert_eq!(plain_host("postgres://u@/f?host=10.1.2.3"), Some(String::from("10.1.2.3")));
        for sound in [
            "postgres://u@db.example.org/f?sslmode=require",
            "postgres://u@db.example.org/f?connect_timeout=3&sslmode=disable",
            "postgres://u@localhost/f",
            "postgres://u@127.0.0.1:5433/f",
            "postgres://u@%2Frun%2Fpostgresql/f",
            "postgres:///f?host=/run/postgresql",
            "postgres://127.0.0.1/x?user=u&password=se@kret",
            "postgres://u:se@kret@localhost/f",
        ] {
            assert_eq!(plain_host(sound), None, "{sound}");
        }
    }

    #[test]
    fn what_the_url_says_stands() {
        let target = Target::parse(
            "postgres://u:a?b@db/f?application_name=me&keepalives_idle=99&sslmode=require&options=-c%20geqo%3Doff",
        );
        let mut target = target.unwrap();
        assert_eq!(target.config.get_application_name(), Some("me"));
        assert_eq!(target.config.get_keepalives_idle(), Duration::from_secs(99));
        assert_eq!(target.config.get_password(), Some(&b"a?b"[..]));
        assert_eq!(target.config.get_ssl_mode(), SslMode::Require);
        target.set(&[("statement_timeout", Duration::from_secs(2))]);
        assert_eq!(target.config.get_options(), Some("-c geqo=off -c statement_timeout=2000"));
    }

    #[test]
    fn a_password_may_hold_what_ends_it() {
        for url in [
            "postgres://u:se@kr/et@db/f",
            "postgres://u:se%40kr%2Fet@db/f",
            "postgres://db/f?user=u&password=se@kr/et",
            "postgres://db/f?user=u&password=se%40kr/et&sslmode=require",
        ] {
            let config = Target::parse(url).unwrap().config;
            assert_eq!(config.get_password(), Some(&b"se@kr/et"[..]), "{url}");
            assert_eq!(config.get_hosts(), [Host::Tcp(String::from("db"))], "{url}");
            assert_eq!((config.get_user(), config.get_dbname()), (Some("u"), Some("f")), "{url}");
        }
    }

    #[test]
    fn what_is_not_known_is_refused_without_the_password() {
        for url in ["postgres://u:secret@db/f?sslmode=always", "postgres://u:secret@db/f?sslcert=x"] {
            let text = Target::parse(url).err().unwrap().to_string();
            assert!(text.contains("does not parse") && !text.contains("secret"), "{text}");
        }
        let missing = Target::parse("postgres://u@db/f?sslmode=verify-full&sslrootcert=/nowhere/ca.pem");
        assert!(missing.err().unwrap().to_string().contains("/nowhere/ca.pem"));
    }
}
