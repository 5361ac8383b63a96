//! Moving an installation from a SQLite file into PostgreSQL.
//!
//! Table by table in the order of the keys, a chunk per transaction: what arrived says by itself where to go on, so a
//! move that was interrupted is simply run again. At the end both sides are read once more and compared row by row.

use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;

use domain::{Random, Timestamp};
use futures::TryStreamExt;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, params_from_iter};
use sha2::{Digest, Sha256};
use tokio_postgres::Client;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};

use crate::connect::{Target, unreachable};
use crate::error::{Error, Result};
use crate::row_value::{Kind, Value};
use crate::{Url, era, migrations};

/// What becomes of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    Moved,
    /// Stays behind, with the reason.
    Left(&'static str),
}

/// Every table of the schema.
pub const TABLES: &[(&str, Treatment)] = &[
    ("schema_migration", Treatment::Left("each database knows which steps ran on it")),
    ("store_era", Treatment::Left("the target begins an era of its own")),
    ("database_move", Treatment::Left("says where the target's data came from")),
    ("cell_claim", Treatment::Left("nobody who fetches for the source fetches for the target")),
    ("server_secret", Treatment::Moved),
    ("signing_key", Treatment::Moved),
    ("account", Treatment::Moved),
    ("email_index", Treatment::Moved),
    ("session", Treatment::Moved),
    ("cookie", Treatment::Moved),
    ("stream_ticket", Treatment::Moved),
    ("totp", Treatment::Moved),
    ("recovery_code", Treatment::Moved),
    ("passkey", Treatment::Moved),
    ("passkey_index", Treatment::Moved),
    ("challenge", Treatment::Moved),
    ("revocation", Treatment::Moved),
    ("registration", Treatment::Moved),
    ("mail", Treatment::Moved),
    ("password_reset", Treatment::Moved),
    ("email_change", Treatment::Moved),
    ("throttle", Treatment::Moved),
    ("identity_index", Treatment::Moved),
    ("identity", Treatment::Moved),
    ("oauth_step", Treatment::Moved),
    ("account_sync", Treatment::Moved),
    ("favourite", Treatment::Moved),
    ("tombstone", Treatment::Moved),
    ("receipt", Treatment::Moved),
    ("cell_forecast", Treatment::Moved),
    ("provider_state", Treatment::Moved),
    ("elevation", Treatment::Moved),
    ("audit", Treatment::Moved),
    ("erasure", Treatment::Moved),
    ("api_key", Treatment::Moved),
    ("webhook", Treatment::Moved),
    ("webhook_delivery", Treatment::Moved),
];

/// Rows of one transaction, and read at once.
const CHUNK: i64 = 500;
/// Keeps two moves into one database apart.
const ADVISORY_LOCK: i64 = 0x6661_6972_6d6f_7665;
/// How long a server that is just stopping may still hold the file.
const HELD: Duration = Duration::from_secs(2);

/// What a server says that is started on a target before all has arrived.
pub(crate) const HALF_MOVED: &str =
    "this database holds a part of what is being moved there: run `fairweather database move` to its end";

/// How far a table has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub table: &'static str,
    pub rows: u64,
    pub of: u64,
}

/// A table that is the same on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    pub table: &'static str,
    pub rows: u64,
    /// SHA-256 in hex over all rows in the order of their keys.
    pub checksum: String,
}

/// Moves everything, or goes on with a move that was interrupted, and compares both sides.
///
/// # Errors
/// When the file is in use, is no installation's or has steps to run; when the target holds other data; when a
/// side fails; when both differ at the end. Until it succeeds no server starts on the target.
pub async fn relocate(
    from: &Path,
    to: &str,
    now: Timestamp,
    random: &Random,
    mut tell: impl FnMut(Progress),
) -> Result<Vec<Moved>> {
    let source = Source::open(from)?;
    migrations::migrate(&Url::Postgres(to.to_owned()), false).await?;
    let (client, _driver) = Target::parse(to)?.connect().await?;
    let mut target = Arrival { client };
    target.begin(&source.identity()?, now).await?;
    let mut tables = Vec::new();
    for (table, treatment) in TABLES {
        if *treatment == Treatment::Moved {
            let table = Table { name: table, columns: target.columns(table, source.columns(table)?).await? };
            copy(&source, &mut target, &table, &mut tell).await?;
            tables.push(table);
        }
    }
    let mut moved = Vec::new();
    for table in &tables {
        let (here, there) = (source.digest(table)?, target.digest(table).await?);
        if here != there {
            return Err(Error::Database(format!(
                "{} differs: {} rows in the file, {} in PostgreSQL. Somebody has written to one of them since the \
                 move began: begin again with an empty database",
                table.name, here.0, there.0
            )));
        }
        moved.push(Moved { table: table.name, rows: here.0, checksum: here.1 });
    }
    target.end(now, random).await?;
    Ok(moved)
}

