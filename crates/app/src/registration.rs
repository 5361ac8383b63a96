//! Signing up with e-mail and password: a pending registration first, an account only after the mailed code.

use std::time::Duration;

use domain::account::Roles;
use domain::email::Email;
use domain::session::{Ending, Proof, Proofs};
use domain::webhook::WebhookEvent;
use domain::{AccountId, Error, Invalid, Result};
use serde::{Deserialize, Serialize};
use store::{accounts, registrations};
use uuid::Uuid;
use vault::Secret;
use vault::secret::{RegistrationCode, SecretDigest};

use crate::App;
use crate::audit::{Actor, Entry, Event};
use crate::caller::{Caller, Client};
use crate::data_keys::context;
use crate::mail::{self, Addressee, Language, Template};
use crate::preferences::Preferences;
use crate::sign_in::{Beginning, SignedIn};
use crate::throttles::MailFor;

/// How long the code works.
pub const EXPIRES_IN: Duration = Duration::from_secs(30 * 60);
const MOST_TRIES: i64 = 5;

/// What the registering client keeps: with the mailed code it completes the registration.
pub struct Registration {
    pub secret: String,
    pub expires_in: Duration,
}

#[derive(Serialize, Deserialize)]
struct Pending {
    email: String,
    phc: String,
    code: [u8; 32],
    upgrade: Option<Uuid>,
    /// What the browser likes to read: kept with the account, for later mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    language: Option<String>,
}

impl App {
    /// Begins a registration. Answers alike, and as fast, for an address that has an account: only the mail
    /// differs. From an anonymous session it upgrades that account.
    pub async fn register(
        &self,
        caller: Option<&Caller>,
        client: &Client,
        email: &str,
        password: &str,
    ) -> Result<Registration> {
        self.require_mail().await?;
        let (email, password) = both(Email::parse(email), self.accept_password(password, email))?;
        let now = self.now();
        let email_tag = self.index.email(&email);
        let upgrade = match caller {
            Some(caller) => self.anonymous_account_of(caller).await?,
            None => None,
        };
        self.count_mail(MailFor::SignUp, &email, client, now).await?;
        let phc = self.hashing.hash(password).await?;
        let secret = Secret::generate(&self.random);
        let code = RegistrationCode::generate(&self.random);
        let pending = Pending {
            email: email.as_str().to_owned(),
            phc: phc.to_phc().to_string(),
            code: *code.digest(&secret).as_bytes(),
            upgrade: upgrade.map(AccountId::uuid),
            language: client.language.map(|language| language.tag().to_owned()),
        };
        let hash = *secret.digest().as_bytes();
        let owner = owner(&hash);
        let (key, data_key) = self.data_keys.create(owner, &self.random)?;
        let plain = serde_json::to_vec(&pending).map_err(Error::internal)?;
        let sealed =
            key.seal(&context("registration", owner, owner.uuid(), "sealed"), &plain, &self.random)?;
        let language = client.language.unwrap_or_default();
        let to_new =
            self.prepare_mail(email.as_str(), language, &Template::Confirmation { code: &code.to_text() })?;
        let Addressee { account: holder, to, language } = self.addressee(&email, client.language).await?;
        let to_known = self.prepare_mail(&to, language, &Template::AlreadyRegistered)?;
        self.store
            .write(async move |tx| {
                let known = accounts::find_by_email(tx, &email_tag).await? == Some(holder);
                registrations::put(tx, &hash, &data_key, &sealed, now.plus(EXPIRES_IN)).await?;
                mail::queue(tx, [if known { &to_known } else { &to_new }]).await
            })
            .await?;
        Ok(Registration { secret: secret.to_text().to_string(), expires_in: EXPIRES_IN })
    }

