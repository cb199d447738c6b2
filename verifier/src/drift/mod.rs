//! Drift: answers of the target outside what its documented shapes allow. Told without a single
//! value, so that it may leave the house.

mod shape;

use std::collections::BTreeMap;
use std::sync::Arc;

use http::StatusCode;
use parking_lot::Mutex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub(crate) use shape::Shape;

/// A line of `drift.jsonl`: one kind of deviation at one place, however often it came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DriftLine {
    /// Operation, as in `requests.jsonl`.
    pub operation: String,
    /// Place in the answer: `$.conversations[].participants[].purpose`; `status` for the answer's
    /// status.
    pub path: String,
    /// What the documented shape says.
    pub expected: String,
    /// What came: types and lengths, never values.
    pub actual: String,
    /// How often.
    pub count: u64,
}

/// What has drifted so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Drifts(Arc<Mutex<BTreeMap<[String; 4], u64>>>);

/// Statuses the vendor documents for nearly every operation, success aside.
const ERRORS: [u16; 14] = [
    400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 500, 502, 503, 504,
];

/// What an operation is documented to answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Contract {
    /// Statuses when all is well.
    pub(crate) statuses: &'static [u16],
    /// Shape of its answer then. Absent: it is not looked into.
    pub(crate) answer: Option<&'static Shape>,
    /// Shape of a refusal. Absent: it is not looked into.
    pub(crate) error: Option<&'static Shape>,
    /// A 202 says nothing, and need not.
    pub(crate) accepted_is_empty: bool,
}

impl Contract {
    /// Nothing is documented but success.
    pub(crate) const UNKNOWN: Contract = Contract {
        statuses: &[200],
        answer: None,
        error: None,
        accepted_is_empty: false,
    };
}

impl Drifts {
    /// Holds an answer's status against what the operation may answer.
    pub(crate) fn status(&self, operation: &str, contract: &Contract, status: StatusCode) {
        let known = contract.statuses;
        if !known.contains(&status.as_u16()) && !ERRORS.contains(&status.as_u16()) {
            let known: Vec<String> = known.iter().map(ToString::to_string).collect();
            self.add(
                operation,
                "status",
                &format!("{}, or a documented error", known.join(" or ")),
                &status.as_u16().to_string(),
            );
        }
    }

    /// Holds an answer's body against its shape. `json` is absent where the body is none.
    pub(crate) fn body(
        &self,
        operation: &str,
        contract: &Contract,
        status: StatusCode,
        length: usize,
        json: Option<&Value>,
    ) {
        let shape = if status.is_success() {
            contract.answer
        } else {
            contract.error
        };
        let Some(shape) = shape.filter(|_| !status.is_redirection()) else {
            return;
        };
        if status == StatusCode::ACCEPTED && contract.accepted_is_empty {
            return;
        }
        match json {
            None => self.add(
                operation,
                "$",
                "JSON",
                &format!("{length} bytes that are none"),
            ),
            Some(json) => shape::check(shape, json, "$", &mut |path, expected, actual| {
                self.add(operation, path, expected, actual)
            }),
        }
    }

    fn add(&self, operation: &str, path: &str, expected: &str, actual: &str) {
        let key = [operation, path, expected, actual].map(str::to_owned);
        *self.0.lock().entry(key).or_default() += 1;
    }

    /// As written to `drift.jsonl`.
    pub(crate) fn lines(&self) -> Vec<DriftLine> {
        let drifts = self.0.lock();
        let line = |([operation, path, expected, actual], count): (&[String; 4], &u64)| DriftLine {
            operation: operation.clone(),
            path: path.clone(),
            expected: expected.clone(),
            actual: actual.clone(),
            count: *count,
        };
        drifts.iter().map(line).collect()
    }
}

