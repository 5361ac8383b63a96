//! Work that no request waits for: what expires, and what other nodes have ended.

use std::time::Duration;

use domain::change::TOMBSTONES_KEPT;
use domain::{AccountId, Result, Timestamp, webhook};
use store::{
    CHUNK, Tx, accounts, audit, cells, challenges, claims, compaction, email_changes, mail, oauth,
    password_resets, receipts, registrations, sessions, throttles, tickets, webhooks,
};

use crate::App;
use crate::revocations::Revocations;

/// Anonymous accounts that nobody used for so long are removed: their sessions ended by then.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(90 * 24 * 60 * 60);
/// Mail in a development mailbox goes after a day, and an hour later than the last attempt to send any.
const MAIL_KEPT: Duration = Duration::from_secs(25 * 60 * 60);
/// The oldest forecast that is shown as a last resort is two days old.
const CELLS_KEPT: Duration = Duration::from_secs(3 * 24 * 60 * 60);

/// How often [`App::read_revocations`] is to run.
pub const REVOCATIONS_EVERY: Duration = Duration::from_secs(3);
/// How often [`App::read_webhooks`] is to run.
pub const WEBHOOKS_EVERY: Duration = Duration::from_secs(3);
/// How often [`App::clean_up`] is to run.
pub const CLEAN_UP_EVERY: Duration = Duration::from_secs(300);

impl App {
    /// Learns which sessions ended on other nodes, or before this one started.
    pub async fn read_revocations(&self) -> Result<()> {
        self.revocations.read(|| true, || self.read_all_revocations()).await
    }

    /// The same, unless that was done not long ago: for whoever finds it was not.
    pub(crate) async fn renew_revocations(&self) -> Result<()> {
        self.revocations.read(|| !self.revocations_are_current(), || self.read_all_revocations()).await
    }

    /// Whether an end of a session five seconds ago is known here. Costs a look at the clock and one at memory, for every
    /// request asks.
    pub(crate) fn revocations_are_current(&self) -> bool {
        self.revocations.is_current(self.clock.monotonic())
    }

    async fn read_all_revocations(&self) -> Result<()> {
        // What ends while this is read may be missing.
        let (now, began) = (self.now(), self.clock.monotonic());
        let since = Revocations::horizon(now);
        let ended = self.store.read(async move |db| sessions::revoked_since(db, since).await).await?;
        self.ended(ended);
        self.revocations.forget(now);
        self.revocations.complete(began);
        Ok(())
    }

    /// Removes what has expired.
    pub async fn clean_up(&self) -> Result<()> {
        let now = self.now();
        self.write_audit_tally().await?;
        self.end_expired_sessions(now).await?;
        self.remove_forgotten_accounts(now).await?;
        self.purge_tombstones(now.minus(TOMBSTONES_KEPT)).await?;
        self.in_chunks(async move |tx| registrations::expire(tx, now).await).await?;
        self.in_chunks(async move |tx| oauth::expire(tx, now).await).await?;
        self.in_chunks(async move |tx| password_resets::expire(tx, now).await).await?;
        self.in_chunks(async move |tx| email_changes::expire(tx, now).await).await?;
        self.in_chunks(async move |tx| throttles::expire(tx, now).await).await?;
        self.in_chunks(async move |tx| receipts::expire(tx, now).await).await?;
        self.in_chunks(async move |tx| tickets::expire(tx, now).await).await?;
        self.in_chunks(async move |tx| challenges::expire(tx, now).await).await?;
        self.in_chunks(async move |tx| claims::expire(tx, now).await).await?;
        let audit_kept = self.settings.audit_kept;
        self.in_chunks(async move |tx| audit::expire(tx, now.minus(audit_kept)).await).await?;
        self.in_chunks(async move |tx| webhooks::expire(tx, now.minus(webhook::KEPT)).await).await?;
        self.in_chunks(async move |tx| mail::expire(tx, now.minus(MAIL_KEPT)).await).await?;
        self.in_chunks(async move |tx| cells::expire(tx, now.minus(CELLS_KEPT)).await).await?;
        self.in_chunks(async move |tx| sessions::forget_revoked(tx, Revocations::horizon(now)).await).await
    }

    /// Runs a transaction that removes a chunk, until there is no whole one left.
    pub(crate) async fn in_chunks<F>(&self, remove: F) -> Result<()>
    where
        F: AsyncFn(&mut Tx) -> store::Result<u64> + Clone + Send + 'static,
    {
        while self.store.write(remove.clone()).await? >= CHUNK.unsigned_abs() {}
        Ok(())
    }

    /// Forgets removals that every device has heard of, or is too late to hear of.
    async fn purge_tombstones(&self, before: Timestamp) -> Result<()> {
        loop {
            let accounts = self.store.read(async move |db| compaction::accounts(db, before).await).await?;
            if accounts.is_empty() {
                return Ok(());
            }
            for account in accounts {
                self.in_chunks(async move |tx| compaction::purge(tx, account, before).await).await?;
            }
        }
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
                let app = self.clone();
                let ended = self
                    .store
                    .write(async move |tx| {
                        // Looked at again: it may have been used, or registered, since the list was read.
                        if accounts::is_forgotten(tx, account, before).await? {
                            app.delete_account(tx, account, now, None).await
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
