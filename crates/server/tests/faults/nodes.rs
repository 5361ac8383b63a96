//! Nodes of the real binary without a proxy: a load chooses among them itself.

use testkit::Process;

const BINARY: &str = env!("CARGO_BIN_EXE_fairweather");

/// Starts nodes on this database, with one key ring and these settings.
pub fn start(count: usize, database: &str, settings: &[(&str, &str)]) -> Vec<Process> {
    let ring = ring();
    let mut nodes: Vec<_> = (0..count).map(|_| prepare(&ring, &[], database, settings)).collect();
    nodes.iter_mut().for_each(Process::spawn);
    nodes.iter_mut().for_each(Process::listening);
    nodes
}

/// A node behind a program that starts it, such as `faketime`.
pub fn prepare(ring: &str, prefix: &[&str], database: &str, settings: &[(&str, &str)]) -> Process {
    let usual = [
        ("FAIRWEATHER_DATABASE", database),
        ("FAIRWEATHER_KEY_RING", ring),
        ("FAIRWEATHER_STORE__CONNECTIONS", "4"),
        ("FAIRWEATHER_QUOTA__FAVOURITES", "1000000"),
        ("FAIRWEATHER_DRAIN_S", "0"),
    ];
    Process::new(BINARY, prefix, &[], &[&usual[..], settings].concat())
}

/// The text of a new key ring.
pub fn ring() -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("ring");
    vault::Ring::load_or_create(&file, &server::system_random()).expect("a key ring");
    std::fs::read_to_string(file).expect("a key ring")
}
