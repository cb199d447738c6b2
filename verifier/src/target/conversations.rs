//! Conversations of ours by the ids they carry, as many as there are.

use std::path::Path;

use crate::in_order::InOrder;
use crate::observed::TargetConversation;
use crate::run_error::RunError;
use crate::sorted_records::{Merge, RecordSorter, SortedRecords, text_key};
use crate::source::order_key;

/// Conversations in the order of the interactions whose ids they carry, then of their own ids.
#[derive(Debug, Default)]
pub(crate) struct Conversations(SortedRecords<TargetConversation>);

/// Takes conversations in any order.
pub(crate) struct ConversationSorter(RecordSorter<TargetConversation>);

impl ConversationSorter {
    /// # Errors
    ///
    /// There is no room for it ([`RunError::Report`]).
    pub(crate) fn add(&mut self, conversation: &TargetConversation) -> Result<(), RunError> {
        let mut key = order_key(conversation.legacy_id.as_deref().unwrap_or_default());
        text_key(&conversation.id, &mut key);
        self.0.push(&key, conversation)
    }

    /// # Errors
    ///
    /// There is no room for it ([`RunError::Report`]).
    pub(crate) fn sorted(self) -> Result<Conversations, RunError> {
        Ok(Conversations(self.0.sorted()?))
    }
}

impl Conversations {
    /// `folder`: where room is for what does not fit in memory.
    pub(crate) fn sorter(folder: &Path) -> ConversationSorter {
        ConversationSorter(RecordSorter::new(folder))
    }

    /// How many there are.
    pub(crate) fn len(&self) -> u64 {
        self.0.len()
    }

    /// As they are stored: the key of each begins with that of its interaction.
    ///
    /// # Errors
    ///
    /// They cannot be read back ([`RunError::Report`]).
    pub(crate) fn stored(&self) -> Result<Merge<'_>, RunError> {
        self.0.stored()
    }

    /// Looked up by the beginnings of their keys.
    pub(crate) fn in_order(&self) -> InOrder<'_, TargetConversation> {
        InOrder::new(&self.0)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Result<TargetConversation, RunError>> + '_ {
        self.0.iter()
    }
}
