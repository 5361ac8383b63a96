//! An OpenID provider over real HTTP that does everything right, until a story has it do one thing wrong.
//!
//! What a browser would do at its pages, [`IdentityProvider::authorize`] does: it takes the address that our server
//! made, lets a person in, and answers with the way back.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use axum::extract::{ConnectInfo, Form, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use domain::Timestamp;
use reqwest::Url;
use serde_json::{Value, json};

/// Our id and secret there.
pub const CLIENT: (&str, &str) = ("fairweather", "a secret of ours");

/// What goes wrong from now on.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Fault {
    #[default]
    None,
    /// These claims are put in place of the proper ones; null takes one out.
    Claims(Value),
    /// The same in the header of the token, before it is signed.
    Header(Value),
    /// `alg` is `none`, and there is no signature.
    Unsigned,
    /// HMAC with the public key, which everybody knows.
    SignedWithPublicKey,
    /// With a key of somebody else under our key's id, and an address where that could be found.
    ForeignKey,
    /// One letter of the claims is another than was signed.
    Altered,
    /// The token's address does this instead.
    Status(u16),
    Hanging,
    Huge,
    Redirect,
    Html,
    NoIdToken,
}

/// The server; it stops when dropped.
pub struct IdentityProvider {
    state: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

struct Key {
    id: String,
    pair: EcdsaKeyPair,
}

/// What a code stands for.
struct Authorized {
    nonce: String,
    challenge: String,
    redirect_uri: String,
    claims: Value,
}

struct Shared {
    address: SocketAddr,
    now: AtomicI64,
    fault: Mutex<Fault>,
    key: Mutex<Key>,
    codes: Mutex<HashMap<String, Authorized>>,
    codes_given: AtomicU64,
    key_fetches: AtomicU64,
    exchanges: AtomicU64,
    requests: AtomicUsize,
    connections: Mutex<HashSet<SocketAddr>>,
}

impl IdentityProvider {
    /// # Panics
    /// When the machine has no free port.
    pub async fn start(now: Timestamp) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let state = Arc::new(Shared {
            address: listener.local_addr().expect("a bound listener has an address"),
            now: AtomicI64::new(now.seconds()),
            fault: Mutex::default(),
            key: Mutex::new(new_key("one")),
            codes: Mutex::default(),
            codes_given: AtomicU64::new(0),
            key_fetches: AtomicU64::new(0),
            exchanges: AtomicU64::new(0),
            requests: AtomicUsize::new(0),
            connections: Mutex::default(),
        });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/jwks", get(jwks))
            .route("/token", post(token))
            .layer(from_fn_with_state(state.clone(), count))
            .with_state(state.clone())
            .into_make_service_with_connect_info::<SocketAddr>();
        let task = tokio::spawn(async move {
            // Serving ends with the task; there is nobody to tell.
            let _ = axum::serve(listener, router).await;
        });
        Self { state, task }
    }

    /// Its name of itself.
    pub fn issuer(&self) -> String {
        self.state.issuer()
    }

    pub fn set_now(&self, now: Timestamp) {
        self.state.now.store(now.seconds(), Ordering::SeqCst);
    }

    pub fn set_fault(&self, fault: Fault) {
        *held(&self.state.fault) = fault;
    }

    /// Signs with a new key from now on.
    pub fn rotate(&self, id: &str) {
        *held(&self.state.key) = new_key(id);
    }

    /// How often its keys were asked for.
    pub fn key_fetches(&self) -> u64 {
        self.state.key_fetches.load(Ordering::SeqCst)
    }

    /// How often somebody tried to exchange a code.
    pub fn exchanges(&self) -> u64 {
        self.state.exchanges.load(Ordering::SeqCst)
    }

    /// How many requests came, and over how many connections.
    pub fn traffic(&self) -> (usize, usize) {
        (self.state.requests.load(Ordering::SeqCst), held(&self.state.connections).len())
    }

    /// Lets somebody in who comes with this address, and answers the path and query of the way back.
    ///
    /// # Panics
    /// When the address is not one that a provider would take.
    pub fn authorize(&self, url: &str, subject: &str) -> String {
        self.authorize_as(url, json!({"sub": subject}))
    }

    /// The same with these claims about the person.
    ///
    /// # Panics
    /// When the address is not one that a provider would take.
    pub fn authorize_as(&self, url: &str, claims: Value) -> String {
        let url = Url::parse(url).expect("an address");
        let asked: HashMap<_, _> = url.query_pairs().into_owned().collect();
        let get =
            |name: &str| asked.get(name).unwrap_or_else(|| panic!("{name} is missing in {url}")).clone();
        assert!(url.as_str().starts_with(&format!("{}/authorize?", self.issuer())), "{url}");
        assert_eq!((get("response_type"), get("client_id")), ("code".into(), CLIENT.0.into()), "{url}");
        assert_eq!(get("code_challenge_method"), "S256", "{url}");
        let code = format!("code-{}", self.state.codes_given.fetch_add(1, Ordering::SeqCst));
        let redirect_uri = get("redirect_uri");
        let authorized = Authorized {
            nonce: get("nonce"),
            challenge: get("code_challenge"),
            redirect_uri: redirect_uri.clone(),
            claims,
        };
        held(&self.state.codes).insert(code.clone(), authorized);
        let mut back = Url::parse(&redirect_uri).expect("an address");
        let pairs = [("code", &*code), ("state", &get("state")), ("iss", &self.issuer())];
        back.query_pairs_mut().extend_pairs(pairs);
        format!("{}?{}", back.path(), back.query().unwrap_or_default())
    }

