//! A PostgreSQL server of a test's own: Debian's programs, in a folder that goes with it.

#![allow(dead_code, unused_imports, reason = "each test uses its part of this")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

/// Debian's user and group `nobody`: the server refuses to run as root.
const NOBODY: u32 = 65534;

/// A server that ends with this value.
pub(crate) struct Server {
    folder: TempDir,
    port: u16,
    schemas: AtomicU32,
}

/// Where a program of the server is: in the newest version that is there, or where any program is.
fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql");
    let newest = versions
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path().join("bin").join(name))
        .filter(|path| path.exists())
        .max();
    newest.unwrap_or_else(|| PathBuf::from(name))
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

impl Server {
    /// Makes a cluster and starts it. The database is `postgres`, its user `seatrial`, who needs no
    /// password.
    pub(crate) fn start() -> Server {
        let folder = tempfile::Builder::new()
            .prefix("seatrial-postgres")
            .tempdir()
            .expect("a folder");
        if is_root() {
            std::os::unix::fs::chown(folder.path(), Some(NOBODY), Some(NOBODY))
                .expect("given away");
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a port")
            .port();
        let server = Server {
            folder,
            port,
            schemas: AtomicU32::new(0),
        };
        server.does(
            "initdb",
            &["--auth=trust", "--username=seatrial", "--encoding=UTF8"],
        );
        let settings = format!(
            "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{}'\nfsync \
             = off\nmax_connections = 60\n",
            server.folder.path().display()
        );
        server.adds("postgresql.conf", &settings);
        server.begin();
        server
    }

    /// Has it take connections in TLS, with a certificate for `localhost` that nobody else trusts,
    /// and ask `somebody` for a password. Answers the certificate's file.
    pub(crate) fn is_protected(&self, password: &str) -> PathBuf {
        // No authority of its own: a client takes none for a server.
        let wanted = "[req]\ndistinguished_name = dn\nx509_extensions = v\nprompt = no\n[dn]\nCN = \
            localhost\n[v]\nsubjectAltName = DNS:localhost\nbasicConstraints = critical, CA:FALSE\n";
        std::fs::write(self.folder.path().join("wanted.cnf"), wanted).expect("a file");
        let arguments = "req -x509 -newkey rsa:2048 -nodes -days 3650 -config wanted.cnf -keyout \
            data/server.key -out data/server.crt";
        let mut openssl = Command::new("openssl");
        let made = openssl
            .current_dir(self.folder.path())
            .args(arguments.split_whitespace())
            .output()
            .expect("openssl runs; the tests need Debian's package openssl");
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        if is_root() {
            for name in ["server.key", "server.crt"] {
                let file = self.data().join(name);
                std::os::unix::fs::chown(file, Some(NOBODY), Some(NOBODY)).expect("given away");
            }
        }
        self.sql(&format!(
            "CREATE ROLE somebody SUPERUSER LOGIN PASSWORD '{password}'"
        ));
        self.adds("postgresql.conf", "ssl = on\n");
        let file = self.data().join("pg_hba.conf");
        let known = std::fs::read_to_string(&file).expect("who may connect");
        let asked = "host all somebody all scram-sha-256\n";
        std::fs::write(file, format!("{asked}{known}")).expect("who may connect");
        self.crash();
        self.data().join("server.crt")
    }

    fn adds(&self, name: &str, settings: &str) {
        let file = self.data().join(name);
        let made = std::fs::read_to_string(&file).expect("settings");
        std::fs::write(&file, made + settings).expect("settings");
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A program on this cluster, as somebody it does not refuse.
    fn command(&self, name: &str) -> Command {
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command
                .arg(format!("--reuid={NOBODY}"))
                .arg(format!("--regid={NOBODY}"))
                .arg("--clear-groups")
                .arg(program(name));
            command
        } else {
            Command::new(program(name))
        };
        command
            .current_dir(self.folder.path())
            .env("LC_ALL", "C")
            .env("PGDATA", self.data());
        command
    }

    fn does(&self, name: &str, arguments: &[&str]) {
        // To a file: a server that goes on holds a pipe open.
        let said = self.folder.path().join("said");
        let file = std::fs::File::create(&said).expect("a log");
        let other = file.try_clone().expect("a log");
        let status = self
            .command(name)
            .args(arguments)
            .stdout(file)
            .stderr(other)
            .status()
            .unwrap_or_else(|error| {
                panic!("{name}: {error}; the tests need Debian's package postgresql")
            });
        let said = std::fs::read_to_string(&said).unwrap_or_default();
        assert!(status.success(), "{name} {arguments:?}: {status}\n{said}");
    }

    /// Starts it, and returns once it answers.
    fn begin(&self) {
        self.does("pg_ctl", &["start", "-w", "-s", "-l", "log"]);
    }

    /// Ends it as a crash does, and starts it again: what is not committed is gone.
    pub(crate) fn crash(&self) {
        self.does("pg_ctl", &["stop", "-m", "immediate", "-w", "-s"]);
        self.begin();
    }

    /// What a statement answers, a line for each row. Fails where it fails.
    pub(crate) fn sql(&self, sql: &str) -> String {
        let output = Command::new(program("psql"))
            .args(["-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-c", sql])
            .arg(self.url_of("public").split('?').next().unwrap_or_default())
            .output()
            .expect("psql runs; the tests need Debian's package postgresql");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{sql}: {said}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// A schema that nobody has used.
    pub(crate) fn schema(&self) -> String {
        format!("s{}", self.schemas.fetch_add(1, Ordering::Relaxed))
    }

    /// The number of the one made last.
    pub(crate) fn last_schema(&self) -> u32 {
        self.schemas.load(Ordering::Relaxed).saturating_sub(1)
    }

    /// The URL of a ledger in this schema.
    pub(crate) fn url_of(&self, schema: &str) -> String {
        format!(
            "postgresql://seatrial@127.0.0.1:{}/postgres?schema={schema}",
            self.port
        )
    }

    /// Has a plan keep its ledger in this schema, with a lease of so many seconds.
    pub(crate) fn keeps_ledger_of(&self, plan: &Path, schema: &str, lease_s: u64) {
        let text = std::fs::read_to_string(plan).expect("a plan");
        let (before, section) = text.split_once("[ledger]\n").expect("a ledger");
        let rest = section.split_once('\n').map_or("", |(_, rest)| rest);
        let url = self.url_of(schema);
        let text = format!("{before}[ledger]\nurl = \"{url}\"\nlease_s = {lease_s}\n{rest}");
        std::fs::write(plan, text).expect("a plan");
    }

    /// The same over the Unix socket.
    pub(crate) fn socket_url_of(&self, schema: &str) -> String {
        let folder: &Path = self.folder.path();
        format!("{}&host={}", self.url_of(schema), folder.display())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self
            .command("pg_ctl")
            .args(["stop", "-m", "immediate", "-s"])
            .status();
    }
}
