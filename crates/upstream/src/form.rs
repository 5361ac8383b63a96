//! `application/x-www-form-urlencoded`, as OAuth writes requests.

use reqwest::Url;

/// The pairs as the body of a form, or as a query without its question mark.
pub fn encode(pairs: &[(&str, &str)]) -> String {
    // Any address will do: only the query that is put onto it is taken.
    let Ok(mut url) = Url::parse("https://localhost/") else { return String::new() };
    url.query_pairs_mut().extend_pairs(pairs);
    url.query().unwrap_or_default().to_owned()
}

/// An address with these pairs behind those that it has.
pub fn with_query(url: &Url, pairs: &[(&str, &str)]) -> Url {
    let mut url = url.clone();
    url.query_pairs_mut().extend_pairs(pairs);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_value_ends_it() {
        let pairs = [("a", "1&b=2"), ("c", "ü +#/?")];
        assert_eq!(encode(&pairs), "a=1%26b%3D2&c=%C3%BC+%2B%23%2F%3F");
        let url = Url::parse("https://id.example/authorize?tenant=7").unwrap();
        assert_eq!(
            with_query(&url, &[("state", "x&y")]).as_str(),
            "https://id.example/authorize?tenant=7&state=x%26y"
        );
    }
}
