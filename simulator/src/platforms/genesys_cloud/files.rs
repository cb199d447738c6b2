//! `POST /api/v2/files`: one multipart upload, hashed while it is spooled, in constant memory.
//! Whatever is wrong with it, nothing of it is kept.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use axum::{
    body::Body,
    extract::{Request, State},
    response::Response,
};
use bytes::Bytes;
use futures_util::StreamExt as _;
use http::{
    HeaderMap,
    header::{CONTENT_LENGTH, CONTENT_TYPE},
};
use multer::{Field, Multipart};
use serde_json::json;

use super::{
    GenesysCloud, Site, auth::Bucket, endpoint, errors::ApiError, limits, rules, spool::Gathered,
    stores::StoredFile,
};
use crate::{http::reply::Reply, http::request_context, operations};

/// Longest `name` or `overwrite` field, in bytes; more than any file system's name.
const FIELD_BYTES: usize = 1024;
/// Room for the part headers and small fields beside the file, in bytes, when a length is
/// announced.
const ENVELOPE_BYTES: u64 = 16 * 1024;

/// What arrived, as far as it arrived.
#[derive(Default)]
struct Incoming {
    name: Option<String>,
    file_name: Option<String>,
    overwrite: Option<bool>,
    file: Option<Spooled>,
}

/// A file as it came.
struct Spooled {
    whole: Gathered,
    content_type: String,
}

/// POST /api/v2/files.
pub(super) async fn upload(State(site): Site, request: Request) -> Response {
    let operation = &operations::GENESYS_CLOUD_UPLOAD_FILE;
    let (parts, body) = request.into_parts();
    let (rate, pass) = site.admit(operation, &parts.headers, Bucket::Uploads);
    if let Err(error) = pass {
        endpoint::drain(body).await;
        return endpoint::reject(&*site, operation, "-", rate, error).await;
    }
    let read = Arc::new(AtomicU64::new(0));
    let mut incoming = Incoming::default();
    let received = receive(
        &site,
        &mut incoming,
        &parts.headers,
        body,
        Arc::clone(&read),
    )
    .await;
    let key = incoming
        .name
        .as_ref()
        .or(incoming.file_name.as_ref())
        .cloned()
        .unwrap_or_else(|| "-".to_owned());
    let work = async {
        received.inspect_err(|_| site.mark(&rules::UPLOAD_WHOLE))?;
        keep(&site, incoming)
    };
    endpoint::serve(
        &*site,
        operation,
        &key,
        read.load(Ordering::Relaxed),
        rate,
        work,
    )
    .await
}

/// A body that is small by nature, such as a token request; empty when it is not, or was cut.
pub(super) async fn small_body(body: Body) -> Bytes {
    axum::body::to_bytes(body, ENVELOPE_BYTES as usize)
        .await
        .unwrap_or_default()
}

async fn receive(
    site: &GenesysCloud,
    incoming: &mut Incoming,
    headers: &HeaderMap,
    body: Body,
    read: Arc<AtomicU64>,
) -> Result<(), ApiError> {
    if !endpoint::content_type(headers).eq_ignore_ascii_case("multipart/form-data") {
        site.mark(&rules::CONTENT_TYPE);
        endpoint::drain(body).await;
        return Err(ApiError::unsupported_media("multipart/form-data"));
    }
    let limit = site.settings.max_upload_bytes;
    if announced(headers).is_some_and(|length| length > limit.saturating_add(ENVELOPE_BYTES)) {
        endpoint::drain(body).await;
        return Err(upload_too_large(site));
    }
    let whole = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let boundary = match multer::parse_boundary(whole) {
        Ok(boundary) => boundary,
        Err(error) => {
            endpoint::drain(body).await;
            return Err(malformed(&error));
        }
    };
    let stream = body.into_data_stream().inspect(move |chunk| {
        let length = chunk.as_ref().map_or(0, Bytes::len) as u64;
        read.fetch_add(length, Ordering::Relaxed);
    });
    let mut multipart = Multipart::new(stream, boundary);
    while let Some(field) = multipart
        .next_field()
        .await
        .map_err(|error| malformed(&error))?
    {
        take(site, incoming, field).await?;
    }
    Ok(())
}

