//! One call and one plan that the tests of this crate vary.

use std::collections::BTreeMap;

use audio::{Codec, Container};
use jiff::tz::TimeZone;
use plan::AudioFormat;
use uuid::Uuid;

use super::rules::{AgentRow, Table};
use super::{HoldsBeyond, Maximum, PauseRule, PhoneRule, Rules, SoundFacts, SourceSound};
use crate::source::{SourceInteraction, SourceRecording};
use crate::target::Platform;
use crate::target::genesys_cloud::GenesysCloud;
use crate::utc_millis::UtcMillis;

/// A day in the migration.
pub(crate) const AS_OF: UtcMillis = UtcMillis::from_ms(1_795_000_000_000); // 2026-11-18

pub(crate) const USER: Uuid = Uuid::from_u128(0x550e_8400_e29b_41d4_a716_4466_5544_0001);
pub(crate) const FALLBACK: Uuid = Uuid::from_u128(0x550e_8400_e29b_41d4_a716_4466_5544_00ff);
pub(crate) const QUEUE: Uuid = Uuid::from_u128(0xd1);
pub(crate) const DEFAULT_QUEUE: Uuid = Uuid::from_u128(0xd0);
pub(crate) const SKILL: Uuid = Uuid::from_u128(0xe1);
pub(crate) const WRAP_UP: Uuid = Uuid::from_u128(0xa017);

pub(crate) fn rules() -> Rules {
    let row = |user| vec![agent_row(user, None)];
    Rules {
        seconds: false,
        naive_zone: None,
        site_zone: TimeZone::get("Europe/London").ok(),
        node_offset_ms: Table::default(),
        agents: Table::from_iter([("AGT-992".to_owned(), row(USER))]),
        queues: Table::from_iter([("Q-SUPPORT".to_owned(), QUEUE)]),
        skills: Table::from_iter([("SK-BILLING".to_owned(), SKILL)]),
        wrap_ups: Table::from_iter([("W-017".to_owned(), WRAP_UP)]),
        fallback_agent: Some(agent_row(FALLBACK, None)),
        default_queue: Some(DEFAULT_QUEUE),
        maximum: Maximum::None,
        clamp: false,
        holds_beyond: HoldsBeyond::None,
        capabilities: GenesysCloud::DEFAULT.capabilities(),
        hold_partial: true,
        exclusions: Table::default(),
        format: AudioFormat::Mp3,
        short_tolerance_ms: 1000,
        ffmpeg: audio::Ffmpeg::Never,
        quarantine_short: true,
        phones: PhoneRule::Keep,
        pauses: PauseRule::Silence,
        class_years: Table::from_iter([("7-Year Retention".to_owned(), 7)]),
        skip_expired: true,
        extensions: BTreeMap::new(),
    }
}

/// The first call of scenarios/contracts/legacy/query_interactions.json.
pub(crate) fn interaction() -> SourceInteraction {
    let call = crate::source::legacy::interaction(
        r#"{"id":100001,"startTime":1698400800000,"endTime":1698401100000,"waitTimeMs":12000,"talkTimeMs":281000,"direction":"INBOUND",
            "agentId":"AGT-992","agentExtension":"4711","queueId":"Q-SUPPORT","skill":"SK-BILLING","skillGroup":"Billing Tier 1","ivrNodeId":"IVR-12",
            "dispositionCode":"RESOLVED","wrapUpCode":"W-017","callerNumber":"+15550100199","dialledNumber":"+18005550123","numbersMasked":false,"recorderNode":"N3",
            "segments":[{"id":"100001-s1","agentId":"AGT-992","startTime":1698400812000,"endTime":1698400960000},
                        {"id":"100001-s2","agentId":"AGT-014","startTime":1698400960000,"endTime":1698401100000}],
            "recordings":[{"id":"100001-1","segmentId":"100001-s1"},{"id":"100001-2","segmentId":"100001-s2"}]}"#,
        "a test",
    );
    SourceInteraction {
        recordings: vec![
            recording(
                "100001-1",
                1_698_400_812_000,
                1_698_400_960_000,
                "a.wav",
                r#"[{"startOffsetMs":61000,"endOffsetMs":74500}]"#,
            ),
            recording(
                "100001-2",
                1_698_400_960_000,
                1_698_401_100_000,
                "b.wav",
                "[]",
            ),
        ],
        ..call
    }
}

pub(crate) fn recording(
    id: &str,
    start: i64,
    end: i64,
    name: &str,
    pauses: &str,
) -> SourceRecording {
    let text = format!(
        r#"{{"id":"{id}","interactionId":100001,"startTime":{start},"endTime":{end},"durationMs":{},"fileName":"{name}","recorderNode":"N3",
            "pauses":{pauses},"retentionClass":"7-Year Retention","legalHold":false,"mediaUrl":"/api/v2/recordings/{id}/media"}}"#,
        end - start
    );
    SourceRecording {
        id: id.into(),
        details: Ok(crate::source::legacy::recording(&text).expect("test recording")),
        staged: None,
    }
}

/// 148 s of mu-law.
pub(crate) fn good_sound() -> SourceSound {
    SourceSound::Good(SoundFacts {
        sha256: "00".repeat(32),
        bytes: 1,
        container: Container::Wav,
        codec: Codec::Mulaw,
        channels: 2,
        sample_rate: 8000,
        samples: 148 * 8000,
        damaged: false,
        missing_ms: 0,
    })
}

/// A mapping of an agent from a date on.
pub(crate) fn agent_row(user: Uuid, from: Option<UtcMillis>) -> AgentRow {
    AgentRow {
        user: user.to_string().into(),
        from,
        ..AgentRow::default()
    }
}
