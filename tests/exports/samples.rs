//! Exports as their systems write them, made from a seed: at least 50 calls each, with what real
//! ones bring. What is in a file's form here follows the preset's comments: documented or assumed.

use std::fmt::Write as _;

use audio::{Codec, Pcm};
use platforms::clock::Clock;
use serde_json::json;

/// An export, and what becomes of it.
pub(crate) struct Sample {
    pub(crate) preset: &'static str,
    /// Paths with their bytes.
    pub(crate) files: Vec<(String, Vec<u8>)>,
    /// Folder of the audio, and of the metadata.
    pub(crate) audio: String,
    pub(crate) metadata: String,
    pub(crate) agents: Vec<String>,
    pub(crate) queues: Vec<String>,
    /// Calls, also those that cannot be read.
    pub(crate) calls: u64,
    pub(crate) recordings: u64,
    /// Recordings that stay behind.
    pub(crate) quarantined: u64,
    /// Ids of some calls that go, and of all that do not.
    pub(crate) go: Vec<String>,
    pub(crate) stay: Vec<String>,
    /// What `inspect` has to name.
    pub(crate) named: Vec<String>,
}

/// Whether a sample has what cannot be read: a line, a value, an audio file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gaps {
    Some,
    None,
}

impl Gaps {
    /// Whether the call at this place has one.
    fn at(self, call: u64, place: u64) -> bool {
        self == Gaps::Some && call == place
    }
}

/// In the order of the presets' names.
pub(crate) const PRESETS: [fn(Gaps) -> Sample; 6] =
    [amazon_connect, five9, genesys_cloud_s3, nice, vcon, verint];

const CALLS: u64 = 54;

impl Sample {
    fn new(preset: &'static str, agents: [&str; 4], queues: [&str; 3]) -> Sample {
        Sample {
            preset,
            files: Vec::new(),
            audio: String::new(),
            metadata: String::new(),
            agents: agents.map(str::to_owned).to_vec(),
            queues: queues.map(str::to_owned).to_vec(),
            calls: 0,
            recordings: 0,
            quarantined: 0,
            go: Vec::new(),
            stay: Vec::new(),
            named: Vec::new(),
        }
    }

    fn agent(&self, call: u64) -> &str {
        &self.agents[call as usize % self.agents.len()]
    }

    fn queue(&self, call: u64) -> &str {
        &self.queues[call as usize % self.queues.len()]
    }

    fn audio(&mut self, path: String, seed: u64, codec: Codec) {
        self.files.push((path, sound(seed, codec)));
    }
}

/// A second and a half of a voice-like sound, another one for each seed.
fn sound(seed: u64, codec: Codec) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut chance = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f64 / f64::from(1 << 24)
    };
    let mut samples = Vec::with_capacity(12_000);
    let mut phase = 0.0;
    for _ in 0..15 {
        let (hertz, loud) = (120.0 + 500.0 * chance(), 2000.0 + 9000.0 * chance());
        for at in 0..800 {
            phase += hertz / 8000.0 * std::f64::consts::TAU;
            let swell = (f64::from(at) / 800.0 * std::f64::consts::PI).sin();
            let noise = 400.0 * (chance() - 0.5);
            samples.push(
                (loud * swell * (phase.sin() + 0.4 * (2.1 * phase).sin()) / 1.4 + noise) as i16,
            );
        }
    }
    let pcm = Pcm {
        sample_rate: 8000,
        channels: vec![samples],
    };
    audio::encode(&pcm, codec).expect("a codec that is written")
}

/// The year of all calls: last year, so that nothing of them has expired and no call is yet to come,
/// whatever day it is.
fn year() -> i16 {
    let now = Clock::real().now().to_zoned(jiff::tz::TimeZone::UTC);
    now.year() - 1
}

