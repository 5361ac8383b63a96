//! Each account's data key, unwrapped once and kept for a while.

use std::sync::Arc;

use domain::{AccountId, Result};
use quick_cache::sync::Cache;
use store::{Store, Tx, accounts};
use uuid::Uuid;
use vault::{Context, DataKey, RingKeeper};

use crate::caller::account_is_gone;

/// Keys kept at once, about a kilobyte each.
const KEPT: usize = 16_384;

pub struct DataKeys {
    ring: Arc<RingKeeper>,
    store: Arc<Store>,
    opened: Cache<AccountId, Arc<DataKey>>,
}

/// The place a sealed value belongs to.
pub const fn context(table: &'static str, account: AccountId, row: Uuid, column: &'static str) -> Context {
    Context::new(table, account, row, column)
}

impl DataKeys {
    pub fn new(ring: Arc<RingKeeper>, store: Arc<Store>) -> Self {
        Self { ring, store, opened: Cache::new(KEPT) }
    }

    /// The account's key; unauthenticated when the account is gone.
    pub async fn get(&self, account: AccountId) -> Result<Arc<DataKey>> {
        if let Some(key) = self.opened.get(&account) {
            return Ok(key);
        }
        let wrapped = self.store.read(async move |db| accounts::data_key(db, account).await).await?;
        let key = Arc::new(self.ring.open_data_key(account, &wrapped.ok_or_else(account_is_gone)?)?);
        self.opened.insert(account, key.clone());
        Ok(key)
    }

    /// The account's key, for a transaction that has made the account or holds it.
    pub async fn within(&self, tx: &mut Tx, account: AccountId) -> store::Result<Arc<DataKey>> {
        if let Some(key) = self.opened.get(&account) {
            return Ok(key);
        }
        let wrapped = accounts::data_key(tx, account).await?.ok_or_else(account_is_gone)?;
        // Not kept: the transaction that made the account may yet fail.
        Ok(Arc::new(self.ring.open_data_key(account, &wrapped)?))
    }

    /// A key for a new account, in its wrapped form; it will be needed at once.
    pub fn create_for_account(&self, account: AccountId, random: &domain::Random) -> Result<Vec<u8>> {
        let (key, wrapped) = self.ring.new_data_key(account, random)?;
        self.opened.insert(account, Arc::new(key));
        Ok(wrapped)
    }

    /// Unwraps a key that was just read.
    pub fn open(&self, account: AccountId, wrapped: &[u8]) -> Result<DataKey> {
        self.ring.open_data_key(account, wrapped)
    }

    /// A key for a new account (or for something else with an id of its own), and its wrapped form.
    pub fn create(&self, account: AccountId, random: &domain::Random) -> Result<(DataKey, Vec<u8>)> {
        self.ring.new_data_key(account, random)
    }

    pub fn forget(&self, account: AccountId) {
        self.opened.remove(&account);
    }
}
