//! The head of each account's log. A transaction that changes synced data locks it first and raises it last,
//! so revisions are exactly `1..=head` in the order in which they become visible.

use domain::cursor::{Cursor, Era, Eras, Reset};
use domain::position::Position;
use domain::{AccountId, Error};
use uuid::Uuid;

use crate::error::Result;
use crate::place_filter::PlaceFilter;
use crate::statement::Statement;
use crate::transaction::{Db, Hint, Tx};

static CREATE: Statement<(Uuid, Vec<u8>), ()> = Statement::new(
    "INSERT INTO account_sync (account_id, eras, head, floor, favourites, last_position, places)
     SELECT $1, CAST(era AS TEXT) || ':0', 0, 0, 0, '', $2 FROM store_era WHERE name = 'era'",
);
type Locked = (String, i64, i64, i64, String, Vec<u8>, i64);

static LOCK: Statement<(Uuid,), Locked> = Statement::lock(
    "UPDATE account_sync SET head = head WHERE account_id = $1
     RETURNING eras, head, floor, favourites, last_position, places, (SELECT era FROM store_era WHERE name = 'era')",
);
static READ_LOCKED: Statement<(Uuid,), Locked> = Statement::new(
    "SELECT eras, head, floor, favourites, last_position, places, (SELECT era FROM store_era WHERE name = 'era')
     FROM account_sync WHERE account_id = $1",
);
static RAISE: Statement<(String, i64, i64, String, Vec<u8>, Uuid), ()> = Statement::new(
    "UPDATE account_sync SET eras = $1, head = $2, favourites = $3, last_position = $4, places = $5
     WHERE account_id = $6",
);
static RAISE_FLOOR: Statement<(i64, Uuid), ()> =
    Statement::new("UPDATE account_sync SET floor = $1 WHERE account_id = $2");
pub(crate) static READ: Statement<(Uuid,), (String, i64, i64)> =
    Statement::new("SELECT eras, head, floor FROM account_sync WHERE account_id = $1");
static PAGE: Statement<(Uuid, i64), (Uuid, String, i64, i64, i64)> = Statement::new(
    "SELECT account_id, eras, head, floor, favourites FROM account_sync
     WHERE account_id > $1 ORDER BY account_id LIMIT $2",
);
static HEADS: Statement<[Uuid; HEADS_AT_ONCE], (Uuid, String, i64)> = Statement::new(
    "SELECT account_id, eras, head FROM account_sync WHERE account_id IN
        ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22,
         $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40, $41, $42,
         $43, $44, $45, $46, $47, $48, $49, $50)",
);
static DELETE: Statement<(Uuid,), ()> = Statement::new("DELETE FROM account_sync WHERE account_id = $1");

/// The locked head of one account, within a transaction.
#[derive(Clone)]
pub struct Log {
    account: AccountId,
    eras: Eras,
    /// Rev of the newest change.
    pub head: i64,
    /// Cursors below this were compacted away.
    pub floor: i64,
    /// Live favourites: the quota is checked against it.
    pub favourites: i64,
    last_position: Option<Position>,
    places: PlaceFilter,
    era: Era,
    before: i64,
}

impl Log {
    /// Whose log it is.
    pub const fn account(&self) -> AccountId {
        self.account
    }

    pub(crate) fn may_have_place(&self, place_tag: i64) -> bool {
        self.places.may_have(place_tag)
    }

    pub(crate) fn note_place(&mut self, place_tag: i64) {
        self.places.note(place_tag);
    }

    /// The number of the next change.
    pub fn next_rev(&mut self) -> i64 {
        self.head += 1;
        self.head
    }

    /// Whether changes after `cursor` can be told, as the log was when it was locked.
    pub fn check(&self, cursor: Cursor) -> Result<(), Reset> {
        self.eras.check(cursor, self.before, self.floor)
    }

    /// Behind every favourite there is, or was.
    pub fn append(&mut self) -> Position {
        let next = self.last_position.as_ref().map_or_else(Position::first, Position::next);
        self.last_position = Some(next.clone());
        next
    }

    /// Notes a position that was given, so that later ones are appended behind it.
    pub fn note_position(&mut self, position: &Position) {
        if self.last_position.as_ref().is_none_or(|last| last < position) {
            self.last_position = Some(position.clone());
        }
    }
}

/// A new account's log, in the current era.
pub async fn create(tx: &mut Tx, account: AccountId) -> Result<()> {
    if tx.exec(&CREATE, (account.uuid(), PlaceFilter::default().bytes())).await? == 1 {
        Ok(())
    } else {
        Err(Error::internal("store_era has no era, so the account's log cannot begin").into())
    }
}

