//! AIFF, AU and Wave64: other headers before samples that are read like those of WAV.

use crate::blocks::BlockReader;
use crate::format::{AudioError, Container};
use crate::wav::{self, Coding, Format, Layout, Linear, is_unfilled};
use crate::window::Window;

/// More chunks than any recorder writes; stops a file made of empty chunks.
const MOST_CHUNKS: usize = 4096;
/// What every name of a Wave64 chunk but the first ends in.
const W64_TAIL: [u8; 12] = [
    0xf3, 0xac, 0xd3, 0x11, 0x8c, 0xd1, 0x00, 0xc0, 0x4f, 0x8e, 0xdb, 0x8a,
];
/// Name and length of a Wave64 chunk; its length counts them.
const W64_HEAD: u64 = 24;

/// The container, by its first bytes.
pub(crate) fn container(bytes: &[u8]) -> Option<Container> {
    if bytes.starts_with(b"FORM") && matches!(bytes.get(8..12), Some(b"AIFF" | b"AIFC")) {
        Some(Container::Aiff)
    } else if bytes.starts_with(b".snd") {
        Some(Container::Au)
    } else if bytes.starts_with(b"riff\x2e\x91\xcf\x11") && bytes.get(24..28) == Some(b"wave") {
        Some(Container::W64)
    } else {
        None
    }
}

/// Opens a file that is one by its first bytes.
pub(crate) fn open(
    mut window: Window<'_>,
    container: Container,
) -> Result<Box<dyn BlockReader + '_>, AudioError> {
    let (layout, format) = match container {
        Container::Aiff => aiff(&mut window)?,
        Container::Au => au(&mut window)?,
        _ => w64(&mut window)?,
    };
    wav::read(window, layout, format, container)
}

/// Source: Apple, Audio Interchange File Format 1.3, and AIFF-C draft of 1991.
fn aiff(window: &mut Window<'_>) -> Result<(Layout, Format), AudioError> {
    let (mut common, mut sound, mut at) = (None, None, 12u64);
    for _ in 0..MOST_CHUNKS {
        let Some(&[a, b, c, d, size @ ..]) = window.at(at, 8)?.first_chunk::<8>() else {
            break;
        };
        let size = u64::from(u32::from_be_bytes(size));
        match &[a, b, c, d] {
            b"COMM" => common = Some(window.at(at + 8, 22)?.to_vec()),
            b"SSND" => sound = Some((at + 8, size)),
            _ => {}
        }
        if common.is_some() && sound.is_some() {
            break;
        }
        at += 8 + size + size % 2;
    }
    let common = common
        .filter(|common| common.len() >= 18)
        .ok_or_else(|| AudioError::undecodable("an AIFF file without its COMM chunk"))?;
    let (body, size) =
        sound.ok_or_else(|| AudioError::undecodable("an AIFF file without a sound chunk"))?;
    let word = |at: usize| usize::from(u16::from_be_bytes([common[at], common[at + 1]]));
    let (channels, bits) = (word(0), word(6));
    let pcm = |kind, bytes, big_endian| Coding::Pcm {
        kind,
        bytes,
        big_endian,
    };
    let signed = |big_endian| pcm(Linear::Signed, bits.div_ceil(8), big_endian);
    // The first form of the format has no name of a codec.
    let compressed = window.at(8, 4)? == b"AIFC";
    let coding = match common.get(18..22).filter(|_| compressed) {
        None | Some(b"NONE" | b"twos" | b"in24" | b"in32") => signed(true),
        Some(b"sowt") => signed(false),
        Some(b"raw ") => pcm(Linear::Unsigned, 1, true),
        Some(b"fl32" | b"FL32") => pcm(Linear::Float, 4, true),
        Some(b"fl64" | b"FL64") => pcm(Linear::Float, 8, true),
        Some(b"ulaw" | b"ULAW") => Coding::Mulaw,
        Some(b"alaw" | b"ALAW") => Coding::Alaw,
        Some(name) => {
            return Err(AudioError::unsupported(format!(
                "AIFF-C with codec {}",
                name.escape_ascii()
            )));
        }
    };
    let format = Format::new(coding, channels, extended(&common[8..18]), 0)?;
    let frames = u64::from(u32::from_be_bytes([
        common[2], common[3], common[4], common[5],
    ]));
    let offset = window
        .at(body, 4)?
        .first_chunk::<4>()
        .map_or(0, |four| u64::from(u32::from_be_bytes(*four)));
    // Offset and block length stand in the chunk before the samples.
    let declared = match size.checked_sub(8 + offset) {
        None | Some(0) => frames.saturating_mul(format.block_bytes() as u64),
        Some(bytes) => bytes,
    };
    let filled = !is_unfilled(size) && !is_unfilled(frames);
    Ok((
        Layout::of_data(window, body + 8 + offset, filled.then_some(declared))?,
        format,
    ))
}

