//! What writes a stream into the body of an answer: a task of its own, since nobody need ever ask for a body.
//! Over HTTP/2 a connection asks only while the client has opened its window. The end of a stream, its place and
//! what waits in memory for its reader must not hang on that.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use app::streams::{Event, Stream};
use axum::body::{Body, Bytes};
use futures::stream;
use tokio::sync::{Notify, oneshot};

/// Bytes that are handed to the connection at once. What it has been handed can be taken back no more, so it is
/// little; and a slow reader of a long text need only take this much in time, or what the system holds of it before it
/// says that there is room again.
const PART: usize = 16 * 1024;

/// The reader took nothing for too long, or not the end of the stream in time.
#[derive(Debug, thiserror::Error)]
#[error("the reader of a stream took nothing for too long")]
struct Unread;

/// What is next for the body.
enum Part {
    Nothing,
    Text(Bytes),
    /// The stream has said its last word.
    End,
    /// The stream was given up: an error, so that the connection is cut and what it holds is freed.
    Cut,
}

/// Where the pump puts the next part, and takes it back when it gives up.
struct Slot {
    part: Mutex<Part>,
    filled: Notify,
}

impl Slot {
    fn put(&self, part: Part) {
        *self.part.lock().unwrap_or_else(PoisonError::into_inner) = part;
        self.filled.notify_one();
    }

    /// `false` when the last part was not taken yet.
    fn offer(&self, text: Bytes) -> bool {
        let mut part = self.part.lock().unwrap_or_else(PoisonError::into_inner);
        let is_free = matches!(*part, Part::Nothing);
        if is_free {
            *part = Part::Text(text);
            self.filled.notify_one();
        }
        is_free
    }

    fn take(&self) -> Part {
        std::mem::replace(&mut *self.part.lock().unwrap_or_else(PoisonError::into_inner), Part::Nothing)
    }
}

/// A text that tells when it is dropped: the connection drops it once the system has taken all of it.
struct Tracked {
    text: Bytes,
    _gone: oneshot::Sender<Infallible>,
}

impl AsRef<[u8]> for Tracked {
    fn as_ref(&self) -> &[u8] {
        &self.text
    }
}

/// A body that begins with a greeting and goes on with the texts of the stream's events.
pub fn body(stream: Stream, greeting: String, text: fn(Event) -> Bytes, stalled: Duration) -> Body {
    let slot = Arc::new(Slot { part: Mutex::new(Part::Nothing), filled: Notify::new() });
    let (here, left) = oneshot::channel();
    let pump = Pump { stream, text, stalled, slot: slot.clone(), left, has_ended: false };
    tokio::spawn(pump.run(greeting));
    Body::from_stream(stream::try_unfold((slot, here), next_part))
}

/// The connection asks; it drops the sender when it will ask no more.
type Asking = (Arc<Slot>, oneshot::Sender<Infallible>);

async fn next_part(asking: Asking) -> Result<Option<(Bytes, Asking)>, Unread> {
    loop {
        match asking.0.take() {
            Part::Text(text) => return Ok(Some((text, asking))),
            Part::End => return Ok(None),
            Part::Cut => return Err(Unread),
            Part::Nothing => asking.0.filled.notified().await,
        }
    }
}

/// A stream and the way to its reader.
struct Pump {
    stream: Stream,
    text: fn(Event) -> Bytes,
    stalled: Duration,
    slot: Arc<Slot>,
    left: oneshot::Receiver<Infallible>,
    has_ended: bool,
}

impl Drop for Pump {
    fn drop(&mut self) {
        self.slot.put(if self.has_ended { Part::End } else { Part::Cut });
    }
}

impl Pump {
    /// One part at a time: the next event is looked for when the connection has let go of the last one, so what
    /// waits for a slow reader never grows.
    async fn run(mut self, greeting: String) {
        let mut greeting = Some(greeting);
        loop {
            let event = tokio::select! {
                event = self.stream.next() => event,
                _ = &mut self.left => return,
            };
            let Some(event) = event else {
                self.has_ended = true;
                return;
            };
            let is_heartbeat = event == Event::Heartbeat;
            let mut text = (self.text)(event);
            if let Some(greeting) = greeting.take() {
                text = [greeting.as_bytes(), &text].concat().into();
            } else if is_heartbeat {
                // A few bytes, which need not be followed to their end: whoever takes none in a heartbeat's time
                // takes nothing.
                if !self.slot.offer(text) {
                    self.stream.stalled();
                    return;
                }
                continue;
            }
            while !text.is_empty() {
                let part = text.split_to(text.len().min(PART));
                // On the heap, and only while it runs: most streams wait for their next event most of the time.
                if !Box::pin(self.hand_over(part)).await {
                    return;
                }
            }
        }
    }

    /// `false` when it was not taken in time.
    async fn hand_over(&mut self, text: Bytes) -> bool {
        let (gone, taken) = oneshot::channel();
        self.slot.put(Part::Text(Bytes::from_owner(Tracked { text, _gone: gone })));
        tokio::select! {
            _ = taken => true,
            _ = &mut self.left => false,
            () = self.stream.overdue() => false,
            () = tokio::time::sleep(self.stalled) => {
                self.stream.stalled();
                false
            }
        }
    }
}
