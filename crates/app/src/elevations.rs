//! How high points are that nobody gave a height for: the provider's answer, kept; it never changes.

use std::time::Duration;

use domain::Coordinates;
use quick_cache::sync::Cache;
use store::cells;

use crate::App;
use crate::caller::{Client, Principal};

/// Points remembered in memory.
const KEPT: usize = 50_000;
/// A neighbour this near may lend its height while the provider cannot be asked.
const NEIGHBOUR_M: f64 = 25_000.0;
/// A provider that takes longer is asked again at the next request.
const PATIENCE: Duration = Duration::from_millis(1500);

/// A coordinate in hundredths of a degree: what leaves for the provider.
type Point = (i32, i32);
type Tag = [u8; 8];

pub(crate) struct Elevations(Cache<Point, i32>);

impl Default for Elevations {
    fn default() -> Self {
        Self(Cache::new(KEPT))
    }
}

impl App {
    /// Metres above the sea of each point: known, asked for in one call, or, for now, those of the nearest place.
    pub(crate) async fn elevations(
        &self,
        principal: &Principal,
        client: &Client,
        points: &[Coordinates],
    ) -> Vec<f32> {
        let unknown = self.read_elevations(points).await;
        if !unknown.is_empty() {
            self.ask_elevations(principal, client, unknown).await;
        }
        self.best_elevations(points)
    }

    /// The same without asking anybody: what is known, or for now the height of the nearest place.
    pub(crate) async fn known_elevations(&self, points: &[Coordinates]) -> Vec<f32> {
        self.read_elevations(points).await;
        self.best_elevations(points)
    }

    fn best_elevations(&self, points: &[Coordinates]) -> Vec<f32> {
        let known = |at: &Coordinates| self.elevations.0.get(&point(at.rounded(2)));
        let best = |at| known(at).map_or_else(|| self.neighbour(*at), |metres| metres as f32);
        points.iter().map(best).collect()
    }

    /// Learns what the database knows of the points and tells which are still unknown, rounded, each once.
    async fn read_elevations(&self, points: &[Coordinates]) -> Vec<Coordinates> {
        let mut unknown: Vec<Coordinates> = Vec::new();
        for at in points {
            let rounded = at.rounded(2);
            if self.elevations.0.get(&point(rounded)).is_none() && !unknown.contains(&rounded) {
                unknown.push(rounded);
            }
        }
        if unknown.is_empty() {
            return unknown;
        }
        let tags: Vec<Tag> = unknown.iter().map(|at| self.elevation_tag(*at)).collect();
        let stored = self
            .store
            .read(async move |db| {
                let mut found = Vec::with_capacity(tags.len());
                for tag in &tags {
                    found.push(cells::elevation(db, tag).await?);
                }
                Ok(found)
            })
            .await
            .unwrap_or_default();
        let mut missing = Vec::new();
        for (n, at) in unknown.into_iter().enumerate() {
            match stored.get(n).copied().flatten().and_then(|metres| i32::try_from(metres).ok()) {
                Some(metres) => self.elevations.0.insert(point(at), metres),
                None => missing.push(at),
            }
        }
        missing
    }

    /// Asks the provider and keeps what it says.
    async fn ask_elevations(&self, principal: &Principal, client: &Client, missing: Vec<Coordinates>) {
        // A call that nobody made yet is paid for by who asks, like a cold cell.
        if self.limit_cold_cells(principal, client, 1).is_err() {
            return;
        }
        let Ok(told) = tokio::time::timeout(PATIENCE, self.weather.elevations(&missing)).await else {
            return;
        };
        let mut kept = Vec::new();
        for (at, metres) in missing.into_iter().zip(told) {
            // What nobody could tell is not remembered: the provider may know at the next request.
            if let Some(metres) = metres {
                self.elevations.0.insert(point(at), metres);
                kept.push((self.elevation_tag(at), i64::from(metres)));
            }
        }
        // In one order on every node: two that keep the same points must not wait for each other.
        kept.sort_unstable();
        let stored = self
            .store
            .write(async move |tx| {
                for (tag, metres) in &kept {
                    cells::set_elevation(tx, tag, *metres).await?;
                }
                Ok(())
            })
            .await;
        if let Err(error) = stored {
            tracing::warn!(%error, "elevations could not be kept");
        }
    }

    /// A keyed hash: the table must not tell which points people are interested in.
    fn elevation_tag(&self, at: Coordinates) -> Tag {
        let (lat, lon) = point(at);
        self.index.cell_tag(format!("elevation {lat} {lon}").as_bytes()).to_be_bytes()
    }

    fn neighbour(&self, at: Coordinates) -> f32 {
        let near = self.gazetteer.nearest(at).filter(|near| near.distance_m <= NEIGHBOUR_M);
        near.and_then(|near| near.place.elevation).unwrap_or(0) as f32
    }
}

fn point(rounded: Coordinates) -> Point {
    ((rounded.lat() * 100.0).round() as i32, (rounded.lon() * 100.0).round() as i32)
}
