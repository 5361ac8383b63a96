//! The targets of `fuzz/` without libFuzzer: each with its seeds, and with every input that was ever found to break it.

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use fuzzing::TARGETS;

const FUZZ: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz");

/// Files of a folder of `fuzz/`; none where there is no such folder.
fn files(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(Path::new(FUZZ).join(folder)).into_iter().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    files
}

fn names(folder: &str) -> BTreeSet<String> {
    files(folder)
        .iter()
        .map(|path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned())
        .collect()
}

#[test]
fn every_seed_and_every_input_that_was_found_is_survived() {
    let mut broken = Vec::new();
    for (name, target) in TARGETS {
        let seeds = files(&format!("seeds/{name}"));
        assert!(seeds.len() >= 3, "{name} has {} seeds", seeds.len());
        for path in seeds.into_iter().chain(files(&format!("found/{name}"))) {
            let input = fs::read(&path).expect("a file");
            if catch_unwind(|| target(&input)).is_err() {
                broken.push(format!("{name}: {}", path.file_name().unwrap_or_default().display()));
            }
        }
        // What every target is given first, and what no seed is.
        for input in [&b""[..], &[0xFF; 3], &[b'['; 10_000]] {
            if catch_unwind(|| target(input)).is_err() {
                broken.push(format!("{name}: {:?} and so on", input.first()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn every_function_is_a_target_and_the_other_way_round() {
    let listed: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(listed.len(), TARGETS.len());
    assert_eq!(names("fuzz_targets"), listed);
    assert_eq!(names("seeds"), listed);
    assert!(names("found").is_subset(&listed) && names("dictionaries").is_subset(&listed));
    let manifest = fs::read_to_string(Path::new(FUZZ).join("Cargo.toml")).expect("a manifest");
    for name in &listed {
        let target =
            fs::read_to_string(Path::new(FUZZ).join(format!("fuzz_targets/{name}.rs"))).expect("a target");
        assert!(target.contains(&format!("fuzzing::{name}(input)")), "{name} calls another function");
        assert!(
            manifest.contains(&format!("name = \"{name}\"\npath = \"fuzz_targets/{name}.rs\"")),
            "{name}"
        );
    }
}
