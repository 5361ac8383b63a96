//! What an operator may set, as the use cases need it.

use std::time::Duration;

use vault::secret::SecretDigest;

use crate::limits::Rate;

/// Settings of one installation.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where people reach it; links in mail point there and nowhere else.
    pub public_url: String,
    /// `iss` of access tokens.
    pub issuer: String,
    /// `aud` of access tokens.
    pub audience: String,
    /// Favourites of one account.
    pub quota_favourites: u32,
    /// Fewest code points of a new password.
    pub password_minimum: usize,
    pub limits: Limits,
    pub streams: StreamSettings,
    /// Deliveries that may wait for one webhook before what people cause at will is told it no more.
    pub webhooks_waiting: u32,
    /// How long the audit log is kept.
    pub audit_kept: Duration,
    /// Peers on this machine are exempt from limits per network (a development server).
    pub trust_loopback: bool,
    /// Origins beside the public address where passkeys may be shown: Android apps, `android:apk-key-hash:…`.
    pub passkey_apps: Vec<String>,
    /// Whether mail can be sent (or shown in the mailbox).
    pub has_mail: bool,
    /// Hash of the secret that opens the development mailbox; `None` where there is none.
    pub mailbox_token: Option<SecretDigest>,
}

/// Live streams.
#[derive(Clone, Debug)]
pub struct StreamSettings {
    /// Of this process.
    pub most: usize,
    /// Of one account; one more replaces its oldest.
    pub per_account: usize,
    /// A stream on which nothing happens says so this often, for proxies and for clients that watch over it.
    pub heartbeat: Duration,
    /// A client that takes nothing for so long has its stream closed.
    pub stalled: Duration,
}

/// Limits on traffic and on costly calls.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Requests of one account.
    pub account: Rate,
    /// Changes of one account; each mutation of a batch counts.
    pub mutations: Rate,
    /// Searches of one network.
    pub places: Rate,
    /// New anonymous accounts of one network.
    pub anonymous: Rate,
    /// Sign-ins with a passkey that one network begins.
    pub passkeys: Rate,
    /// Secrets that one network shows without a session: codes, answers to challenges, refresh tokens that are none.
    pub secrets: Rate,
    /// Forecasts that nobody has fetched yet, of one account.
    pub cold_cells_account: Rate,
    /// The same, of one network.
    pub cold_cells_network: Rate,
    /// Mails of one kind for one address that one network may cause in an hour.
    pub mail_per_address: u32,
    /// The same, that all networks together may cause.
    pub mail_per_address_in_all: u32,
    /// Mails that one network may cause in an hour.
    pub mail_per_network: u32,
}

impl Default for Limits {
    fn default() -> Self {
        let hourly = |burst, per_hour: u32| Rate { per_second: f64::from(per_hour) / 3600.0, burst };
        Self {
            account: Rate { per_second: 50.0, burst: 1000 },
            mutations: Rate { per_second: 20.0, burst: 500 },
            places: Rate { per_second: 20.0, burst: 60 },
            anonymous: hourly(60, 30),
            passkeys: Rate { per_second: 1.0, burst: 60 },
            secrets: Rate { per_second: 2.0, burst: 300 },
            cold_cells_account: hourly(250, 60),
            cold_cells_network: hourly(500, 500),
            mail_per_address: 3,
            mail_per_address_in_all: 12,
            mail_per_network: 30,
        }
    }
}
