//! The parts of a server's URL, and what of it may be shown.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// Stands where a password was.
const HIDDEN: &str = "…";
/// Names in a query that end so have a password as their value.
const PASSWORD: &str = "password";

/// `scheme://user:password@place?query`. A password may hold `@`, `/` and `?` as they are, as far as it can be told
/// where it ends.
pub(crate) struct Address<'a> {
    pub scheme: &'a str,
    pub user_info: Option<&'a str>,
    /// Hosts, ports and the path.
    pub place: &'a str,
    pub query: Option<&'a str>,
}

impl<'a> Address<'a> {
    pub fn parse(url: &'a str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let (head, query) = match query_start(rest) {
            Some(at) => (&rest[..at], Some(&rest[at + 1..])),
            None => (rest, None),
        };
        let (user_info, place) = match head.rsplit_once('@') {
            Some((user_info, place)) => (Some(user_info), place),
            None => (None, head),
        };
        Some(Self { scheme, user_info, place, query })
    }

    /// The URL again, with the one `@` that ends a password and all others written `%40`: programs differ in which of
    /// several they take.
    pub fn with_query(&self, query: &str) -> String {
        let plain = |text: &str| text.replace('@', "%40");
        let mut url = format!("{}://", self.scheme);
        if let Some(user_info) = self.user_info {
            url += &format!("{}@", plain(user_info));
        }
        url += &plain(self.place);
        if !query.is_empty() {
            url += &format!("?{}", plain(query));
        }
        url
    }
}

/// A question mark begins the query unless it stands in a password: before any slash, with an `@` behind it and no
/// `name=value` in between.
fn query_start(rest: &str) -> Option<usize> {
    let first = rest.find('?')?;
    let in_password = match rest[first..].split_once('@') {
        Some((behind, _)) if !rest[..first].contains(['/', '@']) && !behind.contains(['=', '/']) => {
            first + behind.len()
        }
        _ => return Some(first),
    };
    rest[in_password..].find('?').map(|at| in_password + at)
}

/// The URL of a database or of Redis for people to read: everything but passwords. Where it cannot be told what
/// belongs to one, nothing but the scheme.
pub fn masked(url: &str) -> String {
    if url.starts_with("sqlite:") {
        return url.to_owned();
    }
    let Some(Address { scheme, user_info, place, query }) = Address::parse(url) else {
        return HIDDEN.to_owned();
    };
    let mut text = format!("{scheme}://");
    match user_info.map(|info| info.split_once(':').ok_or(info)) {
        Some(Ok((user, _))) => text += &format!("{user}:{HIDDEN}@"),
        Some(Err(user)) => text += &format!("{user}@"),
        None => {}
    }
    text += place;
    let Some(query) = query else { return text };
    match query.split('&').map(masked_pair).collect::<Option<Vec<_>>>() {
        Some(pairs) => format!("{text}?{}", pairs.join("&")),
        None => format!("{scheme}://{HIDDEN}"),
    }
}

/// `None` for one with an `@`, before which there may be a password that the query was mistaken to begin in.
fn masked_pair(pair: &str) -> Option<Cow<'_, str>> {
    match pair.split_once('=') {
        Some((name, _)) if is_password(name) => Some(format!("{name}={HIDDEN}").into()),
        _ if pair.contains('@') => None,
        Some(_) => Some(pair.into()),
        // The rest of a value that holds an ampersand.
        None => Some(HIDDEN.into()),
    }
}

fn is_password(name: &str) -> bool {
    percent_decode_str(name).decode_utf8_lossy().to_ascii_lowercase().ends_with(PASSWORD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_but_passwords_is_shown() {
        for (url, shown) in [
            ("postgres://db/f", "postgres://db/f"),
            ("postgres://ann@db/f", "postgres://ann@db/f"),
            ("postgres://ann:sekret@db/f", "postgres://ann:…@db/f"),
            (
                "postgres://ann:sekret@db:5432,[::1]:6/f?sslmode=require",
                "postgres://ann:…@db:5432,[::1]:6/f?sslmode=require",
            ),
            ("postgresql://ann:se%40kret@db/f", "postgresql://ann:…@db/f"),
            ("postgres://ann:se@kret@db/f", "postgres://ann:…@db/f"),
            ("postgres://ann:se/kret@db/f", "postgres://ann:…@db/f"),
            ("postgres://ann:se@kr/et@db/f", "postgres://ann:…@db/f"),
            ("postgres://ann:se?kret@db/f?sslmode=require", "postgres://ann:…@db/f?sslmode=require"),
            ("postgres:///f?user=ann&password=sekret&port=6", "postgres:///f?user=ann&password=…&port=6"),
            ("postgres://db/f?sslpassword=sekret", "postgres://db/f?sslpassword=…"),
            ("postgres://db/f?p%61ssword=sekret", "postgres://db/f?p%61ssword=…"),
            ("postgres://db/f?PASSWORD=sekret", "postgres://db/f?PASSWORD=…"),
            (
                "postgres://db/f?password=se@kret&sslmode=require",
                "postgres://db/f?password=…&sslmode=require",
            ),
            ("postgres://db?password=se@kret", "postgres://db?password=…"),
            ("postgres://db/f?password=se&kret", "postgres://db/f?password=…&…"),
            ("postgres://ann:sekret@db/f?password=sekret", "postgres://ann:…@db/f?password=…"),
            ("redis://:sekret@10.0.0.7:6379/1", "redis://:…@10.0.0.7:6379/1"),
            ("redis+unix:///run/redis?db=1&password=sekret", "redis+unix:///run/redis?db=1&password=…"),
            ("sqlite:/var/lib/a@b.db", "sqlite:/var/lib/a@b.db"),
        ] {
            assert_eq!(masked(url), shown, "{url}");
        }
    }

    #[test]
    fn what_cannot_be_told_apart_is_not_shown() {
        for url in [
            "host=db password=sekret",
            "sekret",
            "postgres://ann:a/sekret?b@db/f",
            "postgres://db/f?user=sekret@db",
        ] {
            let shown = masked(url);
            assert!(shown == "…" || shown == "postgres://…", "{url}: {shown}");
        }
    }
}
