//! GSM 06.10 full rate: bare 33-byte frames, and the 65-byte pairs that WAV carries.
//!
//! The crate knows three bit orders; `from_bit_stream_msb_first` is the one no file uses and gives
//! noise without an error. Decoding without the homing rules of GSM 06.10 annex C, as ffmpeg and
//! libgsm do: bit-exact with both.

use crate::blocks::{BlockReader, Need, Progress};
use crate::coder::FrameCoder;
use crate::format::{AudioError, Codec, Container, Damage, DamageLog, Head};
use crate::pcm::at_ms;
use crate::window::Window;
use oxideav_gsm::{DecoderState, EncoderState, UnpackedFrame};

/// The only rate GSM 06.10 knows.
pub(crate) const RATE: u32 = 8000;
/// Samples of a frame, 20 ms.
pub(crate) const FRAME_SAMPLES: usize = oxideav_gsm::FRAME_SAMPLES;
/// The same in milliseconds.
const FRAME_MS: u64 = 20;
/// Bytes of a bare frame.
pub(crate) const FRAME_BYTES: usize = oxideav_gsm::GSM_BYTE_FRAME_LEN;
/// Bytes of a pair of frames in WAV.
pub(crate) const PAIR_BYTES: usize = oxideav_gsm::MSGSM_BLOCK_LEN;
/// Samples of a pair.
pub(crate) const PAIR_SAMPLES: usize = oxideav_gsm::MSGSM_BLOCK_SAMPLES;

/// Bare frames start with the nibble 0xD. Three in a row are asked for: chance then finds one
/// random file in 4096.
pub(crate) fn looks_raw(bytes: &[u8]) -> bool {
    let marked = |frame: &[u8]| frame[0] >> 4 == 0xD;
    bytes.len() >= 3 * FRAME_BYTES && bytes.chunks_exact(FRAME_BYTES).take(3).all(marked)
}

/// Frames decoded at a time: 1 s.
const READ_FRAMES: usize = 50;

/// Reads bare frames.
pub(crate) struct RawReader<'s> {
    window: Window<'s>,
    state: DecoderState,
    frames: u64,
    damage: DamageLog,
}

impl<'s> RawReader<'s> {
    pub(crate) fn new(window: Window<'s>) -> RawReader<'s> {
        RawReader {
            window,
            state: DecoderState::new(),
            frames: 0,
            damage: DamageLog::default(),
        }
    }

    fn samples(&self) -> u64 {
        self.frames * FRAME_SAMPLES as u64
    }
}

impl BlockReader for RawReader<'_> {
    fn head(&self) -> Head {
        Head {
            container: Container::GsmRaw,
            codec: Codec::GsmRaw,
            channels: 1,
            sample_rate: RATE,
        }
    }

    fn read(&mut self, need: Need, out: &mut [Vec<i16>]) -> Result<Progress, AudioError> {
        for _ in 0..READ_FRAMES {
            let at = at_ms(self.samples(), RATE);
            let frame = self
                .window
                .at(self.frames * FRAME_BYTES as u64, FRAME_BYTES)?;
            if frame.len() < FRAME_BYTES {
                if !frame.is_empty() {
                    self.damage.lose(
                        at,
                        FRAME_MS,
                        format!("{} bytes of a cut GSM frame at the end", frame.len()),
                    );
                }
                return Ok(Progress::Ended);
            }
            let unpacked = UnpackedFrame::from_gsm_byte_frame(frame);
            if unpacked.is_err() {
                self.damage.lose(
                    at,
                    FRAME_MS,
                    "a GSM frame has no marker; silence stands in its place",
                );
            }
            if need == Need::Samples {
                out[0].extend(
                    unpacked.map_or([0; FRAME_SAMPLES], |frame| self.state.decode_frame(&frame)),
                );
            }
            self.frames += 1;
        }
        Ok(Progress::More)
    }

    fn ending(self: Box<Self>) -> (u64, Vec<Damage>) {
        (self.samples(), self.damage.into_vec())
    }
}

/// Decodes the pairs of frames that WAV carries, one after the other.
#[derive(Default)]
pub(crate) struct PairDecoder(DecoderState);

impl PairDecoder {
    /// Decodes one block of [`PAIR_BYTES`]; a shorter one is ignored.
    pub(crate) fn decode(&mut self, block: &[u8], out: &mut Vec<i16>) {
        if let Ok((first, second)) = UnpackedFrame::pair_from_msgsm_block(block) {
            out.extend(self.0.decode_frame(&first));
            out.extend(self.0.decode_frame(&second));
        }
    }
}

/// Codes bare frames.
pub(crate) struct RawCoder(EncoderState);

impl RawCoder {
    pub(crate) fn new() -> RawCoder {
        RawCoder(EncoderState::new())
    }
}

impl FrameCoder for RawCoder {
    fn frame(&mut self, channels: &[&[i16]], out: &mut Vec<u8>) {
        out.extend(code(&mut self.0, channels[0]).to_gsm_byte_frame());
    }
}

/// Codes pairs of frames for WAV.
pub(crate) struct PairCoder(EncoderState);

impl PairCoder {
    pub(crate) fn new() -> PairCoder {
        PairCoder(EncoderState::new())
    }
}

impl FrameCoder for PairCoder {
    fn frame(&mut self, channels: &[&[i16]], out: &mut Vec<u8>) {
        let (first, second) = channels[0].split_at(FRAME_SAMPLES);
        let (first, second) = (code(&mut self.0, first), code(&mut self.0, second));
        out.extend(UnpackedFrame::pair_to_msgsm_block(&first, &second));
    }
}

fn code(state: &mut EncoderState, samples: &[i16]) -> UnpackedFrame {
    let mut frame = [0; FRAME_SAMPLES];
    frame.copy_from_slice(samples);
    state.encode_frame(&frame)
}
