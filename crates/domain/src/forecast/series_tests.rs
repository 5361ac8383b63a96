use proptest::prelude::*;

use super::*;

const NOW: i64 = 1_795_253_296;

fn start() -> i64 {
    NOW - NOW.rem_euclid(86_400)
}

/// A core series of `hours` hours in which every value is `value(variable, index)`.
fn core(hours: i64, value: impl Fn(Variable, i64) -> Option<f64>) -> Result<Series, BadSeries> {
    let mut builder = SeriesBuilder::new(Source::OpenMeteo, Pack::Core, Timestamp::from_seconds(NOW))
        .slots((0..hours).map(|hour| (start() + hour * 3600, 3600)))?;
    for variable in Pack::Core.variables() {
        builder = builder.column(*variable, (0..hours).map(|hour| value(*variable, hour)))?;
    }
    builder.build()
}

#[test]
fn fourteen_days_of_core_fit_the_memory_set_aside_for_a_cell() {
    let series = core(14 * 24, |_, hour| Some(hour as f64 % 10.0 / 10.0)).expect("sound");
    assert_eq!(series.len(), 336);
    assert_eq!(series.heap_bytes(), 336 * 16 + 16);
    assert!(series.heap_bytes() + size_of::<Series>() <= 6656);
}

#[test]
fn absent_is_neither_zero_nor_lost() {
    let series = core(24, |variable, hour| match (variable, hour) {
        (Variable::Precipitation, 3) => None,
        (Variable::Precipitation, _) => Some(0.0),
        (Variable::Temperature, 5) => Some(f64::NAN),
        (Variable::Temperature, hour) => Some(-12.34 + hour as f64),
        (Variable::WindDirection, _) => Some(360.0),
        (Variable::Humidity, _) => Some(100.4),
        (Variable::WeatherCode, 2) => Some(10.0),
        (Variable::WeatherCode, _) => Some(61.0),
        _ => None,
    })
    .expect("sound");
    let at = |variable, index| series.column(variable).expect("in core").get(index);
    assert_eq!(at(Variable::Precipitation, 2), Some(0.0));
    assert_eq!(at(Variable::Precipitation, 3), None);
    assert_eq!(at(Variable::Temperature, 0), Some(-12.34));
    assert_eq!(at(Variable::Temperature, 5), None);
    assert_eq!(at(Variable::Temperature, 24), None);
    assert_eq!(at(Variable::WindDirection, 0), Some(0.0));
    assert_eq!(at(Variable::Humidity, 0), Some(100.0));
    assert_eq!(at(Variable::WeatherCode, 2), None);
    assert_eq!(at(Variable::WindGust, 0), None);
    assert!(series.column(Variable::Pressure).is_none());
}

#[test]
fn a_bad_answer_is_refused_as_what_it_is() {
    let whole = |variable: Variable, _| variable.storage().map(|storage| f64::from(storage.min));
    assert_eq!(core(0, whole).err(), Some(BadSeries::Empty));
    assert_eq!(core(24, |_, _| None).err(), Some(BadSeries::Empty));
    let no_temperature =
        |variable, hour| if variable == Variable::Temperature { None } else { whole(variable, hour) };
    assert_eq!(core(24, no_temperature).err(), Some(BadSeries::Empty));
    assert_eq!(core(481, whole).err(), Some(BadSeries::TooLong));
    let fahrenheit =
        |variable, hour| if variable == Variable::Temperature { Some(70.0) } else { whole(variable, hour) };
    assert_eq!(core(24, fahrenheit).err(), Some(BadSeries::Implausible(Variable::Temperature)));

    let builder = || SeriesBuilder::new(Source::Nws, Pack::Core, Timestamp::from_seconds(NOW));
    for (slots, error) in [
        (vec![(start(), 3600), (start(), 3600)], BadSeries::Unordered),
        (vec![(start() + 3600, 3600), (start(), 3600)], BadSeries::Unordered),
        (vec![(start(), 10_800), (start() + 3600, 3600)], BadSeries::Unordered),
        (vec![(start(), 1800)], BadSeries::Step),
        (vec![(start() - 4 * 86_400, 3600)], BadSeries::ClockSkew),
        (vec![(start() + 21 * 86_400, 3600)], BadSeries::ClockSkew),
        (vec![(i64::MIN, 3600)], BadSeries::ClockSkew),
    ] {
        assert_eq!(builder().slots(slots).err(), Some(error));
    }
    let two = || builder().slots([(start(), 3600), (start() + 3600, 3600)]).expect("two slots");
    for length in [0, 1, 3, 1000] {
        let column = two().column(Variable::Temperature, vec![Some(1.0); length]);
        assert_eq!(column.err(), Some(BadSeries::Length(Variable::Temperature)));
    }
    assert_eq!(
        two().column(Variable::Pressure, [None, None]).err(),
        Some(BadSeries::Missing(Variable::Pressure))
    );
    assert_eq!(two().build().err(), Some(BadSeries::Missing(Variable::Temperature)));
}

