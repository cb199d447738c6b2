//! Rows about what a faulty migrator misreads of the source: people, times, texts, ids, what is
//! kept and for how long. All three ways in.

use serde_json::{Value, json};

use super::rows::{ALL, At, CLOUD, Deviation, Expected, FIRST, GIR, GUIDE, PUBLIC, Row, change};
use super::world::{
    Call, DISPOSITION, HALF_RECORDED, HELD, PAUSED, PLAIN, RENAMED, SHARED_DESK, SKILL_GROUP,
    Shape, TRANSFERRED, agent,
};
use crate::report::Failure;

const PEOPLE: &str = "people and routing";
const TIMES: &str = "times";
const TEXTS: &str = "texts";
const IDS: &str = "ids and places";
const LAW: &str = "retention, holds and pauses";

pub(crate) fn rows() -> Vec<Row> {
    [people(), times(), texts(), ids(), law()]
        .into_iter()
        .flatten()
        .collect()
}

/// The source's document of the first call is misread.
fn misread(
    kind: &'static str,
    name: &str,
    shape: Shape,
    expected: &[Expected],
    how: fn(&mut Value),
) -> Row {
    Row::new(kind, name, ALL, &[shape], expected, move |_| {
        vec![Deviation::Call(0, change(how))]
    })
}

/// The document of its first recording is misread.
fn misread_recording(
    kind: &'static str,
    name: &str,
    shape: Shape,
    expected: &[Expected],
    how: fn(&mut Value),
) -> Row {
    Row::new(kind, name, ALL, &[shape], expected, move |_| {
        vec![Deviation::Recording(0, 0, change(how))]
    })
}

fn each_agent(call: &mut Value, set: impl Fn(&mut Value)) {
    set(&mut call["agentId"]);
    call["segments"]
        .as_array_mut()
        .into_iter()
        .flatten()
        .for_each(|leg| set(&mut leg["agentId"]));
}

