//! `POST /v1/sync`.

use std::collections::BTreeMap;

use app::sync::{Batch, MOST_MUTATIONS, Synced};
use axum::extract::State;
use domain::cursor::{Cursor, Reset};
use domain::favourite::Field;
use domain::mutation::{Lost, Mutation, Op, Outcome, Policy, Status, Value};
use domain::{FavouriteId, Invalid};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::Api;
use crate::authentication::Authenticated;
use crate::json::{self, Json, Whole};
use crate::problem::{FieldProblem, Problem, SNAPSHOT};
use crate::rest::changes::DeltaBody;
use crate::rest::favourites::{FavouriteBody, FavouritePatch, NewFavouriteBody};

/// The largest batch, in bytes.
pub const BODY: usize = 256 * 1024;

/// What a device did, and how far it knows the log.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Sync)]
pub struct SyncBody {
    /// Made by the client, one per installation: what one device did is no news to itself.
    device: Uuid,
    /// The device's cursor; null when it is about to take the snapshot.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "v1.2851.41")]
    since: Option<Box<RawValue>>,
    /// In the order in which they were made.
    #[schema(value_type = Vec<MutationBody>, max_items = 100)]
    mutations: Vec<Box<RawValue>>,
}

/// What every mutation must say before it can be answered at all.
#[derive(Debug, Deserialize)]
struct Envelope {
    mid: Uuid,
    #[expect(dead_code, reason = "only checked")]
    kind: Kind,
    op: Operation,
    id: Uuid,
}

/// One change of one item.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Mutation)]
pub struct MutationBody {
    /// Made by the client (UUIDv7, no other): under it the change happens once, however often it is sent.
    #[expect(dead_code, reason = "read with the envelope")]
    mid: Uuid,
    #[expect(dead_code, reason = "read with the envelope")]
    kind: Kind,
    #[expect(dead_code, reason = "read with the envelope")]
    op: Operation,
    /// Of the item; for a new one made by the client (UUIDv7).
    #[expect(dead_code, reason = "read with the envelope")]
    id: Uuid,
    /// The item's revision when the device changed it; null when the device had made it itself and was not told
    /// yet.
    #[serde(default)]
    #[schema(value_type = Option<i64>, example = 41)]
    base_rev: Option<Whole>,
    /// Fields as in `PUT /v1/favourites/{id}` for `create`, as in `PATCH` for `update`; nothing for `delete`.
    #[serde(default)]
    #[schema(value_type = Option<FavouritePatch>)]
    set: Option<Box<RawValue>>,
    /// `merge` when left out.
    #[serde(default)]
    policy: Option<PolicyName>,
}

/// Kinds of things that are kept alike on all devices.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Favourite,
}

#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    Create,
    Update,
    Delete,
}

/// `merge`: the fields that are set win, the others stay. `if_match`: nothing changes unless `base_rev` is the
/// item's revision.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PolicyName {
    Merge,
    IfMatch,
}

/// What became of a batch.
#[derive(Debug, Serialize, ToSchema)]
pub struct SyncResult {
    /// One per mutation, in their order.
    results: Vec<MutationResult>,
    /// What changed since the device's cursor, its own mutations included; null without a cursor, or with one that
    /// cannot be continued from.
    #[schema(required)]
    delta: Option<DeltaBody>,
    /// Why there is no delta although there was a cursor: take the snapshot.
    #[schema(required)]
    reset: Option<ResetBody>,
}

/// The changes cannot be told.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Reset)]
pub struct ResetBody {
    /// `expired`, `era`, `ahead` or `malformed`.
    #[schema(example = "expired")]
    reason: &'static str,
    /// What to read instead.
    #[schema(example = "/v1/favourites")]
    snapshot: &'static str,
}

/// What became of one mutation.
#[derive(Debug, Serialize, ToSchema)]
pub struct MutationResult {
    mid: Uuid,
    /// `applied`; `duplicate` (applied when it came before); `noop` (it is so already); `conflict` (another device's
    /// change stands in the way); `rejected` (the mutation is at fault).
    #[schema(example = "applied")]
    status: &'static str,
    /// Number of the change, when it was applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = 57)]
    rev: Option<i64>,
    /// By field: values of other devices that this device had not seen and that it replaced.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    overwrote: BTreeMap<&'static str, LostBody>,
    /// With `conflict`: `exists`, `gone` or `stale`; with `rejected`: `invalid`, `quota`, `mid_reused` or `expired`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "stale")]
    error: Option<&'static str>,
    /// With `invalid`: each wrong field, with a pointer into the body of the request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldProblem>,
    /// The item as it is now, if it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    item: Option<FavouriteBody>,
}

/// A value that was replaced.
#[derive(Debug, Serialize, ToSchema)]
pub struct LostBody {
    #[schema(value_type = serde_json::Value, example = "mind the step")]
    was: Value,
    /// The change that had set it.
    #[schema(example = 44)]
    rev: i64,
}

impl SyncBody {
    pub fn parse(self) -> Result<Batch, Problem> {
        let Self { device, since, mutations } = self;
        // Told before any of them is looked at, since there may be very many.
        if mutations.len() > MOST_MUTATIONS {
            let detail = format!("must hold at most {MOST_MUTATIONS} mutations");
            return Err(domain::Error::from(Invalid::new("/mutations", "out_of_range", detail)).into());
        }
        let mutations = mutations.iter().enumerate().map(|(n, raw)| parse(&format!("/mutations/{n}"), raw));
        Ok(Batch {
            device,
            since: since.as_deref().and_then(cursor),
            mutations: mutations.collect::<Result<_, _>>()?,
        })
    }
}

