//! Where passwords are hashed: threads of their own, so that a storm of logins slows logins only.
//!
//! The threads run at a lower priority where the system allows it, each in memory of its own, which bounds
//! what hashing can take. The queue is bounded in length and in time: who would wait longer than a person
//! does is told to come back. A job whose caller has gone is skipped.

use std::collections::VecDeque;
use std::fmt;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use domain::password::Password;
use domain::{Clock, Error, Random, Result, Timestamp};
use tokio::sync::oneshot;

use crate::password::{HashPolicy, Hasher, PasswordHash};

/// How niced the threads are: well below requests, above idle work.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;
/// Between storms of logins the memory of the hashes is the system's.
const REST_AFTER: Duration = Duration::from_secs(5);

/// How a pool is set up.
#[derive(Clone, Copy, Debug)]
pub struct HashingOptions {
    /// What new hashes cost.
    pub policy: HashPolicy,
    /// Threads; each holds the memory of one hash.
    pub threads: NonZeroUsize,
    /// How many may wait.
    pub queue: usize,
    /// How long one may wait.
    pub longest_wait: Duration,
}

impl HashingOptions {
    /// One thread per core, a queue of 512, at most 5 s in it.
    pub fn new(policy: HashPolicy) -> Self {
        Self {
            policy,
            threads: thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            queue: 512,
            longest_wait: Duration::from_secs(5),
        }
    }
}

/// What verifying found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The password is right.
    pub matches: bool,
    /// The password is right and its hash weaker than the policy asks: hash it anew and store that.
    pub needs_rehash: bool,
}

/// The threads and their queue. Dropping it finishes the hashes in work and refuses those that wait.
pub struct HashingPool {
    queue: Arc<Queue>,
    random: Random,
    done: Arc<AtomicU64>,
    threads: Vec<JoinHandle<()>>,
}

impl HashingPool {
    /// Starts the threads; fails with `Internal` when the system gives none.
    pub fn start(options: HashingOptions, clock: Clock, random: Random) -> Result<Self> {
        let queue = Arc::new(Queue::new(options, clock));
        let threads = Vec::with_capacity(options.threads.get());
        let mut pool = Self { queue, random, done: Arc::default(), threads };
        for number in 0..options.threads.get() {
            let mut hasher = Hasher::new(options.policy)?;
            let (queue, random) = (Arc::clone(&pool.queue), pool.random.clone());
            let done = Arc::clone(&pool.done);
            let thread = thread::Builder::new()
                .name(format!("hashing-{number}"))
                .spawn(move || {
                    lower_priority();
                    loop {
                        match queue.next() {
                            Next::Job(job) => {
                                // Before the answer, so that whoever has it finds it counted.
                                done.fetch_add(1, Ordering::Relaxed);
                                // A panic in one hash answers that caller with an error and spares the thread.
                                let work = || job.work.run(&mut hasher, options.policy, &random);
                                let _ = catch_unwind(AssertUnwindSafe(work));
                            }
                            Next::Nothing => hasher.rest(),
                            Next::Closed => return,
                        }
                    }
                })
                .map_err(|error| Error::internal(format_args!("no thread for hashing: {error}")))?;
            pool.threads.push(thread);
        }
        Ok(pool)
    }

    /// What new hashes cost.
    pub fn policy(&self) -> HashPolicy {
        self.queue.options.policy
    }

    /// How many wait now: for the metrics.
    pub fn waiting(&self) -> usize {
        self.queue.lock().jobs.len()
    }

    /// How many hashes were made: what a caller cost, whatever it was told.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Hashes a new password. Fails with `Unavailable` when too many wait.
    pub async fn hash(&self, password: Password) -> Result<PasswordHash> {
        let (reply, answer) = oneshot::channel();
        self.queue.push(Work::Hash { password, reply })?;
        answer.await.map_err(|_| lost())?
    }

    /// Compares a password with the stored hash; without one, because there is no such account or it has no
    /// password, does the same work and finds no match. Fails with `Unavailable` when too many wait.
    pub async fn verify(&self, password: Password, stored: Option<PasswordHash>) -> Result<Verified> {
        let (reply, answer) = oneshot::channel();
        self.queue.push(Work::Verify { password, stored, reply })?;
        answer.await.map_err(|_| lost())?
    }
}

