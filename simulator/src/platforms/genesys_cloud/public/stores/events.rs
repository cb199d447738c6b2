//! Injected events, and the conversations they are about.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{
    super::{
        event::{Event, Refused, What},
        story,
    },
    event_log::{EventLog, unknown_conversation},
};
use crate::platforms::genesys_cloud::conversation::Conversation;

/// Every event that was taken. An id is taken once, and its event stands in the log of one
/// conversation.
#[derive(Clone, Default)]
pub(crate) struct InjectedEvents {
    logs: BTreeMap<Uuid, EventLog>,
    /// A hash of what each event said.
    contents: BTreeMap<Uuid, u64>,
}

/// How an event repeats one that was taken under its id.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Repeats {
    Same,
    Another,
}

impl InjectedEvents {
    /// How an event with this id and content repeats one that was taken; absent where none was.
    pub(crate) fn repeats(&self, id: Uuid, content: u64) -> Option<Repeats> {
        let before = self.contents.get(&id)?;
        Some(if *before == content {
            Repeats::Same
        } else {
            Repeats::Another
        })
    }

    /// Whether a conversation was injected.
    pub(crate) fn has_conversation(&self, id: Uuid) -> bool {
        self.logs.contains_key(&id)
    }

    /// What the business key of a conversation's events ends with; absent where no event stated it.
    pub(crate) fn key_of(&self, conversation: Uuid) -> Option<&str> {
        self.logs.get(&conversation)?.key()
    }

    /// Whether an event fits what its conversation was told.
    pub(crate) fn judge(&self, event: &Event) -> Result<(), Refused> {
        match self.logs.get(&event.conversation) {
            Some(log) => log.judge(event),
            None if matches!(event.what, What::Established(_)) => Ok(()),
            None => Err(Refused::passing(unknown_conversation(event.conversation))),
        }
    }

    /// Keeps an event that was judged.
    pub(crate) fn keep(&mut self, event: Event, content: u64) {
        self.contents.insert(event.id, content);
        self.logs.entry(event.conversation).or_default().keep(event);
    }

    /// The conversation as all its events tell it; absent where none tells of it.
    pub(crate) fn conversation(&self, id: Uuid, now_ms: i64) -> Option<Conversation> {
        story::tell(id, self.logs.get(&id)?.told(), now_ms)
    }

    /// Whether a conversation's tag was replaced, so that its events do not change it any more.
    pub(crate) fn is_tag_replaced(&self, conversation: Uuid) -> bool {
        self.logs
            .get(&conversation)
            .is_some_and(|log| log.is_tag_replaced)
    }

    /// Has a conversation keep the tag that it is given now, whatever its events say; nothing for
    /// one that was not injected.
    pub(crate) fn replace_tag(&mut self, conversation: Uuid) {
        if let Some(log) = self.logs.get_mut(&conversation) {
            log.is_tag_replaced = true;
        }
    }

    /// The events of a conversation, in order.
    #[cfg(test)]
    pub(crate) fn of(&self, conversation: Uuid) -> impl Iterator<Item = &Event> {
        self.logs
            .get(&conversation)
            .into_iter()
            .flat_map(EventLog::told)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::super::{event::Established, kinds::Kind},
        *,
    };

    const CALL: Uuid = Uuid::from_u128(1);
    const LEG: Uuid = Uuid::from_u128(2);

    fn event(id: u128, at_ms: i64, kind: Kind, what: What) -> Event {
        let legs = if matches!(what, What::Established(_)) {
            Vec::new()
        } else {
            vec![LEG]
        };
        Event {
            id: Uuid::from_u128(id),
            at_ms,
            conversation: CALL,
            kind,
            what,
            legs,
        }
    }

    fn established(at_ms: i64, tag: &str) -> Event {
        let said = Established {
            communication: LEG,
            is_alerting: false,
            is_inbound: None,
            tag: Some(tag.to_owned()),
            interaction: "1".to_owned(),
            source: "legacy".to_owned(),
            additional: BTreeMap::new(),
            ani: None,
            dnis: None,
            name: None,
            phone: None,
            user: None,
            queue: None,
            skills: Vec::new(),
            language: None,
        };
        event(
            10,
            at_ms,
            Kind::ExternalEstablished,
            What::Established(Box::new(said)),
        )
    }

    fn ended(at_ms: i64) -> Event {
        event(
            11,
            at_ms,
            Kind::Ended,
            What::Ended {
                how: "client",
                is_merged: false,
            },
        )
    }

    #[test]
    fn an_id_is_taken_once_whatever_it_says_the_second_time() {
        let mut events = InjectedEvents::default();
        assert_eq!(events.repeats(Uuid::from_u128(10), 7), None);
        events.keep(established(100, "VIP"), 7);
        assert_eq!(events.repeats(Uuid::from_u128(10), 7), Some(Repeats::Same));
        assert_eq!(
            events.repeats(Uuid::from_u128(10), 8),
            Some(Repeats::Another)
        );
    }

    #[test]
    fn only_an_established_event_begins_a_conversation() {
        let mut events = InjectedEvents::default();
        assert!(
            events
                .judge(&ended(200))
                .is_err_and(|refused| refused.is_retryable)
        );
        assert!(!events.has_conversation(CALL) && events.conversation(CALL, 0).is_none());
        assert_eq!(events.judge(&established(100, "VIP")), Ok(()));
        events.keep(established(100, "VIP"), 7);
        assert_eq!(events.judge(&ended(200)), Ok(()));
        assert!(
            events
                .judge(&ended(50))
                .is_err_and(|refused| !refused.is_retryable),
            "before its communication began"
        );
        assert_eq!(events.key_of(CALL), Some("VIP"));
    }

    #[test]
    fn the_conversation_is_told_by_all_its_events_and_says_whether_its_tag_is_its_own() {
        let mut events = InjectedEvents::default();
        events.replace_tag(CALL);
        assert!(!events.is_tag_replaced(CALL), "nothing is known of it");
        events.keep(established(100, "VIP"), 7);
        assert!(
            events
                .conversation(CALL, 0)
                .is_some_and(|held| held.is_open())
        );
        events.keep(ended(200), 8);
        let held = events.conversation(CALL, 0).expect("it was told");
        assert_eq!(
            (held.is_open(), held.start_ms, held.end_ms),
            (false, 100, 200)
        );
        events.replace_tag(CALL);
        assert!(events.is_tag_replaced(CALL));
    }
}
