//! The cursors in an observer's book: what each stands for, and what whoever asks with it must be told.

use domain::cursor::Cursor;
use serde_json::Value;

use super::{Ledger, Violation};
use crate::device::{Rows, cursor, id, list};
use crate::ensure;

/// What a cursor must be answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Delta,
    Reset,
    Either,
}

impl Ledger {
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
