//! Faults that take a while.

use std::time::Duration;

use testkit::{Cluster, databases};

use crate::load::Load;
use crate::{nodes, short};

#[test]
fn postgres_fails_over() {
    databases::runtime().block_on(async {
        let Some(mut primary) = Cluster::start(&[]).await else { return };
        let replica = primary.replica().await;
        // Both are named; each new connection takes the one that can be written to.
        let url = format!(
            "postgres://postgres@{},{}/postgres?target_session_attrs=read-write",
            primary.address(),
            replica.address()
        );
        let nodes = nodes::start(2, &url, &[]);
        let load = Load::start(&[&nodes[0], &nodes[1]]).await;
        load.goes_on(300).await;
        primary.kill();
        load.fails(10).await;
        replica.promote().await;
        load.goes_on(300).await;
        load.end(&nodes[0]).await.tell("the primary is killed, its synchronous replica promoted");
    });
}

#[test]
fn a_node_is_frozen_for_a_minute() {
    databases::runtime().block_on(short::freeze(Duration::from_mins(1), "60"));
}
