//! Insertion and reading by id.

use http::{HeaderMap, Method};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

use super::answer::{self, Code, Refused};
use super::settings::OtherRegion;
use super::state::{Recording, State};
use super::wire::{self, Inserted};
use super::{Gir, fields, privacy, retention, rules};
use crate::faults::table::FaultKind;
use crate::http::ranges;
use crate::http::reply::Reply;
use crate::operations;

/// What is escaped in a path segment: all but RFC 3986's unreserved characters.
const IN_PATH: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Whose addresses an answer has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    /// The ops account's.
    Ops,
    /// A user's of the contact centre.
    User,
}

/// A text as one step of a path.
pub(super) fn in_path(text: &str) -> impl std::fmt::Display + '_ {
    utf8_percent_encode(text, &IN_PATH)
}

impl Gir {
    /// Inserts one recording, or merges it into the one of that id.
    pub(super) fn insert(&self, contact_center: &str, document: Value) -> Result<Reply, Refused> {
        self.is_ours(contact_center)?;
        self.has_feature(super::INSERTION_FEATURE)?;
        fields::check(&document, self.settings.zoneless, &|rule| self.mark(rule))
            .inspect_err(|_| self.mark(&rules::REFUSED_WITH))?;
        let inserted: Inserted = serde_json::from_value(fields::without_nothing(document))
            .map_err(|error| {
                Refused::new(
                    400,
                    Code::Invalid,
                    format!("The request body is not a recording: {error}"),
                )
            })?;
        self.mark(&rules::TIME_SHAPES);
        self.mark(&rules::OTHER_REGION);
        self.mark(&rules::REGION_NAME);
        if inserted.region != self.settings.region
            && self.settings.other_region == OtherRegion::Refused
        {
            return Err(Refused::invalid(
                "region",
                &format!("this node's region is {}", self.settings.region),
            ));
        }
        self.mark(&rules::ACCEPTED_WITH);
        let mut recording = Recording::inserted(inserted, self.core.clock.now_ms());
        recording.index_late_ms = self.core.faults.late_ms(
            &operations::GIR_INDEX_RECORDING,
            &recording.id,
            FaultKind::IndexLate,
        );
        let is_new = self.state().insert(recording, &self.settings);
        if !is_new {
            let merging = [
                &rules::MERGED,
                &rules::MERGED_VALUES,
                &rules::REPEATED_MEDIA,
                &rules::REPEATED_EVENTS,
            ];
            merging.into_iter().for_each(|rule| self.mark(rule));
        }
        Ok(answer::done(200).effect(if is_new { "created" } else { "merged" }))
    }

    /// A recording by its id, as this node sees it.
    pub(super) fn read(&self, view: View, id: &str) -> Result<Reply, Refused> {
        self.mark(&rules::READ);
        let state = self.state();
        let recording = self.seen_by_id(&state, id)?;
        Ok(answer::told(
            200,
            Map::from_iter([("recording".to_owned(), self.told(view, recording))]),
        ))
    }

    /// Whether a search finds a recording.
    pub(super) fn is_found(&self, held: &Recording) -> bool {
        self.mark(&rules::INDEX);
        let delay_ms = self
            .settings
            .index
            .delay_ms
            .saturating_add(held.index_late_ms);
        self.seen(Some(held)).is_some_and(|held| {
            held.inserted_ms.saturating_add_unsigned(delay_ms) <= self.core.clock.now_ms()
        })
    }