#[test]
fn slots_of_several_lengths_and_gaps_are_found_by_time() {
    let mut slots: Vec<(i64, u32)> = (0..3).map(|hour| (start() + hour * 3600, 3600)).collect();
    slots.extend([(start() + 5 * 3600, 10_800), (start() + 8 * 3600, 21_600), (start() + 14 * 3600, 21_600)]);
    let mut builder = SeriesBuilder::new(Source::MetNorway, Pack::Core, Timestamp::from_seconds(NOW))
        .slots(slots.clone())
        .expect("ordered");
    for variable in Pack::Core.variables() {
        builder = builder.column(*variable, (0..6).map(|index| Some(f64::from(index) / 8.0))).expect("sound");
    }
    let series = builder.build().expect("sound");
    assert_eq!(series.slots().map(|slot| (slot.start, slot.step_s)).collect::<Vec<_>>(), slots);
    let index_at = |hour: f64| series.slot_at(start() + (hour * 3600.0) as i64).map(|slot| slot.index);
    assert_eq!(index_at(-0.1), None);
    assert_eq!(index_at(0.0), Some(0));
    assert_eq!(index_at(2.9), Some(2));
    assert_eq!(index_at(3.0), None);
    assert_eq!(series.first_ending_after(start() + 3 * 3600).map(|slot| slot.index), Some(3));
    assert_eq!(index_at(7.9), Some(3));
    assert_eq!(index_at(13.9), Some(4));
    assert_eq!(index_at(14.0), Some(5));
    assert_eq!(index_at(20.0), None);
}

#[test]
fn slots_that_hold_nothing_at_the_end_are_dropped() {
    let series = core(48, |_, hour| (hour < 30).then_some(1.0)).expect("sound");
    assert_eq!(series.len(), 30);
    assert_eq!(series.column(Variable::Temperature).expect("core").get(29), Some(1.0));
    assert_eq!(series.column(Variable::WindGust).expect("core").get(29), Some(1.0));
}

#[test]
fn bytes_of_another_version_or_length_are_refused() {
    let bytes = core(30, |_, _| Some(1.0)).expect("sound").encode();
    assert!(Series::decode(&bytes).is_ok());
    for length in 0..bytes.len() {
        assert_eq!(Series::decode(&bytes[..length]), Err(BadSeries::Damaged));
    }
    for (index, byte) in [(0, 2), (1, 0), (1, 77), (2, 3), (19, 0), (19, 255)] {
        let mut damaged = bytes.clone();
        damaged[index] = byte;
        assert_eq!(Series::decode(&damaged), Err(BadSeries::Damaged), "byte {index}");
    }
    let longer: Vec<u8> = bytes.into_iter().chain([0]).collect();
    assert_eq!(Series::decode(&longer), Err(BadSeries::Damaged));
}

proptest! {
    #[test]
    fn a_series_survives_being_stored(
        values in prop::collection::vec(prop::option::of(0.0..94.0f64), 24..400),
        issued in any::<bool>(),
    ) {
        let hours = values.len() as i64;
        let Ok(mut series) = core(hours, |variable, hour| {
            let value = values[(hour as usize + variable as usize) % values.len()]?;
            Some(if variable == Variable::Temperature { value / 2.0 } else { value })
        }) else { return Ok(()) };
        series.issued_at = issued.then(|| Timestamp::from_seconds(NOW - 60));
        let stored = Series::decode(&series.encode());
        prop_assert_eq!(stored.as_ref(), Ok(&series));
        // What was stored is what was given, to the variable's resolution.
        for variable in Pack::Core.variables() {
            let column = series.column(*variable).expect("core");
            let resolution = f64::from(1.0 / variable.storage().expect("stored").per_unit);
            for slot in series.slots() {
                let given = values[(slot.index + *variable as usize) % values.len()];
                let given = given.map(|value| if *variable == Variable::Temperature { value / 2.0 } else { value });
                if let (Some(given), Some(stored)) = (given, column.get(slot.index)) {
                    prop_assert!((f64::from(stored) - given).abs() <= resolution * 0.51);
                } else if *variable != Variable::WeatherCode {
                    prop_assert_eq!(given.is_some(), column.get(slot.index).is_some());
                }
            }
        }
    }

    #[test]
    fn damaged_bytes_never_panic_and_never_break_a_promise(
        flips in prop::collection::vec((0..700usize, any::<u8>()), 1..8),
    ) {
        let mut bytes = core(40, |_, hour| Some(hour as f64)).expect("sound").encode();
        for (index, byte) in flips {
            let length = bytes.len();
            bytes[index % length] = byte;
        }
        if let Ok(series) = Series::decode(&bytes) {
            prop_assert!(!series.is_empty() && series.len() <= MAX_SLOTS);
            prop_assert!(series.slots().is_sorted_by(|a, b| a.end() <= b.start));
            for variable in series.pack().variables() {
                let column = series.column(*variable).expect("in the pack");
                prop_assert!(series.slots().all(|slot| column.get(slot.index).is_none_or(f32::is_finite)));
            }
        }
    }

    #[test]
    fn a_slot_is_found_exactly_for_its_own_seconds(at in -4000..90_000i64) {
        let series = core(24, |_, _| Some(1.0)).expect("sound");
        let found = series.slot_at(start() + at);
        prop_assert_eq!(found.map(|slot| slot.index as i64), (0..86_400).contains(&at).then_some(at / 3600));
        if let Some(slot) = found {
            prop_assert!(slot.start <= start() + at && start() + at < slot.end());
        }
    }
}
