//! What the guide's surface takes and what it refuses: an interaction as sent becomes a
//! conversation, or a 400 that names the field.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::{
    GenesysCloud,
    conversation::{
        Annotation, Conversation, Direction, FileState, Participant, QueueNamed, Recording, Role,
        Segment,
    },
    errors::ApiError,
    rules,
    settings::{Directory, Entry, holds},
    stores::Files,
    times, wire,
};
use crate::rules::Rule;

/// Milliseconds of a day.
pub(super) const DAY_MS: i64 = 86_400_000;

/// A UUID with its hyphens, in either case.
pub(super) fn uuid(text: &str) -> Option<Uuid> {
    if text.len() == 36 {
        Uuid::parse_str(text).ok()
    } else {
        None
    }
}

/// What an interaction is judged by.
pub(super) struct InteractionValidator<'a> {
    pub(super) site: &'a GenesysCloud,
    pub(super) files: &'a Files,
    /// Who and what there is.
    pub(super) directory: &'a Directory,
    pub(super) now_ms: i64,
}

impl InteractionValidator<'_> {
    /// The conversation an interaction stands for. `path_id` is the id in the address of a PUT.
    pub(super) fn interaction(
        &self,
        sent: &wire::Interaction,
        path_id: Option<Uuid>,
    ) -> Result<Conversation, ApiError> {
        let id = interaction_id(sent, path_id)?;
        one_of("type", "type", &sent.kind, &["call"])?;
        let direction = self.direction(&sent.direction)?;
        let (start_ms, end_ms) = self.span(
            "createdTime",
            &sent.created_time,
            "updatedTime",
            &sent.updated_time,
        )?;
        let participants = self.each("participants", &sent.participants, |one, at| {
            self.participant(one, at)
        })?;
        let (queue, skills) = self.routing(sent.routing.as_ref())?;
        let segments = self.each("segments", &sent.segments, |one, at| {
            self.segment(one, at, &participants)
        })?;
        unique("segments", segments.iter().map(|segment| segment.id))?;
        let mut recordings = Vec::new();
        for (index, segment) in sent.segments.iter().enumerate() {
            if let Some(recording) = &segment.recording {
                let at = format!("segments[{index}].recording");
                recordings.push(self.recording(recording, &at, &segments[index], start_ms)?);
            }
        }
        unique(
            "segments.recording",
            recordings.iter().map(|recording| recording.id),
        )?;
        self.note(sent);
        Ok(Conversation {
            id,
            external_tag: sent.external_tag.clone(),
            direction,
            start_ms,
            end_ms,
            participants,
            queue,
            skills,
            attributes: sent.attributes.clone(),
            protected: sent.deletion_protection,
            segments,
            recordings,
            created_at_ms: self.now_ms,
            shown_from_ms: 0,
            other_attributes: BTreeMap::new(),
        })
    }

    fn note(&self, sent: &wire::Interaction) {
        if sent.external_tag.is_some() {
            self.site.mark(&rules::EXTERNAL_TAG);
        }
        if sent.participants.is_empty() {
            self.site.mark(&rules::NO_PARTICIPANTS);
        }
        if !sent.attributes.is_empty() {
            self.site.mark(&rules::ATTRIBUTES);
        }
        if sent.deletion_protection {
            self.site.mark(&rules::DELETION_PROTECTION);
        }
    }

    fn each<S, T>(
        &self,
        list: &str,
        sent: &[S],
        one: impl Fn(&S, &str) -> Result<T, ApiError>,
    ) -> Result<Vec<T>, ApiError> {
        sent.iter()
            .enumerate()
            .map(|(index, item)| one(item, &format!("{list}[{index}]")))
            .collect()
    }

    fn direction(&self, sent: &str) -> Result<Direction, ApiError> {
        match sent {
            "inbound" => Ok(Direction::Inbound),
            "outbound" => Ok(Direction::Outbound),
            _ => {
                self.site.mark(&rules::DIRECTION);
                Err(ApiError::invalid_value("direction", "direction", sent))
            }
        }
    }

    fn time(&self, field: &str, sent: &str) -> Result<i64, ApiError> {
        times::parse_utc(sent).ok_or_else(|| {
            self.site.mark(&rules::UTC_TIMES);
            ApiError::new(
                400,
                "invalid.date",
                format!("Value [{sent}] is not an ISO-8601 time with Z"),
            )
            .field(field)
        })
    }

    fn span(
        &self,
        start_field: &str,
        start: &str,
        end_field: &str,
        end: &str,
    ) -> Result<(i64, i64), ApiError> {
        let (start_ms, end_ms) = (self.time(start_field, start)?, self.time(end_field, end)?);
        if end_ms < start_ms {
            self.site.mark(&rules::END_BEFORE_START);
            let message = format!("{end_field} [{end}] is before {start_field} [{start}]");
            return Err(ApiError::new(400, "constraint.validation", message).field(end_field));
        }
        Ok((start_ms, end_ms))
    }

    fn participant(&self, sent: &wire::Participant, at: &str) -> Result<Participant, ApiError> {
        let role = match sent.kind.as_str() {
            "agent" => Role::Agent,
            "customer" => Role::Customer,
            other => {
                return Err(ApiError::invalid_value(
                    format!("{at}.type"),
                    "participantType",
                    other,
                ));
            }
        };
        let id_field = format!("{at}.id");
        let id = match role {
            Role::Agent => self.agent(&sent.id, &id_field)?,
            Role::Customer | Role::External | Role::Ivr | Role::Acd => {
                parse_id(&sent.id, &id_field, "participantId")?
            }
        };
        let codes = &self.directory.wrapups;
        let known = |code: &String| {
            self.known(
                code,
                codes,
                &format!("{at}.wrapUpCode"),
                "wrapUpCode",
                &rules::UNKNOWN_REFERENCE,
            )
        };
        Ok(Participant {
            id,
            role,
            name: sent.name.clone(),
            wrap_up: sent.wrap_up_code.as_ref().map(known).transpose()?,
            phone: sent.phone.clone(),
            ani: sent.ani.clone(),
            dnis: sent.dnis.clone(),
            communication: None,
            wrap_up_words: None,
        })
    }

    fn agent(&self, sent: &str, field: &str) -> Result<Uuid, ApiError> {
        let users = &self.directory.users;
        let id = self.known(sent, users, field, "userId", &rules::UNKNOWN_USER_OR_QUEUE)?;
        if users
            .iter()
            .any(|user| user.id == id && user.state != "active")
        {
            self.site.mark(&rules::ANY_USER_STATE);
        }
        Ok(id)
    }

    fn known(
        &self,
        sent: &str,
        entries: &[Entry],
        field: &str,
        kind: &str,
        rule: &'static Rule,
    ) -> Result<Uuid, ApiError> {
        match uuid(sent).filter(|id| holds(entries, *id)) {
            Some(id) => Ok(id),
            None => {
                self.site.mark(rule);
                Err(ApiError::invalid_value(field, kind, sent))
            }
        }
    }

    fn routing(
        &self,
        sent: Option<&wire::Routing>,
    ) -> Result<(Option<QueueNamed>, Vec<Uuid>), ApiError> {
        let Some(sent) = sent else {
            return Ok((None, Vec::new()));
        };
        let directory = self.directory;
        let queue = match &sent.queue {
            Some(queue) => {
                let rule = &rules::UNKNOWN_USER_OR_QUEUE;
                let id = self.known(
                    &queue.id,
                    &directory.queues,
                    "routing.queue.id",
                    "queueId",
                    rule,
                )?;
                Some(QueueNamed {
                    id,
                    name: queue.name.clone(),
                })
            }
            None => None,
        };
        let skills = self.each("routing.skills", &sent.skills, |skill, at| {
            self.known(
                &skill.id,
                &directory.skills,
                &format!("{at}.id"),
                "skillId",
                &rules::UNKNOWN_REFERENCE,
            )
        })?;
        Ok((queue, skills))
    }

    fn segment(
        &self,
        sent: &wire::Segment,
        at: &str,
        participants: &[Participant],
    ) -> Result<Segment, ApiError> {
        let id = parse_id(&sent.id, &format!("{at}.id"), "segmentId")?;
        one_of(&format!("{at}.type"), "type", &sent.kind, &["call"])?;
        let (start_ms, end_ms) = self.span(
            &format!("{at}.start"),
            &sent.start,
            &format!("{at}.end"),
            &sent.end,
        )?;
        let participant = match &sent.participant_id {
            Some(text) => {
                let field = format!("{at}.participantId");
                let id = parse_id(text, &field, "participantId")?;
                if !participants.iter().any(|participant| participant.id == id) {
                    self.site.mark(&rules::UNKNOWN_REFERENCE);
                    return Err(ApiError::invalid_value(field, "participantId", text));
                }
                Some(id)
            }
            None => None,
        };
        Ok(Segment {
            id,
            participant,
            start_ms,
            end_ms,
            answered_ms: start_ms,
            holds: Vec::new(),
            how_ended: None,
            is_open: false,
        })
    }

    fn recording(
        &self,
        sent: &wire::Recording,
        at: &str,
        leg: &Segment,
        start_ms: i64,
    ) -> Result<Recording, ApiError> {
        let id = parse_id(&sent.id, &format!("{at}.id"), "recordingId")?;
        one_of(&format!("{at}.type"), "type", &sent.kind, &["call"])?;
        let file = sent
            .file_id
            .as_ref()
            .map(|file| self.file(file, &format!("{at}.fileId")))
            .transpose()?;
        if file.is_none() {
            self.site.mark(&rules::UNLINKED_RECORDING);
        }
        let (tag, delete_at_ms) = self.retention(sent.retention.as_ref(), at, start_ms)?;
        Ok(Recording {
            id,
            segment: leg.id,
            status: sent.status.clone(),
            url: sent.url.clone(),
            file,
            duration_ms: sent.duration,
            start_ms: leg.start_ms,
            end_ms: leg.end_ms,
            tag,
            delete_at_ms,
            annotations: sent.annotations.iter().map(annotation).collect(),
            file_state: if file.is_some() {
                FileState::Available
            } else {
                FileState::Uploading
            },
            created_at_ms: self.now_ms,
            shown_from_ms: 0,
            originating_id: None,
            archive_at_ms: None,
            export_at_ms: None,
            restored_at_ms: None,
        })
    }

    fn file(&self, sent: &str, field: &str) -> Result<Uuid, ApiError> {
        uuid(sent)
            .filter(|id| self.files.get(*id).is_some())
            .ok_or_else(|| {
                self.site.mark(&rules::UNKNOWN_REFERENCE);
                ApiError::invalid_value(field, "fileId", sent)
            })
    }

    /// An explicit date, else what a known tag says, else never.
    fn retention(
        &self,
        sent: Option<&wire::Retention>,
        at: &str,
        start_ms: i64,
    ) -> Result<(Option<String>, Option<i64>), ApiError> {
        let Some(sent) = sent else {
            return Ok((None, None));
        };
        let field = format!("{at}.retention.deleteDate");
        let stated = sent
            .delete_date
            .as_ref()
            .map(|date| self.time(&field, date))
            .transpose()?;
        let delete_at_ms = stated.or_else(|| self.by_tag(sent.tag.as_deref()?, start_ms));
        if self.site.beyond_maximum(start_ms, delete_at_ms).is_some() {
            return Err(ApiError::beyond_retention(field));
        }
        Ok((sent.tag.clone(), delete_at_ms))
    }

    fn by_tag(&self, tag: &str, start_ms: i64) -> Option<i64> {
        self.site.mark(&rules::RETENTION_TAG);
        let (_, years) = self
            .directory
            .retention_tags
            .iter()
            .find(|(known, _)| known == tag)?;
        times::add_years(start_ms, *years)
    }
}

