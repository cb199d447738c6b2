//! A file's sound by our own decoder held against another program's, ffmpeg's or sox's. Where the
//! two differ nobody knows which of them is wrong.

use audio::{Codec, DecodeFailure, Decoded, Pcm, SecondDecoder};

use super::{Alignment, align};

/// Two decoders differ in length from here on: by more than what an encoder may add at both ends
/// and only one of them takes off (two frames of MP3 at 8 kHz, and a decoder's delay).
/// Milliseconds.
pub const DECODERS_LENGTH_APART_MS: u64 = 300;
/// Below this median correlation of all seconds with sound they differ, at one rate and at the lag
/// that fits best.
pub const DECODERS_LEAST_FIT: f64 = 0.99;
/// Fewer seconds than this share in their place: they differ somewhere.
pub const DECODERS_LEAST_IN_PLACE: f64 = 0.985;
/// They differ in loudness from here on. Two decoders of one lossy codec are 0.1 dB apart. Decibels.
pub const DECODERS_LOUDNESS_APART_DB: f64 = 1.0;
/// Below this there is only rounding. RMS.
const LEAST_LOUDNESS: f64 = 10.0;
/// Decoded bytes allowed for one of ours: two channels where we make one of a pair, at twice the
/// rate.
const MOST_GROWTH: u64 = 4;
const FREE_BYTES: u64 = 4 << 20;

/// What another program made of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SecondDecoding {
    /// Its name and version.
    pub(crate) program: String,
    pub(crate) comparison: DecoderComparison,
}

impl SecondDecoding {
    /// What would be needed to know how the file sounds. `side`: whose it is.
    fn need(&self, side: &str) -> Option<String> {
        let program = &self.program;
        match &self.comparison {
            DecoderComparison::Same | DecoderComparison::BothBroken(_) => None,
            DecoderComparison::Different(_) => Some(format!(
                "somebody to listen to the {side}'s file: {program} and our own decoder give \
                 different sound"
            )),
            DecoderComparison::NotDecoded(_) => Some(format!(
                "a second decoder for the {side}'s file, which {program} does not decode"
            )),
        }
    }
}

/// How that compares with our own decoding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum DecoderComparison {
    /// The same sound.
    Same,
    /// Other sound, or none, of a file that both find broken; in words.
    BothBroken(String),
    /// Other sound; in words.
    Different(String),
    /// It gives no sound; in words.
    NotDecoded(String),
}

/// What another program made of both files of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SecondDecodings {
    /// Absent: our own decoder does not read it, but leaves it to ffmpeg.
    pub(crate) source: Option<SecondDecoding>,
    pub(crate) target: SecondDecoding,
}

impl SecondDecodings {
    /// What would be needed to judge the recording. Absent: the decoders do not contradict each
    /// other.
    pub(crate) fn need(&self) -> Option<String> {
        self.sides().find_map(|(side, second)| second.need(side))
    }

    /// The same of the source's file alone.
    pub(crate) fn need_of_source(&self) -> Option<String> {
        self.source.as_ref()?.need("source")
    }

    /// Each file's side in words, and its second decoding.
    pub(crate) fn sides(&self) -> impl Iterator<Item = (&'static str, &SecondDecoding)> {
        let source = self.source.iter().map(|second| ("source", second));
        source.chain([("target", &self.target)])
    }
}

/// Decodes a file by both. Absent: our own decoder finds no sound in it, so there is nothing to
/// hold the other's against.
pub(crate) fn decode_by_second(decoders: &[SecondDecoder], bytes: &[u8]) -> Option<SecondDecoding> {
    let (probe, ours) = audio::decode(bytes).ok()?;
    let decoder = decoders
        .iter()
        .filter_map(|decoder| Some((decoder.rank(probe.container)?, decoder)))
        .min_by_key(|(rank, _)| *rank);
    let Some((_, decoder)) = decoder else {
        let names: Vec<String> = decoders.iter().map(SecondDecoder::name).collect();
        return Some(SecondDecoding {
            program: names.join(" and "),
            comparison: DecoderComparison::NotDecoded(DecodeFailure::UnsupportedFormat.to_string()),
        });
    };
    let ours_bytes = ours.samples() as u64 * ours.channels.len() as u64 * 2;
    let most = FREE_BYTES.saturating_add(MOST_GROWTH.saturating_mul(ours_bytes));
    let is_broken = !probe.damage.is_empty();
    let comparison = match decoder.decode(bytes, probe.container, most) {
        Ok(Decoded {
            pcm,
            reports_errors,
        }) => match difference((&ours, probe.codec), &pcm) {
            Some(words) if is_broken && reports_errors => DecoderComparison::BothBroken(words),
            Some(words) => DecoderComparison::Different(words),
            None => DecoderComparison::Same,
        },
        Err(why @ DecodeFailure::NoSound) if is_broken => {
            DecoderComparison::BothBroken(why.to_string())
        }
        Err(why) => DecoderComparison::NotDecoded(why.to_string()),
    };
    Some(SecondDecoding {
        program: decoder.name(),
        comparison,
    })
}

