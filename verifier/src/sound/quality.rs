//! Whether what lies where it should also sounds as it should: gaps, lost bands, volume, sound
//! where there was none.

use audio::compare::wave::{bands, fit, level, stretch};
use audio::compare::{LOUD_RMS, QUIET_RMS};

use super::Difference;
use super::timeline::{HELD, Timeline};
use super::tracks::{PER_MS, RATE, Tracks, hush, ms};
use crate::defect::Defect;

/// A packet of telephony, and the shortest gap anybody makes. Samples: 20 ms.
const PACKET: usize = 20 * PER_MS as usize;
/// A loud packet is lost or replaced below this fit. Share of such packets, measured over 56
/// encoders and settings: 0 for nearly all, Opus at 6 kbit/s 0.001, Speex 0.004; two packets lost
/// in a hundred (silent or repeated) give 0.019, ten 0.075.
const LOST_PACKET: f64 = 0.3;
const MOST_LOST: f64 = 0.01;
/// AMR at 4.75 kbit/s loses the waveform for a fifth of a second here and there.
const MOST_LOST_BY_VOICE_CODEC: f64 = 0.03;
const FEWEST_LOST: usize = 4;
/// A packet this much quieter than the rest of the target is lost, whatever it held: 12 dB.
const HUSHED: f64 = 0.25;
const MOSTLY_SINGLE: f64 = 0.4;
/// Lost packets close together are a place, not a share: three in two tenths of a second.
const CLUSTER: usize = 3;
const CLUSTER_LENGTH: usize = RATE as usize / 5;
/// A hole this long is heard as a missing word. Shorter ones are a damaged frame.
const HOLE_MS: i64 = 200;
/// Under this even a sound transcode may drop between two words.
pub(super) const GLITCH_MS: i64 = 100;
/// Bands of telephone speech above the first formant, hertz. Lost is a band by this much more than
/// what lies below it; measured: GSM 4.5, Speex 5, MP3 of 16 kbit/s stereo 6.5; MP3 of 8 kbit/s,
/// which ends at 2 kHz, 13 and 63; a filter at 2 kHz 35, at 1 kHz 40.
const BANDS: [(f64, f64); 7] = [
    (200.0, 1000.0),
    (1000.0, 1500.0),
    (1500.0, 2000.0),
    (2000.0, 2500.0),
    (2500.0, 3000.0),
    (3000.0, 3400.0),
    (200.0, 3400.0),
];
const LOST_BAND_DB: f64 = 12.0;
/// The uppermost band alone is where honest encoders of 16 kbit/s begin to filter: 13 dB of it were
/// measured (sox, MP3 of 8 kHz to a pipe).
const LOST_TOP_DB: f64 = 20.0;
/// A band with less of the source's energy than this is not missed: hiss of a quiet line, or a
/// source that was narrow before.
const PRESENT_BAND_DB: f64 = -40.0;
/// Converters change the volume by up to 3 dB (a pan law, a level matched to another); half the
/// amplitude is 6 dB and a mistake.
const GAIN_DB: f64 = 4.5;
/// Within one channel no codec changes it by more than 3 dB from second to second where its
/// waveform is kept.
const FADE_DB: f64 = 9.0;
const FADE_FIT: f64 = 0.7;

/// A hole in a channel, by the source's time. Milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hole {
    pub(super) from: i64,
    pub(super) to: i64,
    channel: usize,
}

/// Volume of the target over the source by channel, the middle of all seconds that fit. Decibels.
fn gains(timeline: &Timeline, channel: usize) -> Option<f64> {
    let held = timeline
        .steps
        .iter()
        .filter(|step| step.channel == channel && step.is_held() && !step.noise);
    let mut gains: Vec<f64> = held.map(|step| step.gain_db).collect();
    gains.sort_by(f64::total_cmp);
    gains.get(gains.len() / 2).copied()
}

/// Silence where the source surely has sound, of 100 ms and more.
pub(super) fn holes(tracks: &Tracks, timeline: &Timeline) -> Vec<Hole> {
    (0..tracks.source.len())
        .flat_map(|channel| holes_of(tracks, timeline, channel))
        .collect()
}

