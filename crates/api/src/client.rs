//! Where a request comes from and what kind of client it says it is.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Once;

use app::mail::Language;
use app::{Client, Network};
use axum::extract::{FromRequestParts, State};
use domain::Error;
use http::request::Parts;
use http::{HeaderMap, header};

use crate::Api;
use crate::problem::Problem;

/// The other end of the connection, put into each request by the server.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// Proxies whose word on where a request came from counts.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Vec<(IpAddr, u8)>);

impl TrustedProxies {
    /// Each `address/bits`, or a bare address. The error is for whoever wrote the configuration.
    pub fn parse(list: &[String]) -> domain::Result<Self> {
        let one = |text: &String| {
            let (address, bits) = text.split_once('/').unwrap_or((text, ""));
            let address: IpAddr = address.parse().ok()?;
            let most = if address.is_ipv4() { 32 } else { 128 };
            let bits = if bits.is_empty() { most } else { bits.parse().ok().filter(|bits| *bits <= most)? };
            Some((address, bits))
        };
        let one = |text: &String| {
            one(text).ok_or_else(|| {
                Error::internal(format!(
                    "trusted_proxies: each must look like 10.0.0.0/8, and {text:?} does not"
                ))
            })
        };
        list.iter().map(one).collect::<Result<_, _>>().map(Self)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|&(network, bits)| match (network, address.to_canonical()) {
            (IpAddr::V4(n), IpAddr::V4(a)) => {
                (u32::from(n) ^ u32::from(a)).checked_shr(32 - u32::from(bits)).unwrap_or(0) == 0
            }
            (IpAddr::V6(n), IpAddr::V6(a)) => {
                (u128::from(n) ^ u128::from(a)).checked_shr(128 - u32::from(bits)).unwrap_or(0) == 0
            }
            _ => false,
        })
    }

    /// The nearest address in `X-Forwarded-For` that is not a trusted proxy's own: what a client wrote before
    /// it reached the first of ours proves nothing.
    pub(crate) fn origin(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut origin = peer;
        let lines = headers.get_all("x-forwarded-for").iter().rev();
        for line in lines.filter_map(|value| value.to_str().ok()) {
            for hop in line.rsplit(',') {
                if !self.contains(origin) {
                    return origin;
                }
                match forwarded(hop.trim()) {
                    Some(address) => origin = address,
                    None => {
                        // Not what it says: that is a person's address, or text of whoever sent it.
                        UNREADABLE.call_once(|| tracing::warn!(
                            "a trusted proxy writes something else than addresses into X-Forwarded-For: all who come \
                             through it share the limits of one network"
                        ));
                        return origin;
                    }
                }
            }
        }
        origin
    }
}

/// Said once: it is so at every request, or at none.
static UNREADABLE: Once = Once::new();

/// An address as proxies write it: alone or in brackets, and some with a port behind it.
fn forwarded(hop: &str) -> Option<IpAddr> {
    if let Ok(address) = hop.parse() {
        return Some(address);
    }
    if let Ok(with_port) = hop.parse::<SocketAddr>() {
        return Some(with_port.ip());
    }
    let inside = hop.strip_prefix('[')?.strip_suffix(']')?;
    inside.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
}

/// The header by which our own web page says that it wants a cookie and no tokens.
pub const WEB_CLIENT: &str = "x-fairweather-client";

/// A client, checked: one that says it is our web page must come from our own origin.
pub struct From(pub Client);

impl FromRequestParts<Api> for From {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let State(api) = State::<Api>::from_request_parts(parts, api).await.unwrap_or_else(|e| match e {});
        let web = is_web(&parts.headers);
        if web && !api.is_same_origin(&parts.headers) {
            return Err(cross_site());
        }
        Ok(Self(client(&api, parts, web)))
    }
}

fn client(api: &Api, parts: &Parts, web: bool) -> Client {
    let accepted = parts.headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    Client {
        network: network(api, parts),
        user_agent: user_agent(&parts.headers),
        web,
        language: accepted.and_then(Language::accepted),
        device_token: device_token(api, &parts.headers).filter(|_| web),
    }
}

/// A browser that comes by following a link, as from a provider: it sends no header of ours, and is about to show a
/// page of ours.
pub struct Navigation(pub Client);

impl FromRequestParts<Api> for Navigation {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        Ok(Self(client(api, parts, true)))
    }
}

pub fn is_web(headers: &HeaderMap) -> bool {
    headers.get(WEB_CLIENT).is_some_and(|value| value == "web")
}

pub fn cross_site() -> Problem {
    let detail = "the web app's session can only be used from its own origin";
    Problem::from(Error::forbidden("cross_site", detail))
}

pub fn network(api: &Api, parts: &Parts) -> Network {
    Network::of(api.settings.trusted_proxies.origin(peer(parts), &parts.headers))
}

/// Whether the other end of the connection is a proxy, whatever it says or leaves out of where a request came from.
pub fn is_proxied(api: &Api, parts: &Parts) -> bool {
    api.settings.trusted_proxies.contains(peer(parts))
}

fn peer(parts: &Parts) -> IpAddr {
    parts.extensions.get::<Peer>().map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.0.ip())
}

/// What our own page was given when somebody signed in there before; others send it in the body.
fn device_token(api: &Api, headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get(header::COOKIE)?.to_str().ok()?;
    api.settings.cookie.device().find(cookies).map(String::from)
}

/// Bounded, since it is hashed and shown.
fn user_agent(headers: &HeaderMap) -> String {
    let text = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    text.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(proxies: &[&str], peer: &str, forwarded: &[&'static str]) -> String {
        let list: Vec<String> = proxies.iter().map(|p| (*p).to_owned()).collect();
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", http::HeaderValue::from_static(line));
        }
        TrustedProxies::parse(&list).unwrap().origin(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        assert_eq!(origin(&[], "9.9.9.9", &["1.2.3.4"]), "9.9.9.9");
        assert_eq!(origin(&["10.0.0.0/8"], "10.1.1.1", &["1.2.3.4"]), "1.2.3.4");
        assert_eq!(origin(&["10.0.0.0/8"], "10.1.1.1", &["6.6.6.6, 1.2.3.4, 10.2.2.2"]), "1.2.3.4");
        assert_eq!(origin(&["10.0.0.0/8"], "10.1.1.1", &["6.6.6.6", "1.2.3.4"]), "1.2.3.4");
        for nonsense in
            ["nonsense", "", "unknown", "[", "[]", "[1.2.3.4]", "1.2.3.4:", "1.2.3.4:99999", "2001:db8::1]:8"]
        {
            assert_eq!(origin(&["10.0.0.0/8"], "10.1.1.1", &[nonsense]), "10.1.1.1", "{nonsense}");
        }
        assert_eq!(origin(&["::1/128", "fd00::/8"], "::1", &["2001:db8::1"]), "2001:db8::1");
        assert_eq!(origin(&["0.0.0.0/0"], "9.9.9.9", &["1.2.3.4"]), "1.2.3.4");
        assert!(TrustedProxies::parse(&[String::from("10.0.0.0/33")]).is_err());
    }

    #[test]
    fn a_port_behind_an_address_is_no_part_of_it() {
        for (written, address) in [
            ("7.7.7.7:1234", "7.7.7.7"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("6.6.6.6, 7.7.7.7:1, 10.2.2.2:80", "7.7.7.7"),
        ] {
            assert_eq!(origin(&["10.0.0.0/8"], "10.1.1.1", &[written]), address, "{written}");
        }
    }
}
