//! Audio of both sides, streamed: at any time only the recordings that are worked on are in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use audio::{Pcm, SecondDecoder};
use futures_util::{StreamExt, TryStreamExt, stream};

use platforms::clock::Clock;

use crate::cross_call::Place;
use crate::defect::Defect;
use crate::envelope::{Keys, Unsealed};
use crate::expected::{Pause, PauseRule, Rules, SourceSound, audio_expectation};
use crate::options::Progress;
use crate::run_error::RunError;
use crate::sound::{
    AudioFingerprint, Difference, PairSound, SecondDecoding, SecondDecodings, Stored, TargetSound,
    Verdict, Wanted, decode_by_second, judge, read_source,
};
use crate::source::{MediaRead, SharedSource, SourceRecording};
use crate::target::{Address, Envelope, LOCATED_AT_ONCE, MediaStore, Sound, Unfetched, fetch};

/// One recording to listen to.
pub(crate) struct Job<'a> {
    pub(crate) place: Place,
    pub(crate) source: &'a SourceRecording,
    pub(crate) pauses: &'a [Pause],
    /// Conversation and recording in the target. Absent: only the source is read.
    pub(crate) target: Option<Address>,
    /// Whether another program decodes both files too.
    pub(crate) use_second_decoder: bool,
}

/// Reads and compares.
pub(crate) struct AudioComparer {
    pub(crate) clock: Clock,
    pub(crate) source: SharedSource,
    pub(crate) media: Box<dyn MediaStore>,
    pub(crate) rules: Arc<Rules>,
    /// What opens encrypted files.
    pub(crate) keys: Arc<Keys>,
    pub(crate) concurrency: usize,
    /// What decodes a second time. Empty: nothing does.
    pub(crate) second_decoders: Arc<[SecondDecoder]>,
}

