//! Carries out a schedule: devices, the network between them and the real server, and the observer who checks every
//! answer, also those that no device gets to see.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::Random;
use domain::cursor::Cursor;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::{Value, json};
use testkit::{Client, Response};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::check::{Ledger, Violation};
use crate::device::{Applied, Device};
use crate::ensure;
use crate::network::{Asked, Fate, Letter};
use crate::schedule::{Action, Edit};
use crate::server::Server;

/// How often each kind of thing happened.
pub type Counts = BTreeMap<&'static str, u64>;

/// Most that a device asks for.
const WHOLE: usize = 500;

/// One person: an account, and the observer's book of it.
struct Person {
    client: Client,
    email: Option<String>,
    ledger: Ledger,
}

/// Everything that takes part.
pub struct World {
    server: Server,
    people: Vec<Person>,
    devices: Vec<Device>,
    /// Late answers.
    letters: Vec<Letter>,
    /// Books of the people as of the copy of the database.
    copies: Option<Vec<Ledger>>,
    /// Ids that were ever used, by anybody.
    ids: Vec<Uuid>,
    random: Random,
    drawn: u64,
    pub counts: Counts,
}

/// Which of the people has a device: the first has three, the second one.
fn owner(device: usize) -> usize {
    usize::from(device == 3)
}

impl World {
    pub async fn new(server: Server, seed: u64) -> Self {
        let mut source = ChaCha8Rng::seed_from_u64(seed);
        let random = Random::new(move |bytes| source.fill_bytes(bytes));
        let mut people = Vec::new();
        for (mark, email) in [("a:", "ann@example.org"), ("b:", "ben@example.org")] {
            let mut client = server.visitor();
            let email = match &server {
                Server::Here(app) => {
                    client.sign_up(app, email).await;
                    Some(email.to_owned())
                }
                Server::Process(_) => {
                    client.start_anonymously().await;
                    None
                }
            };
            people.push(Person { client, email, ledger: Ledger::new(mark) });
        }
        let devices = (0..4).map(|_| Device::new(random.uuid(server.now()))).collect();
        Self {
            server,
            people,
            devices,
            letters: Vec::new(),
            copies: None,
            ids: Vec::new(),
            random,
            drawn: 0,
            counts: Counts::new(),
        }
    }

    /// Carries a schedule out, then lets everything come to rest.
    ///
    /// # Errors
    /// When an invariant does not hold.
    pub async fn run(&mut self, schedule: &[Action]) -> Result<(), Violation> {
        for device in 0..self.devices.len() {
            self.ask(device, Asked::Snapshot, WHOLE, Fate::Delivered).await?;
        }
        for action in schedule {
            self.act(action).await.map_err(|violation| format!("{violation}\nat {action:?}"))?;
        }
        self.rest().await?;
        self.server.stop().await;
        Ok(())
    }

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    async fn act(&mut self, action: &Action) -> Result<(), Violation> {
        let device_at = |n: u8| usize::from(n) % 4;
        match *action {
            Action::Edit { device, edit, target } => {
                self.edit(device_at(device), edit, target);
                Ok(())
            }
            Action::Sync { device, most, fate } => {
                self.ask(device_at(device), Asked::Sync, usize::from(most), fate).await
            }
            Action::Poll { device, limit, fate } => {
                let device = device_at(device);
                let asked =
                    if self.devices[device].needs_snapshot { Asked::Snapshot } else { Asked::Changes };
                self.ask(device, asked, usize::from(limit), fate).await
            }
            Action::Snapshot { device, fate } => {
                let device = device_at(device);
                self.devices[device].needs_snapshot = true;
                self.ask(device, Asked::Snapshot, WHOLE, fate).await
            }
            Action::Deliver { letter } => {
                if self.letters.is_empty() {
                    return Ok(());
                }
                let letter = self.letters.remove(usize::from(letter) % self.letters.len());
                self.count("answers out of order");
                self.arrive(letter, WHOLE).await
            }
            Action::Rest { account, edit, target } => {
                self.write(usize::from(account) % 2, edit, target).await
            }
            Action::Keyed { account, fate } => self.write_keyed(usize::from(account) % 2, fate).await,
            Action::Together { repeat } => self.together(repeat).await,
            Action::Old { account, cursor, limit } => {
                self.ask_old(usize::from(account) % 2, usize::from(cursor), usize::from(limit)).await
            }
            Action::Foreign { account, kind } => self.ask_foreign(usize::from(account) % 2, kind).await,
            Action::Jump { hours } => {
                if self.server.advance(Duration::from_hours(u64::from(hours))) {
                    self.count("jumps of the clock");
                    self.sign_in().await;
                }
                Ok(())
            }
            Action::CleanUp => {
                if let Server::Here(app) = &self.server {
                    app.clean_up().await;
                    let now = app.now();
                    self.people.iter_mut().for_each(|person| person.ledger.compacted(now));
                    self.count("compactions");
                }
                Ok(())
            }
            Action::Restart => {
                self.server.stop().await;
                self.server.resume().await;
                self.reconnect();
                self.count("restarts");
                Ok(())
            }
            Action::Copy => {
                self.server.copy().await;
                self.copies = Some(self.people.iter().map(|person| person.ledger.clone()).collect());
                Ok(())
            }
            Action::Restore => self.restore().await,
            Action::NewEra => {
                if !self.server.database().is_sqlite() {
                    self.server.begin_new_era();
                    self.count("new eras by an operator");
                }
                Ok(())
            }
            Action::Kill { after } => self.kill(usize::from(after)).await,
        }
    }