/// Day on which clocks go back in Europe.
fn last_sunday_of_october(year: i16) -> i8 {
    let last = jiff::civil::date(year, 10, 31);
    31 - last.weekday().to_sunday_zero_offset()
}

/// Day and month of a call.
fn date(call: u64) -> (u64, u64) {
    (call % 28 + 1, call % 5 + 1)
}

fn uuid(kind: u64, number: u64) -> String {
    format!("{kind:08x}-0000-4000-8000-{number:012x}")
}

fn genesys_cloud_s3(gaps: Gaps) -> Sample {
    let year = year();
    let agents = [1, 2, 3, 4].map(|n| uuid(0xa, n));
    let queues = [1, 2, 3].map(|n| uuid(0xb, n));
    let mut sample = Sample::new(
        "genesys_cloud_s3",
        agents.each_ref().map(String::as_str),
        queues.each_ref().map(String::as_str),
    );
    for call in 0..CALLS {
        let (day, month) = date(call);
        let conversation = uuid(0xc, call);
        let folder = format!(
            "{}/year={year}/month={month}/day={day}/hour=10/conversation_id={conversation}",
            uuid(0, 7)
        );
        sample.calls += 1;
        // A transfer has a recording for each leg; a call may have one of its screen beside it.
        for part in 0..=u64::from(call % 6 == 0) {
            let recording = uuid(0xd, call * 10 + part);
            let document = json!({
                "mediaType": if call % 9 == 4 { "Callback" } else { "Call" },
                "mediaSubtype": "Trunk",
                "provider": "Edge",
                "userIds": if part == 0 { json!([sample.agent(call)]) } else { json!([sample.agent(call), sample.agent(call + 1)]) },
                "queueIds": [sample.queue(call)],
                "startTime": format!("{year}-{month:02}-{day:02}T10:{:02}:00.000Z", 5 + part),
                "endTime": format!("{year}-{month:02}-{day:02}T10:{:02}:59.500Z", 5 + part),
                "initialDirection": if call % 3 == 0 { "outbound" } else { "inbound" },
                "ani": if call % 7 == 0 { json!(null) } else { json!(format!("tel:+1555010{call:04}")) },
                "dnis": "tel:+18005550100",
                "wrapUpCodes": [],
                "aMemberOfTomorrow": {"x": 1},
            });
            // Byte-order marks and line ends are of no consequence.
            let text = format!(
                "\u{feff}{}\r\n",
                serde_json::to_string_pretty(&document).unwrap()
            );
            sample.files.push((
                format!("{folder}/{recording}_metadata.json"),
                text.into_bytes(),
            ));
            sample.recordings += 1;
            if gaps.at(call, 11) {
                // The audio was not copied.
                sample.quarantined += 1;
                sample
                    .named
                    .push(format!("no audio file matches {folder}/{recording}.*"));
                continue;
            }
            let (ending, codec) = if call % 2 == 0 {
                ("mp3", Codec::Mp3)
            } else {
                ("wav", Codec::PcmS16)
            };
            sample.audio(
                format!("{folder}/{recording}.{ending}"),
                call * 10 + part,
                codec,
            );
        }
        if call % 10 == 5 {
            let screen = uuid(0xe, call);
            let document = json!({"mediaType": "Screen", "userIds": [], "startTime": "x"});
            sample.files.push((
                format!("{folder}/{screen}_metadata.json"),
                document.to_string().into_bytes(),
            ));
            sample
                .files
                .push((format!("{folder}/{screen}.webm"), b"no audio".to_vec()));
        }
        if gaps.at(call, 11) {
            sample.stay.push(conversation);
        } else {
            sample.go.push(conversation);
        }
    }
    if gaps == Gaps::None {
        return sample;
    }
    let broken = format!(
        "{}/year={year}/month=1/day=1/hour=1/conversation_id={}/{}_metadata.json",
        uuid(0, 7),
        uuid(0xc, 999),
        uuid(0xd, 9990)
    );
    sample.calls += 1;
    sample
        .named
        .push(format!("{broken} line 1: is not JSON at line 1 column"));
    sample
        .files
        .push((broken, b"{\"mediaType\": \"Call\", ".to_vec()));
    sample
}

