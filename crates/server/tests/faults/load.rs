//! People who write without pause while something breaks, and a book of everything that was acknowledged to them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use testkit::{Client, Process};
use tokio::task::JoinSet;
use uuid::Uuid;

/// People at once.
const WRITERS: usize = 6;
/// How long one waits for an answer before trying another node, as a proxy does that looks at its nodes.
const PATIENCE: Duration = Duration::from_secs(2);
/// What is told where nothing was answered in that time.
const NO_ANSWER: &str = "no answer";
/// Between two tries of what failed.
const AGAIN_AFTER: Duration = Duration::from_millis(50);
/// How long the installation may take to serve again.
const AT_LAST: Duration = Duration::from_secs(90);

/// A load that runs.
pub struct Load {
    writers: JoinSet<Written>,
    acknowledged: Arc<AtomicUsize>,
    failed: Arc<AtomicUsize>,
    is_over: Arc<AtomicBool>,
}

/// What one person wrote.
struct Written {
    name: String,
    client: Client,
    acknowledged: BTreeSet<Uuid>,
    /// Sent, and never answered well.
    unknown: BTreeSet<Uuid>,
    failures: BTreeMap<String, usize>,
    times: Vec<Instant>,
}

/// What a load went through.
pub struct Outcome {
    pub acknowledged: usize,
    /// Requests that were not done, by what was answered.
    pub failures: BTreeMap<String, usize>,
    /// The longest time in which nothing was acknowledged to anybody.
    pub pause: Duration,
}

impl Load {
    /// Begins to write at these nodes, every person at each in turn.
    pub async fn start(nodes: &[&Process]) -> Self {
        let (acknowledged, failed) = <(Arc<AtomicUsize>, Arc<AtomicUsize>)>::default();
        let is_over = Arc::<AtomicBool>::default();
        let mut writers = JoinSet::new();
        for person in 0..WRITERS {
            let mut client = nodes[person % nodes.len()].visitor();
            client.start_anonymously().await;
            let clients: Vec<_> = nodes.iter().map(|node| same(&client, node)).collect();
            let counters = (acknowledged.clone(), failed.clone(), is_over.clone());
            writers.spawn(write(format!("p{person}:"), clients, counters));
        }
        Self { writers, acknowledged, failed, is_over }
    }

    /// Returns when so many more writes were acknowledged.
    pub async fn goes_on(&self, more: usize) {
        self.reaches(&self.acknowledged, more, "nothing is served any more").await;
    }

    /// Returns when so many more requests were not done.
    pub async fn fails(&self, more: usize) {
        self.reaches(&self.failed, more, "nothing fails").await;
    }

