//! A plan with everything it names, read and held against each other.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::layout::{self, Layout};
use crate::mapping::{self, Mapping, Table};
use crate::plan::Plan;
use crate::secret::{Secret, SecretRef};
use crate::staging::{self, StagingPlace};
use crate::target::{AGENT_COLUMNS, QUEUE_COLUMNS};
use crate::{PlanError, Reason};

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
    /// How the metadata of a source of files is laid out. Absent: another kind of source.
    pub layout: Option<Layout>,
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

/// A row of the exclusions file. Source: docs/reference/mapping.md.
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
    /// Reads a plan and every file it names.
    ///
    /// # Errors
    ///
    /// A file is not there or not readable, a line is wrong, or a value makes no usable plan
    /// ([`PlanError`], which names the file, and the line of what is wrong in one).
    pub fn read(path: &Path) -> Result<LoadedPlan, PlanError> {
        let text = read_text(path)?;
        let plan = parse(path, &text)?;
        validate(path, &plan)?;
        let dir = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
            .unwrap_or(Path::new("."))
            .to_owned();
        let mut texts = vec![PlanText {
            name: "plan.toml".to_owned(),
            text,
        }];
        let mut open = |name: &Path| -> Result<(PathBuf, String), PlanError> {
            let file = dir.join(name);
            let bytes = std::fs::read(&file).map_err(|source| PlanError::Unreadable {
                file: file.clone(),
                source,
            })?;
            let text = mapping::decoded(&file, &bytes)?;
            texts.push(PlanText {
                name: name.display().to_string(),
                text: text.clone(),
            });
            Ok((file, text))
        };
        let mut tables = Mapping::default();
        let (file, text) = open(&plan.mapping.agents)?;
        tables.agents = mapping::agents(&file, &text, AGENT_COLUMNS)?;
        let (file, text) = open(&plan.mapping.queues)?;
        tables.queues = mapping::queues(&file, &text, QUEUE_COLUMNS)?;
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
        let layout = read_layout(path, &dir, &plan, &mut texts)?;
        let hash = hash_texts(&texts);
        Ok(LoadedPlan {
            plan,
            dir,
            hash,
            mapping: tables,
            layout,
            exclusions,
            texts,
        })
    }

    /// A path of the plan as seen from here.
    #[must_use]
    pub fn resolve_path(&self, path: &Path) -> PathBuf {
        self.dir.join(path)
    }

    /// Where staging is: at `url`, or where the plan says.
    ///
    /// # Errors
    ///
    /// What is wrong with the URL.
    pub fn staging_place(&self, url: Option<&str>) -> Result<StagingPlace, String> {
        staging::place(url.unwrap_or(&self.plan.staging.url), &self.dir)
    }

    /// Settings of staging's object store as the plan gives them, secrets among them, by the names
    /// that AWS and Azure have for them in the environment, in small letters.
    ///
    /// # Errors
    ///
    /// A secret is not where the plan says ([`PlanError::Secret`]).
    pub fn store_settings(&self) -> Result<Vec<(&'static str, String)>, PlanError> {
        self.plan.staging.settings(&self.dir)
    }

    /// The value of a secret the plan names; `what` is its key, for the message.
    ///
    /// # Errors
    ///
    /// The environment variable or the file is not there, or is empty ([`PlanError::Secret`]).
    pub fn secret(&self, reference: &SecretRef, what: &str) -> Result<Secret, PlanError> {
        reference.read(&self.dir, what)
    }
}

/// Reads the text of a plan. `kind` tells which struct `[source]` and `[target]` are; serde would
/// read such a section into a buffer first, and its errors would not know their line. So
/// `kind = "x"` beside the keys becomes a table `x` around them, which is read in place.
fn parse(file: &Path, text: &str) -> Result<Plan, PlanError> {
    let mut document =
        DeTable::parse(text).map_err(|error| PlanError::from_toml(file, text, &error))?;
    let mut kinds = Vec::new();
    for (section_name, section) in document
        .get_mut()
        .iter_mut()
        .filter(|(name, _)| matches!(name.get_ref().as_ref(), "source" | "target"))
    {
        let span = section.span();
        let DeValue::Table(keys) = section.get_mut() else {
            continue;
        };
        let kind = keys
            .remove("kind")
            .ok_or_else(|| PlanError::at(file, text, span.start, "missing field `kind`"))?;
        let DeValue::String(name) = kind.get_ref() else {
            return Err(PlanError::at(
                file,
                text,
                kind.span().start,
                "kind takes a name in quotes",
            ));
        };
        kinds.push((
            span.clone(),
            format!("{}.", section_name.get_ref()),
            name.to_string(),
        ));
        let name = Spanned::new(kind.span(), name.clone());
        let keys = Spanned::new(span, DeValue::Table(std::mem::take(keys)));
        *section.get_mut() = DeValue::Table(DeTable::from_iter([(name, keys)]));
    }
    Plan::deserialize(toml::Deserializer::from(document)).map_err(|error| {
        let missing = error
            .message()
            .strip_prefix("missing field `")
            .and_then(|rest| rest.strip_suffix('`'));
        let of = kinds
            .iter()
            .find(|(span, ..)| error.span().as_ref() == Some(span));
        match missing.zip(of) {
            Some((key, (span, section, kind))) => PlanError::at(
                file,
                text,
                span.start,
                format!("{section}{key} is required for kind = \"{kind}\""),
            ),
            None => PlanError::from_toml(file, text, &error),
        }
    })
}

