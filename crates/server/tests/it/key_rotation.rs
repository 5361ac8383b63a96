//! Keys that are exchanged while people work: those that sign access tokens, and the ring that wraps all others.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use testkit::databases::unhex;
use testkit::{Client, Nodes, TestApp};
use vault::Ring;

use crate::binary::{command, run, said};

testkit::stamp! {
    both: [
        signing_keys_rotate_without_a_refused_token,
        a_rotation_may_begin_before_its_time,
        a_removed_signing_key_counts_nowhere,
        the_ring_rotates_while_people_work,
        a_rotation_that_fails_half_way_is_gone_on_with,
        rotations_are_written_down,
        a_forgotten_ring_key_is_written_down,
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

/// Somebody at the terminal rotates the ring.
fn rotate_ring(app: &TestApp) -> Ring {
    let file = app.data().join("keys").join("ring");
    let rotated = Ring::load(&file).unwrap().unwrap().rotated(&app.setup().random).unwrap();
    rotated.save(&file, &app.setup().random).unwrap();
    rotated
}

async fn a_rotation_that_fails_half_way_is_gone_on_with(app: TestApp) {
    let ann = app.anonymous().await;
    let rotated = rotate_ring(&app);
    let (database, id) = (app.database(), app.database().literal(&ann.account_id()));
    // For a while this one cannot be wrapped anew.
    let turned = "UPDATE account SET data_key = ";
    let key =
        database.column(&format!("SELECT data_key FROM account WHERE account_id = {id}")).await.remove(0);
    let blob = |hex: &str| if database.is_sqlite() { format!("x'{hex}'") } else { format!("'\\x{hex}'") };
    let mut damaged = unhex(&key);
    *damaged.last_mut().unwrap() ^= 1;
    let damaged: String = damaged.iter().map(|byte| format!("{byte:02x}")).collect();
    database.run(&format!("{turned}{} WHERE account_id = {id}", blob(&damaged))).await;
    app.app().follow_ring().await.unwrap_err();
    let key: String = unhex(&key).iter().map(|byte| format!("{byte:02x}")).collect();
    database.run(&format!("{turned}{} WHERE account_id = {id}", blob(&key))).await;
    assert_ne!(wrapped_by(&app, &rotated).await.1, [""; 0]);
    app.app().follow_ring().await.unwrap();
    assert_eq!(wrapped_by(&app, &rotated).await.1, [""; 0], "by the old one");
}

/// Lines about keys, the oldest first: which, by whom, and what.
async fn told(app: &TestApp) -> Vec<[String; 3]> {
    let lines = app.app().audit_page(app::audit::Question::default()).await.unwrap().lines;
    let lines = lines.into_iter().filter(|line| line.event.ends_with("_rotated")).rev();
    lines.map(|line| [line.event, line.actor, line.word.unwrap_or_default()]).collect()
}

async fn rotations_are_written_down(app: TestApp) {
    app.app().begin_key_rotation().await.unwrap();
    app.advance(10 * MINUTE);
    app.app().rotate_signing_keys().await.unwrap();
    app.advance(MINUTE);
    let active = app.app().list_signing_keys().await.unwrap();
    let active = active.iter().find(|key| key.state == vault::signing::KeyState::Active).unwrap();
    app.app().remove_signing_key(&active.kid).await.unwrap();
    app.advance(Duration::from_hours(1));
    app.app().rotate_signing_keys().await.unwrap();
    app.advance(MINUTE);
    rotate_ring(&app);
    // Of all who follow it, one tells.
    app.app().follow_ring().await.unwrap();
    app.app().follow_ring().await.unwrap();
    app.app().rewrap().await.unwrap();
    let of = |actor: &str, word: &str| ["signing_key_rotated", actor, word].map(String::from);
    let ring = ["key_ring_rotated", "server", "activated"].map(String::from);
    let all = [
        of("command_line", "made"),
        of("server", "activated"),
        of("command_line", "removed"),
        of("server", "dropped"),
        ring,
    ];
    assert_eq!(told(&app).await, all);
}

async fn a_forgotten_ring_key_is_written_down(mut app: TestApp) {
    app.advance(Duration::from_hours(26));
    app.clean_up().await;
    rotate_ring(&app);
    app.stop().await;
    let (out, err, code) = command(&app, &["keys", "ring", "forget"]);
    assert_eq!((code, &*err), (0, ""), "{out}");
    assert!(out.starts_with("forgotten: "), "{out}");
    app.resume().await;
    let of = |actor: &str, word: &str| ["key_ring_rotated", actor, word].map(String::from);
    assert_eq!(told(&app).await, [of("server", "activated"), of("command_line", "dropped")]);
    assert_eq!(ring_keys(&app), 1, "one key is left");
}

/// How many keys the ring holds.
fn ring_keys(app: &TestApp) -> usize {
    let (out, _, code) = command(app, &["keys", "ring", "list"]);
    assert_eq!(code, 0);
    out.lines().count()
}

/// A ring key that is lost takes everything with it that it has wrapped.
#[test]
fn commands_at_once_lose_no_ring_key() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| said(&run(folder.path(), &[arguments, &["--data", "data"]].concat()));
    let (_, err, code) = run(&["accounts", "list"]);
    assert_eq!(code, 0, "{err}");
    let wraps = |out: &str| out.split(' ').next().unwrap().to_owned();
    for _ in 0..3 {
        let (rotated, forgot) = std::thread::scope(|scope| {
            let rotates = [(); 3].map(|()| scope.spawn(|| run(&["keys", "ring", "rotate"])));
            let forgets = [(); 2].map(|()| scope.spawn(|| run(&["keys", "ring", "forget"])));
            (rotates.map(|one| one.join().unwrap()), forgets.map(|one| one.join().unwrap()))
        });
        let listed = run(&["keys", "ring", "list"]).0;
        let made: Vec<_> = rotated
            .iter()
            .map(|(out, err, code)| {
                assert_eq!(*code, 0, "{err}");
                wraps(out)
            })
            .collect();
        // Each is there, or was dropped by a command that had wrapped everything anew.
        let dropped: String = forgot.iter().map(|(out, ..)| out.as_str()).collect();
        for id in &made {
            assert!(
                listed.contains(id.as_str()) || dropped.contains(id.as_str()),
                "{id} of {listed}{dropped}"
            );
        }
        assert!(made.iter().any(|id| listed.contains(&format!("{id}\tactive"))), "{made:?}: {listed}");
        let (_, err, code) = run(&["keys", "signing", "list"]);
        assert_eq!(code, 0, "what it wraps opens: {err}");
    }
}
