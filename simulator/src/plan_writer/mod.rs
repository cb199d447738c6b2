//! Writes a plan that fits a running simulator, with its mapping tables and secrets.

mod gir;

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::gir::Gir;
use crate::journal::instant;
use crate::scenario::Ingest;
use crate::world::{MappedAgent, Target, World};

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
    pub(crate) target: &'a Target,
    pub(crate) legacy_url: &'a str,
    /// Host and port of pre-signed media.
    pub(crate) media_host: &'a str,
    pub(crate) legacy_credentials: (&'a str, &'a str),
    pub(crate) site_zone: &'a str,
    pub(crate) section: TargetSection<'a>,
    /// `[plan]` of the scenario.
    pub(crate) overrides: &'a Table,
}

/// The platform a plan leads to.
pub(crate) enum TargetSection<'a> {
    /// Genesys Cloud, with the limits it imposes; 0: none.
    GenesysCloud { url: &'a str, ingest: Ingest, requests_per_minute: u32, uploads_per_second: u32 },
    /// Genesys Interaction Recording.
    Gir(&'a Gir),
}

impl Fitting<'_> {
    /// Writes `plan.toml`, `mapping/*.csv` and `secrets/*` into `dir`; the plan's path. What stands there is replaced, staging and ledger are left.
    pub(crate) fn write(&self, dir: &Path) -> Result<PathBuf, PlanWriteError> {
        for folder in ["mapping", "secrets", "staging"] {
            let path = dir.join(folder);
            output::private::folder(&path).map_err(|source| PlanWriteError { path, source })?;
        }
        private(&dir.join("secrets/source"), self.legacy_credentials.1)?;
        match self.section {
            TargetSection::GenesysCloud { .. } => private(&dir.join("secrets/target"), &self.target.client_secret)?,
            TargetSection::Gir(site) => {
                gir::write_secrets(site, dir)?;
                gir::write_certificates(site, dir)?;
            }
        }
        private(&dir.join("mapping/agents.csv"), &self.agents())?;
        private(&dir.join("mapping/queues.csv"), &self.queues())?;
        let tables = [
            ("skills", "legacy_skill,genesys_skill_id", self.world.skills()),
            ("wrapups", "legacy_code,genesys_wrapup_id", self.world.wrapups()),
        ];
        for (name, header, rows) in tables {
            let rows = rows.iter().filter_map(|row| Some(vec![row.id.clone(), row.target_id?.to_string()]));
            private(&dir.join(format!("mapping/{name}.csv")), &csv(header, rows))?;
        }
        let root = dir.canonicalize().map_err(|source| PlanWriteError { path: dir.to_owned(), source })?;
        let path = dir.join("plan.toml");
        private(&path, &self.plan(&root))?;
        Ok(path)
    }

    fn agents(&self) -> String {
        let rows = self.world.agents().iter().flat_map(|agent| agent.mapped.iter().map(|row| (agent.id.as_str(), row)));
        match self.section {
            TargetSection::GenesysCloud { .. } => csv(
                "legacy_agent_id,genesys_user_id,genesys_user_name,valid_from,valid_to",
                rows.map(|(id, row)| [vec![id.to_owned(), row.user_id.to_string(), row.user_name.clone()], validity(row)].concat()),
            ),
            TargetSection::Gir(site) => gir::agents(site, rows),
        }
    }

    fn queues(&self) -> String {
        let rows = self.world.queues().iter().filter_map(|row| Some((row, row.target_id?.to_string())));
        match self.section {
            TargetSection::GenesysCloud { .. } => {
                csv("legacy_queue_id,genesys_queue_id", rows.map(|(row, target)| vec![row.id.clone(), target]))
            }
            TargetSection::Gir(_) => gir::queues(rows),
        }
    }

    fn plan(&self, root: &Path) -> String {
        let mut plan = self.fitting(root);
        merge(&mut plan, self.overrides);
        let text = toml::to_string_pretty(&plan).unwrap_or_default();
        format!("# Written by the simulator; fits the world it serves. Addresses change with each start.\n{text}")
    }

    fn fitting(&self, root: &Path) -> Table {
        // A folder's name may hold what a URL cannot; SQLite takes the path as it is.
        let path = |name: &str| root.join(name).display().to_string();
        let staging = url::Url::from_file_path(root.join("staging")).map_or_else(|()| path("staging"), String::from);
        let agent = self.target.fallback_user.map_or_else(|| "quarantine".to_owned(), |id| format!("fallback:{id}"));
        table_of([
            ("plan_version", Value::from(1)),
            ("identity", table([("namespace", Value::from("rehearsal"))])),
            (
                "source",
                table([
                    ("kind", Value::from("legacy")),
                    ("base_url", Value::from(self.legacy_url)),
                    ("client_id", Value::from(self.legacy_credentials.0)),
                    ("client_secret", secret_file("source")),
                    ("media_hosts", Value::from(vec![self.media_host])),
                ]),
            ),
            ("target", self.target()),
            ("mapping", table(["agents", "queues", "skills", "wrapups"].map(|name| (name, Value::from(format!("mapping/{name}.csv")))))),
            (
                "rules",
                table([
                    ("unmapped_agent", Value::from(agent)),
                    ("unmapped_queue", Value::from(format!("default:{}", self.target.default_queue))),
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
            ("pii", table([("phones", Value::from("keep")), ("pauses", Value::from("silence"))])),
            ("retention", self.retention()),
            ("staging", table([("url", Value::from(staging))])),
            ("ledger", table([("url", Value::from(format!("sqlite://{}", path("ledger.db"))))])),
            ("pace", self.pace()),
        ])
    }

    fn target(&self) -> Value {
        match self.section {
            TargetSection::GenesysCloud { url, ingest, .. } => table([
                ("kind", Value::from("genesys_cloud")),
                ("ingest", Value::from(ingest.as_str())),
                ("base_url", Value::from(url)),
                ("login_url", Value::from(url)),
                ("client_id", Value::from(self.target.client_id.as_str())),
                ("client_secret", secret_file("target")),
            ]),
            TargetSection::Gir(site) => gir::target(site),
        }
    }

    /// Enough workers to keep a limit of 6000 a minute busy on two cores. A platform without a limit still gets a finite pace.
    fn pace(&self) -> Value {
        let unlimited = 1_000_000;
        let of = |limit: u32| if limit == 0 { unlimited } else { i64::from(limit) };
        let (requests, uploads) = match self.section {
            TargetSection::GenesysCloud { requests_per_minute, uploads_per_second, .. } => {
                (of(requests_per_minute), of(uploads_per_second))
            }
            TargetSection::Gir(_) => gir::PACE,
        };
        table([("workers", Value::from(16)), ("requests_per_minute", Value::from(requests)), ("uploads_per_second", Value::from(uploads))])
    }

    fn time(&self) -> Value {
        let offsets = self.world.node_offsets();
        let nodes: Table = offsets.into_iter().map(|(node, offset)| (node, table([("offset_ms", Value::from(offset))]))).collect();
        table([("unit", Value::from("ms")), ("site_zone", Value::from(self.site_zone)), ("node", Value::from(nodes))])
    }

    fn retention(&self) -> Value {
        let classes = self.world.retention_classes();
        let classes: Table = classes.into_iter().map(|(class, years)| (class, table([("years", Value::from(years))]))).collect();
        let mut retention =
            table_of([("over_max", Value::from("quarantine")), ("expired", Value::from("skip")), ("class", Value::from(classes))]);
        if let TargetSection::Gir(site) = self.section {
            retention.insert("gir_rule".to_owned(), gir::purge_rules(site));
        }
        Value::Table(retention)
    }
}

/// A secret beside the plan.
fn secret_file(name: &str) -> Value {
    table([("file", Value::from(format!("secrets/{name}")))])
}

/// When a mapping row holds: two cells, empty for always.
fn validity(row: &MappedAgent) -> Vec<String> {
    [row.valid_from_ms, row.valid_to_ms].map(|ms| ms.map(instant).unwrap_or_default()).to_vec()
}

fn table_of<const N: usize>(entries: [(&str, Value); N]) -> Table {
    entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

fn table<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Table(table_of(entries))
}

/// Lays `over` on `base`, table by table; anything but a table replaces what was there. So does a table that names another variant of a choice
/// (`{ file }` over `{ env }`): its keys differ from what stands there only where the plan has inline choices, all of which have one key.
fn merge(base: &mut Table, over: &Table) {
    for (key, value) in over {
        match (base.get_mut(key), value) {
            (Some(Value::Table(base)), Value::Table(over)) if !is_choice(base, over) => merge(base, over),
            _ => {
                base.insert(key.clone(), value.clone());
            }
        }
    }
}

/// Whether both are one-key choices of secrets: `{ env = .. }`, `{ file = .. }`.
fn is_choice(base: &Table, over: &Table) -> bool {
    let choice = |table: &Table| table.len() == 1 && table.keys().all(|key| key == "env" || key == "file");
    choice(base) && choice(over)
}

fn csv(header: &str, rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    // Writing to memory does not fail.
    let _ = writer.write_record(header.split(','));
    for row in rows {
        let _ = writer.write_record(row.iter().map(|cell| output::csv_cell(cell).into_owned()));
    }
    writer.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

fn private(path: &Path, text: &str) -> Result<(), PlanWriteError> {
    output::private::write(path, text).map_err(|source| PlanWriteError { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_are_laid_on_key_by_key() {
        let mut plan: Table = toml::from_str("a = 1\n[rules]\nx = 'keep'\ny = 'old'\n[source]\nsecret = { file = 's' }").expect("toml");
        merge(&mut plan, &toml::from_str("b = 2\n[rules]\ny = 'new'\n[source]\nsecret = { env = 'S' }").expect("toml"));
        let expected: Table =
            toml::from_str("a = 1\nb = 2\n[rules]\nx = 'keep'\ny = 'new'\n[source]\nsecret = { env = 'S' }").expect("toml");
        assert_eq!(plan, expected);
    }
}
