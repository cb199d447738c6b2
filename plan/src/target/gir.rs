//! Genesys Interaction Recording.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use super::Section;
use crate::identity::Carrier;
use crate::mapping::{AgentRow, QueueRow};
use crate::secret::SecretRef;

/// `[target]` with `kind = "gir"`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gir {
    /// Root of Recording Web Services.
    #[schemars(with = "String")]
    pub rws_url: Url,
    /// Contact centre id.
    pub contact_center_id: String,
    /// Region of every recording, as the site names it.
    pub region: String,
    /// Operations account.
    pub username: String,
    /// Its password.
    pub password: SecretRef,
    /// Root of the WebDAV store.
    #[schemars(with = "String")]
    pub webdav_url: Url,
    /// WebDAV account.
    pub webdav_username: String,
    /// Its password.
    pub webdav_password: SecretRef,
    /// SpeechMiner Interaction Receiver. Absent: nothing is posted.
    #[schemars(with = "Option<String>")]
    pub speechminer_url: Option<Url>,
    /// SpeechMiner account.
    pub speechminer_username: Option<String>,
    /// Its password.
    pub speechminer_password: Option<SecretRef>,
    /// What a second post of a recording becomes in SpeechMiner. Absent: it replaces the first.
    #[serde(default)]
    pub speechminer_repost: Repost,
    /// Recipients' certificates for encryption, PEM files relative to the plan.
    #[serde(default)]
    pub certificates: Vec<PathBuf>,
    /// PEM file, relative to the plan, of certificates of authorities that this side's hosts are
    /// trusted by besides the system's. Absent: the system's only.
    pub ca: Option<PathBuf>,
    /// Let plain http go to another machine on this side, credentials and recordings in clear. This
    /// machine needs no leave.
    #[serde(default)]
    pub plain_http: bool,
}

/// What a second post of a recording becomes in SpeechMiner, which no page states: the site has to
/// say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Repost {
    /// The one entry, as it came last: a post whose outcome is unknown is repeated.
    #[default]
    Replace,
    /// A second entry: a post whose outcome is unknown is left for a person.
    Duplicate,
}

/// `[[retention.gir_rule]]`: a purge rule of the site.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PurgeRule {
    /// Age at which the rule deletes. Days since the call.
    pub after_days: i64,
    /// Only records of this call type. Absent: any.
    pub call_type: Option<String>,
    /// Only records with this label. Absent: any.
    pub label: Option<String>,
}

/// Columns of `agents.csv`.
pub(super) const AGENT_COLUMNS: &[&str] = &["gir_username", "gir_login", "gir_access_group"];
/// Column of `queues.csv`.
pub(super) const PARTITION: &str = "gir_partition";

impl AgentRow {
    /// Interaction Recording: user name as in the configuration.
    #[must_use]
    pub fn gir_username(&self) -> Option<&str> {
        self.target_column("gir_username")
    }

    /// Interaction Recording: agent login.
    #[must_use]
    pub fn gir_login(&self) -> Option<&str> {
        self.target_column("gir_login")
    }

    /// Interaction Recording: access group. Absent: none is written, and perhaps nobody may hear
    /// the recording.
    #[must_use]
    pub fn gir_access_group(&self) -> Option<&str> {
        self.target_column("gir_access_group")
    }
}

impl QueueRow {
    /// Interaction Recording: partition of the queue's recordings. Absent: none.
    #[must_use]
    pub fn gir_partition(&self) -> Option<&str> {
        self.target_column(PARTITION)
    }
}

impl Gir {
    fn validate_keys(&self) -> Result<(), String> {
        let missing = |key: &str| Err(format!("target.{key} is required for kind = \"gir\""));
        let texts = [
            ("contact_center_id", &self.contact_center_id),
            ("region", &self.region),
            ("username", &self.username),
            ("webdav_username", &self.webdav_username),
        ];
        if let Some((key, _)) = texts.into_iter().find(|(_, text)| text.is_empty()) {
            return missing(key);
        }
        plain_url("rws_url", &self.rws_url)?;
        plain_url("webdav_url", &self.webdav_url)?;
        if let Some(url) = &self.speechminer_url {
            plain_url("speechminer_url", url)?;
            if self
                .speechminer_username
                .as_ref()
                .is_none_or(String::is_empty)
                || self.speechminer_password.is_none()
            {
                return missing(
                    "speechminer_username and target.speechminer_password, beside speechminer_url,",
                );
            }
        }
        Ok(())
    }
}

impl Section for Gir {
    fn main_url(&self) -> Option<Url> {
        Some(self.rws_url.clone())
    }

    fn urls(&self) -> Vec<Option<Url>> {
        let speechminer = self.speechminer_url.clone().map(Some);
        [&self.rws_url, &self.webdav_url]
            .into_iter()
            .cloned()
            .map(Some)
            .chain(speechminer)
            .collect()
    }

    fn ca(&self) -> Option<&Path> {
        self.ca.as_deref()
    }

    fn plain_http(&self) -> bool {
        self.plain_http
    }

    fn certificates(&self) -> &[PathBuf] {
        &self.certificates
    }

    fn validate(
        &self,
        carrier: &Carrier,
        external_id_authority: Option<&str>,
    ) -> Result<(), String> {
        self.validate_keys()?;
        if matches!(carrier, Carrier::ParticipantAttribute(_)) {
            let why = "identity.carrier: Interaction Recording has no participant attributes; \
                leave it out, or use a crosswalk";
            return Err(why.to_owned());
        }
        if external_id_authority.is_some() {
            return Err("mapping.external_id_authority is only for Genesys Cloud".to_owned());
        }
        Ok(())
    }
}

/// An address that media paths and requests can be made from: no account, query or fragment in it.
fn plain_url(key: &str, url: &Url) -> Result<(), String> {
    let is_plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if matches!(url.scheme(), "http" | "https") && is_plain {
        return Ok(());
    }
    Err(format!(
        "target.{key} is not a plain http or https URL; the account has keys of its own"
    ))
}
