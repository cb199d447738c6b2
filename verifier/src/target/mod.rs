//! The target as the verifier found it, through reads only: a folder a platform, behind one shape.

mod crosswalk;
pub(crate) mod genesys_cloud;
pub(crate) mod gir;
mod media;
mod unread;
mod wait;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use plan::LoadedPlan;
use platforms::clock::Clock;
use serde::{Deserialize, Serialize};

use genesys_cloud::short;
pub(crate) use media::{Address, Envelope, Media, Sound, Unfetched};
pub(crate) use unread::need;
pub(crate) use wait::Wait;

use crate::expected::{Expectation, Maximum};
use crate::kept::Kept;
use crate::moment::Moment;
use crate::options::{Options, Progress};
use crate::requests::{Announced, Gates, Sizes};
use crate::stop::Stop;

/// A target that is read.
pub(crate) enum Target {
    /// Genesys Cloud by its public API.
    GenesysCloud(genesys_cloud::Target),
    /// Interaction Recording by its three stores.
    Gir(Box<gir::Target>),
}

/// What a reading of the target is asked for.
pub(crate) struct Asked<'a> {
    /// What must be there, in the source's order; sound not yet heard.
    pub(crate) expectations: &'a [Expectation],
    /// What the caller chose.
    pub(crate) options: &'a Options,
    /// Tells the time and waits.
    pub(crate) clock: &'a Clock,
    /// Readings of an unfinished verification, and where these go.
    pub(crate) kept: &'a Kept,
}

impl Target {
    /// Sends nothing yet.
    pub(crate) fn open(loaded: &LoadedPlan, options: &Options, gates: &Gates, clock: &Clock) -> Result<Target, Stop> {
        match &loaded.plan.target {
            plan::Target::GenesysCloud(_) if options.gir.is_any() || !options.decryption_keys.is_empty() => {
                Err(Stop::Plan("exports and decryption keys are for target.kind = \"gir\"; leave them out".to_owned()))
            }
            plan::Target::GenesysCloud(cloud) => genesys_cloud::Target::open(loaded, cloud, gates, clock).map(Target::GenesysCloud),
            plan::Target::Gir(site) => gir::Target::open(loaded, site, options, gates, clock).map(Box::new).map(Target::Gir),
        }
    }

    /// How long it keeps anything at most.
    pub(crate) async fn maximum_retention(&self, needs: &mut BTreeSet<String>) -> Result<Maximum, Stop> {
        match self {
            Target::GenesysCloud(target) => target.maximum_retention(needs).await,
            // Days of a purge rule are the site's; the service has no maximum of its own.
            Target::Gir(_) => Ok(Maximum::None),
        }
    }

    /// How many requests it takes. `per_minute` is the plan's pace.
    pub(crate) async fn announce(&self, sizes: Sizes, per_minute: u32, needs: &mut BTreeSet<String>) -> Result<Announced, Stop> {
        match self {
            Target::GenesysCloud(target) => target.announce(sizes, per_minute, needs).await,
            Target::Gir(target) => Ok(target.announce(sizes, per_minute)),
        }
    }

    /// Everything but sound.
    pub(crate) async fn snapshot(&self, asked: &Asked<'_>, progress: &dyn Progress) -> Result<TargetSnapshot, Stop> {
        match self {
            Target::GenesysCloud(target) => target.snapshot(asked, progress).await,
            Target::Gir(target) => target.snapshot(asked, progress).await,
        }
    }

    /// Where sound is had, once a snapshot was taken.
    /// `most`: bytes that a recording may have.
    pub(crate) fn media(&self, snapshot: &TargetSnapshot, options: &Options, clock: &Clock, most: u64) -> Arc<Media> {
        Arc::new(match self {
            Target::GenesysCloud(target) => Media::Batches(target.batches(options, clock, most)),
            Target::Gir(target) => Media::Files(target.files(snapshot, most)),
        })
    }
}