impl AudioComparer {
    /// What was heard, by place.
    pub(crate) async fn listen(
        &self,
        jobs: &[Job<'_>],
        progress: &dyn Progress,
    ) -> Result<BTreeMap<Place, PairSound>, RunError> {
        let mut heard = BTreeMap::new();
        for jobs in jobs.chunks(LOCATED_AT_ONCE) {
            let wanted: Vec<Address> = jobs.iter().filter_map(|job| job.target.clone()).collect();
            let items = if wanted.is_empty() {
                BTreeMap::new()
            } else {
                self.media.locate(&wanted).await?
            };
            let items = &items;
            let work = stream::iter(jobs).map(|job| async move {
                let item = job.target.as_ref().and_then(|address| items.get(address));
                let pair = self.pair(job, item).await?;
                progress.advance(1);
                Ok::<_, RunError>((job.place, pair))
            });
            let done: Vec<(Place, PairSound)> = work
                .buffer_unordered(self.concurrency.max(1))
                .try_collect()
                .await?;
            heard.extend(done);
        }
        Ok(heard)
    }

    /// Fingerprints of recordings in the target that have no pair, as (conversation, recording).
    pub(crate) async fn fingerprints(
        &self,
        addresses: &[Address],
    ) -> Result<BTreeMap<Address, AudioFingerprint>, RunError> {
        let mut fingerprints = BTreeMap::new();
        for addresses in addresses.chunks(LOCATED_AT_ONCE) {
            let items = self.media.locate(addresses).await?;
            for (address, item) in items {
                let Sound::At { url, envelope, .. } = item else {
                    continue;
                };
                let Ok(Opened { bytes, .. }) = self.open(&url, envelope.as_ref()).await? else {
                    continue;
                };
                let fingerprint = self
                    .blocking(move || {
                        audio::decode(&bytes)
                            .ok()
                            .map(|(_, pcm)| AudioFingerprint::of(&pcm))
                    })
                    .await?;
                fingerprints.extend(fingerprint.map(|fingerprint| (address, fingerprint)));
            }
        }
        Ok(fingerprints)
    }

    async fn pair(&self, job: &Job<'_>, item: Option<&Sound>) -> Result<PairSound, RunError> {
        let SourceRead {
            sound: mut source,
            mut pcm,
            otherwise,
            sha256: source_sha256,
            bytes: source_bytes,
            second_decoding: source_second,
        } = self.source(job.source, job.use_second_decoder).await?;
        let unread = |sound| AudioResult {
            sound,
            fingerprint: None,
            stored: None,
            sha256: None,
            second_decoding: None,
        };
        let heard = match (&source, &pcm, item) {
            (_, _, None) => unread(TargetSound::NotRead),
            (_, _, Some(Sound::Hidden(need))) => unread(TargetSound::Hidden(need.clone())),
            (_, _, Some(Sound::Lost(words))) => unread(TargetSound::Lost(words.clone())),
            (
                SourceSound::Good(facts),
                Some(pcm),
                Some(Sound::At {
                    url,
                    content_type,
                    envelope,
                }),
            ) => {
                let paused = self.rules.pauses != PauseRule::Keep && !job.pauses.is_empty();
                let audio = audio_expectation(facts, paused, self.rules.format);
                let wanted = Wanted {
                    audio,
                    pauses: job.pauses.to_vec(),
                    rule: self.rules.pauses,
                };
                let judging = Judging {
                    facts: Arc::new(facts.clone()),
                    pcm: pcm.clone(),
                    wanted: Arc::new(wanted),
                    content_type: content_type.clone(),
                    use_second_decoder: job.use_second_decoder,
                };
                self.target(url, envelope.as_ref(), &judging).await?
            }
            // Nothing to hold it against: whether it may be there at all is decided by the source
            // alone.
            (_, _, Some(Sound::At { .. })) => unread(TargetSound::NotRead),
        };
        let mut heard = heard;
        if let (Some(otherwise), Some(Sound::At { url, envelope, .. })) = (otherwise, item)
            && self
                .has_changed(
                    job.source,
                    &source,
                    &otherwise,
                    &heard,
                    url,
                    envelope.as_ref(),
                )
                .await?
        {
            (source, pcm, heard) = (
                SourceSound::Unreadable(otherwise.why),
                None,
                unread(TargetSound::NotRead),
            );
        }
        let second_decodings = match (&heard.sound, heard.second_decoding.take()) {
            (TargetSound::Compared(_), Some(target)) => Some(SecondDecodings {
                source: source_second,
                target,
            }),
            _ => None,
        };
        // What our own decoder made of a file may be wrong then, and so may everything said of it.
        if let Some(second) = &second_decodings {
            if let Some(need) = second.need() {
                heard = AudioResult {
                    sha256: heard.sha256,
                    ..unread(TargetSound::Hidden(need))
                };
            }
            if let Some(need) = second.need_of_source() {
                (source, pcm) = (SourceSound::Unreadable(need), None);
            }
        }
        let rules = self.rules.clone();
        let pauses = job.pauses.to_vec();
        let source_fingerprint = match pcm {
            Some(pcm) => Some(
                self.blocking(move || altered_fingerprint(&pcm, &pauses, rules.pauses))
                    .await?,
            ),
            None => None,
        };
        Ok(PairSound {
            source,
            source_fingerprint,
            target: heard.sound,
            target_fingerprint: heard.fingerprint,
            stored: heard.stored,
            source_sha256,
            source_bytes,
            target_sha256: heard.sha256,
            is_second_decoder_drawn: job.use_second_decoder,
            second_decodings,
        })
    }

    /// Reads a source once, and twice before it is called bad: a cut in transport differs the
    /// second time, a bad source does not.
    async fn source(
        &self,
        recording: &SourceRecording,
        use_second_decoder: bool,
    ) -> Result<SourceRead, RunError> {
        let mut before: Option<Vec<u8>> = None;
        // A third reading decides between two that differ; a source that answers otherwise each
        // time cannot be judged.
        for _ in 0..3 {
            let (bytes, content_type) = match self.source.media(recording).await? {
                MediaRead::Bytes(bytes, content_type) => (bytes, content_type),
                MediaRead::Unreadable(why) => {
                    return Ok(SourceRead {
                        sound: SourceSound::Unreadable(why),
                        pcm: None,
                        otherwise: None,
                        sha256: None,
                        bytes: None,
                        second_decoding: None,
                    });
                }
            };
            let ffmpeg = self.rules.ffmpeg;
            let file_name = recording
                .details
                .as_ref()
                .ok()
                .and_then(|details| details.file_name.clone());
            let (sound, pcm, sha256, bytes) = self
                .blocking(move || {
                    let (sound, pcm) = read_source(&bytes, file_name.as_deref(), ffmpeg);
                    let sha256 = match &sound {
                        SourceSound::Good(facts) => facts.sha256.clone(),
                        SourceSound::Bad(_) | SourceSound::NotRead | SourceSound::Unreadable(_) => {
                            crate::sound::hash(&bytes)
                        }
                    };
                    (sound, pcm, sha256, bytes)
                })
                .await?;
            if !suspicious(
                &sound,
                recording,
                bytes.len() as u64,
                self.rules.short_tolerance_ms,
            ) || before.as_ref() == Some(&bytes)
            {
                let size = bytes.len() as u64;
                let otherwise = otherwise(recording, &bytes, content_type.as_deref());
                let second_decoding = match &sound {
                    SourceSound::Good(_) if use_second_decoder => {
                        self.second_decoding(bytes).await?
                    }
                    _ => None,
                };
                return Ok(SourceRead {
                    sound,
                    pcm: pcm.map(Arc::new),
                    otherwise,
                    sha256: Some(sha256),
                    bytes: Some(size),
                    second_decoding,
                });
            }
            before = Some(bytes);
        }
        let why = format!(
            "the source's audio of recording {}: it gives other bytes each time it is read; ask \
             its operator",
            recording.id
        );
        Ok(SourceRead {
            sound: SourceSound::Unreadable(why),
            pcm: None,
            otherwise: None,
            sha256: None,
            bytes: None,
            second_decoding: None,
        })
    }

    /// Whether what the source answers now, and its own record says is something else, is not what
    /// it gave when the recording was migrated: the target holds other bytes where this is no
    /// sound, or sound of the length the record declares where this has another.
    async fn has_changed(
        &self,
        recording: &SourceRecording,
        source: &SourceSound,
        otherwise: &Otherwise,
        heard: &AudioResult,
        url: &str,
        envelope: Option<&Envelope>,
    ) -> Result<bool, RunError> {
        match source {
            SourceSound::Bad(_) => match self.open(url, envelope).await? {
                Ok(Opened { bytes, .. }) => Ok(!bytes.is_empty()
                    && self.blocking(move || crate::sound::hash(&bytes)).await?
                        != otherwise.sha256),
                Err(_) => Ok(false),
            },
            SourceSound::Good(facts) => {
                let declared = recording
                    .details
                    .as_ref()
                    .ok()
                    .and_then(|details| u64::try_from(details.duration_ms?).ok());
                let stored = heard.stored.as_ref().and_then(|stored| stored.duration_ms);
                let is_right = matches!(&heard.sound, TargetSound::Compared(differences) if differences.is_empty());
                let as_declared = |ms: u64| {
                    declared.is_some_and(|declared| declared.abs_diff(ms) <= LENGTH_TOLERANCE_MS)
                };
                Ok(!is_right
                    && stored.is_some_and(as_declared)
                    && !as_declared(facts.duration_ms()))
            }
            SourceSound::NotRead | SourceSound::Unreadable(_) => Ok(false),
        }
    }

    /// Reads a target once, and twice before anything is said against it.
    async fn target(
        &self,
        url: &str,
        envelope: Option<&Envelope>,
        judging: &Judging,
    ) -> Result<AudioResult, RunError> {
        let mut first: Option<(String, AudioResult)> = None;
        for _ in 0..2 {
            let unread = |sound| {
                Ok(AudioResult {
                    sound,
                    fingerprint: None,
                    stored: None,
                    sha256: None,
                    second_decoding: None,
                })
            };
            let Opened { bytes, stored } = match self.open(url, envelope).await? {
                Ok(opened) => opened,
                Err(sound) => return unread(sound),
            };
            let work = judging.clone();
            let (hash, mut heard, bytes) = self
                .blocking(move || {
                    let heard = work.judge(&bytes, stored);
                    (crate::sound::hash(&bytes), heard, bytes)
                })
                .await?;
            heard.sha256 = Some(hash.clone());
            let is_as_before = first.as_ref().is_some_and(|(before, _)| *before == hash);
            let is_right = matches!(&heard.sound, TargetSound::Compared(differences) if differences.is_empty());
            if is_right || is_as_before {
                if judging.use_second_decoder {
                    heard.second_decoding = self.second_decoding(bytes).await?;
                }
                return Ok(heard);
            }
            first = Some((hash, heard));
        }
        Ok(first.map_or(
            AudioResult {
                sound: TargetSound::NotRead,
                fingerprint: None,
                stored: None,
                sha256: None,
                second_decoding: None,
            },
            |(_, heard)| heard,
        ))
    }
}

impl AudioComparer {
    /// Work beside the runtime. A panic there is a bug here, and ends as one.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, RunError> {
        self.clock
            .blocking(work)
            .await
            .map_err(|error| RunError::Internal(format!("comparing audio: {error}")))
    }

