//! What a perfect observer knows of one account: every change that the server acknowledged to anybody, and what it must
//! lead to. Each check names the invariant that failed.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use domain::Timestamp;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::device::{Device, Rows, cursor, id, list};

mod cursors;

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

    /// Takes over what a node did and told before it was killed, and what was replaced before anybody looked: a stream
    /// had it on its way. What no hidden revision stands for is left to be judged.
    pub fn uncover(&mut self, delta: &Value, now: Timestamp) -> Result<u64, Violation> {
        let is_hidden =
            |change: &&Value| change["rev"].as_i64().is_some_and(|rev| self.hidden.contains(&rev));
        let changes: Vec<_> = list(&delta["changes"]).iter().filter(is_hidden).cloned().collect();
        self.learn(&json!({"changes": changes}), now)
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

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_254_064);

    fn change(id: u128, rev: i64) -> Value {
        let id = Uuid::from_u128(id);
        let item = json!({"id": id, "rev": rev, "name": format!("a:{rev}")});
        json!({"kind": "favourite", "id": id, "rev": rev, "deleted": false, "item": item})
    }

    fn delta(from: i64, to: i64, changes: &[Value]) -> Value {
        let [from, to] = [from, to].map(|seq| format!("v1.7.{seq}"));
        json!({"changes": changes, "from": from, "to": to, "has_more": false})
    }

    /// Two items; a killed node has changed both, and what it did was replaced before anybody looked.
    fn after_a_kill() -> Ledger {
        let mut ledger = Ledger::new("a");
        for (id, rev) in [(1, 1), (2, 2)] {
            let item = Some(change(id, rev)["item"].clone());
            ledger.written(Uuid::from_u128(id), item, json!({}), NOW).unwrap();
        }
        ledger.begun(&json!("v1.7.2")).unwrap();
        ledger.unknown(&[change(1, 3), change(2, 4)]);
        ledger.discover(&delta(0, 6, &[change(1, 5), change(2, 6)]), NOW).unwrap();
        ledger
    }

    #[test]
    fn a_stream_may_tell_what_was_replaced_before_anybody_looked() {
        let mut ledger = after_a_kill();
        let told = delta(2, 4, &[change(1, 3), change(2, 4)]);
        assert!(ledger.clone().delta("v1.7.2", Ok(&told), 100, false).is_err(), "nobody knows of it yet");
        assert_eq!(ledger.uncover(&told, NOW), Ok(2));
        ledger.delta("v1.7.2", Ok(&told), 100, false).unwrap();
    }

    #[test]
    fn a_stream_may_tell_nothing_else() {
        let told = |changes: &[Value]| {
            let (mut ledger, told) = (after_a_kill(), delta(2, 4, changes));
            ledger.uncover(&told, NOW).and_then(|_| ledger.delta("v1.7.2", Ok(&told), 100, false))
        };
        // An item that nobody asked for; one revision twice; a revision that is known as another's.
        told(&[change(9, 3), change(2, 4)]).unwrap_err();
        told(&[change(1, 4), change(2, 4)]).unwrap_err();
        told(&[change(2, 5)]).unwrap_err();
    }
}
