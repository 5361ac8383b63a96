//! `/v1/webhooks`: where a company's own services are told what happened. For operators, and keys with the scope
//! `webhooks:manage`.

use app::webhooks::{Change, NewWebhook, Webhook, WithSecret};
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::webhook::WebhookEvent;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::Api;
use crate::authentication::Manager;
use crate::json::Json;
use crate::openapi::Refused;
use crate::problem::Problem;
use crate::query::{Id, Query};

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Webhook)]
pub struct WebhookBody {
    id: Uuid,
    #[schema(example = "https://hooks.example.org/fairweather")]
    url: String,
    #[schema(required, example = "Newsletter")]
    description: Option<String>,
    #[schema(example = json!(["account.deleted"]))]
    events: Vec<&'static str>,
    /// `enabled`, `disabled`, or `failed` when it was given up after failing for five days.
    #[schema(example = "enabled")]
    state: &'static str,
    /// Since when every try has failed.
    #[schema(required, format = DateTime)]
    failing_since: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
    /// Until when the secret before the present one signs as well.
    #[schema(required, format = DateTime)]
    rotating_until: Option<String>,
}

/// A webhook with its secret, which is shown this once.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookWithSecret {
    /// For the signatures of the Standard Webhooks.
    #[schema(example = "whsec_…")]
    secret: String,
    #[serde(flatten)]
    webhook: WebhookBody,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Webhooks {
    items: Vec<WebhookBody>,
    /// Always null: there are twenty at most.
    #[schema(required)]
    next: Option<Uuid>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewWebhook)]
pub struct NewWebhookBody {
    /// `https://` and a public host.
    #[schema(max_length = 2048, example = "https://hooks.example.org/fairweather")]
    url: String,
    /// `account.created`, `account.registered`, `account.deleted`, `session.revoked`.
    #[schema(min_items = 1, max_items = 20, example = json!(["account.deleted"]))]
    events: Vec<String>,
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100)]
    description: Option<String>,
}

/// What is left out stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookPatch {
    #[serde(default)]
    #[schema(max_length = 2048)]
    url: Option<String>,
    #[serde(default)]
    #[schema(min_items = 1, max_items = 20)]
    events: Option<Vec<String>>,
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100)]
    description: Option<String>,
    /// `true` also for one that was given up.
    #[serde(default)]
    enabled: Option<bool>,
}

/// One event for one webhook.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookDelivery {
    id: Uuid,
    /// The header `webhook-id`, the same however often it is sent.
    #[schema(example = "msg_0199aaaabbbb7ccc8dddeeeeeeeeeeee")]
    event_id: String,
    #[schema(example = "account.deleted")]
    event: String,
    /// `waiting`, `delivered` or `failed`.
    #[schema(example = "delivered")]
    state: String,
    #[schema(example = 1)]
    tries: i64,
    /// Of the last answer.
    #[schema(required, example = 204)]
    status: Option<i64>,
    /// `status`, `redirect`, `blocked`, `timeout`, `unreachable`, `too_large`, `broken` or `webhook_disabled`.
    #[schema(required)]
    fault: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(required, format = DateTime)]
    tried_at: Option<String>,
    /// When it is tried next, while it waits.
    #[schema(required, format = DateTime)]
    next_try_at: Option<String>,
}

/// Deliveries of the last thirty days, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookDeliveries {
    items: Vec<WebhookDelivery>,
    /// Give it as `after` for older ones; null at the end.
    #[schema(required)]
    next: Option<Uuid>,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeliveriesQuery {
    /// `next` of the page before.
    after: Option<Uuid>,
    #[param(minimum = 1, maximum = 200, example = 50)]
    limit: Option<u32>,
}

impl From<Webhook> for WebhookBody {
    fn from(webhook: Webhook) -> Self {
        Self {
            id: webhook.id,
            url: webhook.url,
            description: webhook.description,
            events: webhook.events.iter().map(|event| event.name()).collect(),
            state: webhook.state.name(),
            failing_since: webhook.failing_since.map(|at| at.rfc3339()),
            created_at: webhook.created_at.rfc3339(),
            rotating_until: webhook.rotating_until.map(|at| at.rfc3339()),
        }
    }
}

impl From<WithSecret> for WebhookWithSecret {
    fn from(WithSecret { webhook, secret }: WithSecret) -> Self {
        Self { secret: secret.to_string(), webhook: webhook.into() }
    }
}

/// List webhooks
#[utoipa::path(get, path = "/v1/webhooks", operation_id = "listWebhooks", tag = "webhooks",
    responses((status = 200, description = "The webhooks", body = Webhooks), Refused<403>, Refused<404>))]
pub async fn list(
    Manager(manager): Manager,
    State(api): State<Api>,
) -> Result<axum::Json<Webhooks>, Problem> {
    let items = api.app.list_webhooks(&manager).await?.into_iter().map(WebhookBody::from).collect();
    Ok(axum::Json(Webhooks { items, next: None }))
}

/// Make a webhook
///
/// Events are posted there, signed as the Standard Webhooks say, at least once each. Operators need a fresh proof.
#[utoipa::path(post, path = "/v1/webhooks", operation_id = "createWebhook", tag = "webhooks", request_body = NewWebhookBody,
    responses((status = 201, description = "The webhook with its secret, which is shown this once", body = WebhookWithSecret), Refused<404>, Refused<409>))]
