//! `plan.toml`, key by key. Source: contracts section 6.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use schemars::{JsonSchema, Schema};
use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;

use crate::SecretRef;
use crate::region;

/// A whole plan. Unknown keys are refused with the nearest known one.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Format of this file: 1.
    pub plan_version: u32,
    /// How a target record is tied to its source.
    pub identity: Identity,
    /// Where recordings come from.
    pub source: Source,
    /// Where they go.
    pub target: Target,
    /// Tables from legacy ids to target ids.
    pub mapping: MappingFiles,
    /// What to do where a table or a record is incomplete.
    pub rules: Rules,
    /// How source times become instants. Absent: milliseconds, UTC, no drift.
    #[serde(default)]
    pub time: TimeRules,
    /// Target format and tolerance.
    #[serde(default)]
    pub audio: AudioRules,
    /// Protection of numbers and of what is said in pauses. Required, without a default: nobody decides this by accident.
    pub pii: Pii,
    /// Years each retention class is kept.
    #[serde(default)]
    pub retention: Retention,
    /// Object storage for raw JSON and audio.
    pub staging: Staging,
    /// Durable state of the migration.
    pub ledger: Ledger,
    /// Upper bounds of speed.
    #[serde(default)]
    pub pace: Pace,
}

impl Plan {
    /// JSON Schema of `plan.toml`.
    #[must_use]
    pub fn schema() -> Schema {
        schemars::schema_for!(Plan)
    }
}

/// `[identity]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// Name of this migration, in every id and tag it makes: lower-case letters, digits, `-`, `_`, `.`; at most 40 characters.
    pub namespace: String,
    /// What carries the legacy id in the target. Absent: the external tag.
    #[serde(default)]
    #[schemars(with = "String")]
    pub carrier: Carrier,
}

/// What ties a target conversation to its source interaction.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Carrier {
    /// `externalTag = "st:<namespace>:<legacy_interaction_id>"`.
    #[default]
    ExternalTag,
    /// A participant attribute of this name holds the legacy interaction id.
    ParticipantAttribute(String),
    /// A crosswalk file, relative to the plan.
    Crosswalk(PathBuf),
}

impl TryFrom<String> for Carrier {
    type Error = String;
    fn try_from(text: String) -> Result<Carrier, String> {
        match text.split_once(':') {
            None if text == "external_tag" => Ok(Carrier::ExternalTag),
            Some(("participant_attribute", name)) if !name.is_empty() => Ok(Carrier::ParticipantAttribute(name.to_owned())),
            Some(("crosswalk", file)) if !file.is_empty() => Ok(Carrier::Crosswalk(PathBuf::from(file))),
            _ => Err(format!("carrier `{text}`: expected external_tag, participant_attribute:NAME or crosswalk:FILE.csv")),
        }
    }
}

/// `[source]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Kind of source.
    pub kind: SourceKind,
    /// Root of its API.
    #[schemars(with = "String")]
    pub base_url: Url,
    /// OAuth client id.
    pub client_id: String,
    /// OAuth client secret.
    pub client_secret: SecretRef,
    /// Start of the window, inclusive. Absent: no bound.
    #[schemars(with = "Option<String>")]
    pub from: Option<Timestamp>,
    /// End of the window, exclusive. Absent: no bound.
    #[schemars(with = "Option<String>")]
    pub to: Option<Timestamp>,
    /// Hosts besides `base_url`'s from which media may be fetched, each `host` or `host:port`. No token is sent there.
    #[serde(default)]
    pub media_hosts: Vec<String>,
    /// PEM file, relative to the plan, of certificates of authorities that this side's hosts are trusted by besides the system's. Absent: the system's only.
    pub ca: Option<PathBuf>,
    /// Let plain http go to another machine on this side, credentials and recordings in clear. This machine needs no leave.
    #[serde(default)]
    pub plain_http: bool,
}

/// Kind of source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// The legacy CCaaS platform.
    Legacy,
    /// A folder or bucket of audio with NDJSON or CSV.
    Files,
}

