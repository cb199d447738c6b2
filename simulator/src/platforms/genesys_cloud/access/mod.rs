//! What the organisation holds and its client does not see, or sees otherwise: other divisions,
//! sensitive data, archived media; and the limits that all of its tokens share.

mod archive;
mod divisions;
mod rates;
mod role;
mod rules;
mod sensitive;
mod settings;

pub(super) use self::{
    archive::MediaState,
    divisions::{
        DivisionRef, QUEUE, by_id as division_by_id, home as home_division, list as list_divisions,
    },
    rates::{ORG_RATE_KEY, Overrun, Shared, route_key},
    role::Held as RoleHeld,
    rules::{ALL as RULES, ARCHIVED_BATCH},
    sensitive::REDACTED,
};
pub use self::{role::Role, settings::AccessSettings};
