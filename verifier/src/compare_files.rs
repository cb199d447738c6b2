//! Two files by themselves, judged as a verification judges a recording and its copy: for whoever
//! measures the check of sound (`./prove sound`).

use audio::{Ffmpeg, Pcm, SecondDecoder};

use crate::defect::Defect;
use crate::expected::{AudioExpectation, PauseRule, SoundFacts, SourceSound};
use crate::sound::{
    Alignment, DecoderComparison, SecondDecoding, Wanted, align, decode_by_second, judge,
    read_source,
};

/// What differs between a recording and its copy, in order of weight. None: the same conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDifference {
    /// Class of damage.
    pub defect: Defect,
    /// What should be heard.
    pub expected: String,
    /// What is.
    pub actual: String,
    /// Little of the source is in it: it may be another recording's.
    pub is_foreign: bool,
}

/// How well a copy fits its source, whatever is decided from it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    /// Share of the seconds with sound that stand in their place. Absent: there is no sound.
    pub held: Option<f64>,
    /// The median correlation of all seconds with sound, 0 to 1.
    pub typical: f64,
}

/// Compares a copy in whatever format it is with its source.
///
/// # Errors
///
/// The source does not decode; in words.
pub fn compare_files(source: &[u8], target: &[u8]) -> Result<Vec<FileDifference>, String> {
    let (facts, pcm) = decoded(source)?;
    // The copy's own format: no plan says what it should be.
    let audio = match audio::probe(target) {
        Ok(probe) => AudioExpectation::Transcoded {
            container: probe.container,
            codec: probe.codec,
        },
        Err(_) => AudioExpectation::Kept,
    };
    let wanted = Wanted {
        audio,
        pauses: Vec::new(),
        rule: PauseRule::Keep,
    };
    let told = judge(&facts, &pcm, &wanted, target, None).differences;
    Ok(told
        .into_iter()
        .map(|difference| FileDifference {
            defect: difference.defect,
            expected: difference.expected,
            actual: difference.actual,
            is_foreign: difference.foreign,
        })
        .collect())
}

/// How well a copy fits its source second by second: what [`compare_files`] decides from.
///
/// # Errors
///
/// One of the two does not decode; in words.
pub fn fit_files(source: &[u8], target: &[u8]) -> Result<Fit, String> {
    let (facts, pcm) = decoded(source)?;
    let (probe, copy) = audio::decode(target).map_err(|error| format!("the copy: {error}"))?;
    let Alignment { held, typical } = align((&pcm, facts.codec), (&copy, probe.codec), target);
    Ok(Fit { held, typical })
}

/// In what another program's decoding of a file differs from ours, as `verify --second-decoder`
/// judges it. Absent: in nothing.
///
/// # Errors
///
/// One of the two makes no sound of it; in words.
pub fn decode_again(decoders: &[SecondDecoder], file: &[u8]) -> Result<Option<String>, String> {
    let heard = decode_by_second(decoders, file).ok_or("our own decoder makes no sound of it")?;
    let SecondDecoding {
        program,
        comparison,
    } = heard;
    match comparison {
        DecoderComparison::Same | DecoderComparison::BothBroken(_) => Ok(None),
        DecoderComparison::Different(what) => Ok(Some(format!("{program}: {what}"))),
        DecoderComparison::NotDecoded(why) => Err(format!("{program}: {why}")),
    }
}

fn decoded(source: &[u8]) -> Result<(SoundFacts, Pcm), String> {
    match read_source(source, None, Ffmpeg::Never) {
        (SourceSound::Good(facts), Some(pcm)) => Ok((facts, pcm)),
        (sound, _) => Err(format!("the source is not usable: {sound:?}")),
    }
}
