//! The fault table: one row a kind. Checks, documentation and the scenario schema come from here.
//! Rows of requests stand in `requests`, those of the source's data are made of the rows of
//! `world/defects.rs` by `domain`.

use schemars::JsonSchema;
use serde::Serialize;

use super::domain::DOMAIN;
pub use super::requests::FaultKind;
use super::requests::REQUESTS;
use super::strike::Strike;
use crate::outcome::Outcome;

/// Where a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// Bytes on the connection.
    Transport,
    /// The platform's own words.
    Http,
    /// After the deed: only on operations that mutate.
    CommitThenFail,
    /// What the platform does by itself after its answer: only on operations that are no request.
    Platform,
    /// The source's own data: only on places of the world.
    Domain,
}

/// A knob of a fault.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct Knob {
    /// Key in the scenario.
    pub name: &'static str,
    /// Unit and range.
    pub unit: &'static str,
    /// Value when left out.
    pub default: &'static str,
    /// Statuses it may be. Empty: it is no status.
    #[serde(skip)]
    pub(crate) allowed: &'static [u16],
}

/// One row of the table.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
pub struct Row {
    /// The kind.
    pub kind: FaultKind,
    /// Its name in a scenario.
    pub name: &'static str,
    /// Where it strikes.
    pub layer: Layer,
    /// Its knobs beside the address.
    pub knobs: &'static [Knob],
    /// The operations that are no request, or the place of the world, it may be planted on. Empty:
    /// any request.
    pub on: &'static [&'static str],
    /// What it does, in a sentence.
    pub effect: &'static str,
    /// What a sound migrator makes of it.
    pub outcome: Outcome,
    /// What the plan must say for that outcome, as TOML. Empty: any plan that fits by itself.
    pub plan: &'static str,
    /// Key of `[world]` that plants the same in passing. Absent: none does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub knob: Option<&'static str>,
    /// What it does to a request.
    #[serde(skip)]
    pub(crate) strike: Strike,
}

pub(super) const MS: Knob = Knob {
    name: "ms",
    unit: "milliseconds on the simulator's clock",
    default: "1000",
    allowed: &[],
};

/// Every kind of fault: of requests, of platforms, of the source's data.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    REQUESTS.iter().chain(DOMAIN.iter())
}

/// The fault table as JSON: one row a kind with what is right for it, and the operations a fault
/// may name.
pub fn fault_table() -> serde_json::Value {
    serde_json::json!({"version": 2, "faults": rows().collect::<Vec<_>>(), "operations": crate::operations::all().collect::<Vec<_>>()})
}

impl FaultKind {
    /// The row of this kind.
    pub fn row(self) -> &'static Row {
        rows().find(|row| row.kind == self).unwrap_or(&REQUESTS[0])
    }

    /// The kind of that name.
    fn named(name: &str) -> Option<FaultKind> {
        rows().find(|row| row.name == name).map(|row| row.kind)
    }
}

impl Serialize for FaultKind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.row().name)
    }
}

impl<'de> serde::Deserialize<'de> for FaultKind {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<FaultKind, D::Error> {
        static NAMES: std::sync::LazyLock<Vec<&'static str>> =
            std::sync::LazyLock::new(|| rows().map(|row| row.name).collect());
        let name = String::deserialize(deserializer)?;
        FaultKind::named(&name).ok_or_else(|| serde::de::Error::unknown_variant(&name, &NAMES))
    }
}

impl JsonSchema for FaultKind {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "FaultKind".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let kinds: Vec<serde_json::Value> =
            rows().map(|row| serde_json::json!({"type": "string", "const": row.name, "description": row.effect})).collect();
        schemars::json_schema!({"description": "What goes wrong.", "oneOf": kinds})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_one_kind_and_reads_back_as_it() {
        let mut names: Vec<&str> = rows().map(|row| row.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), rows().count());
        for row in rows() {
            assert_eq!(serde_json::to_value(row.kind).expect("a name"), row.name);
            let read: FaultKind = serde_json::from_value(row.name.into()).expect("a kind");
            assert_eq!((read, read.row().name), (row.kind, row.name));
        }
    }

    #[test]
    fn a_misspelt_kind_leads_to_the_nearest() {
        let error =
            serde_json::from_str::<FaultKind>("\"end_befor_start\"").expect_err("no such kind");
        let words = crate::config_error::in_words(&error.to_string());
        assert!(words.contains("`end_before_start`"), "{words}");
    }

    #[test]
    fn every_place_that_a_row_names_is_there() {
        for row in rows() {
            match row.layer {
                Layer::Transport | Layer::Http | Layer::CommitThenFail => {
                    assert_eq!(row.on, [""; 0], "{}", row.name)
                }
                Layer::Platform => assert!(
                    row.on
                        .iter()
                        .all(|on| crate::operations::find(on).is_ok_and(|one| one.is_inside()))
                ),
                Layer::Domain => assert!(
                    row.on.len() == 1 && row.on[0].starts_with("world."),
                    "{}",
                    row.name
                ),
            }
        }
    }
}
