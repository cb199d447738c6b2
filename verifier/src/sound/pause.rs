//! What may be heard inside a protected pause: silence, a tone, steady noise. Never what the source
//! says there, however quietly.
//!
//! A pause is judged where the file's own lag puts it. The source's speech is recognised by its
//! waveform, so its volume does not matter: through 16-bit samples and MP3 with -V 2 it is
//! recognised down to an attenuation of 52 dB, through mu-law down to 36 (its least step is 8),
//! through 8-bit samples down to 30 (their step is 256). What is quieter there is gone for
//! everybody.

use audio::Codec;
use audio::compare::LOUD_RMS;
use audio::compare::wave::{Search, fit, level, stretch};

use super::Difference;
use super::timeline::Timeline;
use super::tracks::{PER_MS, RATE, Tracks, is_steady};
use crate::defect::Defect;
use crate::expected::{Pause, PauseRule};

/// How far a codec carries sound into a silence beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spread {
    /// Not at all: every sample stands for itself.
    None,
    /// Into the next MP3 granule, 72 ms at 8 kHz.
    Granule,
}

impl Spread {
    pub(super) fn of(codec: Codec) -> Spread {
        match codec {
            Codec::PcmS16 | Codec::PcmU8 | Codec::Mulaw | Codec::Alaw | Codec::Flac => Spread::None,
            Codec::PcmS16Be
            | Codec::PcmS8
            | Codec::PcmS24
            | Codec::PcmS32
            | Codec::PcmF32
            | Codec::PcmF64 => Spread::None,
            Codec::ImaAdpcm
            | Codec::MsAdpcm
            | Codec::Mp3
            | Codec::AmrNb
            | Codec::GsmWav49
            | Codec::GsmRaw
            | Codec::Aac
            | Codec::Vorbis => Spread::Granule,
            Codec::Opus | Codec::Speex | Codec::G722 | Codec::G726 | Codec::Other => {
                Spread::Granule
            }
        }
    }

    /// Inside this margin nothing is judged. 80 ms from its edge a silenced pause is silent after
    /// LAME (tested in `audio`); a sample of rounding at the edges is all a lossless codec needs.
    fn margin_ms(self) -> u64 {
        match self {
            Spread::None => 5,
            Spread::Granule => 80,
        }
    }

    /// For so long the source may go on at an edge. A lossless codec ends to the sample; MP3 rings
    /// for a granule at most, and while it does fits the voice before the pause rather than what is
    /// said in it.
    fn most_open_ms(self) -> u64 {
        match self {
            Spread::None => 20,
            Spread::Granule => 50,
        }
    }

    /// Sound this long is heard; shorter is a click of the codec.
    fn least_leak_ms(self) -> u64 {
        match self {
            Spread::None => 25,
            Spread::Granule => 50,
        }
    }
}

/// A second of the source fits what stands in the pause from here on. Measured over searches of 5 s
/// either way: unrelated speech, comfort noise and tones reach 0.30, what is left of speech
/// attenuated by 52 dB is at 0.6 and above. Shorter pieces fit by chance more easily, with the
/// inverse of the root of their length.
const SAME_SPEECH: f64 = 0.4;
const MOST_SAME_SPEECH: f64 = 0.9;
const PIECE: usize = RATE as usize;
/// Shorter than this nothing can be recognised. Samples: 200 ms.
const LEAST_PIECE: usize = RATE as usize / 5;
/// Source and pause must differ from nothing (RMS): below, there is no speech to leak, and rounding
/// in the target.
const SPOKEN: f64 = 40.0;
const ANYTHING: f64 = 0.3;
/// How far from its place speech is searched for within the pause. Samples: 5 s.
const REACH: i64 = 5 * RATE as i64;
/// At an edge frames of 10 ms are compared in place: a voice is open while they fit and are about
/// as loud as in the source.
const FRAME: usize = 10 * PER_MS as usize;
const OPEN_FIT: f64 = 0.8;
const EDGE_FRAMES: usize = 30;
/// Or so much of it fits as a whole at half its loudness: what rings on after an edge is over in
/// the first third of that. Samples: 80 ms.
const EDGE: usize = 80 * PER_MS as usize;
const EDGE_FIT: f64 = 0.7;