/// In what another decoding differs from ours; `None`: in nothing.
pub(crate) fn difference(ours: (&Pcm, Codec), theirs: &Pcm) -> Option<String> {
    let (ours, codec) = ours;
    if ours.channels.len() != theirs.channels.len() {
        return Some(format!(
            "{} channels instead of {}",
            theirs.channels.len(),
            ours.channels.len()
        ));
    }
    let (our_ms, their_ms) = (ours.duration_ms(), theirs.duration_ms());
    if our_ms.abs_diff(their_ms) > DECODERS_LENGTH_APART_MS {
        return Some(format!("{their_ms} ms instead of {our_ms} ms"));
    }
    let Alignment { held, typical } = align((ours, codec), (theirs, Codec::PcmS16), &[]);
    if typical < DECODERS_LEAST_FIT {
        return Some(format!("a correlation of {typical:.3}"));
    }
    if let Some(held) = held.filter(|held| *held < DECODERS_LEAST_IN_PLACE) {
        let percent = held * 100.0;
        return Some(format!("only {percent:.1} % of the seconds in their place"));
    }
    let (our_level, their_level) = (loudness(ours), loudness(theirs));
    let apart_db = 20.0 * (their_level.max(1.0) / our_level.max(1.0)).log10();
    let is_heard = our_level.max(their_level) >= LEAST_LOUDNESS;
    (is_heard && apart_db.abs() > DECODERS_LOUDNESS_APART_DB)
        .then(|| format!("a loudness {apart_db:+.1} dB apart"))
}

