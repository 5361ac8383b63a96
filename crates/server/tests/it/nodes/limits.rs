//! Stories about limits that hold over all nodes together.

use testkit::{Client, Nodes, TestApp};

use super::follow;

testkit::stamp_nodes! {
    both: [a_limit_holds_over_both_nodes]
}

/// Each request at the other node than the one before; tells how many were let through.
async fn alternate(clients: &[Client; 2], count: usize) -> usize {
    let mut let_through = 0;
    for n in 0..count {
        let answer = clients[n % 2].get("/v1/me").await;
        assert!(matches!(answer.status, 200 | 429), "{answer}");
        let_through += usize::from(answer.status == 200);
    }
    let_through
}

async fn a_limit_holds_over_both_nodes(mut nodes: Nodes) {
    for node in nodes.iter_mut() {
        node.restart_with(|config| {
            config.limits.account_burst = 100;
            config.limits.account_per_second = 0.01;
        })
        .await;
    }
    nodes.joined().await;
    let ann = nodes[0].user("ann@example.org").await;
    let clients = [ann.moved_to(&nodes[0]), ann.moved_to(&nodes[1])];
    let mut streams = [follow(&clients[0]).await, follow(&clients[1]).await];
    // Opening the streams, and the writes by which the story knows that the news have arrived.
    let mut let_through = 2;
    for round in 0..4 {
        let_through += alternate(&clients, 20).await;
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
    let more = alternate(&clients, 60).await;
    assert!((9..=20).contains(&more), "{more} more than the limit of 100");
    for client in &clients {
        client.get("/v1/me").await.problem(429, "rate_limited");
    }
}
