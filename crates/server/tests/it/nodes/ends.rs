//! Stories about nodes that stop.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::SessionId;
use serde_json::{Value, json};
use testkit::{Client, Nodes};

use super::follow;
use super::sessions::forget_what_ended;

testkit::stamp_nodes! {
    both: [the_last_news_of_a_node_that_stops_reach_the_others]
}

/// The session of a token, as the token itself says.
fn session(client: &Client) -> SessionId {
    let token = client.access_token();
    let claims = token.split('.').nth(1).and_then(|claims| URL_SAFE_NO_PAD.decode(claims).ok());
    let claims: Value = serde_json::from_slice(&claims.expect("a token has claims")).expect("they are JSON");
    SessionId::from_uuid(claims["sid"].as_str().and_then(|id| id.parse().ok()).expect("an id"))
}

async fn the_last_news_of_a_node_that_stops_reach_the_others(mut nodes: Nodes) {
    forget_what_ended(&nodes[0]).await;
    let phone = nodes[0].user("ann@example.org").await.copy();
    let laptop = nodes[0].visitor();
    laptop.sign_in("ann@example.org").await;
    let mut told = follow(&laptop.moved_to(&nodes[1])).await;
    phone.post("/v1/auth/logout", json!({})).await.expect(204);
    nodes[0].said().await;
    // A message left a moment ago, so the next one waits its ten milliseconds. To stop takes less.
    let now = nodes[0].now();
    nodes[0].app().bus().tell_ended([(session(&laptop), now)]);
    nodes[0].stop().await;
    assert_eq!(told.expect("session").await.data, json!({"state": "revoked"}));
}