fn amazon_connect(gaps: Gaps) -> Sample {
    let year = year();
    let agents = ["jdoe", "m.müller", "agent-3", "x@acme.example"];
    let queues = [1, 2, 3].map(|n| uuid(0xb, n));
    let mut sample = Sample::new(
        "amazon_connect",
        agents,
        queues.each_ref().map(String::as_str),
    );
    (sample.audio, sample.metadata) = ("bucket".to_owned(), "records".to_owned());
    let mut lines = String::new();
    for call in 0..CALLS {
        let (day, month) = date(call);
        let id = uuid(0xc, call);
        let path = format!(
            "connect/acme/CallRecordings/{year}/{month:02}/{day:02}/{id}_{year}0101T10:00_UTC.wav"
        );
        let has_audio = call % 13 != 12;
        let status = if call == 20 { "DELETED" } else { "AVAILABLE" };
        let recording = json!({
            "Status": status, "DeletionReason": null, "Location": format!("acme-recordings/{path}"),
            "MediaStreamType": "AUDIO", "ParticipantType": "ALL", "StorageType": "S3",
            "StartTimestamp": format!("{year}-{month:02}-{day:02}T10:00:10Z"),
            "StopTimestamp": format!("{year}-{month:02}-{day:02}T10:04:10Z"),
        });
        let screen = json!({"Status": "AVAILABLE", "Location": "acme-recordings/x.mp4", "MediaStreamType": "VIDEO"});
        let mut record = json!({
            "AWSAccountId": "1", "Channel": "VOICE", "ContactId": id,
            "InitialContactId": if call % 9 == 0 { json!(uuid(0xc, call.saturating_sub(1))) } else { json!(null) },
            "InitiationMethod": (["INBOUND", "OUTBOUND", "TRANSFER", "CALLBACK"][call as usize % 4]),
            "InitiationTimestamp": format!("{year}-{month:02}-{day:02}T10:00:00Z"),
            "DisconnectTimestamp": format!("{year}-{month:02}-{day:02}T10:05:00Z"),
            "LastUpdateTimestamp": format!("{year}-{month:02}-{day:02}T10:06:00Z"),
            "DisconnectReason": "CUSTOMER_DISCONNECT",
            "CustomerEndpoint": {"Address": format!("+1555020{call:04}"), "Type": "TELEPHONE_NUMBER"},
            "SystemEndpoint": {"Address": "+18005550100", "Type": "TELEPHONE_NUMBER"},
            "Agent": {"Username": sample.agent(call), "AgentInteractionDuration": 240},
            "Queue": {"ARN": format!("arn:aws:connect:us-east-1:1:instance/i/queue/{}", sample.queue(call)), "Duration": 12},
            "Recordings": if has_audio { json!([screen, recording]) } else { json!(null) },
            "Attributes": {"langue": "français"},
        });
        sample.calls += 1;
        let _ = writeln!(lines, "{record}");
        // Delivered at least once, and again when something came to be known.
        if call % 8 == 0 {
            let _ = writeln!(lines, "{record}");
        }
        if call % 11 == 0 {
            record["LastUpdateTimestamp"] = json!(format!("{year}-12-31T00:00:00Z"));
            record["DisconnectReason"] = json!("AGENT_DISCONNECT");
            let _ = writeln!(lines, "{record}");
        }
        if has_audio && call != 20 {
            sample.recordings += 1;
            if gaps.at(call, 30) {
                sample.quarantined += 1;
                sample.named.push(format!("there is no file {path}"));
                sample.stay.push(id);
                continue;
            }
            sample.audio(format!("bucket/{path}"), 1000 + call, Codec::PcmS16);
            sample.go.push(id);
        }
    }
    lines.push_str("{\"Channel\": \"CHAT\", \"ContactId\": \"chat\"}\n\n");
    if gaps == Gaps::Some {
        lines.push_str("{\"Channel\": \"VOICE\", \"Con");
        sample.calls += 1;
        sample.named.push(format!(
            "firehose/{year}.ndjson line {}: is not JSON at column",
            lines.lines().count()
        ));
    }
    sample.files.push((
        format!("records/firehose/{year}.ndjson"),
        lines.into_bytes(),
    ));
    sample
}

