//! Rows about what a faulty migrator writes: documents, events and requests to the target that do
//! not come from misreading the source.

use futures_util::future::{BoxFuture, FutureExt};
use http::Method;
use serde_json::{Value, json};

use super::misread::silenced;
use super::platform_requests::{PlatformRequests, gir_id};
use super::rows::{
    ALL, At, CLOUD, Deviation, Expected, FIRST, GIR, GUIDE, PUBLIC, Row, afterwards, change,
};
use super::world::{HALF_RECORDED, HELD, PAUSED, PLAIN, Shape, TODAY, TRANSFERRED};
use crate::report::Failure;

const GUIDES: &str = "written by the guide";
const EVENTS: &str = "written by events";
const RWS: &str = "written to RWS";
const SPEECHMINER: &str = "written to SpeechMiner";
const REQUESTS: &str = "done by the platforms' own requests";

const CALL: At = At::Call(0);

pub(crate) fn rows() -> Vec<Row> {
    [
        untouched(),
        guide(),
        events(),
        rws(),
        speechminer(),
        cloud_requests(),
        gir_requests(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

type How = fn(&mut Value);
type Make = fn(usize, super::altering_transport::Change) -> Deviation;

/// How a migration does what no contract lays down shows in calls that it did right.
fn untouched() -> Vec<Row> {
    let shapes = [
        TRANSFERRED,
        TRANSFERRED,
        TRANSFERRED,
        TRANSFERRED,
        TRANSFERRED,
        TRANSFERRED,
        HALF_RECORDED,
        HALF_RECORDED,
        HELD,
        PAUSED,
    ];
    let paused = shapes
        .iter()
        .position(|shape| shape.is_paused())
        .unwrap_or_default();
    vec![Row::new(
        "untouched",
        "calls that go as they are",
        ALL,
        &shapes,
        &[],
        move |_| vec![silenced(paused)],
    )]
}

/// A paused call's sound is as it should be.
fn written(
    kind: &'static str,
    ways: &'static [super::rows::Way],
    make: Make,
    name: &str,
    shape: Shape,
    expected: &[Expected],
    how: How,
) -> Row {
    let paused = shape.is_paused();
    Row::new(kind, name, ways, &[shape], expected, move |_| {
        let mut deviations = vec![make(0, change(how))];
        if paused {
            deviations.push(silenced(0));
        }
        deviations
    })
}

fn recording(interaction: &mut Value) -> &mut Value {
    let at = interaction["segments"]
        .as_array()
        .and_then(|legs| legs.iter().position(|leg| leg["recording"].is_object()))
        .unwrap_or_default();
    &mut interaction["segments"][at]["recording"]
}

/// An instant of the vendor's, moved by so many milliseconds.
fn moved(text: &mut Value, by_ms: i64) {
    let at = text
        .as_str()
        .and_then(|text| text.parse::<jiff::Timestamp>().ok());
    let at = at.and_then(|at| jiff::Timestamp::from_millisecond(at.as_millisecond() + by_ms).ok());
    if let Some(at) = at {
        *text = json!(at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string());
    }
}

const DAY_MS: i64 = 86_400_000;

fn guide() -> Vec<Row> {
    let row = |name: &str, shape, codes, at, how: How| {
        written(
            GUIDES,
            GUIDE,
            Deviation::Guide,
            name,
            shape,
            &[(codes, at)],
            how,
        )
    };
    vec![
        row(
            "no deletion date, the tag as it should be",
            PLAIN,
            "D55",
            FIRST,
            |call| recording(call)["retention"]["deleteDate"] = Value::Null,
        ),
        row("no retention", PLAIN, "D55", FIRST, |call| {
            _ = recording(call)
                .as_object_mut()
                .and_then(|recording| recording.remove("retention"))
        }),
        row("deleted a month early", PLAIN, "D55", FIRST, |call| {
            moved(
                &mut recording(call)["retention"]["deleteDate"],
                -30 * DAY_MS,
            )
        }),
        row("deleted a year late", PLAIN, "D56", FIRST, |call| {
            moved(
                &mut recording(call)["retention"]["deleteDate"],
                365 * DAY_MS,
            )
        }),
        row("protected without a hold", PLAIN, "D56", CALL, |call| {
            call["deletionProtection"] = json!(true)
        }),
        row("the hold not written", HELD, "D57", CALL, |call| {
            call["deletionProtection"] = json!(false)
        }),
        row(
            "a pause for the reason Hold",
            PAUSED,
            "D60",
            FIRST,
            |call| recording(call)["annotations"][0]["reason"] = json!("Hold"),
        ),
        row("a pause one second late", PAUSED, "D60", FIRST, |call| {
            recording(call)["annotations"][0]["location"] = json!(6000)
        }),
        row("a pause in seconds", PAUSED, "D60", FIRST, |call| {
            recording(call)["annotations"][0] =
                json!({"type": "pause", "reason": "SecurePause", "location": 5, "durationMs": 3})
        }),
        row("a pause without length", PAUSED, "D60", FIRST, |call| {
            recording(call)["annotations"][0]["durationMs"] = json!(0)
        }),
        row(
            "a leg that ends three seconds early",
            HALF_RECORDED,
            "D43|D49",
            CALL,
            |call| moved(&mut call["segments"][1]["end"], -3000),
        ),
        row(
            "the wrap-up code on the second agent",
            TRANSFERRED,
            "D51",
            CALL,
            |call| {
                let code = call["participants"][0]["wrapUpCode"].take();
                call["participants"][0]
                    .as_object_mut()
                    .and_then(|one| one.remove("wrapUpCode"));
                call["participants"][1]["wrapUpCode"] = code;
            },
        ),
        row("no attributes", PLAIN, "D64", CALL, |call| {
            call["attributes"] = json!({})
        }),
        row("now as the day of the call", PLAIN, "D42", CALL, |call| {
            (call["createdTime"], call["updatedTime"]) = (
                json!(format!("{TODAY}T10:00:05.250Z")),
                json!(format!("{TODAY}T10:00:25.500Z")),
            );
        }),
        row("the same recording twice", PLAIN, "D03", FIRST, |call| {
            let mut twin = call["segments"][0].clone();
            twin["id"] = json!("11111111-2222-4333-8444-555555555555");
            twin["recording"]["id"] = json!("11111111-2222-4333-8444-666666666666");
            call["segments"]
                .as_array_mut()
                .into_iter()
                .for_each(|legs| legs.push(twin.clone()));
        }),
        row(
            "zeros before the id in the tag",
            PLAIN,
            "D63",
            CALL,
            |call| {
                let tag = call["externalTag"]
                    .as_str()
                    .unwrap_or_default()
                    .replace("rehearsal:", "rehearsal:000");
                call["externalTag"] = json!(tag);
            },
        ),
    ]
}

fn list<'a>(events: &'a mut Value, name: &str) -> &'a mut Vec<Value> {
    if !events[name].is_array() {
        events[name] = json!([]);
    }
    match &mut events[name] {
        Value::Array(list) => list,
        _ => unreachable!("it was made a list"),
    }
}

/// The communication of the `at`th agent.
fn leg_of(events: &mut Value, at: usize) -> Value {
    let legs = list(events, "userEstablishedEvents");
    legs.sort_by_key(|leg| leg["eventDateTime"].to_string());
    legs.get(at)
        .map(|leg| leg["communicationId"].clone())
        .unwrap_or_default()
}

fn events() -> Vec<Row> {
    let row = |name: &str, shape, codes, how: How| {
        written(
            EVENTS,
            PUBLIC,
            Deviation::Events,
            name,
            shape,
            &[(codes, CALL)],
            how,
        )
    };
    vec![
        row(
            "the wrap-up code on the second agent's leg",
            TRANSFERRED,
            "D51",
            |events| {
                let second = leg_of(events, 1);
                list(events, "communicationDispositionAppliedEvents")
                    .iter_mut()
                    .for_each(|event| event["communicationId"] = second.clone());
            },
        ),
        row("no wrap-up event", PLAIN, "D51", |events| {
            list(events, "communicationDispositionAppliedEvents").clear()
        }),
        row(
            "a leg that ends three seconds early",
            HALF_RECORDED,
            "D43|D49",
            |events| {
                let second = leg_of(events, 1);
                for event in list(events, "communicationEndedEvents") {
                    if event["communicationId"] == second {
                        moved(&mut event["eventDateTime"], -3000);
                    }
                }
            },
        ),
        row(
            "the second agent's leg never told",
            HALF_RECORDED,
            "D49",
            |events| {
                let second = leg_of(events, 1);
                for name in [
                    "userEstablishedEvents",
                    "communicationEndedEvents",
                    "communicationDispositionAppliedEvents",
                ] {
                    list(events, name).retain(|event| event["communicationId"] != second);
                }
            },
        ),
        row("no queue told", PLAIN, "D50", |events| {
            let queues: Vec<Value> = list(events, "routingEstablishedEvents")
                .drain(..)
                .map(|event| event["communicationId"].clone())
                .collect();
            list(events, "communicationEndedEvents")
                .retain(|event| !queues.contains(&event["communicationId"]));
        }),
        row("no skill told", PLAIN, "D50", |events| {
            for event in list(events, "routingEstablishedEvents") {
                event
                    .as_object_mut()
                    .and_then(|event| event.remove("skillIds"));
            }
        }),
        row("every side told as outbound", PLAIN, "D52", |events| {
            for name in [
                "externalEstablishedEvents",
                "routingEstablishedEvents",
                "userEstablishedEvents",
            ] {
                list(events, name)
                    .iter_mut()
                    .for_each(|event| event["initialConfiguration"]["inbound"] = json!(false));
            }
        }),
        row(
            "the customer's numbers never told",
            PLAIN,
            "D49",
            |events| {
                for event in list(events, "externalEstablishedEvents") {
                    for name in ["ani", "dnis"] {
                        event.as_object_mut().and_then(|event| event.remove(name));
                    }
                }
            },
        ),
        row("the whole call an hour late", PLAIN, "D35|D36", |events| {
            for (_, list) in events.as_object_mut().into_iter().flatten() {
                list.as_array_mut()
                    .into_iter()
                    .flatten()
                    .for_each(|event| moved(&mut event["eventDateTime"], 3_600_000));
            }
        }),
        row("milliseconds cut", PLAIN, "D40", |events| {
            for (_, list) in events.as_object_mut().into_iter().flatten() {
                for event in list.as_array_mut().into_iter().flatten() {
                    let text = event["eventDateTime"]
                        .as_str()
                        .unwrap_or_default()
                        .to_owned();
                    event["eventDateTime"] = json!(format!("{}.000Z", &text[..19]));
                }
            }
        }),
    ]
}

fn media(document: &mut Value) -> &mut Value {
    &mut document["mediaFiles"][0]
}

fn each_event(document: &mut Value, with: impl FnMut(&mut Value)) {
    document["eventHistory"]
        .as_array_mut()
        .into_iter()
        .flatten()
        .for_each(with);
}

fn is_users(event: &Value) -> bool {
    event["contact"]["type"] == "User"
}

/// A time of RWS's, moved.
fn moved_there(text: &mut Value, by_ms: i64) {
    let plain = text.as_str().unwrap_or_default().replace("+0000", "Z");
    *text = json!(plain);
    moved(text, by_ms);
    let shifted = text.as_str().unwrap_or_default().replace('Z', "+0000");
    *text = json!(shifted);
}

fn rws() -> Vec<Row> {
    let row = |name: &str, shape, codes, at, how: How| {
        written(RWS, GIR, Deviation::Rws, name, shape, &[(codes, at)], how)
    };
    vec![
        row("no Left event", PLAIN, "D49", CALL, |document| {
            document["eventHistory"]
                .as_array_mut()
                .into_iter()
                .for_each(|events| events.retain(|event| event["event"] != "Left"));
        }),
        row(
            "the second agent's Left event lost",
            HALF_RECORDED,
            "D49",
            CALL,
            |document| {
                let events = document["eventHistory"].as_array_mut();
                if let Some(events) = events
                    && let Some(last) = events
                        .iter()
                        .rposition(|event| event["event"] == "Left" && is_users(event))
                {
                    events.remove(last);
                }
            },
        ),
        row(
            "an agent leaves three seconds early",
            HALF_RECORDED,
            "D43|D49",
            CALL,
            |document| {
                let last = document["eventHistory"]
                    .as_array_mut()
                    .into_iter()
                    .flatten()
                    .rfind(|event| event["event"] == "Left" && is_users(event));
                if let Some(event) = last {
                    moved_there(&mut event["occurredAt"], -3000);
                }
            },
        ),
        row("no events of agents", PLAIN, "D49", CALL, |document| {
            document["eventHistory"]
                .as_array_mut()
                .into_iter()
                .for_each(|events| events.retain(|event| !is_users(event)));
        }),
        row(
            "times of events without a zone, an hour late",
            PLAIN,
            "D35|D36|D44",
            CALL,
            |document| {
                each_event(document, |event| {
                    moved_there(&mut event["occurredAt"], 3_600_000)
                });
            },
        ),
        row(
            "another agent's user name on the file",
            PLAIN,
            "D45",
            FIRST,
            |document| media(document)["parameters"]["username"] = json!("somebody.else"),
        ),
        row(
            "another login on the file",
            PLAIN,
            "D45|D64",
            FIRST,
            |document| media(document)["parameters"]["agentId"] = json!("9999"),
        ),
        row("another partition", PLAIN, "D53", FIRST, |document| {
            media(document)["partitions"] = json!(["/everybody"])
        }),
        row("no partition", PLAIN, "D53", FIRST, |document| {
            _ = media(document)
                .as_object_mut()
                .and_then(|file| file.remove("partitions"))
        }),
        row("another access group", PLAIN, "D53", FIRST, |document| {
            media(document)["accessgroups"] = json!(["/"])
        }),
        row("the length in seconds", PLAIN, "D34", FIRST, |document| {
            media(document)["duration"] = json!("14")
        }),
        row(
            "a size that is not the file's",
            PLAIN,
            "D34",
            FIRST,
            |document| media(document)["size"] = json!("123456"),
        ),
        row(
            "a pause that ends before it begins",
            PAUSED,
            "D60",
            FIRST,
            |document| {
                media(document)["masks"]
                    .as_array_mut()
                    .into_iter()
                    .for_each(|masks| {
                        if let [paused, resumed] = masks.as_mut_slice() {
                            std::mem::swap(&mut paused["time"], &mut resumed["time"]);
                        }
                    });
            },
        ),
        row("a pause 400 ms late", PAUSED, "D60", FIRST, |document| {
            media(document)["masks"]
                .as_array_mut()
                .into_iter()
                .flatten()
                .for_each(|mask| moved_there(&mut mask["time"], 400));
        }),
        row(
            "a pause that never ends",
            PAUSED,
            "D60",
            FIRST,
            |document| _ = media(document)["masks"].as_array_mut().and_then(Vec::pop),
        ),
        row("no masks", PAUSED, "D60", FIRST, |document| {
            _ = media(document)
                .as_object_mut()
                .and_then(|file| file.remove("masks"))
        }),
        row("a call of unknown type", PLAIN, "D52", CALL, |document| {
            document["callType"] = json!("Unknown")
        }),
        row(
            "the file two seconds late",
            PLAIN,
            "D35",
            FIRST,
            |document| {
                for key in ["startTime", "stopTime"] {
                    moved_there(&mut media(document)[key], 2000);
                }
            },
        ),
        row("no data of the call", PLAIN, "D64", CALL, |document| {
            each_event(document, |event| {
                if event["event"] == "Data" {
                    event["data"]["added"] = json!({});
                }
            });
        }),
        row(
            "the caller's number of another call",
            PLAIN,
            "D61",
            CALL,
            |document| {
                document["callerPhoneNumber"] = json!("+41445559999");
                media(document)["parameters"]["ani"] = json!("+41445559999");
                each_event(document, |event| {
                    if event["contact"]["type"] == "External" {
                        event["contact"]["phoneNumber"] = json!("+41445559999");
                    }
                });
            },
        ),
        row("the file twice", PLAIN, "D03", FIRST, |document| {
            let twin = media(document).clone();
            document["mediaFiles"]
                .as_array_mut()
                .into_iter()
                .for_each(|files| files.push(twin.clone()));
        }),
        row("WAV declared for an MP3", PLAIN, "D24", FIRST, |document| {
            media(document)["type"] = json!("audio/wav")
        }),
    ]
}

fn speechminer() -> Vec<Row> {
    let row = |name: &str, shape, codes, at, how: How| {
        written(
            SPEECHMINER,
            GIR,
            Deviation::SpeechMiner,
            name,
            shape,
            &[(codes, at)],
            how,
        )
    };
    vec![
        row("another agent", PLAIN, "D45", FIRST, |document| {
            media(document)["parameters"]["username"] = json!("somebody.else")
        }),
        row("an hour late", PLAIN, "D35|D36", FIRST, |document| {
            for key in ["startTime", "stopTime"] {
                moved_there(&mut media(document)[key], 3_600_000);
            }
        }),
        row(
            "a part left out",
            TRANSFERRED,
            "D14",
            At::Recording(0, 1),
            |document| _ = document["mediaFiles"].as_array_mut().and_then(Vec::pop),
        ),
        row("no masks", PAUSED, "D60", FIRST, |document| {
            _ = media(document)
                .as_object_mut()
                .and_then(|file| file.remove("masks"))
        }),
        row("masks one second late", PAUSED, "D60", FIRST, |document| {
            media(document)["masks"]
                .as_array_mut()
                .into_iter()
                .flatten()
                .for_each(|mask| moved_there(&mut mask["time"], 1000));
        }),
        row(
            "a file that is not there",
            PLAIN,
            "D11",
            FIRST,
            |document| {
                let path = media(document)["mediaDescriptor"]["path"]
                    .as_str()
                    .unwrap_or_default()
                    .replace("st-rehearsal", "st-elsewhere");
                media(document)["mediaDescriptor"]["path"] = json!(path);
            },
        ),
        row(
            "the caller's number in the clear of another",
            PLAIN,
            "D61",
            CALL,
            |document| document["callerPhoneNumber"] = json!("+41445559998"),
        ),
        row("outbound", PLAIN, "D52", CALL, |document| {
            document["callType"] = json!("Outbound")
        }),
        Row::new(
            SPEECHMINER,
            "another call's file",
            GIR,
            &[PLAIN, PLAIN],
            &[("D18", FIRST)],
            |calls| {
                let (own, other) = (calls[0].id(), calls[1].id());
                vec![afterwards(move |requests| {
                    let (own, other) = (own.clone(), other.clone());
                    async move {
                        let (mut document, theirs) = (
                            requests.document(&own).await?,
                            requests.document(&other).await?,
                        );
                        for file in &mut document.media_files {
                            file.media_descriptor = theirs.media_files[0]
                                .original_media_descriptor
                                .clone()
                                .or(theirs.media_files[0].media_descriptor.clone());
                            (file.original_media_descriptor, file.media_uri) = (None, None);
                        }
                        (document.start_time, document.stop_time, document.non_delete) =
                            (None, None, None);
                        document.labels.clear();
                        requests.post_to_speechminer(&document).await?;
                        Ok(Vec::new())
                    }
                    .boxed()
                })]
            },
        ),
    ]
}

/// Something done to a call afterwards.
type OfCall = for<'a> fn(&'a PlatformRequests, String) -> BoxFuture<'a, Result<(), Failure>>;

