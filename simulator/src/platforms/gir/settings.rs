//! What a scenario may set about this platform.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::purge::PurgeRule;

/// Most certificates of a plan: their serials are small numbers, and making one takes a second.
const MAX_CERTIFICATES: usize = 9;

/// `[gir]` of a scenario. What is left out is what the rules call the default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Id of the one contact centre. Default: the vendor's sample's.
    pub contact_center_id: String,
    /// Region of the node that answers (`crRegion`). Default `Can-West`, the vendor's sample's.
    pub region: String,
    /// What becomes of a recording that is inserted with another region. Default `hidden`.
    pub other_region: OtherRegion,
    /// Features the contact centre has; without `api-supervisor-recording` nothing is inserted,
    /// without `schema-elasticsearch-v2-call-recording` there are neither labels nor non-deletion.
    /// Default: both, and `api-voice-recording`.
    pub features: Vec<String>,
    /// Whether POST, PUT and DELETE need the CSRF header and its session's cookie. Default true.
    pub csrf: bool,
    /// What a time without a zone is. Default `utc`.
    pub zoneless: Zoneless,
    /// Whose single values stay when an id is inserted again. Default `first`.
    pub merged_values: Wins,
    /// What a media file with a `mediaId` that the recording has becomes. Default `duplicated`.
    pub repeated_media: Repeated,
    /// What an event that the recording has becomes (by `eventId`, else by equality). Default
    /// `duplicated`.
    pub repeated_events: Repeated,
    /// Whether the ops account is let in where the vendor asks for a contact centre admin: search
    /// and reading outside the ops paths, labels, non-deletion. Default true.
    pub ops_is_admin: bool,
    /// How a search with many results is answered. Default `paged`.
    pub paging: Paging,
    /// `[gir.limits]`.
    pub limits: Limits,
    /// `[gir.speechminer]`.
    pub speechminer: SpeechMinerSettings,
    /// `[gir.purge]`.
    pub purge: PurgeSettings,
    /// `[gir.index]`.
    pub index: IndexSettings,
    /// `[gir.privacy]`.
    pub privacy: PrivacySettings,
    /// `[gir.encryption]`.
    pub encryption: EncryptionSettings,
}

/// `[gir.index]` of a scenario: what a search knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct IndexSettings {
    /// How long after its insertion a recording is found by a search, in milliseconds on the
    /// simulator's clock. By its id it is read at once. Default 0.
    pub delay_ms: u64,
    /// Whether a recording that no search finds yet takes neither labels nor non-deletion: 404.
    /// Default true.
    pub writes_need_index: bool,
}

/// `[gir.privacy]` of a scenario: what a read leaves out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PrivacySettings {
    /// Fields of agents (`username`, `agentId`, `userName`, `phoneNumber`, `firstName` ..).
    /// Default: none.
    pub agent_fields: Vec<String>,
    /// Fields of customers (`callerPhoneNumber`, `dialedPhoneNumber`, `ani`, `dnis`, `phoneNumber`
    /// ..). Default: none.
    pub customer_fields: Vec<String>,
    /// Whether the ops account is told them all the same, in its own paths. Default true.
    pub ops_sees_all: bool,
}

/// `[gir.encryption]` of a scenario: whom media are encrypted for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EncryptionSettings {
    /// How many certificates the plan names; with one or more the migration encrypts. Default 0.
    pub certificates: usize,
    /// Whether the private keys are written beside the plan, for a verifier. Default true.
    pub hand_over_key: bool,
}

impl Default for IndexSettings {
    fn default() -> IndexSettings {
        IndexSettings {
            delay_ms: 0,
            writes_need_index: true,
        }
    }
}

impl Default for PrivacySettings {
    fn default() -> PrivacySettings {
        PrivacySettings {
            agent_fields: Vec::new(),
            customer_fields: Vec::new(),
            ops_sees_all: true,
        }
    }
}

impl Default for EncryptionSettings {
    fn default() -> EncryptionSettings {
        EncryptionSettings {
            certificates: 0,
            hand_over_key: true,
        }
    }
}

