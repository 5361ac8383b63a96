//! Sending what waits. Every node looks; a delivery goes to the one that claims it, and to another one when that dies.

use std::time::Duration;

use domain::webhook::{DISABLED_AFTER, pause};
use domain::{AccountId, Error, Result, Timestamp};
use store::Tx;
use store::webhooks::{self, Claimed, Outcome};
use tokio::task::JoinSet;
use upstream::webhook::{Answer, Message};
use uuid::Uuid;
use vault::webhook::WebhookSecret;

use super::{Sealed, State, delivery_place};
use crate::App;
use crate::audit::{Actor, Entry, Event};

/// How often [`App::deliver_webhooks`] is to run.
pub const DELIVER_EVERY: Duration = Duration::from_secs(1);
/// Deliveries of one webhook that are under way at once.
const AT_ONCE: i64 = 8;
/// Longer than a try can take. A node that dies with a delivery holds it up for so long.
const CLAIMED_FOR: Duration = Duration::from_secs(60);

/// A webhook's claimed deliveries, and what it takes to send them.
struct Batch {
    webhook: Uuid,
    sealed: Sealed,
    key: vault::DataKey,
    claimed: Vec<Claimed>,
}

impl App {
    /// Sends what is due. Webhooks do not wait for one another: each is served by a task of its own, and one that is
    /// still at work is left alone.
    pub async fn deliver_webhooks(&self) {
        let mut lanes = JoinSet::new();
        for webhook in self.webhooks.active().iter() {
            if let Some(lane) = self.webhooks.begin(webhook.id) {
                let (app, id) = (self.clone(), webhook.id);
                lanes.spawn(async move {
                    let _lane = lane;
                    if let Err(error) = app.serve_webhook(id).await {
                        tracing::warn!(webhook = %id, %error, "what waits for a webhook could not be sent");
                    }
                });
            }
        }
        while lanes.join_next().await.is_some() {}
    }

    async fn serve_webhook(&self, id: Uuid) -> Result<()> {
        loop {
            let Some(batch) = self.claim_deliveries(id).await? else { return Ok(()) };
            let mut tries = JoinSet::new();
            for claimed in batch.claimed {
                let opened = batch.key.open(&delivery_place(id, claimed.id), &claimed.sealed);
                let message = match opened {
                    Ok(body) => message(&batch.sealed, &claimed, body.to_vec(), self.now())?,
                    Err(error) => {
                        // It will never open. The others must not wait for it.
                        tracing::error!(webhook = %id, delivery = %claimed.id, %error, "a delivery cannot be opened");
                        let outcome = Outcome {
                            state: "failed",
                            due_at: None,
                            status: None,
                            fault: Some("unreadable"),
                        };
                        let finish =
                            async move |tx: &mut Tx| webhooks::finish(tx, id, &claimed, &outcome).await;
                        self.store.write(finish).await?;
                        continue;
                    }
                };
                let (app, webhook) = (self.clone(), batch.webhook);
                tries.spawn(async move {
                    let answer = app.webhooks.receiver.send(message).await;
                    app.note_answer(webhook, claimed, answer).await
                });
            }
            let mut failed = None;
            while let Some(noted) = tries.join_next().await {
                // The others are not cut short by it.
                if let Err(error) = noted.map_err(Error::internal).and_then(std::convert::identity) {
                    failed = Some(error);
                }
            }
            if let Some(error) = failed {
                return Err(error);
            }
        }
    }

    async fn claim_deliveries(&self, id: Uuid) -> Result<Option<Batch>> {
        let now = self.now();
        if !self.store.read(async move |db| webhooks::is_due(db, id, now).await).await? {
            return Ok(None);
        }
        let found = self
            .store
            .write(async move |tx| {
                let claimed = webhooks::claim(tx, id, now, now.plus(CLAIMED_FOR), AT_ONCE).await?;
                if claimed.is_empty() {
                    return Ok(None);
                }
                let stored = webhooks::get(tx, id).await?;
                let enabled = stored.filter(|stored| State::stored(&stored.state) == State::Enabled);
                Ok(enabled.map(|stored| (stored, claimed)))
            })
            .await?;
        let Some((stored, claimed)) = found else { return Ok(None) };
        let key = self.data_keys.open(AccountId::from_uuid(id), &stored.data_key)?;
        Ok(Some(Batch { webhook: id, sealed: self.open_webhook(&stored)?, key, claimed }))
    }

    async fn note_answer(&self, webhook: Uuid, claimed: Claimed, answer: Answer) -> Result<()> {
        let (app, now) = (self.clone(), self.now());
        let chance = f64::from(u8::from_le_bytes(self.random.bytes())) / 256.0;
        let again = pause(claimed.tries, chance).map(|pause| now.plus(pause));
        let outcome = outcome(answer, again);
        let failed = self
            .store
            .write(async move |tx| {
                // The webhook before its deliveries, as wherever both are changed.
                let Some(mut stored) = webhooks::lock(tx, webhook).await? else { return Ok(false) };
                if !webhooks::finish(tx, webhook, &claimed, &outcome).await? {
                    return Ok(false);
                }
                let since = if answer.is_success() { None } else { stored.failing_since.or(Some(now)) };
                let is_hopeless = since.is_some_and(|since| now.since(since) >= DISABLED_AFTER);
                let ends =
                    (is_hopeless || answer.is_gone()) && State::stored(&stored.state) == State::Enabled;
                if stored.failing_since == since && !ends {
                    return Ok(false);
                }
                stored.failing_since = since;
                if ends {
                    stored.state = State::Failed.name().to_owned();
                    webhooks::give_up(tx, webhook, "failed", "webhook_disabled").await?;
                    let entry = Entry::by(Actor::Server, Event::WebhookDisabled, now).item(webhook);
                    app.audit(tx, &entry).await?;
                }
                webhooks::update(tx, &stored).await?;
                Ok(ends)
            })
            .await?;
        if failed {
            tracing::warn!(%webhook, "a webhook failed for too long and is told nothing more");
            self.read_webhooks().await?;
        }
        Ok(())
    }
}

/// How a try ended, for the database.
fn outcome(answer: Answer, again: Option<Timestamp>) -> Outcome {
    let status = answer.status().map(i64::from);
    if answer.is_success() {
        return Outcome { state: "delivered", due_at: None, status, fault: None };
    }
    let state = if again.is_some() { webhooks::WAITING } else { "failed" };
    Outcome { state, due_at: again, status, fault: Some(answer.fault()) }
}

/// One event as it goes out: signed with the present secret, and for a while with the one before.
fn message(sealed: &Sealed, claimed: &Claimed, body: Vec<u8>, now: Timestamp) -> Result<Message> {
    let id = format!("msg_{}", claimed.event_id.simple());
    let mut signature = WebhookSecret::from_text(&sealed.secret)?.sign(&id, now, &body);
    if let Some((before, until)) = &sealed.before
        && now < *until
    {
        signature.push(' ');
        signature.push_str(&WebhookSecret::from_text(before)?.sign(&id, now, &body));
    }
    Ok(Message { url: sealed.url.clone(), id, timestamp: now.seconds(), signature, body })
}
