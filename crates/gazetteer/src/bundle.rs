//! The data file as the binary carries it: compressed, and without the sections that are quicker made again than
//! carried.
//!
//! 16 bytes (magic, checksum of what follows), then zstd over each kept section: a u64 length and the bytes. Records
//! are transposed, all first bytes, then all second ones: like next to like compresses a fifth better.

use std::io::Read;

use domain::{Error, Result};

use crate::format::{self, Checksum, SECTIONS, Section};
use crate::record::{RECORD, Record};
use crate::{sphere, tree};

/// Made again by [`expand`].
const DERIVED: [usize; 2] = [Section::ById as usize, Section::Tree as usize];
/// The highest level that needs no more than 32 MB to expand.
const LEVEL: i32 = 19;

/// Compresses a data file into what the crate embeds.
///
/// # Errors
/// `Internal` if `file` was not made by [`crate::build::build`].
pub fn bundle(file: &[u8]) -> Result<Vec<u8>> {
    format::verify(&mut &file[..], file.len() as u64)?;
    let mut content = Vec::with_capacity(file.len());
    for number in (0..SECTIONS).filter(|number| !DERIVED.contains(number)) {
        let range = format::section_range(file, number)?;
        let section = &file[range];
        content.extend_from_slice(&(section.len() as u64).to_le_bytes());
        if number == Section::Records as usize {
            content.extend(transposed(section, RECORD));
        } else {
            content.extend_from_slice(section);
        }
    }
    let compressed = zstd::bulk::compress(&content, LEVEL).map_err(Error::internal)?;
    let mut checksum = Checksum::new();
    checksum.update(&compressed);
    let mut bundled = format::MAGIC.to_vec();
    bundled.extend_from_slice(&checksum.finish().to_le_bytes());
    bundled.extend(compressed);
    Ok(bundled)
}

/// What names a bundle: its checksum as it says itself. `None` if it is none, or made for another layout.
pub(crate) fn name(bundled: &[u8]) -> Option<u64> {
    bundled.starts_with(&format::MAGIC).then(|| format::u64_at(bundled, 8))?
}

/// The data file of a bundle.
pub(crate) fn expand(bundled: &[u8]) -> Result<Vec<u8>> {
    let damaged = || Error::internal("the embedded places are damaged");
    let mut content =
        zstd::stream::Decoder::new(bundled.get(16..).unwrap_or_default()).map_err(Error::internal)?;
    let mut sections: [Vec<u8>; SECTIONS] = std::array::from_fn(|_| Vec::new());
    for (number, section) in sections.iter_mut().enumerate() {
        if DERIVED.contains(&number) {
            continue;
        }
        let mut length = [0; 8];
        content.read_exact(&mut length).map_err(|_| damaged())?;
        let length = u64::from_le_bytes(length);
        content.by_ref().take(length).read_to_end(section).map_err(|_| damaged())?;
        if section.len() as u64 != length {
            return Err(damaged());
        }
    }
    let records = Section::Records as usize;
    let columns = sections[records].len() / RECORD;
    sections[records] = transposed(&sections[records], columns);
    let (by_id, tree) = derived(&sections[records])?;
    sections[Section::ById as usize] = by_id;
    sections[Section::Tree as usize] = tree;
    Ok(format::assemble(sections))
}

/// The sections that follow from the records alone: [`Section::ById`] and [`Section::Tree`].
///
/// # Errors
/// `Internal` if two records have one id.
pub(crate) fn derived(records: &[u8]) -> Result<(Vec<u8>, Vec<u8>)> {
    let mut ids = Vec::with_capacity(records.len() / RECORD);
    let mut nodes = Vec::with_capacity(records.len() / RECORD);
    for (ordinal, record) in (0..).zip(records.as_chunks::<RECORD>().0) {
        let record = Record::decode(record);
        ids.push((record.id, ordinal));
        if record.kind.is_point()
            && let Some(at) = record.coordinates()
        {
            nodes.push(tree::Node { at: sphere::unit_vector(at), ordinal });
        }
    }
    ids.sort_unstable();
    if let Some(twice) = ids.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(Error::internal(format!("two places have the id {}", twice[0].0)));
    }
    let by_id = ids.into_iter().flat_map(|(_, ordinal): (u32, u32)| ordinal.to_le_bytes()).collect();
    Ok((by_id, tree::build(nodes)))
}

/// Reads rows of `width` bytes column by column.
fn transposed(bytes: &[u8], width: usize) -> Vec<u8> {
    (0..width).flat_map(|column| bytes.iter().skip(column).step_by(width).copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transposing_there_and_back_changes_nothing() {
        let rows: Vec<u8> = (0..RECORD as u8 * 5).collect();
        let columns = transposed(&rows, RECORD);
        assert_eq!(columns[..5], [0, 32, 64, 96, 128]);
        assert_eq!(transposed(&columns, 5), rows);
        assert!(transposed(&[], 0).is_empty());
    }

    #[test]
    fn a_damaged_bundle_is_an_error() {
        assert!(expand(b"").is_err());
        assert!(expand(&[0; 100]).is_err());
        assert_eq!(name(b"FWPLACE"), None);
    }
}
