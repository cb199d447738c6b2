//! POST and PUT of queues, POST of wrap-up codes and skills.

use axum::{extract::Path, response::Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    fields::{Kind, Model, worded},
    is_named, key_of, made, rules,
};
use crate::{
    http::reply::Reply,
    operations::{self, Operation},
    platforms::genesys_cloud::{
        GenesysCloud,
        access::QUEUE,
        endpoint::IncomingRequest,
        errors::ApiError,
        lists::{WRAPUP, entry_of},
        settings::{Entry, Said},
        times,
    },
};

/// POST /api/v2/routing/queues.
pub(super) async fn create_queue(incoming: IncomingRequest) -> Response {
    incoming
        .answer_json(
            |_, body| key_of(body, "name"),
            |site, _, sent: Map<String, Value>| make_queue(site, &sent),
        )
        .await
}

/// PUT /api/v2/routing/queues/{id}.
pub(super) async fn update_queue(Path(id): Path<String>, incoming: IncomingRequest) -> Response {
    incoming
        .answer_json(
            |_, _| id.clone(),
            |site, _, sent: Map<String, Value>| change_queue(site, &id, &sent),
        )
        .await
}

/// POST /api/v2/routing/wrapupcodes.
pub(super) async fn create_wrapupcode(incoming: IncomingRequest) -> Response {
    incoming
        .answer_json(
            |_, body| key_of(body, "name"),
            |site, _, sent: Map<String, Value>| make_wrapupcode(site, &sent),
        )
        .await
}

/// POST /api/v2/routing/skills.
pub(super) async fn create_skill(incoming: IncomingRequest) -> Response {
    incoming
        .answer_json(
            |_, body| key_of(body, "name"),
            |site, _, sent| make_skill(site, &sent),
        )
        .await
}

/// CreateRoutingSkill of the API description.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateSkill {
    name: String,
}

/// QueueRequest of the API description; CreateQueueRequest has `sourceQueueId` besides.
const QUEUE_MODEL: Model = Model {
    kept: &[
        ("acwSettings", Kind::Object),
        ("agentOwnedRouting", Kind::Object),
        ("autoAnswerOnly", Kind::Truth),
        ("bullseye", Kind::Object),
        ("callingPartyName", Kind::Text),
        ("callingPartyNumber", Kind::Text),
        ("cannedResponseLibraries", Kind::Object),
        ("conditionalGroupActivation", Kind::Object),
        ("conditionalGroupRouting", Kind::Object),
        ("defaultScripts", Kind::Object),
        ("description", Kind::Text),
        ("directRouting", Kind::Object),
        ("emailInQueueFlow", Kind::Object),
        ("enableAudioMonitoring", Kind::Truth),
        ("enableManualAssignment", Kind::Truth),
        ("enableTranscription", Kind::Truth),
        (
            "lastAgentRoutingMode",
            Kind::OneOf(&["Disabled", "QueueMembersOnly", "AnyAgent"]),
        ),
        ("mediaSettings", Kind::Object),
        ("memberGroups", Kind::List),
        ("messageInQueueFlow", Kind::Object),
        ("onHoldPrompt", Kind::Object),
        ("outboundEmailAddress", Kind::Object),
        ("outboundMessagingAddresses", Kind::Object),
        ("peerId", Kind::Text),
        ("queueFlow", Kind::Object),
        ("routingRules", Kind::List),
        (
            "scoringMethod",
            Kind::OneOf(&["TimestampAndPriority", "PriorityOnly"]),
        ),
        (
            "skillEvaluationMethod",
            Kind::OneOf(&["NONE", "BEST", "ALL"]),
        ),
        ("suppressInQueueCallRecording", Kind::Truth),
        ("whisperPrompt", Kind::Object),
    ],
    others: &[
        "createdBy",
        "dateCreated",
        "dateModified",
        "division",
        "id",
        "joinedMemberCount",
        "memberCount",
        "modifiedBy",
        "name",
        "selfUri",
        "userMemberCount",
    ],
};

/// WrapupCodeRequest of the API description.
const WRAPUP_MODEL: Model = Model {
    kept: &[("description", Kind::Text)],
    others: &[
        "createdBy",
        "dateCreated",
        "dateModified",
        "division",
        "id",
        "modifiedBy",
        "name",
        "selfUri",
    ],
};

