//! Stories about proofs that are shown at one node and must count, or not count again, at another.

use std::time::Duration;

use serde_json::json;
use testkit::clients::PASSWORD;
use testkit::{Nodes, totp};

testkit::stamp_nodes! {
    both: [
        a_code_that_one_node_took_is_taken_at_the_other,
        a_challenge_drawn_at_one_node_is_answered_at_the_other_once,
        a_step_up_at_one_node_counts_at_the_other,
    ]
}

async fn a_code_that_one_node_took_is_taken_at_the_other(nodes: Nodes) {
    let ann = nodes[0].user("ann@example.org").await;
    let secret = ann.post("/v1/me/factors/totp", json!({})).await.expect(200).text("/secret");
    let body = json!({"code": totp::code(&secret, nodes[0].now())});
    ann.post("/v1/me/factors/totp/confirm", body).await.expect(201);
    nodes[0].advance(Duration::from_secs(30));
    let code = totp::code(&secret, nodes[0].now());
    // All at once, half of them at each node.
    let mut answers = tokio::task::JoinSet::new();
    for turn in 0..6 {
        let client = nodes[turn % 2].visitor();
        let first = client.log_in("ann@example.org", PASSWORD).await.expect(200);
        let body = json!({"challenge": first.json["challenge"], "code": code});
        answers.spawn(async move { client.post("/v1/auth/mfa", body).await.status });
    }
    let answers = answers.join_all().await;
    assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1, "{answers:?}");
    assert!(answers.iter().all(|status| matches!(status, 200 | 401 | 429)), "{answers:?}");
}

async fn a_challenge_drawn_at_one_node_is_answered_at_the_other_once(nodes: Nodes) {
    let ann = nodes[0].user("ann@example.org").await;
    let secret = ann.post("/v1/me/factors/totp", json!({})).await.expect(200).text("/secret");
    let body = json!({"code": totp::code(&secret, nodes[0].now())});
    let confirmed = ann.post("/v1/me/factors/totp/confirm", body).await.expect(201);
    let here = nodes[0].visitor();
    let challenge = here.log_in("ann@example.org", PASSWORD).await.expect(200).text("/challenge");
    let mut answers = tokio::task::JoinSet::new();
    for turn in 0..6 {
        let client = here.moved_to(&nodes[turn % 2]).copy();
        let code = confirmed.json["recovery_codes"][turn].clone();
        let body = json!({"challenge": challenge, "recovery_code": code});
        answers.spawn(async move { client.post("/v1/auth/mfa", body).await.status });
    }
    let answers = answers.join_all().await;
    assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1, "{answers:?}");
    let left = ann.get("/v1/me/factors").await.expect(200).json;
    assert_eq!(left["recovery_codes"], 9, "what came too late took nothing");
}

async fn a_step_up_at_one_node_counts_at_the_other(nodes: Nodes) {
    let mut page = nodes[0].web();
    page.sign_up(&nodes[0], "ann@example.org").await;
    nodes[0].advance(Duration::from_secs(301));
    let there = page.moved_to(&nodes[1]);
    // The other node has just looked the cookie up, and remembers what it was.
    there.post("/v1/me/factors/totp", json!({})).await.problem(401, "insufficient_user_authentication");
    page.post("/v1/auth/step-up", json!({"password": PASSWORD})).await.expect(204);
    there.post("/v1/me/factors/totp", json!({})).await.expect(200);
}