async fn copy(
    source: &Source,
    target: &mut Arrival,
    table: &Table,
    tell: &mut impl FnMut(Progress),
) -> Result<()> {
    let of = source.count(table)?;
    let mut rows = target.count(table).await?;
    let mut after = target.last_key(table).await?;
    tell(Progress { table: table.name, rows, of });
    loop {
        let chunk = source.chunk(table, after.as_deref())?;
        let Some(last) = chunk.last() else { return Ok(()) };
        after = Some(table.key_of(last));
        target.put(table, &chunk).await?;
        rows += chunk.len() as u64;
        tell(Progress { table: table.name, rows, of });
    }
}

/// A table as the schema has it.
struct Table {
    name: &'static str,
    /// Those of the primary key first, in its order.
    columns: Vec<Column>,
}

struct Column {
    name: String,
    kind: Kind,
    in_key: bool,
}

impl Table {
    fn names(&self) -> String {
        self.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ")
    }

    fn key(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| column.in_key)
    }

    /// The key's columns, each followed by `suffix`.
    fn key_names(&self, suffix: &str) -> String {
        self.key().map(|column| format!("{}{suffix}", column.name)).collect::<Vec<_>>().join(", ")
    }

    fn key_of(&self, row: &[Value]) -> Vec<Value> {
        row.iter().take(self.key().count()).cloned().collect()
    }
}

/// The file, held so that nobody else can use it meanwhile.
struct Source {
    connection: Connection,
    path: PathBuf,
}

impl Source {
    fn open(path: &Path) -> Result<Self> {
        if !path.is_file() {
            return Err(Error::Database(format!("there is no file {}", path.display())));
        }
        let connection = Connection::open(path).map_err(|error| sqlite(path, &error))?;
        let source = Self { connection, path: path.to_owned() };
        // In this mode SQLite takes the file for itself, which fails while a server has it open.
        source.sql(source.connection.busy_timeout(HELD))?;
        source.sql(source.connection.pragma_update(None, "locking_mode", "EXCLUSIVE"))?;
        source.sql(source.connection.execute_batch("BEGIN IMMEDIATE; COMMIT"))?;
        let pending = migrations::pending(&source.connection, path)?;
        if pending > 0 {
            return Err(Error::Database(format!(
                "{} lacks {pending} steps of the schema: run `fairweather migrate --database sqlite:{}` first",
                path.display(),
                path.display()
            )));
        }
        Ok(source)
    }

    fn sql<T>(&self, done: rusqlite::Result<T>) -> Result<T> {
        done.map_err(|error| sqlite(&self.path, &error))
    }

    /// What tells this installation from others: its random keys, wrapped as they are.
    fn identity(&self) -> Result<String> {
        let text = "SELECT wrapped FROM server_secret ORDER BY name";
        let mut statement = self.sql(self.connection.prepare(text))?;
        let mut rows = self.sql(statement.query([]))?;
        let (mut digest, mut keys) = (Sha256::new(), 0);
        while let Some(row) = self.sql(rows.next())? {
            digest.update(self.sql(row.get::<_, Vec<u8>>(0))?);
            keys += 1;
        }
        if keys == 0 {
            let path = self.path.display();
            return Err(Error::Database(format!("{path} holds nothing: no server was ever started on it")));
        }
        Ok(hex(&digest.finalize()))
    }

