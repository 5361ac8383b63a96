//! The one place that writes favourites down. Whoever changes one (a request, a batch of mutations, an adoption)
//! does it through a [`Writer`] on the account's locked log.

use domain::cursor::{Cursor, Reset};
use domain::favourite::{Favourite, Found, Patch};
use domain::{AccountId, Error, FavouriteId, Timestamp};
use store::favourites::Sealed;
use store::sync::Log;
use store::{Result, Tx, favourites, sync};
use uuid::Uuid;
use vault::DataKey;

use super::Draft;
use super::draft::{open, seal};
use crate::App;
use crate::caller::account_is_gone;

/// An account's locked log, and what is needed to write on it.
pub(crate) struct Writer<'a> {
    app: &'a App,
    account: AccountId,
    key: &'a DataKey,
    /// Which session or device the changes come from.
    by: Uuid,
    now: Timestamp,
    log: Log,
}

impl<'a> Writer<'a> {
    /// Locks the account's log.
    pub async fn lock(
        tx: &mut Tx,
        app: &'a App,
        account: AccountId,
        key: &'a DataKey,
        by: Uuid,
        now: Timestamp,
    ) -> Result<Self> {
        let log = sync::lock(tx, account).await?.ok_or_else(account_is_gone)?;
        Ok(Self { app, account, key, by, now, log })
    }

    /// On a log that is locked already.
    pub const fn on(
        log: Log,
        app: &'a App,
        account: AccountId,
        key: &'a DataKey,
        by: Uuid,
        now: Timestamp,
    ) -> Self {
        Self { app, account, key, by, now, log }
    }

    /// Whether changes after `cursor` can be told, as the log was when it was locked.
    pub fn check(&self, cursor: Cursor) -> std::result::Result<(), Reset> {
        self.log.check(cursor)
    }

    /// Runs one change, which decides whether it may be made before it writes: when it may not, the log is as it was
    /// and others may follow.
    pub async fn attempt<T>(
        &mut self,
        tx: &mut Tx,
        body: impl AsyncFnOnce(&mut Tx, &mut Self) -> Result<T>,
    ) -> Result<T> {
        let log = self.log.clone();
        let done = tx.decide(async |tx| body(tx, self).await).await;
        if done.is_err() {
            self.log = log;
        }
        done
    }

    /// What is there under an id.
    pub async fn find(&self, tx: &mut Tx, id: FavouriteId) -> Result<Found> {
        Ok(match favourites::find(tx, self.account, id).await? {
            (Some(stored), _) => Found::Live(open(self.key, self.account, stored)?),
            (None, true) => Found::Removed,
            (None, false) => Found::Nothing,
        })
    }

    /// Puts a new favourite down under an id that nothing is under.
    ///
    /// # Errors
    /// `quota` when the account holds as many as it may.
    pub async fn create(&mut self, tx: &mut Tx, id: FavouriteId, draft: &Draft) -> Result<Favourite> {
        let quota = i64::from(self.app.settings.quota_favourites);
        if self.log.favourites >= quota {
            return Err(quota_reached(quota).into());
        }
        let rev = self.log.next_rev();
        self.log.favourites += 1;
        let position = draft.position.clone().unwrap_or_else(|| self.log.append());
        self.log.note_position(&position);
        let row = Sealed {
            rev,
            position: &position,
            place_tag: draft.place_tag,
            content: &draft.sealed,
            updated_at: self.now,
        };
        favourites::insert(tx, &mut self.log, id, row).await?;
        Ok(Favourite { id, rev, content: draft.content.clone(), position, updated_at: self.now })
    }

    /// Favourites at a place, at most ten.
    pub async fn same_place(&self, tx: &mut Tx, place_tag: i64) -> Result<Vec<FavouriteId>> {
        favourites::same_place(tx, &self.log, place_tag).await
    }

    /// Takes over what a draft says. What is the same already is no change: no device needs to hear of it.
    pub async fn replace(&mut self, tx: &mut Tx, old: Favourite, draft: &Draft) -> Result<Favourite> {
        let mut favourite = old;
        let rev = self.log.head + 1;
        if favourite.replace(&draft.content, draft.position.as_ref(), rev, Some(self.by)) {
            self.rewrite(tx, &mut favourite).await?;
        }
        Ok(favourite)
    }

    /// Changes single fields. What is the same already is no change.
    pub async fn patch(&mut self, tx: &mut Tx, old: Favourite, patch: &Patch) -> Result<Favourite> {
        let mut favourite = old;
        let rev = self.log.head + 1;
        let zone = |at| self.app.gazetteer.time_zone(at);
        if patch.apply(&mut favourite, rev, Some(self.by), zone)? {
            self.rewrite(tx, &mut favourite).await?;
        }
        Ok(favourite)
    }

    async fn rewrite(&mut self, tx: &mut Tx, favourite: &mut Favourite) -> Result<()> {
        let Self { account, key, now, .. } = *self;
        self.log.next_rev();
        self.log.note_position(&favourite.position);
        favourite.updated_at = now;
        let sealed = seal(key, account, favourite.id, &favourite.content, &self.app.random)?;
        let row = Sealed {
            rev: favourite.rev,
            position: &favourite.position,
            place_tag: self.app.place_tag(account, &favourite.content),
            content: &sealed,
            updated_at: now,
        };
        favourites::update(tx, &mut self.log, favourite.id, row).await
    }

    /// Leaves a tombstone, which tells the other devices, and answers its revision.
    pub async fn remove(&mut self, tx: &mut Tx, favourite: &Favourite) -> Result<i64> {
        let rev = self.log.next_rev();
        self.log.favourites -= 1;
        if !favourites::remove(tx, &self.log, favourite.id, rev, self.now).await? {
            return Err(Error::internal("a favourite went away under a locked log").into());
        }
        Ok(rev)
    }

    /// Makes the changes visible; call it last.
    pub async fn raise(self, tx: &mut Tx) -> Result<Cursor> {
        sync::raise(tx, self.log).await
    }
}

fn quota_reached(quota: i64) -> Error {
    Error::conflict("quota", format!("an account holds at most {quota} favourites"))
}