impl Drop for HashingPool {
    fn drop(&mut self) {
        self.queue.close();
        for thread in self.threads.drain(..) {
            // A thread that panicked has nothing left to say.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for HashingPool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("HashingPool").field("options", &self.queue.options).finish_non_exhaustive()
    }
}

fn lost() -> Error {
    Error::internal("a password was not hashed")
}

/// On Linux the priority is the thread's own. Elsewhere it would be that of the whole process, so it stays.
fn lower_priority() {
    #[cfg(target_os = "linux")]
    {
        // Not allowed to in some sandboxes; hashing works all the same.
        let _ = rustix::process::setpriority_process(None, NICENESS);
    }
}

enum Work {
    Hash { password: Password, reply: oneshot::Sender<Result<PasswordHash>> },
    Verify { password: Password, stored: Option<PasswordHash>, reply: oneshot::Sender<Result<Verified>> },
}

impl Work {
    fn is_abandoned(&self) -> bool {
        match self {
            Self::Hash { reply, .. } => reply.is_closed(),
            Self::Verify { reply, .. } => reply.is_closed(),
        }
    }

    // A reply that cannot be delivered is one whose caller has gone: nothing is to be done about it.

    fn refuse(self, error: Error) {
        match self {
            Self::Hash { reply, .. } => drop(reply.send(Err(error))),
            Self::Verify { reply, .. } => drop(reply.send(Err(error))),
        }
    }

    fn run(self, hasher: &mut Hasher, policy: HashPolicy, random: &Random) {
        match self {
            Self::Hash { password, reply } => drop(reply.send(hasher.hash(&password, policy, random))),
            Self::Verify { password, stored, reply } => {
                let known = stored.is_some();
                let hash = stored.unwrap_or_else(|| PasswordHash::dummy(policy));
                let found = hasher.verify(&password, &hash).map(|equal| {
                    let matches = equal && known;
                    Verified { matches, needs_rehash: matches && hash.needs_rehash(policy) }
                });
                drop(reply.send(found));
            }
        }
    }
}

/// What a thread is to do.
enum Next {
    Job(Job),
    /// Nobody has signed in for a while.
    Nothing,
    Closed,
}

struct Job {
    work: Work,
    asked_at: Timestamp,
}

struct Jobs {
    jobs: VecDeque<Job>,
    closed: bool,
}

struct Queue {
    options: HashingOptions,
    clock: Clock,
    jobs: Mutex<Jobs>,
    wake: Condvar,
}

impl Queue {
    fn new(options: HashingOptions, clock: Clock) -> Self {
        let jobs = Jobs { jobs: VecDeque::new(), closed: false };
        Self { options, clock, jobs: Mutex::new(jobs), wake: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn busy(&self) -> Error {
        Error::unavailable("hashing_busy", "too many sign-ins at once", self.options.longest_wait)
    }

    fn push(&self, work: Work) -> Result<()> {
        let asked_at = self.clock.now();
        let mut jobs = self.lock();
        if jobs.jobs.len() >= self.options.queue {
            // Those who left still fill the queue; they make room for one who is there.
            jobs.jobs.retain(|job| !job.work.is_abandoned());
        }
        if jobs.closed || jobs.jobs.len() >= self.options.queue {
            return Err(self.busy());
        }
        jobs.jobs.push_back(Job { work, asked_at });
        drop(jobs);
        self.wake.notify_one();
        Ok(())
    }

    /// The next job that somebody still waits for, and waited for not too long.
    fn next(&self) -> Next {
        let mut jobs = self.lock();
        loop {
            let now = self.clock.now();
            while let Some(job) = jobs.jobs.pop_front() {
                if now.since(job.asked_at) > self.options.longest_wait {
                    job.work.refuse(self.busy());
                } else if !job.work.is_abandoned() {
                    return Next::Job(job);
                }
            }
            if jobs.closed {
                return Next::Closed;
            }
            let (woken, waited) =
                self.wake.wait_timeout(jobs, REST_AFTER).unwrap_or_else(PoisonError::into_inner);
            jobs = woken;
            if waited.timed_out() && jobs.jobs.is_empty() && !jobs.closed {
                return Next::Nothing;
            }
        }
    }

    /// Lets the threads end; whoever still waits is refused.
    fn close(&self) {
        let mut jobs = self.lock();
        jobs.closed = true;
        for job in jobs.jobs.drain(..) {
            job.work.refuse(self.busy());
        }
        drop(jobs);
        self.wake.notify_all();
    }
}

#[cfg(test)]
mod tests;
