//! Keys that are exchanged while people work: those that sign access tokens, and the ring that wraps all others.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use testkit::databases::unhex;
use testkit::{Client, Nodes, TestApp};
use vault::Ring;

testkit::stamp! {
    both: [
        signing_keys_rotate_without_a_refused_token,
        a_rotation_may_begin_before_its_time,
        a_removed_signing_key_counts_nowhere,
        the_ring_rotates_while_people_work,
    ]
}

#[test]
fn nodes_rotate_signing_keys_without_a_refused_token() {
    testkit::nodes::on_listen(2, |nodes| async move { two_nodes(nodes).await });
}

const MINUTE: Duration = Duration::from_secs(60);

/// Which key signed the client's token.
fn kid(client: &Client) -> String {
    let token = client.access_token();
    let header = URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    header["kid"].as_str().unwrap().to_owned()
}

async fn states(app: &TestApp) -> Vec<String> {
    app.database().column("SELECT state FROM signing_key ORDER BY created_at, kid").await
}

/// Lets an hour pass in which everybody asks every minute, and gets a new token every five.
async fn an_hour(apps: &[&TestApp], people: &[Client]) -> Vec<String> {
    let mut kids = Vec::new();
    for minute in 0..60 {
        apps[0].advance(MINUTE);
        apps[minute % apps.len()].app().rotate_signing_keys().await.unwrap();
        for (number, person) in people.iter().enumerate() {
            if minute % 5 == number % 5 {
                person.refresh().await.expect(200);
                kids.push(kid(person));
            }
            person.get("/v1/me").await.expect(200);
            // The other node, which was not told of anything.
            if let Some(other) = apps.get(1) {
                other.visitor().bearing(&person.access_token()).get("/v1/me").await.expect(200);
            }
        }
    }
    kids.dedup();
    kids
}

async fn signing_keys_rotate_without_a_refused_token(app: TestApp) {
    let mut people = Vec::new();
    for _ in 0..5 {
        people.push(app.anonymous().await);
    }
    let first = kid(&people[0]);
    app.advance(Duration::from_hours(24 * 30) - 20 * MINUTE);
    for person in &people {
        person.refresh().await.expect(200);
    }
    let kids = an_hour(&[&app], &people).await;
    assert!(kids.contains(&first) && kids.last() != Some(&first), "{kids:?} after {first}");
    assert_eq!(states(&app).await, ["active"], "the old one is gone");
    let published = app.visitor().get("/.well-known/jwks.json").await;
    assert_eq!(published.json["keys"].as_array().unwrap().len(), 1);
}

async fn two_nodes(nodes: Nodes) {
    let people = [nodes[0].anonymous().await, nodes[1].anonymous().await];
    let first = kid(&people[0]);
    nodes[0].app().begin_key_rotation().await.unwrap();
    let kids = an_hour(&[&nodes[0], &nodes[1]], &people).await;
    assert!(kids.contains(&first) && kids.last() != Some(&first), "{kids:?} after {first}");
}

async fn a_rotation_may_begin_before_its_time(app: TestApp) {
    app.app().begin_key_rotation().await.unwrap();
    assert_eq!(states(&app).await.len(), 2);
    let published = app.visitor().get("/.well-known/jwks.json").await;
    assert_eq!(published.json["keys"].as_array().unwrap().len(), 2, "known before it signs");
    let again = app.app().begin_key_rotation().await;
    assert!(matches!(again, Err(domain::Error::Conflict { code: "rotation_under_way", .. })), "{again:?}");
    let before = kid(&app.anonymous().await);
    app.advance(10 * MINUTE);
    app.app().rotate_signing_keys().await.unwrap();
    assert_ne!(kid(&app.anonymous().await), before);
}

async fn a_removed_signing_key_counts_nowhere(app: TestApp) {
    let ann = app.anonymous().await;
    // Remembered as checked.
    ann.get("/v1/me").await.expect(200);
    let removed = kid(&ann);
    app.app().remove_signing_key(&removed).await.unwrap();
    ann.get("/v1/me").await.problem(401, "invalid_token");
    ann.refresh().await.expect(200);
    ann.get("/v1/me").await.expect(200);
    assert_ne!(kid(&ann), removed);
    let unknown = app.app().remove_signing_key(&removed).await;
    assert!(matches!(unknown, Err(domain::Error::NotFound)), "{unknown:?}");
}

/// How many values the ring's active key has wrapped, and in which tables and columns others have.
async fn wrapped_by(app: &TestApp, ring: &Ring) -> (usize, Vec<String>) {
    let (mut active, mut others) = (0, Vec::new());
    for column in ["data_key", "wrapped"] {
        for table in app.database().tables_with(column).await {
            for value in app.database().column(&format!("SELECT {column} FROM {table}")).await {
                match unhex(&value) {
                    empty if empty.is_empty() => {}
                    blob if ring.is_current(&blob).unwrap() => active += 1,
                    _ => others.push(format!("{table}.{column}")),
                }
            }
        }
    }
    (active, others)
}

async fn the_ring_rotates_while_people_work(mut app: TestApp) {
    let file = app.data().join("keys").join("ring");
    let ann = app.user("ann@example.org").await;
    let mut others = Vec::new();
    for _ in 0..30 {
        others.push(app.anonymous().await);
    }
    ann.save("Oslo", 59.91, 10.75).await;
    // What lives for hours only expires by itself.
    app.advance(Duration::from_hours(26));
    app.clean_up().await;
    ann.refresh().await.expect(200);
    let rotated = Ring::load(&file).unwrap().unwrap().rotated(&app.setup().random).unwrap();
    rotated.save(&file, &app.setup().random).unwrap();
    assert_eq!(wrapped_by(&app, &rotated).await.0, 0);
    let work = async {
        for number in 0..20 {
            let place = json!({"name": format!("Hut {number}"), "lat": 60.0, "lon": f64::from(number)});
            ann.post("/v1/favourites", place).await.expect(201);
            app.anonymous().await.save("Bergen", 60.39, 5.32).await;
            ann.get("/v1/favourites").await.expect(200);
        }
    };
    let (followed, ()) = tokio::join!(app.app().follow_ring(), work);
    followed.unwrap();
    app.app().rewrap().await.unwrap();
    let (current, left) = wrapped_by(&app, &rotated).await;
    assert!(current >= 30, "{current} by the new key");
    assert_eq!(left, [""; 0], "by the old one");
    assert_eq!(app.app().wrapped_by_others().await.unwrap(), []);
    // The old key is not needed any more, by a server that has forgotten what it had opened.
    rotated.without_retired().save(&file, &app.setup().random).unwrap();
    app.restart().await;
    let ann = ann.moved_to(&app);
    ann.refresh().await.expect(200);
    assert_eq!(ann.get("/v1/me").await.expect(200).json["email"], "ann@example.org");
    assert_eq!(ann.get("/v1/favourites").await.expect(200).json["items"].as_array().unwrap().len(), 21);
    for person in others {
        let person = person.moved_to(&app);
        person.refresh().await.expect(200);
        person.get("/v1/favourites").await.expect(200);
    }
}
