//! What must not be readable by whoever gets hold of the files or the log, after a run in which much happened.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Clock;
use serde_json::json;
use testkit::databases::unhex;
use testkit::provider::FakeProvider;
use testkit::{Client, TestApp};

use crate::binary::Served;

testkit::stamp! { both: [nothing_of_a_removed_account_is_left, a_data_folder_is_for_its_owner_alone] }

/// A text or some bytes that must be found nowhere.
struct Secret {
    what: &'static str,
    bytes: Vec<u8>,
}

/// Everything that is searched for: what people typed, where they are, what they are let in by.
#[derive(Default)]
struct Secrets(Vec<Secret>);

impl Secrets {
    fn text(&mut self, what: &'static str, text: &str) {
        self.0.push(Secret { what, bytes: text.as_bytes().to_vec() });
    }

    /// As text with as many digits as it was sent, and as the octets of a number.
    fn number(&mut self, what: &'static str, number: f64) {
        self.text(what, &number.to_string());
        self.0.push(Secret { what, bytes: number.to_le_bytes().to_vec() });
        self.0.push(Secret { what, bytes: number.to_be_bytes().to_vec() });
    }

    /// As it is handed out, and the random octets behind it.
    fn token(&mut self, what: &'static str, token: &str) {
        self.text(what, token);
        let last = token.rsplit(['.', '=']).next().unwrap_or_default();
        if let Ok(bytes) = URL_SAFE_NO_PAD.decode(last) {
            // A refresh token begins with ids, which are no secret; its MAC stands at the end.
            self.0.push(Secret { what, bytes: bytes[bytes.len().saturating_sub(16)..].to_vec() });
        }
    }

    fn of(&mut self, client: &Client) {
        let kept = client.kept();
        for (what, token) in [
            ("an access token", kept.access_token),
            ("a refresh token", kept.refresh_token),
            ("a cookie", kept.cookie),
        ] {
            if let Some(token) = token {
                self.token(what, token.trim_start_matches("sid="));
            }
        }
    }

    fn found_in<'a>(&'a self, content: &'a [u8]) -> impl Iterator<Item = &'static str> + 'a {
        // Names and addresses also count when somebody changed their case.
        let folded = content.to_ascii_lowercase();
        self.0
            .iter()
            .filter(move |secret| contains(&folded, &secret.bytes.to_ascii_lowercase()))
            .map(|s| s.what)
    }
}

fn contains(content: &[u8], bytes: &[u8]) -> bool {
    content.windows(bytes.len()).any(|window| window == bytes)
}

/// The files of an installation but for the gazetteer, which names every place there is.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "cache") {
                found.extend(files(&path));
            }
        } else {
            found.push(path);
        }
    }
    found
}

