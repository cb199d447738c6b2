//! Formats this crate names but does not read itself: which of them ffmpeg is asked to decode, and
//! what all of them are called.
//!
//! Only formats in these tables go to ffmpeg, each with its demuxer named: left to guess, it opens
//! playlists that name other files, and makes sound of bytes that are none.

use crate::format::{AudioError, Codec, Container};
use crate::wav::{self, Layout};
use crate::wav_tags;
use crate::window::Window;

/// What ffmpeg is asked to decode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Foreign {
    pub(crate) container: Container,
    pub(crate) codec: Codec,
    /// ffmpeg's name of the container's reader.
    pub(crate) demuxer: &'static str,
}

/// What a file is that has no header, as telephone exchanges keep them, by the ending of its name:
/// nothing in its bytes tells it from noise, so it is decoded by nobody. `None`: the name says no
/// such thing.
pub fn headerless(file_name: &str) -> Option<&'static str> {
    const ENDINGS: &[(&str, &str)] = &[
        ("g722", "G.722"),
        ("g726", "G.726"),
        ("g726-40", "G.726"),
        ("g726-32", "G.726"),
        ("g726-24", "G.726"),
        ("g726-16", "G.726"),
        ("g729", "G.729"),
        ("g723", "G.723.1"),
        ("g723sf", "G.723.1"),
        ("ulaw", "mu-law"),
        ("ul", "mu-law"),
        ("alaw", "A-law"),
        ("al", "A-law"),
        ("sln", "linear"),
        ("sln16", "linear"),
        ("vox", "Dialogic ADPCM"),
    ];
    let ending = file_name.rsplit_once('.')?.1.to_ascii_lowercase();
    ENDINGS
        .iter()
        .find(|(known, _)| *known == ending)
        .map(|(_, name)| *name)
}

/// Containers by their first bytes: where, what, the name, ffmpeg's reader of it.
const STARTS: &[(usize, &[u8], &str, &str)] = &[
    (
        0,
        b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",
        "Windows Media (ASF)",
        "asf",
    ),
    (0, b"caff\0\x01", "Core Audio (CAF)", "caf"),
    (0, b"#!AMR-WB\n", "AMR wide band", "amr"),
    (0, b"wvpk", "WavPack", "wv"),
    (0, b"MAC \x96\x0f", "Monkey's Audio", "ape"),
    (0, b".RMF\0", "RealMedia", "rm"),
    (0, b".ra\xfd", "RealAudio", "rm"),
    (0, b"Creative Voice File", "Creative Voice", "voc"),
    (0, b"NIST_1A", "NIST SPHERE", "nistsphere"),
    (0, b"FLV\x01", "Flash video", "flv"),
    (8, b"AVI LIST", "AVI", "avi"),
];

/// What a container is called that has no reader here, by its first bytes.
pub(crate) fn name(head: &[u8]) -> Option<&'static str> {
    start(head).map(|(_, name, _)| name).or_else(|| {
        head.starts_with(b"#!AMR")
            .then_some("AMR with several channels")
    })
}

fn start(head: &[u8]) -> Option<(Codec, &'static str, &'static str)> {
    let found = STARTS
        .iter()
        .find(|(at, bytes, ..)| head.get(*at..).is_some_and(|rest| rest.starts_with(bytes)));
    found.map(|(_, _, name, demuxer)| (Codec::Other, *name, *demuxer))
}

/// What ffmpeg is asked to decode, of a file that no reader here supports. `None`: it is not asked.
pub(crate) fn of(window: &mut Window<'_>) -> Result<Option<Foreign>, AudioError> {
    let head = window.at(0, 64 * 1024)?.to_vec();
    let foreign = |container, codec, demuxer| {
        Some(Foreign {
            container,
            codec,
            demuxer,
        })
    };
    Ok(if wav::looks_wav(&head) {
        let tag = Layout::tag(window);
        let codec = wav_tags::codec(tag);
        codec.and_then(|codec| foreign(Container::Wav, codec, "wav"))
    } else if let Some((codec, _, demuxer)) = start(&head) {
        foreign(Container::Other, codec, demuxer)
    } else if crate::webm::looks_webm(&head) {
        foreign(Container::Webm, Codec::Other, "matroska")
    } else {
        match crate::headers::container(&head).or_else(|| crate::other::container(&head)) {
            Some(Container::Aiff) => foreign(Container::Aiff, Codec::Other, "aiff"),
            Some(Container::Au) => match head.get(15) {
                Some(23 | 25 | 26) => foreign(Container::Au, Codec::G726, "au"),
                Some(24) => foreign(Container::Au, Codec::G722, "au"),
                _ => None,
            },
            Some(Container::Mp4) => foreign(Container::Mp4, Codec::Other, "mov"),
            Some(Container::Ogg) if head.get(28..36) == Some(b"Speex   ") => {
                foreign(Container::Ogg, Codec::Speex, "ogg")
            }
            Some(Container::Ogg) => foreign(Container::Ogg, Codec::Other, "ogg"),
            _ => None,
        }
    })
}

/// How much sound the container's own lengths promise beyond what is there, in milliseconds, with a
/// sentence. `None`: nothing, or it has no lengths.
pub(crate) fn lost(
    window: &mut Window<'_>,
    foreign: Foreign,
) -> Result<Option<(u64, String)>, AudioError> {
    match (foreign.container, foreign.demuxer) {
        (Container::Wav, _) => Ok(Layout::lost(window)),
        (_, "asf") => asf_lost(window),
        // ffmpeg says what the others promise.
        _ => Ok(None),
    }
}

/// By the File Properties Object. Source: Microsoft, Advanced Systems Format, section 3.2.
fn asf_lost(window: &mut Window<'_>) -> Result<Option<(u64, String)>, AudioError> {
    const FILE_PROPERTIES: [u8; 16] = [
        0xA1, 0xDC, 0xAB, 0x8C, 0x47, 0xA9, 0xCF, 0x11, 0x8E, 0xE4, 0x00, 0xC0, 0x0C, 0x20, 0x53,
        0x65,
    ];
    let length = window.length();
    let head = window.at(0, 64 * 1024)?;
    let Some(at) = head
        .windows(16)
        .position(|sixteen| sixteen == FILE_PROPERTIES)
    else {
        return Ok(None);
    };
    let number = |offset: usize| {
        head.get(at + offset..at + offset + 8).map_or(0, |eight| {
            eight
                .iter()
                .rev()
                .fold(0u64, |all, &byte| all << 8 | u64::from(byte))
        })
    };
    let (size, duration_100ns, preroll_ms, flags) =
        (number(40), number(64), number(80), number(88));
    let is_broadcast = flags & 1 != 0;
    if is_broadcast || size <= length {
        return Ok(None);
    }
    let duration_ms = (duration_100ns / 10_000).saturating_sub(preroll_ms);
    let lost_ms = (u128::from(duration_ms) * u128::from(size - length) / u128::from(size)) as u64;
    Ok(Some((
        lost_ms,
        format!("data ends early: {length} of {size} bytes are there"),
    )))
}
