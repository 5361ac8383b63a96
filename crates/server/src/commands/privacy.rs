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

/// Looks through the data folder and further files for what the account has saved: its address, names, notes and
/// coordinates.
pub async fn run(setup: &Setup, email: &str, further: &[PathBuf]) -> Result<()> {
    let texts = {
        let (app, _lock) = open(setup).await?;
        app.plain_texts_of(email).await?
    };
    let texts: Vec<String> =
        texts.into_iter().map(|text| text.to_lowercase()).filter(|text| text.len() >= SHORTEST).collect();
    let mut files = Vec::new();
    collect(&setup.config.data, &mut files)?;
    for path in further {
        collect(path, &mut files)?;
    }
    let mut found = 0_usize;
    for file in &files {
        for text in in_file(file, &texts)? {
            found += 1;
            // The text itself is not shown: this may be read by somebody else.
            print(&format!(
                "BAD   {}: a text of {} bytes stands here in clear\n",
                file.display(),
                text.len()
            ))?;
        }
    }
    print(&format!("{} texts were looked for in {} files\n", texts.len(), files.len()))?;
    match found {
        0 => print("ok    nothing of the account stands there in clear\n"),
        _ => Err(Error::internal(format!("{found} texts of the account stand in clear"))),
    }
}

/// All files below a folder but the gazetteer's, which name every place there is.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let failed = |error| Error::internal(format!("cannot look at {}: {error}", path.display()));
    if !std::fs::metadata(path).map_err(failed)?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in std::fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_name() != "cache" {
            collect(&entry.path(), files)?;
        }
    }
    Ok(())
}

fn in_file<'a>(file: &Path, texts: &'a [String]) -> Result<Vec<&'a str>> {
    let failed = |error| Error::internal(format!("cannot read {}: {error}", file.display()));
    let longest = texts.iter().map(String::len).max().unwrap_or_default();
    let mut reader = BufReader::new(File::open(file).map_err(failed)?);
    let (mut window, mut piece) = (Vec::new(), vec![0; PIECE]);
    let mut found = vec![false; texts.len()];
    loop {
        let read = reader.read(&mut piece).map_err(failed)?;
        if read == 0 {
            break;
        }
        window.extend(piece.iter().take(read).map(u8::to_ascii_lowercase));
        for (text, found) in texts.iter().zip(&mut found) {
            *found = *found || window.windows(text.len()).any(|part| part == text.as_bytes());
        }
        let kept = window.len().saturating_sub(longest);
        window.drain(..kept);
    }
    Ok(texts.iter().zip(found).filter(|(_, found)| *found).map(|(text, _)| text.as_str()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_wherever_it_stands() {
        let folder = tempfile::tempdir().unwrap();
        let texts = [String::from("ann@example.org"), String::from("cabin by the lake")];
        let mut content = vec![b'x'; PIECE - 4];
        content.extend(b"Ann@Example.ORG");
        let file = folder.path().join("a");
        std::fs::write(&file, &content).unwrap();
        assert_eq!(
            in_file(&file, &texts).unwrap(),
            ["ann@example.org"],
            "across two pieces, in another case"
        );
        std::fs::write(&file, "nothing").unwrap();
        assert_eq!(in_file(&file, &texts).unwrap(), [""; 0]);
    }
}
