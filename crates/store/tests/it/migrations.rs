//! Migrations as an operator meets them.

use store::{Url, migrate};
use tokio::task::JoinSet;

use crate::test_store::{Database, Heard, TestStore};

stamp! {
    both: [
        a_dry_run_changes_nothing,
        a_second_run_finds_nothing_to_do,
        a_newer_schema_is_refused_and_left_alone,
        a_step_with_another_text_is_refused,
        of_two_that_migrate_at_once_one_does_it,
    ],
    sqlite: [],
    postgres: [a_server_that_is_away_is_an_error],
}

/// The store's database with nothing in it.
async fn emptied(store: TestStore) -> Database {
    let database = store.close().await;
    match &database.url {
        Url::Sqlite(path) => std::fs::remove_file(path).unwrap(),
        Url::Postgres(_) => database.run("DROP SCHEMA public CASCADE; CREATE SCHEMA public").await,
    }
    database
}

async fn a_dry_run_changes_nothing(store: TestStore) {
    let database = emptied(store).await;
    let report = migrate(&database.url, true).await.unwrap();
    assert_eq!((report.present, report.backup), (0, None));
    assert!(report.pending[0].sql.contains("CREATE TABLE favourite"), "tells what it would run");
    if let Url::Sqlite(path) = &database.url {
        assert!(!path.exists());
    }
    assert_eq!(database.tables(None).await, [""; 0]);
    // The same where a database is, but empty.
    migrate(&database.url, true).await.unwrap();
    assert_eq!(database.tables(None).await, [""; 0]);
}

async fn a_second_run_finds_nothing_to_do(store: TestStore) {
    let account = store.account().await;
    let report = migrate(&store.database.url, false).await.unwrap();
    let steps = store.database.number("SELECT count(*) FROM schema_migration").await;
    assert_eq!((report.present as i64, report.pending, report.backup), (steps, vec![], None));
    assert_eq!(store.rows("account", account).await, 1);
    let dry = migrate(&store.database.url, true).await.unwrap();
    assert_eq!((dry.present as i64, dry.pending), (steps, vec![]));
}

async fn a_newer_schema_is_refused_and_left_alone(store: TestStore) {
    let account = store.account().await;
    let database = store.close().await;
    database.run("INSERT INTO schema_migration (number, name, checksum) VALUES (99, 'later', 'x')").await;
    let tables = database.tables(None).await;
    for refused in [
        migrate(&database.url, true).await.err(),
        migrate(&database.url, false).await.err(),
        database.open(Heard::default().listener()).await.err(),
    ] {
        let text = refused.expect("an older program must not open it").to_string();
        assert!(text.contains("99") && text.contains("newer"), "{text}");
    }
    assert_eq!(database.tables(None).await, tables);
    database.run("DELETE FROM schema_migration WHERE number = 99").await;
    let store = TestStore::open(database).await;
    assert_eq!(store.rows("account", account).await, 1);
}

async fn a_step_with_another_text_is_refused(store: TestStore) {
    let database = store.close().await;
    database.run("UPDATE schema_migration SET checksum = 'other'").await;
    let refused = database.open(Heard::default().listener()).await.err().unwrap().to_string();
    assert!(refused.contains("differs"), "{refused}");
}

async fn of_two_that_migrate_at_once_one_does_it(store: TestStore) {
    let database = emptied(store).await;
    let mut programs = JoinSet::new();
    for _ in 0..4 {
        let database = database.clone();
        programs.spawn(async move { migrate(&database.url, false).await.unwrap().pending.len() });
    }
    let did = programs.join_all().await;
    assert_eq!(did.iter().filter(|steps| **steps > 0).count(), 1, "{did:?}");
    TestStore::open(database).await.account().await;
}

async fn a_server_that_is_away_is_an_error(store: TestStore) {
    let database = store.close().await;
    let Url::Postgres(url) = &database.url else { panic!("PostgreSQL only") };
    let gone = Database::new(Url::Postgres(format!("{url}_gone")));
    let error = gone.open(Heard::default().listener()).await.err().unwrap();
    assert!(
        matches!(&error, store::Error::Unavailable(text) if text.contains("does not exist")),
        "{error:?}"
    );
}
