//! The tables that every store has, column by column: what a copy into another store carries.
//!
//! Who works on what is not carried: a ledger is copied while nobody does.

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Number,
    Flag,
}

/// A table.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    /// The columns it is ordered by, which are its first.
    pub(crate) keys: usize,
    pub(crate) columns: &'static [(&'static str, Kind)],
}

/// A row: its values in the order of the columns.
pub(crate) type Values = Vec<serde_json::Value>;

use Kind::{Flag, Number, Text};

/// In the order that they are filled in. `meta` is the last: a store without it is not begun.
pub(crate) static TABLES: [Table; 5] = [
    Table {
        name: "interaction",
        keys: 1,
        columns: &[
            ("seq", Number),
            ("legacy_id", Text),
            ("page", Number),
            ("phase", Text),
            ("entity", Text),
            ("headers", Text),
            ("reason", Text),
            ("error", Text),
            ("target_id", Text),
            ("plan_hash", Text),
            ("target_state", Text),
            ("detail", Text),
            ("since", Text),
            ("error_since", Text),
            ("stand_in", Text),
            ("redo", Text),
            ("unrepaired", Text),
            ("listed", Number),
            ("document", Text),
            ("audio_rules", Text),
        ],
    },
    Table {
        name: "recording",
        keys: 1,
        columns: &[
            ("seq", Number),
            ("interaction", Number),
            ("legacy_id", Text),
            ("answer", Text),
            ("staged_sha256", Text),
            ("staged_bytes", Number),
            ("read_twice", Flag),
            ("out_sha256", Text),
            ("out_bytes", Number),
            ("out_codec", Text),
            ("out_samples", Number),
            ("out_rate", Number),
            ("kept", Flag),
            ("file_name", Text),
            ("file_id", Text),
            ("target_id", Text),
            ("outcome", Text),
            ("reason", Text),
            ("target_state", Text),
            ("detail", Text),
            ("since", Text),
            ("doubt", Flag),
        ],
    },
    Table {
        name: "custody",
        keys: 1,
        columns: &[("seq", Number), ("line", Text), ("chain", Text)],
    },
    Table {
        name: "warning",
        keys: 2,
        columns: &[("kind", Text), ("subject", Text)],
    },
    Table {
        name: "meta",
        keys: 1,
        columns: &[("key", Text), ("value", Text)],
    },
];

impl Table {
    /// The names of the columns, between commas.
    pub(crate) fn names(&self) -> String {
        let names: Vec<&str> = self.columns.iter().map(|(name, _)| *name).collect();
        names.join(", ")
    }

    /// The names of those it is ordered by.
    pub(crate) fn key_names(&self) -> String {
        let names: Vec<&str> = self.columns[..self.keys]
            .iter()
            .map(|(name, _)| *name)
            .collect();
        names.join(", ")
    }
}