    /// Somebody changes something on a device.
    fn edit(&mut self, device: usize, edit: Edit, target: u8) {
        let now = self.server.now();
        let mid = self.random.uuid(now);
        let number = self.number();
        let mark = if owner(device) == 0 { "a:" } else { "b:" };
        let local = &self.devices[device];
        // Mostly what the device shows, its unsent creations included, and sometimes any id at all.
        let made = local.outbox.iter().filter(|mutation| mutation["op"] == "create").map(crate::device::id);
        let shown: Vec<_> = local.rows.keys().copied().chain(made).collect();
        let known = if target.is_multiple_of(8) || shown.is_empty() { &self.ids } else { &shown };
        let old = known.get(usize::from(target / 8) % known.len().max(1)).copied();
        let base_rev = old.and_then(|old| local.rows.get(&old)).map(|row| row["rev"].clone());
        let (op, id, set) = match (edit, old) {
            (Edit::CreateAgain, Some(old)) => ("create", old, place(mark, number)),
            (Edit::Create | Edit::CreateAgain, _) | (_, None) => {
                let id = self.random.uuid(now);
                self.ids.push(id);
                ("create", id, place(mark, number))
            }
            (Edit::Delete, Some(old)) => ("delete", old, Value::Null),
            (edit, Some(old)) => ("update", old, patch(edit, mark, number)),
        };
        let mut mutation = json!({"mid": mid, "kind": "favourite", "op": op, "id": id});
        if op != "delete" {
            mutation["set"] = set;
        }
        if op != "create" {
            mutation["base_rev"] = base_rev.unwrap_or_default();
        }
        if matches!(edit, Edit::RenameIfMatch) && op == "update" {
            mutation["policy"] = json!("if_match");
        }
        self.devices[device].outbox.push_back(mutation);
        self.count("mutations");
    }

    /// A small number, so that values are set again by others.
    fn number(&mut self) -> u64 {
        self.drawn += 1;
        self.drawn % 17
    }

    /// A device asks, and the network does what it does.
    async fn ask(&mut self, device: usize, asked: Asked, most: usize, fate: Fate) -> Result<(), Violation> {
        self.count("requests");
        if fate == Fate::RequestLost {
            self.count("requests lost");
            return Ok(());
        }
        let letter = self.send(device, asked, most).await?;
        match fate {
            Fate::Delivered | Fate::RequestLost => self.arrive(letter, most).await,
            Fate::ResponseLost => {
                self.count("answers lost");
                Ok(())
            }
            Fate::Late => {
                self.letters.push(letter);
                Ok(())
            }
            Fate::Duplicated => {
                self.count("requests twice");
                let again = self.send_as(device, asked, most, letter.since).await?;
                self.letters.push(again);
                self.arrive(letter, most).await
            }
        }
    }

    async fn send(&mut self, device: usize, asked: Asked, most: usize) -> Result<Letter, Violation> {
        let since = self.devices[device].cursor;
        self.send_as(device, asked, most, since).await
    }

