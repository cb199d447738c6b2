//! Arguments. Every flag has an environment variable `SEATRIAL_<FLAG>`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use rehearsal::Time;
use rehearsal::forecast::Surface;

/// Rehearse, run and prove the migration of contact-centre call recordings.
#[derive(Debug, Parser)]
#[command(name = "seatrial", version, about, propagate_version = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) output: Output,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How a command speaks.
#[derive(Debug, Clone, Args)]
pub(crate) struct Output {
    /// Print one JSON document to standard output instead of text
    #[arg(long, global = true, env = "SEATRIAL_JSON", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub(crate) json: bool,
    /// Log more; twice for every request: method, host, path without ids, status and milliseconds,
    /// never a value
    #[arg(short, long, global = true, env = "SEATRIAL_VERBOSE", action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// How log lines are written to standard error
    #[arg(
        long,
        global = true,
        env = "SEATRIAL_LOG_FORMAT",
        default_value = "text"
    )]
    pub(crate) log_format: LogFormat,
}

/// Shape of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Simulators, migrator and verifier in one process: rehearse a migration and judge it
    Rehearse(Rehearse),
    /// Many seeds in virtual time; a failure is shrunk to the smallest scenario that still fails
    Explore(Explore),
    /// Plant every class of defect in simulated targets; the verifier must find each, and no more
    SelfTest(SelfTest),
    /// How long a migration will take, what it asks of whom and what it costs
    Forecast(Forecast),
    /// Serve the simulated platforms of a scenario until Ctrl-C
    Simulate(Simulate),
    /// Check source, target, ledger and staging before a migration; what it writes to try is
    /// deleted again
    Preflight(PlanOnly),
    /// Count what an export of files holds, and name everything in it that cannot be read
    Inspect(Inspect),
    /// Move recordings as a plan says, or go on with it
    Migrate(Migrate),
    /// Count what a ledger holds; export crosswalk and custody
    Status(Status),
    /// Copy a ledger into another store
    #[command(subcommand)]
    Ledger(Ledger),
    /// Judge the target against the source; change nothing
    Verify(Verify),
    /// Print every rule of the simulated platforms: grade, source and default; what no vendor
    /// states is an assumption
    Assumptions,
    /// Print a JSON Schema
    Schema(Schema),
    /// Print a completion script
    Completions(Completions),
}

#[derive(Debug, Args)]
pub(crate) struct Rehearse {
    /// Scenario files; none: the showcase
    pub(crate) scenarios: Vec<PathBuf>,
    /// Folder for reports
    #[arg(long, env = "SEATRIAL_REPORT", default_value = "seatrial-report")]
    pub(crate) report: PathBuf,
    /// Instead of each scenario's seed
    #[arg(long, env = "SEATRIAL_SEED")]
    pub(crate) seed: Option<u64>,
    /// Instead of the plan's workers
    #[arg(long, env = "SEATRIAL_WORKERS")]
    pub(crate) workers: Option<usize>,
    /// How time runs, instead of each scenario's clock: real, virtual (nobody waits: it jumps), or
    /// scaled:K (K simulated seconds a second)
    #[arg(long, env = "SEATRIAL_CLOCK", value_name = "real|virtual|scaled:K")]
    pub(crate) clock: Option<Time>,
    /// How much audio the verifier compares, instead of what each scenario says: all, none, or a
    /// number of recordings
    #[arg(long, env = "SEATRIAL_AUDIO")]
    pub(crate) audio: Option<AudioArgument>,
    /// Write what the simulators noted beside each report: journal.ndjson (sorted by time,
    /// platform, operation and key), effects.ndjson, faults.ndjson and truth.ndjson (what the
    /// target holds)
    #[arg(long, env = "SEATRIAL_JOURNAL", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub(crate) journal: bool,
    /// Rehearse this command instead of our migrator, by `sh -c`:
    /// docs/guide/test-your-own-migrator.md says what it gets and what it is held to
    #[arg(long, env = "SEATRIAL_MIGRATOR", value_name = "CMD")]
    pub(crate) migrator: Option<String>,
    /// Minutes the command may run at a start; then it is killed, and has failed
    #[arg(long, env = "SEATRIAL_MIGRATOR_MINUTES", value_name = "MINUTES", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=525_600))]
    pub(crate) migrator_minutes: u64,
    /// Write the outcome as JUnit XML too
    #[arg(long, env = "SEATRIAL_JUNIT", value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct SelfTest {
    /// Decides calls, audio and victims
    #[arg(long, env = "SEATRIAL_SEED", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Only this class, as D33 or P4; again for another
    #[arg(long, env = "SEATRIAL_CLASS", value_name = "CODE")]
    pub(crate) class: Vec<String>,
    /// Only this way into a target; again for another
    #[arg(long, env = "SEATRIAL_TARGET")]
    pub(crate) target: Vec<SurfaceArgument>,
}

