//! Typed SQL: one text for both databases, checked when the program is built.
//!
//! SQLite numbers `$1`, `$2` … by first appearance, PostgreSQL by the digit. A statement whose parameters
//! first appear out of order would mean two things, so it does not compile.

use std::marker::PhantomData;

use tokio_postgres::types::Type;
use uuid::Uuid;

/// A statement with parameters of the kinds `P` (a tuple) and rows of `R` (a tuple).
pub struct Statement<P, R> {
    pub(crate) sql: &'static str,
    /// Whether it changes nothing when it runs outside of a transaction.
    pub(crate) is_harmless: bool,
    kinds: PhantomData<fn(P) -> R>,
}

impl<P: Kinds, R> Statement<P, R> {
    /// # Panics
    /// When the text's parameters are not `$1..$n` in order of first appearance. As statements are `static`,
    /// that fails the build, not the program.
    pub const fn new(sql: &'static str) -> Self {
        assert!(parameters(sql) == P::COUNT, "the text has another number of parameters than its type");
        Self { sql, is_harmless: is_query(sql), kinds: PhantomData }
    }

    /// One that holds rows until the transaction ends and leaves them as they are.
    ///
    /// # Panics
    /// As [`Self::new`] does.
    pub const fn lock(sql: &'static str) -> Self {
        Self { is_harmless: true, ..Self::new(sql) }
    }

    pub const fn sql(&self) -> &'static str {
        self.sql
    }
}

const fn is_query(sql: &str) -> bool {
    matches!(sql.as_bytes(), [b'S', b'E', b'L', b'E', b'C', b'T', b' ', ..])
}

/// Counts the parameters; a number that appears before all lower ones gives a count that fits nothing.
const fn parameters(sql: &str) -> usize {
    let text = sql.as_bytes();
    let (mut seen, mut at) = (0, 0);
    while at < text.len() {
        if text[at] == b'$' {
            let mut number = 0;
            while at + 1 < text.len() && text[at + 1].is_ascii_digit() {
                number = number * 10 + (text[at + 1] - b'0') as usize;
                at += 1;
            }
            if number == seen + 1 {
                seen = number;
            } else if number == 0 || number > seen {
                return usize::MAX;
            }
        }
        at += 1;
    }
    seen
}

/// A tuple of parameter kinds.
pub trait Kinds {
    const COUNT: usize;
}

/// A value that both drivers can bind.
pub trait Param {
    fn sqlite(&self) -> &dyn rusqlite::ToSql;
    fn postgres(&self) -> &(dyn tokio_postgres::types::ToSql + Sync);
    /// What it is to PostgreSQL, for statements that are not prepared.
    fn postgres_type(&self) -> Type;
}

impl<T: rusqlite::ToSql + tokio_postgres::types::ToSql + Sync + Typed> Param for T {
    fn sqlite(&self) -> &dyn rusqlite::ToSql {
        self
    }

    fn postgres(&self) -> &(dyn tokio_postgres::types::ToSql + Sync) {
        self
    }

    fn postgres_type(&self) -> Type {
        T::TYPE
    }
}

/// A Rust type of parameters and PostgreSQL's name for it.
pub trait Typed {
    const TYPE: Type;
}

impl Typed for i64 {
    const TYPE: Type = Type::INT8;
}
impl Typed for f64 {
    const TYPE: Type = Type::FLOAT8;
}
impl Typed for bool {
    const TYPE: Type = Type::BOOL;
}
impl Typed for Uuid {
    const TYPE: Type = Type::UUID;
}
impl Typed for String {
    const TYPE: Type = Type::TEXT;
}
impl Typed for &str {
    const TYPE: Type = Type::TEXT;
}
impl Typed for Vec<u8> {
    const TYPE: Type = Type::BYTEA;
}
impl Typed for &[u8] {
    const TYPE: Type = Type::BYTEA;
}
impl<T: Typed> Typed for Option<T> {
    const TYPE: Type = T::TYPE;
}

/// `Self` may stand for a parameter of kind `K`.
#[diagnostic::on_unimplemented(message = "`{Self}` cannot be bound to a parameter of type `{K}`")]
pub trait Bind<K>: Param {}

impl Bind<i64> for i64 {}
impl Bind<f64> for f64 {}
impl Bind<bool> for bool {}
impl Bind<Uuid> for Uuid {}
impl Bind<String> for String {}
impl Bind<String> for &str {}
impl Bind<Vec<u8>> for Vec<u8> {}
impl Bind<Vec<u8>> for &[u8] {}
impl<K, T> Bind<Option<K>> for Option<T>
where
    T: Bind<K>,
    Option<T>: Param,
{
}

/// A tuple of values for the parameters `P`.
#[diagnostic::on_unimplemented(message = "these arguments do not fit the statement's parameters `{P}`")]
pub trait Args<P> {
    type List<'a>: AsRef<[&'a dyn Param]>
    where
        Self: 'a;

    fn list(&self) -> Self::List<'_>;
}

