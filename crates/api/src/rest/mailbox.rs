//! `/dev/mailbox`: what a development server would have mailed, for whoever holds the printed token.

use axum::extract::State;
use axum::response::{Html, IntoResponse, Response};
use http::{HeaderValue, header};
use serde::Deserialize;

use crate::Api;
use crate::problem::Problem;
use crate::query::Query;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailboxQuery {
    #[serde(default)]
    token: String,
}

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:3rem auto;padding:0 1rem;\
color:#1d2733;background:#f6f8fb}article{background:#fff;border-radius:.75rem;padding:1rem 1.25rem;margin:1rem 0;\
box-shadow:0 1px 3px #0002}h1{font-size:1.4rem}h2{font-size:1.05rem;margin:0}p{color:#5a6876;margin:.25rem 0}\
pre{white-space:pre-wrap;font:inherit}@media(prefers-color-scheme:dark){body{color:#e6ecf2;background:#10161d}\
article{background:#1a232d}p{color:#9aa8b6}a{color:#8cc4ff}}";

/// The newest mails, as a page.
pub async fn page(State(api): State<Api>, Query(query): Query<MailboxQuery>) -> Result<Response, Problem> {
    let mails = api.app.mailbox(&query.token).await?;
    let mut html = String::from(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Mailbox</title>\
         <link rel=\"stylesheet\" href=\"/dev/mailbox.css\"><h1>Mailbox of this development server</h1>",
    );
    if mails.is_empty() {
        html.push_str("<p>Nothing yet. Sign up in the app, and the code appears here.</p>");
    }
    for mail in mails {
        html.push_str("<article><h2>");
        escape(&mail.message.subject, &mut html);
        html.push_str("</h2><p>to ");
        escape(&mail.message.to, &mut html);
        html.push_str(", ");
        escape(&mail.at.rfc3339(), &mut html);
        html.push_str("</p><pre>");
        escape(&mail.message.text, &mut html);
        html.push_str("</pre></article>");
    }
    let policy =
        "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
    let headers = [
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, Html(html)).into_response())
}

pub async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css")], STYLE).into_response()
}

fn escape(text: &str, into: &mut String) {
    for c in text.chars() {
        match c {
            '<' => into.push_str("&lt;"),
            '>' => into.push_str("&gt;"),
            '&' => into.push_str("&amp;"),
            '"' => into.push_str("&quot;"),
            c => into.push(c),
        }
    }
}
