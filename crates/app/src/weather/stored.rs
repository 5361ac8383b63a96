//! Answers that outlive a process: in the cache that nodes share, where there is one, and in the database.

use std::sync::Arc;
use std::time::Duration;

use domain::forecast::{Cell, Freshness, Pack, Series};
use domain::{Result, Timestamp};
use store::cells;
use uuid::Uuid;

use super::cache::Entry;
use super::turns::release;
use super::{Wanted, Weather};

/// Cells kept of one call in one transaction, so that no request waits long behind it.
const STORED_AT_ONCE: usize = 25;
/// How long the shared cache keeps an answer. An older one is fetched anew before it is served, or comes out of the
/// database when that fails.
const SHARED_FOR: Duration = Duration::from_secs(3 * 60 * 60);

/// A cell and what is kept of it, from each source.
type Kept = (Wanted, Vec<Entry>);

impl Weather {
    /// Keeps answers for other nodes and for the next start, and gives back the claims on what was asked for.
    pub(super) async fn keep(
        &self,
        mut entries: Vec<Arc<Entry>>,
        mut claimed: Vec<String>,
        holder: Option<Uuid>,
    ) {
        // In one order on every node, as rows are locked by it.
        entries.sort_by_key(|entry| entry.cell);
        claimed.sort();
        if holder.is_none() {
            claimed.clear();
        }
        let mut rows: Vec<(String, Vec<u8>, Timestamp)> = entries
            .iter()
            .map(|entry| (stored_key(entry), entry.series.encode(), entry.series.fetched_at()))
            .collect();
        while !rows.is_empty() || !claimed.is_empty() {
            let rest = rows.split_off(rows.len().min(STORED_AT_ONCE));
            let chunk = std::mem::replace(&mut rows, rest);
            if let Some(cache) = self.shared.get().filter(|cache| cache.is_there() && !chunk.is_empty()) {
                let entries: Vec<_> =
                    chunk.iter().map(|(key, series, _)| (key.clone(), series.clone())).collect();
                cache.put(&entries, SHARED_FOR).await;
            }
            // With the last answers: a claim goes when what it was for can be read.
            let released = if rows.is_empty() { std::mem::take(&mut claimed) } else { Vec::new() };
            let latest = self.latest();
            let stored = self
                .store
                .write(async move |tx| {
                    let chunk: Vec<_> =
                        chunk.iter().map(|(key, series, at)| (key.as_str(), &series[..], *at)).collect();
                    cells::put_many(tx, &chunk, latest).await?;
                    release(tx, holder, &released).await
                })
                .await;
            if let Err(error) = stored {
                // The answer is in memory and was given; a restart would miss it, and other nodes ask for it when
                // the claim lapses.
                tracing::warn!(%error, "forecasts could not be kept in the database");
            }
        }
    }

    /// What is kept of each cell.
    pub(super) async fn read_stored(&self, missing: Vec<Wanted>) -> Result<Vec<Kept>> {
        let (mut found, missing) = self.read_shared(missing).await;
        if !missing.is_empty() {
            found.extend(self.read_database(missing).await?);
        }
        Ok(found)
    }

    /// What the shared cache has for each cell, and the cells for which the database is to be asked: those of which it
    /// has nothing fresh.
    async fn read_shared(&self, missing: Vec<Wanted>) -> (Vec<Kept>, Vec<Wanted>) {
        let Some(cache) = self.shared.get().filter(|cache| cache.is_there()) else {
            return (Vec::new(), missing);
        };
        let missing: Vec<(Wanted, Vec<String>)> = self.with_keys(missing);
        let keys: Vec<String> = missing.iter().flat_map(|(_, keys)| keys).cloned().collect();
        let now = self.clock.now();
        let (mut values, mut found, mut left) = (cache.get(&keys).await.into_iter(), Vec::new(), Vec::new());
        for (want, keys) in missing {
            let values: Vec<_> = values.by_ref().take(keys.len()).flatten().collect();
            let entries: Vec<Entry> = decoded(want.cell, values.iter().map(Vec::as_slice))
                // The cache may have missed the last answers, and the database has them.
                .filter(|entry| !self.memory.is_outdated(want.cell, &entry.series, self.latest()))
                .collect();
            if entries.iter().any(|entry| self.freshness(entry, now) <= Freshness::Ageing) {
                found.push((want, entries));
            } else {
                left.push(want);
            }
        }
        (found, left)
    }

    async fn read_database(&self, missing: Vec<Wanted>) -> Result<Vec<Kept>> {
        let keys = self.with_keys(missing);
        let found = self
            .store
            .read(async move |db| {
                let all: Vec<&str> = keys.iter().flat_map(|(_, keys)| keys).map(String::as_str).collect();
                let mut rows = cells::get_many(db, &all).await?.into_iter();
                let of = |(want, keys): &(Wanted, Vec<String>)| {
                    (*want, rows.by_ref().take(keys.len()).flatten().collect::<Vec<_>>())
                };
                Ok(keys.iter().map(of).collect::<Vec<_>>())
            })
            .await?;
        let decode = |(want, rows): (Wanted, Vec<(Vec<u8>, Timestamp)>)| {
            (want, decoded(want.cell, rows.iter().map(|(bytes, _)| bytes.as_slice())).collect())
        };
        Ok(found.into_iter().map(decode).collect())
    }

    /// Each cell with the keys of its answers, one for each source.
    fn with_keys(&self, wanted: Vec<Wanted>) -> Vec<(Wanted, Vec<String>)> {
        let sources: Vec<_> = self.providers.sources().collect();
        let keys =
            |want: &Wanted| sources.iter().map(|source| key(source.name(), want.pack, want.cell)).collect();
        wanted.into_iter().map(|want| (want, keys(&want))).collect()
    }
}

/// What does not decode (of another version, say) is as good as nothing.
fn decoded<'a>(cell: Cell, values: impl Iterator<Item = &'a [u8]>) -> impl Iterator<Item = Entry> {
    values.filter_map(|bytes| Series::decode(bytes).ok()).map(move |series| Entry::new(cell, series))
}

fn stored_key(entry: &Entry) -> String {
    key(entry.series.source().name(), entry.series.pack(), entry.cell)
}

/// What a cell's answer is stored and claimed under.
pub(super) fn key(source: &str, pack: Pack, cell: Cell) -> String {
    format!("{source}/{}/{cell}", pack.name())
}
