//! An anonymous account that is registered while something else happens to it.

use serde_json::json;
use testkit::TestApp;

testkit::stamp! {
    both: [
        two_confirmations_of_one_account_make_two,
        what_is_registered_is_not_discarded,
    ]
}

/// Both codes of one anonymous account typed at once: each address must lead to an account of its own.
async fn two_confirmations_of_one_account_make_two(app: TestApp) {
    for round in 0..4 {
        let ann = app.anonymous().await;
        let emails = [format!("a{round}@example.org"), format!("b{round}@example.org")];
        let (one, two) = (ann.register(&emails[0]).await, ann.register(&emails[1]).await);
        let codes = [app.code_for(&emails[0]).await, app.code_for(&emails[1]).await];
        let (phone, laptop) = (app.visitor(), app.visitor());
        let (first, second) = tokio::join!(phone.confirm(&one, &codes[0]), laptop.confirm(&two, &codes[1]));
        first.expect(201);
        second.expect(201);
        assert_ne!(phone.account_id(), laptop.account_id());
        for email in &emails {
            app.visitor().sign_in(email).await.expect(200);
        }
    }
}

/// An account that is registered beside a sign-out that would discard it is either discarded or registered.
async fn what_is_registered_is_not_discarded(app: TestApp) {
    for round in 0..12 {
        let ann = app.anonymous().await;
        let email = format!("c{round}@example.org");
        let registration = ann.register(&email).await;
        let code = app.code_for(&email).await;
        let phone = app.visitor();
        let discard = json!({"discard": true});
        let (confirmed, _) =
            tokio::join!(phone.confirm(&registration, &code), ann.post("/v1/auth/logout", discard));
        confirmed.expect(201);
        phone.get("/v1/me").await.expect(200);
        app.visitor().sign_in(&email).await.expect(200);
    }
}
