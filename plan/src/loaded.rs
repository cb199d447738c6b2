//! A plan with everything it names, read and held against each other.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::mapping::{self, Mapping, Table};
use crate::model::{Carrier, Ingest, Plan, SourceKind, TargetKind};
use crate::region::{domain, nearest};
use crate::secret::{Secret, SecretRef};
use crate::{PlanError, Reason, is_vendor_host};

/// A plan, its mapping tables and its exclusions. What is not valid cannot be one.
#[derive(Debug, Clone)]
pub struct LoadedPlan {
    /// The plan itself.
    pub plan: Plan,
    /// The folder it stands in; relative paths start here.
    pub dir: PathBuf,
    /// SHA-256 over the plan and every file it names, hex. A ledger remembers it.
    pub hash: String,
    /// Mapping rows.
    pub mapping: Mapping,
    /// Recordings agreed to stay behind, sorted by id.
    pub exclusions: Vec<Exclusion>,
    /// The texts the hash was taken over, so that a change can be shown as a difference.
    pub texts: Vec<PlanText>,
}

/// One file of a plan, as read.
#[derive(Debug, Clone)]
pub struct PlanText {
    /// Name as the plan gives it; `plan.toml` for the plan itself.
    pub name: String,
    /// Content.
    pub text: String,
}

/// A row of the exclusions file. Source: contracts section 3.
#[derive(Debug, Clone)]
pub struct Exclusion {
    /// Recording that stays behind by agreement.
    pub legacy_recording_id: String,
    /// One of [`Reason`]'s names, or the words of whoever decided.
    pub reason: String,
    /// Who decided.
    pub decided_by: String,
    /// When, as written.
    pub decided_at: String,
    /// Line in the file, counted from 1.
    pub line: u64,
}

impl LoadedPlan {
    /// Reads a plan and every file it names. The error names file and line.
    pub fn read(path: &Path) -> Result<LoadedPlan, PlanError> {
        let text = read_text(path)?;
        let plan: Plan = toml::from_str(&text).map_err(|error| PlanError::from_toml(path, &text, &error))?;
        validate(path, &plan)?;
        let dir = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned();
        let mut texts = vec![PlanText { name: "plan.toml".to_owned(), text }];
        let mut open = |name: &Path| -> Result<(PathBuf, String), PlanError> {
            let file = dir.join(name);
            let bytes = std::fs::read(&file).map_err(|source| PlanError::Unreadable { file: file.clone(), source })?;
            let text = mapping::decoded(&file, &bytes)?;
            texts.push(PlanText { name: name.display().to_string(), text: text.clone() });
            Ok((file, text))
        };
        let mut tables = Mapping::default();
        let (file, text) = open(&plan.mapping.agents)?;
        tables.agents = mapping::agents(&file, &text)?;
        let (file, text) = open(&plan.mapping.queues)?;
        tables.queues = mapping::queues(&file, &text)?;
        if let Some(name) = &plan.mapping.skills {
            let (file, text) = open(name)?;
            tables.skills = mapping::skills(&file, &text)?;
        }
        if let Some(name) = &plan.mapping.wrapups {
            let (file, text) = open(name)?;
            tables.wrapups = mapping::wrapups(&file, &text)?;
        }
        let mut exclusions = Vec::new();
        if let Some(name) = &plan.rules.exclusions {
            let (file, text) = open(name)?;
            exclusions = read_exclusions(&file, &text)?;
        }
        let hash = hash_texts(&texts);
        Ok(LoadedPlan { plan, dir, hash, mapping: tables, exclusions, texts })
    }

    /// A path of the plan as seen from here.
    #[must_use]
    pub fn resolve_path(&self, path: &Path) -> PathBuf {
        self.dir.join(path)
    }

    /// The value of a secret the plan names; `what` is its key, for the message.
    pub fn secret(&self, reference: &SecretRef, what: &str) -> Result<Secret, PlanError> {
        reference.read(&self.dir, what)
    }
}

fn read_text(path: &Path) -> Result<String, PlanError> {
    std::fs::read_to_string(path).map_err(|source| PlanError::Unreadable { file: path.to_owned(), source })
}

