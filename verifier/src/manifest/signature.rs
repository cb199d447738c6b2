//! Who signed a file: a detached signature of minisign beside it. Source:
//! <https://jedisct1.github.io/minisign/> (grade: documented).

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minisign_verify::{Error, PublicKey, Signature};
use sha2::{Digest, Sha256};

use crate::run_error::RunError;

/// A key has 100 bytes, a signature 400 and its comments.
const MOST_BYTES: u64 = 16 << 10;
/// Bytes read at a time.
const PIECE_BYTES: usize = 256 << 10;

/// A file whose signature holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Signed {
    /// As minisign shows it: 16 hexadecimal digits.
    pub(super) key_id: String,
    /// What the signer wrote beside it, which is signed too.
    pub(super) trusted_comment: String,
    /// Of the file, hex: what is read of it later must have the same.
    pub(super) sha256: String,
}

/// Checks the signature of a file. `key`: a public key as minisign prints it, or a file of one.
///
/// # Errors
///
/// The key is none, there is no signature, it is of another key or of another file
/// ([`RunError::Plan`]).
pub(super) fn check(file: &Path, key: &str) -> Result<Signed, RunError> {
    let (key, key_id) = public_key(key)?;
    let beside = beside(file);
    let signature = signature(file, &beside)?;
    let refused = |error: &Error| RunError::Plan(refusal(file, &beside, &key_id, error));
    let mut verifier = key
        .verify_stream(&signature)
        .map_err(|error| refused(&error))?;
    let unreadable =
        |error: std::io::Error| RunError::Plan(format!("cannot read {}: {error}", file.display()));
    let mut reader = File::open(file).map_err(unreadable)?;
    let mut hash = Sha256::new();
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let read = reader.read(&mut piece).map_err(unreadable)?;
        if read == 0 {
            break;
        }
        verifier.update(&piece[..read]);
        hash.update(&piece[..read]);
    }
    verifier.finalize().map_err(|error| refused(&error))?;
    Ok(Signed {
        key_id,
        trusted_comment: signature.trusted_comment().to_owned(),
        sha256: hex::encode(hash.finalize()),
    })
}

/// `FILE.minisig`.
fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".minisig");
    name.into()
}

fn how_to_sign(file: &Path) -> String {
    format!(
        "who exported it signs it with `minisign -Sm {}` and hands over both files",
        file.display()
    )
}

fn signature(file: &Path, beside: &Path) -> Result<Signature, RunError> {
    if !file.exists() {
        return Err(RunError::Plan(format!(
            "cannot read {}: there is no such file",
            file.display()
        )));
    }
    let text = short(beside).map_err(|why| {
        RunError::Plan(format!(
            "the manifest {} is not signed: cannot read {}: {why}; {}",
            file.display(),
            beside.display(),
            how_to_sign(file)
        ))
    })?;
    Signature::decode(&text).map_err(|error| {
        RunError::Plan(format!(
            "{} is no signature of minisign ({error}); {}",
            beside.display(),
            how_to_sign(file)
        ))
    })
}

fn refusal(file: &Path, beside: &Path, key_id: &str, error: &Error) -> String {
    let (file_name, beside) = (file.display(), beside.display());
    match error {
        Error::UnexpectedKeyId => format!(
            "{beside} was made with another key than {key_id}, which --manifest-key names; ask who \
             exported the manifest for the key, by another way than the file"
        ),
        Error::UnsupportedLegacyMode => format!(
            "{beside} is in minisign's old form; {} (minisign 0.10 or later)",
            how_to_sign(file)
        ),
        Error::InvalidSignature => format!(
            "the signature {beside} does not hold: {file_name} or its trusted comment was changed \
             after it was signed; ask who exported it for the file as it was"
        ),
        other => format!("the signature {beside} does not hold: {other}"),
    }
}

/// A public key, and its id.
fn public_key(text: &str) -> Result<(PublicKey, String), RunError> {
    let path = Path::new(text);
    // A text that is no file may be a secret key, by mistake: it is not shown.
    let what = match path.is_file() {
        true => format!(" {text}"),
        false => String::new(),
    };
    let wrong = |why: &str| {
        RunError::Plan(format!(
            "--manifest-key{what}: {why}; it takes a public key of minisign, or the file of one \
             (minisign.pub)"
        ))
    };
    let content = match path.is_file() {
        true => short(path).map_err(|why| wrong(&why))?,
        false => text.to_owned(),
    };
    // A file has a comment in front of the key.
    let encoded = content
        .lines()
        .map(str::trim)
        .rfind(|line| !line.is_empty())
        .unwrap_or_default();
    let key = PublicKey::from_base64(encoded)
        .map_err(|_| wrong("is neither a public key nor a file that can be read"))?;
    let bytes = STANDARD.decode(encoded).unwrap_or_default();
    let id: String = bytes[2..10]
        .iter()
        .rev()
        .map(|byte| format!("{byte:02X}"))
        .collect();
    Ok((key, id))
}

