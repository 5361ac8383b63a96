//! What devices ask, the network between them and the real server, and the observer who checks every answer, also
//! those that no device gets to see.

use domain::cursor::Cursor;
use serde_json::Value;
use testkit::Response;

use crate::check::Violation;
use crate::device::Applied;
use crate::ensure;
use crate::network::{Asked, Fate, Letter};
use crate::world::{WHOLE, World, owner};

impl World {
    /// A device asks, and the network does what it does.
    pub async fn ask(
        &mut self,
        device: usize,
        asked: Asked,
        most: usize,
        fate: Fate,
    ) -> Result<(), Violation> {
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
        self.route();
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

    pub fn observe_results(
        &mut self,
        device: usize,
        batch: &Value,
        answer: &Response,
    ) -> Result<(), Violation> {
        ensure!(answer.status == 200, "I9: an upload was answered with {answer}");
        self.note_write(owner(device));
        let sent = crate::device::list(&batch["mutations"]);
        let now = self.server.now();
        self.people[owner(device)].ledger.results(sent, &answer.json, now)
    }

    /// Checks what an answer tells of the log.
    pub fn observe(&mut self, letter: &Letter, limit: usize, is_alone: bool) -> Result<(), Violation> {
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
    pub async fn arrive(&mut self, letter: Letter, limit: usize) -> Result<(), Violation> {
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
}
