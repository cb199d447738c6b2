//! Which recordings and files are ours, and of which call. Source: docs/reference/gir.md, "One
//! call, one recording" and "Files".

use std::collections::{BTreeMap, HashMap};

use plan::{Carrier, LoadedPlan};

use crate::run_error::RunError;
use crate::target::crosswalk::crosswalk;

/// Ties recordings of RWS to calls of the source.
#[derive(Debug, Clone)]
pub(super) struct Ids {
    /// `st-<namespace>-`.
    prefix: String,
    /// Recording ids a crosswalk names, with their calls. Absent: ids are made from the legacy ids.
    rows: Option<HashMap<String, String>>,
    /// The same the other way round.
    calls: BTreeMap<String, Vec<String>>,
}

impl Ids {
    pub(super) fn new(loaded: &LoadedPlan) -> Result<Ids, RunError> {
        let rows = match &loaded.plan.identity.carrier {
            Carrier::Crosswalk(file) => Some(crosswalk(loaded, file)?),
            Carrier::ExternalTag | Carrier::ParticipantAttribute(_) => None,
        };
        Ok(Ids::of(&loaded.plan.identity.namespace, rows))
    }

    fn of(namespace: &str, rows: Option<HashMap<String, String>>) -> Ids {
        let mut calls: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (id, call) in rows.iter().flatten() {
            calls.entry(call.clone()).or_default().push(id.clone());
        }
        calls.values_mut().for_each(|ids| ids.sort_unstable());
        Ids {
            prefix: format!("st-{namespace}-"),
            rows,
            calls,
        }
    }

    /// The folder of the migration in the store.
    pub(super) fn folder(&self) -> &str {
        self.prefix.trim_end_matches('-')
    }

    /// Ids a call has in RWS.
    pub(super) fn of_call(&self, legacy_id: &str) -> Vec<String> {
        match &self.rows {
            None => vec![format!("{}{legacy_id}", self.prefix)],
            Some(_) => self.calls.get(legacy_id).cloned().unwrap_or_default(),
        }
    }

    /// The call of a recording that is found rather than asked for; `None`: not ours. Another
    /// namespace may begin with ours: a legacy interaction id has no hyphen.
    pub(super) fn legacy_id(&self, id: &str) -> Option<String> {
        match &self.rows {
            None => id
                .strip_prefix(&self.prefix)
                .filter(|rest| !rest.is_empty() && !rest.contains('-'))
                .map(str::to_owned),
            Some(rows) => rows.get(id).cloned(),
        }
    }

    /// The legacy recording id that a file's name begins with: `<mediaId>.<12 hex>.<ending>`.
    /// `None`: another name.
    pub(super) fn legacy_recording(&self, name: &str) -> Option<String> {
        let stem = name.strip_suffix(".bin").unwrap_or(name);
        let (stem, _ending) = stem.rsplit_once('.')?;
        let (media_id, hash) = stem.rsplit_once('.')?;
        let is_hash = hash.len() == 12 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        media_id
            .strip_prefix(&self.prefix)
            .filter(|rest| is_hash && !rest.is_empty())
            .map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_namespace_makes_a_recording_ours() {
        let ids = Ids::of("acme", None);
        for (id, wanted) in [
            ("st-acme-7", Some("7")),
            ("st-acme-2-7", None),
            ("st-acme-", None),
            ("st-other-7", None),
            ("7", None),
        ] {
            assert_eq!(ids.legacy_id(id).as_deref(), wanted, "{id}");
        }
        assert_eq!(
            (ids.of_call("7"), ids.folder()),
            (vec!["st-acme-7".to_owned()], "st-acme")
        );
        let crosswalk = Ids::of(
            "acme",
            Some(HashMap::from([("native".to_owned(), "7".to_owned())])),
        );
        assert_eq!(
            (crosswalk.of_call("7"), crosswalk.of_call("8")),
            (vec!["native".to_owned()], Vec::new())
        );
        assert_eq!(
            (
                crosswalk.legacy_id("native").as_deref(),
                crosswalk.legacy_id("st-acme-8")
            ),
            (Some("7"), None)
        );
    }

    #[test]
    fn a_files_name_tells_its_recording() {
        let ids = Ids::of("acme", None);
        for (name, wanted) in [
            ("st-acme-7-1.0123456789ab.mp3", Some("7-1")),
            ("st-acme-7-1.0123456789ab.wav.bin", Some("7-1")),
            ("st-acme-a.b.0123456789ab.mp3", Some("a.b")),
            ("st-acme-7-1.mp3", None),
            ("other.0123456789ab.mp3", None),
            ("st-acme-7-1.0123456789ab", None),
        ] {
            assert_eq!(ids.legacy_recording(name).as_deref(), wanted, "{name}");
        }
    }
}
