//! Pre-signed downloads: no token, a life, a signature; single byte ranges and refusals as an
//! object store gives them.

use std::{io::Read, sync::Arc};

use axum::{
    body::Body,
    extract::{Path, Request, State},
    response::Response,
};
use bytes::Bytes;
use futures_util::stream::{self, Stream};
use hex::FromHex as _;
use http::{HeaderMap, StatusCode, header};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{
    GenesysCloud, Site,
    access::REDACTED,
    conversation::Recording,
    endpoint::{self, Query},
    public::{Refusal, refusal},
    rules,
    stores::{Files, StoredFile},
    validate::uuid,
};
use crate::{clock::Clock, http::reply::Reply, operations};

/// Bytes read from the spool at once.
const READ_BYTES: usize = 64 * 1024;
/// Milliseconds of a minute.
const MINUTE_MS: u64 = 60_000;

/// The kind of a pre-signed address of an orphan's media; the orphan's id stands in the place of
/// the conversation's.
pub(super) const ORPHAN_MEDIA: &str = "orphan";

/// What is left of a file, read piece by piece.
fn pieces(
    clock: Clock,
    file: std::io::Take<Box<dyn Read + Send>>,
) -> impl Stream<Item = std::io::Result<Bytes>> {
    stream::unfold(Some(file), move |file| {
        let clock = clock.clone();
        async move {
            let mut file = file?;
            let read = clock.blocking(move || {
                let mut piece = Vec::with_capacity(READ_BYTES);
                let read = file
                    .by_ref()
                    .take(READ_BYTES as u64)
                    .read_to_end(&mut piece);
                (read.map(|_| Bytes::from(piece)), file)
            });
            match read.await? {
                (Ok(piece), _) if piece.is_empty() => None,
                (Ok(piece), file) => Some((Ok(piece), Some(file))),
                (Err(error), _) => Some((Err(error), None)),
            }
        }
    })
}

/// GET /presigned/{batch|media|redacted|orphan}/{conversation}/{recording}.
pub(super) async fn download(
    State(site): Site,
    Path((kind, conversation, recording)): Path<(String, String, String)>,
    request: Request,
) -> Response {
    let query = Query::of(request.uri().query().unwrap_or_default());
    let headers = request.headers().clone();
    let work = async {
        Ok(
            answer_download(&site, &kind, &conversation, &recording, &query, &headers)
                .await
                .unwrap_or_else(|refusal| refusal.reply()),
        )
    };
    endpoint::serve(
        &*site,
        &operations::GENESYS_CLOUD_GET_BATCH_MEDIA,
        &recording,
        0,
        None,
        work,
    )
    .await
}

impl GenesysCloud {
    /// An address of a recording's bytes that takes no token and lives as long as the organisation
    /// says.
    pub(super) fn presign(
        &self,
        kind: &str,
        conversation: Uuid,
        recording: Uuid,
        format: Option<&str>,
    ) -> String {
        let life_ms = self.settings.download_url_minutes.saturating_mul(MINUTE_MS);
        let expires = self.now_ms().saturating_add_unsigned(life_ms) / 1_000;
        let format = format.unwrap_or_default();
        let signature = self.signature(kind, conversation, recording, format, expires);
        let format = if format.is_empty() {
            String::new()
        } else {
            format!("&format={format}")
        };
        format!(
            "{}/presigned/{kind}/{conversation}/{recording}?expires={expires}{format}&signature={signature}",
            self.base_url()
        )
    }

    pub(super) fn signature(
        &self,
        kind: &str,
        conversation: Uuid,
        recording: Uuid,
        format: &str,
        expires_s: i64,
    ) -> String {
        let secret = self.seed().child("presign").value();
        let signed =
            format!("{secret:016x} {kind} {conversation} {recording} {format} {expires_s}");
        hex::encode(&Sha256::digest(signed.as_bytes())[..16])
    }

    /// A recording's media, while it is there and not in the archive.
    pub(super) fn media_now<'a>(
        &self,
        files: &'a Files,
        one: &Recording,
    ) -> Option<&'a StoredFile> {
        files
            .media_of(one)
            .filter(|_| self.media_state(one).has_media())
    }
}

