//! Everything that takes part in a schedule, and what each of its actions does.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::Random;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::{Value, json};
use testkit::Client;
use uuid::Uuid;

use crate::accidents::Blow;
use crate::check::{Ledger, Violation};
use crate::device::Device;
use crate::network::{Asked, Fate, Letter};
use crate::schedule::{Action, Edit};
use crate::server::Server;
use crate::streams::Stream;

/// How often each kind of thing happened.
pub type Counts = BTreeMap<&'static str, u64>;

/// Most that a device asks for.
pub const WHOLE: usize = 500;

/// One person: an account, and the observer's book of it.
pub struct Person {
    pub client: Client,
    email: Option<String>,
    pub ledger: Ledger,
}

/// Everything that takes part.
pub struct World {
    pub server: Server,
    pub people: Vec<Person>,
    pub devices: Vec<Device>,
    /// By device.
    pub streams: Vec<Option<Stream>>,
    /// Late answers.
    pub letters: Vec<Letter>,
    /// Books of the people as of the copy of the database.
    pub copies: Option<Vec<Ledger>>,
    /// Ids that were ever used, by anybody.
    pub ids: Vec<Uuid>,
    pub random: Random,
    /// Which node is asked, and which one each person's last change was sent to.
    node: usize,
    pub wrote_at: [usize; 2],
    drawn: u64,
    pub counts: Counts,
}

/// Which of the people has a device: the first has three, the second one.
pub fn owner(device: usize) -> usize {
    usize::from(device == 3)
}

impl World {
    pub async fn new(server: Server, seed: u64) -> Self {
        let mut source = ChaCha8Rng::seed_from_u64(seed);
        let random = Random::new(move |bytes| source.fill_bytes(bytes));
        let mut people = Vec::new();
        for (person, email) in ["ann@example.org", "ben@example.org"].into_iter().enumerate() {
            let mut client = server.visitor();
            let email = match server.app() {
                Some(app) => {
                    client.sign_up(app, email).await;
                    Some(email.to_owned())
                }
                None => {
                    client.start_anonymously().await;
                    None
                }
            };
            people.push(Person { client, email, ledger: Ledger::new(mark(person)) });
        }
        let devices = (0..4).map(|_| Device::new(random.uuid(server.now()))).collect();
        Self {
            server,
            people,
            devices,
            streams: (0..4).map(|_| None).collect(),
            letters: Vec::new(),
            copies: None,
            ids: Vec::new(),
            random,
            node: 0,
            wrote_at: [0; 2],
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
        self.hang_up();
        self.server.stop().await;
        Ok(())
    }

    pub fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// Whatever is asked next is asked of this node, which anything may be.
    pub fn route(&mut self) -> usize {
        let nodes = self.server.nodes();
        let node = usize::try_from(self.random.below(nodes as u64)).unwrap_or_default();
        if nodes > 1 {
            for person in &mut self.people {
                person.client = self.server.at(&person.client, node);
            }
        }
        self.node = node;
        node
    }

    /// A person's change was sent to the node that is asked just now.
    pub fn note_write(&mut self, person: usize) {
        self.wrote_at[person] = self.node;
    }

    async fn act(&mut self, action: &Action) -> Result<(), Violation> {
        let node = self.route();
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
            Action::Open { device } => self.open(device_at(device)).await,
            Action::Listen { device, fate } => self.listen(device_at(device), fate).await,
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
                // Their tokens end.
                self.hang_up();
                if self.server.advance(Duration::from_hours(u64::from(hours))) {
                    self.count("jumps of the clock");
                    self.sign_in().await;
                }
                Ok(())
            }
            Action::CleanUp => {
                if let Some(app) = self.server.app() {
                    app.clean_up().await;
                    let now = app.now();
                    self.people.iter_mut().for_each(|person| person.ledger.compacted(now));
                    self.count("compactions");
                }
                Ok(())
            }
            Action::Restart => {
                self.hang_up_at(node);
                self.server.restart(node).await;
                self.reconnect();
                self.count("restarts");
                Ok(())
            }
            Action::Cut => {
                if self.server.cut().await {
                    self.count("cuts");
                }
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
            Action::Kill { after } => {
                if !matches!(self.server, Server::Process(_)) {
                    return Ok(());
                }
                self.hang_up();
                self.strike(Blow::KillAll, usize::from(after)).await
            }
            Action::Fall { node, after } => {
                let Server::Set(set) = &mut self.server else { return Ok(()) };
                let blow = Blow::Kill(set.running(node));
                self.strike(blow, usize::from(after)).await
            }
            Action::Drain { node, after } => {
                let Server::Set(set) = &mut self.server else { return Ok(()) };
                let blow = Blow::Drain(set.running(node));
                self.strike(blow, usize::from(after)).await
            }
            Action::Rise => {
                self.server.resume().await;
                Ok(())
            }
        }
    }

    /// Somebody changes something on a device.
    pub fn edit(&mut self, device: usize, edit: Edit, target: u8) {
        let now = self.server.now();
        let mid = self.random.uuid(now);
        let number = self.number();
        let mark = mark(owner(device));
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
    pub fn number(&mut self) -> u64 {
        self.drawn += 1;
        self.drawn % 17
    }

    /// The network works again: everybody says and hears everything.
    async fn rest(&mut self) -> Result<(), Violation> {
        while let Some(letter) = self.letters.pop() {
            self.arrive(letter, WHOLE).await?;
        }
        for device in 0..self.devices.len() {
            self.listen(device, Fate::Delivered).await?;
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
    pub fn reconnect(&mut self) {
        for person in &mut self.people {
            let client = self.server.visitor();
            client.keep(|kept| *kept = person.client.kept());
            person.client = client;
        }
    }

    pub async fn sign_in(&self) {
        for person in &self.people {
            if let Some(email) = &person.email {
                // The token has ended, and would be refused before the password is looked at.
                person.client.keep(|kept| kept.access_token = None);
                person.client.sign_in(email).await;
            }
        }
    }
}

/// What names and notes of a person begin with.
pub fn mark(person: usize) -> &'static str {
    ["a:", "b:"][person]
}

/// A new item.
pub fn place(mark: &str, number: u64) -> Value {
    json!({"name": format!("{mark}{number}"), "lat": 60.0, "lon": 9.0, "note": format!("{mark}note {number}")})
}

/// Fields that a change sets.
pub fn patch(edit: Edit, mark: &str, number: u64) -> Value {
    match edit {
        Edit::Note => json!({"note": format!("{mark}note {number}")}),
        Edit::Forget => json!({"note": null}),
        Edit::Reorder => json!({"position": format!("b{}V", number % 10)}),
        _ => json!({"name": format!("{mark}{number}")}),
    }
}