    /// One request of a device, and what the observer makes of the answer.
    async fn send_as(
        &mut self,
        device: usize,
        asked: Asked,
        most: usize,
        since: Option<Cursor>,
    ) -> Result<Letter, Violation> {
        let client = &self.people[owner(device)].client;
        let text = since.map(|since| since.to_string()).unwrap_or_default();
        let batch = self.devices[device].batch(most);
        let answer = match asked {
            Asked::Sync => client.post("/v1/sync", batch.clone()).await,
            Asked::Changes => client.get(&format!("/v1/changes?since={text}&limit={most}")).await,
            Asked::Snapshot => client.get("/v1/favourites?limit=200").await,
        };
        if asked == Asked::Sync {
            self.observe_results(device, &batch, &answer)?;
        }
        let letter = Letter { to: device, asked, since, status: answer.status, body: answer.json.clone() };
        self.observe(&letter, most, true).map_err(|violation| format!("{violation}\n{answer}"))?;
        Ok(letter)
    }

    fn observe_results(&mut self, device: usize, batch: &Value, answer: &Response) -> Result<(), Violation> {
        ensure!(answer.status == 200, "I9: an upload was answered with {answer}");
        let sent = crate::device::list(&batch["mutations"]);
        let now = self.server.now();
        self.people[owner(device)].ledger.results(sent, &answer.json, now)
    }

    /// Checks what an answer tells of the log.
    fn observe(&mut self, letter: &Letter, limit: usize, is_alone: bool) -> Result<(), Violation> {
        let ledger = &mut self.people[owner(letter.to)].ledger;
        let since = letter.since.map(|since| since.to_string()).unwrap_or_default();
        let body = &letter.body;
        match letter.asked {
            Asked::Snapshot => {
                ensure!(letter.status == 200, "I4: no snapshot: {body}");
                ledger.snapshot(body, is_alone)?;
                self.count("snapshots");
            }
            Asked::Changes if letter.status == 200 => ledger.delta(&since, Ok(body), limit, is_alone)?,
            Asked::Changes => {
                ensure!(letter.status == 410, "I9: changes since {since} were answered with {body}");
                ledger.delta(&since, Err(&body["reason"].to_string()), limit, is_alone)?;
                self.count("resets");
            }
            Asked::Sync if body["reset"].is_object() => {
                ledger.delta(&since, Err(&body["reset"]["reason"].to_string()), WHOLE, is_alone)?;
                self.count("resets");
            }
            Asked::Sync if body["delta"].is_object() => {
                let delta = &body["delta"];
                let to = crate::device::cursor(&delta["to"]).seq;
                let results = crate::device::list(&body["results"]);
                let reached =
                    results.iter().filter_map(|result| result["rev"].as_i64()).max().unwrap_or_default();
                ensure!(delta["has_more"] == true || to >= reached, "I7: {delta} ends before {reached}");
                ledger.delta(&since, Ok(delta), WHOLE, is_alone)?;
            }
            Asked::Sync => ensure!(letter.since.is_none(), "I9: neither delta nor reset: {body}"),
        }
        Ok(())
    }

    /// An answer arrives, and the device does what the protocol says: it follows pages, and asks when something is
    /// missing.
    async fn arrive(&mut self, letter: Letter, limit: usize) -> Result<(), Violation> {
        let device = letter.to;
        let mut applied = self.deliver(&letter)?;
        loop {
            let limit = match applied {
                Applied::Yes | Applied::Ignored => return Ok(()),
                Applied::Ask => {
                    self.count("gaps");
                    WHOLE
                }
                Applied::More => {
                    self.count("pages");
                    limit
                }
            };
            // Every so often the next page does not come.
            if applied == Applied::More && self.number() % 3 == 1 {
                self.count("pages lost");
                self.devices[device].break_off();
                return Ok(());
            }
            let next = self.send(device, Asked::Changes, limit).await?;
            applied = self.deliver(&next)?;
        }
    }

    fn deliver(&mut self, letter: &Letter) -> Result<Applied, Violation> {
        let device = &mut self.devices[letter.to];
        let before = device.cursor;
        let applied = match (letter.asked, letter.status) {
            (Asked::Snapshot, _) => {
                device.take_snapshot(&letter.body);
                Applied::Yes
            }
            (Asked::Changes, 200) => device.take_delta(&letter.body),
            (Asked::Changes, _) => {
                device.reset(letter.since);
                Applied::Ignored
            }
            (Asked::Sync, _) => device.take_results(letter.since, &letter.body),
        };
        if let (Some(before), Some(after)) = (before, device.cursor) {
            let is_back = after.era == before.era && after.seq < before.seq;
            ensure!(
                !is_back || letter.asked == Asked::Snapshot,
                "I3: a device went from {before} to {after}"
            );
        }
        self.people[owner(letter.to)].ledger.device(&self.devices[letter.to])?;
        Ok(applied)
    }

