//! Making, changing and removing webhooks; looking at what was sent.

use domain::api_key::Scope;
use domain::webhook::WebhookEvent;
use domain::{AccountId, Error, Result};
use store::webhooks::{self, Delivery};
use uuid::Uuid;
use vault::webhook::WebhookSecret;

use super::{MOST, Sealed, State, Webhook, WithSecret, description, place};
use crate::App;
use crate::audit::{Entry, Event};
use crate::caller::{Principal, page_limit};

/// What a new webhook is to be.
pub struct NewWebhook {
    pub url: String,
    pub events: Vec<WebhookEvent>,
    pub description: Option<String>,
}

/// What is to be different; what is `None` stays.
#[derive(Default)]
pub struct Change {
    pub url: Option<String>,
    pub events: Option<Vec<WebhookEvent>>,
    pub description: Option<String>,
    pub enabled: Option<bool>,
}

/// Deliveries, the newest first.
pub struct DeliveryPage {
    pub deliveries: Vec<Delivery>,
    pub next: Option<Uuid>,
}

const PAGE: u32 = 50;
const LARGEST_PAGE: u32 = 200;
const MANAGE: Scope = Scope::WebhooksManage;

impl App {
    pub async fn create_webhook(&self, principal: &Principal, new: NewWebhook) -> Result<WithSecret> {
        let by = self.authorise_change(principal, MANAGE).await?;
        let now = self.now();
        let secret = WebhookSecret::generate(&self.random);
        let sealed = Sealed {
            url: self.accept_url(&new.url)?,
            description: description(new.description.as_deref())?,
            secret: secret.to_text().to_string(),
            before: None,
        };
        let id = self.random.uuid(now);
        let (key, data_key) = self.data_keys.create(AccountId::from_uuid(id), &self.random)?;
        let plain = serde_json::to_vec(&sealed).map_err(Error::internal)?;
        let stored = webhooks::Stored {
            id,
            data_key,
            sealed: key.seal(&place(id), &plain, &self.random)?,
            events: WebhookEvent::list(&new.events),
            state: State::Enabled.name().to_owned(),
            failing_since: None,
            created_at: now,
            changed_at: now,
        };
        let webhook = self.show_webhook(&stored, now)?;
        let app = self.clone();
        self.store
            .write(async move |tx| {
                if webhooks::all(tx, MOST).await?.len() >= MOST as usize {
                    let detail = format!("there are {MOST} webhooks already");
                    return Err(Error::conflict("too_many_webhooks", detail).into());
                }
                webhooks::put(tx, &stored).await?;
                app.audit(tx, &Entry::by(by, Event::WebhookCreated, now).item(id)).await
            })
            .await?;
        self.read_webhooks().await?;
        Ok(WithSecret { webhook, secret: secret.to_text() })
    }

    pub async fn list_webhooks(&self, principal: &Principal) -> Result<Vec<Webhook>> {
        self.authorise(principal, MANAGE)?;
        let now = self.now();
        let stored = self.store.read(async |db| webhooks::all(db, MOST).await).await?;
        stored.iter().map(|stored| self.show_webhook(stored, now)).collect()
    }

    pub async fn webhook(&self, principal: &Principal, id: Uuid) -> Result<Webhook> {
        self.authorise(principal, MANAGE)?;
        let stored = self.store.read(async move |db| webhooks::get(db, id).await).await?;
        self.show_webhook(&stored.ok_or(Error::NotFound)?, self.now())
    }

    /// Changes a webhook. One that is enabled again begins anew: what failed before counts no more.
    pub async fn change_webhook(&self, principal: &Principal, id: Uuid, change: Change) -> Result<Webhook> {
        let by = self.authorise_change(principal, MANAGE).await?;
        let url = change.url.as_deref().map(|url| self.accept_url(url)).transpose()?;
        let said = description(change.description.as_deref())?;
        let (app, now) = (self.clone(), self.now());
        let stored = self
            .store
            .write(async move |tx| {
                let mut stored = webhooks::lock(tx, id).await?.ok_or(Error::NotFound)?;
                let mut sealed = app.open_webhook(&stored)?;
                if let Some(url) = &url {
                    sealed.url.clone_from(url);
                }
                if said.is_some() {
                    sealed.description.clone_from(&said);
                }
                if let Some(events) = &change.events {
                    stored.events = WebhookEvent::list(events);
                }
                match change.enabled {
                    Some(true) => {
                        stored.state = State::Enabled.name().to_owned();
                        stored.failing_since = None;
                    }
                    Some(false) => stored.state = State::Disabled.name().to_owned(),
                    None => {}
                }
                stored.sealed = app.seal_webhook(&stored, &sealed)?;
                stored.changed_at = now;
                webhooks::update(tx, &stored).await?;
                app.audit(tx, &Entry::by(by, Event::WebhookChanged, now).item(id)).await?;
                Ok(stored)
            })
            .await?;
        self.read_webhooks().await?;
        self.show_webhook(&stored, now)
    }

