//! Reading favourites.

use domain::favourite::Favourite;
use domain::{Error, FavouriteId, Result};
use store::favourites;

use super::{After, Page, open};
use crate::App;
use crate::caller::{Caller, account_is_gone, page_limit};

const USUAL_PAGE: u32 = 200;

impl App {
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
                let from = match &start {
                    Some(after) => (after.position.as_str(), after.id),
                    None => ("", FavouriteId::from_uuid(uuid::Uuid::nil())),
                };
                let page = favourites::page(db, account, from, i64::from(limit) + 1).await?;
                Ok(page.ok_or_else(account_is_gone)?)
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
}
