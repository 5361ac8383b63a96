//! Tokens that are wrong in one respect each, for every algorithm that we take.

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PSS_SHA256,
    RsaKeyPair,
};
use serde_json::{Value, json};

use super::*;

const NOW: Timestamp = Timestamp::from_seconds(1_795_000_000);
const ISSUER: &str = "https://id.example.org";
const CLIENT: &str = "fairweather";
const NONCE: &str = "a nonce of ours";

enum Pair {
    Rsa(Box<RsaKeyPair>),
    P256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Pair {
    fn of(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Rs256 | Algorithm::Ps256 => {
                Self::Rsa(Box::new(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()))
            }
            Algorithm::Es256 => Self::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()),
            Algorithm::EdDsa => Self::Ed25519(Ed25519KeyPair::generate().unwrap()),
        }
    }

    fn jwk(&self, kid: &str) -> Value {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Rsa(pair) => {
                // RFC 8017: a sequence of two numbers, of which the first has 2048 bits and a zero before them.
                let der = pair.public_key().as_ref();
                json!({"kty": "RSA", "n": encode(&der[9..265]), "e": "AQAB", "kid": kid, "use": "sig"})
            }
            Self::P256(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                json!({"kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y), "kid": kid})
            }
            Self::Ed25519(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key().as_ref()), "kid": kid})
            }
        }
    }

    fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                match algorithm {
                    Algorithm::Ps256 => pair.sign(&RSA_PSS_SHA256, &random, message, &mut signature).unwrap(),
                    _ => pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).unwrap(),
                }
                signature
            }
            Self::P256(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
        }
    }
}

/// A provider with one key.
struct Provider {
    algorithm: Algorithm,
    pair: Pair,
    keys: JwkSet,
}

impl Provider {
    fn of(algorithm: Algorithm) -> Self {
        let pair = Pair::of(algorithm);
        let keys = JwkSet::parse(json!({"keys": [pair.jwk("one")]}).to_string().as_bytes()).unwrap();
        Self { algorithm, pair, keys }
    }

    fn header(&self) -> Value {
        json!({"alg": self.algorithm.name(), "kid": "one", "typ": "JWT"})
    }

