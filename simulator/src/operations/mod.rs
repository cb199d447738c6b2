//! The tables of operations, one for each platform: what a fault's `on` may name, where its
//! business key is read, and what its client needs.

mod genesys_cloud;
mod gir;
mod legacy;

use std::hash::{Hash, Hasher};

pub(crate) use self::genesys_cloud::*;
pub(crate) use self::gir::*;
pub(crate) use self::legacy::*;

/// One operation of a simulated platform.
#[derive(Debug, serde::Serialize)]
pub struct Operation {
    /// `<platform>.<verb_noun>`.
    pub name: &'static str,
    /// HTTP method.
    pub method: &'static str,
    /// Path, with `{id}` for a variable segment.
    pub path: &'static str,
    /// Where the business key is read; `-` for an operation without one.
    pub key: &'static str,
    /// Whether it changes the platform, so that commit-then-fail faults make sense on it.
    pub mutates: bool,
    /// Scopes and permissions its client needs, all of them; what depends on the request is asked
    /// for where it is known.
    pub needs: &'static [&'static str],
    /// Parameters of the address's query that are read.
    pub query: &'static [&'static str],
}

impl Operation {
    /// Whether it is no request: something a platform does by itself.
    pub(crate) fn is_inside(&self) -> bool {
        self.method == "-"
    }

    /// Whether it is asked with a token or a session, which end: not with a password alone, as a
    /// token itself is and Interaction Recording's reads are (CSRF Protection 8.5.2: PUT, POST and
    /// DELETE have a session), and not by a signed address.
    pub(crate) fn can_expire(&self) -> bool {
        let by_password = match self.name.split('.').next() {
            Some("webdav" | "speechminer") => true,
            Some("gir") => self.method == "GET",
            _ => self.path == "/oauth/token",
        };
        !by_password && !self.path.starts_with("/presigned/")
    }
}

impl PartialEq for Operation {
    fn eq(&self, other: &Operation) -> bool {
        self.name == other.name
    }
}

impl Eq for Operation {}

impl Hash for Operation {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

/// One platform's table: each row a constant.
macro_rules! operations {
    ($($constant:ident = $name:literal, $method:literal, $path:literal, $key:literal, $mutates:literal
        $(, needs [$($need:literal),*])? $(, query [$($query:literal),*])?;)*) => {
        $(pub(crate) static $constant: $crate::operations::Operation = $crate::operations::Operation {
            name: $name,
            method: $method,
            path: $path,
            key: $key,
            mutates: $mutates,
            needs: &[$($($need),*)?],
            query: &[$($($query),*)?],
        };)*
        /// Every operation here, in this order.
        pub(super) static ALL: &[&$crate::operations::Operation] = &[$(&$constant),*];
    };
}
use operations;

/// Every operation of every platform, in the order of the tables.
pub(crate) fn all() -> impl Iterator<Item = &'static Operation> {
    [legacy::ALL, genesys_cloud::ALL, gir::ALL]
        .into_iter()
        .flatten()
        .copied()
}

/// Those of one platform, by the name that they begin with.
pub(crate) fn of(platform: &str) -> impl Iterator<Item = &'static Operation> {
    all().filter(move |operation| operation.name.split('.').next() == Some(platform))
}

/// The operation called `name`, or the nearest name there is.
pub(crate) fn find(name: &str) -> Result<&'static Operation, &'static str> {
    if let Some(operation) = all().find(|operation| operation.name == name) {
        return Ok(operation);
    }
    let known: Vec<&'static str> = all().map(|operation| operation.name).collect();
    Err(crate::config_error::nearest(name, &known).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_begin_with_their_platform() {
        let mut names: Vec<_> = all().map(|operation| operation.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all().count());
        let platforms = [
            "legacy.",
            "genesys_cloud.",
            "gir.",
            "webdav.",
            "speechminer.",
        ];
        assert!(
            names
                .iter()
                .all(|name| platforms.iter().any(|platform| name.starts_with(platform)))
        );
    }

    #[test]
    fn a_misspelt_name_leads_to_the_nearest() {
        assert_eq!(
            find("genesys_cloud.uplaod_file"),
            Err("genesys_cloud.upload_file")
        );
    }
}
