//! What a caller may choose about a verification.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// How to verify. The plan says what is right; this says how much of it is looked at, and from
/// where.
#[derive(Debug, Clone)]
pub struct Options {
    /// How much audio is read.
    pub audio: AudioScope,
    /// Where the source is read from.
    pub source: SourceFrom,
    /// Staging to read instead of the plan's; only for [`SourceFrom::Staged`].
    pub staging_url: Option<String>,
    /// Recordings worked on at once. Each may hold its decoded source and target in memory.
    pub concurrency: usize,
    /// Whether jobs and batch downloads may be created on the target. Without them what depends on
    /// them cannot be told.
    pub jobs: Jobs,
    /// How long one job or batch of the target is waited for. What takes longer is hidden, not
    /// missing.
    pub patience: Duration,
    /// Only these interactions of the source are expected and judged; conversations of other
    /// interactions are out of scope. The report says so. Absent: all.
    pub only: Option<BTreeSet<String>>,
    /// Control totals from elsewhere, as CSV: how many recordings or calls the source must have.
    /// Absent: nobody says. Source: docs/reference/match.md, "Population".
    pub totals: Option<PathBuf>,
    /// A signed list of every recording that there is at the source. Absent: nobody hands one over.
    /// Source: docs/reference/match.md, "A signed manifest".
    pub manifest: Option<SignedManifest>,
    /// A migrator's chain of custody. Absent: none is read. Source: docs/reference/reports.md,
    /// "Custody".
    pub custody: Option<PathBuf>,
    /// The migration is still running: only calls are judged of which nothing was put into the
    /// target for so long before the verification began, or which are as they should be already.
    /// Absent: it has ended, and everything is judged.
    pub while_migrating: Option<Duration>,
    /// Folder of an earlier report of this migration; what has changed since is told. Absent:
    /// nothing is compared.
    pub against: Option<PathBuf>,
    /// Recordings that another program decodes too. Absent: our own decoder does alone.
    pub decode_twice: Option<DecodeTwice>,
    /// Interaction Recording: private keys for encrypted files, PEM without passphrase. What none
    /// of them opens is hidden.
    pub decryption_keys: Vec<PathBuf>,
    /// Interaction Recording: exports that stand for a store.
    pub exports: Exports,
    /// Folder for `summary.json`, `findings.jsonl`, `drift.jsonl`, `requests.jsonl`,
    /// `breakdown.csv` and, with [`Options::against`], `changes.jsonl`, with
    /// [`Options::manifest`], `manifest.jsonl`. Absent: nothing is written.
    pub report_dir: Option<PathBuf>,
    /// Cancelled to stop early; the verification then ends with [`crate::RunError::Interrupted`].
    pub interrupt: CancellationToken,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            audio: AudioScope::All,
            source: SourceFrom::Live,
            staging_url: None,
            // 8 pairs of decoded five-minute stereo calls are about 150 MB; more only queues behind
            // two cores.
            concurrency: 8,
            jobs: Jobs::Create,
            // An analytics job over years takes minutes; one that takes an hour is stuck.
            patience: Duration::from_secs(3600),
            only: None,
            totals: None,
            manifest: None,
            custody: None,
            while_migrating: None,
            against: None,
            decode_twice: None,
            decryption_keys: Vec::new(),
            exports: Exports::default(),
            report_dir: None,
            interrupt: CancellationToken::new(),
        }
    }
}

impl Options {
    /// Where room is for what was read and does not fit in memory.
    pub(crate) fn spill_folder(&self) -> PathBuf {
        self.report_dir.clone().unwrap_or_else(std::env::temp_dir)
    }
}

/// What was handed over instead of being read, where there is no account for a store. Each stands
/// for one of the three; a store without one is read live, and where it does not answer then, what
/// depends on it cannot be told. Source: docs/reference/gir.md, "Exports".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exports {
    /// Folder of RCS archives: `DIR/**/recording.json`, perhaps with the media beside them.
    pub archive: Option<PathBuf>,
    /// A WebDAV listing as CSV, or a folder the store is mounted on.
    pub files: Option<PathBuf>,
    /// SpeechMiner's rows as CSV.
    pub speechminer: Option<PathBuf>,
    /// Who exported them, for the report.
    pub origin: Option<String>,
}

impl Exports {
    /// Whether anything was handed over.
    pub(crate) fn is_any(&self) -> bool {
        self.archive.is_some() || self.files.is_some() || self.speechminer.is_some()
    }
}

/// A manifest with its signature beside it (`FILE.minisig`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedManifest {
    /// CSV.
    pub file: PathBuf,
    /// Public key of minisign that must have signed it, or a file of one.
    pub key: String,
}

/// Whether anything may be created on the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Jobs {
    /// Analytics jobs and batch downloads, which end by themselves.
    Create,
    /// Nothing but a token.
    LeaveOut,
}

/// How much audio is read. Whatever the scope, the source audio of a recording that is absent from
/// the target is read, because only the bytes can justify the absence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AudioScope {
    /// Every recording.
    All,
    /// So many recordings, drawn with this seed.
    Sample {
        /// How many.
        size: usize,
        /// Same seed and same source: same sample.
        seed: u64,
    },
    /// None: metadata only.
    None,
}

/// Of the recordings whose audio is compared, these are decoded a second time by ffmpeg, or by sox,
/// and held against our own decoding. Where the two differ the recording cannot be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecodeTwice {
    /// How many.
    pub recordings: usize,
    /// Same seed and same source: same recordings.
    pub seed: u64,
}

/// Where the source is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceFrom {
    /// The legacy platform itself.
    Live,
    /// What a migrator staged: raw answers and audio under their hashes.
    Staged,
}

/// What a verification is doing, for a progress bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Interactions and recording details of the source.
    Source,
    /// Conversations and recordings of the target.
    Target,
    /// Audio of both.
    Audio,
    /// Comparing.
    Checks,
}

impl Stage {
    /// A word for a progress line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Stage::Source => "reading the source",
            Stage::Target => "reading the target",
            Stage::Audio => "comparing audio",
            Stage::Checks => "checking",
        }
    }
}

/// Told how far a verification has come.
pub trait Progress: Send + Sync {
    /// A stage begins. `total` is the number of steps in it, where that is known.
    fn begin(&self, stage: Stage, total: Option<u64>);
    /// So many more steps of the stage are done.
    fn advance(&self, steps: u64);
    /// Something worth a line: what the target will be asked for.
    fn say(&self, _line: &str) {}
}

/// Progress that nobody watches.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _stage: Stage, _total: Option<u64>) {}
    fn advance(&self, _steps: u64) {}
}
