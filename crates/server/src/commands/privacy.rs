//! `doctor --privacy`: whether anything that an account typed stands somewhere in clear.

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use domain::{Error, Result};

use super::print;
use crate::start::{Setup, open};

/// Shorter texts stand everywhere by chance.
const SHORTEST: usize = 5;
/// Read at once; what stands across two pieces is found, since the end of one goes before the next.
const PIECE: usize = 1 << 20;
/// How often files are looked at anew when one is gone before it was read.
const TRIES: u32 = 5;

/// A text and the ways in which it may stand in a file, all with ASCII letters in lower case.
struct Sought {
    /// Octets of the text as it was typed.
    length: usize,
    forms: Vec<Vec<u8>>,
}

impl Sought {
    /// As it is, in small and in capital letters, and each of these as JSON writes it.
    fn new(text: &str) -> Self {
        let mut forms = Vec::new();
        for cased in [text.to_owned(), text.to_lowercase(), text.to_uppercase()] {
            let quoted = serde_json::Value::from(cased.as_str()).to_string();
            let quoted = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default();
            forms.extend([cased.clone(), quoted.to_owned(), in_ascii(quoted)]);
        }
        let mut forms: Vec<_> = forms.iter().map(|form| form.to_ascii_lowercase().into_bytes()).collect();
        forms.sort_unstable();
        forms.dedup();
        Self { length: text.len(), forms }
    }

    fn stands_in(&self, content: &[u8]) -> bool {
        self.forms.iter().any(|form| content.windows(form.len()).any(|part| part == form))
    }
}

/// As writers of JSON put it that keep to ASCII.
fn in_ascii(quoted: &str) -> String {
    let mut escaped = String::with_capacity(quoted.len());
    for character in quoted.chars() {
        if character.is_ascii() {
            escaped.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                escaped.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    escaped
}

/// Looks through the data folder and further files for what the account has saved, and for what is known of it: its
/// addresses, names, notes, coordinates and devices.
pub async fn run(setup: &Setup, email: &str, further: &[PathBuf]) -> Result<()> {
    // Held while the files are read, so that no server starts and moves what stands in one to another.
    let (app, _lock) = open(setup).await?;
    let texts = app.plain_texts_of(email).await?;
    app.close().await;
    let (texts, short): (Vec<_>, Vec<_>) = texts.into_iter().partition(|text| text.len() >= SHORTEST);
    let sought: Vec<Sought> = texts.iter().map(|text| Sought::new(text)).collect();
    let (config, url) = (&setup.config, setup.config.store_url()?);
    let search = || search(&config.data, url.file(), further, &sought);
    let (files, found) = until_none_goes(search).map_err(Error::internal)?;
    for (file, length) in &found {
        // The text itself is not shown: this may be read by somebody else.
        print(&format!("BAD   {}: a text of {length} bytes stands here in clear\n", file.display()))?;
    }
    print(&format!("{} texts were looked for in {files} files\n", sought.len()))?;
    if !short.is_empty() {
        print(&format!(
            "note  {} texts of fewer than {SHORTEST} bytes were not looked for: they stand everywhere by chance\n",
            short.len()
        ))?;
    }
    match found.len() {
        0 => print("ok    nothing of the account stands there in clear\n"),
        found => Err(Error::internal(format!("{found} texts of the account stand in clear"))),
    }
}

/// Files that were looked at, and each that holds a text with the text's octets.
type Searched = (usize, Vec<(PathBuf, usize)>);

/// A log that is turned over meanwhile takes a text from a file that was not read yet to one that was: when one is
/// gone, everything is read once more.
fn until_none_goes<T>(mut search: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    for _ in 1..TRIES {
        match search() {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            outcome => return outcome,
        }
    }
    search()
}

fn search(
    data: &Path,
    database: Option<&Path>,
    further: &[PathBuf],
    sought: &[Sought],
) -> io::Result<Searched> {
    let mut files = Vec::new();
    // The gazetteer's names every place there is.
    collect(data, Some(&data.join("cache")), &mut files)?;
    if let Some(database) = database.filter(|file| !file.starts_with(data)) {
        files.push(database.to_owned());
        files.extend(store::copies_of(database)?);
    }
    for path in further {
        collect(path, None, &mut files)?;
    }
    let mut found = Vec::new();
    for file in &files {
        found.extend(in_file(file, sought)?.iter().map(|text| (file.clone(), text.length)));
    }
    Ok((files.len(), found))
}

/// All files below a folder but those in `left_out`.
fn collect(path: &Path, left_out: Option<&Path>, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if !std::fs::metadata(path).map_err(failed("look at", path))?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in std::fs::read_dir(path).map_err(failed("look at", path))? {
        let entry = entry.map_err(failed("look at", path))?.path();
        if Some(entry.as_path()) != left_out {
            collect(&entry, left_out, files)?;
        }
    }
    Ok(())
}

fn in_file<'a>(file: &Path, sought: &'a [Sought]) -> io::Result<Vec<&'a Sought>> {
    let longest = sought.iter().flat_map(|text| &text.forms).map(Vec::len).max().unwrap_or_default();
    let mut reader = BufReader::new(File::open(file).map_err(failed("read", file))?);
    let (mut window, mut piece) = (Vec::new(), vec![0; PIECE]);
    let mut found = vec![false; sought.len()];
    loop {
        let read = reader.read(&mut piece).map_err(failed("read", file))?;
        if read == 0 {
            break;
        }
        window.extend(piece.iter().take(read).map(u8::to_ascii_lowercase));
        for (text, found) in sought.iter().zip(&mut found) {
            *found = *found || text.stands_in(&window);
        }
        let kept = window.len().saturating_sub(longest);
        window.drain(..kept);
    }
    Ok(sought.iter().zip(found).filter(|(_, found)| *found).map(|(text, _)| text).collect())
}

