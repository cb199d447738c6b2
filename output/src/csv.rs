//! Cells of a CSV that a spreadsheet opens as text.

use std::borrow::Cow;

/// A cell that begins with one of these is a formula to a spreadsheet, or becomes one when the
/// blanks before it are dropped. The last four are the full-width forms, which some of them read
/// alike. Source: OWASP, CSV Injection.
const FORMULA: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// Whether a spreadsheet could run it, or [`csv_cell`] has written it: apostrophes aside.
fn is_formula(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(FORMULA)
}

/// The text as a cell that no spreadsheet runs: an apostrophe before what would be a formula, which
/// a spreadsheet takes as "this is text". [`csv_cell_read`] gives the text back. Quoting is the CSV
/// writer's.
#[must_use]
pub fn csv_cell(text: &str) -> Cow<'_, str> {
    // What begins with apostrophes before such a sign gets one more, so that reading takes away
    // exactly one.
    if is_formula(text) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The text of a cell that [`csv_cell`] wrote; any other cell as it is.
#[must_use]
pub fn csv_cell_read(cell: &str) -> &str {
    cell.strip_prefix('\'')
        .filter(|text| is_formula(text))
        .unwrap_or(cell)
}

/// A line of a CSV without its line end: every cell safe, and quoted where it must be.
#[must_use]
pub fn csv_line(cells: &[&str]) -> String {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::Any(b'\n'))
        .from_writer(Vec::new());
    // A writer into memory fails for nothing but lines of different lengths, and this is one line.
    let _ = writer.write_record(cells.iter().map(|cell| csv_cell(cell).into_owned()));
    let line = writer.into_inner().unwrap_or_default();
    String::from_utf8_lossy(line.strip_suffix(b"\n").unwrap_or(&line)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_what_was_written_is_read() {
        for (text, cell) in [
            ("=1+2", "'=1+2"),
            ("-2+3", "'-2+3"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("+442012", "'+442012"),
            ("\tx", "'\tx"),
            ("\rx", "'\rx"),
            ("'=x", "''=x"),
            ("'quoted'", "'quoted'"),
            ("4411-1", "4411-1"),
            ("", ""),
        ] {
            assert_eq!(csv_cell(text), cell, "{text:?}");
            assert_eq!(csv_cell_read(cell), text, "{cell:?}");
        }
        assert_eq!(csv_line(&["=1,2", "a\"b", "c"]), "\"'=1,2\",\"a\"\"b\",c");
    }

    proptest::proptest! {
        #[test]
        fn any_text_comes_back(text in "['=+@a\\-\t]{0,6}|\\PC{0,6}") {
            let cell = csv_cell(&text);
            proptest::prop_assert!(!cell.starts_with(FORMULA));
            proptest::prop_assert_eq!(csv_cell_read(&cell), text.as_str());
        }
    }
}
