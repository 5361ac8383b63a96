//! Favourites: add, read, change, remove. One transaction each, on the account's locked log.

use domain::cursor::Cursor;
use domain::favourite::{Content, Favourite, Field, FieldChange, NewFavourite, Patch, PickedPlace};
use domain::{AccountId, Error, FavouriteId, Result};
use store::favourites::{Sealed, Stored};
use store::{Tx, favourites, sync, tombstones};
use vault::DataKey;

use crate::App;
use crate::caller::{Caller, account_is_gone, page_limit};
use crate::idempotency::{Done, Idempotency};

/// A condition on what is there, from `If-Match` and `If-None-Match`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Condition {
    /// One of these revisions must be the current one.
    pub revs: Option<Vec<i64>>,
    /// `If-Match: *`: there must be one.
    pub exists: bool,
    /// `If-None-Match: *`: there must be none.
    pub absent: bool,
}

impl Condition {
    fn holds(&self, current: Option<&Favourite>) -> bool {
        match current {
            None => self.revs.is_none() && !self.exists,
            Some(favourite) => {
                !self.absent && self.revs.as_ref().is_none_or(|revs| revs.contains(&favourite.rev))
            }
        }
    }
}

/// What a write did.
#[derive(Clone, Debug, PartialEq)]
pub enum Written {
    Created {
        favourite: Favourite,
        duplicate_of: Vec<FavouriteId>,
    },
    Replaced(Favourite),
    Deleted,
    /// A condition did not hold; this is what is there.
    Refused(Option<Favourite>),
}

/// One page of favourites in order.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    pub items: Vec<Favourite>,
    pub next: Option<After>,
    /// The log's position when the first page was read.
    pub cursor: Cursor,
}

/// Where the next page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct After {
    pub position: String,
    pub id: FavouriteId,
    pub cursor: Cursor,
}

/// Which favourite a write is for.
#[derive(Clone, Copy)]
struct Target {
    id: FavouriteId,
    /// Drawn by us for this write.
    is_new: bool,
}

const USUAL_PAGE: u32 = 200;
/// The table and column that seals are bound to.
const TABLE: &str = "favourite";
const COLUMN: &str = "sealed";

impl App {
    /// Saves a favourite under an id of its own.
    pub async fn add_favourite(
        &self,
        caller: &Caller,
        new: NewFavourite,
        idempotency: Option<Idempotency>,
    ) -> Result<Written> {
        let given = new.id;
        let id = given.unwrap_or_else(|| FavouriteId::new(self.now(), &self.random));
        let condition = Condition { absent: true, ..Condition::default() };
        // An id that was drawn just now is nobody's: there is nothing to look up.
        let target = Target { id, is_new: given.is_none() };
        match self.write_favourite(caller, target, new, condition, idempotency).await? {
            Written::Refused(_) => Err(Error::conflict("exists", "there is a favourite with this id")),
            written => Ok(written),
        }
    }

    /// Saves a favourite under the client's id, or replaces the one that is there.
    pub async fn put_favourite(
        &self,
        caller: &Caller,
        id: FavouriteId,
        new: NewFavourite,
        condition: Condition,
        idempotency: Option<Idempotency>,
    ) -> Result<Written> {
        self.write_favourite(caller, Target { id, is_new: false }, new, condition, idempotency).await
    }

