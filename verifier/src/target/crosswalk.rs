//! A crosswalk: which record of the target is which call, told by a file. Source:
//! docs/reference/identity.md.

use std::collections::HashMap;
use std::path::Path;

use plan::LoadedPlan;

use crate::run_error::RunError;

/// Conversations of the target with their legacy ids. `file` is relative to the plan.
pub(super) fn crosswalk(
    loaded: &LoadedPlan,
    file: &Path,
) -> Result<HashMap<String, String>, RunError> {
    let path = loaded.resolve_path(file);
    let broken = |why: String| {
        RunError::Plan(format!(
            "cannot read the crosswalk {}: {why}; export it again",
            path.display()
        ))
    };
    let text = std::fs::read_to_string(&path).map_err(|error| broken(error.to_string()))?;
    rows(&text).map_err(broken)
}

pub(super) fn rows(text: &str) -> Result<HashMap<String, String>, String> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let headers = reader.headers().map_err(|error| error.to_string())?.clone();
    let column = |name: &str| {
        headers
            .iter()
            .position(|header| header == name)
            .ok_or_else(|| format!("the column `{name}` is missing"))
    };
    let (legacy, target) = (
        column("legacy_interaction_id")?,
        column("target_interaction_id")?,
    );
    let mut rows = HashMap::new();
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        if let (Some(legacy), Some(target)) = (record.get(legacy), record.get(target)) {
            rows.insert(
                output::csv_cell_read(target).to_owned(),
                output::csv_cell_read(legacy).to_owned(),
            );
        }
    }
    Ok(rows)
}
