//! `alternateNamesV2`: names with their language.

use std::collections::HashMap;

use domain::Result;

use super::dump::Dump;
use super::{Progress, Thing};
use crate::build::SourceNames;
use crate::labels::Lang;

/// "Languages" of that file that are none, or that nobody types.
const NO_NAMES: [&str; 9] = ["link", "wkdt", "post", "faac", "icao", "unlc", "phon", "tcid", "fr_1793"];

/// Names found so far, by GeoNames id.
#[derive(Default)]
pub(super) struct Languages {
    found: HashMap<u32, Found>,
}

#[derive(Default)]
struct Found {
    others: Vec<String>,
    /// The best name per language so far, with its preference.
    labels: Vec<(Lang, u8, String)>,
}

impl Languages {
    /// Reads the names of known things: id of the name, id of the thing, language, name, preferred, short,
    /// colloquial, historic.
    pub(super) fn read(
        &mut self,
        dump: Dump,
        known: &HashMap<u32, Thing>,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<()> {
        dump.each(progress, &mut |columns| {
            let [_, id, language, name, flags @ ..] = columns else {
                return Err(format!("{} columns instead of 10", columns.len()));
            };
            let id: u32 = id.parse().map_err(|_| format!("{id:?} is no id"))?;
            if !known.contains_key(&id) || NO_NAMES.contains(language) || name.is_empty() {
                return Ok(());
            }
            let flag = |index: usize| flags.get(index) == Some(&"1");
            let found = self.found.entry(id).or_default();
            // Colloquial and historic names are not shown but found: "Bombay", "Saigon".
            let shown = Lang::parse(language).filter(|_| !flag(2) && !flag(3));
            let preference = 2 * u8::from(flag(0)) + u8::from(flag(1));
            let Some(lang) = shown else {
                found.others.push((*name).to_owned());
                return Ok(());
            };
            match found.labels.iter_mut().find(|label| label.0 == lang) {
                None => found.labels.push((lang, preference, (*name).to_owned())),
                Some(label) if label.1 < preference => {
                    label.1 = preference;
                    found.others.push(std::mem::replace(&mut label.2, (*name).to_owned()));
                }
                Some(_) => found.others.push((*name).to_owned()),
            }
            Ok(())
        })
    }

    pub(super) fn into_names(self) -> impl Iterator<Item = (u32, SourceNames)> {
        self.found.into_iter().map(|(id, found)| {
            let labels = found.labels.into_iter().map(|(lang, _, name)| (lang, name)).collect();
            (id, SourceNames { name: String::new(), others: found.others, labels })
        })
    }
}
