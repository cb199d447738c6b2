//! Files and folders for their owner alone, and what to say when a disk refuses.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// From here on this process and its children make files and folders for their owner alone. What
/// opens files by itself (a database's side files, an object store, a temporary file) follows it;
/// what is named below does so anyway. Once, when the program starts.
pub fn owner_only() {
    #[cfg(unix)]
    rustix::process::umask(rustix::fs::Mode::from_bits_truncate(0o077));
}

/// Makes a folder and those above it that are missing, each 0700. One that is there stays as it is:
/// it may be shared on purpose.
///
/// # Errors
///
/// A folder cannot be made, such as where a file stands in its place.
pub fn folder(path: &Path) -> io::Result<()> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path)
}

/// The same for a folder in which nobody else has anything to do: one that is there is made 0700
/// too.
///
/// # Errors
///
/// The folder cannot be made, or its mode cannot be changed.
pub fn own_folder(path: &Path) -> io::Result<()> {
    folder(path)?;
    narrow(path, &std::fs::metadata(path)?, 0o700)
}

/// A new file, empty, 0600. One that is there is emptied, and its mode made 0600 before anything is
/// written.
///
/// # Errors
///
/// The file cannot be opened to write, or its mode cannot be changed.
pub fn create(path: &Path) -> io::Result<File> {
    opened(
        path,
        OpenOptions::new().write(true).create(true).truncate(true),
    )
}

/// A file to write on at its end, 0600, made if absent.
///
/// # Errors
///
/// The file cannot be opened to write, or its mode cannot be changed.
pub fn append(path: &Path) -> io::Result<File> {
    opened(path, OpenOptions::new().append(true).create(true))
}

/// A file to read and write anywhere, 0600, made if absent and left as it is if not: for a
/// database, whose side files take its mode.
///
/// # Errors
///
/// The file cannot be opened to read and write, or its mode cannot be changed.
pub fn keep(path: &Path) -> io::Result<File> {
    opened(
        path,
        OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false),
    )
}

fn opened(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    let file = options.open(path)?;
    let found = file.metadata()?;
    // A device or a pipe is somebody else's.
    if found.is_file() {
        narrow(path, &found, 0o600)?;
    }
    Ok(file)
}

#[cfg(unix)]
fn narrow(path: &Path, found: &std::fs::Metadata, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if found.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode))
}

#[cfg(not(unix))]
fn narrow(_: &Path, _: &std::fs::Metadata, _: u32) -> io::Result<()> {
    Ok(())
}

/// Writes a whole file, 0600, in place. For what may be a device or a pipe; [`replace`] for the
/// rest.
///
/// # Errors
///
/// The file cannot be opened, or not all of it can be written.
pub fn write(path: &Path, bytes: impl AsRef<[u8]>) -> io::Result<()> {
    create(path)?.write_all(bytes.as_ref())
}

/// Writes a whole file, 0600: beside it first, to the disk, then in its place, so that a reader
/// never sees half of it and a kill leaves the old one.
///
/// # Errors
///
/// The file beside it cannot be written whole, or cannot be renamed. It is removed then, and the
/// old one stays.
pub fn replace(path: &Path, bytes: impl AsRef<[u8]>) -> io::Result<()> {
    let part = part_of(path);
    let written = create(&part).and_then(|mut file| {
        file.write_all(bytes.as_ref())?;
        file.sync_all()
    });
    written
        .and_then(|()| std::fs::rename(&part, path))
        .inspect_err(|_| drop(std::fs::remove_file(&part)))
}

/// Where [`replace`] writes first: `.NAME.part` in the same folder.
#[must_use]
pub fn part_of(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".part");
    path.with_file_name(name)
}

