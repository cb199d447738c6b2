//! Room on a disk.

use std::io;
use std::path::Path;

/// Bytes that this user may still write where `path` lies; a path that is not there yet is asked
/// for by its nearest folder that is.
///
/// # Errors
///
/// The operating system does not tell.
#[cfg(unix)]
pub fn free_bytes(path: &Path) -> io::Result<u64> {
    let path = std::path::absolute(path)?;
    let there = path
        .ancestors()
        .find(|folder| folder.exists())
        .unwrap_or(Path::new("/"));
    let disk = rustix::fs::statvfs(there)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Not known on this system.
///
/// # Errors
///
/// Always [`io::ErrorKind::Unsupported`].
#[cfg(not(unix))]
pub fn free_bytes(_: &Path) -> io::Result<u64> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_path_to_come_is_asked_for_by_its_folder() {
        let dir = tempfile::tempdir().expect("a folder");
        assert!(super::free_bytes(&dir.path().join("not/yet")).is_ok_and(|bytes| bytes > 0));
    }
}
