//! Call recordings as samples: what a file is, what it sounds like, how to write it again, how
//! alike two of them are.
//!
//! Everything is judged by content: names, headers and declared lengths are hints that may lie.
//! Decoding is total: any bytes give samples (with the damage located) or an [`AudioError`], never
//! a panic. [`Decoder`] and [`Encoder`] work block by block in bounded memory; the functions on
//! whole recordings are made of them. No clock, no chance, no network, no global state: the same
//! input gives the same output, bytes included. Where a caller allows it, ffmpeg decodes in a
//! process of its own what has no reader here ([`Ffmpeg`]), and ffmpeg or sox what has one a second
//! time ([`SecondDecoder`]); only these are held against a time limit.
//!
//! | module | for |
//! | --- | --- |
//! | `format` | [`Codec`], [`Container`], [`Head`], [`Probe`], [`Damage`], [`AudioError`] |
//! | `pcm`, `cover` | [`Pcm`], and writing [`silence`] or a [`tone`] over a range, or over many in passing ([`Covers`]) |
//! | `decode` | [`Decoder`]; [`probe`], [`decode()`] and the same for files |
//! | `encode` | [`Encoder`]; [`encode()`], [`encoder_version`] |
//! | `blocks`, `coder` | what every reader of a format and every writer of a codec offers |
//! | `window` | any place of a [`Source`] with a bounded stretch in memory |
//! | `sniff` | names what is not audio: an error page, an archive, a sealed file |
//! | `wav`, `wav_write`, `g711`, `ima`, `ms_adpcm` | RIFF WAVE and the codecs it carries |
//! | `headers` | AIFF, AU and Wave64, read like WAV |
//! | `foreign`, `ffmpeg` | what has a name and no reader here, and who decodes it |
//! | `second` | [`SecondDecoder`]: another program's decoding, to hold this crate's against |
//! | `process` | how another program is run |
//! | `gsm`, `amr`, `mp3`, `lame`, `other` | GSM 06.10, AMR-NB, MP3 in, MP3 out, and what symphonia reads (AAC, FLAC, Vorbis) |
//! | `playback` | [`Playback`], [`encode_playback`]: what platforms play back in |
//! | `opus`, `webm`, `ogg` | Opus, in WebM and in Ogg, read and written |
//! | `vorbis` | Vorbis, written; `other` reads it |
//! | [`compare`] | numbers that say how alike two recordings are; the verdict is the verifier's |

mod amr;
mod blocks;
mod coder;
pub mod compare;
mod cover;
mod decode;
mod encode;
mod ffmpeg;
mod foreign;
mod format;
mod g711;
mod gsm;
mod headers;
mod ima;
mod lame;
mod mp3;
mod ms_adpcm;
mod ogg;
mod opus;
mod other;
mod pcm;
mod playback;
mod process;
mod second;
mod sniff;
mod vorbis;
mod wav;
mod wav_tags;
mod wav_write;
mod webm;
mod window;

pub use cover::{Cover, Covers, silence, tone};
pub use decode::{Decoder, decode, decode_file, decode_with, probe, probe_file};
pub use encode::{Encoder, encode, encoder_version};
pub use ffmpeg::Ffmpeg;
pub use foreign::headerless;
pub use format::{AudioError, Codec, Container, Damage, Head, Probe, UnknownCodec};
pub use mp3::mp3_padding;
pub use pcm::Pcm;
pub use playback::{Playback, encode_playback};
pub use second::{DecodeFailure, Decoded, SecondDecoder};
pub use window::Source;