    /// An ID token as the system of a phone would hand it to an app.
    pub fn id_token(&self, nonce: &str, claims: &Value) -> String {
        self.state.id_token(nonce, claims, None)
    }
}

impl Drop for IdentityProvider {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn issuer(&self) -> String {
        format!("http://{}", self.address)
    }

    fn id_token(&self, nonce: &str, person: &Value, access_token: Option<&str>) -> String {
        let now = self.now.load(Ordering::SeqCst);
        let (fault, key) = (held(&self.fault).clone(), held(&self.key));
        let mut claims = json!({
            "iss": self.issuer(), "aud": CLIENT.0, "iat": now, "exp": now + 300, "nonce": nonce,
        });
        if let Some(token) = access_token {
            claims["at_hash"] = json!(encode(&digest(&SHA256, token.as_bytes()).as_ref()[..16]));
        }
        merge(&mut claims, person);
        let mut header = json!({"alg": "ES256", "kid": key.id, "typ": "JWT"});
        match &fault {
            Fault::Claims(change) => merge(&mut claims, change),
            Fault::Header(change) => merge(&mut header, change),
            Fault::Unsigned => header["alg"] = json!("none"),
            Fault::SignedWithPublicKey => header["alg"] = json!("HS256"),
            Fault::ForeignKey => header["jku"] = json!(format!("{}/jwks-of-eve", self.issuer())),
            _ => {}
        }
        let message = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        let sign = |pair: &EcdsaKeyPair| {
            pair.sign(&SystemRandom::new(), message.as_bytes()).expect("a signature").as_ref().to_vec()
        };
        let signature = match fault {
            Fault::Unsigned => Vec::new(),
            Fault::SignedWithPublicKey => {
                let secret = hmac::Key::new(hmac::HMAC_SHA256, key.pair.public_key().as_ref());
                hmac::sign(&secret, message.as_bytes()).as_ref().to_vec()
            }
            Fault::ForeignKey => sign(&new_key("eve").pair),
            _ => sign(&key.pair),
        };
        if fault == Fault::Altered {
            claims["sub"] = json!("somebody else");
            let message = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
            return format!("{message}.{}", encode(signature));
        }
        format!("{message}.{}", encode(signature))
    }
}

async fn count(
    State(state): State<Arc<Shared>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    state.requests.fetch_add(1, Ordering::SeqCst);
    held(&state.connections).insert(peer);
    next.run(request).await
}

async fn metadata(State(state): State<Arc<Shared>>) -> Json<Value> {
    let issuer = state.issuer();
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks"),
        "response_types_supported": ["code"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
    }))
}

async fn jwks(State(state): State<Arc<Shared>>) -> Json<Value> {
    state.key_fetches.fetch_add(1, Ordering::SeqCst);
    let key = held(&state.key);
    let (x, y) = key.pair.public_key().as_ref()[1..].split_at(32);
    let jwk =
        json!({"kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y), "kid": key.id, "use": "sig"});
    Json(json!({"keys": [jwk]}))
}

async fn token(
    State(state): State<Arc<Shared>>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    state.exchanges.fetch_add(1, Ordering::SeqCst);
    let fault = held(&state.fault).clone();
    match fault {
        Fault::Status(status) => {
            return StatusCode::from_u16(status).unwrap_or(StatusCode::IM_A_TEAPOT).into_response();
        }
        Fault::Hanging => {
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
        Fault::Huge => return "x".repeat(1024 * 1024).into_response(),
        Fault::Redirect => {
            return (StatusCode::FOUND, [(header::LOCATION, "http://169.254.169.254/")]).into_response();
        }
        Fault::Html => return axum::response::Html("<p>We will be back.</p>").into_response(),
        Fault::NoIdToken => {
            return Json(json!({"access_token": "a", "token_type": "Bearer"})).into_response();
        }
        _ => {}
    }
    let expected =
        format!("Basic {}", STANDARD.encode(format!("{}:{}", CLIENT.0, CLIENT.1.replace(' ', "+"))));
    if headers.get(header::AUTHORIZATION).is_none_or(|value| value != expected.as_str()) {
        return refused(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    let get = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    // Once, as the standard demands.
    let authorized = held(&state.codes).remove(get("code"));
    let challenge = encode(digest(&SHA256, get("code_verifier").as_bytes()).as_ref());
    let authorized = authorized.filter(|authorized| {
        authorized.challenge == challenge && authorized.redirect_uri == get("redirect_uri")
    });
    let Some(Authorized { nonce, claims, .. }) = authorized else {
        return refused(StatusCode::BAD_REQUEST, "invalid_grant");
    };
    let id_token = state.id_token(&nonce, &claims, Some("access"));
    Json(json!({"access_token": "access", "token_type": "Bearer", "id_token": id_token})).into_response()
}

fn refused(status: StatusCode, error: &str) -> Response {
    (status, Json(json!({"error": error}))).into_response()
}

fn new_key(id: &str) -> Key {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key can be made");
    Key { id: id.to_owned(), pair }
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Puts members in; null takes one out.
fn merge(into: &mut Value, change: &Value) {
    let (Some(into), Some(change)) = (into.as_object_mut(), change.as_object()) else { return };
    for (name, value) in change {
        if value.is_null() {
            into.remove(name);
        } else {
            into.insert(name.clone(), value.clone());
        }
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
