//! Clients of the API by role, over real HTTP. A failed assertion prints the whole answer.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde_json::{Value, json};

use crate::TestApp;
use crate::events::SOON;

/// Between two times that a patient client asks.
const AGAIN_AFTER: Duration = Duration::from_millis(20);

/// The password of everybody who does not say otherwise.
pub const PASSWORD: &str = "correct horse battery staple";

/// Somebody who calls the API. Clones share their credential, as two tabs or two tasks of one app do.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base_url: String,
    /// Sent with every request, before those of the request itself.
    headers: HeaderMap,
    kept: Arc<Mutex<Kept>>,
    /// Asks again what a proxy could not hand on.
    is_patient: bool,
}

/// What a client keeps from sign-in to sign-out.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    pub access_token: Option<String>,
    pub refresh_token: Option<String>,
    pub account_id: Option<String>,
    pub session_id: Option<String>,
    /// `name=value` of a browser's session.
    pub cookie: Option<String>,
    /// `name=value` by which a browser is known again that comes back from a provider.
    pub oauth_cookie: Option<String>,
    /// `name=value` by which a browser is known in which somebody signed in before.
    pub device_cookie: Option<String>,
    /// The same of others: it goes into the body of the next sign-in.
    pub device_token: Option<String>,
}

impl Client {
    /// Somebody without any credential at any server: a second node, or the binary itself.
    ///
    /// # Panics
    /// When no client can be made.
    pub fn at(base_url: impl Into<String>) -> Self {
        Self::new(http_client(), base_url.into())
    }

    pub(crate) fn new(http: reqwest::Client, base_url: String) -> Self {
        Self { http, base_url, headers: HeaderMap::new(), kept: Arc::default(), is_patient: false }
    }

    /// From now on asks again, for a while, what a proxy answers itself because it finds no node: reads always, and
    /// writes when they were not sent.
    #[must_use]
    pub fn patient(self) -> Self {
        Self { is_patient: true, ..self }
    }

    /// From now on as a page of ours in a browser asks.
    #[must_use]
    pub fn from_our_page(self) -> Self {
        self.with_header("x-fairweather-client", "web").with_header("sec-fetch-site", "same-origin")
    }

