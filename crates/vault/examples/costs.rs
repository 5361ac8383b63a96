//! Measures what each operation of the vault costs on one thread, in microseconds: the median of 21 runs.
//!
//! `cargo run --release -p vault --example costs`

use std::hint::black_box;
use std::time::Instant;

use domain::access::{AccessClaims, AccessSubject};
use domain::account::Roles;
use domain::email::Email;
use domain::refresh::Generation;
use domain::session::Proofs;
use domain::{AccountId, Random, Result, SessionId, Timestamp};
use vault::refresh_token::{RefreshToken, SessionSalt};
use vault::signing::KeyState;
use vault::{BlindIndex, Context, KeySet, RefreshKey, Ring, ServerKey, SigningKey, access};

fn main() -> Result<()> {
    let mut counter = 0_u64;
    let random = Random::new(move |bytes| {
        for byte in bytes {
            counter = counter.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *byte = (counter >> 56) as u8;
        }
    });
    let now = Timestamp::from_seconds(1_795_253_296);
    let (account, session) = (AccountId::new(now, &random), SessionId::new(now, &random));

    let ring = Ring::generate(&random)?;
    let (key, wrapped) = ring.new_data_key(account, &random)?;
    let place = Context::new("favourites", account, random.uuid(now), "body");
    let blob = key.seal(&place, &[b'x'; 300], &random)?;
    report("open a data key", 200, || ring.open_data_key(account, &wrapped))?;
    report("seal 300 bytes", 2000, || key.seal(&place, &[b'x'; 300], &random))?;
    report("open 300 bytes", 2000, || key.open(&place, &blob))?;

    let index = BlindIndex::new(&ServerKey::generate(&random))?;
    let email = Email::parse("somebody@example.com")?;
    report("index an e-mail", 2000, || Ok(index.email(&email)))?;
    report("tag a cell", 2000, || Ok(index.cell_tag(b"872830828ffffff")))?;

    let refresh = RefreshKey::new(ServerKey::generate(&random));
    let salt = SessionSalt::generate(&random);
    let text = refresh.mint(account, session, Generation::FIRST, &salt)?;
    report("mint a refresh token", 500, || refresh.mint(account, session, Generation::FIRST, &salt))?;
    report("verify a refresh token", 500, || {
        RefreshToken::parse(&text).map(|token| refresh.verify(&token, &salt)).transpose()
    })?;

    let keys = KeySet::new(vec![(KeyState::Active, SigningKey::generate()?.0)])?;
    let subject = AccessSubject {
        account,
        session,
        generation: Generation::FIRST,
        roles: Roles::USER,
        auth_time: now,
        proofs: Proofs::NONE,
    };
    let claims = AccessClaims::issue(subject, "https://weather.example.com", "fairweather", &random, now);
    let token = access::issue(&keys, &claims)?;
    report("issue an access token", 200, || access::issue(&keys, &claims))?;
    report("verify an access token", 200, || {
        Ok(access::verify(&keys, &token, "https://weather.example.com", "fairweather", now)?)
    })
}

fn report<T>(name: &str, repeats: u32, mut work: impl FnMut() -> Result<T>) -> Result<()> {
    let mut runs = Vec::new();
    for _ in 0..21 {
        let started = Instant::now();
        for _ in 0..repeats {
            black_box(work()?);
        }
        runs.push(started.elapsed().as_secs_f64() * 1e6 / f64::from(repeats));
    }
    runs.sort_by(f64::total_cmp);
    println!("{name:24} {:8.2}", runs.get(10).copied().unwrap_or_default());
    Ok(())
}
