//! What was acknowledged survives the death of the process, and the log beside the file stays small.

use std::env;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use domain::{AccountId, FavouriteId};
use store::{Url, cells, favourites};
use tokio::task::JoinSet;

use crate::changes::{add, lock};
use crate::test_store::{Database, NOW, TestStore};
use crate::writer::{Order, Until, saved};

stamp! {
    both: [what_was_acknowledged_survives_a_kill],
    sqlite: [the_log_stays_bounded_under_constant_writes, a_full_disk_refuses_writes_and_loses_none],
    postgres: [],
}

const ROUNDS: u64 = 3;

async fn what_was_acknowledged_survives_a_kill(store: TestStore) {
    let account = store.account().await;
    let mut database = store.close().await;
    let mut acknowledged = Vec::new();
    for round in 0..ROUNDS {
        acknowledged.extend(killed_writer(&database, account, round));
        let store = TestStore::open(database).await;
        let expected = acknowledged.clone();
        let check = store.write(async move |tx| {
            // Locked, so that a transaction which PostgreSQL still finishes for the dead is waited for.
            let log = lock(tx, account).await?;
            let live = favourites::live(tx, account).await?;
            for (id, rev) in &expected {
                let row = live.iter().find(|stored| stored.id == *id);
                assert_eq!(row.map(|stored| stored.rev), Some(*rev), "acknowledged and lost");
            }
            let mut revs: Vec<i64> = live.iter().map(|stored| stored.rev).collect();
            revs.sort_unstable();
            assert_eq!(revs, (1..=log.head).collect::<Vec<_>>(), "a part of a transaction stayed");
            Ok(())
        });
        check.await.unwrap();
        database = store.close().await;
    }
    assert!(acknowledged.len() >= 120);
}

/// Lets another process write, kills it in the middle, and returns what it was told to be saved.
fn killed_writer(database: &Database, account: AccountId, round: u64) -> Vec<(FavouriteId, i64)> {
    let mut child = Order { until: Until::Killed, url: address(database), account, seed: 100 + round }
        .give(&mut Command::new(env::current_exe().unwrap()))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acknowledged = Vec::new();
    while acknowledged.len() < 40 {
        let line = lines.next().expect("the writer ended before it was killed").unwrap();
        acknowledged.extend(saved(&line));
    }
    child.kill().unwrap();
    // What it said before it died counts too.
    acknowledged.extend(lines.map_while(Result::ok).filter_map(|line| saved(&line)));
    assert!(!child.wait().unwrap().success());
    acknowledged
}

fn address(database: &Database) -> String {
    match &database.url {
        Url::Sqlite(path) => format!("sqlite:{}", path.display()),
        Url::Postgres(url) => url.clone(),
    }
}

async fn the_log_stays_bounded_under_constant_writes(store: TestStore) {
    const SERIES: usize = 100_000;
    const WRITERS: usize = 8;
    const EACH: usize = 60;
    let log = store.database.url.file().unwrap().with_extension("db-wal");
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let (store, log) = (store.clone(), log.clone());
        writers.spawn(async move {
            let mut largest = 0;
            for n in 0..EACH {
                let key = format!("{writer}/{n}");
                let series = vec![u8::try_from(n).unwrap(); SERIES];
                let read = key.clone();
                store.write(async move |tx| cells::put(tx, &key, &series, NOW, NOW).await).await.unwrap();
                let found = store.read(async move |db| cells::get(db, &read).await).await.unwrap();
                assert_eq!(found.map(|(series, _)| series.len()), Some(SERIES));
                largest = largest.max(std::fs::metadata(&log).map_or(0, |file| file.len()));
            }
            largest
        });
    }
    let largest = writers.join_all().await.into_iter().max().unwrap();
    let written = (SERIES * WRITERS * EACH) as u64;
    assert!(written > 40 << 20, "too little to tell");
    // Checkpoints begin at 8 MiB, and one batch may come on top.
    assert!((1 << 20..20 << 20).contains(&largest), "the log grew to {} MiB", largest >> 20);
}

async fn a_full_disk_refuses_writes_and_loses_none(store: TestStore) {
    let account = store.account().await;
    let database = store.close().await;
    // No file of the child may grow beyond 1 MiB; the signal that would end it is ignored, so that the write
    // fails as it does on a full disk.
    let limited = r#"trap '' XFSZ; ulimit -f 1024; exec "$0" "$@""#;
    let order = Order { until: Until::DiskIsFull, url: address(&database), account, seed: 200 };
    let mut limited_writer = Command::new("bash");
    limited_writer.args(["-c", limited]).arg(env::current_exe().unwrap());
    let output = order.give(&mut limited_writer).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let acknowledged: Vec<_> = said.lines().filter_map(saved).collect();
    assert!(acknowledged.len() > 10, "full too early to tell");

    let store = TestStore::open(database).await;
    let live = store.read(async move |db| favourites::live(db, account).await).await.unwrap();
    assert_eq!(live.len(), acknowledged.len(), "what was refused did not happen");
    assert!(acknowledged.iter().all(|(id, rev)| live.iter().any(|row| (row.id, row.rev) == (*id, *rev))));
    let id = store.favourite_id();
    let next = store.write(async move |tx| add(tx, account, id, "a0").await).await.unwrap();
    assert_eq!(next, Some(acknowledged.len() as i64 + 1), "with room again it goes on");
}
