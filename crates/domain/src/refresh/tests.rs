//! Every rule of refresh, as a property over random schedules, and the proof that each property bites: a
//! wrong variant of the rules fails it.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::session::{Limits, SessionKind};

type Rules = fn(Refresh, Generation, ClientTag, Timestamp) -> Outcome;
/// What a property draws its choices from: an action and a number of milliseconds.
type Schedule = [(u8, u32)];
type Property = fn(Rules, &Schedule) -> Result<(), String>;

const START: Timestamp = Timestamp::from_seconds(1_795_000_000);
const PHONE: ClientTag = ClientTag(*b"phone   ");
const THIEF: ClientTag = ClientTag(*b"thief   ");
const MINUTE: Duration = Duration::from_secs(60);

fn begin() -> Refresh {
    Refresh::begin(Lifetime::begin(Limits::of(SessionKind::Bearer, false), START), PHONE, START)
}

fn numbered(number: u64) -> Generation {
    Generation::new(number).unwrap_or(Generation::FIRST)
}

/// The state after an answer that hands out a token, or why there is none.
fn granted(outcome: Outcome) -> Result<Refresh, String> {
    match outcome {
        Outcome::Rotate { state, .. } | Outcome::SameSuccessor { state } => Ok(state),
        refused => Err(format!("{refused:?}")),
    }
}

fn confirmed(state: Refresh) -> Refresh {
    state.confirm(state.generation).unwrap_or(state)
}

/// Whatever is presented, in whatever order: a generation has one successor, and only one token is live.
fn one_live_successor(rules: Rules, schedule: &Schedule) -> Result<(), String> {
    let (mut state, mut now) = (begin(), START);
    let mut successors = std::collections::BTreeMap::new();
    for (action, wait) in schedule {
        now = now.plus(Duration::from_millis(u64::from(*wait)));
        let presented = numbered(state.generation.number().saturating_sub(u64::from(action % 3)).max(1));
        if action % 5 == 0 {
            state = confirmed(state);
        }
        let newest = state.generation;
        match rules(state, presented, PHONE, now) {
            Outcome::Rotate { state: next, .. } if presented == newest => state = next,
            Outcome::SameSuccessor { state: next } if presented < newest => state = next,
            Outcome::Revoke(_) | Outcome::Expired(_) => return Ok(()),
            odd => return Err(format!("{presented:?} at {newest:?}: {odd:?}")),
        }
        let successor = *successors.entry(presented).or_insert(state.generation);
        if successor != state.generation || state.generation != presented.next() {
            return Err(format!("{presented:?} got {successor:?} and {:?}", state.generation));
        }
    }
    Ok(())
}

/// A phone loses answers, at most twelve a day that count, and waits any time before it asks again.
fn a_flaky_network_logs_nobody_out(rules: Rules, schedule: &Schedule) -> Result<(), String> {
    let (mut state, mut now) = (begin(), START);
    let mut held = state.generation;
    let mut lost_today = 0;
    let mut day = START;
    for (action, wait) in schedule {
        // Up to three weeks in a tunnel, within every limit of the session.
        let wait = Duration::from_millis(u64::from(*wait)) * u32::from(action / 16);
        now = now.plus(wait.min(MINUTE * 60 * 24 * 20));
        if now.since(START) > MINUTE * 60 * 24 * 150 {
            return Ok(());
        }
        if now.since(day) > REPLAY_WINDOW {
            (day, lost_today) = (now, 0);
        }
        state = granted(rules(state, held, PHONE, now))?;
        let is_lost = action % 2 == 0 && lost_today < u32::from(MOST_REPLAYS) / 2;
        if is_lost {
            lost_today += 1;
            // The client of the platform tries three times at once before it gives up.
            for _ in 0..3 {
                now = now.plus(Duration::from_secs(3));
                state = granted(rules(state, held, PHONE, now))?;
            }
        } else {
            held = state.generation;
            state = confirmed(state);
        }
    }
    Ok(())
}