/// One sentence about all of it; `None` where nothing drifted.
pub(crate) fn notice(lines: &[DriftLine]) -> Option<String> {
    let first = lines.first()?;
    let answers: u64 = lines.iter().map(|line| line.count).sum();
    Some(format!(
        "the target answers otherwise than documented at {} place{} ({answers} times), first {} in \
         {}: {} instead of {}; all of them in drift.jsonl",
        lines.len(),
        if lines.len() == 1 { "" } else { "s" },
        first.path,
        first.operation,
        first.actual,
        first.expected
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::requests::Operation;
    use crate::target::{genesys_cloud, gir};

    fn operation(name: &str) -> &'static Operation {
        let all = || genesys_cloud::OPERATIONS.iter().chain(gir::OPERATIONS);
        all()
            .find(|operation| operation.name == name)
            .expect("an operation of a target")
    }

    fn told(name: &str, status: u16, body: &Value) -> Vec<String> {
        let drifts = Drifts::default();
        let status = StatusCode::from_u16(status).expect("a status");
        drifts.status(name, &operation(name).contract, status);
        drifts.body(name, &operation(name).contract, status, 10, Some(body));
        drifts
            .lines()
            .into_iter()
            .map(|line| {
                format!(
                    "{}: {} instead of {}",
                    line.path, line.actual, line.expected
                )
            })
            .collect()
    }

    #[test]
    fn what_is_documented_is_not_drift() {
        let contracts = [
            (
                "get_conversation",
                include_str!("../../../scenarios/contracts/genesys_cloud/get_conversation.json"),
            ),
            (
                "list_recordings",
                include_str!("../../../scenarios/contracts/genesys_cloud/list_recordings.json"),
            ),
            (
                "query_retention",
                include_str!("../../../scenarios/contracts/genesys_cloud/query_retention.json"),
            ),
            (
                "get_batchrequest",
                include_str!("../../../scenarios/contracts/genesys_cloud/get_batchrequest.json"),
            ),
            (
                "create_batchrequest",
                include_str!("../../../scenarios/contracts/genesys_cloud/create_batchrequest.json"),
            ),
            (
                "query_deletionprotection",
                include_str!(
                    "../../../scenarios/contracts/genesys_cloud/query_deletionprotection.json"
                ),
            ),
            (
                "create_details_job",
                include_str!("../../../scenarios/contracts/genesys_cloud/create_details_job.json"),
            ),
        ];
        for (name, contract) in contracts {
            let contract: Value = serde_json::from_str(contract).expect("a contract");
            assert_eq!(
                told(name, 200, &contract["response"]["body"]),
                Vec::<String>::new(),
                "{name}"
            );
            if let Some(then) = contract["then"].as_array() {
                for step in then {
                    let name = step["operation"]
                        .as_str()
                        .expect("a name")
                        .trim_start_matches("genesys_cloud.");
                    assert_eq!(
                        told(name, 200, &step["response"]["body"]),
                        Vec::<String>::new(),
                        "{name}"
                    );
                }
            }
        }
        assert!(
            told(
                "get_conversation",
                404,
                &json!({"message":"no","code":"not.found","status":404})
            )
            .is_empty()
        );
    }

    #[test]
    fn interaction_recording_is_held_against_its_own_shapes() {
        let contracts = [
            (
                "gir.get_recording",
                include_str!("../../../scenarios/contracts/gir/get_recording.json"),
            ),
            (
                "gir.query_recordings",
                include_str!("../../../scenarios/contracts/gir/query_recordings.json"),
            ),
        ];
        for (name, contract) in contracts {
            let contract: Value = serde_json::from_str(contract).expect("a contract");
            assert_eq!(
                told(name, 200, &contract["response"]["body"]),
                Vec::<String>::new(),
                "{name}"
            );
            let errors = contract["errors"].as_array().expect("errors");
            assert!(
                errors
                    .iter()
                    .all(|error| told(name, 404, &error["body"]).is_empty()),
                "{name}"
            );
        }
        assert_eq!(
            told(
                "gir.get_recording",
                200,
                &json!({"statusCode":0,"recording":{"id":7}})
            ),
            ["$.recording.id: a number instead of a text"]
        );
        assert!(told("speechminer.list_recordings", 404, &json!("no")).is_empty());
    }

    #[test]
    fn fields_types_values_and_statuses_are_seen_and_none_is_told() {
        let rows = [
            (
                "get_details_job",
                200,
                json!({"state":"SLEEPING +15550100199"}),
                vec!["$.state: a text of 21 characters instead of one of 6 values"],
            ),
            (
                "get_details_job",
                200,
                json!({"state":"FULFILLED","owner":"Jo"}),
                vec!["$.owner: a text of 2 characters instead of no such field"],
            ),
            (
                "get_details_job",
                200,
                json!({}),
                vec!["$.state: nothing instead of one of 6 values"],
            ),
            (
                "get_details_job",
                206,
                json!({"state":"FULFILLED"}),
                vec!["status: 206 instead of 200, or a documented error"],
            ),
            (
                "list_recordings",
                200,
                json!([{"id":7,"conversationId":"c","startTime":"yesterday","annotations":{"a":1}}]),
                vec![
                    "$[].annotations: an object of 1 field instead of a list",
                    "$[].id: a number instead of a text",
                    "$[].startTime: a text of 9 characters instead of a time",
                ],
            ),
            (
                "list_recordings",
                200,
                json!({"entities":[]}),
                vec!["$: an object of 1 field instead of a list"],
            ),
            (
                "get_conversation",
                200,
                json!({"id":"c","participants":[{"attributes":{"+15550100199":7}}],"Jo Doe +1555":true}),
                vec![
                    "$.(a name of 12 characters): true or false instead of no such field",
                    "$.participants[].attributes{}: a number instead of a text",
                ],
            ),
            (
                "get_conversation",
                404,
                json!(["x"]),
                vec!["$: a list of 1 instead of an object"],
            ),
        ];
        for (name, status, body, wanted) in rows {
            let told = told(name, status, &body);
            assert_eq!(told, wanted, "{name}");
            assert!(!told.concat().contains("5550"), "{told:?}");
        }
    }

    #[test]
    fn the_same_deviation_is_one_line() {
        let drifts = Drifts::default();
        for _ in 0..3 {
            drifts.body(
                "get_details_job",
                &operation("get_details_job").contract,
                StatusCode::OK,
                0,
                None,
            );
        }
        let lines = drifts.lines();
        assert_eq!((lines.len(), lines[0].count), (1, 3));
        assert!(notice(&lines).is_some_and(|notice| {
            notice.contains("at 1 place (3 times), first $ in get_details_job")
        }));
        assert_eq!(notice(&[]), None);
    }
}
