//! One provider's answer for one cell: compact, immutable, and sound by construction.

use std::fmt;

use super::WeatherCode;
use super::provider::{Pack, Source};
use super::variable::{Storage, Variable};
use crate::Timestamp;

/// No provider looks further ahead than 16 days, by the hour.
pub(super) const MAX_SLOTS: usize = 480;
/// Stretches of equal step; MET Norway has two, an answer with gaps a few more.
pub(super) const MAX_RUNS: usize = 32;
/// Slot lengths in use, in seconds.
pub(super) const STEPS: [u32; 3] = [3600, 10_800, 21_600];
/// How far from the moment of fetching a slot may lie, in seconds: beyond it somebody's clock is wrong.
const OLDEST_SLOT_S: i64 = 3 * 86_400;
const FURTHEST_SLOT_S: i64 = 20 * 86_400;

pub(super) const ABSENT_WIDE: i16 = i16::MIN;
pub(super) const ABSENT_NARROW: u8 = u8::MAX;

/// The hours of one [`Pack`] from one [`Source`].
///
/// Columns of scaled integers, one after the other: 14 days of pack `core` take 5.3 KiB of heap, so a
/// hundred thousand warm cells fit in memory. An absent value is not 0 and never NaN.
#[derive(Clone, PartialEq, Eq)]
pub struct Series {
    pub(super) source: Source,
    pub(super) pack: Pack,
    pub(super) issued_at: Option<Timestamp>,
    pub(super) fetched_at: Timestamp,
    pub(super) runs: Box<[Run]>,
    pub(super) values: Box<[u8]>,
}

/// `count` slots of `step_s` seconds without a gap, from unix second `start`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub start: i64,
    pub step_s: u32,
    pub count: u32,
}

impl Run {
    pub fn end(self) -> i64 {
        self.start + i64::from(self.step_s) * i64::from(self.count)
    }
}

/// The stretch `[start, start + step_s)` and its place in the columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    pub index: usize,
    /// Unix seconds, UTC.
    pub start: i64,
    pub step_s: u32,
}

impl Slot {
    pub fn end(self) -> i64 {
        self.start + i64::from(self.step_s)
    }

    /// Sums and maxima count for the day that holds the slot's middle.
    pub fn middle(self) -> i64 {
        self.start + i64::from(self.step_s / 2)
    }
}

/// Why an answer is refused as a whole. A single implausible value only becomes absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSeries {
    #[error("no slots, or no values in them")]
    Empty,
    #[error("more slots than any forecast has")]
    TooLong,
    #[error("times are unordered, duplicate or overlap")]
    Unordered,
    #[error("a slot is not 1, 3 or 6 hours long")]
    Step,
    #[error("slots lie far from the present: a clock is wrong")]
    ClockSkew,
    #[error("{} has another length than the times", .0.name())]
    Length(Variable),
    #[error("{} is missing", .0.name())]
    Missing(Variable),
    #[error("{} has too many values that cannot be (wrong unit?)", .0.name())]
    Implausible(Variable),
    #[error("stored bytes are damaged or of another version")]
    Damaged,
}

impl Series {
    pub fn source(&self) -> Source {
        self.source
    }

    pub fn pack(&self) -> Pack {
        self.pack
    }

    /// When the provider computed it; `None` where it does not say (Open-Meteo).
    pub fn issued_at(&self) -> Option<Timestamp> {
        self.issued_at
    }

    pub fn fetched_at(&self) -> Timestamp {
        self.fetched_at
    }

    /// The number of slots.
    pub fn len(&self) -> usize {
        self.runs.iter().map(|run| run.count as usize).sum()
    }

    /// Never true: an answer without slots is refused when built.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All slots by time.
    pub fn slots(&self) -> impl Iterator<Item = Slot> {
        self.slots_from(0)
    }

    /// The slots from `index` on.
    pub fn slots_from(&self, index: usize) -> impl Iterator<Item = Slot> {
        let mut first = 0;
        self.runs.iter().flat_map(move |run| {
            let before = first;
            first += run.count as usize;
            (index.saturating_sub(before)..run.count as usize).map(move |offset| Slot {
                index: before + offset,
                start: run.start + offset as i64 * i64::from(run.step_s),
                step_s: run.step_s,
            })
        })
    }

