//! Content codings of answers. `Accept-Encoding: identity` goes with every request; a server that
//! codes all the same is undone here, or named. Source: RFC 9110 sections 8.4 and 12.5.3.

use std::io::Write as _;

use bytes::Bytes;
use flate2::write::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use http::{HeaderMap, header};

use crate::net::transport::{Body, Failure, TransportError};

/// Bytes that are undone at a time: a bomb of them is four mebibytes, and whoever reads has a bound
/// of its own.
const STEP: usize = 4 * 1024;

/// A coding that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    Gzip,
    Deflate,
}

/// Undoes the codings of an answer; its headers then speak of what is left: no coding, and no
/// length. A coding nobody here knows makes a body that is an error. Answers whether there was a
/// coding, too.
pub(crate) fn undo(headers: &mut HeaderMap, body: Body) -> (bool, Body) {
    let codings = match codings(headers) {
        Ok(codings) if codings.is_empty() => return (false, body),
        Ok(codings) => codings,
        Err(name) => {
            let why = format!(
                "it is coded as `{name}`, which was not asked for and cannot be undone here"
            );
            let stream =
                stream::once(async move { Err(TransportError::new(Failure::Unusable, why)) })
                    .boxed();
            return (
                true,
                Body::Stream {
                    length: None,
                    stream,
                },
            );
        }
    };
    headers.remove(header::CONTENT_ENCODING);
    headers.remove(header::CONTENT_LENGTH);
    let stream = codings
        .into_iter()
        .rev()
        .fold(body.into_stream(), |stream, coding| {
            Undoing {
                stream,
                decoder: Decoder::Waiting(coding),
                open: Bytes::new(),
                is_over: false,
            }
            .into_stream()
        });
    (
        true,
        Body::Stream {
            length: None,
            stream,
        },
    )
}

/// The codings in the order they were applied; the error names one that is not known.
fn codings(headers: &HeaderMap) -> Result<Vec<Coding>, String> {
    let mut found = Vec::new();
    for value in headers.get_all(header::CONTENT_ENCODING) {
        for name in value.to_str().map_err(|_| "?".to_owned())?.split(',') {
            match name.trim().to_ascii_lowercase().as_str() {
                "" | "identity" => {}
                "gzip" | "x-gzip" => found.push(Coding::Gzip),
                "deflate" => found.push(Coding::Deflate),
                other => {
                    return Err(other
                        .chars()
                        .filter(char::is_ascii_graphic)
                        .take(40)
                        .collect());
                }
            }
        }
    }
    if found.len() > 2 {
        Err("more than two codings".to_owned())
    } else {
        Ok(found)
    }
}

enum Decoder {
    /// Nothing has come yet.
    Waiting(Coding),
    Gzip(MultiGzDecoder<Vec<u8>>),
    /// What `deflate` means by the standard.
    Zlib(ZlibDecoder<Vec<u8>>),
    /// What some servers send under that name.
    Raw(DeflateDecoder<Vec<u8>>),
}

impl Decoder {
    fn of(coding: Coding, first: &[u8]) -> Decoder {
        // The first byte of a zlib stream names its method and window; raw deflate never begins so
        // with the window servers use.
        let is_zlib = first
            .first()
            .is_some_and(|byte| byte & 0x0f == 8 && byte >> 4 <= 7);
        match coding {
            Coding::Gzip => Decoder::Gzip(MultiGzDecoder::new(Vec::new())),
            Coding::Deflate if is_zlib => Decoder::Zlib(ZlibDecoder::new(Vec::new())),
            Coding::Deflate => Decoder::Raw(DeflateDecoder::new(Vec::new())),
        }
    }

    fn take(&mut self, coded: &[u8]) -> std::io::Result<Vec<u8>> {
        if let Decoder::Waiting(coding) = self {
            *self = Decoder::of(*coding, coded);
        }
        Ok(std::mem::take(match self {
            Decoder::Waiting(_) => return Ok(Vec::new()),
            Decoder::Gzip(gzip) => gzip.write_all(coded).map(|()| gzip.get_mut())?,
            Decoder::Zlib(zlib) => zlib.write_all(coded).map(|()| zlib.get_mut())?,
            Decoder::Raw(raw) => raw.write_all(coded).map(|()| raw.get_mut())?,
        }))
    }

    /// What is left at the end; an error where the stream is cut.
    fn finish(&mut self) -> std::io::Result<Vec<u8>> {
        Ok(std::mem::take(match self {
            // An answer without a body, as to HEAD.
            Decoder::Waiting(_) => return Ok(Vec::new()),
            Decoder::Gzip(gzip) => gzip.try_finish().map(|()| gzip.get_mut())?,
            Decoder::Zlib(zlib) => zlib.try_finish().map(|()| zlib.get_mut())?,
            Decoder::Raw(raw) => raw.try_finish().map(|()| raw.get_mut())?,
        }))
    }
}

