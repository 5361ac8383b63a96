//! Copies of a SQLite file, made before a newer version changes its schema. They hold what people had when they were
//! made, and so must not outlive its removal.

use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use domain::Timestamp;

use crate::error::{Error, Result};
use crate::sqlite::{self, classify};

/// Copies of one file and label that are kept at most.
const COPIES: u32 = 100;
/// What stands between the name of the file and the number of the step that came next.
const BEFORE: &str = ".before-";

/// Copies the file as it is, beside it and readable for its owner alone.
pub(crate) fn make(path: &Path, step: i64) -> Result<PathBuf> {
    let failed = |error: &std::io::Error| Error::Database(format!("a copy of {}: {error}", path.display()));
    let label = format!("before-{step}");
    for n in 1..=COPIES {
        let copy =
            path.with_extension(if n == 1 { format!("{label}.db") } else { format!("{label}-{n}.db") });
        // A copy that an earlier try left is never overwritten. An empty file is one to SQLite that it may fill.
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&copy) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
            made => drop(made.map_err(|error| failed(&error))?),
        }
        let connection = sqlite::open(path)?;
        let filled = connection.execute("VACUUM INTO ?1", [&copy.to_string_lossy().into_owned()]);
        if let Err(error) = filled {
            // Half a copy is none.
            fs::remove_file(&copy).map_err(|error| failed(&error))?;
            return Err(classify(&error));
        }
        return Ok(copy);
    }
    Err(Error::Database(format!("there are {COPIES} copies {label} of {}: remove some", path.display())))
}

/// The copies beside a file.
pub fn copies_of(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Some(stem) = path.file_stem().and_then(|stem| stem.to_str()) else { return Ok(Vec::new()) };
    let mut copies = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let rest = name.to_str().and_then(|name| name.strip_prefix(stem)?.strip_prefix(BEFORE));
        if rest.is_some_and(|rest| rest.ends_with(".db")) {
            copies.push(entry.path());
        }
    }
    copies.sort();
    Ok(copies)
}

/// Removes the copies that were made before `end` and tells which.
pub(crate) fn remove_older(path: &Path, end: Timestamp) -> std::io::Result<Vec<PathBuf>> {
    let end = UNIX_EPOCH + Duration::from_millis(u64::try_from(end.millis()).unwrap_or(0));
    let mut removed = Vec::new();
    for copy in copies_of(path)? {
        if fs::metadata(&copy)?.modified()? < end {
            fs::remove_file(&copy)?;
            removed.push(copy);
        }
    }
    Ok(removed)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn a_copy_is_private_and_goes_in_its_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fairweather.db");
        sqlite::open(&path).unwrap().execute_batch("CREATE TABLE saved (word TEXT)").unwrap();
        let (first, second) = (make(&path, 7).unwrap(), make(&path, 7).unwrap());
        assert_eq!(fs::metadata(&first).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(copies_of(&path).unwrap(), [second.clone(), first.clone()]);
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        for (copy, seconds) in [(&first, 1000), (&second, 2000)] {
            OpenOptions::new().write(true).open(copy).unwrap().set_modified(at(seconds)).unwrap();
        }
        assert_eq!(remove_older(&path, Timestamp::from_seconds(2000)).unwrap(), [first]);
        assert_eq!(copies_of(&path).unwrap(), [second]);
        assert!(path.exists());
    }
}
