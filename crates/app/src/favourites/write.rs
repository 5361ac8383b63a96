//! Writing favourites, one per request.

use domain::favourite::{Found, NewFavourite, Patch};
use domain::{Error, FavouriteId, Result};
use store::Tx;

use super::writer::Writer;
use super::{Condition, Written, gone, unknown_place};
use crate::App;
use crate::caller::Caller;
use crate::idempotency::{Done, Earlier, Idempotency, note, replay};

/// Which favourite a write is for.
#[derive(Clone, Copy)]
struct Target {
    id: FavouriteId,
    /// Drawn by us for this write.
    is_new: bool,
}

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
        match self.save_favourite(caller, target, new, condition, idempotency).await? {
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
        self.save_favourite(caller, Target { id, is_new: false }, new, condition, idempotency).await
    }

    async fn save_favourite(
        &self,
        caller: &Caller,
        Target { id, is_new }: Target,
        new: NewFavourite,
        condition: Condition,
        idempotency: Option<Idempotency>,
    ) -> Result<Written> {
        let account = caller.account;
        self.limit_mutations(account, 1)?;
        let key = self.data_keys.get(account).await?;
        let draft = self.draft(&key, account, id, new, caller.session.uuid())?;
        self.write_favourite(caller, id, idempotency, async move |tx, writer| {
            let found = if is_new { Found::Nothing } else { writer.find(tx, id).await? };
            if !condition.holds(found.live()) {
                return Ok(Written::Refused(found.live().cloned()));
            }
            match found {
                Found::Removed => Err(gone().into()),
                Found::Live(old) => Ok(Written::Replaced(writer.replace(tx, old, &draft).await?)),
                Found::Nothing => {
                    let duplicate_of = writer.same_place(tx, draft.place_tag).await?;
                    let favourite = writer.create(tx, id, &draft).await?;
                    Ok(Written::Created { favourite, duplicate_of })
                }
            }
        })
        .await
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
        if !self.knows_place(&patch) {
            return Err(unknown_place());
        }
        self.write_favourite(caller, id, idempotency, async move |tx, writer| {
            let Found::Live(old) = writer.find(tx, id).await? else { return Err(Error::NotFound.into()) };
            if !condition.holds(Some(&old)) {
                return Ok(Written::Refused(Some(old)));
            }
            Ok(Written::Replaced(writer.patch(tx, old, &patch).await?))
        })
        .await
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
        self.write_favourite(caller, id, idempotency, async move |tx, writer| {
            let Found::Live(old) = writer.find(tx, id).await? else { return Err(Error::NotFound.into()) };
            if !condition.holds(Some(&old)) {
                return Ok(Written::Refused(Some(old)));
            }
            let rev = writer.remove(tx, &old).await?;
            Ok(Written::Deleted { rev })
        })
        .await
    }

    /// What every write has around it: the locked log, the receipt of a repeat, the raised log.
    async fn write_favourite<B>(
        &self,
        caller: &Caller,
        id: FavouriteId,
        idempotency: Option<Idempotency>,
        body: B,
    ) -> Result<Written>
    where
        B: AsyncFn(&mut Tx, &mut Writer<'_>) -> store::Result<Written> + Send + 'static,
    {
        let (account, by, now) = (caller.account, caller.session.uuid(), self.now());
        let key = self.data_keys.get(account).await?;
        let app = self.clone();
        let written = self.store.write(async move |tx| {
            let mut writer = Writer::lock(tx, &app, account, &key, by, now).await?;
            if let Some(earlier) = replay(tx, account, idempotency.as_ref(), now).await? {
                return replayed(tx, &writer, &earlier).await;
            }
            let written = body(tx, &mut writer).await?;
            let (done, rev) = match &written {
                Written::Created { favourite, .. } => (Done::Created, favourite.rev),
                Written::Replaced(favourite) => (Done::Replaced, favourite.rev),
                Written::Deleted { rev } => (Done::Deleted, *rev),
                Written::Refused(_) => return Ok(written),
            };
            note(tx, account, idempotency.as_ref(), done, rev, id, now).await?;
            writer.raise(tx).await?;
            Ok(written)
        });
        Ok(written.await?)
    }

    /// Whether the place that a patch names is in the gazetteer. Only the fields of a patch change: with another
    /// place, a client that means its point says so too.
    pub(crate) fn knows_place(&self, patch: &Patch) -> bool {
        patch.place_id.flatten().is_none_or(|place| self.gazetteer.get(place).is_some())
    }
}

/// A request that came again: what it did then, and the item as it is now.
async fn replayed(tx: &mut Tx, writer: &Writer<'_>, earlier: &Earlier) -> store::Result<Written> {
    if earlier.done == Done::Deleted {
        return Ok(Written::Deleted { rev: earlier.rev });
    }
    let Found::Live(favourite) = writer.find(tx, earlier.id).await? else { return Err(gone().into()) };
    Ok(match earlier.done {
        Done::Created => Written::Created { favourite, duplicate_of: Vec::new() },
        _ => Written::Replaced(favourite),
    })
}
