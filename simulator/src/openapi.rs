//! The platforms as they are served, for whoever writes a client: an OpenAPI document each, made from the table of operations.
//!
//! The examples are the wire contracts that the routes are tested against; the schemas of bodies are read off them, so a field that no
//! example shows is not in a schema. What a body must have and what may be null stands beside the example; of answers nothing is called
//! required. Parameters have the types, values and bounds that the platforms hold them to.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use crate::fault::operations::{self, Operation};

macro_rules! contracts {
    ($($platform:literal: $($name:literal)*;)*) => {
        /// Every contract file: its platform, its name and its text.
        const CONTRACTS: &[(&str, &str, &str)] = &[$($(
            ($platform, $name, include_str!(concat!("../../scenarios/contracts/", $platform, "/", $name, ".json"))),
        )*)*];
    };
}

contracts! {
    "legacy": "get_media" "get_recording" "list_queues" "list_users" "query_interactions" "token";
    "genesys_cloud": "add_external_id" "create_annotation" "create_batchrequest" "create_crossplatform_policy" "create_details_job" "create_division" "create_interaction" "create_queue"
        "create_recording_job" "create_skill" "create_upload_report" "create_user" "create_wrapupcode" "error" "events_batch" "get_batchrequest" "get_conversation" "get_data_retention" "get_home_division" "get_interaction"
        "get_organization" "get_queue" "get_skill" "get_user" "get_wrapupcode"
        "list_divisions" "list_queues" "list_recordingmetadata" "list_recordings" "list_skills" "list_users" "list_wrapupcodes"
        "query_aggregates" "query_deletionprotection" "query_details" "query_retention" "token" "update_attributes" "update_deletionprotection"
        "update_interaction" "update_orphan" "update_recording" "update_tags" "upload_file" "upload_recording";
    "gir": "add_labels" "change_recording" "create_label" "delete_recording" "get_recording" "get_version" "insert_recording" "list_contact_centers"
        "query_recordings" "update_store";
}

/// The methods that carry a body.
const WITH_BODY: [&str; 3] = ["POST", "PUT", "PATCH"];

/// An example of an operation: what is sent and what is answered.
#[derive(Default)]
struct Example {
    request: Value,
    response: Value,
}

/// The platforms that have a document. OpenAPI has no methods of WebDAV; the receiver of SpeechMiner takes what is inserted.
const DOCUMENTED: [&str; 3] = ["legacy", "genesys_cloud", "gir"];

/// The document of a platform; `None` for one that has none.
pub(crate) fn document(platform: &str, base_url: &str) -> Option<Value> {
    if !DOCUMENTED.contains(&platform) {
        return None;
    }
    let prefix = format!("{platform}.");
    let own = || operations::ALL.iter().filter(|operation| operation.name.starts_with(&prefix) && !operation.is_inside());
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for operation in own() {
        paths.entry(operation.path).or_default().insert(operation.method.to_lowercase(), described(operation, platform));
    }
    // Permissions are the role's, not asked for with a token: they stand beside each operation.
    let flows = json!({"clientCredentials": {"tokenUrl": format!("{base_url}/oauth/token"), "scopes": {}}});
    let schemes = match platform {
        "gir" => json!({"basic": {"type": "http", "scheme": "basic"}}),
        _ => json!({"oauth": {"type": "oauth2", "flows": flows}}),
    };
    Some(json!({
        "openapi": "3.0.3",
        "info": {
            "title": format!("{platform}, as Seatrial simulates it"),
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What this simulator serves. Made from its table of operations; what each answer rests on is listed by `seatrial assumptions`.",
        },
        "servers": [{"url": base_url}],
        "paths": paths,
        "components": {
            "securitySchemes": schemes,
            "schemas": {"Error": error_of(platform)},
        },
    }))
}

