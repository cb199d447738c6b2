//! One value in the spellings sources use: numbers with a point, an exponent or quotes; booleans as
//! words or figures; lists that are null or a single object. Nothing is guessed: what is none of
//! these is unreadable, and says so by field, never by value.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Why something of the source cannot be read. Safe to print: it names the field and what was
/// expected, never the value, which may be a name or a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// Path of the field, e.g. `recordings[1].id`; empty: the whole of it.
    pub field: String,
    /// What was expected there.
    pub why: String,
}

impl Unreadable {
    pub(super) fn new(field: &str, why: &str) -> Unreadable {
        Unreadable {
            field: field.to_owned(),
            why: why.to_owned(),
        }
    }

    /// The same, seen from the object or list that holds it.
    fn below(self, parent: &str) -> Unreadable {
        let field = match self.field.as_str() {
            "" => parent.to_owned(),
            field => format!("{parent}.{field}"),
        };
        Unreadable { field, ..self }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.field.is_empty() {
            f.write_str(&self.why)
        } else {
            write!(f, "field `{}`: {}", self.field, self.why)
        }
    }
}

impl std::error::Error for Unreadable {}

/// The fields of an object, each as it is written.
pub(super) struct Fields<'a> {
    fields: BTreeMap<String, Field<'a>>,
    /// Lengths read so far that had a fraction.
    rounded: RefCell<Vec<String>>,
}

#[derive(Clone, Copy)]
enum Field<'a> {
    Once(&'a str),
    /// Written twice, with different values: which one is meant nobody can tell.
    Ambiguous,
}

impl<'a> Fields<'a> {
    pub(super) fn of(json: &'a str) -> Result<Fields<'a>, Unreadable> {
        if !json.trim_start().starts_with('{') {
            return Err(Unreadable::new("", "an object is expected"));
        }
        let fields: Written<'a> =
            serde_json::from_str(json).map_err(|_| Unreadable::new("", "it is no JSON"))?;
        Ok(Fields {
            fields: fields.0,
            rounded: RefCell::default(),
        })
    }

    /// A field as it is written; `None` where it is absent or null.
    pub(super) fn raw(&self, name: &str) -> Result<Option<&'a str>, Unreadable> {
        match self.fields.get(name) {
            None | Some(Field::Once("null")) => Ok(None),
            Some(Field::Once(raw)) => Ok(Some(raw)),
            Some(Field::Ambiguous) => Err(Unreadable::new(
                name,
                "it stands there twice, with different values",
            )),
        }
    }

