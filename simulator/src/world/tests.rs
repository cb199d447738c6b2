use std::collections::BTreeMap;

use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::*;
use crate::setup::Setup;

fn world(text: &str, seed: u64) -> World {
    let text = format!("about = 'a'\nseed = {seed}\n[world]\n{text}\n");
    let setup = Setup::parse(&text, "test").unwrap_or_else(|error| panic!("{error}"));
    World::new(&setup.world, &setup.dir, &setup.plantings(), seed).expect("a world")
}

const RICH: &str = "interactions = 60\nagents = 8\nunmapped_agents = 1\ntransfer_share = \
    0.3\nreversed_share = 0.1\ndrift_ms = [0, -73000, 1500]\ncodecs = ['pcm', 'mulaw', 'alaw', \
    'adpcm', 'mp3', 'amr', 'gsm']\nexpired = 2\n[world.bad_media]\nempty = 1\nhtml = 2\nnoise = \
    1\nundecodable = 1\ntruncated = 1\nshort = 1";

/// Everything that makes up the world's format, before any codec: values only, so that renaming a
/// field is no new format.
fn fingerprint(world: &World) -> String {
    let mut hash = Sha256::new();
    for i in 0..world.count() {
        let one = world.interaction(i);
        let times = [
            one.true_start_ms,
            one.true_end_ms,
            one.start_ms,
            one.end_ms,
            one.wait_ms,
            one.talk_ms,
        ];
        hash.update(format!(
            "{} {times:?} {} {}\n",
            one.id, one.inbound, one.numbers_masked
        ));
        let texts = [
            &one.agent_id,
            &one.agent_extension,
            &one.queue_id,
            &one.skill,
            &one.skill_group,
            &one.ivr_node_id,
        ];
        hash.update(format!(
            "{texts:?} {:?}\n",
            [&one.disposition_code, &one.wrap_up_code, &one.recorder_node]
        ));
        let numbers = [&one.caller_number, &one.dialled_number];
        numbers
            .into_iter()
            .flatten()
            .for_each(|number| hash.update(number.in_full()));
        for segment in &one.segments {
            hash.update(format!(
                "{} {:?} {} {}\n",
                segment.id, segment.agent_id, segment.start_ms, segment.end_ms
            ));
        }
        one.recordings
            .iter()
            .for_each(|recording| hash.update(of_recording(recording)));
    }
    for agent in world.agents() {
        hash.update(format!(
            "{} {} {} {}\n",
            agent.id, agent.name, agent.extension, agent.active
        ));
        for row in &agent.mapped {
            hash.update(format!(
                "{} {} {:?} {:?} {}\n",
                row.user_id, row.user_name, row.valid_from_ms, row.valid_to_ms, row.in_target
            ));
        }
    }
    for entry in [world.queues(), world.skills(), world.wrapups()]
        .into_iter()
        .flatten()
    {
        hash.update(format!(
            "{} {} {:?} {}\n",
            entry.id, entry.name, entry.target_id, entry.in_target
        ));
    }
    hash.update(format!(
        "{:?} {:?}",
        world.retention_classes(),
        world.node_offsets()
    ));
    hex::encode(hash.finalize())
}

fn of_recording(one: &Recording) -> String {
    let Sound::Made { seed, .. } = one.sound else {
        panic!("made")
    };
    let pauses: Vec<(u64, u64, &str)> = one
        .pauses
        .iter()
        .map(|pause| {
            (
                pause.start_offset_ms,
                pause.end_offset_ms,
                pause.reason.as_str(),
            )
        })
        .collect();
    let times = [
        one.start_ms,
        one.end_ms,
        one.drift_ms,
        one.declared_ms() as i64,
    ];
    let texts = [&one.id, &one.codec, &one.content_type, &one.file_name];
    let pcm = media::pcm(one, seed).sha256();
    format!(
        "{texts:?} {times:?} {:?} {} {:?} {pauses:?} {:?} {} {pcm}\n",
        one.segment_id, one.channels, one.channel_roles, one.retention_class, one.legal_hold
    )
}

