//! A favourite: a place or a point that somebody saved, with a name, a note and a place in the list.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ids::FavouriteId;
use crate::position::Position;
use crate::{Coordinates, Error, Invalid, Result, Timestamp, text};

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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

impl Content {
    pub fn coordinates(&self) -> Result<Coordinates> {
        Coordinates::parse(self.lat, self.lon)
    }

    fn note_change(&mut self, field: Field, rev: i64, by: Option<Uuid>) {
        self.changed.retain(|change| change.field != field);
        self.changed.push(FieldChange { field, rev, by });
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

/// A JSON merge patch (RFC 7396) of a favourite: outer `None` leaves a field, inner `None` clears it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Patch {
    pub name: Option<String>,
    pub note: Option<Option<String>>,
    pub lat: Option<f64>,
    pub lon: Option<f64>,
    pub place_id: Option<Option<u32>>,
    pub elevation: Option<Option<i32>>,
    pub position: Option<Position>,
}

/// Raw fields of a patch body.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PatchFields {
    pub name: Option<Option<String>>,
    pub note: Option<Option<String>>,
    pub lat: Option<Option<f64>>,
    pub lon: Option<Option<f64>>,
    pub place_id: Option<Option<i64>>,
    pub elevation: Option<Option<i64>>,
    pub position: Option<Option<String>>,
}

impl Patch {
    pub fn parse(fields: PatchFields) -> Result<Self> {
        let mut wrong = Vec::new();
        let name = required("/name", fields.name, &mut wrong);
        let name = take(name.map(|t| text::name("/name", &t)), &mut wrong);
        let note = match fields.note {
            None => None,
            Some(None) => Some(None),
            Some(Some(t)) => take(Some(text::note("/note", &t)), &mut wrong),
        };
        let lat = required("/lat", fields.lat, &mut wrong);
        let lon = required("/lon", fields.lon, &mut wrong);
        take(Some(Coordinates::parse(lat.unwrap_or(0.0), lon.unwrap_or(0.0))), &mut wrong);
        let position = required("/position", fields.position, &mut wrong);
        let position = take(position.map(|t| Position::parse("/position", &t)), &mut wrong);
        let place_id = match fields.place_id {
            None => None,
            Some(None) => Some(None),
            Some(Some(id)) => take(Some(place_id(id)), &mut wrong).map(Some),
        };
        let elevation = match fields.elevation {
            None => None,
            Some(None) => Some(None),
            Some(Some(metres)) => take(Some(elevation(metres)), &mut wrong).map(Some),
        };
        if wrong.is_empty() {
            Ok(Self { name, note, lat, lon, place_id, elevation, position })
        } else {
            Err(Error::Invalid(wrong))
        }
    }

    /// Applies the patch as change `rev`; `false` when nothing would change, and then nothing is noted.
    pub fn apply(
        &self,
        favourite: &mut Favourite,
        rev: i64,
        by: Option<Uuid>,
        tz: impl FnOnce(Coordinates) -> String,
    ) -> Result<bool> {
        let mut changed = Vec::new();
        let content = &mut favourite.content;
        let before = (content.lat, content.lon);
        set(&mut content.name, self.name.clone(), Field::Name, &mut changed);
        set(&mut content.note, self.note.clone(), Field::Note, &mut changed);
        set(&mut content.lat, self.lat, Field::Lat, &mut changed);
        set(&mut content.lon, self.lon, Field::Lon, &mut changed);
        set(&mut content.place_id, self.place_id, Field::PlaceId, &mut changed);
        set(&mut content.elevation, self.elevation, Field::Elevation, &mut changed);
        set(&mut favourite.position, self.position.clone(), Field::Position, &mut changed);
        if changed.is_empty() {
            return Ok(false);
        }
        if before != (content.lat, content.lon) {
            content.tz = tz(content.coordinates()?);
            // A point that moved is no longer the picked place, nor at its height, unless the patch says so.
            if self.place_id.is_none() && content.place_id.take().is_some() {
                changed.push(Field::PlaceId);
            }
            if self.elevation.is_none() && content.elevation.take().is_some() {
                changed.push(Field::Elevation);
            }
        }
        for field in changed {
            content.note_change(field, rev, by);
        }
        favourite.rev = rev;
        Ok(true)
    }
}

fn set<T: PartialEq>(slot: &mut T, value: Option<T>, field: Field, changed: &mut Vec<Field>) {
    if let Some(value) = value
        && *slot != value
    {
        *slot = value;
        changed.push(field);
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

fn required<T>(pointer: &'static str, field: Option<Option<T>>, wrong: &mut Vec<Invalid>) -> Option<T> {
    if matches!(field, Some(None)) {
        wrong.push(Invalid::new(pointer, "required", "cannot be removed"));
    }
    field.flatten()
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

    fn cabin() -> Favourite {
        let fields =
            Fields { name: Some("Cabin".into()), lat: Some(60.1), lon: Some(9.2), ..Fields::default() };
        let new = NewFavourite::parse(None, fields).unwrap();
        let (content, _) = new.content(None, |_| String::from("Europe/Oslo"), None).unwrap();
        Favourite {
            id: FavouriteId::from_uuid(Uuid::nil()),
            rev: 1,
            content,
            position: Position::first(),
            updated_at: Timestamp::default(),
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

    #[test]
    fn a_patch_notes_which_field_changed_and_nothing_else() {
        let mut favourite = cabin();
        let patch =
            Patch::parse(PatchFields { name: Some(Some("Hut".into())), ..Default::default() }).unwrap();
        assert!(patch.apply(&mut favourite, 7, None, |_| unreachable!()).unwrap());
        assert_eq!(favourite.rev, 7);
        assert_eq!(favourite.content.changed, [FieldChange { field: Field::Name, rev: 7, by: None }]);
        assert!(!patch.apply(&mut favourite, 8, None, |_| unreachable!()).unwrap());
        assert_eq!(favourite.rev, 7);
    }

    #[test]
    fn a_moved_point_gets_its_zone_and_loses_its_place() {
        let mut favourite = cabin();
        favourite.content.place_id = Some(5);
        favourite.content.elevation = Some(800);
        let patch = Patch::parse(PatchFields { lat: Some(Some(10.0)), ..Default::default() }).unwrap();
        patch.apply(&mut favourite, 2, None, |_| "Africa/Abuja".into()).unwrap();
        let content = favourite.content;
        assert_eq!((content.tz.as_str(), content.place_id, content.elevation), ("Africa/Abuja", None, None));
    }

    #[test]
    fn required_fields_cannot_be_cleared() {
        let patch = PatchFields { name: Some(None), position: Some(None), ..Default::default() };
        assert_eq!(pointers(Patch::parse(patch).unwrap_err()), ["/name", "/position"]);
    }
}
