//! Ids as types, so that an account's id cannot be passed where a favourite's is wanted.

use std::fmt;

use uuid::Uuid;

use crate::{Invalid, Random, Timestamp};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// A new id that sorts after those of earlier moments (UUIDv7).
            pub fn new(now: Timestamp, random: &Random) -> Self {
                Self(random.uuid(now))
            }

            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    };
}

id!(
    /// A person, who may be anonymous.
    AccountId
);
id!(
    /// One device's way in: listed, refreshed and ended as one.
    SessionId
);
id!(
    /// A saved place of one account. Made by the client; the key is (account, id), so the ids of two
    /// accounts never meet.
    FavouriteId
);

id!(
    /// A key that a device of one account's owner holds.
    PasskeyId
);
id!(
    /// What a provider says of who somebody is, as one account holds it.
    IdentityId
);

impl FavouriteId {
    /// The id that a client made for a new favourite. Only the one of zeros is refused: it is what a client sends
    /// that made none.
    pub fn of_client(uuid: Uuid) -> Result<Self, Invalid> {
        if uuid.is_nil() {
            return Err(Invalid::new(
                "/id",
                "forbidden",
                "must be a UUID of its own (UUIDv7), not that of zeros",
            ));
        }
        Ok(Self(uuid))
    }
}
