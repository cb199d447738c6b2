//! Conversion in blocks decides and writes what conversion of the whole does.

use std::io::{Cursor, Read, Seek};

use audio::{Pcm, decode, encode, probe, silence, tone};
use proptest::prelude::*;

use super::*;

fn recording(declared_duration_ms: Option<i64>, pauses_ms: &[(i64, i64)]) -> CanonicalRecording {
    CanonicalRecording {
        legacy_recording_id: "4411-1".to_owned(),
        legacy_segment_id: None,
        start: "2024-03-01T10:00:00Z".parse().expect("time"),
        end: "2024-03-01T10:01:00Z".parse().expect("time"),
        recording_url_source: None,
        recording_format: None,
        declared_duration_ms,
        file_name: None,
        retention_class: None,
        delete_at: None,
        legal_hold: false,
        pauses_ms: pauses_ms.to_vec(),
        pauses_whole: true,
        time_usable: true,
    }
}

/// A rising and falling hum, so that every place sounds different.
fn hum(samples: usize, channels: usize, sample_rate: u32) -> Pcm {
    let channel = |pitch: f64| {
        (0..samples)
            .map(|at| ((at as f64 / 900.0).sin() * 6000.0 * (at as f64 * pitch).sin()) as i16)
            .collect()
    };
    Pcm {
        sample_rate,
        channels: (0..channels)
            .map(|index| channel(0.2 + 0.1 * index as f64))
            .collect(),
    }
}

/// Converts in blocks; the answer and what stands in the sink.
fn in_blocks(
    bytes: &[u8],
    of: &CanonicalRecording,
    rules: &AudioRules,
    pauses: &Pauses,
) -> Result<(Converted, Vec<u8>), ConvertError> {
    let mut sink = Cursor::new(Vec::new());
    let converted = convert(&mut Cursor::new(bytes), &mut sink, of, rules, pauses)?;
    Ok((converted, sink.into_inner()))
}

/// The same decision made the plain way: everything decoded, judged, covered and encoded as a
/// whole.
fn whole(
    bytes: &[u8],
    of: &CanonicalRecording,
    rules: &AudioRules,
    pauses: &Pauses,
) -> Result<(Converted, Vec<u8>), ConvertError> {
    let (found, mut pcm) = decode(bytes).map_err(of_source)?;
    judge_length(&found, of, rules)?;
    let alter = !of.pauses_ms.is_empty() && *pauses != Pauses::Keep;
    let head = Head {
        container: found.container,
        codec: found.codec,
        channels: found.channels,
        sample_rate: found.sample_rate,
    };
    let Some(codec) = codec_needed(head, rules.format, alter) else {
        return Ok((Converted::Kept { probe: found }, Vec::new()));
    };
    for &(start, end) in of.pauses_ms.iter().filter(|_| alter) {
        if start < 0 || start >= end || start >= pcm.duration_ms() as i64 {
            return judge_pauses(&found, &[(start, end)], true)
                .map(|()| unreachable!("such a pause is refused"));
        }
        let cover = if *pauses == Pauses::Tone {
            tone
        } else {
            silence
        };
        cover(&mut pcm, start as u64, end as u64);
    }
    let out = encode(&pcm, codec).expect("encodes");
    let converted = Converted::Transcoded {
        bytes: out.len() as u64,
        sha256: hex::encode(Sha256::digest(&out)),
        probe: probe(&out).expect("probes"),
        encoder: audio::encoder_version(codec),
    };
    Ok((converted, out))
}

#[test]
fn every_codec_and_format_comes_out_as_if_converted_whole() {
    let rules = |format| AudioRules {
        format,
        ..AudioRules::default()
    };
    let narrow = [Codec::AmrNb, Codec::GsmRaw, Codec::GsmWav49];
    let wide = [
        Codec::PcmS16,
        Codec::PcmU8,
        Codec::Mulaw,
        Codec::Alaw,
        Codec::ImaAdpcm,
        Codec::MsAdpcm,
        Codec::Mp3,
    ];
    let mono = narrow
        .iter()
        .chain(&wide)
        .map(|codec| (*codec, hum(30_011, 1, 8000)));
    let stereo = wide.iter().map(|codec| (*codec, hum(70_003, 2, 16_000)));
    let odd = [
        (Codec::PcmS16, hum(9_999, 3, 8000)),
        (Codec::Mulaw, hum(9_999, 1, 7999)),
    ];
    for (codec, pcm) in mono.chain(stereo).chain(odd) {
        let bytes = encode(&pcm, codec).expect("encodes");
        for format in [AudioFormat::Mp3, AudioFormat::Wav, AudioFormat::Keep] {
            for pauses in [Pauses::Keep, Pauses::Silence, Pauses::Tone] {
                let of = recording(Some(1500), &[(100, 350), (900, 5000), (300, 950)]);
                let found = in_blocks(&bytes, &of, &rules(format), &pauses);
                assert!(
                    found == whole(&bytes, &of, &rules(format), &pauses),
                    "{codec} {format:?} {pauses:?}: {:?}",
                    found.map(|it| it.0)
                );
            }
        }
    }
}

