//! What the files in `deploy/` must not do.

use std::fs;
use std::path::Path;

/// A file of the repository.
fn file(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)).unwrap()
}

/// The lines that are no comments.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

#[test]
fn the_image_is_built_of_sources_alone() {
    let ignored = file(".containerignore");
    assert_eq!(ignored, file(".dockerignore"), "Podman reads the one, Docker the other");
    assert_eq!(lines(&ignored).next(), Some("*"), "what is not named is left out");
    let named: Vec<&str> = lines(&ignored).filter_map(|line| line.strip_prefix('!')).collect();
    assert_eq!(named, [".cargo", "Cargo.lock", "Cargo.toml", "clients", "crates", "web", "xtask"]);
    // A folder of somebody who tries things out may lie anywhere.
    for secret in ["**/.env*", "**/.fairweather", "**/*.env", "**/*.pem"] {
        assert!(lines(&ignored).any(|line| line == secret), "{secret}");
    }
    let recipe = file("deploy/Containerfile");
    let copied = lines(&recipe).filter_map(|line| line.strip_prefix("COPY "));
    for line in copied.filter(|line| !line.starts_with("--from")) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (_, sources) = words.split_last().unwrap();
        assert!(sources.iter().all(|source| named.contains(source)), "COPY {line}");
    }
}

#[test]
fn the_set_of_containers_believes_its_proxy_alone() {
    let compose = file("deploy/compose/compose.yaml");
    let after = |key: &str| {
        let at = compose.find(key).unwrap_or_else(|| panic!("{key} is not there")) + key.len();
        compose[at..].lines().next().unwrap_or_default().to_owned()
    };
    let believed = after("FAIRWEATHER_TRUSTED_PROXIES:");
    let proxy = after("ipv4_address:");
    let proxy = proxy.split_whitespace().next().unwrap();
    assert_eq!(believed.trim(), format!("'[\"{proxy}\"]'"));
    assert_ne!(after("gateway:").split(',').next().unwrap().trim(), proxy);
}