fn people() -> Vec<Row> {
    let call = |codes| vec![(codes, At::Call(0))];
    let row = |name: &str, shape, codes, how: fn(&mut Value)| {
        misread(PEOPLE, name, shape, &call(codes), how)
    };
    let [desk, colleague] = SHARED_DESK;
    let no_numbers: fn(&mut Value) =
        |call| (call["callerNumber"], call["dialledNumber"]) = (Value::Null, Value::Null);
    vec![
        row(
            "another agent, of a desk of his own",
            PLAIN.of_agent(1),
            "D45",
            |call| each_agent(call, |id| *id = json!(agent(4))),
        ),
        row(
            "another agent, who shares a desk with a third",
            PLAIN.of_agent(2),
            "D45",
            |call| each_agent(call, |id| *id = json!(agent(SHARED_DESK[0]))),
        ),
        row(
            "the colleague of the same desk, who is himself in other calls",
            PLAIN.of_agent(desk),
            "D45",
            |call| each_agent(call, |id| *id = json!(agent(SHARED_DESK[1]))),
        ),
        row(
            "the colleague of the same desk, the other way round",
            PLAIN.of_agent(colleague),
            "D45",
            |call| each_agent(call, |id| *id = json!(agent(SHARED_DESK[0]))),
        ),
        row(
            "the user the agent was until 2020",
            PLAIN.of_agent(RENAMED),
            "D48",
            |call| each_agent(call, |id| *id = json!(agent(RENAMED - 1))),
        ),
        row(
            "agents exchanged in a transfer that was half recorded",
            HALF_RECORDED,
            "D49",
            |call| {
                let first = call["segments"][0]["agentId"].take();
                let second = std::mem::replace(&mut call["segments"][1]["agentId"], first);
                call["segments"][0]["agentId"] = second;
            },
        ),
        row("the second agent lost", HALF_RECORDED, "D49", |call| {
            _ = call["segments"].as_array_mut().and_then(Vec::pop)
        }),
        row(
            "the first agent on both legs",
            HALF_RECORDED,
            "D49",
            |call| call["segments"][1]["agentId"] = call["segments"][0]["agentId"].clone(),
        ),
        row(
            "a third agent who was not there",
            HALF_RECORDED,
            "D49",
            |call| {
                let mut third = call["segments"][1].clone();
                let end = third["endTime"].as_i64().unwrap_or_default();
                (
                    third["id"],
                    third["agentId"],
                    third["startTime"],
                    third["endTime"],
                ) = (
                    json!("surplus"),
                    json!(agent(4)),
                    json!(end),
                    json!(end + 500),
                );
                call["segments"]
                    .as_array_mut()
                    .into_iter()
                    .for_each(|legs| legs.push(third.clone()));
            },
        ),
        Row {
            ways: CLOUD,
            ..row("the customer's numbers lost", PLAIN, "D49", no_numbers)
        },
        Row {
            ways: GIR,
            ..row(
                "the customer's numbers lost, `Unknown` in their place",
                PLAIN,
                "D61",
                no_numbers,
            )
        },
        row("another queue", PLAIN, "D50", |call| {
            let other = if call["queueId"] == "Q-1" {
                "Q-2"
            } else {
                "Q-1"
            };
            call["queueId"] = json!(other);
        }),
        row("no queue", PLAIN, "D50", |call| {
            call["queueId"] = Value::Null
        }),
        row(
            "the queue that takes what is unmapped",
            PLAIN,
            "D50",
            |call| call["queueId"] = json!("Q-unheard-of"),
        ),
        row("another skill", PLAIN, "D50", |call| {
            let other = if call["skill"] == "SK-1" {
                "SK-2"
            } else {
                "SK-1"
            };
            call["skill"] = json!(other);
        }),
        row("no skill", PLAIN, "D50", |call| call["skill"] = Value::Null),
        row("another wrap-up code", PLAIN, "D51", |call| {
            let other = if call["wrapUpCode"] == "W-1" {
                "W-2"
            } else {
                "W-1"
            };
            call["wrapUpCode"] = json!(other);
        }),
        row("no wrap-up code", PLAIN, "D51", |call| {
            call["wrapUpCode"] = Value::Null
        }),
        row("no disposition", PLAIN, "D51", |call| {
            call["dispositionCode"] = Value::Null
        }),
        row(
            "inbound and outbound the wrong way round",
            PLAIN,
            "D52",
            |call| call["direction"] = json!("OUTBOUND"),
        ),
        row("outbound as inbound", PLAIN.outbound(), "D52", |call| {
            call["direction"] = json!("INBOUND")
        }),
        row("+41 written as 0041", PLAIN, "D61", |call| {
            prefixed(call, "00")
        }),
        row("+41 written as 41", PLAIN, "D61", |call| prefixed(call, "")),
        row("the caller's last digits hidden", PLAIN, "D61", |call| {
            let number = call["callerNumber"].as_str().unwrap_or_default().to_owned();
            call["callerNumber"] = json!(format!("{}****", &number[..number.len() - 4]));
        }),
        row("one digit of the number wrong", PLAIN, "D61", |call| {
            let number = call["callerNumber"]
                .as_str()
                .unwrap_or_default()
                .replace("+4144", "+4143");
            call["callerNumber"] = json!(number);
        }),
        row("only the caller's number lost", PLAIN, "D61", |call| {
            call["callerNumber"] = Value::Null
        }),
        row("caller and called exchanged", PLAIN, "D52|D61", |call| {
            let caller = call["callerNumber"].take();
            let dialled = std::mem::replace(&mut call["dialledNumber"], caller);
            call["callerNumber"] = dialled;
        }),
        // The guide's surface has a leg for each recording: there its legs have each other's
        // agents.
        Row::new(
            PEOPLE,
            "recordings of two legs exchanged",
            GUIDE,
            &[TRANSFERRED],
            &[("D49", At::Call(0))],
            legs_exchanged,
        ),
        Row::new(
            PEOPLE,
            "recordings of two legs exchanged",
            PUBLIC,
            &[TRANSFERRED],
            &[("D33", FIRST)],
            legs_exchanged,
        ),
        Row::new(
            PEOPLE,
            "recordings of two legs exchanged",
            GIR,
            &[TRANSFERRED],
            &[("D33|D49", FIRST)],
            legs_exchanged,
        ),
        Row::new(
            PEOPLE,
            "both recordings on the first leg",
            CLOUD,
            &[TRANSFERRED],
            &[("D33", At::Recording(0, 1))],
            |calls| {
                let first = format!("{}-s1", calls[0].id);
                vec![Deviation::Recording(
                    0,
                    1,
                    change(move |recording| recording["segmentId"] = json!(first)),
                )]
            },
        ),
    ]
}

fn legs_exchanged(calls: &[Call]) -> Vec<Deviation> {
    let id = calls[0].id;
    let on = |leg: usize| {
        change(move |recording| recording["segmentId"] = json!(format!("{id}-s{leg}")))
    };
    vec![
        Deviation::Recording(0, 0, on(2)),
        Deviation::Recording(0, 1, on(1)),
    ]
}

