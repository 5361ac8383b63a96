//! Second factors: what an account can show beside its password or its provider.

mod recovery_codes;
mod totp;

use std::time::Duration;

use domain::account::{Role, Roles};
use domain::session::{Ending, Proof, Proofs};
use domain::{AccountId, Error, Result, SessionId, Timestamp};
use store::{Db, Tx, accounts, passkeys, password_resets, sessions};
use vault::Secret;

pub use recovery_codes::{RECOVERY_CODES, ShownCodes};
pub(crate) use recovery_codes::{keep_first, shown};
pub use totp::PendingTotp;
pub(crate) use totp::not_six_digits;

use crate::App;
use crate::audit::{By, Entry, Event};
use crate::caller::Caller;
use crate::identities::ways_in;
use crate::mail::{self, Method, Notice};
use crate::session_record::SessionRecord;

/// The second factors of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Factors {
    /// Since when codes of an authenticator app count.
    pub totp: Option<Timestamp>,
    pub passkeys: usize,
    /// Those that are left.
    pub recovery_codes: usize,
    /// Since when there is one at all.
    pub since: Option<Timestamp>,
}

/// A younger factor says nothing of who had the account before: whoever knew the password may have added it.
const SETTLED_AFTER: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// How long a factor can be taken away by the link in the mail that told of it.
const UNDO_FOR: Duration = SETTLED_AFTER;

impl Factors {
    pub(crate) async fn of(db: &mut Db, account: AccountId) -> store::Result<Self> {
        let totp = store::totp::get(db, account).await?;
        let totp = totp.filter(|totp| totp.sealed.is_some()).map(|totp| totp.confirmed_at);
        let passkeys = passkeys::of_account(db, account).await?;
        Ok(Self {
            totp,
            since: passkeys.iter().map(|passkey| passkey.created_at).chain(totp).min(),
            passkeys: passkeys.len(),
            recovery_codes: usize::try_from(store::recovery_codes::count(db, account).await?).unwrap_or(0),
        })
    }

    /// Whether a password alone does not do. Recovery codes stand in for a factor and are none.
    pub const fn are_there(&self) -> bool {
        self.totp.is_some() || self.passkeys > 0
    }

    /// Whether a second factor can stand in for the mailbox of the account.
    pub fn are_settled(&self, now: Timestamp) -> bool {
        self.since.is_some_and(|since| now.since(since) >= SETTLED_AFTER)
    }

    /// What may be shown of them in a session, where recovery codes do not count.
    pub(crate) fn alone(&self) -> Proofs {
        let shown = self.proofs().into_iter().filter(|proof| *proof != Proof::RecoveryCode);
        shown.fold(Proofs::NONE, Proofs::with)
    }

    /// What may be shown as the second factor.
    pub fn proofs(&self) -> Vec<Proof> {
        let mut proofs = Vec::new();
        if self.totp.is_some() {
            proofs.push(Proof::Totp);
        }
        if self.passkeys > 0 {
            proofs.push(Proof::Passkey);
        }
        if self.are_there() && self.recovery_codes > 0 {
            proofs.push(Proof::RecoveryCode);
        }
        proofs
    }
}

impl App {
    /// The caller's second factors.
    pub async fn list_factors(&self, caller: &Caller) -> Result<Factors> {
        let account = caller.account;
        Ok(self.store.read(async move |db| Factors::of(db, account).await).await?)
    }

    /// What goes with a new factor of a locked account that had these before: its holder is told, and with the first
    /// one all sessions end that nobody has shown it in. Where no factor has been there for long, the mail has a link
    /// that takes the new one away again; elsewhere whoever added it has shown an old one, and the link would let a
    /// mailbox alone past it.
    pub(crate) async fn factor_added(
        &self,
        tx: &mut Tx,
        stored: &accounts::Stored,
        (session, before): (SessionId, &Factors),
        (method, by): (Method, By),
        now: Timestamp,
    ) -> store::Result<Vec<SessionId>> {
        let secret = Secret::generate(&self.random);
        // Whoever reads the mail of an operator must not be able to take the second factor away.
        let is_operated = Roles::parse(&stored.roles).need_second_factor();
        let is_undone = stored.email.is_some() && !is_operated && !before.are_settled(now);
        if is_undone {
            let hash = *secret.digest().as_bytes();
            password_resets::put(tx, &hash, stored.id, now.plus(UNDO_FOR), Some(now)).await?;
        }
        let undo = is_undone.then(|| secret.to_text().to_string());
        mail::queue(tx, &self.notice_to(stored, &Notice::FactorAdded { method, undo })?).await?;
        if before.are_there() {
            return Ok(Vec::new());
        }
        let why = (Ending::CredentialsChanged, by);
        self.end_sessions_in(tx, stored.id, Some(session), why, now).await
    }

