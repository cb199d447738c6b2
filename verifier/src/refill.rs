//! Records read back into the memory of those before them: where a million are looked at one behind
//! the other, none of their lists is made anew. They are in postcard's form, as serde writes them.

use std::collections::BTreeMap;

use postcard::de_flavors::Slice;
use postcard::{Deserializer, Error};
use serde::Deserialize;

use crate::run_error::RunError;
use crate::sorted_records::broken;

/// What is left to read of a record.
pub(crate) type Rest<'a> = Deserializer<'a, Slice<'a>>;

/// What can take the place of an earlier value of its kind.
pub(crate) trait Refill {
    /// Whatever was there, it is what serde reads afterwards; after an error it is anything.
    fn refill(&mut self, from: &mut Rest<'_>) -> Result<(), Error>;
}

/// Reads a record back in the place of another.
pub(crate) fn refill<T: Refill>(value: &mut T, record: &[u8]) -> Result<(), RunError> {
    let mut rest = Deserializer::from_bytes(record);
    value.refill(&mut rest).map_err(broken)
}

/// What has no memory of its own worth keeping is read as serde does.
macro_rules! read_anew {
    ($($kind:ty),* $(,)?) => {
        $(impl $crate::refill::Refill for $kind {
            fn refill(
                &mut self,
                from: &mut $crate::refill::Rest<'_>,
            ) -> Result<(), postcard::Error> {
                *self = serde::Deserialize::deserialize(from)?;
                Ok(())
            }
        })*
    };
}

read_anew!(bool, u16, u64, usize, i64, String, BTreeMap<String, String>);

/// Field by field, in the order in which they are declared: serde writes them so.
macro_rules! refill_fields {
    ($kind:ident { $($field:ident),* $(,)? }) => {
        impl $crate::refill::Refill for $kind {
            fn refill(
                &mut self,
                from: &mut $crate::refill::Rest<'_>,
            ) -> Result<(), postcard::Error> {
                let $kind { $($field),* } = self;
                $($crate::refill::Refill::refill($field, from)?;)*
                Ok(())
            }
        }
    };
}

pub(crate) use {read_anew, refill_fields};

impl<T: Refill + Default> Refill for Option<T> {
    fn refill(&mut self, from: &mut Rest<'_>) -> Result<(), Error> {
        if bool::deserialize(&mut *from)? {
            return self.get_or_insert_default().refill(from);
        }
        *self = None;
        Ok(())
    }
}

impl<T: Refill + Default> Refill for Vec<T> {
    fn refill(&mut self, from: &mut Rest<'_>) -> Result<(), Error> {
        let count = usize::deserialize(&mut *from)?;
        self.truncate(count);
        for one in self.iter_mut() {
            one.refill(from)?;
        }
        // No room is made for what a record only says that it has.
        while self.len() < count {
            let mut one = T::default();
            one.refill(from)?;
            self.push(one);
        }
        Ok(())
    }
}

impl<A: Refill, B: Refill> Refill for (A, B) {
    fn refill(&mut self, from: &mut Rest<'_>) -> Result<(), Error> {
        self.0.refill(from)?;
        self.1.refill(from)
    }
}

impl<T: Refill + Default> Refill for Result<T, String> {
    fn refill(&mut self, from: &mut Rest<'_>) -> Result<(), Error> {
        match u32::deserialize(&mut *from)? {
            0 => match self {
                Ok(value) => value.refill(from)?,
                Err(_) => {
                    let mut value = T::default();
                    value.refill(from)?;
                    *self = Ok(value);
                }
            },
            1 => *self = Err(Deserialize::deserialize(from)?),
            _ => return Err(Error::DeserializeBadEnum),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;

    use serde::Serialize;

    use std::collections::BTreeSet;

    use super::*;
    use crate::checks::testing::{conversation, first, wanted};
    use crate::expected::testing::interaction;
    use crate::observed::{
        Field, MarkedPause, PauseInstants, PauseReason, Recordings, TargetConversation, TimeReading,
    };
    use crate::platform_facts::PlatformFacts;
    use crate::source::{SourceInteraction, SourceTime, StagedMedia};

    /// Reads each in the place of each, and holds it against what serde reads.
    fn assert_as_serde_reads<T>(all: &[T])
    where
        T: Refill + Clone + Debug + Serialize + for<'de> Deserialize<'de>,
    {
        for one in all {
            let record = postcard::to_stdvec(one).expect("written");
            let wanted: T = postcard::from_bytes(&record).expect("read");
            for before in all {
                let mut value = before.clone();
                refill(&mut value, &record).expect("read in its place");
                assert_eq!(format!("{value:?}"), format!("{wanted:?}"));
            }
            for end in 0..record.len() {
                let mut value = one.clone();
                assert!(refill(&mut value, &record[..end]).is_err(), "cut at {end}");
            }
        }
    }

    #[test]
    fn a_call_of_the_source_is_what_was_written_whatever_stood_there() {
        let mut full = interaction();
        full.listed.numbers_masked = Some(true);
        full.listed.rounded = vec!["talkTimeMs".to_owned()];
        full.listed.extra = BTreeMap::from([("shop".to_owned(), "7".to_owned())]);
        full.listed.row_reversed = true;
        full.listed.skill_group = Some("a name that is longer than any id could ever be".into());
        full.collided = true;
        full.recordings[1].staged = Some(StagedMedia {
            sha256: "00".into(),
            bytes: 7,
            announced: Some(8),
        });
        if let Ok(details) = &mut full.recordings[1].details {
            details.codec = Some("mulaw".into());
            details.channels = Some(2);
            details.size_bytes = Some(1 << 40);
            details.delete_at = SourceTime::Text {
                text: "1698400800000.0".into(),
                whole: Some(1_698_400_800_000),
            };
            details.legal_hold = true;
            details.rounded = vec!["durationMs".to_owned()];
        }
        let mut short = interaction();
        short.recordings[0].details = Err("403".to_owned());
        short.recordings.truncate(1);
        short.listed.segments.clear();
        short.listed.end_time = SourceTime::Instant {
            text: "27/10/2023".into(),
            at: None,
        };
        let unread = SourceInteraction {
            unread: Some("no JSON".to_owned()),
            ..SourceInteraction::default()
        };
        assert_as_serde_reads(&[full, short, unread, interaction()]);
    }

    #[test]
    fn a_conversation_is_what_was_written_whatever_stood_there() {
        let right = conversation(&wanted());
        let mut full = right.clone();
        full.legs[0].wrap_ups = vec!["a".into(), "b".into()];
        full.legs[0].number = Some("4711".into());
        full.end = TimeReading::Damaged("yesterday".into());
        full.withheld = BTreeSet::from([Field::Caller, Field::User]);
        full.platform = PlatformFacts::of("a fact".to_owned());
        let recording = first(&mut full);
        recording.originating_id = Some("7".into());
        recording.media_unseen = Some("a permission".to_owned());
        recording.platform = PlatformFacts::of(7_u32);
        recording.pause_instants = vec![PauseInstants::default()];
        recording.pauses = vec![MarkedPause {
            location_ms: -1,
            length_ms: 7,
            reason: Some(PauseReason::Other),
        }];
        let mut hidden = right.clone();
        hidden.recordings = Recordings::Hidden("a permission".to_owned());
        (hidden.skills, hidden.protected) = (None, None);
        hidden.attributes.clear();
        assert_as_serde_reads(&[full, hidden, TargetConversation::default(), right]);
    }
}
