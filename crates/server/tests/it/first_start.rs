//! Nodes that start together on an empty database.

use std::net::SocketAddr;
use std::path::Path;

use domain::{Clock, Random};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use server::{Bounds, Config, Mode, Setup};
use testkit::app::{NOW, share_places};
use testkit::databases::{self, Database};
use testkit::{Client, TestApp};
use tokio::task::JoinSet;

use crate::changes::{changes, cursor};

const NODES: u64 = 3;
const ROUNDS: u64 = 5;

/// A node that would make keys of its own.
fn setup(data: &Path, database: &str, seed: u64) -> Setup {
    let mut config = Config {
        data: data.to_owned(),
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        database: Some(database.to_owned()),
        ..Config::default()
    };
    config.weather.sandbox.always = true;
    let mut source = ChaCha8Rng::seed_from_u64(seed);
    let random = Random::new(move |bytes| source.fill_bytes(bytes));
    Setup { config, mode: Mode::Dev, clock: Clock::fixed(NOW), random, bounds: Bounds::default() }
}

#[test]
fn nodes_that_start_together_become_one_installation() {
    if databases::server().is_none() {
        return;
    }
    for round in 0..ROUNDS {
        databases::in_new_database(|url| databases::runtime().block_on(together(&url, round)));
    }
}

async fn together(url: &str, round: u64) {
    // The nodes have the key ring in common, here by its folder.
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    share_places(&data);
    let mut starts = JoinSet::new();
    for node in 0..NODES {
        starts.spawn(server::start(setup(&data, url, 10 * round + node)));
    }
    let nodes: Vec<_> =
        starts.join_all().await.into_iter().map(|node| node.expect("a node starts")).collect();
    let at = |node: usize| Client::at(format!("http://{}", nodes[node].address));

    let mut ann = at(0);
    ann.start_anonymously().await;
    ann.save("Oslo", 59.91, 10.75).await;
    let known = cursor(&ann).await;
    for node in 1..nodes.len() {
        let ann = at(node).bearing(&ann.access_token());
        assert_eq!(ann.favourites().await, ["Oslo"], "its keys are the keys of all");
        assert_eq!(cursor(&ann).await, known, "and so is its era");
        changes(&ann, &known).await.expect(200);
    }
    let database = Database::Postgres(url.to_owned());
    for (table, rows) in [("schema_migration", 8), ("signing_key", 1), ("store_era", 1)] {
        assert_eq!(database.number(&format!("SELECT count(*) FROM {table}")).await, rows, "{table}");
    }
    let names = database.column("SELECT name FROM server_secret ORDER BY name").await;
    assert_eq!(names, ["index", "refresh", "signing_keys"]);
    for node in nodes {
        node.stop(std::time::Duration::from_secs(1)).await;
    }
}

testkit::stamp! { both: [a_node_goes_on_when_the_next_version_adds_to_the_schema] }

/// What a migration of the next version may do: add.
const NEXT: [&str; 4] = [
    "CREATE TABLE trip (account_id INTEGER NOT NULL, trip_id INTEGER NOT NULL, PRIMARY KEY (account_id, trip_id))",
    "ALTER TABLE favourite ADD COLUMN colour TEXT",
    "ALTER TABLE session ADD COLUMN second_factor_at INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX favourite_colour ON favourite (account_id, colour)",
];

async fn a_node_goes_on_when_the_next_version_adds_to_the_schema(mut app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let id = ann.save("Oslo", 59.91, 10.75).await;
    let known = cursor(&ann).await;
    for step in NEXT {
        app.database().run(step).await;
    }
    let ledger = "INSERT INTO schema_migration (number, name, checksum) VALUES (99, 'trips', 'x')";
    app.database().run(ledger).await;

    // Everything goes on, over connections that are open and over new ones.
    ann.save("Bergen", 60.39, 5.32).await;
    ann.delete(&format!("/v1/favourites/{id}")).await.expect(204);
    assert_eq!(ann.favourites().await, ["Bergen"]);
    assert_eq!(changes(&ann, &known).await.expect(200).json["changes"].as_array().map(Vec::len), Some(2));
    ann.refresh().await;
    app.user("ben@example.org").await.save("Rome", 41.9, 12.5).await;
    app.clean_up().await;

    // A start looks at the schema, and this program is not the one to judge a newer one.
    let setup = app.setup();
    app.stop().await;
    let refused = server::start(setup).await.err().expect("an older program does not start").to_string();
    assert!(refused.contains("step 99") && refused.contains("newer version"), "{refused}");
    let migrate = store::migrate(&app.config().store_url().unwrap(), true).await;
    assert!(migrate.err().is_some_and(|error| error.to_string().contains("newer version")));
}
