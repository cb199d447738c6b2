//! The classes of damage the verifier knows: one table with code, title, severity and advice.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How bad a class of damage is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// A detail is off; nothing is lost.
    Minor,
    /// Something is wrong that people will act on.
    Major,
    /// Loss, or a legal duty is broken.
    Critical,
}

macro_rules! defects {
    ($($code:ident $severity:ident $title:literal $advice:literal;)*) => {
        /// A class of damage. The code is for machines; a person is always shown the title.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum Defect {
            $(#[doc = $title] $code,)*
        }

        impl Defect {
            /// Every class this verifier can report, in order of code.
            pub const ALL: &[Defect] = &[$(Defect::$code,)*];

            /// `D01`.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Defect::$code => stringify!($code),)* }
            }

            /// What it is, in plain words.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Defect::$code => $title,)* }
            }

            /// How bad it is.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self { $(Defect::$code => Severity::$severity,)* }
            }

            /// What to do about it.
            #[must_use]
            pub fn advice(self) -> &'static str {
                match self { $(Defect::$code => $advice,)* }
            }
        }
    };
}

defects! {
    D01 Critical "recording is missing in the target" "migrate it again, or agree the absence in the exclusions file";
    D02 Major "record in the target has no source that may be there" "find out who uploaded it; remove it if it should not be there";
    D03 Major "record was uploaded twice" "remove the surplus copy after checking which one people already used";
    D04 Critical "two source calls became one in the target" "remove the merged conversation and migrate both calls again";
    D05 Major "one recording became two" "remove the parts and upload the whole recording again";
    D10 Major "recording in the target has no conversation" "attach it to its conversation or migrate the call again";
    D11 Critical "recording is listed but its audio is gone" "upload the audio again";
    D12 Critical "upload never ended" "upload the recording again; if it stays so, ask the platform's support";
    D13 Critical "recording hangs on another call's conversation" "remove it there and link it to its own conversation";
    D14 Major "call is in only one of RWS and SpeechMiner" "post the call's document to SpeechMiner's Interaction Receiver";
    D15 Critical "end of the audio is cut off" "upload the recording again from the source";
    D16 Critical "beginning of the audio is missing" "upload the recording again from the source";
    D17 Critical "audio has a hole in the middle" "upload the recording again from the source";
    D18 Critical "audio belongs to another call" "upload both recordings again, each to its own call";
    D19 Critical "audio is silent" "check the conversion of this codec, then upload the recording again";
    D20 Critical "audio plays at the wrong pitch and length" "declare the source's sample rate when converting, then upload again";
    D21 Major "audio runs slightly too fast or too slow" "convert without resampling by a wrong ratio, then upload again";
    D22 Major "agent and customer channels are swapped" "convert again with the source's channel order";
    D23 Major "number of audio channels changed" "convert again and keep the source's channels";
    D24 Major "audio is in another format than agreed or declared" "convert to the format in the plan and declare it correctly";
    D25 Critical "audio cannot be played" "convert the recording again and upload it";
    D26 Major "audio is damaged or its bytes changed" "upload the recording again from the source";
    D27 Minor "audio has a lower quality than the source" "convert with a higher bit rate and without a filter, then upload again";
    D28 Minor "audio is louder or quieter than the source" "convert without changing the volume, then upload again";
    D29 Critical "audio was decoded with the wrong codec" "decode with the codec found in the file, not with the declared one";
    D30 Critical "audio is encrypted where it should not be, or the reverse" "decrypt or encrypt it as the plan says, then upload again";
    D31 Critical "an error page was stored as audio" "fetch the audio again and check its content before uploading";
    D32 Critical "audio file is empty" "upload the recording again from the source";
    D33 Critical "parts of a call are in the wrong order" "link each recording to its own part of the call";
    D34 Minor "declared length or size is not the file's" "write the length and size of the file as it is stored";
    D35 Critical "time is shifted" "correct the time conversion and migrate the times again";
    D36 Critical "time is off by one hour in daylight saving time" "use the zone's rules at the call's date, then migrate the times again";
    D37 Major "local hour of a clock change was resolved wrongly" "take the earlier instant of a repeated hour, and move a missing hour forward";
    D38 Critical "milliseconds and seconds were confused" "set time.unit to the source's unit and migrate the times again";
    D39 Major "start and end are swapped" "write the earlier instant as the start";
    D40 Minor "time lost its milliseconds" "write times with their full precision";
    D41 Major "times were repaired that were right" "swap start and end only where the source has them reversed";
    D42 Critical "day of the upload stands as day of the call" "write the call's own times";
    D43 Minor "duration, waiting or talking time was recomputed" "carry the source's figures; do not derive them from the audio";
    D44 Major "time cannot be read" "write times as RFC 3339 with an offset";
    D45 Critical "wrong agent" "correct the mapping in the migration and write the participant again";
    D46 Major "unknown agent stands where the agent is known" "run with the present mapping again";
    D47 Critical "agent was taken from a shared extension" "resolve agents by their id, never by phone number or extension";
    D48 Major "agent mapping of another date was used" "use the mapping row valid at the call's date";
    D49 Major "participants are missing, surplus or swapped" "write the participants of all segments, in their roles and order";
    D50 Major "wrong queue or skill" "write the queue and skill of the mapping";
    D51 Major "wrap-up code or disposition is lost or wrong" "write the wrap-up code of the mapping and the source's disposition";
    D52 Major "direction of the call is wrong" "write the source's direction";
    D53 Critical "other people than agreed may listen" "write the access group and partition of the mapping";
    D54 Critical "region is wrong" "insert the recording for the region in the plan; elsewhere it is not found";
    D55 Critical "recording would be deleted too early" "set the deletion date to the call's end plus the years of its class";
    D56 Major "recording would be kept too long" "set the deletion date to the call's end plus the years of its class";
    D57 Critical "legal hold is lost" "protect the conversation against deletion at once";
    D58 Critical "a policy of the target deletes the recording within days" "change the retention policy of the target at once";
    D59 Critical "sound can be heard inside a protected pause" "restrict access at once, then upload the audio with the pause made silent";
    D60 Critical "marks of a pause are lost or wrong" "write the pauses with their offsets from the recording's start";
    D61 Critical "phone number is wrong or not protected as agreed" "apply the plan's rule for phone numbers and write them again";
    D62 Minor "text is cut or its characters are damaged" "write the text whole, as UTF-8";
    D64 Minor "attribute is lost or changed" "write the attribute with the source's value";
}

impl std::fmt::Display for Defect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.title(), self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_order_and_no_title_stands_twice() {
        let codes: Vec<&str> = Defect::ALL.iter().map(|defect| defect.code()).collect();
        assert!(codes.is_sorted());
        let mut titles: Vec<&str> = Defect::ALL.iter().map(|defect| defect.title()).collect();
        titles.sort_unstable();
        titles.dedup();
        assert_eq!(titles.len(), Defect::ALL.len());
    }

    #[test]
    fn a_title_never_shows_a_code() {
        for defect in Defect::ALL {
            assert!(!defect.title().contains(defect.code()) && !defect.advice().is_empty(), "{}", defect.code());
        }
    }
}
