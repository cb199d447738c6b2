//! Call recordings as samples: what a file is, what it sounds like, how to write it again, how alike two of them are.
//!
//! Everything is judged by content: names, headers and declared lengths are hints that may lie. Decoding is total: any
//! bytes give samples (with the damage located) or an [`AudioError`], never a panic. [`Decoder`] and [`Encoder`] work
//! block by block in bounded memory; the functions on whole recordings are made of them. No clock, no chance, no network, no global state: the same input gives the same output, bytes included.
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
//! | `gsm`, `amr`, `mp3`, `lame`, `other` | GSM 06.10, AMR-NB, MP3 in, MP3 out, and what symphonia reads (AAC, FLAC, Vorbis) |
//! | `playback` | [`Playback`], [`encode_playback`]: what platforms play back in |
//! | `opus`, `webm`, `ogg`, `vorbis` | the codecs and containers of playback, written only |
//! | [`compare`] | numbers that say how alike two recordings are; the verdict is the verifier's |

mod amr;
mod blocks;
mod coder;
pub mod compare;
mod cover;
mod decode;
mod encode;
mod format;
mod g711;
mod gsm;
mod ima;
mod lame;
mod mp3;
mod ms_adpcm;
mod ogg;
mod opus;
mod other;
mod pcm;
mod playback;
mod sniff;
mod vorbis;
mod wav;
mod wav_write;
mod webm;
mod window;

pub use cover::{Cover, Covers, silence, tone};
pub use decode::{Decoder, decode, decode_file, probe, probe_file};
pub use encode::{Encoder, encode, encoder_version};
pub use format::{AudioError, Codec, Container, Damage, Head, Probe, UnknownCodec};
pub use mp3::mp3_padding;
pub use pcm::Pcm;
pub use playback::{Playback, encode_playback};
pub use window::Source;