fn holes_of(tracks: &Tracks, timeline: &Timeline, channel: usize) -> Vec<Hole> {
    const FRAME: usize = 10 * PER_MS as usize;
    let (source, target) = (&tracks.source[channel], &tracks.target[channel]);
    // A target that is quieter as a whole is silent below its own floor.
    let gain = 10f64.powf(gains(timeline, channel).unwrap_or(0.0).min(0.0) / 20.0);
    let quiet_from = |at: usize| {
        level(&stretch(target, (at * FRAME) as i64 + timeline.lag, FRAME))
            <= (QUIET_RMS * gain).max(1.0)
    };
    let loud =
        |at: usize| level(&source[at * FRAME..((at + 1) * FRAME).min(source.len())]) >= LOUD_RMS;
    let frames = source.len() / FRAME;
    let (mut holes, mut start) = (Vec::new(), 0);
    for frame in 0..=frames {
        if frame < frames && quiet_from(frame) {
            continue;
        }
        let heard: Vec<usize> = (start..frame).filter(|at| loud(*at)).collect();
        if let (Some(first), Some(last)) = (heard.first(), heard.last())
            && (heard.len() * FRAME) as i64 >= GLITCH_MS * PER_MS
        {
            holes.push(Hole {
                from: ms((first * FRAME) as i64),
                to: ms(((last + 1) * FRAME) as i64),
                channel,
            });
        }
        start = frame + 1;
    }
    holes
}

/// Whether all sound that is missing is missing in holes: what is left of each second beside them
/// fits, or nothing is left.
pub(super) fn explained(tracks: &Tracks, timeline: &Timeline, holes: &[Hole]) -> bool {
    /// At the edge of a hole a codec rings. Milliseconds.
    const EDGE_MS: i64 = 30;
    const LEFT: f64 = 60.0;
    timeline
        .steps
        .iter()
        .filter(|step| !step.is_held())
        .all(|step| {
            let mut source =
                tracks.source[step.channel][step.from..step.from + step.length].to_vec();
            let mut target = stretch(
                &tracks.target[step.channel],
                step.from as i64 + timeline.lag,
                step.length,
            );
            for hole in holes.iter().filter(|hole| hole.channel == step.channel) {
                let place = |at_ms: i64| at_ms * PER_MS - step.from as i64;
                hush(
                    &mut source,
                    place(hole.from - EDGE_MS),
                    place(hole.to + EDGE_MS),
                );
                hush(
                    &mut target,
                    place(hole.from - EDGE_MS),
                    place(hole.to + EDGE_MS),
                );
            }
            fit(&source, &target) >= HELD || (level(&source) < LEFT && level(&target) < LEFT)
        })
}

/// The holes as one difference: at the beginning, at the end, or inside.
pub(super) fn holed(tracks: &Tracks, holes: &[Hole]) -> Option<Difference> {
    let (from, to) = (
        holes.iter().map(|hole| hole.from).min()?,
        holes.iter().map(|hole| hole.to).max()?,
    );
    let longest = holes.iter().map(|hole| hole.to - hole.from).max()?;
    let defect = if longest < HOLE_MS {
        Defect::AudioDamaged
    } else if from < GLITCH_MS {
        Defect::AudioTruncatedStart
    } else if to + GLITCH_MS > ms(tracks.source_length()) {
        Defect::AudioTruncatedEnd
    } else {
        Defect::AudioHole
    };
    let more = if holes.len() > 1 {
        format!(", {} times", holes.len())
    } else {
        String::new()
    };
    let found = Difference::new(
        defect,
        "sound",
        format!("silence between {from} and {to} ms{more}"),
    );
    Some(Difference {
        hole_ms: Some((from, to)),
        ..found.because("silence where the source has sound")
    })
}

