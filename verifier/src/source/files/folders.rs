//! The folders of an export: which files hold metadata, and where audio is. Source:
//! docs/reference/layout.md, "Files and rows" and "How the audio file is found".

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use plan::layout::FileRules;

use super::row::last_part;
use super::value::Glob;

/// A file below a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// From the folder, with `/`; what is no UTF-8 in it is replaced.
    pub(super) path: String,
    /// Where it is.
    pub(super) file: PathBuf,
}

/// What could not be read below a folder.
#[derive(Debug)]
pub(super) struct Unlisted {
    pub(super) path: PathBuf,
    pub(super) error: io::Error,
}

/// All files below a folder in the order of the bytes of their paths. Names that begin with `.` and
/// folders that are symbolic links are passed over.
pub(super) fn files(root: &Path) -> Result<Vec<Found>, Unlisted> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let unlisted = |error| Unlisted {
            path: root.join(&folder),
            error,
        };
        for entry in std::fs::read_dir(root.join(&folder)).map_err(unlisted)? {
            let entry = entry.map_err(unlisted)?;
            let name = entry.file_name();
            if name.as_encoded_bytes().starts_with(b".") {
                continue;
            }
            let (path, kind) = (folder.join(&name), entry.file_type().map_err(unlisted)?);
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file() || (kind.is_symlink() && !root.join(&path).is_dir()) {
                found.push(path);
            }
        }
    }
    found.sort_by(|one, other| {
        let bytes = |path: &PathBuf| path.as_os_str().as_encoded_bytes().to_vec();
        bytes(one).cmp(&bytes(other))
    });
    let named = |path: PathBuf| Found {
        path: path.to_string_lossy().into_owned(),
        file: root.join(path),
    };
    Ok(found.into_iter().map(named).collect())
}

/// Whether a file holds metadata.
pub(super) fn is_metadata(path: &str, rules: &FileRules) -> bool {
    let matches = |globs: &[String]| globs.iter().any(|glob| fast_glob::glob_match(glob, path));
    let has_ending = || {
        let ending = last_part(path).rsplit_once('.').map(|(_, ending)| ending);
        ending.is_some_and(|own| {
            let mut endings = rules.format.endings().iter();
            endings.any(|ending| own.eq_ignore_ascii_case(ending))
        })
    };
    let is_meant = if rules.globs.is_empty() {
        has_ending()
    } else {
        matches(&rules.globs)
    };
    is_meant && !matches(&rules.except)
}

/// A path below the audio folder, as an export writes it; the error says why it is none.
pub(super) fn below(text: &str) -> Result<String, &'static str> {
    let text = text.replace('\\', "/");
    if text.starts_with('/') {
        return Err("it begins at the root");
    }
    let has_drive =
        |text: &[u8]| matches!(text, [letter, b':', ..] if letter.is_ascii_alphabetic());
    if has_drive(text.as_bytes()) {
        return Err("it begins with a drive letter");
    }
    let parts: Vec<&str> = text
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .collect();
    if parts.contains(&"..") {
        return Err("it has `..` in it");
    }
    if parts.is_empty() || text.contains('\0') {
        return Err("it names no file");
    }
    Ok(parts.join("/"))
}

/// Where audio is looked for.
pub(super) trait Audio {
    /// Whether a file is at this path.
    fn has(&self, path: &str) -> bool;

    /// The files that a glob matches, in the order of the bytes of their paths; no more than
    /// `most`.
    fn matching(&self, glob: &Glob, most: usize) -> Vec<String>;
}

/// The audio folder.
pub(super) struct AudioFolder {
    root: PathBuf,
    /// All that may be matched by a glob. Absent: the layout has none.
    listing: Option<Listing>,
}

impl AudioFolder {
    /// `root`: without symbolic links. `metadata`: files that are never audio, likewise. `globs`:
    /// whether files are looked for by globs.
    pub(super) fn open(
        root: PathBuf,
        metadata: &BTreeSet<PathBuf>,
        globs: bool,
    ) -> Result<AudioFolder, Unlisted> {
        let listing = globs.then(|| Listing::of(&root, metadata)).transpose()?;
        Ok(AudioFolder { root, listing })
    }

