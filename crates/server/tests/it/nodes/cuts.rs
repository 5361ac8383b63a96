//! Stories about nodes that do not hear of one another for a while.

use std::time::{Duration, Instant};

use domain::AccountId;
use domain::cursor::Era;
use serde_json::json;
use store::Hint;
use testkit::{Nodes, RedisServer, Relay, TestApp};

use super::follow;

testkit::stamp_nodes! {
    both: [
        what_was_missed_behind_a_cut_is_told_after_it,
        a_session_that_ended_behind_a_cut_ends_soon,
        a_device_that_its_owner_ends_behind_a_cut_ends_soon,
        nothing_fails_while_the_nodes_are_cut_off,
        more_news_than_fit_are_read_from_the_database,
    ]
}

#[test]
fn a_listener_that_was_terminated_comes_back() {
    testkit::nodes::on_listen(2, terminated);
}

#[test]
fn a_connection_that_died_in_silence_is_made_anew() {
    testkit::nodes::on_redis(2, silenced);
}

#[test]
fn a_partition_from_redis_costs_time_alone() {
    testkit::nodes::on_redis(2, partitioned);
}

#[test]
fn a_redis_that_was_flushed_is_filled_again() {
    if let Some(redis) = RedisServer::start() {
        testkit::nodes::run(2, Some(redis.url()), async |nodes| flushed(nodes, redis).await);
    }
}

#[test]
fn a_redis_that_was_killed_comes_back_empty() {
    if let Some(redis) = RedisServer::start() {
        testkit::nodes::run(2, Some(redis.url()), async |nodes| killed(nodes, redis).await);
    }
}

#[test]
fn a_redis_that_hangs_holds_nobody_up() {
    if let Some(redis) = RedisServer::start() {
        testkit::nodes::run(2, Some(redis.url()), async |nodes| frozen(nodes, redis).await);
    }
}

/// Lets a node reach the others by a relay only.
pub(super) async fn behind_a_relay(node: &mut TestApp) -> Relay {
    let config = node.config();
    let url =
        config.redis.as_ref().or(config.database.as_ref()).expect("nodes have something in common").clone();
    let relay = Relay::to(&url).await;
    let here = relay.before(&url);
    node.restart_with(|config| match &mut config.redis {
        Some(redis) => *redis = here,
        None => config.database_direct = Some(here),
    })
    .await;
    node.joined(true).await;
    relay
}

async fn what_was_missed_behind_a_cut_is_told_after_it(mut nodes: Nodes) {
    let relay = behind_a_relay(&mut nodes[1]).await;
    let ann = nodes[0].user("ann@example.org").await;
    let mut events = follow(&ann.moved_to(&nodes[1])).await;
    relay.cut();
    nodes[1].joined(false).await;
    let id = ann.save("Oslo", 59.91, 10.75).await;
    // The others have been told by now, and this one never will be.
    nodes[0].said().await;
    relay.mend();
    let mended = Instant::now();
    assert_eq!(events.expect("changes").await.data["changes"][0]["id"], id);
    // The backstop of the heads comes every 30 seconds.
    assert!(mended.elapsed() < Duration::from_secs(20), "{:?}", mended.elapsed());
    // What it says itself while it is cut off is told after it.
    let mut events = follow(&ann).await;
    relay.cut();
    nodes[1].joined(false).await;
    let id = ann.moved_to(&nodes[1]).save("Bergen", 60.39, 5.32).await;
    relay.mend();
    assert_eq!(events.expect("changes").await.data["changes"][0]["id"], id);
}

async fn a_session_that_ended_behind_a_cut_ends_soon(mut nodes: Nodes) {
    let relay = behind_a_relay(&mut nodes[1]).await;
    let ann = nodes[0].user("ann@example.org").await;
    let mut events = follow(&ann.moved_to(&nodes[1])).await;
    relay.cut();
    nodes[1].joined(false).await;
    ann.post("/v1/auth/logout", json!({})).await.expect(204);
    let ended = Instant::now();
    assert_eq!(events.expect("session").await.data, json!({"state": "revoked"}));
    assert!(ended.elapsed() < Duration::from_secs(15), "{:?}", ended.elapsed());
}

async fn a_device_that_its_owner_ends_behind_a_cut_ends_soon(mut nodes: Nodes) {
    let relay = behind_a_relay(&mut nodes[1]).await;
    let stolen = nodes[0].user("ann@example.org").await.copy();
    let ann = nodes[0].visitor();
    ann.sign_in("ann@example.org").await;
    let there = stolen.moved_to(&nodes[1]);
    let mut events = follow(&there).await;
    relay.cut();
    nodes[1].joined(false).await;
    let path = format!("/v1/me/sessions/{}", stolen.kept().session_id.expect("a session"));
    ann.delete(&path).await.expect(204);
    let ended = Instant::now();
    assert_eq!(events.expect("session").await.data, json!({"state": "revoked"}));
    assert!(ended.elapsed() < Duration::from_secs(15), "{:?}", ended.elapsed());
    there.get("/v1/me").await.problem(401, "session_ended");
}

async fn nothing_fails_while_the_nodes_are_cut_off(mut nodes: Nodes) {
    let relay = behind_a_relay(&mut nodes[1]).await;
    let ann = nodes[0].user("ann@example.org").await.moved_to(&nodes[1]);
    let mut events = follow(&ann).await;
    relay.cut();
    nodes[1].joined(false).await;
    for n in 0..3 {
        ann.save(&format!("Place {n}"), 60.0, 10.0 + f64::from(n)).await;
        events.expect("changes").await;
        ann.get("/readyz").await.expect(200);
    }
    ann.get("/v1/favourites/forecasts").await.expect(200);
}

