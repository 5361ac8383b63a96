//! Accounts and the directory of e-mails. E-mail and password hash are sealed with the account's data key.

use domain::{AccountId, Timestamp};
use uuid::Uuid;

use crate::error::Result;
use crate::statement::Statement;
use crate::transaction::{Db, Tx};
use crate::{
    email_changes, favourites, identities, passkeys, password_resets, receipts, recovery_codes, sessions,
    sync, tickets, tombstones, totp,
};

type Columns = (Vec<u8>, Option<Vec<u8>>, Option<Vec<u8>>, Option<Vec<u8>>, String, i64, i64);

static INSERT: Statement<(Uuid, Vec<u8>, String, i64, i64), ()> = Statement::new(
    "INSERT INTO account (account_id, data_key, roles, created_at, seen_at) VALUES ($1, $2, $3, $4, $5)",
);
static GET: Statement<(Uuid,), Columns> = Statement::new(
    "SELECT data_key, email, password, preferences, roles, created_at, identities FROM account
     WHERE account_id = $1",
);
static LOCK: Statement<(Uuid,), Columns> = Statement::lock(
    "UPDATE account SET seen_at = seen_at WHERE account_id = $1
     RETURNING data_key, email, password, preferences, roles, created_at, identities",
);
static IS_FORGOTTEN: Statement<(Uuid, i64), (Uuid,)> = Statement::lock(
    "UPDATE account SET seen_at = seen_at
     WHERE account_id = $1 AND seen_at < $2 AND email IS NULL AND identities = 0 RETURNING account_id",
);
static DATA_KEY: Statement<(Uuid,), (Vec<u8>,)> =
    Statement::new("SELECT data_key FROM account WHERE account_id = $1");
static DATA_KEYS: Statement<(Uuid, i64), (Uuid, Vec<u8>)> = Statement::new(
    "SELECT account_id, data_key FROM account WHERE account_id > $1 ORDER BY account_id LIMIT $2",
);
static REWRAP: Statement<(Vec<u8>, Uuid, Vec<u8>), ()> =
    Statement::new("UPDATE account SET data_key = $1 WHERE account_id = $2 AND data_key = $3");
static SET_LOGIN: Statement<(Vec<u8>, Vec<u8>, Uuid), ()> =
    Statement::new("UPDATE account SET email = $1, password = $2 WHERE account_id = $3");
static SET_PASSWORD: Statement<(Vec<u8>, Uuid), ()> =
    Statement::new("UPDATE account SET password = $1 WHERE account_id = $2");
static SET_EMAIL: Statement<(Vec<u8>, Uuid), ()> =
    Statement::new("UPDATE account SET email = $1 WHERE account_id = $2");
static SET_PREFERENCES: Statement<(Vec<u8>, Uuid), ()> =
    Statement::new("UPDATE account SET preferences = $1 WHERE account_id = $2");
static SET_ROLES: Statement<(String, Uuid), ()> =
    Statement::new("UPDATE account SET roles = $1 WHERE account_id = $2");
static COUNT_IDENTITIES: Statement<(i64, Uuid), ()> =
    Statement::new("UPDATE account SET identities = identities + $1 WHERE account_id = $2");
static TOUCH: Statement<(i64, Uuid), ()> =
    Statement::new("UPDATE account SET seen_at = $1 WHERE account_id = $2");
static DELETE: Statement<(Uuid,), ()> = Statement::new("DELETE FROM account WHERE account_id = $1");
static CLAIM_EMAIL: Statement<(Vec<u8>, Uuid), ()> =
    Statement::new("INSERT INTO email_index (email_tag, account_id) VALUES ($1, $2) ON CONFLICT DO NOTHING");
static FIND_EMAIL: Statement<(Vec<u8>,), (Uuid,)> =
    Statement::new("SELECT account_id FROM email_index WHERE email_tag = $1");
static RELEASE_EMAIL: Statement<(Uuid,), ()> =
    Statement::new("DELETE FROM email_index WHERE account_id = $1");
static RELEASE_OTHER_EMAILS: Statement<(Uuid, Vec<u8>), ()> =
    Statement::new("DELETE FROM email_index WHERE account_id = $1 AND email_tag <> $2");
