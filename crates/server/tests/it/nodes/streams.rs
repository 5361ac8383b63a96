//! Stories about changes that are made at one node and told by another.

use std::time::Duration;

use serde_json::json;
use testkit::{Events, Nodes};

use super::follow;

testkit::stamp_nodes! {
    both: [
        a_write_at_one_node_reaches_the_streams_of_another,
        many_writes_arrive_in_order_whichever_node_takes_them,
        an_account_has_ten_streams_at_all_nodes_together,
    ]
}

async fn a_write_at_one_node_reaches_the_streams_of_another(nodes: Nodes) {
    let ann = nodes[0].user("ann@example.org").await;
    let elsewhere = ann.moved_to(&nodes[1]);
    let (mut here, mut there) = (follow(&ann).await, follow(&elsewhere).await);
    let mut socket = elsewhere.get("/v1/ws").socket().await;
    socket.expect("hello").await;
    let id = ann.save("Oslo", 59.91, 10.75).await;
    let told = here.expect("changes").await.data;
    assert_eq!(told["changes"][0]["id"], id);
    assert_eq!(there.expect("changes").await.data, told);
    assert_eq!(socket.expect("changes").await, told);
    // And the other way.
    elsewhere.patch(&format!("/v1/favourites/{id}"), json!({"name": "Home"})).await.expect(200);
    assert_eq!(here.expect("changes").await.data["changes"][0]["item"]["name"], "Home");
    assert_eq!(there.expect("changes").await.data["changes"][0]["item"]["name"], "Home");
}

async fn many_writes_arrive_in_order_whichever_node_takes_them(nodes: Nodes) {
    let ann = nodes[0].user("ann@example.org").await;
    let both = [ann.clone(), ann.moved_to(&nodes[1])];
    let mut events = [follow(&both[0]).await, follow(&both[1]).await];
    for n in 0..20 {
        both[n % 2].save(&format!("Place {n}"), 60.0, 10.0 + n as f64 / 10.0).await;
    }
    let mut told = [Vec::new(), Vec::new()];
    for (events, told) in events.iter_mut().zip(&mut told) {
        while told.len() < 20 {
            let delta = events.expect("changes").await.data;
            let revs =
                delta["changes"].as_array().unwrap().iter().map(|change| change["rev"].as_i64().unwrap());
            told.extend(revs);
        }
        assert_eq!(*told, (1..=20).collect::<Vec<i64>>());
    }
}

async fn an_account_has_ten_streams_at_all_nodes_together(nodes: Nodes) {
    let ann = nodes[0].user("ann@example.org").await;
    let both = [ann.clone(), ann.moved_to(&nodes[1])];
    let mut streams = Vec::new();
    for n in 0..12 {
        nodes.advance(Duration::from_secs(1));
        streams.push(follow(&both[n % 2]).await);
    }
    // They are too many for a while before any of them ends, and the nodes hear of one another all the time.
    for n in 0..6 {
        nodes.advance(Duration::from_secs(5));
        for (at, client) in both.iter().enumerate() {
            client.save(&format!("Place {n}.{at}"), 60.0, 10.0 + f64::from(n)).await;
            for newest in &mut streams[10..] {
                newest.expect("changes").await;
            }
        }
        for node in nodes.iter() {
            node.app().check_streams().await.unwrap();
        }
    }
    for oldest in &mut streams[..2] {
        assert_eq!(ends_with(oldest).await, json!({"state": "replaced"}));
    }
    assert_eq!(nodes.iter().map(|node| node.app().open_streams()).sum::<usize>(), 10);
}

/// What a stream says last.
async fn ends_with(events: &mut Events) -> serde_json::Value {
    let mut last = None;
    while let Some(event) = events.next().await {
        last = Some(event);
    }
    let last = last.expect("something is said");
    assert_eq!(last.name, "session");
    last.data
}
