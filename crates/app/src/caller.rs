//! Who is asking.

use std::net::IpAddr;

use domain::account::{Role, Roles};
use domain::api_key::{Scope, Scopes};
use domain::refresh::Generation;
use domain::{AccountId, Error, Result, SessionId, Timestamp};
use uuid::Uuid;

use crate::mail::Language;

/// The holder of a credential that was checked. There is no other way to get one than by
/// [`crate::App::authenticate`], so code that has a `Caller` need not ask again.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    pub(crate) account: AccountId,
    pub(crate) session: SessionId,
    pub(crate) credential: Credential,
    pub(crate) roles: Roles,
    pub(crate) auth_time: Timestamp,
    /// When the access token ends, or the session of the cookie.
    pub(crate) ends_at: Timestamp,
    /// When the session's cookie now ends, if this request moved that.
    pub(crate) renewed_until: Option<Timestamp>,
    /// Where the request comes from, if somebody has looked.
    pub(crate) network: Option<Network>,
}

/// What the caller showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential {
    /// An access token of this generation.
    Bearer(Generation),
    /// A session cookie.
    Cookie,
}

impl Caller {
    pub const fn account(&self) -> AccountId {
        self.account
    }

    pub const fn session(&self) -> SessionId {
        self.session
    }

    pub const fn roles(&self) -> Roles {
        self.roles
    }

    /// The same with where the request comes from, to be written down with what it does.
    #[must_use]
    pub const fn seen_at(self, network: Option<Network>) -> Self {
        Self { network, ..self }
    }

    /// For those without the role there is nothing here.
    pub(crate) fn require_role(&self, role: Role) -> Result<()> {
        if self.roles.has(role) { Ok(()) } else { Err(Error::NotFound) }
    }

    /// When the caller last proved who they are.
    pub const fn auth_time(&self) -> Timestamp {
        self.auth_time
    }

    /// When the session's cookie now ends, if this request moved that: the browser must be told.
    pub const fn renewed_until(&self) -> Option<Timestamp> {
        self.renewed_until
    }

    pub const fn has_cookie(&self) -> bool {
        matches!(self.credential, Credential::Cookie)
    }
}

/// A service that shows an API key which was checked. It stands for nobody, so it reaches nobody's data.
#[derive(Clone, Copy, Debug)]
pub struct Service {
    pub(crate) key: Uuid,
    pub(crate) scopes: Scopes,
    pub(crate) per_minute: u32,
    /// Where the request comes from, if somebody has looked.
    pub(crate) network: Option<Network>,
}

impl Service {
    /// The same with where the request comes from, to be written down with what it does.
    #[must_use]
    pub const fn seen_at(self, network: Option<Network>) -> Self {
        Self { network, ..self }
    }

    /// Requests that the key may make in a minute.
    pub const fn per_minute(&self) -> u32 {
        self.per_minute
    }
}

/// Whoever may ask where people and services may.
#[derive(Clone, Copy, Debug)]
pub enum Principal {
    Caller(Caller),
    Service(Service),
}

impl Principal {
    /// Whether there is anything to manage for whoever asks: for operators, and for services, whose scopes are looked
    /// at when it is known what they want.
    pub fn may_manage(&self) -> bool {
        match self {
            Self::Caller(caller) => caller.roles.has(Role::Operator),
            Self::Service(_) => true,
        }
    }

    /// People may; a service needs the scope.
    pub(crate) fn require_scope(&self, scope: Scope) -> Result<()> {
        match self {
            Self::Caller(_) => Ok(()),
            Self::Service(service) => service.scopes.require(scope),
        }
    }

    /// What is counted against whom.
    pub(crate) const fn budget(&self) -> AccountId {
        match self {
            Self::Caller(caller) => caller.account,
            // No account has the id of a key.
            Self::Service(service) => AccountId::from_uuid(service.key),
        }
    }
}

impl From<Caller> for Principal {
    fn from(caller: Caller) -> Self {
        Self::Caller(caller)
    }
}

/// Where a request comes from, as far as limits are concerned: an IPv4 address, or the first 64 bits of an
/// IPv6 one, since a household holds all addresses behind them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network(IpAddr);

impl Network {
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => Self(IpAddr::V4(v4)),
            IpAddr::V6(v6) => {
                let [a, b, c, d, ..] = v6.segments();
                Self(IpAddr::V6([a, b, c, d, 0, 0, 0, 0].into()))
            }
        }
    }

    pub fn is_loopback(self) -> bool {
        self.0.is_loopback() || self.0 == IpAddr::V6([0; 8].into())
    }

    pub(crate) fn bytes(self) -> Vec<u8> {
        match self.0 {
            IpAddr::V4(v4) => v4.octets().to_vec(),
            IpAddr::V6(v6) => v6.octets().to_vec(),
        }
    }
}

/// What a client tells of itself beside its credential.
#[derive(Clone, Debug)]
pub struct Client {
    pub network: Network,
    pub user_agent: String,
    /// Our own web page, which gets a cookie and no tokens.
    pub web: bool,
    /// What it likes to read, as far as mail is written in it.
    pub language: Option<Language>,
    /// What it was given when somebody signed in on it before.
    pub device_token: Option<String>,
}

pub(crate) fn account_is_gone() -> Error {
    Error::unauthenticated("session_ended", "this session has ended; sign in again")
}

/// A page of something, or a clear word about the limit asked for.
pub(crate) fn page_limit(asked: Option<u32>, usual: u32, most: u32) -> Result<u32> {
    match asked {
        None => Ok(usual.min(most)),
        Some(limit) if (1..=most).contains(&limit) => Ok(limit),
        Some(_) => {
            Err(domain::Invalid::new("?limit", "out_of_range", format!("must be between 1 and {most}"))
                .into())
        }
    }
}