/// Makes a file in a folder and takes it away again, to know whether work that is to come can write
/// there. Folders that are missing are not made: the nearest one that is there is asked.
///
/// # Errors
///
/// Nothing can be written there: no permission, or no space.
pub fn probe(folder: &Path) -> io::Result<()> {
    let folder = std::path::absolute(folder)?;
    let there = folder
        .ancestors()
        .find(|folder| folder.exists())
        .unwrap_or(Path::new("/"));
    let path = there.join(format!(".seatrial-probe-{}", std::process::id()));
    let written = create(&path).and_then(|mut file| {
        file.write_all(&[0; 4096])?;
        file.sync_all()
    });
    let _ = std::fs::remove_file(&path);
    written
}

/// One sentence about a file that cannot be written: path, cause, and what to do.
#[must_use]
pub fn refusal(path: &Path, error: &io::Error) -> String {
    format!("cannot write {}: {error}{}", path.display(), remedy(error))
}

/// What to do about it, with the `; ` before it. Empty: the cause says all there is.
#[must_use]
pub fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "; make room there",
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "; let this user write there, or name another place"
        }
        io::ErrorKind::NotFound => "; make the folder first, or name another place",
        io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory => "; name another place",
        _ => "",
    }
}

/// Whether the path itself is at fault, so that trying again cannot help.
#[must_use]
pub fn is_bad_path(error: &io::Error) -> bool {
    use io::ErrorKind::{
        InvalidFilename, InvalidInput, IsADirectory, NotADirectory, NotFound, PermissionDenied,
        ReadOnlyFilesystem,
    };
    matches!(
        error.kind(),
        NotFound
            | PermissionDenied
            | NotADirectory
            | IsADirectory
            | ReadOnlyFilesystem
            | InvalidInput
            | InvalidFilename
    )
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).expect("there").permissions().mode() & 0o777
    }

    #[test]
    fn whatever_stood_there_ends_for_its_owner_alone() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = |name: &str| dir.path().join(name);
        for name in ["create", "append", "keep", "write", "replace"] {
            std::fs::write(path(name), "old").expect("written");
            std::fs::set_permissions(path(name), PermissionsExt::from_mode(0o666))
                .expect("open to all");
        }
        drop(create(&path("create")).expect("made"));
        append(&path("append"))
            .and_then(|mut file| file.write_all(b"new"))
            .expect("written");
        drop(keep(&path("keep")).expect("made"));
        write(&path("write"), "new").expect("written");
        replace(&path("replace"), "new").expect("written");
        for (name, text) in [
            ("create", ""),
            ("append", "oldnew"),
            ("keep", "old"),
            ("write", "new"),
            ("replace", "new"),
        ] {
            assert_eq!(
                (
                    mode(&path(name)),
                    std::fs::read_to_string(path(name)).expect("text").as_str()
                ),
                (0o600, text),
                "{name}"
            );
        }
        folder(&path("a/b")).expect("made");
        assert_eq!((mode(&path("a")), mode(&path("a/b"))), (0o700, 0o700));
        std::fs::set_permissions(path("a"), PermissionsExt::from_mode(0o755)).expect("open to all");
        folder(&path("a")).expect("there");
        assert_eq!(mode(&path("a")), 0o755, "it may be shared on purpose");
        own_folder(&path("a")).expect("there");
        assert_eq!(mode(&path("a")), 0o700);
        probe(&path("not/yet")).expect("it can be written");
        assert_eq!(
            std::fs::read_dir(dir.path()).expect("a folder").count(),
            6,
            "no probe and no part is left"
        );
    }

    #[test]
    fn a_refusal_says_path_cause_and_remedy() {
        let error = create(Path::new("/nonexistent/x.csv")).expect_err("no folder");
        let sentence = refusal(Path::new("/nonexistent/x.csv"), &error);
        assert!(
            sentence.starts_with("cannot write /nonexistent/x.csv: ")
                && sentence.ends_with("; make the folder first, or name another place")
        );
        assert!(is_bad_path(&error));
        let full = write(Path::new("/dev/full"), "x").expect_err("full");
        assert!(
            !is_bad_path(&full)
                && refusal(Path::new("/dev/full"), &full).ends_with("; make room there")
        );
    }
}
