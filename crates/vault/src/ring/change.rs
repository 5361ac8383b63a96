//! Changing the ring's file, which may happen from several commands at once.
//!
//! Whoever loses a ring key loses all that it wraps. So what is written always comes from what stands in the file: a
//! change holds a lock from its reading to its writing, and before it writes it looks again, because somebody may have
//! put another file there by hand.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use domain::{Error, Random, Result};

use super::{Ring, RingKeyId};

/// The right to replace the ring's file, held by one at a time.
pub struct Change {
    path: PathBuf,
    read: (RingKeyId, Vec<RingKeyId>),
    _lock: File,
}

impl Change {
    /// Waits until nobody else changes the ring's file, and reads it; `None` when there is none. Blocks.
    pub fn begin(path: &Path) -> Result<Option<(Self, Ring)>> {
        // Its folder is as old as the ring.
        if !path.exists() {
            return Ok(None);
        }
        let failed = |error| Error::internal(format_args!("the key ring cannot be locked: {error}"));
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let lock = options.open(path.with_extension("lock")).map_err(failed)?;
        lock.lock().map_err(failed)?;
        let Some(ring) = Ring::load(path)? else { return Ok(None) };
        Ok(Some((Self { path: path.to_owned(), read: keys(&ring), _lock: lock }, ring)))
    }

    /// Puts the changed ring in the place of the one that was read.
    ///
    /// # Errors
    /// When the file holds other keys by now. Nothing is written then.
    pub fn finish(self, changed: &Ring, random: &Random) -> Result<()> {
        let found = Ring::load(&self.path)?;
        if found.as_ref().map(keys) != Some(self.read) {
            return Err(Error::internal(
                "the key ring was changed in the meantime, and nothing was written: try again",
            ));
        }
        changed.save(&self.path, random)
    }
}

fn keys(ring: &Ring) -> (RingKeyId, Vec<RingKeyId>) {
    (ring.active_id(), ring.retired_ids().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::random;

    #[test]
    fn changes_at_once_lose_no_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ring");
        let first = Ring::load_or_create(&path, &random(1)).unwrap().active_id();
        let add = |seed| {
            let random = random(seed);
            for _ in 0..7 {
                let (change, ring) = Change::begin(&path).unwrap().unwrap();
                change.finish(&ring.rotated(&random).unwrap(), &random).unwrap();
            }
        };
        std::thread::scope(|scope| {
            for seed in 2..8 {
                scope.spawn(move || add(seed));
            }
        });
        let ring = Ring::load(&path).unwrap().unwrap();
        assert_eq!(ring.retired_ids().count(), 6 * 7, "each change stands on the one before");
        assert_eq!(ring.retired_ids().last(), Some(first));
    }

    #[test]
    fn what_was_put_there_meanwhile_is_not_overwritten() {
        let (random, folder) = (random(1), tempfile::tempdir().unwrap());
        let path = folder.path().join("ring");
        Ring::load_or_create(&path, &random).unwrap();
        let (change, ring) = Change::begin(&path).unwrap().unwrap();
        // By hand, or by a program that knows of no lock.
        let rotated = Ring::load(&path).unwrap().unwrap().rotated(&random).unwrap();
        rotated.save(&path, &random).unwrap();
        let error = change.finish(&ring.without_retired(), &random).unwrap_err().to_string();
        assert!(error.contains("changed in the meantime"), "{error}");
        assert!(Ring::load(&path).unwrap().unwrap().has_same_keys(&rotated));
        std::fs::remove_file(&path).unwrap();
        assert!(Change::begin(&path).unwrap().is_none());
    }
}
