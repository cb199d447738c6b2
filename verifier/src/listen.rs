//! Audio of both sides, streamed: at any time only the recordings that are worked on are in memory.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use audio::Pcm;
use futures_util::{StreamExt, TryStreamExt, stream};
use platforms::CallError;
use platforms::clock::Clock;
use platforms::genesys_cloud::ReadClient;

use crate::crossing::Place;
use crate::expected::{Pause, PauseRule, Rules, SourceSound, audio_expectation};
use crate::options::{Jobs, Progress};
use crate::sound::{Difference, PairSound, Sketch, TargetSound, Wanted, judge, read_source};
use crate::source::{MediaRead, SharedSource, SourceRecording, collect};
use crate::stop::Stop;
use crate::target::{BATCH, BatchItem, batch, hidden};

/// One recording to listen to.
pub(crate) struct Job<'a> {
    pub(crate) place: Place,
    pub(crate) source: &'a SourceRecording,
    pub(crate) pauses: &'a [Pause],
    /// Conversation and recording in the target. Absent: only the source is read.
    pub(crate) target: Option<(String, String)>,
}

/// Reads and compares.
pub(crate) struct Listener {
    pub(crate) source: SharedSource,
    pub(crate) client: Arc<ReadClient>,
    pub(crate) clock: Clock,
    pub(crate) rules: Arc<Rules>,
    pub(crate) concurrency: usize,
    /// How long a batch may take.
    pub(crate) patience: Duration,
    /// Whether batches may be created.
    pub(crate) jobs: Jobs,
}

