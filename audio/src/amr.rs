//! AMR narrow band in its storage format (RFC 4867 section 5): a magic line, then one record per 20 ms.
//!
//! Comfort-noise (SID) and no-data frames are decoded to their full 20 ms. ffmpeg drops them, which shortens a file with
//! pauses without an error; that is why AMR is decoded here.

use crate::format::{AudioError, Codec, Container, DamageLog, Probe};
use crate::pcm::{Pcm, at_ms};
use codec_core::codecs::amr::nb::bitstream;
use codec_core::codecs::amr::nb::decoder::Decoder;
use codec_core::codecs::amr::nb::dtx::RxFrameType;
use codec_core::codecs::amr::nb::enc::encoder::{NbEncoder, Rate};

/// First bytes of a mono narrow-band file.
pub(crate) const MAGIC: &[u8] = b"#!AMR\n";
/// The only rate of narrow band.
pub(crate) const RATE: u32 = 8000;
const FRAME_SAMPLES: usize = 160;
/// Payload bytes by frame type: eight speech modes, then SID. Source: 3GPP TS 26.101.
const PAYLOAD_BYTES: [usize; 9] = [12, 13, 15, 17, 19, 20, 26, 31, 5];
const SID: u8 = 8;
const NO_DATA: u8 = 15;

struct Record<'a> {
    kind: u8,
    good: bool,
    payload: &'a [u8],
}

enum Step<'a> {
    Record(Record<'a>, usize),
    Cut,
    Invalid,
}

/// Reads the record at the start of `rest`. Padding bits must be zero and the frame type assigned.
fn record(rest: &[u8]) -> Step<'_> {
    let header = rest[0];
    let kind = header >> 3 & 15;
    let length = match kind {
        NO_DATA => 0,
        kind => match PAYLOAD_BYTES.get(usize::from(kind)) {
            Some(&length) => length,
            None => return Step::Invalid,
        },
    };
    if header & 0x83 != 0 {
        return Step::Invalid;
    }
    match rest.get(1..1 + length) {
        None => Step::Cut,
        Some(payload) => Step::Record(Record { kind, good: header & 4 != 0, payload }, 1 + length),
    }
}

/// Decodes a file that starts with [`MAGIC`]; `keep` false only counts.
pub(crate) fn decode(bytes: &[u8], keep: bool) -> Result<(Probe, Pcm), AudioError> {
    let mut reader = Reader::default();
    let mut rest = &bytes[MAGIC.len()..];
    while !rest.is_empty() {
        rest = match record(rest) {
            Step::Record(record, length) => {
                reader.take(&record, keep);
                &rest[length..]
            }
            Step::Cut => {
                reader.damage(format!("the last AMR frame is cut after {} bytes", rest.len()));
                &[]
            }
            Step::Invalid => {
                let skipped = resync(rest);
                reader.damage(format!("{skipped} bytes that are no AMR frames skipped"));
                &rest[skipped..]
            }
        };
    }
    reader.finish()
}

/// Bytes to skip until two records stand one after the other (or one ends the file).
fn resync(rest: &[u8]) -> usize {
    let sound = |start: usize| match record(&rest[start..]) {
        Step::Record(_, length) => match rest.get(start + length..) {
            None | Some([]) => true,
            Some(next) => !matches!(record(next), Step::Invalid),
        },
        Step::Cut | Step::Invalid => false,
    };
    (1..rest.len()).find(|&start| sound(start)).unwrap_or(rest.len())
}

#[derive(Default)]
struct Reader {
    decoder: Decoder,
    mode: u8,
    frames: usize,
    samples: Vec<i16>,
    damage: DamageLog,
}

impl Reader {
    fn damage(&mut self, what: String) {
        self.damage.push(at_ms((self.frames * FRAME_SAMPLES) as u64, RATE), what);
    }

    fn take(&mut self, record: &Record<'_>, keep: bool) {
        if !record.good && record.kind != NO_DATA {
            self.damage("an AMR frame is marked bad by its sender".to_owned());
        }
        if keep {
            self.decode(record);
        }
        self.frames += 1;
    }

    fn decode(&mut self, record: &Record<'_>) {
        let (kind, parameters) = match record.kind {
            NO_DATA => (RxFrameType::NoData, Vec::new()),
            SID => self.sid(record),
            mode => {
                self.mode = mode;
                let kind = if record.good { RxFrameType::SpeechGood } else { RxFrameType::SpeechBad };
                // The payload has the length of its mode, so the parameters are always there.
                match bitstream::parse(mode, record.payload) {
                    Some(parameters) => (kind, parameters),
                    None => (RxFrameType::NoData, Vec::new()),
                }
            }
        };
        self.samples.extend(self.decoder.decode_typed(kind, self.mode, &parameters));
    }

    /// A SID frame names the speech mode it follows; only an update carries a description of the noise.
    fn sid(&mut self, record: &Record<'_>) -> (RxFrameType, Vec<u16>) {
        let header = bitstream::parse_sid_header(record.payload);
        let parameters = bitstream::parse(SID, record.payload);
        let (Some(header), Some(parameters)) = (header, parameters) else {
            return (RxFrameType::NoData, Vec::new());
        };
        self.mode = header.mode_index & 7;
        match (record.good, header.update) {
            (false, _) => (RxFrameType::SidBad, parameters),
            (true, true) => (RxFrameType::SidUpdate, parameters),
            (true, false) => (RxFrameType::SidFirst, Vec::new()),
        }
    }

    fn finish(self) -> Result<(Probe, Pcm), AudioError> {
        let probe = Probe {
            container: Container::AmrFile,
            codec: Codec::AmrNb,
            channels: 1,
            sample_rate: RATE,
            samples: (self.frames * FRAME_SAMPLES) as u64,
            damage: self.damage.into_vec(),
        };
        Ok((probe, Pcm { sample_rate: RATE, channels: vec![self.samples] }))
    }
}

/// Codes at 12.2 kbit/s without pauses in transmission; the last frame is filled up with silence.
///
/// The highest mode because it is GSM's enhanced full rate, which every player handles and which loses least; no DTX
/// because ffmpeg drops what DTX leaves out.
pub(crate) fn encode(samples: &[i16]) -> Result<Vec<u8>, AudioError> {
    let rate = Rate::from_index(7).ok_or_else(|| AudioError::unsupported("amr mode 12.2"))?;
    let mut encoder = NbEncoder::new();
    let mut out = MAGIC.to_vec();
    for chunk in samples.chunks(FRAME_SAMPLES) {
        let mut frame = [0; FRAME_SAMPLES];
        frame[..chunk.len()].copy_from_slice(chunk);
        out.push(rate.toc_byte());
        out.extend(encoder.encode_frame(&frame, rate));
    }
    Ok(out)
}
