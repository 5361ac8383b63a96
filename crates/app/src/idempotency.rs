//! `Idempotency-Key`: a request that comes again with the same key has its effect once.

use std::time::Duration;

use domain::{AccountId, Error, FavouriteId, Invalid, Result, Timestamp};
use store::receipts::{self, Receipt};
use store::{Db, Tx};

/// How long a key is remembered.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// A key and a keyed hash of the request it came with.
#[derive(Clone, PartialEq, Eq)]
pub struct Idempotency {
    mid: String,
    digest: Vec<u8>,
}

/// What was done under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    Created,
    Replaced,
    Deleted,
}

/// What a request did when it came first.
pub(crate) struct Earlier {
    pub done: Done,
    pub rev: i64,
    pub id: FavouriteId,
}

impl Done {
    /// The status of the answer that was given, which is what the table holds.
    const fn status(self) -> i64 {
        match self {
            Self::Created => 201,
            Self::Replaced => 200,
            Self::Deleted => 204,
        }
    }

    fn from_status(status: i64) -> Option<Self> {
        [Self::Created, Self::Replaced, Self::Deleted].into_iter().find(|done| done.status() == status)
    }
}

impl crate::App {
    /// Checks the header's value (1 to 64 printable ASCII characters, quotes allowed around them) and binds it
    /// to the request: method, path and body.
    pub fn idempotency(&self, key: &str, method: &str, path: &str, body: &[u8]) -> Result<Idempotency> {
        let key = key.trim().trim_matches('"');
        let fits = (1..=64).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic());
        if !fits {
            let detail = "must be 1 to 64 printable ASCII characters without spaces";
            return Err(Invalid::new("Idempotency-Key", "malformed", detail).into());
        }
        let digest = self.index.request_digest(&[method.as_bytes(), path.as_bytes(), body]).to_vec();
        // Mutations of a sync batch use the same table with bare ids.
        Ok(Idempotency { mid: format!("k:{key}"), digest })
    }
}

/// What the request did when it came first; `None` when this is the first time.
pub(crate) async fn replay(
    db: &mut Db,
    account: AccountId,
    idempotency: Option<&Idempotency>,
    now: Timestamp,
) -> store::Result<Option<Earlier>> {
    let Some(Idempotency { mid, digest }) = idempotency else { return Ok(None) };
    let Some(receipt) = receipts::get(db, account, mid, now).await? else { return Ok(None) };
    if receipt.digest != *digest {
        let detail = "this Idempotency-Key came with another request before";
        return Err(Error::conflict("mid_reused", detail).into());
    }
    match (Done::from_status(receipt.status), receipt.item_id) {
        (Some(done), Some(id)) => {
            Ok(Some(Earlier { done, rev: receipt.rev, id: FavouriteId::from_uuid(id) }))
        }
        _ => Err(Error::internal("a receipt has no known outcome").into()),
    }
}

/// Remembers what the request did, in its own transaction.
pub(crate) async fn note(
    tx: &mut Tx,
    account: AccountId,
    idempotency: Option<&Idempotency>,
    done: Done,
    rev: i64,
    id: FavouriteId,
    now: Timestamp,
) -> store::Result<()> {
    let Some(Idempotency { mid, digest }) = idempotency else { return Ok(()) };
    let receipt = Receipt {
        digest: digest.clone(),
        status: done.status(),
        rev,
        item_id: Some(id.uuid()),
        answer: None,
    };
    receipts::put(tx, account, mid, &receipt, now.plus(KEPT)).await
}