struct Undoing {
    stream: BoxStream<'static, Result<Bytes, TransportError>>,
    decoder: Decoder,
    /// Coded bytes that came and were not undone yet.
    open: Bytes,
    is_over: bool,
}

impl Undoing {
    fn into_stream(self) -> BoxStream<'static, Result<Bytes, TransportError>> {
        stream::try_unfold(self, |mut undoing| async move {
            Ok(undoing.next().await?.map(|piece| (piece, undoing)))
        })
        .boxed()
    }

    async fn next(&mut self) -> Result<Option<Bytes>, TransportError> {
        let damaged = |_| {
            TransportError::new(
                Failure::Broken,
                "its compressed bytes are damaged, or end too early",
            )
        };
        while !self.is_over {
            if self.open.is_empty() {
                match self.stream.next().await {
                    Some(piece) => self.open = piece?,
                    None => {
                        self.is_over = true;
                        let rest = self.decoder.finish().map_err(damaged)?;
                        return Ok((!rest.is_empty()).then(|| rest.into()));
                    }
                }
                continue;
            }
            let step = self.open.split_to(self.open.len().min(STEP));
            let undone = self.decoder.take(&step).map_err(damaged)?;
            if !undone.is_empty() {
                return Ok(Some(undone.into()));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        writer
            .write_all(bytes)
            .and_then(|()| writer.finish())
            .expect("gzip")
    }

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut writer =
            flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        writer
            .write_all(bytes)
            .and_then(|()| writer.finish())
            .expect("zlib")
    }

    fn raw(bytes: &[u8]) -> Vec<u8> {
        let mut writer =
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
        writer
            .write_all(bytes)
            .and_then(|()| writer.finish())
            .expect("deflate")
    }

    /// What comes of a body under that coding, in pieces of three bytes as they come.
    async fn undone(coding: &str, coded: &[u8]) -> Result<Vec<u8>, TransportError> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_ENCODING, coding.parse().expect("a header"));
        headers.insert(header::CONTENT_LENGTH, coded.len().into());
        let pieces: Vec<Result<Bytes, TransportError>> = coded
            .chunks(3)
            .map(|piece| Ok(Bytes::copy_from_slice(piece)))
            .collect();
        let (_, body) = undo(
            &mut headers,
            Body::Stream {
                length: None,
                stream: stream::iter(pieces).boxed(),
            },
        );
        let mut stream = body.into_stream();
        let mut bytes = Vec::new();
        while let Some(piece) = stream.next().await {
            bytes.extend_from_slice(&piece?);
        }
        assert!(
            headers.get(header::CONTENT_LENGTH).is_none() || coding == "identity",
            "a length of coded bytes is none of these"
        );
        Ok(bytes)
    }

    #[tokio::test]
    async fn what_a_server_codes_is_undone_or_named() {
        let text = "what was said ".repeat(1000).into_bytes();
        let twice: Vec<u8> = [gzip(&text[..7000]), gzip(&text[7000..])].concat();
        for (coding, coded) in [
            ("gzip", gzip(&text)),
            ("X-GZIP", gzip(&text)),
            ("gzip", twice),
            ("deflate", zlib(&text)),
            ("deflate", raw(&text)),
            ("deflate, gzip", gzip(&zlib(&text))),
            ("identity", text.clone()),
        ] {
            assert_eq!(
                undone(coding, &coded).await.expect(coding),
                text,
                "{coding}"
            );
        }
        assert_eq!(
            undone("gzip", b"").await.expect("an answer without a body"),
            b""
        );
        for coding in ["br", "zstd", "gzip, gzip, gzip"] {
            let error = undone(coding, b"anything").await.expect_err(coding);
            assert_eq!(error.kind, Failure::Unusable, "{coding}: {error}");
        }
        assert!(
            undone("br", b"x")
                .await
                .expect_err("br")
                .why
                .contains("`br`")
        );
    }

    #[tokio::test]
    async fn a_cut_or_damaged_coding_is_an_error() {
        let coded = gzip(&b"speech".repeat(500));
        for damaged in [&coded[..coded.len() - 5], b"not gzip at all".as_slice()] {
            assert_eq!(
                undone("gzip", damaged).await.expect_err("damaged").kind,
                Failure::Broken
            );
        }
    }

    #[tokio::test]
    async fn a_bomb_comes_in_pieces_that_a_reader_can_stop_at() {
        let bomb = gzip(&vec![0_u8; 64 << 20]);
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_ENCODING, "gzip".parse().expect("a header"));
        let mut stream = undo(&mut headers, Body::Full(bomb.into())).1.into_stream();
        let first = stream.next().await.expect("a piece").expect("bytes");
        assert!(first.len() <= 8 << 20, "{} bytes at once", first.len());
    }
}
