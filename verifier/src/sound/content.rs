//! Whether two decoded recordings are one conversation, and if not, in which way. The order of the
//! questions stands here.

use audio::Pcm;
use audio::compare::{is_silent, likeness_of_loudness};

use super::Difference;
use super::classify::{classify, misread, unlike};
use super::delay::Delay;
use super::mixup::noise;
use super::pace::drift;
use super::quality::{Torn, fading, holed, holes, narrowed, surplus, torn, volume};
use super::timeline::Timeline;
use super::tracks::{PER_MS, Tracks};
use super::wave::broken_at;
use crate::defect::Defect;

/// Lowest correlation of loudness in any 5 s of two channels that are the same.
pub(super) const MIN_WINDOW: f64 = 0.90;
/// Two channels this alike are one.
pub(super) const BEYOND_DOUBT: f64 = 0.985;
/// Above this typical fit no decoding mistake is possible (mu-law read as A-law reaches 0.97), and
/// no drift: every decent codec is above.
const SAME_WAVEFORM: f64 = 0.985;
/// All of the sound is in its place: of a hundred seconds one may be a hiss that a codec of 8
/// kbit/s leaves out.
const ALL_HELD: f64 = 0.985;
/// A target may be shorter by half a percent, but no more than a syllable: 0.5 % of an hour would
/// be 18 s of conversation; and no less than half a frame of a voice codec, which a decoder may
/// drop at the end.
const LENGTH_SHARE: f64 = 0.005;
const LEAST_TOLERANCE_MS: f64 = 10.0;
const MOST_TOLERANCE_MS: f64 = 100.0;

/// Both sides, as everything here compares them.
pub(super) struct Compared<'a> {
    pub(super) source: &'a Pcm,
    pub(super) target: &'a Pcm,
    /// The same at one rate.
    pub(super) tracks: Tracks,
    pub(super) timeline: Timeline,
    pub(super) delay: Delay,
    /// The target's decoder found broken frames that the source does not have.
    pub(super) damaged: bool,
}

/// What differs; `None`: the same conversation.
pub(super) fn content(mut compared: Compared<'_>) -> Option<Difference> {
    let Compared {
        source,
        target,
        ref tracks,
        ref timeline,
        damaged,
        ..
    } = compared;
    if source.channels.len() != target.channels.len() {
        return Some(other_channels(&compared));
    }
    if let Some(silent) = silent(source, target) {
        return Some(silent);
    }
    let broken = || {
        damaged.then(|| {
            Difference::new(
                Defect::AudioDamaged,
                "no broken frames",
                "frames that do not decode",
            )
        })
    };
    if in_place(&compared) {
        let holes = holes(tracks, timeline);
        let narrow = || narrowed(tracks, timeline, (source.sample_rate, target.sample_rate));
        // Without its upper part a sibilant is silent: short holes there are none.
        let holed = || match holed(tracks, &holes) {
            Some(short) if short.defect == Defect::AudioDamaged => Some(narrow().unwrap_or(short)),
            long => long,
        };
        return fading(timeline)
            .filter(|_| !holes.is_empty())
            .or_else(holed)
            .or_else(|| doubtful(&compared))
            .or_else(broken)
            .or_else(narrow)
            .or_else(|| torn(tracks, timeline).map(Torn::difference))
            .or_else(|| garbled(&compared))
            .or_else(|| surplus(tracks, timeline))
            .or_else(|| volume(tracks, timeline));
    }
    compared.timeline.search(&compared.tracks);
    Some(classify(&compared))
}

/// Nothing is missing, all sound is where it should be, and it is there in time.
fn in_place(compared: &Compared<'_>) -> bool {
    let Compared {
        timeline, delay, ..
    } = compared;
    is_whole(compared)
        && delay.fits(timeline.lag as f64 / PER_MS as f64)
        && timeline.held().is_none_or(|held| held >= ALL_HELD)
}

/// Whether the target is as long as the source: the codec's delay at its beginning is none of it.
pub(super) fn is_whole(compared: &Compared<'_>) -> bool {
    let (ours, theirs) = (ms_of(compared.source), ms_of(compared.target));
    let lag = (compared.timeline.lag as f64 / PER_MS as f64).clamp(0.0, compared.delay.late_ms);
    // Without sound there is no lag to measure.
    let lag = if compared.timeline.steps.is_empty() {
        0.0
    } else {
        lag
    };
    theirs - lag >= ours - tolerance_ms(ours)
        && theirs - ours <= tolerance_ms(ours).max(compared.delay.longer_ms)
}

