//! What a perfect observer knows of one account: every change that the server acknowledged to anybody, every cursor
//! that it issued, and what each must lead to. Each check names the invariant that failed.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use domain::Timestamp;
use domain::cursor::Cursor;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::device::{Device, Rows, cursor, id, list};

/// The name of the invariant that does not hold, and how it was seen.
pub type Violation = String;

/// Says no when a condition does not hold.
#[macro_export]
macro_rules! ensure {
    ($condition:expr, $($text:tt)+) => {
        if !$condition {
            return Err(format!($($text)+));
        }
    };
}

const DAY: Duration = Duration::from_hours(24);

/// One change of one item.
#[derive(Clone)]
struct Event {
    id: Uuid,
    /// As it is from then on; `None` when it was removed.
    item: Option<Value>,
    at: Timestamp,
    /// What was asked for, where that is known.
    asked: Option<Value>,
}

/// What a cursor must be answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Delta,
    Reset,
    Either,
}

/// The observer's book of one account. A clone goes with each copy of the database.
#[derive(Clone)]
pub struct Ledger {
    /// What every name and note of this account begins with.
    mark: &'static str,
    events: BTreeMap<i64, Event>,
    /// Changes that each mutation and each `Idempotency-Key` made; `None` for none.
    done: HashMap<String, Option<i64>>,
    /// What devices at a cursor know; `None` in the middle of pages.
    issued: HashMap<String, Option<Rows>>,
    /// Cursors of histories that were lost, with the head from which each was lost.
    lost: HashMap<String, i64>,
    floor: i64,
    pub head: i64,
    /// Mutations in requests that a killed process may or may not have applied.
    unknown: Vec<Value>,
    /// Revisions of such, behind which a later change of the item has come.
    hidden: HashSet<i64>,
}

impl Ledger {
    pub fn new(mark: &'static str) -> Self {
        Self {
            mark,
            events: BTreeMap::new(),
            done: HashMap::new(),
            issued: HashMap::new(),
            lost: HashMap::new(),
            floor: 0,
            head: 0,
            unknown: Vec::new(),
            hidden: HashSet::new(),
        }
    }

    /// Items as of a revision.
    fn rows(&self, seq: i64) -> Rows {
        let mut rows = Rows::new();
        for event in self.events.range(..=seq).map(|(_, event)| event) {
            match &event.item {
                Some(item) => rows.insert(event.id, item.clone()),
                None => rows.remove(&event.id),
            };
        }
        rows
    }

    /// Changes behind `since` as a reader at `head` is told them: each item once, at its newest.
    fn changes(&self, since: i64, head: i64) -> Vec<Value> {
        let mut newest = BTreeMap::new();
        for (rev, event) in self.events.range(..=head) {
            newest.insert(event.id, (*rev, event));
        }
        let mut newest: Vec<_> = newest.into_values().filter(|(rev, _)| *rev > since).collect();
        newest.sort_unstable_by_key(|(rev, _)| *rev);
        let change = |(rev, event): (i64, &Event)| match &event.item {
            Some(item) => {
                json!({"kind": "favourite", "id": event.id, "rev": rev, "deleted": false, "item": item})
            }
            None => json!({"kind": "favourite", "id": event.id, "rev": rev, "deleted": true}),
        };
        newest.into_iter().map(change).collect()
    }

    /// Notes a change; one that is known already must be the same.
    fn note(&mut self, rev: i64, event: Event) -> Result<(), Violation> {
        if let Some(known) = self.events.get_mut(&rev) {
            let same = known.id == event.id && known.item == event.item;
            ensure!(same, "I1: revision {rev} was given to {} and to {}", known.id, event.id);
            known.asked = known.asked.take().or(event.asked);
            return Ok(());
        }
        let before = self.events.range(..rev).rev().map(|(_, event)| event).find(|old| old.id == event.id);
        let removed = before.filter(|before| before.item.is_none());
        if let Some(removed) = removed.filter(|_| event.item.is_some()) {
            let is_remembered = event.at.minus(DAY * 90) <= removed.at;
            ensure!(!is_remembered, "I8: {} came back to life as revision {rev}", event.id);
        }
        self.hidden.remove(&rev);
        self.head = self.head.max(rev);
        self.events.insert(rev, event);
        Ok(())
    }

