//! A target file against what it must be: what it is, how it is declared, what is heard. Source:
//! docs/reference/match.md.

use audio::{AudioError, Container, Pcm, Probe};

use super::content::{Compared, content, ms_of};
use super::delay::Delay;
use super::pause::{Spread, leak};
use super::timeline::Timeline;
use super::tracks::{PER_MS, Tracks, hush, ms};
use super::{AudioFingerprint, Difference, hash};
use crate::defect::Defect;
use crate::expected::{AudioExpectation, Pause, PauseRule, SoundFacts};

/// What a target file must be.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) audio: AudioExpectation,
    pub(crate) pauses: Vec<Pause>,
    pub(crate) rule: PauseRule,
}

/// What came of judging a target file.
#[derive(Debug, Clone)]
pub(crate) struct Verdict {
    /// What differs, in order of weight.
    pub(crate) differences: Vec<Difference>,
    /// A fingerprint of a target that is somebody else's audio.
    pub(crate) fingerprint: Option<AudioFingerprint>,
    /// Length by decoding. Milliseconds. Absent: it does not decode.
    pub(crate) duration_ms: Option<u64>,
}

impl Verdict {
    fn of(differences: Vec<Difference>, duration_ms: Option<u64>) -> Verdict {
        Verdict {
            differences,
            fingerprint: None,
            duration_ms,
        }
    }
}

/// Holds a target file against what it must be.
pub(crate) fn judge(
    source: &SoundFacts,
    samples: &Pcm,
    wanted: &Wanted,
    target: &[u8],
    content_type: Option<&str>,
) -> Verdict {
    let identical = wanted.audio == AudioExpectation::Kept && hash(target) == source.sha256;
    if identical {
        return Verdict::of(
            declared(source.container, content_type)
                .into_iter()
                .collect(),
            Some(source.duration_ms()),
        );
    }
    let (probe, pcm) = match audio::decode(target) {
        Ok((probe, _)) if probe.samples == 0 => return Verdict::of(vec![empty(target)], None),
        Ok(decoded) => decoded,
        Err(error) => return Verdict::of(vec![not_audio(&error, target)], None),
    };
    let damaged = !probe.damage.is_empty() && !source.damaged;
    let stored =
        format(source, wanted.audio, &probe).or_else(|| declared(probe.container, content_type));
    let delay = Delay::of(
        (source.codec, source.sample_rate),
        (probe.codec, probe.sample_rate),
        target,
    );
    let AudioResult { leak, rest: heard } = listen(
        samples,
        &pcm,
        wanted,
        delay,
        Spread::of(probe.codec),
        damaged,
    );
    let fingerprint = heard
        .as_ref()
        .filter(|difference| difference.foreign)
        .map(|_| AudioFingerprint::of_target(&pcm, delay.late_ms));
    let stored = stored.or_else(|| changed(source, wanted, target).filter(|_| heard.is_none()));
    Verdict {
        differences: merge(leak, heard, stored, &wanted.pauses),
        fingerprint,
        duration_ms: Some(ms_of(&pcm) as u64),
    }
}

/// What is heard in protected pauses, and what differs outside of them. What stands in a pause is
/// judged by itself: both sides are silent there when the rest is compared, the target where the
/// file's lag puts the pause.
fn listen(
    source: &Pcm,
    target: &Pcm,
    wanted: &Wanted,
    delay: Delay,
    spread: Spread,
    damaged: bool,
) -> AudioResult {
    let mut tracks = Tracks::of(source, target);
    if wanted.rule == PauseRule::Keep || wanted.pauses.is_empty() {
        let timeline = Timeline::of(&mut tracks, &delay);
        return AudioResult {
            leak: None,
            rest: content(Compared {
                source,
                target,
                tracks,
                timeline,
                delay,
                damaged,
            }),
        };
    }
    let unmasked = tracks.source.clone();
    for (from, to) in spans(&wanted.pauses) {
        tracks
            .source
            .iter_mut()
            .for_each(|channel| hush(channel, from * PER_MS, to * PER_MS));
    }
    let mut timeline = Timeline::of(&mut tracks, &delay);
    // What moved within the recording took its pauses along.
    timeline.search(&tracks);
    let raw = Tracks {
        source: unmasked,
        target: tracks.target.clone(),
    };
    let leak = leak(&raw, &timeline, &wanted.pauses, wanted.rule, spread);
    let as_it_stands = (tracks.clone(), timeline.clone());
    let (mut ours, mut theirs) = (source.clone(), target.clone());
    for (from, to) in spans(&wanted.pauses) {
        audio::silence(&mut ours, from as u64, to as u64);
        for (channel, samples) in tracks.target.iter_mut().enumerate() {
            let lag = timeline.lag_at(channel, from * PER_MS);
            hush(samples, from * PER_MS + lag, to * PER_MS + lag);
        }
        let lag = ms(timeline.lag);
        audio::silence(
            &mut theirs,
            (from + lag).max(0) as u64,
            (to + lag).max(0) as u64,
        );
    }
    let timeline = Timeline::at(&tracks, timeline.lag);
    let outside = content(Compared {
        source: &ours,
        target: &theirs,
        tracks,
        timeline,
        delay,
        damaged,
    });
    // At another speed its pauses are not where the source's are, and sound was hushed in their
    // place: compared as it stands.
    let is_plain = outside
        .as_ref()
        .is_some_and(|outside| outside.defect == Defect::AudioDamaged && outside.cause.is_none());
    let (tracks, timeline) = as_it_stands;
    let whole = if is_plain {
        content(Compared {
            source: &ours,
            target,
            tracks,
            timeline,
            delay,
            damaged,
        })
    } else {
        None
    };
    AudioResult {
        leak,
        rest: whole
            .filter(|whole| whole.defect != Defect::AudioDamaged)
            .or(outside),
    }
}

