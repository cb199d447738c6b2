//! `[[after_migration]]`: what happens to the target once the migrator has finished.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use simulator::{GenesysCloudRole as Role, Simulator, TamperAnswer};
use verifier::Defect;

use super::expect::defect;

/// Farthest the clock is moved on: a century. Beyond, dates of retention leave the calendar.
const MAX_DAYS: u64 = 36_525;
const DAY_MS: u64 = 86_400_000;

/// `[[after_migration]]`: what happens once the migrator has finished: a damage to the target
/// (`tamper`, `lose_media`), or a change of the client's role (`role`), or nothing but time
/// (`advance_days`). One of the four.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AfterMigration {
    /// A defect class to plant (`D18`).
    #[serde(default, deserialize_with = "defect")]
    #[schemars(with = "Option<String>")]
    pub tamper: Option<Defect>,
    /// How many. Even for a class that needs pairs.
    #[serde(default = "one")]
    pub count: usize,
    /// Chooses the victims. Left out: the scenario's seed.
    #[serde(default)]
    pub seed: Option<u64>,
    /// The target loses the media of this many recordings: the same as `tamper = "D11"`.
    #[serde(default)]
    pub lose_media: Option<usize>,
    /// The client of Genesys Cloud loses permissions or divisions: an auditor's role is not a
    /// migrator's.
    #[serde(default)]
    pub role: Option<Role>,
    /// So many days pass on the simulators' clock.
    #[serde(default)]
    pub advance_days: Option<u64>,
}

fn one() -> usize {
    1
}

impl AfterMigration {
    /// The class of damage and the count this asks for. Absent: it damages nothing.
    #[must_use]
    pub fn damage(&self) -> Option<(Defect, usize)> {
        let lost = self.lose_media.map(|count| (Defect::AudioGone, count));
        lost.or(self.tamper.map(|defect| (defect, self.count)))
    }

    /// What is wrong, in words; the caller adds the place.
    pub(super) fn check(&self) -> Result<(), String> {
        let given = [
            self.tamper.is_some(),
            self.lose_media.is_some(),
            self.role.is_some(),
            self.advance_days.is_some(),
        ];
        if given.into_iter().filter(|given| *given).count() != 1 {
            return Err(
                "[[after_migration]] needs one of `tamper`, `lose_media`, `role` and \
                `advance_days`"
                    .to_owned(),
            );
        }
        match (self.lose_media, self.advance_days) {
            (Some(0), _) => Err("lose_media must be 1 or more".to_owned()),
            (_, Some(days)) if !(1..=MAX_DAYS).contains(&days) => {
                Err(format!("advance_days must be 1 to {MAX_DAYS}"))
            }
            _ => Ok(()),
        }
    }

    /// Does it; what was planted, where it is a damage. `seed`: the scenario's.
    pub(crate) fn apply(
        &self,
        simulator: &Simulator,
        seed: u64,
    ) -> Result<Option<TamperAnswer>, String> {
        if let Some(days) = self.advance_days {
            simulator
                .advance_ms(days.saturating_mul(DAY_MS))
                .map_err(|error| error.to_string())?;
        }
        if let Some(role) = &self.role {
            simulator.change_role(role.clone())?;
        }
        let Some((defect, count)) = self.damage() else {
            return Ok(None);
        };
        let planted = simulator.tamper(defect.code(), count, self.seed.unwrap_or(seed));
        planted.map(Some).map_err(|error| error.to_string())
    }
}
