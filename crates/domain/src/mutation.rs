//! Changes that a device made while nobody watched, and the rules by which they meet those of other devices.
//!
//! The order in which the server commits decides, never a device's clock. A removal wins over every change.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::favourite::{Favourite, Field, Found, NewFavourite, Patch};
use crate::{FavouriteId, Invalid, Timestamp};

/// How long a device may wait with sending a mutation. Receipts are kept longer, so a younger mutation is known if
/// it was applied, and an older one is refused without asking.
pub const OLDEST: Duration = Duration::from_hours(90 * 24);
/// How long it is remembered what became of a mutation, from when it was made or applied, whichever is later.
pub const RECEIPTS_KEPT: Duration = Duration::from_hours(95 * 24);
/// How far ahead a device's clock may be. Receipts of its mutations are kept so much longer.
pub const AHEAD: Duration = Duration::from_hours(90 * 24);

/// One change of one favourite, as a device sends it.
#[derive(Clone, Debug, PartialEq)]
pub struct Mutation {
    /// Made by the client; under it the change happens once.
    pub mid: Uuid,
    pub id: FavouriteId,
    /// The favourite's revision when the device changed it; `None` for a favourite that it had made itself.
    pub base_rev: Option<i64>,
    pub policy: Policy,
    pub op: Op,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    Create(NewFavourite),
    Update(Patch),
    Delete,
}

/// What to do when the favourite changed since.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// The fields that are set win; the others stay.
    #[default]
    Merge,
    /// Nothing is changed.
    IfMatch,
}

/// What a mutation comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step<'a> {
    Create,
    Change(&'a Favourite, &'a Patch),
    Remove(&'a Favourite),
    /// It is so already.
    Nothing,
}

/// Why a mutation was not applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is a favourite with this id.
    Exists,
    /// The favourite was removed, or never was.
    Gone,
    /// It changed since, and the policy is [`Policy::IfMatch`].
    Stale,
    /// What it sets does not fit.
    Invalid,
    /// The account holds as many favourites as it may.
    Quota,
    /// Its mid was used for something else.
    MidReused,
    /// Its mid is too old for anybody to know whether it was applied.
    Expired,
}

impl Refusal {
    pub const ALL: [Self; 7] =
        [Self::Exists, Self::Gone, Self::Stale, Self::Invalid, Self::Quota, Self::MidReused, Self::Expired];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exists => "exists",
            Self::Gone => "gone",
            Self::Stale => "stale",
            Self::Invalid => "invalid",
            Self::Quota => "quota",
            Self::MidReused => "mid_reused",
            Self::Expired => "expired",
        }
    }

    /// Whether another device's change stands in the way; otherwise the mutation itself is at fault.
    pub const fn is_conflict(self) -> bool {
        matches!(self, Self::Exists | Self::Gone | Self::Stale)
    }
}

/// What became of a mutation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It changed the favourite, as this revision.
    Applied(i64),
    /// It came before, and was applied as this revision, or changed nothing then.
    Duplicate(Option<i64>),
    /// What it asks for is so already.
    Noop,
    Refused(Refusal),
}

/// The answer to one mutation.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    pub mid: Uuid,
    pub status: Status,
    /// Values of other devices that it replaced.
    pub overwrote: Vec<Lost>,
    /// What does not fit, with [`Refusal::Invalid`]; pointers lead into the mutation.
    pub errors: Vec<Invalid>,
    /// The favourite as it is now, if it is there.
    pub item: Option<Favourite>,
}

impl Outcome {
    pub fn new(mid: Uuid, status: Status) -> Self {
        Self { mid, status, overwrote: Vec::new(), errors: Vec::new(), item: None }
    }

    pub fn invalid(mid: Uuid, errors: Vec<Invalid>) -> Self {
        Self { errors, ..Self::new(mid, Status::Refused(Refusal::Invalid)) }
    }

    /// The same for what its `set` says, with pointers into that.
    pub fn invalid_set(mid: Uuid, errors: &[Invalid]) -> Self {
        let inside = |invalid: &Invalid| Invalid {
            pointer: format!("/set{}", invalid.pointer).into(),
            ..invalid.clone()
        };
        Self::invalid(mid, errors.iter().map(inside).collect())
    }
}

/// A value that was there before a mutation replaced it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lost {
    pub field: Field,
    pub was: Value,
    /// The change that had set it.
    pub rev: i64,
}

/// A field's value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    Whole(i64),
    Degrees(f64),
    Text(String),
    Nothing,
}

impl Mutation {
    /// What is to be done, by what is there, or what stands in the way.
    pub fn judge<'a>(&'a self, found: &'a Found) -> Result<Step<'a>, Refusal> {
        match (&self.op, found) {
            (Op::Create(_), Found::Nothing) => Ok(Step::Create),
            (Op::Create(_), Found::Live(_)) => Err(Refusal::Exists),
            (Op::Create(_), Found::Removed) | (Op::Update(_), Found::Nothing | Found::Removed) => {
                Err(Refusal::Gone)
            }
            (Op::Delete, Found::Nothing | Found::Removed) => Ok(Step::Nothing),
            (Op::Update(_) | Op::Delete, Found::Live(favourite)) if self.is_stale(favourite) => {
                Err(Refusal::Stale)
            }
            (Op::Update(patch), Found::Live(favourite)) => Ok(Step::Change(favourite, patch)),
            (Op::Delete, Found::Live(favourite)) => Ok(Step::Remove(favourite)),
        }
    }

    fn is_stale(&self, favourite: &Favourite) -> bool {
        self.policy == Policy::IfMatch && self.base_rev != Some(favourite.rev)
    }

