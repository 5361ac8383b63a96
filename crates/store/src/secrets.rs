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
static LOCK: Statement<(String,), (String,)> =
    Statement::new("UPDATE server_secret SET wrapped = wrapped WHERE name = $1 RETURNING name");
static REWRAP: Statement<(Vec<u8>, String, Vec<u8>), ()> =
    Statement::new("UPDATE server_secret SET wrapped = $1 WHERE name = $2 AND wrapped = $3");
static ALL: Statement<(), (String, Vec<u8>)> =
    Statement::new("SELECT name, wrapped FROM server_secret ORDER BY name");
static PUT_KEY: Statement<(String, String, Vec<u8>, Vec<u8>, i64, i64), ()> = Statement::new(
    "INSERT INTO signing_key (kid, state, public_key, wrapped, created_at, since) VALUES ($1, $2, $3, $4, $5, $6)",
);
static KEYS: Statement<(), (String, String, Vec<u8>, Vec<u8>, i64, i64)> = Statement::new(
    "SELECT kid, state, public_key, wrapped, created_at, COALESCE(since, created_at) FROM signing_key
     ORDER BY created_at, kid",
);
static SET_STATE: Statement<(String, i64, String), ()> =
    Statement::new("UPDATE signing_key SET state = $1, since = $2 WHERE kid = $3");
static DROP_KEY: Statement<(String,), ()> = Statement::new("DELETE FROM signing_key WHERE kid = $1");
static REWRAP_KEY: Statement<(Vec<u8>, String, Vec<u8>), ()> =
    Statement::new("UPDATE signing_key SET wrapped = $1 WHERE kid = $2 AND wrapped = $3");

/// The row that stands for all keys that sign.
const SIGNING_KEYS: &str = "signing_keys";

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
    /// When it came into its state.
    pub since: Timestamp,
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
    let SigningKey { kid, state, public_key, wrapped, created_at, since } = key;
    let (created_at, since) = (created_at.millis(), since.millis());
    let args = (kid.as_str(), state.as_str(), public_key.as_slice(), wrapped.as_slice(), created_at, since);
    tx.exec(&PUT_KEY, args).await.map(drop)
}

/// All keys, oldest first; `first` becomes one of them when there is none yet.
pub async fn ensure_signing_key(tx: &mut Tx, first: &SigningKey) -> Result<Vec<SigningKey>> {
    // Of two nodes that start on an empty database one waits here for the other.
    ensure(tx, SIGNING_KEYS, &[]).await?;
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
    let key = |(kid, state, public_key, wrapped, at, since)| SigningKey {
        kid,
        state,
        public_key,
        wrapped,
        created_at: Timestamp::from_millis(at),
        since: Timestamp::from_millis(since),
    };
    Ok(rows.into_iter().map(key).collect())
}

/// The same, held until the transaction ends: of several nodes one changes them at a time.
pub async fn lock_signing_keys(tx: &mut Tx) -> Result<Vec<SigningKey>> {
    ensure(tx, SIGNING_KEYS, &[]).await?;
    tx.one(&LOCK, (SIGNING_KEYS,)).await?;
    signing_keys(tx).await
}

pub async fn set_signing_key_state(tx: &mut Tx, kid: &str, state: &str, now: Timestamp) -> Result<()> {
    tx.exec(&SET_STATE, (state, now.millis(), kid)).await.map(drop)
}

/// Removes a key; `false` when there is none of this id.
pub async fn drop_signing_key(tx: &mut Tx, kid: &str) -> Result<bool> {
    Ok(tx.exec(&DROP_KEY, (kid,)).await? == 1)
}

/// Replaces the wrapped form of a key, unless somebody else did.
pub async fn rewrap_signing_key(tx: &mut Tx, kid: &str, new: &[u8], old: &[u8]) -> Result<()> {
    tx.exec(&REWRAP_KEY, (new, kid, old)).await.map(drop)
}

/// Names and wrapped forms of the installation's random keys; one that only stands for others is empty.
pub async fn all(db: &mut Db) -> Result<Vec<(String, Vec<u8>)>> {
    db.all(&ALL, ()).await
}

/// Replaces the wrapped form of a secret, unless somebody else did.
pub async fn rewrap(tx: &mut Tx, name: &str, new: &[u8], old: &[u8]) -> Result<bool> {
    Ok(tx.exec(&REWRAP, (new, name, old)).await? == 1)
}