    /// Completes a registration with the mailed code: the account exists from here on, or the anonymous one
    /// it began from is no longer anonymous. All its earlier sessions end.
    pub async fn confirm_registration(
        &self,
        caller: Option<&Caller>,
        client: &Client,
        secret: &str,
        code: &str,
    ) -> Result<SignedIn> {
        let secret = Secret::parse(secret).ok_or_else(refused)?;
        let code = RegistrationCode::parse(code).ok_or_else(refused)?;
        self.limit_secrets(client)?;
        let now = self.now();
        let hash = *secret.digest().as_bytes();
        let digest = code.digest(&secret);
        let behind = self.anonymous_account(caller).await?;
        let origin = self.origin(client);
        let app = self.clone();
        // A wrong code must count although the caller gets an error, so the outcome travels in an `Ok`.
        let outcome = self
            .store
            .write(async move |tx| {
                let Some(tried) = registrations::try_once(tx, &hash, now).await? else { return Ok(None) };
                let pending = app.open_pending(&hash, &tried)?;
                if tried.tries > MOST_TRIES || !SecretDigest::from_bytes(pending.code).matches(&digest) {
                    if tried.tries >= MOST_TRIES {
                        registrations::delete(tx, &hash).await?;
                    }
                    return Ok(None);
                }
                registrations::delete(tx, &hash).await?;
                let email = Email::parse(&pending.email)?;
                let upgraded = match pending.upgrade {
                    Some(id) => {
                        let stored = accounts::lock(tx, AccountId::from_uuid(id)).await?;
                        stored.filter(accounts::Stored::is_anonymous)
                    }
                    None => None,
                };
                let mut preferences = Preferences::default();
                let (account, key) = match upgraded {
                    Some(stored) => {
                        let key = app.data_keys.open(stored.id, &stored.data_key)?;
                        preferences = Preferences::of(&stored, &key)?;
                        (stored.id, key)
                    }
                    None => {
                        let account = AccountId::new(now, &app.random);
                        let (key, wrapped) = app.data_keys.create(account, &app.random)?;
                        accounts::insert(tx, account, &wrapped, &Roles::USER.to_string(), now).await?;
                        app.tell_webhooks(tx, WebhookEvent::AccountCreated, account, now).await?;
                        (account, key)
                    }
                };
                if !accounts::claim_email(tx, &app.index.email(&email), account).await? {
                    // Somebody else completed with this address first: as if the code were wrong.
                    return Err(refused().into());
                }
                let seal = |column, text: &str| {
                    key.seal(&context("account", account, Uuid::nil(), column), text.as_bytes(), &app.random)
                };
                let (sealed_email, phc) = (seal("email", email.as_str())?, seal("password", &pending.phc)?);
                if !accounts::set_login(tx, account, &sealed_email, &phc).await? {
                    // The anonymous account was removed meanwhile.
                    return Err(refused().into());
                }
                let language = pending.language.as_deref().and_then(Language::parse);
                app.keep_language(tx, (account, &key), preferences, language).await?;
                let by = Actor::Owner.at(Some(origin.network));
                let why = (Ending::CredentialsChanged, by);
                let ended = app.end_sessions_in(tx, account, None, why, now).await?;
                let beginning = Beginning {
                    account,
                    anonymous: false,
                    roles: Roles::USER,
                    proofs: Proofs::NONE.with(Proof::Password),
                    origin: origin.clone(),
                    adoptable: behind,
                };
                let entry = Entry::of(account, Event::Registered, now).actor(by);
                app.audit(tx, &entry.word("password")).await?;
                app.tell_webhooks(tx, WebhookEvent::AccountRegistered, account, now).await?;
                Ok(Some((app.begin_session(tx, &beginning, now).await?, ended, email)))
            })
            .await?;
        let (begun, ended, email) = outcome.ok_or_else(refused)?;
        self.revoke(ended, now);
        Ok(self.remember_device(self.signed_in(begun, now)?, &email, client, now))
    }

    fn open_pending(&self, hash: &[u8; 32], tried: &registrations::Tried) -> Result<Pending> {
        let owner = owner(hash);
        let key = self.data_keys.open(owner, &tried.data_key)?;
        let plain = key.open(&context("registration", owner, owner.uuid(), "sealed"), &tried.sealed)?;
        serde_json::from_slice(&plain).map_err(Error::internal)
    }

    async fn anonymous_account_of(&self, caller: &Caller) -> Result<Option<AccountId>> {
        let account = caller.account;
        let stored = self.store.read(async move |db| accounts::get(db, account).await).await?;
        match stored {
            Some(stored) if !stored.is_anonymous() => {
                Err(Error::conflict("already_registered", "this account has a way to sign in already"))
            }
            stored => Ok(stored.map(|stored| stored.id)),
        }
    }
}

/// The seal of a pending registration is bound to its secret's hash, as an account's is to its id.
fn owner(hash: &[u8; 32]) -> AccountId {
    AccountId::from_uuid(Uuid::from_bytes(hash.first_chunk().copied().unwrap_or_default()))
}

fn refused() -> Error {
    Invalid::new(
        "/code",
        "wrong_or_expired",
        "the code is wrong, used up or expired; sign up again for a new one",
    )
    .into()
}

/// Both values, or the errors of both.
pub(crate) fn both<A, B>(a: Result<A>, b: Result<B>) -> Result<(A, B)> {
    match (a, b) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (Err(Error::Invalid(mut one)), Err(Error::Invalid(two))) => {
            one.extend(two);
            Err(Error::Invalid(one))
        }
        (Err(error), _) | (_, Err(error)) => Err(error),
    }
}
