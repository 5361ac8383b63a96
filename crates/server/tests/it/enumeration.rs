//! Whether an address or an id is known must not show in what an answer costs. What counts here is work, which is
//! exact; the time that it takes is compared in `bench/` (E1).

use http::Method;
use serde_json::json;
use testkit::{Call, Client, Response, TestApp};

use crate::unauthorised::NOBODYS;

testkit::stamp! {
    both: [
        known_and_unknown_addresses_cost_the_same,
        ids_of_others_cost_what_unknown_ones_cost,
    ]
}

/// Round trips to the database (PostgreSQL) and hashed passwords.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Cost {
    round_trips: u64,
    hashes: u64,
}

/// A request about an address.
type Ask<'a> = &'a dyn Fn(&str) -> Call;

/// The least of several, since jobs ask the database, too, and the first of all prepares its statements.
async fn cost(app: &TestApp, call: Call) -> (Cost, Response) {
    let mut costs = Vec::new();
    for _ in 0..4 {
        let before = (app.app().database_round_trips(), app.app().password_hashes());
        let answer = call.clone().await;
        let cost = Cost {
            round_trips: app.app().database_round_trips() - before.0,
            hashes: app.app().password_hashes() - before.1,
        };
        costs.push((cost, answer));
    }
    costs.into_iter().min_by_key(|(cost, _)| *cost).unwrap()
}

async fn known_and_unknown_addresses_cost_the_same(mut app: TestApp) {
    app.restart_with(|config| config.limits.mail_per_address = 100).await;
    let ann = app.user("ann@example.org").await;
    app.operator("root@example.org").await;
    let visitor = app.visitor();
    let wrong = |email: &str| json!({"email": email, "password": "not the password at all"});
    let calls: [(&str, Ask, u64); 4] = [
        ("login", &|email| visitor.post("/v1/auth/login", wrong(email)), 1),
        ("register", &|email| visitor.post("/v1/auth/register", wrong(email)), 1),
        ("forgot", &|email| visitor.post("/v1/auth/password/forgot", json!({"email": email})), 0),
        ("change of the address", &|email| ann.post("/v1/me/email", json!({"email": email})), 0),
    ];
    for (what, call, hashes) in calls {
        let (known, said) = cost(&app, call("root@example.org")).await;
        for unknown in ["nobody@example.org", "somebody.with.a.long.name@mail.example.org"] {
            let (cost, answer) = cost(&app, call(unknown)).await;
            assert_eq!((cost, answer.status), (known, said.status), "{what}: {answer}");
        }
        assert_eq!(known.hashes, hashes, "{what}: {said}");
        assert_eq!(known.round_trips > 0, !app.database().is_sqlite(), "{what}: {known:?}");
        assert!(said.status < 402, "{said}");
    }
}

async fn ids_of_others_cost_what_unknown_ones_cost(app: TestApp) {
    let (ann, bob): (Client, Client) = (app.user("ann@example.org").await, app.user("bob@example.org").await);
    let place = ann.save("Cabin", 60.1, 9.2).await;
    let session = ann.kept().session_id.unwrap();
    let account = ann.account_id();
    for (method, path, id) in [
        (Method::GET, "/v1/favourites/{id}", &place),
        (Method::DELETE, "/v1/favourites/{id}", &place),
        (Method::GET, "/v1/favourites/{id}/forecast", &place),
        (Method::DELETE, "/v1/me/sessions/{id}", &session),
        (Method::POST, "/v1/operator/accounts/{id}/end-sessions", &account),
        (Method::POST, "/v1/operator/accounts/{id}/roles", &account),
    ] {
        let call = |id: &str| bob.call(method.clone(), &path.replace("{id}", id));
        let (known, said) = cost(&app, call(id)).await;
        let (unknown, answer) = cost(&app, call(NOBODYS)).await;
        assert_eq!((known, said.status), (unknown, answer.status), "{said}");
        assert!(matches!(said.status, 403 | 404), "{said}");
    }
}
