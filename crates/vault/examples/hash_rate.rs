//! Measures what the hashing pool loses against bare argon2id on the same number of threads.
//!
//! `cargo run --release -p vault --example hash_rate -- [seconds per round]`. Rounds of both take turns, so
//! that what else the machine does hits both; the figure that counts is the ratio. The bare threads run at
//! the same low priority as the pool's, so the scheduler does not favour either.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use domain::password::Password;
use domain::{Clock, Random};
use vault::hashing::{HashingOptions, HashingPool};
use vault::password::HashPolicy;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let seconds = std::env::args().nth(1).map_or(Ok(3.0), |text| text.parse())?;
    let round = Duration::try_from_secs_f64(seconds)?;
    let options = HashingOptions::new(HashPolicy::MINIMUM);
    let threads = options.threads.get();
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let mut counter = 0_u8;
    let random = Random::new(move |bytes| {
        for byte in bytes {
            counter = counter.wrapping_add(1);
            *byte = counter;
        }
    });
    let pool = Arc::new(HashingPool::start(options, Clock::system(), random)?);
    println!("{threads} threads, argon2id 19456 KiB, 2 passes, 1 lane");
    let (mut bare_total, mut pool_total) = (0.0, 0.0);
    for number in 1..=3 {
        let bare = bare_rate(threads, round)?;
        let pooled = runtime.block_on(pool_rate(&pool, threads * 8, round))?;
        bare_total += bare;
        pool_total += pooled;
        println!("round {number}: bare {bare:.1}/s, pool {pooled:.1}/s, ratio {:.3}", pooled / bare);
    }
    println!("ratio over all rounds: {:.3}", pool_total / bare_total);
    Ok(())
}

/// Hashes per second of bare argon2id with its memory reused.
fn bare_rate(threads: usize, round: Duration) -> Result<f64, Failure> {
    let params = Params::new(19_456, 2, 1, Some(32)).map_err(|error| error.to_string())?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let (done, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                #[cfg(target_os = "linux")]
                let _ = rustix::process::setpriority_process(None, 10);
                let mut blocks = vec![Block::new(); argon2.params().block_count()];
                while !stop.load(Ordering::Relaxed) {
                    let mut output = [0; 32];
                    let hashed = argon2.hash_password_into_with_memory(
                        b"correct horse battery",
                        &[7; 16],
                        &mut output,
                        &mut blocks,
                    );
                    if hashed.is_ok() && started.elapsed() < round {
                        done.fetch_add(1, Ordering::Relaxed);
                    } else {
                        stop.store(true, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    Ok(done.into_inner() as f64 / round.as_secs_f64())
}

/// Hashes per second through the pool, with `callers` who each ask again as soon as they are answered.
async fn pool_rate(pool: &Arc<HashingPool>, callers: usize, round: Duration) -> Result<f64, Failure> {
    let started = Instant::now();
    let tasks: Vec<_> = (0..callers)
        .map(|_| {
            let pool = Arc::clone(pool);
            async move {
                let mut done = 0_u64;
                loop {
                    let password = Password::presented("correct horse battery")?;
                    pool.hash(password).await?;
                    if started.elapsed() >= round {
                        return Ok::<_, domain::Error>(done);
                    }
                    done += 1;
                }
            }
        })
        .collect();
    let local = tokio::task::LocalSet::new();
    let handles: Vec<_> = tasks.into_iter().map(|task| local.spawn_local(task)).collect();
    let mut done = 0;
    local
        .run_until(async {
            for handle in handles {
                done += handle.await??;
            }
            Ok::<_, Failure>(())
        })
        .await?;
    Ok(done as f64 / round.as_secs_f64())
}
