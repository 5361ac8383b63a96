//! What a request costs in round trips to PostgreSQL: between machines each is a large part of a millisecond, and
//! those of a write are spent with the account's log locked.

use serde_json::json;
use testkit::{Client, TestApp};

use crate::changes::{changes, cursor};
use crate::sync_batch::{DEVICE, create, send};

testkit::stamp! { both: [requests_ask_the_database_as_often_as_designed, a_forged_refresh_token_locks_nothing] }

/// Round trips of one request, after the statements it needs were prepared.
async fn cost<T>(app: &TestApp, request: impl Future<Output = T>) -> u64 {
    let before = app.app().database_round_trips();
    request.await;
    app.app().database_round_trips() - before
}

async fn costs(app: &TestApp, ann: &Client, round: u16) -> [(&'static str, u64); 5] {
    let known = cursor(ann).await;
    let own = 30 * round;
    let batch: Vec<_> = (own + 10..own + 30).map(|n| create(n, "Hut")).collect();
    let place = json!({"name": format!("Bergen {round}"), "lat": 60.39, "lon": 5.32});
    [
        ("create", cost(app, async { ann.post("/v1/favourites", place).await.expect(201) }).await),
        ("list", cost(app, async { ann.get("/v1/favourites").await.expect(200) }).await),
        (
            "batch of 1",
            cost(app, async { send(ann, DEVICE, &[create(own + 2, "Hut")]).await.expect(200) }).await,
        ),
        ("batch of 20", cost(app, async { send(ann, DEVICE, &batch).await.expect(200) }).await),
        ("changes", cost(app, async { changes(ann, &known).await.expect(200) }).await),
    ]
}

async fn requests_ask_the_database_as_often_as_designed(app: TestApp) {
    let ann = app.anonymous().await;
    ann.save("Oslo", 59.91, 10.75).await;
    send(&ann, DEVICE, &[create(1, "Cabin")]).await.expect(200);
    // What the server does beside requests may fall into one of them; it can only add to what that costs.
    let mut least = costs(&app, &ann, 1).await;
    for round in 2..8 {
        for (least, (_, cost)) in least.iter_mut().zip(costs(&app, &ann, round).await) {
            least.1 = least.1.min(cost);
        }
    }
    let costs = least;
    if app.database().is_sqlite() {
        assert!(costs.iter().all(|(_, count)| *count == 0), "SQLite is in this process");
        return;
    }
    // A write begins with the lock of its log, and what it changes goes out with the commit. A batch looks for its
    // receipts and for what is there under each id in between; what one of them changes goes out with the next.
    let designed = [("create", 2), ("list", 1), ("batch of 1", 4), ("batch of 20", 23), ("changes", 2)];
    assert_eq!(costs, designed);
}

async fn a_forged_refresh_token_locks_nothing(app: TestApp) {
    let ann = app.anonymous().await;
    let mut forged = ann.refresh_token();
    let at = forged.len() - 2;
    forged.replace_range(at..=at, if forged.as_bytes()[at] == b'A' { "B" } else { "A" });
    let mut least = u64::MAX;
    for _ in 0..12 {
        least = least.min(cost(&app, async { ann.present(&forged).await.expect(401) }).await);
    }
    // One read, and no transaction: whoever sends many keeps nobody's account busy.
    assert_eq!(least, u64::from(!app.database().is_sqlite()));
}