/// The target, read.
#[derive(Debug, Default)]
pub(crate) struct TargetSnapshot {
    /// Conversations that are ours.
    pub(crate) ours: Vec<TargetConversation>,
    /// Recordings whose conversation does not exist.
    pub(crate) orphans: Vec<TargetRecording>,
    /// Uploads that are waiting for something.
    pub(crate) parked: Vec<genesys_cloud::Parked>,
    /// Retention policies in force that delete at once.
    pub(crate) policies: Vec<genesys_cloud::DeletingPolicy>,
    /// Why a conversation that is not shown may exist all the same. Absent: what is not shown is not there.
    pub(crate) lag: Option<String>,
    /// Which calls could be seen at all.
    pub(crate) coverage: genesys_cloud::Coverage,
    /// Calls of the source that are not shown though something of them is, with what would be needed.
    pub(crate) hidden: BTreeMap<String, String>,
    /// Calls of the source that are surely not shown where they should be.
    pub(crate) elsewhere: BTreeMap<String, gir::Elsewhere>,
    /// Names of what could not be read, with what would be needed.
    pub(crate) needs: BTreeSet<String>,
    /// What only Interaction Recording has. Absent: the target is another.
    pub(crate) gir: Option<gir::Stores>,
}

/// A conversation in the target.
#[derive(Debug, Clone, Default)]
pub(crate) struct TargetConversation {
    /// Conversation id.
    pub(crate) id: String,
    /// The source's interaction id, by the carrier. Absent: it is not ours.
    pub(crate) legacy_id: Option<String>,
    /// Start.
    pub(crate) start: TimeReading,
    /// End.
    pub(crate) end: TimeReading,
    /// `inbound`, `outbound`. Absent: not given.
    pub(crate) direction: Option<String>,
    /// Legs of agents, by start.
    pub(crate) legs: Vec<TargetLeg>,
    /// Participants that are customers.
    pub(crate) customers: usize,
    /// Numbers that called, without `tel:`; each once.
    pub(crate) anis: Vec<String>,
    /// Numbers that were called.
    pub(crate) dnises: Vec<String>,
    /// Queues of all segments, each once.
    pub(crate) queues: Vec<String>,
    /// Skills of all segments, each once. Absent: this reading does not carry them.
    pub(crate) skills: Option<Vec<String>>,
    /// Wrap-up codes of all segments, each once.
    pub(crate) wrap_ups: Vec<String>,
    /// Participant attributes.
    pub(crate) attributes: BTreeMap<String, String>,
    /// Protected against deletion. Absent: could not be read.
    pub(crate) protected: Option<bool>,
    /// Its audio recordings, or why they could not be read.
    pub(crate) recordings: Recordings,
    /// What only Interaction Recording tells. Absent: the target is another.
    pub(crate) gir: Option<Box<gir::CallFacts>>,
}

/// Recordings of a conversation, or why they could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Recordings {
    /// Read.
    Read(Vec<TargetRecording>),
    /// Hidden, not missing; in words, with what would be needed.
    Hidden(String),
}

impl Default for Recordings {
    fn default() -> Recordings {
        Recordings::Read(Vec::new())
    }
}

impl TargetConversation {
    /// Whether the target hides a field from this account, so that its absence says nothing.
    pub(crate) fn withholds(&self, field: gir::Field) -> bool {
        self.gir.as_ref().is_some_and(|facts| facts.withheld.contains(&field))
    }

    /// The recordings that could be read.
    pub(crate) fn read_recordings(&self) -> &[TargetRecording] {
        match &self.recordings {
            Recordings::Read(recordings) => recordings,
            Recordings::Hidden(_) => &[],
        }
    }
}

