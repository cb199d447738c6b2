//! Vorbis in Ogg, writing, with libvorbis (aoTuV) inside this process.

use crate::coder::BlockCoder;
use crate::format::AudioError;
use std::cell::RefCell;
use std::fmt::Display;
use std::io::{self, Write};
use std::num::{NonZeroU8, NonZeroU32};
use std::rc::Rc;
use vorbis_rs::{VorbisBitrateManagementStrategy, VorbisEncoder, VorbisEncoderBuilder};

/// libvorbis' own middle; -1 to 10, divided by ten.
const QUALITY: f32 = 0.3;
/// Samples per channel given at once, always as many, so that the bytes do not tell where blocks
/// ended. More makes libvorbis slower by far.
const BLOCK_SAMPLES: usize = 4_096;

/// Codes any channels at their own rate.
pub(crate) struct Coder {
    /// Absent once it is finished.
    encoder: Option<VorbisEncoder<Written>>,
    written: Written,
    /// Samples that are not yet a block.
    kept: Vec<Vec<f32>>,
}

/// What the encoder has written and nobody has fetched.
#[derive(Clone, Default)]
struct Written(Rc<RefCell<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Coder {
    pub(crate) fn new(rate: u32, channels: u16) -> Result<Coder, AudioError> {
        let channels = u8::try_from(channels).ok().and_then(NonZeroU8::new);
        let (Some(rate), Some(channels)) = (NonZeroU32::new(rate), channels) else {
            return Err(AudioError::unsupported("vorbis without channels or rate"));
        };
        let written = Written::default();
        let mut builder = VorbisEncoderBuilder::new_with_serial(
            rate,
            channels,
            written.clone(),
            crate::ogg::SERIAL as i32,
        );
        builder.bitrate_management_strategy(VorbisBitrateManagementStrategy::QualityVbr {
            target_quality: QUALITY,
        });
        let kept = vec![Vec::new(); channels.get().into()];
        Ok(Coder {
            encoder: Some(builder.build().map_err(refused)?),
            written,
            kept,
        })
    }

    /// Codes the first samples of those kept.
    fn block(&mut self, samples: usize) -> Result<(), AudioError> {
        let block: Vec<Vec<f32>> = self
            .kept
            .iter_mut()
            .map(|kept| kept.drain(..samples).collect())
            .collect();
        match &mut self.encoder {
            Some(encoder) if samples > 0 => encoder.encode_audio_block(block).map_err(refused),
            _ => Ok(()),
        }
    }

    fn fetch(&self, out: &mut Vec<u8>) {
        out.append(&mut self.written.0.borrow_mut());
    }
}

impl BlockCoder for Coder {
    fn start(&mut self, out: &mut Vec<u8>) -> Result<(), AudioError> {
        self.fetch(out);
        Ok(())
    }

    fn code(&mut self, channels: &[&[i16]], out: &mut Vec<u8>) -> Result<(), AudioError> {
        for (kept, channel) in self.kept.iter_mut().zip(channels) {
            kept.extend(channel.iter().map(|sample| f32::from(*sample) / 32_768.0));
        }
        while self.kept[0].len() >= BLOCK_SAMPLES {
            self.block(BLOCK_SAMPLES)?;
        }
        self.fetch(out);
        Ok(())
    }

    fn end(&mut self, out: &mut Vec<u8>) -> Result<(), AudioError> {
        self.block(self.kept[0].len())?;
        if let Some(encoder) = self.encoder.take() {
            encoder.finish().map_err(refused)?;
        }
        self.fetch(out);
        Ok(())
    }
}

fn refused(error: impl Display) -> AudioError {
    AudioError::unsupported(format!("vorbis: {error}"))
}
