//! The proof that synchronisation holds: random schedules of devices, people, a bad network and accidents, against
//! the real server over HTTP, with an observer who checks every answer.
//!
//! | invariant of the protocol | checked |
//! |---|---|
//! | I1 revisions of an account are exactly 1 to head | `Ledger::note`, `Ledger::whole` |
//! | I2 reading head h means that all up to h can be read | `Ledger::snapshot`, `Ledger::delta`, `World::together` |
//! | I3 cursors never go back in an era; `from` is what was asked | `Ledger::delta`, `World::deliver` |
//! | I4 snapshot and deltas lead to the state at `to` | `Ledger::delta`, `Ledger::device`, after every answer |
//! | I5 quiet devices are equal | `Ledger::converged`, at the end of each schedule |
//! | I6 a mutation has its effect once, and an acknowledged one stays | `Ledger::results`, `discover`, `whole` |
//! | I7 the answer to a batch reaches all its results | `World::observe` |
//! | I8 nothing comes back to life | `Ledger::note` |
//! | I9 an old or foreign cursor gives a reset or everything | `Ledger::judge`, `World::ask_old`, `ask_foreign` |
//! | I10 nothing of another account | `Ledger::owns`, on every answer |
//! | I11 the deltas of a stream are those of `/changes` | `World::open`, `listen` |
//! | I14 a lost future resets, and a cursor stands for one state for ever | `Ledger::issue`, `judge`, `put_back` |
//!
//! The rest has stories of its own: I12 (memory of a reader that stalls) `it::streams::what_arrives_late_arrives_together`
//! and `a_reader_that_takes_nothing_is_cut_off`, I13 (hints that are lost) `it::streams::a_lost_hint_is_found_by_the_backstop`,
//! I15 (revocation) all of `it::stream_sessions`.
//!
//! `FAIRWEATHER_SEED=7` runs the schedule of one seed, `FAIRWEATHER_SCHEDULES=5000` that many from there on (fewer on
//! PostgreSQL and with a process, in the proportion of the usual numbers). A failing
//! schedule is made smaller before it is printed, in at most `FAIRWEATHER_SHRINK` steps.

mod accidents;
mod check;
mod device;
mod network;
mod people;
mod requests;
mod schedule;
mod server;
mod set;
mod streams;
mod world;

use std::env;
use std::sync::Mutex;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use testkit::proxy::Kind;
use testkit::{Nodes, TestApp, databases, redis};

use crate::check::Violation;
use crate::schedule::Action;
use crate::server::{Process, Server};
use crate::set::Set;
use crate::world::{Counts, World};

/// What a run of many schedules must have gone through: one that never loses an answer proves nothing.
const OF_ONE_SERVER: [&str; 20] = [
    "mutations",
    "requests lost",
    "answers lost",
    "requests twice",
    "answers out of order",
    "gaps",
    "pages",
    "pages lost",
    "resets",
    "batches at once",
    "writes with a key",
    "streams",
    "streams cut",
    "deltas of streams",
    "old cursors",
    "foreign cursors",
    "compactions",
    "restarts",
    "restores",
    "cursors of a lost future",
];
const OF_NODES: [&str; 9] = [
    "mutations",
    "batches at once",
    "streams",
    "deltas of streams",
    "changes told by another node",
    "restarts",
    "cuts",
    "new eras by an operator",
    "restores",
];
const OF_A_SET: [&str; 8] = [
    "mutations",
    "batches at once",
    "streams",
    "deltas of streams",
    "streams resumed",
    "nodes killed",
    "batches in flight at a node's kill",
    "nodes drained",
];
const OF_A_PROCESS: [&str; 4] =
    ["kills", "batches in flight at a kill", "restores", "cursors of a lost future"];

#[test]
fn schedules_on_sqlite() {
    explore("sqlite", 100, &OF_ONE_SERVER, schedule::of_one_server(), |seed, schedule, counts| {
        databases::runtime().block_on(on(None, seed, schedule, counts))
    });
}

#[test]
fn schedules_on_postgres() {
    if databases::server().is_none() {
        return;
    }
    explore("postgres", 30, &OF_ONE_SERVER, schedule::of_one_server(), |seed, schedule, counts| {
        databases::in_new_database(|url| databases::runtime().block_on(on(Some(url), seed, schedule, counts)))
    });
}

/// Three nodes on one PostgreSQL: what is asked is asked of any of them. Every other schedule with a Redis.
#[test]
fn schedules_on_nodes() {
    let (Some(_), redis) = (databases::server(), redis::server()) else { return };
    explore("nodes", 15, &OF_NODES, schedule::of_nodes(), |seed, schedule, counts| {
        let redis = redis.clone().filter(|_| seed % 2 == 1);
        databases::in_new_database(|url| {
            databases::runtime().block_on(async {
                let nodes = Nodes::start(3, seed, |config| {
                    config.database = Some(url);
                    config.redis = redis;
                    config.limits.account_burst = 1_000_000;
                    config.limits.mutations_burst = 1_000_000;
                });
                let server = Server::Nodes(Box::new(nodes.await));
                carry_out(World::new(server, seed).await, schedule, counts).await
            })
        })
    });
}

