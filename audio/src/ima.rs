//! IMA/DVI ADPCM as WAV carries it (format tag 0x11): blocks that start with a whole sample per
//! channel, then 4 bits a sample, low nibble first; with several channels in turns of 4 bytes (8
//! samples).

use crate::coder::FrameCoder;

/// Bytes of a block per channel: what every Windows encoder writes for 8 and 11 kHz, 505 samples.
pub(crate) const BLOCK_BYTES: usize = 256;
/// Bytes of a block's header per channel.
pub(crate) const HEADER_BYTES: usize = 4;

const STEPS: [i32; 89] = [
    7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66,
    73, 80, 88, 97, 107, 118, 130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449,
    494, 544, 598, 658, 724, 796, 876, 963, 1060, 1166, 1282, 1411, 1552, 1707, 1878, 2066, 2272,
    2499, 2749, 3024, 3327, 3660, 4026, 4428, 4871, 5358, 5894, 6484, 7132, 7845, 8630, 9493,
    10442, 11487, 12635, 13899, 15289, 16818, 18500, 20350, 22385, 24623, 27086, 29794, 32767,
];
const INDEX_STEP: [i32; 8] = [-1, -1, -1, -1, 2, 4, 6, 8];

/// One channel's predictor. The same arithmetic decodes and follows the encoder, so the two cannot
/// drift apart.
#[derive(Clone, Copy, Default)]
struct Predictor {
    sample: i32,
    index: i32,
}

impl Predictor {
    fn step(self) -> i32 {
        STEPS[self.index as usize]
    }

    /// Rounds like ffmpeg (one multiplication), not like the shift-and-add of 1992: the two differ
    /// by at most one step in the last bit, and ffmpeg is what the files are checked with.
    fn expand(&mut self, nibble: u8) -> i16 {
        let magnitude = i32::from(nibble & 7);
        let change = ((2 * magnitude + 1) * self.step()) >> 3;
        let signed = if nibble & 8 != 0 { -change } else { change };
        self.sample = (self.sample + signed).clamp(-32_768, 32_767);
        self.index = (self.index + INDEX_STEP[magnitude as usize]).clamp(0, 88);
        self.sample as i16
    }

    fn compress(&mut self, sample: i16) -> u8 {
        let difference = i32::from(sample) - self.sample;
        let magnitude = (difference.abs() * 4 / self.step()).min(7) as u8;
        let nibble = if difference < 0 {
            magnitude | 8
        } else {
            magnitude
        };
        self.expand(nibble);
        nibble
    }
}

/// Samples per channel in `bytes` of a block; 0 when even the header is cut.
pub(crate) fn samples_in(bytes: usize, channels: usize) -> usize {
    match bytes.checked_sub(HEADER_BYTES * channels) {
        None => 0,
        Some(data) if channels == 1 => 1 + data * 2,
        Some(data) => 1 + data / (4 * channels) * 8,
    }
}

/// Decodes one block, whole or cut, and appends to each channel. False: a step index in the header
/// was out of range and has been clamped, so the block is probably damaged.
pub(crate) fn decode_block(block: &[u8], out: &mut [Vec<i16>]) -> bool {
    let channels = out.len();
    if samples_in(block.len(), channels) == 0 {
        return true;
    }
    let (header, data) = block.split_at(HEADER_BYTES * channels);
    let mut sound = true;
    for (index, (head, channel)) in header.chunks_exact(HEADER_BYTES).zip(out).enumerate() {
        sound &= head[2] <= 88;
        let mut predictor = Predictor {
            sample: i32::from(i16::from_le_bytes([head[0], head[1]])),
            index: i32::from(head[2]).min(88),
        };
        channel.push(predictor.sample as i16);
        let mut expand = |bytes: &[u8]| {
            for byte in bytes {
                channel.push(predictor.expand(byte & 15));
                channel.push(predictor.expand(byte >> 4));
            }
        };
        if channels == 1 {
            expand(data);
        } else {
            for turn in data.chunks_exact(4 * channels) {
                expand(&turn[4 * index..4 * index + 4]);
            }
        }
    }
    sound
}

/// Codes blocks of [`BLOCK_BYTES`] per channel; the step of each channel goes on from block to
/// block.
pub(crate) struct Coder(Vec<Predictor>);

impl Coder {
    pub(crate) fn new(channels: usize) -> Coder {
        Coder(vec![Predictor::default(); channels])
    }
}

impl FrameCoder for Coder {
    fn frame(&mut self, channels: &[&[i16]], out: &mut Vec<u8>) {
        for (predictor, samples) in self.0.iter_mut().zip(channels) {
            predictor.sample = i32::from(samples[0]);
            out.extend_from_slice(&samples[0].to_le_bytes());
            out.extend_from_slice(&[predictor.index as u8, 0]);
        }
        let per_block = channels[0].len();
        for turn in (1..per_block).step_by(8) {
            for (predictor, samples) in self.0.iter_mut().zip(channels) {
                for pair in samples[turn..turn + 8].chunks_exact(2) {
                    let low = predictor.compress(pair[0]);
                    out.push(low | predictor.compress(pair[1]) << 4);
                }
            }
        }
    }
}
