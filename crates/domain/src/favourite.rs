//! A favourite: a place or a point that somebody saved, with a name, a note and a place in the list.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ids::FavouriteId;
use crate::position::Position;
use crate::{Coordinates, Error, Invalid, Result, Timestamp, text};

mod patch;

pub use patch::{Patch, PatchFields};

/// What the person saved, all of it sealed at rest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Content {
    #[serde(rename = "n")]
    pub name: String,
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    pub lat: f64,
    pub lon: f64,
    /// IANA zone, always computed from the coordinates.
    pub tz: String,
    /// Of the gazetteer, when the favourite was picked there.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub place_id: Option<u32>,
    /// Metres above the sea: typed by the user, else the gazetteer's, else the provider's, else unknown.
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    pub elevation: Option<i32>,
    /// Which session or device made it, and the last change of each field since.
    #[serde(rename = "by", default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Uuid>,
    #[serde(rename = "ch", default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<FieldChange>,
}

/// The last change of one field: lets a device be told which of its edits lost to a later one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FieldChange {
    pub field: Field,
    pub rev: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Uuid>,
}

/// The fields that change one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    Name,
    Lat,
    Lon,
    PlaceId,
    Elevation,
    Note,
    Position,
}

/// A live favourite as its owner sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Favourite {
    pub id: FavouriteId,
    /// Number of the change that made it what it is; its ETag is `"r<rev>"`.
    pub rev: i64,
    pub content: Content,
    pub position: Position,
    pub updated_at: Timestamp,
}

/// What an id of an account leads to.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "one lives at a time, and nearly always it is the large one")]
pub enum Found {
    /// Nothing was ever made under it, as far as is still known.
    Nothing,
    /// A favourite that was removed; its id is not used again.
    Removed,
    Live(Favourite),
}

impl Found {
    pub const fn live(&self) -> Option<&Favourite> {
        match self {
            Self::Live(favourite) => Some(favourite),
            Self::Nothing | Self::Removed => None,
        }
    }
}

impl Content {
    pub fn coordinates(&self) -> Result<Coordinates> {
        Coordinates::parse(self.lat, self.lon)
    }

    fn note_change(&mut self, field: Field, rev: i64, by: Option<Uuid>) {
        self.changed.retain(|change| change.field != field);
        self.changed.push(FieldChange { field, rev, by });
    }

    /// The last change of a field since the favourite was made.
    pub fn last_change(&self, field: Field) -> Option<&FieldChange> {
        self.changed.iter().find(|change| change.field == field)
    }
}

/// A favourite to be made: what a body says, checked, with the gazetteer's answer filled in by the caller.
#[derive(Clone, Debug, PartialEq)]
pub struct NewFavourite {
    pub id: Option<FavouriteId>,
    pub name: Option<String>,
    pub note: Option<String>,
    pub at: Option<Coordinates>,
    pub place_id: Option<u32>,
    pub elevation: Option<i32>,
    pub position: Option<Position>,
}

/// The parts of a gazetteer entry that a favourite takes over.
#[derive(Clone, Debug, PartialEq)]
pub struct PickedPlace {
    pub name: String,
    pub at: Coordinates,
    pub elevation: Option<i32>,
}

/// Raw fields of a body, before any rule was applied.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields {
    pub name: Option<String>,
    pub note: Option<String>,
    pub lat: Option<f64>,
    pub lon: Option<f64>,
    pub place_id: Option<i64>,
    pub elevation: Option<i64>,
    pub position: Option<String>,
}

impl NewFavourite {
    /// Checks all fields and reports every wrong one. Either `place_id`, or `name` with `lat` and `lon`.
    pub fn parse(id: Option<FavouriteId>, fields: Fields) -> Result<Self> {
        let mut wrong = Vec::new();
        let name = take(fields.name.map(|t| text::name("/name", &t)), &mut wrong);
        let note = take(fields.note.map(|t| text::note("/note", &t)), &mut wrong).flatten();
        let place_id = take(fields.place_id.map(place_id), &mut wrong);
        let elevation = take(fields.elevation.map(elevation), &mut wrong);
        let position = take(fields.position.map(|t| Position::parse("/position", &t)), &mut wrong);
        let mut missing = |pointer: &'static str, detail: &'static str| {
            wrong.push(Invalid::new(pointer, "required", detail));
        };
        let at = match (fields.lat, fields.lon) {
            (Some(lat), Some(lon)) => take(Some(Coordinates::parse(lat, lon)), &mut wrong),
            (None, Some(_)) => {
                missing("/lat", "must be given together with lon");
                None
            }
            (Some(_), None) => {
                missing("/lon", "must be given together with lat");
                None
            }
            (None, None) => {
                if fields.place_id.is_none() {
                    missing("/lat", "is required unless place_id is given");
                    missing("/lon", "is required unless place_id is given");
                }
                None
            }
        };
        if name.is_none() && fields.place_id.is_none() && !wrong.iter().any(|w| w.pointer == "/name") {
            wrong.insert(0, Invalid::new("/name", "required", "is required unless place_id is given"));
        }
        if wrong.is_empty() {
            Ok(Self { id, name, note, at, place_id, elevation, position })
        } else {
            Err(Error::Invalid(wrong))
        }
    }