/// What came of listening.
struct AudioResult {
    /// In a protected pause.
    leak: Option<Difference>,
    /// Outside of them.
    rest: Option<Difference>,
}

/// Start and end of each pause that is one. Milliseconds.
fn spans(pauses: &[Pause]) -> impl Iterator<Item = (i64, i64)> + '_ {
    /// A day: nothing that is compared is longer, and no product overflows.
    const MOST_MS: i64 = 86_400_000;
    pauses
        .iter()
        .filter(|pause| 0 <= pause.start_ms && pause.start_ms < pause.end_ms)
        .map(|pause| (pause.start_ms.min(MOST_MS), pause.end_ms.min(MOST_MS)))
}

/// One cause, one finding: a wrong format beside a wrong sound is its consequence, and so is what
/// is heard in a pause of audio that is not where it should be. A cover that lies beside its pause
/// leaves it open and silences what is beside it: the leak is what has to be named.
fn merge(
    leak: Option<Difference>,
    heard: Option<Difference>,
    stored: Option<Difference>,
    pauses: &[Pause],
) -> Vec<Difference> {
    /// A codec rings at the edges of a silence. Milliseconds.
    const BESIDE_MS: i64 = 100;
    let told = |difference: &Difference| {
        format!(
            "{}: {} instead of {}",
            difference.defect.title(),
            difference.actual,
            difference.expected
        )
    };
    let Some(mut heard) = heard else {
        return leak.into_iter().chain(stored).collect();
    };
    heard.consequences.extend(stored.iter().map(told));
    let touches = |(from, to): (i64, i64)| {
        spans(pauses).any(|(start, end)| from <= end + BESIDE_MS && to + BESIDE_MS >= start)
    };
    let beside = heard.hole_ms.is_some_and(touches);
    let moved = heard.foreign
        || heard.hole_ms.is_none()
            && matches!(
                heard.defect,
                Defect::AudioTruncatedStart
                    | Defect::AudioHole
                    | Defect::AudioWrongPitch
                    | Defect::AudioWrongSpeed
                    | Defect::AudioWrongCodec
            );
    match leak {
        Some(mut leak) if beside => {
            leak.consequences.push(told(&heard));
            leak.consequences.extend(heard.consequences);
            vec![leak]
        }
        Some(leak) if moved => {
            heard.consequences.push(told(&leak));
            vec![heard]
        }
        leak => leak.into_iter().chain([heard]).collect(),
    }
}

fn empty(target: &[u8]) -> Difference {
    Difference::new(
        Defect::AudioEmpty,
        "audio",
        format!("{} bytes without a sample", target.len()),
    )
}

/// Bytes that are no sound. A body of text is an error page; bytes without any structure are
/// encrypted.
fn not_audio(error: &AudioError, target: &[u8]) -> Difference {
    let defect = match error {
        AudioError::Empty => return empty(target),
        AudioError::NotAudio {
            looks_like: "zero bytes",
        } => Defect::AudioEmpty,
        AudioError::NotAudio {
            looks_like: "html" | "json" | "xml" | "text",
        } => Defect::ErrorPageAsAudio,
        AudioError::NotAudio {
            looks_like: "encrypted or random bytes" | "pkcs7",
        } => Defect::EncryptionWrong,
        AudioError::NotAudio { .. }
        | AudioError::Undecodable { .. }
        | AudioError::Unsupported { .. }
        | AudioError::Io(_) => Defect::AudioUnplayable,
    };
    Difference::new(defect, "audio", error.to_string())
}

