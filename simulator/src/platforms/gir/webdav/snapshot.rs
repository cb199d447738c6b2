//! What a snapshot keeps of the store.

use std::path::Path;

use tempfile::TempDir;

use super::Webdav;
use super::file_system::AllProperties;

/// Its files, linked, and the properties that clients set. Locks are not kept: they are forgotten
/// in half a minute, or broken by who comes back.
pub(in crate::platforms::gir) struct Snapshot {
    /// Goes with the snapshot.
    folder: TempDir,
    properties: AllProperties,
}

impl Webdav {
    /// As it stands. A link is as good as a copy: a file of the store is replaced or removed, never
    /// written into.
    pub(in crate::platforms::gir) fn snapshot(&self, spool: &Path) -> std::io::Result<Snapshot> {
        let folder = tempfile::Builder::new()
            .prefix("snapshot-")
            .tempdir_in(spool)?;
        link_tree(&self.root(), &folder.path().join("recordings"))?;
        Ok(Snapshot {
            folder,
            properties: self.file_system.all_properties(),
        })
    }

    /// As it stood.
    pub(in crate::platforms::gir) fn restore(&self, snapshot: &Snapshot) -> std::io::Result<()> {
        let root = self.root();
        // The new tree is whole before the old one goes.
        let coming = self.waiting_room().join("coming-back");
        link_tree(&snapshot.folder.path().join("recordings"), &coming)?;
        std::fs::remove_dir_all(&root)?;
        std::fs::rename(&coming, &root)?;
        self.file_system
            .set_all_properties(snapshot.properties.clone());
        Ok(())
    }
}

/// The same folders with the same files: linked, or copied where the file system has no links.
fn link_tree(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            link_tree(&from, &to)?;
        } else if std::fs::hard_link(&from, &to).is_err() {
            std::fs::copy(&from, &to)?;
        }
    }
    Ok(())
}
