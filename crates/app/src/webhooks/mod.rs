//! Webhooks: a company's own services are told what happened. What is to be told is queued in the transaction that
//! causes it, sealed, and sent by whichever node comes first.

use std::collections::HashSet;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use domain::webhook::{OVERLAP, WebhookEvent};
use domain::{AccountId, Error, Invalid, Result, SessionId, Timestamp, text};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{Tx, webhooks};
use upstream::webhook::Receiver;
use uuid::Uuid;
use vault::webhook::WebhookSecret;
use vault::{Context, DataKey};
use zeroize::Zeroizing;

use crate::App;
use crate::data_keys::context;

mod deliver;
mod manage;

pub use deliver::DELIVER_EVERY;
pub use manage::{Change, DeliveryPage, NewWebhook};
pub use store::webhooks::Delivery;

/// Webhooks of one installation.
const MOST: i64 = 20;

/// What this process knows of the webhooks, and what it sends through.
pub(crate) struct Webhooks {
    receiver: Receiver,
    /// Those that are enabled, as of a few seconds ago.
    active: RwLock<Arc<Vec<Active>>>,
    /// Those that this process is sending to.
    busy: Arc<Mutex<HashSet<Uuid>>>,
}

struct Active {
    id: Uuid,
    events: Vec<WebhookEvent>,
    key: Arc<DataKey>,
    /// Deliveries that wait: as of a few seconds ago, and what was queued here since.
    waiting: AtomicI64,
}

impl Active {
    /// Whether one more is to be queued. A receiver that is away for days is not to fill the database with what anybody
    /// can cause by signing in and out; what is rare is always told.
    fn takes(&self, event: WebhookEvent, most: i64) -> bool {
        if event.is_frequent() && self.waiting.load(Ordering::Relaxed) >= most {
            metrics::counter!("fairweather_webhook_left_out_total", "event" => event.name()).increment(1);
            return false;
        }
        self.waiting.fetch_add(1, Ordering::Relaxed);
        true
    }
}

/// Whether a webhook is told anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Enabled,
    /// By whoever manages it.
    Disabled,
    /// It failed for too long.
    Failed,
}

impl State {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
            Self::Failed => "failed",
        }
    }

    fn stored(name: &str) -> Self {
        // What another version calls something else is not to be told anything.
        [Self::Enabled, Self::Failed].into_iter().find(|state| state.name() == name).unwrap_or(Self::Disabled)
    }
}

/// A webhook as it is listed.
pub struct Webhook {
    pub id: Uuid,
    pub url: String,
    pub description: Option<String>,
    pub events: Vec<WebhookEvent>,
    pub state: State,
    pub failing_since: Option<Timestamp>,
    pub created_at: Timestamp,
    /// Until when the secret before the present one signs as well.
    pub rotating_until: Option<Timestamp>,
}

/// A webhook with its secret, which is shown this once.
pub struct WithSecret {
    pub webhook: Webhook,
    pub secret: Zeroizing<String>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Sealed {
    url: String,
    description: Option<String>,
    secret: String,
    /// The one before, and until when it signs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<(String, Timestamp)>,
}

impl Sealed {
    /// With a fresh secret; the one before goes on signing for a while.
    fn rotated(self, fresh: &WebhookSecret, now: Timestamp) -> Self {
        let before = Some((self.secret, now.plus(OVERLAP)));
        Self { secret: fresh.to_text().to_string(), before, ..self }
    }
}

const fn place(id: Uuid) -> Context {
    context("webhook", AccountId::from_uuid(id), id, "sealed")
}

const fn delivery_place(webhook: Uuid, delivery: Uuid) -> Context {
    context("webhook_delivery", AccountId::from_uuid(webhook), delivery, "sealed")
}

impl Webhooks {
    pub fn new(receiver: Receiver) -> Self {
        Self { receiver, active: RwLock::default(), busy: Arc::default() }
    }

    fn active(&self) -> Arc<Vec<Active>> {
        self.active.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes a webhook to be sent to by nobody else of this process, as long as the answer is held.
    fn begin(&self, id: Uuid) -> Option<Lane> {
        let is_free = self.busy.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
        is_free.then(|| Lane { busy: self.busy.clone(), id })
    }
}

/// The right to send to a webhook. It ends with whoever holds it, be it by a panic.
struct Lane {
    busy: Arc<Mutex<HashSet<Uuid>>>,
    id: Uuid,
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

impl App {
    /// Learns which webhooks there are.
    pub async fn read_webhooks(&self) -> Result<()> {
        let stored = self.store.read(async |db| webhooks::all(db, MOST).await).await?;
        let mut active = Vec::new();
        for webhook in stored {
            if State::stored(&webhook.state) == State::Enabled {
                let key = self.data_keys.open(AccountId::from_uuid(webhook.id), &webhook.data_key)?;
                let events = WebhookEvent::stored(&webhook.events);
                let (id, most) = (webhook.id, self.most_waiting());
                let waiting = self.store.read(async move |db| webhooks::waiting(db, id, most).await).await?;
                if waiting >= most {
                    tracing::warn!(webhook = %id, waiting, "so much waits for a webhook that sessions are told it no more");
                }
                active.push(Active { id, events, key: Arc::new(key), waiting: AtomicI64::new(waiting) });
            }
        }
        *self.webhooks.active.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(active);
        Ok(())
    }

