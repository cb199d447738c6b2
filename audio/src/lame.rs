//! MP3, writing, with LAME 3.100 inside this process.

use crate::format::AudioError;
use crate::pcm::Pcm;
use mp3lame_encoder::{Builder, DualPcm, Encoder, FlushGap, Mode, MonoPcm, Quality, VbrMode, max_required_buffer_size};
use std::fmt::Display;
use std::num::NonZeroU32;

/// Samples handed to LAME at a time; it buffers by itself, this only bounds the output reserved in advance.
const CHUNK_SAMPLES: usize = 1 << 16;
/// Room for the tag frame and for what the flush gives back. LAME asks for 7200.
const SPARE_BYTES: usize = 16 * 1024;
/// Rates MPEG-1, 2 and 2.5 have; anything else would be resampled, which loses the exact sample count.
const RATES: [u32; 9] = [8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000];

/// What a recording was coded with, for the chain of custody.
pub(crate) fn version() -> String {
    format!("lame {} vbr mtrh v2 q5", mp3lame_encoder::mp3lame_version())
}

/// Codes one or two channels at their own rate.
pub(crate) fn encode(pcm: &Pcm) -> Result<Vec<u8>, AudioError> {
    if !RATES.contains(&pcm.sample_rate) {
        return Err(AudioError::unsupported(format!("mp3 at {} Hz; resample first", pcm.sample_rate)));
    }
    if !(1..=2).contains(&pcm.channels.len()) {
        return Err(AudioError::unsupported(format!("mp3 with {} channels", pcm.channels.len())));
    }
    let mut encoder = encoder(pcm)?;
    let mut out = Vec::with_capacity(SPARE_BYTES);
    for start in (0..pcm.samples()).step_by(CHUNK_SAMPLES) {
        let end = (start + CHUNK_SAMPLES).min(pcm.samples());
        out.reserve(max_required_buffer_size(end - start));
        let result = match pcm.channels.as_slice() {
            [left, right] => encoder.encode_to_vec(DualPcm { left: &left[start..end], right: &right[start..end] }, &mut out),
            channels => encoder.encode_to_vec(MonoPcm(&channels[0][start..end]), &mut out),
        };
        result.map_err(refused)?;
    }
    out.reserve(SPARE_BYTES);
    // The other kind of flush, FlushNoGap, loses the last 0.2 s.
    encoder.flush_to_vec::<FlushGap>(&mut out).map_err(refused)?;
    write_tag(&encoder, &mut out);
    Ok(out)
}

fn encoder(pcm: &Pcm) -> Result<Encoder, AudioError> {
    let channels = pcm.channels.len() as u8;
    // Never joint stereo: agent and customer are separate people on separate channels, and what is silenced in one must
    // not come back from the other.
    let mode = if channels == 1 { Mode::Mono } else { Mode::Stereo };
    Builder::new()
        .ok_or_else(|| AudioError::unsupported("mp3: lame found no memory"))?
        .with_num_channels(channels)
        .and_then(|lame| lame.with_sample_rate(pcm.sample_rate))
        .and_then(|lame| lame.with_output_sample_rate(NonZeroU32::new(pcm.sample_rate)))
        .and_then(|lame| lame.with_mode(mode))
        .and_then(|lame| lame.with_vbr_mode(VbrMode::Mtrh))
        // -V2: transparent for telephone speech at about 33 kbit/s (mono, 8 kHz). V4 saves no time and loses quality.
        .and_then(|lame| lame.with_vbr_quality(Quality::NearBest))
        // -q5: q2 costs up to a tenth more for no audible gain at 8 kHz; q7 halves the time but switches off noise
        // shaping, and a migration codes a recording once and keeps it for years.
        .and_then(|lame| lame.with_quality(Quality::Good))
        .and_then(|lame| lame.with_to_write_vbr_tag(true))
        .and_then(Builder::build)
        .map_err(refused)
}

/// The stream begins with a placeholder frame; the tag, which holds the exact length, takes its place.
fn write_tag(encoder: &Encoder, out: &mut [u8]) {
    let mut tag = Vec::with_capacity(SPARE_BYTES);
    if encoder.lame_tag_encode_to_vec(&mut tag).is_some()
        && let Some(place) = out.get_mut(..tag.len())
    {
        place.copy_from_slice(&tag);
    }
}

fn refused(error: impl Display) -> AudioError {
    AudioError::unsupported(format!("mp3: lame refuses: {error}"))
}
