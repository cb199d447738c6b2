//! RIFF WAVE, writing: `fmt `, `fact`, `data`, nothing else, so equal samples give equal files.

use crate::format::AudioError;

/// The fields of `fmt ` that depend on the codec.
pub(crate) struct Format {
    /// Registered format tag.
    pub(crate) tag: u16,
    /// Channels.
    pub(crate) channels: u16,
    /// Samples per second and channel.
    pub(crate) sample_rate: u32,
    /// Bytes per second on average.
    pub(crate) byte_rate: u32,
    /// Bytes of the smallest piece that can be decoded alone.
    pub(crate) block_bytes: u16,
    /// Bits a sample; 0 where that means nothing.
    pub(crate) bits: u16,
    /// What follows the 16 classic bytes, without its length. `None`: linear samples, which have no such part.
    pub(crate) extra: Option<Vec<u8>>,
}

/// Wraps coded samples. `samples` per channel goes to `fact`, which tells readers where padding of the last block
/// starts; linear samples have no `fact`, as old readers expect.
pub(crate) fn wrap(format: &Format, samples: usize, data: Vec<u8>) -> Result<Vec<u8>, AudioError> {
    let too_long = || AudioError::unsupported("more than 4 GiB in one WAV file; choose mp3");
    let mut chunks = Vec::with_capacity(96);
    chunk(&mut chunks, b"fmt ", &fmt(format));
    if format.extra.is_some() {
        let fact = u32::try_from(samples).map_err(|_| too_long())?;
        chunk(&mut chunks, b"fact", &fact.to_le_bytes());
    }
    let padding = data.len() % 2;
    let size = u32::try_from(4 + chunks.len() + 8 + data.len() + padding).map_err(|_| too_long())?;
    let mut out = Vec::with_capacity(size as usize + 8);
    out.extend_from_slice(b"RIFF");
    out.extend_from_slice(&size.to_le_bytes());
    out.extend_from_slice(b"WAVE");
    out.extend(chunks);
    chunk(&mut out, b"data", &data);
    Ok(out)
}

fn fmt(format: &Format) -> Vec<u8> {
    let mut out = Vec::with_capacity(64);
    out.extend_from_slice(&format.tag.to_le_bytes());
    out.extend_from_slice(&format.channels.to_le_bytes());
    out.extend_from_slice(&format.sample_rate.to_le_bytes());
    out.extend_from_slice(&format.byte_rate.to_le_bytes());
    out.extend_from_slice(&format.block_bytes.to_le_bytes());
    out.extend_from_slice(&format.bits.to_le_bytes());
    if let Some(extra) = &format.extra {
        out.extend_from_slice(&(extra.len() as u16).to_le_bytes());
        out.extend_from_slice(extra);
    }
    out
}

fn chunk(out: &mut Vec<u8>, name: &[u8; 4], body: &[u8]) {
    out.extend_from_slice(name);
    out.extend_from_slice(&(body.len() as u32).to_le_bytes());
    out.extend_from_slice(body);
    if !body.len().is_multiple_of(2) {
        out.push(0);
    }
}
