//! Bodies, queries, conditions, cursors and frames: what clients of the API say.

use api::parsers::{self, Reader, Refusal};
use domain::cursor::{Cursor, Eras};
use domain::favourite::{Favourite, Field};
use domain::mutation::{Op, Refusal as Refused, Status};
use domain::position::Position;
use domain::text::{NAME_MAX, NOTE_MAX};
use serde_json::Value;

/// A refusal is the client's fault, says where, and is not much longer than what was sent.
fn check(refusal: Refusal, input: &[u8]) {
    assert!(refusal.status.is_client_error(), "{refusal:?}");
    let body = refusal.body("req_0");
    assert!(body.errors.iter().all(|error| error.pointer.len() <= 8 * input.len() + 64));
    let told = serde_json::to_vec(&body).expect("a problem is JSON");
    // A field that is wrong is named, with what was sent in its place, which JSON may have to escape.
    assert!(told.len() <= 8192 + 16 * input.len(), "{} bytes for {}", told.len(), input.len());
}

/// One of several readers, by the first byte.
fn one_of(readers: &[Reader], input: &[u8]) -> Option<bool> {
    let (which, raw) = input.split_first()?;
    let read = readers.get(usize::from(*which) % readers.len())?;
    match read(raw) {
        Ok(()) => Some(true),
        Err(refusal) => {
            check(refusal, raw);
            Some(false)
        }
    }
}

/// Bodies are objects: left to itself, serde also takes arrays.
fn is_object(raw: &[u8]) -> bool {
    matches!(serde_json::from_slice(raw), Ok(Value::Object(_)))
}

/// The body of an operation, which one the first byte says.
pub fn request_body(input: &[u8]) {
    if one_of(&parsers::BODIES, input) == Some(true) {
        assert!(is_object(&input[1..]));
    }
}

/// The body of an operation with a passkey, which one the first byte says.
pub fn credential_body(input: &[u8]) {
    if one_of(&parsers::CREDENTIALS, input) == Some(true) {
        assert!(is_object(&input[1..]));
    }
}

/// The query of an operation, which one the first byte says.
pub fn query_string(input: &[u8]) {
    one_of(&parsers::QUERIES, input);
}

/// A favourite to be made.
pub fn favourite_body(input: &[u8]) {
    match parsers::new_favourite(input) {
        Ok(new) => {
            assert!(is_object(input));
            assert!(new.place_id.is_some() || (new.name.is_some() && new.at.is_some()));
            check_text(new.name.as_deref(), new.note.as_deref());
            assert!(new.elevation.is_none_or(|metres| (-500..=9000).contains(&metres)));
            check_position(new.position.as_ref());
        }
        Err(refusal) => check(refusal, input),
    }
}

/// Changes of a favourite. A field that is not named stays, and what is applied twice changes nothing more.
pub fn favourite_patch(input: &[u8]) {
    let patch = match parsers::favourite_patch(input) {
        Ok(patch) => patch,
        Err(refusal) => return check(refusal, input),
    };
    let Ok(Value::Object(said)) = serde_json::from_slice(input) else { panic!("a patch is an object") };
    check_text(patch.name.as_deref(), patch.note.as_ref().and_then(Option::as_deref));
    check_position(patch.position.as_ref());
    let before = favourite();
    let mut after = before.clone();
    let tz = |_| String::from("Etc/UTC");
    let has_changed = patch.apply(&mut after, 2, None, tz).expect("a sound patch applies");
    assert_eq!(has_changed, after != before);
    for field in Field::ALL {
        // A point that moved is no longer the picked place, nor at its height.
        let follows = matches!(field, Field::PlaceId | Field::Elevation)
            && (said.contains_key("lat") || said.contains_key("lon"));
        let is_changed = after.content.last_change(field).is_some_and(|change| change.rev == 2);
        assert!(!is_changed || follows || said.contains_key(field.as_str()), "{field:?} was not named");
    }
    let once = after.clone();
    assert_eq!(patch.apply(&mut after, 3, None, tz).ok(), Some(false), "twice is as once");
    assert_eq!(after, once);
}

fn favourite() -> Favourite {
    let body = br#"{"name":"Hut","lat":47.5,"lon":8.5,"place_id":7,"elevation":430,"note":"key"}"#;
    let new = parsers::new_favourite(body).expect("a favourite");
    let (content, _) = new.content(None, |_| String::from("Europe/Zurich"), None).expect("a favourite");
    let id = domain::FavouriteId::from_uuid(uuid::Uuid::nil());
    Favourite { id, rev: 1, content, position: Position::first(), updated_at: crate::NOW }
}

