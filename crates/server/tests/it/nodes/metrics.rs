//! Stories about what a node's metrics say of the others.

use testkit::{Nodes, Response};

use crate::forecasts::eventually;

testkit::stamp_nodes! {
    both: [a_node_shows_that_it_hears_the_others]
}

async fn a_node_shows_that_it_hears_the_others(nodes: Nodes) {
    let ann = nodes[0].anonymous().await;
    // Counting begins a moment after the start, when the nodes have long joined.
    eventually(&ann, "/metrics", |answer| !answer.bytes.is_empty()).await;
    // It has something to say, which is a sign of life.
    ann.save("Oslo", 59.91, 10.75).await;
    eventually(&ann, "/metrics", |answer| is_connected(answer) == Some(true)).await;
}

/// Whether the node hears the others, if the metrics say it.
pub(super) fn is_connected(metrics: &Response) -> Option<bool> {
    let text = String::from_utf8_lossy(&metrics.bytes);
    let line = text.lines().find(|line| line.starts_with("fairweather_bus_connected{"))?;
    Some(line.ends_with(" 1"))
}
