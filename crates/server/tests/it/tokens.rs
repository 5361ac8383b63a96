//! Access tokens under attack: everything that is not exactly ours is refused, and says nothing more.
//!
//! Many attacks are signed with the server's real key, taken out of its database: so what is refused is the one
//! thing that differs, not the signature.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use insta::assert_json_snapshot;
use serde_json::{Value, json};
use testkit::TestApp;
use testkit::databases::unhex;
use uuid::Uuid;
use vault::{Context, Ring};

testkit::stamp! {
    both: [
        a_token_says_only_what_services_need,
        services_can_verify_tokens,
        forged_headers_do_not_count,
        forged_signatures_do_not_count,
        claims_that_are_not_ours_do_not_count,
        what_is_no_token_does_not_count,
        an_authorization_header_is_read_strictly,
    ]
}

fn encode(json: &Value) -> String {
    URL_SAFE_NO_PAD.encode(json.to_string())
}

fn decode(part: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// Header, claims and signature.
fn parts(token: &str) -> (Value, Value, String) {
    let [header, claims, signature] = token.split('.').collect::<Vec<_>>()[..] else { panic!("{token}") };
    (decode(header), decode(claims), signature.to_owned())
}

/// A token with ES256, whatever its header says.
fn signed(key: &EcdsaKeyPair, header: &Value, claims: &str) -> String {
    // In the order in which the server writes them, so that only what a test changes differs.
    let order = |name: &str| ["alg", "kid", "typ"].iter().position(|known| *known == name).unwrap_or(3);
    let mut members: Vec<_> = header.as_object().unwrap().iter().collect();
    members.sort_by_key(|(name, _)| order(name));
    let members: Vec<_> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
    let header = URL_SAFE_NO_PAD.encode(format!("{{{}}}", members.join(",")));
    let message = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims));
    let signature = key.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// The key that the server signs with.
async fn real_key(app: &TestApp) -> EcdsaKeyPair {
    let wrapped = app.database().column("SELECT wrapped FROM signing_key WHERE state = 'active'").await;
    let ring = Ring::load(&app.data().join("keys").join("ring")).unwrap().unwrap();
    let document =
        ring.unwrap(&Context::server("signing_key", Uuid::nil(), "wrapped"), &unhex(&wrapped[0])).unwrap();
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &document).unwrap()
}

fn foreign_key() -> EcdsaKeyPair {
    EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()
}

