//! Nodes of one database ask a provider as one server would.

use std::time::Duration;

use domain::{Clock, Timestamp};
use server::{Running, Setup};
use testkit::provider::Fault;
use testkit::{Client, TestApp, databases};
use tokio::task::JoinSet;

use crate::forecasts::{LIST, calls, eventually, later, saved};

testkit::stamp! {
    both: [a_breaker_that_opened_closes_with_the_first_success],
    postgres: [
        one_cold_cell_is_one_call_however_many_nodes_are_asked,
        the_cells_of_a_node_that_died_are_fetched_by_another,
        what_one_node_has_fetched_the_others_take,
        a_breaker_that_opened_is_open_on_every_node,
        a_full_budget_leaves_no_claim_behind,
        nodes_pay_for_what_they_ask_and_for_nothing_else,
        a_forecast_of_a_node_whose_clock_is_ahead_is_not_believed,
    ]
}

/// A second node, when it knows where its weather comes from.
async fn second(app: &TestApp) -> Running {
    let node = server::start(app.setup()).await.expect("a second node starts");
    node.app.weather().providers().decided().await;
    node
}

/// The same person at another node.
fn at(node: &Running, client: &Client) -> Client {
    Client::at(format!("http://{}", node.address)).bearing(&client.access_token())
}

async fn leave(node: Running) {
    node.stop(Duration::from_secs(1)).await;
}

/// Returns when the provider was asked so often.
async fn asked(app: &TestApp, count: u64) {
    let asked = async {
        while app.provider.calls() < count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(15), asked).await.expect("the provider is asked");
}

/// Returns when what was fetched is in the database: its claims go with that.
async fn kept(app: &TestApp) {
    let kept = async {
        while claims(app).await > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(15), kept).await.expect("what was fetched is kept");
}

async fn claims(app: &TestApp) -> i64 {
    app.database().number("SELECT count(*) FROM cell_claim").await
}

fn code(list: &testkit::Response, at: usize) -> String {
    list.json["items"][at]["problem"]["code"].as_str().unwrap_or_default().to_owned()
}

fn is_ready(list: &testkit::Response) -> bool {
    let items = list.json["items"].as_array().cloned().unwrap_or_default();
    items.iter().all(|item| item["forecast"].is_object())
}

async fn one_cold_cell_is_one_call_however_many_nodes_are_asked(app: TestApp) {
    let node = second(&app).await;
    let ann = app.anonymous().await;
    let id = saved(&ann, 38.725, -9.125).await;
    let there = at(&node, &ann);
    let before = calls(&app).await;
    app.provider.set_fault(Fault::Slow(Duration::from_millis(300)));
    let mut readers = JoinSet::new();
    for n in 0..200 {
        let way = if n % 2 == 0 { &ann } else { &there };
        let call = way.get(&format!("/v1/favourites/{id}/forecast?hours=1"));
        readers.spawn(async move { call.await.expect(200).json["now"].clone() });
    }
    let answers = readers.join_all().await;
    assert!(answers.iter().all(|now| *now == answers[0] && now.is_object()));
    assert_eq!(app.provider.calls(), before + 2, "one for each of the two packs");
    assert_eq!(claims(&app).await, 0);
    leave(node).await;
}

async fn the_cells_of_a_node_that_died_are_fetched_by_another(app: TestApp) {
    let ann = app.anonymous().await;
    saved(&ann, 38.725, -9.125).await;
    let before = calls(&app).await;
    // The other node runs in a runtime of its own, which ends as a process does that is killed.
    let process = databases::runtime();
    let setup = app.setup();
    let node = process.spawn(async move {
        let node = server::start(setup).await.expect("a second node starts");
        node.app.weather().providers().decided().await;
        node
    });
    let node = node.await.expect("a second node");
    let before = before.max(app.provider.calls());
    app.provider.set_fault(Fault::Hanging);
    let there = at(&node, &ann);
    let lost = tokio::spawn(async move { there.get(LIST).attempt().await });
    asked(&app, before + 1).await;
    process.shutdown_background();
    lost.abort();
    app.provider.set_fault(Fault::None);

    let list = ann.get(LIST).await.expect(200);
    assert!(!is_ready(&list), "the other may be about to answer");
    assert_eq!((app.provider.calls(), claims(&app).await), (before + 1, 1));
    later(&app, &ann, Duration::from_secs(20)).await;
    eventually(&ann, LIST, is_ready).await;
    assert_eq!(app.provider.calls(), before + 2);
    app.clean_up().await;
    assert_eq!(claims(&app).await, 0);
    drop(node);
}