/// Three processes on one PostgreSQL behind a proxy, by default nginx. Every other schedule with a Redis.
#[test]
fn schedules_on_a_set_behind_a_proxy() {
    let (kind, Some(_), redis) = (Kind::wanted(), databases::server(), redis::server()) else { return };
    if !kind.is_installed() {
        return;
    }
    explore("set", 4, &OF_A_SET, schedule::of_a_set(), |seed, schedule, counts| {
        let redis = redis.clone().filter(|_| seed % 2 == 1);
        databases::in_new_database(|url| {
            databases::runtime().block_on(async {
                let server = Server::Set(Box::new(Set::start(kind, url, redis)));
                carry_out(World::new(server, seed).await, schedule, counts).await
            })
        })
    });
}

#[test]
fn schedules_with_a_process_that_is_killed() {
    explore("process", 15, &OF_A_PROCESS, schedule::of_a_process(), |seed, schedule, counts| {
        databases::runtime().block_on(async {
            let server = Server::Process(Box::new(Process::new()));
            carry_out(World::new(server, seed).await, schedule, counts).await
        })
    });
}

async fn on(
    postgres: Option<String>,
    seed: u64,
    schedule: &[Action],
    counts: &Mutex<Counts>,
) -> Result<(), Violation> {
    let app = TestApp::start_with(seed, |config| {
        config.database = postgres;
        // The clock stands still, so buckets would never fill again.
        config.limits.account_burst = 1_000_000;
        config.limits.mutations_burst = 1_000_000;
    });
    let server = Server::Here(Box::new(app.await));
    carry_out(World::new(server, seed).await, schedule, counts).await
}

async fn carry_out(mut world: World, schedule: &[Action], counts: &Mutex<Counts>) -> Result<(), Violation> {
    let outcome = world.run(schedule).await;
    if let (Err(_), Server::Set(set)) = (&outcome, &world.server) {
        eprintln!("the proxy says: {}", set.proxy_log());
    }
    if let Ok(mut counts) = counts.lock() {
        for (what, times) in &world.counts {
            *counts.entry(what).or_default() += times;
        }
    }
    outcome
}

/// Runs schedules of many seeds, and makes the first failing one smaller.
fn explore(
    on: &str,
    usual: u64,
    must_happen: &[&str],
    schedules: impl Strategy<Value = Vec<Action>>,
    run: impl Fn(u64, &[Action], &Mutex<Counts>) -> Result<(), Violation>,
) {
    let number = |name: &str| env::var(name).ok().map(|text| text.parse::<u64>().expect(name));
    let (first, many) = (number("FAIRWEATHER_SEED"), number("FAIRWEATHER_SCHEDULES"));
    // Of a hundred on SQLite so many here.
    let many = many.map(|many| (many * usual).div_ceil(100));
    let many = many.unwrap_or(if first.is_some() { 1 } else { usual });
    let first = first.unwrap_or_default();
    let shrink = number("FAIRWEATHER_SHRINK").unwrap_or(500);
    let counts = Mutex::new(Counts::new());
    for seed in first..first + many {
        let config = Config {
            cases: 1,
            failure_persistence: None,
            max_shrink_time: 30_000,
            max_shrink_iters: u32::try_from(shrink).expect("FAIRWEATHER_SHRINK"),
            ..Config::default()
        };
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let mut runner = TestRunner::new_with_rng(config, random);
        let tried =
            runner.run(&schedules, |schedule| run(seed, &schedule, &counts).map_err(TestCaseError::fail));
        match tried {
            Ok(()) => {}
            Err(TestError::Fail(violation, schedule)) => {
                let schedule: Vec<_> = schedule.iter().map(|action| format!("  {action:?}\n")).collect();
                let schedule = schedule.concat();
                panic!("{violation}\n\nFAIRWEATHER_SEED={seed} repeats it on {on}; made smaller:\n{schedule}")
            }
            Err(TestError::Abort(reason)) => panic!("seed {seed}: {reason}"),
        }
    }
    let counts = counts.into_inner().unwrap_or_default();
    println!("{many} schedules on {on}, from seed {first}: {counts:#?}");
    if many >= usual {
        let missing: Vec<_> = must_happen.iter().filter(|what| !counts.contains_key(*what)).collect();
        assert!(missing.is_empty(), "in {many} schedules it never came to {missing:?}");
    }
}