    /// Names of the columns, those of the primary key first and in its order, and whether they belong to it.
    fn columns(&self, table: &str) -> Result<Vec<(String, bool)>> {
        let text = "SELECT name, pk FROM pragma_table_info(?1) ORDER BY pk = 0, pk, cid";
        let mut statement = self.sql(self.connection.prepare(text))?;
        let rows =
            self.sql(statement.query_map([table], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? > 0))))?;
        let columns = self.sql(rows.collect::<rusqlite::Result<Vec<(String, bool)>>>())?;
        if columns.iter().any(|(_, in_key)| *in_key) {
            return Ok(columns);
        }
        Err(Error::Database(format!("the table {table} has no primary key")))
    }

    fn count(&self, table: &Table) -> Result<u64> {
        let text = format!("SELECT count(*) FROM {}", table.name);
        let count: i64 = self.sql(self.connection.query_row(&text, [], |row| row.get(0)))?;
        Ok(count.unsigned_abs())
    }

    /// The rows behind a key.
    fn chunk(&self, table: &Table, after: Option<&[Value]>) -> Result<Vec<Vec<Value>>> {
        let behind = after.map_or_else(String::new, |key| {
            let marks = vec!["?"; key.len()].join(", ");
            format!("WHERE ({}) > ({marks})", table.key_names(""))
        });
        let (columns, name, order) = (table.names(), table.name, table.key_names(""));
        let text = format!("SELECT {columns} FROM {name} {behind} ORDER BY {order} LIMIT {CHUNK}");
        let mut statement = self.sql(self.connection.prepare_cached(&text))?;
        let mut rows = self.sql(statement.query(params_from_iter(after.unwrap_or_default())))?;
        let mut chunk = Vec::new();
        while let Some(row) = self.sql(rows.next())? {
            chunk.push(read(table, |at| self.sql(row.get_ref(at)))?);
        }
        Ok(chunk)
    }

    fn digest(&self, table: &Table) -> Result<(u64, String)> {
        let text = format!("SELECT {} FROM {} ORDER BY {}", table.names(), table.name, table.key_names(""));
        let mut statement = self.sql(self.connection.prepare(&text))?;
        let mut rows = self.sql(statement.query([]))?;
        let mut digest = RowDigest::default();
        while let Some(row) = self.sql(rows.next())? {
            digest.add(&read(table, |at| self.sql(row.get_ref(at)))?);
        }
        Ok(digest.finish())
    }
}

fn read<'a>(table: &Table, get: impl Fn(usize) -> Result<ValueRef<'a>>) -> Result<Vec<Value>> {
    let value = |(at, column): (usize, &Column)| Value::of_sqlite(column.kind, get(at)?);
    table.columns.iter().enumerate().map(value).collect()
}

/// PostgreSQL, on a connection of its own.
struct Arrival {
    client: Client,
}

impl Arrival {
    /// Begins the move of a source, or goes on with it.
    async fn begin(&mut self, source: &str, now: Timestamp) -> Result<()> {
        let text = "SELECT pg_try_advisory_lock($1)";
        let alone = self.client.query_typed_one(text, &[(&ADVISORY_LOCK, Type::INT8)]).await;
        if !alone.map_err(failed)?.get::<_, bool>(0) {
            return Err(Error::Database(String::from("another move into this database is at work")));
        }
        let tx = self.client.transaction().await.map_err(failed)?;
        // A server that starts meanwhile puts its keys before this, and is seen below, or after it, and sees the move.
        tx.batch_execute("LOCK TABLE server_secret IN EXCLUSIVE MODE").await.map_err(failed)?;
        let text = "SELECT source, ended_at FROM database_move";
        let found = tx.query_typed(text, &[]).await.map_err(failed)?;
        let mut of_this = false;
        for row in &found {
            let (other, ended_at): (String, i64) = (row.get(0), row.get(1));
            if other != source {
                let text = "the target was filled from another installation: take an empty database";
                return Err(Error::Database(String::from(text)));
            }
            if ended_at > 0 {
                let when = Timestamp::from_millis(ended_at).rfc3339();
                return Err(Error::Database(format!("this installation was moved there before, at {when}")));
            }
            of_this = true;
        }
        if of_this {
            return Ok(());
        }
        for (table, treatment) in TABLES {
            let text = format!("SELECT 1 FROM {table} LIMIT 1");
            let holds = *treatment == Treatment::Moved
                && !tx.query_typed(&text, &[]).await.map_err(failed)?.is_empty();
            if holds {
                return Err(Error::Database(format!(
                    "the target is in use (there are rows in {table}): take an empty database"
                )));
            }
        }
        let text = "INSERT INTO database_move (source, begun_at, ended_at) VALUES ($1, $2, 0)";
        let row: [(&(dyn ToSql + Sync), Type); 2] = [(&source, Type::TEXT), (&now.millis(), Type::INT8)];
        tx.execute_typed(text, &row).await.map_err(failed)?;
        tx.commit().await.map_err(failed)
    }

