//! A reader of server-sent events, as a browser's EventSource reads them.

use std::collections::VecDeque;
use std::time::Duration;

use http::HeaderMap;
use serde_json::Value;

use crate::clients::Call;

/// How long a story waits for what must come: less than the half a minute after which jobs find by themselves what
/// nobody told.
pub const SOON: Duration = Duration::from_secs(25);
/// How long another program may take.
pub const AT_LAST: Duration = Duration::from_secs(90);

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub name: String,
    pub data: Value,
    /// Of this event itself.
    pub id: Option<String>,
}

/// Something that was read.
#[derive(Clone, Debug, PartialEq)]
enum Item {
    Event(Event),
    Comment(String),
    /// Milliseconds.
    Retry(u64),
}

/// A stream that is being read.
pub struct Events {
    pub status: u16,
    pub headers: HeaderMap,
    /// What a browser would send as `Last-Event-ID` when it comes back.
    pub last_event_id: Option<String>,
    /// Milliseconds that the server told last, if it did.
    pub retry: Option<u64>,
    answer: reqwest::Response,
    text: String,
    items: VecDeque<Item>,
}

impl Call {
    /// Sends it and reads the answer as events, however it is answered.
    pub async fn follow(self) -> Events {
        let (_, _, answer) = self.header("accept", "text/event-stream").begin().await;
        Events {
            status: answer.status().as_u16(),
            headers: answer.headers().clone(),
            last_event_id: None,
            retry: None,
            answer,
            text: String::new(),
            items: VecDeque::new(),
        }
    }
}

impl Events {
    /// # Panics
    /// When the first event is no greeting.
    pub async fn hello(&mut self) -> String {
        let event = self.expect("hello").await;
        assert_eq!(event.id.as_deref(), event.data["cursor"].as_str(), "{event:?}");
        event.id.expect("a greeting has an id")
    }

    /// The next event, which must have this name.
    ///
    /// # Panics
    /// When it has another, or the stream ends.
    #[track_caller]
    pub fn expect<'a>(&'a mut self, name: &'a str) -> impl Future<Output = Event> + use<'a> {
        let at = std::panic::Location::caller();
        async move {
            let event = self.next().await.unwrap_or_else(|| panic!("{at}: the stream ended before {name}"));
            assert_eq!(event.name, name, "{at}: {event:?}");
            event
        }
    }

    /// The next event; `None` when the stream has ended.
    ///
    /// # Panics
    /// When nothing comes.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            match self.item().await? {
                Item::Event(event) => return Some(event),
                Item::Comment(_) => {}
                Item::Retry(ms) => self.retry = Some(ms),
            }
        }
    }

    /// The next comment, when nothing else comes before it.
    ///
    /// # Panics
    /// When something else comes, or nothing.
    pub async fn comment(&mut self) -> String {
        match self.item().await {
            Some(Item::Comment(text)) => text,
            other => panic!("no comment but {other:?}"),
        }
    }

    /// Reads to the end.
    ///
    /// # Panics
    /// When it does not end, or an event comes before.
    pub async fn ended(&mut self) {
        let next = self.next().await;
        assert_eq!(next, None, "the stream should have ended");
    }

    async fn item(&mut self) -> Option<Item> {
        loop {
            if let Some(item) = self.items.pop_front() {
                return Some(item);
            }
            let chunk = tokio::time::timeout(SOON, self.answer.chunk()).await.expect("something comes soon");
            // A connection that is cut is the end as well.
            let chunk = chunk.ok().flatten()?;
            self.text.push_str(std::str::from_utf8(&chunk).expect("events are text"));
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let items = read_block(block);
                self.text = rest.to_owned();
                for item in items {
                    if let Item::Event(Event { id: Some(id), .. }) = &item {
                        self.last_event_id = Some(id.clone());
                    }
                    self.items.push_back(item);
                }
            }
        }
    }
}

fn read_block(block: &str) -> Vec<Item> {
    let mut items = Vec::new();
    let (mut name, mut id, mut data) = (String::from("message"), None, Vec::new());
    for line in block.lines() {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "" => items.push(Item::Comment(value.to_owned())),
            "retry" => items.push(Item::Retry(value.parse().expect("retry is a number"))),
            "event" => name = value.to_owned(),
            "id" => id = Some(value.to_owned()),
            "data" => data.push(value),
            other => panic!("a stream has no field {other}"),
        }
    }
    if !data.is_empty() {
        let data = serde_json::from_str(&data.join("\n")).expect("data is JSON");
        items.push(Item::Event(Event { name, data, id }));
    }
    items
}
