//! MP3, writing, with LAME 3.100 inside this process.

use crate::coder::BlockCoder;
use crate::format::AudioError;
use mp3lame_encoder::{
    Builder, DualPcm, Encoder, FlushGap, Mode, MonoPcm, Quality, VbrMode, max_required_buffer_size,
};
use std::fmt::Display;
use std::num::NonZeroU32;

/// Room for the tag frame and for what the flush gives back. LAME asks for 7200.
const SPARE_BYTES: usize = 16 * 1024;
/// Rates MPEG-1, 2 and 2.5 have; anything else would be resampled, which loses the exact sample
/// count.
const RATES: [u32; 9] = [
    8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000,
];

/// What a recording was coded with, for the chain of custody.
pub(crate) fn version() -> String {
    format!("lame {} vbr mtrh v2 q5", mp3lame_encoder::mp3lame_version())
}

/// Codes one or two channels at their own rate.
pub(crate) struct Coder(Encoder);

impl Coder {
    pub(crate) fn new(sample_rate: u32, channels: u16) -> Result<Coder, AudioError> {
        if !RATES.contains(&sample_rate) {
            return Err(AudioError::unsupported(format!(
                "mp3 at {sample_rate} Hz; resample first"
            )));
        }
        if !(1..=2).contains(&channels) {
            return Err(AudioError::unsupported(format!(
                "mp3 with {channels} channels"
            )));
        }
        encoder(sample_rate, channels as u8).map(Coder)
    }
}

impl BlockCoder for Coder {
    fn code(&mut self, channels: &[&[i16]], out: &mut Vec<u8>) -> Result<(), AudioError> {
        out.reserve(max_required_buffer_size(channels[0].len()));
        let result = match *channels {
            [left, right] => self.0.encode_to_vec(DualPcm { left, right }, out),
            _ => self.0.encode_to_vec(MonoPcm(channels[0]), out),
        };
        result.map(drop).map_err(refused)
    }

    fn end(&mut self, out: &mut Vec<u8>) -> Result<(), AudioError> {
        out.reserve(SPARE_BYTES);
        // The other kind of flush, FlushNoGap, loses the last 0.2 s.
        self.0
            .flush_to_vec::<FlushGap>(out)
            .map(drop)
            .map_err(refused)
    }

    /// The stream begins with a placeholder frame; the tag, which holds the exact length, takes its
    /// place.
    fn first_bytes(&self) -> Result<Vec<u8>, AudioError> {
        let mut tag = Vec::with_capacity(SPARE_BYTES);
        let written = self.0.lame_tag_encode_to_vec(&mut tag);
        Ok(if written.is_some() { tag } else { Vec::new() })
    }
}

fn encoder(sample_rate: u32, channels: u8) -> Result<Encoder, AudioError> {
    // Never joint stereo: agent and customer are separate people on separate channels, and what is
    // silenced in one must not come back from the other.
    let mode = if channels == 1 {
        Mode::Mono
    } else {
        Mode::Stereo
    };
    Builder::new()
        .ok_or_else(|| AudioError::unsupported("mp3: lame found no memory"))?
        .with_num_channels(channels)
        .and_then(|lame| lame.with_sample_rate(sample_rate))
        .and_then(|lame| lame.with_output_sample_rate(NonZeroU32::new(sample_rate)))
        .and_then(|lame| lame.with_mode(mode))
        .and_then(|lame| lame.with_vbr_mode(VbrMode::Mtrh))
        // -V2: transparent for telephone speech at about 33 kbit/s (mono, 8 kHz). V4 saves no time
        // and loses quality.
        .and_then(|lame| lame.with_vbr_quality(Quality::NearBest))
        // -q5: q2 costs up to a tenth more for no audible gain at 8 kHz; q7 halves the time but
        // switches off noise shaping, and a migration codes a recording once and keeps it for
        // years.
        .and_then(|lame| lame.with_quality(Quality::Good))
        .and_then(|lame| lame.with_to_write_vbr_tag(true))
        .and_then(Builder::build)
        .map_err(refused)
}

fn refused(error: impl Display) -> AudioError {
    AudioError::unsupported(format!("mp3: lame refuses: {error}"))
}