    /// Whether there is such a field, null or not.
    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    /// Text; a number as it is written.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, Unreadable> {
        let Some(raw) = self.raw(name)? else {
            return Ok(None);
        };
        text_of(raw)
            .map(Some)
            .ok_or_else(|| Unreadable::new(name, "text or a number is expected"))
    }

    /// An id that something may lack: text, or a whole number in plain digits.
    pub(super) fn optional_id(&self, name: &str) -> Result<Option<String>, Unreadable> {
        let Some(raw) = self.raw(name)? else {
            return Ok(None);
        };
        if is_number(raw)
            && let Some(digits) = whole_digits(raw)
        {
            return Ok(Some(digits));
        }
        self.text(name)
    }

    /// An id that has to be there. A number is never rounded: one with a fraction is none.
    pub(super) fn id(&self, name: &str) -> Result<String, Unreadable> {
        let raw = self
            .raw(name)?
            .ok_or_else(|| Unreadable::new(name, "there is no id"))?;
        let id = if is_number(raw) {
            whole_digits(raw)
        } else {
            text_of(raw)
        };
        let id = id.ok_or_else(|| Unreadable::new(name, "an id is text or a whole number"))?;
        if id.trim().is_empty() {
            Err(Unreadable::new(name, "the id is empty"))
        } else {
            Ok(id)
        }
    }

    /// A whole number, exactly.
    pub(super) fn whole(&self, name: &str) -> Result<Option<i64>, Unreadable> {
        let Some(text) = self.text(name)?.filter(|text| !text.trim().is_empty()) else {
            return Ok(None);
        };
        whole_number(&text)
            .map(Some)
            .ok_or_else(|| Unreadable::new(name, "a whole number is expected"))
    }

    /// A length in milliseconds. A fraction of one is rounded to the nearest, halves away from
    /// zero, and noted.
    pub(super) fn length_ms(&self, name: &str) -> Result<Option<i64>, Unreadable> {
        let Some(text) = self.text(name)?.filter(|text| !text.trim().is_empty()) else {
            return Ok(None);
        };
        let (ms, exact) = Decimal::of(&text)
            .and_then(|number| number.nearest())
            .ok_or_else(|| Unreadable::new(name, "a length in milliseconds is expected"))?;
        if !exact {
            self.rounded.borrow_mut().push(name.to_owned());
        }
        Ok(Some(ms))
    }

    /// Lengths that had a fraction, by name.
    pub(super) fn rounded(&self) -> Vec<String> {
        self.rounded.borrow().clone()
    }

    /// A boolean: a word or a figure for yes or no. Empty text is as good as absent.
    pub(super) fn boolean(&self, name: &str) -> Result<Option<bool>, Unreadable> {
        let Some(raw) = self.raw(name)? else {
            return Ok(None);
        };
        let word = if matches!(raw, "true" | "false") {
            Some(raw.to_owned())
        } else {
            text_of(raw)
        };
        let word = word.map(|word| word.trim().to_lowercase());
        match word.as_deref() {
            Some("") => Ok(None),
            Some("true" | "t" | "yes" | "y" | "on") => Ok(Some(true)),
            Some("false" | "f" | "no" | "n" | "off") => Ok(Some(false)),
            Some(figure) => match whole_number(figure) {
                Some(1) => Ok(Some(true)),
                Some(0) => Ok(Some(false)),
                _ => Err(Unreadable::new(name, "true or false is expected")),
            },
            None => Err(Unreadable::new(name, "true or false is expected")),
        }
    }

    /// What a list holds, each as it is written, with its path. Absent, null and empty are one; one
    /// object without a list around it is a list of one, as converters from XML write it; a null in
    /// a list says nothing.
    pub(super) fn items(&self, name: &str) -> Result<Vec<(String, &'a str)>, Unreadable> {
        let Some(raw) = self.raw(name)? else {
            return Ok(Vec::new());
        };
        let no_list = || Unreadable::new(name, "a list is expected");
        match raw.as_bytes().first() {
            Some(b'[') => {
                let items: Vec<&'a RawValue> = serde_json::from_str(raw).map_err(|_| no_list())?;
                let items = items
                    .into_iter()
                    .map(RawValue::get)
                    .enumerate()
                    .filter(|(_, item)| *item != "null");
                Ok(items
                    .map(|(at, item)| (format!("{name}[{at}]"), item))
                    .collect())
            }
            Some(b'{') if Fields::of(raw).is_ok_and(|fields| fields.fields.is_empty()) => {
                Ok(Vec::new())
            }
            Some(b'{') => Ok(vec![(name.to_owned(), raw)]),
            Some(b'"') if text_of(raw).is_some_and(|text| text.trim().is_empty()) => Ok(Vec::new()),
            _ => Err(no_list()),
        }
    }

    /// A list of objects.
    pub(super) fn list<T>(
        &self,
        name: &str,
        read: impl Fn(&str) -> Result<T, Unreadable>,
    ) -> Result<Vec<T>, Unreadable> {
        self.items(name)?
            .into_iter()
            .map(|(path, item)| read(item).map_err(|error| error.below(&path)))
            .collect()
    }
}

/// What an object holds, by name.
struct Written<'a>(BTreeMap<String, Field<'a>>);

impl<'de> Deserialize<'de> for Written<'de> {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Written<'de>, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Written<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Written<'de>, M::Error> {
                let mut fields = BTreeMap::new();
                while let Some((name, value)) = map.next_entry::<String, &'de RawValue>()? {
                    match fields.entry(name) {
                        Entry::Vacant(entry) => _ = entry.insert(Field::Once(value.get())),
                        Entry::Occupied(entry) if matches!(entry.get(), Field::Once(known) if *known == value.get()) =>
                            {}
                        Entry::Occupied(mut entry) => _ = entry.insert(Field::Ambiguous),
                    }
                }
                Ok(Written(fields))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

fn is_number(raw: &str) -> bool {
    raw.starts_with(|c: char| c == '-' || c.is_ascii_digit())
}