    /// The file at a path. Absent: there is none below this folder.
    pub(super) fn file(&self, path: &str) -> io::Result<Option<PathBuf>> {
        resolve(&self.root, Path::new(path))
    }
}

/// A regular file at this path below a folder, without symbolic links. Absent: there is none, or it
/// lies elsewhere.
fn resolve(root: &Path, path: &Path) -> io::Result<Option<PathBuf>> {
    use io::ErrorKind::{InvalidFilename, InvalidInput, NotADirectory, NotFound};
    let file = match std::fs::canonicalize(root.join(path)) {
        Ok(file) => file,
        Err(error) => {
            return match error.kind() {
                NotFound | NotADirectory | InvalidInput | InvalidFilename => Ok(None),
                _ => Err(error),
            };
        }
    };
    let is_below = file.starts_with(root) && file.is_file();
    Ok(is_below.then_some(file))
}

impl Audio for AudioFolder {
    fn has(&self, path: &str) -> bool {
        // One that is there and cannot be reached is told of when it is read.
        !matches!(self.file(path), Ok(None))
    }

    fn matching(&self, glob: &Glob, most: usize) -> Vec<String> {
        let Some(listing) = &self.listing else {
            return Vec::new();
        };
        listing.matching(glob, most)
    }
}

/// All files of a folder, so ordered that those with some text in their paths are found without
/// looking at each.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// In the order of their bytes.
    paths: Vec<String>,
    /// Numbers of paths in the order of their names, and of their names read backwards.
    by_name: Vec<u32>,
    by_end: Vec<u32>,
}

impl Listing {
    fn of(root: &Path, metadata: &BTreeSet<PathBuf>) -> Result<Listing, Unlisted> {
        let mut paths = Vec::new();
        for found in files(root)? {
            let relative = found.file.strip_prefix(root).unwrap_or(&found.file);
            let file = resolve(root, relative).map_err(|error| Unlisted {
                path: found.file.clone(),
                error,
            })?;
            if file.is_some_and(|file| !metadata.contains(&file)) {
                paths.push(found.path);
            }
        }
        Ok(Listing::new(paths))
    }

    pub(super) fn new(mut paths: Vec<String>) -> Listing {
        paths.sort_unstable();
        let numbers = || (0..u32::try_from(paths.len()).unwrap_or(u32::MAX)).collect::<Vec<u32>>();
        let name = |at: &u32| last_part(&paths[*at as usize]);
        let (mut by_name, mut by_end) = (numbers(), numbers());
        by_name.sort_unstable_by(|one, other| name(one).cmp(name(other)));
        by_end
            .sort_unstable_by(|one, other| name(one).bytes().rev().cmp(name(other).bytes().rev()));
        Listing {
            paths,
            by_name,
            by_end,
        }
    }

    pub(super) fn matching(&self, glob: &Glob, most: usize) -> Vec<String> {
        let mut found: Vec<u32> = self
            .candidates(glob)
            .filter(|at| glob.matches(&self.paths[*at as usize]))
            .take(most)
            .collect();
        found.sort_unstable();
        found
            .into_iter()
            .map(|at| self.paths[at as usize].clone())
            .collect()
    }

