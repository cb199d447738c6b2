//! One value of a row: where its text is taken from, and the steps that make a value of it. Source:
//! docs/reference/layout.md, "Values".

use std::borrow::Cow;

use plan::Layout;
use plan::layout::{FileRules, Part, Place, Take, Template, Value};
use serde_json::Value as Json;

use super::row::Row;

/// A value that cannot be read, by the words for its place and for what is wrong. What stands there
/// is left out: it may be a person's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unread {
    pub(super) place: String,
    pub(super) why: &'static str,
}

/// A value. Absent: there is none.
pub(super) type Read<T> = Result<Option<T>, Unread>;

/// What places are looked up in.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) layout: &'a Layout,
    pub(super) row: &'a Row,
    /// What `@` stands for. Absent: nothing.
    pub(super) element: Option<&'a Json>,
    /// Absent: not known yet.
    pub(super) call_id: Option<&'a str>,
    /// Absent: not known yet, or no recording is read.
    pub(super) recording_id: Option<&'a str>,
}

/// A text without the blanks and control characters around it.
pub(super) fn bare(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c.is_control())
}

/// Whether a text stands for no value.
pub(super) fn is_none(text: &str, rules: &FileRules) -> bool {
    let text = bare(text);
    text.is_empty() || rules.null.iter().any(|null| null == text)
}

