//! Each rule has lines that breach it, and lines close by that do not.

use super::table::TABLE;
use super::*;
use crate::http::request_context::{Connection, JobState};
use crate::operations::{
    GENESYS_CLOUD_CREATE_INTERACTION as CREATE, GENESYS_CLOUD_GET_BATCHREQUEST as GET_JOB,
    GENESYS_CLOUD_GET_INTERACTION as GET, GENESYS_CLOUD_ISSUE_TOKEN as TOKEN,
    GENESYS_CLOUD_LIST_USERS as USERS, GENESYS_CLOUD_PROCESS_UPLOAD as PROCESS_UPLOAD,
    GENESYS_CLOUD_PUT_UPLOAD as PUT_UPLOAD, GENESYS_CLOUD_UPLOAD_FILE as UPLOAD,
    GIR_GET_RECORDING as LOOK, GIR_INSERT_RECORDING as INSERT, GIR_QUERY_RECORDINGS as QUERY,
    LEGACY_GET_MEDIA as MEDIA, SPEECHMINER_POST_RECORDING as POST, WEBDAV_DELETE_FILE as DELETE,
    WEBDAV_MAKE_COLLECTION as MAKE, WEBDAV_PUT_FILE as PUT,
};

/// A request: when it arrived, what it asked and what it was told. It is answered at once.
#[derive(Clone)]
struct Ask {
    at_ms: i64,
    operation: &'static Operation,
    key: &'static str,
    status: u16,
    retry_after_s: Option<u64>,
    attempt: u32,
    effect: Option<&'static str>,
    metadata: RequestMetadata,
}

fn ask(at_ms: i64, operation: &'static Operation, key: &'static str, status: u16) -> Ask {
    let metadata = RequestMetadata {
        caller: 1,
        has_token: true,
        ..RequestMetadata::default()
    };
    Ask {
        at_ms,
        operation,
        key,
        status,
        retry_after_s: None,
        attempt: 1,
        effect: None,
        metadata,
    }
}

impl Ask {
    fn retry_after(mut self, seconds: u64) -> Ask {
        self.retry_after_s = Some(seconds);
        self
    }

    /// Refused by a limit of its token.
    fn limited(mut self) -> Ask {
        self.attempt = 0;
        self.metadata.is_tokens_limit = true;
        self
    }

    fn with_effect(mut self, effect: &'static str) -> Ask {
        self.effect = Some(effect);
        self
    }

    fn with(mut self, change: impl FnOnce(&mut RequestMetadata)) -> Ask {
        change(&mut self.metadata);
        self
    }
}

/// One request many times: at each of these times.
fn at(times: impl IntoIterator<Item = i64>, one: Ask) -> Vec<Ask> {
    times
        .into_iter()
        .map(|at_ms| Ask {
            at_ms,
            ..one.clone()
        })
        .collect()
}

/// The same, of a part.
fn part(ask: Ask) -> Ask {
    ask.with(|metadata| metadata.has_range = true)
}

/// The same, answered by half.
fn cut(ask: Ask) -> Ask {
    ask.with(|metadata| metadata.is_cut = true)
}

fn judged(asks: &[Ask]) -> ConductReport {
    let mut conduct = Conduct::at_pace(1.0);
    (1..)
        .zip(asks)
        .for_each(|(n, ask)| see(&mut conduct, n, ask));
    conduct.report()
}

fn see(conduct: &mut Conduct, n: u64, ask: &Ask) {
    let served = Served {
        at_ms: ask.at_ms,
        platform: ask.operation.name.split('.').next().unwrap_or_default(),
        operation: ask.operation,
        key: ask.key,
        attempt: ask.attempt,
        status: ask.status,
        work_status: ask.status,
        fault: None,
        effect: ask.effect,
        bytes_in: 10,
        bytes_out: 10,
        retry_after_s: ask.retry_after_s,
        digest_out: None,
        metadata: RequestMetadata {
            arrived_ms: Some(ask.at_ms),
            ..ask.metadata
        },
    };
    conduct.observe(&RequestEvent::of(n, &served));
}

