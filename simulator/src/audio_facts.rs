//! What bytes say of themselves: what the truths tell of media.

/// What decoding says about bytes; all absent where they decode to nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct AudioFacts {
    pub(crate) codec: Option<String>,
    pub(crate) channels: Option<u16>,
    pub(crate) sample_rate: Option<u32>,
    pub(crate) samples: Option<u64>,
    pub(crate) pcm_sha256: Option<String>,
}

impl AudioFacts {
    /// Decodes bytes.
    pub(crate) fn of(bytes: &[u8]) -> AudioFacts {
        let Ok((probe, pcm)) = audio::decode(bytes) else {
            return AudioFacts::default();
        };
        AudioFacts {
            codec: Some(probe.codec.to_string()),
            channels: Some(probe.channels),
            sample_rate: Some(probe.sample_rate),
            samples: Some(probe.samples),
            pcm_sha256: Some(pcm.sha256()),
        }
    }
}
