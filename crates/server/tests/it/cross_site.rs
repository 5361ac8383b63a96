//! Every operation that changes something, as a page of another site would make a browser send it.

use http::Method;
use testkit::TestApp;

use crate::cookies::{CROSS_SITE, forged};
use crate::unauthorised::operations;

testkit::stamp! { both: [no_operation_is_carried_out_for_another_site] }

/// What a page can make a browser send: a form of each kind, what a script of it sends, and nothing at all.
const BODIES: [(&str, &str); 5] = [
    ("application/x-www-form-urlencoded", "name=Trap&lat=1&lon=2"),
    ("multipart/form-data; boundary=x", "--x--"),
    ("text/plain", "{\"name\":\"Trap\",\"lat\":1,\"lon\":2}"),
    ("application/json", "{\"name\":\"Trap\",\"lat\":1,\"lon\":2}"),
    ("", ""),
];

async fn no_operation_is_carried_out_for_another_site(mut app: TestApp) {
    app.restart_with(|config| config.limits.account_burst = 100_000).await;
    let mut ann = app.web();
    ann.sign_up(&app, "ann@example.org").await;
    ann.save("Cabin", 60.1, 9.2).await;
    let before = app.database().dump(&[]).await;
    let mut asked = 0;
    for operation in operations(&app).await {
        // Those who come without a credential are no browser that was made to; of these, `cookies` tells.
        if operation.method.is_safe() || operation.entry().is_some() {
            continue;
        }
        for (who, headers) in CROSS_SITE {
            for (kind, body) in BODIES {
                let call = forged(&ann, &app, operation.method.clone(), &operation.path, headers);
                let call = if kind.is_empty() { call } else { call.body(kind, body) };
                let answer = call.await;
                assert_eq!(answer.status, 403, "{who}: {answer}");
                answer.problem(403, "cross_site");
                asked += 1;
            }
        }
    }
    assert!(asked > 1000, "{asked}");
    assert_eq!(app.database().dump(&[]).await, before);
    // The same from our own page reaches the operation.
    let call = ann.call(Method::DELETE, "/v1/favourites/0199aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee");
    call.await.problem(404, "not_found");
}
