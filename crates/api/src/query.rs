//! Query strings and path parameters, with the same problems as bodies.

use axum::extract::{FromRequestParts, Path};
use domain::Invalid;
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// A parsed query string; unknown names are refused.
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let parsed = axum::extract::Query::<T>::from_request_parts(parts, state).await;
        parsed.map(|query| Self(query.0)).map_err(|rejection| {
            let text = rejection.body_text();
            let text = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
            // `name: what is wrong`, or `unknown field …` without a name before it.
            let (name, detail) = match text.split_once(": ") {
                Some((name, detail)) if !name.contains(' ') => (name.to_owned(), detail.to_owned()),
                _ => (text.split('`').nth(1).unwrap_or_default().to_owned(), text.to_owned()),
            };
            let code = if detail.starts_with("unknown field") {
                "unknown_field"
            } else if detail.starts_with("missing field") {
                "required"
            } else if detail.starts_with("duplicate field") {
                "duplicate"
            } else {
                "wrong_type"
            };
            Problem::from(domain::Error::from(Invalid::new(format!("?{name}"), code, detail)))
        })
    }
}

/// The one parameter of a path. What does not parse names nothing that exists: 404.
pub struct Id<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Id<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(id)) => Ok(Self(id)),
            Err(_) => Err(Problem::not_found()),
        }
    }
}
