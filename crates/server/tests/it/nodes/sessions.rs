//! Stories about sessions that end at one node and are used at another.

use serde_json::json;
use testkit::{Nodes, TestApp};

use super::follow;

testkit::stamp_nodes! {
    both: [
        signing_out_at_one_node_closes_the_streams_of_another_at_once,
        a_token_that_another_node_has_checked_ends_with_its_session,
        other_devices_end_at_all_nodes_at_once,
    ]
}

/// Leaves out what nodes find in the database by themselves, so that only what they tell one another acts.
pub(super) async fn forget_what_ended(app: &TestApp) {
    let nothing = "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
        CREATE TRIGGER nothing BEFORE INSERT ON revocation FOR EACH ROW EXECUTE FUNCTION nothing();";
    app.database().run(nothing).await;
}

async fn signing_out_at_one_node_closes_the_streams_of_another_at_once(nodes: Nodes) {
    forget_what_ended(&nodes[0]).await;
    let ann = nodes[0].user("ann@example.org").await;
    let laptop = nodes[0].visitor();
    laptop.sign_in("ann@example.org").await;
    let (mut ended, mut kept) =
        (follow(&ann.moved_to(&nodes[1])).await, follow(&laptop.moved_to(&nodes[1])).await);
    ann.post("/v1/auth/logout", json!({})).await.expect(204);
    assert_eq!(ended.expect("session").await.data, json!({"state": "revoked"}));
    ended.ended().await;
    laptop.save("Oslo", 59.91, 10.75).await;
    kept.expect("changes").await;
}

async fn a_token_that_another_node_has_checked_ends_with_its_session(nodes: Nodes) {
    forget_what_ended(&nodes[0]).await;
    let phone = nodes[0].user("ann@example.org").await.copy();
    let mut page = nodes[0].web();
    page.sign_up(&nodes[0], "ben@example.org").await;
    // Both nodes know both credentials.
    let there = [phone.moved_to(&nodes[1]).copy(), page.moved_to(&nodes[1]).copy()];
    for client in &there {
        client.get("/v1/me").await.expect(200);
    }
    let streams = [follow(&there[0]).await, follow(&there[1]).await];
    for client in [&phone, &page] {
        client.post("/v1/auth/logout", json!({})).await.expect(204);
    }
    for mut stream in streams {
        stream.expect("session").await;
    }
    for client in &there {
        client.get("/v1/me").await.problem(401, "session_ended");
    }
}

async fn other_devices_end_at_all_nodes_at_once(nodes: Nodes) {
    forget_what_ended(&nodes[0]).await;
    let phone = nodes[0].user("ann@example.org").await.copy();
    let laptop = nodes[0].visitor();
    laptop.sign_in("ann@example.org").await;
    let there = phone.moved_to(&nodes[1]);
    let (mut ended, mut kept) = (follow(&there).await, follow(&laptop.moved_to(&nodes[1])).await);
    assert_eq!(laptop.delete("/v1/me/sessions").await.expect(200).json, json!({"ended": 1}));
    assert_eq!(ended.expect("session").await.data, json!({"state": "revoked"}));
    ended.ended().await;
    there.get("/v1/me").await.problem(401, "session_ended");
    laptop.save("Oslo", 59.91, 10.75).await;
    kept.expect("changes").await;
}
