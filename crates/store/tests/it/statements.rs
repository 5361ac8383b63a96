//! Every statement of the store, found by reading its source, so that none can be forgotten.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use store::Url;
use tokio_postgres::{NoTls, SimpleQueryMessage};

use crate::test_store::TestStore;

stamp! {
    both: [],
    sqlite: [every_statement_finds_its_rows_by_an_index, every_statement_names_one_account],
    postgres: [
        every_statement_has_the_types_it_says,
        every_statement_can_use_an_index,
        every_table_that_grows_can_be_split_by_account,
    ],
}

/// Statements that may read a whole table, and why.
const MAY_SCAN: [(&str, &str); 15] = [
    ("mail::NEWEST", "reads from the end of the primary key, and only as many as are asked for"),
    ("secrets::UNFINISHED_MOVE", "a database is moved to once"),
    ("secrets::ALL", "an installation has a few keys"),
    ("secrets::KEYS", "an installation has a few keys"),
    ("webhooks::WAITING_NOW", "counts what its inner part found by an index, and only as far as is asked"),
    ("wrapped::API_KEY_KEYS", "the key ring is rotated once in a while, by a command"),
    ("wrapped::WEBHOOK_KEYS", "the same"),
    ("wrapped::ACCOUNTS", "the same"),
    ("wrapped::API_KEYS", "the same"),
    ("wrapped::MAIL", "the same"),
    ("wrapped::OAUTH_STEPS", "the same"),
    ("wrapped::REGISTRATIONS", "the same"),
    ("wrapped::SECRETS", "the same"),
    ("wrapped::SIGNING_KEYS", "the same"),
    ("wrapped::WEBHOOKS", "the same"),
];

/// Tables that grow with the number of people and are split by account.
const OF_ACCOUNTS: [&str; 11] = [
    "account",
    "session",
    "identity",
    "account_sync",
    "email_change",
    "favourite",
    "tombstone",
    "receipt",
    "passkey",
    "recovery_code",
    "totp",
];
/// Tables that lead from something known to an account.
const DIRECTORIES: [&str; 7] = [
    "email_index",
    "identity_index",
    "password_reset",
    "cookie",
    "stream_ticket",
    "challenge",
    "passkey_index",
];
/// Tables that belong to no account, and what bounds them.
const OF_NOBODY: [(&str, &str); 19] = [
    ("api_key", "what operators make, a hundred at most"),
    ("audit", "what happened within a year; what people cause at will is bounded for each account"),
    ("cell_claim", "calls of providers that are under way"),
    ("cell_forecast", "cells of the weather grid"),
    ("database_move", "one row"),
    ("elevation", "cells of the weather grid"),
    ("erasure", "accounts that were removed within a month, by their random ids"),
    ("mail", "a day's messages, found by their id"),
    ("oauth_step", "sign-ins through a provider that are under way, found by their hash"),
    ("provider_state", "a row for each provider"),
    ("registration", "sign-ups of an hour, found by their hash"),
    ("revocation", "sessions that ended in the last minutes"),
    ("schema_migration", "a row for each step"),
    ("server_secret", "a handful of keys"),
    ("signing_key", "a handful of keys"),
    ("store_era", "one row"),
    ("webhook", "what operators make, twenty at most"),
    ("webhook_delivery", "events of a month, found by their webhook"),
    ("throttle", "who failed within a year, found by a hash; each network adds so many an hour"),
];
/// Statements that look at many accounts: background work, never a person's request.
const BACKGROUND: [&str; 12] = [
    "accounts::DATA_KEYS",
    "accounts::PAGE",
    "accounts::FORGOTTEN",
    "compaction::ACCOUNTS",
    "email_changes::CHUNK_END",
    "email_changes::EXPIRE",
    "receipts::CHUNK_END",
    "receipts::EXPIRE",
    "sessions::EXPIRED",
    "sync::PAGE",
    "sync::HEADS",
    "wrapped::ACCOUNTS",
];

struct Found {
    /// `file::STATIC`.
    name: String,
    sql: String,
    /// Names of PostgreSQL's types.
    parameters: Vec<&'static str>,
    columns: Vec<&'static str>,
}

/// All statements, in the order of the files.
fn statements() -> Vec<Found> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut found = Vec::new();
    for file in files {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        if name != "statement" {
            found.extend(in_source(&name, &fs::read_to_string(file).unwrap()));
        }
    }
    assert!(found.len() >= 50, "found {} only", found.len());
    found
}

