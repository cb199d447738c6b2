//! Every file below a folder, as many as there are.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::handed::{broken, path_of};
use crate::run_error::RunError;
use crate::sorted_records::{RecordSorter, SortedRecords};

/// Folders within folders that are looked into: an archive lies four deep.
const DEEPEST: usize = 16;

/// A file, by the bytes of its path below the folder.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Found(Vec<u8>);

impl Found {
    pub(super) fn path(&self) -> PathBuf {
        path_of(&self.0)
    }
}

/// Every file below a folder, in the order of their paths. Links are not followed.
pub(super) fn walk(dir: &Path, spill: &Path) -> Result<SortedRecords<Found>, RunError> {
    let open = |folder: &Path| {
        std::fs::read_dir(folder).map_err(|error| broken(folder, &error.to_string()))
    };
    let mut files = RecordSorter::of_small(spill);
    // The folders on the way to where it is, each read as far as it is.
    let mut way = vec![(dir.to_owned(), open(dir)?)];
    while let Some((folder, entries)) = way.last_mut() {
        let Some(entry) = entries.next() else {
            way.pop();
            continue;
        };
        let entry = entry.map_err(|error| broken(folder, &error.to_string()))?;
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => {
                if way.len() == DEEPEST {
                    return Err(broken(dir, &format!("it is deeper than {DEEPEST} levels")));
                }
                let deeper = entry.path();
                let entries = open(&deeper)?;
                way.push((deeper, entries));
            }
            Ok(kind) if kind.is_file() => {
                let file = entry.path();
                let below = file.strip_prefix(dir).unwrap_or(&file);
                files.push(&key(below), &Found(below.as_os_str().as_bytes().to_owned()))?;
            }
            _ => {}
        }
    }
    files.sorted()
}

/// Sorts as paths do: step by step. No step holds a zero byte.
fn key(path: &Path) -> Vec<u8> {
    let mut key = Vec::new();
    for step in path.components() {
        key.extend_from_slice(step.as_os_str().as_bytes());
        key.push(0);
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_come_in_the_order_of_their_paths_and_links_are_left_alone() {
        let (dir, spill) = (
            tempfile::tempdir().expect("a folder"),
            tempfile::tempdir().expect("a folder"),
        );
        let names = ["b/z", "a.b", "a/c/d", "a/c.d", "a/b", "c"];
        for name in names {
            let file = dir.path().join(name);
            std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
            std::fs::write(file, name).expect("written");
        }
        std::os::unix::fs::symlink(dir.path().join("a"), dir.path().join("l")).expect("a link");
        let mut wanted = names.map(PathBuf::from);
        wanted.sort();
        let files = walk(dir.path(), spill.path()).expect("walked");
        let found: Vec<PathBuf> = files
            .iter()
            .map(|file| file.expect("read").path())
            .collect();
        assert_eq!(found, wanted);
    }

    #[test]
    fn a_folder_that_is_too_deep_is_refused() {
        let dir = tempfile::tempdir().expect("a folder");
        let steps = |count: usize| vec!["d"; count].join("/");
        std::fs::create_dir_all(dir.path().join(steps(DEEPEST - 1))).expect("made");
        assert!(walk(dir.path(), dir.path()).is_ok());
        std::fs::create_dir_all(dir.path().join(steps(DEEPEST))).expect("made");
        let error = walk(dir.path(), dir.path()).expect_err("too deep");
        assert!(error.to_string().contains("deeper than 16"), "{error}");
    }
}