    /// Somebody who keeps nothing writes over REST.
    async fn write(&mut self, person: usize, edit: Edit, target: u8) -> Result<(), Violation> {
        self.count("writes over REST");
        let now = self.server.now();
        let number = self.number();
        let mark = if person == 0 { "a:" } else { "b:" };
        let old = self.ids.get(usize::from(target) % self.ids.len().max(1)).copied();
        let fresh = matches!(edit, Edit::Create);
        let id = match old.filter(|_| !fresh) {
            Some(old) => old,
            None => {
                let id = self.random.uuid(now);
                self.ids.push(id);
                id
            }
        };
        let path = format!("/v1/favourites/{id}");
        let Person { client, ledger, .. } = &mut self.people[person];
        let set = patch(edit, mark, number);
        let asked = json!({"op": "update", "set": set});
        let answer = match edit {
            Edit::Create | Edit::CreateAgain => client.put(&path, place(mark, number)).await,
            Edit::Delete => client.delete(&path).await,
            _ => client.patch(&path, set).await,
        };
        match answer.status {
            200 | 201 if matches!(edit, Edit::Create | Edit::CreateAgain) => {
                ledger.written(id, Some(answer.json), json!({"op": "put"}), now)
            }
            200 => ledger.written(id, Some(answer.json), asked, now),
            204 => ledger.written(id, None, json!({"op": "delete"}), now),
            404 | 409 | 410 | 412 => Ok(()),
            _ => Err(format!("I6: {answer}")),
        }
    }

    /// A new item with an `Idempotency-Key`, sent until there is an answer.
    async fn write_keyed(&mut self, person: usize, fate: Fate) -> Result<(), Violation> {
        self.count("writes with a key");
        let now = self.server.now();
        let key = self.random.uuid(now).to_string();
        let number = self.number();
        let mark = if person == 0 { "a:" } else { "b:" };
        let Person { client, ledger, .. } = &mut self.people[person];
        let body = place(mark, number);
        let times = if matches!(fate, Fate::Delivered | Fate::RequestLost) { 1 } else { 2 };
        for _ in 0..times {
            let call = client.post("/v1/favourites", body.clone()).header("idempotency-key", &key);
            let answer = call.await;
            ensure!(answer.status == 201, "I6: {answer}");
            ledger.keyed(&key, &answer.json, json!({"op": "post"}), now)?;
            self.ids.push(crate::device::id(&answer.json));
        }
        Ok(())
    }

