//! What the server says of itself, and the pages it carries: sound, in step, and free of other people's hosts.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;
use testkit::TestApp;
use testkit::clients::Client;

testkit::stamp! {
    both: [
        the_document_is_openapi_3_1,
        the_binary_prints_the_document_that_is_served,
        every_documented_path_is_there,
        pages_bring_everything_themselves,
        a_page_that_is_there_is_not_sent_again,
        weather_codes_have_a_text_and_an_icon,
        a_contact_for_weaknesses_is_published,
    ]
}

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in METHODS {
            if let Some(operation) = item.get(method) {
                operations.push((method.to_owned(), path.clone(), operation.clone()));
            }
        }
    }
    operations
}

async fn the_document_is_openapi_3_1(app: TestApp) {
    let served = app.visitor().get("/openapi.json").await.expect(200);
    assert_eq!(served.header("content-type"), "application/json");
    let document = &served.json;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    assert!(document["info"]["title"].is_string() && document["info"]["version"].is_string());
    let operations = operations(document);
    assert!(operations.len() >= 25, "{}", operations.len());
    let mut ids = BTreeSet::new();
    for (method, path, operation) in &operations {
        let what = format!("{method} {path}");
        assert!(operation["summary"].is_string(), "{what} has no summary");
        assert!(ids.insert(operation["operationId"].to_string()), "{what} shares its id");
        assert!(!operation["responses"].as_object().unwrap().is_empty(), "{what} answers nothing");
        let declared: BTreeSet<&str> = operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|parameter| parameter["in"] == "path" && parameter["required"] == true)
            .filter_map(|parameter| parameter["name"].as_str())
            .collect();
        let named: BTreeSet<&str> =
            path.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect();
        assert_eq!(declared, named, "{what}");
    }
    let mut references = Vec::new();
    collect(document, &mut references);
    assert!(references.len() > 20);
    for reference in references {
        let pointer = reference.strip_prefix('#').expect("references stay inside the document");
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
    assert!(document["components"]["securitySchemes"]["bearer"].is_object());
}

fn collect(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            references.extend(fields.get("$ref").and_then(Value::as_str).map(String::from));
            fields.values().for_each(|field| collect(field, references));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        _ => {}
    }
}

async fn the_binary_prints_the_document_that_is_served(app: TestApp) {
    let served = app.visitor().get("/openapi.json").await.expect(200);
    let printed = Command::new(env!("CARGO_BIN_EXE_fairweather")).arg("openapi").output().unwrap();
    assert!(printed.status.success());
    assert!(printed.stderr.is_empty());
    assert_eq!(String::from_utf8(printed.stdout).unwrap(), String::from_utf8(served.bytes).unwrap());
}

async fn every_documented_path_is_there(app: TestApp) {
    let document = app.visitor().get("/openapi.json").await.expect(200).json;
    for (method, path, operation) in operations(&document) {
        let at = path.replace("{id}", "0199a2b4-7c00-7000-8000-000000000001");
        // Each is somebody new: one of these signs in.
        let answer = app.visitor().call(method.to_uppercase().parse().unwrap(), &at).await;
        assert_ne!(answer.status, 405, "{answer}");
        assert!(answer.status < 500, "{answer}");
        // Without `security` of its own an operation needs a credential, and says so before anything else.
        let public =
            operation["security"].as_array().is_some_and(|ways| ways.contains(&serde_json::json!({})));
        // Signing in and out is for those who are not signed in, too.
        if !path.starts_with("/v1/auth/") {
            assert_eq!(answer.status == 401, !public, "{answer}");
        }
    }
}

/// Files that a page names: in `src`, `href` of links to styles, scripts, icons and manifests.
fn named_files(html: &str) -> Vec<String> {
    let attributes = html.split('<').filter(|tag| {
        ["script", "link", "img", "source", "iframe", "object", "embed"]
            .iter()
            .any(|name| tag.starts_with(name))
    });
    let value = |tag: &str, name: &str| {
        let rest = tag.split_once(&format!("{name}=\""))?.1;
        rest.split_once('"').map(|(value, _)| value.to_owned())
    };
    attributes.filter_map(|tag| value(tag, "src").or_else(|| value(tag, "href"))).collect()
}