    /// Notes what became of mutations, whether or not their device is told.
    pub fn results(&mut self, sent: &[Value], answer: &Value, now: Timestamp) -> Result<(), Violation> {
        let results = list(&answer["results"]);
        ensure!(results.len() == sent.len(), "I6: {} results for {} mutations", results.len(), sent.len());
        for (mutation, result) in sent.iter().zip(results) {
            ensure!(mutation["mid"] == result["mid"], "I6: {result} answers {mutation}");
            self.owns(result)?;
            self.result(mutation, result, now)?;
        }
        Ok(())
    }

    fn result(&mut self, mutation: &Value, result: &Value, now: Timestamp) -> Result<(), Violation> {
        let mid = mutation["mid"].to_string();
        let known = self.done.get(&mid).copied();
        let rev = result["rev"].as_i64();
        let word = result["error"].as_str().or(result["status"].as_str()).unwrap_or_default();
        match word {
            "applied" => {
                let rev = rev.ok_or_else(|| format!("I1: {result} has no revision"))?;
                ensure!(known.is_none(), "I6: {mid} was applied twice: {known:?}, then as {rev}");
                let is_old = made_at(mutation) < now.minus(DAY * 90);
                ensure!(!is_old, "I6: {mid} was applied after its receipt may have gone");
                let item = if mutation["op"] == "delete" { None } else { Some(result["item"].clone()) };
                let (id, asked) = (id(mutation), Some(mutation.clone()));
                self.done.insert(mid, Some(rev));
                self.note(rev, Event { id, item, at: now, asked })?;
            }
            "duplicate" => match known {
                Some(known) => {
                    ensure!(known == rev, "I6: {mid} was applied as {known:?}, now told as {rev:?}")
                }
                None => {
                    let at = self.unknown.iter().position(|unknown| unknown["mid"] == mutation["mid"]);
                    ensure!(at.is_some(), "I6: {mid} is told to be a duplicate, but never came before");
                    self.done.insert(mid.clone(), rev);
                    if let Some(event) = rev.and_then(|rev| self.events.get_mut(&rev)) {
                        ensure!(event.id == id(mutation), "I6: {mid} did not make revision {rev:?}");
                    }
                }
            },
            // Nothing changed, and a repeat is told the same.
            "noop" | "exists" | "gone" | "stale" => {
                ensure!(
                    known.flatten().is_none(),
                    "I6: {mid} was applied as {known:?}, then refused: {result}"
                );
                self.done.insert(mid, None);
            }
            "expired" => {
                let is_old = made_at(mutation) < now.minus(DAY * 90);
                ensure!(is_old, "I6: {mid} is refused as too old: {result}");
            }
            _ => return Err(format!("I6: {mutation} is answered with {result}")),
        }
        Ok(())
    }

    /// Notes a change that somebody made without a mutation, and asked for with `asked`.
    pub fn written(
        &mut self,
        id: Uuid,
        item: Option<Value>,
        asked: Value,
        now: Timestamp,
    ) -> Result<(), Violation> {
        let mut item = item;
        if let Some(item) = &mut item {
            self.owns(item)?;
            // Told to whoever saved it, and no part of the item.
            item.as_object_mut().and_then(|members| members.remove("duplicate_of"));
        }
        let rev = match &item {
            Some(item) => item["rev"].as_i64().unwrap_or_default(),
            None => self.head + 1,
        };
        ensure!(rev <= self.head + 1, "I1: revision {rev} follows {}", self.head);
        let asked = Some(asked).filter(|_| rev > self.head);
        self.note(rev, Event { id, item, at: now, asked })
    }

    /// What was written with an `Idempotency-Key` was written once.
    pub fn keyed(&mut self, key: &str, item: &Value, asked: Value, now: Timestamp) -> Result<(), Violation> {
        let rev = item["rev"].as_i64();
        if let Some(known) = self.done.insert(key.to_owned(), rev) {
            ensure!(known == rev, "I6: {key} made {known:?}, and {rev:?} when it was repeated");
        }
        self.written(id(item), Some(item.clone()), asked, now)
    }