fn check_text(name: Option<&str>, note: Option<&str>) {
    if let Some(name) = name {
        assert!((1..=NAME_MAX).contains(&name.chars().count()) && !name.contains(char::is_control));
        assert_eq!(domain::text::name("", name).ok().as_deref(), Some(name), "clean stays as it is");
    }
    if let Some(note) = note {
        assert!(note.chars().count() <= NOTE_MAX);
        assert_eq!(domain::text::note("", note).ok().flatten().as_deref(), Some(note));
    }
}

fn check_position(position: Option<&Position>) {
    let Some(position) = position else { return };
    let next = position.next();
    assert!(next > *position || position.as_str().len() == 64, "{position}");
    assert!(Position::parse("", next.as_str()).is_ok(), "{next}");
}

/// A device's batch of mutations.
pub fn sync_batch(input: &[u8]) {
    let batch = match parsers::batch(input) {
        Ok(batch) => batch,
        Err(refusal) => return check(refusal, input),
    };
    assert!(batch.mutations.len() <= app::sync::MOST_MUTATIONS);
    let Ok(Value::Object(said)) = serde_json::from_slice(input) else { panic!("a batch is an object") };
    let sent = said.get("mutations").and_then(Value::as_array).expect("a list");
    assert_eq!(sent.len(), batch.mutations.len(), "each mutation is answered");
    for (sent, read) in sent.iter().zip(&batch.mutations) {
        assert!(sent.is_object());
        let mid = match read {
            Ok(mutation) => {
                if let Op::Create(new) = &mutation.op {
                    check_text(new.name.as_deref(), new.note.as_deref());
                }
                let now = crate::NOW;
                if let Ok(until) = mutation.remembered_until(now) {
                    assert!(until > now, "a receipt outlives its mutation");
                }
                mutation.mid
            }
            Err(outcome) => {
                assert_eq!(outcome.status, Status::Refused(Refused::Invalid));
                assert!(!outcome.errors.is_empty() && outcome.item.is_none() && outcome.overwrote.is_empty());
                outcome.mid
            }
        };
        let said = sent.get("mid").and_then(Value::as_str).and_then(|mid| mid.parse().ok());
        assert_eq!(said, Some(mid), "an answer names its mutation");
    }
}

/// A cursor, and the list of eras that the store keeps.
pub fn cursor(input: &[u8]) {
    let Some(text) = crate::text(input) else { return };
    if let Ok(cursor) = Cursor::parse(text) {
        assert_eq!(cursor.to_string(), text, "a cursor has one spelling");
        assert!(cursor.seq >= 0);
    }
    if let Some(eras) = Eras::parse(text) {
        assert_eq!(Eras::parse(&eras.to_string()), Some(eras.clone()));
        let cursor = eras.cursor(5);
        assert_eq!(Cursor::parse(&cursor.to_string()), Ok(cursor), "what is handed out is taken back");
        assert_eq!(eras.check(cursor, 5, 0), Ok(()));
    }
}

/// `?after=` of a list.
pub fn page_after(input: &[u8]) {
    let Some(text) = crate::text(input) else { return };
    match parsers::page_after(text) {
        Ok(written) => assert_eq!(parsers::page_after(&written).ok(), Some(written)),
        Err(refusal) => check(refusal, input),
    }
}

/// `If-Match` and `If-None-Match`. What was not sent is no condition, and a revision is named by its own tag alone,
/// which proxies may make weak.
pub fn condition(input: &[u8]) {
    let [matches, differs] = crate::parts(input).map(|part: &[u8]| (!part.is_empty()).then_some(part));
    let condition = match parsers::condition(matches, differs) {
        None => return,
        Some(Ok(condition)) => condition,
        Some(Err(refusal)) => return check(refusal, input),
    };
    let stars = |header: Option<&[u8]>| header.is_some_and(|text| text.contains(&b'*'));
    assert!(!condition.exists || stars(matches));
    assert_eq!(condition.absent, differs.is_some(), "only * goes with a write");
    assert_eq!(condition.exists || condition.revs.is_some(), matches.is_some(), "a condition is never lost");
    let tags: Vec<&str> =
        matches.and_then(crate::text).unwrap_or_default().split(',').map(str::trim).collect();
    for rev in condition.revs.into_iter().flatten() {
        let tag = parsers::etag(rev);
        assert!(
            tags.iter().any(|given| given.strip_prefix("W/").unwrap_or(given) == tag),
            "{tag} was not sent"
        );
    }
}

/// A frame of a WebSocket's client.
pub fn websocket_frame(input: &[u8]) {
    let Some(text) = crate::text(input) else { return };
    if parsers::is_frame(text) {
        let said: Value = serde_json::from_str(text).expect("JSON");
        assert!(["init", "auth", "ping"].iter().any(|kind| said["t"] == *kind), "{said}");
    }
}
