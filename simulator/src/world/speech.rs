//! Sound that behaves like speech to whoever measures it: voiced syllables with moving pitch and
//! formants, consonants, gaps and turns, different for every recording and every channel.
//!
//! Only additions, multiplications, divisions and comparisons of `f64` are used, no library sine or
//! exponential: the same seed must give the same samples on every machine and in every release.

use super::Pause;
use crate::seed::Seed;

const PI: f64 = std::f64::consts::PI;

/// First three formants of ten vowels, Hz (Peterson and Barney 1952, men).
const VOWELS: [[f64; 3]; 10] = [
    [270.0, 2290.0, 3010.0],
    [390.0, 1990.0, 2550.0],
    [530.0, 1840.0, 2480.0],
    [660.0, 1720.0, 2410.0],
    [730.0, 1090.0, 2440.0],
    [570.0, 840.0, 2410.0],
    [440.0, 1020.0, 2240.0],
    [300.0, 870.0, 2240.0],
    [640.0, 1190.0, 2390.0],
    [490.0, 1350.0, 1690.0],
];

/// A conversation of agent and customer: two channels, or one with both. Inside a pause only the
/// customer is heard, reading digits.
pub(super) fn conversation(
    seed: Seed,
    rate: u32,
    length_ms: u64,
    stereo: bool,
    pauses: &[Pause],
) -> Vec<Vec<i16>> {
    let samples = samples_in(length_ms, rate);
    let mut agent = floor(seed.child("room/agent"), samples);
    let mut customer = floor(seed.child("room/customer"), samples);
    let (speakers, turns) = (Speakers::of(seed, rate), turns(seed, length_ms));
    for turn in turns {
        let channel = if turn.agent {
            &mut agent
        } else {
            &mut customer
        };
        let voice = if turn.agent {
            &speakers.agent
        } else {
            &speakers.customer
        };
        voice.speak(
            turn.seed,
            &mut channel[samples_in(turn.from_ms, rate)..samples_in(turn.to_ms, rate)],
        );
    }
    for (k, pause) in pauses.iter().enumerate() {
        let range = samples_in(pause.start_offset_ms, rate).min(samples)
            ..samples_in(pause.end_offset_ms, rate).min(samples);
        agent[range.clone()].fill(0.0);
        customer[range.clone()].fill(0.0);
        speakers
            .customer
            .read_digits(seed.child("digits").index(k as u64), &mut customer[range]);
    }
    let whole = |channel: Vec<f64>| {
        channel
            .into_iter()
            .map(|value| value.clamp(-32_000.0, 32_000.0) as i16)
            .collect()
    };
    if stereo {
        vec![whole(agent), whole(customer)]
    } else {
        vec![whole(
            agent.iter().zip(&customer).map(|(a, b)| a + b).collect(),
        )]
    }
}

pub(super) fn samples_in(ms: u64, rate: u32) -> usize {
    usize::try_from(ms * u64::from(rate) / 1000).unwrap_or(0)
}

struct Turn {
    agent: bool,
    from_ms: u64,
    to_ms: u64,
    seed: Seed,
}

/// Who speaks when: turns of half a second to a little over one, so that even a short call has
/// both.
fn turns(seed: Seed, length_ms: u64) -> Vec<Turn> {
    let branch = seed.child("turns");
    let mut agent = branch.chance(0.5);
    let (mut turns, mut at, mut k) = (Vec::new(), 0, 0);
    while at < length_ms {
        let own = branch.index(k);
        let to_ms = (at + 500 + own.below(700)).min(length_ms);
        turns.push(Turn {
            agent,
            from_ms: at,
            to_ms,
            seed: own,
        });
        (agent, at, k) = (!agent, to_ms, k + 1);
    }
    turns
}

/// A quiet room: without it, silence would be all zeros, which no real recorder gives.
fn floor(seed: Seed, samples: usize) -> Vec<f64> {
    let mut noise = Noise(seed.value() | 1);
    (0..samples).map(|_| noise.next() * 12.0).collect()
}

struct Speakers {
    agent: Voice,
    customer: Voice,
}

impl Speakers {
    fn of(seed: Seed, rate: u32) -> Speakers {
        let voice = |name: &str| {
            let own = seed.child(name);
            let rate = f64::from(rate);
            Voice {
                rate,
                pitch: 95.0 + 130.0 * own.child("pitch").fraction(),
                scale: 0.9 + 0.25 * own.child("scale").fraction(),
            }
        };
        Speakers {
            agent: voice("voice/agent"),
            customer: voice("voice/customer"),
        }
    }
}

