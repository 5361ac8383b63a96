//! What goes wrong with the server, or comes all at once.

use serde_json::Value;
use testkit::Response;
use tokio::task::JoinSet;

use crate::check::Violation;
use crate::ensure;
use crate::network::{Asked, Letter};
use crate::schedule::Edit;
use crate::server::Server;
use crate::world::{WHOLE, World, owner};

impl World {
    /// All devices send at once, some of them twice, beside readers.
    pub async fn together(&mut self, repeat: bool) -> Result<(), Violation> {
        self.count("batches at once");
        let mut calls = JoinSet::new();
        let before: Vec<_> = self.people.iter().map(|person| person.ledger.head).collect();
        for to in 0..self.devices.len() {
            self.route();
            let (client, device) = (self.people[owner(to)].client.clone(), &self.devices[to]);
            let (since, batch) = (device.cursor, device.batch(20));
            let text = since.map(|since| since.to_string()).unwrap_or_default();
            let letter = move |asked, answer: &Response| Letter {
                to,
                asked,
                since,
                status: answer.status,
                body: answer.json.clone(),
            };
            for _ in 0..=u8::from(repeat) {
                let (client, batch) = (client.clone(), batch.clone());
                calls.spawn(async move {
                    let answer = client.post("/v1/sync", batch.clone()).await;
                    (letter(Asked::Sync, &answer), batch, answer)
                });
            }
            let reader = client.clone();
            calls.spawn(async move {
                let answer = reader.get(&format!("/v1/changes?since={text}")).await;
                (letter(Asked::Changes, &answer), Value::Null, answer)
            });
            calls.spawn(async move {
                let answer = client.get("/v1/favourites?limit=200").await;
                (letter(Asked::Snapshot, &answer), Value::Null, answer)
            });
        }
        let mut answers = calls.join_all().await;
        // Of two that say the same, the one that had the effect comes first.
        let duplicates = |answer: &Response| {
            let results = answer.json["results"].as_array().map(Vec::as_slice).unwrap_or_default();
            results.iter().filter(|result| result["status"] == "duplicate").count()
        };
        answers.sort_by_key(|(letter, _, answer)| (letter.to, letter.asked as u8, duplicates(answer)));
        for (letter, batch, answer) in answers.iter().filter(|(letter, ..)| letter.asked == Asked::Sync) {
            self.observe_results(letter.to, batch, answer)?;
        }
        for (letter, ..) in &answers {
            self.observe(letter, WHOLE, false)?;
            let told = [&letter.body["cursor"], &letter.body["to"], &letter.body["delta"]["to"]];
            for cursor in told.into_iter().filter(|told| told.is_string()) {
                let (least, seq) = (before[owner(letter.to)], crate::device::cursor(cursor).seq);
                ensure!(seq >= least, "I2: {least} was acknowledged before, and an answer ends at {cursor}");
            }
        }
        self.people.iter().try_for_each(|person| person.ledger.whole())?;
        for (letter, ..) in answers {
            self.arrive(letter, WHOLE).await?;
        }
        Ok(())
    }

    /// Puts the copy back: whatever was told since is a history that never was.
    pub async fn restore(&mut self) -> Result<(), Violation> {
        if self.copies.is_some() {
            self.hang_up();
        }
        let Some(copies) = &self.copies else { return Ok(()) };
        self.server.restore().await;
        for (person, copy) in self.people.iter_mut().zip(copies) {
            person.ledger.put_back(copy);
        }
        self.reconnect();
        self.sign_in().await;
        self.count("restores");
        for person in 0..self.people.len() {
            for cursor in self.people[person].ledger.lost().iter().rev().take(5) {
                self.count("cursors of a lost future");
                self.changes(person, cursor, WHOLE).await?;
            }
        }
        Ok(())
    }

