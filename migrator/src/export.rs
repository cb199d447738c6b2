//! Files that are written for a person.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::RunError;

/// Writes beside the file and moves it into place, so that a reader never sees half of it.
pub(crate) struct Export {
    path: PathBuf,
    part: PathBuf,
    out: BufWriter<File>,
}

impl Export {
    pub(crate) fn create(path: &Path) -> Result<Export, RunError> {
        let part = output::private::part_of(path);
        let file = output::private::create(&part).map_err(|error| refuse(path, &error))?;
        Ok(Export {
            path: path.to_owned(),
            part,
            out: BufWriter::new(file),
        })
    }

    pub(crate) fn line(&mut self, line: &str) -> Result<(), RunError> {
        self.out
            .write_all(line.as_bytes())
            .and_then(|()| self.out.write_all(b"\n"))
            .map_err(|error| refuse(&self.path, &error))
    }

    pub(crate) fn finish(mut self) -> Result<(), RunError> {
        self.out
            .flush()
            .and_then(|()| std::fs::rename(&self.part, &self.path))
            .map_err(|error| refuse(&self.path, &error))
    }
}

pub(crate) fn refuse(path: &Path, error: &std::io::Error) -> RunError {
    let sentence = output::private::refusal(path, error);
    if output::private::is_bad_path(error) {
        RunError::Unwritable(sentence)
    } else {
        RunError::Storage(sentence)
    }
}