/// A leg of an agent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TargetLeg {
    /// User, as the target names users: a lower-case UUID, or a user name. Absent: an agent without one.
    pub(crate) user: Option<String>,
    /// Start.
    pub(crate) start: TimeReading,
    /// End.
    pub(crate) end: TimeReading,
    /// Interaction Recording: the agent's number. Absent: not told.
    pub(crate) number: Option<String>,
    /// Genesys Cloud: session of the agent, by which a recording names its leg. Absent: not told.
    pub(crate) session: Option<String>,
    /// Genesys Cloud: wrap-up codes the agent gave, each once.
    pub(crate) wrap_ups: Vec<String>,
}

/// A recording in the target, without its audio.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TargetRecording {
    /// Recording id.
    pub(crate) id: String,
    /// Conversation it hangs on.
    pub(crate) conversation_id: String,
    /// Start.
    pub(crate) start: TimeReading,
    /// End.
    pub(crate) end: TimeReading,
    /// `AVAILABLE`, `ARCHIVED`, `DELETED`, ... Absent: not given.
    pub(crate) file_state: Option<String>,
    /// When it will be deleted. Absent: by no date.
    pub(crate) delete_at: Option<Moment>,
    /// When it was put into the target.
    pub(crate) created: Option<Moment>,
    /// Marked pauses: offset from its start and length. Milliseconds.
    pub(crate) pauses: Vec<MarkedPause>,
    /// Genesys Cloud: users it names, in lower case. The vendor documents them as those of the conversation. Empty: it names none.
    pub(crate) users: Vec<String>,
    /// Genesys Cloud: session it was made on. Absent: not told, as in the stub of an archived recording.
    pub(crate) session: Option<String>,
    /// Genesys Cloud, of a recording without a conversation: what its uploader called it. Absent: not told.
    #[serde(default)]
    pub(crate) originating_id: Option<String>,
    /// What only Interaction Recording tells. Absent: the target is another. Never kept: it names people.
    #[serde(skip)]
    pub(crate) gir: Option<Box<gir::MediaFacts>>,
}

/// A pause as the target marks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct MarkedPause {
    /// Offset from the recording's start. Milliseconds.
    pub(crate) location_ms: i64,
    /// Length. Milliseconds.
    pub(crate) length_ms: i64,
    /// Genesys Cloud: why the recording paused. Absent: not told.
    pub(crate) reason: Option<PauseReason>,
}

/// Why a recording paused. Source: the vendor's API description, Annotation.reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum PauseReason {
    /// `Hold`.
    Hold,
    /// `SecurePause`.
    SecurePause,
    /// `FlowOrQueue`.
    FlowOrQueue,
    /// `Pause`.
    Pause,
    /// A word that is none of these.
    Other,
}

impl PauseReason {
    /// By the vendor's word, in any case.
    pub(crate) fn of(word: &str) -> PauseReason {
        let known = [PauseReason::Hold, PauseReason::SecurePause, PauseReason::FlowOrQueue, PauseReason::Pause];
        known.into_iter().find(|known| known.word().eq_ignore_ascii_case(word)).unwrap_or(PauseReason::Other)
    }

    /// The vendor's word.
    pub(crate) fn word(self) -> &'static str {
        match self {
            PauseReason::Hold => "Hold",
            PauseReason::SecurePause => "SecurePause",
            PauseReason::FlowOrQueue => "FlowOrQueue",
            PauseReason::Pause => "Pause",
            PauseReason::Other => "an unknown reason",
        }
    }
}

/// A time in the target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum TimeReading {
    /// Not given.
    #[default]
    Absent,
    /// An instant.
    At(Moment),
    /// Text that is no instant.
    Damaged(String),
}

impl TimeReading {
    pub(crate) fn of(text: Option<&str>) -> TimeReading {
        match text {
            None | Some("") => TimeReading::Absent,
            Some(text) => Moment::parse(text).map_or_else(|| TimeReading::Damaged(text.to_owned()), TimeReading::At),
        }
    }

    /// The instant, where it is one.
    pub(crate) fn moment(&self) -> Option<Moment> {
        match self {
            TimeReading::At(moment) => Some(*moment),
            TimeReading::Absent | TimeReading::Damaged(_) => None,
        }
    }
}
