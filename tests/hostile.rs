//! A hostile source and a hostile target: whatever comes from outside has an end, in time, in
//! memory and in one sentence that names it.

#[path = "support/gateway.rs"]
mod gateway;
mod support;

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use gateway::{Asked, Gateway, Wire};
use support::{NO_LIMITS, Run, Simulation, command, copied, read, replace, replace_all};
use tempfile::TempDir;

const USERS: &str = "/api/v2/users";
const QUERY: &str = "/api/v2/analytics/interactions/query";
const TOKEN: &str = r#"{"access_token":"t","token_type":"bearer","expires_in":3600}"#;
/// Twenty years from any day a test is run on for a long while.
const OTHER_DATE: &str = "date: Mon, 01 Jan 2080 12:00:00 GMT\r\n";

fn simulation() -> Simulation {
    let world =
        "[world]\ninteractions = 2\nre_used_agents = 0\n[legacy.limits]\nredirect_share = 0.0\n";
    // A source states how long a recording is; what a target gives is bounded by the plan alone.
    let bound = "[plan.audio]\nmax_bytes = 16777216\n";
    Simulation::start(&format!(
        "about = \"A test.\"\nseed = 3\ntarget = \
         \"genesys_cloud\"\n{world}{NO_LIMITS}\n{bound}[expect]\nverdict = \"match\"\n"
    ))
}

/// A run that was watched.
struct Watched {
    run: Run,
    took: Duration,
    /// The most memory it held. MiB.
    peak_mib: u64,
}

/// How a gateway answers; whether it did, rather than pass the request on.
type Answering = Box<dyn Fn(&Asked, &mut Wire) -> bool + Send + Sync>;

/// Runs the binary for no longer than a minute and a half.
#[expect(
    clippy::disallowed_methods,
    reason = "a process is waited for by the wall clock"
)]
fn watched(dir: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Watched {
    let began = Instant::now();
    let out = |name: &str| std::fs::File::create(dir.join(name)).expect("a file");
    let mut child = command(dir)
        .args(arguments)
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(out("said.out"))
        .stderr(out("said.err"))
        .spawn()
        .expect("the binary runs");
    let status = format!("/proc/{}/status", child.id());
    let mut peak_kib = 0;
    let code = loop {
        let now = std::fs::read_to_string(&status).unwrap_or_default();
        let held = now.lines().find_map(|line| {
            line.strip_prefix("VmHWM:")?
                .trim()
                .split(' ')
                .next()?
                .parse()
                .ok()
        });
        peak_kib = peak_kib.max(held.unwrap_or(0_u64));
        if let Some(status) = child.try_wait().expect("a child") {
            break status.code().unwrap_or(-1);
        }
        if began.elapsed() > Duration::from_secs(90) {
            child.kill().and_then(|()| child.wait()).expect("killed");
            break -2;
        }
        std::thread::park_timeout(Duration::from_millis(20));
    };
    let run = Run {
        code,
        stdout: read(&dir.join("said.out")),
        stderr: read(&dir.join("said.err")),
    };
    Watched {
        run,
        took: began.elapsed(),
        peak_mib: peak_kib / 1024,
    }
}

/// A plan of this simulation whose source, or target, is a gateway.
fn plan_behind(simulation: &Simulation, platform: &str, gateway: &str) -> TempDir {
    let folder = copied(simulation);
    let address = simulation.addresses[platform].as_str().expect("an address");
    replace_all(
        folder.path(),
        "plan.toml",
        address.trim_end_matches('/'),
        gateway,
    );
    folder
}

type Answer = fn(&Asked, &mut Wire) -> bool;

/// What a platform does, to which command, and what comes of it.
struct Row {
    what: &'static str,
    platform: &'static str,
    answer: Answer,
    commands: &'static [&'static str],
    code: i32,
    /// Words of the sentence.
    says: &'static [&'static str],
}

const EACH: &[&str] = &["preflight", "migrate", "verify"];

fn numbered() -> u32 {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    NUMBER.fetch_add(1, Ordering::Relaxed)
}

/// Users, which a migrator asks for first, or calls: a verifier does without users it cannot read.
fn is_listing(asked: &Asked) -> bool {
    asked.is("GET", USERS) || asked.is("GET", QUERY)
}

