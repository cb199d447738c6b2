//! The domain layer of the fault table: the rows of the world's defects. What each does to a call
//! is with its row, in `world/defects.rs`.

use std::sync::LazyLock;

use super::FaultKind;
use super::strike::NOTHING;
use super::table::{Knob, Layer, MS, Row};
use crate::outcome::Outcome;
use crate::world::DomainKind;
use crate::world::defects::{DEFECTS, DataDefect};

/// Victims of a domain fault are counted rather than met.
const COUNT: Knob = Knob {
    name: "count",
    unit: "interactions",
    default: "all, or what `share` or `keys` say",
    allowed: &[],
};

/// A row for each defect.
pub(super) static DOMAIN: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let row = |defect: &DataDefect| Row {
        kind: FaultKind::Domain(defect.kind),
        name: defect.name,
        layer: Layer::Domain,
        knobs: if defect.takes_ms {
            &[COUNT, MS]
        } else {
            &[COUNT]
        },
        on: defect.on,
        effect: defect.effect,
        outcome: defect.outcome,
        plan: defect.plan,
        knob: defect.knob,
        strike: NOTHING,
    };
    DEFECTS.iter().map(row).collect()
});

impl DomainKind {
    /// Its row.
    pub fn row(self) -> &'static Row {
        FaultKind::Domain(self).row()
    }

    /// What is right for a victim.
    pub fn outcome(self) -> Outcome {
        self.defect().outcome
    }
}
