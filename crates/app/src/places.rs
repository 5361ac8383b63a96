//! Places of the gazetteer. Public: nobody is asked who they are, and nothing is kept of what was looked for.

use domain::{Coordinates, Error, Invalid, Result};
pub use gazetteer::Place;
use gazetteer::{Near, Query};

use crate::App;
use crate::caller::Client;

/// A search as it was asked for.
pub struct PlaceSearch {
    pub text: String,
    pub near: Option<Coordinates>,
    pub lang: Option<String>,
    pub limit: Option<u32>,
}

const USUAL: u32 = 10;
const MOST: u32 = 50;
const LONGEST: usize = 100;

impl App {
    pub fn search_places(&self, client: &Client, search: &PlaceSearch) -> Result<Vec<Place>> {
        self.limit_places(client)?;
        let limit = crate::caller::page_limit(search.limit, USUAL, MOST)?;
        if search.text.chars().count() > LONGEST {
            return Err(
                Invalid::new("?q", "too_long", format!("must be at most {LONGEST} characters")).into()
            );
        }
        let query = Query {
            text: &search.text,
            near: search.near,
            lang: search.lang.as_deref(),
            limit: limit as usize,
        };
        Ok(self.gazetteer.search(&query))
    }

    pub fn place(&self, client: &Client, id: u32) -> Result<Place> {
        self.limit_places(client)?;
        self.gazetteer.get(id).ok_or(Error::NotFound)
    }

    /// The place nearest to a point, with the distance in metres.
    pub fn nearest_place(&self, client: &Client, at: Coordinates) -> Result<Near> {
        self.limit_places(client)?;
        self.gazetteer.nearest(at).ok_or(Error::NotFound)
    }
}