fn prefixed(call: &mut Value, prefix: &str) {
    for key in ["callerNumber", "dialledNumber"] {
        if let Some(rest) = call[key].as_str().and_then(|text| text.strip_prefix('+')) {
            call[key] = json!(format!("{prefix}{rest}"));
        }
    }
}

/// Every time of a call, its recordings' too.
fn shifted(name: &str, codes: &'static str, shift: fn(i64) -> i64) -> Row {
    Row::new(
        TIMES,
        name,
        ALL,
        &[PLAIN],
        &[(codes, At::Call(0))],
        move |_| {
            let of = move |value: &mut Value| {
                for key in ["startTime", "endTime"] {
                    if let Some(ms) = value[key].as_i64() {
                        value[key] = json!(shift(ms));
                    }
                }
            };
            let call = change(move |call| {
                of(call);
                call["segments"]
                    .as_array_mut()
                    .into_iter()
                    .flatten()
                    .for_each(of);
            });
            vec![
                Deviation::Call(0, call),
                Deviation::Recording(0, 0, change(of)),
            ]
        },
    )
}

fn times() -> Vec<Row> {
    let row = |name: &str, codes, how: fn(&mut Value)| {
        misread(TIMES, name, PLAIN, &[(codes, At::Call(0))], how)
    };
    vec![
        shifted("two hours late: local time as UTC", "D35|D36", |ms| {
            ms + 7_200_000
        }),
        shifted("six hours early", "D35", |ms| ms - 21_600_000),
        shifted("milliseconds cut", "D40", |ms| ms - ms.rem_euclid(1000)),
        shifted("rounded to minutes", "D40|D35", |ms| {
            ms - ms.rem_euclid(60_000)
        }),
        row("waiting time in seconds", "D43", |call| {
            call["waitTimeMs"] = json!(call["waitTimeMs"].as_i64().unwrap_or_default() / 1000)
        }),
        row("talking time taken from the file", "D43", |call| {
            call["talkTimeMs"] = json!(14_000)
        }),
    ]
}

/// A text of the call, damaged.
fn damaged(name: &str, key: &'static str, text: &'static str, damage: fn(&str) -> String) -> Row {
    Row::new(
        TEXTS,
        name,
        ALL,
        &[PLAIN],
        &[("D62", At::Call(0))],
        move |_| {
            vec![Deviation::Call(
                0,
                change(move |call| call[key] = json!(damage(text))),
            )]
        },
    )
}

fn latin_1(text: &str) -> String {
    text.bytes().map(char::from).collect()
}

fn stand_ins(text: &str, stand_in: &str) -> String {
    text.chars()
        .map(|character| {
            if character.is_ascii() {
                character.to_string()
            } else {
                stand_in.to_owned()
            }
        })
        .collect()
}

fn texts() -> Vec<Row> {
    let group =
        |name: &str, damage: fn(&str) -> String| damaged(name, "skillGroup", SKILL_GROUP, damage);
    let row = |name: &str, codes, how: fn(&mut Value)| {
        misread(TEXTS, name, PLAIN, &[(codes, At::Call(0))], how)
    };
    vec![
        group("UTF-8 read as Latin-1", latin_1),
        group("UTF-8 read as Latin-1 twice", |text| {
            latin_1(&latin_1(text))
        }),
        group("`?` for what is not ASCII", |text| stand_ins(text, "?")),
        group("U+FFFD for what is not ASCII", |text| {
            stand_ins(text, "\u{fffd}")
        }),
        group("nothing for what is not ASCII", |text| stand_ins(text, "")),
        group("the emoji left out", |text| text.replace('\u{1f4de}', "")),
        group("HTML entities by number", |text| {
            text.replace('&', "&amp;")
                .chars()
                .map(|c| {
                    if c.is_ascii() {
                        c.to_string()
                    } else {
                        format!("&#{};", u32::from(c))
                    }
                })
                .collect()
        }),
        group("HTML entities by name", |text| {
            text.replace('&', "&amp;")
                .replace('ü', "&uuml;")
                .replace('ä', "&auml;")
                .replace('é', "&eacute;")
                .replace('\u{201c}', "&ldquo;")
                .replace('\u{201d}', "&rdquo;")
        }),
        group("letters and their marks apart (NFD)", |text| {
            text.replace('ü', "u\u{308}")
                .replace('ä', "a\u{308}")
                .replace('é', "e\u{301}")
        }),
        group("cut at 20 characters", |text| {
            text.chars().take(20).collect()
        }),
        group("umlauts without their marks", |text| {
            text.replace('ü', "u").replace('ä', "a").replace('é', "e")
        }),
        damaged(
            "a disposition read as Latin-1",
            "dispositionCode",
            DISPOSITION,
            latin_1,
        ),
        damaged(
            "a disposition with `?`",
            "dispositionCode",
            DISPOSITION,
            |text| stand_ins(text, "?"),
        ),
        row("another skill group", "D64", |call| {
            call["skillGroup"] = json!("Basel Privatkunden")
        }),
        row("no skill group", "D64", |call| {
            call["skillGroup"] = Value::Null
        }),
        row("no IVR node", "D64", |call| call["ivrNodeId"] = Value::Null),
        row("the word null for an IVR node", "D64", |call| {
            call["ivrNodeId"] = json!("null")
        }),
    ]
}