/// `--surface`, and `--target` of the self-test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SurfaceArgument {
    /// Genesys Cloud as the migration guide has it.
    Guide,
    /// Genesys Cloud's public ingestion.
    Public,
    /// Genesys Interaction Recording.
    Gir,
}

impl Simulate {
    /// Ports of the listeners. That of pre-signed media is any free one.
    pub(crate) fn ports(&self) -> simulator::Ports {
        simulator::Ports {
            legacy: self.legacy_port,
            media: 0,
            genesys_cloud: self.genesys_cloud_port,
            genesys_cloud_source: self.genesys_cloud_source_port,
            gir: self.gir_port,
            webdav: self.webdav_port,
            speechminer: self.speechminer_port,
            control: self.control_port,
        }
    }
}

impl Verify {
    /// What was handed over instead of being read.
    pub(crate) fn exports(&self) -> verifier::Exports {
        verifier::Exports {
            archive: self.gir_archive.clone(),
            files: self.gir_files.clone(),
            speechminer: self.gir_speechminer.clone(),
            origin: self.gir_origin.clone(),
        }
    }
}

impl From<SurfaceArgument> for Surface {
    fn from(argument: SurfaceArgument) -> Surface {
        match argument {
            SurfaceArgument::Guide => Surface::Guide,
            SurfaceArgument::Public => Surface::Public,
            SurfaceArgument::Gir => Surface::Gir,
        }
    }
}

/// More recordings, calls or bytes of one of them than there can be: a trillion.
const MOST: u64 = 1_000_000_000_000;

/// A figure above nothing that can be calculated with.
fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(figure) if figure > 0.0 && figure <= 1e9 => Ok(figure),
        _ => Err("expected a figure above 0 and up to 1,000,000,000".to_owned()),
    }
}