    /// A recording that this node shows, to be deleted or told in part.
    pub(super) fn seen_by_id<'a>(
        &self,
        state: &'a State,
        id: &str,
    ) -> Result<&'a Recording, Refused> {
        self.mark(&rules::NO_RECORDING);
        self.seen(state.recordings.get(id))
            .ok_or_else(|| Refused::no_recording(id))
    }

    /// A recording that this node shows, to label it or tag it.
    pub(super) fn seen_mut<'a>(
        &self,
        state: &'a mut State,
        id: &str,
    ) -> Result<&'a mut Recording, Refused> {
        self.mark(&rules::NO_RECORDING);
        self.mark(&rules::INDEX_WRITES);
        let takes = |held: &Recording| {
            self.is_found(held)
                || (!self.settings.index.writes_need_index && self.seen(Some(held)).is_some())
        };
        state
            .recordings
            .get_mut(id)
            .filter(|held| takes(held))
            .ok_or_else(|| Refused::no_recording(id))
    }

    /// A recording that this node shows; one of another region it does not.
    fn seen<'a>(&self, recording: Option<&'a Recording>) -> Option<&'a Recording> {
        self.mark(&rules::REGION);
        recording.filter(|held| held.region == self.settings.region)
    }

    /// Whether this node shows a recording by its id.
    pub(super) fn is_shown(&self, held: &Recording) -> bool {
        self.seen(Some(held)).is_some()
    }

    /// A recording as whoever asks is told it.
    pub(super) fn told(&self, view: View, held: &Recording) -> Value {
        let mut told = self.in_full(view, held);
        self.mark(&rules::PRIVACY_OPS);
        if view == View::User || !self.settings.privacy.ops_sees_all {
            self.mark(&rules::PRIVACY);
            self.mark(&rules::PRIVACY_CUSTOMERS);
            privacy::hide(&mut told, &self.settings.privacy);
        }
        told
    }

    /// A recording with nothing hidden.
    pub(super) fn whole(&self, held: &Recording) -> Value {
        self.in_full(View::Ops, held)
    }

    fn in_full(&self, view: View, held: &Recording) -> Value {
        self.mark(&rules::READ_SHAPE);
        self.mark(&rules::TIMES_READ);
        let (start_time, stop_time) = held.span();
        let read = wire::Read {
            id: &held.id,
            caller_phone_number: &held.caller,
            dialed_phone_number: &held.dialed,
            region: &held.region,
            call_type: held.call_type.as_deref(),
            start_time,
            stop_time,
            media_files: (0_u64..)
                .zip(&held.media)
                .map(|(i, file)| self.media(view, &held.id, i, file))
                .collect(),
            event_history: &held.events,
            labels: (!held.labels.is_empty()).then(|| retention::labels(held)),
            non_delete: held.non_delete,
        };
        serde_json::to_value(read).unwrap_or_default()
    }

    /// The bytes of a media file, or the part of them that is asked for, as they lie in the store.
    pub(super) fn play(&self, id: &str, name: &str, headers: &HeaderMap) -> Result<Reply, Refused> {
        self.mark(&rules::PLAY);
        self.mark(&rules::PLAY_STORED);
        let state = self.state();
        let recording = self.seen_by_id(&state, id)?;
        let file = (0_u64..)
            .zip(&recording.media)
            .find(|(place, _)| self.play_name(id, *place) == name)
            .map(|(_, file)| file);
        let path = file.and_then(|file| self.webdav().file_of(&file.descriptor.path));
        let bytes = path
            .and_then(|path| std::fs::read(path).ok())
            .ok_or_else(Refused::no_path)?;
        let etag = format!("\"{name}-{:x}\"", bytes.len());
        let content_type = file
            .and_then(|file| file.mime.as_deref())
            .unwrap_or("application/octet-stream");
        Ok(ranges::reply(
            &Method::GET,
            headers,
            &bytes.into(),
            &etag,
            content_type,
        ))
    }

    /// The name the server made for a media file: a function of seed, recording and place.
    fn play_name(&self, id: &str, place: u64) -> String {
        format!(
            "{}.mp3",
            self.seed().child("play").child(id).index(place).uuid()
        )
    }

    fn media<'a>(
        &self,
        view: View,
        id: &str,
        place: u64,
        file: &'a wire::MediaFile,
    ) -> wire::ReadMedia<'a> {
        let path = format!(
            "{}{}/play/{}",
            self.folder(view),
            in_path(id),
            self.play_name(id, place)
        );
        wire::ReadMedia {
            media_uri: format!("{}/api/v2{path}", self.base_url()),
            play_path: path.clone(),
            media_path: path,
            file,
        }
    }

    /// Where recordings are, below `/api/v2`; with a slash at its end.
    fn folder(&self, view: View) -> String {
        match view {
            View::Ops => format!(
                "/ops/contact-centers/{}/recordings/",
                self.settings.contact_center_id
            ),
            View::User => "/recordings/".to_owned(),
        }
    }

    /// Address of the collection; with a slash at its end.
    pub(super) fn collection(&self, view: View) -> String {
        format!("{}/api/v2{}", self.base_url(), self.folder(view))
    }

    pub(super) fn is_ours(&self, contact_center: &str) -> Result<(), Refused> {
        self.mark(&rules::CONTACT_CENTER);
        if contact_center == self.settings.contact_center_id {
            return Ok(());
        }
        self.mark(&rules::UNKNOWN_CONTACT_CENTER);
        Err(Refused::no_contact_center(contact_center))
    }

    pub(super) fn has_feature(&self, feature: &str) -> Result<(), Refused> {
        self.mark(&rules::FEATURE);
        if self.settings.features.iter().any(|has| has == feature) {
            return Ok(());
        }
        self.mark(&rules::FEATURE_REFUSED);
        Err(Refused::new(
            403,
            Code::Forbidden,
            format!("The feature {feature} is not enabled."),
        ))
    }
}
