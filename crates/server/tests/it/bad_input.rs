//! What nobody should send: each is answered with a problem that says where and what, and changes nothing.

use serde_json::{Value, json};
use testkit::TestApp;
use testkit::clients::{Client, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::favourites::id;

testkit::stamp! {
    both: [
        values_that_do_not_fit_are_pointed_at,
        characters_that_deceive_are_refused,
        bodies_that_are_no_json_objects_are_refused,
        bodies_of_another_kind_or_size_are_refused,
        compressed_bodies_are_not_unpacked,
        unknown_methods_are_told_what_there_is,
        paths_of_nonsense_lead_nowhere,
        queries_of_nonsense_are_pointed_at,
        credentials_of_nonsense_open_nothing,
        broken_http_breaks_nothing,
        an_answer_before_the_end_of_a_body_is_heard,
        an_answer_to_a_body_without_end_closes_the_connection,
    ]
}

/// Every operation that takes a body, and whether it may be left out.
fn operations() -> Vec<(&'static str, String, bool)> {
    let favourite = format!("/v1/favourites/{}", id(1));
    let post = |path: &str, optional| ("POST", path.to_owned(), optional);
    vec![
        post("/v1/auth/anonymous", true),
        post("/v1/auth/register", false),
        post("/v1/auth/register/confirm", false),
        post("/v1/auth/login", false),
        post("/v1/auth/mfa", false),
        post("/v1/auth/passkeys/start", true),
        post("/v1/auth/passkeys/finish", false),
        post("/v1/auth/step-up", false),
        post("/v1/auth/refresh", false),
        post("/v1/auth/logout", true),
        post("/v1/auth/revoke", false),
        post("/v1/me/adopt", true),
        post("/v1/me/factors/totp/confirm", false),
        post("/v1/me/passkeys/finish", false),
        ("PUT", String::from("/v1/me/preferences"), false),
        post("/v1/favourites", false),
        ("PUT", favourite.clone(), false),
        ("PATCH", favourite, false),
        post("/v1/places/nearest", false),
        post("/v1/forecasts", false),
    ]
}

/// Ann with a favourite, and what she sees.
async fn ann(app: &TestApp) -> (Client, Vec<u8>) {
    let ann = app.anonymous().await;
    let body = json!({"name": "Cabin", "lat": 60.1, "lon": 9.2, "note": "x"});
    ann.put(&format!("/v1/favourites/{}", id(1)), body).await.expect(201);
    let list = ann.get("/v1/favourites").await.expect(200).bytes;
    (ann, list)
}

async fn assert_nothing_changed(ann: &Client, list: &[u8]) {
    let now = ann.get("/v1/favourites").await.expect(200);
    assert_eq!(now.bytes, list, "{now}");
}

/// A sound problem of the client's own making, whatever it is.
#[track_caller]
fn refused(answer: &Response) {
    let code = answer.json["code"].as_str().unwrap_or_else(|| panic!("no code in {answer}"));
    assert!((400..500).contains(&answer.status), "{answer}");
    drop(answer.clone().problem(answer.status, code));
}

async fn bodies_that_are_no_json_objects_are_refused(app: TestApp) {
    let (ann, list) = ann(&app).await;
    let deep = "[".repeat(60_000);
    let deep_objects = "{\"name\":".repeat(8_000);
    let no_json: Vec<Vec<u8>> = vec![
        b"{".to_vec(),
        b"{}x".to_vec(),
        b"{,}".to_vec(),
        b"{'name': 1}".to_vec(),
        b"{\"name\": NaN}".to_vec(),
        b"{\"name\": Infinity}".to_vec(),
        b"{\"name\": 1e999}".to_vec(),
        b"{\"name\": \"\xff\xfe\"}".to_vec(),
        b"{\"name\": \"\\ud800\"}".to_vec(),
        b"{\"name\": \"\n\"}".to_vec(),
        b"\xef\xbb\xbf{}".to_vec(),
        b"\0".to_vec(),
        b" ".to_vec(),
        deep.into_bytes(),
        deep_objects.into_bytes(),
    ];
    for (method, path, _) in operations() {
        let call = |body: Vec<u8>| ann.call(method.parse().unwrap(), &path).body("application/json", body);
        for body in &no_json {
            let answer = call(body.clone()).await;
            refused(&answer);
            // A field that is not known, or of the wrong type, may be noticed before the text turns out broken.
            assert!(
                matches!(answer.status, 400 | 422),
                "{}: {answer}",
                String::from_utf8_lossy(&body[..8.min(body.len())])
            );
        }
        for body in ["[]", "null", "true", "1", "\"{}\"", "[{}]", "[[]]", "[\"Cabin\"]"] {
            call(body.into()).await.invalid("", "wrong_type");
        }
        call(b"{\"colour\": 1}".to_vec()).await.invalid("/colour", "unknown_field");
        call(b"{\"__proto__\": {}}".to_vec()).await.invalid("/__proto__", "unknown_field");
        call(b"{\"a/b~c\": 1}".to_vec()).await.invalid("/a~1b~0c", "unknown_field");
    }
    assert_nothing_changed(&ann, &list).await;
}

async fn bodies_of_another_kind_or_size_are_refused(app: TestApp) {
    let (ann, list) = ann(&app).await;
    for (method, path, optional) in operations() {
        let call = || ann.call(method.parse().unwrap(), &path);
        for kind in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
            "application/jsonp",
            "",
        ] {
            let answer = call().body(kind, "{\"name\": \"x\"}").await;
            answer.problem(415, "unsupported_media_type");
        }
        if !optional {
            let empty = call().header("content-type", "application/json").await;
            empty.problem(400, "malformed_json");
        }
        let large = format!("{{{}}}", " ".repeat(64 * 1024));
        call().body("application/json", large).await.problem(413, "body_too_large");
        let deep = "[".repeat(100_000);
        call().body("application/json", deep).await.problem(413, "body_too_large");
    }
    let fits = format!("{{\"note\": \"y\"{}}}", " ".repeat(64 * 1024 - 13));
    assert_eq!(fits.len(), 64 * 1024);
    let patch = ann.call("PATCH".parse().unwrap(), &format!("/v1/favourites/{}", id(1)));
    patch.body("Application/JSON; charset=utf-8", fits).await.expect(200);
    ann.patch(&format!("/v1/favourites/{}", id(1)), json!({"note": "x"})).await.expect(200);
    assert_ne!(
        ann.get("/v1/favourites").await.bytes,
        list,
        "that was no bad input, and it changed something"
    );
}