/// `[target]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Kind of target.
    pub kind: TargetKind,
    /// Surface the recordings go in by. Absent: the guide's.
    #[serde(default)]
    pub ingest: Ingest,
    /// Root of the API; or give `region`.
    #[schemars(with = "Option<String>")]
    pub base_url: Option<Url>,
    /// Region by name (`us-east-1`) or domain (`mypurecloud.ie`), instead of `base_url`.
    pub region: Option<String>,
    /// Root of the login host, where it is not derived from the API's.
    #[schemars(with = "Option<String>")]
    pub login_url: Option<Url>,
    /// OAuth client id (Genesys Cloud).
    #[serde(default)]
    pub client_id: String,
    /// OAuth client secret (Genesys Cloud).
    pub client_secret: Option<SecretRef>,
    /// GIR: root of Recording Web Services.
    #[schemars(with = "Option<String>")]
    pub rws_url: Option<Url>,
    /// GIR: contact centre id.
    pub contact_center_id: Option<String>,
    /// GIR: operations account.
    pub username: Option<String>,
    /// GIR: its password.
    pub password: Option<SecretRef>,
    /// GIR: root of the WebDAV store.
    #[schemars(with = "Option<String>")]
    pub webdav_url: Option<Url>,
    /// GIR: WebDAV account.
    pub webdav_username: Option<String>,
    /// GIR: its password.
    pub webdav_password: Option<SecretRef>,
    /// GIR: SpeechMiner Interaction Receiver.
    #[schemars(with = "Option<String>")]
    pub speechminer_url: Option<Url>,
    /// GIR: SpeechMiner account.
    pub speechminer_username: Option<String>,
    /// GIR: its password.
    pub speechminer_password: Option<SecretRef>,
    /// GIR: what a second post of a recording becomes in SpeechMiner. Absent: it replaces the first.
    #[serde(default)]
    pub speechminer_repost: Repost,
    /// GIR: recipients' certificates for encryption.
    #[serde(default)]
    pub certificates: Vec<PathBuf>,
    /// PEM file, relative to the plan, of certificates of authorities that this side's hosts are trusted by besides the system's. Absent: the system's only.
    pub ca: Option<PathBuf>,
    /// Let plain http go to another machine on this side, credentials and recordings in clear. This machine needs no leave.
    #[serde(default)]
    pub plain_http: bool,
}

impl Target {
    /// Root of the API, from `base_url` or `region`; `None` where neither leads to one.
    #[must_use]
    pub fn api_url(&self) -> Option<Url> {
        self.base_url.clone().or_else(|| {
            let domain = region::domain(self.region.as_deref()?)?;
            Url::parse(&format!("https://api.{domain}")).ok()
        })
    }

    /// The address the target is known by: the API's, or Recording Web Services'.
    #[must_use]
    pub fn main_url(&self) -> Option<Url> {
        match self.kind {
            TargetKind::GenesysCloud => self.api_url(),
            TargetKind::Gir => self.rws_url.clone(),
        }
    }

    /// Every address that something is sent to; `None` for one that the plan does not lead to.
    #[must_use]
    pub fn urls(&self) -> Vec<Option<Url>> {
        match self.kind {
            TargetKind::GenesysCloud => vec![self.api_url(), self.token_url()],
            TargetKind::Gir => {
                let speechminer = self.speechminer_url.clone().map(Some);
                [self.rws_url.clone(), self.webdav_url.clone()].into_iter().chain(speechminer).collect()
            }
        }
    }

    /// Where tokens are issued: `login_url`, or the API's host with `api.` turned into `login.`, as the vendor's SDKs do.
    #[must_use]
    pub fn token_url(&self) -> Option<Url> {
        let mut root = self.login_url.clone().or_else(|| self.api_url())?;
        if self.login_url.is_none() {
            let login = root.host_str().and_then(|host| host.strip_prefix("api.")).map(|rest| format!("login.{rest}"));
            if let Some(login) = login {
                root.set_host(Some(&login)).ok()?;
            }
        }
        root.join("/oauth/token").ok()
    }
}

