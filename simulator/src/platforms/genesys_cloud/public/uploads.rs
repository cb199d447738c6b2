//! `POST /api/v2/uploads/recordings`, and the pre-signed PUT it leads to: streamed into the spool,
//! then unpacked.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Path, Request, State},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::StreamExt as _;
use http::{HeaderMap, HeaderName, HeaderValue};
use md5::{Digest as _, Md5};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    package::{self, Unpacked},
    rules,
    store::{self, Refusal},
    stores::Upload,
};
use crate::{
    faults::table::FaultKind,
    http::reply::Reply,
    http::request_context,
    operations,
    platforms::genesys_cloud::{
        GenesysCloud, Site,
        endpoint::{self, IncomingRequest, Query},
        errors::ApiError,
        limits,
        spool::Gathered,
        validate::uuid,
    },
};

/// Kind of a pre-signed upload address.
const KIND: &str = "uploads";
/// Life of an upload address where the request names none, and the longest, in seconds. Source:
/// platform API, UploadUrlRequest.
const LIFE_S: u64 = 600;
const LONGEST_LIFE_S: u64 = 604_800;
/// Characters a file name may not have, beside whitespace. Source: platform API, UploadUrlRequest.
const FORBIDDEN: &str = "\\{^}%`]\">[~<#|";

/// POST /api/v2/uploads/recordings.
pub(super) async fn create(incoming: IncomingRequest) -> Response {
    let key = |body: &[u8]| {
        serde_json::from_slice::<Map<String, Value>>(body)
            .ok()?
            .get("fileName")?
            .as_str()
            .map(str::to_owned)
    };
    incoming
        .answer_json(
            |_, body| key(body).unwrap_or_else(|| "-".to_owned()),
            |site, _, asked| create_upload(site, asked),
        )
        .await
}

/// PUT /presigned/uploads/{id}.
pub(super) async fn take(State(site): Site, Path(id): Path<String>, request: Request) -> Response {
    let operation = &operations::GENESYS_CLOUD_PUT_UPLOAD;
    let (parts, body) = request.into_parts();
    let query = Query::of(parts.uri.query().unwrap_or_default());
    let announced =
        uuid(&id).and_then(|id| Some((id, Announced::of(site.state().public.uploads.get(id)?))));
    let Some((id, announced)) = announced else {
        endpoint::drain(body).await;
        let work = async {
            Ok(store::refusal(
                403,
                "SignatureDoesNotMatch",
                "the signature does not fit the address",
            )
            .reply())
        };
        return endpoint::serve(&*site, operation, "-", 0, None, work).await;
    };
    let checked = site
        .check_presigned(KIND, id, &query)
        .and_then(|()| check_headers(&site, &announced.headers, &parts.headers));
    let arrived = match checked {
        Ok(()) => receive_upload(&site, body).await,
        Err(refusal) => {
            endpoint::drain(body).await;
            Err(refusal)
        }
    };
    let bytes_in = arrived.as_ref().map_or(0, |arrived| arrived.whole.bytes);
    let work = async {
        match arrived {
            Ok(arrived) => Ok(keep_upload(&site, id, &announced, arrived).await),
            Err(refusal) => Ok(refusal.reply()),
        }
    };
    endpoint::serve(
        &*site,
        operation,
        &announced.file_name,
        bytes_in,
        None,
        work,
    )
    .await
}

/// UploadUrlRequest of the API description.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct UploadRequest {
    file_name: Option<String>,
    /// Base64 of the MD5's bytes.
    content_md5: Option<String>,
    signed_url_timeout_seconds: Option<i64>,
    content_type: Option<String>,
    server_side_encryption: Option<String>,
}

