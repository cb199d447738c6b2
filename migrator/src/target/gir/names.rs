//! Ids, names and times as they stand in Interaction Recording: functions of namespace and legacy
//! id, so that repeating is safe. Source: docs/reference/identity.md; docs/reference/gir.md.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use uuid::Uuid;

use super::state;
use crate::error::StepError;
use crate::file_name::name_of;
use crate::ledger::RecordingRow;
use crate::upload_source::{codec_of, short_hash};

/// Names of one migration.
#[derive(Clone, Copy)]
pub(crate) struct Names<'a> {
    namespace: &'a str,
}

impl<'a> Names<'a> {
    pub(crate) fn new(namespace: &'a str) -> Names<'a> {
        Names { namespace }
    }

    /// Id of a call's recording.
    pub(crate) fn recording(&self, legacy_interaction_id: &str) -> String {
        format!("st-{}-{legacy_interaction_id}", self.namespace)
    }

    /// Id of a recording's media file.
    pub(crate) fn media(&self, legacy_recording_id: &str) -> String {
        format!("st-{}-{legacy_recording_id}", self.namespace)
    }

    /// Id of the event that says what no field carries.
    pub(super) fn meta_event(&self, legacy_interaction_id: &str) -> String {
        format!("st-{}-{legacy_interaction_id}-meta", self.namespace)
    }

    /// Call UUID, in capitals; with hyphens, so that it is no native one.
    pub(super) fn call_uuid(&self, legacy_interaction_id: &str) -> String {
        let root = Uuid::new_v5(
            &Uuid::NAMESPACE_URL,
            format!("seatrial:{}", self.namespace).as_bytes(),
        );
        Uuid::new_v5(&root, format!("gir:{legacy_interaction_id}").as_bytes())
            .hyphenated()
            .to_string()
            .to_uppercase()
    }

    /// Collections a call's files lie in, from the store's root down.
    pub(super) fn folders(&self, call_start: Timestamp) -> [String; 2] {
        let day = call_start
            .to_zoned(TimeZone::UTC)
            .strftime("%Y-%m-%d")
            .to_string();
        [format!("st-{}", self.namespace), day]
    }

    /// Name of a recording's file: other bytes are another file.
    pub(super) fn file(&self, row: &RecordingRow) -> Result<String, StepError> {
        let sealed = if state::envelope(row)?.is_some() {
            ".bin"
        } else {
            ""
        };
        let extension = codec_of(row)?.container().extension();
        Ok(format!(
            "{}.{}.{extension}{sealed}",
            plain(&self.media(&row.legacy_id)),
            short_hash(row)
        ))
    }

    /// The label that says which migration brought a call.
    pub(super) fn batch_label(&self) -> String {
        format!("st-batch-{}", self.namespace)
    }
}

/// A name that every server and file system takes: what an imported source has beyond letters,
/// digits and `-_.~` becomes `_`.
fn plain(name: &str) -> String {
    name_of(name, |c| c.is_ascii_alphanumeric() || "-_.~".contains(c))
}

/// A time as the safe choice among the accepted shapes. Source: Insertion API, descriptors.
pub(super) fn time(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC)
        .strftime("%Y-%m-%dT%H:%M:%S%.3f+0000")
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_contract() {
        let names = Names::new("acme-2026");
        assert_eq!(names.recording("100001"), "st-acme-2026-100001");
        assert_eq!(names.media("100001-1"), "st-acme-2026-100001-1");
        assert_eq!(names.meta_event("100001"), "st-acme-2026-100001-meta");
        let uuid = names.call_uuid("100001");
        assert_eq!((uuid.len(), uuid.to_uppercase()), (36, uuid.clone()));
        assert_ne!(uuid, names.call_uuid("100002"));
        let at: Timestamp = "2023-10-27T23:59:59.5Z".parse().expect("an instant");
        assert_eq!(names.folders(at), ["st-acme-2026", "2023-10-27"]);
        assert_eq!(time(at), "2023-10-27T23:59:59.500+0000");
    }

    #[test]
    fn a_file_is_named_by_its_recording_and_its_bytes() {
        let mut row = RecordingRow {
            legacy_id: "a/b c".into(),
            out_sha256: Some("0123456789abcdef".into()),
            out_codec: Some("mp3".into()),
            ..RecordingRow::default()
        };
        let names = Names::new("n");
        assert_eq!(
            names.file(&row).expect("a name"),
            "st-n-a_b_c.0123456789ab.mp3"
        );
        row.target_state = Some(r#"{"pkcs7":"-----BEGIN PKCS7-----","cert_alias":""}"#.into());
        assert_eq!(
            names.file(&row).expect("a name"),
            "st-n-a_b_c.0123456789ab.mp3.bin"
        );
    }
}
