//! What a plan says of this deployment.

use toml::{Table, Value};

use super::{Gir, PurgeRule, Repost, partition};
use crate::plan_writer::{PlanSection, csv, secret_file, table_of, validity};
use crate::world::World;

/// Requests a minute and uploads a second. No limit is published; a plan still names a pace.
const PACE: (i64, i64) = (60_000, 1_000);

/// The row that maps nobody, and says who the fallback user is.
const NOBODY: &str = "*";

/// Its section, with the files that it names.
pub(super) fn section(site: &Gir, world: &World) -> PlanSection {
    let mut files = certificates(site);
    files.extend(secrets(site));
    files.push(("mapping/agents.csv".to_owned(), agents(site, world)));
    files.push(("mapping/queues.csv".to_owned(), queues(world)));
    PlanSection {
        section: target(site),
        pace: PACE,
        retention: table_of([("gir_rule", purge_rules(site))]),
        files,
    }
}

/// `[target]`.
fn target(site: &Gir) -> Table {
    let (at, settings) = (site.addresses(), site.settings());
    let [ops, webdav, speechminer] = site
        .credentials()
        .map(|(username, _)| Value::from(username));
    let mut target = table_of([
        ("kind", Value::from("gir")),
        ("rws_url", Value::from(at.rws)),
        (
            "contact_center_id",
            Value::from(settings.contact_center_id.as_str()),
        ),
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
        let paths = site
            .recipients()
            .iter()
            .map(|one| Value::from(format!("certs/{}.pem", one.name)));
        target.insert("certificates".to_owned(), Value::Array(paths.collect()));
    }
    target
}

/// The certificates media are encrypted for, and the keys that open them unless they stay with the
/// site.
fn certificates(site: &Gir) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for one in site.recipients() {
        files.push((format!("certs/{}.pem", one.name), one.certificate.clone()));
        if site.settings().encryption.hand_over_key {
            files.push((format!("secrets/{}.key.pem", one.name), one.key_pem.clone()));
        }
    }
    files
}

/// The passwords `[target]` names.
fn secrets(site: &Gir) -> impl Iterator<Item = (String, String)> {
    let passwords = site.credentials().map(|(_, password)| password.to_owned());
    ["target", "webdav", "speechminer"]
        .map(|name| format!("secrets/{name}"))
        .into_iter()
        .zip(passwords)
}

/// `agents.csv`: rows of the mapping, in the order the directory has its people in, and who the
/// fallback user is.
fn agents(site: &Gir, world: &World) -> String {
    let directory = site.directory();
    let people = world
        .mapping()
        .zip(&directory.people)
        .map(|((id, row), person)| (id, person, validity(row)));
    let fallback = directory
        .fallback
        .iter()
        .map(|person| (NOBODY, person, vec![String::new(); 2]));
    csv(
        "legacy_agent_id,genesys_user_id,genesys_user_name,gir_username,gir_login,gir_access_group,valid_from,valid_to",
        people.chain(fallback).map(|(id, person, validity)| {
            let texts = [
                id,
                &person.user_id.to_string(),
                &person.name,
                &person.username,
                &person.login,
                &person.access_group,
            ];
            [texts.map(str::to_owned).to_vec(), validity].concat()
        }),
    )
}

/// `queues.csv`.
fn queues(world: &World) -> String {
    csv(
        "legacy_queue_id,genesys_queue_id,gir_partition",
        world
            .mapped_queues()
            .map(|(row, target)| vec![row.id.clone(), target, partition(&row.name)]),
    )
}

/// `[[retention.gir_rule]]`: what the site's lifecycle management deletes.
fn purge_rules(site: &Gir) -> Value {
    let table = |rule: &PurgeRule| {
        let texts = [("call_type", &rule.call_type), ("label", &rule.label)];
        let texts = texts
            .into_iter()
            .filter_map(|(name, text)| Some((name.to_owned(), Value::from(text.as_deref()?))));
        std::iter::once(("after_days".to_owned(), Value::from(rule.after_days)))
            .chain(texts)
            .collect::<Table>()
    };
    Value::Array(
        site.purge_rules()
            .iter()
            .map(|rule| Value::Table(table(rule)))
            .collect(),
    )
}
