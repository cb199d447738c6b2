//! What becomes of a phone number on its way. Source: docs/reference/fields.md, Phone numbers.

use hmac::{Hmac, KeyInit, Mac};
use plan::{LoadedPlan, Phones, PlanError, Secret};
use sha2::Sha256;

/// The plan's rule with its key at hand. `Debug` shows no key.
#[derive(Debug, Clone)]
pub(crate) enum PhoneRule {
    Keep,
    Mask,
    Hash(Secret),
}

impl PhoneRule {
    pub(crate) fn of(plan: &LoadedPlan) -> Result<PhoneRule, PlanError> {
        Ok(match &plan.plan.pii.phones {
            Phones::Keep => PhoneRule::Keep,
            Phones::Mask => PhoneRule::Mask,
            Phones::Hash(key) => PhoneRule::Hash(plan.secret(key, "pii.phones.hash")?),
        })
    }

    /// A number that the source masked already stays as it is: there is nothing left to protect,
    /// and a hash of stars says nothing. `None` where a hash is asked for and what stands there is
    /// no E.164 number: it can neither be hashed nor sent.
    pub(crate) fn apply(&self, number: &str) -> Option<String> {
        if is_masked(number) {
            return Some(number.to_owned());
        }
        match self {
            PhoneRule::Keep => Some(number.to_owned()),
            PhoneRule::Mask => Some(mask(number)),
            PhoneRule::Hash(key) => Some(hash(&e164(number)?, key)),
        }
    }
}

/// Stars for digits, and no seven digits in a row left between them: `*67+15550100199` is a service
/// code before a raw number.
fn is_masked(number: &str) -> bool {
    number.contains('*')
        && number
            .split(|c: char| !c.is_ascii_digit())
            .all(|run| run.len() < 7)
}

/// `+` and 7 to 15 digits, whatever spelling and prefix stand around them.
fn e164(number: &str) -> Option<String> {
    let bare = number
        .trim()
        .trim_start_matches("tel:")
        .trim_start_matches("sip:");
    let bare = bare
        .split(['@', ';'])
        .next()?
        .replace([' ', '-', '.', '(', ')', '/', '\u{a0}'], "");
    let digits = bare.strip_prefix('+')?;
    ((7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| bare.clone())
}

fn mask(number: &str) -> String {
    let digits = number.chars().filter(char::is_ascii_digit).count();
    let mut seen = 0;
    let star = |c: char| {
        if !c.is_ascii_digit() {
            return c;
        }
        seen += 1;
        if seen + 4 > digits { c } else { '*' }
    };
    number.chars().map(star).collect()
}

fn hash(number: &str, key: &Secret) -> String {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose_the_secret().as_bytes())
        .expect("a key of any length");
    mac.update(number.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_kept_masked_or_hashed() {
        let key = PhoneRule::Hash(Secret::new("key".to_owned()));
        let rows = [
            (&PhoneRule::Keep, "+15550100199", Some("+15550100199")),
            (&PhoneRule::Mask, "+15550100199", Some("+*******0199")),
            (&PhoneRule::Mask, "+1555****199", Some("+1555****199")),
            (&PhoneRule::Mask, "112", Some("112")),
            (&key, "+1555****199", Some("+1555****199")),
            (&PhoneRule::Mask, "*67+15550100199", Some("***+*******0199")),
            (&key, "*67+15550100199", None),
            (&key, "anonymous", None),
            (&key, "4711", None),
        ];
        for (rule, number, expected) in rows {
            assert_eq!(rule.apply(number).as_deref(), expected, "{number}");
        }
        assert_eq!(
            key.apply("tel:+1 (555) 010-0199"),
            key.apply("+15550100199"),
            "a hash is over E.164, not over a spelling"
        );
        // `printf +15550100199 | openssl dgst -sha256 -hmac key`
        assert_eq!(
            key.apply("+15550100199").as_deref(),
            Some("58d5aa7653178b5c0e389f2f412ec0677f8fec07941157ef8b124b30eca2a1b4")
        );
    }
}