fn described(operation: &Operation, platform: &str) -> Value {
    let example = EXAMPLES.get(operation.name);
    let parameter = |name: &str, place: &str| {
        let schema = if place == "path" { Some(json!({"type": "string"})) } else { schema_of_parameter(operation, platform, name) };
        schema.map(|schema| json!({"name": name, "in": place, "required": place == "path", "schema": schema}))
    };
    let in_path =
        operation.path.split('/').filter_map(|step| step.strip_prefix('{')?.strip_suffix('}')).map(|name| parameter(name, "path"));
    let parameters: Vec<Value> = in_path.chain(operation.query.iter().map(|name| parameter(name, "query"))).flatten().collect();
    let is_of_store = platform == "genesys_cloud" && operation.path.starts_with("/presigned/");
    let refusal = match is_of_store {
        true => json!({"application/xml": {"schema": {"type": "string"}}}),
        false => json!({"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}),
    };
    let mut told = json!({
        "operationId": operation.name.replace('.', "_"),
        "parameters": parameters,
        "responses": {"default": {"description": "a refusal", "content": refusal}},
        "security": security(operation, platform),
        "x-operation": operation.name,
        "x-permissions": operation.needs,
        "x-business-key": operation.key,
        "x-changes-the-platform": operation.mutates,
    });
    let answered = example.map(|example| &example.response).filter(|response| response["status"].is_u64());
    let status = answered.map_or_else(|| "2XX".to_owned(), |response| response["status"].to_string());
    let mut response = json!({"description": "done"});
    if let Some(content) = answered.and_then(content) {
        response["content"] = content;
    } else if is_of_store && operation.method == "GET" {
        response["content"] = json!({"*/*": {"schema": {"type": "string", "format": "binary"}}});
    }
    told["responses"][status] = response;
    if WITH_BODY.contains(&operation.method) {
        let any = || match is_of_store {
            true => json!({"*/*": {"schema": {"type": "string", "format": "binary"}}}),
            false => json!({"application/json": {"schema": {"type": "object"}}}),
        };
        let sent = example.and_then(|example| content(&example.request)).unwrap_or_else(any);
        told["requestBody"] = json!({"required": true, "content": sent});
    }
    if platform == "genesys_cloud" && !operation.path.starts_with("/api/v2/") {
        told["summary"] = json!("the store behind pre-signed addresses, or the login host");
    }
    told
}

/// What a parameter of the address's query may be; absent where it is never taken.
fn schema_of_parameter(operation: &Operation, platform: &str, name: &str) -> Option<Value> {
    match (platform, name) {
        ("genesys_cloud", _) => crate::genesys_cloud::schema_of_parameter(operation, name),
        ("legacy", "size") => Some(json!({"type": "integer", "minimum": 1, "maximum": crate::legacy::MAX_PAGE})),
        ("legacy", "from" | "to") => Some(json!({"type": "integer", "format": "int64"})),
        _ => Some(json!({"type": "string"})),
    }
}

/// What a request to an operation has to show.
fn security(operation: &Operation, platform: &str) -> Value {
    match platform {
        "gir" if operation.needs.is_empty() => json!([]),
        "gir" => json!([{"basic": []}]),
        _ if takes_token(operation) => json!([{"oauth": []}]),
        _ => json!([]),
    }
}

fn takes_token(operation: &Operation) -> bool {
    operation.path.starts_with("/api/")
}

/// A body by its media type, with its schema and itself as an example; absent where there is none.
fn content(message: &Value) -> Option<Value> {
    let body = message.get("body").filter(|body| !body.is_null())?;
    let named = message["headers"]["content-type"].as_str().and_then(|named| named.split(';').next());
    let is_json = body.is_object() || body.is_array();
    let media_type = named.unwrap_or(if is_json { "application/json" } else { "application/octet-stream" });
    if !is_json {
        return Some(json!({media_type: {"schema": {"type": "string"}}}));
    }
    let mut schema = schema_of(body);
    if let Some(names) = message["required"].as_array() {
        schema["required"] = json!(names);
    }
    for name in message["nullable"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        allow_null(&mut schema, name);
    }
    Some(json!({media_type: {"schema": schema, "example": body}}))
}

/// Lets every property of a name be null.
fn allow_null(schema: &mut Value, name: &str) {
    if let Some(items) = schema.get_mut("items") {
        allow_null(items, name);
    }
    for (property, shape) in schema.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        if property == name {
            shape["nullable"] = json!(true);
        }
        allow_null(shape, name);
    }
}

/// The shape of an example. A map whose keys are data, such as attributes, is told by its names too: they are examples like the rest.
fn schema_of(example: &Value) -> Value {
    match example {
        // Whatever is null in an example is a text elsewhere.
        Value::Null => json!({"type": "string", "nullable": true}),
        Value::Bool(_) => json!({"type": "boolean"}),
        Value::Number(number) if number.is_f64() => json!({"type": "number"}),
        Value::Number(_) => json!({"type": "integer", "format": "int64"}),
        Value::String(_) => json!({"type": "string"}),
        Value::Array(items) => json!({"type": "array", "items": items.first().map_or_else(|| json!({}), schema_of)}),
        Value::Object(fields) => {
            let fields: Map<String, Value> = fields.iter().map(|(name, value)| (name.clone(), schema_of(value))).collect();
            json!({"type": "object", "properties": fields})
        }
    }
}

fn error_of(platform: &str) -> Value {
    match platform {
        "genesys_cloud" => {
            let example = EXAMPLES.get("genesys_cloud.error");
            let mut schema = example.map_or_else(|| json!({}), |example| schema_of(&example.response["body"]));
            schema["required"] = json!(["message", "code", "status", "contextId"]);
            schema
        }
        "gir" => json!({"type": "object", "properties": {"statusCode": {"type": "integer"}, "statusMessage": {"type": "string"}}}),
        _ => json!({
            "type": "object",
            "properties": {"error": {"type": "string"}, "message": {"type": "string"}},
            "required": ["error", "message"],
        }),
    }
}

/// The first example of each operation, whether a contract is its own or only leads to it. `<platform>.error` is the refusal.
static EXAMPLES: LazyLock<BTreeMap<String, Example>> = LazyLock::new(|| {
    let mut examples = BTreeMap::new();
    for (platform, _, text) in CONTRACTS {
        collect(platform, &serde_json::from_str(text).unwrap_or_default(), &mut examples);
    }
    examples
});

fn collect(platform: &str, contract: &Value, examples: &mut BTreeMap<String, Example>) {
    let name = match contract["operation"].as_str() {
        Some("-") => Some(format!("{platform}.error")),
        named => named.map(str::to_owned),
    };
    if let Some(name) = name {
        let of = |key: &str| contract.get(key).cloned().unwrap_or_default();
        examples.entry(name).or_insert_with(|| Example { request: of("request"), response: of("response") });
    }
    for around in ["before", "then"].iter().filter_map(|key| contract[*key].as_array()).flatten() {
        collect(platform, around, examples);
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_contract_file_is_an_example() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios/contracts");
        for platform in ["legacy", "genesys_cloud", "gir"] {
            let files = std::fs::read_dir(folder.join(platform)).expect("a folder").map(|entry| entry.expect("an entry").path());
            let mut there: Vec<String> = files.filter_map(|file| Some(file.file_stem()?.to_str()?.to_owned())).collect();
            let mut listed: Vec<&str> = CONTRACTS.iter().filter(|(of, ..)| *of == platform).map(|(_, name, _)| *name).collect();
            there.sort();
            listed.sort_unstable();
            assert_eq!(listed, there);
        }
        for (platform, name, text) in CONTRACTS {
            assert!(serde_json::from_str::<Value>(text).is_ok(), "{platform}/{name}");
        }
    }

    #[test]
    fn every_operation_is_in_the_document_of_its_platform_and_no_other() {
        let mut told = Vec::new();
        for platform in DOCUMENTED {
            let document = document(platform, "http://127.0.0.1:1").expect("a document");
            for methods in document["paths"].as_object().expect("paths").values() {
                let names =
                    methods.as_object().expect("methods").values().map(|one| one["x-operation"].as_str().expect("a name").to_owned());
                told.extend(names.inspect(|name| assert!(name.starts_with(platform), "{name} in {platform}")));
            }
        }
        let is_documented = |name: &str| DOCUMENTED.iter().any(|platform| name.split('.').next() == Some(platform));
        let mut all: Vec<&str> = operations::ALL.iter().filter(|one| !one.is_inside()).map(|one| one.name).collect();
        all.retain(|name| is_documented(name));
        told.sort();
        all.sort_unstable();
        assert_eq!(told, all);
        assert!(document("webdav", "").is_none());
    }

    #[test]
    fn a_document_is_openapi_with_every_parameter_of_its_paths() {
        for platform in DOCUMENTED {
            let document = document(platform, "http://127.0.0.1:1").expect("a document");
            let read: openapiv3::OpenAPI = serde_json::from_value(document).expect("OpenAPI 3.0");
            let (mut ids, mut bodies) = (Vec::new(), 0);
            for (path, method, told) in read.operations() {
                ids.push(told.operation_id.clone().expect("an id"));
                let data = told.parameters.iter().map(|one| one.as_item().expect("in place").parameter_data_ref());
                let in_path = data.filter(|data| data.required).count();
                assert_eq!(in_path, path.matches('{').count(), "{method} {path}");
                bodies += usize::from(told.request_body.is_some());
                assert_eq!(told.request_body.is_some(), WITH_BODY.contains(&method.to_uppercase().as_str()), "{method} {path}");
            }
            let all = ids.len();
            ids.sort();
            ids.dedup();
            assert_eq!(ids.len(), all, "an id names one operation");
            assert!(bodies > 0 && read.components.is_some_and(|known| known.schemas.contains_key("Error")));
        }
    }

    #[test]
    fn parameters_bodies_and_refusals_are_told_as_the_platforms_hold_them() {
        let genesys = document("genesys_cloud", "http://127.0.0.1:1").expect("a document");
        let legacy = document("legacy", "http://127.0.0.1:1").expect("a document");
        let schema = |document: &Value, path: &str, name: &str| {
            let all = document["paths"][path]["get"]["parameters"].as_array().expect("parameters").clone();
            all.into_iter().find(|one| one["name"] == name).map(|one| one["schema"].clone())
        };
        let size = json!({"type": "integer", "minimum": 1, "maximum": 1000});
        assert_eq!(schema(&legacy, "/api/v2/users", "size"), Some(size));
        let members = "/api/v2/routing/queues/{id}/members";
        assert_eq!(schema(&genesys, members, "pageSize").expect("a schema")["maximum"], 100);
        assert_eq!(schema(&genesys, members, "sortOrder").expect("a schema")["enum"], json!(["asc", "desc"]));
        assert_eq!(schema(&genesys, "/api/v2/routing/queues", "hasPeer").expect("a schema"), json!({"type": "boolean"}));
        assert_eq!(schema(&genesys, "/api/v2/authorization/divisions", "nextPage"), None, "it is never taken");
        let sent = &genesys["paths"]["/api/v2/users"]["post"]["requestBody"]["content"]["application/json"]["schema"];
        assert_eq!(sent["required"], json!(["divisionId", "email", "name"]));
        let store = &genesys["paths"]["/presigned/{kind}/{conversation}/{recording}"]["get"]["responses"];
        assert!(store["default"]["content"]["application/xml"].is_object() && store["2XX"]["content"]["*/*"].is_object(), "{store}");
        let page = &legacy["paths"]["/api/v2/users"]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        assert_eq!(page["properties"]["metadata"]["properties"]["pagination"]["properties"]["nextPageCursor"]["nullable"], true);
        assert_eq!(legacy["components"]["schemas"]["Error"]["required"], json!(["error", "message"]));
    }

    #[test]
    fn a_schema_is_read_off_an_example() {
        let example = json!({"id": "x", "count": 3, "share": 0.5, "isOpen": true, "none": null, "list": [{"a": 1}], "empty": []});
        let wanted = json!({"type": "object", "properties": {
            "id": {"type": "string"}, "count": {"type": "integer", "format": "int64"}, "share": {"type": "number"},
            "isOpen": {"type": "boolean"}, "none": {"type": "string", "nullable": true}, "empty": {"type": "array", "items": {}},
            "list": {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "integer", "format": "int64"}}}},
        }});
        assert_eq!(schema_of(&example), wanted);
    }
}
