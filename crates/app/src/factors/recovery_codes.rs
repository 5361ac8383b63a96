//! Recovery codes: ten, each good once, for the day the phone is lost.

use domain::{AccountId, Error, Result};
use store::{Tx, recovery_codes};
use vault::recovery_code::RecoveryCode;
use zeroize::Zeroizing;

use super::Factors;
use crate::App;
use crate::audit::{Entry, Event};
use crate::caller::Caller;
use crate::mail::{self, Notice};
use crate::sessions::lock_caller;

/// How many an account gets at once.
pub const RECOVERY_CODES: usize = 10;

/// Codes as they are shown, once.
pub type ShownCodes = Vec<Zeroizing<String>>;

impl App {
    /// Makes new codes in place of those that are left.
    pub async fn new_recovery_codes(&self, caller: &Caller) -> Result<ShownCodes> {
        self.require_factor_step_up(caller).await?;
        self.limit_mutations(caller.account, 1)?;
        let (account, session, now) = (caller.account, caller.session, self.now());
        let codes = self.draw_recovery_codes();
        let (hashes, by) = (hashes(&codes, account), self.owner(caller));
        let app = self.clone();
        self.store
            .write(async move |tx| {
                let stored = lock_caller(tx, account, session).await?;
                if !Factors::of(tx, account).await?.are_there() {
                    let detail = "recovery codes stand in for a second factor, and there is none";
                    return Err(Error::conflict("no_second_factor", detail).into());
                }
                app.audit(tx, &Entry::of(account, Event::RecoveryCodesMade, now).actor(by)).await?;
                mail::queue(tx, &app.notice_to(&stored, &Notice::RecoveryCodesMade)?).await?;
                recovery_codes::replace(tx, account, &hashes).await
            })
            .await?;
        Ok(shown(&codes))
    }

    pub(crate) fn draw_recovery_codes(&self) -> Vec<RecoveryCode> {
        (0..RECOVERY_CODES).map(|_| RecoveryCode::generate(&self.random)).collect()
    }
}

/// Keeps the codes of an account that has none; `false` when it has some, which go on counting.
pub(crate) async fn keep_first(
    tx: &mut Tx,
    account: AccountId,
    codes: &[RecoveryCode],
) -> store::Result<bool> {
    if recovery_codes::count(tx, account).await? > 0 {
        return Ok(false);
    }
    recovery_codes::replace(tx, account, &hashes(codes, account)).await?;
    Ok(true)
}

pub(crate) fn shown(codes: &[RecoveryCode]) -> ShownCodes {
    codes.iter().map(RecoveryCode::to_text).collect()
}

fn hashes(codes: &[RecoveryCode], account: AccountId) -> Vec<[u8; 32]> {
    codes.iter().map(|code| *code.digest(account).as_bytes()).collect()
}