    /// The slot that holds unix second `at`; `None` before, after, and in a gap.
    pub fn slot_at(&self, at: i64) -> Option<Slot> {
        let slot = self.first_ending_after(at)?;
        (slot.start <= at).then_some(slot)
    }

    /// The first slot whose end lies after unix second `at`.
    pub fn first_ending_after(&self, at: i64) -> Option<Slot> {
        let mut before = 0;
        for run in &self.runs {
            if run.end() > at {
                let offset = (at - run.start).max(0) / i64::from(run.step_s);
                return Some(Slot {
                    index: before + offset as usize,
                    start: run.start + offset * i64::from(run.step_s),
                    step_s: run.step_s,
                });
            }
            before += run.count as usize;
        }
        None
    }

    /// The values of a variable in the model's units; `None` when it is not in this pack.
    pub fn column(&self, variable: Variable) -> Option<Column<'_>> {
        let slots = self.len();
        let mut offset = 0;
        for stored in self.pack.variables() {
            let storage = stored.storage()?;
            let width = slots * storage.bytes();
            if *stored == variable {
                return Some(Column { bytes: self.values.get(offset..offset + width)?, storage });
            }
            offset += width;
        }
        None
    }

    /// What this answer takes on the heap, in bytes, the allocator's own overhead aside.
    pub fn heap_bytes(&self) -> usize {
        self.values.len() + size_of_val(&*self.runs)
    }
}

impl fmt::Debug for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Series")
            .field("source", &self.source)
            .field("pack", &self.pack)
            .field("issued_at", &self.issued_at)
            .field("fetched_at", &self.fetched_at)
            .field("runs", &self.runs)
            .finish_non_exhaustive()
    }
}

/// One variable over all slots.
#[derive(Clone, Copy)]
pub struct Column<'a> {
    bytes: &'a [u8],
    storage: Storage,
}

impl Column<'_> {
    /// The value in the slot `index`, `None` when absent.
    pub fn get(&self, index: usize) -> Option<f32> {
        let raw = if self.storage.wide {
            let pair = self.bytes.get(index * 2..index * 2 + 2)?;
            let raw = i16::from_le_bytes([pair[0], pair[1]]);
            if raw == ABSENT_WIDE {
                return None;
            }
            f32::from(raw)
        } else {
            let raw = *self.bytes.get(index)?;
            if raw == ABSENT_NARROW {
                return None;
            }
            f32::from(raw)
        };
        Some(raw / self.storage.per_unit)
    }
}

impl Storage {
    pub(super) fn bytes(self) -> usize {
        if self.wide { 2 } else { 1 }
    }

    fn push(self, value: Option<f32>, into: &mut Vec<u8>) {
        if self.wide {
            let raw = value.map_or(ABSENT_WIDE, |value| (value * self.per_unit).round() as i16);
            into.extend_from_slice(&raw.to_le_bytes());
        } else {
            into.push(value.map_or(ABSENT_NARROW, |value| (value * self.per_unit).round() as u8));
        }
    }
}

/// Makes a [`Series`] or says why the answer is bad.
///
/// Unordered and duplicate times are refused, not repaired: nobody knows which value belongs to which of
/// them. A value that is not finite or physically impossible becomes absent; when more than one in ten of a
/// variable's values are so, the answer is refused, since that is a wrong unit or nonsense.
pub struct SeriesBuilder {
    source: Source,
    pack: Pack,
    issued_at: Option<Timestamp>,
    fetched_at: Timestamp,
    runs: Vec<Run>,
    slots: usize,
    columns: Vec<(Variable, Vec<Option<f32>>)>,
}

impl SeriesBuilder {
    pub fn new(source: Source, pack: Pack, fetched_at: Timestamp) -> Self {
        Self { source, pack, issued_at: None, fetched_at, runs: Vec::new(), slots: 0, columns: Vec::new() }
    }

    #[must_use]
    pub fn issued_at(mut self, at: Timestamp) -> Self {
        self.issued_at = Some(at);
        self
    }

