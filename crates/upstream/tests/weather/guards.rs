//! Where the client refuses to go.

use domain::forecast::Pack;
use reqwest::Url;
use testkit::provider::{FakeProvider, Fault};
use upstream::http::{Http, HttpError, HttpSettings, Request};
use upstream::weather::{FetchError, OpenMeteo, OpenMeteoSettings, WeatherProvider};

use crate::{NOW, PATIENCE, http, three};

async fn get(http: &Http, url: &str) -> Result<u16, HttpError> {
    let url = Url::parse(url).expect("a URL");
    http.send(Request::get(url, 1024)).await.map(|reply| reply.status)
}

#[tokio::test]
async fn private_addresses_are_refused_before_and_after_resolving() {
    let guarded = Http::new(HttpSettings::default());
    for url in [
        "https://127.0.0.1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://[::1]/",
        "https://[::ffff:169.254.169.254]/",
        "https://[::ffff:a9fe:a9fe]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://10.0.0.1:8443/",
        "https://0.0.0.0/",
        // Names that resolve to this machine.
        "https://localhost/",
        "https://LocalHost/",
        // Not TLS, not the web, or with somebody's login in it.
        "http://1.1.1.1/",
        "http://example.com/",
        "file:///etc/passwd",
        "ftp://1.1.1.1/",
        "https://user:secret@1.1.1.1/",
    ] {
        assert_eq!(get(&guarded, url).await, Err(HttpError::Blocked), "{url}");
    }
}

#[tokio::test]
async fn what_the_operator_allows_is_reached_and_nothing_beside_it() {
    let provider = FakeProvider::start(NOW).await;
    let allowed = http(PATIENCE);
    let path = "/v1/elevation?latitude=1&longitude=1";
    assert_eq!(get(&allowed, &format!("{}{path}", provider.base_url())).await, Ok(200));
    let by_name = provider.base_url().replace("127.0.0.1", "localhost");
    assert_eq!(get(&allowed, &format!("{by_name}{path}")).await, Err(HttpError::Blocked));
    assert_eq!(provider.calls(), 1);

    let allowed = ["LOCALHOST"].into_iter().collect();
    let named = Http::new(HttpSettings { allowed, ..HttpSettings::default() });
    assert_eq!(get(&named, &format!("{by_name}{path}")).await, Ok(200));
    assert_eq!(get(&named, &format!("{}{path}", provider.base_url())).await, Err(HttpError::Blocked));
    assert_eq!(get(&named, "ftp://localhost/").await, Err(HttpError::Blocked));
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let provider = FakeProvider::start(NOW).await;
    provider.set_fault(Fault::RedirectInside);
    let url = format!("{}/v1/forecast?latitude=1&longitude=1", provider.base_url());
    assert_eq!(get(&http(PATIENCE), &url).await, Ok(302));
}

#[tokio::test]
async fn a_provider_configured_inside_but_not_allowed_is_told_apart_from_one_that_is_down() {
    let provider = FakeProvider::start(NOW).await;
    let guarded = Http::new(HttpSettings::default());
    let settings = OpenMeteoSettings::parse(&provider.base_url(), None).expect("a base URL");
    let adapter = OpenMeteo::new(guarded, settings).expect("an adapter");
    assert_eq!(adapter.fetch(&three(), Pack::Core, NOW).await, Err(FetchError::Blocked));
    assert_eq!(provider.calls(), 0);
}

#[tokio::test]
async fn errors_tell_neither_coordinates_nor_keys() {
    let guarded = http(PATIENCE);
    let secret = "latitude=38.725&apikey=s3cret";
    for url in [format!("http://127.0.0.1:9/?{secret}"), format!("https://10.0.0.1/?{secret}")] {
        let error = get(&guarded, &url).await.expect_err("unreachable");
        let text = format!("{error} {error:?}");
        assert!(!text.contains("38.725") && !text.contains("s3cret"), "{text}");
    }
}
