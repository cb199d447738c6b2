//! Where in the store a path leads: below its root, or nowhere.

use std::path::{Path, PathBuf};

use percent_encoding::percent_decode_str;
use url::Url;

/// Where the store is mounted, as in the vendor's configuration.
pub(in crate::platforms::gir) const MOUNT: &str = "/recordings";

/// A file or collection of the store, by the steps that lead to it; none: the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place(Vec<String>);

/// Why a path leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nowhere {
    /// It is not below the mount.
    Elsewhere,
    /// A step could lead out of the store, or is no text.
    Unsafe,
}

impl Place {
    /// Reads the path of an address, percent-encoded as it came.
    pub(super) fn of(path: &str) -> Result<Place, Nowhere> {
        let below = path
            .strip_prefix(MOUNT)
            .filter(|rest| rest.is_empty() || rest.starts_with('/'))
            .ok_or(Nowhere::Elsewhere)?;
        let steps = below.split('/').filter(|step| !step.is_empty());
        steps
            .map(|step| decoded(step).ok_or(Nowhere::Unsafe))
            .collect::<Result<_, _>>()
            .map(Place)
    }

    /// Reads a whole address; one of another server than `base` leads elsewhere.
    pub(super) fn of_address(address: &str, base: &str) -> Result<Place, Nowhere> {
        let (address, base) = Url::parse(address)
            .ok()
            .zip(Url::parse(base).ok())
            .ok_or(Nowhere::Elsewhere)?;
        if address.origin() != base.origin() {
            Err(Nowhere::Elsewhere)
        } else {
            Place::of(address.path())
        }
    }

    /// The last step; none of the root.
    pub(super) fn name(&self) -> Option<&str> {
        self.0.last().map(String::as_str)
    }

    /// Where it lies on this machine.
    pub(super) fn below(&self, root: &Path) -> PathBuf {
        self.0
            .iter()
            .fold(root.to_owned(), |at, step| at.join(step))
    }
}

fn decoded(step: &str) -> Option<String> {
    let text = percent_decode_str(step).decode_utf8().ok()?.into_owned();
    let is_safe = ![".", ".."].contains(&text.as_str())
        && !text
            .chars()
            .any(|c| ['/', '\\'].contains(&c) || c.is_control());
    is_safe.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leaves_the_store() {
        let place =
            |steps: &[&str]| Ok(Place(steps.iter().map(|step| (*step).to_owned()).collect()));
        for (path, expected) in [
            ("/recordings", place(&[])),
            ("/recordings/", place(&[])),
            ("/recordings//a//b.mp3", place(&["a", "b.mp3"])),
            (
                "/recordings/r%C3%A9sum%C3%A9%20%25.mp3",
                place(&["r\u{e9}sum\u{e9} %.mp3"]),
            ),
            ("/recordings2/a", Err(Nowhere::Elsewhere)),
            ("/", Err(Nowhere::Elsewhere)),
            ("*", Err(Nowhere::Elsewhere)),
            ("/recordings/../secret", Err(Nowhere::Unsafe)),
            ("/recordings/%2e%2e/secret", Err(Nowhere::Unsafe)),
            ("/recordings/.%2E/secret", Err(Nowhere::Unsafe)),
            ("/recordings/./a", Err(Nowhere::Unsafe)),
            ("/recordings/a%2Fb", Err(Nowhere::Unsafe)),
            ("/recordings/a%5Cb", Err(Nowhere::Unsafe)),
            ("/recordings/a%00.mp3", Err(Nowhere::Unsafe)),
            ("/recordings/a%0A", Err(Nowhere::Unsafe)),
            ("/recordings/%FF", Err(Nowhere::Unsafe)),
        ] {
            assert_eq!(Place::of(path), expected, "{path}");
        }
    }

    #[test]
    fn an_address_of_another_server_leads_elsewhere() {
        let base = "http://127.0.0.1:4005/recordings";
        assert_eq!(
            Place::of_address("http://127.0.0.1:4005/recordings/a", base),
            Ok(Place(vec!["a".to_owned()]))
        );
        for address in [
            "http://127.0.0.1:4006/recordings/a",
            "https://127.0.0.1:4005/recordings/a",
            "/recordings/a",
            "",
            "http://[",
        ] {
            assert_eq!(
                Place::of_address(address, base),
                Err(Nowhere::Elsewhere),
                "{address}"
            );
        }
    }
}
