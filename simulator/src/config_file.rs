//! A TOML file of which several readers take a part each, so that a mistake in any part is named
//! with file, line and key.

use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, Deserializer};

use crate::config_error::{ConfigError, in_words, nearest};

/// The text of a scenario file and where it comes from.
#[derive(Clone, Debug)]
pub struct ConfigFile {
    path: PathBuf,
    text: String,
    name: String,
    dir: PathBuf,
}

impl ConfigFile {
    /// Reads a file; relative paths in it start from its folder.
    ///
    /// # Errors
    ///
    /// The file is not there or not readable ([`ConfigError::Unreadable`]). Its text is not looked
    /// at yet.
    pub fn read(path: &Path) -> Result<ConfigFile, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        let name = path
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned())
            .unwrap_or_default();
        let dir = path.parent().map(Path::to_owned).unwrap_or_default();
        Ok(ConfigFile {
            path: path.to_owned(),
            text,
            name,
            dir,
        })
    }

    /// Takes text as a file; `name` stands for the file in messages, relative paths start from the
    /// working directory.
    pub fn of_text(text: &str, name: &str) -> ConfigFile {
        let path = PathBuf::from(name);
        ConfigFile {
            path,
            text: text.to_owned(),
            name: name.trim_end_matches(".toml").to_owned(),
            dir: PathBuf::new(),
        }
    }

    /// The file's name without its ending.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Folder that relative paths start from.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Looks for a key of the top level that is none of `known`: all that the file's readers take
    /// together.
    ///
    /// # Errors
    ///
    /// The text is no TOML, or has such a key ([`ConfigError::Invalid`], with its line and the
    /// nearest known key).
    pub fn check_keys(&self, known: &[&str]) -> Result<(), ConfigError> {
        let table = self.table()?;
        match table
            .get_ref()
            .keys()
            .find(|key| !known.contains(&key.get_ref().as_ref()))
        {
            Some(key) => {
                let unknown: &str = key.get_ref().as_ref();
                let near = nearest(unknown, known).unwrap_or_default();
                Err(self.error_at(
                    key.span(),
                    format!("unknown key `{unknown}`; the nearest known key is `{near}`"),
                ))
            }
            None => Ok(()),
        }
    }

    /// Reads one reader's part: these keys of the top level. The others are not looked at.
    ///
    /// # Errors
    ///
    /// The text is no TOML, or one of these keys holds what its reader does not take
    /// ([`ConfigError::Invalid`], with the line).
    pub fn part<T: DeserializeOwned>(&self, keys: &[&str]) -> Result<T, ConfigError> {
        let table = self.table()?;
        let span = table.span();
        let kept = table
            .into_inner()
            .into_iter()
            .filter(|(key, _)| keys.contains(&key.get_ref().as_ref()));
        T::deserialize(Deserializer::from(Spanned::new(
            span,
            kept.collect::<DeTable<'_>>(),
        )))
        .map_err(|error| self.of_toml(&error))
    }

    /// What is wrong at a span of the text.
    pub fn error_at(&self, span: Range<usize>, reason: impl Into<String>) -> ConfigError {
        let line = 1 + self
            .text
            .bytes()
            .take(span.start)
            .filter(|byte| *byte == b'\n')
            .count() as u64;
        ConfigError::at(&self.path, line, reason)
    }

    /// What is wrong in a section: at the line where `heading` stands first, or at the file's first
    /// line.
    pub(crate) fn error_in(&self, heading: &str, reason: impl Into<String>) -> ConfigError {
        let at = self.text.find(heading).unwrap_or_default();
        self.error_at(at..at, reason)
    }

    fn table(&self) -> Result<Spanned<DeTable<'_>>, ConfigError> {
        DeTable::parse(&self.text).map_err(|error| self.of_toml(&error))
    }

    fn of_toml(&self, error: &toml::de::Error) -> ConfigError {
        self.error_at(error.span().unwrap_or_default(), in_words(error.message()))
    }
}
