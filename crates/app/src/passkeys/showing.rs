//! Showing a passkey: to sign in with it alone, as a second factor, or to prove anew who holds a session.

use domain::account::Roles;
use domain::session::{Proof, Proofs};
use domain::{AccountId, Error, PasskeyId, Result, Timestamp};
use store::{Tx, accounts, passkeys};
use vault::Secret;
use vault::webauthn::{Assertion, Shown, Verification, challenge_of};
use zeroize::Zeroizing;

use super::{CredentialHint, Kept, hints};
use crate::App;
use crate::audit::{Actor, Entry, Event, NetworkTag};
use crate::caller::{Caller, Client, account_is_gone};
use crate::challenges::{NOBODY, Purpose, is_of};
use crate::sign_in::{Beginning, SignedIn, kind};

/// What a browser needs to show a passkey.
pub struct RequestOptions {
    pub challenge: Zeroizing<String>,
    pub timeout: std::time::Duration,
    pub relying_party: String,
    /// Which credentials will do; any, when there are none.
    pub allow: Vec<CredentialHint>,
    /// Whether a touch is not enough.
    pub verified: bool,
}

/// What the browser showed.
pub struct ShownPasskey {
    pub credential: Vec<u8>,
    pub client_data: Vec<u8>,
    pub authenticator_data: Vec<u8>,
    pub signature: Vec<u8>,
    pub user_handle: Option<Vec<u8>>,
}