fn read_text(path: &Path) -> Result<String, PlanError> {
    std::fs::read_to_string(path).map_err(|source| PlanError::Unreadable {
        file: path.to_owned(),
        source,
    })
}

/// The layout of a source of files, and its text among those the hash is taken over.
fn read_layout(
    plan_file: &Path,
    dir: &Path,
    plan: &Plan,
    texts: &mut Vec<PlanText>,
) -> Result<Option<Layout>, PlanError> {
    let Some(files) = plan.source.files() else {
        return Ok(None);
    };
    let (name, file, text) = match (&files.layout, &files.preset) {
        (Some(path), _) => {
            let file = dir.join(path);
            let text = read_text(&file)?;
            (path.display().to_string(), file, text)
        }
        (None, preset) => {
            let name = preset.as_deref().unwrap_or_default();
            let text = layout::preset_text(name).ok_or_else(|| {
                PlanError::value(plan_file, format!("source.{}", layout::no_preset(name)))
            })?;
            let name = format!("preset {name}");
            (name.clone(), PathBuf::from(name), text.to_owned())
        }
    };
    let layout = Layout::parse(&file, &text)?;
    texts.push(PlanText { name, text });
    Ok(Some(layout))
}

fn hash_texts(texts: &[PlanText]) -> String {
    let mut hash = Sha256::new();
    for PlanText { name, text } in texts {
        for part in [name, text] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
    }
    hex::encode(hash.finalize())
}

fn read_exclusions(file: &Path, text: &str) -> Result<Vec<Exclusion>, PlanError> {
    let table = Table::read(
        file,
        text,
        &["legacy_recording_id", "reason", "decided_by", "decided_at"],
        &[],
    )?;
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
            return Err(row.error(format!(
                "`{}` stands on line {line} already; remove one of the two",
                exclusion.legacy_recording_id
            )));
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
        return refuse(format!(
            "plan_version {} is not known; this program reads version 1",
            plan.plan_version
        ));
    }
    let namespace = &plan.identity.namespace;
    let allowed =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
    if namespace.is_empty() || namespace.len() > 40 || !namespace.chars().all(allowed) {
        return refuse(
            "identity.namespace takes 1 to 40 lower-case letters, digits, `-`, `_` or `.`"
                .to_owned(),
        );
    }
    if plan
        .rules
        .max_fallback_share
        .is_some_and(|share| !(0.0..=1.0).contains(&share))
    {
        return refuse(
            "rules.max_fallback_share takes a share from 0 to 1, such as 0.02".to_owned(),
        );
    }
    let section =
        |checked: Result<(), String>| checked.map_err(|what| PlanError::value(file, what));
    section(plan.source.validate())?;
    section(plan.staging.problem().map_or(Ok(()), Err))?;
    section(plan.target.validate(
        &plan.identity.carrier,
        plan.mapping.external_id_authority.as_deref(),
    ))?;
    section(two_organisations(plan))?;
    for (key, zone) in [
        ("naive_zone", &plan.time.naive_zone),
        ("site_zone", &plan.time.site_zone),
    ] {
        if let Some(zone) = zone
            && jiff::tz::TimeZone::get(zone).is_err()
        {
            return refuse(format!(
                "time.{key} `{zone}` is not an IANA time zone such as Europe/London"
            ));
        }
    }
    if let Some((class, _)) = plan
        .retention
        .class
        .iter()
        .find(|(_, class)| !(1..=100).contains(&class.years))
    {
        return refuse(format!("retention.class.\"{class}\".years takes 1 to 100"));
    }
    if !(2..=3600).contains(&plan.ledger.lease_s) {
        return refuse("ledger.lease_s takes 2 to 3600 seconds".to_owned());
    }
    if plan.pace.workers == 0
        || plan.pace.requests_per_minute == 0
        || plan.pace.uploads_per_second == 0
    {
        return refuse(
            "pace: workers, requests_per_minute and uploads_per_second take 1 or more".to_owned(),
        );
    }
    Ok(())
}

/// A client belongs to one organisation (the vendor's OAuth clients), so the same client at the same
/// address is the same organisation at both ends. Two clients of one organisation are told apart by
/// nothing here: a run asks both ends.
fn two_organisations(plan: &Plan) -> Result<(), String> {
    let ends = plan.source.genesys_cloud().zip(plan.target.genesys_cloud());
    let is_same = ends.is_some_and(|(source, target)| {
        source.client_id == target.client_id && source.api_url() == target.api_url()
    });
    if is_same {
        return Err(
            "source and target are the same organisation: address and client_id are the same; \
             give each end its own client"
                .to_owned(),
        );
    }
    Ok(())
}

impl LoadedPlan {
    /// Keys this build reads but does not act on yet, each with what to do. Empty: the plan can be
    /// run.
    #[must_use]
    pub fn not_built(&self) -> Vec<String> {
        let plan = &self.plan;
        let mut list = Vec::new();
        if matches!(plan.pii.pauses, crate::Pauses::Seal(_)) {
            list.push(
                "pii.pauses = { seal } is not built yet; use \"silence\", \"tone\" or \"keep\""
                    .to_owned(),
            );
        }
        list
    }

    /// The agreed reason for a recording to stay behind; `None` where there is no agreement.
    #[must_use]
    pub fn exclusion(&self, legacy_recording_id: &str) -> Option<&Exclusion> {
        let at = self
            .exclusions
            .binary_search_by(|row| row.legacy_recording_id.as_str().cmp(legacy_recording_id))
            .ok()?;
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
