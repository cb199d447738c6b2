//! Names what is not audio. Error pages and sealed files stored as recordings are the commonest
//! surprise of a migration.

/// How much is looked at; enough for any statistics, and cheap on a gigabyte.
const LOOK_BYTES: usize = 64 * 1024;

/// How much of a trailer is looked at to tell text from sound.
pub(crate) const TEXT_BYTES: usize = 4096;

/// Whether the bytes are text of some kind, such as notes behind the sound of a file.
pub(crate) fn is_text(bytes: &[u8]) -> bool {
    !bytes.is_empty() && text(bytes).is_some()
}

/// What bytes that no decoder claims look like. Never fails; the last resort is `unknown binary`.
pub(crate) fn looks_like(bytes: &[u8]) -> &'static str {
    let head = &bytes[..bytes.len().min(LOOK_BYTES)];
    known_start(head)
        .or_else(|| text(head))
        .unwrap_or_else(|| binary(head))
}

fn known_start(head: &[u8]) -> Option<&'static str> {
    // The object identifier of CMS content (1.2.840.113549.1.7), which stands within the first
    // bytes of a sealed file.
    const CMS: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07];
    let starts: [(&[u8], &str); 9] = [
        (b"PK\x03\x04", "zip"),
        (b"PK\x05\x06", "zip"),
        (b"\x1f\x8b", "gzip"),
        (b"%PDF", "pdf"),
        (b"\x89PNG", "image"),
        (b"\xff\xd8\xff", "image"),
        (b"GIF8", "image"),
        (b"-----BEGIN PKCS7", "pkcs7"),
        (b"-----BEGIN CMS", "pkcs7"),
    ];
    let by_start = starts
        .into_iter()
        .find_map(|(start, name)| head.starts_with(start).then_some(name));
    let sealed = head.first() == Some(&0x30) && head.iter().take(24).count() > CMS.len() && {
        let first = &head[..head.len().min(24)];
        first.windows(CMS.len()).any(|window| window == CMS)
    };
    by_start.or(sealed.then_some("pkcs7"))
}

/// Text of some kind: at least 19 of 20 characters printable, and no zero bytes.
fn text(head: &[u8]) -> Option<&'static str> {
    let printable = |byte: &&u8| matches!(byte, b'\t' | b'\n' | b'\r' | 0x20..=0x7E);
    let plain = head.iter().filter(printable).count();
    let letters = match std::str::from_utf8(head) {
        Ok(_) => head.iter().filter(|&&byte| byte >= 0x80).count(),
        // The look may end inside a character.
        Err(error) if error.valid_up_to() + 4 > head.len() => {
            head.iter().filter(|&&byte| byte >= 0x80).count()
        }
        Err(_) => 0,
    };
    if head.contains(&0) || (plain + letters) * 20 < head.len() * 19 {
        return None;
    }
    let lossy = String::from_utf8_lossy(&head[..head.len().min(1024)]).to_lowercase();
    let start = lossy.trim_start_matches('\u{feff}').trim_start();
    Some(match start {
        _ if start.starts_with("<!doctype html")
            || start.starts_with("<html")
            || start.contains("<html") =>
        {
            "html"
        }
        _ if start.starts_with('<') => "xml",
        _ if start.starts_with('{') || start.starts_with('[') => "json",
        _ => "text",
    })
}

fn binary(head: &[u8]) -> &'static str {
    if head.iter().all(|&byte| byte == 0) {
        "zero bytes"
    } else if is_random(head) {
        "encrypted or random bytes"
    } else {
        "unknown binary"
    }
}

/// As few equal pairs of bytes as chance gives: one in 256. Unlike entropy this needs no correction
/// for short input. Compressed audio with its frame headers has more; under 64 bytes nothing can be
/// said.
fn is_random(head: &[u8]) -> bool {
    if head.len() < 64 {
        return false;
    }
    let mut seen = [0u64; 256];
    head.iter().for_each(|&byte| seen[usize::from(byte)] += 1);
    let pairs = |count: u64| (count * count.saturating_sub(1)) as f64 / 2.0;
    let equal: f64 = seen.iter().map(|&count| pairs(count)).sum();
    let by_chance = pairs(head.len() as u64) / 256.0;
    // A twentieth for ciphers with a short plain header, and four standard deviations of chance.
    equal < by_chance * 1.05 + 4.0 * by_chance.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], expected: &str) {
        assert_eq!(
            looks_like(bytes),
            expected,
            "{:?}",
            String::from_utf8_lossy(bytes)
        );
    }

    #[test]
    fn error_pages_and_archives_are_named() {
        check(b"<!DOCTYPE html><p>Gateway Timeout", "html");
        check(b"\xef\xbb\xbf \r\n<HTML><body>Sign in</body>", "html");
        check(br#"{"code":"not.found","status":404}"#, "json");
        check(b"[]", "json");
        check(
            b"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>",
            "xml",
        );
        check("Aufnahme gelöscht – siehe Archiv".as_bytes(), "text");
        check(b"PK\x03\x04\x14\0\0\0", "zip");
        check(
            b"\x30\x82\x01\x00\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03\xa0",
            "pkcs7",
        );
        check(&[0; 500], "zero bytes");
        check(&[1, 2, 3], "unknown binary");
    }

    #[test]
    fn random_bytes_of_any_length_are_told_from_structure() {
        let mut state = 1u64;
        let random: Vec<u8> = std::iter::repeat_with(|| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        })
        .take(100_000)
        .collect();
        for length in [64, 100, 256, 500, 1000, 1024, 4096, 100_000] {
            check(&random[..length], "encrypted or random bytes");
        }
        let structured: Vec<u8> = (0..4096u32)
            .map(|index| (index / 40) as u8 & 0x8f)
            .collect();
        check(&structured, "unknown binary");
    }
}