struct Voice {
    rate: f64,
    /// Hz.
    pitch: f64,
    /// Of all formants: the length of the throat.
    scale: f64,
}

impl Voice {
    /// Syllables with gaps until `out` is full.
    fn speak(&self, seed: Seed, out: &mut [f64]) {
        let (mut at, mut k) = (0, 0);
        while at < out.len() {
            let own = seed.child("syllable").index(k);
            let length = self
                .samples(80.0 + 160.0 * own.child("length").fraction())
                .min(out.len() - at);
            self.syllable(own, &mut out[at..at + length]);
            let pause = if own.child("phrase").chance(0.18) {
                150.0 + 250.0 * own.child("rest").fraction()
            } else {
                70.0 * own.child("gap").fraction()
            };
            (at, k) = (at + length + self.samples(10.0 + pause), k + 1);
        }
    }

    /// Loud, evenly spaced syllables: what must not be heard in the target.
    fn read_digits(&self, seed: Seed, out: &mut [f64]) {
        let (length, gap) = (self.samples(170.0), self.samples(60.0));
        let (mut at, mut k) = (0, 0);
        while at < out.len() {
            let to = (at + length).min(out.len());
            self.syllable(seed.index(k), &mut out[at..to]);
            (at, k) = (to + gap, k + 1);
        }
    }

    fn samples(&self, ms: f64) -> usize {
        (ms * self.rate / 1000.0) as usize
    }

    /// One vowel, sometimes behind a consonant, added to `out`.
    fn syllable(&self, seed: Seed, out: &mut [f64]) {
        let consonant = if seed.child("consonant").chance(0.4) {
            self.samples(25.0 + 35.0 * seed.child("hiss").fraction())
                .min(out.len() / 2)
        } else {
            0
        };
        let mut sound = vec![0.0; out.len()];
        let (head, tail) = sound.split_at_mut(consonant);
        self.hiss(seed, head);
        self.vowel(seed, tail);
        let peak = tail
            .iter()
            .fold(1e-9_f64, |peak, value| peak.max(value.abs()));
        let loudness = 2500.0 + 8500.0 * seed.child("loudness").fraction();
        let edge = self.samples(12.0).max(1);
        let length = sound.len();
        for (k, (value, out)) in sound.iter().zip(out).enumerate() {
            let ramp = (k.min(length - 1 - k) as f64 / edge as f64).min(1.0);
            let level = if k < consonant {
                loudness * 0.25
            } else {
                loudness / peak
            };
            *out += value * level * ramp;
        }
    }

    /// Noise through one high resonance, at most about 1.
    fn hiss(&self, seed: Seed, out: &mut [f64]) {
        let mut noise = Noise(seed.child("hiss/noise").value() | 1);
        let mut resonance = Resonance::new(
            2400.0 + 1200.0 * seed.child("hiss/colour").fraction(),
            600.0,
            self.rate,
        );
        out.iter_mut()
            .for_each(|value| *value = resonance.next(noise.next()) * 0.5);
    }

    /// Glottal pulses with a pitch that glides, through three formants that glide from one vowel
    /// towards another.
    fn vowel(&self, seed: Seed, out: &mut [f64]) {
        let jitter = |name: &str| 0.92 + 0.16 * seed.child(name).fraction();
        let from = VOWELS[seed.child("from").below(10) as usize];
        let to = VOWELS[seed.child("to").below(10) as usize];
        let start = self.pitch * (0.75 + 0.6 * seed.child("pitch").fraction());
        let glide = start * 0.35 * (seed.child("glide").fraction() - 0.5);
        let tune = [jitter("f1"), jitter("f2"), jitter("f3")];
        let mut formants = [0, 1, 2].map(|_| Resonance::default());
        let mut phase = 0.0;
        let length = out.len().max(1) as f64;
        for (k, value) in out.iter_mut().enumerate() {
            let along = k as f64 / length;
            // Formants move slowly: setting them every 8 ms is enough and keeps this fast.
            if k % 64 == 0 {
                for (n, formant) in formants.iter_mut().enumerate() {
                    let hz = (from[n] + (to[n] - from[n]) * along * 0.6) * tune[n] * self.scale;
                    formant.set(hz.min(self.rate * 0.45), 70.0 + 30.0 * n as f64, self.rate);
                }
            }
            phase += (start + glide * along) / self.rate;
            let pulse = if phase >= 1.0 {
                phase -= 1.0;
                1.0
            } else {
                0.0
            };
            *value = formants[0].next(pulse)
                + 0.6 * formants[1].next(pulse)
                + 0.3 * formants[2].next(pulse);
        }
    }
}