impl Default for PurgeSettings {
    fn default() -> PurgeSettings {
        PurgeSettings {
            rules: None,
            every_minutes: 24 * 60,
        }
    }
}

/// `[gir.purge]` of a scenario: the site's lifecycle management.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PurgeSettings {
    /// What deletes. Left out: a rule for each retention class of the world, by its label
    /// `st-ret-<class>`, that deletes when the class ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rules: Option<Vec<PurgeRule>>,
    /// How often it deletes, in minutes from midnight UTC. Default 1440: once a day, at midnight.
    pub every_minutes: u64,
}

/// `[gir.speechminer]` of a scenario.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SpeechMinerSettings {
    /// What a second post of a recording becomes. Default `replace`.
    pub repost: Repost,
}

/// What a second post of a recording to SpeechMiner becomes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Repost {
    /// It takes the first one's place.
    #[default]
    Replace,
    /// It stands beside the first: the recording is there twice.
    Duplicate,
}

/// `[gir.limits]` of a scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// How long a session lives that nobody uses, in minutes. Default 30.
    pub session_minutes: u64,
    /// Largest request body in bytes. Default 2097152.
    pub max_request_bytes: u64,
    /// Most recordings in one answer to a search. Default 100.
    pub query_results: usize,
}

/// How a search with more results than one answer holds is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Paging {
    /// In pages that name the next and the previous.
    Paged,
    /// With the first results and no word about others.
    Capped,
}

/// What becomes of a recording of another region than the node's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OtherRegion {
    /// It is taken in, and this node says that there is none.
    Hidden,
    /// Its insertion is refused.
    Refused,
}

/// What a time without a zone is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Zoneless {
    /// A time in UTC.
    Utc,
    /// No time: the insertion is refused.
    Refused,
}

/// Whose value stays when two insertions state one each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Wins {
    /// What stood there.
    First,
    /// What came last.
    Last,
}

/// What a second insertion of something with a known id becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Repeated {
    /// A second entry beside the first.
    Duplicated,
    /// The one entry, as it came last.
    Replaced,
    /// Nothing: the first stays.
    Kept,
}

impl Default for Settings {
    fn default() -> Settings {
        let features = [
            super::INSERTION_FEATURE,
            "api-voice-recording",
            "schema-elasticsearch-v2-call-recording",
        ];
        Settings {
            contact_center_id: "57c0b771-b57c-4ea8-8655-7ef6d3c58ccc".to_owned(),
            region: "Can-West".to_owned(),
            other_region: OtherRegion::Hidden,
            features: features.map(str::to_owned).to_vec(),
            csrf: true,
            zoneless: Zoneless::Utc,
            merged_values: Wins::First,
            repeated_media: Repeated::Duplicated,
            repeated_events: Repeated::Duplicated,
            ops_is_admin: true,
            paging: Paging::Paged,
            limits: Limits::default(),
            speechminer: SpeechMinerSettings::default(),
            purge: PurgeSettings::default(),
            index: IndexSettings::default(),
            privacy: PrivacySettings::default(),
            encryption: EncryptionSettings::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            session_minutes: 30,
            max_request_bytes: 2 * 1024 * 1024,
            query_results: 100,
        }
    }
}

impl Settings {
    /// What is wrong with it, in a sentence.
    pub(crate) fn check(&self) -> Result<(), String> {
        let is_plain = |text: &str| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        if !is_plain(&self.contact_center_id) {
            return Err("contact_center_id must be letters, digits and -_.".to_owned());
        }
        if self.region.is_empty() {
            return Err("region must not be empty".to_owned());
        }
        if self.limits.session_minutes == 0 {
            return Err("session_minutes must be 1 or more".to_owned());
        }
        if self.limits.query_results == 0 {
            return Err("query_results must be 1 or more".to_owned());
        }
        if !(1..=24 * 60).contains(&self.purge.every_minutes) {
            return Err("every_minutes of purge must be 1 to 1440".to_owned());
        }
        if self.encryption.certificates > MAX_CERTIFICATES {
            return Err(format!("certificates must be at most {MAX_CERTIFICATES}"));
        }
        self.purge
            .rules
            .iter()
            .flatten()
            .try_for_each(PurgeRule::check)
    }
}
