//! Where forecasts come from: made-up weather is never taken for real weather.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use testkit::TestApp;
use testkit::clients::Response;
use testkit::provider::Fault;

use crate::forecasts::{LIST, later, saved};

testkit::stamp! {
    both: [
        the_sandbox_is_never_mixed_with_real_weather,
        people_who_rely_on_it_never_see_the_sandbox,
    ]
}

/// Sources of all items; the list names each of them once.
fn sources(list: &Response) -> BTreeSet<String> {
    let items = list.json["items"].as_array().cloned().unwrap_or_default();
    let sources: BTreeSet<String> =
        items.iter().filter_map(|item| item["forecast"]["source"].as_str().map(String::from)).collect();
    let named: BTreeSet<String> = list.json["sources"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(sources, named, "{list}");
    sources
}

async fn the_sandbox_is_never_mixed_with_real_weather(mut app: TestApp) {
    app.provider.set_fault(Fault::Status(500));
    app.restart().await;
    let ann = app.anonymous().await;
    let id = saved(&ann, 38.725, -9.125).await;
    let made_up = ann.get(LIST).await.expect(200);
    assert_eq!(sources(&made_up), BTreeSet::from([String::from("sandbox")]));
    let text = json!({"text": "Made-up weather for development", "url": null});
    assert_eq!(made_up.json["sources"]["sandbox"], text);
    assert_eq!(ann.get(LIST).await.bytes, made_up.bytes);
    // The provider is there again, but nobody has noticed yet.
    app.provider.set_fault(Fault::None);
    saved(&ann, 10.025, 10.025).await;
    let list = ann.get(LIST).await.expect(200);
    assert_eq!(sources(&list), BTreeSet::from([String::from("sandbox")]));
    app.app().weather().providers().leave_sandbox();
    let real = BTreeSet::from([String::from("open-meteo")]);
    assert_eq!(sources(&ann.get(LIST).await.expect(200)), real, "not even a list that was kept");
    assert_eq!(ann.get(&format!("/v1/favourites/{id}/forecast")).await.json["source"], "open-meteo");
    // And never back: a provider that fails later is a provider that fails.
    app.provider.set_fault(Fault::Status(500));
    saved(&ann, 20.025, 10.025).await;
    let list = ann.get(LIST).await.expect(200);
    assert_eq!(sources(&list), real);
    assert_eq!(list.json["items"][2]["problem"]["code"], "weather_unavailable");
    // The next start finds only real weather in the database for real weather.
    app.provider.set_fault(Fault::None);
    app.restart().await;
    assert_eq!(sources(&ann.moved_to(&app).get(LIST).await), real);
}

async fn people_who_rely_on_it_never_see_the_sandbox(mut app: TestApp) {
    app.provider.set_fault(Fault::Status(500));
    app.restart_in(server::Mode::Serve, |config| config.weather.sandbox.always = true).await;
    let ann = app.anonymous().await;
    let id = saved(&ann, 38.725, -9.125).await;
    let list = ann.get(LIST).await.expect(200);
    assert_eq!(list.json["items"][0]["problem"]["code"], "weather_unavailable");
    ann.get(&format!("/v1/favourites/{id}/forecast")).await.problem(503, "weather_unavailable");
    app.provider.set_fault(Fault::None);
    later(&app, &ann, Duration::from_secs(60)).await;
    assert_eq!(ann.get(LIST).await.json["items"][0]["forecast"]["source"], "open-meteo");
}
