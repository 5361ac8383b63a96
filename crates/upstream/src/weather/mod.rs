//! Weather providers behind one trait: they turn cells into [`Series`] or say precisely what went wrong.

pub mod open_meteo;
pub(crate) mod open_meteo_wire;
pub mod probe;
pub mod sandbox;
mod sandbox_climate;

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use domain::forecast::{BadSeries, Cell, LimitWindow, Outcome, Pack, Series, Source, Weight};
use domain::{Coordinates, Timestamp};

use crate::http::HttpError;

pub use open_meteo::{OpenMeteo, OpenMeteoSettings};
pub use probe::answers_within;
pub use sandbox::{Sandbox, Scenario};

/// What one provider answered for one cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub series: Series,
    /// When the provider wants to be asked again at the earliest (MET Norway); `None` leaves it to
    /// [`domain::forecast::TtlPolicy`].
    pub expires_at: Option<Timestamp>,
}

/// One [`Answer`] or error per cell asked for, in the same order. The outer error concerns the whole call.
pub type Fetched = Result<Vec<Result<Answer, FetchError>>, FetchError>;

/// A source of forecasts. Asking is all it does: caching, budgets and breakers are the caller's.
pub trait WeatherProvider: Send + Sync {
    fn source(&self) -> Source;

    /// The most cells that one [`fetch`](Self::fetch) asks for in one request; more make several requests.
    fn batch(&self) -> usize;

    /// What a fetch of so many cells will be charged by the provider.
    fn weight(&self, cells: usize, pack: Pack) -> Weight;

    /// Fetches `pack` for every cell. One bad location does not fail the others where the answer allows.
    fn fetch<'a>(
        &'a self,
        cells: &'a [Cell],
        pack: Pack,
        now: Timestamp,
    ) -> Pin<Box<dyn Future<Output = Fetched> + Send + 'a>>;

    /// Metres above sea level of each point, as the provider's terrain has it, in the order asked; `None` where it
    /// cannot tell, or not now.
    fn elevations<'a>(
        &'a self,
        points: &'a [Coordinates],
    ) -> Pin<Box<dyn Future<Output = Vec<Option<i32>>> + Send + 'a>>;
}

/// Why there is no forecast. Texts are for operators; none holds a coordinate or a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// 429.
    #[error("the provider's limit is used up ({window:?})")]
    Limited { window: LimitWindow, retry_after: Option<Duration> },
    #[error("the provider fails with {status}")]
    Server { status: u16 },
    /// HTML, an unasked redirect or 304, an empty body: something other than the provider's API answered.
    #[error("the answer ({status}) is not data")]
    NotData { status: u16 },
    /// JSON that is not what was asked for, or cut off.
    #[error("the answer is malformed: {0}")]
    Malformed(Cow<'static, str>),
    #[error("the answer is larger than it may be")]
    TooLarge,
    #[error("no answer in time")]
    Timeout,
    /// 4xx: the provider does not accept this request.
    #[error("the provider refuses with {status}: {reason}")]
    Refused { status: u16, reason: String },
    #[error("no connection to the provider")]
    Unreachable,
    /// The configured host points to an address that may not be reached.
    #[error("the provider's host has a private address and is not allowed in the configuration")]
    Blocked,
}

impl FetchError {
    /// What the breaker of `source` should make of it.
    pub fn outcome(&self, source: Source) -> Outcome {
        match self {
            Self::Limited { window, retry_after } => {
                Outcome::Limited { window: *window, retry_after: *retry_after }
            }
            // At MET Norway a 403 can be a ban, and asking on makes it permanent.
            Self::Refused { status: 403, .. } if source == Source::MetNorway => Outcome::Banned,
            // A wrong key or plan fails every request, not only this one.
            Self::Refused { status: 401 | 403, .. } => Outcome::Fault,
            Self::Refused { .. } => Outcome::Neutral,
            Self::Server { .. }
            | Self::NotData { .. }
            | Self::Malformed(_)
            | Self::TooLarge
            | Self::Timeout
            | Self::Unreachable
            | Self::Blocked => Outcome::Fault,
        }
    }
}

/// What the breaker should make of a whole fetch: good for one cell is good.
pub fn outcome(fetched: &Fetched, source: Source) -> Outcome {
    match fetched {
        Err(error) => error.outcome(source),
        Ok(answers) => {
            let errors = answers.iter().map(|answer| answer.as_ref().err());
            match errors.collect::<Option<Vec<_>>>() {
                Some(errors) => errors.first().map_or(Outcome::Success, |error| error.outcome(source)),
                None => Outcome::Success,
            }
        }
    }
}

impl From<HttpError> for FetchError {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Blocked => Self::Blocked,
            HttpError::Timeout => Self::Timeout,
            HttpError::Unreachable => Self::Unreachable,
            HttpError::TooLarge => Self::TooLarge,
            HttpError::Broken => Self::Malformed("the answer breaks off or cannot be decompressed".into()),
        }
    }
}

impl From<BadSeries> for FetchError {
    fn from(bad: BadSeries) -> Self {
        Self::Malformed(bad.to_string().into())
    }
}
