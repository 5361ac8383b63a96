//! Several nodes on one database: what this one tells the others, and what it does when they tell something.

use std::time::Duration;

use bus::{Bus, ChangedCell, News, NodeId};
use domain::{Result, SessionId, Timestamp};
use store::Hint;

use crate::App;
use crate::weather::FetchedBy;

/// How long this node's own clients wait for a hint about weather until the other nodes have it.
const OTHERS_FIRST: Duration = Duration::from_secs(1);
/// After reading what was missed has failed.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(1);

impl App {
    /// This node's place among the others.
    pub fn bus(&self) -> &Bus {
        &self.bus
    }

    /// Tells and hears, for ever; returns only where this node is alone.
    pub async fn follow_bus(&self) {
        if self.bus.is_there() {
            tokio::join!(self.bus.run(|node, news| self.hear(node, news)), self.catch_up());
        }
    }

    /// Logs have moved here.
    pub(crate) fn committed(&self, hints: &[Hint]) {
        self.moved(hints);
        self.bus.tell_heads(hints);
    }

    /// Logs have moved, here or on another node.
    fn moved(&self, hints: &[Hint]) {
        for hint in hints {
            self.favourite_pages.forget(hint.account);
            self.forecast_lists.forget(hint.account);
        }
        self.streams.committed(hints);
    }

    /// Makes sessions that were ended here ended everywhere.
    pub(crate) fn revoke(&self, ended: Vec<SessionId>, now: Timestamp) {
        self.bus.tell_ended(ended.iter().map(|session| (*session, now)));
        self.ended(ended.into_iter().map(|session| (session, now)).collect());
    }

    /// Sessions have ended, here or on another node. Tokens and cookies that are known count no more.
    pub(crate) fn ended(&self, ended: Vec<(SessionId, Timestamp)>) {
        // In this order: a stream that is being opened looks at the set after it can be told.
        self.revocations.add(ended.iter().copied(), self.now());
        self.streams.revoke(ended.into_iter().map(|(session, _)| session));
    }

    /// The weather of a cell looks different, and the database has it. The other nodes are told first: a client that
    /// is told may ask any of them.
    pub(crate) fn weather_changed(&self, changed: ChangedCell, by: FetchedBy) {
        let ChangedCell { cell, issued_at, .. } = changed;
        if by == FetchedBy::Another || !self.bus.is_there() {
            self.streams.forecast_changed(cell, issued_at);
            return;
        }
        self.bus.tell_cell(changed);
        let app = self.clone();
        tokio::spawn(async move {
            app.bus.flushed(OTHERS_FIRST).await;
            app.streams.forecast_changed(cell, issued_at);
        });
    }

    /// Another node tells.
    fn hear(&self, node: NodeId, news: News) {
        self.streams.heard(node, self.now());
        self.streams.open_elsewhere(node, &news.streams);
        if !news.heads.is_empty() {
            self.moved(&news.heads);
        }
        if !news.ended.is_empty() {
            self.ended(news.ended);
        }
        for ChangedCell { cell, issued_at, fetched_at } in news.cells {
            self.weather.forget_older(cell, fetched_at);
            self.streams.forecast_changed(cell, issued_at);
        }
        self.traffic.taken_elsewhere(&news.taken, self.now());
    }

    /// Reads what the news would have told that this node missed.
    async fn catch_up(&self) {
        loop {
            self.bus.missed().await;
            while let Err(error) = self.read_missed().await {
                tracing::debug!(%error, "what other nodes told meanwhile could not be read; it is tried again");
                tokio::time::sleep(TRY_AGAIN_AFTER).await;
            }
        }
    }

    async fn read_missed(&self) -> Result<()> {
        self.streams.tell_all();
        // Whoever may not see any more comes first.
        self.read_revocations().await?;
        self.read_heads().await
    }
}