    /// Files among which are all that a glob matches.
    fn candidates<'a>(&'a self, glob: &'a Glob) -> Box<dyn Iterator<Item = u32> + 'a> {
        let name = |at: u32| last_part(&self.paths[at as usize]).as_bytes();
        let start = glob.fixed.first().map_or("", String::as_str).as_bytes();
        let end = glob.fixed.last().map_or("", String::as_str);
        let end = last_part(end).as_bytes();
        // What a name begins with is known where a wildcard for folders stands right before it.
        let name_start = match glob.fixed.as_slice() {
            [_, start, ..]
                if glob.pattern.starts_with("**/")
                    && !start.contains('/')
                    && !glob.pattern[3..].starts_with(['*', '?', '[']) =>
            {
                start.as_bytes()
            }
            _ => b"",
        };
        let between =
            |low: usize, high: usize, of: &'a [u32]| of[low..high.max(low)].iter().copied();
        if start.len() >= name_start.len().max(end.len()) && !start.is_empty() {
            let low = self.paths.partition_point(|own| own.as_bytes() < start);
            let many = self.paths[low..].partition_point(|own| own.as_bytes().starts_with(start));
            let range = low as u32..(low + many) as u32;
            return Box::new(range);
        }
        if name_start.len() >= end.len() && !name_start.is_empty() {
            let low = self.by_name.partition_point(|at| name(*at) < name_start);
            let many = self.by_name[low..].partition_point(|at| name(*at).starts_with(name_start));
            return Box::new(between(low, low + many, &self.by_name));
        }
        if !end.is_empty() {
            let reversed = |bytes: &[u8]| bytes.iter().rev().copied().collect::<Vec<u8>>();
            let wanted = reversed(end);
            let low = self
                .by_end
                .partition_point(|at| reversed(name(*at)) < wanted);
            let many = self.by_end[low..].partition_point(|at| name(*at).ends_with(end));
            return Box::new(between(low, low + many, &self.by_end));
        }
        let longest = glob.fixed.iter().max_by_key(|fixed| fixed.len());
        let longest = longest.map_or("", String::as_str);
        let all = 0..u32::try_from(self.paths.len()).unwrap_or(u32::MAX);
        Box::new(all.filter(move |at| self.paths[*at as usize].contains(longest)))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::sync::Arc;

    use plan::Layout;
    use proptest::prelude::*;

    use super::*;
    use crate::source::files::row::{Content, Row};
    use crate::source::files::value::Scope;

    fn rules(file: &str) -> FileRules {
        let text = format!(
            "layout_version = 1\n[file]\n{file}\n[call]\nid = {{ const = \"1\" }}\nstart = {{ const \
             = \"1\" }}\nend = {{ const = \"1\" }}\n"
        );
        Layout::parse("layout.toml".as_ref(), &text)
            .expect("a layout")
            .file
    }

    fn folder(paths: &[&str]) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().expect("a folder");
        let root = dir.path().canonicalize().expect("its path").join("in");
        for path in paths {
            let file = root.join(path);
            std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
            std::fs::write(file, "x").expect("written");
        }
        (dir, root)
    }

    #[test]
    fn files_are_found_in_the_order_of_their_bytes_without_hidden_and_linked_folders() {
        let (dir, root) = folder(&["b/x.csv", "b.csv", "b-a.csv", "a/.hidden.csv", ".c/d.csv"]);
        std::fs::create_dir(dir.path().join("out")).expect("made");
        std::fs::write(dir.path().join("out/e.csv"), "x").expect("written");
        symlink(dir.path().join("out"), root.join("linked")).expect("a link");
        symlink(dir.path().join("out/e.csv"), root.join("e.csv")).expect("a link");
        symlink(dir.path().join("nowhere"), root.join("z.csv")).expect("a link");
        let found: Vec<String> = files(&root)
            .expect("listed")
            .into_iter()
            .map(|found| found.path)
            .collect();
        assert_eq!(found, ["b-a.csv", "b.csv", "b/x.csv", "e.csv", "z.csv"]);
        let error = files(&root.join("nowhere")).expect_err("no folder");
        assert!(error.path.ends_with("nowhere"));
    }

    #[test]
    fn metadata_is_what_the_layout_says_or_what_has_the_formats_ending() {
        let csv = rules("format = \"csv\"");
        let ndjson = rules("format = \"ndjson\"\nexcept = [\"old/**\"]");
        let globs = rules(
            "format = \"csv\"\nwhere = [\"**/calls*.{csv,txt}\"]\nexcept = [\"**/*_old.csv\"]",
        );
        for (path, rules, wanted) in [
            ("a/b.CSV", &csv, true),
            ("csv", &csv, false),
            ("a.csv/b.wav", &csv, false),
            ("a.jsonl", &ndjson, true),
            ("old/a.jsonl", &ndjson, false),
            ("calls1.csv", &globs, true),
            ("x/y/calls.txt", &globs, true),
            ("x/calls_old.csv", &globs, false),
            ("x/other.csv", &globs, false),
        ] {
            assert_eq!(is_metadata(path, rules), wanted, "{path}");
        }
    }

