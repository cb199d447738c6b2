//! Where the bytes of an export are. Everything that is read of an export goes through [`Store`],
//! so that an object store is one more implementation of it.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// A tree of files, by paths with `/` from its root. All of it blocks.
pub(super) trait Store: Send + Sync {
    /// Every file, in the order of the bytes of the paths, with its length. Hidden ones and what
    /// lies behind a symbolic link to a folder are passed over.
    fn list(&self, take: &mut dyn FnMut(&str, u64) -> io::Result<()>) -> io::Result<()>;
    /// A file's length.
    fn look(&self, path: &str) -> io::Result<Found>;
    /// A file's bytes, from the first.
    fn open(&self, path: &str) -> io::Result<Box<dyn Read + Send>>;
}

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// A file of so many bytes.
    File(u64),
    /// Nothing.
    Nothing,
    /// A folder, or something else that is no file.
    NoFile,
    /// A link that leads out of the tree.
    Outside,
}

/// How the folders of metadata and of audio lie to each other.
pub(super) enum Overlap {
    /// Metadata lies in this folder below that of the audio; empty: they are one.
    MetadataInside(String),
    /// Audio lies in this folder below that of the metadata.
    AudioInside(String),
    /// Neither is in the other.
    Apart,
}

impl Overlap {
    pub(super) fn of(metadata: &Folder, audio: &Folder) -> Overlap {
        let below = |inner: &Path, outer: &Path| {
            let path = inner.strip_prefix(outer).ok()?.to_str()?;
            Some(if path.is_empty() {
                String::new()
            } else {
                format!("{path}/")
            })
        };
        match (
            below(&metadata.root, &audio.root),
            below(&audio.root, &metadata.root),
        ) {
            (Some(path), _) => Overlap::MetadataInside(path),
            (None, Some(path)) => Overlap::AudioInside(path),
            (None, None) => Overlap::Apart,
        }
    }

    /// A path below the audio folder as one below the metadata folder. `None`: it is not there.
    pub(super) fn in_metadata(&self, path: &str) -> Option<String> {
        match self {
            Overlap::MetadataInside(folder) => {
                path.strip_prefix(folder.as_str()).map(str::to_owned)
            }
            Overlap::AudioInside(folder) => Some(format!("{folder}{path}")),
            Overlap::Apart => None,
        }
    }
}

/// A folder of this machine.
pub(super) struct Folder {
    root: PathBuf,
}

impl Folder {
    /// The folder itself may be a symbolic link. The error says what it is instead.
    pub(super) fn open(path: &Path) -> io::Result<Folder> {
        let root = path.canonicalize()?;
        if !root.is_dir() {
            return Err(io::Error::other("it is no folder"));
        }
        Ok(Folder { root })
    }
}

impl Store for Folder {
    fn list(&self, take: &mut dyn FnMut(&str, u64) -> io::Result<()>) -> io::Result<()> {
        walk(&self.root, &self.root, "", take)
    }

    fn look(&self, path: &str) -> io::Result<Found> {
        at(&self.root, path)
    }