fn annotation(sent: &wire::Annotation) -> Annotation {
    Annotation {
        kind: sent.kind.clone(),
        reason: sent.reason.clone(),
        location_ms: sent.location,
        duration_ms: sent.duration_ms,
        ..Annotation::default()
    }
}

fn interaction_id(sent: &wire::Interaction, path_id: Option<Uuid>) -> Result<Uuid, ApiError> {
    let stated = sent
        .id
        .as_ref()
        .map(|id| parse_id(id, "id", "interactionId"))
        .transpose()?;
    match (stated, path_id) {
        (Some(stated), Some(path)) if stated != path => Err(ApiError::invalid_value(
            "id",
            "interactionId",
            &stated.to_string(),
        )),
        (Some(id), _) | (None, Some(id)) => Ok(id),
        (None, None) => {
            Err(ApiError::new(400, "bad.request", "The interaction has no id").field("id"))
        }
    }
}

fn parse_id(text: &str, field: &str, kind: &str) -> Result<Uuid, ApiError> {
    uuid(text).ok_or_else(|| ApiError::invalid_value(field, kind, text))
}

fn one_of(field: &str, kind: &str, sent: &str, allowed: &[&str]) -> Result<(), ApiError> {
    if allowed.contains(&sent) {
        Ok(())
    } else {
        Err(ApiError::invalid_value(field, kind, sent))
    }
}

fn unique(list: &str, ids: impl Iterator<Item = Uuid>) -> Result<(), ApiError> {
    let mut seen = BTreeSet::new();
    for id in ids {
        if !seen.insert(id) {
            let message = format!("the id {id} is given twice in {list}");
            return Err(
                ApiError::new(400, "constraint.validation", message).field(format!("{list}.id"))
            );
        }
    }
    Ok(())
}
