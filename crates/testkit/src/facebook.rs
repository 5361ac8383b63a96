//! Facebook Login as its documentation describes it: the dialog, Graph with its proofs, and what it tells us later.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Timestamp;
use reqwest::Url;
use serde_json::{Value, json};

/// Our app there.
pub const APP: (&str, &str) = ("1234567890", "a secret of the app");

/// The server; it stops when dropped.
pub struct FakeFacebook {
    state: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

struct Code {
    user: String,
    redirect_uri: String,
    challenge: String,
}

struct Shared {
    address: SocketAddr,
    codes: Mutex<HashMap<String, Code>>,
    given: AtomicU64,
    /// Tokens that it gives belong to another app: what somebody could bring who runs one.
    is_of_another_app: AtomicBool,
}

impl FakeFacebook {
    /// # Panics
    /// When the machine has no free port.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let state = Arc::new(Shared {
            address: listener.local_addr().expect("a bound listener has an address"),
            codes: Mutex::default(),
            given: AtomicU64::new(0),
            is_of_another_app: AtomicBool::new(false),
        });
        let router = Router::new()
            .route("/v24.0/oauth/access_token", get(access_token))
            .route("/v24.0/debug_token", get(debug_token))
            .route("/v24.0/me", get(me))
            .with_state(state.clone());
        let task = tokio::spawn(async move {
            // Serving ends with the task; there is nobody to tell.
            let _ = axum::serve(listener, router).await;
        });
        Self { state, task }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.state.address)
    }

    /// From now on its tokens are of another app.
    pub fn give_tokens_of_another_app(&self) {
        self.state.is_of_another_app.store(true, Ordering::SeqCst);
    }

    /// Lets somebody in who comes with this address, and answers the path and query of the way back.
    ///
    /// # Panics
    /// When the address is not one that Facebook would take.
    pub fn authorize(&self, url: &str, user: &str) -> String {
        let url = Url::parse(url).expect("an address");
        let asked: HashMap<_, _> = url.query_pairs().into_owned().collect();
        let get =
            |name: &str| asked.get(name).unwrap_or_else(|| panic!("{name} is missing in {url}")).clone();
        assert_eq!((url.path(), get("client_id")), ("/v24.0/dialog/oauth", APP.0.into()), "{url}");
        let code = format!("code-{}", self.state.given.fetch_add(1, Ordering::SeqCst));
        let (redirect_uri, challenge) = (get("redirect_uri"), get("code_challenge"));
        let kept = Code { user: user.to_owned(), redirect_uri: redirect_uri.clone(), challenge };
        held(&self.state.codes).insert(code.clone(), kept);
        let mut back = Url::parse(&redirect_uri).expect("an address");
        back.query_pairs_mut().extend_pairs([("code", &*code), ("state", &get("state"))]);
        format!("{}?{}", back.path(), back.query().unwrap_or_default())
    }

    /// What it sends when somebody removes the app, or wants to be forgotten.
    pub fn signed_request(user: &str, at: Timestamp) -> String {
        let told = json!({"algorithm": "HMAC-SHA256", "issued_at": at.seconds(), "user_id": user});
        let payload = URL_SAFE_NO_PAD.encode(told.to_string());
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, APP.1.as_bytes()), payload.as_bytes());
        format!("{}.{payload}", URL_SAFE_NO_PAD.encode(tag))
    }
}

impl Drop for FakeFacebook {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Asked = Query<HashMap<String, String>>;

async fn access_token(State(state): State<Arc<Shared>>, Query(asked): Asked) -> Response {
    let get = |name: &str| asked.get(name).map(String::as_str).unwrap_or_default();
    let code = held(&state.codes).remove(get("code"));
    let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, get("code_verifier").as_bytes()));
    let code = code.filter(|code| code.redirect_uri == get("redirect_uri") && code.challenge == challenge);
    match code {
        Some(code) if (get("client_id"), get("client_secret")) == APP => {
            Json(json!({"access_token": format!("token-of-{}", code.user), "token_type": "bearer"}))
                .into_response()
        }
        _ => refused("This authorization code has been used."),
    }
}

async fn debug_token(State(state): State<Arc<Shared>>, Query(asked): Asked) -> Response {
    let get = |name: &str| asked.get(name).map(String::as_str).unwrap_or_default();
    if get("access_token") != format!("{}|{}", APP.0, APP.1) {
        return refused("Invalid OAuth access token.");
    }
    let Some(user) = get("input_token").strip_prefix("token-of-") else {
        return Json(json!({"data": {"is_valid": false, "app_id": "", "user_id": ""}})).into_response();
    };
    let app = if state.is_of_another_app.load(Ordering::SeqCst) { "999" } else { APP.0 };
    let data = json!({"app_id": app, "type": "USER", "is_valid": true, "user_id": user, "scopes": ["public_profile"]});
    Json(json!({ "data": data })).into_response()
}

async fn me(Query(asked): Asked) -> Response {
    let get = |name: &str| asked.get(name).map(String::as_str).unwrap_or_default();
    let token = get("access_token");
    let proof = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, APP.1.as_bytes()), token.as_bytes());
    let proof: String = proof.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    match token.strip_prefix("token-of-") {
        Some(user) if get("appsecret_proof") == proof => Json(json!({"id": user})).into_response(),
        _ => refused("Invalid appsecret_proof provided in the API argument"),
    }
}

fn refused(message: &str) -> Response {
    let body: Value = json!({"error": {"message": message, "type": "OAuthException", "code": 100}});
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
