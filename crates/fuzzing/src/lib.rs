//! What is done with arbitrary bytes: one function for each parser that takes some from outside, with what must hold
//! whatever they are. No input may make one of them panic.
//!
//! libFuzzer calls them through the targets in `fuzz/`, `scripts/fuzz` runs those, and `tests/replay.rs` calls each with
//! its seeds and with every input that was ever found to break it, so they are compiled and run with all other tests.

mod addresses;
mod cookies;
mod files;
mod nodes;
mod passkeys;
mod places;
mod providers;
mod requests;
mod tokens;
mod weather;

/// A name, and what is done with an input.
pub type Target = (&'static str, fn(&[u8]));

/// Makes the functions public and lists them, so that none can be left out of the replay.
macro_rules! targets {
    ($($module:ident: $($name:ident),+;)+) => {
        $($(pub use $module::$name;)+)+

        /// All of them.
        pub const TARGETS: &[Target] = &[$($((stringify!($name), $name)),+),+];
    };
}

targets! {
    addresses: email, outbound_address, redirect_uri, return_path;
    cookies: accept_language, cookie, forwarded_for, user_agent;
    files: configuration, erasure_ledger, key_ring;
    nodes: bus_message, shared_cache_value;
    passkeys: passkey_assertion, passkey_registration;
    places: place_import, place_query, places_file;
    providers: facebook_answer, id_token, jwks, openid_answer, signed_request;
    requests: condition, credential_body, cursor, favourite_body, favourite_patch, page_after, query_string, request_body,
        sync_batch, websocket_frame;
    tokens: access_token, opaque_token, refresh_token, typed_code;
    weather: elevations, forecast_answer, stored_forecast;
}

/// The present of every target.
const NOW: domain::Timestamp = domain::Timestamp::from_seconds(1_795_000_000);

/// Nothing is done with what is no text where the protocol lets only text through.
fn text(input: &[u8]) -> Option<&str> {
    std::str::from_utf8(input).ok()
}

/// An input of several parts: what stands between bytes 0. There are always as many, the last ones empty perhaps.
fn parts<const N: usize>(input: &[u8]) -> [&[u8]; N] {
    let mut rest = input.splitn(N, |byte| *byte == 0);
    std::array::from_fn(|_| rest.next().unwrap_or_default())
}

/// Randomness that is the same in each run.
fn random() -> domain::Random {
    let mut state = 1_u64;
    domain::Random::new(move |bytes| {
        for byte in bytes {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (state >> 56) as u8;
        }
    })
}
