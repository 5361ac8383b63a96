//! How high a point is that nobody gave a height for: the provider's answer, kept; it never changes.

use domain::Coordinates;
use quick_cache::sync::Cache;
use store::cells;

use crate::App;

/// Points remembered in memory.
const KEPT: usize = 50_000;
/// A neighbour this near may lend its height while the provider cannot be asked.
const NEIGHBOUR_M: f64 = 25_000.0;

/// A coordinate in hundredths of a degree: what leaves for the provider.
type Point = (i32, i32);

pub(crate) struct Elevations(Cache<Point, i32>);

impl Default for Elevations {
    fn default() -> Self {
        Self(Cache::new(KEPT))
    }
}

impl App {
    /// Metres above the sea: known, asked for, or, for now, those of the nearest place.
    pub(crate) async fn elevation(&self, at: Coordinates) -> f32 {
        let rounded = at.rounded(2);
        let point = ((rounded.lat() * 100.0).round() as i32, (rounded.lon() * 100.0).round() as i32);
        if let Some(metres) = self.elevations.0.get(&point) {
            return metres as f32;
        }
        let tag = self.index.cell_tag(format!("elevation {} {}", point.0, point.1).as_bytes()).to_be_bytes();
        let stored = self.store.read(async move |db| cells::elevation(db, &tag).await).await;
        let known = stored.ok().flatten().and_then(|metres| i32::try_from(metres).ok());
        let metres = match known {
            Some(metres) => metres,
            None => match self.weather.elevation(rounded).await {
                Some(metres) => {
                    let kept = i64::from(metres);
                    let kept =
                        self.store.write(async move |tx| cells::set_elevation(tx, &tag, kept).await).await;
                    if let Err(error) = kept {
                        tracing::warn!(%error, "an elevation could not be kept");
                    }
                    metres
                }
                // Not remembered: the provider may be back at the next request.
                None => return self.neighbour_elevation(at),
            },
        };
        self.elevations.0.insert(point, metres);
        metres as f32
    }

    fn neighbour_elevation(&self, at: Coordinates) -> f32 {
        let near = self.gazetteer.nearest(at).filter(|near| f64::from(near.distance_m) <= NEIGHBOUR_M);
        near.and_then(|near| near.place.elevation).unwrap_or(0) as f32
    }
}
