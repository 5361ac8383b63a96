//! When keys that sign move on: a pure rule, so that any node may carry it out.

use domain::Timestamp;

use crate::signing::KeyState;

/// A key, its state, and since when it is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stay {
    pub kid: String,
    pub state: KeyState,
    pub since: Timestamp,
}

/// What is to be done to a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A new key is made, and published before it signs.
    Make,
    /// It signs from now on; the one that did retires.
    Activate(String),
    /// No token that it signed can be alive any more.
    Drop(String),
}

/// What is due. At most one key waits at a time: the next is made when the one that signs has signed long enough.
pub fn due(keys: &[Stay], now: Timestamp) -> Vec<Step> {
    let is_due = |key: &&Stay| key.state.is_due(key.since, now);
    let of = |state| keys.iter().filter(move |key| key.state == state);
    let mut steps: Vec<Step> =
        of(KeyState::Retiring).filter(is_due).map(|key| Step::Drop(key.kid.clone())).collect();
    match of(KeyState::Pending).next() {
        Some(pending) if is_due(&pending) => steps.push(Step::Activate(pending.kid.clone())),
        Some(_) => {}
        None if of(KeyState::Active).any(|key| is_due(&key)) => steps.push(Step::Make),
        None => {}
    }
    steps
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::signing::{ACTIVE_FOR, PENDING_FOR, RETIRING_FOR};

    const NOW: Timestamp = Timestamp::from_seconds(1_795_000_000);
    const MOMENT: Duration = Duration::from_millis(1);

    fn stay(kid: &str, state: KeyState, for_: Duration) -> Stay {
        Stay { kid: kid.to_owned(), state, since: NOW.minus(for_) }
    }

    #[test]
    fn a_key_is_made_then_signs_then_goes() {
        let active = |for_| stay("a", KeyState::Active, for_);
        let pending = |for_| stay("b", KeyState::Pending, for_);
        let retiring = |for_| stay("c", KeyState::Retiring, for_);
        assert_eq!(due(&[active(ACTIVE_FOR - MOMENT)], NOW), []);
        assert_eq!(due(&[active(ACTIVE_FOR)], NOW), [Step::Make]);
        assert_eq!(due(&[active(ACTIVE_FOR), pending(PENDING_FOR - MOMENT)], NOW), []);
        let activate = Step::Activate(String::from("b"));
        assert_eq!(due(&[active(ACTIVE_FOR), pending(PENDING_FOR)], NOW), std::slice::from_ref(&activate));
        assert_eq!(due(&[active(MOMENT), retiring(RETIRING_FOR - MOMENT)], NOW), []);
        assert_eq!(due(&[active(MOMENT), retiring(RETIRING_FOR)], NOW), [Step::Drop(String::from("c"))]);
        // A key that an operator had made does not wait for the month to end.
        assert_eq!(due(&[active(MOMENT), pending(PENDING_FOR)], NOW), [activate]);
    }
}