/// A column's type in both drivers.
pub trait Column: rusqlite::types::FromSql + for<'a> tokio_postgres::types::FromSql<'a> {}

impl<T: rusqlite::types::FromSql + for<'a> tokio_postgres::types::FromSql<'a>> Column for T {}

/// A row of either driver.
pub enum Row<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a tokio_postgres::Row),
}

impl Row<'_> {
    fn get<T: Column>(&self, at: usize) -> Result<T, String> {
        match self {
            Self::Sqlite(row) => row.get(at).map_err(|error| error.to_string()),
            Self::Postgres(row) => row.try_get(at).map_err(|error| error.to_string()),
        }
    }
}

/// A tuple read from a row, column by column.
pub trait FromRow: Sized {
    const COLUMNS: usize;

    fn from_row(row: &Row<'_>) -> Result<Self, String>;
}

impl Kinds for () {
    const COUNT: usize = 0;
}

impl Args<()> for () {
    type List<'a> = [&'a dyn Param; 0];

    fn list(&self) -> Self::List<'_> {
        []
    }
}

/// The same parameter several times: a list of fixed length.
impl<K, const N: usize> Kinds for [K; N] {
    const COUNT: usize = N;
}

impl<K, V: Bind<K>, const N: usize> Args<[K; N]> for [V; N] {
    type List<'a>
        = [&'a dyn Param; N]
    where
        Self: 'a;

    fn list(&self) -> Self::List<'_> {
        self.each_ref().map(|value| value as &dyn Param)
    }
}

macro_rules! tuples {
    ($($kind:ident $value:ident $at:tt),+) => {
        impl<$($kind),+> Kinds for ($($kind,)+) {
            const COUNT: usize = [$($at),+].len();
        }

        impl<$($kind,)+ $($value: Bind<$kind>),+> Args<($($kind,)+)> for ($($value,)+) {
            type List<'a> = [&'a dyn Param; [$($at),+].len()] where Self: 'a;

            fn list(&self) -> Self::List<'_> {
                [$(&self.$at as &dyn Param),+]
            }
        }

        impl<$($kind: Column),+> FromRow for ($($kind,)+) {
            const COLUMNS: usize = [$($at),+].len();

            fn from_row(row: &Row<'_>) -> Result<Self, String> {
                Ok(($(row.get::<$kind>($at)?,)+))
            }
        }
    };
}

tuples!(A VA 0);
tuples!(A VA 0, B VB 1);
tuples!(A VA 0, B VB 1, C VC 2);
tuples!(A VA 0, B VB 1, C VC 2, D VD 3);
tuples!(A VA 0, B VB 1, C VC 2, D VD 3, E VE 4);
tuples!(A VA 0, B VB 1, C VC 2, D VD 3, E VE 4, F VF 5);
tuples!(A VA 0, B VB 1, C VC 2, D VD 3, E VE 4, F VF 5, G VG 6);
tuples!(A VA 0, B VB 1, C VC 2, D VD 3, E VE 4, F VF 5, G VG 6, H VH 7);
tuples!(A VA 0, B VB 1, C VC 2, D VD 3, E VE 4, F VF 5, G VG 6, H VH 7, I VI 8);
tuples!(A VA 0, B VB 1, C VC 2, D VD 3, E VE 4, F VF 5, G VG 6, H VH 7, I VI 8, J VJ 9);
tuples!(A VA 0, B VB 1, C VC 2, D VD 3, E VE 4, F VF 5, G VG 6, H VH 7, I VI 8, J VJ 9, K VK 10);
tuples!(A VA 0, B VB 1, C VC 2, D VD 3, E VE 4, F VF 5, G VG 6, H VH 7, I VI 8, J VJ 9, K VK 10, L VL 11);
tuples!(A VA 0, B VB 1, C VC 2, D VD 3, E VE 4, F VF 5, G VG 6, H VH 7, I VI 8, J VJ 9, K VK 10, L VL 11, M VM 12);
tuples!(A VA 0, B VB 1, C VC 2, D VD 3, E VE 4, F VF 5, G VG 6, H VH 7, I VI 8, J VJ 9, K VK 10, L VL 11, M VM 12, N VN 13);

#[cfg(test)]
mod tests {
    use super::parameters;

    #[test]
    fn parameters_must_first_appear_in_order() {
        assert_eq!(parameters("SELECT 1"), 0);
        assert_eq!(parameters("UPDATE t SET a = $1 WHERE b = $2 OR c = $1"), 2);
        assert_eq!(parameters("SELECT $2, $1"), usize::MAX);
        assert_eq!(parameters("SELECT $1, $3"), usize::MAX);
        assert_eq!(parameters("SELECT $"), usize::MAX);
    }
}
