//! What providers of identities answer and sign.

use std::sync::LazyLock;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use upstream::parsers;
use vault::app_secret::AppSecret;
use vault::id_token::{self, Expected};
use vault::jwks::{Algorithm, JwkSet};

use crate::NOW;

const ISSUER: &str = "https://id.example";

static SIGNER: LazyLock<Ed25519KeyPair> =
    LazyLock::new(|| Ed25519KeyPair::from_seed_unchecked(&[5; 32]).expect("a seed"));
static KEYS: LazyLock<JwkSet> = LazyLock::new(|| {
    let x = URL_SAFE_NO_PAD.encode(SIGNER.public_key().as_ref());
    let set = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "k", "x": x}]});
    JwkSet::parse(set.to_string().as_bytes()).expect("a set")
});
static SECRET: LazyLock<AppSecret> = LazyLock::new(|| AppSecret::new("the app's"));

fn expected<'a>() -> Expected<'a> {
    Expected {
        issuers: &[ISSUER],
        audiences: &["we"],
        algorithms: &Algorithm::ALL,
        nonce: "nonce",
        access_token: Some("access"),
    }
}

/// A header and claims: as a token, and signed by the provider's key.
pub fn id_token(input: &[u8]) {
    if let Some(token) = crate::text(input) {
        assert!(id_token::verify(&KEYS, token, &expected(), NOW).is_err(), "nobody guesses a signature");
    }
    let [header, claims] = crate::parts(input);
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = SIGNER.sign(message.as_bytes());
    let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()));
    let Ok(read) = id_token::verify(&KEYS, &token, &expected(), NOW) else { return };
    // A member that is passed over may hold bytes that are no text.
    let (Ok(said), Ok(header)) =
        (serde_json::from_slice::<Value>(claims), serde_json::from_slice::<Value>(header))
    else {
        return;
    };
    assert!(said.is_object(), "claims are an object");
    assert!(header.is_object() && header.get("crit").is_none_or(Value::is_null), "{header}");
    assert_eq!((&said["iss"], &said["nonce"]), (&Value::from(ISSUER), &Value::from("nonce")));
    assert!(
        said["aud"] == "we" || said["aud"].as_array().is_some_and(|all| all.iter().all(|one| one == "we"))
    );
    assert_eq!(said["sub"], Value::from(&*read.subject));
    assert!(said["exp"].as_f64() > Some((NOW.seconds() - 61) as f64), "it has expired");
    assert!((1..=255).contains(&read.subject.len()));
    if read.email.is_some() {
        assert!(said["email_verified"] == true || said["email_verified"] == "true");
    }
    // Another step of the same person is another nonce.
    let other = Expected { nonce: "other", ..expected() };
    assert!(id_token::verify(&KEYS, &token, &other, NOW).is_err());
}

/// A provider's set of keys.
pub fn jwks(input: &[u8]) {
    let Some(keys) = JwkSet::parse(input) else { return };
    for algorithm in Algorithm::ALL {
        for id in [None, Some("k")] {
            assert!(keys.verify(algorithm, id, b"message", b"").is_err(), "no signature is none");
            assert!(keys.is_empty() <= keys.verify(algorithm, id, b"message", &[1; 64]).is_err());
        }
    }
}

/// The two parts of Facebook's `signed_request`: as they come, and signed with the app's secret.
pub fn signed_request(input: &[u8]) {
    if let Some(text) = crate::text(input) {
        assert_eq!(SECRET.read(text, NOW), None, "nobody guesses a signature");
    }
    let payload = URL_SAFE_NO_PAD.encode(input);
    let proof = SECRET.proof(&payload);
    let tag: Vec<u8> = proof
        .as_bytes()
        .chunks(2)
        .filter_map(|pair| u8::from_str_radix(crate::text(pair)?, 16).ok())
        .collect();
    let signed = format!("{}.{payload}", URL_SAFE_NO_PAD.encode(tag));
    let Some(read) = SECRET.read(&signed, NOW) else { return };
    let Ok(said) = serde_json::from_slice::<Value>(input) else { return };
    assert!(said.is_object(), "a payload is an object");
    assert_eq!(
        (&said["user_id"], &said["algorithm"]),
        (&Value::from(read.user), &Value::from("HMAC-SHA256"))
    );
    assert_eq!(AppSecret::new("another app's").read(&signed, NOW), None);
}

/// A discovery document, or the answer to a code.
pub fn openid_answer(input: &[u8]) {
    if let Ok(metadata) = parsers::metadata(input, ISSUER) {
        assert_eq!(metadata.issuer, ISSUER, "another provider does not speak for this one");
        for url in [&metadata.authorization_endpoint, &metadata.token_endpoint, &metadata.jwks_uri] {
            let is_here = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
            assert!(url.scheme() == "https" || (url.scheme() == "http" && is_here), "{url}");
            assert!(url.username().is_empty() && url.password().is_none(), "{url}");
        }
    }
    if let Ok(tokens) = parsers::tokens(input) {
        let Ok(said) = serde_json::from_slice::<Value>(input) else { return };
        assert!(said.to_string().contains(&Value::from(tokens.id_token).to_string()));
    }
}

/// Graph's answers: of whom an access token is, and to which app it was given; and who it is.
pub fn facebook_answer(input: &[u8]) {
    let [inspected, person] = crate::parts(input);
    let Ok(found) = parsers::person("1234", inspected, person) else { return };
    assert!((1..=64).contains(&found.id.len()));
    let (Ok(inspected), Ok(person)) =
        (serde_json::from_slice::<Value>(inspected), serde_json::from_slice::<Value>(person))
    else {
        return;
    };
    let texts = [inspected, person].map(|body| body.to_string());
    let id = Value::from(&*found.id).to_string();
    assert!(texts.iter().all(|text| text.contains(&id)), "{id} stands in one answer alone");
    assert!(texts[0].contains("\"1234\"") && texts[0].contains("true"), "a token of another app");
}
