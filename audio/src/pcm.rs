//! Decoded audio in memory.

use sha2::{Digest, Sha256};
use std::ops::Range;

/// Decoded audio: 16-bit linear samples, one list per channel.
///
/// Sixteen bits because every telephony codec decodes to at most that; nothing here dithers or
/// resamples.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pcm {
    /// Samples per second and channel, in hertz.
    pub sample_rate: u32,
    /// One list of samples per channel, all of equal length. In stereo calls the source decides who
    /// is on which side.
    pub channels: Vec<Vec<i16>>,
}

impl Pcm {
    /// Samples per channel; 0 without channels. Unequal lists (a caller's error) count as the
    /// shortest.
    pub fn samples(&self) -> usize {
        self.channels.iter().map(Vec::len).min().unwrap_or(0)
    }

    /// Length in whole milliseconds, rounded down; 0 when the sample rate is 0.
    pub fn duration_ms(&self) -> u64 {
        at_ms(self.samples() as u64, self.sample_rate)
    }

    /// SHA-256 in lower-case hex over: sample rate (u32, little endian), channel count (u16, little
    /// endian), samples interleaved (i16, little endian). Two files with this in common sound the
    /// same, whatever their container.
    pub fn sha256(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.sample_rate.to_le_bytes());
        hash.update((self.channels.len() as u16).to_le_bytes());
        let mut block = Vec::with_capacity(HASH_BLOCK_SAMPLES * 2 * self.channels.len().max(1));
        for start in (0..self.samples()).step_by(HASH_BLOCK_SAMPLES) {
            let end = (start + HASH_BLOCK_SAMPLES).min(self.samples());
            block.clear();
            interleave(&self.channels, start..end, &mut block);
            hash.update(&block);
        }
        hex::encode(hash.finalize())
    }
}

/// Samples hashed at a time: large enough for the hash to run at full speed, small enough to stay
/// in the cache.
const HASH_BLOCK_SAMPLES: usize = 4096;

/// Appends the samples of `range`, interleaved, as little-endian bytes.
pub(crate) fn interleave(channels: &[impl AsRef<[i16]>], range: Range<usize>, out: &mut Vec<u8>) {
    if let [mono] = channels {
        out.extend(
            mono.as_ref()[range]
                .iter()
                .flat_map(|sample| sample.to_le_bytes()),
        );
        return;
    }
    for index in range {
        for channel in channels {
            out.extend_from_slice(&channel.as_ref()[index].to_le_bytes());
        }
    }
}

/// The samples that a range of milliseconds touches, inside `samples`.
pub(crate) fn sample_range(samples: usize, rate: u32, start_ms: u64, end_ms: u64) -> Range<usize> {
    let rate = u128::from(rate);
    let start = (u128::from(start_ms) * rate / 1000).min(samples as u128) as usize;
    let end = (u128::from(end_ms) * rate)
        .div_ceil(1000)
        .min(samples as u128) as usize;
    start..end.max(start)
}

/// Position of a sample in whole milliseconds.
pub(crate) fn at_ms(sample: u64, rate: u32) -> u64 {
    match rate {
        0 => 0,
        rate => (u128::from(sample) * 1000 / u128::from(rate)) as u64,
    }
}