/// Bytes that should have been kept and were not.
fn changed(source: &SoundFacts, wanted: &Wanted, target: &[u8]) -> Option<Difference> {
    (wanted.audio == AudioExpectation::Kept).then(|| {
        let told = |hash: &str, bytes: u64| {
            format!("sha256 {}, {bytes} bytes", &hash[..12.min(hash.len())])
        };
        Difference::new(
            Defect::AudioDamaged,
            told(&source.sha256, source.bytes),
            told(&hash(target), target.len() as u64),
        )
    })
}

/// Container and codec against the plan.
fn format(source: &SoundFacts, wanted: AudioExpectation, probe: &Probe) -> Option<Difference> {
    let (container, codec) = match wanted {
        AudioExpectation::Kept => (source.container, source.codec),
        AudioExpectation::Transcoded { container, codec } => (container, codec),
    };
    let right = (container, codec) == (probe.container, probe.codec);
    (!right).then(|| {
        Difference::new(
            Defect::AudioFormatWrong,
            format!("{codec} in {container}"),
            format!("{} in {}", probe.codec, probe.container),
        )
    })
}

/// The declared media type against the content. None declared, or a general one, claims nothing.
fn declared(container: Container, content_type: Option<&str>) -> Option<Difference> {
    let claimed = content_type?.split(';').next()?.trim().to_lowercase();
    let kind = claimed
        .strip_prefix("audio/")
        .or_else(|| claimed.strip_prefix("video/"));
    if claimed.is_empty()
        || matches!(
            claimed.as_str(),
            "application/octet-stream" | "binary/octet-stream"
        )
    {
        return None;
    }
    let right = kind.is_some_and(|kind| match container {
        Container::Mp3 => matches!(
            kind,
            "mpeg" | "mp3" | "mpeg3" | "x-mpeg" | "x-mp3" | "mpa" | "x-mpeg-3"
        ),
        Container::Wav => matches!(kind, "wav" | "x-wav" | "wave" | "vnd.wave" | "x-pn-wav"),
        Container::Ogg => matches!(kind, "ogg" | "vorbis" | "opus"),
        Container::Flac => matches!(kind, "flac" | "x-flac"),
        Container::Mp4 => matches!(kind, "mp4" | "x-m4a" | "m4a" | "aac"),
        Container::Adts => matches!(kind, "aac" | "x-aac" | "aacp"),
        Container::AmrFile => matches!(kind, "amr" | "amr-nb" | "3gpp"),
        Container::GsmRaw => matches!(kind, "gsm" | "x-gsm"),
        Container::Webm => matches!(kind, "webm" | "x-matroska"),
        Container::Aiff => matches!(kind, "aiff" | "x-aiff"),
        Container::Au => matches!(kind, "basic" | "x-au"),
        Container::W64 => matches!(kind, "x-w64" | "w64"),
        Container::Other => true,
    });
    (!right).then(|| {
        Difference::new(
            Defect::AudioFormatWrong,
            container.mime(),
            format!("declared as {claimed}"),
        )
    })
}

#[cfg(test)]
mod tests {
    use audio::Codec;

    use super::*;
    use crate::expected::SourceSound;
    use crate::sound::content::testing::speech;
    use crate::sound::read_source;

    const TO_MP3: AudioExpectation = AudioExpectation::Transcoded {
        container: Container::Mp3,
        codec: Codec::Mp3,
    };

    fn wanted(audio: AudioExpectation) -> Wanted {
        Wanted {
            audio,
            pauses: Vec::new(),
            rule: PauseRule::Silence,
        }
    }

