//! The web app, embedded in the binary. Hashed files are kept for ever, pages are asked for each time.

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use rust_embed::{EmbeddedFile, RustEmbed};

use crate::problem::Problem;

#[derive(RustEmbed)]
#[folder = "$FAIRWEATHER_WEB"]
struct Files;

/// Whether this build carries the web app and not only a notice.
pub const fn has_web_app() -> bool {
    matches!(env!("FAIRWEATHER_WEB_BUILT").as_bytes(), b"true")
}

const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
     connect-src 'self'; manifest-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'",
);
/// The API reference sets styles on its elements as it draws them.
const DOCS_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     font-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'",
);

/// For paths that are no endpoint: a file of the web app, or nothing.
pub async fn file(request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Problem::not_found().into_response();
    }
    let path = request.uri().path().trim_matches('/');
    let candidates = [path.to_owned(), format!("{path}/index.html"), format!("{path}.html")];
    let found = candidates.iter().find_map(|path| Files::get(path.trim_start_matches('/')));
    match found {
        Some(file) => serve(path, &file, request.headers()),
        None => Problem::not_found().into_response(),
    }
}

fn serve(path: &str, file: &EmbeddedFile, asked: &HeaderMap) -> Response {
    let tag: String = file.metadata.sha256_hash().iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    // Weak: the same tag stands for the compressed forms too.
    let tag = format!("W/\"{tag}\"");
    let mut headers = HeaderMap::new();
    let policy = if path.starts_with("docs") { DOCS_POLICY } else { POLICY };
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    let lasting =
        if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(lasting));
    if let Ok(tag) = HeaderValue::try_from(&tag) {
        headers.insert(header::ETAG, tag);
    }
    if is_known(asked, &tag) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    let kind = file.metadata.mimetype();
    let charset = if kind.starts_with("text/") { "; charset=utf-8" } else { "" };
    if let Ok(kind) = HeaderValue::try_from(format!("{kind}{charset}")) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    let body = match &file.data {
        std::borrow::Cow::Borrowed(bytes) => bytes::Bytes::from_static(bytes),
        std::borrow::Cow::Owned(bytes) => bytes::Bytes::copy_from_slice(bytes),
    };
    (headers, body).into_response()
}

/// Whether the browser has the file with this tag, by RFC 9110's weak comparison.
fn is_known(asked: &HeaderMap, tag: &str) -> bool {
    let opaque = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag).to_owned();
    let values = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = values.flat_map(|value| value.split(',')).map(str::trim);
    tags.any(|known| known == "*" || opaque(known) == opaque(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_file_is_known_in_every_spelling() {
        let asked = |value: &'static str| {
            HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_static(value))])
        };
        for known in [r#""a1""#, r#"W/"a1""#, r#""b2", W/"a1""#, "*"] {
            assert!(is_known(&asked(known), r#"W/"a1""#), "{known}");
        }
        for other in ["", r#""a1"#, r#""b2""#, "a1", r#"W/"b2", "a11""#] {
            assert!(!is_known(&asked(other), r#"W/"a1""#), "{other}");
        }
        assert!(!is_known(&HeaderMap::new(), r#"W/"a1""#));
    }
}