    /// Appends the slots `(start in unix seconds, length in seconds)`, by time.
    pub fn slots(mut self, slots: impl IntoIterator<Item = (i64, u32)>) -> Result<Self, BadSeries> {
        let now = self.fetched_at.seconds();
        for (start, step_s) in slots {
            if !STEPS.contains(&step_s) {
                return Err(BadSeries::Step);
            }
            if !(-OLDEST_SLOT_S..=FURTHEST_SLOT_S).contains(&start.saturating_sub(now)) {
                return Err(BadSeries::ClockSkew);
            }
            self.slots += 1;
            if self.slots > MAX_SLOTS {
                return Err(BadSeries::TooLong);
            }
            match self.runs.last_mut() {
                Some(run) if start < run.end() => return Err(BadSeries::Unordered),
                Some(run) if start == run.end() && step_s == run.step_s => run.count += 1,
                _ => self.runs.push(Run { start, step_s, count: 1 }),
            }
            if self.runs.len() > MAX_RUNS {
                return Err(BadSeries::Unordered);
            }
        }
        Ok(self)
    }

    /// Sets one variable's values in the model's units, one per slot. Setting it again replaces it.
    pub fn column(
        mut self,
        variable: Variable,
        values: impl IntoIterator<Item = Option<f64>>,
    ) -> Result<Self, BadSeries> {
        let Some(storage) = variable.storage().filter(|_| variable.pack() == self.pack) else {
            return Err(BadSeries::Missing(variable));
        };
        let (mut present, mut impossible) = (0, 0);
        let mut column = Vec::with_capacity(self.slots);
        // One more than there are slots is enough to see that the length is wrong.
        for value in values.into_iter().take(self.slots + 1) {
            present += usize::from(value.is_some());
            let plausible = value
                .map(|value| value as f32)
                .filter(|value| value.is_finite() && (storage.min..=storage.max).contains(value));
            impossible += usize::from(value.is_some() && plausible.is_none());
            column.push(plausible.and_then(|value| normal(variable, value)));
        }
        if column.len() != self.slots {
            return Err(BadSeries::Length(variable));
        }
        if impossible * 10 > present {
            return Err(BadSeries::Implausible(variable));
        }
        self.columns.retain(|(other, _)| *other != variable);
        self.columns.push((variable, column));
        Ok(self)
    }

    /// Every variable of the pack must have been set (all absent is allowed where a provider lacks it), and
    /// pack `core` needs at least one temperature, any other at least one value.
    pub fn build(mut self) -> Result<Series, BadSeries> {
        let mut ordered = Vec::with_capacity(self.pack.variables().len());
        for variable in self.pack.variables() {
            let found = self.columns.iter().position(|(other, _)| other == variable);
            ordered.push(self.columns.swap_remove(found.ok_or(BadSeries::Missing(*variable))?));
        }
        // Providers pad their horizon with slots that hold nothing; they would only take memory.
        let known = |index: usize| ordered.iter().any(|(_, column)| column[index].is_some());
        let slots = (0..self.slots).rev().find(|index| known(*index)).map_or(0, |last| last + 1);
        let no_temperature = self.pack == Pack::Core
            && ordered
                .iter()
                .any(|(v, column)| *v == Variable::Temperature && column.iter().all(Option::is_none));
        if slots == 0 || no_temperature {
            return Err(BadSeries::Empty);
        }
        let mut values = Vec::new();
        for (variable, column) in &ordered {
            let storage = variable.storage().ok_or(BadSeries::Missing(*variable))?;
            column[..slots].iter().for_each(|value| storage.push(*value, &mut values));
        }
        Ok(Series {
            source: self.source,
            pack: self.pack,
            issued_at: self.issued_at,
            fetched_at: self.fetched_at,
            runs: shortened(&self.runs, slots),
            values: values.into_boxed_slice(),
        })
    }
}

/// The one way to write a value that has several: north is 0, not 360; saturated air is 100 %; a code that
/// we do not know says nothing.
fn normal(variable: Variable, value: f32) -> Option<f32> {
    match variable {
        Variable::WindDirection if value.round() >= 360.0 => Some(0.0),
        Variable::Humidity => Some(value.min(100.0)),
        Variable::WeatherCode => WeatherCode::from_number(value as u8).map(|_| value),
        _ => Some(value),
    }
}

/// The runs of the first `slots` slots.
fn shortened(runs: &[Run], slots: usize) -> Box<[Run]> {
    let mut left = slots as u32;
    let mut kept = Vec::with_capacity(runs.len());
    for run in runs {
        let count = run.count.min(left);
        if count > 0 {
            kept.push(Run { count, ..*run });
        }
        left -= count;
    }
    kept.into_boxed_slice()
}

#[cfg(test)]
#[path = "series_tests.rs"]
mod tests;