impl Listener {
    /// What was heard, by place.
    pub(crate) async fn listen(&self, jobs: &[Job<'_>], progress: &dyn Progress) -> Result<BTreeMap<Place, PairSound>, Stop> {
        let mut heard = BTreeMap::new();
        for jobs in jobs.chunks(BATCH) {
            let wanted: Vec<(String, String)> = jobs.iter().filter_map(|job| job.target.clone()).collect();
            let items = self.batch(&wanted).await?;
            let items = &items;
            let work = stream::iter(jobs).map(|job| async move {
                let item = job.target.as_ref().and_then(|(_, id)| items.get(id));
                let pair = self.pair(job, item).await?;
                progress.advance(1);
                Ok::<_, Stop>((job.place, pair))
            });
            let done: Vec<(Place, PairSound)> = work.buffer_unordered(self.concurrency.max(1)).try_collect().await?;
            heard.extend(done);
        }
        Ok(heard)
    }

    /// Sketches of recordings in the target that have no pair, as (conversation, recording).
    pub(crate) async fn sketches(&self, strays: &[(String, String)]) -> Result<BTreeMap<String, Sketch>, Stop> {
        let mut sketches = BTreeMap::new();
        for strays in strays.chunks(BATCH) {
            let items = self.batch(strays).await?;
            for (id, item) in items {
                let BatchItem::At { url, .. } = item else { continue };
                let Ok(bytes) = self.fetch(&url).await? else { continue };
                let sketch = blocking(move || audio::decode(&bytes).ok().map(|(_, pcm)| Sketch::of(&pcm))).await?;
                sketches.extend(sketch.map(|sketch| (id, sketch)));
            }
        }
        Ok(sketches)
    }

    /// Where the audio of these is.
    async fn batch(&self, wanted: &[(String, String)]) -> Result<BTreeMap<String, BatchItem>, Stop> {
        match self.jobs {
            _ if wanted.is_empty() => Ok(BTreeMap::new()),
            Jobs::Create => batch(&self.client, &self.clock, self.patience, wanted).await,
            Jobs::LeaveOut => Ok(hidden(wanted, "a batch download, which --no-jobs leaves out, to tell how a recording sounds")),
        }
    }

    async fn pair(&self, job: &Job<'_>, item: Option<&BatchItem>) -> Result<PairSound, Stop> {
        let (source, pcm) = self.source(job.source).await?;
        let (target, target_sketch) = match (&source, &pcm, item) {
            (_, _, None) => (TargetSound::NotRead, None),
            (_, _, Some(BatchItem::Hidden(need))) => (TargetSound::Hidden(need.clone()), None),
            (_, _, Some(BatchItem::Lost(words))) => (TargetSound::Lost(words.clone()), None),
            (SourceSound::Good(facts), Some(pcm), Some(BatchItem::At { url, content_type })) => {
                let paused = self.rules.pauses != PauseRule::Keep && !job.pauses.is_empty();
                let audio = audio_expectation(facts, paused, self.rules.format);
                let wanted = Wanted { audio, pauses: job.pauses.to_vec(), rule: self.rules.pauses };
                let judging = Judging {
                    facts: Arc::new(facts.clone()),
                    pcm: pcm.clone(),
                    wanted: Arc::new(wanted),
                    content_type: content_type.clone(),
                };
                self.target(url, &judging).await?
            }
            // Nothing to hold it against: whether it may be there at all is decided by the source alone.
            (_, _, Some(BatchItem::At { .. })) => (TargetSound::NotRead, None),
        };
        let rules = self.rules.clone();
        let pauses = job.pauses.to_vec();
        let source_sketch = match pcm {
            Some(pcm) => Some(blocking(move || altered_sketch(&pcm, &pauses, rules.pauses)).await?),
            None => None,
        };
        Ok(PairSound { source, source_sketch, target, target_sketch })
    }

    /// Reads a source once, and twice before it is called bad: a cut in transport differs the second time, a bad source does not.
    async fn source(&self, recording: &SourceRecording) -> Result<(SourceSound, Option<Arc<Pcm>>), Stop> {
        let mut before: Option<Vec<u8>> = None;
        // A third reading decides between two that differ; a source that answers otherwise each time cannot be judged.
        for _ in 0..3 {
            let bytes = match self.source.media(recording).await? {
                MediaRead::Bytes(bytes) => bytes,
                MediaRead::Unreadable(why) => return Ok((SourceSound::Unreadable(why), None)),
            };
            let (sound, pcm, bytes) = blocking(move || {
                let (sound, pcm) = read_source(&bytes);
                (sound, pcm, bytes)
            })
            .await?;
            if !suspicious(&sound, recording, bytes.len() as u64, self.rules.short_tolerance_ms) || before.as_ref() == Some(&bytes) {
                return Ok((sound, pcm.map(Arc::new)));
            }
            before = Some(bytes);
        }
        Ok((SourceSound::Unreadable("the source gives other bytes each time it is read; ask its operator".to_owned()), None))
    }

    /// Reads a target once, and twice before anything is said against it.
    async fn target(&self, url: &str, judging: &Judging) -> Result<(TargetSound, Option<Sketch>), Stop> {
        let mut first: Option<(String, Vec<Difference>, Option<Sketch>)> = None;
        for _ in 0..2 {
            let bytes = match self.fetch(url).await? {
                Ok(bytes) => bytes,
                Err(why) => return Ok((TargetSound::Hidden(why), None)),
            };
            let work = judging.clone();
            let (hash, differences, sketch) = blocking(move || {
                let (differences, sketch) = judge(&work.facts, &work.pcm, &work.wanted, &bytes, work.content_type.as_deref());
                (crate::sound::hash(&bytes), differences, sketch)
            })
            .await?;
            let again = first.as_ref().is_some_and(|(before, ..)| *before == hash);
            if differences.is_empty() || again {
                return Ok((TargetSound::Compared(differences), sketch));
            }
            first = Some((hash, differences, sketch));
        }
        Ok(match first {
            Some((_, differences, sketch)) => (TargetSound::Compared(differences), sketch),
            None => (TargetSound::NotRead, None),
        })
    }

    /// The bytes behind a pre-signed address; twice before it is given up. Not to be fetched is hidden, never missing.
    async fn fetch(&self, url: &str) -> Result<Result<Vec<u8>, String>, Stop> {
        let mut why = String::new();
        for _ in 0..2 {
            let read = async { collect(self.client.presigned(url).await?).await };
            match read.await {
                Ok((bytes, length)) if length.is_none_or(|length| length == bytes.len() as u64) => return Ok(Ok(bytes)),
                Ok((bytes, _)) => why = format!("its audio arrives cut after {} bytes", bytes.len()),
                Err(error) => why = format!("its audio cannot be fetched: {}", short(&error)),
            }
        }
        Ok(Err(why))
    }
}

/// An error without the address: each recording has its own, and a reason is told once.
fn short(error: &CallError) -> String {
    match error {
        CallError::Refused { status, code, .. } => format!("{status} {code}"),
        CallError::Malformed { why, .. } | CallError::Unreachable { why, .. } | CallError::NotSent { why, .. } => why.clone(),
        other => other.to_string(),
    }
}

/// What a target is judged by, shared with a worker thread.
#[derive(Clone)]
struct Judging {
    facts: Arc<crate::expected::SoundFacts>,
    pcm: Arc<Pcm>,
    wanted: Arc<Wanted>,
    content_type: Option<String>,
}

/// Whether a reading must be repeated before it counts against the source.
fn suspicious(sound: &SourceSound, recording: &SourceRecording, bytes: u64, tolerance_ms: u64) -> bool {
    let details = recording.details.as_ref().ok();
    let other_size = details.and_then(|details| details.size_bytes).is_some_and(|declared| declared != bytes);
    match sound {
        SourceSound::Good(facts) => {
            let declared = details.and_then(|details| details.duration_ms).and_then(|ms| u64::try_from(ms).ok());
            other_size || facts.damaged || declared.is_some_and(|declared| facts.duration_ms() + tolerance_ms < declared)
        }
        SourceSound::Bad(_) => true,
        SourceSound::NotRead | SourceSound::Unreadable(_) => false,
    }
}

/// As the target should sound: foreign audio is compared with what its owner should have become.
fn altered_sketch(pcm: &Pcm, pauses: &[Pause], rule: PauseRule) -> Sketch {
    if rule == PauseRule::Keep || pauses.is_empty() {
        return Sketch::of(pcm);
    }
    let mut pcm = pcm.clone();
    for pause in pauses {
        if let (Ok(start), Ok(end)) = (u64::try_from(pause.start_ms), u64::try_from(pause.end_ms)) {
            match rule {
                PauseRule::Tone => audio::tone(&mut pcm, start, end),
                PauseRule::Silence | PauseRule::Keep => audio::silence(&mut pcm, start, end),
            }
        }
    }
    Sketch::of(&pcm)
}

/// Work for a thread of its own. A panic there is a bug here, and ends as one.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Stop> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Stop::Internal(format!("comparing audio failed: {error}")))
}
