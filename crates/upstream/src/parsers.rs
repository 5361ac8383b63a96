//! What other people's servers answer, read as the adapters read it: for `crates/fuzzing`, which calls nobody. Nothing
//! else comes here.

use domain::Timestamp;
use domain::forecast::{Cell, Pack};
use reqwest::header::HeaderMap;

use crate::facebook::{self, Person};
use crate::http::Reply;
use crate::openid::{Answer, Metadata, ProviderError, discovery, exchange};
use crate::weather::open_meteo_wire as wire;
use crate::weather::{FetchError, Fetched};

/// Open-Meteo's answer to a question for these cells.
pub fn forecasts(status: u16, body: &[u8], cells: &[Cell], pack: Pack, now: Timestamp) -> Fetched {
    let reply = wire::check(Reply { status, headers: HeaderMap::new(), body: body.to_vec() })?;
    wire::forecasts(&reply.body, cells, pack, now)
}

/// Its answer to a question for so many heights.
pub fn elevations(body: &[u8], count: usize) -> Result<Vec<Option<f32>>, FetchError> {
    wire::elevations(body, count)
}

/// What an OpenID provider says of itself.
pub fn metadata(document: &[u8], issuer: &str) -> Result<Metadata, ProviderError> {
    discovery::read(document, issuer)
}

/// What it gives for a code.
pub fn tokens(body: &[u8]) -> Result<Answer, ProviderError> {
    exchange::read(body)
}

/// Whom Graph's two answers about an access token name.
pub fn person(app: &str, inspected: &[u8], person: &[u8]) -> Result<Person, ProviderError> {
    let inspected: facebook::Inspected = facebook::read(inspected)?;
    inspected.require_app(app)?;
    inspected.confirm(facebook::read(person)?)
}
