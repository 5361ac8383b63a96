//! What a way through a provider leads to, once it is certain who came.

use std::time::Duration;

use domain::account::Roles;
use domain::session::{Ending, Proof, Proofs};
use domain::webhook::WebhookEvent;
use domain::{AccountId, Error, IdentityId, Result, SessionId, Timestamp};
use store::{Tx, accounts, identities, sessions};
use vault::DataKey;
use vault::index::Tag;

use super::Provider;
use super::step::{Origin, Purpose, Vouched, Way};
use crate::App;
use crate::audit::{Actor, Entry, Event};
use crate::caller::{Client, Network, account_is_gone};
use crate::identities::{SealedIdentity, place};
use crate::mail::{self, Method, Notice};
use crate::preferences::Preferences;
use crate::sign_in::{Beginning, SignedIn, Tokens};

/// What the way led to.
pub enum Arrived {
    SignedIn(SignedIn),
    Linked,
    /// An app's session has new tokens, which say when its last proof was.
    SteppedUp(Option<Tokens>),
}

/// The code of what is refused because an identity leads to one account alone.
const TAKEN: &str = "identity_taken";
/// Identities of one account.
const MOST: i64 = 20;
/// How far the provider's clock may be behind ours when it says that somebody was just there.
const SKEW: Duration = Duration::from_secs(60);

impl App {
    pub(super) async fn arrive(
        &self,
        provider: &Provider,
        way: &Way,
        vouched: Vouched,
        client: &Client,
    ) -> Result<Arrived> {
        let tag = self.index.identity(&vouched.identity.issuer, &vouched.identity.subject);
        match (way.purpose, way.origin) {
            (Purpose::Login, origin) => {
                self.sign_in_by(tag, vouched.identity, origin, client).await.map(Arrived::SignedIn)
            }
            (Purpose::Link, Some(origin)) => {
                let from = (origin, client.network);
                let label = &provider.settings.label;
                self.link(tag, vouched.identity, from, label).await.map(|()| Arrived::Linked)
            }
            (Purpose::StepUp, Some(origin)) => {
                // `prompt=login` passes through the browser, where anybody may take it out: the provider's word counts.
                let is_fresh = vouched.auth_time.is_some_and(|at| at.plus(SKEW) >= way.began);
                if !is_fresh {
                    self.note_failed_step_up(origin.account(), Some(client.network));
                    let detail = "the provider does not say that you have just signed in there";
                    return Err(Error::forbidden("not_reauthenticated", detail));
                }
                self.step_up_by(tag, origin, client.network).await.map(Arrived::SteppedUp)
            }
            (Purpose::Link | Purpose::StepUp, None) => Err(account_is_gone()),
        }
    }

    /// Signs in to the identity's account; makes one when it has none, or makes the anonymous account that the way
    /// began in its own. Whose e-mail the provider names is of no account here.
    async fn sign_in_by(
        &self,
        tag: Tag,
        identity: SealedIdentity,
        origin: Option<Origin>,
        client: &Client,
    ) -> Result<SignedIn> {
        let known = self.store.read(async move |db| identities::find(db, &tag).await).await?;
        if known.is_none() {
            self.limit_new_account(client)?;
        }
        match self.try_sign_in_by(tag, identity.clone(), origin, client).await {
            // Somebody came with the same identity at the same moment and was first: now it leads to their account.
            Err(Error::Conflict { code: TAKEN, .. }) => {
                self.try_sign_in_by(tag, identity, origin, client).await
            }
            other => other,
        }
    }

    async fn try_sign_in_by(
        &self,
        tag: Tag,
        identity: SealedIdentity,
        origin: Option<Origin>,
        client: &Client,
    ) -> Result<SignedIn> {
        let now = self.now();
        let (holder, language) = (self.origin(client), client.language);
        let app = self.clone();
        let (passed, ended) = self
            .store
            .write(async move |tx| {
                let from = anonymous_origin(tx, origin).await?;
                let found = find_and_lock(tx, &tag).await?;
                let (account, roles, ended) = match found {
                    Some((stored, id)) => {
                        let key = app.data_keys.open(stored.id, &stored.data_key)?;
                        let sealed = app.seal_identity(&key, stored.id, id, &identity)?;
                        identities::used(tx, (stored.id, id), &sealed, now).await?;
                        accounts::touch(tx, stored.id, now).await?;
                        (stored.id, Roles::parse(&stored.roles), Vec::new())
                    }
                    None => {
                        let mut preferences = Preferences::default();
                        let (account, key) = match &from {
                            Some(stored) => {
                                let key = app.data_keys.open(stored.id, &stored.data_key)?;
                                preferences = Preferences::of(stored, &key)?;
                                (stored.id, key)
                            }
                            None => {
                                let account = AccountId::new(now, &app.random);
                                let (key, wrapped) = app.data_keys.create(account, &app.random)?;
                                accounts::insert(tx, account, &wrapped, &Roles::USER.to_string(), now)
                                    .await?;
                                app.tell_webhooks(tx, WebhookEvent::AccountCreated, account, now).await?;
                                (account, key)
                            }
                        };
                        app.add_identity(tx, &tag, (account, &key), &identity, now).await?;
                        app.keep_language(tx, (account, &key), preferences, language).await?;
                        let by = Actor::Owner.at(Some(holder.network));
                        let entry = Entry::of(account, Event::Registered, now).actor(by);
                        app.audit(tx, &entry.word(identity.provider.clone())).await?;
                        app.tell_webhooks(tx, WebhookEvent::AccountRegistered, account, now).await?;
                        accounts::touch(tx, account, now).await?;
                        // Whoever holds a session of the anonymous account may be somebody else than who came now.
                        let why = (Ending::CredentialsChanged, by);
                        (account, Roles::USER, app.end_sessions_in(tx, account, None, why, now).await?)
                    }
                };
                let adoptable = from.filter(|_| origin.is_some_and(|origin| origin.web)).map(|from| from.id);
                let beginning = Beginning {
                    account,
                    anonymous: false,
                    roles,
                    proofs: Proofs::NONE.with(Proof::Federated),
                    origin: holder.clone(),
                    adoptable,
                };
                Ok((app.pass_first_factor(tx, &beginning, now).await?, ended))
            })
            .await?;
        self.revoke(ended, now);
        self.passed(passed, now)
    }

