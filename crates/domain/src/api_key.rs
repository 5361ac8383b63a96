//! Keys of a company's own services: what each may open. A key stands for a service and never for a person, so no scope
//! reaches anybody's favourites, sessions or settings.

use std::fmt;

use crate::{Error, Invalid, Result};

/// One thing that a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Forecasts of places and points.
    ForecastsRead,
    /// The list of accounts.
    AccountsRead,
    /// The audit log.
    AuditRead,
    /// Webhooks and their deliveries.
    WebhooksManage,
}

impl Scope {
    /// All scopes, in the order in which they are written.
    pub const ALL: [Self; 4] =
        [Self::ForecastsRead, Self::AccountsRead, Self::AuditRead, Self::WebhooksManage];

    pub const fn name(self) -> &'static str {
        match self {
            Self::ForecastsRead => "forecasts:read",
            Self::AccountsRead => "accounts:read",
            Self::AuditRead => "audit:read",
            Self::WebhooksManage => "webhooks:manage",
        }
    }

    /// The scope of that name; `None` when there is none.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// What one key may do.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scopes {
    #[must_use]
    pub const fn with(self, scope: Scope) -> Self {
        Self(self.0 | scope.bit())
    }

    pub const fn has(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.has(*scope))
    }

    /// Fails unless the scope is among them.
    pub fn require(self, scope: Scope) -> Result<()> {
        if self.has(scope) {
            return Ok(());
        }
        Err(Error::forbidden("scope_missing", format!("this key has not the scope {}", scope.name())))
    }

    /// What somebody asks for a new key: at least one, each known.
    pub fn asked(names: &[String]) -> Result<Self> {
        if names.is_empty() {
            return Err(Invalid::new("/scopes", "empty", "a key without scopes opens nothing").into());
        }
        let mut scopes = Self::default();
        for name in names {
            let Some(scope) = Scope::parse(name) else {
                let known: Vec<_> = Scope::ALL.iter().map(|scope| scope.name()).collect();
                let detail = format!("must be of {}", known.join(", "));
                return Err(Invalid::new("/scopes", "unknown", detail).into());
            };
            scopes = scopes.with(scope);
        }
        Ok(scopes)
    }

    /// Stored ones. A name that this version does not know opens nothing.
    pub fn stored(names: &str) -> Self {
        names.split(' ').filter_map(Scope::parse).fold(Self::default(), Self::with)
    }
}

impl fmt::Display for Scopes {
    /// Names separated by spaces.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.iter().enumerate() {
            if index > 0 {
                formatter.write_str(" ")?;
            }
            formatter.write_str(scope.name())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_read_back_as_written_and_unknown_ones_open_nothing() {
        let all = Scope::ALL.into_iter().fold(Scopes::default(), Scopes::with);
        assert_eq!(Scopes::stored(&all.to_string()), all);
        assert_eq!(Scopes::stored("everything * admin"), Scopes::default());
        let two = Scopes::asked(&[String::from("audit:read"), String::from("accounts:read")]).unwrap();
        assert_eq!(two.to_string(), "accounts:read audit:read");
        assert!(two.require(Scope::AuditRead).is_ok() && two.require(Scope::WebhooksManage).is_err());
        for wrong in [&[][..], &[String::from("favourites:read")], &[String::new()]] {
            assert!(Scopes::asked(wrong).is_err(), "{wrong:?}");
        }
    }
}
