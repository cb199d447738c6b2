//! Audio: what the source's bytes are, and the form in which they go. Audio is untrusted; probing is by content.

use audio::{AudioError, Codec, Pcm, Probe};
use bytes::Bytes;
use plan::{AudioFormat, AudioRules, Pauses, Reason, ShortSource};

use crate::canonical::CanonicalRecording;

/// What goes to the target.
#[derive(Debug)]
pub(crate) enum Converted {
    /// The source's bytes as they are.
    Kept { probe: Probe },
    /// Other bytes with the same sound.
    Transcoded { bytes: Vec<u8>, probe: Probe, encoder: String },
}

/// Why nothing goes.
#[derive(Debug)]
pub(crate) enum Bad {
    /// The recording stays behind for this.
    Reason(Reason),
    /// Our own conversion lost or added sound: a defect of this program, never sent.
    Ours(String),
}

/// Decides and does the conversion of one recording. Blocking and long: call it where that does no harm.
pub(crate) fn convert(bytes: &Bytes, recording: &CanonicalRecording, rules: &AudioRules, pauses: &Pauses) -> Result<Converted, Bad> {
    let (probe, mut pcm) = audio::decode(bytes).map_err(|error| Bad::Reason(reason_of(&error)))?;
    judge_length(&pcm, recording, rules)?;
    let alter = !recording.pauses_ms.is_empty() && *pauses != Pauses::Keep;
    let Some(codec) = codec_needed(&probe, rules.format, alter) else { return Ok(Converted::Kept { probe }) };
    if alter {
        for pause in &recording.pauses_ms {
            cover(&mut pcm, *pause, pauses)?;
        }
    }
    let bytes = audio::encode(&pcm, codec).map_err(|error| Bad::Ours(format!("cannot encode {codec}: {error}")))?;
    let after = audio::probe(&bytes).map_err(|error| Bad::Ours(format!("what was encoded as {codec} does not decode: {error}")))?;
    let (before, now) = (pcm.samples() as u64, after.samples);
    if before != now || pcm.channels.len() != usize::from(after.channels) || pcm.sample_rate != after.sample_rate {
        return Err(Bad::Ours(format!("{before} samples became {now} when encoded as {codec}")));
    }
    Ok(Converted::Transcoded { bytes, probe: after, encoder: audio::encoder_version(codec) })
}

/// Takes the sound out of a pause. One that lies outside the recording, or ends before it begins, covers who knows what: nothing goes.
fn cover(pcm: &mut Pcm, (start, end): (i64, i64), pauses: &Pauses) -> Result<(), Bad> {
    let (Ok(start_ms), Ok(end_ms)) = (u64::try_from(start), u64::try_from(end)) else {
        return Err(Bad::Reason(Reason::PiiUnprotectable));
    };
    if start_ms >= end_ms || start_ms >= pcm.duration_ms() {
        return Err(Bad::Reason(Reason::PiiUnprotectable));
    }
    match pauses {
        Pauses::Tone => audio::tone(pcm, start_ms, end_ms),
        Pauses::Silence | Pauses::Seal(_) => audio::silence(pcm, start_ms, end_ms),
        Pauses::Keep => {}
    }
    Ok(())
}

/// Source: contracts section 4.
fn reason_of(error: &AudioError) -> Reason {
    match error {
        AudioError::Empty => Reason::AudioEmpty,
        AudioError::NotAudio { .. } => Reason::AudioNotAudio,
        AudioError::Undecodable { .. } | AudioError::Unsupported { .. } | AudioError::Io(_) => Reason::AudioUndecodable,
    }
}

/// The reference is the decoded length, held against what the source declares.
fn judge_length(pcm: &Pcm, recording: &CanonicalRecording, rules: &AudioRules) -> Result<(), Bad> {
    if pcm.samples() == 0 {
        return Err(Bad::Reason(Reason::AudioEmpty));
    }
    let declared = recording.declared_duration_ms.and_then(|ms| u64::try_from(ms).ok()).unwrap_or(0);
    let short = pcm.duration_ms() + rules.short_tolerance_ms < declared;
    if short && rules.short_source == ShortSource::Quarantine { Err(Bad::Reason(Reason::AudioShort)) } else { Ok(()) }
}

/// The codec to encode to; `None` where the source's bytes go. Genesys Cloud plays MP3 and WAV with linear samples.
/// Source: recording-migration guide, edge case 3.
fn codec_needed(probe: &Probe, format: AudioFormat, alter: bool) -> Option<Codec> {
    let is = |codec: Codec| probe.codec == codec && probe.container == codec.container();
    let wanted = match format {
        AudioFormat::Wav => Codec::PcmS16,
        AudioFormat::Keep if is(Codec::PcmS16) => Codec::PcmS16,
        AudioFormat::Mp3 | AudioFormat::Keep if mp3_can_hold(probe) => Codec::Mp3,
        AudioFormat::Mp3 | AudioFormat::Keep => Codec::PcmS16,
    };
    (alter || !is(wanted)).then_some(wanted)
}

/// MP3 knows nine sampling rates and two channels; what it cannot hold goes as WAV, a declared loss. Source: ISO 11172-3, 13818-3.
fn mp3_can_hold(probe: &Probe) -> bool {
    const RATES: [u32; 9] = [8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000];
    RATES.contains(&probe.sample_rate) && probe.channels <= 2
}
