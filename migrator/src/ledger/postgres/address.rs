//! Where a database is: its URL, and the password from where `psql` would take it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::SslMode;
use url::Url;

use crate::ledger::LedgerError;

/// Schema of the tables where the URL names none.
const SCHEMA: &str = "seatrial";
const PORT: u16 = 5432;

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tls {
    /// In clear.
    Disable,
    /// Encrypted, whoever the server is.
    Require,
    /// Encrypted, and the server shows a certificate for its host name.
    VerifyFull,
}

/// A database, as a URL names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    /// A host, or the folder of a Unix socket.
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) user: String,
    pub(super) database: String,
    pub(super) schema: String,
    pub(super) tls: Tls,
    /// Authorities that are trusted besides the system's. PEM; relative to the plan.
    pub(super) authorities: Option<PathBuf>,
}

impl Address {
    /// Reads `postgresql://USER@HOST:PORT/DATABASE?schema=…&sslmode=…&sslrootcert=…&host=…`.
    pub(super) fn parse(text: &str) -> Result<Address, LedgerError> {
        let refused =
            |what: &str| LedgerError::Refused(format!("ledger.url of PostgreSQL: {what}"));
        let url = Url::parse(text).map_err(|error| refused(&error.to_string()))?;
        if url.password().is_some() {
            return Err(refused(
                "a password is named, never written: set ledger.password in the plan, PGPASSWORD, \
                 or a line in .pgpass",
            ));
        }
        let decoded = |part: &str| {
            percent_encoding::percent_decode_str(part)
                .decode_utf8()
                .map(|text| text.into_owned())
                .map_err(|_| refused("a part of it is no UTF-8"))
        };
        let mut address = Address {
            host: decoded(url.host_str().unwrap_or_default())?,
            port: url.port().unwrap_or(PORT),
            user: decoded(url.username())?,
            database: decoded(url.path().trim_start_matches('/'))?,
            schema: SCHEMA.to_owned(),
            tls: Tls::VerifyFull,
            authorities: None,
        };
        let mut says_tls = false;
        for (key, value) in url.query_pairs() {
            match &*key {
                "host" => address.host = value.into_owned(),
                "schema" => address.schema = value.into_owned(),
                "sslrootcert" => address.authorities = Some(PathBuf::from(&*value)),
                "sslmode" => {
                    says_tls = true;
                    address.tls = match &*value {
                        "disable" => Tls::Disable,
                        "require" => Tls::Require,
                        "verify-full" => Tls::VerifyFull,
                        other => {
                            return Err(refused(&format!(
                                "sslmode={other} is not known; use disable, require or verify-full"
                            )));
                        }
                    };
                }
                other => {
                    return Err(refused(&format!(
                        "`{other}` is not known; known are schema, sslmode, sslrootcert and host"
                    )));
                }
            }
        }
        if address.host.is_empty() || address.user.is_empty() || address.database.is_empty() {
            return Err(refused(
                "it names host, user and database: postgresql://USER@HOST:5432/DATABASE",
            ));
        }
        if !is_name(&address.schema) {
            return Err(refused(
                "schema takes 1 to 60 lower-case letters, digits and `_`, and begins with a letter",
            ));
        }
        // What stays on this machine is not read by others; nothing else goes in clear unasked.
        if !says_tls && address.is_here() {
            address.tls = Tls::Disable;
        }
        Ok(address)
    }

    fn is_socket(&self) -> bool {
        self.host.starts_with('/')
    }

    fn is_here(&self) -> bool {
        self.is_socket() || platforms::is_this_machine(&self.host)
    }

    /// For a person: no part of it is secret.
    pub(super) fn told(&self) -> String {
        format!(
            "{} on {}:{} (schema {})",
            self.database, self.host, self.port, self.schema
        )
    }