    fn judged(
        source: &[u8],
        wanted: &Wanted,
        target: &[u8],
        content_type: Option<&str>,
    ) -> Vec<&'static str> {
        let (SourceSound::Good(facts), Some(pcm)) = read_source(source, None, audio::Ffmpeg::Never)
        else {
            panic!("the test source decodes")
        };
        judge(&facts, &pcm, wanted, target, content_type)
            .differences
            .iter()
            .map(|difference| difference.defect.code())
            .collect()
    }

    /// A file by name, its bytes, its declared type, and what it is reported as.
    type Row<'a> = (&'a str, &'a [u8], Option<&'a str>, &'a [&'a str]);

    #[test]
    fn what_is_stored_is_judged_by_content_and_by_declaration() {
        let pcm = speech(21, 6.0, 1);
        let source = audio::encode(&pcm, Codec::Mulaw).expect("mu-law");
        let mp3 = audio::encode(&pcm, Codec::Mp3).expect("mp3");
        let noise: Vec<u8> = {
            let mut state = 7u64;
            (0..20_000)
                .map(|_| {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    (state >> 56) as u8
                })
                .collect()
        };
        let rows: [Row<'_>; 9] = [
            ("as agreed", &mp3, Some("audio/mpeg"), &[]),
            ("no type declared", &mp3, None, &[]),
            (
                "a general type",
                &mp3,
                Some("application/octet-stream"),
                &[],
            ),
            ("declared as wav", &mp3, Some("audio/wav"), &["D24"]),
            ("not converted", &source, Some("audio/wav"), &["D24"]),
            ("no bytes", b"", Some("audio/mpeg"), &["D32"]),
            (
                "an error page",
                b"<!DOCTYPE html><html><body><h1>503 Service Unavailable</h1></body></html>",
                Some("audio/mpeg"),
                &["D31"],
            ),
            (
                "a JSON error",
                br#"{"message":"not found","code":"not.found","status":404}"#,
                Some("audio/mpeg"),
                &["D31"],
            ),
            ("encrypted", &noise, Some("audio/mpeg"), &["D30"]),
        ];
        for (name, target, content_type, expected) in rows {
            assert_eq!(
                judged(&source, &wanted(TO_MP3), target, content_type),
                expected,
                "{name}"
            );
        }
    }

    #[test]
    fn kept_bytes_are_kept_to_the_last() {
        let mp3 = audio::encode(&speech(21, 6.0, 1), Codec::Mp3).expect("mp3");
        assert!(judged(&mp3, &wanted(AudioExpectation::Kept), &mp3, None).is_empty());
        let mut changed = mp3.clone();
        changed.extend_from_slice(b"TAG");
        changed.extend([0; 125]);
        assert_eq!(
            judged(&mp3, &wanted(AudioExpectation::Kept), &changed, None),
            ["D26"]
        );
    }

    #[test]
    fn sound_in_a_pause_is_one_finding_and_the_rest_is_still_compared() {
        let pcm = speech(22, 12.0, 2);
        let source = audio::encode(&pcm, Codec::PcmS16).expect("wav");
        let pauses = vec![Pause {
            start_ms: 3000,
            end_ms: 6000,
        }];
        let wanted = Wanted {
            audio: TO_MP3,
            pauses,
            rule: PauseRule::Silence,
        };
        let raw = audio::encode(&pcm, Codec::Mp3).expect("mp3");
        assert_eq!(judged(&source, &wanted, &raw, None), ["D59"]);
        let mut silenced = pcm.clone();
        audio::silence(&mut silenced, 3000, 6000);
        let right = audio::encode(&silenced, Codec::Mp3).expect("mp3");
        assert!(judged(&source, &wanted, &right, None).is_empty());
    }

    #[test]
    fn bytes_broken_inside_a_file_are_found_wherever_they_are() {
        for seed in 30..42 {
            let pcm = speech(seed, 10.0, 1 + (seed % 2) as usize);
            let source = audio::encode(&pcm, Codec::Mulaw).expect("mu-law");
            let mut broken = audio::encode(&pcm, Codec::Mp3).expect("mp3");
            let middle = broken.len() / 2;
            let mut state = seed;
            for byte in &mut broken[middle..middle + 400] {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                *byte ^= ((state >> 56) % 255) as u8 + 1;
            }
            let found = judged(&source, &wanted(TO_MP3), &broken, None);
            assert!(
                found == ["D26"] || found == ["D17"],
                "seed {seed}: {found:?}"
            );
        }
    }

    #[test]
    fn a_container_no_player_knows_cannot_be_played() {
        let source = audio::encode(&speech(21, 6.0, 1), Codec::Mulaw).expect("mu-law");
        let mut wma = b"RIFF\x24\x20\0\0WAVEfmt \
            \x10\0\0\0\x61\x01\x01\0\x40\x1f\0\0\xd0\x07\0\0\x80\0\0\0data\0\x20\0\0"
            .to_vec();
        wma.extend((0..8192u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8));
        assert_eq!(judged(&source, &wanted(TO_MP3), &wma, None), ["D25"]);
    }
}