    fn most_waiting(&self) -> i64 {
        i64::from(self.settings.webhooks_waiting)
    }

    /// Queues an event about an account for every webhook that wants it, in the transaction that causes it. Nobody
    /// wants any where there are no webhooks, and nothing is asked of the database then.
    pub(crate) async fn tell_webhooks(
        &self,
        tx: &mut Tx,
        event: WebhookEvent,
        account: AccountId,
        now: Timestamp,
    ) -> store::Result<()> {
        self.queue_event(tx, event, json!({"account_id": account.uuid()}), now).await
    }

    /// The same for a session that ended.
    pub(crate) async fn tell_webhooks_of_session(
        &self,
        tx: &mut Tx,
        (account, session): (AccountId, SessionId),
        reason: &str,
        now: Timestamp,
    ) -> store::Result<()> {
        let data = json!({"account_id": account.uuid(), "session_id": session.uuid(), "reason": reason});
        self.queue_event(tx, WebhookEvent::SessionRevoked, data, now).await
    }

    async fn queue_event(
        &self,
        tx: &mut Tx,
        event: WebhookEvent,
        data: Value,
        now: Timestamp,
    ) -> store::Result<()> {
        let active = self.webhooks.active();
        if !active.iter().any(|webhook| webhook.events.contains(&event)) {
            return Ok(());
        }
        let event_id = self.random.uuid(now);
        let body = json!({"type": event.name(), "timestamp": now.rfc3339(), "data": data}).to_string();
        for webhook in active.iter().filter(|webhook| webhook.events.contains(&event)) {
            if !webhook.takes(event, self.most_waiting()) {
                continue;
            }
            let id = self.random.uuid(now);
            let place = delivery_place(webhook.id, id);
            let queued = webhooks::Queued {
                webhook: webhook.id,
                id,
                event_id,
                event: event.name().to_owned(),
                sealed: webhook.key.seal(&place, body.as_bytes(), &self.random)?,
                at: now,
            };
            webhooks::queue(tx, &queued).await?;
        }
        Ok(())
    }

    fn open_webhook(&self, stored: &webhooks::Stored) -> Result<Sealed> {
        let key = self.data_keys.open(AccountId::from_uuid(stored.id), &stored.data_key)?;
        serde_json::from_slice(&key.open(&place(stored.id), &stored.sealed)?).map_err(Error::internal)
    }

    fn seal_webhook(&self, stored: &webhooks::Stored, sealed: &Sealed) -> Result<Vec<u8>> {
        let key = self.data_keys.open(AccountId::from_uuid(stored.id), &stored.data_key)?;
        let plain = Zeroizing::new(serde_json::to_vec(sealed).map_err(Error::internal)?);
        key.seal(&place(stored.id), &plain, &self.random)
    }

    fn show_webhook(&self, stored: &webhooks::Stored, now: Timestamp) -> Result<Webhook> {
        let sealed = self.open_webhook(stored)?;
        Ok(Webhook {
            id: stored.id,
            url: sealed.url,
            description: sealed.description,
            events: WebhookEvent::stored(&stored.events),
            state: State::stored(&stored.state),
            failing_since: stored.failing_since,
            created_at: stored.created_at,
            rotating_until: sealed.before.map(|(_, until)| until).filter(|until| now < *until),
        })
    }

    /// An address that may be told something: one that leads out, with TLS.
    fn accept_url(&self, url: &str) -> Result<String> {
        let detail =
            "must begin with https:// and lead to a public host, without a name and a password in it";
        let accepted = self.webhooks.receiver.accept(url);
        accepted.ok_or_else(|| Invalid::new("/url", "not_allowed", detail).into())
    }
}

fn description(text: Option<&str>) -> Result<Option<String>> {
    text.map(|text| text::name("/description", text)).transpose()
}

#[cfg(test)]
mod tests {
    use upstream::http::{Http, HttpSettings};

    use super::*;

    #[test]
    fn who_falls_over_holds_no_webhook_up() {
        let webhooks = Webhooks::new(Receiver::new(Http::new(HttpSettings::default())));
        let id = Uuid::from_u128(1);
        let lane = webhooks.begin(id);
        assert!(lane.is_some() && webhooks.begin(id).is_none(), "one at a time");
        let fell = std::thread::spawn(move || {
            let _lane = lane;
            panic!("in the middle of it");
        });
        fell.join().unwrap_err();
        assert!(webhooks.begin(id).is_some());
    }
}
