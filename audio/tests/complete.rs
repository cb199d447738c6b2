//! What a file promises and does not hold is measured; what its recorder only never filled in is no
//! promise; and the files that other programs write are whole.

mod speech;

use audio::{
    AudioError, Codec, Container, Ffmpeg, Pcm, Playback, Probe, decode, decode_with, encode,
    encode_playback, probe,
};
use std::path::Path;
use std::process::Command;

/// Runs a line of shell in a folder.
fn shell(folder: &Path, line: &str) {
    let output = Command::new("sh")
        .args(["-c", &format!("set -e; {line}")])
        .current_dir(folder)
        .output()
        .expect("a shell");
    assert!(
        output.status.success(),
        "{line}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn read(folder: &Path, name: &str) -> Vec<u8> {
    std::fs::read(folder.join(name)).expect("reads")
}

/// The probe of a file, ffmpeg allowed.
fn found(bytes: &[u8]) -> Probe {
    decode_with(bytes, Ffmpeg::Auto).expect("decodes").0
}

/// A folder with six seconds of speech as `in.wav`, at this rate.
fn folder(rate: u32, channels: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let channels = (0..channels as u64)
        .map(|index| speech::voice(31 + index, 6.0, rate))
        .collect();
    let pcm = Pcm {
        sample_rate: rate,
        channels,
    };
    std::fs::write(
        folder.path().join("in.wav"),
        encode(&pcm, Codec::PcmS16).expect("wav"),
    )
    .expect("writes");
    folder
}

const FF: &str = "ffmpeg -nostdin -loglevel error -y";

/// What people's programs write, to a file and to a pipe, with tags and without: all of it is
/// there, and nothing is said to be missing.
#[test]
#[ignore = "needs ffmpeg, sox and lame; ./check runs it"]
fn honest_files_are_whole() {
    let lines = [
        "FF -i in.wav -c:a libmp3lame -b:a 32k -f mp3 out",
        "FF -i in.wav -c:a libmp3lame -q:a 4 -f mp3 - | cat > out",
        "FF -i in.wav -c:a libmp3lame -q:a 4 -write_xing 0 -f mp3 out",
        "FF -i in.wav -c:a libmp3lame -b:a 16k -id3v2_version 3 -write_id3v1 1 -metadata title=x \
         -f mp3 out",
        "lame --quiet -V5 in.wav out",
        "lame --quiet -b 32 in.wav - | cat > out",
        "lame --quiet -V5 -t in.wav out",
        // Tags behind the sound: ID3v1, APE and Lyrics3; and two files put together, tags in the
        // middle.
        "lame --quiet -b 32 --ta me --tt x in.wav out",
        "lame --quiet -b 32 in.wav a; (cat a; printf \
         'APETAGEX\\320\\007\\000\\000\\050\\000\\000\\000\\001\\000\\000\\000\\000\\000\\000\\200\\000\\000\\000\\000\\000\\000\\000\\000') > out",
        "lame --quiet -b 32 in.wav a; (cat a; printf 'LYRICSBEGININD0000210LYR00011some \
         lyrics000048LYRICS200'; printf TAG; head -c 125 /dev/zero) > out",
        "lame --quiet -b 32 --ta me --tt x in.wav a; cat a a > out",
        "lame --quiet -b 32 -t in.wav a; (cat a; head -c 3000 /dev/zero) > out",
        "lame --quiet -b 32 -t in.wav a; (cat a; yes '<note>archived</note>' | head -c 9000) > out",
        // Stray bytes between a tag and the sound.
        "lame --quiet -b 32 -t in.wav a; (printf 'ID3\\003\\000\\000\\000\\000\\000\\012'; head -c \
         10 /dev/zero; yes x | head -c 5000; cat a) > out",
        // WAV of every kind, to a file and to a pipe.
        "FF -i in.wav -f wav - | cat > out",
        "FF -i in.wav -c:a pcm_mulaw -f wav - | cat > out",
        "FF -i in.wav -c:a pcm_s24le -f wav out",
        "FF -i in.wav -c:a pcm_s32le -f wav - | cat > out",
        "FF -i in.wav -c:a pcm_f32le -f wav out",
        "FF -i in.wav -c:a pcm_f64le -f wav - | cat > out",
        "FF -i in.wav -rf64 always -f wav out",
        "FF -i in.wav -c:a adpcm_ima_wav -f wav - | cat > out",
        "FF -i in.wav -c:a adpcm_ms -f wav out",
        "FF -i in.wav -f wav a; (cat a; printf 'LIST\\006\\000\\000\\000INFO\\000\\000') > out",
        "sox in.wav -t wav - | cat > out",
        "sox in.wav -t wav - speed 1 | cat > out",
        "sox in.wav -e float -b 32 -t wav - speed 1 | cat > out",
        "sox in.wav -b 24 -t wav out",
        "sox in.wav -e u-law -t wav - speed 1 | cat > out",
        "sox in.wav -e ms-adpcm -t wav out",
        "sox in.wav -t wavpcm -b 24 out",
        "FF -i in.wav -f w64 out",
        "FF -i in.wav -c:a pcm_s24le -f w64 - | cat > out",
        "sox in.wav -t w64 out",
        "FF -i in.wav -f aiff out",
        "FF -i in.wav -f aiff - | cat > out",
        "FF -i in.wav -c:a pcm_s24be -f aiff out",
        "FF -i in.wav -c:a pcm_f32be -f aiff out",
        "FF -i in.wav -c:a pcm_alaw -f aiff out",
        "FF -i in.wav -c:a pcm_s16le -f aiff out",
        "sox in.wav -t aiff out",
        "sox in.wav -t aiff - | cat > out",
        "sox in.wav -t aifc out",
        "sox in.wav -b 8 -t aiff out",
        "FF -i in.wav -f au out",
        "FF -i in.wav -c:a pcm_mulaw -f au - | cat > out",
        "sox in.wav -t au out",
        "sox in.wav -e a-law -t au - speed 1 | cat > out",
        "sox in.wav -e float -t au out",
        "FF -i in.wav -c:a flac -f flac out",
        "FF -i in.wav -c:a flac -f flac - | cat > out",
        "FF -i in.wav -c:a aac -f ipod out",
        "FF -i in.wav -c:a aac -f adts out",
        "FF -i in.wav -c:a libvorbis -f ogg out",
        "FF -i in.wav -c:a libopus -b:a 24k -f webm out",
        "FF -i in.wav -c:a libopus -f webm - | cat > out",
        "FF -i in.wav -c:a libopus -f webm -live 1 - | cat > out",
        "FF -i in.wav -c:a libopus -frame_duration 60 -f matroska out",
        "FF -i in.wav -c:a libopus -f ogg out",
        "FF -i in.wav -c:a libopus -page_duration 100000 -f ogg - | cat > out",
        "FF -i in.wav -c:a libopus -f ogg a; cat a a > out",
    ];
    for (rate, channels) in [(8000, 1), (16_000, 2)] {
        let folder = folder(rate, channels);
        for line in lines {
            shell(folder.path(), &line.replace("FF", FF));
            let bytes = read(folder.path(), "out");
            let (probe, pcm) = decode(&bytes).unwrap_or_else(|error| panic!("{line}: {error}"));
            assert_eq!(probe.lost_ms(), 0, "{line}: {:?}", probe.damage);
            let wanted = if line.contains("cat a a") {
                12_000
            } else {
                6000
            };
            // Codecs without a gapless tag keep up to four frames of 72 ms.
            assert!(
                probe.duration_ms().abs_diff(wanted) < 400,
                "{line}: {} ms",
                probe.duration_ms()
            );
            assert_eq!(probe.channels, pcm.channels.len() as u16, "{line}");
            assert_eq!(usize::from(probe.channels), channels, "{line}");
        }
    }
}

/// The formats that ffmpeg reads for us.
#[test]
#[ignore = "needs ffmpeg; ./check runs it"]
fn what_has_no_reader_here_is_decoded_by_ffmpeg_or_named() {
    let rows = [
        (
            "FF -i in.wav -c:a g722 -f wav out",
            "G.722 in WAV (format tag 0x028f)",
            Codec::G722,
            8000,
        ),
        (
            "FF -i in.wav -c:a g726 -b:a 32k -f wav out",
            "G.726 in WAV (format tag 0x0045)",
            Codec::G726,
            8000,
        ),
        (
            "FF -i in.wav -c:a g726 -b:a 16k -f wav - | cat > out",
            "G.726 in WAV (format tag 0x0045)",
            Codec::G726,
            8000,
        ),
        (
            "FF -i in.wav -c:a libspeex -f ogg out",
            "Speex in Ogg",
            Codec::Speex,
            8000,
        ),
        (
            "FF -i in.wav -c:a wmav2 -f asf out",
            "Windows Media (ASF)",
            Codec::Other,
            8000,
        ),
        (
            "FF -i in.wav -f caf out",
            "Core Audio (CAF)",
            Codec::Other,
            8000,
        ),
        (
            "FF -i in.wav -c:a alac -f ipod out",
            "m4a with codec",
            Codec::Other,
            8000,
        ),
        (
            "FF -i in.wav -c:a libvorbis -f webm out",
            "WebM with codec A_VORBIS",
            Codec::Other,
            8000,
        ),
    ];
    let folder = folder(8000, 1);
    for (line, what, codec, rate) in rows {
        shell(folder.path(), &line.replace("FF", FF));
        let bytes = read(folder.path(), "out");
        match decode(&bytes) {
            Err(AudioError::Unsupported { what: said }) => {
                assert!(said.starts_with(what), "{line}: {said}")
            }
            other => panic!("{line}: {:?}", other.map(|(probe, _)| probe)),
        }
        let (probe, pcm) =
            decode_with(&bytes, Ffmpeg::Auto).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(
            (probe.codec, probe.sample_rate, probe.lost_ms()),
            (codec, rate, 0),
            "{line}: {:?}",
            probe.damage
        );
        assert!(
            probe.duration_ms().abs_diff(6000) < 300,
            "{line}: {} ms",
            probe.duration_ms()
        );
        assert_eq!(probe.samples, pcm.samples() as u64, "{line}");
    }
    // A codec that nobody decodes is not offered to ffmpeg, which makes sound of any bytes.
    let unknown = [
        b"RIFF\0\0\0\0WAVEfmt \
            \x10\0\0\0\x30\x01\x01\0\x40\x1f\0\0\0\x10\0\0\x20\0\0\0data\xa0\x0f\0\0"
            .to_vec(),
        vec![7; 4000],
    ]
    .concat();
    let error = decode_with(&unknown, Ffmpeg::Auto).expect_err("nobody reads it");
    assert_eq!(
        error.to_string(),
        "unsupported audio: Sipro ACELP in WAV (format tag 0x0130)"
    );
    // What is no sound is not offered either, and what is broken stays broken.
    assert!(matches!(
        decode_with(b"<html></html>", Ffmpeg::Auto),
        Err(AudioError::NotAudio { .. })
    ));
    assert!(matches!(
        decode_with(b"#EXTM3U\nfile:///etc/passwd\n", Ffmpeg::Auto),
        Err(AudioError::NotAudio { .. })
    ));
    assert!(matches!(
        decode_with(b"RIFF\0\0\0\0WAVE", Ffmpeg::Auto),
        Err(AudioError::Undecodable { .. })
    ));
}

/// Half of each file is gone, and its own lengths say so.
#[test]
#[ignore = "needs ffmpeg, sox and lame; ./check runs it"]
fn a_file_cut_in_half_says_how_much_is_missing() {
    let lines = [
        "FF -i in.wav -f wav out",
        "FF -i in.wav -c:a pcm_s24le -f wav out",
        "FF -i in.wav -c:a adpcm_ms -f wav out",
        "sox in.wav -e gsm -t wav out",
        "FF -i in.wav -f w64 out",
        "FF -i in.wav -f aiff out",
        "FF -i in.wav -f au out",
        "lame --quiet -b 32 in.wav out",
        "lame --quiet -V5 in.wav out",
        "FF -i in.wav -c:a libopus -f webm out",
        "FF -i in.wav -c:a flac -f flac out",
        "FF -i in.wav -c:a g726 -b:a 32k -f wav out",
        "FF -i in.wav -c:a wmav2 -f asf out",
    ];
    let folder = folder(8000, 1);
    for line in lines {
        shell(folder.path(), &line.replace("FF", FF));
        let whole = read(folder.path(), "out");
        let probe = found(&whole[..whole.len() / 2]);
        let (there, lost) = (probe.duration_ms(), probe.lost_ms());
        assert!(
            (there + lost).abs_diff(6000) < 500 && lost > 2000,
            "{line}: {there} ms, {lost} ms missing: {:?}",
            probe.damage
        );
    }
}

#[test]
fn an_mp3_that_changes_its_form_says_how_much_is_left_out() {
    let rows = [
        (8000, 1, 8000, 2),
        (8000, 2, 8000, 1),
        (16_000, 1, 8000, 1),
        (8000, 1, 44_100, 1),
    ];
    for (rate, channels, then_rate, then_channels) in rows {
        let part = |seed, rate, channels: u64| {
            let channels = (0..channels)
                .map(|index| speech::voice(seed + index, 4.0, rate))
                .collect();
            encode(
                &Pcm {
                    sample_rate: rate,
                    channels,
                },
                Codec::Mp3,
            )
            .expect("mp3")
        };
        let (first, second) = (part(3, rate, channels), part(7, then_rate, then_channels));
        let probe = probe(&[&first[..], &second].concat()).expect("decodes");
        assert!(
            probe.duration_ms().abs_diff(4000) < 200,
            "{} ms",
            probe.duration_ms()
        );
        assert!(
            probe.lost_ms().abs_diff(4000) < 300,
            "{} ms missing: {:?}",
            probe.lost_ms(),
            probe.damage
        );
        assert!(
            probe
                .damage
                .iter()
                .any(|damage| damage.what.contains("frames are left out")),
            "{:?}",
            probe.damage
        );
        // Put together with its own kind, nothing is left out.
        let same = audio::probe(&[&first[..], &part(5, rate, channels)].concat()).expect("decodes");
        assert_eq!(
            (same.lost_ms(), same.duration_ms().abs_diff(8000) < 400),
            (0, true),
            "{:?}",
            same.damage
        );
    }
}

#[test]
fn a_hole_without_a_frame_count_is_measured_by_its_bytes() {
    let bytes = encode(&speech::mono(8, 10.0), Codec::Mp3).expect("writes");
    // Without its first frame, which counts the frames; 2 s of them are overwritten.
    let mut bytes = bytes[bytes.len() / 20..].to_vec();
    let (from, to) = (bytes.len() * 4 / 10, bytes.len() * 6 / 10);
    bytes[from..to].fill(0x55);
    let lost = probe(&bytes).expect("decodes").lost_ms();
    assert!((1500..2600).contains(&lost), "{lost} ms");
}

#[test]
fn bytes_behind_the_declared_data_are_sound_unless_they_are_something_else() {
    let pcm = speech::mono(6, 6.0);
    let both = encode(&speech::stereo(6, 6.0), Codec::PcmS16).expect("writes");
    assert_eq!(probe(&both).expect("decodes").lost_ms(), 0);
    let whole = encode(&pcm, Codec::PcmS16).expect("writes");
    let mut half = whole.clone();
    half[40..44].copy_from_slice(&48_000u32.to_le_bytes());
    let probe = probe(&half).expect("decodes");
    assert_eq!(
        (probe.duration_ms(), probe.lost_ms()),
        (3000, 3000),
        "{:?}",
        probe.damage
    );
    let trailers: [&[u8]; 6] = [
        &[0; 40_000],
        &[b'x'; 40_000],
        &b"LIST\x04\0\0\0INFO".repeat(2000),
        b"TAG........................",
        b"\0",
        &[1; 300],
    ];
    for trailer in trailers {
        let probe = audio::probe(&[&whole[..], trailer].concat()).expect("decodes");
        assert!(
            probe.duration_ms() == 6000 && probe.lost_ms() < 20,
            "{:?}",
            probe.damage
        );
    }
}

#[test]
fn a_wav_whose_lengths_were_never_filled_in_is_read_to_its_end() {
    let pcm = speech::mono(6, 2.0);
    for codec in [
        Codec::PcmS16,
        Codec::Mulaw,
        Codec::GsmWav49,
        Codec::ImaAdpcm,
        Codec::MsAdpcm,
    ] {
        let mut bytes = encode(&pcm, codec).expect("writes");
        let at = bytes
            .windows(4)
            .position(|four| four == b"data")
            .expect("data")
            + 4;
        bytes[4..8].fill(0);
        bytes[at..at + 4].fill(0);
        let probe = probe(&bytes).expect("decodes");
        assert!(
            probe.samples.abs_diff(16_000) < 600 && probe.lost_ms() == 0,
            "{codec}: {} {:?}",
            probe.samples,
            probe.damage
        );
        // A header and nothing behind it is empty, whatever it says.
        assert!(
            matches!(audio::probe(&bytes[..at + 4]), Err(AudioError::Empty)),
            "{codec}"
        );
    }
    let mut empty = encode(
        &Pcm {
            sample_rate: 8000,
            channels: vec![Vec::new()],
        },
        Codec::PcmS16,
    )
    .expect("writes");
    empty.extend(b"LIST\x0c\0\0\0INFOISFT\0\0\0\0");
    assert!(
        matches!(probe(&empty), Err(AudioError::Empty)),
        "data of no length before another chunk is empty"
    );
    // Counted from the start of the file: as much as there is, and no more is promised.
    let mut counted = encode(&pcm, Codec::PcmS16).expect("writes");
    counted[40..44].copy_from_slice(&32_044u32.to_le_bytes());
    assert_eq!(probe(&counted).expect("decodes").damage, []);
}

#[test]
fn what_we_write_for_playback_is_read_again() {
    for (rate, channels) in [(8000, 1), (16_000, 2), (48_000, 1), (44_100, 2)] {
        let pcm = Pcm {
            sample_rate: rate,
            channels: (0..channels)
                .map(|index| speech::voice(40 + index, 3.0, rate))
                .collect(),
        };
        for (playback, container) in [
            (Playback::WebmOpus, Container::Webm),
            (Playback::OggOpus, Container::Ogg),
        ] {
            let bytes = encode_playback(&pcm, playback).expect("writes");
            let (found, back) = decode(&bytes).expect("decodes");
            assert_eq!(
                (
                    found.container,
                    found.codec,
                    found.sample_rate,
                    found.damage.len()
                ),
                (container, Codec::Opus, 48_000, 0)
            );
            assert_eq!(
                (found.duration_ms(), back.channels.len() as u64),
                (3000, channels),
                "{playback:?}"
            );
            let cut = probe(&bytes[..bytes.len() / 2]).expect("decodes");
            assert!(
                cut.duration_ms() < 2000 && !cut.damage.is_empty(),
                "{playback:?}: {:?}",
                cut.damage
            );
        }
    }
}

/// Our reading of linear samples and of Opus against ffmpeg's.
#[test]
#[ignore = "needs ffmpeg; ./check runs it"]
fn samples_are_those_of_ffmpeg() {
    let rows = [
        ("FF -i in.wav -af volume=0.7 -c:a pcm_s24le -f wav out", 0),
        ("FF -i in.wav -af volume=0.7 -c:a pcm_s32le -f wav out", 0),
        ("FF -i in.wav -af volume=1.7 -c:a pcm_f32le -f wav out", 1),
        ("FF -i in.wav -af volume=0.7 -c:a pcm_f64le -f wav out", 1),
        ("FF -i in.wav -af volume=0.7 -c:a pcm_s24be -f aiff out", 0),
        ("FF -i in.wav -c:a pcm_s16be -f aiff out", 0),
        ("FF -i in.wav -af volume=0.7 -c:a pcm_f32be -f aiff out", 1),
        ("FF -i in.wav -c:a pcm_s8 -f aiff out", 0),
        ("FF -i in.wav -c:a pcm_s16be -f au out", 0),
        ("FF -i in.wav -c:a pcm_alaw -f au out", 0),
        ("FF -i in.wav -c:a pcm_s16le -f w64 out", 0),
        ("FF -i in.wav -c:a libopus -f ogg out", 4),
        ("FF -i in.wav -c:a libopus -f webm out", 4),
    ];
    let folder = folder(16_000, 2);
    for (line, most) in rows {
        shell(folder.path(), &line.replace("FF", FF));
        shell(
            folder.path(),
            &format!("{FF} -i out -c:a pcm_s16le referee.wav"),
        );
        let (_, ours) = decode(&read(folder.path(), "out")).expect("decodes");
        let (_, theirs) = decode(&read(folder.path(), "referee.wav")).expect("decodes");
        assert_eq!(
            (ours.samples(), ours.sample_rate),
            (theirs.samples(), theirs.sample_rate),
            "{line}"
        );
        for (ours, theirs) in ours.channels.iter().zip(&theirs.channels) {
            let worst = ours
                .iter()
                .zip(theirs)
                .map(|(&a, &b)| (i32::from(a) - i32::from(b)).abs())
                .max();
            assert!(worst <= Some(most), "{line}: differs by {worst:?}");
        }
    }
}
