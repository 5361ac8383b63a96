//! Chooses what is embedded as the web app: `web/dist` if it was built, else a page that says how to.

use std::path::Path;

fn main() {
    let root = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let dist = Path::new(&root).join("../../web/dist");
    let notice = Path::new(&root).join("notice");
    let built = dist.join("index.html").exists();
    let folder = if built { &dist } else { &notice };
    println!("cargo:rustc-env=FAIRWEATHER_WEB={}", folder.display());
    println!("cargo:rustc-env=FAIRWEATHER_WEB_BUILT={built}");
    println!("cargo:rerun-if-changed={}", dist.display());
    println!("cargo:rerun-if-changed={}", notice.display());
}
