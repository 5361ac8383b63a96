//! One of GeoNames' files: lines of tab-separated columns, plain or zipped.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use domain::{Error, Result};
use zip::ZipArchive;

use super::Progress;

/// Bytes of the longest line that is accepted; GeoNames' longest has some 20,000.
const LONGEST_LINE: u64 = 1 << 20;
/// Lines between two reports of progress.
const REPORT: u64 = 100_000;

/// A file of a dump, found but not read yet.
pub(super) struct Dump {
    /// `cities500.txt`, also where it comes out of `cities500.zip`.
    name: String,
    path: PathBuf,
    is_zip: bool,
}

impl Dump {
    /// The file of a name, plain or zipped, if it is there.
    pub(super) fn find(folder: &Path, stem: &str) -> Result<Option<Self>> {
        for is_zip in [false, true] {
            let path = folder.join(format!("{stem}.{}", if is_zip { "zip" } else { "txt" }));
            match path.try_exists() {
                Ok(true) => return Ok(Some(Self { name: format!("{stem}.txt"), path, is_zip })),
                Ok(false) => {}
                Err(error) => return Err(Error::internal(format!("{}: {error}", path.display()))),
            }
        }
        Ok(None)
    }

    /// The file of a name, which must be there.
    pub(super) fn open(folder: &Path, stem: &str) -> Result<Self> {
        Self::find(folder, stem)?.ok_or_else(|| {
            Error::internal(format!("neither {stem}.txt nor {stem}.zip is in {}", folder.display()))
        })
    }

    /// Calls `take` with the columns of every line but comments and empty ones. An error of `take` is given the
    /// file's name and the line's number.
    pub(super) fn each(
        self,
        progress: &mut dyn FnMut(Progress),
        take: &mut dyn FnMut(&[&str]) -> Result<(), String>,
    ) -> Result<()> {
        let trouble = |text: String| Error::internal(format!("{}: {text}", self.path.display()));
        let file = File::open(&self.path).map_err(|error| trouble(error.to_string()))?;
        if !self.is_zip {
            return each_line(&self.name, BufReader::new(file), progress, take).map_err(trouble);
        }
        let mut archive =
            ZipArchive::new(BufReader::new(file)).map_err(|error| trouble(error.to_string()))?;
        let content =
            archive.by_name(&self.name).map_err(|error| trouble(format!("{}: {error}", self.name)))?;
        each_line(&self.name, BufReader::new(content), progress, take).map_err(trouble)
    }
}

fn each_line(
    name: &str,
    mut content: impl BufRead,
    progress: &mut dyn FnMut(Progress),
    take: &mut dyn FnMut(&[&str]) -> Result<(), String>,
) -> Result<(), String> {
    let mut line = Vec::new();
    let mut number = 0;
    loop {
        line.clear();
        let read = content.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line);
        if read.map_err(|error| error.to_string())? == 0 {
            break;
        }
        number += 1;
        if line.last() != Some(&b'\n') && line.len() as u64 == LONGEST_LINE {
            return Err(format!("line {number} is longer than any of GeoNames'"));
        }
        let text = std::str::from_utf8(&line).map_err(|_| format!("line {number} is not UTF-8"))?;
        let text = text.trim_end_matches(['\n', '\r']);
        if !text.is_empty() && !text.starts_with('#') {
            let columns: Vec<&str> = text.split('\t').collect();
            take(&columns).map_err(|error| format!("line {number}: {error}"))?;
        }
        if number % REPORT == 0 {
            progress(Progress::Reading { file: name.to_owned(), lines: number });
        }
    }
    progress(Progress::Reading { file: name.to_owned(), lines: number });
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_lines_are_errors_that_name_the_line() {
        let read = |content: &[u8]| {
            let mut rows = Vec::new();
            each_line("x.txt", content, &mut |_| {}, &mut |columns| {
                rows.push(columns.iter().map(|column| (*column).to_owned()).collect::<Vec<_>>());
                if columns[0] == "bad" { Err("bad".to_owned()) } else { Ok(()) }
            })
            .map(|()| rows)
        };
        assert_eq!(read(b"# note\n\na\tb\r\nc").expect("good"), [vec!["a", "b"], vec!["c"]]);
        assert_eq!(read(b"a\nbad\n"), Err("line 2: bad".to_owned()));
        assert_eq!(read(b"a\n\xff\n"), Err("line 2 is not UTF-8".to_owned()));
        assert!(read(&vec![b'x'; 2 << 20]).is_err());
    }
}