/// Every one of these is a plain 401.
async fn all_are_refused(app: &TestApp, attacks: Vec<(&str, String)>) {
    for (name, token) in attacks {
        let answer = app.visitor().bearing(&token).get("/v1/me").await;
        assert_eq!(answer.status, 401, "{name}: {answer}");
        assert_eq!(answer.header("www-authenticate"), r#"Bearer error="invalid_token""#, "{name}");
        assert_eq!(answer.header("content-type"), "application/problem+json", "{name}");
        assert_eq!(answer.json["code"], "invalid_token", "{name}: {answer}");
        assert_eq!(answer.json["detail"], "this access token does not count", "{name}: {answer}");
    }
}

async fn a_token_says_only_what_services_need(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let (header, claims, _) = parts(&ann.access_token());
    assert_json_snapshot!(header, { ".kid" => "[kid]" }, @r#"
    {
      "alg": "ES256",
      "kid": "[kid]",
      "typ": "at+jwt"
    }
    "#);
    assert_json_snapshot!(claims, { ".sub" => "[id]", ".sid" => "[id]", ".jti" => "[id]" }, @r#"
    {
      "amr": [
        "pwd"
      ],
      "aud": "fairweather",
      "auth_time": 1795255200,
      "exp": 1795255800,
      "gen": 1,
      "iat": 1795255200,
      "iss": "http://localhost",
      "jti": "[id]",
      "scope": "user",
      "sid": "[id]",
      "sub": "[id]"
    }
    "#);
    assert_eq!(claims["sub"], ann.account_id());
}

async fn services_can_verify_tokens(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let token = ann.access_token();
    let answer = app.visitor().get("/.well-known/jwks.json").await.expect(200);
    assert_eq!(answer.header("cache-control"), "public, max-age=300");
    let key = &answer.json["keys"][0];
    assert_json_snapshot!(key, { ".kid" => "[kid]", ".x" => "[x]", ".y" => "[y]" }, @r#"
    {
      "alg": "ES256",
      "crv": "P-256",
      "kid": "[kid]",
      "kty": "EC",
      "use": "sig",
      "x": "[x]",
      "y": "[y]"
    }
    "#);
    let (header, _, signature) = parts(&token);
    assert_eq!(key["kid"], header["kid"]);
    let mut point = vec![4];
    for name in ["x", "y"] {
        point.extend(URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap());
    }
    let message = token.rsplit_once('.').unwrap().0;
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
    public.verify(message.as_bytes(), &signature).unwrap();
}

async fn forged_headers_do_not_count(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let key = real_key(&app).await;
    let (header, claims, _) = parts(&ann.access_token());
    let claims = claims.to_string();
    let again = app.visitor().bearing(&signed(&key, &header, &claims)).get("/v1/me").await;
    assert_eq!(again.status, 200, "the unchanged header, signed here, must count: {again}");

    let with = |name: &str, value: Value| {
        let mut header = header.clone();
        header[name] = value;
        signed(&key, &header, &claims)
    };
    let without = |name: &str| {
        let mut header = header.clone();
        header.as_object_mut().unwrap().remove(name);
        signed(&key, &header, &claims)
    };
    let point = key.public_key().as_ref();
    let jwk = json!({
        "kty": "EC", "crv": "P-256",
        "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..]),
    });
    all_are_refused(
        &app,
        vec![
            ("alg none", with("alg", json!("none"))),
            ("alg None", with("alg", json!("None"))),
            ("alg HS256", with("alg", json!("HS256"))),
            ("alg RS256", with("alg", json!("RS256"))),
            ("alg ES384", with("alg", json!("ES384"))),
            ("alg es256", with("alg", json!("es256"))),
            ("alg as a list", with("alg", json!(["ES256"]))),
            ("no alg", without("alg")),
            ("typ JWT", with("typ", json!("JWT"))),
            ("typ of an identity token", with("typ", json!("id+jwt"))),
            ("typ of a logout token", with("typ", json!("logout+jwt"))),
            ("typ in capitals", with("typ", json!("AT+JWT"))),
            ("typ as a media type", with("typ", json!("application/at+jwt"))),
            ("no typ", without("typ")),
            ("unknown kid", with("kid", json!("another"))),
            ("empty kid", with("kid", json!(""))),
            ("kid of a file", with("kid", json!("../../../../dev/null"))),
            ("kid of SQL", with("kid", json!("x' UNION SELECT 'AAAA' --"))),
            ("kid null", with("kid", Value::Null)),
            ("no kid", without("kid")),
            ("jwk, our own", with("jwk", jwk)),
            ("jku", with("jku", json!("https://evil.example/jwks.json"))),
            ("jku, our own", with("jku", json!(format!("{}/.well-known/jwks.json", app.base_url())))),
            ("x5u", with("x5u", json!("https://evil.example/cert.pem"))),
            ("x5c", with("x5c", json!(["MIIB"]))),
            ("crit", with("crit", json!(["exp"]))),
            ("b64", with("b64", json!(false))),
            ("zip", with("zip", json!("DEF"))),
            ("cty", with("cty", json!("JWT"))),
        ],
    )
    .await;
    ann.get("/v1/me").await.expect(200);
}

async fn forged_signatures_do_not_count(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let token = ann.access_token();
    let (header, claims, signature) = parts(&token);
    let (message, _) = token.rsplit_once('.').unwrap();
    let point = real_key(&app).await.public_key().as_ref().to_vec();
    let jwks = String::from_utf8(app.visitor().get("/.well-known/jwks.json").await.bytes).unwrap();
    let hs256 = |secret: &[u8]| {
        let mut header = header.clone();
        header["alg"] = json!("HS256");
        let message = format!("{}.{}", encode(&header), encode(&claims));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(tag))
    };
    let none = |alg: &str| {
        let mut header = header.clone();
        header["alg"] = json!(alg);
        format!("{}.{}.", encode(&header), encode(&claims))
    };
    let promoted = {
        let mut claims = claims.clone();
        claims["scope"] = json!("user operator");
        format!("{}.{}.{signature}", message.split('.').next().unwrap(), encode(&claims))
    };
    let flipped = |at: usize| {
        let mut bytes = URL_SAFE_NO_PAD.decode(&signature).unwrap();
        bytes[at] ^= 1;
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(bytes))
    };
    let other = foreign_key();
    let mut own_jwk = header.clone();
    let foreign = other.public_key().as_ref();
    own_jwk["jwk"] = json!({
        "kty": "EC", "crv": "P-256",
        "x": URL_SAFE_NO_PAD.encode(&foreign[1..33]), "y": URL_SAFE_NO_PAD.encode(&foreign[33..]),
    });
    all_are_refused(
        &app,
        vec![
            ("none", none("none")),
            ("NONE", none("NONE")),
            ("no signature, our header", format!("{message}.")),
            ("HS256 with the public point", hs256(&point)),
            ("HS256 with the published document", hs256(jwks.as_bytes())),
            ("HS256 with nothing", hs256(b"")),
            ("another's key under our kid", signed(&other, &header, &claims.to_string())),
            ("another's key, brought along", signed(&other, &own_jwk, &claims.to_string())),
            ("more rights under the old signature", promoted),
            ("first bit", flipped(0)),
            ("last bit", flipped(63)),
            ("all zeros", format!("{message}.{}", URL_SAFE_NO_PAD.encode([0; 64]))),
            ("one octet short", format!("{message}.{}", URL_SAFE_NO_PAD.encode([1; 63]))),
            ("one octet long", format!("{message}.{}", URL_SAFE_NO_PAD.encode([1; 65]))),
            ("padded", format!("{token}==")),
            ("twice", format!("{token}.{signature}")),
        ],
    )
    .await;
    ann.get("/v1/me").await.expect(200);
}

async fn claims_that_are_not_ours_do_not_count(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let bob = app.user("bob@example.org").await;
    let key = real_key(&app).await;
    let (header, claims, _) = parts(&ann.access_token());
    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        signed(&key, &header, &claims.to_string())
    };
    let without = |name: &str| {
        let mut claims = claims.clone();
        claims.as_object_mut().unwrap().remove(name);
        signed(&key, &header, &claims.to_string())
    };
    let raw = |claims: &str| signed(&key, &header, claims);
    let now = app.now().seconds();
    let twice = claims.to_string().replacen('{', r#"{"sub":"00000000-0000-0000-0000-000000000000","#, 1);
    let mut attacks = vec![
        ("another issuer", with("iss", json!("https://evil.example"))),
        ("almost our issuer", with("iss", json!("http://localhost/"))),
        ("our issuer with a port", with("iss", json!(app.base_url()))),
        ("another audience", with("aud", json!("another"))),
        ("audiences", with("aud", json!(["fairweather", "another"]))),
        ("expired", with("exp", json!(now - 11))),
        ("expired long ago", with("exp", json!(0))),
        ("expiry as text", with("exp", json!("1999999999"))),
        ("expiry as a fraction", with("exp", json!(1e300))),
        ("issued in the future", with("iat", json!(now + 301))),
        ("valid in the future", with("nbf", json!(now + 301))),
        ("longer than we issue", with("exp", json!(now + 86_400))),
        ("subject that is no id", with("sub", json!("ann@example.org"))),
        ("session that is no id", with("sid", json!("1"))),
        ("generation nought", with("gen", json!(0))),
        ("generation below nought", with("gen", json!(-1))),
        ("generation too large", with("gen", json!(u64::MAX))),
        ("a subject twice", raw(&twice)),
        ("no object", raw("[]")),
        ("no JSON", raw("claims")),
        ("nothing", raw("")),
        ("deep", raw(&"[".repeat(2000))),
    ];
    for name in ["iss", "aud", "sub", "iat", "exp", "jti", "sid", "gen", "scope", "auth_time", "amr"] {
        attacks.push((name, without(name)));
    }
    all_are_refused(&app, attacks).await;

    // Sound in itself, but this session is not this account's; there is no such session at all.
    let (_, of_bob, _) = parts(&bob.access_token());
    for (name, value) in [
        ("sid", of_bob["sid"].clone()),
        ("sub", of_bob["sub"].clone()),
        ("sid", json!("00000000-0000-0000-0000-000000000000")),
    ] {
        let stranger = app.visitor().bearing(&with(name, value));
        stranger.get("/v1/me").await.problem(401, "session_ended");
    }
}

async fn what_is_no_token_does_not_count(app: TestApp) {
    let mut browser = app.web();
    browser.start_anonymously().await;
    let cookie = browser.kept().cookie.unwrap().replace("sid=", "");
    let ann = app.user("ann@example.org").await;
    let visitor = app.visitor();
    let registration = visitor.register("zoe@example.org").await;
    let code = app.code_for("zoe@example.org").await;
    all_are_refused(
        &app,
        vec![
            ("a refresh token", ann.refresh_token()),
            ("a cookie", cookie),
            ("a registration", registration),
            ("a code", code),
            ("an account", ann.account_id()),
            ("dots", String::from("..")),
            ("many dots", ".".repeat(4000)),
            ("no base64", String::from("#.#.#")),
            ("very long", "A".repeat(5000)),
            ("longer than we look", format!("{}{}", ann.access_token(), "A".repeat(4096))),
        ],
    )
    .await;
}

async fn an_authorization_header_is_read_strictly(app: TestApp) {
    let ann = app.user("ann@example.org").await;
    let token = ann.access_token();
    let ask = async |value: &str| app.visitor().get("/v1/me").header("authorization", value).await;
    ask(&format!("bearer {token}")).await.expect(200);
    for value in [
        "",
        "Bearer",
        "Bearer ",
        &token,
        &format!("Basic {token}"),
        &format!("DPoP {token}"),
        &format!("Bearer  {token}"),
        &format!("Bearer {token} {token}"),
        &format!("Bearer {token},Bearer {token}"),
        &format!("Bearer\t{token}"),
    ] {
        ask(value).await.problem(401, "invalid_token");
    }
    // A token in the address would end up in logs and histories.
    let path = format!("/v1/me?access_token={token}");
    app.visitor().get(&path).await.problem(401, "credential_required");
}
