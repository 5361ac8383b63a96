//! Sending webhooks to addresses that somebody gave us: through the guarded client, and looking at nothing of the
//! answer but its status.

use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Method, Url};

use crate::http::{Http, HttpError, Request};

/// Of the answer's body nothing is used; a receiver that sends more than this is cut off.
const MOST_ANSWER: usize = 64 * 1024;
/// Longest address.
const LONGEST: usize = 2048;

/// Sends to receivers.
#[derive(Clone)]
pub struct Receiver {
    http: Http,
}

/// One event as it goes out.
#[derive(Clone)]
pub struct Message {
    pub url: String,
    /// The same however often it is sent.
    pub id: String,
    /// Unix seconds of this try.
    pub timestamp: i64,
    pub signature: String,
    pub body: Vec<u8>,
}

/// How a try ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Status(u16),
    Fault(HttpError),
}

impl Answer {
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Status(200..=299))
    }

    /// The receiver wants nothing any more.
    pub const fn is_gone(self) -> bool {
        matches!(self, Self::Status(410))
    }

    pub const fn status(self) -> Option<u16> {
        match self {
            Self::Status(status) => Some(status),
            Self::Fault(_) => None,
        }
    }

    /// A word for what went wrong.
    pub const fn fault(self) -> &'static str {
        match self {
            Self::Status(300..=399) => "redirect",
            Self::Status(_) => "status",
            Self::Fault(HttpError::Blocked) => "blocked",
            Self::Fault(HttpError::Timeout) => "timeout",
            Self::Fault(HttpError::Unreachable) => "unreachable",
            Self::Fault(HttpError::TooLarge) => "too_large",
            Self::Fault(HttpError::Broken) => "broken",
        }
    }
}

impl Receiver {
    pub fn new(http: Http) -> Self {
        Self { http }
    }

    /// The address as it will be used, or `None` when it may not be: names are looked at again each time they are
    /// resolved.
    pub fn accept(&self, url: &str) -> Option<String> {
        if url.len() > LONGEST {
            return None;
        }
        let mut url = Url::parse(url).ok()?;
        url.set_fragment(None);
        self.http.check(&url).ok()?;
        Some(url.into())
    }

    /// One try.
    pub async fn send(&self, message: Message) -> Answer {
        match self.post(message).await {
            Ok(status) => Answer::Status(status),
            Err(fault) => Answer::Fault(fault),
        }
    }

    async fn post(&self, message: Message) -> Result<u16, HttpError> {
        let Message { url, id, timestamp, signature, body } = message;
        let url = Url::parse(&url).map_err(|_| HttpError::Blocked)?;
        let value = |text: String| HeaderValue::try_from(text).map_err(|_| HttpError::Broken);
        let headers = vec![
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (HeaderName::from_static("webhook-id"), value(id)?),
            (HeaderName::from_static("webhook-timestamp"), HeaderValue::from(timestamp)),
            (HeaderName::from_static("webhook-signature"), value(signature)?),
        ];
        let request = Request { method: Method::POST, url, headers, body, max_body: MOST_ANSWER };
        Ok(self.http.send(request).await?.status)
    }
}
