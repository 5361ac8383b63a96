//! Every known attack on JWTs, each with everything else right: only the one deviation may refuse it.

use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use domain::Random;
use domain::access::AccessSubject;
use domain::account::Role;
use serde_json::{Value, json};

use super::*;
use crate::signing::{KeyState, SigningKey};
use crate::testing::random;

const ISSUER: &str = "https://weather.example.com";
const AUDIENCE: &str = "fairweather";
const NOW: Timestamp = Timestamp::from_seconds(1_795_253_296);

struct Fixture {
    keys: KeySet,
    claims: AccessClaims,
}

impl Fixture {
    fn new() -> Self {
        let keys = vec![
            (KeyState::Active, SigningKey::generate().unwrap().0),
            (KeyState::Retiring, SigningKey::generate().unwrap().0),
        ];
        let random: Random = random(1);
        let subject = AccessSubject {
            account: AccountId::new(NOW, &random),
            session: SessionId::new(NOW, &random),
            generation: Generation::FIRST,
            roles: Roles::USER.with(Role::Analyst),
            auth_time: NOW.minus(Duration::from_secs(60)),
            proofs: Proofs::NONE.with(Proof::Password).with(Proof::Totp),
        };
        let claims = AccessClaims::issue(subject, ISSUER, AUDIENCE, &random, NOW);
        Self { keys: KeySet::new(keys).unwrap(), claims }
    }

    fn token(&self) -> String {
        issue(&self.keys, &self.claims).unwrap()
    }

    fn verify(&self, token: &str) -> Result<AccessClaims, Rejection> {
        verify(&self.keys, token, ISSUER, AUDIENCE, NOW)
    }

    fn header(&self) -> Value {
        json!({"alg": "ES256", "kid": self.keys.active().unwrap().id(), "typ": "at+jwt"})
    }

    fn payload(&self) -> Value {
        let token = self.token();
        let payload = token.split('.').nth(1).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
    }

    /// A token of these texts, truly signed by the active key.
    fn sign(&self, header: &str, payload: &str) -> String {
        let header = URL_SAFE_NO_PAD.encode(header);
        self.sign_encoded(&header, &URL_SAFE_NO_PAD.encode(payload))
    }

    fn sign_encoded(&self, header: &str, payload: &str) -> String {
        let message = format!("{header}.{payload}");
        let signature = self.keys.active().unwrap().sign(message.as_bytes()).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }

    fn with_header(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut header = self.header();
        change(&mut header);
        self.sign(&header.to_string(), &self.payload().to_string())
    }

    fn with_claims(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut payload = self.payload();
        change(&mut payload);
        self.sign(&self.header().to_string(), &payload.to_string())
    }
}

#[test]
fn our_own_token_counts_and_says_what_was_put_in() {
    let fixture = Fixture::new();
    assert_eq!(fixture.verify(&fixture.token()), Ok(fixture.claims.clone()));
    // The helpers of this file make tokens that count: what follows is refused for its deviation alone.
    assert_eq!(fixture.verify(&fixture.with_header(|_| ())), Ok(fixture.claims.clone()));
    assert_eq!(fixture.verify(&fixture.with_claims(|_| ())), Ok(fixture.claims.clone()));
    let names: Vec<_> = fixture.payload().as_object().unwrap().keys().cloned().collect();
    for name in ["iss", "aud", "sub", "iat", "exp", "jti", "sid", "gen", "scope", "auth_time", "amr"] {
        assert!(names.iter().any(|there| there == name), "{name}");
    }
    assert_eq!(fixture.payload()["scope"], "user analyst");
    assert_eq!(fixture.payload()["amr"], json!(["pwd", "otp"]));
}

