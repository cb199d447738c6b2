//! Text for a terminal.

use std::borrow::Cow;
use std::fmt::Write;

/// What a terminal obeys instead of showing it: C0 and C1 controls, and the marks that turn the
/// direction of writing, by which a line can be made to read as another. A tab only moves on.
/// Source: ECMA-48; Unicode Standard Annex 9.
fn is_obeyed(c: char) -> bool {
    (c.is_control() && c != '\t')
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A number with a comma before each three digits: `4,100`.
#[must_use]
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}

/// One line as it may be shown: what a terminal would obey is written out (`\n`, `\u{1b}`). A line
/// end inside is written out too, so that a text from elsewhere cannot become a line of its own.
#[must_use]
pub fn printable(line: &str) -> Cow<'_, str> {
    if !line.contains(is_obeyed) {
        return Cow::Borrowed(line);
    }
    let mut shown = String::with_capacity(line.len() + 16);
    for c in line.chars() {
        if is_obeyed(c) {
            shown.extend(c.escape_default())
        } else {
            shown.push(c)
        }
    }
    Cow::Owned(shown)
}

/// A JSON document as it may be shown: the same document, with what a terminal would obey inside
/// its strings as `\u` escapes. JSON's own line ends and blanks stay.
#[must_use]
pub fn printable_json(document: &str) -> Cow<'_, str> {
    // Below U+0020 a JSON writer escapes by itself.
    let escape = |c: char| c >= ' ' && is_obeyed(c);
    if !document.contains(escape) {
        return Cow::Borrowed(document);
    }
    let mut shown = String::with_capacity(document.len() + 16);
    for c in document.chars() {
        if escape(c) {
            // All of them are below U+FFFF. Writing to memory does not fail.
            let _ = write!(shown, "\\u{:04x}", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_a_comma_before_each_three_digits() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (4_000_000, "4,000,000"),
        ] {
            assert_eq!(thousands(number), text);
        }
    }

    #[test]
    fn nothing_a_terminal_obeys_is_shown() {
        for (line, shown) in [
            ("4411-1", "4411-1"),
            ("Zoë 😀", "Zoë 😀"),
            ("\u{1b}[2J", "\\u{1b}[2J"),
            ("1\r\nseatrial: match", "1\\r\\nseatrial: match"),
            ("\u{9b}31m\u{7f}", "\\u{9b}31m\\u{7f}"),
            ("\u{202e}drow", "\\u{202e}drow"),
        ] {
            assert_eq!(printable(line), shown);
        }
        assert_eq!(
            printable_json("{\n  \"a\": \"\u{9b}\"\n}"),
            "{\n  \"a\": \"\\u009b\"\n}"
        );
    }
}