    /// What another program makes of a file.
    async fn second_decoding(&self, bytes: Vec<u8>) -> Result<Option<SecondDecoding>, RunError> {
        let decoders = self.second_decoders.clone();
        self.blocking(move || decode_by_second(&decoders, &bytes))
            .await
    }

    /// A file's bytes, decrypted where it is said to be encrypted. The inner error is what is to be
    /// said of its sound instead.
    async fn open(
        &self,
        url: &str,
        envelope: Option<&Envelope>,
    ) -> Result<Result<Opened, TargetSound>, RunError> {
        let bytes = match fetch(&*self.media, url, &self.clock).await {
            Ok(bytes) => bytes,
            Err(Unfetched::Gone(words)) => return Ok(Err(TargetSound::Lost(words))),
            Err(Unfetched::Hidden(why) | Unfetched::Cut(why)) => {
                return Ok(Err(TargetSound::Hidden(why)));
            }
        };
        let stored = bytes.len() as u64;
        let Some(Envelope {
            pkcs7,
            certificates,
        }) = envelope.cloned()
        else {
            return Ok(Ok(Opened { bytes, stored }));
        };
        let keys = self.keys.clone();
        let opened = self.blocking(move || match keys.open(&pkcs7, &bytes) {
            Unsealed::Clear(bytes) => Ok(Opened { bytes, stored }),
            Unsealed::NoKey | Unsealed::Broken(_)
                if audio::probe(&bytes).is_ok_and(|probe| probe.samples > 0) =>
            {
                Err(sealed(
                    "a file that is encrypted, as its envelope says",
                    "a file that is stored clear",
                ))
            }
            Unsealed::NoKey => Err(TargetSound::Hidden(format!(
                "a private key for {}",
                certificates.join(" or ")
            ))),
            Unsealed::Broken(why) => Err(sealed("a file that its own key opens", &why)),
        });
        opened.await
    }
}

