//! What weather services answer, and what is kept of it.

use std::sync::LazyLock;

use domain::Coordinates;
use domain::forecast::{Cell, Pack, Series};
use serde_json::json;
use upstream::parsers;

use crate::NOW;

static CELL: LazyLock<Cell> =
    LazyLock::new(|| Cell::of(Coordinates::parse(47.05, 8.3).expect("on earth"), 430.0));

/// Open-Meteo's answer for one place and for two.
pub fn forecast_answer(input: &[u8]) {
    for pack in [Pack::Core, Pack::Detail] {
        for (status, cells) in [(200, vec![*CELL]), (200, vec![*CELL, *CELL]), (429, vec![*CELL])] {
            let Ok(answers) = parsers::forecasts(status, input, &cells, pack, NOW) else { continue };
            assert_eq!((answers.len(), status), (cells.len(), 200));
            for answer in answers.into_iter().flatten() {
                check(&answer.series, pack);
            }
        }
    }
    if let Err(error) = parsers::forecasts(429, input, &[*CELL], Pack::Core, NOW) {
        assert!(error.to_string().chars().count() <= 300, "an operator is told a line");
    }
}

/// What holds for every series, wherever it comes from.
fn check(series: &Series, pack: Pack) {
    assert_eq!(series.pack(), pack);
    assert!(!series.is_empty() && series.heap_bytes() <= 64 * 1024);
    let slots: Vec<_> = series.slots().collect();
    assert_eq!(slots.len(), series.len());
    assert!(slots.windows(2).all(|pair| pair[0].end() <= pair[1].start), "slots follow each other");
    for variable in pack.variables() {
        let column = series.column(*variable).expect("a column of its pack");
        for index in 0..series.len() {
            assert!(column.get(index).is_none_or(f32::is_finite));
        }
    }
    let bytes = series.encode();
    assert_eq!(Series::decode(&bytes).as_ref(), Ok(series), "what is stored reads back");
}

/// The elevation service's answer.
pub fn elevations(input: &[u8]) {
    for count in 0..4 {
        let Ok(heights) = parsers::elevations(input, count) else { continue };
        assert_eq!(heights.len(), count);
        assert!(heights.into_iter().flatten().all(|metres| (-500.0..=9000.0).contains(&metres)));
    }
}

/// A forecast out of a cache or the database, and the name of a cell.
pub fn stored_forecast(input: &[u8]) {
    if let Ok(series) = Series::decode(input) {
        check(&series, series.pack());
        assert_eq!(series.encode(), input, "one spelling");
    }
    if let Some(cell) = crate::text(input).and_then(Cell::parse) {
        assert_eq!(cell.to_string().as_bytes(), input);
        assert_eq!(Cell::from_key(cell.key()), Some(cell));
        let centre = cell.centre();
        assert!(json!([centre.lat(), centre.lon()]).as_array().is_some_and(|both| !both[0].is_null()));
    }
}
