//! `[pii]`: protection of numbers and of what is said in pauses.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::SecretRef;

/// `[pii]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pii {
    /// Phone numbers.
    pub phones: Phones,
    /// What is audible inside a pause.
    pub pauses: Pauses,
}

/// `phones = "keep" | "mask" | { hash = { env = "PHONE_KEY" } }`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "PhonesText")]
#[schemars(with = "PhonesText")]
pub enum Phones {
    /// As the source has them.
    Keep,
    /// All digits but the last four are replaced by `*`; a number that holds a `*` already stays as
    /// it is.
    Mask,
    /// HMAC-SHA256 over E.164 with this key, hex; a number that holds a `*` already stays as it is.
    Hash(SecretRef),
}

/// As written.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "phones: expected \"keep\", \"mask\" or { hash = { env = \"NAME\" } }"
)]
enum PhonesText {
    Word(String),
    Hash { hash: SecretRef },
}

impl TryFrom<PhonesText> for Phones {
    type Error = String;
    fn try_from(text: PhonesText) -> Result<Phones, String> {
        match text {
            PhonesText::Hash { hash } => Ok(Phones::Hash(hash)),
            PhonesText::Word(word) => match word.as_str() {
                "keep" => Ok(Phones::Keep),
                "mask" => Ok(Phones::Mask),
                _ => Err(format!(
                    "phones `{word}`: expected \"keep\", \"mask\" or \
                     {{ hash = {{ env = \"NAME\" }} }}"
                )),
            },
        }
    }
}

/// `pauses = "keep" | "silence" | "tone" | { seal = "key.pub" }`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "PausesText")]
#[schemars(with = "PausesText")]
pub enum Pauses {
    /// As the source has them.
    Keep,
    /// Replaced by silence of the same length.
    Silence,
    /// Replaced by a tone of the same length.
    Tone,
    /// Replaced by silence, the raw recording sealed for the holder of this key.
    Seal(PathBuf),
}

/// As written.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "pauses: expected \"silence\", \"keep\", \"tone\" or { seal = \"key.pub\" }"
)]
enum PausesText {
    Word(String),
    Seal { seal: PathBuf },
}

impl TryFrom<PausesText> for Pauses {
    type Error = String;
    fn try_from(text: PausesText) -> Result<Pauses, String> {
        match text {
            PausesText::Seal { seal } => Ok(Pauses::Seal(seal)),
            PausesText::Word(word) => match word.as_str() {
                "keep" => Ok(Pauses::Keep),
                "silence" => Ok(Pauses::Silence),
                "tone" => Ok(Pauses::Tone),
                _ => Err(format!(
                    "pauses `{word}`: expected \"silence\", \"keep\", \"tone\" or \
                     {{ seal = \"key.pub\" }}"
                )),
            },
        }
    }
}