#[derive(Debug, Args)]
pub(crate) struct Forecast {
    /// A plan, for target and pace, or a scenario, for everything; a figure given beside it wins
    pub(crate) from: Option<PathBuf>,
    /// How many recordings
    #[arg(long, env = "SEATRIAL_RECORDINGS", value_parser = clap::value_parser!(u64).range(1..=MOST))]
    pub(crate) recordings: Option<u64>,
    /// How many calls; as many as recordings unless given
    #[arg(long, env = "SEATRIAL_CALLS", value_parser = clap::value_parser!(u64).range(1..=MOST))]
    pub(crate) calls: Option<u64>,
    /// Mean length of a recording, in seconds; 180 unless given
    #[arg(long, env = "SEATRIAL_MEAN_SECONDS", value_parser = positive)]
    pub(crate) mean_seconds: Option<f64>,
    /// Codec at the source: pcm, mulaw, alaw, adpcm, mp3, amr, gsm; mulaw unless given
    #[arg(long, env = "SEATRIAL_CODEC")]
    pub(crate) codec: Option<String>,
    /// Mean bytes of a recording at the source, instead of what codec and length come to
    #[arg(long, env = "SEATRIAL_BYTES", value_parser = clap::value_parser!(u64).range(1..=MOST))]
    pub(crate) bytes: Option<u64>,
    /// The target plays the source's format: nothing is encoded again
    #[arg(long, env = "SEATRIAL_KEEP", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub(crate) keep: bool,
    /// By which surface; guide unless given
    #[arg(long, env = "SEATRIAL_SURFACE")]
    pub(crate) surface: Option<SurfaceArgument>,
    /// Requests a minute and token
    #[arg(long, env = "SEATRIAL_REQUESTS_PER_MINUTE", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) requests_per_minute: Option<u32>,
    /// Uploads a second
    #[arg(long, env = "SEATRIAL_UPLOADS_PER_SECOND", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) uploads_per_second: Option<u32>,
    /// Megabits a second between source, migrator and target together
    #[arg(long, env = "SEATRIAL_MEGABITS_PER_SECOND", value_parser = positive)]
    pub(crate) megabits_per_second: Option<f64>,
    /// Cores that decode and encode; this machine's unless given
    #[arg(long, env = "SEATRIAL_CORES", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) cores: Option<u32>,
    /// Tokens that share the work: shown beside the vendor's warning
    #[arg(long, env = "SEATRIAL_TOKENS", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) tokens: u32,
    /// Leave the verification out
    #[arg(long, env = "SEATRIAL_NO_VERIFY", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub(crate) no_verify: bool,
    /// The day it begins, YYYY-MM-DD; today unless given
    #[arg(long, env = "SEATRIAL_START", value_name = "DATE")]
    pub(crate) start: Option<jiff::civil::Date>,
    /// The day it must be finished, YYYY-MM-DD; a forecast that ends later exits with 30
    #[arg(long, env = "SEATRIAL_DEADLINE", value_name = "DATE")]
    pub(crate) deadline: Option<jiff::civil::Date>,
    /// What things cost, as TOML: currency, per_thousand_requests, included_requests,
    /// per_gigabyte_in, per_gigabyte_out, per_gigabyte_month_staged, per_machine_hour
    #[arg(long, env = "SEATRIAL_PRICES", value_name = "FILE")]
    pub(crate) prices: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Explore {
    /// Scenario file that the seeds vary: target, surface, plan and limits stay, world, faults,
    /// kills and workers change
    pub(crate) scenario: PathBuf,
    /// How many seeds
    #[arg(long, env = "SEATRIAL_SEEDS", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) seeds: u64,
    /// The first seed
    #[arg(long, env = "SEATRIAL_FIRST_SEED", default_value_t = 1)]
    pub(crate) first_seed: u64,
    /// Folder for the smallest scenarios that still fail
    #[arg(long, env = "SEATRIAL_REPORT", default_value = "seatrial-report")]
    pub(crate) report: PathBuf,
    /// Seeds tried at once; as many as cores unless given
    #[arg(long, env = "SEATRIAL_THREADS")]
    pub(crate) threads: Option<usize>,
    /// Failed seeds after which no more are begun; 0: all are tried
    #[arg(long, env = "SEATRIAL_MOST_FAILURES", default_value_t = 5)]
    pub(crate) most_failures: usize,
    /// How time runs; virtual for our migrator, real for a command, unless given
    #[arg(long, env = "SEATRIAL_CLOCK", value_name = "real|virtual|scaled:K")]
    pub(crate) clock: Option<Time>,
    /// Explore this command instead of our migrator
    #[arg(long, env = "SEATRIAL_MIGRATOR", value_name = "CMD")]
    pub(crate) migrator: Option<String>,
    /// Minutes the command may run at a start; then it is killed, and has failed
    #[arg(long, env = "SEATRIAL_MIGRATOR_MINUTES", value_name = "MINUTES", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=525_600))]
    pub(crate) migrator_minutes: u64,
}

#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// Scenario file
    pub(crate) scenario: PathBuf,
    /// Write the platforms' URLs to this file, as JSON
    #[arg(long, env = "SEATRIAL_ADDRESSES")]
    pub(crate) addresses: Option<PathBuf>,
    /// Write a plan that fits to this file, with mapping tables and secrets beside it
    #[arg(long, env = "SEATRIAL_PLAN")]
    pub(crate) plan: Option<PathBuf>,
    /// Instead of the scenario's seed
    #[arg(long, env = "SEATRIAL_SEED")]
    pub(crate) seed: Option<u64>,
    /// The day a generated world stands relative to, YYYY-MM-DD, UTC [default: today]; give that of
    /// the first start to go on with its calls later
    #[arg(long, env = "SEATRIAL_DAY", value_name = "DATE")]
    pub(crate) day: Option<jiff::civil::Date>,
    /// Port of the control API; 0: any free one
    #[arg(long, env = "SEATRIAL_CONTROL_PORT", default_value_t = 0)]
    pub(crate) control_port: u16,
    /// Port of the source's API; 0: any free one
    #[arg(long, env = "SEATRIAL_LEGACY_PORT", default_value_t = 0)]
    pub(crate) legacy_port: u16,
    /// Port of Genesys Cloud; 0: any free one
    #[arg(long, env = "SEATRIAL_GENESYS_CLOUD_PORT", default_value_t = 0)]
    pub(crate) genesys_cloud_port: u16,
    /// Port of the organisation that recordings are moved from, where a scenario has one; 0: any
    /// free one
    #[arg(long, env = "SEATRIAL_GENESYS_CLOUD_SOURCE_PORT", default_value_t = 0)]
    pub(crate) genesys_cloud_source_port: u16,
    /// Port of Genesys Interaction Recording's web services; 0: any free one
    #[arg(long, env = "SEATRIAL_GIR_PORT", default_value_t = 0)]
    pub(crate) gir_port: u16,
    /// Port of its store of media; 0: any free one
    #[arg(long, env = "SEATRIAL_WEBDAV_PORT", default_value_t = 0)]
    pub(crate) webdav_port: u16,
    /// Port of its SpeechMiner; 0: any free one
    #[arg(long, env = "SEATRIAL_SPEECHMINER_PORT", default_value_t = 0)]
    pub(crate) speechminer_port: u16,
    /// Serve all platforms on this one port instead, told apart by host name, the vendor's among
    /// them (docs/guide/one-port.md); 0: any free one
    #[arg(long, env = "SEATRIAL_ONE_PORT", value_name = "PORT")]
    pub(crate) one_port: Option<u16>,
    /// Speak HTTPS on that port, by a certificate of a CA that is made at start
    #[arg(long, env = "SEATRIAL_TLS", requires = "one_port", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub(crate) tls: bool,
    /// Write that CA's certificate to this file, PEM, for clients to trust
    #[arg(long, env = "SEATRIAL_CA", requires = "tls", value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
}

