//! What is written down of a favourite: sealed, and findable by its place.

use domain::favourite::{Content, Favourite, NewFavourite, PickedPlace};
use domain::position::Position;
use domain::{AccountId, Error, FavouriteId, Random, Result};
use store::favourites::Stored;
use uuid::Uuid;
use vault::DataKey;

use super::unknown_place;
use crate::App;

/// The table and column that seals are bound to.
const TABLE: &str = "favourite";
const COLUMN: &str = "sealed";

/// A favourite that is ready to be written: all that needs no database is done.
pub(crate) struct Draft {
    pub content: Content,
    /// `None`: behind all others, or where it is.
    pub position: Option<Position>,
    pub place_tag: i64,
    pub sealed: Vec<u8>,
}

impl App {
    /// Fills in what the gazetteer knows, and seals.
    pub(crate) fn draft(
        &self,
        key: &DataKey,
        account: AccountId,
        id: FavouriteId,
        new: NewFavourite,
        by: Uuid,
    ) -> Result<Draft> {
        let picked = self.picked_place(&new)?;
        let (content, position) = new.content(picked, |at| self.gazetteer.time_zone(at), Some(by))?;
        self.draft_of(key, account, id, content, position)
    }

    /// Seals content that is complete.
    pub(crate) fn draft_of(
        &self,
        key: &DataKey,
        account: AccountId,
        id: FavouriteId,
        content: Content,
        position: Option<Position>,
    ) -> Result<Draft> {
        let sealed = seal(key, account, id, &content, &self.random)?;
        let place_tag = self.place_tag(account, &content);
        Ok(Draft { content, position, place_tag, sealed })
    }

    fn picked_place(&self, new: &NewFavourite) -> Result<Option<PickedPlace>> {
        let Some(id) = new.place_id else { return Ok(None) };
        let place = self.gazetteer.get(id).ok_or_else(unknown_place)?;
        Ok(Some(PickedPlace {
            name: place.name.to_string(),
            at: place.coordinates,
            elevation: place.elevation,
        }))
    }

    pub(crate) fn place_tag(&self, account: AccountId, content: &Content) -> i64 {
        // A thousandth of a degree is about a hundred metres: the same place for whoever saved it.
        let point = format!("{:.3},{:.3}", content.lat, content.lon);
        self.index.place_tag(account, point.as_bytes())
    }
}

/// Opens a stored favourite.
pub(crate) fn open(key: &DataKey, account: AccountId, stored: Stored) -> store::Result<Favourite> {
    let place = crate::data_keys::context(TABLE, account, stored.id.uuid(), COLUMN);
    let plain = key.open(&place, &stored.sealed)?;
    let content = serde_json::from_slice(&plain)
        .map_err(|error| Error::internal(format!("a favourite does not parse: {error}")))?;
    let Stored { id, rev, position, updated_at, .. } = stored;
    Ok(Favourite { id, rev, content, position, updated_at })
}

pub(super) fn seal(
    key: &DataKey,
    account: AccountId,
    id: FavouriteId,
    content: &Content,
    random: &Random,
) -> Result<Vec<u8>> {
    let plain = serde_json::to_vec(content).map_err(Error::internal)?;
    key.seal(&crate::data_keys::context(TABLE, account, id.uuid(), COLUMN), &plain, random)
}
