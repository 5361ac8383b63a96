//! The data file on disk: expanded once from the blob in the binary, mapped read-only from then on.

use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use domain::{Error, Result};
use memmap2::Mmap;

use crate::{bundle, format};

static BUNDLED: &[u8] = include_bytes!("../data/gazetteer.zst");

const PREFIX: &str = "places-";
const SUFFIX: &str = ".map";
/// Beside a map: the state in which its sum was right.
const SEAL: &str = "checked";
/// What [`crate::import`] leaves; preferred to the bundled data.
const IMPORTED: &str = "imported-places.map";

/// Where the places come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The data in the binary.
    Bundled,
    /// The operator's own import.
    Imported,
}

/// The map of the best data there is: an import in the folder, else the bundled data, expanded if need be.
pub(crate) fn open(folder: &Path) -> Result<(Mmap, Origin)> {
    if let Ok(map) = open_verified(&folder.join(IMPORTED)) {
        return Ok((map, Origin::Imported));
    }
    let Some(name) = bundle::name(BUNDLED) else {
        return Err(Error::internal("this build carries no places"));
    };
    let path = folder.join(format!("{PREFIX}{name:016x}{SUFFIX}"));
    // Whatever is wrong with the file (there is none yet, it was cut short, a bit fell over), expanding it anew
    // repairs it.
    if let Ok(map) = open_verified(&path) {
        return Ok((map, Origin::Bundled));
    }
    let expanded = bundle::expand(BUNDLED)?;
    write(&path, &expanded)?;
    remove_older(folder, &path);
    Ok((open_verified(&path)?, Origin::Bundled))
}

/// Writes an import's data file into the folder, where the next [`open`] prefers it.
pub(crate) fn keep_import(folder: &Path, bytes: &[u8]) -> Result<PathBuf> {
    let path = folder.join(IMPORTED);
    write(&path, bytes)?;
    Ok(path)
}

fn open_verified(path: &Path) -> Result<Mmap> {
    let trouble = |error: io::Error| Error::internal(format!("places file {}: {error}", path.display()));
    let mut file = File::open(path).map_err(trouble)?;
    let about = file.metadata().map_err(trouble)?;
    let seal = path.with_extension(SEAL);
    let state = state(&about);
    // Summing up 35 MB takes longer than the rest of a start, so it is done once for each state of the file.
    if fs::read_to_string(&seal).is_ok_and(|sealed| sealed == state) {
        format::check_header(&mut file, about.len())?;
    } else {
        format::verify(&mut file, about.len())?;
        // Without the note the next start sums up again.
        let _ = fs::write(&seal, state);
    }
    map(&file).map_err(trouble)
}

/// What changes whenever a file is written or replaced; `ctime` cannot be set by hand.
fn state(about: &Metadata) -> String {
    let (seconds, nanoseconds) = (about.ctime(), about.ctime_nsec());
    format!("{} {} {} {seconds}.{nanoseconds:09}\n", about.dev(), about.ino(), about.len())
}

#[expect(unsafe_code, reason = "a file map has no safe constructor")]
fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: the file must not change under the map. It lies in our own folder, is only ever replaced by renaming a
    // finished one over it, and a map keeps the file that it was made from.
    unsafe { Mmap::map(file) }
}

/// Writes a file beside its place and renames it: nobody ever sees half of it, also after a power cut.
fn write(path: &Path, content: &[u8]) -> Result<()> {
    let trouble = |error: io::Error| Error::internal(format!("cannot write {}: {error}", path.display()));
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(trouble)?;
    // Two processes that start at once must not write into one file.
    let unfinished = path.with_extension(format!("{}.tmp", std::process::id()));
    let written = File::create(&unfinished).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&unfinished, path)
    });
    if written.is_err() {
        // The first error is the one to tell; a leftover is only untidy.
        let _ = fs::remove_file(&unfinished);
    }
    written.map_err(trouble)
}

/// Files of older releases and of starts that were cut short. A process that still maps one keeps it.
fn remove_older(folder: &Path, current: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let named = |name: &str| name.starts_with(PREFIX) && (name.ends_with(SUFFIX) || name.ends_with(SEAL));
        let ours = name.to_str().is_some_and(named);
        if ours && entry.path().file_stem() != current.file_stem() {
            // It only takes room; the next release tries again.
            let _ = fs::remove_file(entry.path());
        }
    }
}
