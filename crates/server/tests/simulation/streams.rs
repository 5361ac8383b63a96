//! Devices that are told of changes as they happen.

use domain::cursor::Cursor;
use testkit::Events;

use crate::check::Violation;
use crate::device::cursor;
use crate::ensure;
use crate::network::{Asked, Fate, Letter};
use crate::server::Server;
use crate::world::{WHOLE, World, owner};

/// More deltas than any schedule leads to.
const MANY: usize = 2000;

/// A stream of a device, and the cursor of what was read of it.
pub struct Stream {
    events: Events,
    last: String,
    /// Which node it is read from.
    node: usize,
}

impl World {
    /// A device follows the changes behind its cursor, in place of an earlier stream.
    pub async fn open(&mut self, device: usize) -> Result<(), Violation> {
        let Some(since) = self.devices[device].cursor else { return Ok(()) };
        self.count("streams");
        let node = self.route();
        let person = &mut self.people[owner(device)];
        let since_text = since.to_string();
        let mut events = person.client.get(&format!("/v1/stream?cursor={since_text}")).follow().await;
        let mut first = events.next().await.ok_or("I11: a stream ended before it began")?;
        let is_reset = first.name == "reset";
        person.ledger.followed(&since_text, is_reset)?;
        if is_reset {
            self.devices[device].reset(Some(since));
            first = events.next().await.ok_or("I11: a stream ended after a reset")?;
        }
        ensure!(first.name == "hello", "I11: a stream begins with {first:?}");
        let hello = cursor(&first.data["cursor"]);
        let expected = if is_reset { person.ledger.head } else { since.seq };
        ensure!(hello.seq == expected, "I11: a stream from {since} of {expected} begins at {hello}");
        if is_reset {
            person.ledger.begun(&first.data["cursor"])?;
            self.count("resets of streams");
        }
        self.streams[device] = Some(Stream { events, last: hello.to_string(), node });
        Ok(())
    }

    /// A device reads its stream to the head of the log. A connection that is cut takes what was on its way with it.
    pub async fn listen(&mut self, device: usize, fate: Fate) -> Result<(), Violation> {
        let Some(mut stream) = self.streams[device].take() else { return Ok(()) };
        if matches!(fate, Fate::RequestLost | Fate::ResponseLost) {
            self.count("streams cut");
            return Ok(());
        }
        if cursor(&stream.last.clone().into()).seq < self.people[owner(device)].ledger.head
            && self.wrote_at[owner(device)] != stream.node
        {
            self.count("changes told by another node");
        }
        let (mut letters, now) = (Vec::new(), self.server.now());
        loop {
            if letters.len() > MANY {
                return Err(format!("I11: a stream tells more than there is: {letters:?}"));
            }
            let since = cursor(&stream.last.clone().into());
            let ledger = &mut self.people[owner(device)].ledger;
            if since.seq >= ledger.head {
                break;
            }
            let Some(event) = stream.events.next().await else {
                ensure!(matches!(self.server, Server::Set(_)), "I11: a stream ended");
                let Some(events) = self.follow_elsewhere(device, since).await? else { break };
                stream.events = events;
                continue;
            };
            if event.name != "changes" {
                continue;
            }
            let delta = event.data;
            ensure!(delta["from"] == stream.last, "I11: a stream goes on from {} with {delta}", stream.last);
            ledger.uncover(&delta, now)?;
            ledger
                .delta(&stream.last, Ok(&delta), WHOLE, false)
                .map_err(|violation| format!("I11: {violation}"))?;
            ensure!(event.id.as_deref() == delta["to"].as_str(), "I11: {:?} marks {delta}", event.id);
            stream.last = cursor(&delta["to"]).to_string();
            letters.push(Letter {
                to: device,
                asked: Asked::Changes,
                since: Some(since),
                status: 200,
                body: delta,
            });
        }
        self.streams[device] = Some(stream);
        for letter in letters {
            self.count("deltas of streams");
            match fate {
                Fate::Late => self.letters.push(letter),
                Fate::Duplicated => {
                    self.letters.push(letter.clone());
                    self.arrive(letter, WHOLE).await?;
                }
                _ => self.arrive(letter, WHOLE).await?,
            }
        }
        Ok(())
    }

    /// A stream whose node went away goes on from what was read last, as a browser does it. `None` when its history was
    /// lost meanwhile.
    async fn follow_elsewhere(&mut self, device: usize, since: Cursor) -> Result<Option<Events>, Violation> {
        self.count("streams resumed");
        let person = &mut self.people[owner(device)];
        let call = person.client.get("/v1/stream").header("last-event-id", &since.to_string());
        let mut events = call.follow().await;
        let first = events.next().await.ok_or("I11: a stream that was resumed ended before it began")?;
        person.ledger.followed(&since.to_string(), first.name == "reset")?;
        if first.name == "reset" {
            self.devices[device].reset(Some(since));
            return Ok(None);
        }
        ensure!(first.name == "hello", "I11: a stream begins with {first:?}");
        let hello = cursor(&first.data["cursor"]);
        ensure!(hello.seq == since.seq, "I11: a stream from {since} was resumed at {hello}");
        Ok(Some(events))
    }

    /// The streams of a node are cut.
    pub fn hang_up_at(&mut self, node: usize) {
        for stream in &mut self.streams {
            if stream.as_ref().is_some_and(|stream| stream.node == node) {
                *stream = None;
            }
        }
    }

    /// All streams are cut.
    pub fn hang_up(&mut self) {
        self.streams.iter_mut().for_each(|stream| *stream = None);
    }
}