/// A two-pole resonator.
#[derive(Default)]
struct Resonance {
    a: f64,
    b: f64,
    gain: f64,
    last: [f64; 2],
}

impl Resonance {
    fn new(hz: f64, width_hz: f64, rate: f64) -> Resonance {
        let mut resonance = Resonance::default();
        resonance.set(hz, width_hz, rate);
        resonance
    }

    fn set(&mut self, hz: f64, width_hz: f64, rate: f64) {
        let radius = decay(PI * width_hz / rate);
        self.a = 2.0 * radius * cosine(2.0 * PI * hz / rate);
        self.b = -radius * radius;
        self.gain = 1.0 - radius;
    }

    fn next(&mut self, input: f64) -> f64 {
        let output = self.gain * input + self.a * self.last[0] + self.b * self.last[1];
        self.last = [output, self.last[0]];
        output
    }
}

/// Cosine of 0..pi by its series; better than 1e-9 there.
fn cosine(angle: f64) -> f64 {
    let square = angle * angle;
    let (mut term, mut sum) = (1.0, 1.0);
    for k in 1..12 {
        let k = f64::from(2 * k);
        term *= -square / (k * (k - 1.0));
        sum += term;
    }
    sum
}

/// exp(-x) for a small x by its series.
fn decay(x: f64) -> f64 {
    let (mut term, mut sum) = (1.0, 1.0);
    for k in 1..16 {
        term *= -x / f64::from(k);
        sum += term;
    }
    sum
}

/// White noise in -1..1 (xorshift64, Marsaglia 2003).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn energy(channel: &[i16]) -> Vec<f64> {
        channel
            .chunks(200)
            .map(|frame| {
                (1.0 + frame
                    .iter()
                    .map(|s| f64::from(*s) * f64::from(*s))
                    .sum::<f64>())
                .ln()
            })
            .collect()
    }

    fn correlation(a: &[f64], b: &[f64]) -> f64 {
        let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
        let (ma, mb) = (mean(a), mean(b));
        let dot = |x: &[f64], mx: f64, y: &[f64], my: f64| {
            x.iter()
                .zip(y)
                .map(|(x, y)| (x - mx) * (y - my))
                .sum::<f64>()
        };
        dot(a, ma, b, mb) / (dot(a, ma, a, ma) * dot(b, mb, b, mb)).sqrt()
    }

    #[test]
    fn no_two_recordings_sound_alike() {
        let sounds: Vec<Vec<f64>> = (0..40)
            .map(|i| energy(&conversation(Seed::new(7).index(i), 8000, 3000, false, &[])[0]))
            .collect();
        for (i, a) in sounds.iter().enumerate() {
            for b in &sounds[..i] {
                assert!(correlation(a, b) < 0.75, "{}", correlation(a, b));
            }
        }
    }

    #[test]
    fn the_two_channels_differ() {
        let channels = conversation(Seed::new(7), 8000, 4000, true, &[]);
        assert!(correlation(&energy(&channels[0]), &energy(&channels[1])) < 0.5);
        assert!(
            channels
                .iter()
                .all(|channel| channel.len() == 32_000 && channel.iter().any(|s| s.abs() > 2000))
        );
    }

    #[test]
    fn a_pause_holds_digits_on_the_customers_channel_only() {
        let pause = Pause {
            start_offset_ms: 1000,
            end_offset_ms: 1800,
            reason: "card_number".to_owned(),
        };
        let channels = conversation(Seed::new(7), 8000, 4000, true, &[pause]);
        assert!(channels[0][8000..14_400].iter().all(|s| *s == 0));
        assert!(channels[1][8000..14_400].iter().any(|s| s.abs() > 2000));
    }

    #[test]
    fn the_series_are_close_to_the_library() {
        for k in 0..100 {
            let x = PI * f64::from(k) / 100.0;
            assert!((cosine(x) - x.cos()).abs() < 1e-6);
            assert!((decay(x / 10.0) - (-x / 10.0).exp()).abs() < 1e-9);
        }
    }
}