    fn token(&self, header: &Value, claims: &Value) -> String {
        let message = message(header, claims);
        let signature = self.pair.sign(self.algorithm, message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn look(&self, token: &str) -> Result<IdentityClaims, Rejection> {
        verify(&self.keys, token, &expected(), NOW)
    }

    /// What becomes of a token with these claims instead of the proper ones.
    fn with(&self, change: &Value) -> Result<IdentityClaims, Rejection> {
        self.look(&self.token(&self.header(), &changed(claims(), change)))
    }

    fn with_header(&self, change: &Value) -> Result<IdentityClaims, Rejection> {
        self.look(&self.token(&changed(self.header(), change), &claims()))
    }
}

fn expected<'a>() -> Expected<'a> {
    Expected {
        issuers: &[ISSUER],
        audiences: &[CLIENT],
        algorithms: &Algorithm::ALL,
        nonce: NONCE,
        access_token: Some("access"),
    }
}

fn claims() -> Value {
    let now = NOW.seconds();
    json!({"iss": ISSUER, "sub": "ann", "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": NONCE})
}

/// The members of `change` put in, those that are null taken out.
fn changed(mut value: Value, change: &Value) -> Value {
    let object = value.as_object_mut().unwrap();
    for (name, value) in change.as_object().unwrap() {
        if value.is_null() {
            object.remove(name);
        } else {
            object.insert(name.clone(), value.clone());
        }
    }
    value
}

fn message(header: &Value, claims: &Value) -> String {
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", encode(header), encode(claims))
}

#[test]
fn a_proper_token_counts_in_every_algorithm() {
    for algorithm in Algorithm::ALL {
        let provider = Provider::of(algorithm);
        let claims = provider.with(&json!({"at_hash": half_hash(algorithm, "access")})).unwrap();
        assert_eq!((&*claims.issuer, &*claims.subject), (ISSUER, "ann"), "{algorithm:?}");
        assert_eq!((claims.email, claims.auth_time), (None, None));
        assert_eq!(provider.with(&json!({"sub": "eve"})).unwrap().subject, "eve");
        // The same claims under another signature.
        let token = provider.token(&provider.header(), &self::claims());
        let other = provider.token(&provider.header(), &changed(self::claims(), &json!({"sub": "eve"})));
        let (message, _) = token.rsplit_once('.').unwrap();
        let (_, signature) = other.rsplit_once('.').unwrap();
        assert_eq!(provider.look(&format!("{message}.{signature}")), Err(Rejection::BadSignature));
        assert_eq!(provider.look(&format!("{message}.")), Err(Rejection::BadSignature));
    }
}

#[test]
fn claims_that_are_wrong_in_one_respect_do_not_count() {
    let provider = Provider::of(Algorithm::EdDsa);
    let now = NOW.seconds();
    let wrong = [
        (json!({"iss": "https://evil.example"}), Rejection::WrongIssuer),
        (json!({"iss": format!("{ISSUER}/")}), Rejection::WrongIssuer),
        (json!({"iss": null}), Rejection::BadClaims),
        (json!({"aud": "other"}), Rejection::WrongAudience),
        (json!({"aud": []}), Rejection::WrongAudience),
        (json!({"aud": [CLIENT, "other"]}), Rejection::WrongAudience),
        (json!({"aud": [CLIENT, CLIENT]}), Rejection::WrongParty),
        (json!({"azp": "other"}), Rejection::WrongParty),
        (json!({"nonce": "another"}), Rejection::WrongNonce),
        (json!({"nonce": ""}), Rejection::WrongNonce),
        (json!({"nonce": null}), Rejection::WrongNonce),
        (json!({"exp": now - 3600}), Rejection::Expired),
        (json!({"exp": null}), Rejection::BadClaims),
        (json!({"exp": "never"}), Rejection::BadClaims),
        (json!({"exp": 1e300}), Rejection::BadClaims),
        (json!({"iat": now - 3600, "exp": now + 9000}), Rejection::Expired),
        (json!({"iat": now + 3600, "exp": now + 9000}), Rejection::NotYet),
        (json!({"iat": null}), Rejection::BadClaims),
        (json!({"nbf": now + 3600}), Rejection::NotYet),
        (json!({"at_hash": "AAAA"}), Rejection::WrongHash),
        (json!({"sub": ""}), Rejection::BadClaims),
        (json!({"sub": "a".repeat(256)}), Rejection::BadClaims),
        (json!({"sub": "a\u{0}b"}), Rejection::BadClaims),
        (json!({"sub": 7}), Rejection::BadClaims),
    ];
    for (change, rejection) in wrong {
        assert_eq!(provider.with(&change), Err(rejection), "{change}");
    }
    for right in
        [json!({"aud": [CLIENT]}), json!({"azp": CLIENT}), json!({"exp": now + 1, "iat": 1e9 * 1.795})]
    {
        assert!(provider.with(&right).is_ok(), "{right}");
    }
}

#[test]
fn headers_that_are_wrong_in_one_respect_do_not_count() {
    let provider = Provider::of(Algorithm::EdDsa);
    for (change, rejection) in [
        (json!({"alg": "none"}), Rejection::WrongAlgorithm),
        (json!({"alg": "HS256"}), Rejection::WrongAlgorithm),
        (json!({"alg": "eddsa"}), Rejection::WrongAlgorithm),
        (json!({"alg": null}), Rejection::BadHeader),
        (json!({"alg": "ES256"}), Rejection::UnknownKey),
        (json!({"kid": "two"}), Rejection::UnknownKey),
        (json!({"typ": "at+jwt"}), Rejection::BadHeader),
        (json!({"typ": "logout+jwt"}), Rejection::BadHeader),
        (json!({"crit": ["b64"], "b64": false}), Rejection::BadHeader),
    ] {
        assert_eq!(provider.with_header(&change), Err(rejection), "{change}");
    }
    // What the token says of keys is not read; with one key in the set, it need not name it.
    let foreign = Pair::of(Algorithm::EdDsa);
    let named = json!({"jku": "https://evil.example/keys", "jwk": foreign.jwk("one"), "kid": null});
    assert!(provider.with_header(&named).is_ok());
    let message = message(&changed(provider.header(), &named), &claims());
    let signature = URL_SAFE_NO_PAD.encode(foreign.sign(Algorithm::EdDsa, message.as_bytes()));
    assert_eq!(provider.look(&format!("{message}.{signature}")), Err(Rejection::BadSignature));
}

#[test]
fn a_public_key_is_no_secret() {
    // The classic confusion: HMAC with what everybody can read.
    let provider = Provider::of(Algorithm::Rs256);
    let Pair::Rsa(pair) = &provider.pair else { panic!() };
    let der = pair.public_key().as_der().unwrap();
    for secret in [der.as_ref(), pair.public_key().as_ref()] {
        let message = message(&changed(provider.header(), &json!({"alg": "HS256"})), &claims());
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
        let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag));
        assert_eq!(provider.look(&token), Err(Rejection::WrongAlgorithm));
    }
}

