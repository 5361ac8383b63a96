//! Stories about nodes whose database is behind PgBouncer in transaction mode: it lends them three connections in all.

use serde_json::json;
use testkit::Nodes;
use testkit::pgbouncer::PgBouncer;
use tokio::task::JoinSet;

use super::follow;
use crate::forecasts::eventually;

#[test]
fn nodes_need_no_connection_of_their_own() {
    testkit::nodes::on_listen(2, behind);
}

/// Leads every node there. To listen, each has a connection past it.
async fn move_behind(nodes: &mut Nodes) -> Option<PgBouncer> {
    let direct = nodes[0].config().database.clone().expect("PostgreSQL");
    let bouncer = PgBouncer::before(&direct)?;
    for node in nodes.iter_mut() {
        node.restart_with(|config| {
            config.database = Some(bouncer.url(&direct));
            config.database_direct = Some(direct.clone());
            config.store.pooler = true;
        })
        .await;
    }
    nodes.joined().await;
    Some(bouncer)
}

async fn behind(mut nodes: Nodes) {
    let Some(mut bouncer) = move_behind(&mut nodes).await else { return };
    let ann = nodes[0].user("ann@example.org").await;
    let elsewhere = ann.moved_to(&nodes[1]);
    let mut events = follow(&elsewhere).await;
    let first = ann.save("Oslo", 59.91, 10.75).await;
    assert_eq!(events.expect("changes").await.data["changes"][0]["id"], first);
    drop(events);

    // More at once than there are connections, of accounts of their own and of one.
    let mut writers = JoinSet::new();
    for writer in 0..12 {
        let client = if writer % 3 == 0 {
            nodes[writer % 2].anonymous().await
        } else {
            ann.moved_to(&nodes[writer % 2])
        };
        writers.spawn(async move {
            for n in 0..8 {
                client.save(&format!("Place {writer}.{n}"), 60.0, 10.0 + f64::from(n)).await;
                client.get("/v1/favourites").await.expect(200);
            }
        });
    }
    writers.join_all().await;
    assert_eq!(elsewhere.favourites().await.len(), 1 + 8 * 8);
    let list = elsewhere.get("/v1/favourites/forecasts").await.expect(200);
    assert_eq!(list.json["items"].as_array().map(Vec::len), Some(65));

    // A pooler that is gone is a database that is gone, and comes back by itself.
    bouncer.kill();
    ann.post("/v1/favourites", json!({"name": "Rome", "lat": 41.9, "lon": 12.5}))
        .await
        .problem(503, "store_unavailable");
    bouncer.resume();
    eventually(&ann, "/readyz", |answer| answer.status == 200).await;
    ann.save("Bergen", 60.39, 5.32).await;
    elsewhere.refresh().await.expect(200);
    let mut events = follow(&elsewhere).await;
    ann.post("/v1/auth/logout", json!({})).await.expect(204);
    assert_eq!(events.expect("session").await.data, json!({"state": "revoked"}));
}
