//! Stories of streams over HTTP/2 whose readers never open their window: nobody asks for the body then, and the
//! stream must end all the same.

use std::time::{Duration, Instant};

use h2::client;
use serde_json::json;
use testkit::{Client, TestApp};
use tokio::net::TcpStream;

testkit::stamp! {
    both: [
        a_closed_window_does_not_outlive_its_session,
        a_closed_window_does_not_keep_its_place,
        closed_windows_count_against_their_account,
    ]
}

/// Streams that were asked for over one connection which takes no data.
async fn ask(app: &TestApp, client: &Client, count: usize) -> Vec<client::ResponseFuture> {
    let stream = TcpStream::connect(app.address()).await.unwrap();
    let (mut requests, connection) =
        client::Builder::new().initial_window_size(0).handshake::<_, &[u8]>(stream).await.unwrap();
    tokio::spawn(connection);
    let mut asked = Vec::new();
    for _ in 0..count {
        let request = http::Request::get(format!("{}/v1/stream", app.base_url()))
            .header("authorization", format!("Bearer {}", client.access_token()))
            .body(())
            .unwrap();
        requests = requests.ready().await.unwrap();
        asked.push(requests.send_request(request, true).unwrap().0);
    }
    asked
}

async fn patient(app: &mut TestApp, stalled_s: u64) -> Client {
    app.restart_with(|config| config.streams.stalled_s = stalled_s).await;
    app.anonymous().await
}

async fn a_closed_window_does_not_keep_its_place(mut app: TestApp) {
    let ann = patient(&mut app, 1).await;
    let mut bodies = Vec::new();
    for asked in ask(&app, &ann, 3).await {
        bodies.push(asked.await.unwrap().into_body());
    }
    app.open_streams(0).await;
}

async fn a_closed_window_does_not_outlive_its_session(mut app: TestApp) {
    let ann = patient(&mut app, 600).await;
    let mut bodies = Vec::new();
    for asked in ask(&app, &ann, 3).await {
        bodies.push(asked.await.unwrap().into_body());
    }
    app.open_streams(3).await;
    let asked = Instant::now();
    ann.post("/v1/auth/logout", json!({"discard": true})).await.expect(204);
    app.open_streams(0).await;
    assert!(asked.elapsed() < Duration::from_secs(15), "{:?}", asked.elapsed());
}

async fn closed_windows_count_against_their_account(mut app: TestApp) {
    let ann = patient(&mut app, 600).await;
    let mut bodies = Vec::new();
    for asked in ask(&app, &ann, 25).await {
        bodies.push(asked.await.unwrap().into_body());
    }
    app.open_streams(10).await;
}