    /// What the driver is given. `password`: of the plan; absent: from where `psql` takes it.
    pub(super) fn config(&self, password: Option<&str>) -> Config {
        let mut config = Config::new();
        config
            .host(&self.host)
            .port(self.port)
            .user(&self.user)
            .dbname(&self.database)
            .application_name(concat!("seatrial/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(10))
            .keepalives_idle(Duration::from_secs(15))
            .keepalives_interval(Duration::from_secs(5))
            .keepalives_retries(3)
            .tcp_user_timeout(Duration::from_secs(30))
            .ssl_mode(match self.tls {
                Tls::Disable => SslMode::Disable,
                Tls::Require | Tls::VerifyFull => SslMode::Require,
            });
        let found = match password {
            Some(password) => Some(password.to_owned()),
            None => std::env::var("PGPASSWORD")
                .ok()
                .filter(|password| !password.is_empty())
                .or_else(|| self.password_in_file()),
        };
        if let Some(password) = found {
            config.password(password);
        }
        config
    }

    /// The password in `PGPASSFILE` or `~/.pgpass`. Absent: no such file, one that others can read
    /// (as `psql` has it), or no line for this database.
    fn password_in_file(&self) -> Option<String> {
        let file = match std::env::var_os("PGPASSFILE") {
            Some(file) => PathBuf::from(file),
            None => Path::new(&std::env::var_os("HOME")?).join(".pgpass"),
        };
        if !is_private(&file) {
            tracing::warn!(
                "{}: others can read it, so no password is taken from it; chmod 600",
                file.display()
            );
            return None;
        }
        let text = std::fs::read_to_string(file).ok()?;
        let host = if self.is_socket() {
            "localhost"
        } else {
            &self.host
        };
        let port = self.port.to_string();
        let wanted = [host, &port, &self.database, &self.user];
        text.lines().find_map(|line| password_of(line, &wanted))
    }
}

/// Whether only its owner reads a file. True where there is none.
fn is_private(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(file).is_ok_and(|found| found.permissions().mode() & 0o077 == 0)
        || !file.exists()
}

/// The password of a line `host:port:database:user:password` that fits; `*` fits all, and `\` takes
/// the next character as it is.
fn password_of(line: &str, wanted: &[&str; 4]) -> Option<String> {
    if line.starts_with('#') {
        return None;
    }
    let mut fields = vec![String::new()];
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            ':' if fields.len() <= wanted.len() => fields.push(String::new()),
            '\\' => fields.last_mut()?.extend(letters.next()),
            other => fields.last_mut()?.push(other),
        }
    }
    let password = fields.get(wanted.len())?.clone();
    let fits = fields
        .iter()
        .zip(wanted)
        .all(|(field, wanted)| field == "*" || field == wanted);
    fits.then_some(password)
}

/// A name that needs no quotes in SQL.
fn is_name(name: &str) -> bool {
    (1..=60).contains(&name.len())
        && name.starts_with(|letter: char| letter.is_ascii_lowercase())
        && name
            .chars()
            .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(text: &str) -> String {
        Address::parse(text).expect_err("it is refused").to_string()
    }

    #[test]
    fn a_url_names_all_that_is_needed_and_no_password() {
        let far =
            Address::parse("postgresql://me@db.example/calls?schema=two").expect("an address");
        assert_eq!(
            (far.port, far.schema.as_str(), far.tls),
            (5432, "two", Tls::VerifyFull)
        );
        let here = Address::parse("postgres://me@127.0.0.1:5433/calls").expect("an address");
        assert_eq!(
            (here.port, here.schema.as_str(), here.tls),
            (5433, "seatrial", Tls::Disable)
        );
        let socket = Address::parse("postgresql://me@localhost/calls?host=/run/postgresql")
            .expect("an address");
        assert_eq!(
            (socket.host.as_str(), socket.tls),
            ("/run/postgresql", Tls::Disable)
        );
        let secret = why("postgresql://me:hunter2@db.example/calls");
        assert!(
            secret.contains("ledger.password") && !secret.contains("hunter2"),
            "{secret}"
        );
        for (text, word) in [
            ("postgresql://db.example/calls", "user"),
            ("postgresql://me@db.example/", "database"),
            (
                "postgresql://me@db.example/calls?sslmode=prefer",
                "verify-full",
            ),
            ("postgresql://me@db.example/calls?schema=x;drop", "schema"),
            ("postgresql://me@db.example/calls?shcema=x", "shcema"),
        ] {
            assert!(why(text).contains(word), "{text}: {}", why(text));
        }
    }

    #[test]
    fn a_password_file_is_read_as_psql_reads_it() {
        let wanted = ["db", "5432", "calls", "me"];
        for (line, password) in [
            ("db:5432:calls:me:a b", Some("a b")),
            ("*:*:*:me:x:y", Some("x:y")),
            (r"db:5432:calls:me:a\:b\\", Some(r"a:b\")),
            ("db:5432:other:me:x", None),
            ("# db:5432:calls:me:x", None),
            ("db:5432:calls", None),
        ] {
            assert_eq!(password_of(line, &wanted).as_deref(), password, "{line}");
        }
    }
}