async fn take(
    site: &GenesysCloud,
    incoming: &mut Incoming,
    field: Field<'_>,
) -> Result<(), ApiError> {
    match field.name().unwrap_or_default() {
        "file" if incoming.file.is_none() => {
            incoming.file_name = field.file_name().map(str::to_owned);
            incoming.file = Some(spool_field(site, field).await?);
        }
        "name" if incoming.name.is_none() => {
            incoming.name = Some(file_name(small_field(field, "name").await?)?)
        }
        "overwrite" if incoming.overwrite.is_none() => {
            let text = small_field(field, "overwrite").await?;
            let flag = text
                .parse()
                .map_err(|_| ApiError::invalid_value("overwrite", "boolean", &text))?;
            incoming.overwrite = Some(flag);
        }
        name @ ("file" | "name" | "overwrite") => {
            let message = format!("the part [{name}] is given twice");
            return Err(ApiError::new(400, "bad.request", message).field(name));
        }
        other => {
            let message = format!("the part [{other}] is unknown; send file, name and overwrite");
            return Err(ApiError::new(400, "bad.request", message).field(other));
        }
    }
    Ok(())
}

async fn spool_field(site: &GenesysCloud, mut field: Field<'_>) -> Result<Spooled, ApiError> {
    let content_type = field.content_type().map_or_else(
        || "application/octet-stream".to_owned(),
        ToString::to_string,
    );
    let mut gathering = site.spool.gather();
    while let Some(chunk) = field.chunk().await.map_err(|error| malformed(&error))? {
        gathering = gathering
            .add(&site.core.clock, &chunk)
            .await
            .map_err(store_failed)?;
        if gathering.bytes() > site.settings.max_upload_bytes {
            return Err(upload_too_large(site));
        }
    }
    let whole = gathering.finish().map_err(store_failed)?;
    request_context::record_file_digest(whole.sha);
    Ok(Spooled {
        whole,
        content_type,
    })
}

fn upload_too_large(site: &GenesysCloud) -> ApiError {
    site.mark(&limits::UPLOAD_BYTES.rule);
    ApiError::too_large(site.settings.max_upload_bytes)
}

/// Keeps a whole upload: under a new id, or in the place of the file of that name.
fn keep(site: &GenesysCloud, incoming: Incoming) -> Result<Reply, ApiError> {
    let name = incoming.name.ok_or_else(|| missing("name"))?;
    let Spooled {
        whole,
        content_type,
    } = incoming.file.ok_or_else(|| missing("file"))?;
    let mut state = site.state();
    let existing = state.files.id_of(&name);
    if let Some(id) = existing {
        if incoming.overwrite != Some(true) {
            site.mark(&rules::UPLOAD_NO_OVERWRITE);
            let message = "a file of this name exists; send overwrite=true to replace it";
            return Err(ApiError::new(409, "request.conflict", message).entity(id));
        }
        site.mark(&rules::UPLOAD_SAME_NAME);
    }
    let id =
        existing.unwrap_or_else(|| site.made_id(&operations::GENESYS_CLOUD_UPLOAD_FILE, &name, 0));
    let answer =
        json!({"id": id, "name": name, "sizeBytes": whole.bytes, "contentType": content_type});
    let file = StoredFile {
        name,
        content_type,
        bytes: whole.bytes,
        sha256: whole.sha256(),
    };
    site.spool.keep(whole).map_err(store_failed)?;
    state.files.put_by_name(id, file);
    Ok(Reply::json(200, &answer).effect(if existing.is_some() {
        "replaced"
    } else {
        "created"
    }))
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

async fn small_field(mut field: Field<'_>, name: &str) -> Result<String, ApiError> {
    let mut text = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(|error| malformed(&error))? {
        text.extend_from_slice(&chunk);
        if text.len() > FIELD_BYTES {
            return Err(ApiError::new(
                400,
                "bad.request",
                format!("the part [{name}] is over {FIELD_BYTES} bytes"),
            )
            .field(name));
        }
    }
    String::from_utf8(text).map_err(|_| {
        ApiError::new(
            400,
            "bad.request",
            format!("the part [{name}] is not UTF-8"),
        )
        .field(name)
    })
}

fn file_name(name: String) -> Result<String, ApiError> {
    let is_plain =
        !name.is_empty() && !name.contains(['/', '\\']) && !name.chars().any(char::is_control);
    if is_plain {
        Ok(name)
    } else {
        Err(ApiError::invalid_value("name", "fileName", &name))
    }
}

fn missing(part: &str) -> ApiError {
    ApiError::new(400, "bad.request", format!("the part [{part}] is missing")).field(part)
}

fn malformed(error: &multer::Error) -> ApiError {
    ApiError::new(
        400,
        "bad.request",
        format!("the multipart body is not whole: {error}"),
    )
}

fn store_failed(error: std::io::Error) -> ApiError {
    tracing::error!(%error, "failed to write an upload to the spool; free some space");
    ApiError::new(500, "internal.server.error", "the file could not be stored")
}