async fn what_one_node_has_fetched_the_others_take(app: TestApp) {
    let node = second(&app).await;
    let ann = app.anonymous().await;
    saved(&ann, 38.725, -9.125).await;
    let before = calls(&app).await;
    for way in [&ann, &at(&node, &ann)] {
        assert!(is_ready(&way.get(LIST).await.expect(200)));
    }
    assert_eq!(app.provider.calls(), before + 1);
    // Both have it in memory, and for both it is due.
    later(&app, &ann, Duration::from_secs(71 * 60)).await;
    app.refresh_ahead().await;
    node.app.weather().refresh_ahead().await;
    assert_eq!(app.provider.calls(), before + 2);
    for way in [&ann, &at(&node, &ann)] {
        let list = way.get(LIST).await.expect(200);
        assert_eq!(list.json["items"][0]["forecast"]["fetched_at"], "2026-11-21T11:11:00Z");
    }
    // Stale by now in one's memory, and fetched by the other a moment ago.
    later(&app, &ann, Duration::from_secs(4 * 3600)).await;
    assert!(is_ready(&ann.get(LIST).await.expect(200)));
    assert!(is_ready(&at(&node, &ann).get(LIST).await.expect(200)));
    assert_eq!(app.provider.calls(), before + 3);
    leave(node).await;
}

async fn a_forecast_of_a_node_whose_clock_is_ahead_is_not_believed(app: TestApp) {
    let ann = app.anonymous().await;
    saved(&ann, 38.725, -9.125).await;
    calls(&app).await;
    let fetched = async || {
        kept(&app).await;
        let at = app.database().number("SELECT max(fetched_at) FROM cell_forecast").await;
        Timestamp::from_millis(at).since(app.now())
    };
    // How often it asks, after its start.
    let ahead = async |by: Duration| {
        let setup = Setup { clock: Clock::fixed(app.now().plus(by)), ..app.setup() };
        let node = server::start(setup).await.expect("a second node starts");
        node.app.weather().providers().decided().await;
        let before = app.provider.calls();
        assert!(is_ready(&at(&node, &ann).get(LIST).await.expect(200)));
        kept(&app).await;
        leave(node).await;
        app.provider.calls() - before
    };
    assert_eq!(ahead(Duration::from_secs(6 * 60)).await, 1);
    assert_eq!(fetched().await, Duration::from_secs(6 * 60));
    let before = app.provider.calls();
    let list = ann.get(LIST).await.expect(200);
    assert_eq!(list.json["items"][0]["forecast"]["fetched_at"], app.now().rfc3339(), "{list}");
    assert_eq!((app.provider.calls(), fetched().await), (before + 1, Duration::ZERO), "asked for, and kept");
    ann.get(LIST).await.expect(200);
    assert_eq!(app.provider.calls(), before + 1, "once");
    // Clocks differ a little; that is no reason to ask again.
    assert_eq!(ahead(Duration::from_secs(4 * 60)).await, 0);
}

