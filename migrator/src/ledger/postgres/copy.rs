//! Whole rows, for a copy into another store or from one.

use serde_json::{Map, Value};

use super::rows::{original, stored};
use super::session::{Session, Trouble};
use crate::ledger::LedgerError;
use crate::ledger::tables::{Kind, Table, Values};

fn type_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Number => "bigint",
        Kind::Flag => "boolean",
    }
}

fn unusual(error: &serde_json::Error) -> Trouble {
    LedgerError::Damaged(format!("a row is not as it was written: {error}")).into()
}

/// A row as a document, its texts in the form that `of_text` gives them.
fn document(table: &Table, row: &Values, of_text: impl Fn(&str) -> String) -> Map<String, Value> {
    let columns = table.columns.iter().zip(row);
    let value = |value: &Value| match value {
        Value::String(text) => Value::String(of_text(text)),
        other => other.clone(),
    };
    columns
        .map(|((name, _), found)| ((*name).to_owned(), value(found)))
        .collect()
}

pub(super) async fn rows_behind(
    session: &Session,
    table: &Table,
    after: Option<&Values>,
    most: u32,
) -> Result<Vec<Values>, Trouble> {
    // In the order of the bytes, as every store has it.
    let keys = &table.columns[..table.keys];
    let order: Vec<String> = keys
        .iter()
        .map(|(name, kind)| match kind {
            Kind::Text => format!("{name} COLLATE \"C\""),
            Kind::Number | Kind::Flag => (*name).to_owned(),
        })
        .collect();
    let bounds: Vec<String> = keys
        .iter()
        .map(|(name, kind)| format!("($2::text::json->>'{name}')::{}", type_of(*kind)))
        .collect();
    let (order, bounds) = (order.join(", "), bounds.join(", "));
    let sql = format!(
        "SELECT row_to_json(t)::text FROM (SELECT {} FROM {} WHERE $2::text IS NULL OR ({order}) > \
         ({bounds}) ORDER BY {order} LIMIT $1) AS t",
        table.names(),
        table.name
    );
    let after = after
        .map(|after| {
            serde_json::to_string(&document(table, after, |text| stored(text).into_owned()))
        })
        .transpose()
        .map_err(|error| unusual(&error))?;
    let found = session.rows(&sql, &[&i64::from(most), &after]).await?;
    found
        .iter()
        .map(|row| {
            let document: Map<String, Value> = serde_json::from_str(&row.try_get::<_, String>(0)?)
                .map_err(|error| unusual(&error))?;
            Ok(table
                .columns
                .iter()
                .map(|(name, _)| match document.get(*name) {
                    Some(Value::String(text)) => Value::String(original(text.clone())),
                    Some(value) => value.clone(),
                    None => Value::Null,
                })
                .collect())
        })
        .collect()
}

pub(super) async fn put_rows(
    session: &Session,
    table: &Table,
    rows: &[Values],
) -> Result<(), Trouble> {
    let documents: Vec<_> = rows
        .iter()
        .map(|row| document(table, row, |text| stored(text).into_owned()))
        .collect();
    let documents = serde_json::to_string(&documents).map_err(|error| unusual(&error))?;
    let (names, types) = (
        table.names(),
        table
            .columns
            .iter()
            .map(|(name, kind)| format!("{name} {}", type_of(*kind)))
            .collect::<Vec<_>>()
            .join(", "),
    );
    let sql = format!(
        "INSERT INTO {} ({names}) SELECT {names} FROM json_to_recordset($1::text::json) AS s \
         ({types})",
        table.name
    );
    session.change(&sql, &[&documents]).await.map(drop)
}
