//! What the organisation holds and its client does not see, or sees otherwise: other divisions, sensitive data, archived media; and the limits that
//! all of its tokens share.

mod archive;
mod divisions;
mod rates;
mod rules;
mod sensitive;
mod settings;

pub use self::settings::AccessSettings;
pub(super) use self::{
    archive::Standing,
    divisions::{DivisionRef, QUEUE, list as list_divisions},
    rates::{ORG_RATE_KEY, Overrun, Shared, route_key},
    rules::{ALL as RULES, ARCHIVED_BATCH},
    sensitive::REDACTED,
};