/// Name, kept fields, and the division where one is named.
type Written = (String, Map<String, Value>, Option<Uuid>);

fn make_queue(site: &GenesysCloud, sent: &Map<String, Value>) -> Result<Reply, ApiError> {
    let operation = &operations::GENESYS_CLOUD_CREATE_QUEUE;
    site.mark(&rules::QUEUE_KEPT);
    let mut sent = sent.clone();
    let copied = sent.remove("sourceQueueId").filter(|id| !id.is_null());
    let (name, mut fields, division) = read_made(site, &QUEUE_MODEL, &sent, "routing:queue:add")?;
    if let Some(source) = copied {
        let directory = site.directory();
        let source = source
            .as_str()
            .and_then(|id| entry_of(&directory.queues, id))
            .ok_or_else(|| {
                ApiError::new(400, "source.queue.not.found", "Source queue not found.")
                    .field("sourceQueueId")
            })?;
        let mut copy = source
            .said
            .as_ref()
            .map(|said| said.fields.clone())
            .unwrap_or_default();
        copy.extend(fields);
        fields = copy;
    }
    let now = json!(times::text(site.now_ms()));
    let written = [("dateCreated", now.clone()), ("dateModified", now)];
    let counts =
        ["memberCount", "userMemberCount", "joinedMemberCount"].map(|name| (name, json!(0)));
    fields.extend(
        written
            .into_iter()
            .chain(counts)
            .map(|(name, value)| (name.to_owned(), value)),
    );
    let id = site.id_of_made(operation, &name);
    site.change_directory(|directory| {
        if is_named(&directory.queues, &name, None) {
            return Err(duplicate(site, "A queue with this name already exists."));
        }
        directory.queues.push(made(id, &name, fields));
        directory
            .placed
            .insert(id, division.unwrap_or_else(|| site.home_division().id));
        Ok(())
    })?;
    shown_made(
        site,
        id,
        operation,
        Some(QUEUE),
        |directory| &directory.queues,
        "created",
    )
}

fn change_queue(
    site: &GenesysCloud,
    id: &str,
    sent: &Map<String, Value>,
) -> Result<Reply, ApiError> {
    let operation = &operations::GENESYS_CLOUD_LIST_QUEUES;
    site.mark(&rules::QUEUE_KEPT);
    let id = entry_of(&site.directory().queues, id)
        .map(|queue| queue.id)
        .ok_or_else(ApiError::not_found)?;
    site.must_cover_entity(QUEUE, id, "routing:queue:edit")?;
    let (name, mut fields, division) = read_made(site, &QUEUE_MODEL, sent, "routing:queue:edit")?;
    let now = json!(times::text(site.now_ms()));
    site.change_directory(|directory| {
        if is_named(&directory.queues, &name, Some(id)) {
            return Err(duplicate(site, "A queue with this name already exists."));
        }
        let queue = directory
            .queues
            .iter_mut()
            .find(|queue| queue.id == id)
            .ok_or_else(ApiError::not_found)?;
        let version = queue.version() + 1;
        let written = [
            "dateCreated",
            "memberCount",
            "userMemberCount",
            "joinedMemberCount",
        ];
        let before = queue.said.iter().flat_map(|said| {
            written
                .iter()
                .filter_map(move |name| said.fields.get_key_value(*name))
        });
        fields.extend(before.map(|(name, value)| (name.clone(), value.clone())));
        fields.insert("dateModified".to_owned(), now);
        queue.name = name;
        queue.said = Some(Box::new(Said { fields, version }));
        if let Some(division) = division {
            directory.placed.insert(id, division);
        }
        Ok(())
    })?;
    shown_made(
        site,
        id,
        operation,
        Some(QUEUE),
        |directory| &directory.queues,
        "updated",
    )
}

