//! What a platform plays recordings back in and nobody migrates in: Opus in WebM, Opus in Ogg,
//! Vorbis in Ogg. Written only.

use crate::coder::BlockCoder;
use crate::encode::Encoder;
use crate::format::AudioError;
use crate::pcm::Pcm;
use crate::{ogg, opus, vorbis, webm};
use std::io::{Cursor, Seek, Write};

/// A format of playback that [`crate::Codec`] does not write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Playback {
    /// Opus in WebM.
    WebmOpus,
    /// Opus in Ogg.
    OggOpus,
    /// Vorbis in Ogg.
    OggVorbis,
}

/// Writes a whole file for playback: one or two channels at any rate. Opus has five rates; others
/// are brought to 48 kHz by straight lines between samples, which is good enough to listen to.
/// Decoding gives as many samples as were written, at Opus' 48 kHz the same length.
///
/// # Errors
///
/// [`AudioError::Unsupported`] for a rate of 0 and for any other number of channels,
/// [`AudioError::Empty`] for no samples.
pub fn encode_playback(pcm: &Pcm, playback: Playback) -> Result<Vec<u8>, AudioError> {
    let channels = u16::try_from(pcm.channels.len()).unwrap_or(u16::MAX);
    let mut encoder =
        Encoder::playback(Cursor::new(Vec::new()), playback, pcm.sample_rate, channels)?;
    encoder.write(pcm)?;
    Ok(encoder.finish()?.into_inner())
}

impl<W: Write + Seek> Encoder<W> {
    /// The same as [`encode_playback`], block by block.
    ///
    /// # Errors
    ///
    /// [`AudioError::Unsupported`] for what [`encode_playback`] does not write, and
    /// [`AudioError::Io`] where the sink refuses.
    pub fn playback(
        sink: W,
        playback: Playback,
        sample_rate: u32,
        channels: u16,
    ) -> Result<Encoder<W>, AudioError> {
        if !(1..=2).contains(&channels) || sample_rate == 0 {
            return Err(AudioError::unsupported(format!(
                "playback of {channels} channels at {sample_rate} Hz"
            )));
        }
        let coder: Box<dyn BlockCoder> = match playback {
            Playback::WebmOpus => Box::new(opus::Coder::new(
                webm::Muxer::default(),
                sample_rate,
                channels,
            )?),
            Playback::OggOpus => Box::new(opus::Coder::new(
                ogg::Muxer::default(),
                sample_rate,
                channels,
            )?),
            Playback::OggVorbis => Box::new(vorbis::Coder::new(sample_rate, channels)?),
        };
        Encoder::around(
            sink,
            coder,
            sample_rate,
            channels,
            crate::encode::Emptiness::Refused,
        )
    }
}