async fn pages_bring_everything_themselves(app: TestApp) {
    let visitor = app.visitor();
    if !api::has_web_app() {
        let notice = visitor.get("/").await.expect(200);
        assert!(notice.header("content-security-policy").contains("default-src 'none'"));
        return;
    }
    for page in ["/", "/docs", "/about/data", "/confirm"] {
        let answer = visitor.get(page).await.expect(200);
        assert!(answer.header("content-type").starts_with("text/html"), "{answer}");
        let policy = answer.header("content-security-policy");
        for rule in
            ["default-src 'none'", "script-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"]
        {
            assert!(policy.contains(rule), "{page}: {policy}");
        }
        assert!(
            !policy.contains("http") && !policy.contains('*') && !policy.contains("unsafe-eval"),
            "{policy}"
        );
        assert_eq!(policy.contains("unsafe-inline"), page == "/docs", "{page}: {policy}");
        assert!(!policy.contains("script-src 'self' 'unsafe"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        let html = String::from_utf8(answer.bytes).unwrap();
        assert!(!html.contains(" onclick=") && !html.contains("<script>"), "{page} has inline script");
        for file in named_files(&html) {
            loads(&visitor, page, &file).await;
        }
    }
}

/// The file is ours, is there, and names no other host to load something from.
async fn loads(visitor: &Client, page: &str, file: &str) {
    assert!(!file.contains("//"), "{page} loads {file} from elsewhere");
    if file.starts_with("data:") {
        return;
    }
    let path = if file.starts_with('/') { file.to_owned() } else { format!("{page}/{file}") };
    let answer = visitor.get(&path).await.expect(200);
    assert!(!answer.header("content-type").starts_with("text/html"), "{path} is a page");
    if path.contains("/assets/") {
        assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
    }
    let text = String::from_utf8_lossy(&answer.bytes);
    let loading = [
        "url(http",
        "url(\"http",
        "url('http",
        "url(//",
        "@import",
        "importScripts(\"http",
        "import(\"http",
        "from\"http",
        "fetch(\"http",
        "fetch(`http",
        "WebSocket(\"ws",
        "EventSource(\"http",
    ];
    for call in loading {
        assert!(!text.contains(call), "{path} has {call}");
    }
}

async fn a_page_that_is_there_is_not_sent_again(app: TestApp) {
    let visitor = app.visitor();
    let page = visitor.get("/").await.expect(200);
    let tag = page.header("etag");
    assert_eq!(page.header("cache-control"), "no-cache");
    let again = visitor.get("/").header("if-none-match", tag).await.expect(304);
    assert!(again.bytes.is_empty());
    visitor.get("/nothing-here").await.problem(404, "not_found");
    visitor.get("/v1/nothing-here").await.problem(404, "not_found");
    visitor.get("/../Cargo.toml").await.problem(404, "not_found");
    visitor.get("/%2e%2e/%2e%2e/etc/passwd").await.problem(404, "not_found");
}

async fn weather_codes_have_a_text_and_an_icon(app: TestApp) {
    let codes = app.visitor().get("/v1/weather-codes?lang=de").await.expect(200);
    assert_eq!(codes.header("cache-control"), "public, max-age=86400");
    let items = codes.json["items"].as_array().unwrap();
    let rain = items.iter().find(|item| item["code"] == 61).unwrap();
    assert_eq!(rain["icon"], "rain");
    let english = app.visitor().get("/v1/weather-codes?lang=xx").await.expect(200);
    assert_eq!(english.json["items"].as_array().unwrap().len(), items.len());
    let words = |item: &&Value| item["text"].as_str().is_some_and(|text| !text.is_empty());
    assert!(items.iter().all(|item| words(&item)) && items.len() >= 25);
    app.visitor().get("/v1/weather-codes?language=de").await.invalid("?language", "unknown_field");
}

async fn a_contact_for_weaknesses_is_published(mut app: TestApp) {
    app.visitor().get("/.well-known/security.txt").await.problem(404, "not_found");
    app.restart_with(|config| config.security_contact = Some(String::from("mailto:sec@example.org"))).await;
    let answer = app.visitor().get("/.well-known/security.txt").await.expect(200);
    assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    let text = String::from_utf8(answer.bytes).unwrap();
    assert!(text.starts_with("Contact: mailto:sec@example.org\nExpires: 2027-05-20T10:00:00Z\n"), "{text}");
    assert!(text.contains("/.well-known/security.txt\n"), "{text}");
}
