//! Reading back which legacy record something is: the tag on a conversation, the name of a file
//! (docs/reference/identity.md).

use super::{
    conversation::{Conversation, Recording},
    stores::Files,
};

/// A tag `st:<namespace>:<legacy id>`, taken apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Tag<'a> {
    pub(super) namespace: &'a str,
    pub(super) legacy_id: &'a str,
}

impl<'a> Tag<'a> {
    /// The parts of a tag; none where it is not one of ours.
    pub(super) fn read(text: &'a str) -> Option<Tag<'a>> {
        let (namespace, legacy_id) = text.strip_prefix("st:")?.rsplit_once(':')?;
        (!namespace.is_empty() && !legacy_id.is_empty()).then_some(Tag {
            namespace,
            legacy_id,
        })
    }

    /// The tag of a conversation.
    pub(super) fn of(held: &'a Conversation) -> Option<Tag<'a>> {
        Tag::read(held.external_tag.as_deref()?)
    }
}

/// The legacy id in a file name `st-<namespace>-<legacy recording id>.<12 hex digits>.<extension>`.
pub(super) fn legacy_recording_id<'a>(file_name: &'a str, namespace: &str) -> Option<&'a str> {
    let rest = file_name
        .strip_prefix("st-")?
        .strip_prefix(namespace)?
        .strip_prefix('-')?;
    let (stem, _extension) = rest.rsplit_once('.')?;
    let is_hash =
        |text: &str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match stem.rsplit_once('.') {
        Some((id, hash)) if is_hash(hash) => Some(id),
        _ => Some(stem),
    }
}

/// The legacy id of a recording: as its upload stated it, else from the name of its file, while one
/// is linked.
pub(super) fn of_recording(files: &Files, held: &Conversation, one: &Recording) -> Option<String> {
    if let Some(stated) = &one.originating_id {
        return Some(stated.clone());
    }
    let tag = Tag::of(held)?;
    let file = files.get(one.file?)?;
    legacy_recording_id(&file.name, tag.namespace).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_taken_apart_at_its_last_colon() {
        assert_eq!(
            Tag::read("st:acme-2026:100001"),
            Some(Tag {
                namespace: "acme-2026",
                legacy_id: "100001"
            })
        );
        assert_eq!(Tag::read("st::1"), None);
        assert_eq!(Tag::read("VIP"), None);
    }

    #[test]
    fn a_file_name_gives_its_recording_back() {
        for (name, expected) in [
            ("st-acme-2026-100001-1.0123456789ab.mp3", Some("100001-1")),
            ("st-acme-2026-100001-1.mp3", Some("100001-1")),
            ("st-other-100001-1.0123456789ab.mp3", None),
            ("call.mp3", None),
        ] {
            assert_eq!(legacy_recording_id(name, "acme-2026"), expected, "{name}");
        }
    }
}