/// Two tabs refresh side by side, and the first already uses what it got.
fn parallel_refreshes_agree(rules: Rules, schedule: &Schedule) -> Result<(), String> {
    let (mut state, mut now) = (begin(), START);
    for (_, wait) in schedule.iter().take(usize::from(MOST_REPLAYS)) {
        let held = state.generation;
        now = now.plus(MINUTE * 10);
        state = confirmed(granted(rules(state, held, PHONE, now))?);
        let first = state.generation;
        now = now.plus(Duration::from_millis(u64::from(wait % 30_001)));
        state = granted(rules(state, held, PHONE, now))?;
        if state.generation != first {
            return Err(format!("{first:?} and {:?}", state.generation));
        }
    }
    Ok(())
}

/// A copy is used by somebody else, at any rhythm slower than the parallel window.
fn a_thief_is_caught(rules: Rules, schedule: &Schedule) -> Result<(), String> {
    let (mut state, mut now) = (begin(), START);
    let mut held = [state.generation; 2];
    let mut turns = [0, 0];
    for (action, wait) in schedule {
        let who = usize::from(action % 2);
        now = now.plus(PARALLEL_WINDOW + Duration::from_millis(1 + u64::from(wait % 3_600_000)));
        match rules(state, held[who], [PHONE, THIEF][who], now) {
            Outcome::Revoke(_) => return Ok(()),
            outcome => state = confirmed(granted(outcome)?),
        }
        held[who] = state.generation;
        turns[who] += 1;
        if turns[0] > 0 && turns[1] > 0 {
            return Err(format!("both refreshed: {turns:?}"));
        }
    }
    Ok(())
}

/// The thief knows the rhythm and asks one second after each refresh of the victim, all day.
fn a_shadow_is_caught(rules: Rules, _: &Schedule) -> Result<(), String> {
    let (mut state, mut now) = (begin(), START);
    for round in 0..=MOST_REPLAYS {
        let held = state.generation;
        now = now.plus(MINUTE * 10);
        state = granted(rules(state, held, PHONE, now))?;
        now = now.plus(Duration::from_secs(1));
        match rules(state, held, THIEF, now) {
            Outcome::Revoke(Reason::TooManyReplays) if round == MOST_REPLAYS => return Ok(()),
            outcome => state = confirmed(granted(outcome)?),
        }
    }
    Err(String::from("never caught"))
}

/// Two or more behind ends the session, at once and later.
fn older_reuse_ends_the_session(rules: Rules, schedule: &Schedule) -> Result<(), String> {
    let (mut state, mut now) = (begin(), START);
    for (action, wait) in schedule {
        let held = state.generation;
        state = granted(rules(state, held, PHONE, now))?;
        now = now.plus(Duration::from_millis(u64::from(wait % 60_000)));
        if let Some(older) = state.generation.number().checked_sub(2 + u64::from(action % 4))
            && let Some(older) = Generation::new(older)
        {
            match rules(state, older, PHONE, now) {
                Outcome::Revoke(Reason::Reuse) => {}
                odd => return Err(format!("{older:?} at {:?}: {odd:?}", state.generation)),
            }
        }
    }
    Ok(())
}

/// Rotating, replaying and confirming at any rhythm does not carry a session past its absolute limit.
fn the_absolute_limit_holds(rules: Rules, schedule: &Schedule) -> Result<(), String> {
    let (mut state, mut now) = (begin(), START);
    let end = START.plus(MINUTE * 60 * 24 * 180);
    for (_, wait) in schedule.iter().cycle().take(10_000) {
        now = now.plus(MINUTE * 60 + Duration::from_millis(u64::from(*wait)));
        match rules(state, state.generation, PHONE, now) {
            Outcome::Expired(Expiry::Absolute) if now >= end => return Ok(()),
            outcome => state = confirmed(granted(outcome)?),
        }
        if now >= end || state.lifetime.ends_at() > end {
            return Err(format!("{:?} past the end", now.since(end)));
        }
    }
    // A schedule without steps never gets there.
    Ok(())
}