async fn more_news_than_fit_are_read_from_the_database(nodes: Nodes) {
    let ann = nodes[0].user("ann@example.org").await;
    let mut events = follow(&ann.moved_to(&nodes[1])).await;
    // A change of which no node says anything.
    let database = nodes[0].database();
    let (account, item) =
        (database.literal(&ann.account_id()), database.literal("0199aaaa-bbbb-7ccc-8ddd-000000000001"));
    let unsaid = format!(
        "BEGIN;
         INSERT INTO tombstone (account_id, item_id, rev, removed_at) VALUES ({account}, {item}, 1, 0);
         UPDATE account_sync SET head = 1 WHERE account_id = {account};
         COMMIT;"
    );
    database.run(&unsaid).await;
    // More at once than wait to be sent, and nothing of hers among them: only that something is missing leads to it.
    let others: Vec<Hint> = (0..=20_000)
        .map(|number| Hint {
            account: AccountId::from_uuid(uuid::Uuid::from_u128(number)),
            era: Era(1),
            head: 1,
        })
        .collect();
    nodes[0].app().bus().tell_heads(&others);
    let delta = events.expect("changes").await.data;
    assert_eq!(delta["changes"][0]["deleted"], true, "{delta}");
}

async fn terminated(nodes: Nodes) {
    let ann = nodes[0].user("ann@example.org").await;
    let mut events = follow(&ann.moved_to(&nodes[1])).await;
    let terminate = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
        WHERE application_name = 'fairweather-bus' AND datname = current_database()";
    for n in 0..3 {
        let before: Vec<u64> = nodes.iter().map(|node| node.app().bus().joined().connections).collect();
        assert_eq!(nodes[0].database().column(terminate).await.len(), 2);
        ann.save(&format!("Place {n}"), 60.0, 10.0 + f64::from(n)).await;
        events.expect("changes").await;
        for (node, before) in nodes.iter().zip(before) {
            node.joined_again(before + 1).await;
        }
    }
}

async fn silenced(mut nodes: Nodes) {
    let relay = behind_a_relay(&mut nodes[1]).await;
    let ann = nodes[0].user("ann@example.org").await;
    let there = ann.moved_to(&nodes[1]);
    let mut events = follow(&there).await;
    // The connection on which it listens; what it says goes over another one, and well.
    relay.silence_first().await;
    there.save("Oslo", 59.91, 10.75).await;
    events.expect("changes").await;
    nodes[1].joined_again(2).await;
    ann.save("Bergen", 60.39, 5.32).await;
    events.expect("changes").await;
}

async fn partitioned(mut nodes: Nodes) {
    let relay = behind_a_relay(&mut nodes[1]).await;
    let ann = nodes[0].user("ann@example.org").await;
    let there = ann.moved_to(&nodes[1]);
    let mut events = follow(&there).await;
    relay.swallow();
    let swallowed = Instant::now();
    there.save("Oslo", 59.91, 10.75).await;
    there.get("/v1/favourites/forecasts").await.expect(200);
    assert!(swallowed.elapsed() < Duration::from_secs(4), "{:?}", swallowed.elapsed());
    events.expect("changes").await;
    nodes[1].joined(false).await;
    let id = ann.save("Bergen", 60.39, 5.32).await;
    nodes[0].said().await;
    relay.mend();
    assert_eq!(events.expect("changes").await.data["changes"][0]["id"], id);
    nodes.joined().await;
}

async fn flushed(nodes: Nodes, redis: RedisServer) {
    let ann = nodes[0].user("ann@example.org").await;
    let there = ann.moved_to(&nodes[1]);
    let mut events = follow(&there).await;
    ann.save("Oslo", 59.91, 10.75).await;
    events.expect("changes").await;
    ann.get("/v1/favourites/forecasts").await.expect(200);
    redis.flush();
    let calls = nodes[0].provider.calls();
    // The other node takes from the database what Redis has forgotten.
    there.get("/v1/favourites/forecasts").await.expect(200);
    assert_eq!(nodes[0].provider.calls(), calls);
    ann.save("Bergen", 60.39, 5.32).await;
    events.expect("changes").await;
}

async fn killed(nodes: Nodes, mut redis: RedisServer) {
    let ann = nodes[0].user("ann@example.org").await;
    let there = ann.moved_to(&nodes[1]);
    let mut events = follow(&there).await;
    redis.kill();
    for node in nodes.iter() {
        node.joined(false).await;
    }
    ann.save("Oslo", 59.91, 10.75).await;
    let calls = nodes[0].provider.calls();
    for client in [&ann, &there] {
        client.get("/readyz").await.expect(200);
        client.get("/v1/favourites/forecasts").await.expect(200);
    }
    assert!(nodes[0].provider.calls() > calls);
    redis.resume();
    events.expect("changes").await;
    nodes.joined().await;
    ann.save("Bergen", 60.39, 5.32).await;
    events.expect("changes").await;
}

async fn frozen(nodes: Nodes, redis: RedisServer) {
    let ann = nodes[0].anonymous().await;
    ann.save("Oslo", 59.91, 10.75).await;
    redis.freeze();
    let asked = Instant::now();
    ann.get("/v1/favourites/forecasts").await.expect(200);
    ann.moved_to(&nodes[1]).get("/v1/favourites/forecasts").await.expect(200);
    assert!(asked.elapsed() < Duration::from_secs(4), "{:?}", asked.elapsed());
    // Nobody heard itself for a while, whatever the connection says.
    ann.save("Bergen", 60.39, 5.32).await;
    nodes[0].joined(false).await;
    redis.thaw();
    nodes.joined().await;
}
