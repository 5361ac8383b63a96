//! `GET /v1/changes`.

use axum::extract::State;
use domain::Invalid;
use domain::change::{Change, Delta};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::Api;
use crate::authentication::Authenticated;
use crate::openapi::Refused;
use crate::problem::Problem;
use crate::query::Query;
use crate::rest::favourites::FavouriteBody;

/// The changes that lead from one cursor to another. An item appears once, as its newest change left it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Delta)]
pub struct DeltaBody {
    /// The cursor that was asked.
    #[schema(example = "v1.2851.41")]
    from: String,
    /// Where to go on: the end of the log, or of this page when `has_more`.
    #[schema(example = "v1.2851.57")]
    to: String,
    /// In the order of their revisions.
    changes: Vec<ChangeBody>,
    /// There are more behind `to`.
    has_more: bool,
}

/// The newest change of one item.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Change)]
pub struct ChangeBody {
    /// What kind of thing changed. Kinds that a client does not know are to be ignored.
    #[schema(example = "favourite")]
    kind: &'static str,
    id: Uuid,
    #[schema(example = 57)]
    rev: i64,
    /// It was removed; there is no `item` then.
    deleted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    item: Option<FavouriteBody>,
}

impl From<Delta> for DeltaBody {
    fn from(delta: Delta) -> Self {
        let Delta { from, to, changes, has_more } = delta;
        Self {
            from: from.to_string(),
            to: to.to_string(),
            changes: changes.into_iter().map(ChangeBody::from).collect(),
            has_more,
        }
    }
}

impl From<Change> for ChangeBody {
    fn from(Change { id, rev, item }: Change) -> Self {
        let deleted = item.is_none();
        Self { kind: "favourite", id: id.uuid(), rev, deleted, item: item.map(FavouriteBody::from) }
    }
}

/// Read what changed
///
/// What happened to favourites since a cursor, by this device or another. 410 says that it cannot be told: take
/// the snapshot anew and go on from its cursor.
#[utoipa::path(get, path = "/v1/changes", operation_id = "listChanges", tag = "sync",
    params(("since" = String, Query, description = "A cursor: of the snapshot, or `to` of the delta before", example = "v1.2851.41"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 500, example = 500, description = "Changes of one page; 500 when left out")),
    responses((status = 200, description = "The changes", body = DeltaBody), Refused<410>))]
pub async fn list(
    Authenticated(caller): Authenticated,
    State(api): State<Api>,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<axum::Json<DeltaBody>, Problem> {
    let (since, limit) = parse(&query)?;
    let delta = api.app.changes(&caller, since, limit).await?.map_err(Problem::reset)?;
    Ok(axum::Json(delta.into()))
}

/// A cursor that is missing or given twice is no cursor, which sends the client to the snapshot like any other
/// that cannot be read. Everything else about the query is refused as usual.
fn parse(query: &[(String, String)]) -> domain::Result<(Option<&str>, Option<u32>)> {
    let (mut cursors, mut limit) = (Vec::new(), None);
    for (name, value) in query {
        match name.as_str() {
            "since" => cursors.push(value.as_str()),
            "limit" if limit.is_some() => {
                return Err(Invalid::new("?limit", "duplicate", "is there twice").into());
            }
            "limit" => {
                let number = value.parse::<u32>();
                limit = Some(number.map_err(|_| Invalid::new("?limit", "wrong_type", "must be a number"))?);
            }
            other => {
                return Err(Invalid::new(format!("?{other}"), "unknown_field", "is not known here").into());
            }
        }
    }
    let [since] = cursors[..] else { return Ok((None, limit)) };
    Ok((Some(since), limit))
}
