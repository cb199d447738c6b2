//! What a process holds on disk in a folder, files without a name among it.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Watches a process until it is asked.
pub(crate) struct DiskWatch {
    most: Arc<Most>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Most {
    all: AtomicU64,
    kept: AtomicU64,
    is_over: AtomicBool,
}

/// Bytes at their most.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Disk {
    pub(crate) all: u64,
    /// Of them readings that an interrupted verification would go on with.
    pub(crate) kept: u64,
}

impl DiskWatch {
    #[expect(
        clippy::disallowed_methods,
        reason = "a process is watched by the wall clock"
    )]
    pub(crate) fn start(process: u32, folder: &Path) -> DiskWatch {
        let most = Arc::new(Most::default());
        let (seen, folder) = (most.clone(), folder.to_owned());
        let thread = std::thread::spawn(move || {
            while !seen.is_over.load(Ordering::Relaxed) {
                let (all, kept) = (unnamed(process, &folder), named(&folder));
                seen.all.fetch_max(all + kept.0, Ordering::Relaxed);
                seen.kept.fetch_max(kept.1, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(50));
            }
        });
        DiskWatch {
            most,
            thread: Some(thread),
        }
    }

    pub(crate) fn most(mut self) -> Disk {
        self.most.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        Disk {
            all: self.most.all.load(Ordering::Relaxed),
            kept: self.most.kept.load(Ordering::Relaxed),
        }
    }
}

/// Of files that the process has open and that have no name any more. Source: proc(5),
/// /proc/pid/fd: the link of such a file ends in ` (deleted)`.
fn unnamed(process: u32, folder: &Path) -> u64 {
    let Ok(open) = std::fs::read_dir(format!("/proc/{process}/fd")) else {
        return 0;
    };
    let is_ours =
        |link: &PathBuf| link.starts_with(folder) && link.to_string_lossy().ends_with(" (deleted)");
    open.flatten()
        .map(|entry| entry.path())
        .filter(|path| std::fs::read_link(path).is_ok_and(|link| is_ours(&link)))
        .filter_map(|path| std::fs::metadata(path).ok())
        .map(|file| file.size())
        .sum()
}

/// Of files that lie in the folder, and of these readings that are kept.
fn named(folder: &Path) -> (u64, u64) {
    let (mut all, mut kept) = (0, 0);
    for file in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let bytes = file.metadata().map_or(0, |file| file.size());
        all += bytes;
        if file.file_name() == ".kept.jsonl" {
            kept += bytes;
        }
    }
    (all, kept)
}