fn hash_texts(texts: &[PlanText]) -> String {
    let mut hash = Sha256::new();
    for PlanText { name, text } in texts {
        for part in [name, text] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read_exclusions(file: &Path, text: &str) -> Result<Vec<Exclusion>, PlanError> {
    let table = Table::read(file, text, &["legacy_recording_id", "reason", "decided_by", "decided_at"], &[])?;
    let mut exclusions: Vec<Exclusion> = Vec::new();
    let mut lines: HashMap<String, u64> = HashMap::new();
    for row in table.rows() {
        let exclusion = Exclusion {
            legacy_recording_id: row.text("legacy_recording_id")?,
            reason: row.text("reason")?,
            decided_by: row.text("decided_by")?,
            decided_at: row.text("decided_at")?,
            line: row.line,
        };
        if let Some(line) = lines.insert(exclusion.legacy_recording_id.clone(), row.line) {
            return Err(row.error(format!("`{}` stands on line {line} already; remove one of the two", exclusion.legacy_recording_id)));
        }
        exclusions.push(exclusion);
    }
    exclusions.sort_by(|a, b| a.legacy_recording_id.cmp(&b.legacy_recording_id));
    Ok(exclusions)
}

/// What makes a well-formed plan unusable.
fn validate(file: &Path, plan: &Plan) -> Result<(), PlanError> {
    let refuse = |what: String| Err(PlanError::value(file, what));
    if plan.plan_version != 1 {
        return refuse(format!("plan_version {} is not known; this program reads version 1", plan.plan_version));
    }
    let namespace = &plan.identity.namespace;
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
    if namespace.is_empty() || namespace.len() > 40 || !namespace.chars().all(allowed) {
        return refuse("identity.namespace takes 1 to 40 lower-case letters, digits, `-`, `_` or `.`".to_owned());
    }
    if !matches!(plan.source.base_url.scheme(), "http" | "https") {
        return refuse("source.base_url is not an http or https URL".to_owned());
    }
    if plan.rules.max_fallback_share.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
        return refuse("rules.max_fallback_share takes a share from 0 to 1, such as 0.02".to_owned());
    }
    if let (Some(from), Some(to)) = (plan.source.from, plan.source.to)
        && from >= to
    {
        return refuse("source.from is not before source.to".to_owned());
    }
    match plan.target.kind {
        TargetKind::GenesysCloud => validate_genesys_cloud(file, plan)?,
        TargetKind::Gir => validate_gir(file, plan)?,
    }
    for (key, zone) in [("naive_zone", &plan.time.naive_zone), ("site_zone", &plan.time.site_zone)] {
        if let Some(zone) = zone
            && jiff::tz::TimeZone::get(zone).is_err()
        {
            return refuse(format!("time.{key} `{zone}` is not an IANA time zone such as Europe/London"));
        }
    }
    if let Some((class, _)) = plan.retention.class.iter().find(|(_, class)| !(1..=100).contains(&class.years)) {
        return refuse(format!("retention.class.\"{class}\".years takes 1 to 100"));
    }
    if plan.pace.workers == 0 || plan.pace.requests_per_minute == 0 || plan.pace.uploads_per_second == 0 {
        return refuse("pace: workers, requests_per_minute and uploads_per_second take 1 or more".to_owned());
    }
    Ok(())
}

fn validate_genesys_cloud(file: &Path, plan: &Plan) -> Result<(), PlanError> {
    let target = &plan.target;
    let refuse = |what: &str| Err(PlanError::value(file, what));
    if let Some(region) = &target.region {
        if target.base_url.is_some() {
            return refuse("target has both base_url and region; give one of them");
        }
        if domain(region).is_none() {
            return refuse(&format!(
                "target.region `{region}` is not a region of Genesys Cloud; the nearest known one is `{}`",
                nearest(region)
            ));
        }
    }
    match plan.mapping.external_id_authority.as_deref() {
        Some(authority) if authority.trim().is_empty() => {
            return refuse("mapping.external_id_authority is empty; name the source, or leave it out");
        }
        Some(_) if target.ingest == Ingest::Guide => {
            return refuse("mapping.external_id_authority needs target.ingest = \"public\": the guide has no external ids");
        }
        Some(_) | None => {}
    }
    let Some(api) = target.api_url() else {
        return refuse("target needs base_url, or a region such as us-east-1");
    };
    if !matches!(api.scheme(), "http" | "https") {
        return refuse("target.base_url is not an http or https URL");
    }
    if target.client_id.is_empty() || target.client_secret.is_none() {
        return refuse("target.client_id and target.client_secret are required for Genesys Cloud");
    }
    if target.ingest == Ingest::Guide && api.host_str().is_some_and(is_vendor_host) {
        return refuse(
            "ingest = \"guide\" towards a vendor host is refused: those endpoints are not in the public API; use ingest = \"public\"",
        );
    }
    Ok(())
}

fn validate_gir(file: &Path, plan: &Plan) -> Result<(), PlanError> {
    let target = &plan.target;
    let missing = |key: &str| Err(PlanError::value(file, format!("target.{key} is required for kind = \"gir\"")));
    let is_there = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
    let texts = [
        ("contact_center_id", &target.contact_center_id),
        ("region", &target.region),
        ("username", &target.username),
        ("webdav_username", &target.webdav_username),
    ];
    if let Some((key, _)) = texts.into_iter().find(|(_, text)| !is_there(text)) {
        return missing(key);
    }
    let secrets = [("password", &target.password), ("webdav_password", &target.webdav_password)];
    if let Some((key, _)) = secrets.into_iter().find(|(_, secret)| secret.is_none()) {
        return missing(key);
    }
    for (key, url) in [("rws_url", &target.rws_url), ("webdav_url", &target.webdav_url)] {
        match url {
            None => return missing(key),
            Some(url) => plain_url(file, key, url)?,
        }
    }
    if let Some(url) = &target.speechminer_url {
        plain_url(file, "speechminer_url", url)?;
        if !is_there(&target.speechminer_username) || target.speechminer_password.is_none() {
            return missing("speechminer_username and target.speechminer_password, beside speechminer_url,");
        }
    }
    if matches!(plan.identity.carrier, Carrier::ParticipantAttribute(_)) {
        return Err(PlanError::value(
            file,
            "identity.carrier: Interaction Recording has no participant attributes; leave it out, or use a crosswalk",
        ));
    }
    if plan.mapping.external_id_authority.is_some() {
        return Err(PlanError::value(file, "mapping.external_id_authority is only for Genesys Cloud"));
    }
    Ok(())
}

/// An address that media paths and requests can be made from: no account, query or fragment in it.
fn plain_url(file: &Path, key: &str, url: &url::Url) -> Result<(), PlanError> {
    let is_plain = url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none();
    if matches!(url.scheme(), "http" | "https") && is_plain {
        return Ok(());
    }
    Err(PlanError::value(file, format!("target.{key} is not a plain http or https URL; the account has keys of its own")))
}

impl LoadedPlan {
    /// Keys this build reads but does not act on yet, each with what to do. Empty: the plan can be run.
    #[must_use]
    pub fn not_built(&self) -> Vec<String> {
        let plan = &self.plan;
        let mut list = Vec::new();
        if plan.source.kind == SourceKind::Files {
            list.push(
                "source.kind = \"files\" is not built yet; serve the files as an imported world, or use kind = \"legacy\"".to_owned(),
            );
        }
        if matches!(plan.pii.pauses, crate::Pauses::Seal(_)) {
            list.push("pii.pauses = { seal } is not built yet; use \"silence\", \"tone\" or \"keep\"".to_owned());
        }
        list
    }

    /// The agreed reason for a recording to stay behind; `None` where there is no agreement.
    #[must_use]
    pub fn exclusion(&self, legacy_recording_id: &str) -> Option<&Exclusion> {
        let at = self.exclusions.binary_search_by(|row| row.legacy_recording_id.as_str().cmp(legacy_recording_id)).ok()?;
        self.exclusions.get(at)
    }
}

impl Exclusion {
    /// The reason as one of the closed list; `None` where it is free text.
    #[must_use]
    pub fn known_reason(&self) -> Option<Reason> {
        Reason::from_name(&self.reason)
    }
}
