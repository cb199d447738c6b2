//! Rows that are about the whole of a world: what is missing as a kind or at a distance, policies
//! that delete at once, uploads without a conversation. Each has a world and a migration of its
//! own.

use std::sync::Arc;

use futures_util::future::FutureExt;
use http::Method;
use serde_json::{Value, json};

use super::rows::{ALL, At, CLOUD, Deviation, Expected, FIRST, PUBLIC, Row, Way, afterwards};
use super::speech::Spoken;
use super::world::{self, Call, PLAIN, SHARED_DESK, Shape, TRANSFERRED, agent};

const PATTERN: &str = "what many calls have in common";
const POLICIES: &str = "policies that delete at once";
const UPLOADS: &str = "uploads without a conversation";

/// Calls of such a world.
const CALLS: usize = 60;
const SHORT: Shape = PLAIN.spoken(Spoken::Call {
    seconds: 6,
    channels: 1,
});

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = vec![
        missing("every tenth call", |_| SHORT, |at| at % 10 == 9, "D06"),
        missing(
            "both ends of every page of twelve",
            |_| SHORT,
            |at| at > 0 && (at % 12 == 11 || at % 12 == 0),
            "D06",
        ),
        missing(
            "all outbound calls",
            |at| {
                if is_outbound(at) {
                    SHORT.outbound()
                } else {
                    SHORT
                }
            },
            is_outbound,
            "D08",
        ),
        missing(
            "all transferred calls",
            |at| {
                if is_transferred(at) {
                    TRANSFERRED
                } else {
                    SHORT
                }
            },
            is_transferred,
            "D08",
        ),
        missing(
            "all calls of one queue",
            |_| SHORT,
            |at| world::queue(at) == "Q-2",
            "D08",
        ),
        second_recordings(),
    ];
    rows.push(by_extension());
    rows.extend(policies());
    rows.extend(uploads());
    rows
}

/// At no equal distance.
fn is_outbound(at: usize) -> bool {
    [1, 4, 5, 13, 22, 23, 24, 36, 40, 51, 58].contains(&at)
}

/// Nor these.
fn is_transferred(at: usize) -> bool {
    [2, 3, 11, 17, 18, 29, 41, 55].contains(&at)
}

fn missing(
    name: &str,
    shape: fn(usize) -> Shape,
    is_missing: fn(usize) -> bool,
    codes: &'static str,
) -> Row {
    let shapes: Vec<Shape> = (0..CALLS).map(shape).collect();
    let parts = |at: usize| if shape(at).is_transferred() { 2 } else { 1 };
    let expected: Vec<Expected> = (0..CALLS)
        .filter(|at| is_missing(*at))
        .flat_map(|at| (0..parts(at)).map(move |part| (codes, At::Recording(at, part))))
        .collect();
    Row::new(PATTERN, name, ALL, &shapes, &expected, move |calls| {
        let gone: Vec<u64> = calls
            .iter()
            .enumerate()
            .filter(|(at, _)| is_missing(*at))
            .map(|(_, call)| call.id)
            .collect();
        vec![Deviation::List(Arc::new(move |list: &mut Vec<Value>| {
            list.retain(|call| call["id"].as_u64().is_none_or(|id| !gone.contains(&id)))
        }))]
    })
}

fn second_recordings() -> Row {
    let shapes: Vec<Shape> = (0..CALLS)
        .map(|at| {
            if is_transferred(at) {
                TRANSFERRED
            } else {
                SHORT
            }
        })
        .collect();
    let expected: Vec<Expected> = (0..CALLS)
        .filter(|at| is_transferred(*at))
        .map(|at| ("D08", At::Recording(at, 1)))
        .collect();
    Row::new(
        PATTERN,
        "the second recording of every call",
        ALL,
        &shapes,
        &expected,
        |_| {
            let first = |call: &mut Value| {
                if let Some(recordings) = call["recordings"].as_array_mut() {
                    recordings.truncate(1);
                }
            };
            vec![Deviation::List(Arc::new(move |list: &mut Vec<Value>| {
                list.iter_mut().for_each(first)
            }))]
        },
    )
}

