use super::records::{Attribute, Facts};
use super::*;

const DAY_MS: i64 = 86_400_000;

fn day(text: &str) -> i64 {
    crate::utc_millis::UtcMillis::parse(&format!("{text}T00:00:00Z"))
        .expect("a day")
        .ms()
}

/// A number of its own for each record and purpose.
fn drawn(record: u64, purpose: u64) -> u64 {
    let mut bits =
        record.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ purpose.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// A call of the source, as far as a cause looks at it.
struct Call {
    id: String,
    recorder: String,
    codec: &'static str,
    agent: String,
    queue: String,
    skill: String,
    direction: &'static str,
    class: &'static str,
    hold: bool,
    pause: bool,
    recordings: usize,
    start_ms: i64,
    length_ms: i64,
}

impl Call {
    fn drawn(number: u64) -> Call {
        let pick = |purpose, of| drawn(number, purpose) % of;
        Call {
            id: format!("{}", 100_001 + number),
            recorder: format!("N{}", 1 + pick(1, 8)),
            codec: ["pcm", "mulaw", "alaw", "adpcm", "mp3", "amr", "gsm"][pick(2, 7) as usize],
            agent: format!("AGT-{:03}", pick(3, 400)),
            queue: format!("Q-{:02}", pick(4, 40)),
            skill: format!("SK-{:02}", pick(5, 60)),
            direction: if pick(6, 4) == 0 {
                "outbound"
            } else {
                "inbound"
            },
            class: ["1-Year", "3-Year", "7-Year", "10-Year"][pick(7, 4) as usize],
            hold: pick(8, 40) == 0,
            pause: pick(9, 10) == 0,
            recordings: if pick(10, 10) == 0 { 2 } else { 1 },
            start_ms: day("2023-06-01") + (pick(11, 1000 * 86_400) * 1000) as i64,
            // Most calls take minutes, one in fifty more than half an hour.
            length_ms: match pick(12, 50) {
                0 => 1_800_000 + pick(13, 3_000_000) as i64,
                _ => 5_000 + pick(13, 900_000) as i64,
            },
        }
    }

    fn facts(&self, at: Option<usize>) -> Facts {
        let place = match at {
            _ if self.recordings == 1 => "only",
            Some(0) => "first",
            _ => "later",
        };
        let mut values = vec![
            (Attribute::Recorder, Some(self.recorder.clone())),
            (Attribute::Codec, Some(self.codec.to_owned())),
            (Attribute::Agent, Some(self.agent.clone())),
            (Attribute::Queue, Some(self.queue.clone())),
            (Attribute::Skill, Some(self.skill.clone())),
            (Attribute::Direction, Some(self.direction.to_owned())),
            (Attribute::RetentionClass, Some(self.class.to_owned())),
            (
                Attribute::RecordingsOfCall,
                Some(self.recordings.to_string()),
            ),
        ];
        values.extend(
            self.hold
                .then(|| (Attribute::LegalHold, Some("hold".to_owned()))),
        );
        values.extend(
            self.pause
                .then(|| (Attribute::Pause, Some("pause".to_owned()))),
        );
        values.extend(at.map(|_| (Attribute::PlaceInCall, Some(place.to_owned()))));
        Facts {
            values: values.into_iter().collect(),
            start_ms: Some(self.start_ms),
            length_ms: Some(self.length_ms),
        }
    }

    fn is_between(&self, from: &str, to: &str) -> bool {
        (day(from)..day(to) + DAY_MS).contains(&self.start_ms)
    }

    fn finding(&self, defect: Defect, field: &str, cause: &str) -> Finding {
        Finding::new(defect, field).of(&self.id).because(cause)
    }

    fn of_recordings(&self, defect: Defect, field: &str, cause: &str) -> Vec<Finding> {
        (1..=self.recordings)
            .map(|at| {
                self.finding(defect, field, cause)
                    .recording(&format!("{}-{at}", self.id))
            })
            .collect()
    }
}

fn records(calls: &[Call], of: impl Fn(&Call, usize) -> Judgement) -> Records {
    let mut records = Records::default();
    for call in calls {
        let rows: Vec<_> = (0..call.recordings)
            .map(|at| {
                let id = format!("{}-{}", call.id, at + 1);
                (id, call.facts(Some(at)), of(call, at))
            })
            .collect();
        records.add(&call.id, (call.facts(None), Judgement::Sound), rows);
    }
    records.ready()
}

/// What an injected cause does to a call.
type Cause = fn(&Call) -> Vec<Finding>;

/// Each cause, and what its rule must say.
const CAUSES: [(&str, Cause); 12] = [
    (
        "time is shifted: start and end are 3,600 s late, for recorder N3 from 2025-03-26 to 2025-10-29",
        |call| {
            let summer = call.is_between("2025-03-30", "2025-10-25");
            let defect = if summer {
                Defect::TimeOffByDaylightSaving
            } else {
                Defect::TimeShifted
            };
            let hit = call.recorder == "N3" && call.is_between("2025-03-26", "2025-10-29");
            // A few calls escaped.
            let hit = hit && !drawn(call.start_ms as u64, 99).is_multiple_of(1000);
            vec![call.finding(defect, "call start and end", "3,600 s late"); usize::from(hit)]
        },
    ),
    (
        "time is shifted: start and end are 73 s early, for recorder N5 from 2024-02-01 to 2024-02-20",
        |call| {
            let hit = call.recorder == "N5" && call.is_between("2024-02-01", "2024-02-20");
            vec![
                call.finding(Defect::TimeShifted, "call start and end", "73 s early");
                usize::from(hit)
            ]
        },
    ),
    (
        "wrong agent: agent AGT-017 is X instead of Y, for agent AGT-017",
        |call| {
            let known = drawn(call.start_ms as u64, 98).is_multiple_of(3);
            let defect = if known {
                Defect::AgentMappingOfAnotherDate
            } else {
                Defect::WrongAgent
            };
            let cause = "agent AGT-017 is X instead of Y";
            vec![
                call.finding(defect, "agent of leg 1", cause);
                usize::from(call.agent == "AGT-017")
            ]
        },
    ),
    ("queue is X instead of Y, for queue Q-09", |call| {
        let finding = call.finding(
            Defect::QueueOrSkillWrong,
            "queue",
            "queue is X instead of Y",
        );
        vec![finding; usize::from(call.queue == "Q-09")]
    }),
    (
        "audio is silent, for codec gsm from 2025-12-01 on",
        |call| {
            let hit = call.codec == "gsm" && call.start_ms >= day("2025-12-01");
            if hit {
                call.of_recordings(Defect::AudioSilent, "audio", "audio is silent")
            } else {
                Vec::new()
            }
        },
    ),
    (
        "legal hold is lost: deletion protection, for calls under legal hold",
        |call| {
            let finding = call.finding(
                Defect::LegalHoldLost,
                "deletion protection",
                "deletion protection",
            );
            vec![finding; usize::from(call.hold)]
        },
    ),
    (
        "end of the audio is cut off: the end is missing, for lengths from 180",
        |call| {
            // A limit of half an hour.
            let hit = call.length_ms >= 1_800_000;
            if hit {
                call.of_recordings(Defect::AudioTruncatedEnd, "audio", "the end is missing")
            } else {
                Vec::new()
            }
        },
    ),
    (
        "recording is missing in the target, for queue Q-11 and recordings after the first of their call",
        |call| {
            let hit = call.queue == "Q-11" && call.recordings == 2;
            let finding = call
                .finding(Defect::MissingRecording, "recording", "recording")
                .recording(&format!("{}-2", call.id));
            vec![finding; usize::from(hit)]
        },
    ),
    (
        "direction of the call is wrong: direction is inbound instead of outbound, for outbound calls from 2024-05-01 to 2024-05-31",
        |call| {
            let hit = call.direction == "outbound" && call.is_between("2024-05-01", "2024-05-31");
            let cause = "direction is inbound instead of outbound";
            vec![call.finding(Defect::DirectionWrong, "direction", cause); usize::from(hit)]
        },
    ),
    (
        "days too early, for retention class 7-Year up to 2023-07-15",
        |call| {
            let days = 730 + drawn(call.start_ms as u64, 97) % 2;
            let cause = format!("deletion date is {days} days too early");
            let hit = call.class == "7-Year" && call.start_ms < day("2023-07-16");
            if hit {
                call.of_recordings(Defect::DeletionDateMissingOrEarly, "deletion date", &cause)
            } else {
                Vec::new()
            }
        },
    ),
    (
        "marks of a pause are lost or wrong: pause marks are lost, for codec amr and recordings with a pause",
        |call| {
            let hit = call.codec == "amr" && call.pause;
            if hit {
                call.of_recordings(Defect::PauseMarksWrong, "pauses", "pause marks are lost")
            } else {
                Vec::new()
            }
        },
    ),
    (
        "for skill SK-10, skill SK-11, skill SK-12 and 5 more",
        |call| {
            // A table that is off by a row.
            let cause = format!("skill is X{} instead of {}", call.skill, call.skill);
            let hit = ("SK-10"..="SK-17").contains(&call.skill.as_str());
            vec![call.finding(Defect::QueueOrSkillWrong, "skill", &cause); usize::from(hit)]
        },
    ),
];

/// 90,000 calls of 99,000 recordings.
fn source() -> Vec<Call> {
    (0..90_000).map(Call::drawn).collect()
}

#[test]
fn ten_thousand_findings_of_twelve_causes_are_at_most_fifteen_groups() {
    let calls = source();
    let mut findings: Vec<Finding> = calls
        .iter()
        .flat_map(|call| CAUSES.iter().flat_map(|(_, cause)| cause(call)))
        .collect();
    // Nothing but chance.
    let by_chance = calls.iter().step_by(4001);
    findings.extend(by_chance.map(|call| {
        call.finding(
            Defect::AudioDamaged,
            "audio",
            "audio is damaged or its bytes changed",
        )
        .recording(&format!("{}-1", call.id))
    }));
    let elsewhere = calls.iter().filter(|call| call.recorder == "N1").take(3);
    findings.extend(
        elsewhere
            .map(|call| call.finding(Defect::TimeShifted, "call start and end", "3,600 s late")),
    );
    assert!(findings.len() >= 10_000, "{}", findings.len());
    let missing: BTreeSet<&str> = findings
        .iter()
        .filter(|finding| finding.defect == Defect::MissingRecording)
        .filter_map(|finding| finding.legacy_recording_id.as_deref())
        .collect();
    let records = records(&calls, |call, at| {
        match missing.contains(format!("{}-{}", call.id, at + 1).as_str()) {
            true => Judgement::Missing,
            false => Judgement::Sound,
        }
    });
    let groups = groups(&findings, &records);
    let told: Vec<String> = groups
        .iter()
        .map(|group| format!("{} {}: {}", group.count, group.rule, group.evidence))
        .collect();
    assert!(groups.len() <= 15, "{}", told.join("\n"));
    for (rule, _) in &CAUSES {
        assert!(
            groups.iter().any(|group| group.rule.contains(rule)),
            "{rule}\n{}",
            told.join("\n")
        );
    }
    let shift = &groups
        .iter()
        .find(|group| group.rule.contains("recorder N3"))
        .expect("a shift");
    let explained = shift.explained.expect("an explanation");
    assert_eq!(
        explained.of - explained.findings,
        3,
        "those elsewhere: {shift:?}"
    );
    assert!(
        (1..10).contains(&explained.right),
        "those that escaped: {shift:?}"
    );
    assert!(
        shift.evidence.contains(" right calls fit it too"),
        "{shift:?}"
    );
    assert_eq!(shift.defects.keys().collect::<Vec<_>>(), ["D35", "D36"]);
    let chance = groups
        .iter()
        .find(|group| group.defect == "D26")
        .expect("those of chance");
    assert!(
        chance.explained.is_none() && chance.evidence.starts_with("no attribute"),
        "{chance:?}"
    );
    let all: u64 = groups.iter().map(|group| group.count).sum();
    assert_eq!(all, findings.len() as u64, "each finding is in one group");
    for group in &groups {
        let example = group.example.as_ref().expect("an example");
        assert!(example.show.ends_with(&example.id), "{example:?}");
    }
}

/// So many calls, all judged.
fn small(count: u64) -> Vec<Call> {
    (0..count).map(Call::drawn).collect()
}

fn told(findings: &[Finding], calls: &[Call]) -> Vec<Group> {
    groups(findings, &records(calls, |_, _| Judgement::Sound))
}

#[test]
fn findings_with_nothing_in_common_are_a_group_that_says_so() {
    let calls = small(400);
    let lost = |call: &Call| call.finding(Defect::AttributeWrong, "st.note", "st.note is lost");
    let findings: Vec<Finding> = calls.iter().step_by(37).map(lost).collect();
    let groups = told(&findings, &calls);
    assert_eq!(groups.len(), 1);
    assert_eq!((groups[0].count, groups[0].examples.len()), (11, 5));
    assert!(groups[0].explained.is_none());
    assert_eq!(
        groups[0].evidence,
        "no attribute of the source tells these apart from the right ones"
    );
    assert_eq!(
        groups[0].rule,
        "attribute is lost or changed: st.note is lost"
    );
}

#[test]
fn two_findings_are_too_few_and_one_is_no_group() {
    let calls = small(400);
    let lost = |call: &Call| call.finding(Defect::AttributeWrong, "st.note", "st.note is lost");
    let groups = told(&[lost(&calls[3]), lost(&calls[9])], &calls);
    assert!(groups[0].evidence.starts_with("too few"), "{groups:?}");
    assert_eq!(told(&[lost(&calls[3])], &calls), []);
}

/// A name of its own, wrong in each of these calls.
fn renamed(calls: &[Call], at: impl Iterator<Item = usize>, names: usize) -> Vec<Finding> {
    let renamed = |(nth, at): (usize, usize)| {
        let name = nth % names;
        calls[at].finding(
            Defect::AttributeWrong,
            "st.note",
            &format!("note {name} is lost"),
        )
    };
    at.enumerate().map(renamed).collect()
}

#[test]
fn a_few_equal_pairs_are_taken_out_of_rare_differences_and_the_rest_is_one_group() {
    let calls = small(600);
    for pairs in 0..=5 {
        let mut findings = renamed(&calls, (0..300).step_by(13), 1000);
        let singles = findings.len() as u64;
        let twice = renamed(
            &calls,
            (301..301 + 2 * pairs * 17).step_by(17),
            pairs.max(1),
        );
        findings.extend(twice.into_iter().map(|mut finding| {
            finding.cause = format!("pair: {}", finding.cause);
            finding
        }));
        let groups = told(&findings, &calls);
        let counts: Vec<u64> = groups.iter().map(|group| group.count).collect();
        let wanted: Vec<u64> = [singles].into_iter().chain(vec![2; pairs]).collect();
        assert_eq!(counts, wanted, "{pairs} pairs: {groups:?}");
        assert!(groups[0].explained.is_none(), "{groups:?}");
    }
}

#[test]
fn fewer_singles_than_have_something_in_common_are_no_group_beside_pairs() {
    let calls = small(400);
    let mut findings = renamed(&calls, [3, 90, 200].into_iter(), 1000);
    let mut pair = renamed(&calls, [17, 301].into_iter(), 1);
    pair.iter_mut()
        .for_each(|finding| finding.cause = "pair".to_owned());
    findings.extend(pair);
    let counts: Vec<u64> = told(&findings, &calls)
        .iter()
        .map(|group| group.count)
        .collect();
    assert_eq!(counts, [2]);
}

#[test]
fn thousands_of_fields_that_are_lost_once_leave_a_described_cause_as_it_is() {
    let calls = small(6000);
    let once = |(nth, call): (usize, &Call)| {
        call.finding(Defect::AttributeWrong, &format!("st.{nth}"), "it is lost")
    };
    let mut findings: Vec<Finding> = calls.iter().enumerate().map(once).collect();
    let is_hit = |call: &&Call| call.recorder == "N2";
    // Of each call the direction, and of half of them another one: one cause, two differences.
    let wrong = |(nth, call): (usize, &Call)| {
        let cause = ["direction is lost", "direction is turned"][nth % 2];
        call.finding(Defect::DirectionWrong, "direction", cause)
    };
    let hit: Vec<Finding> = calls.iter().filter(is_hit).enumerate().map(wrong).collect();
    let count = hit.len() as u64;
    findings.extend(hit);
    let groups = told(&findings, &calls);
    assert_eq!(
        groups.iter().map(|group| group.count).collect::<Vec<_>>(),
        [count],
        "{groups:?}"
    );
    assert!(groups[0].rule.ends_with(", for recorder N2"), "{groups:?}");
}

#[test]
fn what_is_wrong_everywhere_is_said_of_every_call() {
    let calls = small(200);
    let lost = |call: &Call| {
        ["st.a", "st.b"]
            .map(|name| call.finding(Defect::AttributeWrong, name, &format!("{name} is lost")))
    };
    let findings: Vec<Finding> = calls.iter().flat_map(lost).collect();
    let groups = told(&findings, &calls);
    let rules: Vec<&str> = groups.iter().map(|group| group.rule.as_str()).collect();
    assert_eq!(
        rules,
        ["attribute is lost or changed: st.a is lost; st.b is lost, in every call"]
    );
    assert_eq!(
        groups[0].evidence,
        "explains 400 of 400 findings; there is no right call"
    );
}

#[test]
fn a_cause_in_part_of_a_kind_is_near_it_and_not_explained_by_it() {
    let calls = small(4000);
    let silent =
        |call: &&Call| call.recorder == "N2" && drawn(call.start_ms as u64, 5).is_multiple_of(4);
    let findings: Vec<Finding> = calls
        .iter()
        .filter(silent)
        .map(|call| {
            call.finding(Defect::AudioSilent, "audio", "audio is silent")
                .recording(&format!("{}-1", call.id))
        })
        .collect();
    let groups = told(&findings, &calls);
    assert_eq!(groups.len(), 1, "{groups:?}");
    assert!(
        groups[0].evidence.contains("nearest is recorder N2"),
        "{groups:?}"
    );
}

#[test]
fn one_difference_of_two_causes_is_two_groups() {
    let calls = small(4000);
    let is_hit = |call: &&Call| call.recorder == "N2" || call.queue == "Q-03";
    let findings: Vec<Finding> = calls
        .iter()
        .filter(is_hit)
        .map(|call| call.finding(Defect::DirectionWrong, "direction", "direction is lost"))
        .collect();
    let groups = told(&findings, &calls);
    let rules: Vec<&str> = groups.iter().map(|group| group.rule.as_str()).collect();
    let title = "direction of the call is wrong: direction is lost";
    assert_eq!(
        rules,
        [
            format!("{title}, for recorder N2"),
            format!("{title}, for queue Q-03")
        ]
    );
}

#[test]
fn records_that_could_not_be_judged_are_neither_right_nor_wrong() {
    let calls = small(4000);
    let is_hit = |call: &&Call| call.codec == "gsm" && call.recorder != "N1";
    let findings: Vec<Finding> = calls
        .iter()
        .filter(is_hit)
        .flat_map(|call| call.of_recordings(Defect::AudioSilent, "audio", "audio is silent"))
        .collect();
    let judged = |call: &Call, _| match call.recorder.as_str() {
        "N1" => Judgement::Metadata,
        _ => Judgement::Sound,
    };
    let groups = groups(&findings, &records(&calls, judged));
    assert_eq!(
        groups[0].rule, "audio is silent, for codec gsm",
        "{groups:?}"
    );
    assert_eq!(
        groups[0].explained.map(|explained| explained.right),
        Some(0)
    );
}

#[test]
fn an_id_is_one_word_for_a_shell() {
    let calls = small(4);
    let odd = |id: &str| Finding::new(Defect::RecordWithoutSource, "conversation").target(id);
    let groups = told(&[odd("a'; rm b"), odd("c")], &calls);
    let example = groups[0].example.as_ref().expect("an example");
    assert!(
        example.show.ends_with(r"--call='a'\''; rm b'"),
        "{example:?}"
    );
    assert_eq!(
        groups[0].evidence,
        "none of them has a record in the source"
    );
}
