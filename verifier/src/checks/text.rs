//! Whether a text was damaged on its way rather than replaced: cut, read in another encoding,
//! escaped, or in another Unicode form.

/// Characters that a writer puts where it has none for what stands there.
const STAND_INS: [char; 5] = ['?', '\u{fffd}', '_', '\u{25a1}', '\u{bf}'];
/// No entity or escape of one character is longer: `&thetasym;`, `&#x10FFFF;`, `\u{10FFFF}`.
/// Characters.
const LONGEST_ESCAPE: usize = 12;

/// Cut short, or its characters damaged. Figures have no characters to damage.
pub(super) fn is_damaged(actual: &str, wanted: &str) -> bool {
    let is_text = wanted
        .chars()
        .any(|character| character.is_alphabetic() || !character.is_ascii());
    if !is_text || actual == wanted {
        return false;
    }
    let begin = actual.trim_end_matches(['\u{2026}', '.', '\u{fffd}']);
    let is_cut = !begin.trim().is_empty() && wanted.starts_with(begin);
    is_cut
        || mojibake(actual, wanted)
        || unescaped(actual) == wanted
        || is_substituted(actual, wanted)
        || same_letters(actual, wanted)
}

/// UTF-8 that was read as Latin-1 or Windows-1252, once or twice. What the encoding has no
/// character for may be left out or replaced.
fn mojibake(actual: &str, wanted: &str) -> bool {
    let mut read = vec![wanted.to_owned()];
    for _ in 0..2 {
        let again = |text: &String| -> [String; 2] {
            let (latin, windows): (String, String) = text
                .bytes()
                .map(|byte| (char::from(byte), windows_1252(byte)))
                .unzip();
            [latin, windows]
        };
        read = read.iter().flat_map(again).collect();
        if read
            .iter()
            .any(|read| read != wanted && same_but_stand_ins(actual, read))
        {
            return true;
        }
    }
    // Bytes of Latin-1 that were read as UTF-8 are none: each becomes a stand-in, which
    // `is_substituted` sees.
    false
}

