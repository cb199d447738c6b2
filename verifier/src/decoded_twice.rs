//! Recordings whose files another program decodes too: which, by what, and what came of it. Source:
//! docs/reference/reports.md, "summary.json".

use std::collections::{BTreeMap, BTreeSet};

use audio::SecondDecoder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cross_call::Place;
use crate::expected::Expectation;
use crate::options::{AudioScope, DecodeTwice, Options};
use crate::run_error::RunError;
use crate::sound::{DecoderComparison, PairSound, SecondDecoding};

/// What came of decoding a sample of recordings a second time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DecodedTwice {
    /// Programs that decoded something, with their versions.
    pub programs: Vec<String>,
    /// Recordings that were asked for.
    pub asked: u64,
    /// Seed of the sample.
    pub seed: u64,
    /// Recordings that were drawn: fewer than asked for where there are no more.
    #[serde(default)]
    pub drawn: u64,
    /// Of these, recordings whose audio was compared and whose files were given to another program.
    pub recordings: u64,
    /// Of these, both decoders make the same sound of both files.
    pub agree: u64,
    /// Files that both decoders find broken, and make different sound of.
    #[serde(default)]
    pub both_broken: Vec<OtherSound>,
    /// Files of which they make different sound: the recording is reported as not verifiable.
    pub differ: Vec<OtherSound>,
    /// Files that the other program does not decode: the recording is reported as not verifiable.
    pub not_decoded: Vec<OtherSound>,
}

/// A file of which another program makes different sound, or none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OtherSound {
    /// Recording of the source.
    pub legacy_recording_id: String,
    /// `source` or `target`: whose file.
    pub side: String,
    /// Name and version of the program.
    pub program: String,
    /// In what it differs from our own decoding, or why there is nothing.
    pub what: String,
}

/// The programs that an option asks for. Empty: it asks for none.
///
/// # Errors
///
/// There is none on the `PATH`, or nothing to decode.
pub(crate) fn decoders(options: &Options) -> Result<Vec<SecondDecoder>, RunError> {
    if options.decode_twice.is_none() {
        return Ok(Vec::new());
    }
    if options.audio == AudioScope::None {
        return Err(RunError::Plan(
            "--second-decoder takes recordings whose audio is compared, and --audio none compares \
             none; give one of the two"
                .to_owned(),
        ));
    }
    let found = SecondDecoder::all();
    if found.is_empty() {
        return Err(RunError::Plan(
            "--second-decoder needs ffmpeg or sox, and neither is on the PATH, or it does \
             not answer to -version; install the Debian package ffmpeg, or sox and libsox-fmt-all"
                .to_owned(),
        ));
    }
    Ok(found)
}

/// Sums up what was heard twice.
pub(crate) fn count(
    wanted: DecodeTwice,
    expectations: &[Expectation],
    heard: &BTreeMap<Place, PairSound>,
) -> DecodedTwice {
    let mut sum = DecodedTwice {
        programs: Vec::new(),
        asked: wanted.recordings as u64,
        seed: wanted.seed,
        drawn: 0,
        recordings: 0,
        agree: 0,
        both_broken: Vec::new(),
        differ: Vec::new(),
        not_decoded: Vec::new(),
    };
    let mut programs = BTreeSet::new();
    for (place, sound) in heard {
        sum.drawn += u64::from(sound.is_second_decoder_drawn);
        let Some(second) = &sound.second_decodings else {
            continue;
        };
        sum.recordings += 1;
        let is_same =
            |(_, second): (&str, &SecondDecoding)| second.comparison == DecoderComparison::Same;
        sum.agree += u64::from(second.sides().all(is_same));
        let id = &expectations[place.0].recordings[place.1].legacy_id;
        for (side, second) in second.sides() {
            let other = |what: &str| OtherSound {
                legacy_recording_id: id.into(),
                side: side.to_owned(),
                program: second.program.clone(),
                what: what.to_owned(),
            };
            match &second.comparison {
                DecoderComparison::Same => {}
                DecoderComparison::BothBroken(what) => sum.both_broken.push(other(what)),
                DecoderComparison::Different(what) => sum.differ.push(other(what)),
                DecoderComparison::NotDecoded(why) => {
                    sum.not_decoded.push(other(why));
                    continue;
                }
            }
            programs.insert(second.program.clone());
        }
    }
    sum.programs.extend(programs);
    sum
}