    /// Sends this header with every request.
    ///
    /// # Panics
    /// When HTTP does not allow the name or the value.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(header_name(name), header_value(value));
        self
    }

    /// Somebody else on the same way to the server: same headers, no credential.
    #[must_use]
    pub fn stranger(&self) -> Self {
        Self { kept: Arc::default(), ..self.clone() }
    }

    /// This client as it is now: what it keeps later is its own.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self { kept: Arc::new(Mutex::new(self.kept())), ..self.clone() }
    }

    /// Another client that holds this access token and nothing else.
    #[must_use]
    pub fn bearing(&self, access_token: &str) -> Self {
        let kept = Kept { access_token: Some(access_token.to_owned()), ..Kept::default() };
        Self { kept: Arc::new(Mutex::new(kept)), ..self.clone() }
    }

    /// A service that holds this API key.
    #[must_use]
    pub fn with_key(&self, secret: &str) -> Self {
        self.stranger().bearing(secret)
    }

    /// The same person's client at a server that was restarted, perhaps on another port.
    #[must_use]
    pub fn moved_to(&self, app: &TestApp) -> Self {
        Self { base_url: app.base_url(), ..self.clone() }
    }

    pub fn kept(&self) -> Kept {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes what the client keeps.
    pub fn keep(&self, change: impl FnOnce(&mut Kept)) {
        change(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// # Panics
    /// When the client has none.
    pub fn access_token(&self) -> String {
        self.kept().access_token.expect("this client has an access token")
    }

    /// # Panics
    /// When the client has none.
    pub fn refresh_token(&self) -> String {
        self.kept().refresh_token.expect("this client has a refresh token")
    }

    /// # Panics
    /// When the client was told none (one with a cookie asks `/v1/me`).
    pub fn account_id(&self) -> String {
        self.kept().account_id.expect("this client knows its account")
    }

    pub fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    pub fn post(&self, path: &str, body: Value) -> Call {
        self.call(Method::POST, path).json(&body)
    }

    pub fn put(&self, path: &str, body: Value) -> Call {
        self.call(Method::PUT, path).json(&body)
    }

    /// Follows a provider's redirect back to us, as a browser does: from another site, so that of our cookies the
    /// strict one stays behind.
    pub fn come_back(&self, path: &str) -> Call {
        let call = self.call(Method::GET, path).without("x-fairweather-client").without("authorization");
        let call = call.header("sec-fetch-site", "cross-site").header("sec-fetch-mode", "navigate");
        match self.kept().oauth_cookie {
            Some(cookie) => call.header("cookie", &cookie),
            None => call.without("cookie"),
        }
    }

    /// RFC 7396.
    pub fn patch(&self, path: &str, body: Value) -> Call {
        let call = self.call(Method::PATCH, path).json(&body);
        call.header("content-type", "application/merge-patch+json")
    }

    pub fn delete(&self, path: &str) -> Call {
        self.call(Method::DELETE, path)
    }

    /// Any request, with this client's headers and credential; await it to send it.
    pub fn call(&self, method: Method, path: &str) -> Call {
        let mut headers = self.headers.clone();
        let kept = self.kept();
        if let Some(token) = &kept.access_token {
            headers.insert(header::AUTHORIZATION, header_value(&format!("Bearer {token}")));
        }
        let cookies: Vec<String> = [kept.cookie, kept.device_cookie].into_iter().flatten().collect();
        if !cookies.is_empty() {
            headers.insert(header::COOKIE, header_value(&cookies.join("; ")));
        }
        Call { client: self.clone(), method, path: path.to_owned(), headers, body: Vec::new() }
    }

    /// Makes an anonymous account and keeps its credential.
    ///
    /// # Panics
    /// When that is refused.
    pub async fn start_anonymously(&mut self) -> Response {
        let answer = self.post("/v1/auth/anonymous", json!({})).await;
        assert!(matches!(answer.status, 201 | 204), "{answer}");
        answer
    }

    /// Asks for an account: what the client must keep until the code arrives.
    ///
    /// # Panics
    /// When that is refused.
    pub async fn register(&self, email: &str) -> String {
        let body = json!({"email": email, "password": PASSWORD});
        self.post("/v1/auth/register", body).await.expect(202).text("/registration")
    }

    /// Types the code.
    pub async fn confirm(&self, registration: &str, code: &str) -> Response {
        self.post("/v1/auth/register/confirm", json!({"registration": registration, "code": code})).await
    }

    /// Registers, reads the mail, confirms, and keeps the credential.
    ///
    /// # Panics
    /// When one of these is refused.
    pub async fn sign_up(&mut self, app: &TestApp, email: &str) -> Response {
        let registration = self.register(email).await;
        let answer = self.confirm(&registration, &app.code_for(email).await).await;
        assert!(matches!(answer.status, 201 | 204), "{answer}");
        answer
    }

    /// Signs in with [`PASSWORD`] and keeps the credential.
    ///
    /// # Panics
    /// When that is refused.
    pub async fn sign_in(&self, email: &str) -> Response {
        let answer = self.log_in(email, PASSWORD).await;
        assert!(matches!(answer.status, 200 | 204), "{answer}");
        answer
    }

    /// Tries to sign in; keeps the credential if there is one.
    pub async fn log_in(&self, email: &str, password: &str) -> Response {
        self.post("/v1/auth/login", json!({"email": email, "password": password})).await
    }

    /// Exchanges the refresh token and keeps the next pair.
    ///
    /// # Panics
    /// When that is refused.
    pub async fn refresh(&self) -> Response {
        self.present(&self.refresh_token()).await.expect(200)
    }

    /// Presents a refresh token, of this client or not; keeps the next pair if there is one.
    pub async fn present(&self, refresh_token: &str) -> Response {
        self.post("/v1/auth/refresh", json!({"refresh_token": refresh_token})).await
    }

    /// Saves a place by its coordinates and answers its id.
    ///
    /// # Panics
    /// When that is refused.
    pub async fn save(&self, name: &str, lat: f64, lon: f64) -> String {
        let body = json!({"name": name, "lat": lat, "lon": lon});
        self.post("/v1/favourites", body).await.expect(201).text("/id")
    }

    /// Names of the favourites, in their order.
    ///
    /// # Panics
    /// When they cannot be listed.
    pub async fn favourites(&self) -> Vec<String> {
        let list = self.get("/v1/favourites").await.expect(200);
        let items = list.json["items"].as_array().cloned().unwrap_or_default();
        items.iter().filter_map(|item| item["name"].as_str().map(String::from)).collect()
    }

    fn learn(&self, answer: &Response) {
        let text = |name: &str| answer.json[name].as_str().map(String::from);
        self.keep(|kept| {
            if answer.json["token_type"] == "Bearer" {
                kept.access_token = text("access_token");
                kept.refresh_token = text("refresh_token");
                kept.account_id = text("account_id");
                kept.session_id = text("session_id");
                kept.device_token = text("device_token").or(kept.device_token.take());
            }
            for line in answer.headers.get_all(header::SET_COOKIE) {
                let line = line.to_str().unwrap_or_default();
                let pair = line.split(';').next().unwrap_or_default().to_owned();
                let ended = pair.ends_with('=') || line.to_ascii_lowercase().contains("max-age=0");
                let value = if ended { None } else { Some(pair) };
                if line.starts_with("oauth=") || line.starts_with("__Host-oauth=") {
                    kept.oauth_cookie = value;
                } else if line.starts_with("device=") || line.starts_with("__Host-device=") {
                    kept.device_cookie = value;
                } else {
                    kept.cookie = value;
                }
            }
        });
    }
}

/// A request that is sent when it is awaited.
#[derive(Clone)]
#[must_use = "await it to send it"]
pub struct Call {
    client: Client,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Call {
    /// Sets a header, in place of the client's own.
    ///
    /// # Panics
    /// When HTTP does not allow the name or the value.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(header_name(name), header_value(value));
        self
    }

    /// Leaves a header of the client out.
    ///
    /// # Panics
    /// When HTTP does not allow the name.
    pub fn without(mut self, name: &str) -> Self {
        self.headers.remove(header_name(name));
        self
    }

    /// A JSON body.
    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// A body of any kind.
    pub fn body(self, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self.header("content-type", kind) }
    }

    /// Where the request goes, and its headers: for what does not end with an answer.
    pub(crate) fn into_parts(self) -> (String, String, HeaderMap) {
        (self.client.base_url, self.path, self.headers)
    }

    /// Sends it and reads the answer's head.
    pub(crate) async fn begin(self) -> (Client, String, reqwest::Response) {
        let (what, begun) = (self.what(), Instant::now());
        loop {
            let begin = self.clone().try_begin().await;
            let (client, what, answer) = begin.unwrap_or_else(|error| panic!("{what}: {error:?}"));
            if !self.is_asked_again(answer.status().as_u16(), answer.headers(), begun) {
                return (client, what, answer);
            }
            tokio::time::sleep(AGAIN_AFTER).await;
        }
    }

    async fn try_begin(self) -> Result<(Client, String, reqwest::Response), reqwest::Error> {
        let what = self.what();
        let Self { client, method, path, headers, body } = self;
        let request = client.http.request(method, format!("{}{path}", client.base_url)).headers(headers);
        // A request without a body says nothing of its length.
        let request = if body.is_empty() { request } else { request.body(body) };
        let answer = request.send().await?;
        Ok((client, what, answer))
    }

    /// The answer, or why there is none: the server may be killed in the middle of it.
    ///
    /// # Errors
    /// When the connection fails or breaks off.
    pub async fn attempt(self) -> Result<Response, reqwest::Error> {
        let (client, what, answer) = self.try_begin().await?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let bytes = answer.bytes().await?.to_vec();
        let json = serde_json::from_slice(&bytes).unwrap_or_default();
        let answer = Response { request: what, status, headers, json, bytes };
        client.learn(&answer);
        Ok(answer)
    }

    async fn send(self) -> Response {
        let (what, begun) = (self.what(), Instant::now());
        loop {
            let answer = self.clone().attempt().await;
            let answer = answer.unwrap_or_else(|error| panic!("{what}: {error:?}"));
            if !self.is_asked_again(answer.status, &answer.headers, begun) {
                return answer;
            }
            tokio::time::sleep(AGAIN_AFTER).await;
        }
    }

    /// Whether a proxy answered itself, and nothing can have been done that must not be done twice.
    fn is_asked_again(&self, status: u16, headers: &HeaderMap, begun: Instant) -> bool {
        let is_read = self.method == Method::GET;
        let is_unsent = status == 503 || (is_read && matches!(status, 502 | 504));
        let is_ours =
            headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/problem+json");
        self.client.is_patient && is_unsent && !is_ours && begun.elapsed() < SOON
    }

    /// What is asked, for messages.
    fn what(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

impl IntoFuture for Call {
    type Output = Response;
    type IntoFuture = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

/// An answer, whole.
#[derive(Clone, Debug)]
pub struct Response {
    /// What was asked, for messages.
    pub request: String,
    pub status: u16,
    pub headers: HeaderMap,
    /// The body; null when it is no JSON.
    pub json: Value,
    pub bytes: Vec<u8>,
}

impl Response {
    /// # Panics
    /// When the status is another.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self}");
        self
    }

    /// # Panics
    /// When this is no sound problem with this status and code.
    #[track_caller]
    pub fn problem(self, status: u16, code: &str) -> Self {
        assert_eq!(self.status, status, "{self}");
        assert_eq!(self.header("content-type"), "application/problem+json", "{self}");
        assert_eq!(self.json["code"], code, "{self}");
        assert_eq!(self.json["status"], status, "{self}");
        let kind = self.json["type"].as_str().unwrap_or_default();
        assert!(kind.ends_with(&format!("/problems/{}", code.replace('_', "-"))), "{self}");
        assert!(self.json["title"].is_string() && self.json["detail"].is_string(), "{self}");
        assert_eq!(self.json["instance"], self.header("x-request-id"), "{self}");
        if status == 401 {
            assert!(self.header("www-authenticate").starts_with("Bearer"), "{self}");
        }
        if status == 429 {
            assert!(self.header("retry-after").parse::<u64>().is_ok_and(|s| s >= 1), "{self}");
        }
        self
    }

    /// # Panics
    /// When this is no problem of a field: 422 `invalid_request` with this pointer and this code.
    #[track_caller]
    pub fn invalid(self, pointer: &str, code: &str) -> Self {
        let answer = self.problem(422, "invalid_request");
        let fits = |error: &Value| error["pointer"] == pointer && error["code"] == code;
        let errors = answer.json["errors"].as_array().cloned().unwrap_or_default();
        assert!(errors.iter().any(fits), "no {code} at {pointer} in {answer}");
        answer
    }

    /// A header's value; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// # Panics
    /// When there is no text at the JSON pointer.
    #[track_caller]
    pub fn text(&self, pointer: &str) -> String {
        let text = self.json.pointer(pointer).and_then(Value::as_str);
        text.unwrap_or_else(|| panic!("no text at {pointer} in {self}")).to_owned()
    }
}

impl std::fmt::Display for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} answered {}", self.request, self.status)?;
        for (name, value) in &self.headers {
            write!(f, "\n  {name}: {}", value.to_str().unwrap_or("?"))?;
        }
        let body = String::from_utf8_lossy(&self.bytes);
        write!(f, "\n{}", body.chars().take(4000).collect::<String>())
    }
}

/// Follows no redirects, so that a story sees them, and uses no proxy of the machine.
pub(crate) fn http_client() -> reqwest::Client {
    let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
    builder.build().expect("a client")
}

fn header_name(name: &str) -> HeaderName {
    HeaderName::try_from(name).expect("a header's name")
}

fn header_value(value: &str) -> HeaderValue {
    HeaderValue::try_from(value).expect("a header's value")
}
