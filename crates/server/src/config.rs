//! Configuration: one schema for the file, the environment and the flags.
//!
//! A flag goes before the environment, the environment before the file, the file before the default.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::{Error, Result};
use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use upstream::smtp::{Smtp, SmtpSettings};

use crate::sign_in_providers::SignInProviders;

/// Everything an operator may set.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Address and port to listen on; port 0 takes a free one and prints it.
    pub listen: SocketAddr,
    /// Folder for the database, the keys and the caches.
    pub data: PathBuf,
    /// `postgres://…`, or `sqlite:PATH`; a SQLite file in the data folder when left out.
    pub database: Option<String>,
    /// `postgres://…` of the server itself, where `database` leads to a pooler.
    pub database_direct: Option<String>,
    /// `redis://…` of a Redis or Valkey that several nodes share; PostgreSQL alone serves a handful of them.
    pub redis: Option<String>,
    /// Where people reach this server: `https://weather.example.org`. Links in mail point there.
    pub public_url: Option<String>,
    /// Proxies whose `X-Forwarded-For` counts: `["10.0.0.0/8"]`.
    pub trusted_proxies: Vec<String>,
    /// Seconds after SIGTERM in which `serve` goes on serving with `/readyz` red, so that balancers take it out; when
    /// left out, 5 with PostgreSQL and 0 with SQLite.
    pub drain_s: Option<u64>,
    /// Front ends on other origins that may call with bearer tokens.
    pub cors_origins: Vec<String>,
    /// Where somebody tells who found a weakness: `mailto:security@example.org` or `https://…`.
    pub security_contact: Option<String>,
    pub log: Log,
    pub limits: Limits,
    pub streams: Streams,
    pub quota: Quota,
    pub password: Password,
    pub passkeys: Passkeys,
    /// Through whom people sign in beside a password; each under the name that stands in its paths.
    pub providers: SignInProviders,
    pub mail: Mail,
    pub weather: Weather,
    pub store: StoreConfig,
    pub audit: Audit,
    pub webhooks: Webhooks,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug`, or directives of tracing-subscriber's filter.
    pub level: String,
    /// `text`, `json`, or `auto`: text on a terminal.
    pub format: String,
}

/// Limits on traffic. They are always on; raise them with care.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    pub account_per_second: f64,
    pub account_burst: u32,
    /// Changes of synced data; each mutation of a batch counts.
    pub mutations_per_second: f64,
    pub mutations_burst: u32,
    /// Place searches of one network (an IPv4 address or an IPv6 /64).
    pub places_per_second: f64,
    pub places_burst: u32,
    /// Sign-ins with a passkey that one network begins.
    pub passkeys_per_second: f64,
    pub passkeys_burst: u32,
    /// New anonymous accounts of one network.
    pub anonymous_burst: u32,
    pub anonymous_per_hour: u32,
    /// Forecasts that nobody has fetched yet, of one account.
    pub cold_cells_burst: u32,
    pub cold_cells_per_hour: u32,
    /// The same, of one network.
    pub cold_cells_network_per_hour: u32,
    /// Mails caused for one address, and by one network, in an hour.
    pub mail_per_address: u32,
    pub mail_per_network: u32,
    /// Live streams of one account; one more replaces its oldest.
    pub streams_per_account: usize,
    /// Live streams of this process.
    pub streams: usize,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Streams {
    /// Seconds between two signs of life on a stream where nothing happens.
    pub heartbeat_s: u64,
    /// Seconds after which the stream of a client that takes nothing is closed.
    pub stalled_s: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Quota {
    /// Favourites of one account.
    pub favourites: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Password {
    /// Fewest characters of a new password; 15 unless a second factor is required, never below 8.
    pub minimum: usize,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Passkeys {
    /// Origins beside `public_url` where passkeys of this server may be made and shown: Android apps, as
    /// `android:apk-key-hash:` and the base64url of the SHA-256 of their signing certificate.
    pub apps: Vec<String>,
}

/// How `serve` sends mail; `dev` shows it in its mailbox.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Mail {
    /// `smtps://USER:PASSWORD@HOST` (TLS at once, port 465) or `smtp://USER:PASSWORD@HOST` (STARTTLS, port 587, which is
    /// required unless the host is this machine). Never written to logs.
    pub url: Option<String>,
    /// Who mail comes from: `Fairweather <weather@example.org>`.
    pub from: Option<String>,
    /// File with the certificates (PEM) of an authority of your own.
    pub authority: Option<PathBuf>,
    /// Seconds that one conversation with the SMTP server may take, at most 120.
    pub timeout_s: u64,
}

