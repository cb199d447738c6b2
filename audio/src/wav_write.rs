//! RIFF WAVE, writing: `fmt `, `fact`, `data`, nothing else, so equal samples give equal files.

use crate::coder::BlockCoder;
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
    /// What follows the 16 classic bytes, without its length. `None`: linear samples, which have no
    /// such part.
    pub(crate) extra: Option<Vec<u8>>,
}

/// Wraps coded samples. The lengths in the header are known at the end and written then.
pub(crate) struct Wrapped {
    format: Format,
    coder: Box<dyn BlockCoder>,
    samples: u64,
    data_bytes: u64,
}

impl Wrapped {
    pub(crate) fn new(format: Format, coder: impl BlockCoder + 'static) -> Wrapped {
        Wrapped {
            format,
            coder: Box::new(coder),
            samples: 0,
            data_bytes: 0,
        }
    }

    /// Everything before the coded samples, always of the same length. Samples per channel go to
    /// `fact`, which tells readers where padding of the last block starts; linear samples have no
    /// `fact`, as old readers expect.
    fn header(&self) -> Result<Vec<u8>, AudioError> {
        let length = |number: u64| {
            u32::try_from(number)
                .map_err(|_| AudioError::unsupported("more than 4 GiB in one WAV file; choose mp3"))
        };
        let mut chunks = Vec::with_capacity(96);
        chunk(&mut chunks, b"fmt ", &fmt(&self.format));
        if self.format.extra.is_some() {
            chunk(&mut chunks, b"fact", &length(self.samples)?.to_le_bytes());
        }
        let size = length(4 + chunks.len() as u64 + 8 + self.data_bytes.next_multiple_of(2))?;
        let mut out = Vec::with_capacity(chunks.len() + 20);
        out.extend_from_slice(b"RIFF");
        out.extend_from_slice(&size.to_le_bytes());
        out.extend_from_slice(b"WAVE");
        out.extend(chunks);
        out.extend_from_slice(b"data");
        out.extend_from_slice(&length(self.data_bytes)?.to_le_bytes());
        Ok(out)
    }
}

impl BlockCoder for Wrapped {
    fn start(&mut self, out: &mut Vec<u8>) -> Result<(), AudioError> {
        out.extend(self.header()?);
        Ok(())
    }

    fn code(&mut self, channels: &[&[i16]], out: &mut Vec<u8>) -> Result<(), AudioError> {
        let before = out.len();
        self.coder.code(channels, out)?;
        self.samples += channels[0].len() as u64;
        self.data_bytes += (out.len() - before) as u64;
        // What no header can say is refused as soon as it is known, not after the last sample.
        self.header().map(drop)
    }

    fn end(&mut self, out: &mut Vec<u8>) -> Result<(), AudioError> {
        let before = out.len();
        self.coder.end(out)?;
        self.data_bytes += (out.len() - before) as u64;
        if !self.data_bytes.is_multiple_of(2) {
            out.push(0);
        }
        Ok(())
    }

    fn first_bytes(&self) -> Result<Vec<u8>, AudioError> {
        self.header()
    }
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