fn in_source(file: &str, source: &str) -> Vec<Found> {
    let mut found = Vec::new();
    let lone = source.replace("\npub(crate) static ", "\nstatic ");
    for item in lone.split("\nstatic ").skip(1) {
        let Some((name, item)) = item.split_once(": Statement<") else { continue };
        let (kinds, item) = item.split_once("> =").unwrap();
        let sql = item.split('"').nth(1).unwrap();
        let [parameters, columns] = &split(kinds)[..] else { panic!("{file}::{name}: two types") };
        found.push(Found {
            name: format!("{file}::{name}"),
            sql: sql.to_owned(),
            parameters: types(source, parameters),
            columns: types(source, columns),
        });
    }
    let written = source.matches("Statement::new(").count() + source.matches("Statement::lock(").count();
    assert_eq!(found.len(), written, "{file} has one that was not found");
    found
}

/// The types in a tuple, in a list of a length that is named, or in what a name stands for in this file.
fn types(source: &str, tuple: &str) -> Vec<&'static str> {
    if let Some(list) = tuple.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        let (kind, length) = list.split_once(';').unwrap();
        let (_, length) = source.split_once(&format!("const {length}: usize = ")).unwrap();
        return vec![postgres_type(kind); length.split(';').next().unwrap().parse().unwrap()];
    }
    let Some(inner) = tuple.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) else {
        let (_, alias) = source.split_once(&format!("type {tuple} =")).unwrap();
        return types(source, alias.split(';').next().unwrap().trim());
    };
    split(inner).into_iter().map(|kind| postgres_type(&kind)).collect()
}

/// Splits at commas that are in no brackets.
fn split(list: &str) -> Vec<String> {
    let mut depth = 0;
    let mut parts = vec![String::new()];
    for letter in list.chars().filter(|letter| !letter.is_whitespace()) {
        match letter {
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            '(' | '<' => depth += 1,
            ')' | '>' => depth -= 1,
            _ => {}
        }
        parts.last_mut().unwrap().push(letter);
    }
    parts.retain(|part| !part.is_empty());
    parts
}

fn postgres_type(kind: &str) -> &'static str {
    match kind {
        "i64" => "int8",
        "f64" => "float8",
        "bool" => "bool",
        "Uuid" => "uuid",
        "String" => "text",
        "Vec<u8>" => "bytea",
        optional => {
            let inner = optional.strip_prefix("Option<").and_then(|rest| rest.strip_suffix('>'));
            postgres_type(inner.unwrap_or_else(|| panic!("no type is known for {optional}")))
        }
    }
}

async fn every_statement_has_the_types_it_says(store: TestStore) {
    let Url::Postgres(url) = &store.database.url else { panic!("PostgreSQL only") };
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    for Found { name, sql, parameters, columns } in statements() {
        let prepared = client.prepare(&sql).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        let taken: Vec<_> = prepared.params().iter().map(|kind| kind.name()).collect();
        assert_eq!(taken, parameters, "parameters of {name}");
        let given: Vec<_> = prepared.columns().iter().map(|column| column.type_().name()).collect();
        assert_eq!(given, columns, "columns of {name}");
    }
    drop(client);
    connection.await.unwrap().unwrap();
}

/// With sequential scans made as dear as can be, a statement that still scans has no index it could use; and one that
/// goes through an index without a condition reads all of it.
async fn every_statement_can_use_an_index(store: TestStore) {
    let Url::Postgres(url) = &store.database.url else { panic!("PostgreSQL only") };
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    client.batch_execute("SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan").await.unwrap();
    let mut scanning = Vec::new();
    for Found { name, sql, parameters, .. } in statements() {
        let kinds =
            if parameters.is_empty() { String::new() } else { format!("({})", parameters.join(", ")) };
        client.batch_execute(&format!("PREPARE looked_at {kinds} AS {sql}")).await.unwrap();
        let nothing: Vec<_> = parameters.iter().map(|kind| format!("NULL::{kind}")).collect();
        let nothing = if nothing.is_empty() { String::new() } else { format!("({})", nothing.join(", ")) };
        let plan =
            client.simple_query(&format!("EXPLAIN (COSTS OFF) EXECUTE looked_at {nothing}")).await.unwrap();
        let plan: Vec<String> = plan.iter().filter_map(line).collect();
        if reads_everything(&plan) {
            scanning.push((name, plan));
        }
        client.batch_execute("DEALLOCATE looked_at").await.unwrap();
    }
    let unexpected: Vec<_> =
        scanning.iter().filter(|(name, _)| !MAY_SCAN.iter().any(|(known, _)| known == name)).collect();
    assert!(unexpected.is_empty(), "{unexpected:#?}");
    drop(client);
    connection.await.unwrap().unwrap();
}

