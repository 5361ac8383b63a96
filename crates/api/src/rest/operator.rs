//! `/v1/operator`: what operators do. For everybody else there is nothing here.

use app::accounts::AccountLine;
use app::audit::{Line, Question};
use axum::extract::State;
use domain::account::{Role, Roles};
use domain::{AccountId, Invalid};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::Api;
use crate::authentication::{Manager, Operator};
use crate::json::Json;
use crate::openapi::Refused;
use crate::problem::Problem;
use crate::query::{Id, Query};
use crate::rest::sessions::EndedSessions;

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

/// One account, without anything that it keeps.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Account)]
pub struct AccountBody {
    id: Uuid,
    /// `anonymous` until there is a way to sign in, then `registered`.
    #[schema(example = "registered")]
    kind: &'static str,
    /// Null when there is none. Services are told none.
    #[schema(required, example = "ann@example.org")]
    email: Option<String>,
    roles: Vec<&'static str>,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    seen_at: String,
}

/// Accounts, the oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Accounts {
    items: Vec<AccountBody>,
    /// Give it as `after` for the next page; null on the last.
    #[schema(required)]
    next: Option<Uuid>,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AccountsQuery {
    /// `next` of the page before.
    after: Option<Uuid>,
    #[param(minimum = 1, maximum = 200, example = 50)]
    limit: Option<u32>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleChange {
    /// `operator` or `analyst`.
    #[schema(example = "analyst")]
    role: String,
    /// `false` takes it.
    granted: bool,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct RolesBody {
    #[schema(example = json!(["user", "analyst"]))]
    roles: Vec<&'static str>,
}

fn names(roles: Roles) -> Vec<&'static str> {
    roles.iter().map(|role| role.name()).collect()
}

/// List accounts
///
/// The oldest first. Nothing that they keep is shown. For operators, and for keys with the scope `accounts:read`, which
/// are told no addresses.
#[utoipa::path(get, path = "/v1/operator/accounts", operation_id = "listAccounts", tag = "operator", params(AccountsQuery),
    responses((status = 200, description = "A page of accounts", body = Accounts), Refused<403>, Refused<404>))]
pub async fn accounts(
    Manager(manager): Manager,
    State(api): State<Api>,
    Query(query): Query<AccountsQuery>,
) -> Result<axum::Json<Accounts>, Problem> {
    let page = api.app.accounts_page(&manager, query.after.map(AccountId::from_uuid), query.limit).await?;
    let item = |line: AccountLine| AccountBody {
        id: line.id.uuid(),
        kind: if line.is_anonymous { "anonymous" } else { "registered" },
        email: line.email,
        roles: names(line.roles),
        created_at: line.created_at.rfc3339(),
        seen_at: line.seen_at.rfc3339(),
    };
    let items = page.accounts.into_iter().map(item).collect();
    Ok(axum::Json(Accounts { items, next: page.next.map(AccountId::uuid) }))
}

/// End all sessions of an account
///
/// Everywhere within five seconds. Needs the role of an operator and a fresh proof (`insufficient_user_authentication`).
#[utoipa::path(post, path = "/v1/operator/accounts/{id}/end-sessions", operation_id = "endSessionsOfAccount", tag = "operator",
    params(("id" = Uuid, Path, description = "Of the list")),
    responses((status = 200, description = "How many have ended", body = EndedSessions)))]
pub async fn end_sessions(
    Operator(caller): Operator,
    State(api): State<Api>,
    Id(id): Id<Uuid>,
) -> Result<axum::Json<EndedSessions>, Problem> {
    let ended = api.app.end_sessions_of(&caller, AccountId::from_uuid(id)).await?;
    Ok(axum::Json(EndedSessions { ended }))
}

/// Give or take a role
///
/// All sessions of the account end, since they keep the roles they began with. Needs the role of an operator and a
/// fresh proof (`insufficient_user_authentication`). An account without a second factor is given none
/// (`second_factor_required`).
#[utoipa::path(post, path = "/v1/operator/accounts/{id}/roles", operation_id = "changeRoles", tag = "operator", request_body = RoleChange,
    params(("id" = Uuid, Path, description = "Of the list")),
    responses((status = 200, description = "The roles as they are now", body = RolesBody), Refused<409>))]
pub async fn roles(
    Operator(caller): Operator,
    State(api): State<Api>,
    Id(id): Id<Uuid>,
    Json { value, .. }: Json<RoleChange>,
) -> Result<axum::Json<RolesBody>, Problem> {
    let unknown = || domain::Error::from(Invalid::new("/role", "unknown", "must be operator or analyst"));
    let role = Role::parse(&value.role).ok_or_else(unknown)?;
    let roles = api.app.grant_role(&caller, AccountId::from_uuid(id), role, value.granted).await?;
    Ok(axum::Json(RolesBody { roles: names(roles) }))
}

/// Read the audit log
///
/// What happened to accounts and by whom, the newest first. For operators, and for keys with the scope `audit:read`.
#[utoipa::path(get, path = "/v1/operator/audit", operation_id = "readAudit", tag = "operator", params(AuditQuery),
    responses((status = 200, description = "A page of the log", body = AuditLines), Refused<403>, Refused<404>))]
pub async fn audit(
    Manager(manager): Manager,
    State(api): State<Api>,
    Query(query): Query<AuditQuery>,
) -> Result<axum::Json<AuditLines>, Problem> {
    let AuditQuery { account, event, after, limit } = query;
    let question = Question { account: account.map(AccountId::from_uuid), event, after, limit };
    let page = api.app.read_audit(&manager, question).await?;
    let items = page.lines.into_iter().map(AuditLine::from).collect();
    Ok(axum::Json(AuditLines { items, next: page.next }))
}