    fn open(&self, path: &str) -> io::Result<Box<dyn Read + Send>> {
        match self.look(path)? {
            Found::File(_) => Ok(Box::new(File::open(self.root.join(path))?)),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

/// What a path leads to, links followed as far as they stay in the tree.
fn at(root: &Path, path: &str) -> io::Result<Found> {
    let ended = match root.join(path).canonicalize() {
        Ok(ended) => ended,
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(Found::Nothing);
        }
        Err(error) => return Err(error),
    };
    if !ended.starts_with(root) {
        return Ok(Found::Outside);
    }
    let facts = ended.metadata()?;
    Ok(if facts.is_file() {
        Found::File(facts.len())
    } else {
        Found::NoFile
    })
}

/// `prefix`: of the folder, with `/` at its end; empty for the root.
fn walk(
    root: &Path,
    folder: &Path,
    prefix: &str,
    take: &mut dyn FnMut(&str, u64) -> io::Result<()>,
) -> io::Result<()> {
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| named(folder, &error))? {
        let entry = entry.map_err(|error| named(folder, &error))?;
        let kind = entry.file_type().map_err(|error| named(folder, &error))?;
        let Ok(name) = entry.file_name().into_string() else {
            return Err(io::Error::other(format!(
                "the name of {} is not UTF-8; rename it",
                entry.path().display()
            )));
        };
        if name.starts_with('.') {
            continue;
        }
        // A folder's files sort as if its name ended with `/`, which is how their paths go on.
        entries.push(if kind.is_dir() { name + "/" } else { name });
    }
    entries.sort_unstable();
    for name in entries {
        let path = format!("{prefix}{name}");
        if name.ends_with('/') {
            walk(root, &root.join(&path), &path, take)?;
        } else if let Found::File(bytes) = at(root, &path)? {
            take(&path, bytes)?;
        }
    }
    Ok(())
}

fn named(folder: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", folder.display()))
}

/// A path below a root as a source writes it, in the form of this module; the error says why it is
/// refused. Windows writes `\`, which no sound file's name has.
pub(super) fn relative(text: &str) -> Result<String, String> {
    let text = text.replace('\\', "/");
    let drive = |text: &str| {
        let mut chars = text.chars();
        chars.next().is_some_and(|c| c.is_ascii_alphabetic()) && chars.next() == Some(':')
    };
    if text.starts_with('/') || drive(&text) {
        return Err(format!(
            "the path `{text}` does not begin in the audio folder"
        ));
    }
    let parts: Vec<&str> = text
        .split('/')
        .filter(|part| !matches!(*part, "" | "."))
        .collect();
    if parts.contains(&"..") {
        return Err(format!("the path `{text}` leads out of the audio folder"));
    }
    if parts.is_empty() || text.contains('\0') {
        return Err(format!("`{}` is no path of a file", text.escape_debug()));
    }
    Ok(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_out_of_the_folder_is_refused() {
        for (text, path) in [
            ("a/b.wav", Ok("a/b.wav")),
            ("a\\b.wav", Ok("a/b.wav")),
            ("./a//b.wav", Ok("a/b.wav")),
            ("a/..b/c..wav", Ok("a/..b/c..wav")),
            ("../b.wav", Err("leads out")),
            ("a/../../b.wav", Err("leads out")),
            ("a\\..\\b.wav", Err("leads out")),
            ("/etc/passwd", Err("does not begin")),
            ("\\\\server\\share\\b.wav", Err("does not begin")),
            ("D:\\rec\\b.wav", Err("does not begin")),
            (".", Err("no path")),
        ] {
            match (relative(text), path) {
                (Ok(got), Ok(wanted)) => assert_eq!(got, wanted, "{text}"),
                (Err(why), Err(said)) => assert!(why.contains(said), "{text}: {why}"),
                (got, wanted) => panic!("{text}: {got:?}, not {wanted:?}"),
            }
        }
    }

    #[test]
    fn files_are_listed_by_the_bytes_of_their_paths_and_links_out_are_no_files() {
        let dir = tempfile::tempdir().expect("a folder");
        let outside = tempfile::tempdir().expect("a folder");
        std::fs::write(outside.path().join("secret.wav"), "x").expect("written");
        let root = dir.path().join("export");
        std::fs::create_dir_all(root.join("a")).expect("made");
        std::fs::create_dir_all(root.join(".hidden")).expect("made");
        for name in ["a.csv", "a/b.csv", "a0.csv", ".x.csv", ".hidden/y.csv"] {
            std::fs::write(root.join(name), "12").expect("written");
        }
        let link = |from: PathBuf, name: &str| {
            std::os::unix::fs::symlink(from, root.join(name)).expect("linked");
        };
        link(outside.path().join("secret.wav"), "out.wav");
        link(outside.path().to_owned(), "outside");
        link(root.join("a.csv"), "in.csv");
        let folder = Folder::open(&root).expect("a folder");
        let mut seen = Vec::new();
        folder
            .list(&mut |path, bytes| {
                seen.push((path.to_owned(), bytes));
                Ok(())
            })
            .expect("listed");
        let paths: Vec<&str> = seen.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(paths, ["a.csv", "a/b.csv", "a0.csv", "in.csv"]);
        for (path, found) in [
            ("a.csv", Found::File(2)),
            ("in.csv", Found::File(2)),
            ("out.wav", Found::Outside),
            ("outside/secret.wav", Found::Outside),
            ("a", Found::NoFile),
            ("none.wav", Found::Nothing),
            ("a.csv/none.wav", Found::Nothing),
        ] {
            assert_eq!(folder.look(path).expect("looked"), found, "{path}");
        }
        assert!(folder.open("out.wav").is_err());
    }
}
