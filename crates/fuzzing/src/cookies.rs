//! Headers by which requests say who they are and what they want.

use std::net::{IpAddr, SocketAddr};

use api::TrustedProxies;
use api::parsers;
use app::mail::Language;
use domain::cookie::SessionCookie;
use domain::device::Device;
use domain::oauth_cookie::OauthCookie;

/// `Cookie`.
pub fn cookie(input: &[u8]) {
    let Some(header) = crate::text(input) else { return };
    for form in [SessionCookie::Secure, SessionCookie::Loopback] {
        let (device, oauth) = (form.device(), OauthCookie::beside(form));
        for (name, found) in [
            (form.name(), form.find(header)),
            (device.name(), device.find(header)),
            (oauth.name(), oauth.find(header)),
        ] {
            let pairs = header.split(';').map(|pair| pair.trim_matches([' ', '\t']));
            let given: Vec<&str> =
                pairs.filter_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).collect();
            // Of two, one was put there by somebody else.
            let only = if let [one] = given[..] { Some(one).filter(|value| !value.is_empty()) } else { None };
            assert_eq!(found, only, "{name}");
        }
    }
}

/// `Accept-Language`.
pub fn accept_language(input: &[u8]) {
    let Some(header) = crate::text(input) else { return };
    let Some(language) = Language::accepted(header) else { return };
    let tag = language.tag();
    assert!(header.to_ascii_lowercase().contains(tag), "nobody asked for {tag}");
    assert_eq!(Language::accepted(tag), Some(language));
}

/// `User-Agent`.
pub fn user_agent(input: &[u8]) {
    let Some(header) = crate::text(input) else { return };
    let device = Device::of(header);
    let Some(name) = device.name() else { return };
    assert!(name.chars().count() <= 40 + " on ".len() + 20, "{name}");
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._- ".contains(c);
    assert!(name.chars().all(is_plain), "{name}");
}

/// A list of trusted proxies, the peer's address, then lines of `X-Forwarded-For`.
pub fn forwarded_for(input: &[u8]) {
    let [proxies, peer, forwarded] = crate::parts(input);
    let (Some(proxies), Some(peer)) = (crate::text(proxies), crate::text(peer)) else { return };
    let Ok(peer) = peer.parse::<IpAddr>() else { return };
    let lines = || forwarded.split(|byte| *byte == b'\n');
    let nobody = TrustedProxies::default();
    if let Some(origin) = parsers::origin(&nobody, peer, lines()) {
        assert_eq!(origin, peer, "a stranger's word counts nothing");
    }
    let list: Vec<String> = proxies.split(',').filter(|text| !text.is_empty()).map(str::to_owned).collect();
    let Ok(proxies) = TrustedProxies::parse(&list) else { return };
    assert_eq!(proxies.is_empty(), list.is_empty());
    let Some(origin) = parsers::origin(&proxies, peer, lines()) else { return };
    if origin != peer {
        let text = String::from_utf8_lossy(forwarded);
        let is_named = |hop: &str| {
            let with_port = hop.parse::<SocketAddr>().is_ok_and(|address| address.ip() == origin);
            with_port || hop.trim_matches(['[', ']']).parse() == Ok(origin)
        };
        let named = text.split([',', '\n']).any(|hop| is_named(hop.trim()));
        assert!(named, "{origin} stands nowhere");
    }
}
