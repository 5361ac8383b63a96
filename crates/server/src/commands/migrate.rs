//! `migrate`.

use domain::Result;

use super::print;
use crate::config::Config;

#[derive(clap::Args)]
pub struct Options {
    /// Print what would run, and change nothing
    #[arg(long)]
    dry_run: bool,
}

pub async fn run(config: &Config, options: &Options) -> Result<()> {
    let url = config.store_url()?;
    if let Some(folder) = url.file().and_then(std::path::Path::parent)
        && !options.dry_run
    {
        std::fs::create_dir_all(folder).map_err(domain::Error::internal)?;
    }
    let report = store::migrate(&url, options.dry_run).await?;
    let mut text = String::new();
    if let Some(backup) = &report.backup {
        text += &format!("backup of the database as it was: {}\n", backup.display());
    }
    for step in &report.pending {
        let did = if options.dry_run { "would run" } else { "ran" };
        text += &format!("{did} step {} ({})\n", step.number, step.name);
        if options.dry_run {
            text += &step.sql;
        }
    }
    if report.pending.is_empty() {
        text += &format!("nothing to do: all {} steps are in place\n", report.present);
    }
    print(&text)
}