/// A call under another id, in the documents of its recordings too.
fn renamed(name: &str, shape: Shape, rename: fn(u64) -> u64) -> Row {
    Row::new(
        IDS,
        name,
        ALL,
        &[shape],
        &[("D63", At::Call(0))],
        move |calls| {
            let id = rename(calls[0].id);
            let recordings = (0..calls[0].recordings.len()).map(|at| {
                Deviation::Recording(
                    0,
                    at,
                    change(move |recording| recording["interactionId"] = json!(id)),
                )
            });
            recordings
                .chain([Deviation::Call(
                    0,
                    change(move |call| call["id"] = json!(id)),
                )])
                .collect()
        },
    )
}

fn find(list: &mut [Value], id: u64) -> Option<&mut Value> {
    list.iter_mut().find(|call| call["id"].as_u64() == Some(id))
}

fn ids() -> Vec<Row> {
    vec![
        renamed("an id rounded to a number of 32 bits", PLAIN, |id| {
            let rounded = (id as f32) as u64;
            if rounded == id { id + 64 } else { rounded }
        }),
        // It begins with 700.
        renamed("a digit inside an id lost", PLAIN, |id| {
            id - 700_000_000 + 70_000_000
        }),
        renamed("the last digit of an id lost", TRANSFERRED, |id| id / 10),
        Row::new(
            IDS,
            "two calls' ids exchanged",
            ALL,
            &[PLAIN, PLAIN],
            &[("D13", At::Call(0)), ("D13", At::Call(1))],
            |calls| {
                let ids = [calls[0].id, calls[1].id];
                let of = |call: usize, id: u64| {
                    [
                        Deviation::Call(call, change(move |call| call["id"] = json!(id))),
                        Deviation::Recording(
                            call,
                            0,
                            change(move |recording| recording["interactionId"] = json!(id)),
                        ),
                    ]
                };
                [of(0, ids[1]), of(1, ids[0])]
                    .into_iter()
                    .flatten()
                    .collect()
            },
        ),
        Row::new(
            IDS,
            "two calls' recordings exchanged",
            ALL,
            &[PLAIN, PLAIN],
            &[("D13", FIRST), ("D13", At::Recording(1, 0))],
            |calls| {
                let (ids, names) = (
                    [calls[0].id, calls[1].id],
                    [
                        calls[0].recordings[0].id.clone(),
                        calls[1].recordings[0].id.clone(),
                    ],
                );
                let of = |call: usize| {
                    let (id, name) = (ids[1 - call], names[1 - call].clone());
                    let (segment, theirs) = (format!("{}-s1", ids[call]), format!("{id}-s1"));
                    let list = change(move |call| {
                        call["recordings"] = json!([{"id": name, "segmentId": segment}])
                    });
                    let word = change(move |recording| {
                        (recording["interactionId"], recording["segmentId"]) =
                            (json!(id), json!(theirs))
                    });
                    [
                        Deviation::Call(call, list),
                        Deviation::Recording(call, 0, word),
                    ]
                };
                [of(0), of(1)].into_iter().flatten().collect()
            },
        ),
        Row::new(
            IDS,
            "a recording on another call",
            ALL,
            &[TRANSFERRED, PLAIN],
            &[("D13", At::Recording(0, 1))],
            |calls| {
                let (own, host, name) =
                    (calls[0].id, calls[1].id, calls[0].recordings[1].id.clone());
                let change_list = move |list: &mut Vec<Value>| {
                    let taken =
                        find(list, own).and_then(|call| call["recordings"].as_array_mut()?.pop());
                    let more = json!({"id": name, "segmentId": format!("{host}-s1")});
                    if let (Some(_), Some(call)) = (taken, find(list, host)) {
                        call["recordings"]
                            .as_array_mut()
                            .into_iter()
                            .for_each(|recordings| recordings.push(more.clone()));
                    }
                };
                let word = move |recording: &mut Value| {
                    (recording["interactionId"], recording["segmentId"]) =
                        (json!(host), json!(format!("{host}-s1")))
                };
                vec![
                    Deviation::List(std::sync::Arc::new(change_list)),
                    Deviation::Recording(0, 1, change(word)),
                ]
            },
        ),
        Row::new(
            IDS,
            "two calls merged into one",
            ALL,
            &[PLAIN, PLAIN],
            &[("D04", FIRST), ("D04", At::Call(1))],
            |calls| {
                let (own, host, name) =
                    (calls[0].id, calls[1].id, calls[0].recordings[0].id.clone());
                let change_list = move |list: &mut Vec<Value>| {
                    let before = list.len();
                    list.retain(|call| call["id"].as_u64() != Some(own));
                    let more = json!({"id": name, "segmentId": format!("{host}-s1")});
                    if let (true, Some(call)) = (list.len() < before, find(list, host)) {
                        call["recordings"]
                            .as_array_mut()
                            .into_iter()
                            .for_each(|recordings| recordings.push(more.clone()));
                    }
                };
                let word = move |recording: &mut Value| {
                    (recording["interactionId"], recording["segmentId"]) =
                        (json!(host), json!(format!("{host}-s1")))
                };
                vec![
                    Deviation::List(std::sync::Arc::new(change_list)),
                    Deviation::Recording(0, 0, change(word)),
                ]
            },
        ),
        Row::new(
            IDS,
            "a transfer sent as two calls",
            ALL,
            &[TRANSFERRED],
            &[("D05", At::Call(0))],
            |calls| {
                let own = calls[0].id;
                let change_list = move |list: &mut Vec<Value>| {
                    let Some(first) = find(list, own) else { return };
                    let mut second = first.clone();
                    let take = |call: &mut Value, from: usize| {
                        for key in ["segments", "recordings"] {
                            let kept = call[key][from].clone();
                            call[key] = json!([kept]);
                        }
                    };
                    take(first, 0);
                    first["endTime"] = first["segments"][0]["endTime"].clone();
                    take(&mut second, 1);
                    (second["id"], second["startTime"]) =
                        (json!(own + 5), second["segments"][0]["startTime"].clone());
                    second["agentId"] = second["segments"][0]["agentId"].clone();
                    list.push(second);
                };
                vec![
                    Deviation::List(std::sync::Arc::new(change_list)),
                    Deviation::Recording(
                        0,
                        1,
                        change(move |recording| recording["interactionId"] = json!(own + 5)),
                    ),
                ]
            },
        ),
        Row::new(
            IDS,
            "a call left out",
            ALL,
            &[PLAIN],
            &[("D01", FIRST)],
            |calls| {
                let own = calls[0].id;
                vec![Deviation::List(std::sync::Arc::new(
                    move |list: &mut Vec<Value>| {
                        list.retain(|call| call["id"].as_u64() != Some(own))
                    },
                ))]
            },
        ),
        misread(
            IDS,
            "the second recording left out",
            TRANSFERRED,
            &[("D01", At::Recording(0, 1))],
            |call| {
                _ = call["recordings"].as_array_mut().and_then(Vec::pop);
            },
        ),
    ]
}

