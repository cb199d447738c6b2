//! Files that lie, end early or were never audio.

mod speech;

use audio::{AudioError, Codec, Container, decode, decode_file, encode, probe, probe_file};
use proptest::prelude::*;

fn looks_like(bytes: &[u8]) -> &'static str {
    match decode(bytes) {
        Err(AudioError::NotAudio { looks_like }) => looks_like,
        other => panic!(
            "expected not audio, got {:?}",
            other.map(|(probe, _)| probe)
        ),
    }
}

fn valid_files() -> Vec<(Codec, Vec<u8>)> {
    let pcm = speech::mono(5, 0.7);
    [
        Codec::PcmS16,
        Codec::Mulaw,
        Codec::ImaAdpcm,
        Codec::MsAdpcm,
        Codec::Mp3,
        Codec::AmrNb,
        Codec::GsmWav49,
        Codec::GsmRaw,
    ]
    .map(|codec| (codec, encode(&pcm, codec).expect("writes")))
    .to_vec()
}

#[test]
fn nothing_and_error_pages_are_told_apart() {
    assert!(matches!(decode(b""), Err(AudioError::Empty)));
    assert!(matches!(probe(b""), Err(AudioError::Empty)));
    assert_eq!(
        looks_like(b"<html><body>502 Bad Gateway</body></html>"),
        "html"
    );
    assert_eq!(
        looks_like(br#"{"message":"Too many requests","code":"too.many.requests"}"#),
        "json"
    );
    assert_eq!(looks_like(b"<?xml version='1.0'?><Error/>"), "xml");
    assert_eq!(looks_like(b"PK\x03\x04rest of an archive"), "zip");
    assert_eq!(looks_like(&[0; 4000]), "zero bytes");
}

#[test]
fn a_truncated_wav_gives_what_is_there_and_says_where_it_ends() {
    let pcm = speech::mono(6, 2.0);
    let bytes = encode(&pcm, Codec::Mulaw).expect("writes");
    let (probe, back) = decode(&bytes[..bytes.len() - 8000]).expect("decodes");
    assert_eq!((probe.samples, back.samples()), (8000, 8000));
    assert_eq!(probe.damage.len(), 1);
    assert_eq!(probe.damage[0].at_ms, 1000);
    assert_eq!(
        probe.damage[0].what,
        "data ends early: 8000 of 16000 bytes are there"
    );
    assert_eq!(probe.lost_ms(), 1000);
}

#[test]
fn a_truncated_mp3_is_told_by_its_own_frame_count() {
    let bytes = encode(&speech::mono(7, 10.0), Codec::Mp3).expect("writes");
    let whole = probe(&bytes).expect("probes").samples;
    let (cut, _) = decode(&bytes[..bytes.len() / 2]).expect("decodes");
    assert!(cut.samples < whole * 6 / 10 && cut.samples > whole * 4 / 10);
    assert!(
        cut.damage
            .iter()
            .any(|damage| damage.what.starts_with("stream ends early")),
        "{:?}",
        cut.damage
    );
}

#[test]
fn a_hole_in_an_mp3_is_located() {
    let mut bytes = encode(&speech::mono(8, 10.0), Codec::Mp3).expect("writes");
    let middle = bytes.len() / 2;
    bytes[middle..middle + 400].fill(0x55);
    let (found, _) = decode(&bytes).expect("decodes");
    let first = found.damage.first().expect("damage");
    assert!((4000..6500).contains(&first.at_ms), "{:?}", found.damage);
}

#[test]
fn an_mp3_without_its_head_says_so() {
    let bytes = encode(&speech::stereo(8, 10.0), Codec::Mp3).expect("writes");
    let (found, _) = decode(&bytes[bytes.len() / 2..]).expect("decodes");
    assert!(!found.damage.is_empty());
}

#[test]
fn a_bad_amr_record_is_skipped_and_named() {
    let mut bytes = encode(&speech::mono(9, 1.0), Codec::AmrNb).expect("writes");
    bytes.splice(6 + 32 * 10..6 + 32 * 10, [0x7f, 0xff]);
    let (found, _) = decode(&bytes).expect("decodes");
    assert_eq!(found.samples, 8000);
    assert_eq!(found.damage.len(), 1);
    assert_eq!(
        (found.damage[0].at_ms, found.damage[0].what.as_str()),
        (200, "2 bytes that are no AMR frames skipped")
    );
}

#[test]
fn headers_that_claim_gigabytes_cost_nothing() {
    let mut wav = encode(&speech::mono(10, 0.1), Codec::PcmS16).expect("writes");
    let at = wav
        .windows(4)
        .position(|four| four == b"data")
        .expect("data")
        + 4;
    wav[at..at + 4].copy_from_slice(&0x2000_0000u32.to_le_bytes());
    let (found, _) = decode(&wav).expect("decodes");
    assert_eq!((found.samples, found.damage.len()), (800, 1));
    for size in [
        u32::MAX,
        0x7FFF_F000,
        0x7FFF_FFFF,
        0x8000_0000,
        0xFFFF_FFDB,
        0,
    ] {
        wav[at..at + 4].copy_from_slice(&size.to_le_bytes());
        let (found, _) = decode(&wav).expect("decodes");
        assert_eq!(
            (found.samples, found.damage.len()),
            (800, 0),
            "{size:#x}: written to a pipe, length unknown, not wrong"
        );
    }
    let chunks = [&b"RIFF\0\0\0\0WAVE"[..], &vec![0; 1 << 20]].concat();
    assert!(matches!(
        decode(&chunks),
        Err(AudioError::Undecodable { .. })
    ));
}

#[test]
fn files_are_read_like_bytes() {
    let folder = tempfile::tempdir().expect("folder");
    for (codec, bytes) in valid_files() {
        // A misleading name must not matter.
        let path = folder.path().join(format!("{codec}.html"));
        std::fs::write(&path, &bytes).expect("writes");
        assert_eq!(
            decode_file(&path).expect("decodes"),
            decode(&bytes).expect("decodes")
        );
        assert_eq!(
            probe_file(&path).expect("probes"),
            probe(&bytes).expect("probes")
        );
    }
    assert!(matches!(
        decode_file(folder.path().join("absent")),
        Err(AudioError::Io(_))
    ));
    assert!(
        matches!(decode_file(folder.path()), Err(AudioError::Io(_))),
        "a folder is not an empty recording"
    );
}

#[test]
fn mp3_inside_wav_is_read() {
    let pcm = speech::mono(11, 1.0);
    let mp3 = encode(&pcm, Codec::Mp3).expect("writes");
    let mut wav =
        b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x55\0\x01\0\x40\x1f\0\0\0\x10\0\0\x01\0\0\0data".to_vec();
    wav.extend((mp3.len() as u32).to_le_bytes());
    wav.extend(&mp3);
    let (found, back) = decode(&wav).expect("decodes");
    assert_eq!(
        (found.container, found.codec, back.samples()),
        (Container::Wav, Codec::Mp3, 8000)
    );
}

/// Decoding and probing agree, and stay inside the promised memory.
fn survives(bytes: &[u8]) -> Result<(), TestCaseError> {
    let decoded = decode(bytes);
    let probed = probe(bytes);
    match (decoded, probed) {
        (Ok((first, pcm)), Ok(second)) => {
            prop_assert_eq!(first.samples, pcm.samples() as u64);
            prop_assert!(first.samples > 0 && first.damage.len() <= 100);
            prop_assert!(pcm.samples() * pcm.channels.len() * 2 <= (16 << 20) + 1024 * bytes.len());
            prop_assert_eq!(first, second);
        }
        (Err(AudioError::Undecodable { reason }), Err(_)) => {
            prop_assert!(!reason.contains("report this file"), "{reason}")
        }
        (Err(_), Err(_)) => {}
        (first, second) => prop_assert!(
            false,
            "{:?} but {:?}",
            first.map(|(probe, _)| probe),
            second
        ),
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..3000)) {
        survives(&bytes)?;
    }

    #[test]
    fn arbitrary_bytes_behind_a_true_start_never_panic(
        start in proptest::sample::select(vec![
            &b"RIFF\x00\x10\0\0WAVE"[..], b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0", b"#!AMR\n", b"ID3\x04\0\0\0\0\0\0\xff\xfb\x90\x64",
            b"\xff\xe3\x18\xc4", b"fLaC\0\0\0\x22", b"OggS\0\x02", b"\0\0\0\x20ftypM4A ", b"\xff\xf1\x6c\x40\x20\x1f\xfc",
            b".snd\0\0\0\x18\xff\xff\xff\xff\0\0\0\x01\0\0\x1f\x40\0\0\0\x01", b"FORM\0\0\x10\0AIFFCOMM\0\0\0\x12", b"FORM\0\0\x10\0AIFC",
            b"\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm", b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\0\0", b"RF64\xff\xff\xff\xffWAVEds64\x1c\0\0\0",
        ]),
        bytes in proptest::collection::vec(any::<u8>(), 0..2000),
    ) {
        survives(&[start, &bytes].concat())?;
    }

    #[test]
    fn damaged_files_never_panic(
        which in 0usize..8,
        cut in 0.0f64..1.5,
        hits in proptest::collection::vec((0.0f64..1.0, any::<u8>()), 0..20),
        header_hits in proptest::collection::vec((0usize..60, any::<u8>()), 0..4),
    ) {
        let mut bytes = valid_files().swap_remove(which).1;
        for (place, value) in hits {
            let at = (place * bytes.len() as f64) as usize;
            bytes[at] = value;
        }
        for (at, value) in header_hits {
            bytes[at] = value;
        }
        bytes.truncate((bytes.len() as f64 * cut) as usize);
        survives(&bytes)?;
    }

    #[test]
    fn any_cut_of_a_wav_keeps_every_whole_sample(samples in 1usize..2000, lost in 0usize..4000) {
        let mut pcm = speech::mono(12, 0.3);
        pcm.channels[0].truncate(samples);
        let bytes = encode(&pcm, Codec::PcmS16).expect("writes");
        let kept = bytes.len() - lost.min(bytes.len() - 44);
        match decode(&bytes[..kept]) {
            Ok((_, back)) => prop_assert_eq!(&back.channels[0][..], &pcm.channels[0][..(kept - 44) / 2]),
            Err(_) => prop_assert!(kept < 46),
        }
    }
}
