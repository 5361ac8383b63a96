//! The ways in which a query can be meant.

use super::romanise::romanise;
use super::scope::Scope;
use crate::atlas::Atlas;
use crate::fold::fold;

/// A name to look for, and where.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reading {
    /// Folded; never empty.
    pub name: String,
    pub scope: Option<Scope>,
    /// Points off, because the query was probably not meant like this.
    pub penalty: f32,
    /// Whether typos are looked for in this reading.
    pub lenient: bool,
}

impl Reading {
    /// The same in Latin letters, if it is in a script that can be spelled so.
    pub(super) fn romanised(&self) -> Option<Self> {
        let name = romanise(&self.name)?;
        Some(Self { name, penalty: self.penalty + ROMANISED, ..self.clone() })
    }
}

/// Points off for a name in another script than it was typed in.
const ROMANISED: f32 = 0.3;
/// Words of a country or area at the end of a query without a comma ("Papua New Guinea").
const LONGEST_SCOPE: usize = 3;

/// The likeliest reading first; none if nothing but signs was typed. At most a dozen.
pub(super) fn readings(atlas: &Atlas, text: &str) -> Vec<Reading> {
    let whole = fold(text);
    if whole.is_empty() {
        return Vec::new();
    }
    let mut readings = Vec::new();
    let mut add = |name: &str, scope: Option<Scope>, penalty: f32, lenient: bool| {
        if !name.is_empty() {
            readings.push(Reading { name: name.to_owned(), scope: scope.clone(), penalty, lenient });
            if let Some(name) = spelled_out(name) {
                readings.push(Reading { name, scope, penalty: penalty + 0.05, lenient: false });
            }
        }
    };
    let mut parts =
        text.split([',', ';', '，', '、', '،', '/', '(']).map(fold).filter(|part| !part.is_empty());
    let head = parts.next().unwrap_or_default();
    let last = parts.next_back().or_else(|| parts.next());
    if let Some(last) = last {
        if let Some(scope) = Scope::typed(atlas, &last) {
            add(&head, Some(scope), 0.0, true);
            return readings;
        }
        // What follows the comma says nothing to us: a street, a typo, a village.
        add(&head, None, 0.3, true);
        add(&whole, None, 0.0, false);
        return readings;
    }
    add(&whole, None, 0.0, true);
    let words: Vec<usize> = whole.match_indices(' ').map(|(at, _)| at).collect();
    for at in words.iter().rev().take(LONGEST_SCOPE) {
        if let Some(scope) = Scope::exact(atlas, &whole[at + 1..]) {
            add(&whole[..*at], Some(scope), 0.15, true);
        }
    }
    // Chinese, Japanese and Korean addresses begin with the country.
    for at in words.iter().take(LONGEST_SCOPE - 1) {
        if let Some(scope) = Scope::exact(atlas, &whole[..*at]) {
            add(&whole[at + 1..], Some(scope), 0.3, false);
        }
    }
    readings
}

/// The name with its abbreviated words written out, if it has any.
fn spelled_out(name: &str) -> Option<String> {
    let mut changed = false;
    let words: Vec<&str> = name
        .split(' ')
        .map(|word| {
            let whole = match word {
                "st" => "saint",
                "ste" => "sainte",
                "mt" => "mount",
                "ft" => "fort",
                "pto" => "puerto",
                "sta" => "santa",
                "sto" => "santo",
                _ => return word,
            };
            changed = true;
            whole
        })
        .collect();
    changed.then(|| words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn abbreviations_are_written_out() {
        assert_eq!(spelled_out("st gallen").as_deref(), Some("saint gallen"));
        assert_eq!(spelled_out("stuttgart"), None);
    }
}