fn line(message: &SimpleQueryMessage) -> Option<String> {
    match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    }
}

/// Whether some node of a plan reads a table without an index, or all of an index.
fn reads_everything(plan: &[String]) -> bool {
    plan.iter().enumerate().any(|(at, step)| {
        let by_index = ["Index Scan", "Index Only Scan"].iter().any(|kind| step.contains(kind));
        let mut details = plan[at + 1..].iter().take_while(|line| !line.contains("->"));
        step.contains("Seq Scan") || (by_index && !details.any(|line| line.contains("Index Cond")))
    })
}

/// What may be spread over machines by account, as engines that shard PostgreSQL do: the account leads the key.
async fn every_table_that_grows_can_be_split_by_account(store: TestStore) {
    let all: Vec<String> = store.database.tables(None).await;
    let mut known: Vec<&str> = OF_ACCOUNTS.iter().chain(&DIRECTORIES).copied().collect();
    known.extend(OF_NOBODY.map(|(table, _)| table));
    known.sort_unstable();
    assert_eq!(
        all, known,
        "a new table belongs to accounts, is a directory, or is bounded by something else"
    );
    // Each unique index, too: across machines nothing else can be kept unique.
    let keys = "SELECT t.relname || '(' || a.attname || ')' FROM pg_index x
        JOIN pg_class t ON t.oid = x.indrelid
        JOIN pg_namespace s ON s.oid = t.relnamespace AND s.nspname = current_schema()
        JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = x.indkey[0]
        WHERE x.indisunique ORDER BY 1";
    let first = store.database.column(keys).await;
    for table in OF_ACCOUNTS {
        let of_table: Vec<_> = first.iter().filter(|key| key.starts_with(&format!("{table}("))).collect();
        assert!(
            !of_table.is_empty() && of_table.iter().all(|key| **key == format!("{table}(account_id)")),
            "{of_table:?}"
        );
    }
}

async fn every_statement_finds_its_rows_by_an_index(store: TestStore) {
    let connection = Connection::open(store.database.url.file().unwrap()).unwrap();
    let mut scanning = Vec::new();
    for Found { name, sql, columns, .. } in statements() {
        let prepared = connection.prepare(&sql).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(prepared.column_count(), columns.len(), "columns of {name}");
        let mut explained = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let steps = explained.raw_query().mapped(|row| row.get::<_, String>("detail"));
        let plan: Vec<_> = steps.map(|step| step.unwrap()).collect();
        if plan.iter().any(|step| step.starts_with("SCAN ")) {
            scanning.push((name, plan));
        }
    }
    let names: Vec<_> = scanning.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, MAY_SCAN.map(|(name, _)| name), "{scanning:#?}");
}

async fn every_statement_names_one_account(store: TestStore) {
    let split: Vec<_> = store.database.tables(Some("account_id")).await;
    let mut known: Vec<_> = OF_ACCOUNTS.iter().chain(&DIRECTORIES).map(|table| (*table).to_owned()).collect();
    known.sort();
    assert_eq!(split, known, "a new table belongs to accounts or is a directory");
    let mut crossing = Vec::new();
    for Found { name, sql, .. } in statements() {
        let words: Vec<_> = sql.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        let touches = |tables: &[&str]| {
            let named = |pair: &[&str]| {
                matches!(pair[0], "FROM" | "INTO" | "UPDATE" | "JOIN") && tables.contains(&pair[1])
            };
            words.windows(2).filter(|pair| named(pair)).count()
        };
        let (private, directory) = (touches(&OF_ACCOUNTS), touches(&DIRECTORIES));
        assert!(private + directory <= 1, "{name} joins tables that may lie on different machines");
        let one = sql.contains("account_id = $") || sql.starts_with("INSERT INTO");
        if private == 1 && !one {
            crossing.push(name);
        }
    }
    assert_eq!(crossing, BACKGROUND);
}
