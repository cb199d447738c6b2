//! What a plan for Genesys Interaction Recording has that one for Genesys Cloud has not.

use std::path::Path;

use toml::{Table, Value};

use super::{PlanWriteError, csv, private, secret_file, table_of, validity};
use crate::gir::{Gir, PurgeRule, Repost, partition};
use crate::world::{Mapped, MappedAgent};

/// Requests a minute and uploads a second. No limit is published; a plan still names a pace.
pub(super) const PACE: (i64, i64) = (60_000, 1_000);

/// The row that maps nobody, and says who the fallback user is.
const NOBODY: &str = "*";

/// `[target]`.
pub(super) fn target(site: &Gir) -> Value {
    let (at, settings) = (site.addresses(), site.settings());
    let [ops, webdav, speechminer] = site.credentials().map(|(username, _)| Value::from(username));
    let mut target = table_of([
        ("kind", Value::from("gir")),
        ("rws_url", Value::from(at.rws)),
        ("contact_center_id", Value::from(settings.contact_center_id.as_str())),
        ("region", Value::from(settings.region.as_str())),
        ("username", ops),
        ("password", secret_file("target")),
        ("webdav_url", Value::from(at.webdav)),
        ("webdav_username", webdav),
        ("webdav_password", secret_file("webdav")),
        ("speechminer_url", Value::from(at.speechminer)),
        ("speechminer_username", speechminer),
        ("speechminer_password", secret_file("speechminer")),
    ]);
    if settings.speechminer.repost == Repost::Duplicate {
        target.insert("speechminer_repost".to_owned(), Value::from("duplicate"));
    }
    if !site.recipients().is_empty() {
        let paths = site.recipients().iter().map(|one| Value::from(format!("certs/{}.pem", one.name)));
        target.insert("certificates".to_owned(), Value::Array(paths.collect()));
    }
    Value::Table(target)
}

/// The certificates media are encrypted for, and the keys that open them unless they stay with the site.
pub(super) fn write_certificates(site: &Gir, dir: &Path) -> Result<(), PlanWriteError> {
    let folder = dir.join("certs");
    if !site.recipients().is_empty() {
        output::private::folder(&folder).map_err(|source| PlanWriteError { path: folder.clone(), source })?;
    }
    for one in site.recipients() {
        private(&folder.join(format!("{}.pem", one.name)), &one.certificate)?;
        if site.settings().encryption.hand_over_key {
            private(&dir.join("secrets").join(format!("{}.key.pem", one.name)), &one.key_pem)?;
        }
    }
    Ok(())
}

/// The passwords `[target]` names.
pub(super) fn write_secrets(site: &Gir, dir: &Path) -> Result<(), PlanWriteError> {
    let names = ["target", "webdav", "speechminer"];
    names.iter().zip(site.credentials()).try_for_each(|(name, (_, password))| private(&dir.join("secrets").join(name), password))
}

/// `agents.csv`: rows of the mapping, in the order the directory has its people in, and who the fallback user is.
pub(super) fn agents<'a>(site: &Gir, rows: impl Iterator<Item = (&'a str, &'a MappedAgent)>) -> String {
    let directory = site.directory();
    let people = rows.zip(&directory.people).map(|((id, row), person)| (id, person, validity(row)));
    let fallback = directory.fallback.iter().map(|person| (NOBODY, person, vec![String::new(); 2]));
    csv(
        "legacy_agent_id,genesys_user_id,genesys_user_name,gir_username,gir_login,gir_access_group,valid_from,valid_to",
        people.chain(fallback).map(|(id, person, validity)| {
            let texts = [id, &person.user_id.to_string(), &person.name, &person.username, &person.login, &person.access_group];
            [texts.map(str::to_owned).to_vec(), validity].concat()
        }),
    )
}

/// `queues.csv`.
pub(super) fn queues<'a>(rows: impl Iterator<Item = (&'a Mapped, String)>) -> String {
    csv("legacy_queue_id,genesys_queue_id,gir_partition", rows.map(|(row, target)| vec![row.id.clone(), target, partition(&row.name)]))
}

/// `[[retention.gir_rule]]`: what the site's lifecycle management deletes.
pub(super) fn purge_rules(site: &Gir) -> Value {
    let table = |rule: &PurgeRule| {
        let texts = [("call_type", &rule.call_type), ("label", &rule.label)];
        let texts = texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), Value::from(text.as_deref()?))));
        std::iter::once(("after_days".to_owned(), Value::from(rule.after_days))).chain(texts).collect::<Table>()
    };
    Value::Array(site.purge_rules().iter().map(|rule| Value::Table(table(rule))).collect())
}
