//! The faces of the API over `app`: REST, problems, OpenAPI, the embedded web app. No rules, no SQL.

use std::sync::Arc;
use std::time::Duration;

use app::App;
use domain::cookie::SessionCookie;
use http::{HeaderMap, HeaderValue, header};

mod authentication;
pub mod client;
mod cors;
mod draining;
mod edge;
mod json;
mod layers;
mod openapi;
#[doc(hidden)]
pub mod parsers;
mod problem;
mod query;
mod rest;
mod router;
mod web;

pub use client::{Peer, TrustedProxies};
pub use cors::AllowedOrigins;
pub use draining::Draining;
pub use edge::Edge;
pub use openapi::openapi_json;
pub use router::Routes;
pub use web::has_web_app;

/// What the API needs to know of its installation.
#[derive(Clone, Debug)]
pub struct ApiSettings {
    pub cookie: SessionCookie,
    /// Scheme, host and port of our own pages; `None` in development, where it follows the `Host` header.
    pub origin: Option<String>,
    /// Front ends elsewhere that may call with bearer tokens.
    pub cors_origins: AllowedOrigins,
    pub trusted_proxies: TrustedProxies,
    /// A development server answers only to names of this machine (DNS rebinding).
    pub loopback_only: bool,
    /// The longest time to an answer's head.
    pub answer_within: Duration,
    /// Told when the server is about to stop.
    pub draining: Draining,
    /// Where weaknesses are told: `/.well-known/security.txt` is there when somebody said so.
    pub security_contact: Option<String>,
    /// Text of the metrics, made when they are asked for.
    pub metrics: fn() -> String,
}

/// State of every handler.
#[derive(Clone)]
pub struct Api(Arc<Shared>);

pub struct Shared {
    app: App,
    settings: ApiSettings,
    rate_limit_policy: HeaderValue,
}

impl std::ops::Deref for Api {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Api {
    pub fn new(app: App, settings: ApiSettings) -> Self {
        let rate = app.settings().limits.account;
        let window = (f64::from(rate.burst) / rate.per_second.max(0.001)).ceil();
        let policy = format!("\"account\";q={};w={window:.0}", rate.burst);
        let rate_limit_policy =
            HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("\"account\""));
        Self(Arc::new(Shared { app, settings, rate_limit_policy }))
    }

    /// Whether the browser says that one of our own pages made the request.
    fn is_same_origin(&self, headers: &HeaderMap) -> bool {
        if let Some(site) = headers.get("sec-fetch-site") {
            return site == "same-origin";
        }
        self.is_own_origin(headers)
    }

    /// Whether the page that made the request is of our own origin. A browser says the origin of whoever opens a
    /// WebSocket, and of its site not always.
    fn is_own_origin(&self, headers: &HeaderMap) -> bool {
        let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        match (text(header::ORIGIN), &self.settings.origin) {
            (Some(origin), Some(own)) => origin == own,
            (Some(origin), None) => {
                text(header::HOST).is_some_and(|host| origin.strip_prefix("http://") == Some(host))
            }
            (None, _) => false,
        }
    }
}