    async fn reaches(&self, counter: &AtomicUsize, more: usize, otherwise: &str) {
        let (goal, begun) = (counter.load(Ordering::Relaxed) + more, Instant::now());
        while counter.load(Ordering::Relaxed) < goal {
            assert!(begun.elapsed() < AT_LAST, "{otherwise}: {} of {goal}", counter.load(Ordering::Relaxed));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Ends it, and compares what each person was told with what is there: all of it, nothing else, and nothing of
    /// anybody else.
    pub async fn end(mut self, node: &Process) -> Outcome {
        self.is_over.store(true, Ordering::Relaxed);
        let mut outcome = Outcome { acknowledged: 0, failures: BTreeMap::new(), pause: Duration::ZERO };
        let mut times = Vec::new();
        while let Some(written) = self.writers.join_next().await {
            let written = written.expect("a writer does not panic");
            written.is_there(node).await;
            outcome.acknowledged += written.acknowledged.len();
            for (what, count) in written.failures {
                *outcome.failures.entry(what).or_default() += count;
            }
            times.extend(written.times);
        }
        times.sort_unstable();
        outcome.pause = times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default();
        outcome
    }
}

impl Outcome {
    /// # Panics
    /// When somebody was refused, or more than a few had no answer in time: where the machine itself stands still for a
    /// moment, that is nobody's fault.
    pub fn none_failed(&self, what: &str) {
        let in_time = self.failures.iter().all(|(failure, count)| failure == NO_ANSWER && *count < WRITERS);
        assert!(in_time, "{what}: {:?}", self.failures);
    }

    /// One row of the table in docs/reliability.md.
    pub fn tell(&self, fault: &str) {
        let failures: Vec<_> =
            self.failures.iter().map(|(what, count)| format!("{count} × {what}")).collect();
        let failures = if failures.is_empty() { String::from("none") } else { failures.join(", ") };
        println!("| {fault} | {} | {failures} | {:.1} s |", self.acknowledged, self.pause.as_secs_f64());
    }
}

/// The same person at another node.
fn same(client: &Client, node: &Process) -> Client {
    let other = node.visitor();
    other.keep(|kept| *kept = client.kept());
    other
}

type Counters = (Arc<AtomicUsize>, Arc<AtomicUsize>, Arc<AtomicBool>);

/// Writes one item after the other; what failed is sent again, at the next node, until it is acknowledged.
async fn write(name: String, clients: Vec<Client>, (acknowledged, failed, is_over): Counters) -> Written {
    let mut written = Written {
        name,
        client: clients[0].clone(),
        acknowledged: BTreeSet::new(),
        unknown: BTreeSet::new(),
        failures: BTreeMap::new(),
        times: Vec::new(),
    };
    let mut at = 0;
    while !is_over.load(Ordering::Relaxed) {
        let id = server::system_random().uuid(domain::Clock::system().now());
        let body = json!({"name": format!("{}{id}", written.name), "lat": 60.0, "lon": 9.0});
        while !is_over.load(Ordering::Relaxed) {
            let call =
                clients[at % clients.len()].put(&format!("/v1/favourites/{id}"), body.clone()).attempt();
            let failure = match tokio::time::timeout(PATIENCE, call).await {
                Ok(Ok(answer)) if matches!(answer.status, 200 | 201) => {
                    assert_eq!(
                        answer.json["name"], body["name"],
                        "somebody else's, or another one: {answer}"
                    );
                    break;
                }
                Ok(Ok(answer)) => {
                    format!("{} {}", answer.status, answer.json["code"].as_str().unwrap_or_default())
                }
                Ok(Err(_)) => String::from("broken connection"),
                Err(_) => String::from(NO_ANSWER),
            };
            written.unknown.insert(id);
            *written.failures.entry(failure).or_default() += 1;
            failed.fetch_add(1, Ordering::Relaxed);
            at += 1;
            tokio::time::sleep(AGAIN_AFTER).await;
        }
        if is_over.load(Ordering::Relaxed) {
            written.unknown.insert(id);
            continue;
        }
        written.unknown.remove(&id);
        written.acknowledged.insert(id);
        written.times.push(Instant::now());
        acknowledged.fetch_add(1, Ordering::Relaxed);
        at += 1;
    }
    written
}

impl Written {
    async fn is_there(&self, node: &Process) {
        let client = same(&self.client, node);
        let mut found = BTreeSet::new();
        let mut page = String::from("/v1/favourites?limit=200");
        loop {
            let list = client.get(&page).await.expect(200);
            for item in list.json["items"].as_array().expect("a list") {
                let name = item["name"].as_str().expect("a name");
                assert!(name.starts_with(&self.name), "{} sees {name} of another account", self.name);
                let id = item["id"].as_str().and_then(|id| Uuid::parse_str(id).ok()).expect("an id");
                assert!(found.insert(id), "{id} is there twice");
            }
            let Some(next) = list.json["next"].as_str() else { break };
            page = format!("/v1/favourites?limit=200&after={next}");
        }
        let lost: Vec<_> = self.acknowledged.difference(&found).collect();
        assert!(lost.is_empty(), "{} were acknowledged to {} and are gone: {lost:?}", lost.len(), self.name);
        let asked: BTreeSet<_> = self.acknowledged.union(&self.unknown).copied().collect();
        let strange: Vec<_> = found.difference(&asked).collect();
        assert!(strange.is_empty(), "nobody asked for {strange:?}");
        // Each change is in the log once, in order.
        let head = client.get("/v1/favourites?limit=1").await.expect(200).text("/cursor");
        let era = head.rsplit_once('.').expect("a cursor").0.to_owned();
        let (mut since, mut revisions) = (format!("{era}.0"), Vec::new());
        loop {
            let changes = client.get(&format!("/v1/changes?since={since}&limit=500")).await;
            if changes.status == 410 {
                // Another history: the snapshot above is all that counts.
                return;
            }
            let changes = changes.expect(200);
            for change in changes.json["changes"].as_array().expect("a list") {
                revisions.push(change["rev"].as_u64().expect("a number"));
            }
            since = changes.text("/to");
            if changes.json["has_more"] == false {
                break;
            }
        }
        let expected: Vec<u64> = (1..=found.len() as u64).collect();
        assert_eq!(revisions, expected, "the log of {}", self.name);
    }
}