    async fn write_favourite(
        &self,
        caller: &Caller,
        Target { id, is_new }: Target,
        new: NewFavourite,
        condition: Condition,
        idempotency: Option<Idempotency>,
    ) -> Result<Written> {
        self.limit_mutations(caller.account, 1)?;
        let account = caller.account;
        let now = self.now();
        let picked = self.picked_place(&new)?;
        let by = Some(caller.session.uuid());
        let (content, position) = new.content(picked, |at| self.gazetteer.time_zone(at), by)?;
        let key = self.data_keys.get(account).await?;
        let sealed = seal(&key, account, id, &content, &self.random)?;
        let place_tag = self.place_tag(account, &content);
        let quota = i64::from(self.settings.quota_favourites);
        let random = self.random.clone();
        self.store
            .write(async move |tx| {
                let mut log = sync::lock(tx, account).await?.ok_or_else(account_is_gone)?;
                if let Some(done) = crate::idempotency::replay(tx, account, idempotency.as_ref(), now).await?
                {
                    return replayed(tx, &key, account, done).await;
                }
                let present = if is_new { None } else { favourites::get(tx, account, id).await? };
                let current = present.map(|p| open(&key, account, p)).transpose()?;
                if !condition.holds(current.as_ref()) {
                    return Ok(Written::Refused(current));
                }
                let rev = log.head + 1;
                let written = match current {
                    Some(old) => {
                        let position = position.clone().unwrap_or_else(|| old.position.clone());
                        let mut content = content.clone();
                        content.by = old.content.by;
                        let changed = replaced_fields(&old, &content, &position);
                        if changed.is_empty() && old.content.tz == content.tz {
                            // The same again is no change: no device needs to hear of it.
                            Written::Replaced(old)
                        } else {
                            log.next_rev();
                            log.note_position(&position);
                            content.changed = old.content.changed.clone();
                            for field in changed {
                                content.changed.retain(|change| change.field != field);
                                content.changed.push(FieldChange { field, rev, by });
                            }
                            let sealed = seal(&key, account, id, &content, &random)?;
                            let row = Sealed {
                                rev,
                                position: &position,
                                place_tag,
                                content: &sealed,
                                updated_at: now,
                            };
                            favourites::update(tx, &mut log, id, row).await?;
                            Written::Replaced(Favourite { id, rev, content, position, updated_at: now })
                        }
                    }
                    None => {
                        if !is_new && tombstones::is_removed(tx, account, id.uuid()).await? {
                            return Err(gone().into());
                        }
                        if log.favourites >= quota {
                            return Err(quota_reached(quota).into());
                        }
                        log.next_rev();
                        log.favourites += 1;
                        let position = match &position {
                            Some(position) => position.clone(),
                            None => log.append(),
                        };
                        log.note_position(&position);
                        let duplicate_of = favourites::same_place(tx, &log, place_tag).await?;
                        let row =
                            Sealed { rev, position: &position, place_tag, content: &sealed, updated_at: now };
                        if !favourites::insert(tx, &mut log, id, row).await? {
                            return Err(Error::internal("an id was taken under a locked log").into());
                        }
                        let content = content.clone();
                        let favourite = Favourite { id, rev, content, position, updated_at: now };
                        Written::Created { favourite, duplicate_of }
                    }
                };
                let (done, rev) = match &written {
                    Written::Created { favourite, .. } => (Done::Created, favourite.rev),
                    Written::Replaced(favourite) => (Done::Replaced, favourite.rev),
                    Written::Deleted | Written::Refused(_) => return Ok(written),
                };
                crate::idempotency::note(tx, account, idempotency.as_ref(), done, rev, id, now).await?;
                sync::raise(tx, log).await?;
                Ok(written)
            })
            .await
            .map_err(Error::from)
    }

    /// Changes single fields.
    pub async fn patch_favourite(
        &self,
        caller: &Caller,
        id: FavouriteId,
        patch: Patch,
        condition: Condition,
        idempotency: Option<Idempotency>,
    ) -> Result<Written> {
        self.limit_mutations(caller.account, 1)?;
        let account = caller.account;
        let now = self.now();
        // Only the fields of a patch change: with another place, a client that means its point says so too.
        if let Some(Some(place)) = patch.place_id
            && self.gazetteer.get(place).is_none()
        {
            return Err(unknown_place());
        }
        let key = self.data_keys.get(account).await?;
        let by = Some(caller.session.uuid());
        let app = self.clone();
        self.store
            .write(async move |tx| {
                let mut log = sync::lock(tx, account).await?.ok_or_else(account_is_gone)?;
                if let Some(done) = crate::idempotency::replay(tx, account, idempotency.as_ref(), now).await?
                {
                    return replayed(tx, &key, account, done).await;
                }
                let present = favourites::get(tx, account, id).await?;
                let current = present.map(|p| open(&key, account, p)).transpose()?;
                let Some(mut favourite) = current else { return Err(Error::NotFound.into()) };
                if !condition.holds(Some(&favourite)) {
                    return Ok(Written::Refused(Some(favourite)));
                }
                let rev = log.head + 1;
                let zone = |at| app.gazetteer.time_zone(at);
                if patch.apply(&mut favourite, rev, by, zone)? {
                    log.next_rev();
                    log.note_position(&favourite.position);
                    favourite.updated_at = now;
                    let sealed = seal(&key, account, id, &favourite.content, &app.random)?;
                    let row = Sealed {
                        rev,
                        position: &favourite.position,
                        place_tag: app.place_tag(account, &favourite.content),
                        content: &sealed,
                        updated_at: now,
                    };
                    favourites::update(tx, &mut log, id, row).await?;
                }
                let rev = favourite.rev;
                crate::idempotency::note(tx, account, idempotency.as_ref(), Done::Replaced, rev, id, now)
                    .await?;
                sync::raise(tx, log).await?;
                Ok(Written::Replaced(favourite))
            })
            .await
            .map_err(Error::from)
    }

    /// Removes a favourite; a tombstone tells the other devices.
    pub async fn delete_favourite(
        &self,
        caller: &Caller,
        id: FavouriteId,
        condition: Condition,
        idempotency: Option<Idempotency>,
    ) -> Result<Written> {
        self.limit_mutations(caller.account, 1)?;
        let account = caller.account;
        let now = self.now();
        let key = self.data_keys.get(account).await?;
        self.store
            .write(async move |tx| {
                let mut log = sync::lock(tx, account).await?.ok_or_else(account_is_gone)?;
                if let Some(done) = crate::idempotency::replay(tx, account, idempotency.as_ref(), now).await?
                {
                    return replayed(tx, &key, account, done).await;
                }
                let present = favourites::get(tx, account, id).await?;
                let current = present.map(|p| open(&key, account, p)).transpose()?;
                let Some(favourite) = current else { return Err(Error::NotFound.into()) };
                if !condition.holds(Some(&favourite)) {
                    return Ok(Written::Refused(Some(favourite)));
                }
                let rev = log.next_rev();
                log.favourites -= 1;
                favourites::remove(tx, &log, id, rev, now).await?;
                crate::idempotency::note(tx, account, idempotency.as_ref(), Done::Deleted, rev, id, now)
                    .await?;
                sync::raise(tx, log).await?;
                Ok(Written::Deleted)
            })
            .await
            .map_err(Error::from)
    }

