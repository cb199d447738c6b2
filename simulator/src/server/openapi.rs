//! The platforms as they are served, for whoever writes a client: an OpenAPI document each, made
//! from the table of operations.
//!
//! The examples are the wire contracts that the routes are tested against; the schemas of bodies
//! are read off them, so a field that no example shows is not in a schema. What a body must have
//! and what may be null stands beside the example; of answers nothing is called required.
//! Parameters have the types, values and bounds that the platforms hold them to.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::operations::{self, Operation};
use crate::platforms::ApiDescription;
use crate::platforms::registry::APIS;

/// The methods that carry a body.
const WITH_BODY: [&str; 3] = ["POST", "PUT", "PATCH"];

/// An example of an operation: what is sent and what is answered.
#[derive(Default)]
struct Example {
    request: Value,
    response: Value,
}

/// Examples of a platform's operations, by name.
type Examples = BTreeMap<String, Example>;

/// The document of a platform; `None` for one that has none.
pub(crate) fn document(platform: &str, base_url: &str) -> Option<Value> {
    let api = *APIS.iter().find(|api| api.name == platform)?;
    let examples = examples(api);
    let (scheme, security) = (api.security_scheme)(base_url);
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for operation in operations::of(platform).filter(|operation| !operation.is_inside()) {
        let described = described(operation, api, scheme, examples.get(operation.name));
        paths
            .entry(operation.path)
            .or_default()
            .insert(operation.method.to_lowercase(), described);
    }
    let refusal = examples
        .get(&format!("{platform}.error"))
        .map(|example| schema_of(&example.response["body"]));
    Some(json!({
        "openapi": "3.0.3",
        "info": {
            "title": format!("{platform}, as Seatrial simulates it"),
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What this simulator serves. Made from its table of operations; what \
                each answer rests on is listed by `seatrial assumptions`.",
        },
        "servers": [{"url": base_url}],
        "paths": paths,
        "components": {
            "securitySchemes": {scheme: security},
            "schemas": {"Error": (api.error)(refusal)},
        },
    }))
}