/// What a second post of a recording becomes in SpeechMiner, which no page states: the site has to say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Repost {
    /// The one entry, as it came last: a post whose outcome is unknown is repeated.
    #[default]
    Replace,
    /// A second entry: a post whose outcome is unknown is left for a person.
    Duplicate,
}

/// Kind of target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TargetKind {
    /// Genesys Cloud CX.
    GenesysCloud,
    /// Genesys Interaction Recording.
    Gir,
}

impl TargetKind {
    /// As a plan names it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            TargetKind::GenesysCloud => "genesys_cloud",
            TargetKind::Gir => "gir",
        }
    }
}

/// Ingestion surface of Genesys Cloud.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ingest {
    /// The recording-migration guide's endpoints. Not in the vendor's public API.
    #[default]
    Guide,
    /// The public API of Genesys Cloud EX.
    Public,
}

/// `[mapping]`: CSV files, relative to the plan.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MappingFiles {
    /// `legacy_agent_id,genesys_user_id,genesys_user_name[,gir_username,gir_login,gir_access_group][,valid_from,valid_to]`.
    pub agents: PathBuf,
    /// `legacy_queue_id,genesys_queue_id[,gir_partition]`.
    pub queues: PathBuf,
    /// `legacy_skill,genesys_skill_id`. Absent: no skill is carried.
    pub skills: Option<PathBuf>,
    /// `legacy_code,genesys_wrapup_id`. Absent: no wrap-up is mapped.
    pub wrapups: Option<PathBuf>,
    /// Public ingestion: each agent's legacy id is written into the target as an external id of its user under this authority, so that
    /// whoever audits later can read the mapping back. Absent: none is written.
    pub external_id_authority: Option<String>,
}

/// `[rules]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// For a call whose agent has no row valid at its date.
    #[schemars(with = "String")]
    pub unmapped_agent: UnmappedAgent,
    /// For a call whose queue has no row.
    #[schemars(with = "String")]
    pub unmapped_queue: UnmappedQueue,
    /// Largest share of calls, 0 to 1, that may go to a stand-in: the fallback user or the default queue. More of them end a run before the first
    /// write. Absent: no bound; they are counted and named all the same.
    #[serde(default)]
    pub max_fallback_share: Option<f64>,
    /// For an interaction of which one recording is quarantined. Absent: hold.
    #[serde(default)]
    pub partial: Partial,
    /// Take staged bytes for the source's where the source gave no size to hold them against.
    #[serde(default)]
    pub trust_staging: bool,
    /// Recordings agreed to stay behind: `legacy_recording_id,reason,decided_by,decided_at`.
    pub exclusions: Option<PathBuf>,
}

/// What becomes of an agent without a mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum UnmappedAgent {
    /// `fallback:<user id>`: this user stands in.
    Fallback(Uuid),
    /// `quarantine`: the interaction stays behind.
    Quarantine,
}

impl TryFrom<String> for UnmappedAgent {
    type Error = String;
    fn try_from(text: String) -> Result<UnmappedAgent, String> {
        match text.split_once(':') {
            None if text == "quarantine" => Ok(UnmappedAgent::Quarantine),
            Some(("fallback", id)) => {
                Uuid::parse_str(id).map(UnmappedAgent::Fallback).map_err(|_| format!("unmapped_agent: `{id}` is not a user id (a UUID)"))
            }
            _ => Err(format!("unmapped_agent `{text}`: expected quarantine or fallback:<user id>")),
        }
    }
}

/// What becomes of a queue without a mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum UnmappedQueue {
    /// `default:<queue id>`: this queue stands in.
    Default(Uuid),
    /// `skip`: the interaction stays behind.
    Skip,
}

impl TryFrom<String> for UnmappedQueue {
    type Error = String;
    fn try_from(text: String) -> Result<UnmappedQueue, String> {
        match text.split_once(':') {
            None if text == "skip" => Ok(UnmappedQueue::Skip),
            Some(("default", id)) => {
                Uuid::parse_str(id).map(UnmappedQueue::Default).map_err(|_| format!("unmapped_queue: `{id}` is not a queue id (a UUID)"))
            }
            _ => Err(format!("unmapped_queue `{text}`: expected skip or default:<queue id>")),
        }
    }
}