/// Whatever is no cursor sends the device to the snapshot, and never keeps its mutations from being applied.
fn cursor(since: &RawValue) -> Option<Result<Cursor, Reset>> {
    match serde_json::from_str::<Option<String>>(since.get()) {
        Ok(since) => since.map(|since| Cursor::parse(&since)),
        Err(_) => Some(Err(Reset::Malformed)),
    }
}

/// A mutation, or why it is rejected. A problem of the whole batch only when not even its `mid` can be answered.
fn parse(at: &str, raw: &RawValue) -> Result<Result<Mutation, Outcome>, Problem> {
    let raw = raw.get().as_bytes();
    let Envelope { mid, op, id, .. } =
        json::parse(raw).map_err(|problem| domain::Error::Invalid(pointed(at, &problem)))?;
    let rest = json::parse::<MutationBody>(raw).map_err(|problem| pointed("", &problem));
    let parsed = rest.and_then(|MutationBody { base_rev, set, policy, .. }| {
        // A favourite is made under a sound id, so others lead nowhere.
        let id = match op {
            Operation::Create => FavouriteId::of_client(id).map_err(|invalid| vec![invalid])?,
            Operation::Update | Operation::Delete => FavouriteId::from_uuid(id),
        };
        let policy = match policy {
            Some(PolicyName::IfMatch) => Policy::IfMatch,
            Some(PolicyName::Merge) | None => Policy::Merge,
        };
        let base_rev = base_rev.map(|rev| rev.0);
        Ok(Mutation { mid, id, base_rev, policy, op: operation(op, set.as_deref())? })
    });
    Ok(parsed.map_err(|errors| Outcome::invalid(mid, errors)))
}

fn operation(op: Operation, set: Option<&RawValue>) -> Result<Op, Vec<Invalid>> {
    let raw = set.map_or("{}", RawValue::get).as_bytes();
    let op = match op {
        Operation::Create => {
            json::parse::<NewFavouriteBody>(raw).and_then(|body| Ok(Op::Create(body.parse()?)))
        }
        Operation::Update => {
            json::parse::<FavouritePatch>(raw).and_then(|body| Ok(Op::Update(body.parse()?)))
        }
        Operation::Delete => json::parse::<Nothing>(raw).map(|Nothing {}| Op::Delete),
    };
    op.map_err(|problem| pointed("/set", &problem))
}

/// What may be set with a removal.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// What a problem says of a part, with pointers into what it is a part of.
fn pointed(at: &str, problem: &Problem) -> Vec<Invalid> {
    if problem.errors.is_empty() {
        return vec![Invalid::new(at.to_owned(), problem.code, problem.detail.clone())];
    }
    let whole =
        |invalid: &Invalid| Invalid { pointer: format!("{at}{}", invalid.pointer).into(), ..invalid.clone() };
    problem.errors.iter().map(whole).collect()
}

impl MutationResult {
    /// The answer to the mutation at this place in the batch.
    fn new(at: usize, outcome: Outcome) -> Self {
        let Outcome { mid, status, overwrote, errors, item } = outcome;
        let (status, rev, error) = match status {
            Status::Applied(rev) => ("applied", Some(rev), None),
            Status::Duplicate(rev) => ("duplicate", rev, None),
            Status::Noop => ("noop", None, None),
            Status::Refused(why) if why.is_conflict() => ("conflict", None, Some(why.as_str())),
            Status::Refused(why) => ("rejected", None, Some(why.as_str())),
        };
        let whole = |invalid: Invalid| {
            let pointer = format!("/mutations/{at}{}", invalid.pointer);
            FieldProblem::from(Invalid { pointer: pointer.into(), ..invalid })
        };
        let lost = |Lost { field, was, rev }: Lost| (Field::as_str(field), LostBody { was, rev });
        Self {
            mid,
            status,
            rev,
            overwrote: overwrote.into_iter().map(lost).collect(),
            error,
            errors: errors.into_iter().map(whole).collect(),
            item: item.map(FavouriteBody::from),
        }
    }
}

impl From<Reset> for ResetBody {
    fn from(reset: Reset) -> Self {
        Self { reason: reset.as_str(), snapshot: SNAPSHOT }
    }
}

/// Send changes and receive changes
///
/// Up to 100 mutations of one device, applied in their order in one transaction with a result each, then what
/// changed since the device's cursor. May be repeated as often as needed: a mutation has its effect once. An old
/// cursor never keeps mutations from being applied.
#[utoipa::path(post, path = "/v1/sync", operation_id = "sync", tag = "sync", request_body = SyncBody,
    responses((status = 200, description = "What became of each mutation, and what changed", body = SyncResult)))]
pub async fn sync(
    Authenticated(caller): Authenticated,
    State(api): State<Api>,
    Json { value, .. }: Json<SyncBody>,
) -> Result<axum::Json<SyncResult>, Problem> {
    let Synced { results, delta, reset } = api.app.sync(&caller, value.parse()?).await?;
    Ok(axum::Json(SyncResult {
        results: results
            .into_iter()
            .enumerate()
            .map(|(at, outcome)| MutationResult::new(at, outcome))
            .collect(),
        delta: delta.map(DeltaBody::from),
        reset: reset.map(ResetBody::from),
    }))
}