fn law() -> Vec<Row> {
    let row = |name: &str, shape, codes, how: fn(&mut Value)| {
        misread_recording(LAW, name, shape, &[(codes, FIRST)], how)
    };
    let whole = |name: &str, shape, codes, how: fn(&mut Value)| {
        misread_recording(LAW, name, shape, &[(codes, At::Call(0))], how)
    };
    let cloud = |name: &str, shape, codes, how: fn(&mut Value)| Row {
        ways: CLOUD,
        ..row(name, shape, codes, how)
    };
    // Interaction Recording keeps calls, not recordings.
    let gir = |name: &str, shape, codes, how: fn(&mut Value)| Row {
        ways: GIR,
        ..whole(name, shape, codes, how)
    };
    let other_class: fn(&mut Value) = |recording| {
        let other = if recording["retentionClass"] == "7-Year Retention" {
            "10-Year Retention"
        } else {
            "7-Year Retention"
        };
        recording["retentionClass"] = json!(other);
    };
    let no_class: fn(&mut Value) = |recording| recording["retentionClass"] = Value::Null;
    vec![
        cloud("another retention class", PLAIN, "D55|D56", other_class),
        gir("another retention class", PLAIN, "D55|D56", other_class),
        cloud(
            "no retention class, so no deletion date",
            PLAIN,
            "D55",
            no_class,
        ),
        gir(
            "no retention class, so deleted by no rule",
            PLAIN,
            "D56",
            no_class,
        ),
        whole("the legal hold lost", HELD, "D57", |recording| {
            recording["legalHold"] = json!(false)
        }),
        whole(
            "a hold where the source has none",
            PLAIN,
            "D56",
            |recording| recording["legalHold"] = json!(true),
        ),
        with_silence(row(
            "the marks of a pause lost",
            PAUSED,
            "D60",
            |recording| recording["pauses"] = json!([]),
        )),
        with_silence(row(
            "the marks of a pause 400 ms late",
            PAUSED,
            "D60",
            |recording| {
                recording["pauses"] =
                    json!([{"startOffsetMs": 5400, "endOffsetMs": 8400, "reason": "card_number"}]);
            },
        )),
        with_silence(row(
            "a pause marked as twice as long",
            PAUSED,
            "D60",
            |recording| {
                recording["pauses"] = json!([{"startOffsetMs": 5000, "endOffsetMs": 11_000, "reason": "card_number"}]);
            },
        )),
        Row::new(
            LAW,
            "a pause marked where the source has none",
            ALL,
            &[PLAIN],
            &[("D60", FIRST)],
            |_| {
                vec![Deviation::Recording(
                    0,
                    0,
                    change(
                        |recording| recording["pauses"] = json!([{"startOffsetMs": 3000, "endOffsetMs": 5000, "reason": "card_number"}]),
                    ),
                )]
            },
        ),
    ]
}