/// A file that is not what its envelope says.
fn sealed(expected: &str, actual: &str) -> TargetSound {
    TargetSound::Compared(vec![Difference::new(
        Defect::EncryptionWrong,
        expected,
        actual,
    )])
}

/// A file to listen to.
struct Opened {
    /// Its content.
    bytes: Vec<u8>,
    /// How long it is as it lies there. Bytes.
    stored: u64,
}

/// What came of reading a target.
struct AudioResult {
    sound: TargetSound,
    fingerprint: Option<AudioFingerprint>,
    stored: Option<Stored>,
    /// Of the file's content, decrypted.
    sha256: Option<String>,
    /// What another program made of it. Absent: it was not to, or there is no sound.
    second_decoding: Option<SecondDecoding>,
}

/// What a target is judged by, shared with a worker thread.
#[derive(Clone)]
struct Judging {
    facts: Arc<crate::expected::SoundFacts>,
    pcm: Arc<Pcm>,
    wanted: Arc<Wanted>,
    content_type: Option<String>,
    /// Whether another program decodes the file too.
    use_second_decoder: bool,
}

impl Judging {
    fn judge(&self, bytes: &[u8], stored: u64) -> AudioResult {
        let Verdict {
            differences,
            fingerprint,
            duration_ms,
        } = judge(
            &self.facts,
            &self.pcm,
            &self.wanted,
            bytes,
            self.content_type.as_deref(),
        );
        AudioResult {
            sound: TargetSound::Compared(differences),
            fingerprint,
            stored: Some(Stored {
                bytes: stored,
                duration_ms,
            }),
            sha256: None,
            second_decoding: None,
        }
    }
}