/// Text without its quotes, a number as it is written; `None` for anything else. Half a character
/// (a lone surrogate's escape) is replaced: one bad letter does not make a call unreadable.
pub(super) fn text_of(raw: &str) -> Option<String> {
    match raw.as_bytes().first()? {
        b'"' => unquoted(raw).ok(),
        b'-' | b'0'..=b'9' => Some(raw.to_owned()),
        _ => None,
    }
}

fn unquoted(quoted: &str) -> Result<String, serde_json::Error> {
    struct Bytes;
    impl Visitor<'_> for Bytes {
        type Value = String;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("text")
        }

        // As bytes, since text must be whole characters.
        fn visit_bytes<E>(self, bytes: &[u8]) -> Result<String, E> {
            Ok(String::from_utf8_lossy(bytes).into_owned())
        }
    }
    let mut deserializer = serde_json::Deserializer::from_str(quoted);
    de::Deserializer::deserialize_bytes(&mut deserializer, Bytes)
}

/// The whole number that a text spells: `4000`, `4000.0`, `4.0E3`, with blanks around it. Exact;
/// `None` where it is no number, has a fraction, or is beyond 64 bits.
#[must_use]
pub fn whole_number(text: &str) -> Option<i64> {
    whole_digits(text)?.parse().ok()
}

/// The same of any length, in plain digits.
fn whole_digits(text: &str) -> Option<String> {
    Decimal::of(text)?.whole()
}

/// A decimal number taken apart, exactly: its value is `digits` times ten to the power of `scale`.
struct Decimal {
    is_negative: bool,
    /// Without zeros at either end; empty: the number is 0.
    digits: String,
    scale: i64,
}

/// No id and no time is longer; a longer text, or an exponent that would make a longer one, is no
/// number of ours.
const MOST_DIGITS: usize = 100;

