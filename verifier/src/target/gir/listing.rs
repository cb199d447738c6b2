//! Files in the migration's folder.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use platforms::gir::WebDavClient;
use serde::{Deserialize, Serialize};
use url::Url;

use super::reach::Reach;
use crate::run_error::RunError;
use crate::sorted_records::{RecordSorter, SortedRecords, text_key};
use crate::utc_millis::UtcMillis;

/// Folders within folders that are looked into; the migration makes one of days within its own.
const DEEPEST: usize = 8;

/// Folders that are looked into at most: the migration makes one a day, and a century has fewer
/// days.
const MOST_FOLDERS: usize = 40_000;

/// A file that lies there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Lying {
    /// Bytes. Absent: not told.
    pub(super) bytes: Option<u64>,
    /// When it was written. Absent: not told.
    pub(super) written: Option<UtcMillis>,
}

/// The same with its path below the store's root, decoded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Listed {
    pub(super) path: String,
    pub(super) lying: Lying,
}

impl Listed {
    /// When a copy was written says nothing about when the file was.
    pub(super) fn of_size(path: String, bytes: u64) -> Listed {
        Listed {
            path,
            lying: Lying {
                bytes: Some(bytes),
                written: None,
            },
        }
    }
}

/// Files by their paths.
#[derive(Debug, Clone)]
pub(super) enum Listing {
    /// All of them; of one that is listed twice the last counts.
    Read(Arc<SortedRecords<Listed>>),
    /// Could not be read; what would be needed.
    Unread(String),
}

/// Files by their paths below the store's root.
pub(super) fn place_key(path: &str) -> Vec<u8> {
    let mut key = Vec::new();
    text_key(path, &mut key);
    key
}

/// Path of an address below a store's root, decoded, without slashes at its ends; `None`: it does
/// not lie there.
pub(super) fn below(root: &Url, address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    let is_plain = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    let is_here = url.scheme() == root.scheme()
        && url.host() == root.host()
        && url.port_or_known_default() == root.port_or_known_default();
    if is_plain && is_here {
        below_path(root, &decoded(url.path()))
    } else {
        None
    }
}

/// The same of a path that is decoded already.
pub(super) fn below_path(root: &Url, path: &str) -> Option<String> {
    let root = decoded(root.path());
    let rest = path
        .strip_prefix(root.trim_end_matches('/'))?
        .strip_prefix('/')?
        .trim_end_matches('/');
    let is_step = |step: &str| !matches!(step, "" | "." | "..") && !step.contains(['\\', '\0']);
    (rest.split('/').all(is_step)).then(|| rest.to_owned())
}

/// A path with its percent codes resolved.
pub(super) fn decoded(path: &str) -> String {
    percent_encoding::percent_decode_str(path)
        .decode_utf8_lossy()
        .into_owned()
}

/// Walks a folder of the store, level by level. `spill`: where room is for what does not fit in
/// memory.
pub(super) async fn walk(
    client: &WebDavClient,
    reach: &Reach,
    root: &Url,
    (folder, spill): (&str, &Path),
    concurrency: usize,
) -> Result<Listing, RunError> {
    let (mut files, mut level) = (RecordSorter::of_small(spill), vec![folder.to_owned()]);
    let mut known = BTreeSet::from([folder.to_owned()]);
    for _ in 0..DEEPEST {
        let mut lists = stream::iter(std::mem::take(&mut level))
            .map(|folder| list(client, reach, folder))
            .buffered(concurrency.max(1));
        while let Some(entries) = lists.next().await {
            let entries = match entries? {
                Ok(entries) => entries,
                Err(need) => return Ok(Listing::Unread(need)),
            };
            for entry in entries {
                let Some(path) = below_path(root, &entry.path) else {
                    continue;
                };
                if !entry.is_collection {
                    let lying = Lying {
                        bytes: entry.length,
                        written: entry.modified.as_deref().and_then(http_date),
                    };
                    files.push(&place_key(&path), &Listed { path, lying })?;
                } else if known.insert(path.clone()) {
                    level.push(path);
                }
                if known.len() > MOST_FOLDERS {
                    return Ok(Listing::Unread(format!(
                        "a store with no more than {MOST_FOLDERS} folders in {folder}"
                    )));
                }
            }
        }
        if level.is_empty() {
            return Ok(Listing::Read(Arc::new(files.sorted()?)));
        }
    }
    Ok(Listing::Unread(format!(
        "a store whose folder {folder} is not deeper than {DEEPEST} levels"
    )))
}

/// A folder's entries; none where there is no such folder. The inner error says what would be
/// needed.
async fn list(
    client: &WebDavClient,
    reach: &Reach,
    folder: String,
) -> Result<Result<Vec<platforms::gir::Entry>, String>, RunError> {
    let steps: Vec<&str> = folder.split('/').collect();
    let read = async { client.list(&client.url(&steps)?).await };
    match read.await {
        Ok(entries) => Ok(Ok(entries.unwrap_or_default())),
        Err(error) => Ok(Err(reach.need_of(
            "webdav.list",
            "list the WebDAV store",
            &error,
        )?)),
    }
}

/// `Fri, 27 Oct 2023 10:00:00 GMT`. Source: RFC 9110 section 5.6.7; RFC 4918 section 15.7.
fn http_date(text: &str) -> Option<UtcMillis> {
    jiff::fmt::rfc2822::parse(text)
        .ok()
        .map(|at| UtcMillis::from(at.timestamp()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_lies_below_the_root_or_not_in_the_store() {
        let root = Url::parse("https://store.test/recordings/").expect("a URL");
        for (address, wanted) in [
            (
                "https://store.test/recordings/st-acme/2023-10-27/a%20b.mp3",
                Some("st-acme/2023-10-27/a b.mp3"),
            ),
            ("https://store.test:443/recordings/a.mp3", Some("a.mp3")),
            ("https://store.test/recordings-of-others/a.mp3", None),
            ("https://store.test/recordings/..%2fa.mp3", None),
            ("https://store.test/recordings", None),
            ("http://store.test/recordings/a.mp3", None),
            ("https://store.test/recordings/a.mp3?x", None),
            ("https://me@store.test/recordings/a.mp3", None),
            ("recordings/a.mp3", None),
        ] {
            assert_eq!(below(&root, address).as_deref(), wanted, "{address}");
        }
    }

    #[test]
    fn a_servers_date_is_an_instant() {
        assert_eq!(
            http_date("Fri, 27 Oct 2023 10:00:00 GMT"),
            Some(UtcMillis::from_ms(1_698_400_800_000))
        );
        assert_eq!(http_date("yesterday"), None);
    }
}
