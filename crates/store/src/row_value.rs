//! Values of any table's rows, as they travel from SQLite to PostgreSQL.

use std::error;

use bytes::BytesMut;
use rusqlite::types::{ToSqlOutput, ValueRef};
use sha2::{Digest, Sha256};
use tokio_postgres::Row;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use uuid::Uuid;

use crate::error::{Error, Result};

/// The types of the schema's columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Int,
    Text,
    Bytes,
    Uuid,
}

impl Kind {
    /// By the name that PostgreSQL has for it.
    pub(crate) fn of_postgres(name: &str) -> Result<Self> {
        match name {
            "bigint" => Ok(Self::Int),
            "text" => Ok(Self::Text),
            "bytea" => Ok(Self::Bytes),
            "uuid" => Ok(Self::Uuid),
            other => Err(Error::Database(format!("columns of the type {other} cannot be moved"))),
        }
    }

    pub(crate) const fn postgres(self) -> Type {
        match self {
            Self::Int => Type::INT8,
            Self::Text => Type::TEXT,
            Self::Bytes => Type::BYTEA,
            Self::Uuid => Type::UUID,
        }
    }
}

/// One value, the same whichever database it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
    Uuid(Uuid),
}

impl Value {
    pub(crate) fn of_sqlite(kind: Kind, value: ValueRef<'_>) -> Result<Self> {
        let wrong = || Error::Database(format!("a value of the file is no {kind:?}"));
        Ok(match (kind, value) {
            (_, ValueRef::Null) => Self::Null,
            (Kind::Int, ValueRef::Integer(number)) => Self::Int(number),
            (Kind::Text, ValueRef::Text(text)) => {
                Self::Text(std::str::from_utf8(text).map_err(|_| wrong())?.to_owned())
            }
            (Kind::Bytes, ValueRef::Blob(bytes)) => Self::Bytes(bytes.to_vec()),
            (Kind::Uuid, ValueRef::Blob(bytes)) => Self::Uuid(Uuid::from_slice(bytes).map_err(|_| wrong())?),
            _ => return Err(wrong()),
        })
    }

    pub(crate) fn of_postgres(kind: Kind, row: &Row, at: usize) -> Result<Self> {
        let value = match kind {
            Kind::Int => row.try_get::<_, Option<i64>>(at).map(|it| it.map(Self::Int)),
            Kind::Text => row.try_get::<_, Option<String>>(at).map(|it| it.map(Self::Text)),
            Kind::Bytes => row.try_get::<_, Option<Vec<u8>>>(at).map(|it| it.map(Self::Bytes)),
            Kind::Uuid => row.try_get::<_, Option<Uuid>>(at).map(|it| it.map(Self::Uuid)),
        };
        value.map(|value| value.unwrap_or(Self::Null)).map_err(|error| Error::Database(error.to_string()))
    }

    /// Adds the value so that no two rows give the same bytes.
    pub(crate) fn add_to(&self, hash: &mut Sha256) {
        let (kind, bytes): (u8, &[u8]) = match self {
            Self::Null => (0, &[]),
            Self::Int(number) => {
                hash.update([1]);
                hash.update(number.to_be_bytes());
                return;
            }
            Self::Text(text) => (2, text.as_bytes()),
            Self::Bytes(bytes) => (3, bytes),
            Self::Uuid(id) => (4, id.as_bytes()),
        };
        hash.update([kind]);
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    }
}

impl ToSql for Value {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(number) => number.to_sql(kind, out),
            Self::Text(text) => text.to_sql(kind, out),
            Self::Bytes(bytes) => bytes.to_sql(kind, out),
            Self::Uuid(id) => id.to_sql(kind, out),
        }
    }

    /// Each value was read as its column's type.
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
            Self::Uuid(id) => ValueRef::Blob(id.as_bytes()),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_differ_hash_apart() {
        let hash = |row: &[Value]| {
            let mut hash = Sha256::new();
            row.iter().for_each(|value| value.add_to(&mut hash));
            hash.finalize().to_vec()
        };
        let text = |text: &str| Value::Text(text.to_owned());
        let rows = [
            vec![text("ab"), text("c")],
            vec![text("a"), text("bc")],
            vec![text(""), Value::Null],
            vec![Value::Null, text("")],
            vec![Value::Int(0)],
            vec![Value::Bytes(vec![0; 8])],
        ];
        for (at, one) in rows.iter().enumerate() {
            for other in &rows[at + 1..] {
                assert_ne!(hash(one), hash(other), "{one:?} {other:?}");
            }
        }
    }
}
