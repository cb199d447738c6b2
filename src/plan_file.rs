//! The plan a command is given, and addresses given instead of the plan's.

use std::path::Path;

use plan::LoadedPlan;
use rehearsal::Ending;

use crate::terminal;

/// Reads a plan; a bad one is told once and ends with 2.
pub(crate) fn read_plan(path: &Path) -> Result<LoadedPlan, Ending> {
    LoadedPlan::read(path).map_err(|error| terminal::fail(Ending::BadCall, &error.to_string()))
}

/// An address of a ledger or of staging that was given as an option: a path in it is relative to
/// where one stands, not to the plan.
pub(crate) fn from_here(given: Option<&str>) -> Option<String> {
    let absolute = |path: &str| {
        std::path::absolute(path)
            .map_or_else(|_| path.to_owned(), |path| path.display().to_string())
    };
    given.map(|given| match given.split_once("://") {
        None => absolute(given),
        Some((scheme @ ("sqlite" | "file"), path)) => format!("{scheme}://{}", absolute(path)),
        Some(_) => given.to_owned(),
    })
}