/// What is done with a ledger apart from a migration.
#[derive(Debug, Subcommand)]
pub(crate) enum Ledger {
    /// Copy a whole ledger into one that is not there yet: from a file into a database, or back
    Copy(CopyLedger),
}

#[derive(Debug, Args)]
pub(crate) struct CopyLedger {
    /// The ledger, as ledger.url names it; a path is relative to where you stand. A database's
    /// password is taken from PGPASSWORD or .pgpass
    pub(crate) from: String,
    /// Where the copy goes, likewise
    pub(crate) to: String,
}

#[derive(Debug, Args)]
pub(crate) struct PlanOnly {
    /// Plan file
    pub(crate) plan: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Migrate {
    /// Plan file
    pub(crate) plan: PathBuf,
    /// Instead of the plan's ledger; relative to where you stand
    #[arg(long, env = "SEATRIAL_LEDGER")]
    pub(crate) ledger: Option<String>,
    /// Instead of the plan's staging; relative to where you stand
    #[arg(long, env = "SEATRIAL_STAGING")]
    pub(crate) staging: Option<String>,
    /// Instead of the plan's workers
    #[arg(long, env = "SEATRIAL_WORKERS")]
    pub(crate) workers: Option<usize>,
    /// At most so many interactions in this run
    #[arg(long, env = "SEATRIAL_LIMIT")]
    pub(crate) limit: Option<u64>,
    /// Send a canary only: at most so many recordings, chosen to show everything there is; verify
    /// them, and write a checklist for a person. A target elsewhere than on this machine takes
    /// nothing else before its canary is confirmed
    #[arg(long, env = "SEATRIAL_CANARY", value_name = "N", conflicts_with_all = ["limit", "dry_run"])]
    pub(crate) canary: Option<usize>,
    /// Where the canary's checklist goes; canary-checklist.csv beside the plan unless given
    #[arg(long, env = "SEATRIAL_CHECKLIST", value_name = "FILE")]
    pub(crate) checklist: Option<PathBuf>,
    /// Where the canary's verification goes; canary-report beside the plan unless given
    #[arg(long, env = "SEATRIAL_REPORT", value_name = "DIR")]
    pub(crate) report: Option<PathBuf>,
    /// Minutes a canary is verified again while the target cannot show all of it yet
    #[arg(
        long,
        env = "SEATRIAL_PATIENCE",
        value_name = "MINUTES",
        default_value_t = 30
    )]
    pub(crate) patience: u64,
    /// Read a filled-in checklist: every answer yes confirms the canary, a single no fails it.
    /// Sends nothing
    #[arg(long, env = "SEATRIAL_CONFIRM_CANARY", value_name = "FILE", conflicts_with_all = ["canary", "limit", "dry_run", "accept_plan_change"])]
    pub(crate) confirm_canary: Option<PathBuf>,
    /// Extract, stage and convert, and write nothing to the target; tell exact counts and declared
    /// losses
    #[arg(long, env = "SEATRIAL_DRY_RUN", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub(crate) dry_run: bool,
    /// Go on although the plan or a mapping has changed since the ledger was begun: what is in the
    /// target and would be sent otherwise now is sent again, what stays behind or is not finished
    /// is decided anew
    #[arg(long, env = "SEATRIAL_ACCEPT_PLAN_CHANGE", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub(crate) accept_plan_change: bool,
    /// Read again from the source what stayed behind for a reason (such as audio_not_audio), by an
    /// outcome (quarantined, skipped, left), or what a file names: the CSV of status --quarantine,
    /// or one id of a call or recording a line. Then go on with whatever is open. What stayed
    /// behind because the source misbehaved is read again without it
    #[arg(long, env = "SEATRIAL_RETRY", value_name = "REASON|FILE", conflicts_with_all = ["canary", "dry_run", "redo"])]
    pub(crate) retry: Option<String>,
    /// Send again what is in the target and wrong there: the calls a file names (findings.jsonl of
    /// verify, or one id of a call or recording a line). They are read from the source again, and
    /// what is there is put right where the target allows it; where it does not, status says why
    #[arg(long, env = "SEATRIAL_REDO", value_name = "FILE", conflicts_with_all = ["canary", "dry_run"])]
    pub(crate) redo: Option<PathBuf>,
    /// Interaction Recording: where a call that is sent again stands there in another form, delete
    /// that recording and insert it again; for a moment it is nowhere
    #[arg(long, env = "SEATRIAL_REPLACE", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub(crate) replace: bool,
    /// Interactions that may meet an error before the run stops
    #[arg(long, env = "SEATRIAL_ERRORS_MAX", default_value_t = migrator::Options::default().errors_max)]
    pub(crate) errors_max: u64,
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    /// Plan file
    pub(crate) plan: PathBuf,
    /// Instead of the plan's ledger; relative to where you stand
    #[arg(long, env = "SEATRIAL_LEDGER")]
    pub(crate) ledger: Option<String>,
    /// Write the crosswalk to this file, as CSV
    #[arg(long, env = "SEATRIAL_CROSSWALK")]
    pub(crate) crosswalk: Option<PathBuf>,
    /// Write the chain of custody to this file, as NDJSON
    #[arg(long, env = "SEATRIAL_CUSTODY")]
    pub(crate) custody: Option<PathBuf>,
    /// Check a chain of custody that was written earlier: each line holds the hash of the one
    /// before, and the ledger still holds these lines
    #[arg(long, env = "SEATRIAL_CHECK_CUSTODY", value_name = "FILE")]
    pub(crate) check_custody: Option<PathBuf>,
    /// Write every recording that is quarantined, skipped, left with an error or could not be put
    /// right to this file, as CSV: call, recording, file, outcome, reason, detail, since when
    #[arg(long, env = "SEATRIAL_QUARANTINE", value_name = "FILE.csv")]
    pub(crate) quarantine: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// Plan file
    pub(crate) plan: PathBuf,
    /// Folder for summary.json, findings.jsonl, recordings.csv, breakdown.csv, drift.jsonl and
    /// requests.jsonl
    #[arg(long, env = "SEATRIAL_REPORT", default_value = "seatrial-report")]
    pub(crate) report: PathBuf,
    /// How much audio is compared: all, none, or a number of recordings
    #[arg(long, env = "SEATRIAL_AUDIO", default_value = "all")]
    pub(crate) audio: AudioArgument,
    /// Seed of the samples of audio
    #[arg(long, env = "SEATRIAL_SEED", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Of the recordings whose audio is compared, decode so many a second time by ffmpeg, or by sox,
    /// and hold that against our own decoding. One that differs is one that cannot be told
    #[arg(long, env = "SEATRIAL_SECOND_DECODER", value_name = "N", num_args = 0..=1, require_equals = true, default_missing_value = "20", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) second_decoder: Option<u64>,
    /// Where the source is read from
    #[arg(long, env = "SEATRIAL_SOURCE", default_value = "live")]
    pub(crate) source: SourceArgument,
    /// Create nothing on the target: no analytics job, no batch download. What depends on them
    /// cannot be told then
    #[arg(long, env = "SEATRIAL_NO_JOBS", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub(crate) no_jobs: bool,
    /// List every request that may be sent, with the permission it needs and what it creates; send
    /// none
    #[arg(long, env = "SEATRIAL_PRINT_REQUESTS", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub(crate) print_requests: bool,
    /// Control totals: a CSV with `count` (recordings) or `calls`, and any of `day`, `site` and
    /// `queue`. What the source does not come to is a mismatch
    #[arg(long, env = "SEATRIAL_TOTALS", value_name = "FILE.csv")]
    pub(crate) totals: Option<PathBuf>,
    /// A signed manifest: a CSV with a line for each recording that there is at the source
    /// (`legacy_interaction_id`, `legacy_recording_id`, and any of `start`, `bytes` and `sha256`),
    /// and the signature of minisign beside it (FILE.csv.minisig). In what the source differs is a
    /// mismatch
    #[arg(
        long,
        env = "SEATRIAL_MANIFEST",
        value_name = "FILE.csv",
        requires = "manifest_key"
    )]
    pub(crate) manifest: Option<PathBuf>,
    /// The public key of minisign that must have signed the manifest, or a file of it (minisign.pub)
    #[arg(
        long,
        env = "SEATRIAL_MANIFEST_KEY",
        value_name = "KEY|FILE",
        requires = "manifest"
    )]
    pub(crate) manifest_key: Option<String>,
    /// The migrator's chain of custody (status --custody): tell what it calls failed and is there,
    /// and what was sent by another tool or plan than most. It changes nothing of what must be there
    #[arg(long, env = "SEATRIAL_CUSTODY", value_name = "FILE.ndjson")]
    pub(crate) custody: Option<PathBuf>,
    /// The migration is still running: judge only calls that have been at rest in the target for so
    /// many minutes; what is in flight is never an alarm
    #[arg(long, env = "SEATRIAL_WHILE_MIGRATING", value_name = "MINUTES", num_args = 0..=1, require_equals = true, default_missing_value = "60")]
    pub(crate) while_migrating: Option<u32>,
    /// Folder of an earlier report of this migration: tell what has changed since
    #[arg(long, env = "SEATRIAL_AGAINST", value_name = "OLD-REPORT")]
    pub(crate) against: Option<PathBuf>,
    /// Judge only some calls; the report says that it tells of no other. A file names them, one id
    /// a line. Or: the id of a call; the id of a recording or of a record in the target, which the
    /// report in the folder of --report leads to its call; or a class such as D45, whose calls that
    /// report names. `call:ID` is the id of a call, whatever it looks like. Again for more. Unless
    /// all are files the new report goes into the folder `only` below --report
    #[arg(long, env = "SEATRIAL_ONLY", value_name = "FILE|ID|CLASS")]
    pub(crate) only: Vec<PathBuf>,
    /// Print what the report in the folder of --report says of one call, named by its id or a
    /// recording's, on either side; verifies nothing and sends nothing
    #[arg(long, env = "SEATRIAL_CALL", value_name = "ID")]
    pub(crate) call: Option<String>,
    /// Instead of the plan's staging, for --source staged
    #[arg(long, env = "SEATRIAL_STAGING")]
    pub(crate) staging: Option<String>,
    /// Interaction Recording: a private key for encrypted files, PEM without passphrase; again for
    /// another
    #[arg(long, env = "SEATRIAL_DECRYPTION_KEY", value_name = "FILE")]
    pub(crate) decryption_key: Vec<PathBuf>,
    /// Interaction Recording: RCS archives (DIR/**/recording.json) instead of RWS
    #[arg(long, env = "SEATRIAL_GIR_ARCHIVE", value_name = "DIR")]
    pub(crate) gir_archive: Option<PathBuf>,
    /// Interaction Recording: a WebDAV listing (CSV of href, size and perhaps sha256) or a mount of
    /// the store, instead of the store
    #[arg(long, env = "SEATRIAL_GIR_FILES", value_name = "LISTING|DIR")]
    pub(crate) gir_files: Option<PathBuf>,
    /// Interaction Recording: SpeechMiner's rows (CSV of
    /// externalId,callTime,callDuration,folder,filename) instead of its receiver
    #[arg(long, env = "SEATRIAL_GIR_SPEECHMINER", value_name = "FILE.csv")]
    pub(crate) gir_speechminer: Option<PathBuf>,
    /// Who exported what stands for a store, for the report
    #[arg(long, env = "SEATRIAL_GIR_ORIGIN", value_name = "TEXT")]
    pub(crate) gir_origin: Option<String>,
}

