//! Recordings with sensitive data, and a client that may not have them.

use super::{super::GenesysCloud, rules};
use crate::platforms::genesys_cloud::conversation::Recording;

/// What it takes to hear sensitive data.
const VIEW_SENSITIVE: &str = "recording:recording:viewSensitiveData";
/// The kind of a pre-signed address whose audio is redacted.
pub(in crate::platforms::genesys_cloud) const REDACTED: &str = "redacted";

impl GenesysCloud {
    /// Whether a recording job leaves a recording out that it was not told to include.
    pub(in crate::platforms::genesys_cloud) fn is_sensitive_in_job(&self, one: &Recording) -> bool {
        let is_sensitive = is_sensitive(self, one);
        if is_sensitive {
            self.mark(&rules::SENSITIVE_JOBS);
        }
        is_sensitive
    }

    /// Whether a batch leaves a recording out because its client may not have it.
    pub(in crate::platforms::genesys_cloud) fn is_left_out(&self, one: &Recording) -> bool {
        let is_left_out = is_kept_from_client(self, one);
        if is_left_out {
            [
                &rules::SENSITIVE_WHICH,
                &rules::SENSITIVE_BATCH,
                &rules::SENSITIVE_COUNT,
            ]
            .into_iter()
            .for_each(|rule| self.mark(rule));
        }
        is_left_out
    }

    /// The kind of a recording's playback address.
    pub(in crate::platforms::genesys_cloud) fn playback_kind(
        &self,
        one: &Recording,
    ) -> &'static str {
        if !is_kept_from_client(self, one) {
            return "media";
        }
        [
            &rules::SENSITIVE_WHICH,
            &rules::SENSITIVE_REDACTED,
            &rules::REDACTED_HOW,
            &rules::SENSITIVE_LISTED,
        ]
        .into_iter()
        .for_each(|rule| self.mark(rule));
        REDACTED
    }
}

/// Whether a recording has sensitive data.
fn is_sensitive(site: &GenesysCloud, one: &Recording) -> bool {
    let share = site.settings.access.sensitive_share;
    share > 0.0
        && site
            .seed()
            .child("sensitive")
            .child(&one.id.to_string())
            .chance(share)
}

fn is_kept_from_client(site: &GenesysCloud, one: &Recording) -> bool {
    is_sensitive(site, one) && site.lacking(&[VIEW_SENSITIVE]).is_some()
}
