//! What the derived schemas of requests cannot say.

use app::mail::Language;
use serde_json::{Value, json};
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::schema::{SchemaType, Type};
use utoipa::openapi::{Object, ObjectBuilder, OpenApi, PathItem, RefOr, Required, Schema};

/// Describes a body that a request may come without.
pub const OPTIONAL: &str = "May be left out";

/// Names of systems of units.
const UNITS: [&str; 3] = ["metric", "imperial", "si"];

/// A system of units, in a query.
pub fn units() -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(UNITS)).build()
}

/// A system of units in a body, where null stands for metric.
pub fn units_or_null() -> Object {
    let names = UNITS.into_iter().map(Value::from).chain([Value::Null]);
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
        .enum_values(Some(names))
        .description(Some("Null for metric"))
        .examples([json!("metric")])
        .build()
}

pub fn language_or_null() -> Object {
    let tags = Language::ALL.into_iter().map(|language| Value::from(language.tag())).chain([Value::Null]);
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
        .enum_values(Some(tags))
        .description(Some(
            "Of mail. Taken from `Accept-Language` when somebody registers, and kept when it is left out",
        ))
        .examples([json!("de")])
        .build()
}

/// Marks the bodies that may be left out, and says which fields of a new favourite go together.
pub fn complete(document: &mut OpenApi) {
    for PathItem { put, post, .. } in document.paths.paths.values_mut() {
        for operation in [put, post].into_iter().flatten() {
            if let Some(RefOr::T(body)) = &mut operation.request_body
                && body.description.as_deref() == Some(OPTIONAL)
            {
                body.required = Some(Required::False);
            }
        }
    }
    let schemas = document.components.as_mut().map(|components| &mut components.schemas);
    if let Some(RefOr::T(Schema::Object(object))) = schemas.and_then(|all| all.get_mut("NewFavourite")) {
        object.extensions = Some(place_or_point());
    }
}

/// A point has both coordinates or neither, and whatever is no place of the gazetteer has a name and a point.
fn place_or_point() -> Extensions {
    let point = json!({"lat": {"type": "number"}, "lon": {"type": "number"}});
    let named = json!({"name": {"type": "string"}, "lat": {"type": "number"}, "lon": {"type": "number"}});
    let nothing = json!({"lat": {"type": "null"}, "lon": {"type": "null"}});
    let picked = json!({"place_id": {"type": "integer"}});
    let alternatives = json!([
        {"title": "Place", "required": ["place_id"], "properties": picked, "anyOf": [
            {"properties": nothing},
            {"required": ["lat", "lon"], "properties": point},
        ]},
        {"title": "Point", "required": ["name", "lat", "lon"], "properties": named},
    ]);
    // The type is meant for keys of one's own, but any JSON Schema keyword may stand here.
    Extensions::from_iter([("anyOf", alternatives)])
}
