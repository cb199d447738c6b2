//! Recorded speech: Asterisk's prompts (Debian: asterisk-core-sounds-en-wav), joined to calls.

use std::path::PathBuf;

use audio::Pcm;

use crate::report::Failure;

const PROMPTS: &str = "/usr/share/asterisk/sounds/en_US_f_Allison";
/// Samples a second of every prompt.
pub(crate) const RATE: usize = 8000;

/// Prompts of one to twelve seconds, in the order of their names.
pub(crate) fn prompts() -> Result<Vec<Vec<i16>>, Failure> {
    let absent = || Failure::new(format!("{PROMPTS} has no prompts: install asterisk-core-sounds-en-wav, as ./check does"));
    let mut files: Vec<PathBuf> = std::fs::read_dir(PROMPTS).map_err(|_| absent())?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "wav"));
    files.sort();
    let decoded = files.iter().filter_map(|path| audio::decode(&std::fs::read(path).ok()?).ok());
    let prompts: Vec<Vec<i16>> = decoded
        .filter(|(probe, _)| probe.sample_rate as usize == RATE && (8_000..96_000).contains(&probe.samples))
        .map(|(_, mut pcm)| pcm.channels.remove(0))
        .collect();
    if prompts.len() > 100 { Ok(prompts) } else { Err(absent()) }
}

/// Numbers that follow from a seed.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn of(seed: u64) -> Chance {
        Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end.max(1)
    }
}

/// What is recorded.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Spoken {
    /// People who speak in turn, for so many seconds, on so many channels.
    Call { seconds: usize, channels: usize },
    /// The same with a number read out between 5 and 8 s on the first channel; quietly, or as loud as the rest.
    Number { quietly: bool },
    /// One prompt on one channel, cut to this many samples.
    Prompt { samples: usize },
    /// A line on which nobody speaks.
    Noise { seconds: usize, channels: usize },
}

/// From where to where the number of [`Spoken::Number`] is read. Milliseconds.
pub(crate) const NUMBER_MS: (usize, usize) = (5000, 8000);

pub(crate) fn record(prompts: &[Vec<i16>], seed: u64, spoken: Spoken) -> Pcm {
    match spoken {
        Spoken::Call { seconds, channels } => call(prompts, seed, seconds, channels),
        Spoken::Number { quietly } => number(prompts, seed, quietly),
        Spoken::Prompt { samples } => prompt(prompts, seed, samples),
        Spoken::Noise { seconds, channels } => noise(seed, seconds, channels),
    }
}

fn mono(rate: usize, channels: Vec<Vec<i16>>) -> Pcm {
    Pcm { sample_rate: rate as u32, channels }
}

/// Gaps of up to 0.8 s; every third line has noise.
fn call(prompts: &[Vec<i16>], seed: u64, seconds: usize, channels: usize) -> Pcm {
    let mut chance = Chance::of(seed);
    let samples = seconds * RATE;
    let mut out = vec![vec![0_i16; samples]; channels];
    let (mut at, mut who) = (chance.below(4800), chance.below(channels));
    while at < samples {
        let prompt = &prompts[chance.below(prompts.len())];
        let volume = 40 + chance.below(60) as i32;
        for (sample, said) in out[who][at..].iter_mut().zip(prompt) {
            *sample = (i32::from(*said) * volume / 100) as i16;
        }
        at += prompt.len() + chance.below(6400);
        who = if chance.below(10) < 7 { (who + 1) % channels } else { who };
    }
    if seed.is_multiple_of(3) {
        out.iter_mut().flatten().for_each(|sample| *sample = sample.saturating_add(chance.below(40) as i16 - 20));
    }
    mono(RATE, out)
}

/// Speech without its pauses in 5..8 s of a call of two channels.
fn number(prompts: &[Vec<i16>], seed: u64, quietly: bool) -> Pcm {
    let mut pcm = call(prompts, seed, 14, 2);
    let (from, to) = (NUMBER_MS.0 * RATE / 1000, NUMBER_MS.1 * RATE / 1000);
    let first = Chance::of(seed).below(prompts.len() / 2);
    let is_loud = |frame: &&[i16]| frame.iter().map(|sample| i32::from(sample.abs())).sum::<i32>() > frame.len() as i32 * 300;
    let spoken: Vec<i16> =
        prompts[first..].iter().flat_map(|prompt| prompt.chunks(160).filter(is_loud)).flatten().copied().take(to - from).collect();
    // 34 dB: no part of it is loud any more.
    let volume = if quietly { 0.02 } else { 1.0 };
    for (sample, said) in pcm.channels[0][from..to].iter_mut().zip(&spoken) {
        *sample = (f64::from(*said) * volume) as i16;
    }
    pcm.channels[1][from..to].fill(0);
    pcm
}

/// Some prompts begin with the same words, cut from one recording: every third is taken.
fn prompt(prompts: &[Vec<i16>], seed: u64, samples: usize) -> Pcm {
    let long: Vec<&Vec<i16>> = prompts.iter().filter(|prompt| prompt.len() >= samples).step_by(3).collect();
    mono(RATE, vec![long[seed as usize % long.len()][..samples].to_vec()])
}

fn noise(seed: u64, seconds: usize, channels: usize) -> Pcm {
    let mut chance = Chance::of(seed);
    let mut line = || (0..seconds * RATE).map(|_| chance.below(1600) as i16 - 800).collect();
    mono(RATE, (0..channels).map(|_| line()).collect())
}