/// The sound as it should be: only the marks are wrong.
fn with_silence(row: Row) -> Row {
    let deviations = row.deviations;
    Row {
        deviations: Box::new(move |calls| {
            let mut deviations = deviations(calls);
            deviations.push(silenced(0));
            deviations
        }),
        ..row
    }
}

/// A paused call's first recording with its pause covered, as an honest migrator would send it.
pub(crate) fn silenced(call: usize) -> Deviation {
    let line = "sox -V1 -D in.wav a.wav trim 0 5 && sox -V1 -D in.wav p.wav trim 5 3 vol 0 && sox \
        -V1 -D in.wav b.wav trim 8 && sox -V1 -D a.wav p.wav b.wav mid.wav && lame --quiet -V 2 \
        mid.wav out.mp3";
    Deviation::Sound {
        call,
        recording: 0,
        samples: None,
        line: line.to_owned(),
    }
}

/// Rows of a mapping in which one agent was another user before 2020.
pub(crate) fn renamed_agent(agents_csv: &str) -> Result<String, Failure> {
    let mut reader = csv::Reader::from_reader(agents_csv.as_bytes());
    let header = reader.headers().map_err(Failure::new)?.clone();
    let column = |name: &str| {
        header
            .iter()
            .position(|cell| cell == name)
            .ok_or_else(|| Failure::new(format!("agents.csv has no {name}")))
    };
    let (id, from, to) = (
        column("legacy_agent_id")?,
        column("valid_from")?,
        column("valid_to")?,
    );
    let rows: Vec<Vec<String>> = reader
        .records()
        .map(|row| row.map(|row| row.iter().map(str::to_owned).collect()))
        .collect::<Result<_, _>>()
        .map_err(Failure::new)?;
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&header).map_err(Failure::new)?;
    let (renamed, before, day) = (agent(RENAMED), agent(RENAMED - 1), "2020-01-01T00:00:00Z");
    for mut row in rows {
        if row[id] == renamed {
            row[from] = day.to_owned();
        }
        writer.write_record(&row).map_err(Failure::new)?;
        if row[id] == before {
            (row[id], row[to]) = (renamed.clone(), day.to_owned());
            writer.write_record(&row).map_err(Failure::new)?;
        }
    }
    String::from_utf8(writer.into_inner().map_err(Failure::new)?).map_err(Failure::new)
}
