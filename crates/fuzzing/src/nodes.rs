//! What comes from other nodes, or from whoever may write to what stands between them.

use std::sync::LazyLock;

use bus::{Installation, parsers};
use vault::ServerKey;

static OURS: LazyLock<Installation> =
    LazyLock::new(|| Installation::new(&ServerKey::generate(&crate::random())).expect("keys"));

/// A message of the bus: as it comes, and as a node of ours would have signed it.
pub fn bus_message(input: &[u8]) {
    assert!(parsers::message(&OURS, input).is_none(), "nobody guesses a tag");
    let Some(message) = parsers::message(&OURS, &parsers::signed(&OURS, input)) else { return };
    let (_, _, news) = &message;
    // Nothing of it is larger than what was sent.
    let entries =
        news.heads.len() + news.ended.len() + news.cells.len() + news.taken.len() + news.streams.len();
    assert!(entries * 21 <= input.len(), "{entries} entries of {} bytes", input.len());
    for largest in [64, 64 * 1024] {
        let mut together = bus::News::default();
        for page in parsers::messages(&OURS, &message, largest) {
            let (node, sent_at, read) = parsers::message(&OURS, &page).expect("ours");
            assert_eq!(node, message.0);
            assert!(sent_at >= message.1);
            together.heads.extend(read.heads);
            together.ended.extend(read.ended);
            together.cells.extend(read.cells);
            together.taken.extend(read.taken);
            together.streams.extend(read.streams);
            together.has_gap |= read.has_gap;
        }
        assert_eq!(together, *news, "what is said again says the same");
    }
}

/// A value of the shared cache.
pub fn shared_cache_value(input: &[u8]) {
    assert_eq!(parsers::value(&OURS, "a key", input), None, "nobody guesses a tag");
}
