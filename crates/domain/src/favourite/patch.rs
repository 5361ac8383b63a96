//! Changing a favourite: field by field, or as a whole.

use uuid::Uuid;

use super::{Content, Favourite, Field, elevation, place_id, take};
use crate::position::Position;
use crate::{Coordinates, Error, Invalid, Result, text};

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

impl Favourite {
    /// Takes over what a replacement says, as change `rev`; `false` when that is what is there already, and then
    /// nothing is noted. A position that is left out is kept.
    pub fn replace(
        &mut self,
        content: &Content,
        position: Option<&Position>,
        rev: i64,
        by: Option<Uuid>,
    ) -> bool {
        let mut changed = Vec::new();
        let was = &mut self.content;
        set(&mut was.name, Some(content.name.clone()), Field::Name, &mut changed);
        set(&mut was.note, Some(content.note.clone()), Field::Note, &mut changed);
        set(&mut was.lat, Some(content.lat), Field::Lat, &mut changed);
        set(&mut was.lon, Some(content.lon), Field::Lon, &mut changed);
        set(&mut was.place_id, Some(content.place_id), Field::PlaceId, &mut changed);
        set(&mut was.elevation, Some(content.elevation), Field::Elevation, &mut changed);
        set(&mut self.position, position.cloned(), Field::Position, &mut changed);
        // The zone is no field of its own, but newer zone data may draw it elsewhere.
        if changed.is_empty() && was.tz == content.tz {
            return false;
        }
        was.tz.clone_from(&content.tz);
        for field in changed {
            was.note_change(field, rev, by);
        }
        self.rev = rev;
        true
    }
}

fn required<T>(pointer: &'static str, field: Option<Option<T>>, wrong: &mut Vec<Invalid>) -> Option<T> {
    if matches!(field, Some(None)) {
        wrong.push(Invalid::new(pointer, "required", "cannot be removed"));
    }
    field.flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::favourite::{FieldChange, Fields, NewFavourite};

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
            id: crate::FavouriteId::from_uuid(Uuid::nil()),
            rev: 1,
            content,
            position: Position::first(),
            updated_at: crate::Timestamp::default(),
        }
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

    #[test]
    fn a_replacement_keeps_what_it_does_not_change() {
        let mut favourite = cabin();
        let new = Content { note: Some("x".into()), ..favourite.content.clone() };
        assert!(favourite.replace(&new, None, 5, None));
        assert_eq!((favourite.rev, favourite.position.as_str()), (5, "a0"));
        assert_eq!(favourite.content.changed, [FieldChange { field: Field::Note, rev: 5, by: None }]);
        let same = favourite.content.clone();
        assert!(!favourite.replace(&same, Some(&Position::first()), 6, None));
        assert_eq!(favourite.rev, 5);
        let moved_zone = Content { tz: String::from("Europe/Stockholm"), ..same };
        assert!(favourite.replace(&moved_zone, None, 7, None));
        assert_eq!((favourite.rev, favourite.content.changed.len()), (7, 1));
    }
}
