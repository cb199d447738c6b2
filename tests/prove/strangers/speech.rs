//! What is said in a recording of the proof.

use audio::Pcm;

#[path = "../../support/speech.rs"]
pub(crate) mod recorded;

pub(crate) use recorded::{Chance, RATE, prompts};

/// What is recorded.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Spoken {
    /// People who speak in turn, for so many seconds, on so many channels.
    Call { seconds: usize, channels: usize },
    /// The same with a number read out between 5 and 8 s on the first channel; quietly, or as loud
    /// as the rest.
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
        Spoken::Call { seconds, channels } => recorded::call(prompts, seed, seconds, channels),
        Spoken::Number { quietly } => number(prompts, seed, quietly),
        Spoken::Prompt { samples } => prompt(prompts, seed, samples),
        Spoken::Noise { seconds, channels } => recorded::noise(seed, seconds, channels),
    }
}

/// Speech without its pauses in 5..8 s of a call of two channels.
fn number(prompts: &[Vec<i16>], seed: u64, quietly: bool) -> Pcm {
    let mut pcm = recorded::call(prompts, seed, 14, 2);
    let (from, to) = (NUMBER_MS.0 * RATE / 1000, NUMBER_MS.1 * RATE / 1000);
    let first = Chance::of(seed).below(prompts.len() / 2);
    let is_loud = |frame: &&[i16]| {
        frame
            .iter()
            .map(|sample| i32::from(sample.abs()))
            .sum::<i32>()
            > frame.len() as i32 * 300
    };
    let spoken: Vec<i16> = prompts[first..]
        .iter()
        .flat_map(|prompt| prompt.chunks(160).filter(is_loud))
        .flatten()
        .copied()
        .take(to - from)
        .collect();
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
    let long: Vec<&Vec<i16>> = prompts
        .iter()
        .filter(|prompt| prompt.len() >= samples)
        .step_by(3)
        .collect();
    Pcm {
        sample_rate: RATE as u32,
        channels: vec![long[seed as usize % long.len()][..samples].to_vec()],
    }
}