/// What an upload was announced with: its bytes are held against it.
struct Announced {
    file_name: String,
    headers: Vec<(&'static str, String)>,
    md5: Option<[u8; 16]>,
}

impl Announced {
    fn of(upload: &Upload) -> Announced {
        Announced {
            file_name: upload.file_name.clone(),
            headers: upload.headers.clone(),
            md5: upload.md5,
        }
    }
}

/// Bytes that arrived.
struct Arrived {
    whole: Gathered,
    md5: [u8; 16],
}

fn create_upload(site: &GenesysCloud, asked: UploadRequest) -> Result<Reply, ApiError> {
    let name = asked.file_name.ok_or_else(|| {
        ApiError::new(400, "bad.request", "fileName is missing").field("fileName")
    })?;
    if !is_file_name(&name) {
        site.mark(&rules::UPLOAD_NAME);
        return Err(ApiError::invalid_value("fileName", "fileName", &name));
    }
    let md5 = asked.content_md5.as_deref().map(digest).transpose()?;
    let life_s = upload_life(site, asked.signed_url_timeout_seconds)?;
    if let Some(other) = asked
        .server_side_encryption
        .as_deref()
        .filter(|asked| *asked != "AES256")
    {
        return Err(ApiError::invalid_value(
            "serverSideEncryption",
            "serverSideEncryption",
            other,
        ));
    }
    if let Some(other) = asked
        .content_type
        .as_deref()
        .filter(|text| text.is_empty() || HeaderValue::from_str(text).is_err())
    {
        return Err(ApiError::invalid_value("contentType", "contentType", other));
    }
    site.mark(&rules::UPLOAD_HEADER_SET);
    let organization = site.organization();
    let headers: Vec<(&'static str, String)> = [
        ("Content-MD5", asked.content_md5),
        ("Content-Type", asked.content_type),
        ("x-amz-server-side-encryption", asked.server_side_encryption),
        (
            "x-amz-tagging",
            Some(format!("organizationId={organization}")),
        ),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect();
    let operation = &operations::GENESYS_CLOUD_CREATE_UPLOAD;
    let mut state = site.state();
    let ordinal = state.ordinals.next_of(operation.name, &name);
    let id = site.made_id(operation, &name, ordinal);
    let key = format!("{organization}/{id}/{name}");
    let announced: Map<String, Value> = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect();
    let answer =
        json!({"url": site.presigned(KIND, id, life_s), "uploadKey": key, "headers": announced});
    state.public.uploads.announce(
        id,
        Upload::announced(name, key, headers, md5, site.now_ms()),
    );
    Ok(Reply::json(200, &answer).effect("created"))
}

fn upload_life(site: &GenesysCloud, asked: Option<i64>) -> Result<u64, ApiError> {
    let Some(asked) = asked else {
        return Ok(LIFE_S);
    };
    match u64::try_from(asked) {
        Ok(life_s) if (1..=LONGEST_LIFE_S).contains(&life_s) => Ok(life_s),
        _ => {
            site.mark(&rules::UPLOAD_LIFE);
            let field = "signedUrlTimeoutSeconds";
            Err(ApiError::invalid_value(field, field, &asked.to_string()))
        }
    }
}

/// Every announced header, with its value, once.
fn check_headers(
    site: &GenesysCloud,
    announced: &[(&'static str, String)],
    sent: &HeaderMap,
) -> Result<(), Refusal> {
    for (name, value) in announced {
        let given = HeaderName::from_bytes(name.as_bytes())
            .ok()
            .map(|name| sent.get_all(name).iter().collect::<Vec<_>>());
        let is_given = given.is_some_and(
            |given| matches!(given.as_slice(), [one] if one.as_bytes() == value.as_bytes()),
        );
        if !is_given {
            site.mark(&rules::UPLOAD_HEADERS);
            let message = format!("the header {name} is not the announced one");
            return Err(store::refusal(403, "SignatureDoesNotMatch", message));
        }
    }
    Ok(())
}

/// Streams a body into the spool.
async fn receive_upload(site: &GenesysCloud, body: Body) -> Result<Arrived, Refusal> {
    let failed = |error: std::io::Error| {
        tracing::error!(%error, "failed to write an upload to the spool; free some space");
        store::refusal(500, "InternalError", "the file could not be stored")
    };
    let (mut gathering, mut hasher) = (site.spool.gather(), Md5::new());
    let mut stream = body.into_data_stream();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk
            .map_err(|_| store::refusal(400, "IncompleteBody", "the body ended before its end"))?;
        hasher.update(&chunk);
        gathering = gathering
            .add(&site.core.clock, &chunk)
            .await
            .map_err(failed)?;
        if gathering.bytes() > site.settings.max_upload_bytes {
            site.mark(&limits::UPLOAD_BYTES.rule);
            endpoint::drain(Body::from_stream(stream)).await;
            return Err(store::refusal(
                400,
                "EntityTooLarge",
                "the file is over the largest that is taken",
            ));
        }
    }
    let whole = gathering.finish().map_err(failed)?;
    request_context::record_file_digest(whole.sha);
    Ok(Arrived {
        whole,
        md5: hasher.finalize().into(),
    })
}

/// Keeps what arrived: unpacks it now, and lets it settle when its time comes.
async fn keep_upload(
    site: &Arc<GenesysCloud>,
    id: Uuid,
    announced: &Announced,
    arrived: Arrived,
) -> Reply {
    if announced.md5.is_some_and(|wanted| wanted != arrived.md5) {
        site.mark(&rules::UPLOAD_MD5);
        let message = "The Content-MD5 you specified did not match what we received.";
        return store::refusal(site.settings.public.wrong_md5_status, "BadDigest", message).reply();
    }
    let Arrived { whole, md5 } = arrived;
    let (organisation, most) = (Arc::clone(site), site.settings.max_upload_bytes);
    let unpacked = site
        .core
        .clock
        .blocking(move || package::unpack(whole, &organisation.spool, most))
        .await;
    let unpacked = unpacked.unwrap_or_else(|| Err("the file could not be unpacked".to_owned()));
    upload_arrived(site, id, &announced.file_name, unpacked);
    Reply::empty(200)
        .with_header(http::header::ETAG, format!("\"{}\"", hex::encode(md5)))
        .effect("stored")
}

fn upload_arrived(
    site: &GenesysCloud,
    id: Uuid,
    file_name: &str,
    mut unpacked: Result<Unpacked, String>,
) {
    [
        &rules::UPLOAD_PACKAGE,
        &rules::UPLOAD_ENTRIES,
        &rules::UPLOAD_METADATA,
        &rules::UPLOAD_NOT_PROBED,
        &rules::UPLOAD_PROCESSING,
    ]
    .into_iter()
    .for_each(|rule| site.mark(rule));
    let operation = &operations::GENESYS_CLOUD_PROCESS_UPLOAD;
    let faults = &site.core.faults;
    let decision = faults.decide(operation, file_name, faults.attempt(operation, file_name));
    let mut stuck_ms = 0;
    match decision {
        Some(fault) if fault.kind == FaultKind::UploadFailed => {
            unpacked = Err("the recording could not be processed".to_owned())
        }
        Some(fault) if fault.kind == FaultKind::UploadStuck => stuck_ms = fault.ms.unwrap_or(1_000),
        _ => {}
    }
    let mut state = site.state();
    site.take_upload(&mut state, id, unpacked, stuck_ms);
}

fn is_file_name(name: &str) -> bool {
    let has_forbidden = name
        .chars()
        .any(|one| one.is_whitespace() || one.is_control() || FORBIDDEN.contains(one));
    !name.is_empty() && !name.starts_with('.') && !name.ends_with('/') && !has_forbidden
}

fn digest(text: &str) -> Result<[u8; 16], ApiError> {
    let bytes = STANDARD
        .decode(text)
        .ok()
        .and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
    bytes.ok_or_else(|| ApiError::invalid_value("contentMd5", "contentMd5", text))
}
