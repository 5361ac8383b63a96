//! Stories about outsiders who may write to what carries the news and holds the shared cache.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::{Value, json};
use testkit::databases::unhex;
use testkit::redis::Outsider;
use testkit::{Client, Nodes, RedisServer, TestApp};

use super::follow;

#[test]
fn a_forged_notification_is_passed_over() {
    testkit::nodes::on_listen(2, async |nodes| {
        let database = nodes[0].database();
        let say = async |message: &[u8]| {
            let text = STANDARD_NO_PAD.encode(message);
            database.run(&format!("SELECT pg_notify('fairweather', '{text}')")).await;
        };
        forged(&nodes, say).await;
    });
}

#[test]
fn a_forged_message_is_passed_over() {
    on_own_redis(async |nodes, redis| {
        let (mut outsider, channel) = (redis.outsider(), channel(&redis));
        let say = async |message: &[u8]| drop(outsider.ask(&[b"PUBLISH", &channel, message]));
        forged(&nodes, say).await;
    });
}

#[test]
fn a_message_that_was_listened_in_to_counts_once() {
    on_own_redis(said_again);
}

#[test]
fn a_value_that_was_put_under_another_key_is_not_served() {
    on_own_redis(async |nodes, redis| {
        not_served(nodes, redis, |redis, keys| {
            let values: Vec<_> = keys.iter().map(|key| redis.ask(&[b"GET", key])).collect();
            for (key, value) in keys.iter().zip(values.iter().rev()) {
                redis.ask(&[b"SET", key, &value[0]]);
            }
        })
        .await;
    });
}

#[test]
fn a_damaged_value_is_not_served() {
    on_own_redis(async |nodes, redis| {
        not_served(nodes, redis, |redis, keys| {
            for key in keys {
                let mut value = redis.ask(&[b"GET", key]).remove(0);
                // One bit of the time at which it was fetched: in three months, so that it would never be old.
                value[31] ^= 2;
                redis.ask(&[b"SET", key, &value]);
            }
        })
        .await;
    });
}

/// Runs the story on nodes with a Redis that nobody else uses.
fn on_own_redis(story: impl AsyncFnOnce(Nodes, RedisServer)) {
    if let Some(redis) = RedisServer::start() {
        testkit::nodes::run(2, Some(redis.url()), async |nodes| story(nodes, redis).await);
    }
}

fn channel(redis: &RedisServer) -> Vec<u8> {
    redis.outsider().ask(&[b"PUBSUB", b"CHANNELS"]).remove(0)
}

/// That a session ends in a far future, as a node would say it but for the tag.
fn end_of(session: &[u8]) -> Vec<u8> {
    let mut message = vec![2];
    message.extend_from_slice(b"outsider");
    message.extend_from_slice(&testkit::app::NOW.millis().to_le_bytes());
    message.push(2);
    message.extend_from_slice(&24_u32.to_le_bytes());
    message.extend_from_slice(session);
    message.extend_from_slice(&i64::MAX.to_le_bytes());
    message.extend_from_slice(&[0; 16]);
    message
}

async fn forged(nodes: &Nodes, mut say: impl AsyncFnMut(&[u8])) {
    let ann = nodes[0].user("ann@example.org").await;
    let there = ann.moved_to(&nodes[1]);
    let mut events = [follow(&ann).await, follow(&there).await];
    for session in nodes[0].database().column("SELECT session_id FROM session").await {
        say(&end_of(&unhex(&session.replace('-', "")))).await;
    }
    // Cut short, and nothing at all.
    say(&end_of(&[])).await;
    say(&[2]).await;
    say(&[]).await;
    // What a node says after that arrives after that.
    for client in [&ann, &there] {
        let id = client.save("Oslo", 59.91, 10.75).await;
        for events in &mut events {
            assert_eq!(events.expect("changes").await.data["changes"][0]["id"], id);
        }
    }
    for client in [&ann, &there] {
        client.get("/v1/me").await.expect(200);
    }
}

/// How many requests more an account may make now at once; asking takes one.
async fn left(client: &Client) -> i64 {
    let answer = client.get("/v1/me").await.expect(200);
    let field = answer.header("ratelimit").split(';').find_map(|field| field.strip_prefix("r="));
    field.expect("what remains").parse().expect("a number")
}

async fn said_again(mut nodes: Nodes, redis: RedisServer) {
    for node in nodes.iter_mut() {
        node.restart_with(|config| config.limits.account_per_second = 0.01).await;
    }
    nodes.joined().await;
    let ann = nodes[0].user("ann@example.org").await;
    let there = ann.moved_to(&nodes[1]);
    let mut events = follow(&there).await;
    let (mut spy, mut outsider, channel) = (redis.outsider(), redis.outsider(), channel(&redis));
    spy.ask(&[b"SUBSCRIBE", &channel]);
    for _ in 0..50 {
        ann.get("/v1/me").await.expect(200);
    }
    // A write follows what is said of traffic.
    nodes.iter().map(TestApp::app).for_each(app::App::tell_traffic);
    ann.save("Oslo", 59.91, 10.75).await;
    events.expect("changes").await;
    outsider.ask(&[b"PUBLISH", &channel, b"that is all"]);
    let overheard: Vec<Vec<u8>> =
        std::iter::from_fn(|| spy.hear().pop()).take_while(|message| message != b"that is all").collect();
    assert!(!overheard.is_empty());
    let before = left(&there).await;
    for message in overheard.iter().cycle().take(overheard.len() * 5) {
        outsider.ask(&[b"PUBLISH", &channel, message]);
    }
    ann.save("Bergen", 60.39, 5.32).await;
    events.expect("changes").await;
    let after = left(&there).await;
    assert!(before - after < 10, "{before} were left, and {after} when it was said again");
}

/// What one node has put there is spoilt, and the other takes it from the database.
async fn not_served(nodes: Nodes, redis: RedisServer, spoil: impl FnOnce(&mut Outsider, &[Vec<u8>])) {
    for node in nodes.iter() {
        node.app().weather().providers().decided().await;
    }
    let ann = nodes[0].anonymous().await;
    ann.save("Oslo", 59.91, 10.75).await;
    ann.save("Rome", 41.9, 12.5).await;
    let here = forecasts(&ann).await;
    // It is given before it is kept, and kept here last.
    nodes[0].database().until("SELECT count(*) FROM cell_forecast", |count| count >= 2).await;
    let mut outsider = redis.outsider();
    let keys = outsider.ask(&[b"KEYS", b"fairweather:*"]);
    assert_eq!(keys.len(), 2);
    spoil(&mut outsider, &keys);
    let calls = nodes[0].provider.calls();
    assert_eq!(forecasts(&ann.moved_to(&nodes[1])).await, here);
    assert_eq!(nodes[0].provider.calls(), calls, "the database has it");
}

async fn forecasts(client: &Client) -> Value {
    let answer = client.get("/v1/favourites/forecasts").await.expect(200).json;
    assert_ne!(answer["items"][0]["forecast"], json!(null));
    answer
}
