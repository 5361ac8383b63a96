//! Request bodies: JSON of a bounded size, parsed strictly, with a pointer to what is wrong.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use axum::extract::{FromRequest, Request};
use bytes::Bytes;
use domain::Invalid;
use http::{HeaderMap, StatusCode, header};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::problem::Problem;

/// A parsed body, and the bytes it was parsed from.
pub struct Json<T> {
    pub value: T,
    pub raw: Bytes,
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let headers = request.headers().clone();
        let raw = read(request, state).await?;
        require_json(&headers)?;
        Ok(Self { value: parse(&raw)?, raw })
    }
}

/// A body that may be left out.
pub struct OptionalJson<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for OptionalJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let headers = request.headers().clone();
        let raw = read(request, state).await?;
        if raw.is_empty() {
            return Ok(Self(T::default()));
        }
        require_json(&headers)?;
        Ok(Self(parse(&raw)?))
    }
}

/// A body as HTML forms write it: for callers who speak nothing else. Others may add fields of their own.
pub struct Form<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Form<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        require_plain(request.headers())?;
        let form = axum::Form::<T>::from_request(request, state).await;
        form.map(|form| Self(form.0)).map_err(|rejection| match rejection.status() {
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "The body must be a form",
                "send Content-Type: application/x-www-form-urlencoded",
            ),
            StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body_too_large",
                "The body is too large",
                "send less at once",
            ),
            _ => domain::Error::from(Invalid::new("", "malformed", "a field of the form is missing")).into(),
        })
    }
}

/// The whole body, within the limit of its route.
pub async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    require_plain(request.headers())?;
    Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            "The body is too large",
            "send less at once",
        ),
        _ => Problem::new(
            StatusCode::BAD_REQUEST,
            "body_unreadable",
            "The body could not be read",
            "the connection broke off or the body is not framed correctly",
        ),
    })
}

/// Nothing is unpacked: a thousand bytes may be a gigabyte inside.
fn require_plain(headers: &HeaderMap) -> Result<(), Problem> {
    let mut encodings = headers.get_all(header::CONTENT_ENCODING).iter();
    if encodings.all(|value| value.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        "The body must not be compressed",
        "send it as it is, without Content-Encoding",
    ))
}

fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let fits = ["application/json", "application/merge-patch+json"];
    if fits.iter().any(|fit| kind.eq_ignore_ascii_case(fit)) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "unsupported_media_type",
        "The body must be JSON",
        "send Content-Type: application/json",
    ))
}

/// Something that is written as a JSON object and in no other way: left to itself, serde also takes an array of
/// the fields' values.
#[derive(Debug)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = T;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }

        from.deserialize_map(Fields(PhantomData)).map(Self)
    }
}

/// A whole number, also when it is written like `23.0`: JSON knows one kind of number, and some writers put
/// the point after every one that they keep as a fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole(pub i64);

impl<'de> Deserialize<'de> for Whole {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Number;

        impl Visitor<'_> for Number {
            type Value = Whole;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a whole number")
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Whole, E> {
                Ok(Whole(number))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Whole, E> {
                // What is too large for any field stays too large.
                Ok(Whole(i64::try_from(number).unwrap_or(i64::MAX)))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Whole, E> {
                if number.fract() == 0.0 {
                    // Saturates, as above.
                    return Ok(Whole(number as i64));
                }
                Err(E::invalid_value(serde::de::Unexpected::Float(number), &self))
            }
        }

        from.deserialize_i64(Number)
    }
}

/// Parses an object strictly; only when that fails is the text parsed again, slower, to find where.
pub fn parse<T: DeserializeOwned>(raw: &[u8]) -> Result<T, Problem> {
    // As bytes, what no field reads would be passed over, text or not.
    let Ok(text) = std::str::from_utf8(raw) else { return Err(malformed("it is not UTF-8")) };
    match serde_json::from_str::<Object<T>>(text) {
        Ok(Object(value)) => Ok(value),
        Err(error) => Err(explain::<T>(raw, &error)),
    }
}