/// Locks the account's log; `None` when the account is gone.
pub async fn lock(tx: &mut Tx, account: AccountId) -> Result<Option<Log>> {
    // Where one transaction at a time writes, reading is enough, and costs half.
    let statement = if tx.excludes_other_writers() { &READ_LOCKED } else { &LOCK };
    let row = tx.opt(statement, (account.uuid(),)).await?;
    let Some((eras, head, floor, favourites, last_position, places, era)) = row else { return Ok(None) };
    let last_position = if last_position.is_empty() { None } else { Some(Position::stored(last_position)) };
    let era = Era(u32::try_from(era).unwrap_or_default());
    let (eras, places) = (list(&eras)?, PlaceFilter::stored(places));
    Ok(Some(Log { account, eras, head, floor, favourites, last_position, places, era, before: head }))
}

/// Writes the raised head back and hints at it. Call it last, once.
pub async fn raise(tx: &mut Tx, mut log: Log) -> Result<Cursor> {
    if log.head > log.before {
        log.eras.enter(log.era, log.before);
        let eras = log.eras.to_string();
        let last = log.last_position.map(|last| last.to_string()).unwrap_or_default();
        let places = log.places.bytes().to_vec();
        tx.exec_later(&RAISE, (eras, log.head, log.favourites, last, places, log.account.uuid())).await?;
        tx.hint(Hint { account: log.account, era: log.eras.newest(), head: log.head });
    }
    Ok(log.eras.cursor(log.head))
}

/// From now on nothing can be told to cursors below `floor`.
pub async fn raise_floor(tx: &mut Tx, log: &Log, floor: i64) -> Result<()> {
    let floor = floor.max(log.floor);
    tx.exec(&RAISE_FLOOR, (floor, log.account.uuid())).await.map(drop)
}

/// Where an account's log stands.
pub struct Head {
    pub eras: Eras,
    pub head: i64,
    pub floor: i64,
}

impl Head {
    pub(crate) fn stored((eras, head, floor): (String, i64, i64)) -> Result<Self> {
        Ok(Self { eras: list(&eras)?, head, floor })
    }

    pub fn cursor(&self) -> Cursor {
        self.eras.cursor(self.head)
    }

    /// Whether changes after `cursor` can be told.
    pub fn check(&self, cursor: Cursor) -> Result<(), Reset> {
        self.eras.check(cursor, self.head, self.floor)
    }
}

pub async fn head(db: &mut Db, account: AccountId) -> Result<Option<Head>> {
    db.opt(&READ, (account.uuid(),)).await?.map(Head::stored).transpose()
}

/// What the row of an account's log says, taken as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub account: AccountId,
    pub eras: String,
    pub head: i64,
    pub floor: i64,
    pub favourites: i64,
}

/// Logs in the order of their accounts, behind `after`.
pub async fn page(db: &mut Db, after: AccountId, limit: i64) -> Result<Vec<Listed>> {
    let rows = db.all(&PAGE, (after.uuid(), limit)).await?;
    let listed = |(id, eras, head, floor, favourites)| {
        let account = AccountId::from_uuid(id);
        Listed { account, eras, head, floor, favourites }
    };
    Ok(rows.into_iter().map(listed).collect())
}

/// Accounts whose heads [`heads`] reads at once.
pub const HEADS_AT_ONCE: usize = 50;

/// Where each account's log ends, for up to [`HEADS_AT_ONCE`] of them; those that are gone are left out.
pub async fn heads(db: &mut Db, accounts: &[AccountId]) -> Result<Vec<(AccountId, Cursor)>> {
    // The statement's list has one length: what is too much of it names nobody.
    let named: [Uuid; HEADS_AT_ONCE] =
        std::array::from_fn(|at| accounts.get(at).map_or(Uuid::nil(), |account| account.uuid()));
    let rows = db.all(&HEADS, named).await?;
    let head = |(account, eras, head): (Uuid, String, i64)| {
        Ok((AccountId::from_uuid(account), list(&eras)?.cursor(head)))
    };
    rows.into_iter().map(head).collect()
}

pub async fn delete(tx: &mut Tx, account: AccountId) -> Result<()> {
    tx.exec(&DELETE, (account.uuid(),)).await.map(drop)
}

fn list(text: &str) -> Result<Eras> {
    Eras::parse(text).ok_or_else(|| Error::internal("account_sync.eras does not parse").into())
}
