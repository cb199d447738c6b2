//! What goes out to any target: a recording's converted bytes, as staged.

use std::sync::Arc;

use futures_util::{FutureExt, StreamExt, stream};
use object_store::path::Path;
use platforms::OpenFile;
use sha2::{Digest, Sha256};

use crate::custody::hex;
use crate::ledger::RecordingRow;
use crate::outcome::{Stop, Trouble};
use crate::staging::{Staging, blob_path, out_path};

/// Codec of what was converted.
pub(crate) fn codec_of(row: &RecordingRow) -> Result<audio::Codec, Trouble> {
    let codec = row.out_codec.as_deref().and_then(|name| name.parse().ok());
    codec.ok_or_else(|| Trouble::Left(Stop::Storage(format!("recording {}: its codec is not in the ledger", row.legacy_id))))
}

/// The head of the hash of what goes, as file names in the target carry it. Source: contracts section 9.
pub(crate) fn short_hash(row: &RecordingRow) -> &str {
    let hash = row.out_sha256.as_deref().unwrap_or_default();
    &hash[..12.min(hash.len())]
}

/// Longest name that is taken from the source; beyond it file systems (255 bytes) and the hash and ending behind it leave no room.
const NAME_MOST: usize = 180;

/// A name made of an id of the source: what may not stand in one becomes `_`, and one too long is cut, with a hash of all of it to tell it apart.
pub(crate) fn name_of(id: &str, may_stand: impl Fn(char) -> bool) -> String {
    let name: String = id.chars().map(|c| if may_stand(c) { c } else { '_' }).collect();
    if name.len() <= NAME_MOST {
        return name;
    }
    let end = name.floor_char_boundary(NAME_MOST - 13);
    format!("{}_{}", &name[..end], &hex(Sha256::digest(id))[..12])
}

/// Where what goes is staged, and its length in bytes.
pub(crate) fn staged(row: &RecordingRow) -> Result<(Path, u64), Trouble> {
    let (Some(sha256), Some(length)) = (&row.out_sha256, row.out_bytes) else {
        return Err(Trouble::Left(Stop::Storage(format!("recording {}: nothing was converted", row.legacy_id))));
    };
    Ok((if row.kept { blob_path(sha256) } else { out_path(sha256) }, length))
}

/// How long the sound is that goes. Milliseconds.
pub(crate) fn length_ms(row: &RecordingRow) -> u64 {
    row.out_samples.unwrap_or(0) * 1000 / u64::from(row.out_rate.unwrap_or(8000).max(1))
}

/// Opens what goes, anew for each try; gone from staging is told before anything is sent.
pub(crate) async fn open(staging: &Staging, row: &RecordingRow, path: Path, length: u64) -> Result<OpenFile, Trouble> {
    if row.held.is_none() && !staging.has(&path, length).await? {
        return Err(Trouble::Gone);
    }
    let (staging, held) = (staging.clone(), row.held.clone());
    Ok(Arc::new(move || {
        let (staging, path, held) = (staging.clone(), path.clone(), held.clone());
        async move {
            match held {
                Some(bytes) => Ok(stream::once(async { Ok(bytes) }).boxed()),
                None => staging.stream(&path).await,
            }
        }
        .boxed()
    }))
}

#[cfg(test)]
mod tests {
    use super::name_of;

    #[test]
    fn a_name_holds_what_it_may_and_is_short_enough() {
        let plain = |c: char| c.is_alphanumeric() || c == '-';
        assert_eq!(name_of("5002-1", plain), "5002-1");
        assert_eq!(name_of("a/b;c", plain), "a_b_c");
        let long = |end: &str| name_of(&format!("{}{end}", "\u{e9}".repeat(200)), plain);
        assert!(long("1").len() <= 180 && long("1") != long("2") && long("1") == long("1"));
    }
}