fn explain<T: DeserializeOwned>(raw: &[u8], error: &serde_json::Error) -> Problem {
    use serde_json::error::Category;

    // JSON does not bound its numbers. That is the parser's bound, and for all fields beyond their own.
    let is_too_large = error.to_string().starts_with(TOO_LARGE);
    if !is_too_large && matches!(error.classify(), Category::Syntax | Category::Eof | Category::Io) {
        return malformed(format!("at line {}, column {}", error.line(), error.column()));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(raw);
    let (pointer, error) = match serde_path_to_error::deserialize::<_, Object<T>>(&mut deserializer) {
        Ok(_) => (String::new(), error.to_string()),
        Err(found) => (pointer(found.path()), found.inner().to_string()),
    };
    // serde's texts end in " at line 1 column 2", which says less than the pointer does.
    let text = error.split(" at line ").next().unwrap_or_default().to_owned();
    let (pointer, code, detail) = match named(&text) {
        None if is_too_large => (pointer, "out_of_range", String::from("is too large a number")),
        Some((name, "unknown field")) => {
            (at(&pointer, name), "unknown_field", String::from("is not known here"))
        }
        Some((name, "missing field")) => {
            (format!("{pointer}/{name}"), "required", String::from("is required"))
        }
        Some((name, _)) => (at(&pointer, name), "duplicate", String::from("is there twice")),
        None => (pointer, "wrong_type", text),
    };
    domain::Error::from(Invalid::new(pointer, code, detail)).into()
}

fn malformed(detail: impl Into<Cow<'static, str>>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "malformed_json", "The body is not JSON", detail)
}

/// What serde_json says of a number that no `f64` holds.
const TOO_LARGE: &str = "number out of range";

/// The field that serde names between backticks, and what it says of it.
fn named(text: &str) -> Option<(&str, &'static str)> {
    let says =
        ["unknown field", "missing field", "duplicate field"].into_iter().find(|s| text.starts_with(s))?;
    let name = text.split('`').nth(1)?;
    Some((name, says))
}

/// The field's pointer: some errors are found at the field, some at the object around it.
fn at(pointer: &str, name: &str) -> String {
    let step = format!("/{}", escaped(name));
    let around = pointer.strip_suffix(&step).unwrap_or(pointer);
    format!("{around}{step}")
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// RFC 6901.
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;

    let mut pointer = String::new();
    for segment in path {
        pointer.push('/');
        match segment {
            Segment::Seq { index } => pointer.push_str(&index.to_string()),
            Segment::Map { key } => pointer.push_str(&escaped(key)),
            Segment::Enum { variant } => pointer.push_str(variant),
            Segment::Unknown => pointer.push('?'),
        }
    }
    pointer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    struct Body {
        #[expect(dead_code, reason = "only parsed")]
        lat: f64,
        #[serde(default)]
        #[expect(dead_code, reason = "only parsed")]
        points: Vec<Object<Point>>,
    }

    #[derive(serde::Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    struct Point {
        #[expect(dead_code, reason = "only parsed")]
        lat: f64,
        #[serde(default)]
        #[expect(dead_code, reason = "only parsed")]
        elevation: Option<Whole>,
    }

    fn wrong(text: &str) -> (StatusCode, String, &'static str) {
        let problem = parse::<Body>(text.as_bytes()).unwrap_err();
        let first = problem.errors.first();
        let pointer = first.map_or(String::new(), |e| e.pointer.to_string());
        (problem.status, pointer, first.map_or(problem.code, |e| e.code))
    }

    #[test]
    fn what_is_wrong_is_pointed_at() {
        let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
        for (text, pointer, code) in [
            (r#"{"lat":"x"}"#, "/lat", "wrong_type"),
            (r#"{}"#, "/lat", "required"),
            (r#"{"lat":1,"lng":2}"#, "/lng", "unknown_field"),
            (r#"{"lat":1,"a/b~c":2}"#, "/a~1b~0c", "unknown_field"),
            (r#"{"lat":1,"lat":2}"#, "/lat", "duplicate"),
            (r#"{"lat":1,"points":[{"lat":1},{"lat":null}]}"#, "/points/1/lat", "wrong_type"),
            (r#"{"lat":1,"points":[{"lat":1,"x":1}]}"#, "/points/0/x", "unknown_field"),
            (r#"[]"#, "", "wrong_type"),
            (r#"[1]"#, "", "wrong_type"),
            ("null", "", "wrong_type"),
            (r#"{"lat":1,"points":[[1]]}"#, "/points/0", "wrong_type"),
            (r#"{"lat":1,"points":[{"lat":1,"elevation":1.5}]}"#, "/points/0/elevation", "wrong_type"),
            (r#"{"lat":1,"points":[{"lat":1,"elevation":"1"}]}"#, "/points/0/elevation", "wrong_type"),
            (r#"{"lat":9e999}"#, "/lat", "out_of_range"),
            (r#"{"lat":1,"points":[{"lat":-1e400}]}"#, "/points/0/lat", "out_of_range"),
            (r#"{"lat":1,"points":[{"lat":1,"elevation":1e309}]}"#, "/points/0/elevation", "out_of_range"),
        ] {
            assert_eq!(wrong(text), (unprocessable, pointer.to_owned(), code), "{text}");
        }
        for text in ["", "{", "{\"lat\":NaN}", "{\"lat\":1}x"] {
            assert_eq!(wrong(text).0, StatusCode::BAD_REQUEST, "{text}");
        }
        let deep = format!("{{\"lat\":{}", "[".repeat(100_000));
        assert!(wrong(&deep).0.is_client_error());
        assert_eq!(parse::<Body>(b"{\"lat\":\"\xff\"}").unwrap_err().status.as_u16() / 100, 4);
    }

    #[test]
    fn a_whole_number_may_have_a_point() {
        let whole = |text: &str| serde_json::from_str::<Whole>(text).map(|whole| whole.0).ok();
        for (text, number) in
            [("23", 23), ("-491", -491), ("-491.0", -491), ("2.5e1", 25), ("0", 0), ("-0.0", 0)]
        {
            assert_eq!(whole(text), Some(number), "{text}");
        }
        assert_eq!(whole("1e300"), Some(i64::MAX));
        assert_eq!(whole("18446744073709551615"), Some(i64::MAX));
        assert_eq!(whole("-1e300"), Some(i64::MIN));
        for text in ["1.5", "null", "\"1\"", "[]", "true"] {
            assert_eq!(whole(text), None, "{text}");
        }
    }
}
