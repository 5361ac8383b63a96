//! What an account may do beyond its own data.

use std::fmt;

use crate::proof::Proofs;

/// One thing that an account may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Own data only; every account has it.
    User,
    /// Reads insights.
    Analyst,
    /// Uses the console; never sees the content of somebody's favourites.
    Operator,
}

impl Role {
    /// All roles, in the order in which they are written.
    pub const ALL: [Self; 3] = [Self::User, Self::Analyst, Self::Operator];

    /// The word used in tokens, on the command line and in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Analyst => "analyst",
            Self::Operator => "operator",
        }
    }

    /// The role of that name; `None` when there is none.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Operators and analysts must hold a second factor.
    pub const fn needs_second_factor(self) -> bool {
        !matches!(self, Self::User)
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// The roles of one account; [`Role::User`] is always among them.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Roles(u8);

impl Roles {
    /// A user and nothing more.
    pub const USER: Self = Self(Role::User.bit());

    /// The same roles and one more.
    #[must_use]
    pub const fn with(self, role: Role) -> Self {
        Self(self.0 | role.bit())
    }

    /// The same roles but one; the role of a user stays.
    #[must_use]
    pub const fn without(self, role: Role) -> Self {
        Self((self.0 & !role.bit()) | Role::User.bit())
    }

    /// Whether the role is among them.
    pub const fn has(self, role: Role) -> bool {
        self.0 & role.bit() != 0
    }

    /// The roles, in the order in which they are written.
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(move |role| self.has(*role))
    }

    /// Whether one of the roles demands a second factor.
    pub fn need_second_factor(self) -> bool {
        self.iter().any(Role::needs_second_factor)
    }

    /// What a session may do that rests on these proofs: without a second factor, what any user may.
    #[must_use]
    pub fn within(self, proofs: Proofs) -> Self {
        if proofs.second_factor() { self } else { Self::USER }
    }

    /// Reads names separated by spaces, as in a token's `scope`. Unknown names give no power and are
    /// skipped, so that nodes of two versions can work side by side during an upgrade.
    pub fn parse(names: &str) -> Self {
        names.split(' ').filter_map(Role::parse).fold(Self::USER, Self::with)
    }
}

impl fmt::Display for Roles {
    /// Names separated by spaces: `user analyst`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, role) in self.iter().enumerate() {
            if index > 0 {
                formatter.write_str(" ")?;
            }
            formatter.write_str(role.name())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Roles {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_read_back_as_written() {
        let roles = Roles::USER.with(Role::Operator);
        assert_eq!(roles.to_string(), "user operator");
        assert_eq!(Roles::parse(&roles.to_string()), roles);
        assert!(roles.need_second_factor());
        assert!(!Roles::USER.need_second_factor());
    }

    #[test]
    fn power_needs_a_second_factor() {
        let roles = Roles::USER.with(Role::Operator).with(Role::Analyst);
        for (proofs, allowed) in
            [("", Roles::USER), ("pwd fed", Roles::USER), ("pwd otp", roles), ("pop", roles)]
        {
            assert_eq!(roles.within(Proofs::parse(proofs)), allowed, "{proofs}");
        }
    }

    #[test]
    fn unknown_words_and_missing_ones_leave_a_user() {
        for names in ["", "root", "OPERATOR", "user  root"] {
            assert_eq!(Roles::parse(names), Roles::USER, "{names:?}");
        }
        assert_eq!(Roles::USER.without(Role::User), Roles::USER);
    }
}
