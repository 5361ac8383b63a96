//! Which weather concerns whom: the cells of connected accounts' favourites.

use std::time::Duration;

use domain::forecast::Cell;
use domain::{AccountId, FavouriteId, Result};

use crate::App;

/// How often [`App::watch_favourites`] is to run. Forecasts change by the hour; a hint that is a few seconds
/// late harms nobody.
pub const WATCH_EVERY: Duration = Duration::from_secs(5);
/// Accounts looked at in one go, so that ten thousand that connect at once do not all read at once.
const AT_ONCE: usize = 500;

impl App {
    /// Learns where the favourites of those are who have connected, or changed something, since the last time.
    /// Only the keys of cells are kept; names and exact places are opened here and forgotten.
    pub async fn watch_favourites(&self) -> Result<()> {
        for account in self.streams.take_outdated(AT_ONCE) {
            match self.cells_of(account).await {
                Ok(cells) => self.streams.watch(account, cells),
                Err(error) => {
                    tracing::debug!(%error, "the cells of an account could not be read; they are tried again");
                    self.streams.outdate(account);
                }
            }
        }
        Ok(())
    }

    async fn cells_of(&self, account: AccountId) -> Result<Vec<(Cell, FavouriteId)>> {
        let favourites = self.all_favourites(account).await?;
        let mut points = Vec::with_capacity(favourites.len());
        for favourite in &favourites {
            points.push((favourite.content.coordinates()?, favourite.content.elevation));
        }
        let unknown: Vec<_> =
            points.iter().filter(|(_, metres)| metres.is_none()).map(|(at, _)| *at).collect();
        let mut found = self.known_elevations(&unknown).await.into_iter();
        let cell = |(at, metres): (_, Option<i32>)| {
            let metres = metres.map_or_else(|| found.next().unwrap_or_default(), |metres| metres as f32);
            Cell::of(at, metres)
        };
        Ok(points.into_iter().map(cell).zip(favourites.iter().map(|favourite| favourite.id)).collect())
    }
}
