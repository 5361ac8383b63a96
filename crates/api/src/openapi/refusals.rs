//! What an operation may answer instead of what was asked for, as the document tells it.
//!
//! Most of it follows from the operation's shape: whatever takes a body may find it malformed, whatever needs
//! a credential may miss it. Only the rest stands at the operation, as [`Refused`].

use std::collections::{BTreeMap, BTreeSet};

use utoipa::IntoResponses;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::schema::Type;
use utoipa::openapi::{
    ContentBuilder, ObjectBuilder, OpenApi, PathItem, Ref, RefOr, Response, ResponseBuilder,
};

/// A status, the name of its answer in the document, what it means, and a header of its own.
struct Refusal {
    status: u16,
    name: &'static str,
    means: &'static str,
    header: Option<(&'static str, &'static str)>,
}

const RETRY_AFTER: Option<(&str, &str)> = Some(("Retry-After", "Seconds to wait before the next try"));
const CHALLENGE: Option<(&str, &str)> = Some(("WWW-Authenticate", "What kind of credential is missing"));

const REFUSALS: [Refusal; 13] = [
    refusal(400, "Malformed", "The body is not JSON, or could not be read", None),
    refusal(401, "Unauthenticated", "No credential, or one that does not count (any more)", CHALLENGE),
    refusal(
        403,
        "Forbidden",
        "The web app's session was used from another origin, or a key that does not open this",
        None,
    ),
    refusal(404, "NotFound", "There is nothing here, or it is not yours", None),
    refusal(409, "Conflict", "The present state does not allow this; `code` says why", None),
    refusal(410, "CursorExpired", "The changes since the cursor cannot be told; `reason` says why", None),
    refusal(412, "ConditionFailed", "It was changed meanwhile; `current` is what is there now", None),
    refusal(413, "BodyTooLarge", "The body is larger than 64 KiB (256 KiB for a batch)", None),
    refusal(415, "NotJson", "The body is not declared as JSON", None),
    refusal(422, "Invalid", "Something does not fit; `errors` points at each field", None),
    refusal(429, "TooManyRequests", "A limit is reached", RETRY_AFTER),
    refusal(500, "Internal", "Something broke on our side; it was noted", None),
    refusal(503, "Unavailable", "Not available just now; try again", RETRY_AFTER),
];

const fn refusal(
    status: u16,
    name: &'static str,
    means: &'static str,
    header: Option<(&'static str, &'static str)>,
) -> Refusal {
    Refusal { status, name, means, header }
}

impl Refusal {
    fn response(&self) -> Response {
        let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
        let mut response =
            ResponseBuilder::new().description(self.means).content("application/problem+json", content);
        if let Some((name, means)) = self.header {
            let schema = ObjectBuilder::new().schema_type(Type::String).build();
            let header = HeaderBuilder::new().description(Some(means)).schema(Some(schema)).build();
            response = response.header(name, header);
        }
        response.build()
    }
}

/// Where the answer with this status is described; `None` for a status that the table does not have.
fn reference(status: u16) -> Option<(String, RefOr<Response>)> {
    let refusal = REFUSALS.iter().find(|refusal| refusal.status == status)?;
    Some((status.to_string(), Ref::from_response_name(refusal.name).into()))
}

/// In the list of an operation's answers: the problem with this status, which its shape does not tell.
pub struct Refused<const STATUS: u16>;

impl<const STATUS: u16> IntoResponses for Refused<STATUS> {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        reference(STATUS).into_iter().collect()
    }
}

/// Adds to every operation the problems that follow from its shape, and describes each of them once.
pub fn complete(document: &mut OpenApi) {
    let components = document.components.get_or_insert_default();
    for refusal in &REFUSALS {
        components.responses.insert(refusal.name.to_owned(), refusal.response().into());
    }
    for PathItem { get, put, post, patch, delete, .. } in document.paths.paths.values_mut() {
        let operations = [(get, true), (put, false), (post, false), (patch, false), (delete, false)];
        for (operation, is_safe) in operations {
            if let Some(operation) = operation {
                let refusals = statuses(operation, is_safe).into_iter().filter_map(reference);
                operation.responses.responses.extend(refusals);
            }
        }
    }
}

fn statuses(operation: &Operation, is_safe: bool) -> BTreeSet<u16> {
    let mut statuses = BTreeSet::from([500, 503]);
    if operation.request_body.is_some() {
        statuses.extend([400, 413, 415, 422]);
    }
    for parameter in operation.parameters.iter().flatten() {
        let RefOr::T(parameter) = parameter else { continue };
        // What does not parse as an id names nothing that exists.
        let is_id = matches!(parameter.parameter_in, ParameterIn::Path);
        statuses.insert(if is_id { 404 } else { 422 });
    }
    let is_tagged = |name| operation.tags.iter().flatten().any(|tag| tag == name);
    // An operation that says nothing of credentials takes what the whole document asks for.
    let needs_credential = operation.security.is_none();
    if needs_credential {
        statuses.insert(429);
    }
    if needs_credential || is_tagged("auth") {
        statuses.insert(401);
    }
    if !is_safe && !is_tagged("system") {
        statuses.insert(403);
    }
    statuses
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    /// Every `$ref` with the document's own components behind it.
    fn references<'a>(value: &'a Value, into: &mut Vec<&'a str>) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    match value {
                        Value::String(target) if name == "$ref" => into.push(target),
                        other => references(other, into),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, into)),
            _ => {}
        }
    }

    #[test]
    fn the_document_is_sound() {
        let document: Value = serde_json::from_str(crate::openapi_json()).unwrap();
        let mut targets = Vec::new();
        references(&document, &mut targets);
        assert!(targets.len() > 100);
        for target in targets {
            let pointer = target.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{target} is not described");
        }
        let mut names = std::collections::BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let at = format!("{method} {path}");
                let name = operation["operationId"].as_str().unwrap();
                assert!(names.insert(name), "{at}: two operations are called {name}");
                assert!(operation["summary"].is_string(), "{at} has no summary");
                for (status, response) in operation["responses"].as_object().unwrap() {
                    let is_described = response["description"].as_str().is_some_and(|text| !text.is_empty());
                    assert!(is_described || response["$ref"].is_string(), "{at}: {status} is not described");
                }
            }
        }
    }
}