impl DecodedTwice {
    /// What the report's sentence says of it.
    pub(crate) fn words(&self) -> String {
        let counted = |count: u64| match count {
            1 => "1 recording".to_owned(),
            count => format!("{count} recordings"),
        };
        let not_compared = match self.drawn.saturating_sub(self.recordings) {
            0 => String::new(),
            count => format!("; {count} of the {} drawn were not compared", self.drawn),
        };
        let recordings_of = |files: &[OtherSound]| {
            let ids: BTreeSet<&String> =
                files.iter().map(|file| &file.legacy_recording_id).collect();
            ids.len()
        };
        if self.programs.is_empty() {
            let failed = match recordings_of(&self.not_decoded) {
                0 => String::new(),
                count => format!(": {count} could not be decoded by another program"),
            };
            return format!("no recording was decoded a second time{failed}{not_compared}");
        }
        let outcome = match (self.agree == self.recordings, self.recordings) {
            (true, 1) => ", with the same result".to_owned(),
            (true, _) => ", and all agree".to_owned(),
            (false, _) => {
                let others: Vec<String> = [
                    (recordings_of(&self.differ), "differ"),
                    (
                        recordings_of(&self.not_decoded),
                        "could not be decoded by it",
                    ),
                    (recordings_of(&self.both_broken), "are broken to both"),
                ]
                .into_iter()
                .filter(|(count, _)| *count > 0)
                .map(|(count, what)| format!("{count} {what}"))
                .collect();
                format!(", and {} agree, {}", self.agree, others.join(", "))
            }
        };
        format!(
            "the sound of {} was decoded a second time by {}{outcome}{not_compared}",
            counted(self.recordings),
            self.programs.join(" and ")
        )
    }

    /// A line for each file of which the other program makes different sound, or none.
    pub(crate) fn lines(&self) -> impl Iterator<Item = String> + Clone + '_ {
        self.differ
            .iter()
            .map(|file| {
                format!(
                    "{}: {}'s file: {} and our own decoder differ: {}",
                    file.legacy_recording_id, file.side, file.program, file.what
                )
            })
            .chain(self.not_decoded.iter().map(|file| {
                format!(
                    "{}: the {}'s file was not decoded a second time by {}: {}",
                    file.legacy_recording_id, file.side, file.program, file.what
                )
            }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(id: &str, what: &str) -> OtherSound {
        OtherSound {
            legacy_recording_id: id.to_owned(),
            side: "target".to_owned(),
            program: "ffmpeg 7.0".to_owned(),
            what: what.to_owned(),
        }
    }

    #[test]
    fn a_reader_learns_how_many_by_what_and_which_differ() {
        let mut sum = DecodedTwice {
            programs: vec!["ffmpeg 7.0".to_owned(), "sox 14.4.2".to_owned()],
            asked: 20,
            seed: 1,
            drawn: 20,
            recordings: 20,
            agree: 20,
            both_broken: Vec::new(),
            differ: Vec::new(),
            not_decoded: Vec::new(),
        };
        assert_eq!(
            sum.words(),
            "the sound of 20 recordings was decoded a second time by ffmpeg 7.0 and sox 14.4.2, and \
             all agree"
        );
        assert_eq!(sum.lines().count(), 0);
        sum.agree = 17;
        sum.differ = vec![file("1-1", "6000 ms instead of 3000 ms"), file("2-1", "x")];
        sum.not_decoded = vec![file("3-1", "it gives no sound")];
        assert!(
            sum.words()
                .ends_with(", and 17 agree, 2 differ, 1 could not be decoded by it"),
            "{}",
            sum.words()
        );
        let lines: Vec<String> = sum.lines().collect();
        assert_eq!(
            lines[0],
            "1-1: target's file: ffmpeg 7.0 and our own decoder differ: 6000 ms instead of 3000 ms"
        );
        assert!(lines[2].contains("3-1") && lines[2].ends_with("it gives no sound"));
        (sum.drawn, sum.both_broken) = (22, vec![file("4-1", "y")]);
        assert!(
            sum.words()
                .ends_with(", 1 are broken to both; 2 of the 22 drawn were not compared"),
            "{}",
            sum.words()
        );
        (sum.drawn, sum.recordings) = (0, 0);
        sum.programs.clear();
        assert_eq!(
            sum.words(),
            "no recording was decoded a second time: 1 could not be decoded by another program"
        );
        sum.not_decoded.clear();
        assert_eq!(sum.words(), "no recording was decoded a second time");
    }

    #[test]
    fn nothing_to_decode_is_refused_before_anything_is_asked() {
        let options = Options {
            decode_twice: Some(DecodeTwice {
                recordings: 20,
                seed: 1,
            }),
            audio: AudioScope::None,
            ..Options::default()
        };
        let refusal = decoders(&options).expect_err("nothing is compared");
        assert!(refusal.to_string().contains("--audio none"), "{refusal}");
        assert_eq!(decoders(&Options::default()).expect("not asked for"), []);
    }
}
