//! Stories about the forecasts that nodes share in Redis.

use std::time::Duration;

use testkit::provider::Fault;
use testkit::{Nodes, RedisServer};

use super::weather::forecasts;
use crate::forecasts::saved;

#[test]
fn what_lags_behind_the_database_is_not_served() {
    if let Some(redis) = RedisServer::start() {
        testkit::nodes::run(2, Some(redis.url()), async |nodes| lagging(nodes, redis).await);
    }
}

/// Forgets what the second node has in memory, and waits until it can ask Redis.
async fn forget(nodes: &mut Nodes) {
    nodes[1].restart().await;
    nodes[1].joined(true).await;
    nodes[1].app().weather().providers().decided().await;
}

async fn lagging(mut nodes: Nodes, redis: RedisServer) {
    nodes[0].app().weather().providers().decided().await;
    // With a cookie, since hours are longer than a token lives.
    let mut ann = nodes[0].web();
    ann.start_anonymously().await;
    saved(&ann, 59.91, 10.75).await;
    let before = forecasts(&ann).await;
    let old = redis.values(1).await;
    assert!(forecasts(&ann.moved_to(&nodes[1])).await == before);
    let mut events = ann.moved_to(&nodes[1]).get("/v1/stream").follow().await;
    events.hello().await;
    nodes[1].watch_favourites().await;
    nodes[0].provider.set_fault(Fault::Warmer);
    nodes.advance(Duration::from_mins(130));
    nodes[0].refresh_ahead().await;
    let now = nodes[0].now().rfc3339();
    while events.expect("forecast").await.data["issued_at"] != now {}

    // A copy that has missed the last answer. The other node was told that there is one.
    redis.put(&old).await;
    let calls = nodes[0].provider.calls();
    let after = forecasts(&ann).await;
    assert!(after != before);
    assert!(forecasts(&ann.moved_to(&nodes[1])).await == after, "it knows that there is a newer one");

    // It was told nothing, and what Redis has is too old. The database has a better one, also when nobody else does.
    forget(&mut nodes).await;
    assert_eq!(nodes[0].provider.calls(), calls + 1, "only the start asks whether the provider is there");
    nodes.advance(Duration::from_mins(75));
    nodes[0].provider.set_fault(Fault::BadGateway);
    let after = forecasts(&ann).await;
    assert!(forecasts(&ann.moved_to(&nodes[1])).await == after, "an older one is served than there is");
}
