//! Ways in through a certified provider, and what somebody tries who runs one of two.

use serde_json::json;
use testkit::TestApp;
use testkit::certified::CertifiedProvider;

use crate::oauth::{configured, me};

testkit::stamp! {
    both: [
        people_sign_in_link_and_step_up_through_a_certified_provider,
        one_of_two_providers_cannot_speak_for_the_other,
    ]
}

const PUBLIC_URL: &str = "http://localhost:9";

/// The app with two certified providers, which take our secret in the two ways there are.
async fn with_two(mut app: TestApp) -> (TestApp, CertifiedProvider, CertifiedProvider) {
    let provider = |name: &str, token_auth| {
        let redirect_uri = format!("{PUBLIC_URL}/v1/auth/oauth/{name}/callback");
        CertifiedProvider::start(&redirect_uri, token_auth, app.now())
    };
    let (one, two) = (provider("one", "client_secret_basic"), provider("two", "client_secret_post"));
    let entries = [("one", configured(one.issuer().into())), ("two", configured(two.issuer().into()))];
    app.restart_with(|config| {
        config.public_url = Some(PUBLIC_URL.into());
        config.providers.extend(entries.map(|(name, entry)| (name.to_owned(), entry)));
    })
    .await;
    (app, one, two)
}

async fn start(browser: &testkit::Client, name: &str, purpose: &str) -> String {
    let body = json!({"purpose": purpose, "return_to": "/settings"});
    browser.post(&format!("/v1/auth/oauth/{name}/start"), body).await.expect(200).text("/url")
}

async fn people_sign_in_link_and_step_up_through_a_certified_provider(app: TestApp) {
    let (app, one, two) = with_two(app).await;
    let browser = app.web();
    let path = one.authorize(&start(&browser, "one", "login").await, "ann").await;
    let back = browser.come_back(&path).await.expect(303);
    assert_eq!(back.header("location"), "/settings#provider=one&outcome=signed_in");
    let listed = browser.get("/v1/me/identities").await.expect(200).json;
    assert_eq!(listed["items"][0]["email"], "ann@example.org", "{listed}");
    assert_eq!(me(&browser).await["email"], json!(null));

    // The same name at the other provider is somebody else, until it is linked.
    let other = app.web();
    let path = two.authorize(&start(&other, "two", "login").await, "ann").await;
    other.come_back(&path).await.expect(303);
    assert_ne!(me(&other).await["account_id"], me(&browser).await["account_id"]);
    let path = two.authorize(&start(&browser, "two", "link").await, "anna").await;
    let back = browser.come_back(&path).await.expect(303);
    assert_eq!(back.header("location"), "/settings#provider=two&outcome=linked");
    let third = app.web();
    let path = two.authorize(&start(&third, "two", "login").await, "anna").await;
    third.come_back(&path).await.expect(303);
    assert_eq!(me(&third).await["account_id"], me(&browser).await["account_id"]);

    // The provider says when she was there, as it must when it is asked with max_age.
    let path = one.authorize(&start(&browser, "one", "step_up").await, "ann").await;
    let back = browser.come_back(&path).await.expect(303);
    assert_eq!(back.header("location"), "/settings#provider=one&outcome=stepped_up");

    let path = one.authorize(&start(&browser, "one", "login").await, "").await;
    let back = browser.come_back(&path).await.expect(303);
    assert_eq!(back.header("location"), "/settings#provider=one&error=access_denied");
}

async fn one_of_two_providers_cannot_speak_for_the_other(app: TestApp) {
    let (app, one, two) = with_two(app).await;
    let victim = app.web();
    // Whoever runs the second one sends the browser on to the first, and its answer back to the address of the second:
    // the state is of another way.
    let path = one.authorize(&start(&victim, "one", "login").await, "ann").await;
    victim.come_back(&path.replace("/oauth/one/", "/oauth/two/")).await.problem(403, "unknown_state");
    // A code of the second in an answer that says it is of the first: the first does not know the code.
    let attacker = app.web();
    let of_two = two.authorize(&start(&attacker, "two", "login").await, "ann").await;
    let code = of_two.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let path = one.authorize(&start(&victim, "one", "login").await, "ann").await;
    let own = path.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let back = victim.come_back(&path.replace(&own, &code)).await.expect(303);
    assert_eq!(back.header("location"), "/settings#provider=one&error=provider_answer_refused");
    // The same with the second one's name in it: refused before the code goes anywhere.
    let path = one.authorize(&start(&victim, "one", "login").await, "ann").await;
    let (path, _) = path.split_once("&iss=").unwrap();
    let back = victim.come_back(&format!("{path}&iss={}", two.issuer())).await.expect(303);
    assert_eq!(back.header("location"), "/settings#provider=one&error=provider_answer_refused");
    // A code that was given for another way (another PKCE verifier) is worth nothing in this one.
    let first = app.web();
    let stolen = one.authorize(&start(&first, "one", "login").await, "ann").await;
    let stolen = stolen.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let path = one.authorize(&start(&attacker, "one", "login").await, "eve").await;
    let own = path.split("code=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    let back = attacker.come_back(&path.replace(&own, &stolen)).await.expect(303);
    assert_eq!(back.header("location"), "/settings#provider=one&error=provider_answer_refused");
    for browser in [&victim, &attacker] {
        assert_eq!(browser.kept().cookie, None);
    }
}