/// More or fewer channels: folded or doubled, silent, or another call altogether. Both sides are
/// mixed down to compare.
fn other_channels(compared: &Compared<'_>) -> Difference {
    let Compared {
        source,
        target,
        timeline,
        ..
    } = compared;
    let told = |pcm: &Pcm| format!("{} channels", pcm.channels.len());
    let quiet = |pcm: &Pcm| {
        pcm.channels
            .iter()
            .all(|channel| is_silent(channel, pcm.sample_rate, 0, u64::MAX))
    };
    if quiet(target) && !quiet(source) {
        return Difference::new(Defect::AudioSilent, "sound", "silence");
    }
    if is_whole(compared)
        && (timeline.held().is_none_or(|held| held >= 0.9) || shares_a_channel(source, target))
    {
        return Difference::new(Defect::ChannelCountChanged, told(source), told(target));
    }
    unlike(compared)
}

/// One channel of the source stands in the target, whatever became of the other.
fn shares_a_channel(source: &Pcm, target: &Pcm) -> bool {
    let alone = |pcm: &Pcm, at: usize| Pcm {
        sample_rate: pcm.sample_rate,
        channels: vec![pcm.channels[at].clone()],
    };
    let pairs = (0..source.channels.len())
        .flat_map(|ours| (0..target.channels.len()).map(move |theirs| (ours, theirs)));
    pairs.into_iter().any(|(ours, theirs)| {
        likeness_of_loudness(&alone(source, ours), &alone(target, theirs)).min_window >= MIN_WINDOW
    })
}

/// Another sound of the same loudness, too short to be missed in a second.
fn garbled(compared: &Compared<'_>) -> Option<Difference> {
    let Compared {
        source,
        target,
        timeline,
        ..
    } = compared;
    if source.sample_rate != target.sample_rate || timeline.lag != 0 {
        return None;
    }
    let mut channels = source.channels.iter().zip(&target.channels);
    let at = channels.find_map(|(ours, theirs)| broken_at(ours, theirs, source.sample_rate))?;
    Some(Difference::new(
        Defect::AudioDamaged,
        "the source's sound",
        format!("another sound at {at} ms"),
    ))
}

pub(super) fn tolerance_ms(source_ms: f64) -> f64 {
    (source_ms * LENGTH_SHARE).clamp(LEAST_TOLERANCE_MS, MOST_TOLERANCE_MS)
}

/// Length by decoded samples. Milliseconds.
pub(super) fn ms_of(pcm: &Pcm) -> f64 {
    pcm.samples() as f64 * 1000.0 / f64::from(pcm.sample_rate.max(1))
}

pub(super) fn length(pcm: &Pcm) -> String {
    format!("{} ms", pcm.duration_ms())
}

/// Sound in the source and none in the target, in any channel.
fn silent(source: &Pcm, target: &Pcm) -> Option<Difference> {
    let quiet = |pcm: &Pcm, at: usize| is_silent(&pcm.channels[at], pcm.sample_rate, 0, u64::MAX);
    let lost: Vec<usize> = (0..source.channels.len())
        .filter(|at| quiet(target, *at) && !quiet(source, *at))
        .collect();
    let channels = lost
        .iter()
        .map(|at| (at + 1).to_string())
        .collect::<Vec<_>>()
        .join(", ");
    (!lost.is_empty()).then(|| {
        Difference::new(
            Defect::AudioSilent,
            "sound",
            format!("silence in channel {channels}"),
        )
    })
}

/// Seconds fit where the ear would not: another decoder (mu-law for A-law), noise around silence,
/// or a speed a little off.
fn doubtful(compared: &Compared<'_>) -> Option<Difference> {
    let Compared {
        source,
        target,
        tracks,
        timeline,
        ..
    } = compared;
    if let Some(name) = noise(source, target) {
        return Some(Difference::new(
            Defect::AudioWrongCodec,
            "the source decoded with its own codec",
            name,
        ));
    }
    if timeline.typical_fit() >= SAME_WAVEFORM && timeline.steps.iter().all(|step| step.fit >= 0.9)
    {
        return None;
    }
    misread(compared).or_else(|| {
        let ratio = drift(tracks, timeline.lag)?;
        Some(hurried(source, target, ratio))
    })
}

/// `ratio`: length of a second of the source in the target.
pub(super) fn hurried(source: &Pcm, target: &Pcm, ratio: f64) -> Difference {
    let actual = format!(
        "{}, {:.2} % of the speed, falling out of step",
        length(target),
        100.0 / ratio
    );
    Difference::new(Defect::AudioWrongSpeed, length(source), actual)
}

#[cfg(test)]
pub(crate) mod testing {
    use audio::{Codec, Pcm};

    /// Speech-like sound: syllables of noise and tone with pauses, another one for each seed and
    /// channel. 8 kHz.
    pub(crate) fn speech(seed: u64, seconds: f64, channels: usize) -> Pcm {
        Pcm {
            sample_rate: 8000,
            channels: (0..channels as u64)
                .map(|channel| voice(seed * 1000 + channel + 1, (seconds * 8000.0) as usize))
                .collect(),
        }
    }

