//! `places`.

use std::path::PathBuf;

use clap::Subcommand;
use domain::Result;
use gazetteer::Progress;

use super::print;
use crate::config::Config;

#[derive(Subcommand)]
pub enum Command {
    /// Build a gazetteer from GeoNames' own dumps in a folder, and use it from the next start on
    #[command(
        after_help = "The folder holds cities500.zip (or allCountries.zip), admin1CodesASCII.txt and countryInfo.txt;\n\
        with alternateNamesV2.zip names get their languages. All are at download.geonames.org/export/dump.\n\n\
        Example: fairweather places import ./geonames"
    )]
    Import { folder: PathBuf },
}

pub async fn run(config: &Config, command: &Command) -> Result<()> {
    let Command::Import { folder } = command;
    let (folder, cache) = (folder.clone(), config.data.join("cache"));
    let done = tokio::task::spawn_blocking(move || {
        gazetteer::import(&folder, &cache, &mut |step| match step {
            Progress::Reading { file, lines } => eprintln!("reading {file}: {lines} lines"),
            Progress::Building { places } => eprintln!("building the index of {places} places"),
            Progress::Writing { bytes } => eprintln!("writing {} MB", bytes / 1_000_000),
        })
    })
    .await
    .map_err(domain::Error::internal)??;
    let gazetteer::Summary { places, countries, areas, labels, file } = done;
    print(&format!(
        "{places} places, {countries} countries, {areas} areas, {labels} names with a language in {}\n\
         Restart the server to use it.\n",
        file.display()
    ))
}
