//! What a public server must not be started with.

use super::Config;

impl Config {
    /// What makes a public server unsafe, each with the line to change. Empty when it may start.
    pub fn unsafe_settings(&self) -> Vec<String> {
        let mut wrong = self.unsafe_reach();
        wrong.extend(self.unencrypted());
        wrong.extend(self.unfit_weather());
        if let Err(error) = self.smtp() {
            wrong.push(error.to_string());
        }
        if self.password.minimum < 8 {
            wrong.push(String::from("password.minimum is below 8"));
        }
        wrong
    }

    /// Where the server listens, and who it believes.
    fn unsafe_reach(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let loopback = self.listen.ip().is_loopback();
        match self.public_url.as_deref() {
            None => wrong.push(String::from(
                "public_url is not set: say where people reach this server, e.g. --public-url https://weather.example.org",
            )),
            Some(url) if url.starts_with("https://") && origin(url).is_some() => {}
            Some(url) if loopback && is_loopback_url(url) => {}
            Some(_) => wrong.push(String::from(
                "public_url must begin with https:// and name a host, without a path: passwords and places travel there",
            )),
        }
        if !loopback && self.trusted_proxies.is_empty() {
            wrong.push(format!(
                "listen is {}, where everybody can listen in: put a TLS proxy in front and name it \
                 (--trusted-proxies 10.0.0.5), or listen on 127.0.0.1",
                self.listen
            ));
        }
        if self.security_contact.as_ref().is_some_and(|contact| !is_contact(contact)) {
            wrong.push(String::from(
                "security_contact must begin with mailto:, tel: or https://, on one line",
            ));
        }
        if self.trusted_proxies.iter().any(|network| network.trim_end().ends_with("/0")) {
            wrong.push(String::from(
                "trusted_proxies names everybody (/0), so anybody could say where they come from: name your proxies",
            ));
        }
        wrong
    }

    /// Connections of the server's own on which others could listen in.
    fn unencrypted(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let direct = self.database_direct.as_ref().and_then(|url| url.parse::<store::Url>().ok());
        for (name, url) in [("database", self.store_url().ok()), ("database_direct", direct)] {
            let Some(host) = url.and_then(|url| url.plain_host()) else { continue };
            wrong.push(format!(
                "{name} is on another machine ({host}) and nothing says that the connection is encrypted: add \
                 ?sslmode=verify-full to its URL (with &sslrootcert=FILE for an authority of your own), or \
                 ?sslmode=disable if nobody can listen in between"
            ));
        }
        if let Some(host) = self.redis.as_deref().and_then(bus::plain_host) {
            wrong.push(format!(
                "redis is on another machine ({host}) and the connection is not encrypted: let its URL begin with \
                 rediss://, or add ?sslmode=disable to it if nobody can listen in between"
            ));
        }
        let is_tried = self.public_url.as_deref().is_some_and(is_loopback_url);
        let plain = self.providers.iter().filter(|(_, provider)| !is_tried && provider.is_plain());
        wrong.extend(plain.map(|(name, _)| {
            format!("providers.{name} is reached without encryption: its issuer must begin with https://")
        }));
        wrong
    }

    /// Weather that is made up, or not to be used like this.
    fn unfit_weather(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let weather = &self.weather;
        if weather.sandbox.always {
            wrong.push(String::from(
                "weather.sandbox.always is true: made-up weather is for `fairweather dev` only",
            ));
        }
        let free = weather.open_meteo.base_url.to_ascii_lowercase().contains("//api.open-meteo.com");
        if free && !weather.open_meteo.non_commercial {
            wrong.push(String::from(
                "weather.open_meteo.base_url is the free host, which is for non-commercial use only (apps with \
                 subscriptions or advertisements are commercial): set weather.open_meteo.non_commercial = true, or \
                 a customer's base_url and key, or the base_url of your own Open-Meteo container",
            ));
        }
        wrong
    }
}