/// `--audio`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AudioArgument {
    All,
    None,
    Sample(usize),
}

impl AudioArgument {
    /// What the verifier is asked for; a sample is drawn with this seed.
    pub(crate) fn scope(self, seed: u64) -> verifier::AudioScope {
        match self {
            AudioArgument::All => verifier::AudioScope::All,
            AudioArgument::None => verifier::AudioScope::None,
            AudioArgument::Sample(size) => verifier::AudioScope::Sample { size, seed },
        }
    }
}

impl std::str::FromStr for AudioArgument {
    type Err = String;
    fn from_str(text: &str) -> Result<AudioArgument, String> {
        match text {
            "all" => Ok(AudioArgument::All),
            "none" => Ok(AudioArgument::None),
            number => match number.parse() {
                Ok(count) if count > 0 => Ok(AudioArgument::Sample(count)),
                _ => Err("expected all, none or a number of recordings".to_owned()),
            },
        }
    }
}

/// `--source`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SourceArgument {
    /// The source platform itself.
    Live,
    /// What the migrator staged.
    Staged,
}

#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// A plan whose source is of files, or the folder of an export
    pub(crate) source: PathBuf,
    /// Of a folder: the file that says how its metadata is laid out
    #[arg(
        long,
        env = "SEATRIAL_LAYOUT",
        value_name = "FILE",
        conflicts_with = "preset"
    )]
    pub(crate) layout: Option<PathBuf>,
    /// Of a folder: a layout that comes with the program
    #[arg(long, env = "SEATRIAL_PRESET", value_name = "NAME")]
    pub(crate) preset: Option<String>,
    /// Of a folder: where its metadata files are, where that is another folder
    #[arg(long, env = "SEATRIAL_METADATA", value_name = "FOLDER")]
    pub(crate) metadata: Option<PathBuf>,
    /// Of a folder: zone of times without an offset, where the layout names none
    #[arg(long, env = "SEATRIAL_NAIVE_ZONE", value_name = "ZONE")]
    pub(crate) naive_zone: Option<String>,
    /// Look for audio files, and not into them: codecs are those that the metadata names
    #[arg(long, env = "SEATRIAL_NO_AUDIO", value_parser = clap::builder::FalseyValueParser::new(), action = clap::ArgAction::SetTrue)]
    pub(crate) no_audio: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Schema {
    /// Of what
    pub(crate) of: SchemaOf,
}

/// What has a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaOf {
    /// plan.toml
    Plan,
    /// layout.toml
    Layout,
    /// A scenario file
    Scenario,
    /// The canonical record
    Canonical,
    /// One fault of a scenario
    Fault,
    /// The fault table itself, with every operation a fault may name
    FaultTable,
    /// summary.json
    Summary,
    /// A line of findings.jsonl
    Finding,
}

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// For which shell
    pub(crate) shell: clap_complete::Shell,
}
