//! An imported world: a user's own NDJSON of interactions with audio files beside it
//! (`docs/guide/imported-world.md`).

mod spelling;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use super::people::{Agent, Mapped, MappedAgent};
use super::{Interaction, Pause, PhoneNumber, Recording, Segment, Sound};
use crate::config_error::{ConfigError, in_words};
use crate::seed::Seed;

/// Everything an NDJSON file says, held in memory: a sample of an export, not the export.
pub(super) struct Imported {
    /// In ascending order of id.
    pub(super) interactions: Vec<Interaction>,
    pub(super) by_recording: HashMap<String, u64>,
    pub(super) agents: Vec<Agent>,
    pub(super) queues: Vec<Mapped>,
    pub(super) skills: Vec<Mapped>,
    pub(super) wrapups: Vec<Mapped>,
    pub(super) retention_classes: Vec<(String, i64)>,
}

/// One line: the names of the legacy wire, in every spelling its clients read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Line {
    #[serde(deserialize_with = "spelling::id_number")]
    id: u64,
    #[serde(deserialize_with = "spelling::time")]
    start_time: i64,
    #[serde(deserialize_with = "spelling::time")]
    end_time: i64,
    #[serde(default, deserialize_with = "spelling::length")]
    wait_time_ms: Option<i64>,
    #[serde(default, deserialize_with = "spelling::length")]
    talk_time_ms: Option<i64>,
    #[serde(deserialize_with = "spelling::direction")]
    direction: Direction,
    #[serde(default, deserialize_with = "spelling::id")]
    agent_id: Option<String>,
    #[serde(default, deserialize_with = "spelling::text")]
    agent_extension: Option<String>,
    #[serde(default, deserialize_with = "spelling::id")]
    queue_id: Option<String>,
    #[serde(default, deserialize_with = "spelling::text")]
    skill: Option<String>,
    #[serde(default, deserialize_with = "spelling::text")]
    skill_group: Option<String>,
    #[serde(default, deserialize_with = "spelling::text")]
    ivr_node_id: Option<String>,
    #[serde(default, deserialize_with = "spelling::text")]
    disposition_code: Option<String>,
    #[serde(default, deserialize_with = "spelling::text")]
    wrap_up_code: Option<String>,
    #[serde(default, deserialize_with = "spelling::text")]
    caller_number: Option<String>,
    #[serde(default, deserialize_with = "spelling::text")]
    dialled_number: Option<String>,
    #[serde(default, deserialize_with = "spelling::boolean")]
    numbers_masked: bool,
    #[serde(default, deserialize_with = "spelling::text")]
    recorder_node: Option<String>,
    #[serde(default, deserialize_with = "spelling::list")]
    segments: Vec<SegmentLine>,
    #[serde(default, deserialize_with = "spelling::list")]
    recordings: Vec<RecordingLine>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "UPPERCASE")]