    /// Has the identity lead to the account of a session that still lives. The session was stepped up when it began
    /// this, at most ten minutes ago.
    async fn link(
        &self,
        tag: Tag,
        identity: SealedIdentity,
        (origin, network): (Origin, Network),
        label: &str,
    ) -> Result<()> {
        let (now, by) = (self.now(), self.by(Actor::Owner, Some(network)));
        let account = origin.account();
        let notice = Notice::MethodAdded(Method::Provider(label.to_owned()));
        let app = self.clone();
        self.store
            .write(async move |tx| {
                let stored = accounts::lock(tx, account).await?.ok_or_else(account_is_gone)?;
                require_session(tx, account, origin.session()).await?;
                match identities::find(tx, &tag).await? {
                    Some((known, _)) if known == account => return Ok(()),
                    Some(_) => return Err(taken().into()),
                    None => {}
                }
                if stored.identities >= MOST {
                    let detail = "this account has as many ways in as an account may have";
                    return Err(Error::conflict("too_many_identities", detail).into());
                }
                let key = app.data_keys.open(account, &stored.data_key)?;
                app.add_identity(tx, &tag, (account, &key), &identity, now).await?;
                let entry = Entry::of(account, Event::IdentityLinked, now).actor(by);
                app.audit(tx, &entry.word(identity.provider.clone())).await?;
                mail::queue(tx, &app.notice_to(&stored, &notice)?).await
            })
            .await?;
        Ok(())
    }

    async fn step_up_by(&self, tag: Tag, origin: Origin, network: Network) -> Result<Option<Tokens>> {
        let (now, account) = (self.now(), origin.account());
        let found = self.store.read(async move |db| identities::find(db, &tag).await).await?;
        if found.map(|(account, _)| account) != Some(account) {
            self.note_failed_step_up(account, Some(network));
            let detail = "this is not the identity that leads to your account";
            return Err(Error::forbidden("other_identity", detail));
        }
        let by = self.by(Actor::Owner, Some(network));
        self.proved((account, origin.session()), Proof::Federated, by, now).await
    }

    async fn add_identity(
        &self,
        tx: &mut Tx,
        tag: &Tag,
        (account, key): (AccountId, &DataKey),
        identity: &SealedIdentity,
        now: Timestamp,
    ) -> store::Result<()> {
        let id = IdentityId::new(now, &self.random);
        let sealed = self.seal_identity(key, account, id, identity)?;
        if !identities::claim(tx, tag, account, id).await? {
            return Err(taken().into());
        }
        identities::insert(tx, account, id, &sealed, now).await?;
        accounts::count_identities(tx, account, 1).await
    }

    fn seal_identity(
        &self,
        key: &DataKey,
        account: AccountId,
        id: IdentityId,
        identity: &SealedIdentity,
    ) -> Result<Vec<u8>> {
        let plain = serde_json::to_vec(identity).map_err(Error::internal)?;
        key.seal(&place(account, id), &plain, &self.random)
    }
}

/// The account that an identity leads to, locked, with the identity's id.
pub(super) async fn find_and_lock(
    tx: &mut Tx,
    tag: &Tag,
) -> store::Result<Option<(accounts::Stored, IdentityId)>> {
    let Some((account, id)) = identities::find(tx, tag).await? else { return Ok(None) };
    let Some(stored) = accounts::lock(tx, account).await? else { return Ok(None) };
    // It may have been let go between the look and the lock.
    let still = identities::find(tx, tag).await? == Some((account, id));
    Ok(still.then_some((stored, id)))
}

/// The anonymous account that a way began in, locked, while the session that began it lives.
async fn anonymous_origin(tx: &mut Tx, origin: Option<Origin>) -> store::Result<Option<accounts::Stored>> {
    let Some(origin) = origin else { return Ok(None) };
    let stored = accounts::lock(tx, origin.account()).await?;
    let Some(stored) = stored.filter(accounts::Stored::is_anonymous) else { return Ok(None) };
    let lives = sessions::get(tx, stored.id, origin.session()).await?.is_some();
    Ok(lives.then_some(stored))
}

async fn require_session(tx: &mut Tx, account: AccountId, session: SessionId) -> store::Result<()> {
    match sessions::get(tx, account, session).await? {
        Some(_) => Ok(()),
        None => Err(account_is_gone().into()),
    }
}

fn taken() -> Error {
    Error::conflict(TAKEN, "this identity leads to another account already")
}