    /// Notes that nobody was told what became of these.
    pub fn unknown(&mut self, sent: &[Value]) {
        self.unknown.extend_from_slice(sent);
    }

    /// Takes over changes that nobody was told the making of, and tells how many: a killed process made them.
    pub fn learn(&mut self, delta: &Value, now: Timestamp) -> Result<u64, Violation> {
        let mut learned = 0;
        for change in list(&delta["changes"]) {
            let rev = change["rev"].as_i64().unwrap_or_default();
            if self.events.contains_key(&rev) {
                continue;
            }
            let is_asked = self.unknown.iter().any(|mutation| mutation["id"] == change["id"]);
            ensure!(is_asked, "I6: nobody asked for {change}");
            let item = change.get("item").cloned();
            self.note(rev, Event { id: id(change), item, at: now, asked: None })?;
            learned += 1;
        }
        Ok(learned)
    }

    /// Looks for what a killed process did without telling. `all` are the changes since the beginning.
    pub fn discover(&mut self, all: &Value, now: Timestamp) -> Result<u64, Violation> {
        let learned = self.learn(all, now)?;
        let head = cursor(&all["to"]).seq;
        ensure!(head >= self.head, "I6: {} was acknowledged, and the log ends at {head}", self.head);
        self.head = head;
        self.hidden = (1..=head).filter(|rev| !self.events.contains_key(rev)).collect();
        let (hidden, unknown) = (self.hidden.len(), self.unknown.len());
        ensure!(hidden <= unknown, "I1: {hidden} revisions are missing, {unknown} mutations are unknown");
        Ok(learned)
    }

    /// Where this account's log began.
    pub fn first_cursor(&self) -> Option<String> {
        let is_first = |text: &&String| Cursor::parse(text).is_ok_and(|cursor| cursor.seq == 0);
        self.issued.keys().find(is_first).cloned()
    }

    /// An answer that tells changes from the cursor `asked`, or that they cannot be told. `told` is the delta.
    /// Nobody else writes meanwhile when `is_alone`.
    pub fn delta(
        &mut self,
        asked: &str,
        told: Result<&Value, &str>,
        limit: usize,
        is_alone: bool,
    ) -> Result<(), Violation> {
        let expected = self.judge(asked);
        let delta = match told {
            Ok(delta) => delta,
            Err(reason) => {
                let is_right = expected != Answer::Delta;
                ensure!(is_right, "I9: {asked} is good, but was answered with reset {reason}");
                return Ok(());
            }
        };
        let from = cursor(&delta["from"]);
        ensure!(delta["from"] == asked, "I3: {asked} was asked, {} answered", delta["from"]);
        self.owns(&delta["changes"])?;
        let is_lost = self.lost.contains_key(asked);
        let number = if is_lost { "I14" } else { "I9" };
        ensure!(
            expected != Answer::Reset,
            "{number}: {asked} must be answered with a reset, not with {delta}"
        );
        let to = cursor(&delta["to"]);
        ensure!(to.era != from.era || to.seq >= from.seq, "I3: {asked} was led back to {}", delta["to"]);
        let has_more = delta["has_more"] == true;
        if has_more && !is_alone {
            return Ok(());
        }
        let head = if is_alone { self.head } else { to.seq };
        let mut changes = self.changes(from.seq, head);
        let whole = changes.len();
        changes.truncate(limit);
        let is_page = whole > limit;
        ensure!(
            list(&delta["changes"]) == changes,
            "I4: behind {asked} of {head} there is {}, told is {delta}",
            Value::from(changes)
        );
        ensure!(has_more == is_page, "I4: {whole} changes behind {asked}, {limit} asked for: {delta}");
        let end = if is_page { changes.last().and_then(|last| last["rev"].as_i64()) } else { Some(head) };
        ensure!(end == Some(to.seq), "I4: {delta} must end at {end:?}");
        let rows = (!is_page).then(|| self.rows(to.seq));
        self.issue(&delta["to"], rows)
    }