fn nice(gaps: Gaps) -> Sample {
    let year = year();
    let agents = ["1001", "1002", "1003", "1004"];
    let mut sample = Sample::new("nice", agents, ["Sales", "Support", "Français"]);
    (sample.audio, sample.metadata) = ("archive".to_owned(), "meta".to_owned());
    let mut text = "Interaction ID\tSegment ID\tSegment Start Time\tSegment Stop Time\tSegment Duration\tDirection\tSkill\tDisposition\tCustomer Phone\tDNIS\tLogger\tAgent\tArchive Path\tCompression\tRetention\tLocked\tMasked Parts\tBusiness Data 1\r\n".to_owned();
    for call in 0..CALLS {
        let (day, month) = date(call);
        let id = format!("70{call:05}");
        sample.calls += 1;
        let mut stays = false;
        for part in 0..=call % 3 {
            let segment = format!("{id}{part}");
            // Around the end of daylight saving time, and in both forms of the clock.
            let start = match call {
                7 => format!(
                    "10/{}/{year} 01:{:02}:00 AM",
                    last_sunday_of_october(year),
                    10 + part
                ),
                8 => format!("{month}/{day}/{year} 13:{:02}:00", 10 + part),
                _ => format!("{month}/{day}/{year} 01:{:02}:00 PM", 10 + part),
            };
            let stop = if call == 9 {
                "N/A".to_owned()
            } else {
                start.replace(":00", ":45")
            };
            let length = if gaps.at(call, 12) && part == 0 {
                "forty"
            } else {
                "0:00:45"
            };
            let path = format!("NTLogger\\{year}\\{month:02}\\{segment}.wav");
            let _ = write!(
                text,
                "{id}\t{segment}\t{start}\t{stop}\t{length}\t{}\t{}\tNULL\t+4420794600{call:02}\t0800\tL1\t\"Smith, \"\"J\"\" ({})\"\tE:\\{path}\tPCM\t7-Year Retention\t{}\t{}\tété {call}\r\n",
                ["Incoming", "Outgoing", "Internal"][call as usize % 3],
                sample.queue(call),
                sample.agent(call + part),
                if call % 10 == 1 { "Y" } else { "n" },
                if call % 5 == 2 {
                    "0:00.2-0:00.6;0:01-0:01.2"
                } else {
                    ""
                },
            );
            sample.recordings += 1;
            let on_disk = format!("archive/{year}/{month:02}/{segment}.wav");
            sample.audio(on_disk, 2000 + call * 10 + part, Codec::PcmS16);
            if gaps.at(call, 12) {
                stays = true;
                sample.quarantined += 1;
            }
        }
        if stays {
            sample.stay.push(id)
        } else {
            sample.go.push(id)
        }
    }
    if let Some(at) = text.find("forty") {
        let line = text[..at].matches('\n').count() + 1;
        sample.named.push(format!(
            "interactions.csv line {line} column `Segment Duration`: is no length of time such as 0:03:12"
        ));
    }
    let mut bytes = vec![0xff, 0xfe];
    bytes.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    sample
        .files
        .push(("meta/interactions.csv".to_owned(), bytes));
    sample
}

