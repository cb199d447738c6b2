//! Layouts as files: what is read, and what is refused with which words.

use std::path::Path;

use plan::Layout;
use plan::layout::{Each, LengthUnit, Part, Place, RowsPerCall, Take, TimeFormat};

/// The layout of the reference page.
fn documented() -> String {
    let page = include_str!("../../docs/reference/layout.md");
    let (_, after) = page.split_once("```toml\n").expect("an example");
    after.split_once("```").expect("its end").0.to_owned()
}

fn refused(text: &str) -> String {
    Layout::parse(Path::new("layout.toml"), text)
        .expect_err("refused")
        .to_string()
}

const CSV: &str = r#"
layout_version = 1
[file]
format = "csv"
[call]
id = "Id"
start = "Start"
end = "End"
"#;

#[test]
fn the_documented_layout_is_read_whole() {
    let layout = Layout::parse(Path::new("layout.toml"), &documented()).expect("a layout");
    assert_eq!(layout.call.rows, RowsPerCall::Many);
    assert_eq!(layout.file.separator, b';');
    assert_eq!(layout.time.lengths, LengthUnit::Hms);
    assert_eq!(
        layout.time.format[0],
        TimeFormat::Strptime("%d/%m/%Y %H:%M:%S".to_owned())
    );
    let Take::Text(template) = &layout.call.start.take else {
        panic!("{:?}", layout.call.start);
    };
    let parts: Vec<String> = template
        .parts
        .iter()
        .map(|part| match part {
            Part::Literal(text) => format!("[{text}]"),
            Part::Place(place) => place.to_string(),
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(parts, ["Date", "[ ]", "Time"]);
    let recording = layout.recording.as_ref().expect("recordings");
    assert!(matches!(recording.each, Each::Row));
    let file = recording.condition().expect("its file");
    assert!(
        matches!(&file.take, Take::First(places) if matches!(&places[..], [Place::Column(name)] if name == "Path"))
    );
}

#[test]
fn a_short_layout_has_the_documented_defaults() {
    let layout = Layout::parse(Path::new("layout.toml"), CSV).expect("a layout");
    assert_eq!(layout.file.encoding.0.name(), "UTF-8");
    assert_eq!((layout.file.separator, layout.file.quote), (b',', b'"'));
    assert!(layout.file.header && layout.file.null == [""]);
    assert_eq!(layout.time.format, [TimeFormat::Iso]);
    assert_eq!(layout.call.rows, RowsPerCall::One);
    assert!(layout.only.0.is_empty() && layout.segment.is_none() && layout.recording.is_none());
}

#[test]
fn what_is_wrong_in_a_layout_is_named_with_its_line_or_key() {
    let json = CSV
        .replace("csv", "json")
        .replace("\"Id\"", "\"$.id\"")
        .replace("\"Start\"", "\"$.start\"")
        .replace("\"End\"", "\"$.end\"");
    let rows: [(String, &str); 24] = [
        (
            CSV.replace("layout_version = 1", "layout_version = 2"),
            "reads version 1",
        ),
        (
            CSV.replace("end = \"End\"", ""),
            "call.end or call.duration is required",
        ),
        (CSV.replace("id = \"Id\"\n", ""), "missing field `id`"),
        (
            CSV.replace("format = \"csv\"", "formt = \"csv\""),
            "line 4: unknown key `formt`; the nearest known key is `format`",
        ),
        (
            CSV.replace("\"Id\"", "{ colum = \"Id\" }"),
            "line 6: unknown key `colum`; the nearest known key is `column`",
        ),
        (
            CSV.replace("\"Id\"", "{ column = \"Id\", const = \"1\" }"),
            "line 6: a value has exactly one of",
        ),
        (
            CSV.replace("\"Id\"", "{ text = \"{Id\" }"),
            "a brace without its other one",
        ),
        (
            CSV.replace("\"Id\"", "{ column = \"Id\", pattern = \"(\" }"),
            "not a regular expression",
        ),
        (
            CSV.replace("\"Id\"", "{ column = \"Id\", words = \"ids\" }"),
            "call.id: there is no table [words.ids]",
        ),
        (
            CSV.replace("\"Start\"", "{ column = \"Start\", format = \"dd/mm\" }"),
            "`dd/mm` is not a format of times",
        ),
        (
            CSV.replace("\"Start\"", "{ column = \"Start\", format = \"%E\" }"),
            "`%E` is not a format of times",
        ),
        (
            CSV.replace(
                "\"Start\"",
                "{ column = \"Start\", zone = \"Europe/Londn\" }",
            ),
            "call.start.zone `Europe/Londn` is not an IANA time zone",
        ),
        (
            CSV.replace("\"Id\"", "\"$.id\""),
            "call.id: `$.id` is a JSON path, and file.format is csv",
        ),
        (CSV.replace("\"Id\"", "\"#0\""), "not a column's number"),
        (
            json.replace("\"$.id\"", "\"id\""),
            "call.id: `id` is a column, and file.format is not csv",
        ),
        (
            json.replace("\"$.id\"", "\"$..[\""),
            "not a JSONPath of RFC 9535",
        ),
        (
            json.replace("\"$.id\"", "\"@.id\""),
            "call.id: `@.id` begins at an element",
        ),
        (
            json.replace("\"json\"", "\"json\"\nrows = \"contacts\""),
            "is not a list of a document such as",
        ),
        (
            CSV.replace("\"csv\"", "\"csv\"\nheader = false"),
            "there is no header",
        ),
        (
            CSV.replace("\"csv\"", "\"csv\"\nseparator = \"::\""),
            "not one ASCII character",
        ),
        (
            CSV.replace("\"csv\"", "\"csv\"\nencoding = \"utf-9\""),
            "`utf-9` is not an encoding",
        ),
        (
            format!("{CSV}[recording]\neach = \"row\"\n"),
            "exactly one of `file` and `files`",
        ),
        (
            format!("{CSV}[recording]\neach = \"file\"\nid = \"Id\"\nfiles = \"x\"\n"),
            "recording.id is refused",
        ),
        (
            format!("{CSV}[attributes]\n\"a b\" = \"Id\"\n"),
            "a name takes 1 to 40",
        ),
    ];
    for (text, said) in rows {
        let refused = refused(&text);
        assert!(refused.contains(said), "{said}: {refused}");
        assert!(refused.starts_with("layout.toml"), "{refused}");
    }
}

#[test]
fn every_preset_is_a_layout_that_says_where_its_facts_are_from() {
    let names = plan::layout::preset_names();
    assert!(names.len() >= 6 && names.is_sorted(), "{names:?}");
    for name in names {
        let layout = Layout::preset(name).unwrap_or_else(|error| panic!("{error}"));
        assert!(
            layout.about.is_some() && layout.recording.is_some(),
            "{name}"
        );
        let text = plan::layout::preset_text(name).expect("its text");
        assert!(text.contains("# assumed"), "{name} names no assumption");
    }
    let refused = Layout::preset("amazon_conect")
        .expect_err("refused")
        .to_string();
    assert!(
        refused.contains("the nearest is `amazon_connect`"),
        "{refused}"
    );
}

#[test]
fn the_schema_states_characters_as_they_are_written() {
    let schema = schemars::schema_for!(Layout);
    let file = schema.pointer("/$defs/FileRules/properties");
    for (key, character) in [("separator", ","), ("quote", "\"")] {
        let default = file.and_then(|keys| keys.pointer(&format!("/{key}/default")));
        assert_eq!(
            default.and_then(|default| default.as_str()),
            Some(character),
            "{key}"
        );
    }
}