static PAGE: Statement<(Uuid, i64), (Uuid, Vec<u8>, Option<Vec<u8>>, i64, String, i64, i64)> = Statement::new(
    "SELECT account_id, data_key, email, identities, roles, created_at, seen_at FROM account
     WHERE account_id > $1 ORDER BY account_id LIMIT $2",
);
static FORGOTTEN: Statement<(i64, i64), (Uuid,)> = Statement::new(
    "SELECT account_id FROM account WHERE seen_at < $1 AND email IS NULL AND identities = 0
     ORDER BY seen_at LIMIT $2",
);

/// An account as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub id: AccountId,
    /// Wrapped by the key ring.
    pub data_key: Vec<u8>,
    /// Sealed; `None` when the account has no address.
    pub email: Option<Vec<u8>>,
    /// Sealed PHC string.
    pub password: Option<Vec<u8>>,
    /// Sealed.
    pub preferences: Option<Vec<u8>>,
    /// Words separated by spaces.
    pub roles: String,
    pub created_at: Timestamp,
    /// Identities at providers, and passkeys: ways in beside the e-mail.
    pub identities: i64,
}

impl Stored {
    /// Whether nothing leads to the account but its sessions.
    pub const fn is_anonymous(&self) -> bool {
        self.email.is_none() && self.identities == 0
    }
}

/// One line of the operator's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub id: AccountId,
    pub data_key: Vec<u8>,
    pub email: Option<Vec<u8>>,
    pub identities: i64,
    pub roles: String,
    pub created_at: Timestamp,
    pub seen_at: Timestamp,
}

/// Makes an anonymous account with an empty log.
pub async fn insert(tx: &mut Tx, id: AccountId, data_key: &[u8], roles: &str, now: Timestamp) -> Result<()> {
    tx.exec(&INSERT, (id.uuid(), data_key, roles, now.millis(), now.millis())).await?;
    sync::create(tx, id).await
}

pub async fn get(db: &mut Db, id: AccountId) -> Result<Option<Stored>> {
    Ok(db.opt(&GET, (id.uuid(),)).await?.map(|row| stored(id, row)))
}

/// The account, with its row locked until the transaction ends. Whoever decides by what an account is (anonymous
/// or not, there or gone) reads it this way, and first: locks are taken in the order account, log, session.
pub async fn lock(tx: &mut Tx, id: AccountId) -> Result<Option<Stored>> {
    Ok(tx.opt(&LOCK, (id.uuid(),)).await?.map(|row| stored(id, row)))
}

/// Whether the account is still anonymous and unused since `before`; its row is locked then.
pub async fn is_forgotten(tx: &mut Tx, id: AccountId, before: Timestamp) -> Result<bool> {
    Ok(tx.opt(&IS_FORGOTTEN, (id.uuid(), before.millis())).await?.is_some())
}

fn stored(id: AccountId, columns: Columns) -> Stored {
    let (data_key, email, password, preferences, roles, created_at, identities) = columns;
    let created_at = Timestamp::from_millis(created_at);
    Stored { id, data_key, email, password, preferences, roles, created_at, identities }
}

/// The wrapped data key; `None` when the account is gone.
pub async fn data_key(db: &mut Db, id: AccountId) -> Result<Option<Vec<u8>>> {
    Ok(db.opt(&DATA_KEY, (id.uuid(),)).await?.map(|(key,)| key))
}

/// Which of some accounts there are.
pub async fn are_there(db: &mut Db, accounts: &[AccountId]) -> Result<Vec<bool>> {
    let runs: Vec<_> = accounts.iter().map(|account| (account.uuid(),)).collect();
    Ok(db.many(&DATA_KEY, &runs).await?.iter().map(|rows| !rows.is_empty()).collect())
}

/// Wrapped data keys in the order of their accounts, behind `after`.
pub async fn data_keys(db: &mut Db, after: AccountId, limit: i64) -> Result<Vec<(AccountId, Vec<u8>)>> {
    let rows = db.all(&DATA_KEYS, (after.uuid(), limit)).await?;
    Ok(rows.into_iter().map(|(id, key)| (AccountId::from_uuid(id), key)).collect())
}

/// Replaces the wrapped form of a data key, unless somebody else did, or the account is gone.
pub async fn rewrap(tx: &mut Tx, id: AccountId, new: &[u8], old: &[u8]) -> Result<()> {
    tx.exec(&REWRAP, (new, id.uuid(), old)).await.map(drop)
}

/// Gives the account a way to log in, and holds its row until the transaction ends; `false` when it is gone.
pub async fn set_login(tx: &mut Tx, id: AccountId, email: &[u8], password: &[u8]) -> Result<bool> {
    Ok(tx.exec(&SET_LOGIN, (email, password, id.uuid())).await? == 1)
}

