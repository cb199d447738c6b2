//! Microsoft ADPCM in WAV (format tag 2): each block names one of seven predictors per channel and
//! carries two whole samples, then 4 bits a sample, high nibble first, channels in turn.

use crate::coder::FrameCoder;

/// Bytes of a block per channel: the usual value for 8 and 11 kHz, 500 samples.
pub(crate) const BLOCK_BYTES: usize = 256;
/// Bytes of a block's header per channel.
pub(crate) const HEADER_BYTES: usize = 7;
/// The seven predictors every file declares; others are allowed by the format and read from its
/// header.
pub(crate) const COEFFICIENTS: [(i32, i32); 7] = [
    (256, 0),
    (512, -256),
    (0, 0),
    (192, 64),
    (240, 0),
    (460, -208),
    (392, -232),
];

const ADAPTATION: [i32; 16] = [
    230, 230, 230, 230, 307, 409, 512, 614, 768, 614, 512, 409, 307, 230, 230, 230,
];
const SMALLEST_DELTA: i32 = 16;
/// Keeps `delta * 768` and `delta * nibble` inside 32 bits whatever a hostile block says; real
/// speech stays far below.
const LARGEST_DELTA: i32 = i32::MAX / 768;

#[derive(Clone, Copy)]
struct Predictor {
    coefficients: (i32, i32),
    delta: i32,
    last: i32,
    before: i32,
}

impl Predictor {
    fn predict(self) -> i32 {
        // Division, not a shift: it rounds towards zero, as ffmpeg and Windows do. The products
        // fit: a coefficient is an i16 in the file, a sample is clamped to i16.
        let (first, second) = self.coefficients;
        ((i64::from(self.last) * i64::from(first) + i64::from(self.before) * i64::from(second))
            / 256) as i32
    }

    fn expand(&mut self, nibble: u8) -> i16 {
        let signed = i32::from((nibble << 4) as i8 >> 4);
        let sample = self
            .predict()
            .saturating_add(signed * self.delta)
            .clamp(-32_768, 32_767);
        self.before = self.last;
        self.last = sample;
        self.delta = (ADAPTATION[usize::from(nibble)] * self.delta / 256)
            .clamp(SMALLEST_DELTA, LARGEST_DELTA);
        sample as i16
    }

    fn compress(&mut self, sample: i16) -> u8 {
        let error = i32::from(sample) - self.predict();
        let bias = if error < 0 {
            -self.delta / 2
        } else {
            self.delta / 2
        };
        let nibble = ((error + bias) / self.delta).clamp(-8, 7) as u8 & 15;
        self.expand(nibble);
        nibble
    }
}

/// Samples per channel in `bytes` of a block; 0 when even the header is cut.
pub(crate) fn samples_in(bytes: usize, channels: usize) -> usize {
    bytes
        .checked_sub(HEADER_BYTES * channels)
        .map_or(0, |data| 2 + data * 2 / channels)
}

/// Decodes one block, whole or cut, and appends to each channel. False: the block names a predictor
/// that the header does not have, and the first was taken instead, so the block is probably
/// damaged.
pub(crate) fn decode_block(
    block: &[u8],
    coefficients: &[(i32, i32)],
    out: &mut [Vec<i16>],
) -> bool {
    let channels = out.len();
    if samples_in(block.len(), channels) == 0 {
        return true;
    }
    let word =
        |position: usize| i32::from(i16::from_le_bytes([block[position], block[position + 1]]));
    let mut sound = true;
    let mut predictors = Vec::with_capacity(channels);
    for (channel, samples) in out.iter_mut().enumerate() {
        let named = coefficients.get(usize::from(block[channel]));
        sound &= named.is_some();
        let predictor = Predictor {
            coefficients: named.copied().unwrap_or(COEFFICIENTS[0]),
            delta: word(channels + 2 * channel),
            last: word(3 * channels + 2 * channel),
            before: word(5 * channels + 2 * channel),
        };
        samples.extend([predictor.before as i16, predictor.last as i16]);
        predictors.push(predictor);
    }
    let whole = (samples_in(block.len(), channels) - 2) * channels;
    let nibbles = block[HEADER_BYTES * channels..]
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15]);
    for (index, nibble) in nibbles.take(whole).enumerate() {
        let channel = index % channels;
        out[channel].push(predictors[channel].expand(nibble));
    }
    sound
}

/// Codes blocks of [`BLOCK_BYTES`] per channel, each with the predictor that fits it best.
pub(crate) struct Coder;

impl FrameCoder for Coder {
    fn frame(&mut self, channels: &[&[i16]], out: &mut Vec<u8>) {
        let blocks: Vec<Coded> = channels.iter().map(|samples| best(samples)).collect();
        out.extend(blocks.iter().map(|block| block.predictor));
        out.extend(blocks.iter().flat_map(|block| block.delta.to_le_bytes()));
        out.extend(blocks.iter().flat_map(|block| block.last.to_le_bytes()));
        out.extend(blocks.iter().flat_map(|block| block.before.to_le_bytes()));
        let turns = (0..channels[0].len() - 2)
            .flat_map(|index| blocks.iter().map(move |block| block.nibbles[index]));
        let nibbles: Vec<u8> = turns.collect();
        out.extend(nibbles.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]));
    }
}

struct Coded {
    predictor: u8,
    delta: i16,
    last: i16,
    before: i16,
    nibbles: Vec<u8>,
    error: i64,
}

fn best(samples: &[i16]) -> Coded {
    (0..COEFFICIENTS.len() as u8)
        .map(|predictor| code(samples, predictor))
        .min_by_key(|coded| coded.error)
        .expect("there are seven predictors")
}

fn code(samples: &[i16], predictor: u8) -> Coded {
    let (before, last) = (samples[0], samples[1]);
    let mut state = Predictor {
        coefficients: COEFFICIENTS[usize::from(predictor)],
        delta: SMALLEST_DELTA,
        last: i32::from(last),
        before: i32::from(before),
    };
    // A nibble reaches 7 deltas; a quarter of the first error lets the first sample in and adapts
    // within a few.
    let first_error = (i32::from(samples[2]) - state.predict()).abs();
    let delta = (first_error / 4).clamp(SMALLEST_DELTA, 32_767) as i16;
    state.delta = i32::from(delta);
    let mut error = 0;
    let mut nibbles = Vec::with_capacity(samples.len());
    for &sample in &samples[2..] {
        nibbles.push(state.compress(sample));
        error += i64::from(i32::from(sample) - state.last).pow(2);
    }
    Coded {
        predictor,
        delta,
        last,
        before,
        nibbles,
        error,
    }
}