/// Everybody at one desk is the same user.
fn by_extension() -> Row {
    let [first, second] = SHARED_DESK;
    let at_desk = |at: usize| {
        [4, 9, 15, 21]
            .contains(&at)
            .then_some(first)
            .or([6, 12, 30].contains(&at).then_some(second))
    };
    let shapes: Vec<Shape> = (0..CALLS)
        .map(|at| at_desk(at).map_or(SHORT.of_agent(at % 7), |agent| SHORT.of_agent(agent)))
        .collect();
    let expected: Vec<Expected> = (0..CALLS)
        .filter(|at| at_desk(*at) == Some(second))
        .map(|at| ("D47", At::Call(at)))
        .collect();
    Row::new(
        PATTERN,
        "everybody at one desk taken for one of them",
        ALL,
        &shapes,
        &expected,
        move |_| {
            let (taken, shown) = (agent(second), agent(first));
            let set = move |id: &mut Value| {
                if *id == taken.as_str() {
                    *id = json!(shown);
                }
            };
            let one = move |call: &mut Value| {
                set(&mut call["agentId"]);
                call["segments"]
                    .as_array_mut()
                    .into_iter()
                    .flatten()
                    .for_each(|leg| set(&mut leg["agentId"]));
            };
            vec![Deviation::List(Arc::new(move |list: &mut Vec<Value>| {
                list.iter_mut().for_each(&one)
            }))]
        },
    )
}

/// A policy by one of the two families; what it does and to which calls.
fn policy(
    name: &str,
    ways: &'static [Way],
    family: &'static str,
    conditions: Value,
    actions: Value,
) -> Row {
    Row::new(
        POLICIES,
        name,
        ways,
        &[PLAIN, TRANSFERRED, PLAIN.outbound()],
        &[("D58", At::TargetOnly)],
        move |_| {
            let body = json!({"name": "Clean up", "order": 0, "enabled": true, "mediaPolicies": {"callPolicy": {"conditions": conditions, "actions": actions}}});
            vec![afterwards(move |requests| {
                let body = body.clone();
                async move {
                    let made = requests
                        .cloud(
                            Method::POST,
                            &format!("/api/v2/recording/{family}mediaretentionpolicies"),
                            &body,
                        )
                        .await?;
                    Ok(vec![made["id"].as_str().unwrap_or_default().to_owned()])
                }
                .boxed()
            })]
        },
    )
}

fn policies() -> Vec<Row> {
    vec![
        policy(
            "an ordinary one, always",
            CLOUD,
            "",
            json!({}),
            json!({"alwaysDelete": true}),
        ),
        policy(
            "a cross-platform one, always",
            CLOUD,
            "crossplatform/",
            json!({}),
            json!({"alwaysDelete": true}),
        ),
        policy(
            "an ordinary one for inbound calls, instead of retaining",
            CLOUD,
            "",
            json!({"directions": ["INBOUND"]}),
            json!({"deleteRecording": true, "retainRecording": false}),
        ),
        policy(
            "a cross-platform one, after a day",
            CLOUD,
            "crossplatform/",
            json!({}),
            json!({"retainRecording": true, "retentionDuration": {"deleteRetention": {"days": 1}}}),
        ),
    ]
}

fn uploads() -> Vec<Row> {
    let upload = |name: &str, codes, days: i64| {
        Row::new(
            UPLOADS,
            name,
            PUBLIC,
            &[TRANSFERRED, PLAIN],
            &[(codes, At::Recording(0, 1))],
            move |calls| {
                let recording = calls[0].recordings[1].id.clone();
                let change_list = left_out(&calls[0]);
                vec![
                    change_list,
                    afterwards(move |requests| {
                        let recording = recording.clone();
                        async move {
                            requests.upload_without_conversation(&recording).await?;
                            requests.advance_days(days).await?;
                            Ok(Vec::new())
                        }
                        .boxed()
                    }),
                ]
            },
        )
    };
    let left_over = Row::new(
        UPLOADS,
        "an orphan of a recording that has arrived too",
        PUBLIC,
        &[PLAIN, PLAIN],
        &[("D10", FIRST)],
        |calls| {
            let recording = calls[0].recordings[0].id.clone();
            vec![afterwards(move |requests| {
                let recording = recording.clone();
                async move {
                    requests.upload_without_conversation(&recording).await?;
                    requests.advance_days(2).await?;
                    Ok(Vec::new())
                }
                .boxed()
            })]
        },
    );
    vec![
        upload("parked for a conversation that does not come", "D12", 0),
        upload("an orphan, once nobody waits any more", "D10", 2),
        left_over,
    ]
}

/// The second recording of a call is not read.
fn left_out(call: &Call) -> Deviation {
    let own = call.id;
    Deviation::List(Arc::new(move |list: &mut Vec<Value>| {
        for call in list
            .iter_mut()
            .filter(|call| call["id"].as_u64() == Some(own))
        {
            if let Some(recordings) = call["recordings"].as_array_mut() {
                recordings.truncate(1);
            }
        }
    }))
}
