//! Recordings that are, or were, written in a playable format.

use std::collections::BTreeMap;

use uuid::Uuid;

/// When each transcoding is done, Unix ms, by conversation, recording and format.
#[derive(Clone, Default)]
pub(crate) struct Transcodes {
    ready_at_ms: BTreeMap<(Uuid, Uuid, &'static str), i64>,
}

impl Transcodes {
    /// Milliseconds until a recording is there in a format; 0: it is. Starts the transcoding, which
    /// takes `takes_ms`, where nobody has asked before.
    pub(crate) fn left_ms(
        &mut self,
        (conversation, recording): (Uuid, Uuid),
        format: &'static str,
        now_ms: i64,
        takes_ms: u64,
    ) -> u64 {
        let done_ms = now_ms.saturating_add_unsigned(takes_ms);
        let ready_at_ms = *self
            .ready_at_ms
            .entry((conversation, recording, format))
            .or_insert(done_ms);
        ready_at_ms.saturating_sub(now_ms).max(0).unsigned_abs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transcoding_begins_with_the_first_question_and_no_later_one_begins_it_anew() {
        let recording = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut transcodes = Transcodes::default();
        let left = [0, 400, 1_000, 5_000]
            .map(|now_ms| transcodes.left_ms(recording, "WEBM", now_ms, 1_000));
        assert_eq!(left, [1_000, 600, 0, 0]);
        assert_eq!(
            transcodes.left_ms(recording, "MP3", 5_000, 1_000),
            1_000,
            "another format is another transcoding"
        );
    }
}