/// An idle session ends, however young.
fn the_idle_limit_holds(rules: Rules, schedule: &Schedule) -> Result<(), String> {
    let late = schedule.first().map_or(0, |(_, wait)| *wait);
    let now = START.plus(MINUTE * 60 * 24 * 60 + Duration::from_millis(u64::from(late)));
    match rules(begin(), Generation::FIRST, PHONE, now) {
        Outcome::Expired(Expiry::Idle) => Ok(()),
        odd => Err(format!("{odd:?}")),
    }
}

/// The database is restored from a backup; clients hold tokens of generations it never saw.
fn a_rewound_database_is_no_reuse(rules: Rules, schedule: &Schedule) -> Result<(), String> {
    let (mut state, mut now) = (begin(), START);
    let mut backup = state;
    for (action, wait) in schedule {
        now = now.plus(Duration::from_millis(u64::from(*wait)));
        let held = state.generation;
        state = granted(rules(state, held, PHONE, now))?;
        if action % 2 == 0 {
            state = confirmed(state);
        }
        if action % 4 == 0 {
            backup = state;
        }
        if action % 16 == 1 {
            let held = state.generation;
            match rules(backup, held, PHONE, now) {
                Outcome::Rotate { state: next, ahead } if ahead == (held > backup.generation) => {
                    state = next;
                }
                odd => return Err(format!("{held:?} at {:?}: {odd:?}", backup.generation)),
            }
            // And the answer to that gets lost as well.
            state = granted(rules(state, held, PHONE, now.plus(MINUTE)))?;
            now = now.plus(MINUTE);
            state.replays = Replays::default();
            backup = state;
        }
    }
    Ok(())
}

const PROPERTIES: [(&str, Property); 9] = [
    ("one live successor", one_live_successor),
    ("flaky network", a_flaky_network_logs_nobody_out),
    ("parallel refreshes", parallel_refreshes_agree),
    ("thief", a_thief_is_caught),
    ("shadow", a_shadow_is_caught),
    ("older reuse", older_reuse_ends_the_session),
    ("absolute limit", the_absolute_limit_holds),
    ("idle limit", the_idle_limit_holds),
    ("rewound database", a_rewound_database_is_no_reuse),
];

