//! Writes a plan that fits a running simulator, with its mapping tables and secrets.

use std::path::{Path, PathBuf};

use toml::{Table, Value};
use uuid::Uuid;

use crate::time::instant;
use crate::world::{MappedAgent, World};

/// Why a plan could not be written.
#[derive(Debug, thiserror::Error)]
#[error("could not write {}: {source}; choose a folder that can be written to", .path.display())]
pub struct PlanWriteError {
    path: PathBuf,
    source: std::io::Error,
}

/// What a plan needs to know of a running simulator.
pub(crate) struct Fitting<'a> {
    pub(crate) world: &'a World,
    /// Stands for agents that the mapping does not know; absent: such calls are quarantined.
    pub(crate) fallback_user: Option<Uuid>,
    /// Stands for queues that the mapping does not know.
    pub(crate) default_queue: Uuid,
    pub(crate) site_zone: &'a str,
    pub(crate) source: PlanSection,
    pub(crate) target: PlanSection,
    /// What is laid over the plan, key by key.
    pub(crate) overrides: &'a Table,
}

/// What a platform adds to a plan.
#[derive(Default)]
pub(crate) struct PlanSection {
    /// `[source]` or `[target]`.
    pub(crate) section: Table,
    /// Requests a minute and uploads a second; a source's is not asked for.
    pub(crate) pace: (i64, i64),
    /// What `[retention]` says beside the classes.
    pub(crate) retention: Table,
    /// Files below the plan's folder, by name: secrets, certificates, mapping tables.
    pub(crate) files: Vec<(String, String)>,
}

impl Fitting<'_> {
    /// Writes `plan.toml`, `mapping/*.csv` and `secrets/*` into `dir`; the plan's path. What stands
    /// there is replaced, staging and ledger are left.
    pub(crate) fn write(&self, dir: &Path) -> Result<PathBuf, PlanWriteError> {
        folder(&dir.join("staging"))?;
        for (name, text) in self.source.files.iter().chain(&self.target.files) {
            let path = dir.join(name);
            path.parent().map_or(Ok(()), folder)?;
            private(&path, text)?;
        }
        let tables = [
            (
                "skills",
                "legacy_skill,genesys_skill_id",
                self.world.skills(),
            ),
            (
                "wrapups",
                "legacy_code,genesys_wrapup_id",
                self.world.wrapups(),
            ),
        ];
        for (name, header, rows) in tables {
            let rows = rows
                .iter()
                .filter_map(|row| Some(vec![row.id.clone(), row.target_id?.to_string()]));
            private(&dir.join(format!("mapping/{name}.csv")), &csv(header, rows))?;
        }
        let root = dir.canonicalize().map_err(|source| PlanWriteError {
            path: dir.to_owned(),
            source,
        })?;
        let path = dir.join("plan.toml");
        private(&path, &self.plan(&root))?;
        Ok(path)
    }

    fn plan(&self, root: &Path) -> String {
        let mut plan = self.fitting(root);
        merge(&mut plan, self.overrides);
        let text = toml::to_string_pretty(&plan).unwrap_or_default();
        format!(
            "# Written by the simulator; fits the world it serves. Addresses change with each \
             start.\n{text}"
        )
    }

    fn fitting(&self, root: &Path) -> Table {
        // A folder's name may hold what a URL cannot; SQLite takes the path as it is.
        let path = |name: &str| root.join(name).display().to_string();
        let staging = url::Url::from_file_path(root.join("staging"))
            .map_or_else(|()| path("staging"), String::from);
        let agent = self
            .fallback_user
            .map_or_else(|| "quarantine".to_owned(), |id| format!("fallback:{id}"));
        table_of([
            ("plan_version", Value::from(1)),
            ("identity", table([("namespace", Value::from("rehearsal"))])),
            ("source", Value::Table(self.source.section.clone())),
            ("target", Value::Table(self.target.section.clone())),
            (
                "mapping",
                table(
                    ["agents", "queues", "skills", "wrapups"]
                        .map(|name| (name, Value::from(format!("mapping/{name}.csv")))),
                ),
            ),
            (
                "rules",
                table([
                    ("unmapped_agent", Value::from(agent)),
                    (
                        "unmapped_queue",
                        Value::from(format!("default:{}", self.default_queue)),
                    ),
                    ("partial", Value::from("hold")),
                ]),
            ),
            ("time", self.time()),
            (
                "audio",
                table([
                    ("format", Value::from("mp3")),
                    ("short_tolerance_ms", Value::from(1000)),
                    ("short_source", Value::from("quarantine")),
                ]),
            ),
            (
                "pii",
                table([
                    ("phones", Value::from("keep")),
                    ("pauses", Value::from("silence")),
                ]),
            ),
            ("retention", self.retention()),
            ("staging", table([("url", Value::from(staging))])),
            (
                "ledger",
                table([(
                    "url",
                    Value::from(format!("sqlite://{}", path("ledger.db"))),
                )]),
            ),
            ("pace", self.pace()),
        ])
    }

    /// Enough workers to keep a limit of 6000 a minute busy on two cores.
    fn pace(&self) -> Value {
        let (requests, uploads) = self.target.pace;
        table([
            ("workers", Value::from(16)),
            ("requests_per_minute", Value::from(requests)),
            ("uploads_per_second", Value::from(uploads)),
        ])
    }

    fn time(&self) -> Value {
        let offsets = self.world.node_offsets();
        let nodes: Table = offsets
            .into_iter()
            .map(|(node, offset)| (node, table([("offset_ms", Value::from(offset))])))
            .collect();
        table([
            ("unit", Value::from("ms")),
            ("site_zone", Value::from(self.site_zone)),
            ("node", Value::from(nodes)),
        ])
    }

    fn retention(&self) -> Value {
        let classes = self.world.retention_classes();
        let classes: Table = classes
            .into_iter()
            .map(|(class, years)| (class, table([("years", Value::from(years))])))
            .collect();
        let mut retention = table_of([
            ("over_max", Value::from("quarantine")),
            ("expired", Value::from("skip")),
            ("class", Value::from(classes)),
        ]);
        retention.extend(self.target.retention.clone());
        Value::Table(retention)
    }
}