async fn answer_download(
    site: &Arc<GenesysCloud>,
    kind: &str,
    conversation: &str,
    recording: &str,
    query: &Query,
    headers: &HeaderMap,
) -> Result<Reply, Refusal> {
    [&rules::PRESIGNED, &rules::PRESIGNED_STORE]
        .into_iter()
        .for_each(|rule| site.mark(rule));
    let (Some(conversation), Some(recording)) = (uuid(conversation), uuid(recording)) else {
        return Err(no_such_key());
    };
    let expires: i64 = query
        .one("expires")
        .and_then(|text| text.parse().ok())
        .unwrap_or_default();
    let format = query.one("format").unwrap_or_default();
    let expected = site.signature(kind, conversation, recording, format, expires);
    if query.one("signature") != Some(expected.as_str()) {
        return Err(refusal(
            403,
            "SignatureDoesNotMatch",
            "the signature does not fit the address",
        ));
    }
    if site.now_ms() / 1_000 >= expires {
        return Err(refusal(
            403,
            "AccessDenied",
            "Request has expired; ask for a new address",
        ));
    }
    let media = media_of(site, kind, conversation, recording).ok_or_else(no_such_key)?;
    let sound = if kind == REDACTED {
        Sound::Silenced
    } else {
        Sound::Whole
    };
    match target(format) {
        Some(target) => transcoded(site, &media, target, sound, headers).await,
        None => original(site, &media, headers).await,
    }
}

fn media_of(
    site: &GenesysCloud,
    kind: &str,
    conversation: Uuid,
    recording: Uuid,
) -> Option<StoredFile> {
    let state = site.state();
    if kind == ORPHAN_MEDIA {
        return state.public.orphan_media(conversation).cloned();
    }
    let held = state.conversations.get(conversation)?;
    site.media_now(&state.files, held.recording(recording)?)
        .cloned()
}

async fn original(
    site: &Arc<GenesysCloud>,
    media: &StoredFile,
    headers: &HeaderMap,
) -> Result<Reply, Refusal> {
    let (status, from, length) = range(headers, &media.sha256, media.bytes)?;
    let (organisation, sha256) = (Arc::clone(site), media.sha256.clone());
    let opened = site
        .core
        .clock
        .blocking(move || Ok(organisation.spool.open(&sha256, from)?.take(length)));
    let file = opened
        .await
        .unwrap_or_else(|| Err(std::io::Error::other("opening broke off")))
        .map_err(unreadable)?;
    let stream = pieces(site.core.clock.clone(), file);
    Ok(reply(
        status,
        Body::from_stream(stream),
        from,
        length,
        media.bytes,
        &media.sha256,
        &media.content_type,
    ))
}

async fn transcoded(
    site: &Arc<GenesysCloud>,
    media: &StoredFile,
    target: Target,
    sound: Sound,
    headers: &HeaderMap,
) -> Result<Reply, Refusal> {
    site.mark(&rules::MEDIA_ENCODED);
    let (organisation, sha256) = (Arc::clone(site), media.sha256.clone());
    let encoded = site.core.clock.blocking(move || {
        let bytes = organisation.spool.read(&sha256).ok()?;
        let (_, mut pcm) = audio::decode(&bytes).ok()?;
        if sound == Sound::Silenced {
            pcm.channels.iter_mut().for_each(|channel| channel.fill(0));
        }
        target.encode(&pcm).ok()
    });
    let Some(bytes) = encoded.await.flatten() else {
        return Err(refusal(
            500,
            "InternalError",
            "Media Error: the recording could not be transcoded",
        ));
    };
    let total = bytes.len() as u64;
    let tag = hex::encode(Sha256::digest(&bytes));
    let (status, from, length) = range(headers, &tag, total)?;
    let part = Bytes::from(bytes).slice(from as usize..(from + length) as usize);
    Ok(reply(
        status,
        Body::from(part),
        from,
        length,
        total,
        &tag,
        target.content_type,
    ))
}

/// What a recording comes to in a playable format.
#[derive(Clone, Copy, Default)]
pub(super) struct Output {
    pub(super) duration_ms: u64,
    pub(super) bytes: u64,
}

/// Formats of so many files are remembered; more are made anew.
const MOST_OUTPUTS: usize = 10_000;

impl GenesysCloud {
    /// What the recordings of a conversation come to in a format, made where it is not known yet:
    /// blocking work, asked for before an answer is written.
    pub(super) async fn prepare_outputs(
        self: &Arc<Self>,
        files: Vec<String>,
        format: &'static str,
    ) {
        let Some(target) = target(format) else { return };
        for sha256 in files {
            if self.outputs.lock().contains_key(&(sha256.clone(), format)) {
                continue;
            }
            let (site, wanted) = (Arc::clone(self), sha256.clone());
            let made = self.core.clock.blocking(move || {
                let (_, pcm) = audio::decode(&site.spool.read(&wanted).ok()?).ok()?;
                let samples = pcm.channels.first().map_or(0, Vec::len) as u64;
                let duration_ms = (samples * 1_000)
                    .checked_div(u64::from(pcm.sample_rate))
                    .unwrap_or(0);
                Some(Output {
                    duration_ms,
                    bytes: target.encode(&pcm).ok()?.len() as u64,
                })
            });
            // What cannot be played has no output.
            let output = made.await.flatten().unwrap_or_default();
            let mut known = self.outputs.lock();
            if known.len() >= MOST_OUTPUTS {
                known.clear();
            }
            known.insert((sha256, format), output);
        }
    }

