//! Stories about credentials that are tried at two nodes at once: what counts the tries is in the database, and exact.

use serde_json::json;
use testkit::{Client, Nodes};
use tokio::task::JoinSet;

use super::cuts::behind_a_relay;
use super::sessions::forget_what_ended;

#[test]
fn guesses_at_both_nodes_count_together() {
    testkit::nodes::on_listen(2, guesses);
}

#[test]
fn repeats_of_a_refresh_token_at_both_nodes_count_together() {
    testkit::nodes::on_listen(2, repeats);
}

#[test]
fn a_ticket_of_an_ended_session_opens_nothing_at_a_node_that_was_told_nothing() {
    testkit::nodes::on_listen(2, ended);
}

/// So many people, every other one at the other node.
fn people(nodes: &Nodes, count: usize) -> impl Iterator<Item = (usize, Client)> {
    let person = |number: usize| {
        nodes[number % nodes.len()].visitor().with_header("user-agent", &format!("app {number}"))
    };
    (0..count).map(move |number| (number, person(number)))
}

fn how_often(answers: &[u16], status: u16) -> usize {
    answers.iter().filter(|answer| **answer == status).count()
}

async fn guesses(nodes: Nodes) {
    nodes[0].user("ann@example.org").await;
    let mut guesses = JoinSet::new();
    for (number, client) in people(&nodes, 20) {
        let guess = format!("this is guess number {number}");
        guesses.spawn(async move { client.log_in("ann@example.org", &guess).await.status });
    }
    let answers = guesses.join_all().await;
    // Five passwords are looked at, wherever they are tried; after those a wait begins.
    assert_eq!((how_often(&answers, 401), how_often(&answers, 429)), (5, 15), "{answers:?}");
}

async fn repeats(nodes: Nodes) {
    let ann = nodes[0].user("ann@example.org").await;
    let first = ann.refresh_token();
    ann.refresh().await;
    let mut repeats = JoinSet::new();
    for (_, client) in people(&nodes, 30) {
        let token = first.clone();
        repeats.spawn(async move { client.present(&token).await.status });
    }
    let answers = repeats.join_all().await;
    // The thirteenth ends the session, and with it every other try.
    assert_eq!((how_often(&answers, 200), how_often(&answers, 401)), (12, 18), "{answers:?}");
    ann.present(&ann.refresh_token()).await.problem(401, "invalid_refresh_token");
}

async fn ended(mut nodes: Nodes) {
    let relay = behind_a_relay(&mut nodes[1]).await;
    forget_what_ended(&nodes[0]).await;
    let ann = nodes[0].user("ann@example.org").await;
    let ticket = ann.post("/v1/stream/ticket", json!(null)).await.expect(200).text("/ticket");
    relay.cut();
    nodes[1].joined(false).await;
    ann.post("/v1/auth/logout", json!({})).await.expect(204);
    // Followed, since a stream that is opened all the same would never end.
    let opened = nodes[1].visitor().get(&format!("/v1/stream?ticket={ticket}")).follow().await;
    assert_eq!(opened.status, 401);
}
