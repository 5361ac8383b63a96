//! Adding a passkey. To an anonymous account it is the first way in, and ends its being anonymous.

use domain::account::Roles;
use domain::session::{Ending, Proof, Proofs};
use domain::webhook::WebhookEvent;
use domain::{Error, Invalid, PasskeyId, Result, text};
use store::{accounts, passkeys};
use vault::Secret;
use vault::webauthn::{NewCredential, challenge_of};
use zeroize::Zeroizing;

use super::{CredentialHint, Kept, MOST, Passkey, hints, known_transports, place};
use crate::App;
use crate::audit::{Actor, Entry, Event};
use crate::caller::{Caller, Client};
use crate::challenges::{Purpose, is_of};
use crate::factors::{Factors, change_proofs, keep_first, shown};
use crate::mail::Method;
use crate::preferences::Preferences;
use crate::sessions::lock_caller;
use crate::sign_in::{Beginning, SignedIn};

/// What a browser needs to make a passkey.
pub struct CreationOptions {
    pub challenge: Zeroizing<String>,
    pub timeout: std::time::Duration,
    pub relying_party: String,
    pub user_id: [u8; 16],
    pub user_name: String,
    /// Authenticators that hold one of these refuse to make another.
    pub exclude: Vec<CredentialHint>,
}

/// What the browser made.
pub struct NewPasskey {
    pub client_data: Vec<u8>,
    pub attestation: Vec<u8>,
    pub transports: Vec<String>,
}

/// A passkey that counts from now on.
pub struct Added {
    pub passkey: Passkey,
    /// For an account that has a first factor of another kind and had no codes.
    pub recovery_codes: Option<Vec<Zeroizing<String>>>,
    /// For an account that was anonymous: all its earlier sessions have ended.
    pub signed_in: Option<SignedIn>,
}

impl App {
    /// Begins to add a passkey.
    pub async fn start_passkey(&self, caller: &Caller) -> Result<CreationOptions> {
        self.require_factor_step_up(caller).await?;
        self.limit_mutations(caller.account, 1)?;
        let (account, session, now) = (caller.account, caller.session, self.now());
        let email = self.me(caller).await?.email;
        let key = self.data_keys.get(account).await?;
        let app = self.clone();
        let (challenge, exclude) = self
            .store
            .write(async move |tx| {
                let stored = passkeys::of_account(tx, account).await?;
                require_room(stored.len())?;
                let purpose = Purpose::AddPasskey { session: session.uuid() };
                let challenge = app.draw_challenge(tx, account, &purpose, now).await?;
                Ok((challenge, hints(&key, account, &stored)?))
            })
            .await?;
        Ok(CreationOptions {
            challenge: challenge.text,
            timeout: challenge.expires_in,
            relying_party: self.relying_party.id().to_owned(),
            user_id: *account.uuid().as_bytes(),
            user_name: email.unwrap_or_else(|| String::from("Fairweather")),
            exclude,
        })
    }

    /// Adds the passkey that the browser made.
    pub async fn finish_passkey(
        &self,
        caller: &Caller,
        client: &Client,
        name: &str,
        made: NewPasskey,
    ) -> Result<Added> {
        let name = text::name("/name", name)?;
        self.limit_mutations(caller.account, 1)?;
        let (account, session, now) = (caller.account, caller.session, self.now());
        let credential = self.read_new(caller, &made).await?;
        let key = self.data_keys.get(account).await?;
        let id = PasskeyId::new(now, &self.random);
        let kept = Kept {
            name,
            credential: credential.id.clone(),
            key: credential.key.as_cose().to_vec(),
            model: credential.model,
            transports: known_transports(&made.transports),
            backed_up: credential.is_backed_up,
        };
        let sealed = kept.seal(&key, &place(account, id), self)?;
        let stored = passkeys::Stored { id, sealed, created_at: now, used_at: now };
        let passkey = kept.shown(&stored);
        let tag = self.index.credential(&credential.id);
        let codes = self.draw_recovery_codes();
        let first = codes.clone();
        let (origin, language) = (self.origin(client), client.language);
        let by = Actor::Owner.at(Some(origin.network));
        let app = self.clone();
        let (are_new, begun, ended) = self
            .store
            .write(async move |tx| {
                let owner = lock_caller(tx, account, session).await?;
                let before = Factors::of(tx, account).await?;
                require_room(passkeys::of_account(tx, account).await?.len())?;
                if !passkeys::insert(tx, account, &tag, &stored, credential.counter).await? {
                    return Err(Error::conflict(
                        "passkey_in_use",
                        "this passkey leads to an account already",
                    )
                    .into());
                }
                accounts::count_identities(tx, account, 1).await?;
                if !owner.is_anonymous() {
                    let are_new = keep_first(tx, account, &first).await?;
                    change_proofs(tx, account, session, |proofs| proofs.with(Proof::Passkey), now).await?;
                    let entry = Entry::of(account, Event::FactorAdded, now).actor(by);
                    app.audit(tx, &entry.word(Proof::Passkey.word()).item(stored.id.uuid())).await?;
                    let added = (Method::Passkey, by);
                    let ended = app.factor_added(tx, &owner, (session, &before), added, now).await?;
                    return Ok((are_new, None, ended));
                }
                let preferences = Preferences::of(&owner, &key)?;
                app.keep_language(tx, (account, &key), preferences, language).await?;
                // A session that anybody could have begun must not reach the account that now has a way in.
                let why = (Ending::CredentialsChanged, by);
                let ended = app.end_sessions_in(tx, account, None, why, now).await?;
                let entry = Entry::of(account, Event::Registered, now).actor(by);
                app.audit(tx, &entry.word(Proof::Passkey.word())).await?;
                app.tell_webhooks(tx, WebhookEvent::AccountRegistered, account, now).await?;
                let beginning = Beginning {
                    account,
                    anonymous: false,
                    roles: Roles::parse(&owner.roles),
                    proofs: Proofs::NONE.with(Proof::Passkey),
                    origin: origin.clone(),
                    adoptable: None,
                };
                Ok((false, Some(app.begin_session(tx, &beginning, now).await?), ended))
            })
            .await?;
        self.forget_cookies_of(session);
        self.revoke(ended, now);
        Ok(Added {
            passkey,
            recovery_codes: are_new.then(|| shown(&codes)),
            signed_in: begun.map(|begun| self.signed_in(begun, now)).transpose()?,
        })
    }

    /// Checks what the browser made, for a challenge of this very session, which is used up by it.
    async fn read_new(&self, caller: &Caller, made: &NewPasskey) -> Result<NewCredential> {
        let secret = challenge_of(&made.client_data).and_then(|bytes| Secret::from_slice(&bytes));
        let secret = secret.ok_or_else(refused)?;
        let taken = self.take_challenge(&secret, self.now()).await?;
        match taken {
            Some((account, Purpose::AddPasskey { session }))
                if account == caller.account && is_of(session, caller.session) => {}
            _ => return Err(refused()),
        }
        self.relying_party.read_new(secret.as_bytes(), &made.client_data, &made.attestation).map_err(|why| {
            tracing::info!(?why, "a new passkey was refused");
            refused()
        })
    }
}

fn require_room(there: usize) -> Result<()> {
    if there < MOST {
        return Ok(());
    }
    Err(Error::conflict(
        "too_many_passkeys",
        format!("an account has at most {MOST} passkeys; remove one first"),
    ))
}

fn refused() -> Error {
    let detail =
        "this passkey does not fit: the challenge is old, or it was made for another site; begin again";
    Invalid::new("/credential", "refused", detail).into()
}
