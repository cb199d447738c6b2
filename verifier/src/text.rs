//! Text as records carry it: ids, codes, numbers and names, a hundred of them in a call.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt::{Debug, Display, Formatter};
use std::hash::{Hash, Hasher};
use std::ops::Deref;

use arrayvec::ArrayString;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::refill::{Refill, Rest};

/// Bytes of the longest text that is held in place: those of a UUID.
const SHORT: usize = 36;

/// A text that cannot be changed. As long as a UUID or shorter, it takes no memory of its own: to
/// read a record back is to copy bytes then.
#[derive(Clone)]
pub(crate) enum Text {
    Short(ArrayString<SHORT>),
    Long(Box<str>),
}

// Inlined: a call has a hundred texts, and most of what is done with one takes less time than a
// call of a function.
impl Text {
    /// Takes another text in the place of this one.
    #[inline]
    pub(crate) fn set(&mut self, text: &str) {
        if let Text::Short(held) = self {
            held.clear();
            if held.try_push_str(text).is_ok() {
                return;
            }
        }
        *self = Text::from(text);
    }

    #[inline]
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Text::Short(text) => text,
            Text::Long(text) => text,
        }
    }
}

/// A whole number in decimal digits.
pub(crate) fn decimal(number: i64) -> Text {
    Text::from(itoa::Buffer::new().format(number))
}

/// Whether a text is an id, in whichever case.
pub(crate) fn is_id(text: &str, id: Uuid) -> bool {
    let mut digits = Uuid::encode_buffer();
    text.eq_ignore_ascii_case(id.hyphenated().encode_lower(&mut digits))
}

impl Default for Text {
    fn default() -> Text {
        Text::Short(ArrayString::new_const())
    }
}

impl From<&str> for Text {
    #[inline]
    fn from(text: &str) -> Text {
        match ArrayString::from(text) {
            Ok(short) => Text::Short(short),
            Err(_) => Text::Long(text.into()),
        }
    }
}

impl From<String> for Text {
    fn from(text: String) -> Text {
        match ArrayString::from(&text) {
            Ok(short) => Text::Short(short),
            Err(_) => Text::Long(text.into_boxed_str()),
        }
    }
}

impl From<&String> for Text {
    fn from(text: &String) -> Text {
        Text::from(text.as_str())
    }
}

impl From<Text> for String {
    fn from(text: Text) -> String {
        String::from(text.as_str())
    }
}

impl From<&Text> for String {
    fn from(text: &Text) -> String {
        String::from(text.as_str())
    }
}

impl Deref for Text {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        self
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        self
    }
}

impl Display for Text {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        Display::fmt(self.as_str(), f)
    }
}

impl Debug for Text {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        Debug::fmt(self.as_str(), f)
    }
}

impl PartialEq for Text {
    #[inline]
    fn eq(&self, other: &Text) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Text {}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl PartialEq<String> for Text {
    fn eq(&self, other: &String) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<Text> for str {
    fn eq(&self, other: &Text) -> bool {
        self == other.as_str()
    }
}

impl PartialEq<Text> for &str {
    fn eq(&self, other: &Text) -> bool {
        *self == other.as_str()
    }
}

impl PartialEq<Text> for String {
    fn eq(&self, other: &Text) -> bool {
        self == other.as_str()
    }
}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Text) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text {
    #[inline]
    fn cmp(&self, other: &Text) -> Ordering {
        self.as_str().cmp(other)
    }
}

impl Hash for Text {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Text, D::Error> {
        deserializer.deserialize_str(OfText)
    }
}

impl Refill for Text {
    fn refill(&mut self, from: &mut Rest<'_>) -> Result<(), postcard::Error> {
        self.set(Deserialize::deserialize(from)?);
        Ok(())
    }
}

struct OfText;

impl Visitor<'_> for OfText {
    type Value = Text;

    fn expecting(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
        Ok(Text::from(text))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Text, E> {
        Ok(Text::from(text))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_text_of_any_length_is_that_text(one in "[a\u{e9}]{0,60}", other in "[a\u{e9}]{0,60}") {
            let (text, second) = (Text::from(one.as_str()), Text::from(other.clone()));
            prop_assert_eq!(text.as_str(), one.as_str());
            prop_assert_eq!(matches!(text, Text::Short(_)), one.len() <= SHORT);
            prop_assert_eq!(text.cmp(&second), one.cmp(&other));
            prop_assert_eq!(text == second, one == other);
            let bytes = postcard::to_stdvec(&text).expect("written");
            prop_assert_eq!(&bytes, &postcard::to_stdvec(&one).expect("written"));
            prop_assert_eq!(postcard::from_bytes::<Text>(&bytes).expect("read"), text);
        }
    }
}
