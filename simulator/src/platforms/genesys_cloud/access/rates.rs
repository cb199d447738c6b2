//! Limits that all tokens of the organisation share: its own minute, and that of a single
//! operation.

use std::{borrow::Cow, collections::BTreeMap};

use super::{super::GenesysCloud, rules};
use crate::{
    operations::Operation,
    platforms::genesys_cloud::limits::{MINUTE_MS, Rate, Window},
    rules::Rule,
};

/// Name of the organisation's limit. Source: a third party's copy of the limits page.
pub(in crate::platforms::genesys_cloud) const ORG_RATE_KEY: &str = "org.app.user.rate.per.minute";

/// The windows of what all tokens share.
#[derive(Clone, Default)]
pub(in crate::platforms::genesys_cloud) struct Shared {
    organisation: Window,
    operations: BTreeMap<&'static str, Window>,
}

/// A limit that a request went beyond.
pub(in crate::platforms::genesys_cloud) struct Overrun {
    pub(in crate::platforms::genesys_cloud) rule: &'static Rule,
    pub(in crate::platforms::genesys_cloud) key: Cow<'static, str>,
    pub(in crate::platforms::genesys_cloud) rate: Rate,
}

impl GenesysCloud {
    /// Counts a request in the windows it shares with other tokens, all of them, and says the first
    /// that is full.
    pub(in crate::platforms::genesys_cloud) fn count_shared(
        &self,
        shared: &mut Shared,
        operation: &'static Operation,
        now_ms: i64,
    ) -> Option<Overrun> {
        let organisation = match self.settings.org_requests_per_minute {
            0 => None,
            most => Some((
                &rules::ORG_RATE,
                Cow::Borrowed(ORG_RATE_KEY),
                shared
                    .organisation
                    .count(now_ms, MINUTE_MS, u64::from(most)),
            )),
        };
        let own = match self.settings.route_requests_per_minute.get(operation.name) {
            None | Some(0) => None,
            Some(most) => {
                let window = shared.operations.entry(operation.name).or_default();
                Some((
                    &rules::ROUTE_RATE,
                    Cow::Owned(route_key(operation.name)),
                    window.count(now_ms, MINUTE_MS, u64::from(*most)),
                ))
            }
        };
        let full = organisation
            .into_iter()
            .chain(own)
            .find(|(_, _, rate)| rate.exceeded());
        full.map(|(rule, key, rate)| Overrun { rule, key, rate })
    }
}

/// Name of an operation's own limit.
pub(in crate::platforms::genesys_cloud) fn route_key(operation: &str) -> String {
    let name = operation
        .strip_prefix("genesys_cloud.")
        .unwrap_or(operation);
    format!("{name}.rate.per.minute")
}