pub async fn create(
    Manager(manager): Manager,
    State(api): State<Api>,
    Json { value, .. }: Json<NewWebhookBody>,
) -> Result<Response, Problem> {
    let NewWebhookBody { url, events, description } = value;
    let new = NewWebhook { url, events: WebhookEvent::asked(&events)?, description };
    let made = api.app.create_webhook(&manager, new).await?;
    Ok((StatusCode::CREATED, axum::Json(WebhookWithSecret::from(made))).into_response())
}

/// Read a webhook
#[utoipa::path(get, path = "/v1/webhooks/{id}", operation_id = "getWebhook", tag = "webhooks",
    params(("id" = Uuid, Path, description = "Of the list")),
    responses((status = 200, description = "The webhook", body = WebhookBody), Refused<403>))]
pub async fn read(
    Manager(manager): Manager,
    State(api): State<Api>,
    Id(id): Id<Uuid>,
) -> Result<axum::Json<WebhookBody>, Problem> {
    Ok(axum::Json(api.app.webhook(&manager, id).await?.into()))
}

/// Change a webhook
///
/// Operators need a fresh proof.
#[utoipa::path(patch, path = "/v1/webhooks/{id}", operation_id = "changeWebhook", tag = "webhooks", request_body = WebhookPatch,
    params(("id" = Uuid, Path, description = "Of the list")),
    responses((status = 200, description = "The webhook as it is now", body = WebhookBody)))]
pub async fn change(
    Manager(manager): Manager,
    State(api): State<Api>,
    Id(id): Id<Uuid>,
    Json { value, .. }: Json<WebhookPatch>,
) -> Result<axum::Json<WebhookBody>, Problem> {
    let WebhookPatch { url, events, description, enabled } = value;
    let events = events.as_deref().map(WebhookEvent::asked).transpose()?;
    let change = Change { url, events, description, enabled };
    Ok(axum::Json(api.app.change_webhook(&manager, id, change).await?.into()))
}

/// Remove a webhook
///
/// With everything that waits for it. Operators need a fresh proof.
#[utoipa::path(delete, path = "/v1/webhooks/{id}", operation_id = "removeWebhook", tag = "webhooks",
    params(("id" = Uuid, Path, description = "Of the list")),
    responses((status = 204, description = "It is told nothing more")))]
pub async fn remove(
    Manager(manager): Manager,
    State(api): State<Api>,
    Id(id): Id<Uuid>,
) -> Result<StatusCode, Problem> {
    api.app.delete_webhook(&manager, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Renew a webhook's secret
///
/// For a day both the new one and the one before sign. Operators need a fresh proof.
#[utoipa::path(post, path = "/v1/webhooks/{id}/rotate", operation_id = "rotateWebhookSecret", tag = "webhooks",
    params(("id" = Uuid, Path, description = "Of the list")),
    responses((status = 200, description = "The webhook with its new secret, which is shown this once", body = WebhookWithSecret)))]
pub async fn rotate(
    Manager(manager): Manager,
    State(api): State<Api>,
    Id(id): Id<Uuid>,
) -> Result<axum::Json<WebhookWithSecret>, Problem> {
    Ok(axum::Json(api.app.rotate_webhook_secret(&manager, id).await?.into()))
}

/// List a webhook's deliveries
#[utoipa::path(get, path = "/v1/webhooks/{id}/deliveries", operation_id = "listWebhookDeliveries", tag = "webhooks",
    params(("id" = Uuid, Path, description = "Of the list of webhooks"), DeliveriesQuery),
    responses((status = 200, description = "A page of deliveries", body = WebhookDeliveries), Refused<403>))]
pub async fn deliveries(
    Manager(manager): Manager,
    State(api): State<Api>,
    Id(id): Id<Uuid>,
    Query(query): Query<DeliveriesQuery>,
) -> Result<axum::Json<WebhookDeliveries>, Problem> {
    let page = api.app.webhook_deliveries(&manager, id, query.after, query.limit).await?;
    let item = |delivery: app::webhooks::Delivery| WebhookDelivery {
        id: delivery.id,
        event_id: format!("msg_{}", delivery.event_id.simple()),
        event: delivery.event,
        state: delivery.state,
        tries: delivery.tries,
        status: delivery.status,
        fault: delivery.fault,
        created_at: delivery.created_at.rfc3339(),
        tried_at: delivery.tried_at.map(|at| at.rfc3339()),
        next_try_at: delivery.due_at.map(|at| at.rfc3339()),
    };
    Ok(axum::Json(WebhookDeliveries {
        items: page.deliveries.into_iter().map(item).collect(),
        next: page.next,
    }))
}

/// Send a delivery again
///
/// As the same event, whether it arrived or not. Operators need a fresh proof.
#[utoipa::path(post, path = "/v1/webhooks/{id}/deliveries/{delivery_id}/replay", operation_id = "replayWebhookDelivery", tag = "webhooks",
    params(("id" = Uuid, Path, description = "Of the list of webhooks"), ("delivery_id" = Uuid, Path, description = "Of the list of deliveries")),
    responses((status = 202, description = "It will be sent within seconds"), Refused<409>))]
pub async fn replay(
    Manager(manager): Manager,
    State(api): State<Api>,
    Id((id, delivery)): Id<(Uuid, Uuid)>,
) -> Result<StatusCode, Problem> {
    api.app.replay_delivery(&manager, id, delivery).await?;
    Ok(StatusCode::ACCEPTED)
}
