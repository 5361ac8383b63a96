//! The data file: a header, a table of sections, the sections. Numbers are little-endian. It is made once by
//! [`crate::build`], mapped read-only from then on, and read in place; nothing of it is copied at start.
//!
//! ```text
//! 0   magic            8 bytes
//! 8   length           u64, of the whole file
//! 16  checksum         u64, of everything from byte 24 on
//! 24  section table    SECTIONS × (offset u64, length u64)
//! ..  sections         each at a multiple of 8
//! ```

use std::ops::Range;
use std::sync::Arc;

use domain::{Error, Result};
use memmap2::Mmap;

/// Changes with every change of the layout or of the folding, so that an older file is never misread.
pub(crate) const MAGIC: [u8; 8] = *b"FWPLACE1";

/// What a file consists of, in the order of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Section {
    /// [`crate::record::Record`]s, the weightiest first: the ordinal of a place is its rank.
    Records,
    /// Ordinals in ascending order of id, u32 each.
    ById,
    /// Texts, each a length byte and UTF-8.
    Arena,
    /// Ordinals of countries, u32 each.
    Countries,
    /// Ordinals of first-level areas, u32 each.
    Areas,
    /// See [`crate::tree`].
    Tree,
    /// Folded names: an fst, its entries, and lists for names that several places share. See [`crate::index`].
    Names,
    NameEntries,
    NameLists,
    /// The best places of short prefixes: an fst and lists.
    Short,
    ShortLists,
    /// Folded names and codes of countries and areas, for "Paris, Texas".
    Qualifiers,
    QualifierEntries,
    QualifierLists,
    /// Names by language. See [`crate::labels`].
    Labels,
}

pub(crate) const SECTIONS: usize = Section::Labels as usize + 1;
const TABLE_AT: usize = 24;
const CHECKED_FROM: usize = 24;
pub(crate) const HEADER: usize = TABLE_AT + SECTIONS * 16;

/// Puts sections together to a file's bytes.
pub(crate) fn assemble(sections: [Vec<u8>; SECTIONS]) -> Vec<u8> {
    let mut file = vec![0; HEADER];
    for (number, section) in sections.into_iter().enumerate() {
        file.resize(file.len().next_multiple_of(8), 0);
        let entry = TABLE_AT + number * 16;
        let offset = file.len() as u64;
        file[entry..entry + 8].copy_from_slice(&offset.to_le_bytes());
        file[entry + 8..entry + 16].copy_from_slice(&(section.len() as u64).to_le_bytes());
        file.extend_from_slice(&section);
    }
    let mut checksum = Checksum::new();
    checksum.update(&file[CHECKED_FROM..]);
    let length = file.len() as u64;
    file[..8].copy_from_slice(&MAGIC);
    file[8..16].copy_from_slice(&length.to_le_bytes());
    file[16..24].copy_from_slice(&checksum.finish().to_le_bytes());
    file
}

/// The checksum that the header of a file's bytes carries.
pub(crate) fn checksum_of(header: &[u8]) -> Option<u64> {
    (header.get(..8)? == MAGIC).then(|| u64_at(header, 16))?
}

fn damaged(what: &str) -> Error {
    Error::internal(format!("the places file is damaged: {what}"))
}

/// Whether a file is of this layout and whole by its length; the checksum that it should have.
pub(crate) fn check_header(file: &mut impl std::io::Read, length: u64) -> Result<u64> {
    let mut header = [0; CHECKED_FROM];
    file.read_exact(&mut header).map_err(|_| damaged("no header"))?;
    let expected = checksum_of(&header).ok_or_else(|| damaged("not one of ours"))?;
    if u64_at(&header, 8) == Some(length) { Ok(expected) } else { Err(damaged("wrong length")) }
}