#[test]
fn an_algorithm_that_the_provider_does_not_use_does_not_count() {
    let provider = Provider::of(Algorithm::Ps256);
    let token = provider.token(&provider.header(), &claims());
    let only_rs256 = Expected { algorithms: &[Algorithm::Rs256], ..expected() };
    assert_eq!(verify(&provider.keys, &token, &only_rs256, NOW), Err(Rejection::WrongAlgorithm));
    // The key itself may say what it is for.
    let mut jwk = provider.pair.jwk("one");
    jwk["alg"] = json!("RS256");
    let keys = JwkSet::parse(json!({"keys": [jwk]}).to_string().as_bytes()).unwrap();
    assert_eq!(verify(&keys, &token, &expected(), NOW), Err(Rejection::UnknownKey));
}

#[test]
fn without_an_id_there_must_be_no_choice_of_keys() {
    let provider = Provider::of(Algorithm::EdDsa);
    let both = json!({"keys": [provider.pair.jwk("one"), Pair::of(Algorithm::EdDsa).jwk("two")]});
    let keys = JwkSet::parse(both.to_string().as_bytes()).unwrap();
    let token = provider.token(&changed(provider.header(), &json!({"kid": null})), &claims());
    assert_eq!(verify(&keys, &token, &expected(), NOW), Err(Rejection::UnknownKey));
}

#[test]
fn an_address_counts_as_verified_only_when_the_provider_says_so() {
    let provider = Provider::of(Algorithm::EdDsa);
    let email = |verified: Value| {
        provider.with(&json!({"email": "ann@example.org", "email_verified": verified})).unwrap().email
    };
    assert_eq!(email(json!(true)).as_deref(), Some("ann@example.org"));
    assert_eq!(email(json!("true")).as_deref(), Some("ann@example.org"));
    for no in [json!(false), json!(null), json!(1), json!("yes"), json!("True"), json!([true]), json!({})] {
        assert_eq!(email(no.clone()), None, "{no}");
    }
    let nonsense = json!({"email": "no address", "email_verified": true});
    assert_eq!(provider.with(&nonsense).unwrap().email, None);
}

#[test]
fn rubbish_is_refused() {
    let provider = Provider::of(Algorithm::EdDsa);
    let token = provider.token(&provider.header(), &claims());
    for bad in ["", ".", "..", "a.b.c", &format!("{token}."), &format!("{token}="), &token.replace('.', "..")]
    {
        assert!(provider.look(bad).is_err(), "{bad}");
    }
    assert_eq!(provider.look(&"x".repeat(LONGEST + 1)), Err(Rejection::TooLong));
    let json = json!({"payload": token, "signatures": []}).to_string();
    assert!(provider.look(&json).is_err(), "only the compact form");
}
