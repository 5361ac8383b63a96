//! Stories about weather that one node fetched and another one shows.

use std::time::Duration;

use serde_json::Value;
use testkit::provider::Fault;
use testkit::{Client, Nodes};

testkit::stamp_nodes! {
    both: [
        weather_that_changed_is_told_and_shown_by_every_node,
        a_forecast_is_fetched_once_for_all_nodes,
    ]
}

pub(super) async fn forecasts(client: &Client) -> Value {
    client.get("/v1/favourites/forecasts").await.expect(200).json
}

async fn weather_that_changed_is_told_and_shown_by_every_node(nodes: Nodes) {
    // With a cookie, since an hour is longer than a token lives.
    let mut ann = nodes[0].web();
    ann.start_anonymously().await;
    let oslo = ann.save("Oslo", 59.91, 10.75).await;
    let there = ann.moved_to(&nodes[1]);
    let before = forecasts(&ann).await;
    assert!(forecasts(&there).await == before);
    let mut events = there.get("/v1/stream").follow().await;
    events.hello().await;
    nodes[1].watch_favourites().await;
    nodes[0].provider.set_fault(Fault::Warmer);
    nodes.advance(Duration::from_mins(75));
    nodes[0].refresh_ahead().await;
    // That there is weather at all may be told late.
    let now = nodes[0].now().rfc3339();
    let mut event = events.expect("forecast").await;
    while event.data["issued_at"] != now {
        event = events.expect("forecast").await;
    }
    assert_eq!(event.data["favourites"][0], oslo);
    let calls = nodes[0].provider.calls();
    let (here, there) = (forecasts(&ann).await, forecasts(&there).await);
    assert!(there == here, "a client that is told is shown what it was told of, by any node");
    assert!(there != before);
    assert_eq!(nodes[0].provider.calls(), calls, "nobody had to ask the provider again");
}

async fn a_forecast_is_fetched_once_for_all_nodes(nodes: Nodes) {
    // Each asks the provider once whether it is there.
    for node in nodes.iter() {
        node.app().weather().providers().decided().await;
    }
    let ann = nodes[0].anonymous().await;
    ann.save("Oslo", 59.91, 10.75).await;
    let here = forecasts(&ann).await;
    // It is given before it is kept.
    nodes[0].database().until("SELECT count(*) FROM cell_forecast", |count| count > 0).await;
    let calls = nodes[0].provider.calls();
    assert!(forecasts(&ann.moved_to(&nodes[1])).await == here);
    assert_eq!(nodes[0].provider.calls(), calls, "the other node found it");
}