fn make_wrapupcode(site: &GenesysCloud, sent: &Map<String, Value>) -> Result<Reply, ApiError> {
    let operation = &operations::GENESYS_CLOUD_CREATE_WRAPUPCODE;
    let (name, mut fields, division) =
        read_made(site, &WRAPUP_MODEL, sent, "routing:wrapupCode:add")?;
    let now = times::text(site.now_ms());
    fields.insert("dateCreated".to_owned(), json!(now));
    fields.insert("dateModified".to_owned(), json!(now));
    let id = site.id_of_made(operation, &name);
    site.change_directory(|directory| {
        if is_named(&directory.wrapups, &name, None) {
            return Err(duplicate(
                site,
                "A wrapup code with this name already exists.",
            ));
        }
        directory.wrapups.push(made(id, &name, fields));
        directory
            .placed
            .insert(id, division.unwrap_or_else(|| site.home_division().id));
        Ok(())
    })?;
    shown_made(
        site,
        id,
        operation,
        Some(WRAPUP),
        |directory| &directory.wrapups,
        "created",
    )
}

fn make_skill(site: &GenesysCloud, sent: &CreateSkill) -> Result<Reply, ApiError> {
    let operation = &operations::GENESYS_CLOUD_CREATE_SKILL;
    [&rules::MADE, &rules::MADE_AT_ONCE]
        .into_iter()
        .for_each(|rule| site.mark(rule));
    let name = worded(Some(&sent.name), "name", "bad.request")?;
    let written = [
        ("state", "active".to_owned()),
        ("version", "1".to_owned()),
        ("dateModified", times::text(site.now_ms())),
    ];
    let fields = written
        .into_iter()
        .map(|(name, text)| (name.to_owned(), json!(text)))
        .collect();
    let id = site.id_of_made(operation, name);
    site.change_directory(|directory| {
        if is_named(&directory.skills, name, None) {
            [&rules::NAME_TAKEN, &rules::NAME_COMPARED]
                .into_iter()
                .for_each(|rule| site.mark(rule));
            let message = "The request could not be completed by the server due to a conflict: a \
                skill with this name exists";
            return Err(ApiError::new(409, "general.conflict", message).field("name"));
        }
        directory.skills.push(made(id, name, fields));
        Ok(())
    })?;
    shown_made(
        site,
        id,
        operation,
        None,
        |directory| &directory.skills,
        "created",
    )
}

/// A queue or wrap-up code that a client writes.
fn read_made(
    site: &GenesysCloud,
    model: &Model,
    sent: &Map<String, Value>,
    permission: &str,
) -> Result<Written, ApiError> {
    [
        &rules::MADE,
        &rules::MADE_AT_ONCE,
        &rules::NAME_EMPTY,
        &rules::DIVISION_OF_MADE,
    ]
    .into_iter()
    .for_each(|rule| site.mark(rule));
    let fields = model
        .read(sent)
        .inspect_err(|refusal| site.note_refused_body(refusal))?;
    let name = worded(
        sent.get("name").and_then(Value::as_str),
        "name",
        "invalid.name",
    )?
    .to_owned();
    let division = match sent.get("division").filter(|division| !division.is_null()) {
        None => None,
        Some(division) => {
            let id = division["id"].as_str().unwrap_or_default();
            Some(
                site.division_named("division.id", id, "resource.not.found", permission)?
                    .id,
            )
        }
    };
    if division.is_none() && permission.ends_with(":add") {
        site.must_cover_division(&site.home_division(), permission)?;
    }
    Ok((name, fields, division))
}

fn duplicate(site: &GenesysCloud, message: &str) -> ApiError {
    [&rules::NAME_TAKEN, &rules::NAME_COMPARED]
        .into_iter()
        .for_each(|rule| site.mark(rule));
    ApiError::new(400, "duplicate.name", message).field("name")
}

/// What was written, as its list shows it.
fn shown_made(
    site: &GenesysCloud,
    id: Uuid,
    operation: &Operation,
    kind: Option<&str>,
    list: fn(&crate::platforms::genesys_cloud::Directory) -> &Vec<Entry>,
    effect: &'static str,
) -> Result<Reply, ApiError> {
    let directory = site.directory();
    let entry = list(&directory)
        .iter()
        .find(|entry| entry.id == id)
        .ok_or_else(ApiError::not_found)?;
    Ok(Reply::json(200, &site.named(operation.path, kind, entry)).effect(effect))
}