fn verint(gaps: Gaps) -> Sample {
    let year = year();
    let agents = ["E100", "E200", "E300", "E400"];
    let mut sample = Sample::new("verint", agents, ["Zürich", "Genève", "Bern"]);
    let mut text = format!(
        "Contacts of {year};;\r\nContact ID;INUM;Date;Time;Duration;Time Zone;Direction;Employee ID;Organization;Wrap Up;ANI;DNIS;Audio Length;Retention Class;Delete Date;Legal Hold;Extension\r\n"
    );
    for call in 0..CALLS {
        let (day, month) = date(call);
        let id = format!("9{call:06}");
        sample.calls += 1;
        let mut stays = false;
        for part in 0..=u64::from(call % 4 == 3) {
            let inum = format!("8410{call:04}{part}");
            let _ = write!(
                text,
                "{id};{inum};{day:02}.{month:02}.{year};{};90;{};{};{};{};{};+4144{call:07};-;{};{};{};{};\"4{call:03}\"\r\n",
                if call == 5 {
                    "09:30".to_owned()
                } else {
                    format!("09:3{part}:15")
                },
                ["Europe/Zurich", "Europe/London", "America/New_York"][call as usize % 3],
                call % 3 + 1,
                sample.agent(call + part),
                sample.queue(call),
                if call % 6 == 0 { "(null)" } else { "Erledigt" },
                if call == 22 { "" } else { "1.5" },
                if call % 2 == 0 {
                    "Kürzer"
                } else {
                    "7-Year Retention"
                },
                if call % 8 == 0 {
                    format!("31.01.{}", year + 7)
                } else {
                    String::new()
                },
                if call % 9 == 0 { "1" } else { "0" },
            );
            sample.recordings += 1;
            if gaps.at(call, 31) {
                stays = true;
                sample.quarantined += 1;
                sample
                    .named
                    .push(format!("no audio file matches **/{inum}.*"));
            } else {
                sample.audio(
                    format!("{}/{inum}.wav", &inum[..6]),
                    3000 + call * 10 + part,
                    Codec::PcmS16,
                );
            }
        }
        if stays {
            sample.stay.push(id)
        } else {
            sample.go.push(id)
        }
    }
    if gaps == Gaps::Some {
        text.push_str(&format!("9999999;84109999;01.01.{year};09:30:00\r\n"));
        sample.calls += 1;
        sample.named.push(format!(
            "report.csv line {}: has 4 cells, and the header has 17",
            text.lines().count()
        ));
    }
    // Every letter here has a byte of its own in the code page.
    sample.files.push((
        "report.csv".to_owned(),
        text.chars().map(|c| c as u8).collect(),
    ));
    sample
}