async fn a_breaker_that_opened_is_open_on_every_node(app: TestApp) {
    let node = second(&app).await;
    let ann = app.anonymous().await;
    saved(&ann, 38.725, -9.125).await;
    let there = at(&node, &ann);
    app.provider.set_fault(Fault::BadGateway);
    let before = calls(&app).await;
    for _ in 0..3 {
        ann.get(LIST).await.expect(200);
    }
    assert_eq!(app.provider.calls(), before + 3);
    for way in [&there, &ann, &there] {
        assert_eq!(code(&way.get(LIST).await.expect(200), 0), "weather_unavailable");
    }
    assert_eq!(app.provider.calls(), before + 3, "what one node learnt holds on all");
    // A node that starts now knows it too.
    let third = second(&app).await;
    let before = app.provider.calls();
    at(&third, &ann).get(LIST).await.expect(200);
    assert_eq!(app.provider.calls(), before);
    // One probe at a time, although each node wants another cell.
    later(&app, &ann, Duration::from_secs(10)).await;
    app.provider.set_fault(Fault::Hanging);
    let probe = ann.get(LIST);
    let probe = tokio::spawn(async move { probe.await });
    asked(&app, before + 1).await;
    let there = at(&node, &ann);
    saved(&ann, 47.525, 11.525).await;
    let list = there.get(LIST).await.expect(200);
    assert_eq!(code(&list, 1), "weather_unavailable");
    assert_eq!(app.provider.calls(), before + 1);
    probe.abort();
    leave(third).await;
    leave(node).await;
}

async fn a_breaker_that_opened_closes_with_the_first_success(app: TestApp) {
    let ann = app.anonymous().await;
    saved(&ann, 38.725, -9.125).await;
    calls(&app).await;
    app.provider.set_fault(Fault::BadGateway);
    for _ in 0..3 {
        ann.get(LIST).await.expect(200);
    }
    app.provider.set_fault(Fault::None);
    assert_eq!(code(&ann.get(LIST).await.expect(200), 0), "weather_unavailable");
    later(&app, &ann, Duration::from_secs(10)).await;
    assert!(is_ready(&ann.get(LIST).await.expect(200)));
    // Two strikes more do not open it, as they would if it still counted the old ones.
    saved(&ann, 47.525, 11.525).await;
    app.provider.set_fault(Fault::BadGateway);
    let before = app.provider.calls();
    for _ in 0..2 {
        ann.get(LIST).await.expect(200);
    }
    app.provider.set_fault(Fault::None);
    assert!(is_ready(&ann.get(LIST).await.expect(200)));
    assert_eq!(app.provider.calls(), before + 3);
}

async fn a_full_budget_leaves_no_claim_behind(mut app: TestApp) {
    app.restart_with(|config| config.weather.open_meteo.monthly_calls = Some(1)).await;
    let ann = app.anonymous().await;
    for n in 0..3 {
        saved(&ann, 1.025 + f64::from(n), 10.025).await;
    }
    let before = calls(&app).await;
    let list = ann.get(LIST).await.expect(200);
    assert_eq!(code(&list, 0), "weather_budget");
    assert_eq!((app.provider.calls(), claims(&app).await), (before, 0));
}

/// Thousandths of calls that were paid for this month.
async fn spent(app: &TestApp) -> i64 {
    let month =
        "SELECT (convert_from(state, 'UTF8')::json #>> '{windows,3,spent}')::bigint FROM provider_state";
    app.database().number(month).await
}

async fn nodes_pay_for_what_they_ask_and_for_nothing_else(mut app: TestApp) {
    app.restart_with(|config| config.weather.open_meteo.monthly_calls = Some(10_000)).await;
    let node = second(&app).await;
    let ann = app.anonymous().await;
    calls(&app).await;
    saved(&ann, 1.025, 10.025).await;
    ann.get(LIST).await.expect(200);
    let one = spent(&app).await;
    // One node is asking for a cell when the other wants that one and a second.
    let before = app.provider.calls();
    app.provider.set_fault(Fault::Slow(Duration::from_millis(300)));
    saved(&ann, 38.725, -9.125).await;
    let first = ann.get(LIST);
    let first = tokio::spawn(async move { first.await });
    asked(&app, before + 1).await;
    saved(&ann, 47.525, 11.525).await;
    eventually(&at(&node, &ann), LIST, is_ready).await;
    first.await.expect("it is answered").expect(200);
    assert_eq!((app.provider.calls(), spent(&app).await), (before + 2, 3 * one));
    leave(node).await;
}