    /// What is saved: the body's fields, and the picked place's for those it leaves out.
    pub fn content(
        self,
        picked: Option<PickedPlace>,
        tz: impl FnOnce(Coordinates) -> String,
        by: Option<Uuid>,
    ) -> Result<(Content, Option<Position>)> {
        let (picked_name, picked_at, picked_elevation) = match picked {
            Some(place) => (Some(place.name), Some(place.at), place.elevation),
            None => (None, None, None),
        };
        let at = self.at.or(picked_at);
        let (Some(name), Some(at)) = (self.name.or(picked_name), at) else {
            return Err(Invalid::new("/place_id", "unknown", "there is no place with this id").into());
        };
        // The gazetteer's height is that of its own point: a typed coordinate does not inherit it.
        let inherited =
            if self.at.is_none_or(|typed| Some(typed) == picked_at) { picked_elevation } else { None };
        let content = Content {
            name,
            note: self.note,
            lat: at.lat(),
            lon: at.lon(),
            tz: tz(at),
            place_id: self.place_id,
            elevation: self.elevation.or(inherited),
            by,
            changed: Vec::new(),
        };
        Ok((content, self.position))
    }
}

fn take<T>(parsed: Option<Result<T>>, wrong: &mut Vec<Invalid>) -> Option<T> {
    match parsed? {
        Ok(value) => Some(value),
        Err(Error::Invalid(fields)) => {
            wrong.extend(fields);
            None
        }
        Err(other) => {
            wrong.push(Invalid::new("", "invalid", other.to_string()));
            None
        }
    }
}

fn place_id(id: i64) -> Result<u32> {
    u32::try_from(id)
        .map_err(|_| Invalid::new("/place_id", "unknown", "there is no place with this id").into())
}

fn elevation(metres: i64) -> Result<i32> {
    match i32::try_from(metres) {
        Ok(metres @ -500..=9000) => Ok(metres),
        _ => Err(Invalid::new("/elevation", "out_of_range", "must be between -500 and 9000 metres").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointers(error: Error) -> Vec<String> {
        match error {
            Error::Invalid(fields) => fields.into_iter().map(|f| f.pointer.into_owned()).collect(),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn every_wrong_field_is_reported_at_once() {
        let fields = Fields {
            name: Some("\u{202E}".into()),
            lat: Some(91.0),
            lon: Some(200.0),
            elevation: Some(10_000),
            position: Some("not one".into()),
            ..Fields::default()
        };
        let wrong = pointers(NewFavourite::parse(None, fields).unwrap_err());
        assert_eq!(wrong, ["/name", "/elevation", "/position", "/lat", "/lon"]);
        let none = pointers(NewFavourite::parse(None, Fields::default()).unwrap_err());
        assert_eq!(none, ["/name", "/lat", "/lon"]);
        let half = Fields { place_id: Some(1), lat: Some(1.0), ..Fields::default() };
        assert_eq!(pointers(NewFavourite::parse(None, half).unwrap_err()), ["/lon"]);
    }

    #[test]
    fn a_picked_place_fills_what_the_body_leaves_out() {
        let place = PickedPlace {
            name: "Lisbon".into(),
            at: Coordinates::parse(38.7, -9.1).unwrap(),
            elevation: Some(45),
        };
        let fields = Fields { place_id: Some(2_267_057), name: Some("Granny".into()), ..Fields::default() };
        let new = NewFavourite::parse(None, fields).unwrap();
        let (content, _) = new.content(Some(place.clone()), |_| "Europe/Lisbon".into(), None).unwrap();
        assert_eq!((content.name.as_str(), content.elevation), ("Granny", Some(45)));
        let elsewhere = Fields { place_id: Some(1), lat: Some(40.0), lon: Some(-8.0), ..Fields::default() };
        let new = NewFavourite::parse(None, elsewhere).unwrap();
        let (content, _) = new.content(Some(place), |_| "Europe/Lisbon".into(), None).unwrap();
        assert_eq!(content.elevation, None);
    }
}