/// Lengths that differ by no more are one: encoders put up to four MP3 frames of 72 ms before and
/// behind.
const LENGTH_TOLERANCE_MS: u64 = 300;

/// A source's audio as it was read.
struct SourceRead {
    sound: SourceSound,
    pcm: Option<Arc<Pcm>>,
    /// It is not what the source's own record says. Absent: it is, as far as that says anything.
    otherwise: Option<Otherwise>,
    /// Hash of the answer's bytes, hex. Absent: they were not read, or not twice the same.
    sha256: Option<String>,
    /// Their number. Absent: as above.
    bytes: Option<u64>,
    /// What another program made of it. Absent: it was not to, or we do not read it ourselves.
    second_decoding: Option<SecondDecoding>,
}

/// How an answer for a recording's audio differs from the recording's own record.
struct Otherwise {
    /// Both, in words, and what to do.
    why: String,
    /// Hash of the answer's bytes, hex.
    sha256: String,
}

/// What an answer is instead of what its record says: of another size, or a page of text where
/// audio is declared.
fn otherwise(
    recording: &SourceRecording,
    bytes: &[u8],
    content_type: Option<&str>,
) -> Option<Otherwise> {
    let details = recording.details.as_ref().ok()?;
    let kind = |text: &str| {
        text.split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase()
    };
    let kind_now = content_type.map(kind).unwrap_or_default();
    let is_page = kind_now.starts_with("text/")
        || [
            "application/json",
            "application/problem+json",
            "application/xml",
        ]
        .contains(&kind_now.as_str());
    let page =
        is_page && details.content_type.as_deref().map(kind).as_deref() != Some(kind_now.as_str());
    let size = details
        .size_bytes
        .filter(|declared| *declared != bytes.len() as u64);
    let said = match (size, page) {
        (None, false) => return None,
        (Some(declared), false) => format!("{declared} bytes"),
        (None, true) => details
            .content_type
            .as_deref()
            .unwrap_or("audio")
            .to_owned(),
        (Some(declared), true) => format!(
            "{declared} bytes of {}",
            details.content_type.as_deref().unwrap_or("audio")
        ),
    };
    let of = if kind_now.is_empty() {
        String::new()
    } else {
        format!(" of {kind_now}")
    };
    let why = format!(
        "the source's audio of recording {}: it answers {} bytes{of} where its record says {said}; \
         ask the source's operator",
        recording.id,
        bytes.len()
    );
    Some(Otherwise {
        why,
        sha256: crate::sound::hash(bytes),
    })
}

/// Whether a reading must be repeated before it counts against the source.
fn suspicious(
    sound: &SourceSound,
    recording: &SourceRecording,
    bytes: u64,
    tolerance_ms: u64,
) -> bool {
    let details = recording.details.as_ref().ok();
    let other_size = details
        .and_then(|details| details.size_bytes)
        .is_some_and(|declared| declared != bytes);
    match sound {
        SourceSound::Good(facts) => {
            let declared = details
                .and_then(|details| details.duration_ms)
                .and_then(|ms| u64::try_from(ms).ok());
            other_size
                || facts.damaged
                || declared.is_some_and(|declared| facts.duration_ms() + tolerance_ms < declared)
        }
        SourceSound::Bad(_) => true,
        SourceSound::NotRead | SourceSound::Unreadable(_) => false,
    }
}

/// As the target should sound: foreign audio is compared with what its owner should have become.
fn altered_fingerprint(pcm: &Pcm, pauses: &[Pause], rule: PauseRule) -> AudioFingerprint {
    if rule == PauseRule::Keep || pauses.is_empty() {
        return AudioFingerprint::of(pcm);
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
    AudioFingerprint::of(&pcm)
}
