//! Audio: what the source's bytes are, and the form in which they go. Audio is untrusted; probing
//! is by content.
//!
//! Everything passes in blocks, so a recording of a gigabyte needs no more memory than one of a
//! minute.

use std::io::{SeekFrom, Write};

use audio::{
    AudioError, Codec, Cover, Covers, Damage, Decoder, Encoder, Ffmpeg, Head, Probe, Source,
};
use plan::{AudioFormat, AudioRules, FfmpegUse, Pauses, Reason, ShortSource};
use sha2::{Digest, Sha256};

use crate::canonical::CanonicalRecording;
use crate::encrypt::{Recipients, Sealed};
use crate::error::Aside;

/// What goes to the target.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Converted {
    /// The source's bytes as they are; the sink is as empty as it was.
    Kept { probe: Probe },
    /// What stands in the sink: other bytes with the same sound. Length in bytes, SHA-256 in
    /// lower-case hex.
    Transcoded {
        bytes: u64,
        sha256: String,
        probe: Probe,
        encoder: String,
    },
    /// Either of them, encrypted; the probe is of the sound inside. Encoder: absent where the
    /// source's bytes were encrypted.
    Sealed {
        sealed: Sealed,
        probe: Probe,
        encoder: Option<String>,
    },
}

/// Why nothing goes. What stands in the sink is worth nothing then.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ConvertError {
    /// The recording stays behind for this.
    Quarantine(Aside),
    /// Our own conversion lost or added sound: a defect of this program, never sent.
    Internal(String),
    /// Source or sink could not be read or written, which says nothing about the recording.
    Io(String),
}

/// Decides and does the conversion of one recording, in bounded memory. The sink is empty and
/// stands at its start. Blocking and long: call it where that does no harm.
pub(crate) fn convert(
    source: &mut impl Source,
    sink: &mut (impl Source + Write),
    recording: &CanonicalRecording,
    rules: &AudioRules,
    pauses: &Pauses,
) -> Result<Converted, ConvertError> {
    let decoder =
        Decoder::open(source, ffmpeg(rules)).map_err(|error| of_source(named(error, recording)))?;
    let alter =
        (!recording.pauses_ms.is_empty() || !recording.pauses_whole) && *pauses != Pauses::Keep;
    let Some(codec) = codec_needed(decoder.head(), rules.format, alter) else {
        let probe = decoder.finish().map_err(of_source)?;
        judge_length(&probe, recording, rules)?;
        return Ok(Converted::Kept { probe });
    };
    let hidden: &[(i64, i64)] = if alter { &recording.pauses_ms } else { &[] };
    let (before, written) =
        transcode(decoder, &mut *sink, codec, covers(hidden, pauses)).map_err(of_source)?;
    judge_length(&before, recording, rules)?;
    judge_pauses(&before, hidden, recording.pauses_whole || !alter)?;
    written.map_err(|error| ours(format!("cannot encode {codec}"), error))?;
    let (bytes, sha256) = measure(sink).map_err(|error| ConvertError::Io(error.to_string()))?;
    let after = Decoder::new(sink).and_then(Decoder::finish);
    let after = after.map_err(|error| {
        ours(
            format!("what was encoded as {codec} does not decode"),
            error,
        )
    })?;
    if before.samples != after.samples
        || before.channels != after.channels
        || before.sample_rate != after.sample_rate
    {
        return Err(ConvertError::Internal(format!(
            "{} samples became {} when encoded as {codec}",
            before.samples, after.samples
        )));
    }
    Ok(Converted::Transcoded {
        bytes,
        sha256,
        probe: after,
        encoder: audio::encoder_version(codec),
    })
}

/// As the plan says.
fn ffmpeg(rules: &AudioRules) -> Ffmpeg {
    match rules.ffmpeg {
        FfmpegUse::Auto => Ffmpeg::Auto,
        FfmpegUse::Never => Ffmpeg::Never,
    }
}

