//! Step-up: a fresh proof of identity in the same session, which sensitive changes ask for.

use domain::account::Roles;
use domain::password::Password;
use domain::session::{Proof, Proofs, SessionKind, is_fresh};
use domain::{AccountId, Error, Result, SessionId, Timestamp};
use store::{accounts, sessions};
use vault::totp::TotpCode;

use crate::App;
use crate::audit::{Actor, By, Entry, Event};
use crate::caller::{Caller, Client, Network, account_is_gone};
use crate::factors::{Factors, not_six_digits};
use crate::passkeys::ShownPasskey;
use crate::session_record::SessionRecord;
use crate::sessions::Standing;
use crate::sign_in::{Begun, SignedIn, Tokens};

/// What somebody shows to prove again who they are.
pub enum Shown {
    Password(String),
    /// Of an authenticator app.
    Code(String),
    Passkey(ShownPasskey),
}

impl App {
    /// Asks for a proof from the last five minutes.
    ///
    /// Accounts without any way in are exempt: their session is the only proof there is.
    pub async fn require_step_up(&self, caller: &Caller) -> Result<()> {
        let now = self.now();
        if is_fresh(caller.auth_time, now) {
            return Ok(());
        }
        let Standing { stored, session, factors } = self.standing(caller).await?;
        // A cookie that was looked up is believed for a while, on each node: the database knows of a step-up that
        // happened elsewhere since. A token says itself what it was drawn with.
        if caller.has_cookie() && is_fresh(session.auth_time, now) {
            return Ok(());
        }
        if stored.is_anonymous() {
            Ok(())
        } else {
            let through_provider = self.has_provider_to_step_up(caller.account).await?;
            Err(Error::StepUp { accepts: proofs_of(&stored, &factors, through_provider) })
        }
    }

    /// Asks for a second factor from the last five minutes, where one has been there for long enough to tell who has
    /// the account; for any fresh proof elsewhere. What changes factors, or the address that stands behind them, asks
    /// so: whoever has a session and its password does not have the factor.
    pub(crate) async fn require_factor_step_up(&self, caller: &Caller) -> Result<()> {
        let now = self.now();
        let Standing { session, factors, .. } = self.standing(caller).await?;
        if !factors.are_settled(now) {
            return self.require_step_up(caller).await;
        }
        let auth_time = if caller.has_cookie() { session.auth_time } else { caller.auth_time };
        if is_fresh(auth_time, now) && session.factor_time.is_some_and(|at| is_fresh(at, now)) {
            return Ok(());
        }
        Err(Error::StepUp { accepts: factors.alone() })
    }

    /// Takes a fresh proof of the caller. Tokens name the time of the last proof, so whoever keeps tokens gets new
    /// ones of the same session; a cookie stays as it is, and there is nothing to hand out.
    pub async fn step_up(&self, caller: &Caller, client: &Client, shown: Shown) -> Result<Option<Tokens>> {
        let now = self.now();
        let proof = self.show(caller, client, shown, now).await?;
        let by = self.by(Actor::Owner, Some(client.network));
        self.proved((caller.account, caller.session), proof, by, now).await
    }

    /// Notes that a proof which the account has was shown wrong in a session of it.
    pub(crate) fn note_failed_step_up(&self, account: AccountId, network: Option<Network>) {
        let by = self.by(Actor::Unknown, network);
        self.count_in_audit(&Entry::of(account, Event::StepUpFailed, self.now()).actor(by));
    }

    async fn show(&self, caller: &Caller, client: &Client, shown: Shown, now: Timestamp) -> Result<Proof> {
        match shown {
            Shown::Password(password) => {
                self.show_password(caller, client, &password).await?;
                Ok(Proof::Password)
            }
            Shown::Code(code) => {
                self.show_code(caller, &code, now).await?;
                Ok(Proof::Totp)
            }
            Shown::Passkey(shown) => {
                self.show_passkey(caller, &shown, now).await?;
                Ok(Proof::Passkey)
            }
        }
    }

    async fn show_password(&self, caller: &Caller, client: &Client, password: &str) -> Result<()> {
        let password = Password::presented(password)?;
        let account = caller.account;
        let stored = self.store.read(async move |db| accounts::get(db, account).await).await?;
        let stored = stored.ok_or_else(account_is_gone)?;
        // Without an address there is no password.
        let Some((email, _)) = self.address(&stored)? else { return Err(wrong()) };
        let from = (caller.session, client);
        if self.is_password(&stored, from, &email, password).await? { Ok(()) } else { Err(wrong()) }
    }

    async fn show_code(&self, caller: &Caller, code: &str, now: Timestamp) -> Result<()> {
        let account = caller.account;
        let code = TotpCode::parse(code).ok_or_else(not_six_digits)?;
        let key = self.data_keys.get(account).await?;
        let app = self.clone();
        // A wrong code must count although the caller gets an error, so the outcome travels in an `Ok`.
        let (is_right, factors) = self
            .store
            .write(async move |tx| {
                accounts::lock(tx, account).await?.ok_or_else(account_is_gone)?;
                Ok((app.take_code(tx, account, &key, &code, now).await?, Factors::of(tx, account).await?))
            })
            .await?;
        if is_right {
            return Ok(());
        }
        if factors.totp.is_some() {
            self.note_failed_step_up(account, caller.network);
        }
        Err(wrong())
    }

    /// Notes in a session that its holder has just proved who they are. They need not be here with it: a browser that
    /// comes back from a provider brings no session cookie.
    pub(crate) async fn proved(
        &self,
        (account, session): (AccountId, SessionId),
        proof: Proof,
        by: By,
        now: Timestamp,
    ) -> Result<Option<Tokens>> {
        let app = self.clone();
        let renewed = self
            .store
            .write(async move |tx| {
                let Some(stored) = accounts::lock(tx, account).await? else { return Ok(None) };
                let Some(state) = sessions::lock(tx, account, session).await? else { return Ok(None) };
                let mut record = SessionRecord::decode(&state)?;
                record.proved(proof, now);
                let ends_at = record.refresh.lifetime.ends_at();
                sessions::update(tx, (account, session), &record.encode()?, now, ends_at).await?;
                let entry = Entry::of(account, Event::SteppedUp, now).actor(by).item(session.uuid());
                app.audit(tx, &entry.word(proof.word())).await?;
                let roles = Roles::parse(&stored.roles);
                Ok(Some(Begun { account, session, roles, record, cookie: None, displaced: Vec::new() }))
            })
            .await?;
        let renewed = renewed.ok_or_else(account_is_gone)?;
        if renewed.record.kind == SessionKind::Cookie {
            self.forget_cookies_of(session);
            return Ok(None);
        }
        match self.signed_in(renewed, now)? {
            SignedIn::Tokens(tokens) => Ok(Some(tokens)),
            _ => Err(Error::internal("a step-up led to something else than tokens")),
        }
    }
}

/// What the account can prove itself with.
fn proofs_of(stored: &accounts::Stored, factors: &Factors, through_provider: bool) -> Proofs {
    let ways = [(Proof::Password, stored.password.is_some()), (Proof::Federated, through_provider)];
    let there = ways.into_iter().filter(|(_, is_there)| *is_there);
    there.fold(factors.alone(), |proofs, (proof, _)| proofs.with(proof))
}

fn wrong() -> Error {
    Error::unauthenticated("wrong_credentials", "this does not prove that it is you")
}
