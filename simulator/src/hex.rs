//! Bytes as hexadecimal digits, and back.

/// Bytes as lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]).map(char::from).collect()
}

/// Reads 64 hexadecimal digits.
pub(crate) fn decode_sha256(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    let mut sha = [0; 32];
    let digit = |at: usize| char::from(*digits.get(at)?).to_digit(16);
    for (at, byte) in sha.iter_mut().enumerate() {
        *byte = u8::try_from(digit(2 * at)? * 16 + digit(2 * at + 1)?).ok()?;
    }
    (digits.len() == 64).then_some(sha)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_read_from_its_digits() {
        let text = "00ff".repeat(16);
        let sha = decode_sha256(&text).expect("a hash");
        assert_eq!((sha[0], sha[1], sha[31]), (0, 255, 255));
        assert_eq!(decode_sha256(&text[2..]), None);
        assert_eq!(decode_sha256(&"g".repeat(64)), None);
    }
}
