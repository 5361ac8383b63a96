//! The other process of the tests of durability: this program again, told by its environment to write instead of
//! testing.

use std::env;
use std::io::{Write, stdout};
use std::process::{Command, Stdio};
use std::sync::Arc;

use domain::{AccountId, FavouriteId};
use store::{Error, Store, cells, favourites};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::changes::add;
use crate::test_store::{Database, Heard, NOW};

const ORDER: &str = "FAIRWEATHER_TEST_WRITER";

/// When the writer stops.
#[derive(Clone, Copy)]
pub enum Until {
    Killed,
    DiskIsFull,
}

/// What another process is to write.
pub struct Order {
    pub until: Until,
    pub url: String,
    pub account: AccountId,
    pub seed: u64,
}

impl Order {
    /// Has a command that starts this program carry the order out.
    pub fn give<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        let Self { until, url, account, seed } = self;
        let until = match until {
            Until::Killed => "killed",
            Until::DiskIsFull => "disk-is-full",
        };
        // Any stamped test will do: it writes before it looks at what it is to test.
        command
            .args(["--exact", "durability::sqlite::what_was_acknowledged_survives_a_kill", "--nocapture"])
            .env(ORDER, format!("{until} {account} {seed} {url}"))
            .stdin(Stdio::null())
    }

    fn parse(text: &str) -> Self {
        let mut words = text.splitn(4, ' ');
        let mut word = || words.next().unwrap();
        let until = match word() {
            "killed" => Until::Killed,
            "disk-is-full" => Until::DiskIsFull,
            other => panic!("{other}"),
        };
        let account = AccountId::from_uuid(word().parse::<Uuid>().unwrap());
        Self { until, account, seed: word().parse().unwrap(), url: word().to_owned() }
    }
}

/// Reads `saved ID REV .`, which a writer says of what is saved; the full stop shows that the line was not cut.
pub fn saved(line: &str) -> Option<(FavouriteId, i64)> {
    let mut words = line.split(' ');
    let (Some("saved"), Some(id), Some(rev), Some(".")) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return None;
    };
    Some((FavouriteId::from_uuid(id.parse().ok()?), rev.parse().ok()?))
}

/// Whether this process is a writer; then it has done its work.
pub async fn runs_here() -> bool {
    let Ok(order) = env::var(ORDER) else { return false };
    let Order { until, url, account, seed } = Order::parse(&order);
    let database = Database::seeded(url.parse().unwrap(), seed);
    let store = Arc::new(database.open(Heard::default().listener()).await.unwrap());
    match until {
        Until::Killed => until_killed(store, &database, account).await,
        Until::DiskIsFull => until_the_disk_is_full(store, &database, account).await,
    }
    true
}

/// Returns when nobody listens any more.
async fn until_killed(store: Arc<Store>, database: &Database, account: AccountId) {
    let mut writers = JoinSet::new();
    for _ in 0..8 {
        let (store, random) = (store.clone(), database.random.clone());
        writers.spawn(async move {
            loop {
                let id = FavouriteId::new(NOW, &random);
                let rev = store.write(async move |tx| add(tx, account, id, "a0").await).await.unwrap();
                let line = format!("\nsaved {id} {} .\n", rev.unwrap());
                if stdout().write_all(line.as_bytes()).and_then(|()| stdout().flush()).is_err() {
                    return;
                }
            }
        });
    }
    writers.join_all().await;
}

async fn until_the_disk_is_full(store: Arc<Store>, database: &Database, account: AccountId) {
    let mut refused = 0;
    // It stays full: the refusals behind the first must be answered as well.
    while refused < 5 {
        let id = FavouriteId::new(NOW, &database.random);
        let write = store.write(async move |tx| {
            cells::put(tx, &id.to_string(), &[7; 20_000], NOW, NOW).await?;
            add(tx, account, id, "a0").await
        });
        match write.await {
            Ok(rev) => println!("\nsaved {id} {} .", rev.unwrap()),
            Err(Error::Unavailable(_)) => refused += 1,
            Err(error) => panic!("{error:?}"),
        }
        store.read(async move |db| favourites::live(db, account).await).await.expect("reading goes on");
    }
}