/// A byte as Windows-1252 has it. Source: WHATWG Encoding, index windows-1252.
fn windows_1252(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '\u{20ac}', '\u{81}', '\u{201a}', '\u{192}', '\u{201e}', '\u{2026}', '\u{2020}',
        '\u{2021}', '\u{2c6}', '\u{2030}', '\u{160}', '\u{2039}', '\u{152}', '\u{8d}', '\u{17d}',
        '\u{8f}', '\u{90}', '\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}', '\u{2022}', '\u{2013}',
        '\u{2014}', '\u{2dc}', '\u{2122}', '\u{161}', '\u{203a}', '\u{153}', '\u{9d}', '\u{17e}',
        '\u{178}',
    ];
    match byte {
        0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

/// The same text, where control characters may be left out and anything outside ASCII may be a
/// stand-in.
fn same_but_stand_ins(actual: &str, read: &str) -> bool {
    let plain = |text: &str| {
        text.chars()
            .filter(|character| !character.is_control())
            .collect::<Vec<char>>()
    };
    let (actual, read) = (plain(actual), plain(read));
    actual.len() == read.len()
        && actual
            .iter()
            .zip(&read)
            .all(|(a, b)| a == b || (!b.is_ascii() && STAND_INS.contains(a)))
}

/// A text with its HTML entities, percent escapes or backslash escapes undone, whichever it has.
fn unescaped(text: &str) -> String {
    let mut bytes: Vec<u8> = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        match escape(rest) {
            Some((value, length)) => {
                bytes.extend(value);
                rest = &rest[length..];
            }
            None => {
                bytes.extend(first.encode_utf8(&mut [0; 4]).as_bytes());
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The escape a text begins with: what it stands for, and how long it is. Bytes.
fn escape(text: &str) -> Option<(Vec<u8>, usize)> {
    let utf8 =
        |number: u32| char::from_u32(number).map(|character| character.to_string().into_bytes());
    let hex = |digits: &str| u32::from_str_radix(digits, 16).ok();
    if let Some(body) = text.strip_prefix('&') {
        let name = &body[..body.find(';').filter(|end| *end <= LONGEST_ESCAPE)?];
        let length = name.len() + 2;
        let value = match name.strip_prefix('#') {
            Some(number) => match number.strip_prefix(['x', 'X']) {
                Some(digits) => utf8(hex(digits)?)?,
                None => utf8(number.parse().ok()?)?,
            },
            None => named(name)?.to_string().into_bytes(),
        };
        return Some((value, length));
    }
    if let Some(digits) = text.strip_prefix('%').and_then(|rest| rest.get(..2)) {
        return Some((vec![u8::try_from(hex(digits)?).ok()?], 3));
    }
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    let first = hex(digits)?;
    // A pair of surrogates is one character.
    let second = text
        .get(6..)
        .and_then(|rest| rest.strip_prefix("\\u"))
        .and_then(|rest| hex(rest.get(..4)?));
    match (first, second) {
        (0xd800..=0xdbff, Some(low @ 0xdc00..=0xdfff)) => Some((
            utf8(0x10000 + ((first - 0xd800) << 10) + (low - 0xdc00))?,
            12,
        )),
        _ => Some((utf8(first)?, 6)),
    }
}

/// The entities of HTML that a writer makes of what a call centre's texts have: the five of XML,
/// quotation marks and dashes, and letters of Latin-1.
fn named(name: &str) -> Option<char> {
    const NAMES: [(&str, char); 15] = [
        ("amp", '&'),
        ("lt", '<'),
        ("gt", '>'),
        ("quot", '"'),
        ("apos", '\''),
        ("nbsp", '\u{a0}'),
        ("lsquo", '\u{2018}'),
        ("rsquo", '\u{2019}'),
        ("sbquo", '\u{201a}'),
        ("ldquo", '\u{201c}'),
        ("rdquo", '\u{201d}'),
        ("bdquo", '\u{201e}'),
        ("ndash", '\u{2013}'),
        ("mdash", '\u{2014}'),
        ("euro", '\u{20ac}'),
    ];
    const LETTERS: [(&str, char); 30] = [
        ("Agrave", 'À'),
        ("Aacute", 'Á'),
        ("Acirc", 'Â'),
        ("Auml", 'Ä'),
        ("Aring", 'Å'),
        ("AElig", 'Æ'),
        ("Ccedil", 'Ç'),
        ("Eacute", 'É'),
        ("Ntilde", 'Ñ'),
        ("Ouml", 'Ö'),
        ("Uuml", 'Ü'),
        ("szlig", 'ß'),
        ("agrave", 'à'),
        ("aacute", 'á'),
        ("acirc", 'â'),
        ("auml", 'ä'),
        ("aring", 'å'),
        ("aelig", 'æ'),
        ("ccedil", 'ç'),
        ("egrave", 'è'),
        ("eacute", 'é'),
        ("ecirc", 'ê'),
        ("iacute", 'í'),
        ("ntilde", 'ñ'),
        ("oacute", 'ó'),
        ("ocirc", 'ô'),
        ("ouml", 'ö'),
        ("uacute", 'ú'),
        ("uuml", 'ü'),
        ("oslash", 'ø'),
    ];
    NAMES
        .iter()
        .chain(&LETTERS)
        .find(|(known, _)| *known == name)
        .map(|(_, character)| *character)
}

/// Everything in ASCII stands as it did, and what is not ASCII is left out, or has become
/// stand-ins.
fn is_substituted(actual: &str, wanted: &str) -> bool {
    if wanted.is_ascii()
        || actual.chars().any(|character| {
            !character.is_ascii() && !STAND_INS.contains(&character) && !wanted.contains(character)
        })
    {
        return false;
    }
    let (actual, wanted): (Vec<char>, Vec<char>) =
        (actual.chars().collect(), wanted.chars().collect());
    // Everything outside ASCII replaced by nothing at all is another text, unless something is left
    // to tell it by.
    !actual.is_empty() && substituted(&actual, &wanted)
}

fn substituted(actual: &[char], wanted: &[char]) -> bool {
    // Positions in `actual` that the text so far may end at.
    let mut ends = vec![0_usize];
    for character in wanted {
        let mut next: Vec<usize> = Vec::new();
        for at in ends {
            if actual.get(at) == Some(character) {
                next.push(at + 1);
            }
            if !character.is_ascii() {
                let stand_ins = actual[at..]
                    .iter()
                    .take(4)
                    .take_while(|character| STAND_INS.contains(character))
                    .count();
                next.extend((0..=stand_ins).map(|count| at + count));
            }
        }
        next.sort_unstable();
        next.dedup();
        ends = next;
    }
    ends.contains(&actual.len())
}

/// The same letters in another Unicode form: with marks of their own, or without any. Marks are
/// compared no further.
fn same_letters(actual: &str, wanted: &str) -> bool {
    let bare = |text: &str| {
        text.chars()
            .filter(|character| !is_mark(*character))
            .map(base)
            .collect::<String>()
    };
    actual != wanted && !(actual.is_ascii() && wanted.is_ascii()) && bare(actual) == bare(wanted)
}

/// Combining diacritical marks, variation selectors and joiners. Source: Unicode, blocks 0300,
/// 1AB0, 1DC0, 20D0, FE00, FE20.
fn is_mark(character: char) -> bool {
    matches!(u32::from(character), 0x300..=0x36f | 0x1ab0..=0x1aff | 0x1dc0..=0x1dff | 0x20d0..=0x20ff | 0xfe00..=0xfe0f | 0xfe20..=0xfe2f | 0x200d)
}

/// The letter that a letter with a mark is made of, for Latin-1 and Latin Extended-A; any other is
/// itself. Source: Unicode, canonical decompositions.
fn base(character: char) -> char {
    const BASES: &str = "AAAAAAÆCEEEEIIIIÐNOOOOO×ØUUUUYÞßaaaaaaæceeeeiiiiðnooooo÷øuuuuyþy\
        AaAaAaCcCcCcCcDdĐđEeEeEeEeEeGgGgGgGgHhĦħIiIiIiIiIıĲĳJjKkĸLlLlLlĿŀŁłNnNnNnŉŊŋOoOoOoŒœRrRrRrSsSsSsSsTtTtŦŧUuUuUuUuUuUuWwYyYZzZzZzſ";
    match u32::from(character) {
        code @ 0xc0..=0x17f => BASES
            .chars()
            .nth((code - 0xc0) as usize)
            .unwrap_or(character),
        _ => character,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_on_the_way_is_told_from_another_text() {
        let rows = [
            ("cut", "Müller & Söhne", "Müller & S", true),
            ("read as Latin-1", "Müller", "MÃ¼ller", true),
            ("read as Latin-1 twice", "Müller", "MÃƒÂ¼ller", true),
            (
                "read as Latin-1 proper twice",
                "Zürich \u{201c}",
                "Z\u{c3}\u{83}\u{c2}\u{bc}rich \u{c3}\u{a2}\u{c2}\u{80}\u{c2}\u{9c}",
                true,
            ),
            (
                "an emoji as Latin-1",
                "ok 👍",
                "ok ð\u{9f}\u{91}\u{8d}",
                true,
            ),
            ("an emoji as Windows-1252", "ok 👍", "ok ðŸ‘\u{8d}", true),
            (
                "an emoji as Windows-1252, controls left out",
                "ok 👍",
                "ok ðŸ‘",
                true,
            ),
            (
                "only an emoji, as Latin-1",
                "👍",
                "ð\u{9f}\u{91}\u{8d}",
                true,
            ),
            ("question marks", "Müller", "M?ller", true),
            ("a question mark a byte", "ok 👍", "ok ????", true),
            ("question marks for all of it", "営業", "??", true),
            ("replacement characters", "Müller", "M\u{fffd}ller", true),
            ("left out", "Müller 👍", "Mller ", true),
            ("an entity", "Müller", "M&uuml;ller", true),
            ("a number as entity", "Müller", "M&#252;ller", true),
            ("a hexadecimal entity", "ok 👍", "ok &#x1F44D;", true),
            (
                "quotation marks as entities",
                "\u{201c}a\u{201d} \u{2013} b",
                "&ldquo;a&rdquo; &ndash; b",
                true,
            ),
            ("an ampersand as entity", "Kauf & Co", "Kauf &amp; Co", true),
            ("percent escapes", "Müller", "M%C3%BCller", true),
            ("backslash escapes", "ok 👍", "ok \\ud83d\\udc4d", true),
            ("decomposed", "Café", "Cafe\u{301}", true),
            ("composed", "Cafe\u{301}", "Café", true),
            ("without its marks", "Café", "Cafe", true),
            ("a variation selector lost", "♥\u{fe0f} ok", "♥ ok", true),
            ("Polish, without its marks", "Łódź", "Łodz", true),
            ("another text", "Billing Tier 1", "Billing Tier 2", false),
            ("another text outside ASCII", "営業", "支店", false),
            ("another name", "Müller", "Möller", false),
            ("the same", "Café", "Café", false),
            ("figures", "12000", "1200", false),
            ("nothing", "Müller", "", false),
            ("another question", "why", "who", false),
        ];
        for (name, wanted, actual, damaged) in rows {
            assert_eq!(
                is_damaged(actual, wanted),
                damaged,
                "{name}: {actual} for {wanted}"
            );
        }
    }

    #[test]
    fn every_letter_has_a_base_of_its_own_place() {
        for (letter, wanted) in [
            ('À', 'A'),
            ('Ö', 'O'),
            ('×', '×'),
            ('ÿ', 'y'),
            ('Ā', 'A'),
            ('ž', 'z'),
            ('ő', 'o'),
            ('ſ', 'ſ'),
            ('ł', 'ł'),
        ] {
            assert_eq!(base(letter), wanted, "{letter}");
        }
    }
}
