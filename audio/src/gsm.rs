//! GSM 06.10 full rate: bare 33-byte frames, and the 65-byte pairs that WAV carries.
//!
//! The crate knows three bit orders; `from_bit_stream_msb_first` is the one no file uses and gives noise without an
//! error. Decoding without the homing rules of GSM 06.10 annex C, as ffmpeg and libgsm do: bit-exact with both.

use crate::format::{AudioError, Codec, Container, DamageLog, Probe};
use crate::pcm::{Pcm, at_ms};
use oxideav_gsm::{DecoderState, EncoderState, UnpackedFrame};

/// The only rate GSM 06.10 knows.
pub(crate) const RATE: u32 = 8000;
/// Samples of a frame, 20 ms.
pub(crate) const FRAME_SAMPLES: usize = oxideav_gsm::FRAME_SAMPLES;
/// Bytes of a bare frame.
pub(crate) const FRAME_BYTES: usize = oxideav_gsm::GSM_BYTE_FRAME_LEN;
/// Bytes of a pair of frames in WAV.
pub(crate) const PAIR_BYTES: usize = oxideav_gsm::MSGSM_BLOCK_LEN;
/// Samples of a pair.
pub(crate) const PAIR_SAMPLES: usize = oxideav_gsm::MSGSM_BLOCK_SAMPLES;

/// Bare frames start with the nibble 0xD. Three in a row are asked for: chance then finds one random file in 4096.
pub(crate) fn looks_raw(bytes: &[u8]) -> bool {
    let marked = |frame: &[u8]| frame[0] >> 4 == 0xD;
    bytes.len() >= 3 * FRAME_BYTES && bytes.chunks_exact(FRAME_BYTES).take(3).all(marked)
}

/// Decodes bare frames; `keep` false only counts.
pub(crate) fn decode_raw(bytes: &[u8], keep: bool) -> Result<(Probe, Pcm), AudioError> {
    let mut damage = DamageLog::default();
    let mut state = DecoderState::new();
    let frames = bytes.len() / FRAME_BYTES;
    let mut samples = Vec::with_capacity(if keep { frames * FRAME_SAMPLES } else { 0 });
    for (index, frame) in bytes.chunks_exact(FRAME_BYTES).enumerate() {
        let unpacked = UnpackedFrame::from_gsm_byte_frame(frame);
        if unpacked.is_err() {
            let at = at_ms((index * FRAME_SAMPLES) as u64, RATE);
            damage.push(at, "a GSM frame has no marker; silence stands in its place");
        }
        if keep {
            match unpacked {
                Ok(frame) => samples.extend(state.decode_frame(&frame)),
                Err(_) => samples.resize(samples.len() + FRAME_SAMPLES, 0),
            }
        }
    }
    let total = (frames * FRAME_SAMPLES) as u64;
    let left = bytes.len() % FRAME_BYTES;
    if left != 0 {
        damage.push(at_ms(total, RATE), format!("{left} bytes of a cut GSM frame at the end"));
    }
    let probe = Probe {
        container: Container::GsmRaw,
        codec: Codec::GsmRaw,
        channels: 1,
        sample_rate: RATE,
        samples: total,
        damage: damage.into_vec(),
    };
    Ok((probe, Pcm { sample_rate: RATE, channels: vec![samples] }))
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

/// Codes bare frames; the last one is filled up with silence.
pub(crate) fn encode_raw(samples: &[i16]) -> Vec<u8> {
    frames(samples, 1).iter().flat_map(UnpackedFrame::to_gsm_byte_frame).collect()
}

/// Codes pairs of frames for WAV; the last pair is filled up with silence.
pub(crate) fn encode_pairs(samples: &[i16]) -> Vec<u8> {
    frames(samples, 2).chunks_exact(2).flat_map(|pair| UnpackedFrame::pair_to_msgsm_block(&pair[0], &pair[1])).collect()
}

fn frames(samples: &[i16], multiple: usize) -> Vec<UnpackedFrame> {
    let mut state = EncoderState::new();
    let count = samples.len().div_ceil(FRAME_SAMPLES * multiple) * multiple;
    (0..count)
        .map(|index| {
            let start = (index * FRAME_SAMPLES).min(samples.len());
            let end = (start + FRAME_SAMPLES).min(samples.len());
            let mut frame = [0; FRAME_SAMPLES];
            frame[..end - start].copy_from_slice(&samples[start..end]);
            state.encode_frame(&frame)
        })
        .collect()
}