/// What a ceremony is for.
pub enum StartFor<'a> {
    SignIn(&'a Client),
    StepUp(&'a Caller),
}

/// A passkey whose signature was right; its count is still to be looked at.
#[derive(Clone, Copy)]
pub(crate) struct Verified {
    pub account: AccountId,
    id: PasskeyId,
    shown: Shown,
}

impl App {
    /// Begins a ceremony.
    pub async fn start_showing(&self, purpose: StartFor<'_>) -> Result<RequestOptions> {
        let now = self.now();
        let (account, purpose, key) = match purpose {
            StartFor::SignIn(client) => {
                self.limit_ceremonies(client)?;
                (NOBODY, Purpose::SignIn { kind: kind(client).into() }, None)
            }
            StartFor::StepUp(caller) => {
                self.limit_mutations(caller.account, 1)?;
                let key = self.data_keys.get(caller.account).await?;
                (caller.account, Purpose::StepUp { session: caller.session.uuid() }, Some(key))
            }
        };
        let app = self.clone();
        let (challenge, allow) = self
            .store
            .write(async move |tx| {
                let allow = match &key {
                    Some(key) => hints(key, account, &passkeys::of_account(tx, account).await?)?,
                    None => Vec::new(),
                };
                Ok((app.draw_challenge(tx, account, &purpose, now).await?, allow))
            })
            .await?;
        Ok(RequestOptions {
            challenge: challenge.text,
            timeout: challenge.expires_in,
            relying_party: self.relying_party.id().to_owned(),
            allow,
            verified: true,
        })
    }

    /// Signs in with a passkey alone: it says itself whose it is.
    pub async fn sign_in_with_passkey(
        &self,
        caller: Option<&Caller>,
        client: &Client,
        shown: &ShownPasskey,
    ) -> Result<SignedIn> {
        let now = self.now();
        let secret = challenge(shown)?;
        match self.take_challenge(&secret, now).await? {
            Some((_, Purpose::SignIn { kind: drawn_for })) if drawn_for == kind(client).into() => {}
            _ => return Err(refused()),
        }
        let verified =
            self.verify_passkey(shown, &secret, Verification::Required).await?.ok_or_else(refused)?;
        let account = verified.account;
        // The standard asks for it where nobody has said before who they are.
        if shown.user_handle.as_deref() != Some(account.uuid().as_bytes()) {
            return Err(refused());
        }
        let adoptable = self.anonymous_account(caller).await?;
        let origin = self.origin(client);
        let app = self.clone();
        let begun = self
            .store
            .write(async move |tx| {
                let Some(stored) = accounts::lock(tx, account).await? else { return Ok(None) };
                if !app.note_passkey(tx, verified, Some(origin.network), now).await? {
                    return Ok(None);
                }
                accounts::touch(tx, account, now).await?;
                let beginning = Beginning {
                    account,
                    anonymous: false,
                    roles: Roles::parse(&stored.roles),
                    proofs: Proofs::NONE.with(Proof::Passkey),
                    origin: origin.clone(),
                    adoptable,
                };
                app.begin_session(tx, &beginning, now).await.map(Some)
            })
            .await?;
        self.signed_in(begun.ok_or_else(refused)?, now)
    }

    /// Looks at a passkey that a session shows to prove anew who holds it.
    pub(crate) async fn show_passkey(
        &self,
        caller: &Caller,
        shown: &ShownPasskey,
        now: Timestamp,
    ) -> Result<()> {
        let secret = challenge(shown)?;
        match self.take_challenge(&secret, now).await? {
            Some((account, Purpose::StepUp { session }))
                if account == caller.account && is_of(session, caller.session) => {}
            _ => return Err(refused()),
        }
        let verified = self.verify_passkey(shown, &secret, Verification::Required).await?;
        let (app, account) = (self.clone(), caller.account);
        let Some(verified) = verified.filter(|verified| verified.account == account) else {
            if self.list_factors(caller).await?.passkeys > 0 {
                self.note_failed_step_up(account, caller.network);
            }
            return Err(refused());
        };
        let network = caller.network.map(|network| self.network_tag(network));
        let counts = self
            .store
            .write(async move |tx| {
                accounts::lock(tx, account).await?.ok_or_else(account_is_gone)?;
                app.note_passkey(tx, verified, network, now).await
            })
            .await?;
        if counts { Ok(()) } else { Err(refused()) }
    }

    /// Checks the signature of a passkey that we know; `None` when it does not count.
    pub(crate) async fn verify_passkey(
        &self,
        shown: &ShownPasskey,
        secret: &Secret,
        verification: Verification,
    ) -> Result<Option<Verified>> {
        let tag = self.index.credential(&shown.credential);
        let found = self
            .store
            .read(async move |db| {
                let Some((account, id)) = passkeys::find(db, &tag).await? else { return Ok(None) };
                let stored = passkeys::get(db, account, id).await?;
                Ok(stored.zip(accounts::data_key(db, account).await?).map(|found| (account, found)))
            })
            .await?;
        let Some((account, (stored, data_key))) = found else { return Ok(None) };
        let kept = Kept::open(&self.data_keys.open(account, &data_key)?, account, &stored)?;
        let assertion = Assertion {
            client_data: shown.client_data.clone(),
            authenticator_data: shown.authenticator_data.clone(),
            signature: shown.signature.clone(),
        };
        match self.relying_party.verify(secret.as_bytes(), &kept.key()?, &assertion, verification) {
            Ok(shown) => Ok(Some(Verified { account, id: stored.id, shown })),
            Err(why) => {
                tracing::info!(?why, "a passkey was refused");
                Ok(None)
            }
        }
    }

    /// Notes the use of a locked account's passkey. `false` when it was removed meanwhile, or when its count has not
    /// risen: somebody has copied the key then, and neither copy gets in.
    pub(crate) async fn note_passkey(
        &self,
        tx: &mut Tx,
        verified: Verified,
        network: Option<NetworkTag>,
        now: Timestamp,
    ) -> store::Result<bool> {
        let Verified { account, id, shown } = verified;
        let counts = passkeys::note_use(tx, account, id, shown.counter, now).await?;
        if !counts && passkeys::get(tx, account, id).await?.is_some() {
            tracing::warn!(passkey = %id, "the count of a passkey has not risen: there may be a copy of it");
            let entry = Entry::of(account, Event::PasskeyCopied, now).actor(Actor::Unknown.at(network));
            self.audit(tx, &entry.item(id.uuid())).await?;
        }
        Ok(counts)
    }
}

/// The challenge that the browser says it answers.
fn challenge(shown: &ShownPasskey) -> Result<Secret> {
    challenge_of(&shown.client_data).and_then(|bytes| Secret::from_slice(&bytes)).ok_or_else(refused)
}

/// The same whatever was wrong: that it is known here would tell too much already.
fn refused() -> Error {
    Error::unauthenticated(
        "passkey_refused",
        "this passkey does not count here, or the challenge is old; begin again",
    )
}