/// Reads a whole file through a small buffer and compares it with its checksum. Reading, unlike walking the map,
/// does not make the pages part of this process.
pub(crate) fn verify(file: &mut impl std::io::Read, length: u64) -> Result<()> {
    let expected = check_header(file, length)?;
    let mut checksum = Checksum::new();
    let mut buffer = vec![0; 256 * 1024];
    let mut read = CHECKED_FROM as u64;
    loop {
        let mut filled = 0;
        // The checksum works on blocks: every buffer but the last must be full.
        while filled < buffer.len() {
            match file.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(damaged(&error.to_string())),
            }
        }
        if filled == 0 {
            break;
        }
        read += filled as u64;
        checksum.update(&buffer[..filled]);
    }
    if read != length || checksum.finish() != expected {
        return Err(damaged("checksum"));
    }
    Ok(())
}

/// A piece of the mapped file that keeps the map alive.
#[derive(Clone)]
pub(crate) struct Part {
    map: Arc<Mmap>,
    range: Range<usize>,
}

impl AsRef<[u8]> for Part {
    fn as_ref(&self) -> &[u8] {
        // The range was checked when the part was made, and a map never changes its length.
        &self.map[self.range.clone()]
    }
}

impl Part {
    /// The u32 number `index` of the part, if it reaches that far.
    pub(crate) fn u32(&self, index: usize) -> Option<u32> {
        u32_at(self.as_ref(), index.checked_mul(4)?)
    }

    pub(crate) fn u32_len(&self) -> usize {
        self.range.len() / 4
    }
}

/// Cuts a mapped file into its sections.
pub(crate) fn parts(map: Mmap) -> Result<[Part; SECTIONS]> {
    let map = Arc::new(map);
    let mut ranges: [Range<usize>; SECTIONS] = std::array::from_fn(|_| 0..0);
    for (number, range) in ranges.iter_mut().enumerate() {
        *range = section_range(&map, number)?;
    }
    Ok(ranges.map(|range| Part { map: map.clone(), range }))
}

/// Where a section lies in the bytes of a file.
pub(crate) fn section_range(file: &[u8], number: usize) -> Result<Range<usize>> {
    let entry = TABLE_AT + number * 16;
    let range = u64_at(file, entry).zip(u64_at(file, entry + 8)).and_then(|(offset, length)| {
        let start = usize::try_from(offset).ok()?;
        let end = start.checked_add(usize::try_from(length).ok()?)?;
        (end <= file.len()).then_some(start..end)
    });
    range.ok_or_else(|| Error::internal("the places file's section table is damaged"))
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// A checksum against accidents, not against malice: four lanes of multiply and rotate, a few GB a second.
pub(crate) struct Checksum {
    lanes: [u64; 4],
    length: u64,
}

impl Checksum {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

    pub(crate) fn new() -> Self {
        Self { lanes: [1, 2, 3, 4], length: 0 }
    }

    /// Every piece but the last must be a multiple of 32 bytes long.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.length += bytes.len() as u64;
        let (blocks, rest) = bytes.as_chunks::<32>();
        for block in blocks {
            self.mix(block);
        }
        if !rest.is_empty() {
            let mut last = [0; 32];
            last[..rest.len()].copy_from_slice(rest);
            self.mix(&last);
        }
    }

    fn mix(&mut self, block: &[u8; 32]) {
        for (lane, word) in self.lanes.iter_mut().zip(block.as_chunks::<8>().0) {
            *lane = (*lane ^ u64::from_le_bytes(*word)).wrapping_mul(Self::FACTOR).rotate_left(29);
        }
    }

    pub(crate) fn finish(self) -> u64 {
        self.lanes.iter().fold(self.length, |sum, lane| {
            (sum ^ lane).wrapping_mul(Self::FACTOR) ^ (sum ^ lane).rotate_right(31)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_changed_bit_anywhere_is_noticed() {
        let file = assemble(std::array::from_fn(|number| vec![number as u8; number * 5]));
        verify(&mut file.as_slice(), file.len() as u64).expect("as assembled");
        for at in 0..file.len() {
            for bit in [1, 0x80] {
                let mut damaged = file.clone();
                damaged[at] ^= bit;
                assert!(verify(&mut damaged.as_slice(), file.len() as u64).is_err(), "byte {at}");
            }
        }
        assert!(verify(&mut &file[..file.len() - 1], file.len() as u64 - 1).is_err(), "cut short");
        assert!(verify(&mut &b""[..], 0).is_err(), "empty");
    }
}
