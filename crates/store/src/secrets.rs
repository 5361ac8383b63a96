//! What the installation itself holds: its random keys and the keys that sign tokens, wrapped by the key ring.

use domain::Timestamp;

use crate::error::{Error, Result};
use crate::relocation::HALF_MOVED;
use crate::statement::Statement;
use crate::transaction::{Db, Tx};

static PUT: Statement<(String, Vec<u8>), ()> =
    Statement::new("INSERT INTO server_secret (name, wrapped) VALUES ($1, $2) ON CONFLICT DO NOTHING");
static GET: Statement<(String,), (Vec<u8>,)> =
    Statement::new("SELECT wrapped FROM server_secret WHERE name = $1");
static UNFINISHED_MOVE: Statement<(), (i64,)> =
    Statement::new("SELECT begun_at FROM database_move WHERE ended_at = 0");
static PUT_KEY: Statement<(String, String, Vec<u8>, Vec<u8>, i64), ()> = Statement::new(
    "INSERT INTO signing_key (kid, state, public_key, wrapped, created_at) VALUES ($1, $2, $3, $4, $5)",
);
static KEYS: Statement<(), (String, String, Vec<u8>, Vec<u8>, i64)> = Statement::new(
    "SELECT kid, state, public_key, wrapped, created_at FROM signing_key ORDER BY created_at, kid",
);

/// A key that signs access tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningKey {
    pub kid: String,
    /// `pending`, `active` or `retiring`.
    pub state: String,
    pub public_key: Vec<u8>,
    /// The private half, wrapped.
    pub wrapped: Vec<u8>,
    pub created_at: Timestamp,
}

pub async fn get(db: &mut Db, name: &str) -> Result<Option<Vec<u8>>> {
    Ok(db.opt(&GET, (name,)).await?.map(|(wrapped,)| wrapped))
}

/// Keeps the secret if there is none of this name, and returns the one that is kept: of two nodes that start
/// together, one wins and both use its.
///
/// # Errors
/// When another installation is being moved here, which brings its own: see [`crate::relocation`], which waits for
/// those that were put and lets none be put until it has begun.
pub async fn ensure(tx: &mut Tx, name: &str, wrapped: &[u8]) -> Result<Vec<u8>> {
    tx.exec(&PUT, (name, wrapped)).await?;
    if tx.opt(&UNFINISHED_MOVE, ()).await?.is_some() {
        return Err(Error::Database(String::from(HALF_MOVED)));
    }
    let (kept,) = tx.one(&GET, (name,)).await?;
    Ok(kept)
}

pub async fn put_signing_key(tx: &mut Tx, key: &SigningKey) -> Result<()> {
    let SigningKey { kid, state, public_key, wrapped, created_at } = key;
    let args = (kid.as_str(), state.as_str(), public_key.as_slice(), wrapped.as_slice(), created_at.millis());
    tx.exec(&PUT_KEY, args).await.map(drop)
}

/// All keys, oldest first; `first` becomes one of them when there is none yet.
pub async fn ensure_signing_key(tx: &mut Tx, first: &SigningKey) -> Result<Vec<SigningKey>> {
    // Of two nodes that start on an empty database one waits here for the other.
    ensure(tx, "signing_keys", &[]).await?;
    let mut keys = signing_keys(tx).await?;
    if keys.is_empty() {
        put_signing_key(tx, first).await?;
        keys.push(first.clone());
    }
    Ok(keys)
}

/// Oldest first.
pub async fn signing_keys(db: &mut Db) -> Result<Vec<SigningKey>> {
    let rows = db.all(&KEYS, ()).await?;
    let key = |(kid, state, public_key, wrapped, at)| SigningKey {
        kid,
        state,
        public_key,
        wrapped,
        created_at: Timestamp::from_millis(at),
    };
    Ok(rows.into_iter().map(key).collect())
}