fn after(
    ways: &'static [super::rows::Way],
    name: &str,
    shape: Shape,
    expected: &[Expected],
    done: OfCall,
) -> Row {
    let paused = shape.is_paused();
    Row::new(REQUESTS, name, ways, &[shape], expected, move |calls| {
        let call = calls[0].id();
        let mut deviations = vec![afterwards(move |requests| {
            let done = done(requests, call.clone());
            async move { done.await.map(|()| Vec::new()) }.boxed()
        })];
        if paused {
            deviations.push(silenced(0));
        }
        deviations
    })
}

fn cloud_requests() -> Vec<Row> {
    let row = |name: &str, shape, codes, at, done: OfCall| {
        after(CLOUD, name, shape, &[(codes, at)], done)
    };
    vec![
        row(
            "protection taken off a held call",
            HELD,
            "D57",
            CALL,
            |requests, call| async move { requests.protect(&call, false).await }.boxed(),
        ),
        row(
            "protection put on another call",
            PLAIN,
            "D56",
            CALL,
            |requests, call| async move { requests.protect(&call, true).await }.boxed(),
        ),
        row(
            "the deletion date removed",
            PLAIN,
            "D55",
            FIRST,
            |requests, call| {
                async move { requests.set_delete_date(&call, Value::Null).await }.boxed()
            },
        ),
        row(
            "deleted in a year",
            PLAIN,
            "D55",
            FIRST,
            |requests, call| {
                async move { requests.set_delete_date(&call, requests.in_days(365)).await }.boxed()
            },
        ),
        row(
            "deleted in two days",
            PLAIN,
            "D55|D58",
            FIRST,
            |requests, call| {
                async move { requests.set_delete_date(&call, requests.in_days(2)).await }.boxed()
            },
        ),
        row(
            "deleted in thirty years",
            PLAIN,
            "D56",
            FIRST,
            |requests, call| {
                async move {
                    requests
                        .set_delete_date(&call, requests.in_days(30 * 365))
                        .await
                }
                .boxed()
            },
        ),
        row(
            "a tag of another migration",
            PLAIN,
            "D01|D63",
            FIRST,
            |requests, call| {
                async move {
                    let path = format!(
                        "/api/v2/conversations/{}/tags",
                        requests.conversation(&call)?
                    );
                    requests
                        .cloud(
                            Method::PUT,
                            &path,
                            &json!({ "externalTag": format!("st:other:{call}") }),
                        )
                        .await
                        .map(drop)
                }
                .boxed()
            },
        ),
        Row::new(
            REQUESTS,
            "two calls' tags exchanged",
            CLOUD,
            &[PLAIN, PLAIN],
            &[("D13", At::Call(0)), ("D13", At::Call(1))],
            |calls| {
                let ids = [calls[0].id(), calls[1].id()];
                vec![afterwards(move |requests| {
                    let ids = ids.clone();
                    async move {
                        for (own, other) in [(&ids[0], &ids[1]), (&ids[1], &ids[0])] {
                            let path = format!(
                                "/api/v2/conversations/{}/tags",
                                requests.conversation(own)?
                            );
                            requests
                                .cloud(
                                    Method::PUT,
                                    &path,
                                    &json!({ "externalTag": format!("st:rehearsal:{other}") }),
                                )
                                .await?;
                        }
                        Ok(Vec::new())
                    }
                    .boxed()
                })]
            },
        ),
    ]
}

