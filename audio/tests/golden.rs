//! Agreement with sox and ffmpeg, the outside referees.

mod speech;

use audio::compare::likeness;
use audio::{Codec, Pcm, Playback, decode, encode, encode_playback};
use std::path::Path;
use std::process::Command;

/// Runs a tool in a folder of its own.
fn run(folder: &Path, line: &str) {
    let words: Vec<&str> = line.split_whitespace().collect();
    let output = Command::new(words[0])
        .args(&words[1..])
        .current_dir(folder)
        .output()
        .unwrap_or_else(|error| panic!("{line}: {error}"));
    assert!(
        output.status.success(),
        "{line}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn write(folder: &Path, name: &str, pcm: &Pcm, codec: Codec) {
    std::fs::write(folder.join(name), encode(pcm, codec).expect("writes")).expect("writes");
}

fn read(folder: &Path, name: &str) -> Pcm {
    let (found, pcm) = decode(&std::fs::read(folder.join(name)).expect("reads")).expect("decodes");
    assert_eq!(found.damage, [], "{name}");
    pcm
}

const FFMPEG: &str = "ffmpeg -nostdin -loglevel error -y -bitexact";

/// Our decoder against ffmpeg's on the same file: the same samples, apart from at most `most` per
/// sample.
fn check_decoder(folder: &Path, name: &str, most: i32) {
    run(
        folder,
        &format!("{FFMPEG} -i {name} -c:a pcm_s16le referee.wav"),
    );
    let (ours, theirs) = (read(folder, name), read(folder, "referee.wav"));
    assert_eq!(ours.sample_rate, theirs.sample_rate, "{name}");
    assert_eq!(ours.channels.len(), theirs.channels.len(), "{name}");
    // ffmpeg knows no `fact`: it plays the padding of the last block.
    assert!(
        theirs.samples() >= ours.samples(),
        "{name}: {} of {}",
        ours.samples(),
        theirs.samples()
    );
    for (ours, theirs) in ours.channels.iter().zip(&theirs.channels) {
        let worst = ours
            .iter()
            .zip(theirs)
            .map(|(&a, &b)| (i32::from(a) - i32::from(b)).abs())
            .max();
        assert!(worst <= Some(most), "{name}: differs by {worst:?}");
    }
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("folder")
}

#[test]
#[ignore = "needs ffmpeg; ./check runs it"]
fn files_of_ffmpeg_decode_to_the_same_samples() {
    let folder = folder();
    let at = folder.path();
    write(at, "in.wav", &speech::stereo(40, 5.0), Codec::PcmS16);
    for (codec, channels, name, most) in [
        ("pcm_s16le", 2, "a.wav", 0),
        ("pcm_u8", 1, "b.wav", 0),
        ("pcm_mulaw", 2, "c.wav", 0),
        ("pcm_alaw", 2, "d.wav", 0),
        ("adpcm_ima_wav", 1, "e.wav", 0),
        ("adpcm_ima_wav", 2, "f.wav", 0),
        ("adpcm_ms", 1, "g.wav", 0),
        ("adpcm_ms", 2, "h.wav", 0),
        ("libgsm_ms", 1, "i.wav", 0),
        ("libgsm", 1, "j.gsm", 0),
        ("libmp3lame", 2, "k.mp3", 1),
        ("libmp3lame", 1, "l.mp3", 1),
        ("flac", 2, "m.flac", 0),
    ] {
        let line = format!("{FFMPEG} -i in.wav -ac {channels} -c:a {codec} {name}");
        run(at, &line);
        check_decoder(at, name, most);
    }
}

#[test]
#[ignore = "needs ffmpeg; ./check runs it"]
fn our_gsm_is_the_same_bytes_as_libgsm() {
    let folder = folder();
    let at = folder.path();
    let source = speech::mono(47, 6.0);
    write(at, "in.wav", &source, Codec::PcmS16);
    run(at, &format!("{FFMPEG} -i in.wav -c:a libgsm theirs.gsm"));
    let theirs = std::fs::read(at.join("theirs.gsm")).expect("reads");
    assert_eq!(encode(&source, Codec::GsmRaw).expect("writes"), theirs);
}

#[test]
#[ignore = "needs ffmpeg; ./check runs it"]
fn aac_and_vorbis_of_ffmpeg_sound_the_same() {
    let folder = folder();
    let at = folder.path();
    let source = speech::mono(41, 8.0);
    write(at, "in.wav", &source, Codec::PcmS16);
    for name in ["a.aac", "b.m4a", "c.ogg"] {
        run(at, &format!("{FFMPEG} -i in.wav -ar 16000 {name}"));
        let found = likeness(&source, &read(at, name));
        assert!(found.min_window > 0.9, "{name}: {found:?}");
    }
}

#[test]
#[ignore = "needs ffmpeg; ./check runs it"]
fn our_files_decode_to_the_same_samples_in_ffmpeg() {
    let folder = folder();
    let at = folder.path();
    for (codec, most) in [
        (Codec::PcmS16, 0),
        (Codec::PcmU8, 0),
        (Codec::Mulaw, 0),
        (Codec::Alaw, 0),
        (Codec::ImaAdpcm, 0),
        (Codec::MsAdpcm, 0),
        (Codec::Mp3, 1),
        (Codec::GsmWav49, 0),
        (Codec::GsmRaw, 0),
    ] {
        for pcm in [speech::mono(42, 3.21), speech::stereo(42, 3.21)] {
            let narrow = matches!(codec, Codec::GsmWav49 | Codec::GsmRaw);
            if narrow && pcm.channels.len() > 1 {
                continue;
            }
            let name = format!("{codec}.{}", codec.container().extension());
            write(at, &name, &pcm, codec);
            check_decoder(at, &name, most);
        }
    }
}

#[test]
#[ignore = "needs sox; ./check runs it"]
fn our_wav_files_have_the_right_length_in_sox() {
    let folder = folder();
    let at = folder.path();
    let pcm = speech::stereo(43, 2.345);
    for codec in [
        Codec::PcmS16,
        Codec::PcmU8,
        Codec::Mulaw,
        Codec::Alaw,
        Codec::ImaAdpcm,
        Codec::MsAdpcm,
    ] {
        write(at, "ours.wav", &pcm, codec);
        run(at, "sox -R ours.wav -b 16 -e signed-integer theirs.wav");
        let theirs = read(at, "theirs.wav");
        // sox plays the padding of the last ADPCM block too: it reads no `fact`.
        let most = match codec {
            Codec::ImaAdpcm => 504,
            Codec::MsAdpcm => 499,
            _ => 0,
        };
        let padding = theirs.samples().checked_sub(pcm.samples());
        assert!(
            padding <= Some(most) && padding.is_some(),
            "{codec}: {padding:?}"
        );
        assert_eq!(theirs.channels.len(), 2, "{codec}");
        let found = likeness(&pcm, &theirs);
        assert!(found.min_window > 0.95, "{codec}: {found:?}");
    }
    let mono = speech::mono(43, 2.345);
    write(at, "ours.wav", &mono, Codec::GsmWav49);
    run(at, "sox -R ours.wav -b 16 -e signed-integer theirs.wav");
    assert_eq!(
        read(at, "theirs.wav").samples(),
        mono.samples().next_multiple_of(320)
    );
}

#[test]
#[ignore = "needs sox; ./check runs it"]
fn files_of_sox_are_read() {
    let folder = folder();
    let at = folder.path();
    let source = speech::mono(44, 6.0);
    write(at, "in.wav", &source, Codec::PcmS16);
    for (options, name) in [
        ("-e ima-adpcm", "a.wav"),
        ("-e ms-adpcm", "b.wav"),
        ("-e gsm-full-rate", "c.wav"),
        ("-e mu-law", "d.wav"),
        ("-e a-law", "e.wav"),
        ("", "f.gsm"),
    ] {
        run(at, &format!("sox -R in.wav {options} {name}"));
        let found = likeness(&source, &read(at, name));
        assert!(found.min_window > 0.95, "{name}: {found:?}");
        let missing = source.samples().abs_diff(read(at, name).samples());
        assert!(missing < 320, "{name}: {missing} samples off");
    }
}

#[test]
#[ignore = "needs sox; ./check runs it"]
fn amr_with_pauses_in_transmission_keeps_its_length_and_sound() {
    let folder = folder();
    let at = folder.path();
    let mut source = speech::mono(45, 20.0);
    audio::silence(&mut source, 6000, 12_000);
    write(at, "in.wav", &source, Codec::PcmS16);
    run(at, "sox -R in.wav theirs.amr-nb");
    let bytes = std::fs::read(at.join("theirs.amr-nb")).expect("reads");
    assert!(
        bytes.len() < 20 * 50 * 13,
        "sox left the pause out of the transmission"
    );
    let ours = read(at, "theirs.amr-nb");
    assert_eq!(ours.samples(), source.samples());
    run(at, "sox -R theirs.amr-nb referee.wav");
    let referee = read(at, "referee.wav");
    let found = likeness(&referee, &ours);
    assert!(
        found.min_window > 0.98 && found.bit_error < Some(0.05),
        "{found:?}"
    );
}

#[test]
#[ignore = "needs sox and ffmpeg; ./check runs it"]
fn our_amr_is_understood_by_sox_and_ffmpeg() {
    let folder = folder();
    let at = folder.path();
    let source = speech::mono(46, 8.0);
    write(at, "ours.amr", &source, Codec::AmrNb);
    let ours = read(at, "ours.amr");
    std::fs::copy(at.join("ours.amr"), at.join("ours.amr-nb")).expect("copies");
    for line in [
        "sox -R ours.amr-nb referee.wav".to_owned(),
        format!("{FFMPEG} -i ours.amr -c:a pcm_s16le referee.wav"),
    ] {
        run(at, &line);
        let referee = read(at, "referee.wav");
        assert_eq!(referee.samples(), ours.samples(), "{line}");
        let found = likeness(&referee, &ours);
        assert!(found.min_window > 0.98, "{line}: {found:?}");
    }
}

#[test]
#[ignore = "needs espeak-ng and sox; ./check runs it"]
fn spoken_text_survives_each_codec() {
    let folder = folder();
    let at = folder.path();
    let text = "This_call_may_be_recorded._Please_tell_me_the_number_of_your_contract,_and_how_I_can_help_you_today.";
    let say = format!("espeak-ng -v en -s 150 -w spoken.wav {}", text.repeat(3));
    run(at, &say);
    run(at, "sox -R spoken.wav -r 8000 -c 1 in.wav");
    let source = read(at, "in.wav");
    for codec in [
        Codec::Mulaw,
        Codec::ImaAdpcm,
        Codec::MsAdpcm,
        Codec::Mp3,
        Codec::GsmWav49,
        Codec::AmrNb,
    ] {
        write(at, "coded", &source, codec);
        let found = likeness(&source, &read(at, "coded"));
        let alike = found.min_window >= 0.90 && found.bit_error <= Some(0.10);
        assert!(alike && found.bit_error.is_some(), "{codec}: {found:?}");
    }
}

/// The readers that symphonia brings are fuzzed here because only ffmpeg writes their files.
#[test]
#[ignore = "needs ffmpeg; ./check runs it"]
fn damaged_files_of_every_container_never_panic() {
    let folder = folder();
    let at = folder.path();
    write(at, "in.wav", &speech::mono(48, 2.0), Codec::PcmS16);
    let mut state = 7u64;
    let mut chance = move |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for name in ["a.aac", "b.m4a", "c.ogg", "d.flac", "e.mp3"] {
        run(at, &format!("{FFMPEG} -i in.wav -ar 16000 {name}"));
        let sound = std::fs::read(at.join(name)).expect("reads");
        for round in 0..300 {
            let mut bytes = sound.clone();
            let reach = if round % 2 == 0 { bytes.len() } else { 400 };
            for _ in 0..=chance(12) {
                let place = chance(reach);
                bytes[place] = chance(256) as u8;
            }
            if round % 3 == 0 {
                bytes.truncate(chance(bytes.len()).max(1));
            }
            if let Err(audio::AudioError::Undecodable { reason }) = decode(&bytes) {
                assert!(!reason.contains("report this file"), "{name} round {round}");
            }
        }
    }
}

#[test]
#[ignore = "needs ffmpeg; ./check runs it"]
fn ffmpeg_plays_what_is_written_for_playback() {
    let folder = folder();
    let at = folder.path();
    let odd = Pcm {
        sample_rate: 11_025,
        ..speech::mono(73, 7.3)
    };
    for (number, spoken) in [speech::mono(71, 6.35), speech::stereo(72, 12.01), odd]
        .into_iter()
        .enumerate()
    {
        for (playback, name) in [
            (Playback::WebmOpus, "a.webm"),
            (Playback::OggOpus, "b.ogg"),
            (Playback::OggVorbis, "c.ogg"),
        ] {
            let bytes = encode_playback(&spoken, playback).expect("writes");
            assert_eq!(
                bytes,
                encode_playback(&spoken, playback).expect("writes"),
                "the same samples give the same bytes"
            );
            std::fs::write(at.join(name), bytes).expect("writes");
            let line = format!(
                "{FFMPEG} -xerror -err_detect explode -i {name} -ar {} -c:a pcm_s16le heard.wav",
                spoken.sample_rate
            );
            run(at, &line);
            let heard = read(at, "heard.wav");
            assert_eq!(heard.channels.len(), spoken.channels.len(), "{name}");
            let off = heard.samples().abs_diff(spoken.samples());
            assert!(
                off <= 2,
                "{name} {number}: {} samples of {}",
                heard.samples(),
                spoken.samples()
            );
            for (ours, theirs) in spoken.channels.iter().zip(&heard.channels) {
                let alike = correlation(ours, theirs);
                assert!(alike > 0.9, "{name} {number}: {alike}");
            }
        }
    }
}

/// How alike two signals are, sample by sample: 1 for the same, about 0 where one is shifted.
fn correlation(one: &[i16], other: &[i16]) -> f64 {
    let of = |a: &[i16], b: &[i16]| {
        a.iter()
            .zip(b)
            .map(|(a, b)| f64::from(*a) * f64::from(*b))
            .sum::<f64>()
    };
    of(one, other) / (of(one, one) * of(other, other)).sqrt()
}
