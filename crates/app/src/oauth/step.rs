//! A step of a way through a provider: kept in the database under the hash of a secret, sealed, taken once.

use domain::{AccountId, Error, Result, SessionId, Timestamp};
use serde::{Deserialize, Serialize};
use store::oauth;
use uuid::Uuid;
use vault::{Context, Secret};

use crate::App;
use crate::data_keys::context;
use crate::identities::SealedIdentity;

/// What a way is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// To get into an account: the identity's own, a new one, or the anonymous one that it begins from.
    Login,
    /// To have the identity lead to the account that it begins from.
    Link,
    /// To show again who holds the session that it begins from.
    StepUp,
}

impl Purpose {
    /// The word used in the API.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "login" => Some(Self::Login),
            "link" => Some(Self::Link),
            "step_up" => Some(Self::StepUp),
            _ => None,
        }
    }
}

/// The session in which a way began.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Origin {
    account: Uuid,
    session: Uuid,
    /// Whether it is one of our own page.
    pub web: bool,
}

impl Origin {
    pub fn new(account: AccountId, session: SessionId, web: bool) -> Self {
        Self { account: account.uuid(), session: session.uuid(), web }
    }

    pub const fn account(self) -> AccountId {
        AccountId::from_uuid(self.account)
    }

    pub const fn session(self) -> SessionId {
        SessionId::from_uuid(self.session)
    }
}

/// What is the same in every step of one way.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Way {
    pub provider: String,
    pub purpose: Purpose,
    pub origin: Option<Origin>,
    pub began: Timestamp,
}

/// Where the browser goes when it is back.
#[derive(Serialize, Deserialize)]
pub(super) enum Target {
    Web {
        /// The hash of what the browser's cookie holds.
        browser: [u8; 32],
        return_to: String,
    },
    App {
        redirect_uri: String,
        /// S256 of a verifier that only the app knows.
        challenge: String,
    },
}

/// Who arrived, as the provider said it.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Vouched {
    pub identity: SealedIdentity,
    pub auth_time: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
pub(super) enum Stage {
    /// The browser is at the provider.
    Away { target: Target, verifier: String, nonce: String },
    /// An app was handed a code and is to exchange it.
    Handed { challenge: String, vouched: Vouched },
    /// An app is to bring an ID token with this nonce.
    Native,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Step {
    pub way: Way,
    pub stage: Stage,
}

impl App {
    /// Puts a step down, to be found by the secret for so long.
    pub(super) async fn put_step(
        &self,
        secret: &Secret,
        step: &Step,
        lifetime: std::time::Duration,
    ) -> Result<()> {
        let hash = *secret.digest().as_bytes();
        let owner = owner(&hash);
        let (key, data_key) = self.data_keys.create(owner, &self.random)?;
        let plain = serde_json::to_vec(step).map_err(Error::internal)?;
        let sealed = key.seal(&place(owner), &plain, &self.random)?;
        let (stored, until) = (oauth::Stored { data_key, sealed }, self.now().plus(lifetime));
        self.store.write(async move |tx| oauth::put(tx, &hash, &stored, until).await).await?;
        Ok(())
    }

    /// Takes a step of this provider. Of all that try it at once, on any node, one gets it; a step of another
    /// provider is used up too, since somebody mixes them up on purpose.
    pub(super) async fn take_step(&self, secret: &str, provider: &str) -> Result<Option<Step>> {
        // What is no secret at all costs no write.
        let Some(secret) = Secret::parse(secret) else { return Ok(None) };
        let hash = *secret.digest().as_bytes();
        let now = self.now();
        let taken = self.store.write(async move |tx| oauth::take(tx, &hash, now).await).await?;
        let Some(oauth::Stored { data_key, sealed }) = taken else { return Ok(None) };
        let owner = owner(&hash);
        let plain = self.data_keys.open(owner, &data_key)?.open(&place(owner), &sealed)?;
        let step: Step = serde_json::from_slice(&plain).map_err(Error::internal)?;
        Ok(Some(step).filter(|step| step.way.provider == provider))
    }
}

/// The seal of a step is bound to its secret's hash, as an account's is to its id.
fn owner(hash: &[u8; 32]) -> AccountId {
    AccountId::from_uuid(Uuid::from_bytes(hash.first_chunk().copied().unwrap_or_default()))
}

const fn place(owner: AccountId) -> Context {
    context("oauth_step", owner, owner.uuid(), "sealed")
}