const EMAIL: &str = "ann.privacy@example.org";
const NAME: &str = "Grandmother's orchard";
const NOTE: &str = "the spare key hangs behind the ladder";
const QUERY: &str = "Wolfratshausen";
const LAT: f64 = 60.123_456;
const LON: f64 = 9.234_567;
const PASSWORD: &str = "seven green bottles standing";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn neither_files_nor_log_tell_anything() {
    let provider = FakeProvider::start(Clock::system().now()).await;
    let base = provider.base_url();
    let mut served = Served::start(
        &[],
        &[("FAIRWEATHER_LOG__LEVEL", "trace"), ("FAIRWEATHER_WEATHER__OPEN_METEO__BASE_URL", &base)],
    )
    .await;
    let mailbox = served.line_after("mailbox ").await;
    let mailbox = mailbox[mailbox.find("/dev/").unwrap()..].to_owned();

    let mut secrets = Secrets::default();
    let account = a_busy_day(&served.visitor(), &mailbox, &mut secrets).await;
    assert!(secrets.0.len() > 30, "the day was busy");
    assert!(provider.calls() > 0);

    let look = |served: &Served, when: &str| {
        let mut found = Vec::new();
        let database = fs::read(served.data().join("fairweather.db")).unwrap();
        let wal = fs::read(served.data().join("fairweather.db-wal")).unwrap_or_default();
        assert!(contains(&[database, wal].concat(), &account), "ids are found, so the rest would be");
        for file in files(served.folder()) {
            let content = fs::read(&file).unwrap();
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            found.extend(secrets.found_in(&content).map(|what| format!("{what} in {name} {when}")));
        }
        assert_eq!(found, [""; 0]);
    };
    look(&served, "while it runs");
    let requests = served.log().matches(r#""message":"request""#).count();
    assert!(requests > 15, "the log is as full as it gets, each request in it: {requests}");
    assert_eq!(served.stop(), 0);
    look(&served, "after it has stopped");
}

/// Nearly every call there is, made so that each carries something private. Answers the account's id.
async fn a_busy_day(visitor: &Client, mailbox: &str, secrets: &mut Secrets) -> Vec<u8> {
    secrets.text("the address", EMAIL);
    secrets.text("the name before the @", "ann.privacy");
    secrets.text("a favourite's name", NAME);
    secrets.text("a note", NOTE);
    secrets.text("a search", QUERY);
    secrets.number("a latitude", LAT);
    secrets.number("a longitude", LON);
    for password in [PASSWORD, "this is not the password"] {
        secrets.text("a password", password);
    }

    let mut ann = visitor.stranger();
    ann.start_anonymously().await;
    let favourite = json!({"name": NAME, "lat": LAT, "lon": LON, "note": NOTE});
    let place = ann.post("/v1/favourites", favourite).await.expect(201).text("/id");
    ann.patch(&format!("/v1/favourites/{place}"), json!({"note": NOTE})).await.expect(200);
    ann.get(&format!("/v1/favourites/{place}/forecast")).await.expect(200);
    ann.get("/v1/favourites/forecasts").await.expect(200);
    ann.get(&format!("/v1/places?q={QUERY}&near={LAT},{LON}")).await;
    ann.post("/v1/places/nearest", json!({"lat": LAT, "lon": LON})).await.expect(200);
    ann.post("/v1/forecasts", json!({"points": [{"lat": LAT, "lon": LON}]})).await.expect(200);
    secrets.of(&ann);

    let body = json!({"email": EMAIL, "password": PASSWORD});
    let registration = ann.post("/v1/auth/register", body.clone()).await.expect(202).text("/registration");
    secrets.token("a registration", &registration);
    let page = visitor.get(mailbox).await.expect(200);
    let page = String::from_utf8(page.bytes).unwrap();
    let code = page.lines().find_map(|line| line.strip_prefix("    ")).unwrap().trim().to_owned();
    secrets.text("a code", &code);
    secrets.text("the mailbox token", mailbox.split_once('=').unwrap().1);
    ann.confirm(&registration, &code).await.expect(201);
    ann.get("/v1/me").await.expect(200);
    secrets.of(&ann);
    ann.refresh().await;
    secrets.of(&ann);

    let stranger = visitor.stranger();
    stranger.log_in(EMAIL, "this is not the password").await.expect(401);
    stranger.present(&format!("{}x", ann.refresh_token())).await.expect(401);
    stranger.bearing(&format!("{}x", ann.access_token())).get("/v1/me").await.expect(401);
    stranger.post("/v1/auth/register", body).await.expect(202);
    // What cannot be read is not written down either.
    ann.post("/v1/favourites", json!({"name": NAME, "lat": LAT, "lon": 999.5, "what": NOTE}))
        .await
        .expect(422);
    ann.post("/v1/favourites", json!({"name": {"email": EMAIL}, "lat": NOTE})).await.expect(422);
    ann.get(&format!("/v1/places/{EMAIL}")).await;
    ann.get(&format!("/{EMAIL}/{LAT}")).await.expect(404);

    let mut browser = visitor.stranger().from_our_page();
    browser.start_anonymously().await;
    browser.save(NAME, LAT, LON).await;
    secrets.of(&browser);
    let login = json!({"email": EMAIL, "password": PASSWORD});
    browser.post("/v1/auth/login", login).await.expect(204);
    secrets.of(&browser);
    browser.post("/v1/me/adopt", json!({})).await.expect(200);
    browser.post("/v1/auth/logout", json!({})).await.expect(204);

    unhex(&ann.account_id().replace('-', ""))
}

async fn nothing_of_a_removed_account_is_left(app: TestApp) {
    let ann = app.anonymous().await;
    for n in 0..20 {
        ann.save(&format!("Place {n}"), f64::from(n), 10.0).await;
    }
    let database = app.database();
    let mut traces = database.column("SELECT sealed FROM favourite WHERE sealed IS NOT NULL").await;
    traces.extend(database.column("SELECT data_key FROM account WHERE data_key IS NOT NULL").await);
    assert_eq!(traces.len(), 21);
    // Its random id alone stays, so that a backup does not bring it back.

    ann.post("/v1/auth/logout", json!({"discard": true})).await.expect(204);
    let left: Vec<Vec<u8>> = if database.is_sqlite() {
        // Once the write-ahead log is folded in, not even sealed and not in a free page.
        let checkpoint = database.column("PRAGMA wal_checkpoint(TRUNCATE)").await;
        assert_eq!(checkpoint, ["0"], "nobody stands in its way");
        files(app.data()).iter().map(|file| fs::read(file).unwrap()).collect()
    } else {
        // In no row. What is in files is for its own vacuum.
        let mut rows = Vec::new();
        for table in database.column("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").await {
            for row in database.column(&format!("SELECT one::text FROM {table} one")).await {
                rows.push(row.replace('-', "").into_bytes());
            }
        }
        rows
    };
    assert!(!left.is_empty());
    let sought = |trace: String| if database.is_sqlite() { unhex(&trace) } else { trace.into_bytes() };
    let found = traces.into_iter().map(sought).filter(|trace| left.iter().any(|one| contains(one, trace)));
    assert_eq!(found.count(), 0);
}

async fn a_data_folder_is_for_its_owner_alone(mut app: TestApp) {
    let folders = [app.data().to_owned(), app.data().join("keys")];
    let mode = |folder: &PathBuf| fs::metadata(folder).unwrap().permissions().mode() & 0o777;
    assert_eq!(folders.each_ref().map(mode)[1], 0o700);
    app.stop().await;
    fs::set_permissions(&folders[0], fs::Permissions::from_mode(0o755)).unwrap();
    app.resume().await;
    assert_eq!(folders.each_ref().map(mode), [0o700, 0o700]);
}