    fn voice(seed: u64, samples: usize) -> Vec<i16> {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut next = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        let mut out = Vec::with_capacity(samples);
        while out.len() < samples {
            let length = 500 + (next() % 1500) as usize;
            let loud = if next() % 4 == 0 {
                0.0
            } else {
                800.0 + (next() % 7000) as f64
            };
            let pitch = 110.0 + (next() % 160) as f64;
            let formant = 500.0 + (next() % 1800) as f64;
            for at in 0..length {
                let shape = (std::f64::consts::PI * at as f64 / length as f64).sin();
                let t = at as f64 / 8000.0 * std::f64::consts::TAU;
                let hiss = (next() % 2001) as f64 / 1000.0 - 1.0;
                out.push(
                    (loud
                        * shape
                        * (0.5 * (pitch * t).sin() + 0.35 * (formant * t).sin() + 0.15 * hiss))
                        as i16,
                );
            }
        }
        out.truncate(samples);
        out
    }

    pub(crate) fn through(pcm: &Pcm, codec: Codec) -> Pcm {
        audio::decode(&audio::encode(pcm, codec).expect("encodes"))
            .expect("decodes")
            .1
    }

    pub(crate) fn through_mp3(pcm: &Pcm) -> Pcm {
        through(pcm, Codec::Mp3)
    }
}

#[cfg(test)]
mod tests {
    use audio::Codec;

    use super::testing::{speech, through, through_mp3};
    use super::*;