#[test]
fn what_stays_behind_stays_behind_for_the_same_reason() {
    let good = encode(&hum(16_000, 1, 8000), Codec::Mulaw).expect("encodes");
    let silent = encode(&hum(0, 1, 8000), Codec::Mulaw).expect("a header alone");
    let cut = &good[..8058];
    let check = |bytes: &[u8], declared_ms, pauses_ms: &[(i64, i64)], expected: Reason| {
        let of = recording(declared_ms, pauses_ms);
        let found = in_blocks(bytes, &of, &AudioRules::default(), &Pauses::Silence).map(|it| it.0);
        let Err(ConvertError::Quarantine(aside)) = &found else {
            panic!("{declared_ms:?} {pauses_ms:?}: {found:?}")
        };
        assert_eq!(aside.reason, expected, "{declared_ms:?} {pauses_ms:?}");
        assert!(
            !aside.detail.is_empty(),
            "nobody is told what it is instead"
        );
        assert_eq!(
            aside.source_misbehaved,
            bytes.starts_with(b"<html"),
            "{aside:?}"
        );
        assert!(
            whole(bytes, &of, &AudioRules::default(), &Pauses::Silence).map(|it| it.0) == found,
            "{expected:?}"
        );
    };
    check(b"", None, &[], Reason::AudioEmpty);
    check(&silent, Some(2000), &[(5, 1)], Reason::AudioEmpty);
    check(&good[..58], None, &[(0, 1)], Reason::AudioUndecodable);
    check(b"<html>gone</html>", None, &[], Reason::AudioNotAudio);
    check(b"RIFF", None, &[(5, 1)], Reason::AudioUndecodable);
    check(cut, Some(2001), &[], Reason::AudioShort);
    // By the file's own promise, whatever the source says.
    check(&good[..6058], None, &[], Reason::AudioShort);
    check(&good[..6058], Some(700), &[], Reason::AudioShort);
    let mp3 = |channels| encode(&hum(24_000, channels, 8000), Codec::Mp3).expect("encodes");
    check(
        &[mp3(1), mp3(2)].concat(),
        Some(3000),
        &[],
        Reason::AudioShort,
    );
    let mut unsupported = good.clone();
    unsupported[20..22].copy_from_slice(&0x0130u16.to_le_bytes());
    check(&unsupported, Some(2000), &[], Reason::AudioUnsupported);
    // Short and with a pause that lies behind its end: short comes first.
    check(cut, Some(2001), &[(1500, 1600)], Reason::AudioShort);
    for pause in [(-1, 20), (20, -1), (20, 20), (30, 20), (2000, 2100)] {
        check(
            &good,
            Some(2000),
            &[(0, 10), pause],
            Reason::PiiUnprotectable,
        );
    }
}

#[test]
fn what_is_missing_is_said_in_the_decoders_words_and_what_may_go_goes() {
    let mp3 = |channels| encode(&hum(24_000, channels, 8000), Codec::Mp3).expect("encodes");
    let changing = [mp3(1), mp3(2)].concat();
    let of = recording(Some(3000), &[]);
    let detail =
        |rules: &AudioRules, bytes: &[u8]| match in_blocks(bytes, &of, rules, &Pauses::Keep) {
            Err(ConvertError::Quarantine(aside)) => aside.detail,
            other => panic!("{:?}", other.map(|it| it.0)),
        };
    let said = detail(&AudioRules::default(), &changing);
    assert!(
        said.contains("2 channels at 8000 Hz follow where 1 at 8000 Hz came before"),
        "{said}"
    );
    let migrate = AudioRules {
        short_source: ShortSource::Migrate,
        ..AudioRules::default()
    };
    assert!(
        in_blocks(&changing, &of, &migrate, &Pauses::Keep).is_ok(),
        "the plan says that it goes as it is"
    );
    let patient = AudioRules {
        short_tolerance_ms: 10_000,
        ..AudioRules::default()
    };
    assert!(
        in_blocks(&changing, &of, &patient, &Pauses::Keep).is_ok(),
        "within the plan's tolerance"
    );
    // G.726 in WAV, which ffmpeg would read.
    let mut g726 = encode(&hum(8000, 1, 8000), Codec::Mulaw).expect("encodes");
    g726[20..22].copy_from_slice(&0x0045u16.to_le_bytes());
    let never = AudioRules {
        ffmpeg: FfmpegUse::Never,
        ..AudioRules::default()
    };
    assert_eq!(
        detail(&never, &g726),
        "unsupported audio: G.726 in WAV (format tag 0x0045)"
    );
    // Bytes without a header are what their name says, unless they are something else.
    let bare = CanonicalRecording {
        file_name: Some("4411-1.G722".to_owned()),
        ..recording(Some(3000), &[])
    };
    let reason =
        |bytes: &[u8], of: &CanonicalRecording| match in_blocks(bytes, of, &never, &Pauses::Keep) {
            Err(ConvertError::Quarantine(aside)) => aside.reason,
            other => panic!("{:?}", other.map(|it| it.0)),
        };
    assert_eq!(reason(&[7; 4000], &bare), Reason::AudioUnsupported);
    assert_eq!(reason(&[7; 4000], &of), Reason::AudioNotAudio);
    assert_eq!(reason(b"<html>gone</html>", &bare), Reason::AudioNotAudio);
}