impl std::fmt::Debug for Mail {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Mail").field("is_configured", &self.url.is_some()).finish_non_exhaustive()
    }
}

impl Default for Mail {
    fn default() -> Self {
        Self { url: None, from: None, authority: None, timeout_s: 30 }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Audit {
    /// Days that the log of what happened to accounts is kept.
    pub kept_days: u64,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Webhooks {
    /// Hosts that webhooks may lead to although they are not public, and without TLS: `["hooks.internal"]`. All others
    /// must be public and speak TLS.
    pub allowed_hosts: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Weather {
    /// Memory for warm forecasts, in MiB; about 130 cells each.
    pub cache_mib: u64,
    pub open_meteo: OpenMeteo,
    pub sandbox: Sandbox,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OpenMeteo {
    /// The free host, `https://customer-api.open-meteo.com`, or your own container.
    pub base_url: String,
    /// Of a customer; never written to logs.
    pub key: Option<String>,
    /// Calls a month that your plan allows.
    pub monthly_calls: Option<u64>,
    /// The free host is for non-commercial use only: say `true` if that is what this is.
    pub non_commercial: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Sandbox {
    /// `dev` only: made-up weather instead of a provider's, without asking one.
    pub always: bool,
    /// `fair`, `storm`, `heat`, `outage`, `slow` or `429`.
    pub scenario: String,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StoreConfig {
    /// Reader threads (SQLite).
    pub readers: usize,
    /// Connections (PostgreSQL).
    pub connections: usize,
    /// Whether a pooler that lends a connection for one transaction, such as PgBouncer, stands before PostgreSQL.
    pub pooler: bool,
    /// Milliseconds that a request waits for a free connection before it is refused with 503 (PostgreSQL).
    pub wait_ms: u64,
    /// Milliseconds that a statement may take before the server cancels it (PostgreSQL).
    pub statement_timeout_ms: u64,
}

impl StoreConfig {
    /// How the store is to use PostgreSQL.
    pub fn postgres(&self) -> store::PostgresOptions {
        let statement = Duration::from_millis(self.statement_timeout_ms.max(100));
        let wait = Duration::from_millis(self.wait_ms.max(100));
        store::PostgresOptions {
            connections: self.connections,
            pooler: self.pooler,
            patience: store::Patience { wait, statement, lock: statement / 5 },
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            data: PathBuf::from(".fairweather"),
            database: None,
            database_direct: None,
            redis: None,
            security_contact: None,
            public_url: None,
            trusted_proxies: Vec::new(),
            drain_s: None,
            cors_origins: Vec::new(),
            log: Log::default(),
            limits: Limits::default(),
            streams: Streams::default(),
            quota: Quota::default(),
            password: Password::default(),
            passkeys: Passkeys::default(),
            providers: SignInProviders::new(),
            mail: Mail::default(),
            weather: Weather::default(),
            store: StoreConfig::default(),
            audit: Audit::default(),
            webhooks: Webhooks::default(),
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { level: String::from("info"), format: String::from("auto") }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            account_per_second: 50.0,
            account_burst: 1000,
            mutations_per_second: 20.0,
            mutations_burst: 500,
            places_per_second: 20.0,
            places_burst: 60,
            passkeys_per_second: 1.0,
            passkeys_burst: 60,
            anonymous_burst: 60,
            anonymous_per_hour: 30,
            cold_cells_burst: 250,
            cold_cells_per_hour: 60,
            cold_cells_network_per_hour: 500,
            mail_per_address: 3,
            mail_per_network: 30,
            streams_per_account: 10,
            streams: 15_000,
        }
    }
}

impl Default for Streams {
    fn default() -> Self {
        Self { heartbeat_s: 20, stalled_s: 10 }
    }
}

impl Default for Quota {
    fn default() -> Self {
        Self { favourites: 200 }
    }
}

impl Default for Password {
    fn default() -> Self {
        Self { minimum: 15 }
    }
}

impl Default for Audit {
    fn default() -> Self {
        Self { kept_days: 365 }
    }
}

impl Default for Weather {
    fn default() -> Self {
        Self { cache_mib: 128, open_meteo: OpenMeteo::default(), sandbox: Sandbox::default() }
    }
}

impl Default for OpenMeteo {
    fn default() -> Self {
        Self {
            base_url: String::from("https://api.open-meteo.com"),
            key: None,
            monthly_calls: None,
            non_commercial: false,
        }
    }
}

impl Default for Sandbox {
    fn default() -> Self {
        Self { always: false, scenario: String::from("fair") }
    }
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self { readers: 2, connections: 16, pooler: false, wait_ms: 5_000, statement_timeout_ms: 10_000 }
    }
}

/// What the flags said; `None` leaves it to the environment and the file.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Flags {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database_direct: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redis: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drain_s: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trusted_proxies: Option<Vec<String>>,
}

/// Names that hosting platforms set, and what they mean here.
fn platform() -> Figment {
    let mut figment = Figment::new();
    if let Ok(url) = std::env::var("DATABASE_URL") {
        figment = figment.merge(Serialized::default("database", url));
    }
    if let Ok(url) = std::env::var("REDIS_URL") {
        figment = figment.merge(Serialized::default("redis", url));
    }
    if let Ok(port) = std::env::var("PORT") {
        // Platforms that set PORT expect the server on every address of its container.
        figment = figment.merge(Serialized::default("listen", format!("0.0.0.0:{port}")));
    }
    figment
}

impl Config {
    /// Reads file, environment (`FAIRWEATHER_LISTEN`, `FAIRWEATHER_WEATHER__CACHE_MIB`) and flags.
    ///
    /// # Errors
    /// When a file is named that cannot be read, or a key is unknown or does not fit; the text names it.
    pub fn load(file: Option<&Path>, flags: &Flags) -> Result<Self> {
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        if let Some(file) = file {
            if !file.is_file() {
                return Err(Error::internal(format!("the configuration {} cannot be read", file.display())));
            }
            figment = figment.merge(Toml::file_exact(file));
        }
        // These share the prefix and are no settings: the file's name, the ring itself, where a move goes, what
        // tests are given.
        let others = ["config", "key_ring", "move_to", "test_all", "test_postgres", "test_redis", "fixtures"];
        let environment = Env::prefixed("FAIRWEATHER_").ignore(&others).split("__");
        let figment = figment.merge(platform()).merge(environment).merge(Serialized::defaults(flags));
        figment.extract().map_err(|error| {
            let text: Vec<String> = error.into_iter().map(|error| error.to_string()).collect();
            Error::internal(format!("the configuration does not fit: {}", text.join("; ")))
        })
    }

    /// The database, by default a file in the data folder.
    pub fn store_url(&self) -> Result<store::Url> {
        match &self.database {
            Some(url) => url.parse(),
            None => Ok(store::Url::Sqlite(self.data.join("fairweather.db"))),
        }
    }

    /// How this node and others on the same database hear of one another.
    ///
    /// # Errors
    /// When nodes are said to share something, but have no database in common, and when `database_direct` cannot be
    /// what it is for.
    pub fn carrier(&self) -> Result<bus::Carrier> {
        let direct = self.direct()?;
        match (self.store_url()?, &self.redis) {
            (store::Url::Sqlite(_), Some(_)) => Err(Error::internal(
                "redis is set (--redis, FAIRWEATHER_REDIS or REDIS_URL), but the database is a SQLite file, which \
                 belongs to one process: leave redis out, or give the nodes one PostgreSQL with --database postgres://…",
            )),
            (store::Url::Sqlite(_), None) if direct.is_some() => Err(Error::internal(
                "database_direct is set, but the database is a SQLite file: leave it out, or give --database postgres://…",
            )),
            (store::Url::Sqlite(_), None) => Ok(bus::Carrier::None),
            (store::Url::Postgres(_), Some(url)) => Ok(bus::Carrier::Redis { url: url.clone() }),
            (store::Url::Postgres(pooled), None) => Ok(match direct {
                Some(url) => bus::Carrier::Postgres { url, pooled: Some(pooled) },
                None => bus::Carrier::Postgres { url: pooled, pooled: None },
            }),
        }
    }

    /// Where PostgreSQL itself is, if that was said.
    fn direct(&self) -> Result<Option<String>> {
        let Some(text) = &self.database_direct else { return Ok(None) };
        match text.parse() {
            Ok(store::Url::Postgres(url)) => match store::Target::parse(&url) {
                Ok(_) => Ok(Some(url)),
                Err(error) => Err(Error::internal(format!("database_direct: {error}"))),
            },
            _ => Err(Error::internal(
                "database_direct must be postgres://… of the server itself, where `database` leads to a pooler",
            )),
        }
    }

    /// What takes mail, if anything was said of it.
    ///
    /// # Errors
    /// When a setting does not fit; the text names it and holds no password.
    pub fn smtp(&self) -> Result<Option<Smtp>> {
        let Mail { url, from, authority, timeout_s } = &self.mail;
        let Some(url) = url else { return Ok(None) };
        let from = from.as_deref().ok_or_else(|| {
            Error::internal(
                "mail.from is not set: say who mail comes from, e.g. Fairweather <weather@example.org>",
            )
        })?;
        let authority = authority.as_ref().map(|path| {
            std::fs::read(path)
                .map_err(|error| Error::internal(format!("mail.authority {}: {error}", path.display())))
        });
        let authority = authority.transpose()?;
        let public = self.public_url.as_deref().and_then(origin).and_then(|url| url.split_once("://"));
        let hello = public.map_or("localhost", |(_, host)| host.split(':').next().unwrap_or(host));
        let settings = SmtpSettings {
            url,
            from,
            authority: authority.as_deref(),
            hello,
            patience: Duration::from_secs((*timeout_s).clamp(1, 120)),
        };
        Smtp::new(&settings).map(Some)
    }

    /// How long `serve` goes on after it was told to stop. One process has no balancer in front that looks.
    pub fn drain(&self) -> Result<Duration> {
        let usual = if self.store_url()?.file().is_some() { 0 } else { 5 };
        Ok(Duration::from_secs(self.drain_s.unwrap_or(usual)))
    }

    /// What makes a public server unsafe, each with the line to change. Empty when it may start.
    pub fn unsafe_settings(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let loopback = self.listen.ip().is_loopback();
        match self.public_url.as_deref() {
            None => wrong.push(String::from(
                "public_url is not set: say where people reach this server, e.g. --public-url https://weather.example.org",
            )),
            Some(url) if url.starts_with("https://") && origin(url).is_some() => {}
            Some(url) if loopback && is_loopback_url(url) => {}
            Some(_) => wrong.push(String::from(
                "public_url must begin with https:// and name a host, without a path: passwords and places travel there",
            )),
        }
        if !loopback && self.trusted_proxies.is_empty() {
            wrong.push(format!(
                "listen is {}, where everybody can listen in: put a TLS proxy in front and name it \
                 (--trusted-proxies 10.0.0.5), or listen on 127.0.0.1",
                self.listen
            ));
        }
        if self.security_contact.as_ref().is_some_and(|contact| !is_contact(contact)) {
            wrong.push(String::from(
                "security_contact must begin with mailto:, tel: or https://, on one line",
            ));
        }
        if self.trusted_proxies.iter().any(|network| network.trim_end().ends_with("/0")) {
            wrong.push(String::from(
                "trusted_proxies names everybody (/0), so anybody could say where they come from: name your proxies",
            ));
        }
        let direct = self.database_direct.as_ref().and_then(|url| url.parse::<store::Url>().ok());
        for (name, url) in [("database", self.store_url().ok()), ("database_direct", direct)] {
            let Some(host) = url.and_then(|url| url.plain_host()) else { continue };
            wrong.push(format!(
                "{name} is on another machine ({host}) and nothing says that the connection is encrypted: add \
                 ?sslmode=verify-full to its URL (with &sslrootcert=FILE for an authority of your own), or \
                 ?sslmode=disable if nobody can listen in between"
            ));
        }
        if let Some(host) = self.redis.as_deref().and_then(bus::plain_host) {
            wrong.push(format!(
                "redis is on another machine ({host}) and the connection is not encrypted: let its URL begin with \
                 rediss://, or add ?sslmode=disable to it if nobody can listen in between"
            ));
        }
        let is_tried = self.public_url.as_deref().is_some_and(is_loopback_url);
        let plain = self.providers.iter().filter(|(_, provider)| !is_tried && provider.is_plain());
        wrong.extend(plain.map(|(name, _)| {
            format!("providers.{name} is reached without encryption: its issuer must begin with https://")
        }));
        let weather = &self.weather;
        if weather.sandbox.always {
            wrong.push(String::from(
                "weather.sandbox.always is true: made-up weather is for `fairweather dev` only",
            ));
        }
        let free = weather.open_meteo.base_url.to_ascii_lowercase().contains("//api.open-meteo.com");
        if free && !weather.open_meteo.non_commercial {
            wrong.push(String::from(
                "weather.open_meteo.base_url is the free host, which is for non-commercial use only (apps with \
                 subscriptions or advertisements are commercial): set weather.open_meteo.non_commercial = true, or \
                 a customer's base_url and key, or the base_url of your own Open-Meteo container",
            ));
        }
        if let Err(error) = self.smtp() {
            wrong.push(error.to_string());
        }
        if self.password.minimum < 8 {
            wrong.push(String::from("password.minimum is below 8"));
        }
        wrong
    }
}

/// Plain HTTP to a name of this machine: a server that is being tried.
fn is_loopback_url(url: &str) -> bool {
    let Some(host) = origin(url).and_then(|url| url.strip_prefix("http://")) else { return false };
    ["localhost", "127.0.0.1", "[::1]"]
        .iter()
        .any(|name| host.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(':')))
}

/// Scheme, host and port of a URL without a path.
pub fn origin(url: &str) -> Option<&str> {
    let url = url.trim_end_matches('/');
    let (scheme, host) = url.split_once("://")?;
    let sound = matches!(scheme, "http" | "https")
        && !host.is_empty()
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:[]".contains(&b));
    sound.then_some(url)
}

/// The schema of the file, as it is committed.
pub fn schema_json() -> String {
    let schema = schemars::schema_for!(Config);
    serde_json::to_string_pretty(&schema).map(|text| text + "\n").unwrap_or_default()
}

fn is_contact(text: &str) -> bool {
    ["mailto:", "tel:", "https://"].iter().any(|scheme| text.len() > scheme.len() && text.starts_with(scheme))
        && !text.chars().any(|letter| letter.is_control() || letter.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_server_is_refused_line_by_line() {
        let mut config = Config { listen: SocketAddr::from(([0, 0, 0, 0], 80)), ..Config::default() };
        let wrong = config.unsafe_settings();
        assert_eq!(wrong.len(), 3, "{wrong:?}");
        assert!(wrong[0].contains("public_url") && wrong[1].contains("trusted-proxies"));
        config.public_url = Some(String::from("https://weather.example.org"));
        config.trusted_proxies = vec![String::from("10.0.0.1")];
        config.weather.open_meteo.non_commercial = true;
        assert_eq!(config.unsafe_settings(), Vec::<String>::new());
        config.public_url = Some(String::from("http://weather.example.org"));
        assert!(config.unsafe_settings()[0].contains("https://"));
        config.listen = SocketAddr::from(([127, 0, 0, 1], 80));
        assert!(config.unsafe_settings()[0].contains("https://"), "plain HTTP is for this machine only");
        config.public_url = Some(String::from("http://localhost:8080"));
        config.trusted_proxies = vec![String::from("0.0.0.0/0")];
        assert!(config.unsafe_settings()[0].contains("/0"));
        config.trusted_proxies.clear();
        config.database = Some(String::from("postgres://ann:secret@db.example.org/fairweather"));
        let wrong = config.unsafe_settings();
        assert!(wrong[0].contains("sslmode=verify-full") && wrong[0].contains("db.example.org"), "{wrong:?}");
        assert!(!wrong[0].contains("secret"), "{wrong:?}");
        config.database = Some(String::from("postgres://ann@db.example.org/fairweather?sslmode=disable"));
        assert_eq!(config.unsafe_settings(), Vec::<String>::new());
        for (contact, is_sound) in
            [("mailto:sec@example.org", true), ("sec@example.org", false), ("mailto:a\nb", false)]
        {
            config.security_contact = Some(String::from(contact));
            assert_eq!(config.unsafe_settings().is_empty(), is_sound, "{contact}");
        }
        config.security_contact = None;
        config.redis = Some(String::from("redis://:secret@10.0.0.7:6379"));
        let wrong = config.unsafe_settings();
        assert!(wrong[0].contains("rediss://") && wrong[0].contains("10.0.0.7"), "{wrong:?}");
        assert!(!wrong[0].contains("secret"), "{wrong:?}");
        for sound in ["rediss://:secret@10.0.0.7:6379", "redis://valkey:6379?sslmode=disable"] {
            config.redis = Some(String::from(sound));
            assert_eq!(config.unsafe_settings(), Vec::<String>::new());
        }
    }

    #[test]
    fn nodes_need_a_database_in_common() {
        let mut config = Config { redis: Some(String::from("redis://127.0.0.1")), ..Config::default() };
        assert!(config.carrier().err().unwrap().to_string().contains("--redis"));
        config.database = Some(String::from("postgres://pooler/fairweather"));
        assert!(matches!(config.carrier(), Ok(bus::Carrier::Redis { url }) if url == "redis://127.0.0.1"));
        config.redis = None;
        let carrier = config.carrier();
        assert!(
            matches!(carrier, Ok(bus::Carrier::Postgres { url, pooled: None }) if url.contains("pooler"))
        );
        config.database_direct = Some(String::from("postgres://database/fairweather"));
        let Ok(bus::Carrier::Postgres { url, pooled: Some(pooled) }) = config.carrier() else { panic!() };
        assert!(url.contains("//database") && pooled.contains("//pooler"));
        config.database = None;
        assert!(config.carrier().err().unwrap().to_string().contains("database_direct"));
    }

    #[test]
    fn the_server_itself_is_a_postgresql() {
        let mut config =
            Config { database: Some(String::from("postgres://pooler/fairweather")), ..Config::default() };
        for wrong in ["sqlite:foo", "nonsense", "", "postgres://u:secret@db/f?sslmode=always"] {
            config.database_direct = Some(String::from(wrong));
            for redis in [None, Some(String::from("redis://127.0.0.1"))] {
                config.redis = redis;
                let text = config.carrier().err().expect(wrong).to_string();
                assert!(text.contains("database_direct") && !text.contains("secret"), "{text}");
            }
        }
    }

    #[test]
    fn origins_have_no_path() {
        assert_eq!(origin("https://a.example/"), Some("https://a.example"));
        assert_eq!(origin("http://[::1]:80"), Some("http://[::1]:80"));
        for bad in ["", "https://", "ftp://a", "https://a/b", "a.example"] {
            assert_eq!(origin(bad), None, "{bad}");
        }
    }
}