    /// A stream was opened with a cursor that was issued.
    pub fn followed(&self, asked: &str, is_reset: bool) -> Result<(), Violation> {
        let expected = self.judge(asked);
        let is_right = match expected {
            Answer::Delta => !is_reset,
            Answer::Reset => is_reset,
            Answer::Either => true,
        };
        ensure!(is_right, "I9: a stream from {asked} must be answered with {expected:?}");
        Ok(())
    }

    /// A stream that was reset goes on from the head.
    pub fn begun(&mut self, cursor: &Value) -> Result<(), Violation> {
        self.issue(cursor, Some(self.rows(self.head)))
    }

    /// What a list of everything says.
    pub fn snapshot(&mut self, list_of_all: &Value, is_alone: bool) -> Result<(), Violation> {
        self.owns(&list_of_all["items"])?;
        let at = cursor(&list_of_all["cursor"]);
        ensure!(!is_alone || at.seq == self.head, "I2: the log is at {}, the snapshot at {at}", self.head);
        let rows: Rows = list(&list_of_all["items"]).iter().map(|item| (id(item), item.clone())).collect();
        let expected = self.rows(at.seq);
        ensure!(rows == expected, "I4: at {at} there is {expected:?}, the snapshot is {list_of_all}");
        self.issue(&list_of_all["cursor"], Some(rows))
    }

    /// One cursor stands for one state, for ever and in every history.
    fn issue(&mut self, cursor: &Value, rows: Option<Rows>) -> Result<(), Violation> {
        let text = cursor.as_str().unwrap_or_default();
        ensure!(!self.is_lost(text), "I14: {text} was issued in a history that is lost, and now again");
        let known = self.issued.entry(text.to_owned()).or_default();
        if let (Some(known), Some(rows)) = (&known, &rows) {
            ensure!(known == rows, "I14: {text} stands for {known:?} and for {rows:?}");
        }
        *known = rows.or(known.take());
        Ok(())
    }

    fn is_lost(&self, cursor: &str) -> bool {
        let seq = Cursor::parse(cursor).map_or(0, |cursor| cursor.seq);
        self.lost.get(cursor).is_some_and(|head| seq > *head)
    }

    /// What must be answered to a cursor, by what it was issued for.
    fn judge(&self, asked: &str) -> Answer {
        let Ok(cursor) = Cursor::parse(asked) else { return Answer::Reset };
        if self.is_lost(asked) {
            return Answer::Reset;
        }
        match self.issued.contains_key(asked) {
            _ if self.lost.contains_key(asked) => Answer::Either,
            true if cursor.seq < self.floor => Answer::Reset,
            true => Answer::Delta,
            false => Answer::Reset,
        }
    }

    /// I5 and I4: what a device has is what its cursor stands for.
    pub fn device(&self, device: &Device) -> Result<(), Violation> {
        let Some(cursor) = device.cursor.filter(|_| !device.is_paging && !device.needs_snapshot) else {
            return Ok(());
        };
        let rows = self.issued.get(&cursor.to_string()).and_then(Option::as_ref);
        if self.lost.contains_key(&cursor.to_string()) {
            return Ok(());
        }
        let rows = rows.ok_or_else(|| format!("I4: a device is at {cursor}, which ends nowhere"))?;
        ensure!(device.rows == *rows, "I4: at {cursor} there is {rows:?}, a device has {:?}", device.rows);
        Ok(())
    }

    /// I5: a device that has heard of everything has everything.
    pub fn converged(&self, device: &Device) -> Result<(), Violation> {
        let rows = self.rows(self.head);
        ensure!(device.rows == rows, "I5: there is {rows:?}, a quiet device has {:?}", device.rows);
        ensure!(device.outbox.is_empty(), "I5: a quiet device still has {:?} to say", device.outbox);
        Ok(())
    }