/// Plain HTTP to a name of this machine: a server that is being tried.
fn is_loopback_url(url: &str) -> bool {
    let Some(host) = origin(url).and_then(|url| url.strip_prefix("http://")) else { return false };
    ["localhost", "127.0.0.1", "[::1]"]
        .iter()
        .any(|name| host.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(':')))
}

/// Scheme, host and port of a URL without a path.
pub fn origin(url: &str) -> Option<&str> {
    let url = url.trim_end_matches('/');
    let (scheme, host) = url.split_once("://")?;
    let sound = matches!(scheme, "http" | "https")
        && !host.is_empty()
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:[]".contains(&b));
    sound.then_some(url)
}

fn is_contact(text: &str) -> bool {
    ["mailto:", "tel:", "https://"].iter().any(|scheme| text.len() > scheme.len() && text.starts_with(scheme))
        && !text.chars().any(|letter| letter.is_control() || letter.is_whitespace())
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    #[test]
    fn a_public_server_is_refused_line_by_line() {
        let mut config = Config { listen: SocketAddr::from(([0, 0, 0, 0], 80)), ..Config::default() };
        let wrong = config.unsafe_settings();
        assert_eq!(wrong.len(), 3, "{wrong:?}");
        assert!(wrong[0].contains("public_url") && wrong[1].contains("trusted-proxies"));
        config.public_url = Some(String::from("https://weather.example.org"));
        config.trusted_proxies = vec![String::from("10.0.0.1")];
        config.weather.open_meteo.non_commercial = true;
        assert_eq!(config.unsafe_settings(), Vec::<String>::new());
        config.public_url = Some(String::from("http://weather.example.org"));
        assert!(config.unsafe_settings()[0].contains("https://"));
        config.listen = SocketAddr::from(([127, 0, 0, 1], 80));
        assert!(config.unsafe_settings()[0].contains("https://"), "plain HTTP is for this machine only");
        config.public_url = Some(String::from("http://localhost:8080"));
        config.trusted_proxies = vec![String::from("0.0.0.0/0")];
        assert!(config.unsafe_settings()[0].contains("/0"));
        config.trusted_proxies.clear();
        config.database = Some(String::from("postgres://ann:secret@db.example.org/fairweather"));
        let wrong = config.unsafe_settings();
        assert!(wrong[0].contains("sslmode=verify-full") && wrong[0].contains("db.example.org"), "{wrong:?}");
        assert!(!wrong[0].contains("secret"), "{wrong:?}");
        config.database = Some(String::from("postgres://ann@db.example.org/fairweather?sslmode=disable"));
        assert_eq!(config.unsafe_settings(), Vec::<String>::new());
        for (contact, is_sound) in
            [("mailto:sec@example.org", true), ("sec@example.org", false), ("mailto:a\nb", false)]
        {
            config.security_contact = Some(String::from(contact));
            assert_eq!(config.unsafe_settings().is_empty(), is_sound, "{contact}");
        }
        config.security_contact = None;
        config.redis = Some(String::from("redis://:secret@10.0.0.7:6379"));
        let wrong = config.unsafe_settings();
        assert!(wrong[0].contains("rediss://") && wrong[0].contains("10.0.0.7"), "{wrong:?}");
        assert!(!wrong[0].contains("secret"), "{wrong:?}");
        for sound in ["rediss://:secret@10.0.0.7:6379", "redis://valkey:6379?sslmode=disable"] {
            config.redis = Some(String::from(sound));
            assert_eq!(config.unsafe_settings(), Vec::<String>::new());
        }
    }

    #[test]
    fn origins_have_no_path() {
        assert_eq!(origin("https://a.example/"), Some("https://a.example"));
        assert_eq!(origin("http://[::1]:80"), Some("http://[::1]:80"));
        for bad in ["", "https://", "ftp://a", "https://a/b", "a.example"] {
            assert_eq!(origin(bad), None, "{bad}");
        }
    }
}
