//! Second factors: what an account can show beside its password or its provider.

mod recovery_codes;
mod totp;

use domain::account::Roles;
use domain::session::{Ending, Proof, Proofs};
use domain::{AccountId, Error, Result, SessionId, Timestamp};
use store::{Db, Tx, accounts, passkeys, sessions};

pub use recovery_codes::{RECOVERY_CODES, ShownCodes};
pub(crate) use recovery_codes::{keep_first, shown};
pub use totp::PendingTotp;
pub(crate) use totp::not_six_digits;

use crate::App;
use crate::audit::Actor;
use crate::caller::Caller;
use crate::session_record::SessionRecord;

/// The second factors of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Factors {
    /// Since when codes of an authenticator app count.
    pub totp: Option<Timestamp>,
    pub passkeys: usize,
    /// Those that are left.
    pub recovery_codes: usize,
}

impl Factors {
    pub(crate) async fn of(db: &mut Db, account: AccountId) -> store::Result<Self> {
        let totp = store::totp::get(db, account).await?;
        Ok(Self {
            totp: totp.filter(|totp| totp.sealed.is_some()).map(|totp| totp.confirmed_at),
            passkeys: passkeys::of_account(db, account).await?.len(),
            recovery_codes: usize::try_from(store::recovery_codes::count(db, account).await?).unwrap_or(0),
        })
    }

    /// Whether a password alone does not do. Recovery codes stand in for a factor and are none.
    pub const fn are_there(&self) -> bool {
        self.totp.is_some() || self.passkeys > 0
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

    /// Whether an account has one, for whoever gives it a role that needs one.
    pub async fn has_second_factor(&self, account: AccountId) -> Result<bool> {
        let factors = self.store.read(async move |db| Factors::of(db, account).await).await?;
        Ok(factors.are_there())
    }

    /// What must hold after a factor of a locked account was removed, and what goes with it: the account's other
    /// sessions end, and this one does not rest on what is gone.
    pub(crate) async fn factor_removed(
        &self,
        tx: &mut Tx,
        stored: &accounts::Stored,
        session: SessionId,
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
        let why = (Ending::CredentialsChanged, Actor::Owner);
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
