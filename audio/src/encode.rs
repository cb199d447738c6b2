//! From samples to bytes. The same samples and codec always give the same bytes.

use crate::coder::{BlockCoder, Filling, Framed};
use crate::format::{AudioError, Codec};
use crate::pcm::{Pcm, interleave};
use crate::wav_write::{Format, Wrapped};
use crate::{amr, g711, gsm, ima, lame, ms_adpcm};
use std::io::{Cursor, Seek, SeekFrom, Write};

/// Samples per channel coded at a time, so that a long block needs no more memory than a short one.
const CHUNK_SAMPLES: usize = 1 << 14;

/// Writes a whole file in the codec's usual container ([`Codec::container`]).
///
/// Channels and rate are kept, never mixed or resampled: MP3 takes one or two channels at an MPEG
/// rate, AMR and GSM one channel at 8 kHz, the WAV codecs anything a header can say. Decoding gives
/// back exactly as many samples, except for [`Codec::AmrNb`] and [`Codec::GsmRaw`], whose files
/// have no length and end with a full frame of 20 ms.
///
/// # Errors
///
/// [`AudioError::Unsupported`] for what cannot be written, [`AudioError::Empty`] when there is
/// nothing to write and the format has no empty form.
pub fn encode(pcm: &Pcm, codec: Codec) -> Result<Vec<u8>, AudioError> {
    let channels = u16::try_from(pcm.channels.len()).unwrap_or(u16::MAX);
    let mut encoder = Encoder::new(Cursor::new(Vec::new()), codec, pcm.sample_rate, channels)?;
    encoder.write(pcm)?;
    Ok(encoder.finish()?.into_inner())
}

/// What becomes of a recording without a sample.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Emptiness {
    /// A file without samples.
    Written,
    /// [`AudioError::Empty`].
    Refused,
}

/// Writes a recording block by block, in bounded memory whatever its length. Same bytes and same
/// refusals as [`encode`], wherever the blocks end.
pub struct Encoder<W> {
    sink: W,
    emptiness: Emptiness,
    sample_rate: u32,
    channels: u16,
    coder: Box<dyn BlockCoder>,
    /// Samples per channel taken so far.
    samples: u64,
    /// Where in the sink the file starts.
    start: u64,
    /// Bytes written so far.
    written: u64,
    /// Coded and not yet written; empty between calls.
    out: Vec<u8>,
}

impl<W: Write + Seek> Encoder<W> {
    /// Begins a file where the sink stands.
    ///
    /// # Errors
    ///
    /// [`AudioError::Unsupported`] for what cannot be written, and [`AudioError::Io`], like every
    /// other call, where the sink refuses.
    pub fn new(
        sink: W,
        codec: Codec,
        sample_rate: u32,
        channels: u16,
    ) -> Result<Encoder<W>, AudioError> {
        let has_empty_form = !matches!(codec, Codec::AmrNb | Codec::GsmRaw | Codec::Mp3);
        let emptiness = if has_empty_form {
            Emptiness::Written
        } else {
            Emptiness::Refused
        };
        Encoder::around(
            sink,
            coder(codec, sample_rate, channels)?,
            sample_rate,
            channels,
            emptiness,
        )
    }

    /// Begins a file that `coder` writes.
    pub(crate) fn around(
        mut sink: W,
        coder: Box<dyn BlockCoder>,
        sample_rate: u32,
        channels: u16,
        emptiness: Emptiness,
    ) -> Result<Encoder<W>, AudioError> {
        let start = sink.stream_position()?;
        let mut encoder = Encoder {
            sink,
            emptiness,
            sample_rate,
            channels,
            coder,
            samples: 0,
            start,
            written: 0,
            out: Vec::new(),
        };
        encoder.coder.start(&mut encoder.out)?;
        encoder.flush()?;
        Ok(encoder)
    }

    /// Writes the next samples, any number.
    ///
    /// # Errors
    ///
    /// [`AudioError::Unsupported`] where the block has another rate or other channels than the
    /// file, or channels of unequal length; [`AudioError::Io`] where the sink refuses. After an
    /// error the file is worth nothing.
    pub fn write(&mut self, block: &Pcm) -> Result<(), AudioError> {
        let samples = block.samples();
        if (block.sample_rate, block.channels.len()) != (self.sample_rate, self.channels.into()) {
            return Err(AudioError::unsupported(
                "a block with other channels or another rate than the file",
            ));
        }
        if block
            .channels
            .iter()
            .any(|channel| channel.len() != samples)
        {
            return Err(AudioError::unsupported("channels of unequal length"));
        }
        for start in (0..samples).step_by(CHUNK_SAMPLES) {
            let end = (start + CHUNK_SAMPLES).min(samples);
            let chunk: Vec<&[i16]> = block
                .channels
                .iter()
                .map(|channel| &channel[start..end])
                .collect();
            self.coder.code(&chunk, &mut self.out)?;
            self.flush()?;
        }
        self.samples += samples as u64;
        Ok(())
    }