/// An 80-bit floating-point number as a rate; 0 for one that is none.
fn extended(bytes: &[u8]) -> u32 {
    let exponent = i32::from(u16::from_be_bytes([bytes[0], bytes[1]]) & 0x7FFF) - 16_383;
    let mantissa = bytes[2..10]
        .iter()
        .fold(0u64, |all, &byte| all << 8 | u64::from(byte));
    if (0..32).contains(&exponent) {
        (mantissa >> (63 - exponent)) as u32
    } else {
        0
    }
}

/// Source: Sun, `audio_filehdr`.
fn au(window: &mut Window<'_>) -> Result<(Layout, Format), AudioError> {
    let Some(head) = window.at(0, 24)?.first_chunk::<24>() else {
        return Err(AudioError::undecodable(
            "an AU file that ends inside its header",
        ));
    };
    let word = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let (start, size, encoding, sample_rate, channels) =
        (word(4), word(8), word(12), word(16), word(20));
    let signed = |bytes| Coding::Pcm {
        kind: Linear::Signed,
        bytes,
        big_endian: true,
    };
    let float = |bytes| Coding::Pcm {
        kind: Linear::Float,
        bytes,
        big_endian: true,
    };
    let coding = match encoding {
        1 => Coding::Mulaw,
        2..=5 => signed(encoding as usize - 1),
        6 => float(4),
        7 => float(8),
        27 => Coding::Alaw,
        23 | 25 | 26 => return Err(AudioError::unsupported("G.726 in AU")),
        24 => return Err(AudioError::unsupported("G.722 in AU")),
        other => return Err(AudioError::unsupported(format!("AU with encoding {other}"))),
    };
    let format = Format::new(coding, channels as usize, sample_rate, 0)?;
    let declared = (!is_unfilled(size.into())).then_some(u64::from(size));
    Ok((Layout::of_data(window, start.into(), declared)?, format))
}

/// Source: Sony Pictures Digital, Wave64 file format, 2002.
fn w64(window: &mut Window<'_>) -> Result<(Layout, Format), AudioError> {
    let (mut fmt, mut at) = (None, 40u64);
    for _ in 0..MOST_CHUNKS {
        let Some(&head) = window.at(at, W64_HEAD as usize)?.first_chunk::<24>() else {
            break;
        };
        let size = head[16..]
            .iter()
            .rev()
            .fold(0u64, |all, &byte| all << 8 | u64::from(byte));
        let body = at + W64_HEAD;
        match (&head[..4], head[4..16] == W64_TAIL) {
            (b"fmt ", true) => {
                fmt = Some(
                    window
                        .at(body, size.saturating_sub(W64_HEAD).min(1024) as usize)?
                        .to_vec(),
                )
            }
            (b"data", true) => {
                let fmt: Vec<u8> = fmt.ok_or_else(|| {
                    AudioError::undecodable("a Wave64 file with data before its format")
                })?;
                // Written to a pipe: ffmpeg leaves the largest number, sox none.
                let declared = (size > W64_HEAD && size < 1 << 62).then(|| size - W64_HEAD);
                return Ok((
                    Layout::of_data(window, body, declared)?,
                    Format::parse(&fmt)?,
                ));
            }
            _ => {}
        }
        if size < W64_HEAD {
            break;
        }
        at = at.saturating_add(size.saturating_add(7) & !7);
    }
    Err(AudioError::undecodable(
        "a Wave64 file without a data chunk",
    ))
}
