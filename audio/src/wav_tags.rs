//! Codecs of WAV files by their format tag. Source: mmreg.h of the Windows SDK; RFC 2361.

use crate::format::Codec;

/// Format tag, name of the codec, and what ffmpeg makes of it; `None`: it cannot decode it.
const TAGS: &[(u16, &str, Option<Codec>)] = &[
    (0x000A, "Windows Media Voice", Some(Codec::Other)),
    (0x0014, "G.723 ADPCM", Some(Codec::G726)),
    (0x0017, "Dialogic ADPCM", Some(Codec::Other)),
    (0x0022, "TrueSpeech", Some(Codec::Other)),
    (0x0040, "G.721", Some(Codec::G726)),
    (0x0042, "G.723.1", Some(Codec::Other)),
    (0x0045, "G.726", Some(Codec::G726)),
    (0x0050, "MPEG layer II", Some(Codec::Other)),
    (0x0064, "G.726", Some(Codec::G726)),
    (0x0065, "G.722", Some(Codec::G722)),
    (0x0075, "VoxWare", None),
    (0x0083, "G.729", Some(Codec::Other)),
    (0x00FF, "AAC", Some(Codec::Aac)),
    (0x0111, "G.723.1", Some(Codec::Other)),
    (0x0130, "Sipro ACELP", None),
    (0x0160, "Windows Media Audio 1", Some(Codec::Other)),
    (0x0161, "Windows Media Audio 2", Some(Codec::Other)),
    (
        0x0162,
        "Windows Media Audio Professional",
        Some(Codec::Other),
    ),
    (0x0163, "Windows Media Audio Lossless", Some(Codec::Other)),
    (0x028F, "G.722", Some(Codec::G722)),
    (0x1600, "AAC", Some(Codec::Aac)),
    (0x2000, "AC-3", Some(Codec::Other)),
    (0xA106, "AAC", Some(Codec::Aac)),
    (0xA109, "Speex", Some(Codec::Speex)),
    (0xF1AC, "FLAC", Some(Codec::Flac)),
];

/// What the codec of a WAV file is called.
pub(crate) fn name(tag: u16) -> &'static str {
    find(tag).map_or("an unknown codec", |(_, name, _)| name)
}

/// The codec that ffmpeg is asked to decode. `None`: it decodes none of that tag.
pub(crate) fn codec(tag: u16) -> Option<Codec> {
    find(tag).and_then(|(_, _, codec)| *codec)
}

fn find(tag: u16) -> Option<&'static (u16, &'static str, Option<Codec>)> {
    TAGS.iter().find(|(known, ..)| *known == tag)
}