/// What becomes of an interaction of which one recording is quarantined.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Partial {
    /// All of it stays behind.
    #[default]
    Hold,
    /// The other recordings go.
    SendRest,
}

/// `[time]`. Source: contracts section 7.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimeRules {
    /// Unit of the source's numbers. Absent: milliseconds.
    #[serde(default)]
    pub unit: TimeUnit,
    /// Zone of local text, for sources that give such. An IANA name.
    pub naive_zone: Option<String>,
    /// Where the recorders stand. An IANA name. Absent: daylight-saving errors cannot be told from plain shifts.
    pub site_zone: Option<String>,
    /// How far this machine's clock may be from what the platforms' answers say (`Date`). Seconds; absent: 300. Retention is judged by our clock.
    pub clock_tolerance_s: Option<u32>,
    /// Declared drift of each recorder node.
    #[serde(default)]
    pub node: BTreeMap<String, NodeTime>,
}

impl TimeRules {
    /// How far this machine's clock may be from the platforms'.
    #[must_use]
    pub fn clock_tolerance(&self) -> std::time::Duration {
        // Five minutes: what Kerberos and signed requests of the usual clouds allow a clock to be wrong by.
        std::time::Duration::from_secs(self.clock_tolerance_s.unwrap_or(300).into())
    }
}

/// Unit of a source time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TimeUnit {
    /// Milliseconds since 1970.
    #[default]
    Ms,
    /// Seconds since 1970.
    S,
}

/// `[time.node."N3"]`.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeTime {
    /// Added to what the node says; constant. Milliseconds.
    pub offset_ms: i64,
}

/// `[audio]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AudioRules {
    /// Format in the target.
    pub format: AudioFormat,
    /// How much shorter than the source declares a recording may be, and how much of it may be missing by its file's own promises. Milliseconds.
    pub short_tolerance_ms: u64,
    /// What becomes of one that is shorter, or of which more is missing.
    pub short_source: ShortSource,
    /// The largest recording that is taken from either side. Bytes. A longer one is the platform's trouble: it is left, and nothing is set aside for it.
    pub max_bytes: u64,
    /// Whether ffmpeg decodes what is not read here: G.722, G.726, Speex, Windows Media and others. Each of migrator and verifier looks for it for itself.
    pub ffmpeg: FfmpegUse,
}

impl Default for AudioRules {
    fn default() -> AudioRules {
        // A gibibyte: nine hours of two-channel WAV at 16 kHz.
        AudioRules {
            format: AudioFormat::Mp3,
            short_tolerance_ms: 1000,
            short_source: ShortSource::Quarantine,
            max_bytes: 1 << 30,
            ffmpeg: FfmpegUse::Auto,
        }
    }
}

/// Use of ffmpeg.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FfmpegUse {
    /// Where the program is found on the `PATH`, in a process of its own that is bounded in time and output.
    #[default]
    Auto,
    /// Not at all: such recordings are set aside as `audio_unsupported`.
    Never,
}

/// Format in the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AudioFormat {
    /// MP3.
    Mp3,
    /// WAV with 16-bit linear samples.
    Wav,
    /// The source's bytes, where the target plays them.
    Keep,
}

/// What becomes of a recording shorter than its source declares or its file promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShortSource {
    /// It stays behind.
    Quarantine,
    /// It goes as it is.
    Migrate,
}

/// `[pii]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pii {
    /// Phone numbers.
    pub phones: Phones,
    /// What is audible inside a pause.
    pub pauses: Pauses,
}

/// `phones = "keep" | "mask" | { hash = { env = "PHONE_KEY" } }`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "PhonesText")]
#[schemars(with = "PhonesText")]
pub enum Phones {
    /// As the source has them.
    Keep,
    /// All digits but the last four are replaced by `*`; a number that holds a `*` already stays as it is.
    Mask,
    /// HMAC-SHA256 over E.164 with this key, hex; a number that holds a `*` already stays as it is.
    Hash(SecretRef),
}