/// A secret in a file beside the plan.
pub(crate) fn secret_file(name: &str) -> Value {
    table([("file", Value::from(format!("secrets/{name}")))])
}

/// When a mapping row holds: two cells, empty for always.
pub(crate) fn validity(row: &MappedAgent) -> Vec<String> {
    [row.valid_from_ms, row.valid_to_ms]
        .map(|ms| ms.map(instant).unwrap_or_default())
        .to_vec()
}

pub(crate) fn table_of<const N: usize>(entries: [(&str, Value); N]) -> Table {
    entries
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
}

fn table<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Table(table_of(entries))
}

/// Lays `over` on `base`, table by table; anything but a table replaces what was there. So does a
/// table that names another variant of a choice (`{ file }` over `{ env }`): its keys differ from
/// what stands there only where the plan has inline choices, all of which have one key.
fn merge(base: &mut Table, over: &Table) {
    for (key, value) in over {
        match (base.get_mut(key), value) {
            (Some(Value::Table(base)), Value::Table(over)) if !is_choice(base, over) => {
                merge(base, over)
            }
            _ => {
                base.insert(key.clone(), value.clone());
            }
        }
    }
}

/// Whether both are one-key choices of secrets: `{ env = .. }`, `{ file = .. }`.
fn is_choice(base: &Table, over: &Table) -> bool {
    let choice =
        |table: &Table| table.len() == 1 && table.keys().all(|key| key == "env" || key == "file");
    choice(base) && choice(over)
}

pub(crate) fn csv(header: &str, rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing to memory does not fail.
    let _ = writer.write_record(header.split(','));
    for row in rows {
        let _ = writer.write_record(row.iter().map(|cell| output::csv_cell(cell).into_owned()));
    }
    writer
        .into_inner()
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .unwrap_or_default()
}

fn private(path: &Path, text: &str) -> Result<(), PlanWriteError> {
    output::private::write(path, text).map_err(|source| PlanWriteError {
        path: path.to_owned(),
        source,
    })
}

fn folder(path: &Path) -> Result<(), PlanWriteError> {
    output::private::folder(path).map_err(|source| PlanWriteError {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_are_laid_on_key_by_key() {
        let mut plan: Table = toml::from_str(
            "a = 1\n[rules]\nx = 'keep'\ny = 'old'\n[source]\nsecret = { file = 's' }",
        )
        .expect("toml");
        merge(
            &mut plan,
            &toml::from_str("b = 2\n[rules]\ny = 'new'\n[source]\nsecret = { env = 'S' }")
                .expect("toml"),
        );
        let expected: Table = toml::from_str(
            "a = 1\nb = 2\n[rules]\nx = 'keep'\ny = 'new'\n[source]\nsecret = { env = 'S' }",
        )
        .expect("toml");
        assert_eq!(plan, expected);
    }
}