/// Of all channels together. RMS.
fn loudness(pcm: &Pcm) -> f64 {
    let samples = pcm.channels.iter().flatten();
    let (sum, count) = samples.fold((0.0, 0_u64), |(sum, count), sample| {
        (sum + f64::from(*sample).powi(2), count + 1)
    });
    (sum / count.max(1) as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sound::content::testing::{speech, through};

    fn changed(pcm: &Pcm, change: impl Fn(&[i16]) -> Vec<i16>) -> Pcm {
        Pcm {
            sample_rate: pcm.sample_rate,
            channels: pcm.channels.iter().map(|channel| change(channel)).collect(),
        }
    }

    #[test]
    fn one_sound_is_told_from_another_and_its_half() {
        let source = speech(5, 12.0, 2);
        let ours = through(&source, Codec::Mp3);
        let told = |theirs: &Pcm| difference((&ours, Codec::Mp3), theirs);
        // Another decoder may leave the encoder's delay in, and give another rate.
        let late = changed(&ours, |channel| [vec![0; 1105], channel.to_vec()].concat());
        let twice_the_rate = Pcm {
            sample_rate: 16_000,
            channels: changed(&ours, |channel| {
                let between = |at: usize| {
                    let next = channel.get(at + 1).unwrap_or(&channel[at]);
                    [
                        channel[at],
                        ((i32::from(channel[at]) + i32::from(*next)) / 2) as i16,
                    ]
                };
                (0..channel.len()).flat_map(between).collect()
            })
            .channels,
        };
        for same in [&ours, &late, &twice_the_rate] {
            assert_eq!(told(same), None);
        }
        let cases: [(&str, Pcm, &str); 7] = [
            (
                "half of it",
                changed(&ours, |channel| channel[..channel.len() / 2].to_vec()),
                " ms instead of ",
            ),
            (
                "one channel",
                Pcm {
                    sample_rate: 8000,
                    channels: vec![ours.channels[0].clone()],
                },
                "1 channels instead of 2",
            ),
            ("another call", speech(6, 12.0, 2), "a correlation of "),
            (
                "the second half silent",
                changed(&ours, |channel| {
                    let mut channel = channel.to_vec();
                    let half = channel.len() * 11 / 20;
                    channel[half..].fill(0);
                    channel
                }),
                "% of the seconds in their place",
            ),
            (
                "channels exchanged",
                Pcm {
                    sample_rate: 8000,
                    channels: vec![ours.channels[1].clone(), ours.channels[0].clone()],
                },
                "a correlation of ",
            ),
            (
                "a law misread",
                through(&speech(6, 12.0, 2), Codec::Mulaw),
                "a correlation of ",
            ),
            (
                "half as loud",
                changed(&ours, |channel| {
                    channel.iter().map(|sample| sample / 2).collect()
                }),
                "a loudness -6.0 dB apart",
            ),
        ];
        for (what, theirs, words) in cases {
            let told = told(&theirs).unwrap_or_default();
            assert!(told.contains(words), "{what}: {told:?}");
        }
    }

    #[test]
    fn silence_is_silence_to_both() {
        let silence = Pcm {
            sample_rate: 8000,
            channels: vec![vec![0; 40_000]],
        };
        let hiss = Pcm {
            sample_rate: 8000,
            channels: vec![(0..40_000).map(|at| (at % 3 - 1) as i16).collect()],
        };
        assert_eq!(difference((&silence, Codec::PcmS16), &silence), None);
        assert_eq!(difference((&silence, Codec::PcmS16), &hiss), None);
    }

    #[test]
    fn what_is_needed_names_the_side_and_the_program() {
        let second = |comparison| SecondDecoding {
            program: "sox 14.4.2".to_owned(),
            comparison,
        };
        let mut heard = SecondDecodings {
            source: None,
            target: second(DecoderComparison::Same),
        };
        assert_eq!(heard.need(), None);
        heard.target = second(DecoderComparison::Different(
            "a correlation of 0.1".to_owned(),
        ));
        let need = heard.need().unwrap_or_default();
        assert!(
            need.contains("sox 14.4.2") && need.contains("the target's"),
            "{need}"
        );
        assert_eq!(heard.need_of_source(), None, "the source's is not in doubt");
        heard.source = Some(second(DecoderComparison::NotDecoded(
            "it gives no sound".to_owned(),
        )));
        let need = heard.need().unwrap_or_default();
        assert!(
            need.contains("does not decode") && need.contains("the source's"),
            "{need}"
        );
        assert_eq!(heard.need_of_source(), Some(need));
        heard.source = Some(second(DecoderComparison::BothBroken("x".to_owned())));
        assert_eq!(heard.need_of_source(), None, "both find it broken");
    }

    #[test]
    #[ignore = "needs ffmpeg and sox; ./check runs it"]
    fn the_programs_agree_with_us_on_what_we_encode() {
        let decoders = SecondDecoder::all();
        assert_eq!(decoders.len(), 2, "{decoders:?}");
        let codecs = [
            Codec::PcmS16,
            Codec::Mulaw,
            Codec::Alaw,
            Codec::ImaAdpcm,
            Codec::Mp3,
            Codec::AmrNb,
            Codec::GsmWav49,
        ];
        for codec in codecs {
            let bytes = audio::encode(&speech(9, 9.0, 1), codec).expect("encodes");
            for decoder in &decoders {
                let heard = decode_by_second(std::slice::from_ref(decoder), &bytes).expect("sound");
                assert_eq!(
                    heard.comparison,
                    DecoderComparison::Same,
                    "{codec:?}: {heard:?}"
                );
            }
        }
        let mut broken = audio::encode(&speech(9, 9.0, 1), Codec::Mp3).expect("encodes");
        broken[2000..6000].fill(0x55);
        let heard = decode_by_second(&decoders, &broken).expect("sound");
        assert!(
            matches!(
                heard.comparison,
                DecoderComparison::Same | DecoderComparison::BothBroken(_)
            ),
            "both find it broken: {heard:?}"
        );
    }
}