impl Decimal {
    fn of(text: &str) -> Option<Decimal> {
        let text = text.trim();
        let (is_negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty()
            || !are_digits(whole)
            || !are_digits(fraction)
            || mantissa.len() > MOST_DIGITS
        {
            return None;
        }
        let all = format!("{whole}{fraction}");
        let kept = all.trim_end_matches('0');
        let scale = exponent
            .checked_sub(fraction.len() as i64)?
            .checked_add((all.len() - kept.len()) as i64)?;
        Some(Decimal {
            is_negative,
            digits: kept.trim_start_matches('0').to_owned(),
            scale,
        })
    }

    /// In plain digits, where it has no fraction.
    fn whole(&self) -> Option<String> {
        if self.digits.is_empty() {
            return Some("0".to_owned());
        }
        let zeros = usize::try_from(self.scale)
            .ok()
            .filter(|zeros| zeros + self.digits.len() <= MOST_DIGITS)?;
        Some(format!(
            "{}{}{}",
            if self.is_negative { "-" } else { "" },
            self.digits,
            "0".repeat(zeros)
        ))
    }

    /// The nearest whole number, halves away from zero, and whether it is the number itself.
    fn nearest(&self) -> Option<(i64, bool)> {
        if let Some(whole) = self.whole() {
            return whole.parse().ok().map(|whole| (whole, true));
        }
        // Positive here means too large: `whole` has answered the rest.
        let behind = usize::try_from(self.scale.checked_neg()?).ok()?;
        let (before, next) = match self.digits.len().checked_sub(behind) {
            Some(at) => (&self.digits[..at], self.digits.as_bytes().get(at)),
            None => ("", None),
        };
        let down: i64 = if before.is_empty() {
            0
        } else {
            before.parse().ok()?
        };
        let away = if next.is_some_and(|digit| *digit >= b'5') {
            down.checked_add(1)?
        } else {
            down
        };
        Some((if self.is_negative { -away } else { away }, false))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn field<T>(
        value: &str,
        read: impl Fn(&Fields<'_>) -> Result<T, Unreadable>,
    ) -> Result<T, String> {
        let json = format!(r#"{{"x":{value}}}"#);
        read(&Fields::of(&json).expect("an object")).map_err(|error| error.to_string())
    }

    #[test]
    fn a_whole_number_has_many_spellings_and_a_fraction_has_none() {
        let rows = [
            ("4000", Some(4000)),
            ("4000.0", Some(4000)),
            ("4.0E3", Some(4000)),
            ("4e+3", Some(4000)),
            ("40000000e-4", Some(4000)),
            (r#""3600""#, Some(3600)),
            (r#"" 3600 ""#, Some(3600)),
            (r#""3600.00""#, Some(3600)),
            (r#""+3600""#, Some(3600)),
            ("1.7E12", Some(1_700_000_000_000)),
            ("1.717236000123e12", Some(1_717_236_000_123)),
            ("-0.0", Some(0)),
            ("-1.2e1", Some(-12)),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("0e400", Some(0)),
        ];
        for (value, wanted) in rows {
            assert_eq!(
                field(value, |fields| fields.whole("x")),
                Ok(wanted),
                "{value}"
            );
        }
        for nothing in ["null", r#""""#, r#""  ""#] {
            assert_eq!(
                field(nothing, |fields| fields.whole("x")),
                Ok(None),
                "{nothing}"
            );
        }
        let refused = [
            "1.5",
            "1e-1",
            r#""soon""#,
            r#""3,600""#,
            r#""1 000""#,
            r#""0x10""#,
            r#"".""#,
            r#""-""#,
            r#""1e""#,
            r#""1.2.3""#,
            "1e99",
            "9223372036854775808",
            "true",
            "[]",
            "{}",
            r#""NaN""#,
            r#""٣""#,
        ];
        for value in refused {
            let error = field(value, |fields| fields.whole("x")).expect_err(value);
            assert!(error.starts_with("field `x`: "), "{error}");
        }
    }

    #[test]
    fn a_length_is_rounded_to_the_millisecond_and_says_so() {
        let rows = [
            ("1.5", 2, true),
            ("1.4999", 1, true),
            (r#""0.5""#, 1, true),
            ("0.05", 0, true),
            ("-1.5", -2, true),
            ("1e-9", 0, true),
            ("281000.0", 281_000, false),
            ("2.81E5", 281_000, false),
            (r#""12""#, 12, false),
        ];
        for (value, ms, rounded) in rows {
            let read = field(value, |fields| {
                Ok((fields.length_ms("x")?, !fields.rounded().is_empty()))
            });
            assert_eq!(read, Ok((Some(ms), rounded)), "{value}");
        }
        assert!(
            field(r#""soon""#, |fields| fields.length_ms("x")).is_err()
                && field("1e30", |fields| fields.length_ms("x")).is_err()
        );
    }

    #[test]
    fn an_id_is_kept_as_it_is_or_as_its_digits_and_never_rounded() {
        let rows = [
            ("5002", "5002"),
            ("5002.0", "5002"),
            ("5.002E3", "5002"),
            (r#""5002""#, "5002"),
            (r#""0007""#, "0007"),
            (r#""5.002E3""#, "5.002E3"),
            (r#"" a;b/%\\ é ""#, r" a;b/%\ é "),
            (
                "123456789012345678901234567890",
                "123456789012345678901234567890",
            ),
            ("1.2345678901234567890e19", "12345678901234567890"),
        ];
        for (value, wanted) in rows {
            assert_eq!(
                field(value, |fields| fields.id("x")).as_deref(),
                Ok(wanted),
                "{value}"
            );
        }
        for value in [
            "5002.5", "null", r#""""#, r#""  ""#, "true", "{}", "[5]", "1e400",
        ] {
            assert!(field(value, |fields| fields.id("x")).is_err(), "{value}");
        }
    }

    #[test]
    fn a_boolean_has_words_and_figures() {
        let yes = [
            "true",
            r#""true""#,
            r#""TRUE""#,
            r#""Yes""#,
            r#""y""#,
            "1",
            "1.0",
            r#""1""#,
            r#""on""#,
        ];
        let no = [
            "false",
            r#""False""#,
            r#""no""#,
            "0",
            "0.0",
            r#""0""#,
            r#""off""#,
        ];
        let nothing = ["null", r#""""#, r#"" ""#];
        for (values, wanted) in [
            (&yes[..], Some(true)),
            (&no[..], Some(false)),
            (&nothing[..], None),
        ] {
            for value in values {
                assert_eq!(
                    field(value, |fields| fields.boolean("x")),
                    Ok(wanted),
                    "{value}"
                );
            }
        }
        for value in ["2", "-1", "0.5", r#""maybe""#, "[]", "{}"] {
            assert_eq!(
                field(value, |fields| fields.boolean("x")),
                Err("field `x`: true or false is expected".to_owned()),
                "{value}"
            );
        }
    }

    #[test]
    fn a_list_that_says_nothing_is_an_empty_one() {
        let one = |json: &str| Fields::of(json)?.id("id");
        for value in ["null", "[]", r#""""#, "{}", "[null]"] {
            assert_eq!(
                field(value, |fields| fields.list("x", one)),
                Ok(Vec::new()),
                "{value}"
            );
        }
        for (value, wanted) in [
            (r#"[{"id":1},null,{"id":"b"}]"#, vec!["1", "b"]),
            (r#"{"id":"a"}"#, vec!["a"]),
        ] {
            assert_eq!(
                field(value, |fields| fields.list("x", one)),
                Ok(wanted.into_iter().map(str::to_owned).collect()),
                "{value}"
            );
        }
        assert_eq!(
            field(r#"[{"id":1},{}]"#, |fields| fields.list("x", one)),
            Err("field `x[1].id`: there is no id".to_owned())
        );
        assert_eq!(
            field("[7]", |fields| fields.list("x", one)),
            Err("field `x[0]`: an object is expected".to_owned())
        );
        assert_eq!(
            field("7", |fields| fields.list("x", one)),
            Err("field `x`: a list is expected".to_owned())
        );
    }

    #[test]
    fn a_field_that_stands_twice_is_one_value_or_none() {
        let twice = |json: &str| {
            Fields::of(json)
                .expect("an object")
                .whole("x")
                .map_err(|error| error.to_string())
        };
        assert_eq!(twice(r#"{"x":1,"x":1}"#), Ok(Some(1)));
        assert_eq!(
            twice(r#"{"x":1,"y":1,"y":2}"#),
            Ok(Some(1)),
            "another's business"
        );
        assert!(twice(r#"{"x":1,"x":2}"#).is_err());
    }

    proptest! {
        #[test]
        fn every_spelling_of_a_whole_number_is_that_number(number in any::<i64>(), zeros in 0_usize..6, shift in 0_i64..20, quoted in any::<bool>()) {
            let digits = number.unsigned_abs().to_string();
            let sign = if number < 0 { "-" } else { "" };
            let at = digits.len().saturating_sub(usize::try_from(shift).unwrap_or(0)).max(1);
            let (whole, fraction) = digits.split_at(at);
            let exponent = fraction.len();
            let spelled = [
                format!("{sign}{digits}.{}", "0".repeat(zeros + 1)),
                format!("{sign}{whole}.{fraction}0E{exponent}"),
                format!("{sign}{whole}.{fraction}{}e+{exponent}", "0".repeat(zeros + 1)),
                format!("{sign}{digits}{}E-{zeros}", "0".repeat(zeros)),
            ];
            for text in spelled {
                let value = if quoted { format!("\"{text}\"") } else { text.clone() };
                prop_assert_eq!(field(&value, |fields| fields.whole("x")), Ok(Some(number)), "{}", text);
                prop_assert_eq!(field(&value, |fields| fields.length_ms("x")), Ok(Some(number)), "{}", text);
            }
        }

        #[test]
        fn a_fraction_is_no_whole_number_and_its_nearest_is_half_a_millisecond_away_at_most(ms in -1_000_000_i64..1_000_000, thousandths in 1_i64..1000) {
            let micros = ms * 1000 + if ms < 0 { -thousandths } else { thousandths };
            let text = format!("{}{}.{:03}", if micros < 0 { "-" } else { "" }, micros.abs() / 1000, micros.abs() % 1000);
            prop_assert_eq!(whole_number(&text), None);
            let (nearest, exact) = Decimal::of(&text).and_then(|number| number.nearest()).expect("a number");
            prop_assert!(!exact && (nearest * 1000 - micros).abs() <= 500, "{} became {}", text, nearest);
        }

        #[test]
        fn no_text_breaks_the_reader(text in ".{0,40}") {
            let _ = whole_number(&text);
            let quoted = serde_json::to_string(&text).expect("JSON");
            let _ = field(&quoted, |fields| Ok((fields.whole("x").is_ok(), fields.length_ms("x").is_ok(), fields.boolean("x").is_ok())));
        }
    }
}
