//! A series as bytes: the last good answer survives a restart and travels to a shared cache.

use super::provider::{Pack, Source};
use super::series::{ABSENT_NARROW, ABSENT_WIDE, BadSeries, MAX_RUNS, MAX_SLOTS, Run, STEPS, Series};
use crate::Timestamp;

/// The first byte. A reader that knows another version treats the answer as absent and fetches anew.
const VERSION: u8 = 1;
const NOT_ISSUED: i64 = i64::MIN;
/// Moments outside this are not moments of a forecast (years 1970 to 2242), in milliseconds.
const MOMENTS: std::ops::RangeInclusive<i64> = 0..=8_589_934_592_000;

impl Series {
    /// version, source, pack: one byte each; issued_at, fetched_at: i64 ms; number of runs: u8; each run:
    /// start i64 s, step u32 s, count u32; then the columns. All little endian.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(20 + self.runs.len() * 16 + self.values.len());
        bytes.extend_from_slice(&[VERSION, self.source as u8, self.pack as u8]);
        bytes.extend_from_slice(&self.issued_at.map_or(NOT_ISSUED, Timestamp::millis).to_le_bytes());
        bytes.extend_from_slice(&self.fetched_at.millis().to_le_bytes());
        bytes.push(self.runs.len() as u8);
        for run in &self.runs {
            bytes.extend_from_slice(&run.start.to_le_bytes());
            bytes.extend_from_slice(&run.step_s.to_le_bytes());
            bytes.extend_from_slice(&run.count.to_le_bytes());
        }
        bytes.extend_from_slice(&self.values);
        bytes
    }

    /// Reads [`Series::encode`]'s bytes; [`BadSeries::Damaged`] for anything else. The result keeps every
    /// promise that a built series keeps, whatever the bytes were.
    pub fn decode(bytes: &[u8]) -> Result<Self, BadSeries> {
        read(bytes).ok_or(BadSeries::Damaged)
    }
}

fn read(mut bytes: &[u8]) -> Option<Series> {
    let [version, source, pack] = take(&mut bytes)?;
    if version != VERSION {
        return None;
    }
    let (source, pack) = (Source::from_byte(source)?, Pack::from_byte(pack)?);
    let issued = i64::from_le_bytes(take(&mut bytes)?);
    let fetched = i64::from_le_bytes(take(&mut bytes)?);
    if !MOMENTS.contains(&fetched) || (issued != NOT_ISSUED && !MOMENTS.contains(&issued)) {
        return None;
    }
    let [count] = take(&mut bytes)?;
    if count == 0 || usize::from(count) > MAX_RUNS {
        return None;
    }
    let mut runs = Vec::with_capacity(usize::from(count));
    let mut slots = 0;
    for _ in 0..count {
        let run = Run {
            start: i64::from_le_bytes(take(&mut bytes)?),
            step_s: u32::from_le_bytes(take(&mut bytes)?),
            count: u32::from_le_bytes(take(&mut bytes)?),
        };
        let possible = MOMENTS.contains(&run.start.checked_mul(1000)?)
            && STEPS.contains(&run.step_s)
            && (1..=MAX_SLOTS as u32).contains(&run.count)
            && runs.last().is_none_or(|last: &Run| last.end() <= run.start);
        slots += run.count as usize;
        if !possible || slots > MAX_SLOTS {
            return None;
        }
        runs.push(run);
    }
    sound_values(bytes, pack, slots).then(|| Series {
        source,
        pack,
        issued_at: (issued != NOT_ISSUED).then(|| Timestamp::from_millis(issued)),
        fetched_at: Timestamp::from_millis(fetched),
        runs: runs.into_boxed_slice(),
        values: bytes.into(),
    })
}

/// Whether the columns have exactly the right length and every value is absent or possible.
fn sound_values(mut bytes: &[u8], pack: Pack, slots: usize) -> bool {
    for variable in pack.variables() {
        let Some(storage) = variable.storage() else { return false };
        let Some((column, rest)) = bytes.split_at_checked(slots * storage.bytes()) else { return false };
        let (low, high) = ((storage.min * storage.per_unit).floor(), (storage.max * storage.per_unit).ceil());
        let possible = |raw: f32| (low..=high).contains(&raw);
        let sound = if storage.wide {
            column.chunks_exact(2).all(|pair| {
                let raw = i16::from_le_bytes([pair[0], pair[1]]);
                raw == ABSENT_WIDE || possible(f32::from(raw))
            })
        } else {
            column.iter().all(|raw| *raw == ABSENT_NARROW || possible(f32::from(*raw)))
        };
        if !sound {
            return false;
        }
        bytes = rest;
    }
    bytes.is_empty()
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*head)
}
