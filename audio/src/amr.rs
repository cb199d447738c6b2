//! AMR narrow band in its storage format (RFC 4867 section 5): a magic line, then one record per 20
//! ms.
//!
//! Comfort-noise (SID) and no-data frames are decoded to their full 20 ms. ffmpeg drops them, which
//! shortens a file with pauses without an error; that is why AMR is decoded here.

use crate::blocks::{BlockReader, Need, Progress};
use crate::coder::FrameCoder;
use crate::format::{AudioError, Codec, Container, Damage, DamageLog, Head};
use crate::pcm::at_ms;
use crate::window::Window;
use codec_core::codecs::amr::nb::bitstream;
use codec_core::codecs::amr::nb::decoder::Decoder;
use codec_core::codecs::amr::nb::dtx::RxFrameType;
use codec_core::codecs::amr::nb::enc::encoder::{NbEncoder, Rate};

/// First bytes of a mono narrow-band file.
pub(crate) const MAGIC: &[u8] = b"#!AMR\n";
/// The only rate of narrow band.
pub(crate) const RATE: u32 = 8000;
/// Samples of a frame, 20 ms.
pub(crate) const FRAME_SAMPLES: usize = 160;
/// The same in milliseconds.
const FRAME_MS: u64 = 20;
/// Bytes of the shortest record of speech, its header included.
const LEAST_SPEECH_BYTES: u64 = 13;
/// Two of the longest records: where one is doubtful, the next decides.
const AHEAD_BYTES: usize = 64;
/// Records read at a time: 1 s.
const READ_RECORDS: usize = 50;
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

/// Reads the record at the start of `rest`, which is not empty. Padding bits must be zero and the
/// frame type assigned.
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
        Some(payload) => Step::Record(
            Record {
                kind,
                good: header & 4 != 0,
                payload,
            },
            1 + length,
        ),
    }
}

/// Whether a record stands at the start of `rest` and another after it (or it ends the file).
fn goes_on(rest: &[u8]) -> bool {
    match record(rest) {
        Step::Record(_, length) => match rest.get(length..) {
            None | Some([]) => true,
            Some(next) => !matches!(record(next), Step::Invalid),
        },
        Step::Cut | Step::Invalid => false,
    }
}

/// Reads a file that starts with [`MAGIC`].
pub(crate) struct Reader<'s> {
    window: Window<'s>,
    at: u64,
    speech: Speech,
}

impl<'s> Reader<'s> {
    pub(crate) fn new(window: Window<'s>) -> Reader<'s> {
        Reader {
            window,
            at: MAGIC.len() as u64,
            speech: Speech::default(),
        }
    }

    fn resync(&mut self) -> Result<(), AudioError> {
        let mut next = self.at + 1;
        while next < self.window.length() && !goes_on(self.window.at(next, AHEAD_BYTES)?) {
            next += 1;
        }
        let skipped = next - self.at;
        // Each record is as long as the one before, as far as one can know; pauses in transmission
        // say nothing.
        let lost_ms = skipped / self.speech.last_bytes.max(LEAST_SPEECH_BYTES) * FRAME_MS;
        self.speech.lose(
            lost_ms,
            format!("{skipped} bytes that are no AMR frames skipped"),
        );
        self.at = next;
        Ok(())
    }
}

impl BlockReader for Reader<'_> {
    fn head(&self) -> Head {
        Head {
            container: Container::AmrFile,
            codec: Codec::AmrNb,
            channels: 1,
            sample_rate: RATE,
        }
    }

    fn read(&mut self, need: Need, out: &mut [Vec<i16>]) -> Result<Progress, AudioError> {
        for _ in 0..READ_RECORDS {
            let rest = self.window.at(self.at, AHEAD_BYTES)?;
            if rest.is_empty() {
                return Ok(Progress::Ended);
            }
            match record(rest) {
                Step::Record(record, length) => {
                    self.speech.take(&record, need, &mut out[0]);
                    self.speech.last_bytes = length as u64;
                    self.at += length as u64;
                }
                Step::Cut => {
                    let left = rest.len();
                    self.speech.lose(
                        FRAME_MS,
                        format!("the last AMR frame is cut after {left} bytes"),
                    );
                    self.at += left as u64;
                }
                Step::Invalid => self.resync()?,
            }
        }
        Ok(Progress::More)
    }

    fn ending(self: Box<Self>) -> (u64, Vec<Damage>) {
        (self.speech.samples(), self.speech.damage.into_vec())
    }
}

/// What becomes of the records.
#[derive(Default)]
struct Speech {
    decoder: Decoder,
    mode: u8,
    frames: u64,
    /// Of the last record.
    last_bytes: u64,
    damage: DamageLog,
}

impl Speech {
    fn samples(&self) -> u64 {
        self.frames * FRAME_SAMPLES as u64
    }

    fn damage(&mut self, what: String) {
        self.lose(0, what);
    }

    fn lose(&mut self, lost_ms: u64, what: String) {
        self.damage.lose(at_ms(self.samples(), RATE), lost_ms, what);
    }

    fn take(&mut self, record: &Record<'_>, need: Need, out: &mut Vec<i16>) {
        if !record.good && record.kind != NO_DATA {
            self.damage("an AMR frame is marked bad by its sender".to_owned());
        }
        if need == Need::Samples {
            out.extend(self.decode(record));
        }
        self.frames += 1;
    }

    fn decode(&mut self, record: &Record<'_>) -> [i16; FRAME_SAMPLES] {
        let (kind, parameters) = match record.kind {
            NO_DATA => (RxFrameType::NoData, Vec::new()),
            SID => self.sid(record),
            mode => {
                self.mode = mode;
                let kind = if record.good {
                    RxFrameType::SpeechGood
                } else {
                    RxFrameType::SpeechBad
                };
                // The payload has the length of its mode, so the parameters are always there.
                match bitstream::parse(mode, record.payload) {
                    Some(parameters) => (kind, parameters),
                    None => (RxFrameType::NoData, Vec::new()),
                }
            }
        };
        self.decoder.decode_typed(kind, self.mode, &parameters)
    }

    /// A SID frame names the speech mode it follows; only an update carries a description of the
    /// noise.
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
}

/// Codes at 12.2 kbit/s without pauses in transmission.
///
/// The highest mode because it is GSM's enhanced full rate, which every player handles and which
/// loses least; no DTX because ffmpeg drops what DTX leaves out.
pub(crate) struct Coder {
    encoder: NbEncoder,
    rate: Rate,
}

impl Coder {
    pub(crate) fn new() -> Result<Coder, AudioError> {
        let rate = Rate::from_index(7).ok_or_else(|| AudioError::unsupported("amr mode 12.2"))?;
        Ok(Coder {
            encoder: NbEncoder::new(),
            rate,
        })
    }
}

impl FrameCoder for Coder {
    fn start(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(MAGIC);
    }

    fn frame(&mut self, channels: &[&[i16]], out: &mut Vec<u8>) {
        let mut frame = [0; FRAME_SAMPLES];
        frame.copy_from_slice(channels[0]);
        out.push(self.rate.toc_byte());
        out.extend(self.encoder.encode_frame(&frame, self.rate));
    }
}
