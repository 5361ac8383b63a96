//! An opened data file: its sections with their meaning.

use domain::{Coordinates, Result};
use fst::Map;
use memmap2::Mmap;

use crate::format::{self, Part, Section};
use crate::index::{self, Index};
use crate::labels::{Labels, Lang};
use crate::place::{Kind, Near, Place};
use crate::record::{NONE, RECORD, Record};
use crate::tree::Tree;
use crate::{sphere, zone};

/// Everything that a search reads. All of it lies in the mapped file.
pub(crate) struct Atlas {
    records: Part,
    by_id: Part,
    arena: Part,
    countries: Part,
    areas: Part,
    tree: Tree,
    labels: Labels,
    pub names: Index,
    pub qualifiers: Index,
    short: Map<Part>,
    short_lists: Part,
}

impl Atlas {
    pub(crate) fn open(map: Mmap) -> Result<Self> {
        let parts = format::parts(map)?;
        let part = |section: Section| parts[section as usize].clone();
        Ok(Self {
            records: part(Section::Records),
            by_id: part(Section::ById),
            arena: part(Section::Arena),
            countries: part(Section::Countries),
            areas: part(Section::Areas),
            tree: Tree(part(Section::Tree)),
            labels: Labels(part(Section::Labels)),
            names: Index::open(part(Section::Names), part(Section::NameEntries), part(Section::NameLists))?,
            qualifiers: Index::open(
                part(Section::Qualifiers),
                part(Section::QualifierEntries),
                part(Section::QualifierLists),
            )?,
            short: index::open_fst(part(Section::Short))?,
            short_lists: part(Section::ShortLists),
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.records.as_ref().len() / RECORD
    }

    pub(crate) fn record(&self, ordinal: u32) -> Option<Record> {
        self.records.as_ref().as_chunks::<RECORD>().0.get(ordinal as usize).map(Record::decode)
    }

    /// The text at a position of the arena; empty if there is none.
    pub(crate) fn text(&self, at: u32) -> &str {
        let bytes = self.arena.as_ref().get(at as usize..).unwrap_or_default();
        let Some((length, rest)) = bytes.split_first() else { return "" };
        rest.get(..usize::from(*length)).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default()
    }

    pub(crate) fn ordinal(&self, id: u32) -> Option<u32> {
        let (mut low, mut high) = (0, self.by_id.u32_len());
        while low < high {
            let middle = low + (high - low) / 2;
            let ordinal = self.by_id.u32(middle)?;
            match self.record(ordinal)?.id.cmp(&id) {
                std::cmp::Ordering::Equal => return Some(ordinal),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// The name of a place in a language, if the data has one.
    pub(crate) fn label(&self, ordinal: u32, lang: Option<Lang>) -> Option<&str> {
        self.labels.find(ordinal, lang?).map(|at| self.text(at))
    }

    fn name(&self, ordinal: u32, record: &Record, lang: Option<Lang>) -> String {
        self.label(ordinal, lang).unwrap_or_else(|| self.text(record.name)).to_owned()
    }

    /// The place as the outside sees it.
    pub(crate) fn place(&self, ordinal: u32, lang: Option<Lang>) -> Option<Place> {
        let record = self.record(ordinal)?;
        let coordinates = record.coordinates()?;
        let named = |among: &Part, index: u16| {
            let ordinal = (index != NONE).then(|| among.u32(usize::from(index)))??;
            Some(self.name(ordinal, &self.record(ordinal)?, lang))
        };
        let admin1 = if record.kind == Kind::Area { None } else { named(&self.areas, record.area) };
        Some(Place {
            id: record.id,
            name: self.name(ordinal, &record, lang),
            admin1,
            country: named(&self.countries, record.country).unwrap_or_default(),
            country_code: record.country_code,
            coordinates,
            tz: zone::at(coordinates),
            population: record.population,
            elevation: record.elevation.map(i32::from),
            kind: record.kind,
        })
    }

    pub(crate) fn nearest(&self, at: Coordinates) -> Option<Near> {
        let mut nearest = None;
        self.tree.visit(sphere::unit_vector(at), f32::INFINITY, &mut |ordinal, squared| {
            nearest = Some(ordinal);
            squared
        });
        let place = self.place(nearest?, None)?;
        Some(Near { distance_m: sphere::distance_m(at, place.coordinates), place })
    }

    /// The `count` weightiest places within `metres`, in no order.
    pub(crate) fn weightiest_around(&self, at: Coordinates, metres: f64, count: usize) -> Vec<u32> {
        let mut best = std::collections::BinaryHeap::with_capacity(count + 1);
        let reach = sphere::chord_squared(metres);
        self.tree.visit(sphere::unit_vector(at), reach, &mut |ordinal, _| {
            if best.len() < count || best.peek().is_some_and(|worst| ordinal < *worst) {
                best.push(ordinal);
                if best.len() > count {
                    best.pop();
                }
            }
            reach
        });
        best.into_vec()
    }

    /// The best places whose names begin with a short text, if it is one of those that very many names begin with.
    pub(crate) fn short(&self, prefix: &str) -> Option<index::Postings<'_>> {
        let at = self.short.get(prefix)?;
        Some(index::list(&self.short_lists, u32::try_from(at).ok()?))
    }
}
