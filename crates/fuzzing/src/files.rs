//! Files that lie beside the server: its settings, its key ring, the ledger of erasures.

use std::fs;

use app::erasures;
use server::Config;
use server::config::Flags;
use uuid::Uuid;
use vault::{Context, Ring};

/// The configuration. Settings of the environment are over it, as always.
pub fn configuration(input: &[u8]) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("fairweather.toml");
    fs::write(&file, input).expect("a file");
    let Ok(config) = Config::load(Some(&file), &Flags::default()) else { return };
    // What follows from it may be refused, by the word.
    let _ = config.store_url();
    let _ = config.carrier();
}

/// The key ring, as a file or as a variable.
pub fn key_ring(input: &[u8]) {
    let Some(text) = crate::text(input) else { return };
    match Ring::parse(text) {
        Ok(ring) => {
            let written = ring.to_text();
            let again = Ring::parse(&written).expect("what is written reads back");
            assert_eq!(again.to_text(), written);
            assert_eq!(again.active_id(), ring.active_id());
            let context = Context::new("fuzzing", domain::AccountId::from_uuid(Uuid::nil()), Uuid::nil(), "");
            let wrapped = ring.wrap(&context, b"secret", &crate::random()).expect("wraps");
            assert_eq!(&**again.unwrap(&context, &wrapped).expect("the same key"), b"secret");
        }
        Err(error) => {
            // Keys are base64url of 43 characters.
            let told = error.to_string();
            let parts = text.split(|c: char| !(c.is_ascii_alphanumeric() || "-_".contains(c)));
            let mut keys = parts.filter(|part| part.len() >= 43);
            assert!(!keys.any(|key| told.contains(key)), "an error quotes a key");
        }
    }
}

/// A line of the ledger of erasures.
pub fn erasure_ledger(input: &[u8]) {
    let Some(line) = crate::text(input) else { return };
    let Some(erasure) = erasures::parse(line) else { return };
    let printed = erasures::print(&erasure);
    assert_eq!(erasures::parse(printed.trim_end_matches('\n')), Some(erasure));
    assert_eq!(printed.matches('\n').count(), 1);
}