    /// All devices send at once, some of them twice, beside readers.
    async fn together(&mut self, repeat: bool) -> Result<(), Violation> {
        self.count("batches at once");
        let mut calls = JoinSet::new();
        let before: Vec<_> = self.people.iter().map(|person| person.ledger.head).collect();
        for (to, device) in self.devices.iter().enumerate() {
            let client = self.people[owner(to)].client.clone();
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

    /// Asks with a cursor that was issued at any time, and follows the pages.
    async fn ask_old(&mut self, person: usize, cursor: usize, limit: usize) -> Result<(), Violation> {
        let cursors = self.people[person].ledger.cursors();
        let Some(asked) = cursors.get(cursor % cursors.len().max(1)) else { return Ok(()) };
        self.count("old cursors");
        let mut asked = asked.clone();
        loop {
            let answer = self.changes(person, &asked, limit).await?;
            if answer.status != 200 || answer.json["has_more"] == false {
                return Ok(());
            }
            self.count("pages");
            asked = answer.text("/to");
        }
    }

    async fn changes(&mut self, person: usize, asked: &str, limit: usize) -> Result<Response, Violation> {
        let Person { client, ledger, .. } = &mut self.people[person];
        let answer = client.get(&format!("/v1/changes?since={asked}&limit={limit}")).await;
        let reason = answer.json["reason"].to_string();
        let told = if answer.status == 200 { Ok(&answer.json) } else { Err(reason.as_str()) };
        ensure!(matches!(answer.status, 200 | 410), "I9: {answer}");
        ledger.delta(asked, told, limit, true)?;
        Ok(answer)
    }

    /// Asks with a cursor that was never issued: by `GET /v1/changes` and with a batch.
    async fn ask_foreign(&mut self, person: usize, kind: u8) -> Result<(), Violation> {
        let Person { client, ledger, .. } = &mut self.people[person];
        let list = client.get("/v1/favourites?limit=200").await;
        ledger.snapshot(&list.json, true)?;
        let newest = crate::device::cursor(&list.json["cursor"]);
        let far = newest.seq + 1 + i64::from(kind / 4);
        let asked = match kind % 4 {
            0 => format!("v1.{}.{}", newest.era.0.wrapping_add(1), newest.seq),
            1 => format!("v1.{}.{far}", newest.era.0),
            2 => format!("v1.{}.{}x", newest.era.0, newest.seq),
            _ => format!("v2.{newest}"),
        };
        if ledger.is_issued(&asked) {
            return Ok(());
        }
        self.count("foreign cursors");
        let body = json!({"device": self.devices[0].id, "since": asked, "mutations": []});
        let answer = self.people[person].client.post("/v1/sync", body).await;
        ensure!(answer.json["reset"].is_object(), "I9: {asked} must be answered with a reset: {answer}");
        let answer = self.changes(person, &asked, WHOLE).await?;
        ensure!(answer.status == 410, "I9: {asked} must be answered with a reset: {answer}");
        Ok(())
    }

    /// Puts the copy back: whatever was told since is a history that never was.
    async fn restore(&mut self) -> Result<(), Violation> {
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

    /// Kills the process in the middle of batches of all devices, and starts it anew.
    async fn kill(&mut self, after: usize) -> Result<(), Violation> {
        if !matches!(self.server, Server::Process(_)) {
            return Ok(());
        }
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
        self.server.stop().await;
        ended.extend(calls.join_all().await);
        self.server.resume().await;
        self.reconnect();
        self.count("kills");
        let now = self.server.now();
        let mut letters = Vec::new();
        for (to, since, batch, answer) in ended {
            if let Ok(answer) = answer {
                self.observe_results(to, &batch, &answer)?;
                letters.push(Letter {
                    to,
                    asked: Asked::Sync,
                    since,
                    status: answer.status,
                    body: answer.json,
                });
            } else {
                self.count("batches in flight at a kill");
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
            ensure!(all.status == 200, "I9: a kill costs a snapshot: {all}");
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

    /// The network works again: everybody says and hears everything.
    async fn rest(&mut self) -> Result<(), Violation> {
        while let Some(letter) = self.letters.pop() {
            self.arrive(letter, WHOLE).await?;
        }
        for _ in 0..2 {
            for device in 0..self.devices.len() {
                loop {
                    self.ask(device, Asked::Sync, 20, Fate::Delivered).await?;
                    if self.devices[device].needs_snapshot {
                        self.ask(device, Asked::Snapshot, WHOLE, Fate::Delivered).await?;
                    }
                    if self.devices[device].outbox.is_empty() {
                        break;
                    }
                }
            }
        }
        for (n, device) in self.devices.iter().enumerate() {
            self.people[owner(n)].ledger.converged(device)?;
        }
        self.people.iter().try_for_each(|person| person.ledger.whole())
    }

    /// The same people at the server's new address.
    fn reconnect(&mut self) {
        for person in &mut self.people {
            let client = self.server.visitor();
            client.keep(|kept| *kept = person.client.kept());
            person.client = client;
        }
    }

    async fn sign_in(&self) {
        for person in &self.people {
            if let Some(email) = &person.email {
                // The token has ended, and would be refused before the password is looked at.
                person.client.keep(|kept| kept.access_token = None);
                person.client.sign_in(email).await;
            }
        }
    }
}

fn place(mark: &str, number: u64) -> Value {
    json!({"name": format!("{mark}{number}"), "lat": 60.0, "lon": 9.0, "note": format!("{mark}note {number}")})
}

fn patch(edit: Edit, mark: &str, number: u64) -> Value {
    match edit {
        Edit::Note => json!({"note": format!("{mark}note {number}")}),
        Edit::Forget => json!({"note": null}),
        Edit::Reorder => json!({"position": format!("b{}V", number % 10)}),
        _ => json!({"name": format!("{mark}{number}")}),
    }
}
