//! Addresses that somebody gives us, to send something to or to go to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use app::oauth::RedirectUri;
use domain::email::Email;
use domain::return_path::ReturnPath;
use upstream::address::is_public;
use upstream::http::{Http, HttpSettings};
use upstream::webhook::Receiver;

/// An e-mail address.
pub fn email(input: &[u8]) {
    let Some(typed) = crate::text(input) else { return };
    let Ok(email) = Email::parse(typed) else { return };
    let (local, domain) = (email.local(), email.domain());
    assert_eq!(email.as_str(), format!("{local}@{domain}"));
    assert!(email.as_str().len() <= 254 && local.len() <= 64);
    // Nothing that ends a header or a command of SMTP, or that a program could take for a list of addresses.
    let is_sound = |c: char| !c.is_control() && !c.is_whitespace() && !"\"(),:;<>@[\\]".contains(c);
    assert!(local.chars().all(is_sound) && domain.chars().all(is_sound));
    assert_eq!(Email::parse(email.as_str()).ok().as_ref(), Some(&email), "what is stored reads back");
    // Accounts are found by this form: who types it must find the same account.
    let normal = email.normal_form();
    if let Ok(again) = Email::parse(&normal) {
        assert_eq!(again.normal_form(), normal, "the normal form is a fixed point");
    }
}

/// Where a browser comes back to.
pub fn return_path(input: &[u8]) {
    let Some(text) = crate::text(input) else { return };
    let Ok(path) = ReturnPath::parse(text) else { return };
    assert_eq!(path.as_str(), text, "nothing is read into it");
    // Written onto an address of ours as a browser writes it, it stays there.
    let base = upstream::openid::address("https://here.example/").expect("an address");
    let reached = base.join(path.as_str()).expect("a path");
    assert_eq!(reached.host_str(), Some("here.example"));
    assert_eq!((reached.scheme(), reached.port()), ("https", None));
    assert!(reached.as_str().ends_with(path.as_str()), "{reached}");
}

/// An address that an operator registers for an app, and one that somebody asks for.
pub fn redirect_uri(input: &[u8]) {
    let [registered, asked] = crate::parts(input);
    let (Some(registered), Some(asked)) = (crate::text(registered), crate::text(asked)) else { return };
    let Ok(uri) = RedirectUri::parse(registered) else { return };
    assert!(uri.allows(registered));
    assert!(registered.bytes().all(|byte| byte.is_ascii_graphic()));
    if uri.allows(asked) && asked != registered {
        // All that may differ is the port on the person's own machine.
        let port =
            |text: &str| text.split_once("://").map(|(_, rest)| rest.split('/').next().map(str::to_owned));
        let without = |text: &str| port(text).flatten().map(|port| text.replacen(&port, "", 1));
        assert!(asked.starts_with("http://127.0.0.1") || asked.starts_with("http://[::1]"), "{asked}");
        assert_eq!(without(asked), without(registered));
    }
}

/// An address that the server is asked to send to.
pub fn outbound_address(input: &[u8]) {
    if let Some(bytes) = input.first_chunk::<16>() {
        every_spelling(*bytes);
    }
    let Some(text) = crate::text(input) else { return };
    let receiver = Receiver::new(Http::new(HttpSettings::default()));
    let Some(accepted) = receiver.accept(text) else { return };
    assert_eq!(receiver.accept(&accepted).as_ref(), Some(&accepted), "what is stored is accepted as it is");
    let url = upstream::openid::address(&accepted).expect("an address over TLS without a login");
    assert_eq!(url.scheme(), "https");
    let host = url.host_str().expect("a host").trim_matches(['[', ']']);
    if let Ok(address) = host.parse::<IpAddr>() {
        assert!(is_public(address) && !is_inside(address), "{address}");
    }
}

/// An IPv4 address is as public alone as in every IPv6 address that leads to it.
fn every_spelling(bytes: [u8; 16]) {
    let inner = Ipv4Addr::from(*bytes.last_chunk::<4>().expect("16 bytes"));
    let public = is_public(inner.into());
    assert!(!(public && is_inside(inner.into())), "{inner}");
    let [high, low] = [inner.to_bits() >> 16, inner.to_bits() & 0xFFFF].map(|half| half as u16);
    for carrier in [
        inner.to_ipv6_mapped(),
        Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low),
        Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
        Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
    ] {
        assert_eq!(is_public(carrier.into()), public, "{carrier}");
    }
    let whole = IpAddr::from(bytes);
    assert!(!(is_public(whole) && is_inside(whole)), "{whole}");
}

/// What the standard library knows to be no address of the public internet.
fn is_inside(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_broadcast()
                || address.is_documentation()
                || address.is_multicast()
                || address.is_unspecified()
        }
        IpAddr::V6(address) => {
            address.is_loopback()
                || address.is_unspecified()
                || address.is_multicast()
                || address.is_unique_local()
                || address.is_unicast_link_local()
                || address.to_ipv4().is_some_and(|inner| is_inside(inner.into()))
        }
    }
}