/// As written.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "phones: expected \"keep\", \"mask\" or { hash = { env = \"NAME\" } }")]
enum PhonesText {
    Word(String),
    Hash { hash: SecretRef },
}

impl TryFrom<PhonesText> for Phones {
    type Error = String;
    fn try_from(text: PhonesText) -> Result<Phones, String> {
        match text {
            PhonesText::Hash { hash } => Ok(Phones::Hash(hash)),
            PhonesText::Word(word) => match word.as_str() {
                "keep" => Ok(Phones::Keep),
                "mask" => Ok(Phones::Mask),
                _ => Err(format!("phones `{word}`: expected \"keep\", \"mask\" or {{ hash = {{ env = \"NAME\" }} }}")),
            },
        }
    }
}

/// `pauses = "keep" | "silence" | "tone" | { seal = "key.pub" }`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "PausesText")]
#[schemars(with = "PausesText")]
pub enum Pauses {
    /// As the source has them.
    Keep,
    /// Replaced by silence of the same length.
    Silence,
    /// Replaced by a tone of the same length.
    Tone,
    /// Replaced by silence, the raw recording sealed for the holder of this key.
    Seal(PathBuf),
}

/// As written.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "pauses: expected \"silence\", \"keep\", \"tone\" or { seal = \"key.pub\" }")]
enum PausesText {
    Word(String),
    Seal { seal: PathBuf },
}

impl TryFrom<PausesText> for Pauses {
    type Error = String;
    fn try_from(text: PausesText) -> Result<Pauses, String> {
        match text {
            PausesText::Seal { seal } => Ok(Pauses::Seal(seal)),
            PausesText::Word(word) => match word.as_str() {
                "keep" => Ok(Pauses::Keep),
                "silence" => Ok(Pauses::Silence),
                "tone" => Ok(Pauses::Tone),
                _ => Err(format!("pauses `{word}`: expected \"silence\", \"keep\", \"tone\" or {{ seal = \"key.pub\" }}")),
            },
        }
    }
}

/// `[retention]`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Beyond the organisation's maximum.
    pub over_max: OverMax,
    /// Ended before the migration.
    pub expired: Expired,
    /// The source's class names.
    pub class: BTreeMap<String, RetentionClass>,
    /// GIR: the site's purge rules, which no API tells.
    pub gir_rule: Vec<GirRule>,
}

/// What becomes of a retention beyond the organisation's maximum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OverMax {
    /// It stays behind.
    #[default]
    Quarantine,
    /// It is kept for the maximum.
    Clamp,
}

/// What becomes of a recording whose retention has ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Expired {
    /// It stays behind.
    #[default]
    Skip,
    /// It goes.
    Migrate,
}

/// `[retention.class."7-Year Retention"]`.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetentionClass {
    /// Calendar years, counted from the call's end and never from the upload.
    pub years: i64,
}

/// `[[retention.gir_rule]]`: a purge rule of the site.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GirRule {
    /// Age at which the rule deletes. Days since the call.
    pub after_days: i64,
    /// Only records of this call type. Absent: any.
    pub call_type: Option<String>,
    /// Only records with this label. Absent: any.
    pub label: Option<String>,
}

/// `[staging]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Staging {
    /// `file:///...`, `s3://bucket/prefix`, `az://container/prefix`; a plain path is relative to the plan.
    pub url: String,
}

/// `[ledger]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ledger {
    /// `sqlite:///...` or `postgres://...`; a plain path is SQLite, relative to the plan.
    pub url: String,
}

/// `[pace]`: upper bounds; what the platform announces or refuses lowers them.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Pace {
    /// Interactions worked on at once.
    pub workers: usize,
    /// Requests a minute to the target, uploads apart.
    pub requests_per_minute: u32,
    /// Uploads a second.
    pub uploads_per_second: u32,
}

impl Default for Pace {
    fn default() -> Pace {
        // 16 workers: the guide's 10-20; 300 and 100: the limits of the target as documented and as the guide gives them.
        Pace { workers: 16, requests_per_minute: 300, uploads_per_second: 100 }
    }
}