    /// Takes away the factors that a locked account has had since a moment, at the word of whoever has its mailbox.
    pub(crate) async fn undo_factors(
        &self,
        tx: &mut Tx,
        account: AccountId,
        since: Timestamp,
        (by, now): (By, Timestamp),
    ) -> store::Result<()> {
        let entry = |proof: Proof| Entry::of(account, Event::FactorRemoved, now).actor(by).word(proof.word());
        let totp = store::totp::get(tx, account).await?;
        if let Some(totp) = totp.filter(|totp| totp.sealed.is_none() || totp.confirmed_at >= since) {
            store::totp::delete(tx, account).await?;
            if totp.sealed.is_some() {
                self.audit(tx, &entry(Proof::Totp)).await?;
            }
        }
        for passkey in passkeys::of_account(tx, account).await? {
            if passkey.created_at >= since {
                passkeys::delete(tx, account, passkey.id).await?;
                accounts::count_identities(tx, account, -1).await?;
                self.audit(tx, &entry(Proof::Passkey).item(passkey.id.uuid())).await?;
            }
        }
        if !Factors::of(tx, account).await?.are_there() {
            store::recovery_codes::delete_all(tx, account).await?;
        }
        Ok(())
    }

    /// Takes away all factors of an account whose holder has lost them, and the roles that need one. All its sessions
    /// end, and its holder is told.
    pub async fn remove_factors(&self, account: AccountId, by: impl Into<By>) -> Result<Roles> {
        let (app, now, by) = (self.clone(), self.now(), by.into());
        let (roles, ended) = self
            .store
            .write(async move |tx| {
                let stored = accounts::lock(tx, account).await?.ok_or(Error::NotFound)?;
                let factors = Factors::of(tx, account).await?;
                if !factors.are_there() {
                    let detail = "this account has no second factor";
                    return Err(Error::conflict("no_second_factor", detail).into());
                }
                // Its passkeys go, and a confirmed address leads in by a mailed reset.
                if stored.email.is_none() {
                    let passkeys = i64::try_from(factors.passkeys).unwrap_or(i64::MAX);
                    let left = ways_in(&stored).saturating_sub(passkeys);
                    domain::identity::require_another_way_in(left.saturating_add(1))?;
                }
                app.undo_factors(tx, account, Timestamp::from_millis(0), (by, now)).await?;
                let methods = [
                    (Method::AuthenticatorApp, factors.totp.is_some()),
                    (Method::Passkey, factors.passkeys > 0),
                ];
                for (method, _) in methods.into_iter().filter(|(_, was_there)| *was_there) {
                    mail::queue(tx, &app.notice_to(&stored, &Notice::MethodRemoved(method))?).await?;
                }
                let held = Roles::parse(&stored.roles);
                let mut roles = held;
                for role in [Role::Operator, Role::Analyst].into_iter().filter(|role| held.has(*role)) {
                    roles = roles.without(role);
                    let entry = Entry::of(account, Event::RoleRevoked, now).actor(by);
                    app.audit(tx, &entry.word(role.name())).await?;
                }
                accounts::set_roles(tx, account, &roles.to_string()).await?;
                if roles != held {
                    app.revoke_keys_of(tx, account, (by, "role_revoked"), now).await?;
                }
                let why = (Ending::EndedByOperator, by);
                Ok((roles, app.end_sessions_in(tx, account, None, why, now).await?))
            })
            .await?;
        self.revoke(ended, now);
        self.forget_known_keys();
        Ok(roles)
    }

    /// What must hold after a factor of a locked account was removed, and what goes with it: the account's other
    /// sessions end, and this one does not rest on what is gone.
    pub(crate) async fn factor_removed(
        &self,
        tx: &mut Tx,
        stored: &accounts::Stored,
        (session, by): (SessionId, By),
        now: Timestamp,
    ) -> store::Result<Vec<SessionId>> {
        let left = Factors::of(tx, stored.id).await?;
        if Roles::parse(&stored.roles).need_second_factor() && !left.are_there() {
            let detail = "operators and analysts need a second factor: add another one first";
            return Err(Error::conflict("second_factor_required", detail).into());
        }
        if !left.are_there() {
            store::recovery_codes::delete_all(tx, stored.id).await?;
        }
        let without = |proofs: Proofs| {
            let gone = [
                (Proof::Totp, left.totp.is_none()),
                (Proof::Passkey, left.passkeys == 0),
                (Proof::RecoveryCode, !left.are_there()),
            ];
            let gone = gone.into_iter().filter(|(_, is_gone)| *is_gone);
            gone.fold(proofs, |proofs, (proof, _)| proofs.without(proof))
        };
        change_proofs(tx, stored.id, session, without, now).await?;
        let why = (Ending::CredentialsChanged, by);
        self.end_sessions_in(tx, stored.id, Some(session), why, now).await
    }
}

/// Changes what a session rests on.
pub(crate) async fn change_proofs(
    tx: &mut Tx,
    account: AccountId,
    session: SessionId,
    change: impl FnOnce(Proofs) -> Proofs,
    now: Timestamp,
) -> store::Result<()> {
    let Some(state) = sessions::lock(tx, account, session).await? else { return Ok(()) };
    let mut record = SessionRecord::decode(&state)?;
    record.proofs = change(record.proofs);
    let ends_at = record.refresh.lifetime.ends_at();
    sessions::update(tx, (account, session), &record.encode()?, now, ends_at).await
}