/// Packets lost or replaced: many all over, or a few in one place.
pub(super) fn torn(tracks: &Tracks, timeline: &Timeline) -> Option<Torn> {
    let (mut all, mut lost) = (0, Vec::new());
    for (channel, source) in tracks.source.iter().enumerate() {
        let hushed = HUSHED * 10f64.powf(gains(timeline, channel).unwrap_or(0.0) / 20.0);
        let levels: Vec<f64> = source.chunks_exact(PACKET).map(level).collect();
        let sounding: Vec<f64> = levels
            .iter()
            .copied()
            .filter(|level| *level >= LOUD_RMS)
            .collect();
        let active = (sounding.iter().map(|level| level * level).sum::<f64>()
            / sounding.len().max(1) as f64)
            .sqrt();
        for (at, _) in levels
            .iter()
            .enumerate()
            .filter(|(_, level)| **level >= LOUD_RMS.max(active / 2.0))
        {
            let from = at * PACKET;
            if timeline.is_noise(channel, from) {
                continue;
            }
            let packet = &source[from..from + PACKET];
            let there = |late: i64| {
                stretch(
                    &tracks.target[channel],
                    from as i64 + timeline.lag + late,
                    PACKET,
                )
            };
            let here = there(0);
            // A voice codec delays a consonant by a sample more than a vowel.
            let fits = || {
                fit(packet, &here)
                    .max(fit(packet, &there(-1)))
                    .max(fit(packet, &there(1)))
            };
            all += 1;
            if (level(&here) < hushed * level(packet) || !is_hiss(packet)) && fits() < LOST_PACKET {
                lost.push(from);
            }
        }
    }
    lost.sort_unstable();
    lost.dedup();
    // Packets are lost one by one; a piece of another sound is one stretch.
    let apart = |at: usize| {
        !(lost.contains(&(at + PACKET)) || at >= PACKET && lost.contains(&(at - PACKET)))
    };
    let single = lost.iter().filter(|at| apart(**at)).count();
    let share = lost.len() as f64 / f64::from(all.max(1));
    let most = if timeline.keeps_waveform() {
        MOST_LOST
    } else {
        MOST_LOST_BY_VOICE_CODEC
    };
    if lost.len() >= FEWEST_LOST
        && share >= most
        && single as f64 >= MOSTLY_SINGLE * lost.len() as f64
    {
        let (first, last) = (ms(*lost.first()? as i64), ms(*lost.last()? as i64));
        let actual = format!(
            "gaps of about 20 ms in {:.0} % of the loud sound, from {first} to {last} ms",
            (share * 100.0).max(1.0)
        );
        return Some(Torn::All(
            Difference::new(
                Defect::AudioDamaged,
                "the source's sound without gaps",
                actual,
            )
            .because("many short gaps"),
        ));
    }
    let cluster = lost
        .windows(CLUSTER)
        .find(|few| few[CLUSTER - 1] - few[0] < CLUSTER_LENGTH && timeline.keeps_waveform())?;
    Some(Torn::Place(Difference::new(
        Defect::AudioDamaged,
        "the source's sound",
        format!("another sound at {} ms", ms(cluster[0] as i64)),
    )))
}

/// Whether most of it lies above 2 kHz, as of a sibilant: no voice codec keeps the waveform of
/// that, and it may be loud.
fn is_hiss(samples: &[f32]) -> bool {
    // A tone at a quarter of the rate has twice its energy from sample to sample; lower ones have
    // less.
    let steps: Vec<f32> = samples.windows(2).map(|two| two[1] - two[0]).collect();
    level(&steps).powi(2) > 2.0 * level(samples).powi(2)
}

/// Where packets are lost.
pub(super) enum Torn {
    /// All over the recording.
    All(Difference),
    /// In one place.
    Place(Difference),
}

impl Torn {
    pub(super) fn difference(self) -> Difference {
        match self {
            Torn::All(difference) | Torn::Place(difference) => difference,
        }
    }
}