    /// Until when it must be remembered what became of this: after that its age alone says that it came before.
    ///
    /// # Errors
    /// When it is so old that nobody may know any more; and when its mid tells no age, or one that is not to be
    /// believed, since a late repeat would then be applied again. Pointers lead into the mutation.
    pub fn remembered_until(&self, now: Timestamp) -> Result<Timestamp, (Refusal, Vec<Invalid>)> {
        let invalid = |code, detail| (Refusal::Invalid, vec![Invalid::new("/mid", code, detail)]);
        let made = made_at(self.mid).ok_or_else(|| invalid("malformed", "must be a UUIDv7"))?;
        if made > now.plus(AHEAD) {
            return Err(invalid(
                "out_of_range",
                "carries a time that is far ahead: the device's clock is wrong",
            ));
        }
        if made < now.minus(OLDEST) {
            return Err((Refusal::Expired, Vec::new()));
        }
        Ok(made.max(now).plus(RECEIPTS_KEPT))
    }

    /// Everything that makes this mutation what it is, one part each: two are the same exactly when their parts
    /// are. Device, cursor and the place in a batch are not in it, since a repeat may differ in those.
    pub fn parts(&self) -> Vec<Vec<u8>> {
        let op = match &self.op {
            Op::Create(_) => "create",
            Op::Update(_) => "update",
            Op::Delete => "delete",
        };
        let policy = match self.policy {
            Policy::Merge => "merge",
            Policy::IfMatch => "if_match",
        };
        let mut parts = vec![b"favourite".to_vec(), op.into(), self.id.uuid().as_bytes().to_vec()];
        parts.push(given(self.base_rev.map(i64::to_be_bytes)));
        parts.push(policy.into());
        match &self.op {
            Op::Create(new) => {
                let NewFavourite { id: _, name, note, at, place_id, elevation, position } = new;
                parts.push(given(name.as_ref()));
                parts.push(given(note.as_ref()));
                parts.push(given(at.map(|at| at.lat().to_bits().to_be_bytes())));
                parts.push(given(at.map(|at| at.lon().to_bits().to_be_bytes())));
                parts.push(given(place_id.map(u32::to_be_bytes)));
                parts.push(given(elevation.map(i32::to_be_bytes)));
                parts.push(given(position.as_ref().map(|position| position.as_str())));
            }
            Op::Update(patch) => {
                let Patch { name, note, lat, lon, place_id, elevation, position } = patch;
                parts.push(given(name.as_ref()));
                parts.push(given(note.as_ref().map(|note| given(note.as_ref()))));
                parts.push(given(lat.map(|lat| lat.to_bits().to_be_bytes())));
                parts.push(given(lon.map(|lon| lon.to_bits().to_be_bytes())));
                parts.push(given(place_id.map(|id| given(id.map(u32::to_be_bytes)))));
                parts.push(given(elevation.map(|metres| given(metres.map(i32::to_be_bytes)))));
                parts.push(given(position.as_ref().map(|position| position.as_str())));
            }
            Op::Delete => {}
        }
        parts
    }

    /// The values that were lost when this mutation made `after` of `before`: those whose last change its device
    /// had not seen and had not made. A device that knew no revision at all is told nothing.
    pub fn overwrote(&self, before: &Favourite, after: &Favourite, device: Uuid) -> Vec<Lost> {
        let Some(base_rev) = self.base_rev else { return Vec::new() };
        let mut lost = Vec::new();
        for field in Field::ALL {
            let was = value(before, field);
            let Some(change) = before.content.last_change(field) else { continue };
            if was != value(after, field) && change.rev > base_rev && change.by != Some(device) {
                lost.push(Lost { field, was, rev: change.rev });
            }
        }
        lost
    }
}

impl Field {
    pub const ALL: [Self; 7] =
        [Self::Name, Self::Lat, Self::Lon, Self::PlaceId, Self::Elevation, Self::Note, Self::Position];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Lat => "lat",
            Self::Lon => "lon",
            Self::PlaceId => "place_id",
            Self::Elevation => "elevation",
            Self::Note => "note",
            Self::Position => "position",
        }
    }
}

fn value(favourite: &Favourite, field: Field) -> Value {
    let content = &favourite.content;
    let text = |text: &str| Value::Text(text.to_owned());
    match field {
        Field::Name => text(&content.name),
        Field::Lat => Value::Degrees(content.lat),
        Field::Lon => Value::Degrees(content.lon),
        Field::PlaceId => content.place_id.map_or(Value::Nothing, |id| Value::Whole(i64::from(id))),
        Field::Elevation => {
            content.elevation.map_or(Value::Nothing, |metres| Value::Whole(i64::from(metres)))
        }
        Field::Note => content.note.as_deref().map_or(Value::Nothing, text),
        Field::Position => text(favourite.position.as_str()),
    }
}

/// Tells what is not there from what is there and empty.
fn given(value: Option<impl AsRef<[u8]>>) -> Vec<u8> {
    value.map_or_else(Vec::new, |value| [b"=", value.as_ref()].concat())
}

/// The moment that a UUIDv7 carries.
fn made_at(mid: Uuid) -> Option<Timestamp> {
    let (seconds, nanos) = match mid.get_version_num() {
        7 => mid.get_timestamp()?.to_unix(),
        _ => return None,
    };
    let millis = i64::try_from(seconds).ok()?.checked_mul(1000)?;
    Some(Timestamp::from_millis(millis.checked_add(i64::from(nanos / 1_000_000))?))
}

#[cfg(test)]
mod tests;
