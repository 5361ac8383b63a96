//! A device that follows the client rule of [the protocol](../../../../docs/sync.md): the reference client. It knows
//! no network: requests are taken out of it and answers are put into it, in whatever order they arrive.

use std::collections::{BTreeMap, VecDeque};

use domain::cursor::Cursor;
use serde_json::{Value, json};
use uuid::Uuid;

/// Items by id, each as the server told it.
pub type Rows = BTreeMap<Uuid, Value>;

/// One installation of an app.
pub struct Device {
    pub id: Uuid,
    /// What the server is known to have, and up to where: they change together.
    pub rows: Rows,
    pub cursor: Option<Cursor>,
    /// Mutations without a result, oldest first.
    pub outbox: VecDeque<Value>,
    /// Between two pages of changes. The rows are then as the log never was: items that changed again have left their
    /// place in it, and are told on a later page.
    pub is_paging: bool,
    /// Nothing can be built on the rows any more.
    pub needs_snapshot: bool,
}

/// What became of a delta.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    Yes,
    /// There is more behind it: ask for the next page.
    More,
    /// It does not follow on what the device knows: ask for the changes since the device's own cursor.
    Ask,
    /// The device waits for a snapshot.
    Ignored,
}

impl Device {
    pub fn new(id: Uuid) -> Self {
        Self {
            id,
            rows: Rows::new(),
            cursor: None,
            outbox: VecDeque::new(),
            is_paging: false,
            needs_snapshot: true,
        }
    }

    /// The body of `POST /v1/sync`: the oldest mutations without a result.
    pub fn batch(&self, most: usize) -> Value {
        let mutations: Vec<_> = self.outbox.iter().take(most).collect();
        json!({"device": self.id, "since": self.cursor.map(|cursor| cursor.to_string()), "mutations": mutations})
    }

    /// Takes the answer to a batch that was sent with the cursor `since`.
    pub fn take_results(&mut self, since: Option<Cursor>, answer: &Value) -> Applied {
        for result in list(&answer["results"]) {
            self.outbox.retain(|mutation| mutation["mid"] != result["mid"]);
        }
        if !answer["reset"].is_null() {
            self.reset(since);
        }
        if answer["delta"].is_null() { Applied::Ignored } else { self.take_delta(&answer["delta"]) }
    }

    /// The server cannot tell what changed since a cursor. When the device has moved on, that is no news.
    pub fn reset(&mut self, since: Option<Cursor>) {
        self.needs_snapshot |= since == self.cursor;
    }

    /// Takes a snapshot, if it still waits for one.
    pub fn take_snapshot(&mut self, snapshot: &Value) {
        if !self.needs_snapshot {
            return;
        }
        self.rows = list(&snapshot["items"]).iter().map(|item| (id(item), item.clone())).collect();
        self.cursor = Some(cursor(&snapshot["cursor"]));
        (self.is_paging, self.needs_snapshot) = (false, false);
    }

    /// The next page did not come. Between pages there is nothing to go on from: were the database put back to an
    /// older state now, items that have left their place would never be told.
    pub fn break_off(&mut self) {
        self.needs_snapshot |= self.is_paging;
    }

    /// The client rule.
    pub fn take_delta(&mut self, delta: &Value) -> Applied {
        let Some(local) = self.cursor.filter(|_| !self.needs_snapshot) else { return Applied::Ignored };
        let (from, to) = (cursor(&delta["from"]), cursor(&delta["to"]));
        let has_more = delta["has_more"] == true;
        let follows = from == local;
        if !follows && (has_more || !overlaps(from, to, local)) {
            return Applied::Ask;
        }
        for change in list(&delta["changes"]) {
            let rev = change["rev"].as_i64().unwrap_or_default();
            let is_known = rev <= local.seq;
            let is_newer = self.rows.get(&id(change)).is_none_or(|row| row["rev"].as_i64() < Some(rev));
            if !follows && (is_known || !is_newer) {
                continue;
            }
            if change["deleted"] == true {
                self.rows.remove(&id(change));
            } else {
                self.rows.insert(id(change), change["item"].clone());
            }
        }
        // Within an era the cursor never goes back.
        if to.era != local.era || to.seq > local.seq {
            self.cursor = Some(to);
        }
        self.is_paging = has_more;
        if has_more { Applied::More } else { Applied::Yes }
    }
}

/// Whether a delta begins at or before what the device knows. Numbers of different eras cannot be compared.
fn overlaps(from: Cursor, to: Cursor, local: Cursor) -> bool {
    let is_one_era = from.era == local.era && to.era == local.era;
    is_one_era && from.seq <= local.seq
}

/// A cursor that the server issued.
pub fn cursor(value: &Value) -> Cursor {
    let text = value.as_str().unwrap_or_else(|| panic!("no cursor: {value}"));
    Cursor::parse(text).unwrap_or_else(|_| panic!("the server issued {text:?} as a cursor"))
}

/// The id of an item or a change.
pub fn id(value: &Value) -> Uuid {
    let text = value["id"].as_str().unwrap_or_else(|| panic!("no id in {value}"));
    Uuid::parse_str(text).unwrap_or_else(|_| panic!("no id in {value}"))
}

/// The elements of a list that the protocol says is there.
pub fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("no list: {value}"))
}