/// A disk that fails after so many bytes.
struct Failing(Cursor<Vec<u8>>, u64);

impl Read for Failing {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.0.position() >= self.1 {
            return Err(std::io::Error::other("the disk is gone"));
        }
        let most = into.len().min((self.1 - self.0.position()) as usize);
        self.0.read(&mut into[..most])
    }
}

impl Seek for Failing {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn a_disk_that_fails_says_nothing_about_the_recording() {
    for codec in [
        Codec::PcmS16,
        Codec::Mulaw,
        Codec::Mp3,
        Codec::AmrNb,
        Codec::GsmRaw,
    ] {
        let bytes = encode(&hum(40_000, 1, 8000), codec).expect("encodes");
        for readable in [0, 10, bytes.len() as u64 / 2] {
            let mut source = Failing(Cursor::new(bytes.clone()), readable);
            let found = convert(
                &mut source,
                &mut Cursor::new(Vec::new()),
                &recording(None, &[]),
                &AudioRules::default(),
                &Pauses::Keep,
            );
            assert!(
                matches!(found, Err(ConvertError::Io(_))),
                "{codec} after {readable}: {found:?}"
            );
        }
    }
}

/// A file with holes: its header says how much sound there is, and what is read of it is made by
/// the file system.
fn long_mulaw(bytes: u64) -> std::fs::File {
    let mut header = encode(&hum(0, 1, 8000), Codec::Mulaw).expect("a header alone");
    let at = header.len() - 4;
    header[at..].copy_from_slice(&u32::try_from(bytes).expect("below 4 GiB").to_le_bytes());
    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(&header).expect("writes");
    file.set_len(header.len() as u64 + bytes).expect("grows");
    file
}

#[test]
fn a_long_recording_never_stands_in_memory() {
    const BYTES: u64 = 64 << 20;
    let rules = AudioRules {
        format: AudioFormat::Wav,
        ..AudioRules::default()
    };
    let mut sink = tempfile::tempfile().expect("a file");
    let of = recording(None, &[(3_600_000, 7_200_000)]);
    let converted = convert(
        &mut long_mulaw(BYTES),
        &mut sink,
        &of,
        &rules,
        &Pauses::Tone,
    )
    .expect("converts");
    assert!(
        matches!(converted, Converted::Transcoded { bytes, .. } if bytes == 2 * BYTES + 44),
        "{converted:?}"
    );
    // Linux counts the highest memory of a process; the other tests of this one need a few MiB.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    if let Some(peak) = status.lines().find_map(|line| line.strip_prefix("VmHWM:")) {
        println!("peak of the process: {}", peak.trim());
        let kib: u64 = peak
            .trim()
            .trim_end_matches(" kB")
            .parse()
            .expect("a number");
        assert!(kib * 1024 < BYTES, "{peak}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_pauses_and_any_damage_come_out_the_same(
        pauses_ms in proptest::collection::vec((-50i64..4000, -50i64..4000), 0..4),
        declared_ms in proptest::option::of(0i64..6000),
        codec in proptest::sample::select(vec![Codec::PcmS16, Codec::Mulaw, Codec::ImaAdpcm, Codec::GsmRaw, Codec::Mp3]),
        hits in proptest::collection::vec((0.0f64..1.0, any::<u8>()), 0..6),
        cut in 0.0f64..2.0,
    ) {
        let mut bytes = encode(&hum(28_000, 1, 8000), codec).expect("encodes");
        for (place, value) in hits {
            let at = (place * bytes.len() as f64) as usize;
            bytes[at] = value;
        }
        bytes.truncate((bytes.len() as f64 * cut) as usize);
        let of = recording(declared_ms, &pauses_ms);
        let rules = AudioRules { format: AudioFormat::Wav, ..AudioRules::default() };
        prop_assert!(in_blocks(&bytes, &of, &rules, &Pauses::Tone) == whole(&bytes, &of, &rules, &Pauses::Tone));
    }
}