fn five9(gaps: Gaps) -> Sample {
    let year = year();
    let agents = [
        "ann@acme.example",
        "bob@acme.example",
        "cy@acme.example",
        "di@acme.example",
    ];
    let mut sample = Sample::new("five9", agents, ["Sales", "Support", "Billing"]);
    let mut text = "CALL ID,TIMESTAMP,CAMPAIGN,CALL TYPE,AGENT,SKILL,DISPOSITION,ANI,DNIS,CALL TIME,TALK TIME,QUEUE WAIT TIME,SESSION ID,RECORDINGS,NOTES\n".to_owned();
    for call in 0..CALLS {
        let (day, month) = date(call);
        let month_name = ["Jan", "Feb", "Mar", "Apr", "May"][month as usize - 1];
        let weekday = jiff::civil::date(year, month as i8, day as i8)
            .strftime("%a")
            .to_string();
        let id = format!("3000000{call:08}");
        let count = if call % 12 == 4 { 0 } else { call % 2 + 1 };
        let stamp = if call == 3 {
            format!("{year}-03-05 14:03:11")
        } else {
            format!("{weekday}, {day:02} {month_name} {year} 14:03:11")
        };
        let kind = ["Inbound", "Outbound", "3rd party transfer", "Internal"][call as usize % 4];
        let _ = writeln!(
            text,
            "{id},\"{stamp}\",\"Spring, {call}\",{kind},{},{},{},555030{call:04},8005550100,00:02:10,00:01:55,00:00:09,S{call},{},\"said\n\"\"yes\"\"\"",
            sample.agent(call),
            if call % 7 == 0 {
                "[None]"
            } else {
                sample.queue(call)
            },
            ["Sold", "No Answer", ""][call as usize % 3],
            if count == 0 {
                String::new()
            } else {
                count.to_string()
            },
        );
        sample.calls += 1;
        for part in 0..count {
            sample.recordings += 1;
            let name = format!(
                "{month}_{day}_{year}/{}/{id}_{part}.wav",
                sample.agent(call)
            );
            if gaps.at(call, 41) {
                // What a transfer that broke off leaves.
                sample.quarantined += 1;
                sample.files.push((name, Vec::new()));
            } else {
                sample.audio(name, 4000 + call * 10 + part, Codec::PcmS16);
            }
        }
        if gaps.at(call, 41) {
            sample.stay.push(id)
        } else if count > 0 {
            sample.go.push(id)
        }
    }
    if gaps == Gaps::Some {
        text.push_str("\"30000009,never closed\n");
        sample.calls += 1;
        sample.named.push(format!(
            "Call Log.csv line {}: has a quote that is not closed",
            text.lines().count()
        ));
    }
    sample
        .files
        .push(("Call Log.csv".to_owned(), text.into_bytes()));
    sample
}

fn vcon(gaps: Gaps) -> Sample {
    let year = year();
    let agents = [
        "ann@acme.example",
        "Bob Ü",
        "cy@acme.example",
        "di@acme.example",
    ];
    let mut sample = Sample::new("vcon", agents, ["", "", ""]);
    sample.queues.clear();
    for call in 0..CALLS {
        let (day, month) = date(call);
        let id = uuid(0xf, call);
        let agent = if call % 4 == 1 {
            json!({"name": sample.agent(call), "role": "agent", "tel": "tel:+18005550100"})
        } else {
            json!({"mailto": format!("mailto:{}", sample.agent(call)), "name": "N", "role": "agent", "tel": "tel:+18005550100"})
        };
        let mut dialog = vec![
            json!({"type": "text", "start": "2020-01-01T00:00:00Z", "parties": [0], "body": "hi"}),
        ];
        let mut stays = false;
        for part in 0..=u64::from(call % 10 == 6) {
            let name = format!("media/{id}-{part}.wav");
            let mut one = json!({
                "type": "recording", "start": format!("{year}-{month:02}-{day:02}T10:0{part}:00.000+02:00"),
                "duration": 1.5, "parties": [0, 1], "mediatype": "audio/x-wav", "filename": name,
            });
            sample.recordings += 1;
            if gaps.at(call, 17) {
                // The audio is inside the document, which is not read.
                one.as_object_mut().unwrap().remove("filename");
                one["body"] = json!("UklGRg");
                one["encoding"] = json!("base64url");
                stays = true;
                sample.quarantined += 1;
                sample.named.push(format!(
                    "{id}.vcon line 1 column `@.filename`: names no file"
                ));
            } else {
                sample.audio(name, 5000 + call * 10 + part, Codec::PcmS16);
            }
            dialog.push(one);
        }
        let document = json!({
            "vcon": "0.0.2", "uuid": id, "created_at": format!("{year}-06-01T00:00:00Z"), "subject": format!("Case {call}"),
            "parties": [{"tel": format!("tel:+1555040{call:04}"), "role": "customer", "name": "C"}, agent],
            "dialog": dialog, "analysis": [], "attachments": [],
        });
        sample.files.push((
            format!("{year}/{id}.vcon"),
            document.to_string().into_bytes(),
        ));
        sample.calls += 1;
        if stays {
            sample.stay.push(id)
        } else {
            sample.go.push(id)
        }
    }
    sample
}
