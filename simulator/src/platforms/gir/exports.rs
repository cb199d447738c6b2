//! What a site hands to an auditor who gets no ops account: an archive of the crypto server, the
//! store as a folder and as a listing, SpeechMiner's rows.
//!
//! Source: Archiving (folders and recording.json); programs that read SpeechMiner's database (its
//! columns).

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::recordings::in_path;
use super::state::Recording;
use super::{Gir, Webdav, rules};

/// The tenant of media that name none: the Configuration Server's own.
const TENANT: &str = "Environment";

/// Where everything lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// `<contact centre>/<tenant>/<yyyy-mm-dd>/<id>/recording.json`.
    pub archive: PathBuf,
    /// The store's files; its root is the store's.
    pub files: PathBuf,
    /// A listing of the store: `href,size,sha256`, each href as PROPFIND tells it.
    pub files_csv: PathBuf,
    /// SpeechMiner's calls, one row a file: `externalId,callTime,callDuration,folder,filename`.
    pub speechminer_csv: PathBuf,
}

/// Why nothing, or not all, was exported.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Something stands there that an export would mix with.
    #[error("{} is there already; choose an empty folder", .0.display())]
    Exists(PathBuf),
    /// A file could not be read or written.
    #[error("could not export to {}: {source}; choose a folder that can be written to", .path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Names a path in an error.
fn at(path: &Path) -> impl FnOnce(std::io::Error) -> ExportError + '_ {
    |source| ExportError::Io {
        path: path.to_owned(),
        source,
    }
}

impl Gir {
    /// Writes what a site exports into a folder; with media, each recording's files stand beside
    /// its `recording.json` too.
    pub(crate) fn write_exports(
        &self,
        dir: &Path,
        with_media: bool,
    ) -> Result<Exported, ExportError> {
        self.mark(&rules::EXPORTS);
        let exported = Exported {
            archive: dir.join("archive"),
            files: dir.join("files"),
            files_csv: dir.join("files.csv"),
            speechminer_csv: dir.join("speechminer.csv"),
        };
        for path in [
            &exported.archive,
            &exported.files,
            &exported.files_csv,
            &exported.speechminer_csv,
        ] {
            if path.exists() {
                return Err(ExportError::Exists(path.clone()));
            }
        }
        for folder in [&exported.archive, &exported.files] {
            output::private::folder(folder).map_err(at(folder))?;
        }
        let held: Vec<Recording> = self
            .state()
            .recordings
            .values()
            .filter(|held| self.is_shown(held))
            .cloned()
            .collect();
        held.iter()
            .try_for_each(|recording| self.archive(recording, &exported.archive, with_media))?;
        self.export_files(&exported)?;
        let rows = self.speechminer_rows();
        write_csv(
            &exported.speechminer_csv,
            "externalId,callTime,callDuration,folder,filename",
            rows,
        )?;
        Ok(exported)
    }

    fn archive(&self, held: &Recording, root: &Path, with_media: bool) -> Result<(), ExportError> {
        let tenant = held
            .media
            .iter()
            .find_map(|file| file.tenant.as_deref())
            .unwrap_or(TENANT);
        let day = held.span().0.in_truth();
        let day = day.split('T').next().unwrap_or_default();
        let [tenant, id] = [tenant, &held.id].map(|step| in_path(step).to_string());
        let folder = root
            .join(&self.settings.contact_center_id)
            .join(tenant)
            .join(day)
            .join(id);
        output::private::folder(&folder).map_err(at(&folder))?;
        let path = folder.join("recording.json");
        let text = serde_json::to_string_pretty(&self.whole(held)).unwrap_or_default();
        output::private::write(&path, text).map_err(at(&path))?;
        if with_media {
            let stored = held
                .media
                .iter()
                .filter_map(|file| self.webdav().file_of(&file.descriptor.path))
                .filter(|path| path.is_file());
            for path in stored {
                let copy = folder.join(path.file_name().unwrap_or_default());
                fs::copy(&path, &copy).map_err(at(&copy))?;
            }
        }
        Ok(())
    }

    /// The store as a folder, and its listing.
    fn export_files(&self, exported: &Exported) -> Result<(), ExportError> {
        let mut rows = Vec::new();
        for (steps, path) in self.webdav().files().map_err(at(&exported.files))? {
            let copy = steps
                .iter()
                .fold(exported.files.clone(), |at, step| at.join(step));
            if let Some(folder) = copy.parent() {
                output::private::folder(folder).map_err(at(folder))?;
            }
            let bytes = fs::read(&path).map_err(at(&path))?;
            output::private::write(&copy, &bytes).map_err(at(&copy))?;
            rows.push(vec![
                Webdav::href(&steps),
                bytes.len().to_string(),
                hex::encode(Sha256::digest(&bytes)),
            ]);
        }
        write_csv(&exported.files_csv, "href,size,sha256", rows)
    }

    /// A row for each file of each post, by id.
    fn speechminer_rows(&self) -> Vec<Vec<String>> {
        let held = self.speechminer().held();
        let rows = held.iter().flat_map(|(id, posted)| {
            let time = posted
                .start()
                .map(|start| start.0.div_euclid(1_000).to_string())
                .unwrap_or_default();
            let row = move |(folder, name): (&str, &str)| {
                vec![
                    id.clone(),
                    time.clone(),
                    posted.duration_s().to_string(),
                    folder.to_owned(),
                    name.to_owned(),
                ]
            };
            let rows: Vec<Vec<String>> = posted.places().into_iter().map(row).collect();
            (0..posted.posts).flat_map(move |_| rows.clone())
        });
        rows.collect()
    }
}

fn write_csv(path: &Path, header: &str, rows: Vec<Vec<String>>) -> Result<(), ExportError> {
    let mut writer = csv::Writer::from_path(path).map_err(|error| ExportError::Io {
        path: path.to_owned(),
        source: error.into(),
    })?;
    let mut write = || -> std::io::Result<()> {
        writer.write_record(header.split(','))?;
        rows.iter().try_for_each(|row| writer.write_record(row))?;
        writer.flush()
    };
    write().map_err(at(path))
}
