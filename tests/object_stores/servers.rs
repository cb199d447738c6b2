//! Object stores on this machine, as other people wrote them: moto's S3 server and Azurite. `./check`
//! installs both: moto into `target/object_stores/python`, Azurite into `tests/object_stores/node_modules`.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Sends a request to a store, and prints status and body.
const ASK_STORE: &str = include_str!("ask_store.py");

/// Account and key that Azurite has by itself. Source: Azurite's documentation, "Default storage
/// account".
pub(crate) const ACCOUNT: &str = "devstoreaccount1";
pub(crate) const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// A store with one bucket or container, `staging`. Stopped on drop.
pub(crate) struct Store {
    process: Child,
    port: u16,
    is_azure: bool,
    _folder: tempfile::TempDir,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}

fn spawn(command: &mut Command, needed: &Path, what: &str) -> Child {
    assert!(
        needed.exists(),
        "{what} is not installed at {}; ./check installs it",
        needed.display()
    );
    let spawned = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    spawned.unwrap_or_else(|error| panic!("{what}: {error}"))
}

impl Store {
    pub(crate) fn s3() -> Store {
        let (port, folder) = (free_port(), tempfile::TempDir::new().expect("a folder"));
        let program = root().join("target/object_stores/python/bin/moto_server");
        let mut command = Command::new(&program);
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        let store = Store {
            process: spawn(&mut command, &program, "moto"),
            port,
            is_azure: false,
            _folder: folder,
        };
        store.wait();
        assert_eq!(store.ask("PUT", "").0, 200, "the bucket");
        store
    }

    pub(crate) fn azure() -> Store {
        let (port, folder) = (free_port(), tempfile::TempDir::new().expect("a folder"));
        let program = root().join("tests/object_stores/node_modules/azurite/dist/src/blob/main.js");
        let mut command = Command::new("node");
        command
            .arg(&program)
            .args(["--silent", "--disableTelemetry", "--skipApiVersionCheck"]);
        command.args(["--blobHost", "127.0.0.1", "--blobPort", &port.to_string()]);
        command.arg("--location").arg(folder.path());
        let store = Store {
            process: spawn(&mut command, &program, "Azurite"),
            port,
            is_azure: true,
            _folder: folder,
        };
        store.wait();
        assert_eq!(
            store.ask("PUT", "?restype=container").0,
            201,
            "the container"
        );
        store
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a program of somebody else's is waited for"
    )]
    fn wait(&self) {
        let until = Instant::now() + Duration::from_secs(120);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(Instant::now() < until, "the store does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// `[staging]` of a plan.
    pub(crate) fn section(&self, prefix: &str) -> String {
        let port = self.port;
        if self.is_azure {
            format!(
                "url = \"az://staging/{prefix}\"\n[azure]\naccount = \"{ACCOUNT}\"\nendpoint = \
                 \"http://127.0.0.1:{port}/{ACCOUNT}\"\naccess_key = {{ file = \"secrets/store\" }}\n"
            )
        } else {
            format!(
                "url = \"s3://staging/{prefix}\"\n[s3]\nregion = \"us-east-1\"\nendpoint = \
                 \"http://127.0.0.1:{port}\"\naccess_key_id = \"tester\"\nsecret_access_key = {{ \
                 file = \"secrets/store\" }}\nencryption = \"AES256\"\n"
            )
        }
    }

    /// Sends a request about `staging` or what is in it; the status, headers and body.
    pub(crate) fn ask(&self, method: &str, path: &str) -> (u16, String) {
        self.ask_with(method, path, "")
    }

    pub(crate) fn ask_with(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let base = if self.is_azure {
            format!("http://127.0.0.1:{}/{ACCOUNT}/staging", self.port)
        } else {
            format!("http://127.0.0.1:{}/staging", self.port)
        };
        let python = std::env::var("SEATRIAL_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let key = if self.is_azure { KEY } else { "" };
        let output = Command::new(python)
            .args(["-c", ASK_STORE, method, &format!("{base}{path}"), key, body])
            .output()
            .expect("python3");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let (status, rest) = text.split_once('\n').unwrap_or_else(|| {
            panic!(
                "{method} {path}: {}",
                String::from_utf8_lossy(&output.stderr)
            )
        });
        (status.parse().expect("a status"), rest.to_owned())
    }

    /// Names of all objects below a prefix.
    pub(crate) fn names(&self, prefix: &str) -> Vec<String> {
        let (question, open, close) = if self.is_azure {
            (
                format!("?restype=container&comp=list&prefix={prefix}"),
                "<Name>",
                "</Name>",
            )
        } else {
            (
                format!("?list-type=2&max-keys=1000&prefix={prefix}"),
                "<Key>",
                "</Key>",
            )
        };
        let (status, listing) = self.ask("GET", &question);
        assert_eq!(status, 200, "{listing}");
        let found = listing.split(open).skip(1);
        found
            .filter_map(|rest| Some(rest.split_once(close)?.0.to_owned()))
            .collect()
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
