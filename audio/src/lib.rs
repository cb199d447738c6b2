//! Call recordings as samples: what a file is, what it sounds like, how to write it again, how alike two of them are.
//!
//! Everything is judged by content: names, headers and declared lengths are hints that may lie. Decoding is total: any
//! bytes give samples (with the damage located) or an [`AudioError`], never a panic, and memory stays in proportion to
//! the input. No clock, no chance, no network, no global state: the same input gives the same output, bytes included.
//!
//! | module | for |
//! | --- | --- |
//! | `format` | [`Codec`], [`Container`], [`Probe`], [`Damage`], [`AudioError`] |
//! | `pcm` | [`Pcm`], and writing [`silence`] or a [`tone`] over a range |
//! | `decode` | [`probe`], [`decode()`] and the same for files |
//! | `encode` | [`encode()`], [`encoder_version`] |
//! | `sniff` | names what is not audio: an error page, an archive, a sealed file |
//! | `wav`, `wav_write`, `g711`, `ima`, `ms_adpcm` | RIFF WAVE and the codecs it carries |
//! | `gsm`, `amr`, `mp3`, `lame`, `other` | GSM 06.10, AMR-NB, MP3 in, MP3 out, and what symphonia reads (AAC, FLAC, Vorbis) |
//! | [`compare`] | numbers that say how alike two recordings are; the verdict is the verifier's |

mod amr;
pub mod compare;
mod decode;
mod encode;
mod format;
mod g711;
mod gsm;
mod ima;
mod lame;
mod mp3;
mod ms_adpcm;
mod other;
mod pcm;
mod sniff;
mod wav;
mod wav_write;

pub use decode::{decode, decode_file, probe, probe_file};
pub use encode::{encode, encoder_version};
pub use format::{AudioError, Codec, Container, Damage, Probe, UnknownCodec};
pub use pcm::{Pcm, silence, tone};
