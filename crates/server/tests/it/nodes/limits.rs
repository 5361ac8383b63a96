//! Stories about limits that hold over all nodes together.

use std::time::Duration;

use testkit::{Client, Nodes, TestApp};

use super::cuts::behind_a_relay;
use super::follow;

testkit::stamp_nodes! {
    both: [
        a_limit_holds_over_both_nodes,
        what_one_node_let_through_is_gone_at_the_other_within_seconds,
        a_node_that_is_cut_off_lets_its_own_burst_through_and_no_more,
    ]
}

/// Lets each account ask so often, and as good as never again.
async fn allow(node: &mut TestApp, burst: u32) {
    node.restart_with(|config| {
        config.limits.account_burst = burst;
        config.limits.account_per_second = 0.01;
    })
    .await;
}

/// Each request at the next of these, and the first again after the last; tells how many were let through.
async fn passed(clients: &[Client], count: usize) -> usize {
    let mut let_through = 0;
    for client in clients.iter().cycle().take(count) {
        let answer = client.get("/v1/me").await;
        assert!(matches!(answer.status, 200 | 429), "{answer}");
        let_through += usize::from(answer.status == 200);
    }
    let_through
}

async fn a_limit_holds_over_both_nodes(mut nodes: Nodes) {
    for node in nodes.iter_mut() {
        allow(node, 100).await;
    }
    nodes.joined().await;
    let ann = nodes[0].user("ann@example.org").await;
    let clients = [ann.moved_to(&nodes[0]), ann.moved_to(&nodes[1])];
    let mut streams = [follow(&clients[0]).await, follow(&clients[1]).await];
    // Opening the streams, and the writes by which the story knows that the news have arrived.
    let mut let_through = 2;
    for round in 0..4 {
        let_through += passed(&clients, 20).await;
        // What a node does every second. A write of each follows it, so its hint arrives after.
        nodes.iter().map(TestApp::app).for_each(app::App::tell_traffic);
        for (n, client) in clients.iter().enumerate() {
            client.save(&format!("Place {round} {n}"), 60.0, 10.0 + f64::from(round)).await;
            let_through += 1;
            for stream in &mut streams {
                stream.expect("changes").await;
            }
        }
    }
    assert_eq!(let_through, 90);
    nodes.iter().map(TestApp::app).for_each(app::App::tell_traffic);
    let last = clients[0].save("Last", 61.0, 10.0).await;
    for stream in &mut streams {
        assert_eq!(stream.expect("changes").await.data["changes"][0]["id"], last);
    }
    // Nine are left, perhaps at each of the two.
    let more = passed(&clients, 60).await;
    assert!((9..=20).contains(&more), "{more} more than the limit of 100");
    for client in &clients {
        client.get("/v1/me").await.problem(429, "rate_limited");
    }
}

async fn what_one_node_let_through_is_gone_at_the_other_within_seconds(mut nodes: Nodes) {
    for node in nodes.iter_mut() {
        allow(node, 100).await;
    }
    nodes.joined().await;
    let ann = nodes[0].user("ann@example.org").await;
    let there = ann.moved_to(&nodes[1]);
    for _ in 0..50 {
        ann.get("/v1/me").await.expect(200);
    }
    let bus = nodes[1].app().bus();
    // Nobody asks the nodes to tell it: they do so by themselves.
    let told = async {
        for asked in 1.. {
            let heard = bus.joined().received;
            if there
                .get("/v1/me")
                .await
                .expect(200)
                .header("ratelimit")
                .contains(&format!(";r={};", 50 - asked))
            {
                return;
            }
            bus.joined_as(|joined| joined.received > heard).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(15), told).await.expect("what was taken is told");
}

async fn a_node_that_is_cut_off_lets_its_own_burst_through_and_no_more(mut nodes: Nodes) {
    for node in nodes.iter_mut() {
        allow(node, 20).await;
    }
    let relay = behind_a_relay(&mut nodes[1]).await;
    let ann = nodes[0].user("ann@example.org").await;
    relay.cut();
    nodes[1].joined(false).await;
    assert_eq!(passed(std::slice::from_ref(&ann), 30).await, 20);
    assert_eq!(passed(&[ann.moved_to(&nodes[1])], 30).await, 20);
}
