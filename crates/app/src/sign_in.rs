//! Beginning a session: what every way in ends with.

use std::time::Duration;

use domain::access::{ACCESS_LIFETIME, AccessClaims, AccessSubject};
use domain::account::Roles;
use domain::device::Device;
use domain::refresh::ClientTag;
use domain::session::{Proofs, SessionKind};
use domain::webhook::WebhookEvent;
use domain::{AccountId, Error, Result, SessionId, Timestamp};
use store::{Tx, accounts, sessions};
use vault::Secret;
use zeroize::Zeroizing;

use crate::App;
use crate::audit::{Entry, Event, NetworkTag};
use crate::caller::{Caller, Client};
use crate::data_keys::context;
pub use crate::device_tokens::DeviceToken;
use crate::second_factor::SecondStep;
use crate::session_record::{ADOPTABLE_FOR, Adoptable, SessionRecord};

/// What a signed-in client gets.
#[derive(Debug)]
pub enum SignedIn {
    /// For whoever keeps tokens.
    Tokens(Tokens),
    /// For our own web page: a cookie and no tokens.
    Cookie { value: Zeroizing<String>, ends_at: Timestamp, device: Option<DeviceToken> },
    /// Nothing yet: the account has a second factor.
    SecondStep(SecondStep),
}

impl SignedIn {
    /// The same, with what lets the device be known when it comes back.
    pub(crate) fn on_known_device(self, token: DeviceToken) -> Self {
        match self {
            Self::Tokens(tokens) => Self::Tokens(Tokens { device: Some(token), ..tokens }),
            Self::Cookie { value, ends_at, .. } => Self::Cookie { value, ends_at, device: Some(token) },
            Self::SecondStep(step) => Self::SecondStep(step),
        }
    }
}

/// An access token and the refresh token that gets the next.
pub struct Tokens {
    pub access_token: String,
    pub expires_in: Duration,
    pub refresh_token: String,
    pub session: SessionId,
    pub account: AccountId,
    /// After a password was typed: to be shown with the next.
    pub device: Option<DeviceToken>,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").field("session", &self.session).finish_non_exhaustive()
    }
}

/// A session that was written, before its client is told.
pub(crate) struct Begun {
    pub account: AccountId,
    pub session: SessionId,
    pub roles: Roles,
    pub record: SessionRecord,
    pub cookie: Option<Zeroizing<String>>,
    /// Sessions that ended to make room for it.
    pub displaced: Vec<SessionId>,
}

/// How a session is to begin.
pub(crate) struct Beginning {
    pub account: AccountId,
    pub anonymous: bool,
    pub roles: Roles,
    pub proofs: Proofs,
    pub origin: Origin,
    pub adoptable: Option<AccountId>,
}

/// What a session keeps of the client that began it.
#[derive(Clone)]
pub(crate) struct Origin {
    pub kind: SessionKind,
    pub tag: ClientTag,
    pub device: Device,
    pub network: NetworkTag,
}

impl App {
    /// Makes an anonymous account and signs the client in to it.
    pub async fn sign_up_anonymously(&self, client: &Client) -> Result<SignedIn> {
        self.limit_new_account(client)?;
        let now = self.now();
        let account = AccountId::new(now, &self.random);
        let wrapped = self.data_keys.create_for_account(account, &self.random)?;
        let beginning = Beginning {
            account,
            anonymous: true,
            roles: Roles::USER,
            proofs: Proofs::NONE,
            origin: self.origin(client),
            adoptable: None,
        };
        let app = self.clone();
        let begun = self
            .store
            .write(async move |tx| {
                accounts::insert(tx, account, &wrapped, &Roles::USER.to_string(), now).await?;
                app.tell_webhooks(tx, WebhookEvent::AccountCreated, account, now).await?;
                app.begin_session(tx, &beginning, now).await
            })
            .await?;
        self.signed_in(begun, now)
    }