/// Runs one property on the same few hundred schedules every time.
fn check(property: Property, rules: Rules) -> Result<(), String> {
    let config = Config { cases: 256, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(
        config,
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let schedules = vec((any::<u8>(), 0..40_000_000_u32), 1..60);
    runner
        .run(&schedules, |schedule| property(rules, &schedule).map_err(TestCaseError::fail))
        .map_err(|failure| failure.to_string())
}

#[test]
fn the_rules_have_every_property() {
    for (name, property) in PROPERTIES {
        if let Err(failure) = check(property, Refresh::present) {
            panic!("{name}: {failure}");
        }
    }
}

/// The right rules, except that `presented` one behind is answered by `instead` where it would be granted.
fn one_behind(
    instead: fn(Refresh, ClientTag, Timestamp) -> Outcome,
) -> impl Fn(Refresh, Generation, ClientTag, Timestamp) -> Outcome {
    move |state, presented, client, now| match state.present(presented, client, now) {
        Outcome::SameSuccessor { .. } => instead(state, client, now),
        outcome => outcome,
    }
}

const WRONG: [(&str, &str, Rules); 10] = [
    ("strict rotation", "flaky network", |state, presented, client, now| {
        one_behind(|_, _, _| Outcome::Revoke(Reason::Reuse))(state, presented, client, now)
    }),
    ("a fork for each replay", "one live successor", |state, presented, client, now| {
        one_behind(|state, client, now| Outcome::SameSuccessor {
            state: state.rotated(state.generation, client, now),
        })(state, presented, client, now)
    }),
    ("only the window of 30 s", "flaky network", |state, presented, client, now| {
        Refresh { confirmed: true, ..state }.present(presented, client, now)
    }),
    ("no window for parallel refreshes", "parallel refreshes", |state, presented, client, now| {
        let early = Refresh { rotated_at: state.rotated_at.minus(PARALLEL_WINDOW + MINUTE), ..state };
        early.present(presented, client, now)
    }),
    ("one behind for ever", "thief", |state, presented, client, now| {
        Refresh { confirmed: false, ..state }.present(presented, client, now)
    }),
    ("replays that do not count", "shadow", |state, presented, client, now| {
        Refresh { replays: Replays::default(), ..state }.present(presented, client, now)
    }),
    ("older ones pass as one behind", "older reuse", |state, presented, client, now| {
        let before = numbered(state.generation.number() - 1);
        let presented = if presented < before { before } else { presented };
        state.present(presented, client, now)
    }),
    ("use moves the absolute limit", "absolute limit", |state, presented, client, now| {
        let lifetime = Lifetime { created_at: state.lifetime.used_at, ..state.lifetime };
        Refresh { lifetime, ..state }.present(presented, client, now)
    }),
    ("no idle limit", "idle limit", |state, presented, client, now| {
        let lifetime = state.lifetime.used(now);
        Refresh { lifetime, ..state }.present(presented, client, now)
    }),
    ("ahead counts as reuse", "rewound database", |state, presented, client, now| {
        match state.present(presented, client, now) {
            Outcome::Rotate { ahead: true, .. } => Outcome::Revoke(Reason::Reuse),
            outcome => outcome,
        }
    }),
];

#[test]
fn each_property_fails_a_wrong_variant_of_the_rules() {
    for (variant, property, rules) in WRONG {
        let Some((_, check_property)) = PROPERTIES.iter().find(|(name, _)| *name == property) else {
            panic!("no property is called {property}");
        };
        assert!(check(*check_property, rules).is_err(), "{variant} passes {property}");
    }
}

#[test]
fn only_the_current_generation_confirms_and_only_once() {
    let state = begin();
    assert_eq!(state.confirm(Generation::FIRST.next()), None);
    let Some(state) = state.confirm(Generation::FIRST) else { panic!("not confirmed") };
    assert_eq!(state.confirm(Generation::FIRST), None);
}

#[test]
fn twelve_replays_in_any_day() {
    let Ok(mut state) = granted(begin().present(Generation::FIRST, PHONE, START)) else { panic!() };
    let hour = MINUTE * 60;
    for count in 1..=MOST_REPLAYS {
        let now = START.plus(hour * u32::from(count));
        let Ok(next) = granted(state.present(Generation::FIRST, PHONE, now)) else { panic!("{count}") };
        assert_eq!(next.replays.times().len(), usize::from(count));
        state = next;
    }
    let thirteenth = state.present(Generation::FIRST, PHONE, START.plus(hour * 13));
    assert_eq!(thirteenth, Outcome::Revoke(Reason::TooManyReplays));
    // A day after the first that one counts no more, and the other eleven do.
    let next_day = state.present(Generation::FIRST, PHONE, START.plus(hour * 25));
    let Outcome::SameSuccessor { state } = next_day else { panic!("{next_day:?}") };
    let another = state.present(Generation::FIRST, THIEF, START.plus(hour * 25));
    assert_eq!(another, Outcome::Revoke(Reason::TooManyReplays));
}

#[test]
fn a_retry_counts_when_it_is_late_or_from_elsewhere() {
    let Ok(state) = granted(begin().present(Generation::FIRST, PHONE, START)) else { panic!() };
    for (client, seconds, count) in [(PHONE, 10, 0), (PHONE, 11, 1), (THIEF, 1, 1)] {
        let now = START.plus(Duration::from_secs(seconds));
        let Ok(next) = granted(state.present(Generation::FIRST, client, now)) else { panic!() };
        assert_eq!(next.replays.times().len(), count, "{client:?} after {seconds} s");
        assert_eq!(next.rotated_at, START, "a replay never moves the window of 30 s");
    }
}

#[test]
fn generations_fit_a_signed_column() {
    assert_eq!(Generation::new(0), None);
    assert_eq!(Generation::new(1 << 63), None);
    let last = numbered(i64::MAX as u64);
    assert_eq!(last.next(), last);
    assert!(!last.is_just_before(Generation::FIRST));
}
