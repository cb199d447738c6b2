//! From samples to bytes. The same samples and codec always give the same bytes.

use crate::format::{AudioError, Codec};
use crate::pcm::{Pcm, interleave};
use crate::wav_write::{Format, wrap};
use crate::{amr, g711, gsm, ima, lame, ms_adpcm};

/// Writes a whole file in the codec's usual container ([`Codec::container`]).
///
/// Channels and rate are kept, never mixed or resampled: MP3 takes one or two channels at an MPEG rate, AMR and GSM one
/// channel at 8 kHz, the WAV codecs anything a header can say. Decoding gives back exactly as many samples, except for
/// [`Codec::AmrNb`] and [`Codec::GsmRaw`], whose files have no length and end with a full frame of 20 ms. Fails with
/// [`AudioError::Unsupported`] for what cannot be written, and with [`AudioError::Empty`] when there is nothing to write
/// and the format has no empty form.
pub fn encode(pcm: &Pcm, codec: Codec) -> Result<Vec<u8>, AudioError> {
    check(pcm, codec)?;
    match codec {
        Codec::PcmS16 => linear16(pcm),
        Codec::PcmU8 => bytewise(pcm, 1, eight_bits),
        Codec::Mulaw => bytewise(pcm, 7, g711::mulaw),
        Codec::Alaw => bytewise(pcm, 6, g711::alaw),
        Codec::ImaAdpcm => ima_adpcm(pcm),
        Codec::MsAdpcm => microsoft_adpcm(pcm),
        Codec::GsmWav49 => gsm_in_wav(pcm),
        Codec::GsmRaw => Ok(gsm::encode_raw(&pcm.channels[0])),
        Codec::AmrNb => amr::encode(&pcm.channels[0]),
        Codec::Mp3 => lame::encode(pcm),
        Codec::Aac | Codec::Flac | Codec::Vorbis => Err(AudioError::unsupported(format!("writing {codec}"))),
    }
}

/// Names the encoder and the settings that decide its bytes, for the chain of custody: `lame 3.100 vbr mtrh v2 q5`. For
/// a codec that cannot be written: `none`.
pub fn encoder_version(codec: Codec) -> String {
    match codec {
        Codec::PcmS16 | Codec::PcmU8 | Codec::Mulaw | Codec::Alaw | Codec::ImaAdpcm | Codec::MsAdpcm => {
            format!("seatrial-audio {} {codec}", env!("CARGO_PKG_VERSION"))
        }
        // The two versions are pinned exactly in the root manifest.
        Codec::AmrNb => "rvoip-codec-core 0.4.0 amr-nb 12.2 no dtx".to_owned(),
        Codec::GsmWav49 | Codec::GsmRaw => "oxideav-gsm 0.0.10 full rate".to_owned(),
        Codec::Mp3 => lame::version(),
        Codec::Aac | Codec::Flac | Codec::Vorbis => "none".to_owned(),
    }
}

fn check(pcm: &Pcm, codec: Codec) -> Result<(), AudioError> {
    let (count, rate) = (pcm.channels.len(), pcm.sample_rate);
    if count == 0 || count > 32 || rate == 0 {
        return Err(AudioError::unsupported(format!("writing {count} channels at {rate} Hz")));
    }
    if pcm.channels.iter().any(|channel| channel.len() != pcm.samples()) {
        return Err(AudioError::unsupported("channels of unequal length"));
    }
    let narrow = matches!(codec, Codec::AmrNb | Codec::GsmWav49 | Codec::GsmRaw);
    if narrow && (count, rate) != (1, gsm::RATE) {
        return Err(AudioError::unsupported(format!("{codec} with {count} channels at {rate} Hz; it is mono at 8000 Hz")));
    }
    let has_empty_form = !matches!(codec, Codec::AmrNb | Codec::GsmRaw | Codec::Mp3);
    if pcm.samples() == 0 && !has_empty_form {
        return Err(AudioError::Empty);
    }
    Ok(())
}

fn linear16(pcm: &Pcm) -> Result<Vec<u8>, AudioError> {
    let mut data = Vec::with_capacity(pcm.samples() * pcm.channels.len() * 2);
    interleave(&pcm.channels, 0..pcm.samples(), &mut data);
    wrap(&uncompressed(pcm, 1, 16), pcm.samples(), data)
}

fn bytewise(pcm: &Pcm, tag: u16, code: impl Fn(i16) -> u8) -> Result<Vec<u8>, AudioError> {
    let mut data = Vec::with_capacity(pcm.samples() * pcm.channels.len());
    for index in 0..pcm.samples() {
        data.extend(pcm.channels.iter().map(|channel| code(channel[index])));
    }
    wrap(&uncompressed(pcm, tag, 8), pcm.samples(), data)
}

/// Rounds to the nearest of 256 steps, so that silence stays in the middle.
fn eight_bits(sample: i16) -> u8 {
    (((i32::from(sample) + 128) >> 8).min(127) + 128) as u8
}

fn uncompressed(pcm: &Pcm, tag: u16, bits: u16) -> Format {
    let block_bytes = pcm.channels.len() as u16 * bits / 8;
    Format {
        tag,
        channels: pcm.channels.len() as u16,
        sample_rate: pcm.sample_rate,
        byte_rate: pcm.sample_rate.saturating_mul(u32::from(block_bytes)),
        block_bytes,
        bits,
        // Every tag but 1 carries the length of its (here empty) extra part.
        extra: (tag != 1).then(Vec::new),
    }
}

fn ima_adpcm(pcm: &Pcm) -> Result<Vec<u8>, AudioError> {
    let block_bytes = ima::BLOCK_BYTES * pcm.channels.len();
    let per_block = ima::samples_in(block_bytes, pcm.channels.len()) as u16;
    let format = blocked(pcm, 0x11, block_bytes, per_block, 4, &[]);
    wrap(&format, pcm.samples(), ima::encode(&pcm.channels, pcm.samples()))
}

fn microsoft_adpcm(pcm: &Pcm) -> Result<Vec<u8>, AudioError> {
    let block_bytes = ms_adpcm::BLOCK_BYTES * pcm.channels.len();
    let per_block = ms_adpcm::samples_in(block_bytes, pcm.channels.len()) as u16;
    let mut more = (ms_adpcm::COEFFICIENTS.len() as u16).to_le_bytes().to_vec();
    for (first, second) in ms_adpcm::COEFFICIENTS {
        more.extend((first as i16).to_le_bytes());
        more.extend((second as i16).to_le_bytes());
    }
    let format = blocked(pcm, 2, block_bytes, per_block, 4, &more);
    wrap(&format, pcm.samples(), ms_adpcm::encode(&pcm.channels, pcm.samples()))
}

fn gsm_in_wav(pcm: &Pcm) -> Result<Vec<u8>, AudioError> {
    let format = blocked(pcm, 0x31, gsm::PAIR_BYTES, gsm::PAIR_SAMPLES as u16, 0, &[]);
    wrap(&format, pcm.samples(), gsm::encode_pairs(&pcm.channels[0]))
}

fn blocked(pcm: &Pcm, tag: u16, block_bytes: usize, per_block: u16, bits: u16, more: &[u8]) -> Format {
    let mut extra = per_block.to_le_bytes().to_vec();
    extra.extend_from_slice(more);
    Format {
        tag,
        channels: pcm.channels.len() as u16,
        sample_rate: pcm.sample_rate,
        byte_rate: (u64::from(pcm.sample_rate) * block_bytes as u64 / u64::from(per_block)) as u32,
        block_bytes: block_bytes as u16,
        bits,
        extra: Some(extra),
    }
}