fn described(
    operation: &Operation,
    api: &ApiDescription,
    scheme: &str,
    example: Option<&Example>,
) -> Value {
    let parameter = |name: &str, place: &str| {
        let schema = if place == "path" {
            Some(json!({"type": "string"}))
        } else {
            (api.parameter)(operation, name)
        };
        schema.map(|schema| json!({"name": name, "in": place, "required": place == "path", "schema": schema}))
    };
    let in_path = operation
        .path
        .split('/')
        .filter_map(|step| step.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| parameter(name, "path"));
    let parameters: Vec<Value> = in_path
        .chain(operation.query.iter().map(|name| parameter(name, "query")))
        .flatten()
        .collect();
    let is_of_store = (api.is_of_store)(operation);
    let refusal = match is_of_store {
        true => json!({"application/xml": {"schema": {"type": "string"}}}),
        false => json!({"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}),
    };
    let mut described = json!({
        "operationId": operation.name.replace('.', "_"),
        "parameters": parameters,
        "responses": {"default": {"description": "a refusal", "content": refusal}},
        "security": if (api.is_secured)(operation) { json!([{scheme: []}]) } else { json!([]) },
        "x-operation": operation.name,
        "x-permissions": operation.needs,
        "x-business-key": operation.key,
        "x-changes-the-platform": operation.mutates,
    });
    let answered = example
        .map(|example| &example.response)
        .filter(|response| response["status"].is_u64());
    let status = answered.map_or_else(
        || "2XX".to_owned(),
        |response| response["status"].to_string(),
    );
    let mut response = json!({"description": "done"});
    if let Some(content) = answered.and_then(content) {
        response["content"] = content;
    } else if is_of_store && operation.method == "GET" {
        response["content"] = json!({"*/*": {"schema": {"type": "string", "format": "binary"}}});
    }
    described["responses"][status] = response;
    if WITH_BODY.contains(&operation.method) {
        let any = || match is_of_store {
            true => json!({"*/*": {"schema": {"type": "string", "format": "binary"}}}),
            false => json!({"application/json": {"schema": {"type": "object"}}}),
        };
        let sent = example
            .and_then(|example| content(&example.request))
            .unwrap_or_else(any);
        described["requestBody"] = json!({"required": true, "content": sent});
    }
    if let Some(summary) = (api.summary)(operation) {
        described["summary"] = json!(summary);
    }
    described
}

/// A body by its media type, with its schema and itself as an example; absent where there is none.
fn content(message: &Value) -> Option<Value> {
    let body = message.get("body").filter(|body| !body.is_null())?;
    let named = message["headers"]["content-type"]
        .as_str()
        .and_then(|named| named.split(';').next());
    let is_json = body.is_object() || body.is_array();
    let media_type = named.unwrap_or(if is_json {
        "application/json"
    } else {
        "application/octet-stream"
    });
    if !is_json {
        return Some(json!({media_type: {"schema": {"type": "string"}}}));
    }
    let mut schema = schema_of(body);
    if let Some(names) = message["required"].as_array() {
        schema["required"] = json!(names);
    }
    for name in message["nullable"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
    {
        allow_null(&mut schema, name);
    }
    Some(json!({media_type: {"schema": schema, "example": body}}))
}

/// Lets every property of a name be null.
fn allow_null(schema: &mut Value, name: &str) {
    if let Some(items) = schema.get_mut("items") {
        allow_null(items, name);
    }
    for (property, shape) in schema
        .get_mut("properties")
        .and_then(Value::as_object_mut)
        .into_iter()
        .flatten()
    {
        if property == name {
            shape["nullable"] = json!(true);
        }
        allow_null(shape, name);
    }
}

/// The shape of an example. A map whose keys are data, such as attributes, is told by its names
/// too: they are examples like the rest.
fn schema_of(example: &Value) -> Value {
    match example {
        // Whatever is null in an example is a text elsewhere.
        Value::Null => json!({"type": "string", "nullable": true}),
        Value::Bool(_) => json!({"type": "boolean"}),
        Value::Number(number) if number.is_f64() => json!({"type": "number"}),
        Value::Number(_) => json!({"type": "integer", "format": "int64"}),
        Value::String(_) => json!({"type": "string"}),
        Value::Array(items) => {
            json!({"type": "array", "items": items.first().map_or_else(|| json!({}), schema_of)})
        }
        Value::Object(fields) => {
            let fields: Map<String, Value> = fields
                .iter()
                .map(|(name, value)| (name.clone(), schema_of(value)))
                .collect();
            json!({"type": "object", "properties": fields})
        }
    }
}

/// The first example of each operation, whether a contract is its own or only leads to it.
/// `<platform>.error` is the refusal.
fn examples(api: &ApiDescription) -> Examples {
    let mut examples = Examples::new();
    for (_, text) in api.contracts {
        collect(
            api.name,
            &serde_json::from_str(text).unwrap_or_default(),
            &mut examples,
        );
    }
    examples
}

fn collect(platform: &str, contract: &Value, examples: &mut Examples) {
    let name = match contract["operation"].as_str() {
        Some("-") => Some(format!("{platform}.error")),
        named => named.map(str::to_owned),
    };
    if let Some(name) = name {
        let of = |key: &str| contract.get(key).cloned().unwrap_or_default();
        examples.entry(name).or_insert_with(|| Example {
            request: of("request"),
            response: of("response"),
        });
    }
    for around in ["before", "then"]
        .iter()
        .filter_map(|key| contract[*key].as_array())
        .flatten()
    {
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
        for api in APIS {
            let files = std::fs::read_dir(folder.join(api.name))
                .expect("a folder")
                .map(|entry| entry.expect("an entry").path());
            let mut there: Vec<String> = files
                .filter_map(|file| Some(file.file_stem()?.to_str()?.to_owned()))
                .collect();
            let mut listed: Vec<&str> = api.contracts.iter().map(|(name, _)| *name).collect();
            there.sort();
            listed.sort_unstable();
            assert_eq!(listed, there);
        }
        for (name, text) in APIS.iter().flat_map(|api| api.contracts) {
            assert!(serde_json::from_str::<Value>(text).is_ok(), "{name}");
        }
    }

    #[test]
    fn every_operation_is_in_the_document_of_its_platform_and_no_other() {
        let mut told = Vec::new();
        for platform in APIS.map(|api| api.name) {
            let document = document(platform, "http://127.0.0.1:1").expect("a document");
            for methods in document["paths"].as_object().expect("paths").values() {
                let names = methods
                    .as_object()
                    .expect("methods")
                    .values()
                    .map(|one| one["x-operation"].as_str().expect("a name").to_owned());
                told.extend(
                    names.inspect(|name| {
                        assert!(name.starts_with(platform), "{name} in {platform}")
                    }),
                );
            }
        }
        let is_documented = |name: &str| {
            APIS.iter()
                .any(|api| name.split('.').next() == Some(api.name))
        };
        let mut all: Vec<&str> = operations::all()
            .filter(|one| !one.is_inside())
            .map(|one| one.name)
            .collect();
        all.retain(|name| is_documented(name));
        told.sort();
        all.sort_unstable();
        assert_eq!(told, all);
        assert!(document("webdav", "").is_none());
    }

    #[test]
    fn a_document_is_openapi_with_every_parameter_of_its_paths() {
        for platform in APIS.map(|api| api.name) {
            let document = document(platform, "http://127.0.0.1:1").expect("a document");
            let read: openapiv3::OpenAPI = serde_json::from_value(document).expect("OpenAPI 3.0");
            let (mut ids, mut bodies) = (Vec::new(), 0);
            for (path, method, told) in read.operations() {
                ids.push(told.operation_id.clone().expect("an id"));
                let data = told
                    .parameters
                    .iter()
                    .map(|one| one.as_item().expect("in place").parameter_data_ref());
                let in_path = data.filter(|data| data.required).count();
                assert_eq!(in_path, path.matches('{').count(), "{method} {path}");
                bodies += usize::from(told.request_body.is_some());
                assert_eq!(
                    told.request_body.is_some(),
                    WITH_BODY.contains(&method.to_uppercase().as_str()),
                    "{method} {path}"
                );
            }
            let all = ids.len();
            ids.sort();
            ids.dedup();
            assert_eq!(ids.len(), all, "an id names one operation");
            assert!(
                bodies > 0
                    && read
                        .components
                        .is_some_and(|known| known.schemas.contains_key("Error"))
            );
        }
    }

    #[test]
    fn parameters_bodies_and_refusals_are_told_as_the_platforms_hold_them() {
        let genesys = document("genesys_cloud", "http://127.0.0.1:1").expect("a document");
        let legacy = document("legacy", "http://127.0.0.1:1").expect("a document");
        let schema = |document: &Value, path: &str, name: &str| {
            let all = document["paths"][path]["get"]["parameters"]
                .as_array()
                .expect("parameters")
                .clone();
            all.into_iter()
                .find(|one| one["name"] == name)
                .map(|one| one["schema"].clone())
        };
        let size = json!({"type": "integer", "minimum": 1, "maximum": 1000});
        assert_eq!(schema(&legacy, "/api/v2/users", "size"), Some(size));
        let members = "/api/v2/routing/queues/{id}/members";
        assert_eq!(
            schema(&genesys, members, "pageSize").expect("a schema")["maximum"],
            100
        );
        assert_eq!(
            schema(&genesys, members, "sortOrder").expect("a schema")["enum"],
            json!(["asc", "desc"])
        );
        assert_eq!(
            schema(&genesys, "/api/v2/routing/queues", "hasPeer").expect("a schema"),
            json!({"type": "boolean"})
        );
        assert_eq!(
            schema(&genesys, "/api/v2/authorization/divisions", "nextPage"),
            None,
            "it is never taken"
        );
        let sent = &genesys["paths"]["/api/v2/users"]["post"]["requestBody"]["content"]["application/json"]
            ["schema"];
        assert_eq!(sent["required"], json!(["divisionId", "email", "name"]));
        let store =
            &genesys["paths"]["/presigned/{kind}/{conversation}/{recording}"]["get"]["responses"];
        assert!(
            store["default"]["content"]["application/xml"].is_object()
                && store["2XX"]["content"]["*/*"].is_object(),
            "{store}"
        );
        let page = &legacy["paths"]["/api/v2/users"]["get"]["responses"]["200"]["content"]["application/json"]
            ["schema"];
        assert_eq!(
            page["properties"]["metadata"]["properties"]["pagination"]["properties"]["nextPageCursor"]
                ["nullable"],
            true
        );
        assert_eq!(
            legacy["components"]["schemas"]["Error"]["required"],
            json!(["error", "message"])
        );
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
