//! What a device calls itself, for its owner to recognise it in the list of sessions.

use serde::{Deserialize, Serialize};

/// Taken from the user agent, which anybody may write as they like: it recognises, it proves nothing. Personal, hence
/// sealed at rest.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// The browser, or the app with its version.
    pub app: Option<String>,
    /// The kind of machine.
    pub system: Option<String>,
}

/// Longest name of an app, in code points.
const LONGEST: usize = 40;

/// A word of the user agent, and what it stands for. The first that is found counts, since each browser also names those
/// that it wants to be taken for.
const BROWSERS: [(&str, &str); 12] = [
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Firefox/", "Firefox"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

/// The same for machines.
const SYSTEMS: [(&str, &str); 10] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Macintosh", "Mac"),
    ("Darwin", "Apple"),
    ("iOS", "iOS"),
    ("macOS", "Mac"),
    ("Linux", "Linux"),
];

impl Device {
    /// What a user agent says.
    pub fn of(user_agent: &str) -> Self {
        let known = |list: &[(&str, &str)]| {
            list.iter().find(|(word, _)| user_agent.contains(word)).map(|(_, name)| (*name).to_owned())
        };
        let browser = if user_agent.starts_with("Mozilla/") { known(&BROWSERS) } else { None };
        Self { app: browser.or_else(|| product(user_agent)), system: known(&SYSTEMS) }
    }

    /// As it is shown: `Firefox on Linux`.
    pub fn name(&self) -> Option<String> {
        match (&self.app, &self.system) {
            (Some(app), Some(system)) => Some(format!("{app} on {system}")),
            (Some(one), None) | (None, Some(one)) => Some(one.clone()),
            (None, None) => None,
        }
    }
}

/// The first word of a user agent that is no browser's: `Tours/4.1`.
fn product(user_agent: &str) -> Option<String> {
    let word = user_agent.split([' ', '(', ';', ',']).next()?;
    let clean: String = word
        .chars()
        .filter(|letter| letter.is_ascii_alphanumeric() || "/._-".contains(*letter))
        .take(LONGEST)
        .collect();
    let is_empty_promise = clean.is_empty() || clean.starts_with("Mozilla/");
    (!is_empty_promise).then_some(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_recognised() {
        for (agent, name) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 \
                 Safari/537.36 Edg/142.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                 Version/18.5 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 \
                 Mobile Safari/537.36",
                "Chrome on Android",
            ),
            ("Tours/4.1 (iPhone; iOS 19.0)", "Tours/4.1 on iPhone"),
            ("curl/8.14.1", "curl/8.14.1"),
            ("okhttp/5.1.0", "okhttp/5.1.0"),
            ("(Android)", "Android"),
        ] {
            assert_eq!(Device::of(agent).name().as_deref(), Some(name), "{agent}");
        }
        for nothing in ["", " ", "Mozilla/5.0", "\u{202E}\u{7}"] {
            assert_eq!(Device::of(nothing).name(), None, "{nothing:?}");
        }
    }

    #[test]
    fn what_is_shown_is_short_and_plain() {
        let name = Device::of(&format!("<b>\u{202E}{}", "x".repeat(1000))).name().unwrap_or_default();
        assert_eq!(name, format!("b{}", "x".repeat(LONGEST - 1)));
    }
}