    /// Something happens to the server in the middle of batches of all devices, when `after` of them were answered.
    pub async fn strike(&mut self, blow: Blow, after: usize) -> Result<(), Violation> {
        let mut calls = JoinSet::new();
        for to in 0..self.devices.len() {
            for (edit, target) in [(Edit::Create, 1), (Edit::Rename, 9), (Edit::Note, 17)] {
                self.edit(to, edit, target);
            }
            let (client, since) = (self.people[owner(to)].client.clone(), self.devices[to].cursor);
            let batch = self.devices[to].batch(20);
            calls.spawn(async move {
                let answer = client.post("/v1/sync", batch.clone()).attempt().await;
                (to, since, batch, answer)
            });
        }
        let mut ended = Vec::new();
        while ended.len() < after {
            let Some(answer) = calls.join_next().await else { break };
            ended.push(answer.expect("a call does not panic"));
        }
        self.begin(blow).await;
        ended.extend(calls.join_all().await);
        self.end(blow).await?;
        self.reconnect();
        self.count(blow.name());
        let now = self.server.now();
        let mut letters = Vec::new();
        for (to, since, batch, answer) in ended {
            if let Some(answer) = answer.ok().filter(is_of_the_server) {
                self.observe_results(to, &batch, &answer)?;
                letters.push(Letter {
                    to,
                    asked: Asked::Sync,
                    since,
                    status: answer.status,
                    body: answer.json,
                });
            } else {
                self.count(blow.in_flight());
                let sent = crate::device::list(&batch["mutations"]);
                self.people[owner(to)].ledger.unknown(sent);
            }
        }
        let mut found = 0;
        for letter in letters.iter().filter(|letter| letter.body["delta"].is_object()) {
            let ledger = &mut self.people[owner(letter.to)].ledger;
            found += ledger.learn(&letter.body["delta"], now)?;
        }
        for person in &mut self.people {
            let list = person.client.get("/v1/favourites?limit=200").await;
            let start = person.ledger.first_cursor().unwrap_or_else(|| list.text("/cursor"));
            let all = person.client.get(&format!("/v1/changes?since={start}")).await;
            ensure!(all.status == 200, "I9: {blow:?} costs a snapshot: {all}");
            found += person.ledger.discover(&all.json, now)?;
            person.ledger.snapshot(&list.json, true)?;
        }
        *self.counts.entry("changes found after a kill").or_default() += found;
        for letter in letters {
            self.observe(&letter, WHOLE, false)?;
            self.arrive(letter, WHOLE).await?;
        }
        Ok(())
    }

    async fn begin(&mut self, blow: Blow) {
        match (&mut self.server, blow) {
            (Server::Set(set), Blow::Kill(node)) => set.fall(node),
            (Server::Set(set), Blow::Drain(node)) => set.drain(node),
            (server, _) => server.stop().await,
        }
    }

    async fn end(&mut self, blow: Blow) -> Result<(), Violation> {
        match (&mut self.server, blow) {
            (Server::Set(set), Blow::Kill(node)) => set.forgotten(node).await,
            (Server::Set(set), Blow::Drain(node)) => {
                ensure!(set.drained(node), "a node does not stop in order")
            }
            (server, _) => server.resume().await,
        }
        if let Server::Set(set) = &self.server {
            set.reachable().await;
        }
        Ok(())
    }
}

/// What happens to a server.
#[derive(Clone, Copy, Debug)]
pub enum Blow {
    /// All of it is killed and starts anew.
    KillAll,
    /// A node of a set is killed.
    Kill(usize),
    /// A node of a set is told to stop.
    Drain(usize),
}

impl Blow {
    fn name(self) -> &'static str {
        match self {
            Self::KillAll => "kills",
            Self::Kill(_) => "nodes killed",
            Self::Drain(_) => "nodes drained",
        }
    }

    fn in_flight(self) -> &'static str {
        match self {
            Self::KillAll => "batches in flight at a kill",
            Self::Kill(_) => "batches in flight at a node's kill",
            Self::Drain(_) => "batches in flight at a drain",
        }
    }
}

/// Whether an answer is one of ours. A proxy that lost its node answers something itself, and what became of the
/// request nobody knows.
fn is_of_the_server(answer: &Response) -> bool {
    !matches!(answer.status, 502..=504) || answer.header("content-type") == "application/problem+json"
}
