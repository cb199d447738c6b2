//! The store of media: a WebDAV server over a folder, on a listener and with an account of its own.
//!
//! dav-server does what RFC 4918 says; `file_system` is the folder behind it, `endpoint` the way
//! every request goes, `places` keeps paths inside.

mod endpoint;
mod file_system;
mod places;
mod snapshot;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use dav_server::DavHandler;
use dav_server::memls::MemLs;
use http::header;
use parking_lot::Mutex;
use tempfile::TempDir;

use self::file_system::{Arrived, DavFileSystem};
pub(super) use self::places::MOUNT;
use self::places::Place;
pub(super) use self::snapshot::Snapshot;
use super::Gir;
use super::account::Account;
use crate::http::reply::Reply;
use crate::pipeline::{Core, Endpoint, Refusal};

/// The platform's name in operations, journal and control API.
pub(crate) const NAME: &str = "webdav";

/// The store.
pub(crate) struct Webdav {
    core: Arc<Core>,
    pub(super) account: Account,
    /// Of this run alone; goes with it.
    folder: TempDir,
    base_url: Mutex<String>,
    dav: DavHandler<Arrived>,
    /// The folder as `dav` sees it.
    file_system: DavFileSystem,
    /// Held while something changes: what is looked at (is the place free?) and what is done stay
    /// one.
    changing: tokio::sync::Mutex<()>,
}

impl Webdav {
    /// An empty store in a folder of its own below `spool`.
    pub(super) fn new(core: Arc<Core>, spool: &Path) -> std::io::Result<Webdav> {
        output::private::folder(spool)?;
        let folder = tempfile::Builder::new()
            .prefix("webdav-")
            .tempdir_in(spool)?;
        let root = folder.path().join("recordings");
        std::fs::create_dir(&root)?;
        let file_system = DavFileSystem::new(&root);
        let dav = DavHandler::builder()
            .strip_prefix(MOUNT)
            .filesystem(Box::new(file_system.clone()));
        let dav = dav.locksystem(MemLs::new()).build_handler();
        let account = Account::new(core.seed.child(super::NAME), NAME, "recordings");
        Ok(Webdav {
            core,
            account,
            folder,
            base_url: Mutex::default(),
            dav,
            file_system,
            changing: tokio::sync::Mutex::default(),
        })
    }

    /// Says where the listener is; addresses of files begin with it and the mount.
    pub(super) fn set_base_url(&self, url: &str) {
        *self.base_url.lock() = format!("{}{MOUNT}", url.trim_end_matches('/'));
    }

    /// Where the store's root is reached, without a slash at its end.
    pub(super) fn base_url(&self) -> String {
        self.base_url.lock().clone()
    }

    /// Where uploads wait: on the store's own file system.
    pub(super) fn waiting_room(&self) -> &Path {
        self.folder.path()
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("recordings")
    }

    /// The file an address leads to, whether it is there or not; none for an address elsewhere.
    pub(super) fn file_of(&self, address: &str) -> Option<PathBuf> {
        let place = Place::of_address(address, &self.base_url()).ok()?;
        place.name().map(|_| place.below(&self.root()))
    }

    /// Every file, by the steps that lead to it; sorted.
    pub(super) fn files(&self) -> std::io::Result<Vec<(Vec<String>, PathBuf)>> {
        let (mut files, mut folders) = (Vec::new(), vec![(Vec::new(), self.root())]);
        while let Some((steps, folder)) = folders.pop() {
            for entry in std::fs::read_dir(folder)? {
                let entry = entry?;
                let inner: Vec<String> = steps
                    .iter()
                    .cloned()
                    .chain([entry.file_name().to_string_lossy().into_owned()])
                    .collect();
                let list = if entry.file_type()?.is_dir() {
                    &mut folders
                } else {
                    &mut files
                };
                list.push((inner, entry.path()));
            }
        }
        files.sort();
        Ok(files)
    }

    /// How a listing names what lies at these steps.
    pub(super) fn href(steps: &[String]) -> String {
        let steps = steps
            .iter()
            .map(|step| super::recordings::in_path(step).to_string());
        std::iter::once(MOUNT.to_owned())
            .chain(steps)
            .collect::<Vec<_>>()
            .join("/")
    }
}

impl Endpoint for Webdav {
    fn name(&self) -> &'static str {
        NAME
    }

    fn refuse(&self, refusal: &Refusal) -> Reply {
        match refusal {
            Refusal::TooManyRequests { retry_after_s } => match retry_after_s {
                Some(seconds) => page(429).with_header(header::RETRY_AFTER, seconds.to_string()),
                None => page(429),
            },
            Refusal::Server(status) => page(*status),
            Refusal::TokenExpired => not_authenticated(),
            Refusal::BadRequest => page(400),
            Refusal::NotFound => page(404),
            Refusal::Conflict => page(409),
            Refusal::TooLarge => page(413),
            Refusal::UnsupportedMedia => page(415),
            Refusal::Forbidden => page(403),
        }
    }
}

/// Every path of the store.
pub(super) fn router(site: &Arc<Gir>) -> Router {
    Router::new()
        .fallback(endpoint::answer)
        .with_state(Arc::clone(site))
}

/// A refusal as a web server words it.
fn page(status: u16) -> Reply {
    let reply = Reply::empty(status);
    let title = format!(
        "{status} {}",
        reply.status.canonical_reason().unwrap_or("Error")
    );
    let text = format!(
        "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML \
         2.0//EN\">\n<html><head>\n<title>{title}</title>\n</head><body>\n<h1>{title}</h1>\n</body></html>\n"
    );
    reply
        .holding(text)
        .with_header(header::CONTENT_TYPE, "text/html; charset=iso-8859-1")
}

/// The realm is the vendor's configuration's.
fn not_authenticated() -> Reply {
    page(401).with_header(header::WWW_AUTHENTICATE, "Basic realm=\"user\"")
}