/// Sound inside a pause: the first one found. `tracks` hold the source as it is, pauses included.
pub(super) fn leak(
    tracks: &Tracks,
    timeline: &Timeline,
    pauses: &[Pause],
    rule: PauseRule,
    spread: Spread,
) -> Option<Difference> {
    let wanted = match rule {
        PauseRule::Keep => return None,
        PauseRule::Silence => "silence",
        PauseRule::Tone => "a steady tone",
    };
    let mut search = Search::default();
    pauses.iter().find_map(|pause| {
        let place = Place::of(pause, spread)?;
        let heard = (0..tracks.target.len()).find_map(|channel| {
            heard(&mut search, tracks, timeline, channel, &place, rule, spread)
        })?;
        let expected = format!("{wanted} from {} to {} ms", pause.start_ms, pause.end_ms);
        let channel = if tracks.target.len() > 1 {
            format!(" in channel {}", heard.1 + 1)
        } else {
            String::new()
        };
        Some(Difference::new(
            Defect::PauseAudible,
            expected,
            format!("{}{channel}", heard.0),
        ))
    })
}

/// A pause in the source. Samples.
struct Place {
    start: i64,
    end: i64,
    /// What a codec's neighbours may reach at either edge; a third of a short pause.
    margin: i64,
}

impl Place {
    fn of(pause: &Pause, spread: Spread) -> Option<Place> {
        let (start, end) = (
            u64::try_from(pause.start_ms).ok()?,
            u64::try_from(pause.end_ms).ok()?,
        );
        let margin = spread.margin_ms().min(end.checked_sub(start)? / 3);
        let samples = |ms: u64| i64::try_from(ms).ok()?.checked_mul(PER_MS);
        Some(Place {
            start: samples(start)?,
            end: samples(end)?,
            margin: samples(margin)?,
        })
    }
}

/// What is heard in a channel's pause, in words.
fn heard(
    search: &mut Search,
    tracks: &Tracks,
    timeline: &Timeline,
    channel: usize,
    place: &Place,
    rule: PauseRule,
    spread: Spread,
) -> Option<(String, usize)> {
    let (source, target) = (tracks.source.get(channel)?, tracks.target.get(channel)?);
    // Nothing lies behind the end of either recording.
    let end = place.end.min(source.len() as i64);
    if place.start >= end {
        return None;
    }
    let lag = timeline.lag_at(channel, place.start);
    let inner = |samples: &[f32], lag: i64| {
        stretch(
            samples,
            place.start + place.margin + lag,
            (end - place.start - 2 * place.margin).max(0) as usize,
        )
    };
    let (said, there) = (inner(source, 0), inner(target, lag));
    let steady = is_steady(&there);
    let active = match rule {
        PauseRule::Tone => !steady,
        PauseRule::Silence | PauseRule::Keep => {
            !steady && loud_ms(&there) >= spread.least_leak_ms()
        }
    };
    let open = open_ms(source, target, lag, place.start, end);
    if !steady && speaks(search, &said, &there) {
        Some(("what the source says there".to_owned(), channel))
    } else if open > spread.most_open_ms() {
        Some((
            format!("what the source says there, for {open} ms at the edge"),
            channel,
        ))
    } else {
        active.then(|| {
            (
                "sound that is neither silence nor the agreed replacement".to_owned(),
                channel,
            )
        })
    }
}

/// Whether the pause holds what the source says there, at whatever volume.
fn speaks(search: &mut Search, said: &[f32], there: &[f32]) -> bool {
    if level(there) < ANYTHING {
        return false;
    }
    let length = PIECE.min(said.len());
    if length < LEAST_PIECE {
        return false;
    }
    let wanted = (SAME_SPEECH * (PIECE as f64 / length as f64).sqrt()).min(MOST_SAME_SPEECH);
    let (said, there) = (sharpened(said), sharpened(there));
    let last = said.len() - length;
    (0..last).step_by(length / 2).chain([last]).any(|from| {
        let piece = &said[from..from + length];
        let around = (from as i64 - REACH).max(0) as usize
            ..(from + length + REACH as usize).min(there.len());
        // Sharpened speech has about a third of its level.
        level(piece) >= SPOKEN / 3.0
            && search
                .best(piece, &there[around])
                .is_some_and(|best| best.1 >= wanted)
    })
}

/// Differences of neighbours: the low tones that all voices share say little.
fn sharpened(samples: &[f32]) -> Vec<f32> {
    const KEPT: f32 = 0.95;
    let before = std::iter::once(&0.0).chain(samples);
    samples
        .iter()
        .zip(before)
        .map(|(sample, before)| sample - KEPT * before)
        .collect()
}