    /// One favourite of the caller's.
    pub async fn favourite(&self, caller: &Caller, id: FavouriteId) -> Result<Favourite> {
        let account = caller.account;
        let key = self.data_keys.get(account).await?;
        let stored = self.store.read(async move |db| favourites::get(db, account, id).await).await?;
        stored.map(|stored| open(&key, account, stored)).transpose()?.ok_or(Error::NotFound)
    }

    /// A page in order of (position, id). The cursor is that of the first page, so a client that then asks for
    /// the changes since misses nothing.
    pub async fn favourites(
        &self,
        caller: &Caller,
        limit: Option<u32>,
        after: Option<After>,
    ) -> Result<Page> {
        let most = self.settings.quota_favourites.max(USUAL_PAGE);
        let limit = page_limit(limit, USUAL_PAGE, most)?;
        let account = caller.account;
        let key = self.data_keys.get(account).await?;
        let start = after.clone();
        let (head, rows) = self
            .store
            .snapshot(async move |db| {
                let head = sync::head(db, account).await?.ok_or_else(account_is_gone)?;
                let from = match &start {
                    Some(after) => (after.position.as_str(), after.id),
                    None => ("", FavouriteId::from_uuid(uuid::Uuid::nil())),
                };
                let rows = favourites::live_after(db, account, from, i64::from(limit) + 1).await?;
                Ok((head, rows))
            })
            .await?;
        let cursor = after.map_or_else(|| head.cursor(), |after| after.cursor);
        let more = rows.len() > limit as usize;
        let mut items = Vec::with_capacity(rows.len());
        for row in rows.into_iter().take(limit as usize) {
            items.push(open(&key, account, row)?);
        }
        let next = match items.last() {
            Some(last) if more => {
                Some(After { position: last.position.as_str().to_owned(), id: last.id, cursor })
            }
            _ => None,
        };
        Ok(Page { items, next, cursor })
    }

    /// The first page as `render` writes it. Where this process is the only writer the bytes are kept and
    /// served until the account changes.
    pub async fn favourites_rendered<B>(&self, caller: &Caller, render: B) -> Result<bytes::Bytes>
    where
        B: FnOnce(&Page) -> bytes::Bytes,
    {
        if !self.store.is_exclusive() {
            return self.favourites(caller, None, None).await.map(|page| render(&page));
        }
        let slot = self.favourite_pages.slot(caller.account);
        if let Some(body) = slot.get() {
            return Ok(body);
        }
        let body = render(&self.favourites(caller, None, None).await?);
        slot.keep(body.clone(), body.len());
        Ok(body)
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

pub(crate) fn seal(
    key: &DataKey,
    account: AccountId,
    id: FavouriteId,
    content: &Content,
    random: &domain::Random,
) -> Result<Vec<u8>> {
    let plain = serde_json::to_vec(content).map_err(Error::internal)?;
    key.seal(&crate::data_keys::context(TABLE, account, id.uuid(), COLUMN), &plain, random)
}

/// The fields that a replacement changes.
fn replaced_fields(old: &Favourite, new: &Content, position: &domain::position::Position) -> Vec<Field> {
    let was = &old.content;
    let differs = [
        (Field::Name, was.name != new.name),
        (Field::Note, was.note != new.note),
        (Field::Lat, was.lat.to_bits() != new.lat.to_bits()),
        (Field::Lon, was.lon.to_bits() != new.lon.to_bits()),
        (Field::PlaceId, was.place_id != new.place_id),
        (Field::Elevation, was.elevation != new.elevation),
        (Field::Position, &old.position != position),
    ];
    differs.into_iter().filter(|(_, differs)| *differs).map(|(field, _)| field).collect()
}

/// A request that came again: what it did then, and the item as it is now.
async fn replayed(
    tx: &mut Tx,
    key: &DataKey,
    account: AccountId,
    done: (Done, FavouriteId),
) -> store::Result<Written> {
    let (done, id) = done;
    if done == Done::Deleted {
        return Ok(Written::Deleted);
    }
    let present = favourites::get(tx, account, id).await?;
    let favourite = present.map(|p| open(key, account, p)).transpose()?.ok_or_else(gone)?;
    Ok(match done {
        Done::Created => Written::Created { favourite, duplicate_of: Vec::new() },
        _ => Written::Replaced(favourite),
    })
}

fn gone() -> Error {
    Error::conflict("gone", "this favourite was removed; save it under a new id")
}

pub(crate) fn quota_reached(quota: i64) -> Error {
    Error::conflict("quota", format!("an account holds at most {quota} favourites"))
}

fn unknown_place() -> Error {
    domain::Invalid::new("/place_id", "unknown", "there is no place with this id").into()
}
