//! Errors as RFC 9457 problems: one exhaustive table from [`domain::Error`] to what a client sees.

use std::borrow::Cow;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use domain::cursor::Reset;
use domain::session::{Proof, Proofs};
use domain::{Error, Invalid};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

use crate::rest::favourites::FavouriteBody;

/// Where the types of problems are described.
const TYPES: &str = "https://fairweather.dev/problems/";

/// An answer that is not what was asked for. Its body is written by [`crate::layers::problems`], which knows
/// the request's id.
#[derive(Clone, Debug)]
pub struct Problem {
    pub status: StatusCode,
    pub code: &'static str,
    pub title: &'static str,
    pub detail: Cow<'static, str>,
    pub errors: Vec<Invalid>,
    pub retry_after: Option<Duration>,
    /// What is there instead, when a condition did not hold.
    pub current: Option<Box<FavouriteBody>>,
    /// Why a cursor cannot be continued from.
    pub reset: Option<Reset>,
    /// What the caller can prove themselves with again.
    pub accepts: Option<Proofs>,
}

/// Where a client finds everything when the changes cannot be told.
pub const SNAPSHOT: &str = "/v1/favourites";

/// The body of a problem (`application/problem+json`).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// Stable; ends in the code with dashes.
    #[serde(rename = "type")]
    #[schema(example = "https://fairweather.dev/problems/invalid-request")]
    pub kind: String,
    #[schema(example = "The request does not fit")]
    pub title: &'static str,
    #[schema(example = 422)]
    pub status: u16,
    /// Stable; what a program should look at.
    #[schema(example = "invalid_request")]
    pub code: &'static str,
    pub detail: String,
    /// The request's id, also in the header `X-Request-Id`.
    #[schema(example = "req_5af3107a4000c3d1")]
    pub instance: String,
    /// Each wrong field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
    /// The favourite as it is, with status 412.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub current: Option<Box<FavouriteBody>>,
    /// Why the cursor cannot be continued from, with status 410: `expired`, `era`, `ahead` or `malformed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "expired")]
    pub reason: Option<&'static str>,
    /// What to read instead, with status 410.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "/v1/favourites")]
    pub snapshot: Option<&'static str>,
    /// What to send to `/v1/auth/step-up`, with code `insufficient_user_authentication`: any one of these. Empty
    /// where none of them would do: sign in anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = json!(["password", "totp"]))]
    pub accepts: Option<Vec<&'static str>>,
}

/// One wrong field.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldProblem {
    /// JSON pointer into the body, `?name` for a query parameter, or a header's name.
    #[schema(example = "/lat")]
    pub pointer: String,
    #[schema(example = "out_of_range")]
    pub code: &'static str,
    #[schema(example = "must be between -90 and 90")]
    pub detail: String,
}

impl From<Invalid> for FieldProblem {
    fn from(Invalid { pointer, code, detail }: Invalid) -> Self {
        Self { pointer: pointer.into_owned(), code, detail: detail.into_owned() }
    }
}

impl Problem {
    pub fn new(
        status: StatusCode,
        code: &'static str,
        title: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            code,
            title,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after: None,
            current: None,
            reset: None,
            accepts: None,
        }
    }

    /// The changes since a cursor cannot be told.
    pub fn reset(reset: Reset) -> Self {
        let problem = Self::new(
            StatusCode::GONE,
            "cursor_expired",
            "The changes since this cursor cannot be told",
            "take the snapshot, keep what was not sent yet, and go on from the snapshot's cursor",
        );
        Self { reset: Some(reset), ..problem }
    }

    pub fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "Not found",
            "there is nothing here, or it is not yours",
        )
    }

    pub fn body(self, instance: &str) -> ProblemBody {
        ProblemBody {
            kind: format!("{TYPES}{}", self.code.replace('_', "-")),
            title: self.title,
            status: self.status.as_u16(),
            code: self.code,
            detail: self.detail.into_owned(),
            instance: instance.to_owned(),
            errors: self.errors.into_iter().map(FieldProblem::from).collect(),
            current: self.current,
            reason: self.reset.map(Reset::as_str),
            snapshot: self.reset.map(|_| SNAPSHOT),
            accepts: self.accepts.map(|accepts| accepts.iter().map(Proof::word).collect()),
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid(errors) => {
                let detail = match errors.as_slice() {
                    [only] if only.pointer.is_empty() => only.detail.clone().into_owned(),
                    [only] => format!("{}: {}", only.pointer, only.detail),
                    many => format!("{} fields do not fit; see errors", many.len()),
                };
                let problem = Self::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "invalid_request",
                    "The request does not fit",
                    detail,
                );
                Self { errors, ..problem }
            }
            Error::NotFound => Self::not_found(),
            Error::Conflict { code, detail } => {
                Self::new(StatusCode::CONFLICT, code, "The present state does not allow this", detail)
            }
            Error::Precondition => Self::new(
                StatusCode::PRECONDITION_FAILED,
                "precondition_failed",
                "The condition does not hold",
                "it was changed meanwhile; look at current and try again",
            ),
            Error::Unauthenticated { code, detail } => {
                Self::new(StatusCode::UNAUTHORIZED, code, "Sign in first", detail)
            }
            Error::StepUp { accepts } => {
                let problem = Self::new(
                    StatusCode::UNAUTHORIZED,
                    "insufficient_user_authentication",
                    "Show again that it is you",
                    "this needs a proof of identity from the last five minutes; \
                     send one to /v1/auth/step-up and repeat the request",
                );
                Self { accepts: Some(accepts), ..problem }
            }
            Error::Forbidden { code, detail } => {
                Self::new(StatusCode::FORBIDDEN, code, "This is not allowed", detail)
            }
            Error::Limited { code, detail, retry_after } => {
                let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, code, "Too many requests", detail);
                Self { retry_after: Some(retry_after), ..problem }
            }
            // The cause is no business of a client.
            Error::Unavailable { code, detail, retry_after, cause: _ } => {
                let title = "Not available just now";
                let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, code, title, detail);
                Self { retry_after: Some(retry_after), ..problem }
            }
            Error::Internal(text) => {
                tracing::error!(error = text, "a request failed");
                Self::internal()
            }
        }
    }
}

impl Problem {
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Something broke on our side",
            "this was noted; try again, and give the request's id if you report it",
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        let headers = response.headers_mut();
        if let Some(retry_after) = self.retry_after {
            // Rounded up: a client that comes back on the second must not be too early.
            let seconds = retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = match self.code {
                "insufficient_user_authentication" => {
                    r#"Bearer error="insufficient_user_authentication", max_age=300"#
                }
                "credential_required" => "Bearer",
                _ => r#"Bearer error="invalid_token""#,
            };
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        response.extensions_mut().insert(self);
        response
    }
}
