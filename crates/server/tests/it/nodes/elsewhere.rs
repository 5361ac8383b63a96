//! Stories about a `database_direct` that leads to another database than `database`.

use testkit::{Nodes, databases};

use super::metrics::is_connected;
use crate::binary::{fairweather, said};
use crate::forecasts::eventually;

#[test]
fn a_node_that_would_be_heard_elsewhere_does_not_count_as_connected() {
    testkit::nodes::on_listen(1, elsewhere);
}

async fn elsewhere(mut nodes: Nodes) {
    // Of the same server, so it is reached and takes every message.
    let other = databases::server().expect("PostgreSQL");
    let right = nodes[0].config().database.clone().expect("PostgreSQL");
    nodes[0].restart_with(|config| config.database_direct = Some(other.clone())).await;
    let ann = nodes[0].anonymous().await;
    eventually(&ann, "/metrics", |answer| is_connected(answer) == Some(false)).await;
    assert_eq!(nodes[0].app().bus().joined().connections, 0);
    // Nothing else suffers.
    ann.save("Oslo", 59.91, 10.75).await;

    nodes[0].stop().await;
    let doctor = |direct: &str| {
        let mut command = fairweather(nodes[0].scratch(), &["doctor", "--database", &right, "--data"]);
        command.arg(nodes[0].data()).env("FAIRWEATHER_DATABASE_DIRECT", direct);
        said(&command.output().expect("the binary runs"))
    };
    let (out, _, code) = doctor(&other);
    assert!(out.contains("BAD   database_direct leads to another database") && code != 0, "{out}");
    let (out, _, _) = doctor(&right);
    assert!(out.contains("ok    database_direct leads to the same database"), "{out}");
}
