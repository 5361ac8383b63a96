//! What keys of the ring have wrapped, table by table: how much is left that the active one did not, and what operators
//! have made, whose data keys are theirs alone.

use uuid::Uuid;

use crate::error::Result;
use crate::statement::Statement;
use crate::transaction::{Db, Tx};

static API_KEY_KEYS: Statement<(), (Uuid, Vec<u8>)> =
    Statement::new("SELECT key_id, data_key FROM api_key ORDER BY key_id");
static WEBHOOK_KEYS: Statement<(), (Uuid, Vec<u8>)> =
    Statement::new("SELECT webhook_id, data_key FROM webhook ORDER BY webhook_id");
static REWRAP_API_KEY: Statement<(Vec<u8>, Uuid, Vec<u8>), ()> =
    Statement::new("UPDATE api_key SET data_key = $1 WHERE key_id = $2 AND data_key = $3");
static REWRAP_WEBHOOK: Statement<(Vec<u8>, Uuid, Vec<u8>), ()> =
    Statement::new("UPDATE webhook SET data_key = $1 WHERE webhook_id = $2 AND data_key = $3");
static ACCOUNTS: Statement<(Vec<u8>,), (i64,)> =
    Statement::new("SELECT count(*) FROM account WHERE substr(data_key, 1, 5) <> $1");
static API_KEYS: Statement<(Vec<u8>,), (i64,)> =
    Statement::new("SELECT count(*) FROM api_key WHERE substr(data_key, 1, 5) <> $1");
static MAIL: Statement<(Vec<u8>,), (i64,)> =
    Statement::new("SELECT count(*) FROM mail WHERE substr(data_key, 1, 5) <> $1");
static OAUTH_STEPS: Statement<(Vec<u8>,), (i64,)> =
    Statement::new("SELECT count(*) FROM oauth_step WHERE substr(data_key, 1, 5) <> $1");
static REGISTRATIONS: Statement<(Vec<u8>,), (i64,)> =
    Statement::new("SELECT count(*) FROM registration WHERE substr(data_key, 1, 5) <> $1");
static SECRETS: Statement<(Vec<u8>,), (i64,)> = Statement::new(
    "SELECT count(*) FROM server_secret WHERE length(wrapped) > 0 AND substr(wrapped, 1, 5) <> $1",
);
static SIGNING_KEYS: Statement<(Vec<u8>,), (i64,)> =
    Statement::new("SELECT count(*) FROM signing_key WHERE substr(wrapped, 1, 5) <> $1");
static WEBHOOKS: Statement<(Vec<u8>,), (i64,)> =
    Statement::new("SELECT count(*) FROM webhook WHERE substr(data_key, 1, 5) <> $1");

/// Tables with values that a key of the ring has wrapped.
static TABLES: [(&str, &Statement<(Vec<u8>,), (i64,)>); 8] = [
    ("account", &ACCOUNTS),
    ("api_key", &API_KEYS),
    ("mail", &MAIL),
    ("oauth_step", &OAUTH_STEPS),
    ("registration", &REGISTRATIONS),
    ("server_secret", &SECRETS),
    ("signing_key", &SIGNING_KEYS),
    ("webhook", &WEBHOOKS),
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

/// Something that operators make, with a data key of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    ApiKey,
    Webhook,
}

/// The data keys of all that operators have made: there are few.
pub async fn made(db: &mut Db) -> Result<Vec<(Made, Uuid, Vec<u8>)>> {
    let (keys, webhooks) = db.pair((&API_KEY_KEYS, ()), (&WEBHOOK_KEYS, ())).await?;
    let keys = keys.into_iter().map(|(id, wrapped)| (Made::ApiKey, id, wrapped));
    let webhooks = webhooks.into_iter().map(|(id, wrapped)| (Made::Webhook, id, wrapped));
    Ok(keys.chain(webhooks).collect())
}

/// Replaces the wrapped form of one, unless somebody else did.
pub async fn rewrap_made(tx: &mut Tx, made: Made, id: Uuid, new: &[u8], old: &[u8]) -> Result<()> {
    let statement = match made {
        Made::ApiKey => &REWRAP_API_KEY,
        Made::Webhook => &REWRAP_WEBHOOK,
    };
    tx.exec(statement, (new, id, old)).await.map(drop)
}