fn pages(wire: &mut Wire, entities: &str, cursor: &str) -> bool {
    wire.json(&format!(
        r#"{{"entities":[{entities}],"metadata":{{"pagination":{{"nextPageCursor":"{cursor}"}}}}}}"#
    ))
}

/// The other one of A and B.
fn turned(asked: &Asked) -> &'static str {
    if asked.path.contains("cursor=A") {
        "B"
    } else {
        "A"
    }
}

const ROWS: &[Row] = &[
    Row {
        what: "JSON of 256 MiB",
        platform: "legacy",
        answer: |asked, wire| {
            is_listing(asked)
                && wire.flood(
                    "content-type: application/json\r\n",
                    &[b' '; 65536],
                    256 << 20,
                )
        },
        commands: EACH,
        code: 12,
        says: &["longer than 16777216 bytes"],
    },
    Row {
        what: "JSON that announces 256 MiB",
        platform: "genesys_cloud",
        answer: |asked, wire| {
            asked.is("GET", "/api/v2/routing/queues")
                && wire.flood("content-length: 268435456\r\n", &[b' '; 65536], 256 << 20)
        },
        commands: &["preflight", "migrate"],
        code: 13,
        says: &["announces 268435456 bytes"],
    },
    Row {
        what: "users in a circle",
        platform: "legacy",
        answer: |asked, wire| {
            asked.is("GET", USERS)
                && pages(
                    wire,
                    &format!(r#"{{"id":"u{}"}}"#, numbered()),
                    turned(asked),
                )
        },
        commands: &["preflight", "migrate"],
        code: 12,
        says: &["/api/v2/users", "go in a circle"],
    },
    Row {
        what: "calls in a circle",
        platform: "legacy",
        answer: |asked, wire| asked.is("GET", QUERY) && pages(wire, "", turned(asked)),
        commands: &["migrate", "verify"],
        code: 12,
        says: &[QUERY, "go in a circle"],
    },
    Row {
        what: "ever new cursors with nothing in them",
        platform: "legacy",
        answer: |asked, wire| {
            asked.is("GET", QUERY) && pages(wire, "", &format!("c{}", numbered()))
        },
        commands: &["migrate", "verify"],
        code: 12,
        says: &[QUERY, "no end", "brought nothing new"],
    },
    Row {
        what: "queues of the target page after page, all the same",
        platform: "genesys_cloud",
        answer: |asked, wire| {
            let queue = r#"{"entities":[{"id":"6b4a9e5e-0000-4000-8000-000000000001","name":"q"}],"pageCount":4000000000}"#;
            asked.is("GET", "/api/v2/routing/queues") && wire.json(queue)
        },
        commands: &["preflight", "migrate"],
        code: 13,
        says: &["/api/v2/routing/queues", "no end"],
    },
    Row {
        what: "a wait of 31 years",
        platform: "legacy",
        answer: |asked, wire| {
            is_listing(asked)
                && wire.say("429 Too Many Requests", "retry-after: 999999999\r\n", b"")
        },
        commands: EACH,
        code: 12,
        says: &["asks to wait 999999999 s (429)", "3600 s is the most"],
    },
    Row {
        what: "a wait until a day in years",
        platform: "genesys_cloud",
        answer: |asked, wire| {
            let until = "retry-after: Mon, 01 Jan 2080 12:00:00 GMT\r\n";
            asked.is("GET", "/api/v2/routing/queues")
                && wire.say("503 Service Unavailable", until, b"")
        },
        commands: &["preflight", "migrate"],
        code: 13,
        says: &["asks to wait ", "(503)"],
    },
    Row {
        what: "a coding nobody asked for",
        platform: "legacy",
        answer: |asked, wire| {
            is_listing(asked)
                && wire.say("200 OK", "content-encoding: br\r\n", b"\x0b\x02\x80{}\x03")
        },
        commands: EACH,
        code: 12,
        says: &["coded as `br`"],
    },
    Row {
        what: "a redirect of a read",
        platform: "legacy",
        answer: |asked, wire| {
            let to = "location: https://login.example/in?session=secret\r\n";
            is_listing(asked) && wire.say("308 Permanent Redirect", to, b"")
        },
        commands: EACH,
        code: 12,
        says: &[
            "redirected (308) to https://login.example/in,",
            "nothing was done",
        ],
    },
    Row {
        what: "a redirect of the token",
        platform: "genesys_cloud",
        answer: |asked, wire| {
            asked.is("POST", "/oauth/token")
                && wire.say("302 Found", "location: /login\r\n", b"<html>sign in</html>")
        },
        commands: EACH,
        code: 13,
        says: &["POST /oauth/token is redirected (302) to http://127.0.0.1:"],
    },
    Row {
        what: "a clock that differs by decades, at the source",
        platform: "legacy",
        answer: |asked, wire| {
            let headers = format!("content-type: application/json\r\n{OTHER_DATE}");
            asked.is("POST", "/oauth/token") && wire.say("200 OK", &headers, TOKEN.as_bytes())
        },
        commands: EACH,
        code: 2,
        says: &[
            "the source",
            "this machine's clock says",
            "127.0.0.1 says 2080-01-01T12:00:00Z",
            "clock_tolerance_s",
        ],
    },
    Row {
        what: "the same at the target",
        platform: "genesys_cloud",
        answer: |asked, wire| {
            let headers = format!("content-type: application/json\r\n{OTHER_DATE}");
            asked.is("POST", "/oauth/token") && wire.say("200 OK", &headers, TOKEN.as_bytes())
        },
        commands: EACH,
        code: 2,
        says: &["the target", "127.0.0.1 says 2080-01-01T12:00:00Z"],
    },
];

fn arguments(command: &str) -> Vec<&str> {
    if command == "verify" {
        vec!["verify", "plan.toml", "--report", "report"]
    } else {
        vec![command, "plan.toml"]
    }
}

#[test]
fn each_answer_without_an_end_ends_in_one_sentence() {
    let simulation = simulation();
    let mut wrong = Vec::new();
    for row in ROWS {
        let upstream = simulation.addresses[row.platform]
            .as_str()
            .expect("an address");
        for command in row.commands {
            let gateway = Gateway::before(upstream, row.answer);
            let folder = plan_behind(&simulation, row.platform, &gateway.address);
            let Watched {
                run,
                took,
                peak_mib,
            } = watched(folder.path(), &arguments(command), &[]);
            let what = format!(
                "{}, {command}, {took:?}, {peak_mib} MiB, {} bytes taken",
                row.what,
                gateway.taken()
            );
            let mut hold = |holds: bool, why: &str| {
                if !holds {
                    wrong.push(format!("{what}: {why}: {run}"));
                }
            };
            hold(run.code == row.code, &format!("should end {}", row.code));
            hold(
                run.stderr
                    .lines()
                    .filter(|line| line.starts_with("seatrial: "))
                    .count()
                    == 1,
                "one sentence",
            );
            row.says.iter().for_each(|part| {
                hold(
                    run.stderr.contains(part),
                    &format!("`{part}` should be said"),
                )
            });
            hold(
                !run.stderr.contains("session=secret"),
                "what a redirect carries is not told",
            );
            hold(took < Duration::from_secs(45), "in time");
            hold(peak_mib < 200, "in memory");
            hold(gateway.taken() < 100 << 20, "without taking everything");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Bytes of the first recording, whatever its id.
fn is_media(asked: &Asked) -> bool {
    asked.method == "GET"
        && asked.path.starts_with("/api/v2/recordings/")
        && asked.path.ends_with("-1/media")
}

#[test]
fn a_recording_without_an_end_is_left_and_never_judged() {
    let simulation = simulation();
    let upstream = simulation.addresses["legacy"].as_str().expect("an address");
    let bomb = {
        // Four gibibytes of zeros, in members of 64 MiB.
        let mut member = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        member.write_all(&vec![0; 64 << 20]).expect("gzip");
        member.finish().expect("gzip").repeat(64)
    };
    let rows: [(&str, Answering, &str); 5] = [
        (
            "bytes for ever",
            Box::new(|asked, wire| {
                is_media(asked) && wire.flood("content-type: audio/wav\r\n", &[7; 65536], 4 << 30)
            }),
            "longer than",
        ),
        (
            "a terabyte announced",
            Box::new(|asked, wire| {
                is_media(asked)
                    && wire.flood("content-length: 1099511627776\r\n", &[7; 65536], 4 << 30)
            }),
            "announces 1099511627776 bytes",
        ),
        (
            "a bomb",
            Box::new(move |asked, wire| {
                is_media(asked)
                    && wire.say(
                        "200 OK",
                        "content-type: audio/wav\r\ncontent-encoding: gzip\r\n",
                        &bomb,
                    )
            }),
            "longer than",
        ),
        (
            "never ready",
            Box::new(|asked, wire| {
                is_media(asked)
                    && wire.say(
                        "202 Accepted",
                        "content-type: application/json\r\n",
                        br#"{"status":"restoring"}"#,
                    )
            }),
            "not ready: 202 after 8 tries",
        ),
        (
            "a login page",
            Box::new(|asked, wire| {
                is_media(asked)
                    && wire.say(
                        "200 OK",
                        "content-type: text/html\r\n",
                        b"<html>sign in</html>",
                    )
            }),
            "`text/html` came instead of the recording",
        ),
    ];
    let mut wrong = Vec::new();
    for (what, answer, says) in rows {
        let gateway = Gateway::before(upstream, answer);
        let folder = plan_behind(&simulation, "legacy", &gateway.address);
        let Watched {
            run,
            took,
            peak_mib,
        } = watched(folder.path(), &["migrate", "plan.toml", "--dry-run"], &[]);
        let what = format!(
            "{what}, {took:?}, {peak_mib} MiB, {} bytes taken",
            gateway.taken()
        );
        let is_left = run.code == 10
            && run.stdout.contains("  left: ")
            && run.stdout.contains(says)
            && !run.stdout.contains("quarantined  ");
        // Each recording of the two calls is asked for; one stated at some ten kilobytes ends after
        // 16 MiB, and what is under way on the wire.
        if !is_left
            || peak_mib > 200
            || gateway.taken() > 256 << 20
            || took > Duration::from_secs(80)
        {
            wrong.push(format!("{what}: should say `{says}`: {run}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn recordings_without_an_end_are_cannot_tell_in_little_memory() {
    let simulation = simulation();
    simulation.migrated();
    let is_download =
        |asked: &Asked| asked.method == "GET" && asked.path.starts_with("/presigned/");
    for (platform, is_endless) in [
        ("legacy", is_media as fn(&Asked) -> bool),
        ("genesys_cloud", is_download),
    ] {
        let upstream = simulation.addresses[platform].as_str().expect("an address");
        let gateway = Gateway::instead_of(upstream, move |asked, wire| {
            is_endless(asked)
                && wire.flood(
                    "content-type: application/octet-stream\r\n",
                    &[7; 65536],
                    4 << 30,
                )
        });
        let folder = plan_behind(&simulation, platform, &gateway.address);
        let Watched {
            run,
            took,
            peak_mib,
        } = watched(folder.path(), &arguments("verify"), &[]);
        assert!(
            gateway.taken() > 16 << 20,
            "{platform}: nothing endless was asked for: {run}"
        );
        assert!(
            run.code == 21 && run.stdout.contains("longer than"),
            "{platform}: {run}"
        );
        assert!(
            peak_mib < 300 && took < Duration::from_secs(80),
            "{platform}: {peak_mib} MiB, {took:?}: {run}"
        );
    }
}

#[test]
fn a_wait_until_a_date_is_waited_out_by_the_servers_clock() {
    let simulation = simulation();
    let first = AtomicU32::new(0);
    // Two seconds by a clock that is decades behind. It comes from a cache, so nobody takes it for
    // the source's.
    let gateway = Gateway::before(
        simulation.addresses["legacy"].as_str().expect("an address"),
        move |asked, wire| {
            let headers = "date: Sun, 06 Nov 1994 08:49:37 GMT\r\nage: 1\r\nretry-after: Sun, 06 \
                Nov 1994 08:49:39 GMT\r\n";
            asked.is("GET", USERS)
                && first.fetch_add(1, Ordering::Relaxed) == 0
                && wire.say("429 Too Many Requests", headers, b"")
        },
    );
    let folder = plan_behind(&simulation, "legacy", &gateway.address);
    let Watched { run, took, .. } = watched(folder.path(), &["preflight", "plan.toml"], &[]);
    assert!(
        run.code == 0 && took >= Duration::from_secs(2) && took < Duration::from_secs(30),
        "{took:?}: {run}"
    );
}

#[test]
fn a_proxy_of_the_environment_is_not_asked_for_this_machine() {
    let simulation = simulation();
    let proxy = Gateway::before("127.0.0.1:1", |_, wire| {
        wire.say("502 Bad Gateway", "", b"a proxy")
    });
    let named = [
        ("HTTP_PROXY", proxy.address.as_str()),
        ("http_proxy", &proxy.address),
        ("ALL_PROXY", &proxy.address),
        ("NO_PROXY", ""),
    ];
    let folder = copied(&simulation);
    let run = watched(folder.path(), &["preflight", "plan.toml"], &named).run;
    assert!(
        run.code == 0 && proxy.asked() == 0,
        "{} requests: {run}",
        proxy.asked()
    );
}

#[test]
fn plain_http_to_another_machine_is_refused_before_anything_is_sent() {
    let simulation = simulation();
    let mut wrong = Vec::new();
    for (platform, side, code) in [("legacy", "source", 12), ("genesys_cloud", "target", 13)] {
        for command in EACH {
            let folder = plan_behind(&simulation, platform, "http://platform.invalid");
            let run = watched(folder.path(), &arguments(command), &[]).run;
            let key = format!("{side}.plain_http = true");
            if run.code != 2
                || !run.stderr.contains("platform.invalid")
                || !run.stderr.contains(&key)
            {
                wrong.push(format!("{side}, {command}: {run}"));
            }
        }
        // With leave it is looked for, and not found.
        let folder = plan_behind(&simulation, platform, "http://platform.invalid");
        replace(
            folder.path(),
            "plan.toml",
            &format!("[{side}]\n"),
            &format!("[{side}]\nplain_http = true\n"),
        );
        let Watched { run, took, .. } = watched(folder.path(), &["preflight", "plan.toml"], &[]);
        if run.code != code || took > Duration::from_secs(60) {
            wrong.push(format!("{side} with leave, {took:?}: {run}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_peer_that_cannot_be_trusted_ends_a_run_at_once_and_in_words() {
    let scenario = format!(
        "about = \"A test.\"\nseed = 3\n[world]\ninteractions = 2\n{NO_LIMITS}\n[expect]\nverdict \
         = \"match\"\n"
    );
    let tls = Simulation::start_with(&scenario, &["--one-port", "0", "--tls", "--ca", "ca.pem"]);
    let port = tls.addresses["control"]
        .as_str()
        .and_then(|address| address.trim_end_matches('/').rsplit(':').next())
        .expect("a port")
        .to_owned();
    let plain = simulation();
    let mut wrong = Vec::new();
    let mut hold = |what: &str, watched: Watched, code: i32, parts: &[&str]| {
        let Watched { run, took, .. } = watched;
        let said =
            parts.iter().all(|part| run.stderr.contains(part)) && run.stderr.lines().count() == 1;
        if run.code != code || !said || took > Duration::from_secs(5) {
            wrong.push(format!(
                "{what}, {took:?}, should end {code} and say {parts:?}: {run}"
            ));
        }
    };
    let secure = format!("https://localhost:{port}");
    for (platform, code) in [("legacy", 12), ("genesys_cloud", 13)] {
        let folder = plan_behind(&plain, platform, &secure);
        let said = [
            "no secure connection to localhost:",
            "an authority that this machine does not know",
            "ca = \"file.pem\"",
        ];
        hold(
            "an authority nobody knows",
            watched(folder.path(), &["preflight", "plan.toml"], &[]),
            code,
            &said,
        );
    }
    // The authority of its own makes it a peer like any other: what answers there under this name
    // knows no tokens.
    let folder = plan_behind(&plain, "legacy", &secure);
    std::fs::copy(tls.file("ca.pem"), folder.path().join("site.pem")).expect("a copy");
    replace(
        folder.path(),
        "plan.toml",
        "[source]\n",
        "[source]\nca = \"site.pem\"\n",
    );
    hold(
        "a site's authority",
        watched(folder.path(), &["preflight", "plan.toml"], &[]),
        12,
        &["POST /oauth/token"],
    );
    std::fs::write(folder.path().join("site.pem"), "nothing").expect("written");
    hold(
        "no authority in the file",
        watched(folder.path(), &["preflight", "plan.toml"], &[]),
        2,
        &["source.ca", "site.pem"],
    );
    let clear = Gateway::before("127.0.0.1:1", |_, wire| wire.json("{}"));
    let folder = plan_behind(
        &plain,
        "legacy",
        &format!("https://127.0.0.1:{}", clear.port),
    );
    hold(
        "no TLS at all",
        watched(folder.path(), &["preflight", "plan.toml"], &[]),
        12,
        &["does not speak TLS"],
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