/// A rule's name, lines that breach it, lines that do not.
type Case = (&'static str, Vec<Vec<Ask>>, Vec<Vec<Ask>>);

fn joined(parts: impl IntoIterator<Item = Vec<Ask>>) -> Vec<Ask> {
    parts.into_iter().flatten().collect()
}

fn waiting() -> Case {
    let limited = || ask(0, &CREATE, "a", 429).limited().retry_after(5);
    let by_fault = || ask(0, &CREATE, "a", 429).retry_after(5);
    let breaches = vec![
        vec![limited(), ask(2000, &GET, "b", 200)],
        vec![by_fault(), ask(2000, &CREATE, "b", 200)],
        vec![
            ask(0, &CREATE, "a", 503).retry_after(5),
            ask(2000, &CREATE, "a", 200),
        ],
        // A further refusal in between does not make the later one lawful.
        vec![
            limited(),
            ask(400, &CREATE, "b", 429).limited().retry_after(5),
            ask(800, &GET, "b", 200),
        ],
    ];
    let clean = vec![
        vec![limited(), ask(5000, &GET, "b", 200)],
        vec![limited(), ask(400, &GET, "b", 200)],
        vec![limited(), ask(2000, &UPLOAD, "b", 200)],
        vec![
            limited(),
            ask(2000, &GET, "b", 200).with(|metadata| metadata.caller = 2),
        ],
        vec![by_fault(), ask(2000, &GET, "a", 200)],
        vec![
            ask(0, &CREATE, "a", 503).retry_after(5),
            ask(2000, &CREATE, "b", 200),
        ],
        vec![ask(0, &CREATE, "a", 429), ask(2000, &CREATE, "a", 200)],
    ];
    ("retry_after_ignored", breaches, clean)
}

fn retries() -> Vec<Case> {
    // Doubled from a tenth of a second, with half of it spread.
    let backoff = [
        0, 90, 290, 590, 1410, 2600, 6100, 11_000, 25_000, 44_000, 95_000,
    ];
    let storm = at(
        (0..10).map(|k| k * 900 + k % 3 * 150),
        ask(0, &CREATE, "a", 503),
    );
    let fixed = at((0..5).map(|k| k * 2000), ask(0, &CREATE, "a", 0));
    let (refused, other) = (ask(0, &CREATE, "a", 400), |digest| {
        ask(9, &CREATE, "a", 400).with(|metadata| metadata.digest = Some([digest; 32]))
    });
    vec![
        (
            "retry_storm",
            vec![
                storm.clone(),
                storm
                    .iter()
                    .map(|one| {
                        cut(Ask {
                            status: 200,
                            ..one.clone()
                        })
                    })
                    .collect(),
            ],
            vec![
                at(backoff, ask(0, &CREATE, "a", 503)),
                at(
                    (0..10).map(|k| k * 900 + k % 3 * 150),
                    ask(0, &CREATE, "a", 200),
                ),
                storm
                    .iter()
                    .map(|one| cut(part(ask(one.at_ms, &MEDIA, "m", 206))))
                    .collect(),
                storm
                    .iter()
                    .zip(["a", "b"].into_iter().cycle())
                    .map(|(one, key)| Ask { key, ..one.clone() })
                    .collect(),
                joined([
                    storm[..9].to_vec(),
                    vec![ask(8200, &CREATE, "a", 200)],
                    at([8300], ask(0, &CREATE, "a", 503)),
                ]),
            ],
        ),
        (
            "fixed_interval_retries",
            vec![fixed.clone()],
            vec![
                fixed[..4].to_vec(),
                at([0, 2000, 4500, 6500, 8000], ask(0, &CREATE, "a", 0)),
                at((0..5).map(|k| k * 40_000), ask(0, &CREATE, "a", 0)),
                at(
                    (0..5).map(|k| k * 2000),
                    ask(0, &CREATE, "a", 429).retry_after(2),
                ),
            ],
        ),
        (
            "refusal_repeated",
            vec![at(0..5, refused.clone())],
            vec![
                at(0..4, refused.clone()),
                at([0; 9], refused.clone()),
                at(0..5, ask(0, &MAKE, "c", 405)),
                (1..6).map(other).collect(),
                at(0..5, ask(0, &GET, "a", 404)),
                at((0..9).map(|k| k * 700_000), refused),
            ],
        ),
        (
            "blind_repeat",
            vec![
                vec![ask(0, &INSERT, "a", 0), ask(1000, &INSERT, "a", 200)],
                vec![
                    ask(0, &INSERT, "a", 500),
                    ask(10, &LOOK, "b", 200),
                    ask(1000, &INSERT, "a", 200),
                ],
                vec![
                    ask(0, &INSERT, "a", 500),
                    ask(10, &LOOK, "a", 503),
                    ask(1000, &INSERT, "a", 200),
                ],
                vec![cut(ask(0, &INSERT, "a", 200)), ask(1000, &INSERT, "a", 200)],
                vec![
                    ask(0, &INSERT, "a", 500),
                    cut(ask(10, &LOOK, "a", 200)),
                    ask(1000, &INSERT, "a", 200),
                ],
                vec![
                    ask(0, &POST, "a", 500),
                    ask(1000, &POST, "a", 200).with_effect("duplicated"),
                ],
            ],
            vec![
                vec![
                    ask(0, &INSERT, "a", 0),
                    ask(10, &LOOK, "a", 404),
                    ask(1000, &INSERT, "a", 200),
                ],
                vec![
                    ask(0, &INSERT, "a", 0),
                    cut(ask(10, &LOOK, "a", 404)),
                    ask(1000, &INSERT, "a", 200),
                ],
                vec![cut(ask(0, &INSERT, "a", 409)), ask(1000, &INSERT, "a", 200)],
                vec![
                    ask(0, &INSERT, "a", 0),
                    ask(10, &QUERY, "-", 200),
                    ask(1000, &INSERT, "a", 200),
                ],
                vec![ask(0, &INSERT, "a", 0), ask(1000, &INSERT, "b", 200)],
                vec![ask(0, &INSERT, "a", 429), ask(1000, &INSERT, "a", 200)],
                vec![
                    ask(0, &POST, "a", 500),
                    ask(1000, &POST, "a", 200).with_effect("replaced"),
                ],
                // What finds itself done may be repeated.
                vec![ask(0, &CREATE, "a", 0), ask(1000, &CREATE, "a", 409)],
            ],
        ),
    ]
}

fn tokens() -> Vec<Case> {
    let issue =
        |at_ms| ask(at_ms, &TOKEN, "-", 200).with(|metadata| metadata.token_life_s = Some(3600));
    let short = |at_ms| issue(at_ms).with(|metadata| metadata.token_life_s = Some(2));
    let of = |token: u64, count: i64| {
        at(
            (0..count).map(|k| k * 100),
            ask(0, &GET, "a", 200).with(|metadata| metadata.caller = token),
        )
    };
    let basic = |status| ask(0, &LOOK, "a", status).with(|metadata| metadata.has_token = false);
    vec![
        (
            "token_per_request",
            vec![(0..10).map(|k| issue(k * 1000)).collect()],
            vec![
                (0..9).map(|k| issue(k * 1000)).collect(),
                (0..19).map(|k| issue(k * 7000)).collect(),
                (0..19).map(|k| short(k * 3000)).collect(),
                joined((0..19).map(|k| {
                    vec![
                        issue(k * 1000),
                        ask(k * 1000, &GET, "a", 401).with(|metadata| metadata.caller = k as u64),
                    ]
                })),
            ],
        ),
        (
            "many_tokens",
            vec![joined((1..=4).map(|token| of(token, 10)))],
            vec![
                joined((1..=3).map(|token| of(token, 50))),
                joined((1..=9).map(|token| of(token, 9))),
                // Short-lived ones, each renewed when it has run out.
                joined((1..=9).map(|token| {
                    of(token, 10)
                        .into_iter()
                        .map(|ask| Ask {
                            at_ms: ask.at_ms + 2000 * token as i64,
                            ..ask
                        })
                        .collect()
                })),
            ],
        ),
        (
            "refused_token_used",
            vec![vec![ask(0, &GET, "a", 401), ask(600, &GET, "b", 401)]],
            vec![
                vec![ask(0, &GET, "a", 401), ask(400, &GET, "b", 401)],
                vec![
                    ask(0, &GET, "a", 401),
                    ask(600, &GET, "b", 200).with(|metadata| metadata.caller = 2),
                ],
            ],
        ),
        (
            "refused_credentials_repeated",
            vec![
                at((0..4).map(|k| k * 1500), ask(0, &TOKEN, "-", 401)),
                at((0..4).map(|k| k * 1500), basic(401)),
            ],
            vec![
                at([0, 10, 30], ask(0, &TOKEN, "-", 401)),
                at((0..9).map(|k| k * 25_000), basic(401)),
                at(0..9, basic(403))[..2].to_vec(),
            ],
        ),
        (
            "limit_run_into",
            vec![joined([
                at(0..300, ask(0, &GET, "a", 200)),
                at(300..305, ask(0, &GET, "b", 429).limited()),
            ])],
            vec![
                joined([
                    at(0..300, ask(0, &GET, "a", 200)),
                    at(300..304, ask(0, &GET, "b", 429).limited()),
                ]),
                joined([
                    at(0..900, ask(0, &GET, "a", 200)),
                    at(900..905, ask(0, &GET, "b", 429).limited()),
                ]),
            ],
        ),
    ]
}

fn reading() -> Vec<Case> {
    let stands = |at_ms, standing| {
        ask(at_ms, &GET_JOB, "j", 200).with(|metadata| metadata.job_state = standing)
    };
    let page = |start: u64, size: u32| {
        ask(0, &USERS, "-", 200).with(|metadata| {
            metadata.page = (start > 0).then_some(start);
            metadata.page_size = Some(size);
        })
    };
    let pages = |count: u64, size| {
        (0..count)
            .map(|start| page(start, size))
            .collect::<Vec<_>>()
    };
    vec![
        (
            "polled_too_fast",
            vec![vec![
                stands(0, JobState::Pending),
                stands(300, JobState::Pending),
            ]],
            vec![
                vec![
                    stands(0, JobState::Pending),
                    stands(1000, JobState::Pending),
                    stands(3000, JobState::Final),
                ],
                vec![
                    stands(0, JobState::Pending),
                    stands(10, JobState::Pending).with(|metadata| metadata.caller = 2),
                ],
            ],
        ),
        (
            "polled_after_final",
            vec![(0..4).map(|k| stands(k * 1000, JobState::Final)).collect()],
            vec![
                (0..3).map(|k| stands(k * 1000, JobState::Final)).collect(),
                at(
                    [0, 3000, 9000, 21_000, 45_000, 90_000],
                    cut(stands(0, JobState::Final)),
                ),
            ],
        ),
        (
            "cursor_restarted",
            vec![joined([pages(2, 100), pages(2, 100), pages(1, 100)])],
            vec![
                joined([pages(5, 100), pages(2, 100)]),
                joined((0..9).map(|_| pages(1, 100))),
                joined((0..9).map(|caller| {
                    pages(3, 100)
                        .into_iter()
                        .map(|one| one.with(|metadata| metadata.caller = caller))
                        .collect()
                })),
            ],
        ),
        (
            "small_pages",
            vec![pages(6, 25)],
            vec![pages(5, 25), pages(40, 100)],
        ),
        (
            "media_fetched_again",
            vec![at(0..16, ask(0, &MEDIA, "m", 200))],
            vec![
                at(0..15, ask(0, &MEDIA, "m", 200)),
                at(0..20, part(ask(0, &MEDIA, "m", 206))),
                at((0..20).map(|k| 100_000 * k), cut(ask(0, &MEDIA, "m", 200))),
                at(0..20, ask(0, &MEDIA, "m", 302)),
            ],
        ),
    ]
}

fn writing() -> Vec<Case> {
    /// Each of the keys deleted and, so much later, made again.
    fn again<const N: usize>(keys: [&'static str; N], status: u16, later_ms: i64) -> Vec<Ask> {
        let pair = |(k, key): (i64, &'static str)| {
            [
                ask(2 * k * later_ms, &DELETE, key, status),
                ask((2 * k + 1) * later_ms, &PUT, key, 201),
            ]
        };
        (0..).zip(keys).flat_map(pair).collect()
    }
    vec![
        (
            "uploaded_again",
            vec![
                at(0..5, ask(0, &UPLOAD, "f", 200)),
                // Two files under one name, in turn.
                (0..9)
                    .map(|k| {
                        ask(k, &UPLOAD, "f", 200)
                            .with(|metadata| metadata.digest = Some([k as u8 % 2; 32]))
                    })
                    .collect(),
            ],
            vec![
                at(0..4, ask(0, &UPLOAD, "f", 200)),
                vec![
                    ask(0, &UPLOAD, "f", 503),
                    ask(900, &UPLOAD, "f", 0),
                    ask(2500, &UPLOAD, "f", 200),
                ],
                (0..9)
                    .map(|k| {
                        ask(k, &UPLOAD, "f", 200)
                            .with(|metadata| metadata.digest = Some([k as u8; 32]))
                    })
                    .collect(),
                at(0..9, cut(ask(0, &UPLOAD, "f", 200))),
            ],
        ),
        (
            "deleted_and_created",
            vec![
                again(["f", "f", "f"], 204, 1000),
                again(["f", "g", "h"], 204, 1000),
            ],
            vec![
                again(["f", "f"], 204, 1000),
                again(["f", "f", "f"], 404, 1000),
                again(["f", "f", "f"], 204, 700_000),
                again(["f", "f", "f"], 204, 250_000),
                joined([["f", "g"], ["h", "i"], ["k", "l"]].map(|[gone, made]| {
                    vec![ask(0, &DELETE, gone, 204), ask(1000, &PUT, made, 201)]
                })),
            ],
        ),
    ]
}

fn connections() -> Vec<Case> {
    let over = |count: u64, each: u64| {
        let one = move |k: u64| {
            let connection = Connection {
                number: k / each,
                request: k % each + 1,
            };
            ask(k as i64, &GET, "a", 200).with(|metadata| metadata.connection = Some(connection))
        };
        (0..count * each).map(one).collect::<Vec<_>>()
    };
    vec![
        (
            "too_many_at_once",
            vec![vec![
                ask(0, &GET, "a", 200).with(|metadata| metadata.in_flight = 101),
            ]],
            vec![vec![
                ask(0, &GET, "a", 200).with(|metadata| metadata.in_flight = 100),
            ]],
        ),
        (
            "connection_per_request",
            vec![over(100, 1)],
            vec![
                over(99, 1),
                over(100, 3),
                at(0..500, ask(0, &GET, "a", 200)),
            ],
        ),
        (
            "nameless_client",
            vec![vec![
                ask(0, &GET, "a", 200).with(|metadata| metadata.has_user_agent = false),
            ]],
            vec![vec![ask(0, &GET, "a", 200)]],
        ),
    ]
}

fn cases() -> Vec<Case> {
    let rest = [retries(), tokens(), reading(), writing(), connections()];
    std::iter::once(waiting())
        .chain(rest.into_iter().flatten())
        .collect()
}

#[test]
fn each_rule_finds_its_breach_and_nothing_else() {
    for (rule, breaches, _) in cases() {
        for (at, lines) in breaches.iter().enumerate() {
            let found: Vec<&str> = judged(lines).by_rule().into_keys().collect();
            assert_eq!(found, [rule], "lines {at} of {rule}");
        }
    }
}

#[test]
fn each_rule_is_silent_on_what_is_close_by() {
    for (rule, _, clean) in cases() {
        for (at, lines) in clean.iter().enumerate() {
            let found = judged(lines).by_rule();
            assert!(found.is_empty(), "lines {at} of {rule}: {found:?}");
        }
    }
}

#[test]
fn every_rule_of_the_table_has_both_kinds_of_lines() {
    let cases = cases();
    let mut tested: Vec<&str> = cases
        .iter()
        .filter(|(_, breaches, clean)| !breaches.is_empty() && !clean.is_empty())
        .map(|case| case.0)
        .collect();
    let mut all: Vec<&str> = TABLE.iter().map(|rule| rule.name).collect();
    tested.sort_unstable();
    all.sort_unstable();
    assert_eq!(tested, all);
}

#[test]
fn a_breach_names_its_lines() {
    let lines = at(
        [0, 10, 20, 30, 40, 50],
        ask(1_698_400_800_123, &UPLOAD, "f", 200),
    );
    let report = judged(&lines);
    let [breach] = report.breaches.as_slice() else {
        panic!("{:?}", report.breaches)
    };
    assert_eq!(
        (breach.operation, breach.key.as_str(), breach.count),
        ("genesys_cloud.upload_file", "f", 2)
    );
    assert_eq!(
        (breach.examples.as_slice(), breach.first_at.as_str()),
        ([5, 6].as_slice(), "1970-01-01T00:00:00.040Z")
    );
    let since = report.since(&judged(&lines[..5]));
    assert_eq!(
        (since.count(), since.breaches[0].examples.as_slice()),
        (1, [6].as_slice())
    );
    assert_eq!(report.since(&report).count(), 0);
}

#[test]
fn what_the_platform_failed_to_process_is_uploaded_again_without_blame() {
    let upload = ask(0, &PUT_UPLOAD, "f", 200);
    // Five in all; of an upload that fails each time the first three are forgiven, and the fifth
    // after them is in vain.
    for (effect, each, times, breaches) in [
        ("attached", 4, 5, 1),
        ("failed", 4, 5, 0),
        ("failed", 1, 7, 0),
        ("failed", 1, 9, 2),
    ] {
        let mut conduct = Conduct::at_pace(1.0);
        for n in 1..=times {
            see(&mut conduct, n, &upload);
            if n % each == 0 {
                conduct.observe_side_effect(&PROCESS_UPLOAD, "f", effect);
            }
        }
        assert_eq!(
            conduct.report().count(),
            breaches,
            "{effect} after each {each} of {times}"
        );
    }
}

#[test]
fn a_client_that_breaches_everywhere_is_counted_in_bounded_memory() {
    let keys: Vec<&'static str> = (0..1500)
        .map(|k| &*Box::leak(format!("f{k}").into_boxed_str()))
        .collect();
    let lines: Vec<Ask> = keys
        .iter()
        .flat_map(|key| at(0..5, ask(0, &UPLOAD, key, 200)))
        .collect();
    let report = judged(&lines);
    assert_eq!((report.count(), report.breaches.len()), (1500, 1001));
    assert!(
        report
            .breaches
            .iter()
            .any(|breach| (breach.key.as_str(), breach.count) == ("*", 500))
    );
}

#[test]
fn a_faster_clock_leaves_what_is_on_its_way_its_time() {
    assert_eq!(Conduct::at_pace(60.0).grace_ms, 30_000);
    assert_eq!(Conduct::at_pace(0.5).grace_ms, 500);
}
