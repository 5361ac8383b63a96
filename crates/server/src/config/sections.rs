//! The sections of the configuration, each with its defaults.

use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug`, or directives of tracing-subscriber's filter.
    pub level: String,
    /// `text`, `json`, or `auto`: text on a terminal.
    pub format: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: String::from("info"), format: String::from("auto") }
    }
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
    /// Secrets that one network shows without a session: codes, answers to challenges, refresh tokens that are none.
    pub secrets_per_second: f64,
    pub secrets_burst: u32,
    /// Mails of one kind for one address in an hour: that one network may cause, and all networks together.
    pub mail_per_address: u32,
    pub mail_per_address_in_all: u32,
    /// Mails that one network may cause in an hour.
    pub mail_per_network: u32,
    /// Connections of one network at once; those of `trusted_proxies` are not counted.
    pub connections_per_network: usize,
    /// Live streams of one account; one more replaces its oldest.
    pub streams_per_account: usize,
    /// Live streams of this process.
    pub streams: usize,
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
            secrets_per_second: 2.0,
            secrets_burst: 300,
            mail_per_address: 3,
            mail_per_address_in_all: 12,
            mail_per_network: 30,
            connections_per_network: 1000,
            streams_per_account: 10,
            streams: 15_000,
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Streams {
    /// Seconds between two signs of life on a stream where nothing happens.
    pub heartbeat_s: u64,
    /// Seconds after which the stream of a client that takes nothing is closed.
    pub stalled_s: u64,
}

impl Default for Streams {
    fn default() -> Self {
        Self { heartbeat_s: 20, stalled_s: 10 }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Quota {
    /// Favourites of one account.
    pub favourites: u32,
}

impl Default for Quota {
    fn default() -> Self {
        Self { favourites: 200 }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Password {
    /// Fewest characters of a new password; 15 unless a second factor is required, never below 8.
    pub minimum: usize,
}

impl Default for Password {
    fn default() -> Self {
        Self { minimum: 15 }
    }
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

impl Default for Audit {
    fn default() -> Self {
        Self { kept_days: 365 }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Webhooks {
    /// Hosts that webhooks may lead to although they are not public, and without TLS: `["hooks.internal"]`. All others
    /// must be public and speak TLS.
    pub allowed_hosts: Vec<String>,
    /// Deliveries that may wait for one webhook before ends of sessions are told it no more.
    pub waiting: u32,
}

impl Default for Webhooks {
    fn default() -> Self {
        Self { allowed_hosts: Vec::new(), waiting: 10_000 }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Weather {
    /// Memory for warm forecasts, in MiB; about 130 cells each.
    pub cache_mib: u64,
    pub open_meteo: OpenMeteo,
    pub sandbox: Sandbox,
}

impl Default for Weather {
    fn default() -> Self {
        Self { cache_mib: 128, open_meteo: OpenMeteo::default(), sandbox: Sandbox::default() }
    }
}

#[derive(Clone, Serialize, Deserialize, JsonSchema)]
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

impl std::fmt::Debug for OpenMeteo {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("OpenMeteo").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Sandbox {
    /// `dev` only: made-up weather instead of a provider's, without asking one.
    pub always: bool,
    /// `fair`, `storm`, `heat`, `outage`, `slow` or `429`.
    pub scenario: String,
}

impl Default for Sandbox {
    fn default() -> Self {
        Self { always: false, scenario: String::from("fair") }
    }
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

impl Default for StoreConfig {
    fn default() -> Self {
        Self { readers: 2, connections: 16, pooler: false, wait_ms: 5_000, statement_timeout_ms: 10_000 }
    }
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
