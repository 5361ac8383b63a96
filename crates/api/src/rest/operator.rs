//! `/v1/operator`: what operators do. For everybody else there is nothing here.

use app::audit::{Line, Question};
use axum::extract::State;
use domain::AccountId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::Api;
use crate::authentication::Authenticated;
use crate::openapi::Refused;
use crate::problem::Problem;
use crate::query::Query;

/// One line of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditLine {
    id: Uuid,
    #[schema(format = DateTime)]
    at: String,
    #[schema(example = "signed_in")]
    event: String,
    /// The account that it happened to. A removed one stands under another id.
    #[schema(required)]
    account_id: Option<Uuid>,
    /// `owner`, `operator`, `api_key`, `command_line`, `server` or `unknown`.
    #[schema(example = "owner")]
    actor: String,
    /// The operator's account, or the key.
    #[schema(required)]
    actor_id: Option<Uuid>,
    /// Equal for equal networks; the address cannot be read from it.
    #[schema(required, example = "9f3c01a4d2b75e60")]
    network: Option<String>,
    /// What more there is to say: a role, a reason, a kind of factor, a provider.
    #[schema(required, example = "password")]
    word: Option<String>,
    /// The session, key, webhook or delivery that it is about.
    #[schema(required)]
    item_id: Option<Uuid>,
    /// How often, where several are told as one.
    #[schema(example = 1)]
    times: i64,
}

/// Lines of the audit log, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditLines {
    items: Vec<AuditLine>,
    /// Give it as `after` for older ones; null at the end.
    #[schema(required)]
    next: Option<Uuid>,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// Of this account only; also one that was removed.
    account: Option<Uuid>,
    /// Of this kind only.
    #[param(example = "sign_in_failed")]
    event: Option<String>,
    /// `next` of the page before.
    after: Option<Uuid>,
    #[param(minimum = 1, maximum = 500, example = 100)]
    limit: Option<u32>,
}

impl From<Line> for AuditLine {
    fn from(line: Line) -> Self {
        Self {
            id: line.id,
            at: line.at.rfc3339(),
            event: line.event,
            account_id: line.account,
            actor: line.actor,
            actor_id: line.actor_id,
            network: line.network,
            word: line.word,
            item_id: line.item,
            times: line.times,
        }
    }
}

/// Read the audit log
///
/// What happened to accounts and by whom, the newest first. Needs the role of an operator.
#[utoipa::path(get, path = "/v1/operator/audit", operation_id = "readAudit", tag = "operator", params(AuditQuery),
    responses((status = 200, description = "A page of the log", body = AuditLines), Refused<404>))]
pub async fn audit(
    Authenticated(caller): Authenticated,
    State(api): State<Api>,
    Query(query): Query<AuditQuery>,
) -> Result<axum::Json<AuditLines>, Problem> {
    let AuditQuery { account, event, after, limit } = query;
    let question = Question { account: account.map(AccountId::from_uuid), event, after, limit };
    let page = api.app.read_audit(&caller, question).await?;
    let items = page.lines.into_iter().map(AuditLine::from).collect();
    Ok(axum::Json(AuditLines { items, next: page.next }))
}
