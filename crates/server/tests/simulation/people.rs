//! Those who keep nothing on a device: they write over REST, and ask with cursors from anywhere.

use serde_json::json;
use testkit::Response;

use crate::check::Violation;
use crate::ensure;
use crate::network::Fate;
use crate::schedule::Edit;
use crate::world::{Person, WHOLE, World, mark, patch, place};

impl World {
    /// Somebody who keeps nothing writes over REST.
    pub async fn write(&mut self, person: usize, edit: Edit, target: u8) -> Result<(), Violation> {
        self.count("writes over REST");
        self.note_write(person);
        let now = self.server.now();
        let number = self.number();
        let mark = mark(person);
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
    pub async fn write_keyed(&mut self, person: usize, fate: Fate) -> Result<(), Violation> {
        self.count("writes with a key");
        self.note_write(person);
        let now = self.server.now();
        let key = self.random.uuid(now).to_string();
        let number = self.number();
        let mark = mark(person);
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

    /// Asks with a cursor that was issued at any time, and follows the pages.
    pub async fn ask_old(&mut self, person: usize, cursor: usize, limit: usize) -> Result<(), Violation> {
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

    pub async fn changes(&mut self, person: usize, asked: &str, limit: usize) -> Result<Response, Violation> {
        let Person { client, ledger, .. } = &mut self.people[person];
        let answer = client.get(&format!("/v1/changes?since={asked}&limit={limit}")).await;
        let reason = answer.json["reason"].to_string();
        let told = if answer.status == 200 { Ok(&answer.json) } else { Err(reason.as_str()) };
        ensure!(matches!(answer.status, 200 | 410), "I9: {answer}");
        ledger.delta(asked, told, limit, true)?;
        Ok(answer)
    }

    /// Asks with a cursor that was never issued: by `GET /v1/changes` and with a batch.
    pub async fn ask_foreign(&mut self, person: usize, kind: u8) -> Result<(), Violation> {
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
}