pub async fn set_password(tx: &mut Tx, id: AccountId, password: &[u8]) -> Result<()> {
    tx.exec(&SET_PASSWORD, (password, id.uuid())).await.map(drop)
}

pub async fn set_email(tx: &mut Tx, id: AccountId, email: &[u8]) -> Result<()> {
    tx.exec(&SET_EMAIL, (email, id.uuid())).await.map(drop)
}

pub async fn set_preferences(tx: &mut Tx, id: AccountId, preferences: &[u8]) -> Result<()> {
    tx.exec(&SET_PREFERENCES, (preferences, id.uuid())).await.map(drop)
}

pub async fn set_roles(tx: &mut Tx, id: AccountId, roles: &str) -> Result<()> {
    tx.exec(&SET_ROLES, (roles, id.uuid())).await.map(drop)
}

/// Counts ways in that were added (or, below zero, removed). The account's row is held from here on.
pub async fn count_identities(tx: &mut Tx, id: AccountId, by: i64) -> Result<()> {
    tx.exec(&COUNT_IDENTITIES, (by, id.uuid())).await.map(drop)
}

/// Notes that the account was used, so that it is not taken for forgotten, and holds its row until the
/// transaction ends; `false` when it is gone. Call it before adding a session: beside a removal, what is added
/// first would stay behind.
pub async fn touch(tx: &mut Tx, id: AccountId, now: Timestamp) -> Result<bool> {
    Ok(tx.exec(&TOUCH, (now.millis(), id.uuid())).await? == 1)
}

/// Makes the e-mail lead to this account; `false` when it leads to one already.
pub async fn claim_email(tx: &mut Tx, email_tag: &[u8], id: AccountId) -> Result<bool> {
    Ok(tx.exec(&CLAIM_EMAIL, (email_tag, id.uuid())).await? == 1)
}

/// Makes no other e-mail lead to this account than this one.
pub async fn release_other_emails(tx: &mut Tx, id: AccountId, email_tag: &[u8]) -> Result<()> {
    tx.exec(&RELEASE_OTHER_EMAILS, (id.uuid(), email_tag)).await.map(drop)
}

pub async fn find_by_email(db: &mut Db, email_tag: &[u8]) -> Result<Option<AccountId>> {
    Ok(db.opt(&FIND_EMAIL, (email_tag,)).await?.map(|(id,)| AccountId::from_uuid(id)))
}

/// Removes the account with all that is its own; its sessions end and their ids are returned.
///
/// The account and its log go first: that waits for writers that hold them and stops those that come later,
/// so that no row of theirs appears behind the deletions that follow.
pub async fn delete(tx: &mut Tx, id: AccountId, now: Timestamp) -> Result<Vec<domain::SessionId>> {
    sync::delete(tx, id).await?;
    tx.exec(&DELETE, (id.uuid(),)).await?;
    let ended = sessions::end_all(tx, id, None, now).await?;
    favourites::delete_all(tx, id).await?;
    tombstones::delete_all(tx, id).await?;
    receipts::delete_all(tx, id).await?;
    tickets::delete_all(tx, id).await?;
    totp::delete(tx, id).await?;
    recovery_codes::delete_all(tx, id).await?;
    passkeys::delete_all(tx, id).await?;
    identities::delete_all(tx, id).await?;
    password_resets::delete_all(tx, id).await?;
    email_changes::delete(tx, id).await?;
    tx.exec(&RELEASE_EMAIL, (id.uuid(),)).await?;
    Ok(ended)
}

/// Accounts in order of their ids, behind `after`.
pub async fn page(db: &mut Db, after: AccountId, limit: i64) -> Result<Vec<Listed>> {
    let rows = db.all(&PAGE, (after.uuid(), limit)).await?;
    let listed = |(id, data_key, email, identities, roles, created_at, seen_at)| Listed {
        id: AccountId::from_uuid(id),
        data_key,
        email,
        identities,
        roles,
        created_at: Timestamp::from_millis(created_at),
        seen_at: Timestamp::from_millis(seen_at),
    };
    Ok(rows.into_iter().map(listed).collect())
}

/// Anonymous accounts that nobody used since `before`.
pub async fn forgotten(db: &mut Db, before: Timestamp, limit: i64) -> Result<Vec<AccountId>> {
    let rows = db.all(&FORGOTTEN, (before.millis(), limit)).await?;
    Ok(rows.into_iter().map(|(id,)| AccountId::from_uuid(id)).collect())
}