/// Speech whose upper part is gone.
pub(super) fn narrowed(
    tracks: &Tracks,
    timeline: &Timeline,
    rates: (u32, u32),
) -> Option<Difference> {
    let mut sums = [[0.0; BANDS.len()]; 2];
    for step in timeline.steps.iter().filter(|step| step.is_held()) {
        let ours = &tracks.source[step.channel][step.from..step.from + step.length];
        let theirs = stretch(
            &tracks.target[step.channel],
            step.from as i64 + timeline.lag,
            step.length,
        );
        for (sums, samples) in sums.iter_mut().zip([ours, theirs.as_slice()]) {
            bands(samples, RATE, &BANDS)
                .iter()
                .zip(sums)
                .for_each(|(power, sum)| *sum += power);
        }
    }
    let [ours, theirs] = sums;
    let kept_db = |band: usize| 10.0 * ((theirs[band] + 1.0) / (ours[band] + 1.0)).log10();
    let share_db =
        |band: usize| 10.0 * ((ours[band] + 1.0) / (ours[BANDS.len() - 1] + 1.0)).log10();
    // A file of 6 kHz holds nothing above 3 kHz, and its filter begins below.
    let ends = f64::from(rates.0.min(rates.1)) * 0.45;
    let top = BANDS.len() - 2;
    let most = |band: usize| {
        if band == top {
            LOST_TOP_DB
        } else {
            LOST_BAND_DB
        }
    };
    let is_lost = |band: &usize| {
        BANDS[*band].1 <= ends
            && share_db(*band) >= PRESENT_BAND_DB
            && kept_db(*band) - kept_db(0) <= -most(*band)
    };
    let lost = (1..=top).find(is_lost)?;
    let actual = format!(
        "nearly nothing above {} Hz ({:.0} dB)",
        BANDS[lost].0,
        kept_db(lost) - kept_db(0)
    );
    Some(
        Difference::new(
            Defect::AudioQualityReduced,
            "the source's speech up to 3,400 Hz",
            actual,
        )
        .because("the upper part of the speech is lost"),
    )
}

/// As good as the source, but not as loud: as a whole, or less and less.
pub(super) fn volume(tracks: &Tracks, timeline: &Timeline) -> Option<Difference> {
    let of_channel = |channel| gains(timeline, channel);
    let most = (0..tracks.source.len())
        .filter_map(of_channel)
        .max_by(|a, b| a.abs().total_cmp(&b.abs()));
    let whole = most.filter(|gain| gain.abs() >= GAIN_DB);
    whole
        .map(|gain| {
            Difference::new(
                Defect::AudioVolumeChanged,
                "the source's volume",
                format!("{gain:+.1} dB"),
            )
            .because("volume is changed")
        })
        .or_else(|| fading(timeline))
}

/// The waveform is kept and its volume falls or rises within the recording.
pub(super) fn fading(timeline: &Timeline) -> Option<Difference> {
    let faded = |pair: &[super::timeline::Step]| {
        let usual = gains(timeline, pair[0].channel)?;
        let off = |step: &super::timeline::Step| {
            step.fit >= FADE_FIT && (step.gain_db - usual).abs() >= FADE_DB
        };
        (pair[0].channel == pair[1].channel && pair.iter().all(off))
            .then(|| (pair[0].from, pair[1].gain_db - usual))
    };
    let (from, gain) = timeline.steps.windows(2).find_map(faded)?;
    let actual = format!("{gain:+.0} dB from {} ms on", ms(from as i64));
    Some(
        Difference::new(
            Defect::AudioVolumeChanged,
            "the source's volume throughout",
            actual,
        )
        .because("volume changes within the recording"),
    )
}

/// Sound where the source has none, a quarter of a second around included.
pub(super) fn surplus(tracks: &Tracks, timeline: &Timeline) -> Option<Difference> {
    const FRAME: usize = 50 * PER_MS as usize;
    const AROUND: usize = 5;
    const LEAST: usize = 4;
    for (source, target) in tracks.source.iter().zip(&tracks.target) {
        let quiet: Vec<bool> = source
            .chunks(FRAME)
            .map(|piece| level(piece) <= QUIET_RMS)
            .collect();
        let all_quiet = |at: usize| {
            quiet[at.saturating_sub(AROUND)..(at + AROUND + 1).min(quiet.len())]
                .iter()
                .all(|quiet| *quiet)
        };
        let loud = |at: usize| {
            level(&stretch(target, (at * FRAME) as i64 + timeline.lag, FRAME)) >= LOUD_RMS
        };
        let heard: Vec<usize> = (0..quiet.len())
            .filter(|at| all_quiet(*at) && loud(*at))
            .collect();
        if heard.len() >= LEAST {
            let place = |at: usize| ms((at * FRAME) as i64);
            let actual = format!(
                "sound between {} and {} ms",
                place(heard[0]),
                place(heard[heard.len() - 1] + 1)
            );
            return Some(
                Difference::new(Defect::AudioDamaged, "silence", actual)
                    .because("sound where the source has none"),
            );
        }
    }
    None
}