    /// I1, and I6: each change is what was asked for, on top of what was there.
    pub fn whole(&self) -> Result<(), Violation> {
        let missing: Vec<_> = (1..=self.head)
            .filter(|rev| !self.events.contains_key(rev) && !self.hidden.contains(rev))
            .collect();
        ensure!(missing.is_empty(), "I1: of 1 to {}, nobody was given {missing:?}", self.head);
        let mut rows: BTreeMap<Uuid, Value> = BTreeMap::new();
        for (rev, event) in &self.events {
            let before = rows.get(&event.id);
            if let (Some(item), Some(asked)) = (&event.item, &event.asked) {
                let is_whole = self.hidden.is_empty();
                let expected = merged(before, asked).filter(|_| is_whole);
                let named = content(item);
                let is_right = expected.is_none_or(|expected| expected == named);
                ensure!(is_right, "I6: {asked} on {before:?} made {item} of revision {rev}");
            }
            match &event.item {
                Some(item) => rows.insert(event.id, item.clone()),
                None => rows.remove(&event.id),
            };
        }
        Ok(())
    }

    /// I10: names and notes are those of this account.
    fn owns(&self, told: &Value) -> Result<(), Violation> {
        match told {
            Value::Array(values) => values.iter().try_for_each(|value| self.owns(value)),
            Value::Object(members) => members.iter().try_for_each(|(name, value)| {
                let is_text = matches!(name.as_str(), "name" | "note" | "was");
                let text = value.as_str().filter(|text| is_text && text.contains(':'));
                let is_own = text.is_none_or(|text| text.starts_with(self.mark));
                ensure!(is_own, "I10: {} was told {value}", self.mark);
                self.owns(value)
            }),
            _ => Ok(()),
        }
    }

    /// Old tombstones were removed.
    pub fn compacted(&mut self, now: Timestamp) {
        let is_old = |event: &Event| event.item.is_none() && event.at < now.minus(DAY * 90);
        let last = self.events.iter().filter(|(_, event)| is_old(event)).map(|(rev, _)| *rev).max();
        self.floor = self.floor.max(last.unwrap_or_default());
    }

    /// The database is as it was at `copy`.
    pub fn put_back(&mut self, copy: &Self) {
        let mut lost = std::mem::take(&mut self.lost);
        for cursor in std::mem::take(&mut self.issued).into_keys() {
            lost.entry(cursor).and_modify(|head| *head = copy.head.min(*head)).or_insert(copy.head);
        }
        lost.retain(|cursor, _| !copy.issued.contains_key(cursor));
        *self = Self { lost, ..copy.clone() };
    }

    /// Cursors of this history and of lost ones, in an order that depends on nothing but them.
    pub fn cursors(&self) -> Vec<String> {
        let mut cursors: Vec<_> = self.issued.keys().chain(self.lost.keys()).cloned().collect();
        cursors.sort_unstable();
        cursors.dedup();
        cursors
    }

    /// Cursors beyond the state that was put back.
    pub fn lost(&self) -> Vec<String> {
        self.cursors().into_iter().filter(|cursor| self.is_lost(cursor)).collect()
    }

    /// A cursor of this account with another number, or of another history.
    pub fn is_issued(&self, cursor: &str) -> bool {
        self.issued.contains_key(cursor) || self.lost.contains_key(cursor)
    }
}

/// Fields that people set.
const FIELDS: [&str; 4] = ["name", "note", "lat", "position"];

fn content(item: &Value) -> Map<String, Value> {
    FIELDS.iter().map(|field| ((*field).to_owned(), item[*field].clone())).collect()
}

/// What a change must lead to, as far as it says so itself.
fn merged(before: Option<&Value>, asked: &Value) -> Option<Map<String, Value>> {
    let mut after = content(before.filter(|_| asked["op"] == "update")?);
    for (field, value) in asked["set"].as_object()? {
        after.insert(field.clone(), value.clone());
    }
    Some(after)
}

/// The time in a mutation's `mid`.
fn made_at(mutation: &Value) -> Timestamp {
    let mid = mutation["mid"].as_str().and_then(|mid| Uuid::parse_str(mid).ok());
    let (seconds, nanos) = mid.and_then(|mid| mid.get_timestamp()).map_or((0, 0), |time| time.to_unix());
    let millis = seconds * 1000 + u64::from(nanos / 1_000_000);
    Timestamp::from_millis(i64::try_from(millis).unwrap_or_default())
}