#[test]
fn world_version_1_of_seed_7_is_what_it_was() {
    assert_eq!(WORLD_VERSION, 1);
    // A change here is a new world format: raise WORLD_VERSION and say so in the changelog.
    assert_eq!(
        fingerprint(&world(RICH, 7)),
        "d7aaf23806f949d6a86935c056c62a1390cab0ce057e667e3cd2210533d9682e"
    );
}

#[test]
fn the_same_seed_gives_the_same_truth_and_another_seed_another() {
    let small = "interactions = 6\ncodecs = ['pcm', 'mp3', 'amr', 'gsm']";
    let truth = world(small, 7).truth().expect("truth");
    assert_eq!(truth, world(small, 7).truth().expect("truth"));
    assert_ne!(truth, world(small, 8).truth().expect("truth"));
    assert_eq!(truth.lines().count(), 6);
}

/// What is wrong with its bytes.
fn damaged(recording: &Recording) -> Option<DomainKind> {
    recording
        .planted
        .map(|planted| planted.kind)
        .filter(|kind| kind.making().damage.is_some())
}

#[test]
fn the_truth_holds_what_the_world_promised() {
    let world = world(RICH, 7);
    let mut codecs = BTreeMap::new();
    for i in 0..world.count() {
        let line: serde_json::Value =
            serde_json::from_str(&world.truth_line(i).expect("a line")).expect("json");
        assert!(line["start"].as_str() < line["end"].as_str(), "{line}");
        for (recording, told) in world
            .interaction(i)
            .recordings
            .iter()
            .zip(line["recordings"].as_array().expect("recordings"))
        {
            let Sound::Made { codec, .. } = recording.sound else {
                panic!("made")
            };
            let samples = told["samples"].as_u64().unwrap_or(0);
            let declared = recording.declared_ms() * 8;
            match damaged(recording) {
                None => {
                    assert!(
                        samples.abs_diff(declared) <= 80,
                        "{codec:?}: {samples} of {declared}"
                    );
                    *codecs
                        .entry(told["codec"].as_str().expect("codec").to_owned())
                        .or_insert(0) += 1;
                }
                Some(DomainKind::TruncatedMedia | DomainKind::ShortMedia) => {
                    assert!(
                        samples > 0 && samples + 8000 < declared,
                        "{samples} of {declared}"
                    );
                }
                Some(
                    DomainKind::EmptyMedia
                    | DomainKind::HtmlMedia
                    | DomainKind::NoiseMedia
                    | DomainKind::UndecodableMedia,
                ) => {
                    assert_eq!(told["pcm_sha256"], serde_json::Value::Null);
                }
                Some(kind) => panic!("no knob plants {kind:?}"),
            }
        }
    }
    assert_eq!(codecs.len(), 7, "{codecs:?}");
}

#[test]
fn a_length_told_without_making_the_media_is_the_medias() {
    let world = world(
        &RICH.replace("interactions = 60", "interactions = 60\nstereo_share = 0.5"),
        11,
    );
    let mut told = 0;
    for i in 0..world.count() {
        for recording in world.interaction(i).recordings {
            let Some(length) = media::length(&recording) else {
                continue;
            };
            assert_eq!(
                length,
                world.media(&recording).expect("media").bytes.len() as u64,
                "{}: {:?}",
                recording.id,
                recording.sound
            );
            told += 1;
        }
    }
    assert!(told > 20, "{told} of them were told");
}

#[test]
fn bad_media_is_bad_in_the_way_it_was_asked_for() {
    let world = world(&(RICH.to_owned() + "\nunsupported = 1\nincomplete = 1"), 7);
    let mut seen = BTreeMap::new();
    for i in 0..world.count() {
        for recording in world.interaction(i).recordings {
            let found = match audio::decode(&world.media(&recording).expect("media").bytes) {
                Ok((probe, _)) if probe.lost_ms() > 1000 => "decodes in part",
                Ok(_) => "decodes",
                Err(audio::AudioError::Empty) => "empty",
                Err(audio::AudioError::NotAudio { .. }) => "not audio",
                Err(audio::AudioError::Undecodable { .. }) => "undecodable",
                Err(audio::AudioError::Unsupported { .. }) => "unsupported",
                Err(audio::AudioError::Io(_)) => "io",
            };
            *seen.entry((damaged(&recording), found)).or_insert(0) += 1;
        }
    }
    for (kind, found, count) in [
        (DomainKind::EmptyMedia, "empty", 1),
        (DomainKind::HtmlMedia, "not audio", 2),
        (DomainKind::NoiseMedia, "not audio", 1),
        (DomainKind::UndecodableMedia, "undecodable", 1),
        (DomainKind::UnsupportedMedia, "unsupported", 1),
        (DomainKind::IncompleteMedia, "decodes in part", 1),
        (DomainKind::TruncatedMedia, "decodes in part", 1),
        (DomainKind::ShortMedia, "decodes", 1),
    ] {
        assert_eq!(
            seen.get(&(Some(kind), found)),
            Some(&count),
            "{kind:?}: {seen:?}"
        );
    }
}