#[test]
fn a_header_that_we_did_not_write_is_refused() {
    let fixture = Fixture::new();
    let jwk = json!({"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"});
    let mut tokens: Vec<String> = ["none", "None", "", "HS256", "RS256", "ES384", "EdDSA", "es256"]
        .into_iter()
        .map(|alg| fixture.with_header(|header| header["alg"] = json!(alg)))
        .collect();
    for kid in ["", "unknown", "../../dev/null", "' OR 1=1 --", "\u{0}"] {
        tokens.push(fixture.with_header(|header| header["kid"] = json!(kid)));
    }
    for typ in ["", "JWT", "jwt", "at+JWT", "AT+JWT", "application/at+jwt", "at+jwt ", "id+jwt"] {
        tokens.push(fixture.with_header(|header| header["typ"] = json!(typ)));
    }
    for (member, value) in [
        ("jwk", jwk),
        ("jku", json!("https://evil.example/jwks.json")),
        ("x5u", json!("https://evil.example/cert.pem")),
        ("x5c", json!(["AA=="])),
        ("x5t", json!("AA")),
        ("crit", json!(["exp"])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("cty", json!("JWT")),
    ] {
        tokens.push(fixture.with_header(|header| header[member] = value));
    }
    for member in ["alg", "kid", "typ"] {
        tokens.push(fixture.with_header(|header| drop(header.as_object_mut().unwrap().remove(member))));
    }
    let payload = fixture.payload().to_string();
    let header = fixture.header().to_string();
    tokens.push(fixture.sign(&header.replace(r#""alg":"#, r#""alg":"none","alg":"#), &payload));
    tokens.push(fixture.sign(&header.replace(',', ", "), &payload));
    tokens.push(fixture.sign("", &payload));
    tokens.push(fixture.sign("[]", &payload));
    for token in tokens {
        assert_eq!(fixture.verify(&token), Err(Rejection::UnknownHeader), "{token}");
    }
}

#[test]
fn a_signature_by_anybody_else_is_refused() {
    let fixture = Fixture::new();
    let stranger = Fixture::new();
    let token = fixture.token();
    let (message, _) = token.rsplit_once('.').unwrap();
    assert_eq!(fixture.verify(&stranger.token()), Err(Rejection::UnknownHeader));
    // The stranger names our key, and so does our own other key.
    let payload = fixture.payload().to_string();
    let forged = stranger.sign(&fixture.header().to_string(), &payload);
    assert_eq!(fixture.verify(&forged), Err(Rejection::BadSignature));
    let retiring = KeySet::new(vec![(KeyState::Active, SigningKey::generate().unwrap().0)]).unwrap();
    let other = retiring.active().unwrap().sign(message.as_bytes()).unwrap();
    let other = format!("{message}.{}", URL_SAFE_NO_PAD.encode(other.as_ref()));
    assert_eq!(fixture.verify(&other), Err(Rejection::BadSignature));
    for bytes in [[0; 64], [0xFF; 64]] {
        let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(bytes));
        assert_eq!(fixture.verify(&token), Err(Rejection::BadSignature));
    }
    // HS256 keyed with the public key, and no signature at all.
    assert_eq!(fixture.verify(&format!("{message}.")), Err(Rejection::NotCompact));
    let hmac = URL_SAFE_NO_PAD.encode([1; 32]);
    assert_eq!(fixture.verify(&format!("{message}.{hmac}")), Err(Rejection::NotCompact));
}

#[test]
fn every_changed_character_is_noticed() {
    let fixture = Fixture::new();
    let token = fixture.token();
    for at in 0..token.len() {
        let other = if token.as_bytes()[at] == b'A' { "B" } else { "A" };
        let mut forged = token.clone();
        forged.replace_range(at..=at, other);
        assert!(fixture.verify(&forged).is_err(), "character {at}");
    }
}

#[test]
fn only_the_compact_form_counts() {
    let fixture = Fixture::new();
    let token = fixture.token();
    let parts: Vec<_> = token.split('.').collect();
    let [header, payload, signature] = parts.as_slice() else { panic!("{token}") };
    let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let spaced = fixture.sign_encoded(header, &format!("{payload} "));
    let padded = fixture.sign_encoded(header, &URL_SAFE.encode(URL_SAFE_NO_PAD.decode(payload).unwrap()));
    let mut tokens = vec![
        String::new(),
        String::from("."),
        String::from(".."),
        String::from("..."),
        header.to_string(),
        format!("{header}.{payload}"),
        format!("{token}."),
        format!(".{token}"),
        format!("{header}..{payload}.{signature}"),
        format!("{token}.{signature}"),
        format!("{header}.{payload}.{signature}="),
        format!("{header}.{payload}.{}", URL_SAFE.encode(&bytes)),
        format!("{header}.{payload}.{}", STANDARD.encode([0xFB; 64])),
        format!(" {token}"),
        format!("{token} "),
        format!("{token}\n"),
        format!("{header}.\n{payload}.{signature}"),
        format!("{header}.{payload}.{signature}\0"),
        spaced,
        json!({"protected": header, "payload": payload, "signature": signature}).to_string(),
        json!({"payload": payload, "signatures": [{"protected": header, "signature": signature}]})
            .to_string(),
    ];
    // Only a payload whose length is no multiple of three has padding to refuse.
    if padded.contains('=') {
        tokens.push(padded);
    }
    for length in 0..token.len() {
        tokens.push(token[..length].to_owned());
    }
    for bad in tokens {
        assert!(fixture.verify(&bad).is_err(), "{bad:?}");
    }
    assert_eq!(fixture.verify(&"a".repeat(LONGEST + 1)), Err(Rejection::TooLong));
    let huge = fixture.with_claims(|claims| claims["padding"] = json!("x".repeat(4000)));
    assert_eq!(fixture.verify(&huge), Err(Rejection::TooLong));
}

#[test]
fn claims_of_another_kind_are_refused() {
    let fixture = Fixture::new();
    let now = NOW.seconds();
    type Change = Box<dyn Fn(&mut Value)>;
    let set =
        |name: &'static str, value: Value| -> Change { Box::new(move |claims| claims[name] = value.clone()) };
    let drop_claim = |name: &'static str| -> Change {
        Box::new(move |claims| drop(claims.as_object_mut().unwrap().remove(name)))
    };
    let mut table = vec![
        (set("iss", json!("https://weather.example.com/")), Rejection::WrongIssuer),
        (set("iss", json!("https://evil.example")), Rejection::WrongIssuer),
        (set("iss", json!([ISSUER])), Rejection::BadClaims),
        (set("aud", json!("other")), Rejection::WrongAudience),
        (set("aud", json!([AUDIENCE, "other"])), Rejection::BadClaims),
        (set("exp", json!(now - 10)), Rejection::Expired),
        (set("exp", json!(i64::MIN)), Rejection::Expired),
        (set("exp", json!(now + 601)), Rejection::BadClaims),
        (set("exp", json!(i64::MAX)), Rejection::BadClaims),
        (set("exp", json!("9999999999")), Rejection::BadClaims),
        (set("exp", json!(1e300)), Rejection::BadClaims),
        (set("iat", json!(now + 301)), Rejection::NotYet),
        (set("nbf", json!(now + 301)), Rejection::NotYet),
        (set("gen", json!(0)), Rejection::BadClaims),
        (set("gen", json!(-1)), Rejection::BadClaims),
        (set("sub", json!("admin")), Rejection::BadClaims),
        (set("sid", json!(null)), Rejection::BadClaims),
        (set("amr", json!("pwd")), Rejection::BadClaims),
    ];
    for name in ["iss", "aud", "sub", "iat", "exp", "jti", "sid", "gen", "scope", "auth_time", "amr"] {
        table.push((drop_claim(name), Rejection::BadClaims));
    }
    for (change, reason) in table {
        let token = fixture.with_claims(&change);
        let mut changed = fixture.payload();
        change(&mut changed);
        assert_eq!(fixture.verify(&token), Err(reason), "{changed}");
    }
    let (header, payload) = (fixture.header().to_string(), fixture.payload().to_string());
    let twice = payload.replacen('{', r#"{"sub":"00000000-0000-0000-0000-000000000001","#, 1);
    for payload in [twice.as_str(), "", "[]", "{}", "null", &format!("{payload}{payload}"), &payload[1..]] {
        assert_eq!(fixture.verify(&fixture.sign(&header, payload)), Err(Rejection::BadClaims), "{payload}");
    }
}

#[test]
fn clocks_of_nodes_may_be_apart() {
    let fixture = Fixture::new();
    let now = NOW.seconds();
    for (name, value) in [("iat", now + 300), ("nbf", now + 300), ("exp", now - 9)] {
        assert!(fixture.verify(&fixture.with_claims(|claims| claims[name] = json!(value))).is_ok(), "{name}");
    }
}

#[test]
fn rotation_refuses_no_token_before_its_time() {
    let (old, document) = SigningKey::generate().unwrap();
    let (new, _) = SigningKey::generate().unwrap();
    let claims = Fixture::new().claims;
    let before = KeySet::new(vec![(KeyState::Active, old), (KeyState::Pending, new)]).unwrap();
    let token = issue(&before, &claims).unwrap();

    let stored = || SigningKey::from_pkcs8(&document).unwrap();
    let (next, _) = SigningKey::generate().unwrap();
    let during = KeySet::new(vec![(KeyState::Retiring, stored()), (KeyState::Active, next)]).unwrap();
    assert!(verify(&during, &token, ISSUER, AUDIENCE, NOW).is_ok());
    assert!(verify(&during, &issue(&during, &claims).unwrap(), ISSUER, AUDIENCE, NOW).is_ok());

    let (next, _) = SigningKey::generate().unwrap();
    let after = KeySet::new(vec![(KeyState::Active, next)]).unwrap();
    assert_eq!(verify(&after, &token, ISSUER, AUDIENCE, NOW), Err(Rejection::UnknownHeader));
}

#[test]
fn the_caller_learns_nothing_of_the_reason() {
    let Error::Unauthenticated { code, detail } = Error::from(Rejection::BadSignature) else { panic!() };
    assert_eq!((code, &*detail), ("invalid_token", "the access token does not count"));
}
