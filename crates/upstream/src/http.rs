//! The one client for requests to other people's servers: bounded in time and memory, kept to public
//! addresses, never redirected. No other code makes an outbound request.

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use tokio::sync::OnceCell;

use crate::address::{AllowedHosts, Blocked, GuardedResolver, is_public};

/// So many connections to one host wait for a next request, at most.
const IDLE_PER_HOST: usize = 4;

/// How the client behaves towards every server.
#[derive(Clone, Debug)]
pub struct HttpSettings {
    /// Who we are and where we can be reached; several services refuse requests without it.
    pub user_agent: String,
    pub connect_timeout: Duration,
    /// From the start of a request to the last byte of its answer.
    pub timeout: Duration,
    /// How long a connection is kept for the next request; `None` gives every request one of its own. A server may
    /// close a kept one just as a request comes, and nobody can tell then whether it was read.
    pub keep_alive: Option<Duration>,
    pub allowed: AllowedHosts,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            user_agent: concat!("Fairweather/", env!("CARGO_PKG_VERSION")).into(),
            connect_timeout: Duration::from_secs(3),
            timeout: Duration::from_secs(10),
            // Well below the five seconds after which many servers (Node, Apache) close one.
            keep_alive: Some(Duration::from_secs(3)),
            allowed: AllowedHosts::none(),
        }
    }
}

/// A shared connection pool with the guards of this module. Cheap to clone, and to make: reading the system's
/// certificates takes longer than the rest of a start, so the first request does it.
#[derive(Clone)]
pub struct Http {
    client: Arc<OnceCell<reqwest::Client>>,
    settings: HttpSettings,
}

/// One request. The answer's body may have `max_body` bytes, counted after decompression.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: Method,
    pub url: Url,
    pub headers: Vec<(HeaderName, HeaderValue)>,
    pub body: Vec<u8>,
    pub max_body: usize,
}

/// A whole answer, whatever its status.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// Why there is no answer. No variant carries the URL: query strings hold coordinates and keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    #[error("the address may not be reached")]
    Blocked,
    #[error("no answer in time")]
    Timeout,
    #[error("no connection")]
    Unreachable,
    #[error("the answer is longer than it may be")]
    TooLarge,
    #[error("the answer breaks off or cannot be decompressed")]
    Broken,
}

impl Request {
    pub fn get(url: Url, max_body: usize) -> Self {
        Self { method: Method::GET, url, headers: Vec::new(), body: Vec::new(), max_body }
    }

    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}

impl Reply {
    /// A header's value when it is plain text.
    pub fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// `Retry-After` in seconds; the form with a date is not in use at the services we call.
    pub fn retry_after(&self) -> Option<Duration> {
        let seconds: u32 = self.header(reqwest::header::RETRY_AFTER)?.trim().parse().ok()?;
        Some(Duration::from_secs(seconds.into()))
    }
}

impl Http {
    pub fn new(settings: HttpSettings) -> Self {
        Self { client: Arc::default(), settings }
    }

    async fn client(&self) -> Result<&reqwest::Client, HttpError> {
        let make = async || {
            let settings = self.settings.clone();
            match tokio::task::spawn_blocking(move || client(&settings)).await {
                Ok(Ok(client)) => Ok(client),
                // Only when the TLS library cannot start or the user agent is not a header value.
                Ok(Err(error)) => {
                    tracing::error!(%error, "no outbound request can be made");
                    Err(HttpError::Unreachable)
                }
                Err(_) => Err(HttpError::Unreachable),
            }
        };
        self.client.get_or_try_init(make).await
    }

    /// Sends one request and reads the answer up to its limit. Redirects come back as they are.
    pub async fn send(&self, request: Request) -> Result<Reply, HttpError> {
        self.check(&request.url)?;
        let mut outgoing = self.client().await?.request(request.method, request.url).body(request.body);
        for (name, value) in request.headers {
            outgoing = outgoing.header(name, value);
        }
        let mut answer = outgoing.send().await.map_err(|error| cause(&error, HttpError::Unreachable))?;
        let mut body = Vec::new();
        // Chunks come decompressed and small, so a bomb is noticed after its first few pieces.
        while let Some(chunk) = answer.chunk().await.map_err(|error| cause(&error, HttpError::Broken))? {
            if body.len() + chunk.len() > request.max_body {
                return Err(HttpError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        let headers = std::mem::take(answer.headers_mut());
        Ok(Reply { status: answer.status().as_u16(), headers, body })
    }

    /// Addresses written into the URL never pass the resolver, so they are checked here.
    pub(crate) fn check(&self, url: &Url) -> Result<(), HttpError> {
        let host = url.host_str().ok_or(HttpError::Blocked)?;
        if self.settings.allowed.contains(host) {
            return if matches!(url.scheme(), "http" | "https") { Ok(()) } else { Err(HttpError::Blocked) };
        }
        let literal = host.trim_start_matches('[').trim_end_matches(']').parse();
        let inside = literal.is_ok_and(|address| !is_public(address));
        let named_login = !url.username().is_empty() || url.password().is_some();
        if inside || named_login || url.scheme() != "https" { Err(HttpError::Blocked) } else { Ok(()) }
    }
}

fn client(settings: &HttpSettings) -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .user_agent(&settings.user_agent)
        .connect_timeout(settings.connect_timeout)
        .timeout(settings.timeout)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .referer(false)
        .pool_idle_timeout(settings.keep_alive)
        .pool_max_idle_per_host(if settings.keep_alive.is_some() { IDLE_PER_HOST } else { 0 })
        .dns_resolver(GuardedResolver { allowed: settings.allowed.clone() })
        .build()
}

/// What lies behind the client's error, without its URL.
fn cause(error: &reqwest::Error, otherwise: HttpError) -> HttpError {
    let mut source = error.source();
    while let Some(inner) = source {
        if inner.is::<Blocked>() {
            return HttpError::Blocked;
        }
        source = inner.source();
    }
    if error.is_timeout() {
        HttpError::Timeout
    } else if error.is_connect() {
        HttpError::Unreachable
    } else {
        otherwise
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_read_in_seconds_only() {
        let reply = |value: &'static str| {
            let headers =
                [(reqwest::header::RETRY_AFTER, HeaderValue::from_static(value))].into_iter().collect();
            Reply { status: 429, headers, body: Vec::new() }.retry_after()
        };
        assert_eq!(reply(" 120 "), Some(Duration::from_secs(120)));
        for value in ["", "-1", "1.5", "99999999999", "Sat, 21 Nov 2026 10:00:00 GMT"] {
            assert_eq!(reply(value), None, "{value}");
        }
    }
}
