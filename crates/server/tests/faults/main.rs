//! What an installation stands on is broken under load: PostgreSQL, Redis, the clock, the disk, a node. After each
//! fault everything that was acknowledged is there, nobody sees anything of anybody else, and the installation serves
//! again without a hand.
//!
//! Each prints its row of the table in `docs/reliability.md`. They take real time, as what they break does, so they run
//! by name: `cargo test -p server --test faults -- --nocapture --test-threads=1`, those in `short` in
//! `scripts/test --only nodes`, all of them in `scripts/nightly`.

mod load;
mod nodes;

mod long;
mod short;