/// Encrypts what was converted, or the source's own bytes where they go as they are. Blocking.
pub(crate) fn seal(
    recipients: &Recipients,
    converted: Converted,
    source: &mut impl Source,
    sink: &mut impl Source,
    sealed: &mut impl Write,
) -> Result<Converted, ConvertError> {
    let (probe, encoder, sealed) = match converted {
        Converted::Kept { probe } => (probe, None, recipients.seal(source, sealed)),
        Converted::Transcoded { probe, encoder, .. } => {
            (probe, Some(encoder), recipients.seal(sink, sealed))
        }
        Converted::Sealed { .. } => return Ok(converted),
    };
    Ok(Converted::Sealed {
        sealed: sealed.map_err(ConvertError::Io)?,
        probe,
        encoder,
    })
}

/// Decodes, covers pauses and encodes in one pass. An error of the source comes first and stands
/// for the whole; whether writing went well is told apart, because a source that is bad further on
/// must be called that.
fn transcode(
    mut decoder: Decoder<'_>,
    sink: impl Source + Write,
    codec: Codec,
    mut covers: Covers,
) -> Result<(Probe, Result<(), AudioError>), AudioError> {
    let Head {
        sample_rate,
        channels,
        ..
    } = decoder.head();
    let mut encoder = Encoder::new(sink, codec, sample_rate, channels);
    while encoder.is_ok()
        && let Some(block) = decoder.next_block()?
    {
        covers.apply(block);
        encoder = encoder.and_then(|mut encoder| encoder.write(block).map(|()| encoder));
    }
    let probe = decoder.finish()?;
    Ok((probe, encoder.and_then(Encoder::finish).map(drop)))
}

/// Takes the sound out of pauses. Those that make no sense are left out here: [`judge_pauses`]
/// keeps the recording back.
fn covers(pauses_ms: &[(i64, i64)], pauses: &Pauses) -> Covers {
    let cover = match pauses {
        Pauses::Tone => Cover::Tone,
        Pauses::Silence | Pauses::Seal(_) | Pauses::Keep => Cover::Silence,
    };
    let ranges = pauses_ms
        .iter()
        .filter_map(|&(start, end)| Some((u64::try_from(start).ok()?, u64::try_from(end).ok()?)));
    Covers::new(ranges, cover)
}

/// A pause that lies outside the recording, ends before it begins or has no end, covers who knows
/// what: nothing goes.
fn judge_pauses(probe: &Probe, pauses_ms: &[(i64, i64)], whole: bool) -> Result<(), ConvertError> {
    let inside =
        |start: i64| u64::try_from(start).is_ok_and(|start_ms| start_ms < probe.duration_ms());
    let sound = whole
        && pauses_ms
            .iter()
            .all(|&(start, end)| inside(start) && start < end);
    if sound {
        return Ok(());
    }
    let what = format!(
        "a pause without an end, outside the {} ms of the recording, or ending before it begins",
        probe.duration_ms()
    );
    Err(ConvertError::Quarantine(Aside::new(
        Reason::PiiUnprotectable,
        what,
    )))
}

