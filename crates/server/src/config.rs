//! Configuration: one schema for the file, the environment and the flags.
//!
//! A flag goes before the environment, the environment before the file, the file before the default.

mod derived;
mod safety;
mod sections;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use domain::{Error, Result};
use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::safety::origin;
pub use self::sections::{
    Audit, Limits, Log, Mail, OpenMeteo, Passkeys, Password, Quota, Sandbox, StoreConfig, Streams, Weather,
    Webhooks,
};
use crate::sign_in_providers::SignInProviders;

/// Everything an operator may set.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
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

/// Addresses of databases and of mail hold passwords, and providers have secrets.
impl std::fmt::Debug for Config {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Config")
            .field("listen", &self.listen)
            .field("data", &self.data)
            .finish_non_exhaustive()
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
}

/// The schema of the file, as it is committed.
pub fn schema_json() -> String {
    let schema = schemars::schema_for!(Config);
    serde_json::to_string_pretty(&schema).map(|text| text + "\n").unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sign_in_providers::SignInProvider;

    #[test]
    fn debug_tells_no_secret() {
        let hidden = || Some(String::from("hidden"));
        let mut config = Config { database: hidden(), redis: hidden(), ..Config::default() };
        config.weather.open_meteo.key = hidden();
        config.mail.url = hidden();
        let provider = SignInProvider { client_secret: hidden(), ..SignInProvider::default() };
        let told = format!("{config:?} {:?} {:?} {provider:?}", config.weather, config.mail);
        assert!(!told.contains("hidden"), "{told}");
    }
}
