//! What keys of the ring have wrapped, table by table: how much is left that the active one did not.

use crate::error::Result;
use crate::statement::Statement;
use crate::transaction::Db;

type Left = Statement<(Vec<u8>,), (i64,)>;

static ACCOUNTS: Left = Statement::new("SELECT count(*) FROM account WHERE substr(data_key, 1, 5) <> $1");
static MAIL: Left = Statement::new("SELECT count(*) FROM mail WHERE substr(data_key, 1, 5) <> $1");
static REGISTRATIONS: Left =
    Statement::new("SELECT count(*) FROM registration WHERE substr(data_key, 1, 5) <> $1");
static SECRETS: Left = Statement::new(
    "SELECT count(*) FROM server_secret WHERE length(wrapped) > 0 AND substr(wrapped, 1, 5) <> $1",
);
static SIGNING_KEYS: Left =
    Statement::new("SELECT count(*) FROM signing_key WHERE substr(wrapped, 1, 5) <> $1");

/// Tables with values that a key of the ring has wrapped.
static TABLES: [(&str, &Left); 5] = [
    ("account", &ACCOUNTS),
    ("mail", &MAIL),
    ("registration", &REGISTRATIONS),
    ("server_secret", &SECRETS),
    ("signing_key", &SIGNING_KEYS),
];

/// Tables, and how many of their values do not begin with `prefix`; those without any are left out.
pub async fn left(db: &mut Db, prefix: [u8; 5]) -> Result<Vec<(&'static str, i64)>> {
    let mut left = Vec::new();
    for (table, statement) in TABLES {
        let (count,) = db.one(statement, (&prefix[..],)).await?;
        if count > 0 {
            left.push((table, count));
        }
    }
    Ok(left)
}