    /// Writes the rest, goes back for the lengths and leaves the sink standing at the end of the
    /// file.
    ///
    /// # Errors
    ///
    /// [`AudioError::Empty`] when there was no sample and the format has no empty form;
    /// [`AudioError::Io`] where the sink refuses.
    pub fn finish(mut self) -> Result<W, AudioError> {
        if self.samples == 0 && self.emptiness == Emptiness::Refused {
            return Err(AudioError::Empty);
        }
        self.coder.end(&mut self.out)?;
        self.flush()?;
        let first = self.coder.first_bytes()?;
        if first.len() as u64 <= self.written {
            self.sink.seek(SeekFrom::Start(self.start))?;
            self.sink.write_all(&first)?;
            self.sink.seek(SeekFrom::Start(self.start + self.written))?;
        }
        self.sink.flush()?;
        Ok(self.sink)
    }

    fn flush(&mut self) -> Result<(), AudioError> {
        self.sink.write_all(&self.out)?;
        self.written += self.out.len() as u64;
        self.out.clear();
        Ok(())
    }
}

/// The writer of a codec, or why there is none.
fn coder(codec: Codec, rate: u32, channels: u16) -> Result<Box<dyn BlockCoder>, AudioError> {
    if !(1..=32).contains(&channels) || rate == 0 {
        return Err(AudioError::unsupported(format!(
            "writing {channels} channels at {rate} Hz"
        )));
    }
    let narrow = matches!(codec, Codec::AmrNb | Codec::GsmWav49 | Codec::GsmRaw);
    if narrow && (channels, rate) != (1, gsm::RATE) {
        return Err(AudioError::unsupported(format!(
            "{codec} with {channels} channels at {rate} Hz; it is mono at 8000 Hz"
        )));
    }
    Ok(match codec {
        Codec::PcmS16 => Box::new(Wrapped::new(uncompressed(rate, channels, 1, 16), Linear16)),
        Codec::PcmU8 => Box::new(Wrapped::new(
            uncompressed(rate, channels, 1, 8),
            Bytewise(eight_bits),
        )),
        Codec::Mulaw => Box::new(Wrapped::new(
            uncompressed(rate, channels, 7, 8),
            Bytewise(g711::mulaw),
        )),
        Codec::Alaw => Box::new(Wrapped::new(
            uncompressed(rate, channels, 6, 8),
            Bytewise(g711::alaw),
        )),
        Codec::ImaAdpcm => Box::new(ima_adpcm(rate, channels)),
        Codec::MsAdpcm => Box::new(microsoft_adpcm(rate, channels)),
        Codec::GsmWav49 => Box::new(gsm_in_wav(rate)),
        Codec::GsmRaw => Box::new(Framed::new(
            gsm::RawCoder::new(),
            1,
            gsm::FRAME_SAMPLES,
            Filling::Silence,
        )),
        Codec::AmrNb => Box::new(Framed::new(
            amr::Coder::new()?,
            1,
            amr::FRAME_SAMPLES,
            Filling::Silence,
        )),
        Codec::Mp3 => Box::new(lame::Coder::new(rate, channels)?),
        Codec::Aac
        | Codec::Flac
        | Codec::Vorbis
        | Codec::Opus
        | Codec::Speex
        | Codec::G722
        | Codec::G726
        | Codec::Other => {
            return Err(AudioError::unsupported(format!("writing {codec}")));
        }
        Codec::PcmS16Be
        | Codec::PcmS8
        | Codec::PcmS24
        | Codec::PcmS32
        | Codec::PcmF32
        | Codec::PcmF64 => {
            return Err(AudioError::unsupported(format!("writing {codec}")));
        }
    })
}

/// Names the encoder and the settings that decide its bytes, for the chain of custody:
/// `lame 3.100 vbr mtrh v2 q5`. For a codec that cannot be written: `none`.
pub fn encoder_version(codec: Codec) -> String {
    match codec {
        Codec::PcmS16
        | Codec::PcmU8
        | Codec::Mulaw
        | Codec::Alaw
        | Codec::ImaAdpcm
        | Codec::MsAdpcm => {
            format!("seatrial-audio {} {codec}", env!("CARGO_PKG_VERSION"))
        }
        // The two versions are pinned exactly in the root manifest.
        Codec::AmrNb => "rvoip-codec-core 0.4.0 amr-nb 12.2 no dtx".to_owned(),
        Codec::GsmWav49 | Codec::GsmRaw => "oxideav-gsm 0.0.10 full rate".to_owned(),
        Codec::Mp3 => lame::version(),
        Codec::Aac
        | Codec::Flac
        | Codec::Vorbis
        | Codec::Opus
        | Codec::Speex
        | Codec::G722
        | Codec::G726
        | Codec::Other => "none".to_owned(),
        Codec::PcmS16Be
        | Codec::PcmS8
        | Codec::PcmS24
        | Codec::PcmS32
        | Codec::PcmF32
        | Codec::PcmF64 => "none".to_owned(),
    }
}

