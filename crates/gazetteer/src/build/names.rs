//! Which folded names lead to which entries.

use std::collections::BTreeMap;

use super::Entry;
use crate::fold::{fold, fold_into, length};
use crate::index::Posting;
use crate::place::{Kind, LONGEST_QUERY};

/// Letters of the shortest word at which a search may start inside a name; "de" and "am" lead nowhere.
const SHORTEST_INNER: usize = 3;

/// Names on their way into the two indexes.
#[derive(Default)]
pub(super) struct Names {
    pub places: BTreeMap<String, Vec<Posting>>,
    pub qualifiers: BTreeMap<String, Vec<Posting>>,
    buffer: String,
}

impl Names {
    pub(super) fn add(&mut self, ordinal: u32, entry: &Entry) {
        let posting = Posting::new(ordinal);
        let is_area = matches!(entry.kind, Kind::Country | Kind::Area);
        let first = fold(&entry.names.name);
        for inner in inner_names(&first) {
            note(&mut self.places, inner, posting.inner());
        }
        note(&mut self.places, &first, posting);
        if is_area {
            note(&mut self.qualifiers, &first, posting);
        }
        let labels = entry.names.labels.iter().map(|(_, label)| label);
        for other in entry.names.others.iter().chain(labels) {
            fold_into(other, &mut self.buffer);
            if self.buffer == first {
                continue;
            }
            note(&mut self.places, &self.buffer, posting.alternate());
            if is_area {
                note(&mut self.qualifiers, &self.buffer, posting.alternate());
            }
        }
        for code in &entry.codes {
            note(&mut self.qualifiers, &fold(code), posting.alternate());
        }
    }
}

fn note(names: &mut BTreeMap<String, Vec<Posting>>, name: &str, posting: Posting) {
    if name.is_empty() || length(name) > LONGEST_QUERY {
        return;
    }
    match names.get_mut(name) {
        Some(postings) if postings.contains(&posting) => {}
        Some(postings) => postings.push(posting),
        None => {
            names.insert(name.to_owned(), vec![posting]);
        }
    }
}

/// The name from its second word on, from its third on, and so on.
fn inner_names(folded: &str) -> impl Iterator<Item = &str> {
    folded
        .match_indices(' ')
        .map(|(at, _)| &folded[at + 1..])
        .filter(|rest| rest.split(' ').next().is_some_and(|word| length(word) >= SHORTEST_INNER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_by_its_later_words() {
        assert_eq!(inner_names("rio de janeiro").collect::<Vec<_>>(), ["janeiro"]);
        assert_eq!(inner_names("palma").count(), 0);
    }
}
