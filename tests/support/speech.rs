//! Recorded speech: Asterisk's prompts (Debian: asterisk-core-sounds-en-wav), joined to calls.

use std::path::PathBuf;

use audio::Pcm;

const PROMPTS: &str = "/usr/share/asterisk/sounds/en_US_f_Allison";
/// Samples a second of every prompt.
pub(crate) const RATE: usize = 8000;

/// Prompts of one to twelve seconds, in the order of their names. The error says what to install.
pub(crate) fn prompts() -> Result<Vec<Vec<i16>>, String> {
    let absent = || {
        format!("{PROMPTS} has no prompts: install asterisk-core-sounds-en-wav, as ./check does")
    };
    let mut files: Vec<PathBuf> = std::fs::read_dir(PROMPTS)
        .map_err(|_| absent())?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "wav"));
    files.sort();
    let decoded = files
        .iter()
        .filter_map(|path| audio::decode(&std::fs::read(path).ok()?).ok());
    let prompts: Vec<Vec<i16>> = decoded
        .filter(|(probe, _)| {
            probe.sample_rate as usize == RATE && (8_000..96_000).contains(&probe.samples)
        })
        .map(|(_, mut pcm)| pcm.channels.remove(0))
        .collect();
    if prompts.len() > 100 {
        Ok(prompts)
    } else {
        Err(absent())
    }
}

/// Numbers that follow from a seed.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn of(seed: u64) -> Chance {
        Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end.max(1)
    }
}

/// A call: people speak in turn, with gaps of up to 0.8 s; every third line has noise.
pub(crate) fn call(prompts: &[Vec<i16>], seed: u64, seconds: usize, channels: usize) -> Pcm {
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
        who = if chance.below(10) < 7 {
            (who + 1) % channels
        } else {
            who
        };
    }
    if seed.is_multiple_of(3) {
        out.iter_mut()
            .flatten()
            .for_each(|sample| *sample = sample.saturating_add(chance.below(40) as i16 - 20));
    }
    Pcm {
        sample_rate: RATE as u32,
        channels: out,
    }
}

/// Steady noise, as of a line that nobody speaks on.
pub(crate) fn noise(seed: u64, seconds: usize, channels: usize) -> Pcm {
    let mut chance = Chance::of(seed);
    let mut line = || {
        (0..seconds * RATE)
            .map(|_| chance.below(1600) as i16 - 800)
            .collect()
    };
    Pcm {
        sample_rate: RATE as u32,
        channels: (0..channels).map(|_| line()).collect(),
    }
}