    /// Writes a new session, with its cookie if it is one for the web page.
    pub(crate) async fn begin_session(
        &self,
        tx: &mut Tx,
        beginning: &Beginning,
        now: Timestamp,
    ) -> store::Result<Begun> {
        let Beginning { account, anonymous, roles, proofs, ref origin, adoptable } = *beginning;
        let Origin { kind, tag, ref device, network } = *origin;
        let displaced =
            if anonymous { Vec::new() } else { self.make_room_for_session(tx, account, now).await? };
        let session = SessionId::new(now, &self.random);
        let mut record = SessionRecord::begin(kind, anonymous, proofs, tag, &self.random, now);
        record.adoptable = adoptable
            .filter(|&other| other != account)
            .map(|account| Adoptable { account, until: now.plus(ADOPTABLE_FOR) });
        let state = record.encode()?;
        let expires_at = record.refresh.lifetime.ends_at();
        let key = self.data_keys.within(tx, account).await?;
        let place = context("session", account, session.uuid(), "device");
        let device = key.seal(&place, &serde_json::to_vec(device).map_err(Error::internal)?, &self.random)?;
        let new = sessions::New { account, session, state: &state, device: Some(&device), now, expires_at };
        sessions::insert(tx, new).await?;
        if !anonymous {
            let entry = Entry::of(account, Event::SignedIn, now).network(Some(network)).item(session.uuid());
            self.audit(tx, &entry.word(proofs.to_string())).await?;
        }
        let cookie = match kind {
            SessionKind::Bearer => None,
            SessionKind::Cookie => {
                let secret = Secret::generate(&self.random);
                sessions::put_cookie(tx, secret.digest().as_bytes(), account, session).await?;
                Some(secret.to_text())
            }
        };
        Ok(Begun { account, session, roles, record, cookie, displaced })
    }

    /// What the client of a session is handed: its cookie, or tokens of its current generation.
    pub(crate) fn signed_in(&self, begun: Begun, now: Timestamp) -> Result<SignedIn> {
        let Begun { account, session, roles, record, cookie, displaced } = begun;
        if !displaced.is_empty() {
            self.revoke(displaced, now);
        }
        if let Some(value) = cookie {
            return Ok(SignedIn::Cookie { value, ends_at: record.refresh.lifetime.ends_at(), device: None });
        }
        let generation = record.refresh.generation;
        let subject = AccessSubject {
            account,
            session,
            generation,
            roles: roles.within(record.proofs),
            auth_time: record.auth_time,
            proofs: record.proofs,
        };
        let settings = &self.settings;
        let claims = AccessClaims::issue(subject, &settings.issuer, &settings.audience, &self.random, now);
        Ok(SignedIn::Tokens(Tokens {
            access_token: vault::access::issue(&self.signing_keys.set(), &claims)?,
            expires_in: ACCESS_LIFETIME,
            refresh_token: self.refresh_key.mint(account, session, generation, &record.salt)?.to_string(),
            session,
            account,
            device: None,
        }))
    }

    /// What a session that this client begins keeps of it.
    pub(crate) fn origin(&self, client: &Client) -> Origin {
        Origin {
            kind: kind(client),
            tag: self.client_tag(client),
            device: Device::of(&client.user_agent),
            network: self.network_tag(client.network),
        }
    }

    /// Recognises a retry of the same client; nothing can be read back from it.
    pub(crate) fn client_tag(&self, client: &Client) -> ClientTag {
        let parts = [&*client.network.bytes(), client.user_agent.as_bytes()];
        ClientTag(self.index.request_digest(&parts).first_chunk().copied().unwrap_or_default())
    }

    /// The anonymous account that a signed-in browser leaves behind and may adopt.
    pub(crate) async fn anonymous_account(&self, caller: Option<&Caller>) -> Result<Option<AccountId>> {
        let Some(caller) = caller.filter(|caller| caller.has_cookie()) else { return Ok(None) };
        let account = caller.account;
        let stored = self.store.read(async move |db| accounts::get(db, account).await).await?;
        Ok(stored.filter(accounts::Stored::is_anonymous).map(|stored| stored.id))
    }
}

pub(crate) const fn kind(client: &Client) -> SessionKind {
    if client.web { SessionKind::Cookie } else { SessionKind::Bearer }
}