enum Direction {
    Inbound,
    Outbound,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SegmentLine {
    #[serde(deserialize_with = "spelling::given_id")]
    id: String,
    #[serde(default, deserialize_with = "spelling::id")]
    agent_id: Option<String>,
    #[serde(default, deserialize_with = "spelling::optional_time")]
    start_time: Option<i64>,
    #[serde(default, deserialize_with = "spelling::optional_time")]
    end_time: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RecordingLine {
    #[serde(deserialize_with = "spelling::given_id")]
    id: String,
    file: String,
    #[serde(default, deserialize_with = "spelling::boolean")]
    expect_bad: bool,
    #[serde(default, deserialize_with = "spelling::id")]
    segment_id: Option<String>,
    #[serde(default, deserialize_with = "spelling::optional_time")]
    start_time: Option<i64>,
    #[serde(default, deserialize_with = "spelling::optional_time")]
    end_time: Option<i64>,
    #[serde(default, deserialize_with = "spelling::length")]
    duration_ms: Option<i64>,
    #[serde(default, deserialize_with = "spelling::text")]
    codec: Option<String>,
    #[serde(default, deserialize_with = "spelling::text")]
    content_type: Option<String>,
    #[serde(default, deserialize_with = "spelling::whole")]
    channels: Option<u16>,
    #[serde(default, deserialize_with = "spelling::list")]
    channel_roles: Vec<String>,
    #[serde(default, deserialize_with = "spelling::whole")]
    sample_rate: Option<u32>,
    #[serde(default, deserialize_with = "spelling::text")]
    file_name: Option<String>,
    #[serde(default, deserialize_with = "spelling::text")]
    recorder_node: Option<String>,
    #[serde(default, deserialize_with = "spelling::list")]
    pauses: Vec<PauseLine>,
    #[serde(default, deserialize_with = "spelling::text")]
    retention_class: Option<String>,
    #[serde(default, deserialize_with = "spelling::boolean")]
    legal_hold: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PauseLine {
    #[serde(deserialize_with = "spelling::offset")]
    start_offset_ms: u64,
    #[serde(deserialize_with = "spelling::offset")]
    end_offset_ms: u64,
    #[serde(default, deserialize_with = "spelling::text")]
    reason: Option<String>,
}

impl Imported {
    /// Reads and checks a whole file: a line that cannot be served is refused here, not in the
    /// middle of a rehearsal.
    pub(super) fn read(path: &Path, seed: Seed) -> Result<Imported, ConfigError> {
        let bytes = std::fs::read(path).map_err(|source| ConfigError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        let text =
            spelling::file_text(&bytes).map_err(|reason| ConfigError::at(path, 1, reason))?;
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let mut seen = Seen::default();
        let mut interactions = Vec::new();
        for (k, line) in text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
        {
            let refuse = |reason: String| ConfigError::at(path, k as u64 + 1, reason);
            // Files with a byte order mark that were put together have one in the middle.
            let line: Line = serde_json::from_str(line.trim_start_matches('\u{feff}'))
                .map_err(|error| refuse(in_words(&without_place(&error))))?;
            interactions.push(line.checked(&folder, &mut seen).map_err(refuse)?);
        }
        if interactions.is_empty() {
            return Err(ConfigError::at(
                path,
                1,
                "no interaction in this file; write one JSON object a line",
            ));
        }
        interactions.sort_by_key(|interaction| interaction.id);
        Ok(Imported::of(interactions, seed))
    }

    fn of(interactions: Vec<Interaction>, seed: Seed) -> Imported {
        let mut by_recording = HashMap::new();
        let mut names = Names::default();
        for (i, interaction) in interactions.iter().enumerate() {
            names.note(interaction);
            by_recording.extend(
                interaction
                    .recordings
                    .iter()
                    .map(|recording| (recording.id.clone(), i as u64)),
            );
        }
        let mapped = |branch: &str, ids: BTreeSet<String>| {
            let own = seed.child("world/imported").child(branch);
            ids.into_iter()
                .map(|id| Mapped {
                    target_id: Some(own.child(&id).uuid()),
                    name: id.clone(),
                    id,
                    in_target: true,
                })
                .collect()
        };
        Imported {
            agents: names
                .agents
                .into_iter()
                .map(|(id, extension)| agent(seed, id, extension))
                .collect(),
            queues: mapped("queues", names.queues),
            skills: mapped("skills", names.skills),
            wrapups: mapped("wrapups", names.wrapups),
            retention_classes: names
                .classes
                .into_iter()
                .filter_map(|class| years(&class).map(|years| (class, years)))
                .collect(),
            interactions,
            by_recording,
        }
    }
}

/// serde_json's message without its "at line 1 column n": the file's own line is named instead.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ")
        .map_or(text.clone(), |(message, _)| {
            format!("{message} (column {})", error.column())
        })
}

/// Ids met so far.
#[derive(Default)]
struct Seen {
    interactions: BTreeSet<u64>,
    recordings: BTreeSet<String>,
}

/// What the lines mention.
#[derive(Default)]
struct Names {
    agents: BTreeMap<String, Option<String>>,
    queues: BTreeSet<String>,
    skills: BTreeSet<String>,
    wrapups: BTreeSet<String>,
    classes: BTreeSet<String>,
}

impl Names {
    fn note(&mut self, interaction: &Interaction) {
        if let Some(id) = &interaction.agent_id {
            self.agents
                .insert(id.clone(), interaction.agent_extension.clone());
        }
        for id in interaction
            .segments
            .iter()
            .filter_map(|segment| segment.agent_id.as_ref())
        {
            self.agents.entry(id.clone()).or_default();
        }
        self.queues.extend(interaction.queue_id.clone());
        self.skills.extend(interaction.skill.clone());
        self.wrapups.extend(interaction.wrap_up_code.clone());
        self.classes.extend(
            interaction
                .recordings
                .iter()
                .filter_map(|recording| recording.retention_class.clone()),
        );
    }
}

fn agent(seed: Seed, id: String, extension: Option<String>) -> Agent {
    let own = seed.child("world/imported/agents").child(&id);
    let name = super::people::person(own);
    let row = MappedAgent {
        user_id: own.uuid(),
        user_name: name.clone(),
        valid_from_ms: None,
        valid_to_ms: None,
        in_target: true,
    };
    Agent {
        id,
        name,
        extension: extension.unwrap_or_default(),
        active: true,
        mapped: vec![row],
    }
}

/// The years a class's name begins with (`7-Year Retention`); other classes need a row in the
/// scenario's `[plan.retention.class]`.
fn years(class: &str) -> Option<i64> {
    let digits: String = class.chars().take_while(char::is_ascii_digit).collect();
    digits
        .parse()
        .ok()
        .filter(|years| (1..=1000).contains(years))
}

impl Line {
    fn checked(self, folder: &Path, seen: &mut Seen) -> Result<Interaction, String> {
        if !seen.interactions.insert(self.id) {
            return Err(format!(
                "interaction {} occurs twice; ids are unique",
                self.id
            ));
        }
        let recordings = self
            .recordings
            .iter()
            .map(|recording| recording.checked(&self, folder, seen))
            .collect::<Result<Vec<_>, String>>()?;
        let segment = |line: &SegmentLine| Segment {
            id: line.id.clone(),
            agent_id: line.agent_id.clone(),
            // A leg without times is as long as its call.
            start_ms: line.start_time.unwrap_or(self.start_time),
            end_ms: line.end_time.unwrap_or(self.end_time),
        };
        Ok(Interaction {
            id: self.id,
            true_start_ms: self.start_time.min(self.end_time),
            true_end_ms: self.start_time.max(self.end_time),
            start_ms: self.start_time,
            end_ms: self.end_time,
            wait_ms: self.wait_time_ms.unwrap_or(0),
            talk_ms: self.talk_time_ms.unwrap_or(0),
            inbound: self.direction == Direction::Inbound,
            segments: self.segments.iter().map(segment).collect(),
            agent_id: self.agent_id,
            agent_extension: self.agent_extension,
            queue_id: self.queue_id,
            skill: self.skill,
            skill_group: self.skill_group,
            ivr_node_id: self.ivr_node_id,
            disposition_code: self.disposition_code,
            wrap_up_code: self.wrap_up_code,
            caller_number: self.caller_number.map(PhoneNumber::new),
            dialled_number: self.dialled_number.map(PhoneNumber::new),
            numbers_masked: self.numbers_masked,
            recorder_node: self.recorder_node,
            recordings,
            planted: None,
        })
    }
}

impl RecordingLine {
    fn checked(
        &self,
        interaction: &Line,
        folder: &Path,
        seen: &mut Seen,
    ) -> Result<Recording, String> {
        let id = &self.id;
        if matches!(id.as_str(), "." | "..") {
            return Err(format!(
                "recording id `{id}` has no address: dots alone are read as a folder; give it \
                 another id"
            ));
        }
        if !seen.recordings.insert(id.clone()) {
            return Err(format!("recording {id} occurs twice; ids are unique"));
        }
        if let Some(segment) = self.segment_id.as_ref().filter(|id| {
            !interaction
                .segments
                .iter()
                .any(|segment| segment.id == **id)
        }) {
            return Err(format!(
                "recording {id}: segment {segment} is not one of this interaction"
            ));
        }
        let path =
            inside(folder, &self.file).map_err(|reason| format!("recording {id}: {reason}"))?;
        let probe = self.probe(&path)?;
        let segment = interaction
            .segments
            .iter()
            .find(|segment| Some(&segment.id) == self.segment_id.as_ref());
        let probed_ms = probe.as_ref().map(|probe| {
            i64::try_from(probe.samples * 1000 / u64::from(probe.sample_rate.max(1))).unwrap_or(0)
        });
        let start_ms = self
            .start_time
            .or(segment.and_then(|segment| segment.start_time))
            .unwrap_or(interaction.start_time);
        let end_ms = self
            .end_time
            .or(segment.and_then(|segment| segment.end_time))
            .unwrap_or(interaction.end_time);
        let channels = self
            .channels
            .or(probe.as_ref().map(|probe| probe.channels))
            .unwrap_or(1);
        Ok(Recording {
            id: id.clone(),
            interaction_id: interaction.id,
            segment_id: self.segment_id.clone(),
            start_ms,
            end_ms,
            drift_ms: 0,
            duration_ms: self.duration_ms.or(probed_ms),
            codec: self
                .codec
                .clone()
                .or(probe.as_ref().map(|probe| probe.codec.to_string()))
                .unwrap_or_default(),
            content_type: self
                .content_type
                .clone()
                .unwrap_or_else(|| "application/octet-stream".to_owned()),
            channels,
            channel_roles: if self.channel_roles.is_empty() {
                roles(channels)
            } else {
                self.channel_roles.clone()
            },
            sample_rate: self
                .sample_rate
                .or(probe.as_ref().map(|probe| probe.sample_rate))
                .unwrap_or(8000),
            file_name: self.file_name.clone().unwrap_or_else(|| self.file.clone()),
            recorder_node: self
                .recorder_node
                .clone()
                .or_else(|| interaction.recorder_node.clone()),
            pauses: self.pauses.iter().map(PauseLine::pause).collect(),
            retention_class: self.retention_class.clone(),
            legal_hold: self.legal_hold,
            sound: Sound::File(path),
            planted: None,
        })
    }

    /// What the file holds; `None` where it is declared bad and does not decode.
    fn probe(&self, path: &Path) -> Result<Option<audio::Probe>, String> {
        match audio::probe_file(path) {
            Ok(probe) => Ok(Some(probe)),
            Err(_) if self.expect_bad => Ok(None),
            Err(error) => Err(format!(
                "recording {}: {} cannot be decoded ({error}); mend the file, or say \
                 \"expectBad\": true",
                self.id, self.file
            )),
        }
    }
}

impl PauseLine {
    fn pause(&self) -> Pause {
        Pause {
            start_offset_ms: self.start_offset_ms,
            end_offset_ms: self.end_offset_ms,
            reason: self.reason.clone().unwrap_or_default(),
        }
    }
}

fn roles(channels: u16) -> Vec<String> {
    let roles: &[&str] = if channels == 2 {
        &["agent", "customer"]
    } else {
        &["mixed"]
    };
    roles.iter().map(|role| (*role).to_owned()).collect()
}

/// The path of a file below `folder`; one that is absolute, climbs out or leads out by a link is
/// refused.
fn inside(folder: &Path, file: &str) -> Result<PathBuf, String> {
    let relative = Path::new(file);
    if file.is_empty()
        || !relative
            .components()
            .all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
    {
        return Err(format!(
            "file `{file}` must lie in the world's folder: a relative path without `..`"
        ));
    }
    let path = folder.join(relative);
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let (Ok(real), Ok(root)) = (path.canonicalize(), folder.canonicalize()) else {
        return Err(format!(
            "file `{file}` does not exist in the world's folder"
        ));
    };
    if !real.starts_with(&root) {
        return Err(format!("file `{file}` leads out of the world's folder"));
    }
    if real.is_file() {
        Ok(path)
    } else {
        Err(format!("file `{file}` is not a file"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"id":5,"startTime":1000,"endTime":4000,"direction":"INBOUND","agentId":"A1","queueId":"Q","segments":[{"id":"5-s1","agentId":"A2","startTime":1000,"endTime":4000}],"recordings":[{"id":"5-1","segmentId":"5-s1","file":"audio/a.wav","retentionClass":"7-Year Retention"}]}"#;

    fn folder() -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(dir.path().join("audio")).expect("audio");
        let pcm = audio::Pcm {
            sample_rate: 8000,
            channels: vec![vec![500; 24_000]],
        };
        std::fs::write(
            dir.path().join("audio/a.wav"),
            audio::encode(&pcm, audio::Codec::PcmS16).expect("wav"),
        )
        .expect("a.wav");
        std::fs::write(dir.path().join("audio/bad.wav"), "<html></html>").expect("bad.wav");
        dir
    }

    fn read(text: &str) -> Result<Imported, String> {
        let dir = folder();
        let file = dir.path().join("calls.ndjson");
        std::fs::write(&file, text).expect("calls.ndjson");
        Imported::read(&file, Seed::new(7)).map_err(|error| error.to_string())
    }

    #[test]
    fn agents_and_queues_are_those_the_lines_mention() {
        let world = read(LINE).expect("a world");
        assert_eq!(
            world
                .agents
                .iter()
                .map(|agent| agent.id.as_str())
                .collect::<Vec<_>>(),
            ["A1", "A2"]
        );
        assert_eq!(world.queues[0].id, "Q");
        assert_eq!(
            world.retention_classes,
            [("7-Year Retention".to_owned(), 7)]
        );
        let recording = &world.interactions[0].recordings[0];
        assert_eq!(
            (
                recording.duration_ms,
                recording.codec.as_str(),
                recording.start_ms
            ),
            (Some(3000), "pcm_s16le", 1000)
        );
    }

    #[test]
    fn a_line_that_cannot_be_served_is_refused_with_its_number() {
        for (was, becomes, expected) in [
            (
                "\"agentId\":\"A1\"",
                "\"agentIdd\":\"A1\"",
                "calls.ndjson:2: unknown key `agentIdd`; the nearest known key is `agentId`",
            ),
            (
                "audio/a.wav",
                "audio/none.wav",
                ":2: recording 5-1: file `audio/none.wav` does not exist",
            ),
            ("audio/a.wav", "../a.wav", "a relative path without `..`"),
            ("audio/a.wav", "/etc/hosts", "a relative path without `..`"),
            ("audio/a.wav", "audio/bad.wav", "\"expectBad\": true"),
            (
                "\"segmentId\":\"5-s1\"",
                "\"segmentId\":\"5-s9\"",
                "segment 5-s9 is not one of this interaction",
            ),
            (
                "\"id\":5,",
                "\"id\":\"C-5\",",
                "an id of an interaction is a whole number",
            ),
            (
                "\"id\":5,",
                "\"id\":5.5,",
                "an id of an interaction is a whole number",
            ),
            ("\"id\":\"5-1\"", "\"id\":\"\"", "the id is empty"),
            (
                "\"id\":\"5-1\"",
                "\"id\":\"..\"",
                "recording id `..` has no address",
            ),
            (
                "\"agentId\":\"A1\"",
                "\"AGENTID\":\"A1\"",
                "unknown key `AGENTID`; the nearest known key is `agentId`",
            ),
            (
                "\"startTime\":1000,\"endTime\":4000,\"direction\"",
                "\"startTime\":\"soon\",\"endTime\":4000,\"direction\"",
                "a time is Unix milliseconds, or text with an offset",
            ),
            (
                "\"queueId\":\"Q\"",
                "\"waitTimeMs\":\"soon\"",
                "a length in milliseconds is expected",
            ),
            (
                "\"queueId\":\"Q\"",
                "\"numbersMasked\":2",
                "true or false is expected",
            ),
            ("\"id\":5,", "\"id\":4,", "interaction 4 occurs twice"),
            ("\"id\":5,", "", "missing field `id`"),
            ("INBOUND", "SIDEWAYS", "unknown value `SIDEWAYS`"),
        ] {
            assert!(LINE.contains(was), "{was}");
            let text = format!(
                "{{\"id\":4,\"startTime\":1,\"endTime\":2,\"direction\":\"OUTBOUND\"}}\n{}\n",
                LINE.replacen(was, becomes, 1)
            );
            let error = read(&text).err().expect(becomes);
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn a_line_is_read_in_every_spelling_the_sources_own_reader_reads() {
        let spelled = [
            ("\"id\":5,", "\"id\":5.0,"),
            ("\"id\":5,", "\"id\":\"5\","),
            (
                "\"startTime\":1000,\"endTime\":4000,\"direction\"",
                "\"startTime\":\"1000\",\"endTime\":4.0E3,\"direction\"",
            ),
            (
                "\"startTime\":1000,\"endTime\":4000,\"direction\"",
                "\"startTime\":\"1970-01-01T00:00:01Z\",\"endTime\":4000.0,\"direction\"",
            ),
            (
                "\"INBOUND\"",
                "\"inbound\",\"numbersMasked\":\"false\",\"waitTimeMs\":null,\"talkTimeMs\":\"\"",
            ),
            (
                "\"queueId\":\"Q\"",
                "\"queueId\":\"Q\",\"skill\":null,\"numbersMasked\":null",
            ),
            ("\"segments\":[{", "\"segments\":[null,{"),
            (
                "\"recordings\":[{\"id\":\"5-1\",\"segmentId\":\"5-s1\",\"file\":\"audio/a.wav\",\"retentionClass\":\"7-Year Retention\"}]",
                "\"recordings\":{\"id\":\"5-1\",\"segmentId\":\"5-s1\",\"file\":\"audio/a.wav\",\"retentionClass\":\"7-Year Retention\",\"pauses\":null,\"legalHold\":0,\"expectBad\":\"no\",\"channelRoles\":\"\"}",
            ),
        ];
        let seen = |world: &Imported| {
            let call = &world.interactions[0];
            let recording = &call.recordings[0];
            (
                call.id,
                call.start_ms,
                call.end_ms,
                call.inbound,
                call.wait_ms,
                call.numbers_masked,
                call.segments.len(),
                recording.id.clone(),
                recording.legal_hold,
            )
        };
        let right = seen(&read(LINE).expect("a world"));
        for (was, becomes) in spelled {
            assert!(LINE.contains(was), "{was}");
            let world = read(&LINE.replacen(was, becomes, 1))
                .unwrap_or_else(|error| panic!("{becomes}: {error}"));
            assert_eq!(seen(&world), right, "{becomes}");
        }
        for text in [format!("\u{feff}{LINE}\r\n"), format!("\r\n\u{feff}{LINE}")] {
            assert_eq!(seen(&read(&text).expect("a world")), right);
        }
        let timeless = LINE.replace(
            "\"agentId\":\"A2\",\"startTime\":1000,\"endTime\":4000",
            "\"agentId\":\"A2\",\"startTime\":null",
        );
        assert_eq!(
            read(&timeless).expect("a world").interactions[0].segments[0].end_ms,
            4000
        );
        let rounded = LINE.replace("\"queueId\":\"Q\"", "\"talkTimeMs\":1.5");
        assert_eq!(read(&rounded).expect("a world").interactions[0].talk_ms, 2);
        for id in [
            "a;b",
            "50%",
            "a/b",
            "a\\\\b",
            "what?#",
            "\u{e9} \u{444}",
            "a..b",
            "'q'",
        ] {
            assert!(
                read(&LINE.replace("\"5-1\"", &format!("\"{id}\""))).is_ok(),
                "{id}"
            );
        }
    }

    #[test]
    fn a_file_in_another_encoding_is_named_as_that() {
        let dir = folder();
        let file = dir.path().join("calls.ndjson");
        for mark in [[0xff, 0xfe], [0xfe, 0xff]] {
            std::fs::write(&file, [&mark[..], b"{\0"].concat()).expect("calls.ndjson");
            let error = Imported::read(&file, Seed::new(7))
                .err()
                .expect("an error")
                .to_string();
            assert!(error.contains("UTF-16"), "{error}");
        }
    }

    #[test]
    fn audio_declared_bad_is_taken_as_it_is() {
        let text = LINE.replace(
            "\"file\":\"audio/a.wav\"",
            "\"file\":\"audio/bad.wav\",\"expectBad\":true",
        );
        assert!(read(&text).is_ok());
    }
}
