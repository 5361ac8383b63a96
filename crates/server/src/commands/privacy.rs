//! `doctor --privacy`: whether anything that an account typed stands somewhere in clear.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use domain::{Error, Result};

use super::print;
use crate::start::{Setup, open};

/// Shorter texts stand everywhere by chance.
const SHORTEST: usize = 5;
/// Read at once; what stands across two pieces is found, since the end of one goes before the next.
const PIECE: usize = 1 << 20;

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
    let texts = {
        let (app, _lock) = open(setup).await?;
        app.plain_texts_of(email).await?
    };
    let (texts, short): (Vec<_>, Vec<_>) = texts.into_iter().partition(|text| text.len() >= SHORTEST);
    let sought: Vec<Sought> = texts.iter().map(|text| Sought::new(text)).collect();
    let mut files = Vec::new();
    // The gazetteer's names every place there is.
    collect(&setup.config.data, Some(&setup.config.data.join("cache")), &mut files)?;
    if let Some(database) = setup.config.store_url()?.file()
        && !database.starts_with(&setup.config.data)
    {
        files.push(database.to_owned());
        files.extend(store::copies_of(database).map_err(Error::internal)?);
    }
    for path in further {
        collect(path, None, &mut files)?;
    }
    let mut found = 0_usize;
    for file in &files {
        for text in in_file(file, &sought)? {
            found += 1;
            // The text itself is not shown: this may be read by somebody else.
            print(&format!(
                "BAD   {}: a text of {} bytes stands here in clear\n",
                file.display(),
                text.length
            ))?;
        }
    }
    print(&format!("{} texts were looked for in {} files\n", sought.len(), files.len()))?;
    if !short.is_empty() {
        print(&format!(
            "note  {} texts of fewer than {SHORTEST} bytes were not looked for: they stand everywhere by chance\n",
            short.len()
        ))?;
    }
    match found {
        0 => print("ok    nothing of the account stands there in clear\n"),
        _ => Err(Error::internal(format!("{found} texts of the account stand in clear"))),
    }
}

/// All files below a folder but those in `left_out`.
fn collect(path: &Path, left_out: Option<&Path>, files: &mut Vec<PathBuf>) -> Result<()> {
    let failed = |error| Error::internal(format!("cannot look at {}: {error}", path.display()));
    if !std::fs::metadata(path).map_err(failed)?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?.path();
        if Some(entry.as_path()) != left_out {
            collect(&entry, left_out, files)?;
        }
    }
    Ok(())
}

fn in_file<'a>(file: &Path, sought: &'a [Sought]) -> Result<Vec<&'a Sought>> {
    let failed = |error| Error::internal(format!("cannot read {}: {error}", file.display()));
    let longest = sought.iter().flat_map(|text| &text.forms).map(Vec::len).max().unwrap_or_default();
    let mut reader = BufReader::new(File::open(file).map_err(failed)?);
    let (mut window, mut piece) = (Vec::new(), vec![0; PIECE]);
    let mut found = vec![false; sought.len()];
    loop {
        let read = reader.read(&mut piece).map_err(failed)?;
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