    /// A fresh secret. For a day both sign, so that the receiver can change over without losing anything.
    pub async fn rotate_webhook_secret(&self, principal: &Principal, id: Uuid) -> Result<WithSecret> {
        let by = self.authorise_change(principal, MANAGE).await?;
        let (app, now) = (self.clone(), self.now());
        let secret = WebhookSecret::generate(&self.random);
        let fresh = secret.clone();
        let stored = self
            .store
            .write(async move |tx| {
                let mut stored = webhooks::lock(tx, id).await?.ok_or(Error::NotFound)?;
                let sealed = app.open_webhook(&stored)?.rotated(&fresh, now);
                stored.sealed = app.seal_webhook(&stored, &sealed)?;
                stored.changed_at = now;
                webhooks::update(tx, &stored).await?;
                app.audit(tx, &Entry::by(by, Event::WebhookSecretRotated, now).item(id)).await?;
                Ok(stored)
            })
            .await?;
        Ok(WithSecret { webhook: self.show_webhook(&stored, now)?, secret: secret.to_text() })
    }

    /// Removes a webhook with everything that waits for it.
    pub async fn delete_webhook(&self, principal: &Principal, id: Uuid) -> Result<()> {
        let by = self.authorise_change(principal, MANAGE).await?;
        let (app, now) = (self.clone(), self.now());
        self.store
            .write(async move |tx| {
                if !webhooks::delete(tx, id).await? {
                    return Err(Error::NotFound.into());
                }
                app.audit(tx, &Entry::by(by, Event::WebhookRemoved, now).item(id)).await
            })
            .await?;
        self.read_webhooks().await
    }

    pub async fn webhook_deliveries(
        &self,
        principal: &Principal,
        id: Uuid,
        after: Option<Uuid>,
        limit: Option<u32>,
    ) -> Result<DeliveryPage> {
        self.authorise(principal, MANAGE)?;
        let limit = page_limit(limit, PAGE, LARGEST_PAGE)?;
        let most = i64::from(limit) + 1;
        let found = self
            .store
            .read(async move |db| {
                let webhook = webhooks::get(db, id).await?;
                Ok(webhook.zip(Some(webhooks::deliveries(db, id, after, most).await?)))
            })
            .await?;
        let (_, mut deliveries) = found.ok_or(Error::NotFound)?;
        let more = deliveries.len() > limit as usize;
        deliveries.truncate(limit as usize);
        let next = if more { deliveries.last().map(|delivery| delivery.id) } else { None };
        Ok(DeliveryPage { deliveries, next })
    }

    /// Sends a delivery again, as the same event under the same id, whether it arrived or not.
    pub async fn replay_delivery(&self, principal: &Principal, id: Uuid, delivery: Uuid) -> Result<()> {
        let by = self.authorise_change(principal, MANAGE).await?;
        let (app, now) = (self.clone(), self.now());
        self.store
            .write(async move |tx| {
                let stored = webhooks::lock(tx, id).await?.ok_or(Error::NotFound)?;
                if State::stored(&stored.state) != State::Enabled {
                    let detail = "nothing is sent to a webhook that is not enabled";
                    return Err(Error::conflict("webhook_disabled", detail).into());
                }
                if !webhooks::replay(tx, id, delivery, now).await? {
                    return Err(Error::NotFound.into());
                }
                app.audit(tx, &Entry::by(by, Event::WebhookReplayed, now).item(delivery)).await
            })
            .await?;
        Ok(())
    }
}