/// For how long the source goes on unchanged at the worse edge of a pause. Milliseconds.
fn open_ms(source: &[f32], target: &[f32], lag: i64, start: i64, end: i64) -> u64 {
    let frames = (((end - start) / 2) as usize / FRAME).min(EDGE_FRAMES);
    let is_open = |at: i64| {
        let (ours, theirs) = (stretch(source, at, FRAME), stretch(target, at + lag, FRAME));
        let (said, heard) = (level(&ours), level(&theirs));
        (said >= SPOKEN).then(|| fit(&ours, &theirs) >= OPEN_FIT && heard >= said / 4.0)
    };
    // Between two syllables nothing is said, and nothing is learnt.
    let open = |at: &dyn Fn(usize) -> i64| {
        let mut open = 0;
        for frame in 0..frames {
            match is_open(at(frame)) {
                Some(true) => open = (frame + 1) * 10,
                Some(false) => break,
                None => {}
            }
        }
        open as u64
    };
    let is_as_said = |at: i64, length: usize| {
        let (ours, theirs) = (
            stretch(source, at, length),
            stretch(target, at + lag, length),
        );
        level(&ours) >= SPOKEN
            && level(&theirs) >= level(&ours) / 2.0
            && fit(&ours, &theirs) >= EDGE_FIT
    };
    // The half away from the edge by itself too: where the pause begins quietly, a loud voice
    // before it rings on as loud as what is said.
    let half = EDGE as i64 / 2;
    let at_start = || is_as_said(start, EDGE) && is_as_said(start + half, EDGE / 2);
    let at_end = || is_as_said(end - EDGE as i64, EDGE) && is_as_said(end - EDGE as i64, EDGE / 2);
    let edge = if end - start >= 2 * EDGE as i64 && (at_start() || at_end()) {
        EDGE as u64 / PER_MS as u64
    } else {
        0
    };
    open(&|frame| start + (frame * FRAME) as i64)
        .max(open(&|frame| end - ((frame + 1) * FRAME) as i64))
        .max(edge)
}

/// Milliseconds of 25 in which there surely is sound.
fn loud_ms(samples: &[f32]) -> u64 {
    const LOUD_FRAME: usize = 25 * PER_MS as usize;
    let loud = samples
        .chunks(LOUD_FRAME)
        .filter(|frame| level(frame) >= LOUD_RMS);
    loud.map(|frame| frame.len() as u64 / PER_MS as u64).sum()
}

#[cfg(test)]
mod tests {
    use audio::Pcm;

    use super::*;
    use crate::sound::content::testing::{speech, through_mp3};
    use crate::sound::delay::Delay;
    use crate::sound::tracks::hush;

    const PAUSE: [Pause; 1] = [Pause {
        start_ms: 4000,
        end_ms: 7000,
    }];

    /// What is heard in the pause of a target made from `source`.
    fn leaks(source: &Pcm, target: &Pcm, pauses: &[Pause], rule: PauseRule) -> Option<Difference> {
        let raw = Tracks::of(source, target);
        let mut silenced = raw.clone();
        for pause in pauses {
            silenced
                .source
                .iter_mut()
                .for_each(|channel| hush(channel, pause.start_ms * PER_MS, pause.end_ms * PER_MS));
        }
        let delay = Delay::of((Codec::PcmS16, 8000), (Codec::PcmS16, 8000), b"");
        let timeline = Timeline::of(&mut silenced, &delay);
        let raw = Tracks {
            source: raw.source,
            target: silenced.target,
        };
        leak(&raw, &timeline, pauses, rule, Spread::Granule)
    }

    #[test]
    fn speech_left_in_a_pause_is_heard() {
        let source = speech(3, 12.0, 2);
        let raw = through_mp3(&source);
        for rule in [PauseRule::Silence, PauseRule::Tone] {
            assert_eq!(
                leaks(&source, &raw, &PAUSE, rule).map(|difference| difference.defect),
                Some(Defect::PauseAudible),
                "{rule:?}"
            );
        }
        assert_eq!(leaks(&source, &raw, &PAUSE, PauseRule::Keep), None);
        assert_eq!(leaks(&source, &raw, &[], PauseRule::Silence), None);
    }

    #[test]
    fn what_was_agreed_is_not_heard_even_after_a_lossy_codec() {
        let source = speech(3, 12.0, 2);
        let mut silenced = source.clone();
        audio::silence(&mut silenced, 4000, 7000);
        assert_eq!(
            leaks(&source, &through_mp3(&silenced), &PAUSE, PauseRule::Silence),
            None
        );
        let mut beeped = source.clone();
        audio::tone(&mut beeped, 4000, 7000);
        assert_eq!(
            leaks(&source, &through_mp3(&beeped), &PAUSE, PauseRule::Tone),
            None
        );
    }
}
