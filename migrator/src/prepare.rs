//! A call's canonical record with its ids in the target, made of the source's words and the plan:
//! functions, not state.

use plan::{LoadedPlan, Reason};

use crate::canonical::Canonical;
use crate::error::StepError;
use crate::ledger::InteractionRow;
use crate::phone::PhoneRule;
use crate::resolve::{Resolved, Resolver};
use crate::source;

/// What the steps towards the target need to know of a call.
pub(crate) struct Prepared {
    pub(crate) record: Canonical,
    pub(crate) resolved: Resolved,
}

/// Reads, normalises and resolves a call; the error says why all of it stays behind.
pub(crate) fn prepare(
    plan: &LoadedPlan,
    resolver: &Resolver,
    phones: &PhoneRule,
    row: &InteractionRow,
) -> Result<Prepared, StepError> {
    let record = source::registry::format_of(plan).normalise(row, &plan.plan.time)?;
    let resolved = resolver.resolve(&record).map_err(StepError::SetAside)?;
    let numbers = [&record.caller_number, &record.dialled_number];
    if numbers
        .into_iter()
        .flatten()
        .any(|number| phones.apply(number).is_none())
    {
        return Err(StepError::aside(
            Reason::PiiUnprotectable,
            "a phone number that pii.phones cannot hash or mask",
        ));
    }
    Ok(Prepared { record, resolved })
}
