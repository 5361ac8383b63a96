//! Rendered answers, exact: one is served only while nothing was committed to its account since it was read.
//!
//! Only where this process is the only writer ([`store::Store::is_exclusive`]) does it know of every commit.

use std::sync::{Arc, Mutex, PoisonError};

use domain::AccountId;
use quick_cache::sync::Cache;

/// Accounts remembered at once, times the largest answer kept: 32 MiB.
const ACCOUNTS: usize = 2048;
/// Larger answers are rendered anew each time; they are rare, and must not push the others out of memory.
pub const LARGEST: usize = 16 * 1024;

/// One account's rendered answer. Replaced, never emptied, when the account changes: whoever still holds the
/// old slot writes into what nobody reads any more.
pub struct Slot<V>(Mutex<Option<V>>);

impl<V: Clone> Slot<V> {
    pub fn get(&self) -> Option<V> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps an answer that was read after the slot was taken; in vain when the account changed meanwhile.
    pub fn keep(&self, value: V, bytes: usize) {
        if bytes <= LARGEST {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
        }
    }
}

pub struct Rendered<V>(Cache<AccountId, Arc<Slot<V>>>);

impl<V: Clone> Rendered<V> {
    pub fn new() -> Self {
        Self(Cache::new(ACCOUNTS))
    }

    /// The slot to take before the database is read: what commits from here on replaces it.
    pub fn slot(&self, account: AccountId) -> Arc<Slot<V>> {
        if let Some(slot) = self.0.get(&account) {
            return slot;
        }
        let fresh = Arc::new(Slot(Mutex::new(None)));
        self.0.get_or_insert_with(&account, || Ok::<_, ()>(fresh.clone())).unwrap_or(fresh)
    }

    /// The account changed: nothing rendered before may be served.
    pub fn forget(&self, account: AccountId) {
        self.0.remove(&account);
    }
}

impl<V: Clone> Default for Rendered<V> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(n: u128) -> AccountId {
        AccountId::from_uuid(uuid::Uuid::from_u128(n))
    }

    #[test]
    fn an_answer_is_served_until_its_account_changes() {
        let rendered = Rendered::new();
        rendered.slot(account(1)).keep("one", 3);
        assert_eq!(rendered.slot(account(1)).get(), Some("one"));
        assert_eq!(rendered.slot(account(2)).get(), None);
        rendered.forget(account(1));
        assert_eq!(rendered.slot(account(1)).get(), None);
    }

    #[test]
    fn an_answer_read_before_a_commit_is_never_served_after_it() {
        let rendered = Rendered::new();
        let slot = rendered.slot(account(1));
        rendered.forget(account(1));
        slot.keep("old", 3);
        assert_eq!(rendered.slot(account(1)).get(), None);
    }

    #[test]
    fn what_is_too_large_is_not_kept() {
        let rendered = Rendered::new();
        rendered.slot(account(1)).keep("large", LARGEST + 1);
        assert_eq!(rendered.slot(account(1)).get(), None);
    }
}
