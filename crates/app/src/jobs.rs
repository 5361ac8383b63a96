//! Work that no request waits for: what expires, and what other nodes have ended.

use std::time::Duration;

use domain::{AccountId, Result, Timestamp};
use store::{accounts, cells, mail, receipts, registrations, sessions, throttles};

use crate::App;
use crate::revocations::Revocations;

/// Anonymous accounts that nobody used for so long are removed: their sessions ended by then.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// Mail that was sent, or lies in a development mailbox, goes after a day.
const MAIL_KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// The oldest forecast that is shown as a last resort is two days old.
const CELLS_KEPT: Duration = Duration::from_secs(3 * 24 * 60 * 60);
/// Rows that one transaction of a job touches, so that requests never wait long behind it.
const CHUNK: i64 = 100;

/// How often [`App::read_revocations`] is to run.
pub const REVOCATIONS_EVERY: Duration = Duration::from_secs(3);
/// How often [`App::clean_up`] is to run.
pub const CLEAN_UP_EVERY: Duration = Duration::from_secs(300);

impl App {
    /// Learns which sessions ended on other nodes, or before this one started.
    pub async fn read_revocations(&self) -> Result<()> {
        let now = self.now();
        let since = Revocations::horizon(now);
        let ended = self.store.read(async move |db| sessions::revoked_since(db, since).await).await?;
        self.revocations.add(ended);
        self.revocations.forget(now);
        Ok(())
    }

    /// Removes what has expired.
    pub async fn clean_up(&self) -> Result<()> {
        let now = self.now();
        self.end_expired_sessions(now).await?;
        self.remove_forgotten_accounts(now).await?;
        self.store
            .write(async move |tx| {
                registrations::expire(tx, now).await?;
                throttles::expire(tx, now).await?;
                receipts::expire(tx, now).await?;
                mail::expire(tx, now.minus(MAIL_KEPT)).await?;
                cells::expire(tx, now.minus(CELLS_KEPT)).await?;
                sessions::forget_revoked(tx, Revocations::horizon(now)).await
            })
            .await?;
        Ok(())
    }

    async fn end_expired_sessions(&self, now: Timestamp) -> Result<()> {
        loop {
            let expired = self.store.read(async move |db| sessions::expired(db, now, CHUNK).await).await?;
            if expired.is_empty() {
                return Ok(());
            }
            self.store
                .write(async move |tx| {
                    for (account, session) in &expired {
                        sessions::end(tx, *account, *session, now).await?;
                    }
                    Ok(())
                })
                .await?;
        }
    }

    async fn remove_forgotten_accounts(&self, now: Timestamp) -> Result<()> {
        let before = now.minus(FORGOTTEN_AFTER);
        loop {
            let forgotten: Vec<AccountId> =
                self.store.read(async move |db| accounts::forgotten(db, before, CHUNK).await).await?;
            if forgotten.is_empty() {
                return Ok(());
            }
            for account in forgotten {
                let ended = self
                    .store
                    .write(async move |tx| {
                        // Looked at again: it may have been used, or registered, since the list was read.
                        if accounts::is_forgotten(tx, account, before).await? {
                            accounts::delete(tx, account, now).await
                        } else {
                            Ok(Vec::new())
                        }
                    })
                    .await?;
                self.data_keys.forget(account);
                self.revoke(ended, now);
            }
        }
    }
}