/// Length and SHA-256 of all that stands in the sink. A pass of its own: the first bytes are
/// written last.
fn measure(sink: &mut impl Source) -> std::io::Result<(u64, String)> {
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    let mut piece = vec![0; 64 * 1024];
    sink.seek(SeekFrom::Start(0))?;
    loop {
        match sink.read(&mut piece) {
            Ok(0) => return Ok((bytes, hex::encode(hash.finalize()))),
            Ok(count) => {
                hash.update(&piece[..count]);
                bytes += count as u64;
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Bytes that nothing tells from noise are what the source's name for them says, where that is a
/// format without a header.
fn named(error: AudioError, recording: &CanonicalRecording) -> AudioError {
    match (
        &error,
        recording.file_name.as_deref().and_then(audio::headerless),
    ) {
        (
            AudioError::NotAudio {
                looks_like: "encrypted or random bytes" | "unknown binary",
            },
            Some(name),
        ) => AudioError::Unsupported {
            what: format!("{name} without a header, by the ending of its file's name"),
        },
        _ => error,
    }
}

/// Source: docs/reference/match.md.
fn of_source(error: AudioError) -> ConvertError {
    let detail = error.to_string();
    let aside = |reason, detail| ConvertError::Quarantine(Aside::new(reason, detail));
    match error {
        AudioError::Empty => aside(Reason::AudioEmpty, detail),
        // What a server says instead of a recording: it may say otherwise another day.
        AudioError::NotAudio {
            looks_like: "html" | "json" | "xml" | "text",
        } => ConvertError::Quarantine(Aside {
            source_misbehaved: true,
            ..Aside::new(Reason::AudioNotAudio, detail)
        }),
        AudioError::NotAudio { .. } => aside(Reason::AudioNotAudio, detail),
        AudioError::Undecodable { .. } => aside(Reason::AudioUndecodable, detail),
        AudioError::Unsupported { .. } => aside(Reason::AudioUnsupported, detail),
        AudioError::Io(error) => {
            ConvertError::Io(format!("cannot read the staged recording: {error}"))
        }
    }
}

fn ours(what: String, error: AudioError) -> ConvertError {
    match error {
        AudioError::Io(error) => {
            ConvertError::Io(format!("cannot keep the converted recording: {error}"))
        }
        error => ConvertError::Internal(format!("{what}: {error}")),
    }
}

/// The reference is the decoded length, held against what the source declares and what the file
/// itself promises.
fn judge_length(
    probe: &Probe,
    recording: &CanonicalRecording,
    rules: &AudioRules,
) -> Result<(), ConvertError> {
    if rules.short_source != ShortSource::Quarantine {
        return Ok(());
    }
    let declared = recording
        .declared_duration_ms
        .and_then(|ms| u64::try_from(ms).ok())
        .unwrap_or(0);
    let is_short = probe.duration_ms() + rules.short_tolerance_ms < declared;
    let is_incomplete = probe.lost_ms() > rules.short_tolerance_ms;
    let what = match (is_short, is_incomplete) {
        (false, false) => return Ok(()),
        (true, false) => format!(
            "decodes to {} ms, and the source declares {declared} ms",
            probe.duration_ms()
        ),
        (_, true) => incomplete(probe),
    };
    Err(ConvertError::Quarantine(Aside::new(
        Reason::AudioShort,
        what,
    )))
}

/// What is missing, in the decoder's words: the place that costs most.
fn incomplete(probe: &Probe) -> String {
    let worst = probe
        .damage
        .iter()
        .rev()
        .max_by_key(|damage| damage.lost_ms);
    let (at_ms, what) = worst.map_or((0, ""), |Damage { at_ms, what, .. }| {
        (*at_ms, what.as_str())
    });
    let all = if probe.damage.len() > 1 {
        format!(", one of {} places", probe.damage.len())
    } else {
        String::new()
    };
    format!(
        "decodes to {} ms, and {} ms are missing: {what} (at {at_ms} ms{all})",
        probe.duration_ms(),
        probe.lost_ms()
    )
}

/// The codec to encode to; `None` where the source's bytes go. Genesys Cloud plays MP3 and WAV with
/// linear samples. Source: recording-migration guide, edge case 3.
fn codec_needed(head: Head, format: AudioFormat, alter: bool) -> Option<Codec> {
    let is = |codec: Codec| head.codec == codec && head.container == codec.container();
    let wanted = match format {
        AudioFormat::Wav => Codec::PcmS16,
        AudioFormat::Keep if is(Codec::PcmS16) => Codec::PcmS16,
        AudioFormat::Mp3 | AudioFormat::Keep if mp3_can_hold(head) => Codec::Mp3,
        AudioFormat::Mp3 | AudioFormat::Keep => Codec::PcmS16,
    };
    (alter || !is(wanted)).then_some(wanted)
}

/// MP3 knows nine sampling rates and two channels; what it cannot hold goes as WAV, a declared
/// loss. Source: ISO 11172-3, 13818-3.
fn mp3_can_hold(head: Head) -> bool {
    const RATES: [u32; 9] = [
        8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000,
    ];
    RATES.contains(&head.sample_rate) && head.channels <= 2
}

#[cfg(test)]
mod tests;