struct Linear16;

impl BlockCoder for Linear16 {
    fn code(&mut self, channels: &[&[i16]], out: &mut Vec<u8>) -> Result<(), AudioError> {
        interleave(channels, 0..channels[0].len(), out);
        Ok(())
    }

    fn end(&mut self, _: &mut Vec<u8>) -> Result<(), AudioError> {
        Ok(())
    }
}

/// One byte a sample.
struct Bytewise<F>(F);

impl<F: Fn(i16) -> u8> BlockCoder for Bytewise<F> {
    fn code(&mut self, channels: &[&[i16]], out: &mut Vec<u8>) -> Result<(), AudioError> {
        for index in 0..channels[0].len() {
            out.extend(channels.iter().map(|channel| (self.0)(channel[index])));
        }
        Ok(())
    }

    fn end(&mut self, _: &mut Vec<u8>) -> Result<(), AudioError> {
        Ok(())
    }
}

/// Rounds to the nearest of 256 steps, so that silence stays in the middle.
fn eight_bits(sample: i16) -> u8 {
    (((i32::from(sample) + 128) >> 8).min(127) + 128) as u8
}

fn uncompressed(sample_rate: u32, channels: u16, tag: u16, bits: u16) -> Format {
    let block_bytes = channels * bits / 8;
    Format {
        tag,
        channels,
        sample_rate,
        byte_rate: sample_rate.saturating_mul(u32::from(block_bytes)),
        block_bytes,
        bits,
        // Every tag but 1 carries the length of its (here empty) extra part.
        extra: (tag != 1).then(Vec::new),
    }
}

fn ima_adpcm(sample_rate: u32, channels: u16) -> Wrapped {
    let count = usize::from(channels);
    let block_bytes = ima::BLOCK_BYTES * count;
    let per_block = ima::samples_in(block_bytes, count);
    let format = blocked(
        sample_rate,
        channels,
        0x11,
        block_bytes,
        per_block as u16,
        4,
        &[],
    );
    Wrapped::new(
        format,
        Framed::new(
            ima::Coder::new(count),
            channels,
            per_block,
            Filling::LastSample,
        ),
    )
}

fn microsoft_adpcm(sample_rate: u32, channels: u16) -> Wrapped {
    let count = usize::from(channels);
    let block_bytes = ms_adpcm::BLOCK_BYTES * count;
    let per_block = ms_adpcm::samples_in(block_bytes, count);
    let mut more = (ms_adpcm::COEFFICIENTS.len() as u16).to_le_bytes().to_vec();
    for (first, second) in ms_adpcm::COEFFICIENTS {
        more.extend((first as i16).to_le_bytes());
        more.extend((second as i16).to_le_bytes());
    }
    let format = blocked(
        sample_rate,
        channels,
        2,
        block_bytes,
        per_block as u16,
        4,
        &more,
    );
    Wrapped::new(
        format,
        Framed::new(ms_adpcm::Coder, channels, per_block, Filling::LastSample),
    )
}

fn gsm_in_wav(sample_rate: u32) -> Wrapped {
    let format = blocked(
        sample_rate,
        1,
        0x31,
        gsm::PAIR_BYTES,
        gsm::PAIR_SAMPLES as u16,
        0,
        &[],
    );
    Wrapped::new(
        format,
        Framed::new(
            gsm::PairCoder::new(),
            1,
            gsm::PAIR_SAMPLES,
            Filling::Silence,
        ),
    )
}

fn blocked(
    sample_rate: u32,
    channels: u16,
    tag: u16,
    block_bytes: usize,
    per_block: u16,
    bits: u16,
    more: &[u8],
) -> Format {
    let mut extra = per_block.to_le_bytes().to_vec();
    extra.extend_from_slice(more);
    Format {
        tag,
        channels,
        sample_rate,
        byte_rate: (u64::from(sample_rate) * block_bytes as u64 / u64::from(per_block)) as u32,
        block_bytes: block_bytes as u16,
        bits,
        extra: Some(extra),
    }
}