async fn compressed_bodies_are_not_unpacked(app: TestApp) {
    let (ann, list) = ann(&app).await;
    let favourite = json!({"name": "Hut", "lat": 1, "lon": 1}).to_string();
    for (method, path, _) in operations() {
        for encoding in ["gzip", "br", "deflate", "zstd", "GZIP", "gzip, gzip", "identity, gzip", ""] {
            // Neither looked at nor unpacked, whatever it is.
            for body in [b"\x1f\x8b\x08\0\0\0\0\0\0\x03".as_slice(), favourite.as_bytes()] {
                let call = ann.call(method.parse().unwrap(), &path).body("application/json", body);
                call.header("content-encoding", encoding).await.problem(415, "unsupported_media_type");
            }
        }
    }
    let form = app.visitor().call("POST".parse().unwrap(), "/v1/auth/oauth/facebook/deletion");
    let form = form.body("application/x-www-form-urlencoded", "signed_request=x");
    form.header("content-encoding", "gzip").await.problem(415, "unsupported_media_type");
    assert_nothing_changed(&ann, &list).await;
    let plain = ann.post("/v1/favourites", json!({"name": "Hut", "lat": 1, "lon": 1}));
    plain.header("content-encoding", "identity").await.expect(201);
}

async fn values_that_do_not_fit_are_pointed_at(app: TestApp) {
    let (ann, list) = ann(&app).await;
    let long_name = "é".repeat(101);
    let long_note = "n".repeat(2001);
    let long_position = "a".repeat(65);
    let wrong = [
        ("name", json!(1), "wrong_type"),
        ("name", json!(["Cabin"]), "wrong_type"),
        ("name", json!(""), "empty"),
        ("name", json!(" \t "), "empty"),
        ("name", json!(long_name), "too_long"),
        ("note", json!(false), "wrong_type"),
        ("note", json!(long_note), "too_long"),
        ("lat", json!("60.1"), "wrong_type"),
        ("lat", json!(true), "wrong_type"),
        ("lat", json!(90.000_001), "out_of_range"),
        ("lat", json!(-91), "out_of_range"),
        ("lat", json!(1e308), "out_of_range"),
        ("lon", json!(180.5), "out_of_range"),
        ("lon", json!(-1e300), "out_of_range"),
        ("lon", json!({}), "wrong_type"),
        ("place_id", json!(1.5), "wrong_type"),
        ("place_id", json!("2267057"), "wrong_type"),
        ("place_id", json!(-1), "unknown"),
        ("place_id", json!(4_294_967_296_u64), "unknown"),
        ("elevation", json!(9001), "out_of_range"),
        ("elevation", json!(-501), "out_of_range"),
        ("elevation", json!(0.5), "wrong_type"),
        ("position", json!(""), "malformed"),
        ("position", json!("a b"), "malformed"),
        ("position", json!("é"), "malformed"),
        ("position", json!(long_position), "malformed"),
    ];
    let path = format!("/v1/favourites/{}", id(1));
    for (field, value, code) in wrong {
        let mut whole = json!({"name": "Hut", "lat": 1, "lon": 1});
        whole[field] = value.clone();
        let pointer = format!("/{field}");
        ann.post("/v1/favourites", whole.clone()).await.invalid(&pointer, code);
        ann.put(&path, whole).await.invalid(&pointer, code);
        ann.patch(&path, json!({field: value})).await.invalid(&pointer, code);
    }
    let zeros = ann.put(
        "/v1/favourites/00000000-0000-0000-0000-000000000000",
        json!({"name": "Hut", "lat": 1, "lon": 1}),
    );
    zeros.await.invalid("/id", "forbidden");
    // Numbers that no machine holds are out of range like others.
    for (text, pointer) in [
        (r#"{"name": "Hut", "lat": 9e999, "lon": 1}"#, "/lat"),
        (r#"{"name": "Hut", "lat": 1, "lon": -1e400}"#, "/lon"),
        (r#"{"place_id": 1e310}"#, "/place_id"),
    ] {
        let call = ann.call("POST".parse().unwrap(), "/v1/favourites").body("application/json", text);
        call.await.invalid(pointer, "out_of_range");
    }
    for (text, pointer) in [
        (r#"{"name": "Hut", "lat": 1, "lon": 1, "lat": 2}"#, "/lat"),
        (r#"{"name": "Hut", "name": "Hut", "lat": 1, "lon": 1}"#, "/name"),
    ] {
        for (method, path) in [("POST", "/v1/favourites"), ("PUT", path.as_str()), ("PATCH", path.as_str())] {
            let call = ann.call(method.parse().unwrap(), path).body("application/json", text);
            call.await.invalid(pointer, "duplicate");
        }
    }
    let points = json!({"points": [{"lat": 1, "lon": 1}, {"lat": 1, "lon": "x"}]});
    ann.post("/v1/forecasts", points).await.invalid("/points/1/lon", "wrong_type");
    ann.post("/v1/forecasts", json!({"points": {}})).await.invalid("/points", "wrong_type");
    ann.post("/v1/forecasts", json!({"points": [{"lat": 1, "lon": 1, "alt": 3}]}))
        .await
        .invalid("/points/0/alt", "unknown_field");
    ann.post("/v1/places/nearest", json!({"lat": "1", "lon": 1})).await.invalid("/lat", "wrong_type");
    ann.put("/v1/me/preferences", json!({"units": 1})).await.invalid("/units", "wrong_type");
    assert_nothing_changed(&ann, &list).await;
}

async fn characters_that_deceive_are_refused(app: TestApp) {
    let (ann, list) = ann(&app).await;
    let path = format!("/v1/favourites/{}", id(1));
    for bad in [
        "\u{0}",
        "\u{1b}[31m",
        "\u{7f}",
        "\u{85}",
        "\u{200b}",
        "\u{202e}",
        "\u{2066}",
        "\u{feff}",
        "\u{e0041}",
        "\u{ffff}",
        "\u{2028}",
        "\u{61c}",
    ] {
        for field in ["name", "note"] {
            let text = format!("Ca{bad}bin");
            ann.patch(&path, json!({field: text})).await.invalid(&format!("/{field}"), "forbidden_character");
        }
    }
    ann.patch(&path, json!({"name": "two\nlines"})).await.invalid("/name", "forbidden_character");
    assert_nothing_changed(&ann, &list).await;
    // What people really write stays as they wrote it.
    for good in ["👩‍👩‍👧", "नमस्ते", "می‌خواهم", "O'Brien; DROP TABLE favourite;--", "<b>bold</b>", "日本"]
    {
        assert_eq!(ann.patch(&path, json!({"name": good})).await.expect(200).json["name"], good);
    }
    let note = "first line\n\tsecond";
    assert_eq!(ann.patch(&path, json!({"note": note})).await.expect(200).json["note"], note);
}

async fn unknown_methods_are_told_what_there_is(app: TestApp) {
    let (ann, list) = ann(&app).await;
    let document = ann.get("/openapi.json").await.expect(200).json;
    let methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"];
    for (path, item) in document["paths"].as_object().unwrap() {
        let at = path.replace("{id}", &id(1));
        for method in methods {
            if item.get(method.to_lowercase()).is_some() {
                continue;
            }
            let answer = ann.call(method.parse().unwrap(), &at).await.problem(405, "method_not_allowed");
            let allowed: Vec<&str> = answer.header("allow").split(',').map(str::trim).collect();
            for there in methods.iter().filter(|method| item.get(method.to_lowercase()).is_some()) {
                assert!(allowed.contains(there), "{answer}");
            }
            assert!(!allowed.contains(&method), "{answer}");
        }
    }
    // HEAD is GET without the body.
    let head = ann.call("HEAD".parse().unwrap(), "/v1/favourites").await.expect(200);
    assert!(head.bytes.is_empty());
    let head = ann.call("HEAD".parse().unwrap(), "/v1/places/0").await.expect(404);
    assert!(head.bytes.is_empty());
    assert_nothing_changed(&ann, &list).await;
}

async fn paths_of_nonsense_lead_nowhere(app: TestApp) {
    let (ann, list) = ann(&app).await;
    let long = "a".repeat(5000);
    let ids = [
        "x",
        "0",
        "-1",
        "%00",
        "%ff%fe",
        "%2e%2e%2f",
        "..%2f..%2fetc%2fpasswd",
        "%",
        "%zz",
        "null",
        "undefined",
        "'%20OR%201=1",
        "0199a2b4-7c00-7000-8000-00000000000g",
        "0199a2b4-7c00-7000-8000-00000000000",
        long.as_str(),
        "0199a2b4-7c00-7000-8000-0000000000ff",
    ];
    for id in ids {
        for path in [
            format!("/v1/favourites/{id}"),
            format!("/v1/favourites/{id}/forecast"),
            format!("/v1/places/{id}/forecast"),
        ] {
            let answer = ann.get(&path).await;
            assert!(matches!(answer.status, 400 | 404), "{answer}");
            refused(&answer);
        }
        let answer = ann.delete(&format!("/v1/favourites/{id}")).await;
        assert!(matches!(answer.status, 400 | 404), "{answer}");
        let answer = ann.patch(&format!("/v1/favourites/{id}"), json!({"name": "x"})).await;
        assert!(matches!(answer.status, 400 | 404), "{answer}");
        refused(&answer);
    }
    for path in [
        "/v1",
        "/v1/",
        "/v2/favourites",
        "/v1/favourites/",
        "/v1//favourites",
        "/V1/favourites",
        "/.env",
        "/wp-login.php",
    ] {
        ann.get(path).await.problem(404, "not_found");
        ann.post(path, json!({})).await.problem(404, "not_found");
    }
    assert_nothing_changed(&ann, &list).await;
}

async fn queries_of_nonsense_are_pointed_at(app: TestApp) {
    let (ann, list) = ann(&app).await;
    for (query, pointer, code) in [
        ("hours=1&hours=2", "?hours", "duplicate"),
        ("hours=", "?hours", "wrong_type"),
        ("hours=1e1", "?hours", "wrong_type"),
        ("hours=99999999999999999999", "?hours", "wrong_type"),
        ("hours=%31%00", "?hours", "wrong_type"),
        ("units=METRIC", "?units", "unknown"),
        ("units=%F0%9F%8C%A6", "?units", "unknown"),
        ("Hours=1", "?Hours", "unknown_field"),
        ("hours[]=1", "?hours[]", "unknown_field"),
        ("=", "?", "unknown_field"),
    ] {
        ann.get(&format!("/v1/favourites/forecasts?{query}")).await.invalid(pointer, code);
    }
    let many = (0..500).map(|n| format!("x{n}=1")).collect::<Vec<_>>().join("&");
    ann.get(&format!("/v1/favourites?{many}")).await.invalid("?x0", "unknown_field");
    for fine in ["", "&", "&&hours=1&", "hours=%31"] {
        ann.get(&format!("/v1/favourites/forecasts?{fine}")).await.expect(200);
    }
    assert_nothing_changed(&ann, &list).await;
}

async fn credentials_of_nonsense_open_nothing(app: TestApp) {
    let long = format!("Bearer {}", "a".repeat(8000));
    for value in [
        "",
        "Bearer",
        "Bearer ",
        "Basic YTpi",
        "bearer x",
        "Bearer a.b.c",
        "Bearer ..",
        "Bearer \u{e9}",
        long.as_str(),
    ] {
        let answer = app.visitor().get("/v1/me").header("authorization", value).await;
        answer.problem(401, "invalid_token");
    }
    let alg_none = "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIwMTk5YTJiNCJ9.";
    app.visitor().get("/v1/favourites").header("authorization", alg_none).await.problem(401, "invalid_token");
}

/// Sends bytes as they are, and nothing more; reads what comes until the other side is done.
async fn raw(app: &TestApp, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(app.address()).await.unwrap();
    // The server may have hung up before it read everything; what it said counts.
    let _ = stream.write_all(bytes).await;
    let _ = stream.shutdown().await;
    heard(stream).await
}

/// The same from a client that may go on.
async fn sent(app: &TestApp, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(app.address()).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    heard(stream).await
}

async fn heard(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    let reading = stream.read_to_end(&mut answer);
    let _ =
        tokio::time::timeout(std::time::Duration::from_secs(15), reading).await.expect("the connection ends");
    String::from_utf8_lossy(&answer).into_owned()
}

async fn broken_http_breaks_nothing(app: TestApp) {
    let (ann, list) = ann(&app).await;
    let token = ann.access_token();
    let head = format!(
        "POST /v1/favourites HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n"
    );
    let body = r#"{"name":"Hut","lat":1,"lon":1}"#;
    let huge_header = format!("GET /v1/me HTTP/1.1\r\nhost: localhost\r\nx: {}\r\n\r\n", "a".repeat(600_000));
    let many_headers = format!("GET /v1/me HTTP/1.1\r\nhost: localhost\r\n{}\r\n", "x: 1\r\n".repeat(300));
    let huge_url = format!("GET /v1/places?q={} HTTP/1.1\r\nhost: localhost\r\n\r\n", "a".repeat(100_000));
    let cases: Vec<(String, &[u16])> = vec![
        (format!("{head}transfer-encoding: chunked\r\n\r\nZZ\r\n{body}\r\n0\r\n\r\n"), &[400]),
        (format!("{head}transfer-encoding: chunked\r\n\r\n-5\r\n{body}\r\n0\r\n\r\n"), &[400]),
        (format!("{head}transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n{body}"), &[400]),
        (format!("{head}transfer-encoding: chunked\r\n\r\n1e\r\n{}", &body[..10]), &[400, 0]),
        (format!("{head}content-length: 500\r\n\r\n{body}"), &[400, 0]),
        (format!("{head}content-length: -1\r\n\r\n{body}"), &[400]),
        (format!("{head}content-length: 30\r\ncontent-length: 31\r\n\r\n{body}"), &[400]),
        (format!("{head}transfer-encoding: gzip\r\n\r\n{body}"), &[400, 501]),
        (String::from("GARBAGE\r\n\r\n"), &[400, 0]),
        (String::from("GET / HTTP/9.9\r\n\r\n"), &[400, 0]),
        (String::from("\0\0\0\0\r\n\r\n"), &[400, 0]),
        (String::from("GET /v1/me HTTP/1.1\r\nhost: localhost\r\nbad header\r\n\r\n"), &[400]),
        (huge_header, &[431, 400, 0]),
        (many_headers, &[431, 401]),
        (huge_url, &[414, 422, 431, 400]),
    ];
    for (request, statuses) in cases {
        let answer = raw(&app, request.as_bytes()).await;
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        let shown: String = request.chars().skip(head.len().min(request.len() / 2)).take(60).collect();
        assert!(statuses.contains(&status), "{shown:?} was answered with {answer:?}");
    }
    assert_nothing_changed(&ann, &list).await;
    let metrics = ann.get("/metrics").await;
    assert_eq!(metrics.status, 200);
    assert_eq!(Value::Null, metrics.json);
}

/// The statuses of answers that came one behind the other.
fn statuses(answers: &str) -> Vec<&str> {
    answers.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect()
}

async fn an_answer_before_the_end_of_a_body_is_heard(app: TestApp) {
    let (ann, _) = ann(&app).await;
    let bearer = format!("authorization: Bearer {}\r\n", ann.access_token());
    let next = "GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    for (head, length, status) in [
        // Too large.
        ("POST /v1/favourites", 100_000, "413"),
        ("POST /v1/favourites", 200_000, "413"),
        // Answered unread.
        ("POST /v1/nothing", 100_000, "404"),
        ("TRACE /v1/favourites", 100_000, "405"),
    ] {
        let head =
            format!("{head} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n{bearer}");
        let body = " ".repeat(length);
        let counted = format!("{head}content-length: {length}\r\n\r\n{body}{next}");
        assert_eq!(statuses(&sent(&app, counted.as_bytes()).await), [status, "200"], "{head}");
        let chunked =
            format!("{head}transfer-encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n{next}");
        assert_eq!(statuses(&sent(&app, chunked.as_bytes()).await), [status, "200"], "{head}");
    }
}

async fn an_answer_to_a_body_without_end_closes_the_connection(app: TestApp) {
    let head = "POST /v1/favourites HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    for (rest, begun) in [
        // More than anybody is going to read.
        ("content-length: 50000000\r\n\r\n", ""),
        // What never comes.
        ("content-length: 5000\r\n\r\n", "{"),
        // A client that asks first is not told to go on.
        ("expect: 100-continue\r\ncontent-length: 5000\r\n\r\n", ""),
    ] {
        let answer = sent(&app, format!("{head}{rest}{begun}").as_bytes()).await;
        assert_eq!(statuses(&answer), ["401"], "{rest}");
        assert!(answer.contains("\r\nconnection: close\r\n"), "{rest}: {answer}");
    }
}