/// A short text file, or why it cannot be read.
fn short(path: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MOST_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|error| error.to_string())?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(format!("it has more than {} KiB", MOST_BYTES >> 10));
    }
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    // Made by minisign 0.11 (`-G -W`, `-S`); the secret keys are gone.
    const MANIFEST: &str = "legacy_interaction_id,legacy_recording_id\n100001,100001-1\n";
    const KEY: &str = "RWTcnwAFpNsIjmYBYKv3iNI5Rto2A8bQFkUNqf6Nwe40qe53Oi29+LqI";
    const KEY_ID: &str = "8E08DBA405009FDC";
    const OTHER_KEY: &str = "RWRHv49zBxF2eNMbIDODVw8S672wrQ3axPSNDQaNUPxT0fOBu64W+Xdp";
    const SIGNATURE: &str = "untrusted comment: signature from minisign secret key\n\
        RUTcnwAFpNsIjm4k0S1OH0fQyrlDPpYQSMRyHTyhVpy+Gcj0RXc8z5nrQqxvflXmvWh1z/74xyk9PSaLeao4ZwavZdkxzh3+KgM=\n\
        trusted comment: exported 2026-11-30 by the source team\n\
        g1qOw9YJ9ia4zK0QHibWddzCLKKNkkDqozzBLVBMasw78wlQPKf3KTUhop3KmNF2uHnJ7xnM8Dl0o66RjhbHBQ==\n";
    /// By `minisign -S -l`: of the file itself, not of its hash.
    const OLD_FORM: &str = "untrusted comment: signature from minisign secret key\n\
        RWTcnwAFpNsIjifKsNYegooKaZ61P4Fnt8NiRY5Xq5BJJoyJGcPLb05++VfvvBroGrblN7pDKaYRYobr5Y+vU886QZ05inw1xQA=\n\
        trusted comment: legacy\n\
        67FyGcmRigzYLJ7JiKnJbztpCRwF2miFfjha1M0s90MTo/Q8rOoisGb1eE9Hi2AO6D15U8gDVBgDnu9b5dWPAQ==\n";

    fn checked(text: &str, signature: Option<&str>, key: &str) -> Result<Signed, String> {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("manifest.csv");
        std::fs::write(&file, text).expect("written");
        if let Some(signature) = signature {
            std::fs::write(beside(&file), signature).expect("written");
        }
        check(&file, key).map_err(|error| {
            assert_eq!(error.exit_code(), 2);
            error.to_string()
        })
    }

    #[test]
    fn a_signature_that_holds_says_whose_it_is() {
        let signed = checked(MANIFEST, Some(SIGNATURE), KEY).expect("it holds");
        let wanted = Signed {
            key_id: KEY_ID.to_owned(),
            trusted_comment: "exported 2026-11-30 by the source team".to_owned(),
            sha256: hex::encode(Sha256::digest(MANIFEST)),
        };
        assert_eq!(signed, wanted);
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("minisign.pub");
        let text = format!("untrusted comment: minisign public key {KEY_ID}\n{KEY}\n");
        std::fs::write(&file, text).expect("written");
        let file = file.to_str().expect("a path");
        assert_eq!(checked(MANIFEST, Some(SIGNATURE), file), Ok(wanted));
    }

    #[test]
    fn whatever_does_not_hold_is_refused_with_what_to_do() {
        let longer = format!("{MANIFEST}100002,100002-1\n");
        let comment = SIGNATURE.replace("source team", "target team");
        let rows = [
            (MANIFEST, None, KEY, "is not signed: cannot read"),
            (MANIFEST, None, KEY, "minisign -Sm "),
            (
                &longer,
                Some(SIGNATURE),
                KEY,
                "was changed after it was signed",
            ),
            (
                MANIFEST,
                Some(&comment),
                KEY,
                "was changed after it was signed",
            ),
            (
                MANIFEST,
                Some(SIGNATURE),
                OTHER_KEY,
                "was made with another key than 78761107738FBF47",
            ),
            (MANIFEST, Some(OLD_FORM), KEY, "is in minisign's old form"),
            (
                MANIFEST,
                Some("nothing"),
                KEY,
                "is no signature of minisign",
            ),
            (
                MANIFEST,
                Some(SIGNATURE),
                "nothing",
                "is neither a public key nor a file",
            ),
        ];
        for (text, signature, key, wanted) in rows {
            let told = checked(text, signature, key).expect_err(wanted);
            assert!(told.contains(wanted), "{wanted}: {told}");
        }
    }
}
