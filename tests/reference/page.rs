//! A Markdown page, cut up as far as the tests need it.

use std::path::{Path, PathBuf};

pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A page with its file name.
pub(crate) struct Page {
    pub(crate) name: String,
    pub(crate) text: String,
}

impl Page {
    /// A page of `docs/reference`.
    pub(crate) fn read(name: &str) -> Page {
        Page::of(&root().join("docs/reference").join(name))
    }

    pub(crate) fn of(path: &Path) -> Page {
        let text = std::fs::read_to_string(path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Page {
            name: path.file_name().unwrap().to_string_lossy().into_owned(),
            text,
        }
    }

    /// Every page of `docs/reference`, by name.
    pub(crate) fn all() -> Vec<Page> {
        let entries = std::fs::read_dir(root().join("docs/reference"))
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let mut paths: Vec<PathBuf> = entries
            .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
            .collect();
        paths.sort();
        paths.iter().map(|path| Page::of(path)).collect()
    }

    /// Lines outside code blocks, with their number.
    pub(crate) fn prose(&self) -> Vec<(usize, &str)> {
        let mut fenced = false;
        let mut lines = Vec::new();
        for (at, line) in self.text.lines().enumerate() {
            if line.trim_start().starts_with("```") {
                fenced = !fenced;
            } else if !fenced {
                lines.push((at + 1, line));
            }
        }
        lines
    }

    /// Whether the page names it as code: `` `it` ``.
    pub(crate) fn names(&self, word: &str) -> bool {
        self.text.contains(&format!("`{word}`"))
    }

    /// Panics unless the page names each of these as code.
    pub(crate) fn must_name<T: AsRef<str>>(&self, what: &str, words: impl IntoIterator<Item = T>) {
        let words = words.into_iter().map(|word| word.as_ref().to_owned());
        let lacking: Vec<String> = words.filter(|word| !self.names(word)).collect();
        assert!(
            lacking.is_empty(),
            "{} does not name these {what}: {}",
            self.name,
            lacking.join(", ")
        );
    }

    /// Bullets that begin with code, with what follows it, each on one line.
    pub(crate) fn bullets(&self) -> Vec<(String, String)> {
        let mut bullets: Vec<String> = Vec::new();
        let mut open = false;
        for (_, line) in self.prose() {
            if let Some(text) = line.strip_prefix("- `") {
                bullets.push(text.to_owned());
                open = true;
            } else if open && line.starts_with("  ") {
                let last = bullets.last_mut().unwrap();
                last.push(' ');
                last.push_str(line.trim());
            } else {
                open = false;
            }
        }
        let parts = bullets.iter().filter_map(|bullet| bullet.split_once('`'));
        parts
            .map(|(key, text)| (key.to_owned(), text.trim_start().to_owned()))
            .collect()
    }

    /// Cells of the first table below a heading, its head left out.
    pub(crate) fn rows(&self, heading: &str) -> Vec<Vec<String>> {
        let (_, below) = self
            .text
            .split_once(&format!("{heading}\n"))
            .unwrap_or_else(|| panic!("{} has no `{heading}`", self.name));
        let table = below
            .lines()
            .skip_while(|line| !line.starts_with('|'))
            .take_while(|line| line.starts_with('|'));
        let cells = |line: &str| {
            line.trim_matches('|')
                .split(" | ")
                .map(|cell| cell.trim().to_owned())
                .collect()
        };
        table.skip(2).map(cells).collect()
    }

    /// The whole page on one line.
    pub(crate) fn flat(&self) -> String {
        self.text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}