    #[test]
    fn a_path_of_an_export_stays_below_the_folder() {
        for (text, wanted) in [
            ("a\\b\\.\\c.wav", Some("a/b/c.wav")),
            ("./a//b.wav", Some("a/b.wav")),
            ("a..b/..c", Some("a..b/..c")),
            ("a:b.wav", None),
            ("ab:c.wav", Some("ab:c.wav")),
            ("C:\\a.wav", None),
            ("/etc/passwd", None),
            ("\\\\server\\share\\a.wav", None),
            ("a/../../b", None),
            ("..", None),
            ("", None),
            (".", None),
            ("a\0b", None),
        ] {
            assert_eq!(below(text).ok().as_deref(), wanted, "{text:?}");
        }
    }

    #[test]
    fn audio_behind_a_link_counts_where_it_ends_below_the_folder() {
        let (dir, root) = folder(&["a/1.wav", "calls.csv"]);
        std::fs::write(dir.path().join("2.wav"), "x").expect("written");
        symlink(root.join("a"), root.join("b")).expect("a link");
        symlink(root.join("a/1.wav"), root.join("inside.wav")).expect("a link");
        symlink(dir.path().join("2.wav"), root.join("outside.wav")).expect("a link");
        symlink(dir.path(), root.join("up")).expect("a link");
        let metadata = BTreeSet::from([root.join("calls.csv")]);
        let audio = AudioFolder::open(root, &metadata, true).expect("opened");
        for (path, wanted) in [
            ("a/1.wav", true),
            ("b/1.wav", true),
            ("inside.wav", true),
            ("outside.wav", false),
            ("up/2.wav", false),
            ("up/in/a/1.wav", true),
            ("a", false),
            ("a/1.wav/x", false),
            ("3.wav", false),
            (&"x".repeat(5000), false),
        ] {
            assert_eq!(audio.has(path), wanted, "{path}");
        }
        let all = audio.listing.as_ref().map(|listing| listing.paths.clone());
        assert_eq!(all.unwrap_or_default(), ["a/1.wav", "inside.wav"]);
    }

    /// A glob of a layout, put together of these parts.
    fn glob(parts: &[String]) -> Option<Glob> {
        let escaped = |text: &str| text.replace('{', "{{").replace('}', "}}");
        let files: String = parts.iter().map(|text| escaped(text)).collect();
        let text = format!(
            "layout_version = 1\n[file]\nformat = \"csv\"\n[call]\nid = \"I\"\nstart = \"S\"\nend = \
             \"E\"\n[recording]\neach = \"row\"\nfiles = '{files}'\n"
        );
        let layout = Layout::parse("layout.toml".as_ref(), &text).expect("a layout");
        let row = Row {
            file: Arc::default(),
            line: 1,
            content: Content::Json(serde_json::Value::Null),
        };
        let files = layout.recording.as_ref()?.files.as_ref()?;
        Scope::of(&layout, &row).glob(files).expect("readable")
    }

    proptest! {
        #[test]
        fn a_listing_finds_what_a_look_at_each_path_would(
            paths in proptest::collection::btree_set("([ab]{1,2}/){0,2}[ab.]{1,3}", 0..25),
            parts in proptest::collection::vec(prop_oneof![
                "[ab./]{1,3}", Just("*".to_owned()), Just("?".to_owned()), Just("**/".to_owned()),
                Just("[ab]".to_owned()),
            ], 1..5),
        ) {
            let glob = glob(&parts).expect("a glob");
            let paths: Vec<String> = paths.into_iter().collect();
            let wanted: Vec<&String> = paths.iter().filter(|path| glob.matches(path)).collect();
            let found = Listing::new(paths.clone()).matching(&glob, usize::MAX);
            prop_assert_eq!(found.iter().collect::<Vec<_>>(), wanted, "{:?}", glob);
        }

        #[test]
        fn no_path_leaves_the_folder(text in "[a./\\\\:C ]{0,12}") {
            if let Ok(path) = below(&text) {
                prop_assert!(!Path::new(&path).is_absolute());
                prop_assert!(path.split('/').all(|part| !matches!(part, "" | "." | "..")));
            }
        }
    }
}
