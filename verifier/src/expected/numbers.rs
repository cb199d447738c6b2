//! Phone numbers under the plan's rule. Numbers never appear in a finding except masked.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::PhoneRule;
use crate::text::Text;

/// A number after the rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Protected {
    /// As it must stand in the target.
    As(Text),
    /// The rule cannot be applied: not a number of the E.164 plan.
    Cannot,
}

pub(super) fn protect(number: &str, rule: &PhoneRule) -> Protected {
    if hidden_already(number) {
        return Protected::As(number.into());
    }
    match rule {
        PhoneRule::Keep => Protected::As(number.into()),
        PhoneRule::Mask => Protected::As(masked(number).into()),
        PhoneRule::Hash(key) => match e164(number) {
            Some(number) => Protected::As(keyed_hash(&number, key).into()),
            None => Protected::Cannot,
        },
    }
}

/// Some digits are stars, and what is left between them dials nobody: seven digits in a row are a
/// number, whatever stands before them.
fn hidden_already(number: &str) -> bool {
    let (mut run, mut longest) = (0, 0);
    for c in number.chars() {
        run = if c.is_ascii_digit() { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    number.contains('*') && longest < 7
}

/// Every digit but the last four as `*`; other characters stay. `+*******0199`.
pub(crate) fn masked(number: &str) -> String {
    let mut to_hide = number
        .chars()
        .filter(char::is_ascii_digit)
        .count()
        .saturating_sub(4);
    let hide = |c: char| {
        if c.is_ascii_digit() && to_hide > 0 {
            to_hide -= 1;
            return '*';
        }
        c
    };
    number.chars().map(hide).collect()
}

/// What makes two spellings of a number one number: `tel:` and `sip:` prefixes, hosts, spaces,
/// dots, dashes and brackets do not count.
pub(crate) fn digits(number: &str) -> String {
    digits_of(number).collect()
}

/// The same, one by one.
pub(crate) fn digits_of(number: &str) -> impl Iterator<Item = char> {
    let bare = number.trim();
    let bare = bare
        .strip_prefix("tel:")
        .or_else(|| bare.strip_prefix("sip:"))
        .unwrap_or(bare);
    let bare = bare.split(['@', ';']).next().unwrap_or(bare);
    bare.chars()
        .filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')' | '/' | '\u{a0}'))
}

/// `+` and 7 to 15 digits, or nothing: an extension or a word is not a number of the plan.
fn e164(number: &str) -> Option<String> {
    let bare = digits(number);
    let tail = bare.strip_prefix('+')?;
    ((7..=15).contains(&tail.len()) && tail.bytes().all(|byte| byte.is_ascii_digit()))
        .then_some(bare.clone())
}

fn keyed_hash(number: &str, key: &[u8]) -> String {
    let mut mac =
        <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(number.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_the_rule() {
        let hash = PhoneRule::Hash(b"key".to_vec());
        let rows = [
            (PhoneRule::Keep, "+15550100199", "+15550100199"),
            (PhoneRule::Mask, "+15550100199", "+*******0199"),
            (PhoneRule::Mask, "+1555****177", "+1555****177"),
            (PhoneRule::Mask, "4711", "4711"),
            (PhoneRule::Mask, "*67+15550100199", "***+*******0199"),
            (PhoneRule::Mask, "+44 (20) 7946-0018", "+** (**) ****-0018"),
            (hash.clone(), "+1555****177", "+1555****177"),
        ];
        for (rule, number, wanted) in rows {
            assert_eq!(
                protect(number, &rule),
                Protected::As(wanted.into()),
                "{number}"
            );
        }
        assert_eq!(protect("anonymous", &hash), Protected::Cannot);
    }

    #[test]
    fn a_hash_is_over_the_number_and_not_over_its_spelling() {
        let rule = PhoneRule::Hash(b"key".to_vec());
        assert_eq!(
            protect("+15550100199", &rule),
            protect("+1 (555) 010-0199", &rule)
        );
        // printf '+15550100199' | openssl dgst -sha256 -hmac key
        assert_eq!(
            protect("+15550100199", &rule),
            Protected::As(
                "58d5aa7653178b5c0e389f2f412ec0677f8fec07941157ef8b124b30eca2a1b4".into()
            )
        );
    }

    #[test]
    fn a_prefix_is_not_another_number() {
        for spelling in [
            "tel:+15550100199",
            "sip:+15550100199@sbc.example;user=phone",
            "+1 555-010.0199",
            "+15550100199",
        ] {
            assert_eq!(digits(spelling), "+15550100199", "{spelling}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_masked_number_shows_four_digits_at_most(number in "[+0-9 ()*-]{0,24}") {
            let masked = masked(&number);
            proptest::prop_assert!(masked.chars().filter(char::is_ascii_digit).count() <= 4);
            proptest::prop_assert_eq!(masked.chars().count(), number.chars().count());
        }
    }
}