/// Names the file, and keeps the kind of the error.
fn failed(what: &str, path: &Path) -> impl Fn(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("cannot {what} {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(content: impl AsRef<[u8]>, texts: &[&str]) -> Vec<usize> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        std::fs::write(&file, content).unwrap();
        let sought: Vec<_> = texts.iter().map(|text| Sought::new(text)).collect();
        in_file(&file, &sought).unwrap().iter().map(|text| text.length).collect()
    }

    #[test]
    fn a_text_is_found_wherever_it_stands() {
        let texts = ["ann@example.org", "cabin by the lake"];
        let mut content = vec![b'x'; PIECE - 4];
        content.extend(b"Ann@Example.ORG");
        assert_eq!(found(&content, &texts), [15], "across two pieces, in another case");
        assert_eq!(found("nothing", &texts), [0; 0]);
    }

    #[test]
    fn a_text_is_found_however_it_is_written() {
        let hut = "Ödsee Hütte";
        for form in [
            hut,
            "Ödsee hütte",
            "ödsee hütte",
            "ÖDSEE HÜTTE",
            r"\u00d6dsee H\u00fctte",
            r"\u00D6DSEE H\u00DCTTE",
        ] {
            assert_eq!(found(form, &[hut]), [hut.len()], "{form}");
        }
        let note = "she said \"under\nthe mat\"";
        assert_eq!(found(serde_json::json!({"note": note}).to_string(), &[note]), [note.len()]);
        assert_eq!(found(r#"{"name":"\ud83c\udfd4 Berg"}"#, &["🏔 Berg"]), [9]);
    }

    #[test]
    fn files_are_looked_at_anew_when_one_is_gone() {
        let fails = |kind: ErrorKind, times: u32| {
            let mut looked = 0;
            let outcome = until_none_goes(|| {
                looked += 1;
                if looked > times { Ok(()) } else { Err(kind.into()) }
            });
            (outcome.is_ok(), looked)
        };
        assert_eq!(fails(ErrorKind::NotFound, TRIES - 1), (true, TRIES));
        assert_eq!(fails(ErrorKind::NotFound, TRIES), (false, TRIES));
        assert_eq!(fails(ErrorKind::PermissionDenied, 1), (false, 1));
        // What nobody has is still told by its name.
        let gone = Path::new("/nowhere/a.log");
        let error = until_none_goes(|| search(gone, None, &[], &[])).unwrap_err().to_string();
        assert!(error.starts_with("cannot look at /nowhere/a.log: "), "{error}");
    }

    #[test]
    fn only_the_cache_of_the_data_folder_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("logs").join("cache");
        for folder in [&deep, &folder.path().join("cache")] {
            std::fs::create_dir_all(folder).unwrap();
            std::fs::write(folder.join("a"), "x").unwrap();
        }
        let mut files = Vec::new();
        collect(folder.path(), Some(&folder.path().join("cache")), &mut files).unwrap();
        assert_eq!(files, [deep.join("a")]);
    }
}
