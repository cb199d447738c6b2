//! What a proof found, and the page it leaves.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

/// Figures of one proof.
#[derive(Default)]
pub(crate) struct Report {
    /// What, and its figure.
    pub(crate) rows: Vec<(String, String)>,
    /// The seed everything followed from.
    pub(crate) seed: u64,
    /// Markdown that stands below the figures. Empty: nothing does.
    pub(crate) appendix: String,
}

impl Report {
    pub(crate) fn row(&mut self, what: &str, figure: impl ToString) {
        self.rows.push((what.to_owned(), figure.to_string()));
    }

    /// Writes `docs/proofs/NAME.md`.
    pub(crate) fn write(&self, name: &str, shows: &str, n: u64) -> std::io::Result<()> {
        let mut page = format!("# {name}\n\nWhat it shows: {shows}.\n\n");
        let _ = writeln!(
            page,
            "Run by `./prove {name}` with N = {n}, seed {}, at commit {}{}.\n",
            self.seed,
            commit(),
            dirty()
        );
        page.push_str("| what | figure |\n| --- | --- |\n");
        for (what, figure) in &self.rows {
            let _ = writeln!(page, "| {what} | {figure} |");
        }
        page.push_str(&self.appendix);
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/proofs");
        std::fs::create_dir_all(&dir)?;
        std::fs::write(dir.join(format!("{name}.md")), page)
    }
}

fn git(arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output();
    output
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        .unwrap_or_default()
}

fn commit() -> String {
    git(&["rev-parse", "--short=12", "HEAD"])
}

fn dirty() -> &'static str {
    if git(&["status", "--porcelain", "--", "*.rs", "*.toml", "*.py"]).is_empty() {
        ""
    } else {
        " with uncommitted changes"
    }
}

/// Why a proof failed, with what is needed to see it again.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Failure(pub(crate) String);

impl Failure {
    pub(crate) fn new(what: impl std::fmt::Display) -> Failure {
        Failure(what.to_string())
    }
}
