//! A real Apache httpd with mod_dav, as the vendor documents the store: on a free port, in a folder
//! of its own.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::http;

const MODULES: &str = "/usr/lib/apache2/modules";

/// Account of the store.
pub(crate) const USERNAME: &str = "store";
pub(crate) const PASSWORD: &str = "correct horse battery";

/// A running server. Stopped on drop.
pub(crate) struct Apache {
    folder: tempfile::TempDir,
    pub(crate) url: String,
}

impl Apache {
    /// Starts it, from Debian's package apache2-bin.
    pub(crate) fn start() -> Apache {
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a free port")
            .port();
        let folder = tempfile::TempDir::new().expect("a folder");
        let apache = Apache {
            folder,
            url: format!("http://127.0.0.1:{port}/recordings"),
        };
        for name in ["root", "lock"] {
            std::fs::create_dir(apache.file(name)).expect("a folder");
        }
        let hash = Command::new("openssl")
            .args(["passwd", "-apr1", PASSWORD])
            .output()
            .expect("openssl")
            .stdout;
        std::fs::write(
            apache.file("htpasswd"),
            format!("{USERNAME}:{}", String::from_utf8_lossy(&hash)),
        )
        .expect("written");
        std::fs::write(apache.file("httpd.conf"), apache.configuration(port)).expect("written");
        apache.give_away();
        let started = apache.control("start");
        assert!(
            started,
            "/usr/sbin/apache2 did not start: {}",
            std::fs::read_to_string(apache.file("error.log")).unwrap_or_default()
        );
        apache.wait();
        apache
    }

    /// Where its files lie.
    pub(crate) fn root(&self) -> PathBuf {
        self.file("root")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The vendor's documented configuration, on loopback. Source: GIR 8.5.2 solution guide, WebDAV
    /// storage.
    fn configuration(&self, port: u16) -> String {
        let dir = self.folder.path().display();
        let modules = [
            "mpm_event",
            "authz_core",
            "authn_core",
            "authn_file",
            "authz_user",
            "auth_basic",
            "alias",
            "dav",
            "dav_fs",
        ];
        let load = modules
            .map(|name| format!("LoadModule {name}_module {MODULES}/mod_{name}.so\n"))
            .concat();
        let user = if self.is_root() {
            "User www-data\nGroup www-data\n"
        } else {
            ""
        };
        format!(
            "ServerRoot {dir}\nServerName 127.0.0.1\nListen 127.0.0.1:{port}\nPidFile \
             {dir}/httpd.pid\nErrorLog {dir}/error.log\n{load}{user}DavLockDB {dir}/lock/db\nAlias \
             /recordings {dir}/root\nEnableSendfile off\n<Directory {dir}/root>\nAllowOverride \
             None\nRequire all granted\n</Directory>\n<Location /recordings>\nDAV On\nAuthType \
             Basic\nAuthName user\nAuthUserFile {dir}/htpasswd\nRequire valid-user\n</Location>\n"
        )
    }

    #[cfg(unix)]
    fn is_root(&self) -> bool {
        std::os::unix::fs::MetadataExt::uid(
            &std::fs::metadata(self.folder.path()).expect("metadata"),
        ) == 0
    }

    /// Started by root it serves as www-data, who must get at the folder.
    fn give_away(&self) {
        if self.is_root() {
            let done = Command::new("chown")
                .arg("-R")
                .arg("www-data:www-data")
                .arg(self.folder.path())
                .status();
            assert!(done.is_ok_and(|status| status.success()), "chown");
        }
    }

    fn control(&self, what: &str) -> bool {
        let mut command = Command::new("/usr/sbin/apache2");
        command
            .arg("-f")
            .arg(self.file("httpd.conf"))
            .args(["-k", what])
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a server is waited for by the wall clock"
    )]
    fn wait(&self) {
        let began = Instant::now();
        while http(&self.url, "GET", "/", "").0 == 0 {
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "apache2 does not answer"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Apache {
    fn drop(&mut self) {
        self.control("stop");
    }
}
