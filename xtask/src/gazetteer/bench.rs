//! How fast search as you type is, on one thread.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use gazetteer::{Gazetteer, Query};

use crate::Result;

/// Types every name key by key, as a search field would send it.
#[derive(Args)]
pub struct Bench {
    /// Tab-separated lines whose second column is a name; see `gazetteer-quality`.
    names: PathBuf,
    /// The gazetteer's cache folder.
    #[arg(long)]
    cache: PathBuf,
    /// Languages (first column) to take names of.
    #[arg(long, value_delimiter = ',', default_value = "de,en,es,fr,pt,pl,ru,ar,ja,ko")]
    languages: Vec<String>,
    /// Letters of a name after which nobody types on.
    #[arg(long, default_value_t = 9)]
    keys: usize,
    /// Swaps two letters of every name, so that each search at the end needs its lenient half.
    #[arg(long)]
    typos: bool,
}

impl Bench {
    pub fn run(self) -> Result<()> {
        let start = Instant::now();
        let gazetteer = Gazetteer::open(&self.cache)?;
        println!("opened in {:.1} ms, {} places", millis(start.elapsed()), gazetteer.len());
        let mut typed = Vec::new();
        for line in std::fs::read_to_string(&self.names)?.lines() {
            let mut columns = line.split('\t');
            let (Some(lang), Some(name)) = (columns.next(), columns.next()) else { continue };
            if !self.languages.iter().any(|wanted| wanted == lang) {
                continue;
            }
            let mut letters: Vec<char> = name.chars().collect();
            if self.typos && letters.len() > 3 {
                letters.swap(1, 2);
            }
            typed.extend(
                (1..=letters.len().min(self.keys)).map(|end| letters[..end].iter().collect::<String>()),
            );
        }
        let search = |text: &String| {
            let start = Instant::now();
            let found = gazetteer.search(&Query { text, near: None, lang: None, limit: 10 });
            (start.elapsed(), found.len())
        };
        // The first round brings the pages in and builds what is built once.
        for text in &typed {
            search(text);
        }
        let mut times: Vec<(Duration, &String)> = typed.iter().map(|text| (search(text).0, text)).collect();
        times.sort_unstable();
        let total: Duration = times.iter().map(|(time, _)| *time).sum();
        let at = |share: f64| {
            let index = ((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1));
            times.get(index).map_or(0.0, |(time, _)| millis(*time))
        };
        println!(
            "{} keystrokes: {:.0}/s, mean {:.3} ms, p50 {:.3}, p95 {:.3}, p99 {:.3}, p99.9 {:.3}, worst {:.3}",
            times.len(),
            times.len() as f64 / total.as_secs_f64(),
            millis(total) / times.len().max(1) as f64,
            at(0.5),
            at(0.95),
            at(0.99),
            at(0.999),
            at(1.0),
        );
        for (time, text) in times.iter().rev().take(5) {
            println!("  {:.3} ms  {text}", millis(*time));
        }
        Ok(())
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
