//! What the client may do and see, and how that changes while the simulator runs: a migrator's role
//! is not an auditor's.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::GenesysCloud;

/// The role of the one client. What is left out of a change stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Role {
    /// Scopes and permissions it lacks from now on.
    pub missing_scopes: Option<Vec<String>>,
    /// Names of the divisions it covers from now on; an empty list: all.
    pub client_divisions: Option<Vec<String>>,
}

/// The role as it stands.
#[derive(Clone, Default)]
pub(in crate::platforms::genesys_cloud) struct Held {
    missing: Vec<String>,
    divisions: Vec<String>,
}

impl Held {
    pub(in crate::platforms::genesys_cloud) fn new(
        missing: Vec<String>,
        divisions: Vec<String>,
    ) -> Held {
        Held { missing, divisions }
    }
}

impl GenesysCloud {
    /// Changes the client's role; refused, with nothing changed, where a division is not one of the
    /// organisation's.
    pub(crate) fn change_role(&self, role: Role) -> Result<(), String> {
        let directory = self.directory();
        let is_known = |name: &String| {
            self.settings.access.divisions.contains(name)
                || directory.divisions.iter().any(|made| made.name == *name)
        };
        if let Some(name) = role
            .client_divisions
            .iter()
            .flatten()
            .find(|name| !is_known(name))
        {
            return Err(format!(
                "client_divisions names `{name}`, which is not one of divisions"
            ));
        }
        if let Some(name) = role
            .missing_scopes
            .iter()
            .flatten()
            .find(|name| !crate::platforms::genesys_cloud::auth::is_known(name))
        {
            return Err(format!(
                "missing_scopes names `{name}`, which nothing here asks for"
            ));
        }
        let mut held = self.role.lock();
        let Role {
            missing_scopes,
            client_divisions,
        } = role;
        held.missing = missing_scopes.unwrap_or_else(|| std::mem::take(&mut held.missing));
        held.divisions = client_divisions.unwrap_or_else(|| std::mem::take(&mut held.divisions));
        Ok(())
    }

    /// The first of `needs` that the client does not have.
    pub(in crate::platforms::genesys_cloud) fn lacking<'a>(
        &self,
        needs: &[&'a str],
    ) -> Option<&'a str> {
        let held = self.role.lock();
        needs
            .iter()
            .copied()
            .find(|need| held.missing.iter().any(|missing| missing == need))
    }

    /// Whether its role covers every division.
    pub(in crate::platforms::genesys_cloud) fn covers_all(&self) -> bool {
        self.role.lock().divisions.is_empty()
    }

    /// Whether its role covers the division of this name.
    pub(in crate::platforms::genesys_cloud) fn covers_named(&self, division: &str) -> bool {
        let held = self.role.lock();
        held.divisions.is_empty() || held.divisions.iter().any(|name| name == division)
    }
}
