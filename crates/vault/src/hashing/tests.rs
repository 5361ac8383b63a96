//! The queue without threads, where every order of events can be made, and the pool as it runs.

use super::*;
use crate::testing::random;

fn options(threads: usize, queue: usize) -> HashingOptions {
    let threads = NonZeroUsize::new(threads).unwrap();
    HashingOptions { threads, queue, ..HashingOptions::new(HashPolicy::MINIMUM) }
}

fn clock() -> Clock {
    Clock::fixed(Timestamp::from_seconds(1_795_253_296))
}

fn password(text: &str) -> Password {
    Password::presented(text).unwrap()
}

type Answer = oneshot::Receiver<Result<PasswordHash>>;

fn ask(queue: &Queue, text: &str) -> Result<Answer> {
    let (reply, answer) = oneshot::channel();
    queue.push(Work::Hash { password: password(text), reply })?;
    Ok(answer)
}

fn next(queue: &Queue) -> String {
    match queue.next() {
        Next::Job(Job { work: Work::Hash { password, .. }, .. }) => password.expose().to_owned(),
        _ => panic!("no job"),
    }
}

fn is_busy<T>(result: Result<T>) -> bool {
    matches!(
        result,
        Err(Error::Unavailable { code: "hashing_busy", retry_after, .. }) if retry_after.as_secs() == 5
    )
}

#[test]
fn a_full_queue_refuses_until_somebody_leaves() {
    let queue = Queue::new(options(1, 3), clock());
    let waiting: Vec<_> = (0..3).map(|number| ask(&queue, &number.to_string()).unwrap()).collect();
    assert!(is_busy(ask(&queue, "fourth")));
    drop(waiting.into_iter().nth(1));
    let fourth = ask(&queue, "fourth");
    assert!(fourth.is_ok());
}

#[test]
fn jobs_come_in_order_and_abandoned_ones_are_skipped() {
    let queue = Queue::new(options(1, 10), clock());
    let _first = ask(&queue, "first").unwrap();
    drop(ask(&queue, "second").unwrap());
    let _third = ask(&queue, "third").unwrap();
    assert_eq!([next(&queue), next(&queue)], ["first", "third"]);
}

#[test]
fn who_waited_too_long_is_told_so() {
    let clock = clock();
    let queue = Queue::new(options(1, 10), clock.clone());
    let mut late = ask(&queue, "late").unwrap();
    clock.advance(Duration::from_millis(1));
    let _in_time = ask(&queue, "in time").unwrap();
    clock.advance(Duration::from_secs(5));
    assert_eq!(next(&queue), "in time");
    assert!(is_busy(late.try_recv().unwrap()));
}

#[test]
fn closing_refuses_who_waits_and_who_comes() {
    let queue = Queue::new(options(1, 10), clock());
    let mut waiting = ask(&queue, "waiting").unwrap();
    queue.close();
    assert!(is_busy(waiting.try_recv().unwrap()));
    assert!(is_busy(ask(&queue, "late")));
    assert!(matches!(queue.next(), Next::Closed));
}

#[tokio::test]
async fn a_pool_hashes_verifies_and_says_what_to_rehash() {
    let weak = HashingPool::start(options(2, 512), clock(), random(1)).unwrap();
    let hash = weak.hash(password("correct horse battery")).await.unwrap();
    let right = weak.verify(password("correct horse battery"), Some(hash.clone())).await.unwrap();
    assert_eq!(right, Verified { matches: true, needs_rehash: false });
    let wrong = weak.verify(password("correct horse"), Some(hash.clone())).await.unwrap();
    assert_eq!(wrong, Verified { matches: false, needs_rehash: false });
    let nobody = weak.verify(password("correct horse battery"), None).await.unwrap();
    assert_eq!(nobody, Verified { matches: false, needs_rehash: false });
    drop(weak);

    let policy = HashPolicy::new(20_000, 2, 1).unwrap();
    let stronger = HashingOptions { policy, ..options(1, 512) };
    let stronger = HashingPool::start(stronger, clock(), random(2)).unwrap();
    let right = stronger.verify(password("correct horse battery"), Some(hash)).await.unwrap();
    assert_eq!(right, Verified { matches: true, needs_rehash: true });
}

#[tokio::test]
async fn a_storm_is_answered_in_full() {
    let pool = Arc::new(HashingPool::start(options(2, 512), clock(), random(3)).unwrap());
    let logins: Vec<_> = (0..24)
        .map(|_| {
            let pool = Arc::clone(&pool);
            tokio::spawn(async move { pool.verify(password("x"), None).await })
        })
        .collect();
    for login in logins {
        assert!(!login.await.unwrap().unwrap().matches);
    }
    assert_eq!(pool.waiting(), 0);
}

/// Requests share the process: lowering the priority of a hashing thread must not touch theirs.
#[cfg(target_os = "linux")]
#[test]
fn only_the_thread_that_hashes_steps_back() {
    let own = || rustix::process::getpriority_process(None).unwrap();
    let before = own();
    let lowered = thread::spawn(move || {
        lower_priority();
        own()
    });
    assert_eq!(lowered.join().unwrap(), NICENESS.max(before));
    assert_eq!(own(), before);
}
