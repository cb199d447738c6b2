//! Whole rows, for a copy into another store or from one.

use rusqlite::types::{ToSqlOutput, Value as Stored, ValueRef};
use rusqlite::{Connection, params_from_iter};
use serde_json::Value;

use crate::ledger::tables::{Kind, Table, Values};

/// A value as SQLite has it.
fn stored(value: &Value) -> Stored {
    match value {
        Value::Null => Stored::Null,
        Value::Bool(flag) => Stored::Integer(i64::from(*flag)),
        Value::Number(number) => number.as_i64().map_or(Stored::Null, Stored::Integer),
        Value::String(text) => Stored::Text(text.clone()),
        other => Stored::Text(other.to_string()),
    }
}

fn read(kind: Kind, value: ValueRef<'_>) -> rusqlite::Result<Value> {
    Ok(match (kind, value) {
        (_, ValueRef::Null) => Value::Null,
        (Kind::Flag, ValueRef::Integer(number)) => Value::Bool(number != 0),
        (Kind::Number, ValueRef::Integer(number)) => Value::from(number),
        (Kind::Text, value) => Value::String(value.as_str()?.to_owned()),
        (_, value) => Value::from(value.as_i64()?),
    })
}

fn marks(count: usize) -> String {
    vec!["?"; count].join(", ")
}

pub(super) fn rows_behind(
    c: &Connection,
    table: &Table,
    after: Option<&Values>,
    most: u32,
) -> rusqlite::Result<Vec<Values>> {
    let (names, keys) = (table.names(), table.key_names());
    let behind = match after {
        Some(_) => format!("WHERE ({keys}) > ({})", marks(table.keys)),
        None => String::new(),
    };
    let sql = format!(
        "SELECT {names} FROM {} {behind} ORDER BY {keys} LIMIT {most}",
        table.name
    );
    let bounds = after.into_iter().flatten().map(stored);
    c.prepare_cached(&sql)?
        .query_map(params_from_iter(bounds), |row| {
            table
                .columns
                .iter()
                .enumerate()
                .map(|(at, (_, kind))| read(*kind, row.get_ref(at)?))
                .collect()
        })?
        .collect()
}

pub(super) fn put_rows(c: &Connection, table: &Table, rows: &[Values]) -> rusqlite::Result<()> {
    let sql = format!(
        "INSERT INTO {} ({}) VALUES ({})",
        table.name,
        table.names(),
        marks(table.columns.len())
    );
    let mut insert = c.prepare_cached(&sql)?;
    for row in rows {
        let values = row.iter().map(|value| ToSqlOutput::Owned(stored(value)));
        insert.execute(params_from_iter(values))?;
    }
    Ok(())
}