fn gir_requests() -> Vec<Row> {
    let row =
        |name: &str, shape, codes, at, done: OfCall| after(GIR, name, shape, &[(codes, at)], done);
    vec![
        row(
            "tagged for non-deletion without a hold",
            PLAIN,
            "D56",
            CALL,
            |requests, call| {
                async move {
                    requests
                        .rws()?
                        .apply_non_delete(&gir_id(&call))
                        .await
                        .map_err(Failure::new)
                }
                .boxed()
            },
        ),
        row(
            "deleted from RWS, left in SpeechMiner",
            PLAIN,
            "D14",
            CALL,
            |requests, call| {
                async move {
                    requests
                        .rws()?
                        .delete(&gir_id(&call))
                        .await
                        .map(drop)
                        .map_err(Failure::new)
                }
                .boxed()
            },
        ),
        row("the file deleted", PLAIN, "D11", FIRST, |requests, call| {
            async move {
                requests
                    .store(Method::DELETE, &path_of(requests, &call).await?, Vec::new())
                    .await
            }
            .boxed()
        }),
        row(
            "an error page for a file",
            PLAIN,
            "D31",
            FIRST,
            |requests, call| {
                async move {
                    let page = b"<!DOCTYPE html><html><head><title>502 Bad \
                    Gateway</title></head><body><h1>Bad Gateway</h1></body></html>";
                    requests
                        .store(Method::PUT, &path_of(requests, &call).await?, page.to_vec())
                        .await
                }
                .boxed()
            },
        ),
        row("an empty file", PLAIN, "D32", FIRST, |requests, call| {
            async move {
                requests
                    .store(Method::PUT, &path_of(requests, &call).await?, Vec::new())
                    .await
            }
            .boxed()
        }),
        row(
            "an encrypted file",
            PLAIN,
            "D30",
            FIRST,
            |requests, call| {
                async move {
                    let mut chance = super::speech::Chance::of(5);
                    let noise = (0..40_000).map(|_| chance.below(256) as u8).collect();
                    requests
                        .store(Method::PUT, &path_of(requests, &call).await?, noise)
                        .await
                }
                .boxed()
            },
        ),
        Row::new(
            REQUESTS,
            "a file that nobody names",
            GIR,
            &[PLAIN],
            &[("D10", FIRST)],
            |calls| {
                let call = calls[0].id();
                vec![afterwards(move |requests| {
                    let call = call.clone();
                    async move {
                        let path = path_of(requests, &call).await?;
                        // Named as our own are: the recording, and another hash.
                        let name = path.rsplit('.').nth(1).unwrap_or_default().to_owned();
                        let stray = path.replace(&name, "0123456789ab");
                        requests
                            .store(
                                Method::PUT,
                                &stray,
                                b"ID3 not a recording of anybody".to_vec(),
                            )
                            .await?;
                        Ok(vec![stray])
                    }
                    .boxed()
                })]
            },
        ),
    ]
}

async fn path_of(requests: &PlatformRequests, call: &str) -> Result<String, Failure> {
    let document = requests.document(call).await?;
    let path = document
        .media_files
        .first()
        .and_then(|file| file.path().map(str::to_owned));
    path.ok_or_else(|| Failure::new(format!("call {call} has no file")))
}