    /// What is known of a file in a format; nothing of one that was never prepared.
    pub(super) fn output(&self, sha256: &str, format: &'static str) -> Option<Output> {
        self.outputs
            .lock()
            .get(&(sha256.to_owned(), format))
            .copied()
    }
}

/// What of a recording is heard.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sound {
    Whole,
    /// Its length, and nothing else.
    Silenced,
}

/// What a playable format is written by.
#[derive(Clone, Copy)]
struct Target {
    writer: Writer,
    content_type: &'static str,
}

#[derive(Clone, Copy)]
enum Writer {
    Codec(audio::Codec),
    Playback(audio::Playback),
}

impl Target {
    fn encode(self, pcm: &audio::Pcm) -> Result<Vec<u8>, audio::AudioError> {
        match self.writer {
            Writer::Codec(codec) => audio::encode(pcm, codec),
            Writer::Playback(playback) => audio::encode_playback(pcm, playback),
        }
    }
}

/// What a playable format is written by; none for the original bytes.
fn target(format: &str) -> Option<Target> {
    let (writer, content_type) = match format {
        "WAV" => (Writer::Codec(audio::Codec::PcmS16), "audio/wav"),
        "WAV_ULAW" => (Writer::Codec(audio::Codec::Mulaw), "audio/wav"),
        "MP3" => (Writer::Codec(audio::Codec::Mp3), "audio/mpeg"),
        "WEBM" => (Writer::Playback(audio::Playback::WebmOpus), "audio/webm"),
        "OGG_OPUS" => (Writer::Playback(audio::Playback::OggOpus), "audio/ogg"),
        "OGG_VORBIS" => (Writer::Playback(audio::Playback::OggVorbis), "audio/ogg"),
        _ => return None,
    };
    Some(Target {
        writer,
        content_type,
    })
}

fn reply(
    status: StatusCode,
    body: Body,
    from: u64,
    length: u64,
    total: u64,
    tag: &str,
    content_type: &str,
) -> Reply {
    let mut reply = Reply::empty(status.as_u16())
        .with_header(header::CONTENT_TYPE, content_type)
        .with_header(header::CONTENT_LENGTH, length.to_string())
        .with_header(header::ACCEPT_RANGES, "bytes")
        .with_header(header::ETAG, format!("\"{tag}\""));
    if status == StatusCode::PARTIAL_CONTENT {
        reply = reply.with_header(
            header::CONTENT_RANGE,
            format!("bytes {from}-{}/{total}", (from + length).saturating_sub(1)),
        );
    }
    reply.body = body;
    reply.bytes_out = Some(length);
    reply.digest = <[u8; 32]>::from_hex(tag)
        .ok()
        .filter(|_| status == StatusCode::OK);
    reply
}

/// Status, first byte and length: of the range asked for, or of the whole where none is, or where
/// `If-Range` names other bytes.
fn range(headers: &HeaderMap, tag: &str, total: u64) -> Result<(StatusCode, u64, u64), Refusal> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let is_other = text(header::IF_RANGE).is_some_and(|wanted| wanted.trim_matches('"') != tag);
    let whole = Ok((StatusCode::OK, 0, total));
    let Some(asked) = text(header::RANGE).filter(|_| !is_other) else {
        return whole;
    };
    let Some((from, to)) = asked
        .strip_prefix("bytes=")
        .and_then(|range| range.split_once('-'))
    else {
        return whole;
    };
    let (from, to) = match (from.parse::<u64>(), to.parse::<u64>()) {
        (Ok(from), Ok(to)) => (from, to.min(total.saturating_sub(1))),
        (Ok(from), Err(_)) if to.is_empty() => (from, total.saturating_sub(1)),
        (Err(_), Ok(last)) if from.is_empty() => {
            (total.saturating_sub(last), total.saturating_sub(1))
        }
        _ => return whole,
    };
    if from > to || from >= total {
        return Err(refusal(
            416,
            "InvalidRange",
            format!("the media has {total} bytes"),
        ));
    }
    Ok((StatusCode::PARTIAL_CONTENT, from, to - from + 1))
}

/// What the store has no media for: never uploaded, lost, archived or deleted.
fn no_such_key() -> Refusal {
    refusal(404, "NoSuchKey", "The specified key does not exist.")
}

fn unreadable(error: std::io::Error) -> Refusal {
    tracing::error!(%error, "failed to read a recording from the spool; was it removed?");
    refusal(500, "InternalError", "the media could not be read")
}