#[test]
fn a_number_is_not_printed_by_accident() {
    let interaction = world("masked_share = 0.0", 7).interaction(3);
    let number = interaction.caller_number.clone().expect("a number");
    assert!(!format!("{interaction:?}").contains(&number.in_full()[4..10]));
}

#[test]
fn a_recording_is_told_from_every_other_even_after_a_lossy_codec() {
    let world = world(
        "interactions = 14\nstereo_share = 0.0\npause_share = 0.0\nno_recording_share = \
         0.0\ncodecs = ['pcm']",
        7,
    );
    let media = |i| {
        world
            .media(&world.interaction(i).recordings[0])
            .expect("media")
    };
    let sounds: Vec<audio::Pcm> = (0..14)
        .map(|i| audio::decode(&media(i).bytes).expect("pcm").1)
        .collect();
    for (i, sound) in sounds.iter().enumerate() {
        let mp3 = audio::encode(sound, audio::Codec::Mp3).expect("mp3");
        let (_, copy) = audio::decode(&mp3).expect("mp3");
        let own = audio::compare::likeness(sound, &copy);
        assert!(
            own.min_window > 0.9 && own.bit_error.is_none_or(|error| error < 0.15),
            "{i}: {own:?}"
        );
        for other in sounds.iter().skip(i + 1) {
            let foreign = audio::compare::likeness(other, &copy);
            assert!(foreign.min_window < 0.8, "{i}: {foreign:?}");
            assert!(
                foreign.bit_error.is_none_or(|error| error > 0.2),
                "{i}: {foreign:?}"
            );
        }
    }
}

#[test]
fn counts_are_exact_whatever_the_seed() {
    for seed in 0..20 {
        let world = world(RICH, seed);
        let all: Vec<Interaction> = (0..world.count()).map(|i| world.interaction(i)).collect();
        let bad = |recording: &&Recording| damaged(recording).is_some();
        assert_eq!(
            all.iter()
                .flat_map(|one| &one.recordings)
                .filter(bad)
                .count(),
            7
        );
        assert_eq!(
            all.iter()
                .filter(|one| one.true_start_ms < 1_600_000_000_000)
                .count(),
            2
        );
        assert_eq!(
            all.iter().filter(|one| one.start_ms > one.end_ms).count(),
            6
        );
        assert_eq!(
            all.iter().filter(|one| one.recordings.is_empty()).count(),
            all.iter()
                .filter(|one| one.segments.len() != one.recordings.len())
                .count()
        );
    }
}

#[test]
fn a_recordings_time_plus_its_nodes_offset_is_the_instant() {
    let world = world(RICH, 7);
    let offsets: BTreeMap<String, i64> = world.node_offsets().into_iter().collect();
    for i in 0..world.count() {
        let one = world.interaction(i);
        let offset = one
            .recorder_node
            .as_ref()
            .and_then(|node| offsets.get(node))
            .copied()
            .unwrap_or(0);
        assert_eq!(one.start_ms.min(one.end_ms) + offset, one.true_start_ms);
        assert_eq!(one.start_ms, world.stated_start_ms(i));
        for recording in &one.recordings {
            assert_eq!(world.recording(&recording.id).as_ref(), Some(recording));
            assert!(
                recording
                    .pauses
                    .iter()
                    .all(|pause| pause.end_offset_ms < recording.declared_ms())
            );
        }
    }
    assert_eq!(world.recording("100001-99"), None);
    assert_eq!(world.recording("1-1"), None);
    assert_eq!(world.recording("nonsense"), None);
}

