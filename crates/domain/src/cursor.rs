//! Positions in an account's log of changes, and how a rewound log is noticed.
//!
//! A database that was restored from an older copy counts on from an older number, so a bare number would be
//! read against another history. Each cursor therefore carries the *era* in which it was issued.

use std::fmt;

/// The history a store is living in. A random number, redrawn whenever the store may have been rewound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Era(pub u32);

/// `v1.<era>.<seq>`: all changes up to `seq` are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub era: Era,
    pub seq: i64,
}

/// Why a cursor cannot be continued from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reset {
    /// The tombstones it would need were removed.
    Expired,
    /// It belongs to a history that this store does not share.
    Era,
    /// It is beyond what was ever written.
    Ahead,
    /// It is no cursor.
    Malformed,
}

impl Reset {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::Era => "era",
            Self::Ahead => "ahead",
            Self::Malformed => "malformed",
        }
    }
}

impl Cursor {
    pub fn parse(text: &str) -> Result<Self, Reset> {
        if text.len() > 64 {
            return Err(Reset::Malformed);
        }
        let mut parts = text.split('.');
        let (Some("v1"), Some(era), Some(seq), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(Reset::Malformed);
        };
        match (decimal(era).and_then(|era| u32::try_from(era).ok()), decimal(seq)) {
            (Some(era), Some(seq)) => Ok(Self { era: Era(era), seq }),
            _ => Err(Reset::Malformed),
        }
    }
}

/// One spelling per number: no sign, no leading zero.
fn decimal(text: &str) -> Option<i64> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v1.{}.{}", self.era.0, self.seq)
    }
}

/// The account's recent eras with the head at which each began, newest last; never empty, at most 32.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Eras(Vec<(Era, i64)>);

const KEPT: usize = 32;

impl Eras {
    /// A new account's list.
    pub fn new(era: Era) -> Self {
        Self(vec![(era, 0)])
    }

    /// As the store keeps it: `era:start` pairs with commas between.
    pub fn parse(text: &str) -> Option<Self> {
        let pair = |part: &str| {
            let (era, start) = part.split_once(':')?;
            Some((Era(era.parse().ok()?), start.parse().ok()?))
        };
        let list = text.split(',').map(pair).collect::<Option<Vec<_>>>()?;
        if list.is_empty() { None } else { Some(Self(list)) }
    }

    pub fn newest(&self) -> Era {
        self.0.last().map_or(Era(0), |&(era, _)| era)
    }

    /// Notes the first write in a new era; `head` is the head before that write.
    pub fn enter(&mut self, era: Era, head: i64) -> bool {
        if self.newest() == era {
            return false;
        }
        self.0.push((era, head));
        if self.0.len() > KEPT {
            self.0.remove(0);
        }
        true
    }

    /// The cursor to hand out for `seq`: always of the account's newest era.
    pub fn cursor(&self, seq: i64) -> Cursor {
        Cursor { era: self.newest(), seq }
    }

    /// Whether a log with this `head` and `floor` can be continued from `cursor`.
    pub fn check(&self, cursor: Cursor, head: i64, floor: i64) -> Result<(), Reset> {
        // An era that came back after others counts from its last entry.
        let Some(at) = self.0.iter().rposition(|&(era, _)| era == cursor.era) else {
            return Err(Reset::Era);
        };
        match self.0.get(at + 1) {
            Some(&(_, ends)) if cursor.seq > ends => Err(Reset::Era),
            None if cursor.seq > head => Err(Reset::Ahead),
            _ if cursor.seq < floor => Err(Reset::Expired),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Eras {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, (era, start)) in self.0.iter().enumerate() {
            let comma = if n == 0 { "" } else { "," };
            write!(f, "{comma}{}:{start}", era.0)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_has_one_spelling() {
        let cursor = Cursor { era: Era(4_294_967_295), seq: 57 };
        assert_eq!(Cursor::parse(&cursor.to_string()), Ok(cursor));
        for bad in
            ["", "v1", "v1.1", "v1.1.2.3", "v2.1.2", "v1.01.2", "v1.1.-2", "v1.+1.2", "v1.4294967296.1"]
        {
            assert_eq!(Cursor::parse(bad), Err(Reset::Malformed), "{bad}");
        }
        assert_eq!(Cursor::parse(&format!("v1.1.{}", "1".repeat(64))), Err(Reset::Malformed));
    }

    #[test]
    fn a_cursor_from_the_lost_future_of_a_rewound_log_is_noticed() {
        // Written up to 10 in era 1; restored at 7, and era 2 began there.
        let mut eras = Eras::new(Era(1));
        assert!(eras.enter(Era(2), 7));
        assert!(!eras.enter(Era(2), 9));
        let check = |era, seq, head, floor| eras.check(Cursor { era: Era(era), seq }, head, floor);
        assert_eq!(check(1, 7, 12, 0), Ok(()));
        assert_eq!(check(1, 9, 12, 0), Err(Reset::Era));
        assert_eq!(check(2, 12, 12, 0), Ok(()));
        assert_eq!(check(2, 13, 12, 0), Err(Reset::Ahead));
        assert_eq!(check(3, 1, 12, 0), Err(Reset::Era));
        assert_eq!(check(1, 3, 12, 4), Err(Reset::Expired));
    }

    #[test]
    fn the_list_is_bounded_and_reads_back() {
        let mut eras = Eras::new(Era(0));
        for era in 1..40 {
            eras.enter(Era(era), i64::from(era));
        }
        assert_eq!(Eras::parse(&eras.to_string()), Some(eras.clone()));
        assert_eq!(eras.to_string().split(',').count(), 32);
        assert_eq!(eras.cursor(40).to_string(), "v1.39.40");
    }
}
