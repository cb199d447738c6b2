//! The classes of damage the verifier knows: one table with code, title, severity and advice.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How bad a class of damage is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
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
    ($($code:literal $name:ident $severity:ident $title:literal $advice:literal;)*) => {
        /// A class of damage. The code is for machines; a person is always shown the title.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum Defect {
            $(#[doc = $title] #[serde(rename = $code)] $name,)*
        }

        impl Defect {
            /// Every class this verifier can report, in order of code.
            pub const ALL: &[Defect] = &[$(Defect::$name,)*];

            /// `D01`.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Defect::$name => $code,)* }
            }

            /// What it is, in plain words.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Defect::$name => $title,)* }
            }

            /// How bad it is.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self { $(Defect::$name => Severity::$severity,)* }
            }

            /// What to do about it; `{again}` stands for how a call is sent again (`advice.rs`).
            pub(crate) fn remedy(self) -> &'static str {
                match self { $(Defect::$name => $advice,)* }
            }
        }
    };
}

defects! {
    "D01" MissingRecording Critical "recording is missing in the target" "{again}, or agree the absence in the exclusions file";
    "D02" RecordWithoutSource Major "record in the target has no source that may be there" "find out whose it is before anything is removed: it may be the only copy of a call; then whoever owns it removes it in the target, Seatrial removes nothing there";
    "D03" UploadedTwice Major "record was uploaded twice" "remove only the copy that target_id names, once the other one plays, has the hold where there is one, and nobody works with the copy; Seatrial does not remove it";
    "D04" CallsMerged Critical "two source calls became one in the target" "remove nothing: {again}, both calls; when both are there by themselves, take out of the merged one what is not its own";
    "D05" CallSplit Major "one call or recording became two" "remove nothing yet: each part holds what is nowhere else; {again} as one, and remove the parts when that one verifies";
    "D06" EveryNthMissing Critical "every so-many-th record of the source is missing" "mend how pages of the source are read (cursor, last and first record of a page), then {again}";
    "D08" KindOfCallMissing Critical "a whole kind of calls is missing" "mend the filter that leaves this kind out, or agree the absence in the exclusions file; then {again}";
    "D10" RecordingWithoutConversation Major "recording in the target has no conversation" "attach it to its conversation in the target, or {again}; delete it only when its recording is there and plays";
    "D11" AudioGone Critical "recording is listed but its audio is gone" "find out what took the audio away (a policy, a job, a person) and stop that first; then {again}";
    "D12" UploadNeverEnded Critical "upload never ended" "see whether the upload still runs: a second one beside it becomes a duplicate; where it has ended or been given up, {again}";
    "D13" RecordingOnAnotherCall Critical "recording hangs on another call" "do not delete it where it hangs, it may be the only copy: {again}, both calls. Then ask the administrator of the target to remove what still hangs on the other call";
    "D14" MissingInOneStore Major "call or recording is in only one of RWS and SpeechMiner" "{again}: what is missing in one of the two stores is put there; remove nothing in the other";
    "D15" AudioTruncatedEnd Critical "end of the audio is cut off" "{again}, and look for what ends files early (a buffer, a time-out, a cut download)";
    "D16" AudioTruncatedStart Critical "beginning of the audio is missing" "{again}, and look for what leaves out the beginning";
    "D17" AudioHole Critical "audio has a hole in the middle" "{again}, and look for what loses blocks inside";
    "D18" AudioOfAnotherCall Critical "audio belongs to another call" "remove nothing: {again}, both calls, each with its own audio";
    "D19" AudioSilent Critical "audio is silent" "mend the conversion of this codec, then {again}";
    "D20" AudioWrongPitch Critical "audio plays at the wrong pitch and length" "convert with the sample rate found in the source's file, then {again}";
    "D21" AudioWrongSpeed Major "audio runs slightly too fast or too slow" "convert without resampling by a wrong ratio, then {again}";
    "D22" ChannelsSwapped Major "agent and customer channels are swapped" "convert with the source's channel order, then {again}";
    "D23" ChannelCountChanged Major "number of audio channels changed" "convert with the source's channels, then {again}";
    "D24" AudioFormatWrong Major "audio is in another format than agreed or declared" "convert to the format in the plan and declare that format, then {again}";
    "D25" AudioUnplayable Critical "audio cannot be played" "{again}; where the source's own file does not play either, keep both and ask its operator";
    "D26" AudioDamaged Major "audio is damaged or its bytes changed" "{again}";
    "D27" AudioQualityReduced Minor "audio has a lower quality than the source" "convert with a higher bit rate and without a filter, then {again}";
    "D28" AudioVolumeChanged Minor "audio is louder or quieter than the source" "convert without changing the volume, then {again}";
    "D29" AudioWrongCodec Critical "audio was decoded with the wrong codec" "decode with the codec found in the file, not with the declared one, then {again}";
    "D30" EncryptionWrong Critical "audio is encrypted where it should not be, or the reverse" "encrypt as the plan says and no more, then {again}; lose no key before every file opens";
    "D31" ErrorPageAsAudio Critical "an error page was stored as audio" "read the source's audio again and look at its content before it is sent: {again}";
    "D32" AudioEmpty Critical "audio file is empty" "{again}";
    "D33" PartsOutOfOrder Critical "parts of a call are exchanged or in the wrong order" "{again}: each recording goes to its own part of the call; delete neither, both are only exchanged";
    "D34" DeclaredLengthOrSizeWrong Minor "declared length or size is not the file's" "write the length and size of the file as it is stored: {again}";
    "D35" TimeShifted Critical "time is shifted" "correct the time conversion (unit, zone, the recorder's offset), then {again}";
    "D36" TimeOffByDaylightSaving Critical "time is off by one hour in daylight saving time" "use the zone's rules at the call's date, then {again}";
    "D37" ClockChangeMisread Major "local hour of a clock change was resolved wrongly" "take the earlier instant of a repeated hour and move a missing hour forward, then {again}";
    "D38" TimeUnitConfused Critical "milliseconds and seconds were confused" "set time.unit to the source's unit, then {again}";
    "D39" StartAndEndSwapped Major "start and end are swapped" "write the earlier instant as the start, then {again}";
    "D40" MillisecondsLost Minor "time lost its milliseconds" "write times with their full precision, then {again}";
    "D41" NeedlessTimeRepair Major "times were repaired that were right" "swap start and end only where the source has them reversed, then {again}";
    "D42" UploadDateAsCallDate Critical "day of the upload stands as day of the call" "write the call's own times, then {again}";
    "D43" DurationRecomputed Minor "duration, waiting or talking time was recomputed" "carry the source's figures, do not derive them from the audio, then {again}";
    "D44" TimeUnreadable Major "time cannot be read" "write times as RFC 3339 with an offset, then {again}";
    "D45" WrongAgent Critical "wrong agent" "correct the migration's mapping where it is wrong, then {again}";
    "D46" FallbackInsteadOfAgent Major "unknown agent stands where the agent is known" "{again} with the present mapping; it has a row for this agent";
    "D47" AgentFromExtension Critical "agent was taken from a shared extension" "resolve agents by their id, never by phone number or extension, then {again}";
    "D48" AgentMappingOfAnotherDate Major "agent mapping of another date was used" "use the mapping row valid at the call's date, then {again}";
    "D49" ParticipantsWrong Major "participants are missing, surplus or swapped" "write everybody who took part, in their roles and order, with the events of joining and leaving: {again}";
    "D50" QueueOrSkillWrong Major "wrong queue or skill" "write the queue and skill of the mapping: {again}";
    "D51" WrapUpOrDispositionWrong Major "wrap-up code or disposition is lost or wrong" "write the wrap-up code of the mapping and the source's disposition, on the leg of the agent who gave it: {again}";
    "D52" DirectionWrong Major "direction of the call is wrong" "write the source's direction: {again}";
    "D53" AccessWrong Critical "other people than agreed may listen" "have the access narrowed in the target at once, then write the access group and partition of the mapping: {again}";
    "D54" RegionWrong Critical "region is wrong" "{again}; once the right region has it, have it removed in the wrong one by who administers that";
    "D55" DeletionDateMissingOrEarly Critical "deletion date is missing or too early" "{again}, which writes the call's end plus the years of its class; without a date nothing deletes it, with an early one it is lost";
    "D56" KeptTooLong Major "recording would be kept too long" "{again}, which writes the call's end plus the years of its class; before a protection is lifted ask whether somebody there holds the call";
    "D57" LegalHoldLost Critical "legal hold is lost" "protect the conversation against deletion in the target at once; {again} does it too";
    "D58" DeletedByPolicy Critical "a policy of the target deletes recordings within days" "have the retention policy named here changed or disabled at once, before anything else; then {again} for the dates";
    "D59" PauseAudible Critical "sound can be heard inside a protected pause" "restrict access at once, then {again}, which covers the pause, and have the old audio deleted";
    "D60" PauseMarksWrong Critical "marks of a pause are lost or wrong" "write the pauses with their offsets from the recording's start: {again}";
    "D61" PhoneNumberWrong Critical "phone number is wrong or not protected as agreed" "restrict access where a number stands in the clear, then apply the plan's rule for numbers: {again}";
    "D62" TextDamaged Minor "text is cut or its characters are damaged" "write the text whole, as UTF-8, in the source's form: {again}";
    "D63" SourceIdDamaged Critical "id of the source is damaged" "remove nothing and send nothing beside it: ask the administrator of the target to correct the id on the record, Seatrial cannot change it; keep ids as text everywhere";
    "D64" AttributeWrong Minor "attribute is lost or changed" "write the attribute with the source's value: {again}";
    "P2" LedgerSaysFailed Major "target has it, ledger says failed" "run the migrator again: what is there is found, compared and confirmed; where it does not take the call up by itself, {again}";
    "P5" VersionChanged Major "tool or mapping changed during the migration" "find out who changed the tool or the plan; {again}, so that one tool and one plan have sent everything, or keep the reason with the chain of custody";
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
            assert!(
                !defect.title().contains(defect.code()) && !defect.remedy().is_empty(),
                "{}",
                defect.code()
            );
        }
    }
}