#[test]
fn ten_million_interactions_are_ready_at_once_and_any_of_them_is_near() {
    let clock = crate::clock::Clock::of_a_test();
    let started_ms = clock.now_ms();
    let world = world("interactions = 10000000", 7);
    for i in (0..10_000_000).step_by(1_000_003) {
        assert_eq!(world.interaction(i).id, 100_001 + i);
    }
    assert!(clock.now_ms() - started_ms < 10_000);
}

/// Every kind of wrong data of the source, three times each.
fn planted_everywhere() -> World {
    let rules =
        crate::faults::table::rows().filter(|row| row.layer == crate::faults::table::Layer::Domain);
    let rules = rules.map(|row| {
        format!(
            "[[fault]]\non = '{}'\nkind = '{}'\ncount = 3\n",
            row.on[0], row.name
        )
    });
    let text = format!("interactions = 500\n{}", rules.collect::<String>());
    world(&text, 7)
}

#[test]
fn each_fault_of_the_data_is_planted_as_often_as_asked_and_nothing_else_moves() {
    let (planted, plain) = (planted_everywhere(), world("interactions = 500", 7));
    let mut counts = BTreeMap::new();
    for i in 0..500 {
        let one = planted.interaction(i);
        match one.planted {
            Some(planted) => *counts.entry(planted.kind).or_insert(0) += 1,
            None => assert_eq!(one, plain.interaction(i)),
        }
        assert_eq!(one.start_ms, planted.stated_start_ms(i));
        for recording in &one.recordings {
            assert_eq!(
                planted.recording(&recording.id).as_ref(),
                Some(recording),
                "{:?}",
                one.planted
            );
        }
        assert!(
            !one.recordings.is_empty() || one.planted.is_none(),
            "{:?}",
            one.planted
        );
    }
    assert!(
        counts.len() > 100 && counts.values().all(|count| *count == 3),
        "{counts:?}"
    );
}

#[test]
fn the_truth_says_what_is_wrong_and_what_is_right_for_it() {
    let world = planted_everywhere();
    let mut told = 0;
    for i in 0..500 {
        let line: serde_json::Value =
            serde_json::from_str(&world.truth_line(i).expect("a line")).expect("json");
        let planted = world.interaction(i).planted;
        assert_eq!(line.get("planted").is_some(), planted.is_some());
        if let Some(planted) = planted {
            assert_eq!(
                line["planted"]["outcome"],
                serde_json::to_value(planted.kind.outcome()).expect("json")
            );
            assert_eq!(line["planted"]["kind"], planted.kind.row().name);
            told += 1;
        }
    }
    assert!(told > 300, "{told}");
}

#[test]
fn ten_million_interactions_with_planted_faults_are_as_near() {
    let clock = crate::clock::Clock::of_a_test();
    let started_ms = clock.now_ms();
    let rules = "interactions = 10000000\n[[fault]]\non = 'world.interaction'\nkind = \
        'zero_time'\ncount = 1000000\n[[fault]]\non = 'world.media'\nkind = 'short_media'\nshare = \
        0.1";
    let world = world(rules, 7);
    let some = (0..10_000_000)
        .step_by(10_007)
        .filter(|i| world.interaction(*i).planted.is_some())
        .count();
    assert!((150..250).contains(&some), "{some}");
    assert!(clock.now_ms() - started_ms < 10_000);
}

#[test]
fn a_re_used_id_belongs_to_one_person_and_then_to_another() {
    let world = world("re_used_agents = 1", 7);
    let [before, after] = &world.agents()[0].mapped[..] else {
        panic!("two rows")
    };
    assert_eq!(before.valid_to_ms, after.valid_from_ms);
    assert_ne!(before.user_id, after.user_id);
    assert!(
        (0..world.count()).any(|i| Some(world.interaction(i).true_start_ms) < before.valid_to_ms)
    );
    assert_eq!(world.agents()[0].extension, world.agents()[1].extension);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn an_interaction_is_the_same_however_it_is_reached(seed in 0..i64::MAX as u64, i in 0_u64..60) {
        let (one, other) = (world(RICH, seed), world(RICH, seed));
        let _ = other.interaction((i + 17) % 60);
        prop_assert_eq!(one.interaction(i), other.interaction(i));
    }
}