impl<'a> Scope<'a> {
    pub(super) fn of(layout: &'a Layout, row: &'a Row) -> Scope<'a> {
        Scope {
            layout,
            row,
            element: None,
            call_id: None,
            recording_id: None,
        }
    }

    /// A value after all steps.
    pub(super) fn read(&self, value: &Value) -> Read<String> {
        let text = match &value.take {
            Take::First(places) => self.first(places)?,
            Take::Text(template) => self.put_together(template)?.map(Cow::Owned),
            Take::Constant(text) => Some(Cow::Borrowed(text.as_str())),
        };
        let Some(text) = text.and_then(|text| self.with_value(text)) else {
            return Ok(None);
        };
        let text = match &value.pattern {
            None => text,
            Some(pattern) => {
                let found = pattern.0.captures(&text).ok_or_else(|| Unread {
                    place: place_of(value),
                    why: "it does not match its pattern",
                })?;
                let group = usize::from(pattern.0.captures_len() > 1);
                let cut = found.get(group).map_or("", |found| found.as_str());
                Cow::Owned(bare(cut).to_owned())
            }
        };
        let text = match &value.words {
            None => text.into_owned(),
            Some(table) => self.word(table, &text),
        };
        Ok(Some(text).filter(|text| !text.is_empty()))
    }

    /// The text without its blanks. Absent: it stands for none.
    fn with_value(&self, text: Cow<'a, str>) -> Option<Cow<'a, str>> {
        if is_none(&text, &self.layout.file) {
            return None;
        }
        Some(match text {
            Cow::Borrowed(text) => Cow::Borrowed(bare(text)),
            Cow::Owned(text) => Cow::Owned(bare(&text).to_owned()),
        })
    }

    /// The word for a code.
    fn word(&self, table: &str, code: &str) -> String {
        let table = self.layout.words.get(table);
        let word = table.and_then(|table| table.get(code).or_else(|| table.get("*")));
        word.map_or(code, String::as_str).to_owned()
    }

    /// The first of several places that has a value.
    fn first(&self, places: &[Place]) -> Result<Option<Cow<'a, str>>, Unread> {
        for place in places {
            if let Some(text) = self.at(place)? {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }

    /// The text at a place, without its blanks. Absent: there is no value.
    pub(super) fn at(&self, place: &Place) -> Result<Option<Cow<'a, str>>, Unread> {
        let from = match place {
            Place::Column(name) => return Ok(self.cell(self.row.named(name))),
            Place::Number(number) => return Ok(self.cell(self.row.numbered(*number))),
            Place::Row(_) => self.row.json(),
            Place::Element(_) => self.element,
        };
        let (Some(from), Place::Row(path) | Place::Element(path)) = (from, place) else {
            return Ok(None);
        };
        for node in path.query.query(from).all() {
            let text = match node {
                Json::Null => continue,
                Json::Bool(true) => Cow::Borrowed("true"),
                Json::Bool(false) => Cow::Borrowed("false"),
                Json::String(text) => Cow::Borrowed(text.as_str()),
                Json::Number(number) => Cow::Owned(number.to_string()),
                Json::Array(_) | Json::Object(_) => {
                    return Err(Unread {
                        place: place.to_string(),
                        why: "it is a list or an object",
                    });
                }
            };
            if let Some(text) = self.with_value(text) {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }

    fn cell(&self, cell: Option<&'a str>) -> Option<Cow<'a, str>> {
        self.with_value(Cow::Borrowed(cell?))
    }

    /// Absent: one of its places has no value.
    fn put_together(&self, template: &Template) -> Read<String> {
        let mut text = String::new();
        for part in &template.parts {
            match self.part(part)? {
                Some(part) => text.push_str(&part),
                None => return Ok(None),
            }
        }
        Ok(Some(text))
    }

    fn part<'b>(&'b self, part: &'b Part) -> Result<Option<Cow<'b, str>>, Unread> {
        Ok(match part {
            Part::Literal(text) => Some(Cow::Borrowed(text)),
            Part::CallId => self.call_id.map(Cow::Borrowed),
            Part::RecordingId => self.recording_id.map(Cow::Borrowed),
            Part::RowFolder => Some(Cow::Borrowed(self.row.file.folder())),
            Part::RowStem => Some(Cow::Borrowed(self.row.file.stem())),
            Part::Place(place) => self.at(place)?,
        })
    }

    /// A glob whose braces stand for texts that are matched as they are. Absent: one of its places
    /// has no value.
    pub(super) fn glob(&self, template: &Template) -> Read<Glob> {
        let mut glob = Glob::default();
        for part in &template.parts {
            match (part, self.part(part)?) {
                (_, None) => return Ok(None),
                // Braces are no alternatives here.
                (Part::Literal(text), _) => glob.push_pattern(text),
                (_, Some(text)) => glob.push_text(&text),
            }
        }
        Ok(Some(glob))
    }

    /// Whether the row counts at all.
    pub(super) fn counts(&self) -> Result<bool, Unread> {
        for (place, values) in &self.layout.only.0 {
            let text = self.at(place)?.unwrap_or_default();
            if values.iter().all(|value| *value != text) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// A glob, and the texts in it that every match has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Glob {
    /// In the syntax of `fast-glob`.
    pub(super) pattern: String,
    /// What stands in it between its wildcards, in order; the first begins every match, and the
    /// last ends it.
    pub(super) fixed: Vec<String>,
}

impl Glob {
    fn push_text(&mut self, text: &str) {
        for c in text.chars() {
            self.push_char(c);
        }
    }

    fn push_char(&mut self, c: char) {
        if self.pattern.is_empty() && c == '/' {
            return;
        }
        if matches!(c, '*' | '?' | '[' | ']' | '{' | '}' | '!' | '\\' | ',') {
            self.pattern.push('\\');
        }
        self.pattern.push(c);
        match self.fixed.last_mut() {
            Some(last) => last.push(c),
            None => self.fixed.push(c.to_string()),
        }
    }

    /// `*`, `?`, `**` and `[a-z]` are patterns.
    fn push_pattern(&mut self, text: &str) {
        let mut characters = text.chars();
        while let Some(c) = characters.next() {
            let rest = characters.as_str();
            match (c, rest.find(']')) {
                ('*' | '?', _) => {
                    // `**/` also stands for nothing, its slash included.
                    let takes_slash =
                        c == '*' && self.pattern.ends_with('*') && rest.starts_with('/');
                    self.pattern.push(c);
                    self.begin_fixed();
                    if takes_slash {
                        self.pattern.push('/');
                        characters.next();
                    }
                }
                ('[', Some(end)) => {
                    self.pattern.push('[');
                    self.pattern.push_str(&rest[..=end]);
                    characters = rest[end + 1..].chars();
                    self.begin_fixed();
                }
                _ => self.push_char(c),
            }
        }
    }

    fn begin_fixed(&mut self) {
        if self.fixed.is_empty() {
            self.fixed.push(String::new());
        }
        if self.fixed.last().is_some_and(|last| !last.is_empty()) || self.fixed.len() == 1 {
            self.fixed.push(String::new());
        }
    }

    /// Whether a path matches.
    pub(super) fn matches(&self, path: &str) -> bool {
        fast_glob::glob_match(&self.pattern, path)
    }
}

/// The place of a value, in words for a person.
pub(super) fn place_of(value: &Value) -> String {
    let places: Vec<String> = value.places().map(ToString::to_string).collect();
    places.join(", ")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::source::files::row::{Content, FileName, Header};

    fn layout(file: &str, value: &str, rest: &str) -> Layout {
        let text = format!(
            "layout_version = 1\n[file]\n{file}\n[call]\nid = {value}\nstart = {value}\nend = \
             {value}\n{rest}"
        );
        Layout::parse("layout.toml".as_ref(), &text).expect("a layout")
    }

    fn csv(cells: &[(&str, &str)]) -> Row {
        let (names, cells): (Vec<String>, Vec<String>) = cells
            .iter()
            .map(|(name, cell)| ((*name).to_owned(), (*cell).to_owned()))
            .unzip();
        Row {
            file: Arc::new(FileName {
                path: "2024/calls.csv".to_owned(),
            }),
            line: 2,
            content: Content::Cells(Arc::new(Header::of(&names)), cells),
        }
    }

    fn of_csv(value: &str, rest: &str) -> Read<String> {
        let layout = layout(
            "format = \"csv\"\nnull = [\"\", \"NULL\", \"n/a\"]",
            value,
            rest,
        );
        let row = csv(&[
            ("Id", " 17\u{a0}"),
            ("None", "NULL"),
            ("Agent", "Smith, A. ( 4711 )"),
            ("Dir", "I"),
            ("Dir", "O"),
            ("Path", "D:\\Rec\\a.wav"),
        ]);
        let scope = Scope {
            call_id: Some("c-1"),
            recording_id: Some("r-1"),
            ..Scope::of(&layout, &row)
        };
        scope.read(&layout.call.id)
    }

    #[test]
    fn a_value_is_taken_cut_and_translated() {
        const WORDS: &str =
            "[words.d]\nI = \"INBOUND\"\nO = \"\"\n[words.all]\n\"*\" = \"other\"\n";
        let rows = [
            ("\"Id\"", Some("17")),
            ("\" Id \"", Some("17")),
            ("\"id\"", None),
            ("\"None\"", None),
            ("[\"None\", \"Nowhere\", \"Id\"]", Some("17")),
            ("\"Dir\"", Some("I")),
            ("\"#5\"", Some("O")),
            ("\"#9\"", None),
            ("{ const = \" x \" }", Some("x")),
            ("{ text = \"{Id}/{Dir}{{}}\" }", Some("17/I{}")),
            ("{ text = \"{Id} {None}\" }", None),
            (
                "{ text = \"{call.id} {recording.id} {row.folder} {row.stem}\" }",
                Some("c-1 r-1 2024 calls"),
            ),
            (
                "{ column = \"Agent\", pattern = '\\(([^)]+)\\)$' }",
                Some("4711"),
            ),
            ("{ column = \"Id\", pattern = '[0-9]' }", Some("1")),
            ("{ column = \"Id\", pattern = '(x)?17' }", None),
            ("{ column = \"None\", pattern = 'x' }", None),
            ("{ column = \"Dir\", words = \"d\" }", Some("INBOUND")),
            ("{ column = \"#5\", words = \"d\" }", None),
            ("{ column = \"Id\", words = \"d\" }", Some("17")),
            ("{ column = \"Id\", words = \"all\" }", Some("other")),
            (
                "{ column = \"Path\", pattern = '^D:\\\\Rec\\\\(.*)$' }",
                Some("a.wav"),
            ),
        ];
        for (value, wanted) in rows {
            let read = of_csv(value, WORDS);
            assert_eq!(read, Ok(wanted.map(str::to_owned)), "{value}");
        }
        let unread = of_csv("{ column = \"Id\", pattern = 'x' }", "").expect_err("no match");
        assert_eq!(
            (unread.place.as_str(), unread.why),
            ("Id", "it does not match its pattern")
        );
    }

    #[test]
    fn a_path_finds_the_first_node_with_a_value() {
        let row = |json: &str| Row {
            content: Content::Json(serde_json::from_str(json).expect("JSON")),
            ..csv(&[])
        };
        let row = row(
            r#"{"n":1.50,"t":true,"f":false,"z":null,"e":" ","o":{"a":" x "},"l":[null,"",3],
                "parties":[{"role":"agent","tel":"1"},{"role":"customer","tel":"2"}]}"#,
        );
        let rows = [
            ("$.n", Ok(Some("1.50"))),
            ("$.t", Ok(Some("true"))),
            ("$.f", Ok(Some("false"))),
            ("$.z", Ok(None)),
            ("$.e", Ok(None)),
            ("$.missing", Ok(None)),
            ("$.o.a", Ok(Some("x"))),
            ("$.l[*]", Ok(Some("3"))),
            ("$.parties[?@.role=='customer'].tel", Ok(Some("2"))),
            ("$.o", Err("it is a list or an object")),
            ("$.l", Err("it is a list or an object")),
        ];
        for (path, wanted) in rows {
            let layout = layout("format = \"json\"", &format!("\"{path}\""), "");
            let read = Scope::of(&layout, &row).read(&layout.call.id);
            let read = read
                .as_ref()
                .map(Option::as_deref)
                .map_err(|unread| unread.why);
            assert_eq!(read, wanted, "{path}");
        }
    }

    #[test]
    fn rows_count_where_all_of_only_holds() {
        let row = csv(&[("Medium", " Voice "), ("Site", "")]);
        for (only, wanted) in [
            ("Medium = [\"Voice\", \"Video\"]", true),
            ("Medium = [\"Chat\"]", false),
            ("Medium = []", false),
            ("Medium = [\"Voice\"]\nSite = [\"\"]", true),
            ("Medium = [\"Voice\"]\nSite = [\"North\"]", false),
            ("Nowhere = [\"\"]", true),
        ] {
            let layout = layout("format = \"csv\"", "\"Id\"", &format!("[only]\n{only}\n"));
            assert_eq!(Scope::of(&layout, &row).counts(), Ok(wanted), "{only}");
        }
    }

    fn glob(files: &str, id: &str) -> Glob {
        let layout = layout(
            "format = \"csv\"",
            "\"Id\"",
            &format!("[recording]\neach = \"row\"\nfiles = '{files}'\n"),
        );
        let row = csv(&[("Id", id)]);
        let scope = Scope {
            call_id: Some(id),
            ..Scope::of(&layout, &row)
        };
        let files = layout.recording.as_ref().and_then(|of| of.files.as_ref());
        scope
            .glob(files.expect("a template"))
            .expect("readable")
            .expect("values")
    }

    #[test]
    fn what_braces_stand_for_in_a_glob_is_matched_as_it_is() {
        let rows = [
            ("**/{call.id}.*", "17", "17.wav", true),
            ("**/{call.id}.*", "17", "a/b/17.wav", true),
            ("**/{call.id}.*", "17", "a/b/170.wav", false),
            ("**/{call.id}.*", "*", "a/17.wav", false),
            ("**/{call.id}.*", "*", "a/*.wav", true),
            ("{call.id}?.wav", "[a]", "[a]1.wav", true),
            ("{call.id}?.wav", "[a]", "a1.wav", false),
            ("{call.id}", "!x", "!x", true),
            ("{call.id}", "!x", "y", false),
            ("/{row.folder}/*{call.id}*", "7", "2024/a7b.wav", true),
            ("*{call.id}*", "7", "2024/a7b.wav", false),
            ("a{{b,c}}.wav", "7", "ab.wav", false),
            ("a{{b,c}}.wav", "7", "a{b,c}.wav", true),
            ("[ab]{call.id}.wav", "7", "b7.wav", true),
            ("[ab]{call.id}.wav", "7", "c7.wav", false),
            ("{call.id}.wav", "a\\b", "a\\b.wav", true),
            ("{call.id}.wav", "\u{e9}{}", "\u{e9}{}.wav", true),
        ];
        for (files, id, path, wanted) in rows {
            assert_eq!(glob(files, id).matches(path), wanted, "{files} {id} {path}");
        }
        let fixed = |files| glob(files, "17").fixed;
        assert_eq!(fixed("**/{call.id}.*"), ["", "17.", ""]);
        assert_eq!(fixed("a/{call.id}_[0-9].wav"), ["a/17_", ".wav"]);
        assert_eq!(fixed("{call.id}.wav"), ["17.wav"]);
    }

    proptest! {
        #[test]
        fn a_text_in_a_glob_matches_itself_alone(
            text in "[a-c*?{}!,^ .\u{e9}\\\\\\[\\]-]{1,8}", other in "[a-c*?.]{1,8}",
        ) {
            let text = text.trim();
            prop_assume!(!text.is_empty());
            let glob = glob("{call.id}", text);
            prop_assert!(glob.matches(text), "{:?}", glob);
            prop_assert_eq!(glob.matches(&other), text == other);
        }

        #[test]
        fn any_text_is_cut_and_never_a_panic(text in "\\PC{0,20}") {
            let layout = layout("format = \"csv\"", "{ column = \"Id\", pattern = '(.)$' }", "");
            let row = csv(&[("Id", &text)]);
            let read = Scope::of(&layout, &row).read(&layout.call.id);
            prop_assert!(read.is_err() || read.is_ok_and(|read| read.is_none_or(|read| !read.is_empty())));
        }
    }
}
