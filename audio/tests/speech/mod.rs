//! Made-up speech: syllables of a voiced tone with formants, hissing sounds and pauses; the same
//! for the same seed.

use audio::Pcm;

/// One channel of speech-like sound.
pub(crate) fn voice(seed: u64, seconds: f64, rate: u32) -> Vec<i16> {
    let total = (seconds * f64::from(rate)) as usize;
    let mut chance = Chance(seed.wrapping_mul(2).wrapping_add(1));
    let mut out = Vec::with_capacity(total);
    while out.len() < total {
        let length = chance.between(0.08, 0.3);
        let pitch = chance.between(90.0, 220.0);
        let formants = [chance.between(300.0, 800.0), chance.between(900.0, 2400.0)];
        let loud = chance.between(1500.0, 7000.0);
        let hiss = chance.between(0.0, 1.0) < 0.25;
        let samples = (length * f64::from(rate)) as usize;
        for index in 0..samples {
            let time = index as f64 / f64::from(rate);
            let shape = (std::f64::consts::PI * index as f64 / samples as f64).sin();
            let value = if hiss {
                chance.between(-0.5, 0.5)
            } else {
                (1..12)
                    .map(|harmonic| {
                        let hertz = pitch * f64::from(harmonic) * (1.0 - 0.1 * time);
                        let gain: f64 = formants
                            .iter()
                            .map(|f| 1.0 / (1.0 + ((hertz - f) / 120.0).powi(2)))
                            .sum();
                        gain * (std::f64::consts::TAU * hertz * time).sin()
                    })
                    .sum::<f64>()
                    * 0.5
            };
            out.push((loud * shape * value) as i16);
        }
        if chance.between(0.0, 1.0) < 0.35 {
            let pause = (chance.between(0.1, 0.9) * f64::from(rate)) as usize;
            // The noise of a quiet line: GSM rings for a while in exact silence, which no telephone
            // has.
            out.extend((0..pause).map(|_| chance.between(-15.0, 15.0) as i16));
        }
    }
    out.truncate(total);
    out
}

/// Mono speech at 8 kHz.
pub(crate) fn mono(seed: u64, seconds: f64) -> Pcm {
    Pcm {
        sample_rate: 8000,
        channels: vec![voice(seed, seconds, 8000)],
    }
}

/// Two different speakers at 8 kHz.
pub(crate) fn stereo(seed: u64, seconds: f64) -> Pcm {
    let channels = vec![
        voice(seed, seconds, 8000),
        voice(seed + 1000, seconds, 8000),
    ];
    Pcm {
        sample_rate: 8000,
        channels,
    }
}

struct Chance(u64);

impl Chance {
    fn between(&mut self, low: f64, high: f64) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        low + (high - low) * ((self.0 >> 11) as f64 / (1u64 << 53) as f64)
    }
}