    /// All is there: servers may start, in an era of its own.
    async fn end(&mut self, now: Timestamp, random: &Random) -> Result<()> {
        let drawn = i64::from(era::draw(random).0);
        let tx = self.client.transaction().await.map_err(failed)?;
        tx.execute_typed(era::set_sql(), &[(&drawn, Type::INT8)]).await.map_err(failed)?;
        let text = "UPDATE database_move SET ended_at = $1";
        tx.execute_typed(text, &[(&now.millis(), Type::INT8)]).await.map_err(failed)?;
        tx.commit().await.map_err(failed)
    }

    /// The source's columns with their types, which say what is an id: to SQLite that is a blob like others.
    async fn columns(&self, table: &str, named: Vec<(String, bool)>) -> Result<Vec<Column>> {
        let text = "SELECT column_name::text, data_type::text FROM information_schema.columns
            WHERE table_schema = current_schema() AND table_name = $1";
        let rows = self.client.query_typed(text, &[(&table, Type::TEXT)]).await.map_err(failed)?;
        let there: Vec<(String, String)> = rows.iter().map(|row| (row.get(0), row.get(1))).collect();
        let other = || Error::Database(format!("the table {table} has other columns in PostgreSQL"));
        if there.len() != named.len() {
            return Err(other());
        }
        let column = |(name, in_key): (String, bool)| {
            let (_, kind) = there.iter().find(|(known, _)| *known == name).ok_or_else(other)?;
            Ok(Column { kind: Kind::of_postgres(kind)?, name, in_key })
        };
        named.into_iter().map(column).collect()
    }

    async fn count(&self, table: &Table) -> Result<u64> {
        let text = format!("SELECT count(*) FROM {}", table.name);
        let row = self.client.query_typed_one(&text, &[]).await.map_err(failed)?;
        Ok(row.get::<_, i64>(0).unsigned_abs())
    }

    async fn last_key(&self, table: &Table) -> Result<Option<Vec<Value>>> {
        let (key, order) = (table.key_names(""), table.key_names(" DESC"));
        let text = format!("SELECT {key} FROM {} ORDER BY {order} LIMIT 1", table.name);
        let row = self.client.query_typed_opt(&text, &[]).await.map_err(failed)?;
        let key = row.map(|row| {
            table.key().enumerate().map(|(at, it)| Value::of_postgres(it.kind, &row, at)).collect()
        });
        key.transpose()
    }

    async fn put(&mut self, table: &Table, rows: &[Vec<Value>]) -> Result<()> {
        let tx = self.client.transaction().await.map_err(failed)?;
        let text = format!("COPY {} ({}) FROM STDIN BINARY", table.name, table.names());
        let sink = tx.copy_in(&text).await.map_err(failed)?;
        let types: Vec<Type> = table.columns.iter().map(|column| column.kind.postgres()).collect();
        let mut writer = pin!(BinaryCopyInWriter::new(sink, &types));
        for row in rows {
            writer.as_mut().write_raw(row.iter()).await.map_err(failed)?;
        }
        writer.finish().await.map_err(failed)?;
        tx.commit().await.map_err(failed)
    }

    async fn digest(&self, table: &Table) -> Result<(u64, String)> {
        let text = format!("SELECT {} FROM {} ORDER BY {}", table.names(), table.name, table.key_names(""));
        let none: [(&(dyn ToSql + Sync), Type); 0] = [];
        let mut rows = pin!(self.client.query_typed_raw(&text, none).await.map_err(failed)?);
        let mut digest = RowDigest::default();
        while let Some(row) = rows.try_next().await.map_err(failed)? {
            let value = |(at, column): (usize, &Column)| Value::of_postgres(column.kind, &row, at);
            let values: Result<Vec<Value>> = table.columns.iter().enumerate().map(value).collect();
            digest.add(&values?);
        }
        Ok(digest.finish())
    }
}

/// Counts rows and takes one hash over all of them.
#[derive(Default)]
struct RowDigest {
    rows: u64,
    hash: Sha256,
}

impl RowDigest {
    fn add(&mut self, row: &[Value]) {
        self.rows += 1;
        for value in row {
            value.add_to(&mut self.hash);
        }
    }

    fn finish(self) -> (u64, String) {
        (self.rows, hex(&self.hash.finalize()))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sqlite(path: &Path, error: &rusqlite::Error) -> Error {
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            Error::Database(format!("{} is in use: stop the server that works on it first", path.display()))
        }
        _ => Error::Database(format!("{}: {error}", path.display())),
    }
}

fn failed(error: tokio_postgres::Error) -> Error {
    unreachable(&error)
}
