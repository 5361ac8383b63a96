//! The one error that crosses crates. It knows nothing of HTTP; `api` maps it to problems.

use std::borrow::Cow;
use std::time::Duration;

use crate::proof::Proofs;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, as the caller may know it. Internal detail stays in [`Error::Internal`] and in logs.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Some fields of the request do not fit; each says where and why.
    #[error("{}", listed(.0))]
    Invalid(Vec<Invalid>),
    /// There is no such thing, or it belongs to somebody else: the two must look alike.
    #[error("not found")]
    NotFound,
    /// The request is sound but the present state forbids it.
    #[error("{code}: {detail}")]
    Conflict { code: &'static str, detail: Cow<'static, str> },
    /// A condition (`If-Match`, `If-None-Match`) did not hold.
    #[error("precondition failed")]
    Precondition,
    /// No credential, or one that does not count (any more).
    #[error("{code}: {detail}")]
    Unauthenticated { code: &'static str, detail: Cow<'static, str> },
    /// Known, but the last proof of who they are is too old for this.
    #[error("this needs a proof of identity from the last five minutes")]
    StepUp {
        /// What this account can prove itself with.
        accepts: Proofs,
    },
    /// Known, but may not do this.
    #[error("{code}: {detail}")]
    Forbidden { code: &'static str, detail: Cow<'static, str> },
    /// A limit on traffic or on costly calls.
    #[error("{code}: {detail}")]
    Limited { code: &'static str, detail: Cow<'static, str>, retry_after: Duration },
    /// For a while we cannot serve this; trying again later is right.
    #[error("{code}: {detail}{}", .cause.as_ref().map(|cause| format!(" ({cause})")).unwrap_or_default())]
    Unavailable {
        code: &'static str,
        detail: Cow<'static, str>,
        retry_after: Duration,
        /// What was seen, for logs and for operators at their terminal alone.
        cause: Option<String>,
    },
    /// Something of ours broke. The text is for operators alone.
    #[error("{0}")]
    Internal(String),
}

/// One wrong field: a JSON pointer (RFC 6901) into the body, or `?name` for a query parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    pub pointer: Cow<'static, str>,
    pub code: &'static str,
    pub detail: Cow<'static, str>,
}

impl Invalid {
    pub fn new(
        pointer: impl Into<Cow<'static, str>>,
        code: &'static str,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self { pointer: pointer.into(), code, detail: detail.into() }
    }
}

fn listed(fields: &[Invalid]) -> String {
    let of = |Invalid { pointer, detail, .. }: &Invalid| match &**pointer {
        "" => detail.to_string(),
        pointer => format!("{pointer}: {detail}"),
    };
    fields.iter().map(of).collect::<Vec<_>>().join("; ")
}

impl From<Invalid> for Error {
    fn from(field: Invalid) -> Self {
        Self::Invalid(vec![field])
    }
}

impl Error {
    pub fn internal(text: impl std::fmt::Display) -> Self {
        Self::Internal(text.to_string())
    }

    pub fn conflict(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::Conflict { code, detail: detail.into() }
    }

    pub fn unauthenticated(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::Unauthenticated { code, detail: detail.into() }
    }

    pub fn forbidden(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::Forbidden { code, detail: detail.into() }
    }

    pub fn limited(code: &'static str, detail: impl Into<Cow<'static, str>>, retry_after: Duration) -> Self {
        Self::Limited { code, detail: detail.into(), retry_after }
    }

    pub fn unavailable(
        code: &'static str,
        detail: impl Into<Cow<'static, str>>,
        retry_after: Duration,
    ) -> Self {
        Self::Unavailable { code, detail: detail.into(), retry_after, cause: None }
    }

    /// The same error with what operators may know of it; one of another kind has no room for that.
    #[must_use]
    pub fn because(mut self, why: impl Into<String>) -> Self {
        if let Self::Unavailable { cause, .. } = &mut self {
            *cause = Some(why.into());
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_is_told_the_cause() {
        let fields =
            vec![Invalid::new("--redis", "malformed", "must be redis://…"), Invalid::new("", "x", "no")];
        assert_eq!(Error::Invalid(fields).to_string(), "--redis: must be redis://…; no");
        let away = Error::unavailable("away", "not just now", Duration::ZERO);
        assert_eq!(away.to_string(), "away: not just now");
        assert_eq!(away.because("nobody listens").to_string(), "away: not just now (nobody listens)");
        assert_eq!(Error::NotFound.because("it is gone").to_string(), "not found");
    }
}
