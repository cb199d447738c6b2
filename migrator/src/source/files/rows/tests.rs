use std::path::Path;

use plan::Layout;

use super::*;

fn rules(file: &str) -> FileRules {
    let place = if file.contains("csv") { "a" } else { "$.a" };
    let text = format!(
        "layout_version = 1\n[file]\n{file}\n[call]\nid = \"{place}\"\nstart = \"{place}\"\nend = \
         \"{place}\"\n"
    );
    let text = if file.contains("header = false") {
        text.replace("\"a\"", "\"#1\"")
    } else {
        text
    };
    Layout::parse(Path::new("layout.toml"), &text)
        .expect("a layout")
        .file
}

/// Rows as lines: number, and cells or the reason.
fn read_all(file: &str, text: &str) -> Vec<String> {
    let mut seen = Vec::new();
    let read = read(
        &rules(file),
        text.as_bytes(),
        &|columns| (!columns.contains(&"a".to_owned())).then(|| "no column a".to_owned()),
        &mut |Row { line, body }| {
            seen.push(match body {
                Ok(Body::Cells(cells)) => {
                    let cells: Vec<String> = cells
                        .into_iter()
                        .map(|(name, cell)| format!("{name}={cell}"))
                        .collect();
                    format!("{line}: {}", cells.join("|"))
                }
                Ok(Body::Document(text)) => format!("{line}: {text}"),
                Err(why) => format!("{line}! {why}"),
            });
            Ok(())
        },
    );
    match read {
        Ok(()) => {}
        Err(Stop::Header(why)) => seen.push(format!("header! {why}")),
        Err(Stop::Io(error)) => seen.push(format!("io! {error}")),
    }
    seen
}

#[test]
fn a_bad_line_of_a_table_is_one_row_and_reading_goes_on_behind_it() {
    let csv = "format = \"csv\"";
    let open_quote = format!("a,b\n1,\"x\n{}4,5\n", "2,3\n".repeat(120));
    let far = read_all(csv, &open_quote);
    assert_eq!(far[0], "2! has a quote that is not closed");
    assert_eq!(
        far.len(),
        122,
        "every other line is a row: {:?}",
        far.last()
    );
    let rows: [(&str, &str, &[&str]); 12] = [
        (csv, "a,b\n1,2\r\n\n3,4", &["2: a=1|b=2", "4: a=3|b=4"]),
        (
            csv,
            "a,b\n1,2,3\n4,5\n",
            &["2! has 3 cells, and the header has 2", "3: a=4|b=5"],
        ),
        (
            csv,
            "a,b\n\"1\n2\",3\n4,5\n",
            &["2: a=1\n2|b=3", "4: a=4|b=5"],
        ),
        (
            csv,
            "a,b\n1,\"x\n2,3\n4,y\"\n5,6\n",
            &["2: a=1|b=x\n2,3\n4,y", "5: a=5|b=6"],
        ),
        (csv, "a,b\n1,\"x\"\"y\"\n,\n", &["2: a=1|b=x\"y"]),
        (csv, "a,,a\n1,2,3\n", &["2: a=1|#2=2|#3=3"]),
        (csv, "b,c\n1,2\n", &["header! line 1: no column a"]),
        (csv, "", &[]),
        (
            "format = \"csv\"\nheader = false",
            "1,2\n3\n",
            &["1: #1=1|#2=2", "2! has 1 cells, and the first row has 2"],
        ),
        (
            "format = \"csv\"\nskip_lines = 2",
            "Report\n\na,b\n1,2\n",
            &["4: a=1|b=2"],
        ),
        (
            "format = \"csv\"\nseparator = \";\"\nquote = \"'\"",
            "a;b\n'1;2';\"3\"\n",
            &["2: a=1;2|b=\"3\""],
        ),
        (
            "format = \"csv\"\nseparator = \"\\t\"",
            "a\tb\n1\t2\n",
            &["2: a=1|b=2"],
        ),
    ];
    for (file, text, wanted) in rows {
        let got = read_all(file, text);
        assert_eq!(got, wanted, "{text:?}");
    }
}

#[test]
fn a_bad_document_is_one_row_and_the_lines_behind_it_are_read() {
    let lines = "format = \"ndjson\"";
    let (whole, list) = (
        "format = \"json\"",
        "format = \"json\"\nrows = \"$.x.y[*]\"",
    );
    let rows: [(&str, &str, &[&str]); 12] = [
        (
            lines,
            "{\"a\":1}\n\n{\"a\":\n[1]\n{\"a\":2}",
            &[
                "1: {\"a\":1}",
                "3! is not JSON at column 5",
                "4! is no JSON object",
                "5: {\"a\":2}",
            ],
        ),
        (whole, "\n{\"a\":\n1}\n", &["2: {\"a\":\n1}"]),
        (whole, "[1]", &["1! is no JSON object"]),
        (whole, " \n", &[]),
        (
            whole,
            "{\"a\":\n\n1,}",
            &["3! is not JSON at line 3 column 3"],
        ),
        (
            list,
            "{\"x\":{\"z\":[9],\"y\":[{\"a\":1},\n\n {\"a\":2},3]},\"w\":1}",
            &["1: {\"a\":1}", "3: {\"a\":2}", "3! is no JSON object"],
        ),
        (
            list,
            "{\"x\":{\"y\":[{\"a\":1},\n{\"a\":]}}",
            &[
                "1: {\"a\":1}",
                "2! is not JSON at column 6; what follows in this file is not read",
            ],
        ),
        (list, "{\"x\":{\"y\":{}}}", &["1! has no list at $.x.y[*]"]),
        (list, "[{\"a\":1}]", &["1! has no list at $.x.y[*]"]),
        (list, "7", &["1! has no list at $.x.y[*]"]),
        (
            "format = \"json\"\nrows = \"$[*]\"",
            "[{\"a\":1},\n{\"a\":1.50}]",
            &["1: {\"a\":1}", "2: {\"a\":1.50}"],
        ),
        ("format = \"json\"\nrows = \"$[*]\"", "[]", &[]),
    ];
    for (file, text, wanted) in rows {
        assert_eq!(read_all(file, text), wanted, "{file} {text:?}");
    }
}