    fn defect(source: &Pcm, target: &Pcm) -> Option<&'static str> {
        let delay = Delay::of(
            (Codec::PcmS16, source.sample_rate),
            (Codec::Mp3, target.sample_rate),
            b"",
        );
        let mut tracks = Tracks::of(source, target);
        let timeline = Timeline::of(&mut tracks, &delay);
        let compared = Compared {
            source,
            target,
            tracks,
            timeline,
            delay,
            damaged: false,
        };
        content(compared).map(|difference| difference.defect.code())
    }

    #[test]
    fn a_sound_transcode_never_alarms_however_short() {
        for seconds in [0.5, 1.0, 2.0, 3.0, 7.0, 20.0] {
            for channels in [1, 2] {
                let source = speech(7, seconds, channels);
                assert_eq!(
                    defect(&source, &through_mp3(&source)),
                    None,
                    "mp3 of {seconds} s, {channels} channels"
                );
                let mulaw = through(&source, Codec::Mulaw);
                assert_eq!(
                    defect(&mulaw, &through_mp3(&mulaw)),
                    None,
                    "mu-law to mp3 of {seconds} s"
                );
            }
            let gsm = through(&speech(8, seconds, 1), Codec::GsmWav49);
            assert_eq!(
                defect(&gsm, &through_mp3(&gsm)),
                None,
                "GSM to mp3 of {seconds} s"
            );
        }
    }

    #[test]
    fn padding_of_a_codec_is_not_a_difference() {
        let source = speech(7, 6.0, 1);
        let mut padded = vec![0; 1105];
        padded.extend_from_slice(&source.channels[0]);
        padded.extend([0; 1100]);
        assert_eq!(
            defect(
                &source,
                &Pcm {
                    sample_rate: 8000,
                    channels: vec![padded]
                }
            ),
            None
        );
    }

    #[test]
    fn two_silences_are_the_same() {
        let silence = Pcm {
            sample_rate: 8000,
            channels: vec![vec![0; 40_000]],
        };
        assert_eq!(defect(&silence, &through_mp3(&silence)), None);
    }

    /// A damage by name, what it does, and what it is reported as.
    type Row = (&'static str, fn(&Pcm) -> Pcm, &'static str);

    #[test]
    fn each_damage_has_its_class() {
        let rows: &[Row] = &[
            (
                "tail cut",
                |pcm| part(pcm, 0, pcm.samples() * 9 / 10),
                "D15",
            ),
            (
                "head cut",
                |pcm| part(pcm, pcm.samples() / 10, pcm.samples()),
                "D16",
            ),
            (
                "piece cut out",
                |pcm| {
                    let (a, b) = (
                        part(pcm, 0, pcm.samples() / 2),
                        part(pcm, pcm.samples() * 6 / 10, pcm.samples()),
                    );
                    join(&a, &b)
                },
                "D17",
            ),
            (
                "hole",
                |pcm| {
                    let mut pcm = pcm.clone();
                    audio::silence(&mut pcm, 8000, 11_000);
                    pcm
                },
                "D17",
            ),
            (
                "silent",
                |pcm| Pcm {
                    sample_rate: 8000,
                    channels: vec![vec![0; pcm.samples()]; pcm.channels.len()],
                },
                "D19",
            ),
            (
                "one channel silent",
                |pcm| Pcm {
                    sample_rate: 8000,
                    channels: vec![pcm.channels[0].clone(), vec![0; pcm.samples()]],
                },
                "D19",
            ),
            (
                "played at 11025",
                |pcm| Pcm {
                    sample_rate: 11_025,
                    channels: pcm.channels.clone(),
                },
                "D20",
            ),
            ("one percent slow", |pcm| stretched(pcm, 1.01), "D21"),
            (
                "one percent fast",
                |pcm| stretched(pcm, 100.0 / 101.0),
                "D21",
            ),
            (
                "channels swapped",
                |pcm| Pcm {
                    sample_rate: 8000,
                    channels: vec![pcm.channels[1].clone(), pcm.channels[0].clone()],
                },
                "D22",
            ),
            (
                "folded to mono",
                |pcm| Pcm {
                    sample_rate: 8000,
                    channels: vec![pcm.channels[0].clone()],
                },
                "D23",
            ),
            (
                "mono doubled",
                |pcm| Pcm {
                    sample_rate: 8000,
                    channels: vec![pcm.channels[0].clone(); 2],
                },
                "D23",
            ),
            (
                "bytes swapped",
                |pcm| Pcm {
                    sample_rate: 8000,
                    channels: pcm
                        .channels
                        .iter()
                        .map(|channel| channel.iter().map(|sample| sample.swap_bytes()).collect())
                        .collect(),
                },
                "D29",
            ),
            ("quieter", |pcm| each(pcm, |sample| sample / 4), "D28"),
            (
                "a word exchanged",
                |pcm| {
                    let word = speech(97, 24.0, 2);
                    let mut pcm = pcm.clone();
                    pcm.channels[0][80_000..82_400]
                        .copy_from_slice(&word.channels[0][80_000..82_400]);
                    pcm
                },
                "D26",
            ),
            ("another call", |_| speech(99, 24.0, 2), "D26"),
            (
                "foreign piece",
                |pcm| {
                    let foreign = speech(98, 24.0, 2);
                    let mut pcm = pcm.clone();
                    for (ours, theirs) in pcm.channels.iter_mut().zip(&foreign.channels) {
                        ours[64_000..112_000].copy_from_slice(&theirs[64_000..112_000]);
                    }
                    pcm
                },
                "D26",
            ),
        ];
        let source = speech(11, 24.0, 2);
        for (name, damage, wanted) in rows {
            assert_eq!(defect(&source, &damage(&source)), Some(*wanted), "{name}");
        }
        for (name, damage, wanted) in rows {
            assert_eq!(
                defect(&source, &through_mp3(&damage(&source))),
                Some(*wanted),
                "{name}, then mp3"
            );
        }
    }

    #[test]
    fn a_percent_of_speed_is_told_from_a_percent_cut_off_in_short_clips_too() {
        for seed in 40..52 {
            let source = speech(seed, 2.0 + (seed % 4) as f64, 1 + (seed % 2) as usize);
            let hurried = through_mp3(&stretched(&through_mp3(&source), 100.0 / 101.0));
            assert_eq!(defect(&source, &hurried), Some("D21"), "seed {seed}");
            let cut = through_mp3(&part(&source, 0, source.samples() * 98 / 100));
            assert_eq!(defect(&source, &cut), Some("D15"), "seed {seed}");
            let beheaded =
                through_mp3(&part(&source, source.samples() * 3 / 100, source.samples()));
            assert_eq!(defect(&source, &beheaded), Some("D16"), "seed {seed}");
        }
    }

    fn part(pcm: &Pcm, from: usize, to: usize) -> Pcm {
        Pcm {
            sample_rate: pcm.sample_rate,
            channels: pcm
                .channels
                .iter()
                .map(|channel| channel[from..to].to_vec())
                .collect(),
        }
    }

    fn join(a: &Pcm, b: &Pcm) -> Pcm {
        Pcm {
            sample_rate: a.sample_rate,
            channels: a
                .channels
                .iter()
                .zip(&b.channels)
                .map(|(a, b)| [a.as_slice(), b.as_slice()].concat())
                .collect(),
        }
    }

    fn each(pcm: &Pcm, change: fn(i16) -> i16) -> Pcm {
        Pcm {
            sample_rate: pcm.sample_rate,
            channels: pcm
                .channels
                .iter()
                .map(|channel| channel.iter().map(|sample| change(*sample)).collect())
                .collect(),
        }
    }

    fn stretched(pcm: &Pcm, by: f64) -> Pcm {
        let length = (pcm.samples() as f64 * by) as usize;
        let stretch = |channel: &Vec<i16>| {
            (0..length)
                .map(|at| channel[((at as f64 / by) as usize).min(channel.len() - 1)])
                .collect()
        };
        Pcm {
            sample_rate: pcm.sample_rate,
            channels: pcm.channels.iter().map(stretch).collect(),
        }
    }
}
