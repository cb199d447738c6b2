//! The comparison on recorded speech: honest conversions by other programs' encoders (no finding),
//! and damages (each named).
//!
//! The speech is Asterisk's prompts (Debian: asterisk-core-sounds-en-wav), joined to calls; the
//! encoders are lame, sox and ffmpeg.

use std::path::Path;
use std::process::Command;

use audio::compare::wave::fit;
use audio::{Codec, Pcm};

use super::{AudioFingerprint, Wanted, judge, read_source};
use crate::expected::{AudioExpectation, Pause, PauseRule, SourceSound};

#[path = "../../../tests/support/speech.rs"]
mod speech;

use speech::{Chance, call, noise};

fn prompts() -> Vec<Vec<i16>> {
    speech::prompts().unwrap_or_else(|absent| panic!("{absent}"))
}

/// Every sixth is noise.
fn calls(prompts: &[Vec<i16>], count: usize) -> Vec<Pcm> {
    let one = |n: usize| {
        let (seconds, channels) = ([6, 9, 14, 24, 40][n % 5], if n % 4 == 3 { 1 } else { 2 });
        if n % 6 == 5 {
            noise(n as u64, 8, channels)
        } else {
            call(prompts, n as u64 + 1, seconds, channels)
        }
    };
    (0..count).map(one).collect()
}

const FFMPEG: &str = "ffmpeg -nostdin -v error -y";
/// What writes `mid.wav` again, in the codec the target plays.
const TO_MP3: &str = "lame --quiet -V 2 mid.wav out.mp3";

/// Settings of encoders by name, how many channels they take at most, and the shell lines that make
/// `out.mp3` or `out.wav` of `in.wav`.
fn honest() -> Vec<(String, usize, String)> {
    let mut rows: Vec<(String, usize, String)> = Vec::new();
    let mut add = |name: String, channels: usize, line: String| rows.push((name, channels, line));
    for kbps in [16, 24, 32, 48, 64] {
        add(
            format!("lame {kbps} kbit/s of 8 kHz"),
            2,
            format!("lame --quiet -b {kbps} --cbr --resample 8 in.wav out.mp3"),
        );
        add(
            format!("lame {kbps} kbit/s of 8 kHz, no tag"),
            2,
            format!("lame --quiet -t -m s -b {kbps} --cbr --resample 8 in.wav out.mp3"),
        );
        add(
            format!("ffmpeg {kbps} kbit/s to a pipe"),
            2,
            format!("{FFMPEG} -i in.wav -c:a libmp3lame -b:a {kbps}k -f mp3 - > out.mp3"),
        );
        add(
            format!("sox {kbps} kbit/s to a pipe"),
            2,
            format!("sox -V1 in.wav -t mp3 -C {kbps} - > out.mp3"),
        );
    }
    add(
        "sox 32 kbit/s of 16 kHz".into(),
        2,
        "sox -V1 in.wav -r 16000 -C 32 out.mp3".into(),
    );
    for (khz, kbps) in [
        ("11.025", 24),
        ("16", 16),
        ("16", 24),
        ("16", 48),
        ("22.05", 24),
        ("22.05", 48),
        ("44.1", 48),
        ("44.1", 64),
    ] {
        add(
            format!("lame {kbps} kbit/s of {khz} kHz, joint"),
            2,
            format!("lame --quiet -m j -b {kbps} --cbr --resample {khz} in.wav out.mp3"),
        );
        add(
            format!("lame {kbps} kbit/s of {khz} kHz, no tag"),
            2,
            format!("lame --quiet -t -b {kbps} --cbr --resample {khz} in.wav out.mp3"),
        );
    }
    for quality in [0, 2, 5, 9] {
        add(
            format!("lame -V {quality}"),
            2,
            format!("lame --quiet -V {quality} in.wav out.mp3"),
        );
        add(
            format!("ffmpeg -q:a {quality}, no tag"),
            2,
            format!("{FFMPEG} -i in.wav -c:a libmp3lame -q:a {quality} -write_xing 0 out.mp3"),
        );
    }
    add(
        "lame --abr 24".into(),
        2,
        "lame --quiet --abr 24 in.wav out.mp3".into(),
    );
    for hertz in [11_025, 16_000, 44_100] {
        add(
            format!("sox wav of {hertz} Hz"),
            2,
            format!("sox -V1 in.wav -r {hertz} out.wav"),
        );
        add(
            format!("ffmpeg wav of {hertz} Hz"),
            2,
            format!("{FFMPEG} -i in.wav -ar {hertz} out.wav"),
        );
    }
    for decibels in [-3, 3] {
        add(
            format!("{decibels} dB"),
            2,
            format!("sox -V1 in.wav mid.wav gain {decibels} && {TO_MP3}"),
        );
    }
    let through = [
        ("mu-law", 2, "-c:a pcm_mulaw mid.x.wav"),
        ("A-law", 2, "-c:a pcm_alaw mid.x.wav"),
        ("8 bit", 2, "-c:a pcm_u8 mid.x.wav"),
        ("IMA ADPCM", 2, "-c:a adpcm_ima_wav mid.x.wav"),
        ("Microsoft ADPCM", 2, "-c:a adpcm_ms mid.x.wav"),
        ("GSM", 1, "-c:a libgsm_ms mid.x.wav"),
        ("G.726", 1, "-c:a g726 -b:a 32k mid.x.wav"),
        ("G.722", 1, "-ar 16000 -c:a g722 mid.x.wav"),
        ("G.723.1", 1, "-c:a g723_1 -b:a 6.3k mid.x.mkv"),
        ("Speex", 1, "-c:a libspeex -b:a 15k mid.x.spx"),
        (
            "Opus 12 kbit/s",
            1,
            "-c:a libopus -b:a 12k -application voip mid.x.ogg",
        ),
        ("Opus 32 kbit/s", 2, "-c:a libopus -b:a 32k mid.x.ogg"),
        ("Vorbis", 2, "-c:a libvorbis -q:a 0 mid.x.ogg"),
        ("AAC", 2, "-c:a aac -b:a 32k mid.x.m4a"),
    ];
    for (name, channels, arguments) in through {
        let last = arguments.split(' ').next_back().unwrap_or_default();
        let line = format!(
            "{FFMPEG} -i in.wav {arguments} && {FFMPEG} -i {last} -ar 8000 -c:a pcm_s16le mid.wav \
             && {TO_MP3}"
        );
        add(format!("through {name}"), channels, line);
    }
    let amr = format!("sox -V1 in.wav -C 0 mid.amr-nb && sox -V1 mid.amr-nb mid.wav && {TO_MP3}");
    add("through AMR 4.75".into(), 1, amr.clone());
    add("through AMR 12.2".into(), 1, amr.replace("-C 0", "-C 7"));
    rows
}

/// Runs shell lines in a folder that holds `in.wav`; the bytes of `out.mp3` or `out.wav`.
fn made(folder: &Path, pcm: &Pcm, line: &str) -> Vec<u8> {
    for old in ["out.mp3", "out.wav"] {
        let _ = std::fs::remove_file(folder.join(old));
    }
    std::fs::write(folder.join("in.wav"), wav(pcm)).expect("written");
    let output = Command::new("sh")
        .args(["-e", "-c", line])
        .current_dir(folder)
        .output()
        .expect("a shell");
    assert!(
        output.status.success(),
        "{line}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let bytes = ["out.mp3", "out.wav"]
        .iter()
        .find_map(|name| std::fs::read(folder.join(name)).ok())
        .filter(|bytes| !bytes.is_empty());
    bytes.unwrap_or_else(|| panic!("{line} made nothing"))
}

fn wav(pcm: &Pcm) -> Vec<u8> {
    audio::encode(pcm, Codec::PcmS16).expect("wav")
}

/// Codes of what is found, with what was found in words.
fn found(
    source: &Pcm,
    target: &[u8],
    pauses: &[Pause],
    rule: PauseRule,
) -> Vec<(&'static str, String)> {
    let (SourceSound::Good(facts), Some(pcm)) =
        read_source(&wav(source), None, audio::Ffmpeg::Never)
    else {
        panic!("the source decodes")
    };
    let probe = audio::probe(target).expect("the target is audio");
    let audio = AudioExpectation::Transcoded {
        container: probe.container,
        codec: probe.codec,
    };
    let differences = judge(
        &facts,
        &pcm,
        &Wanted {
            audio,
            pauses: pauses.to_vec(),
            rule,
        },
        target,
        None,
    )
    .differences;
    differences
        .into_iter()
        .map(|difference| (difference.defect.code(), difference.actual))
        .collect()
}

fn one_channel(pcm: &Pcm, most: usize) -> Pcm {
    Pcm {
        sample_rate: pcm.sample_rate,
        channels: pcm.channels.iter().take(most).cloned().collect(),
    }
}

/// Converts so many calls by every setting and compares: how many were compared, and what was
/// found.
fn sweep(count: usize) -> (usize, Vec<String>) {
    let prompts = prompts();
    let folder = tempfile::tempdir().expect("a folder");
    let (mut compared, mut alarms) = (0, Vec::new());
    let calls = calls(&prompts, count);
    for (n, (name, most, line)) in honest().into_iter().enumerate() {
        // Every setting has its share of the calls, every call its share of the settings.
        for call in calls.iter().cycle().skip(n).take(count.div_ceil(4).max(2)) {
            let source = one_channel(call, most);
            let target = made(folder.path(), &source, &line);
            compared += 1;
            let found = found(&source, &target, &[], PauseRule::Keep);
            if !found.is_empty() {
                alarms.push(format!(
                    "{name}, {} s, {} channels: {found:?}",
                    source.duration_ms() / 1000,
                    source.channels.len()
                ));
            }
        }
    }
    (compared, alarms)
}

/// Of six calls. `SEATRIAL_HONEST_CALLS=60` compares some 1,000 recordings instead of some 130, in
/// about 20 minutes.
#[test]
#[ignore = "needs lame, sox, ffmpeg and asterisk-core-sounds-en-wav; ./check runs it"]
fn honest_conversions_of_recorded_speech_never_alarm() {
    let calls = std::env::var("SEATRIAL_HONEST_CALLS")
        .map_or(6, |calls| calls.parse().expect("a number of calls"));
    let (compared, alarms) = sweep(calls);
    println!("{compared} compared");
    assert!(compared >= 100, "{compared} compared");
    assert!(
        alarms.is_empty(),
        "{} of {compared}:\n{}",
        alarms.len(),
        alarms.join("\n")
    );
}

/// Of 16 kHz an encoder's delay is half a sample of ours, in which loud sibilants become another
/// sound; and beside speech it spends nothing on a channel of hiss alone. Each of these calls was
/// once called damaged for one or the other.
#[test]
#[ignore = "needs lame, sox and asterisk-core-sounds-en-wav; ./check runs it"]
fn sibilants_half_a_sample_late_and_hiss_beside_speech_never_alarm() {
    const LAME: &str = "lame --quiet -b 16 --cbr --resample 16 in.wav out.mp3";
    const SOX: &str = "sox -V1 in.wav -r 16000 -C 32 out.mp3";
    let prompts = prompts();
    let folder = tempfile::tempdir().expect("a folder");
    let sibilants = [
        (LAME, 15_703, 30, 2),
        (LAME, 16_517, 9, 2),
        (SOX, 16_591, 20, 2),
        (SOX, 16_628, 30, 2),
        (SOX, 17_183, 30, 1),
    ];
    let hiss = [(LAME, 16_110, 6, 2), (LAME, 16_887, 9, 2)];
    for (line, seed, seconds, channels) in sibilants.into_iter().chain(hiss) {
        let source = call(&prompts, seed, seconds, channels);
        let target = made(folder.path(), &source, line);
        assert_eq!(
            found(&source, &target, &[], PauseRule::Keep),
            [],
            "{line}, call {seed}"
        );
    }
}

/// A voice codec keeps no hiss, little of a breath, and a consonant a sample later than a vowel.
/// Each of these calls was once called damaged.
#[test]
#[ignore = "needs lame, sox, ffmpeg and asterisk-core-sounds-en-wav; ./check runs it"]
fn what_voice_codecs_do_not_keep_never_alarms() {
    let prompts = prompts();
    let folder = tempfile::tempdir().expect("a folder");
    let calls = calls(&prompts, 60);
    let settings = honest();
    for (codec, numbers) in [
        ("AMR 4.75", [5, 12, 24, 28, 40, 55].as_slice()),
        ("AMR 12.2", &[11, 47]),
        ("G.723.1", &[5]),
        ("Speex", &[47]),
    ] {
        let (_, _, line) = settings
            .iter()
            .find(|setting| setting.0 == format!("through {codec}"))
            .expect("a setting");
        for number in numbers {
            let source = one_channel(&calls[*number], 1);
            let target = made(folder.path(), &source, line);
            assert_eq!(
                found(&source, &target, &[], PauseRule::Keep),
                [],
                "{codec}, call {number}"
            );
        }
    }
}

fn each(pcm: &Pcm, change: impl Fn(&[i16]) -> Vec<i16>) -> Pcm {
    Pcm {
        sample_rate: pcm.sample_rate,
        channels: pcm.channels.iter().map(|channel| change(channel)).collect(),
    }
}

fn in_channel(pcm: &Pcm, at: usize, change: impl Fn(&[i16]) -> Vec<i16>) -> Pcm {
    let mut out = pcm.clone();
    out.channels[at] = change(&pcm.channels[at]);
    out
}

/// Moved by so many milliseconds on the same length: what leaves at one end is lost, silence comes
/// in at the other.
fn moved(samples: &[i16], ms: i64) -> Vec<i16> {
    let by = ms * 8;
    (0..samples.len() as i64)
        .map(|at| {
            usize::try_from(at - by)
                .ok()
                .and_then(|at| samples.get(at))
                .copied()
                .unwrap_or(0)
        })
        .collect()
}

fn louder(samples: &[i16], decibels: f64) -> Vec<i16> {
    let by = 10f64.powf(decibels / 20.0);
    samples
        .iter()
        .map(|sample| (f64::from(*sample) * by).round().clamp(-32_768.0, 32_767.0) as i16)
        .collect()
}

fn slower(samples: &[i16], by: f64) -> Vec<i16> {
    let length = (samples.len() as f64 * by) as usize;
    let value = |at: usize| f64::from(samples.get(at).copied().unwrap_or(0));
    (0..length)
        .map(|at| {
            let place = at as f64 / by;
            (value(place as usize) * (1.0 - place.fract())
                + value(place as usize + 1) * place.fract()) as i16
        })
        .collect()
}

/// Packets of 20 ms silent, so many in a hundred.
fn lossy(samples: &[i16], percent: usize, repeat: bool) -> Vec<i16> {
    let mut chance = Chance::of(7);
    let mut out = samples.to_vec();
    for from in (160..samples.len().saturating_sub(160)).step_by(160) {
        if chance.below(100) < percent {
            if repeat {
                out.copy_within(from - 160..from, from)
            } else {
                out[from..from + 160].fill(0)
            }
        }
    }
    out
}

/// Without what lies above so many hertz: a long windowed sine.
fn below(samples: &[i16], hertz: f64) -> Vec<i16> {
    const HALF: i64 = 100;
    let turn = std::f64::consts::TAU * hertz / 8000.0;
    let tap = |at: i64| {
        let shape = if at == 0 {
            turn / std::f64::consts::PI
        } else {
            (turn * at as f64).sin() / (std::f64::consts::PI * at as f64)
        };
        shape * (0.5 + 0.5 * (std::f64::consts::PI * at as f64 / HALF as f64).cos())
    };
    let taps: Vec<f64> = (-HALF..=HALF).map(tap).collect();
    let value = |at: i64| {
        usize::try_from(at)
            .ok()
            .and_then(|at| samples.get(at))
            .map_or(0.0, |sample| f64::from(*sample))
    };
    (0..samples.len() as i64)
        .map(|at| {
            taps.iter()
                .zip(-HALF..)
                .map(|(tap, off)| tap * value(at + off))
                .sum::<f64>() as i16
        })
        .collect()
}

/// What a damage makes of a call, with another call at hand.
type Damaging = Box<dyn Fn(&Pcm, &Pcm) -> Pcm>;

/// Damages by name, what each makes of a call, the class it must have, and words that must be said.
type Row = (&'static str, Damaging, &'static str, &'static str);

fn damages() -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let mut add = |name: &'static str,
                   damage: Damaging,
                   code: &'static str,
                   words: &'static str| rows.push((name, damage, code, words));
    for ms in [200, 300, 500, 800] {
        add(
            "lost at the start, padded at the end",
            Box::new(move |pcm, _| each(pcm, |samples| moved(samples, -ms))),
            "D16",
            "are missing",
        );
        add(
            "silence before, the end lost",
            Box::new(move |pcm, _| each(pcm, |samples| moved(samples, ms))),
            "D15|D26",
            "begins",
        );
    }
    for ms in [100, 250, 800] {
        add(
            "second channel late",
            Box::new(move |pcm, _| in_channel(pcm, 1, |samples| moved(samples, ms))),
            "D26",
            "than the other",
        );
        add(
            "first channel early",
            Box::new(move |pcm, _| in_channel(pcm, 0, |samples| moved(samples, -ms))),
            "D26",
            "than the other",
        );
    }
    add(
        "a second missing, padded at the end",
        Box::new(|pcm, _| {
            each(pcm, |s| {
                [&s[..48_000], &s[56_000..], &vec![0; 8000]].concat()
            })
        }),
        "D17",
        "missing after",
    );
    add(
        "silence inserted",
        Box::new(|pcm, _| {
            each(pcm, |s| {
                [&s[..48_000], &vec![0; 6000], &s[48_000..]].concat()
            })
        }),
        "D17",
        "inserted",
    );
    add(
        "another's speech inserted",
        Box::new(|pcm, other| {
            let channels = pcm.channels.iter().zip(&other.channels);
            Pcm {
                sample_rate: 8000,
                channels: channels
                    .map(|(s, o)| [&s[..48_000], &o[20_000..32_000], &s[48_000..]].concat())
                    .collect(),
            }
        }),
        "D26",
        "inserted",
    );
    add(
        "a chunk twice",
        Box::new(|pcm, _| each(pcm, |s| [&s[..56_000], &s[40_000..]].concat())),
        "D26",
        "twice",
    );
    add(
        "halves exchanged",
        Box::new(|pcm, _| each(pcm, |s| [&s[s.len() / 2..], &s[..s.len() / 2]].concat())),
        "D26",
        "order",
    );
    add(
        "20 dB softer",
        Box::new(|pcm, _| each(pcm, |s| louder(s, -20.0))),
        "D28",
        "dB",
    );
    add(
        "20 dB louder",
        Box::new(|pcm, _| each(pcm, |s| louder(s, 20.0))),
        "D28",
        "dB",
    );
    add(
        "6 dB softer",
        Box::new(|pcm, _| each(pcm, |s| louder(s, -6.0))),
        "D28",
        "dB",
    );
    add(
        "faded out",
        Box::new(|pcm, _| {
            each(pcm, |s| {
                let start = s.len() * 6 / 10;
                let volume = |at: usize| {
                    if at < start {
                        1.0
                    } else {
                        1.0 - (at - start) as f64 / (s.len() - start) as f64
                    }
                };
                s.iter()
                    .enumerate()
                    .map(|(at, sample)| (f64::from(*sample) * volume(at)) as i16)
                    .collect()
            })
        }),
        "D28",
        "dB",
    );
    add(
        "only below 1 kHz",
        Box::new(|pcm, _| each(pcm, |s| below(s, 1000.0))),
        "D27",
        "Hz",
    );
    add(
        "only below 2 kHz",
        Box::new(|pcm, _| each(pcm, |s| below(s, 2000.0))),
        "D27",
        "Hz",
    );
    add(
        "a tenth of the packets silent",
        Box::new(|pcm, _| each(pcm, |s| lossy(s, 10, false))),
        "D26",
        "gaps",
    );
    add(
        "a tenth of the packets repeated",
        Box::new(|pcm, _| each(pcm, |s| lossy(s, 10, true))),
        "D26",
        "gaps",
    );
    add(
        "0.3 % slow",
        Box::new(|pcm, _| each(pcm, |s| slower(s, 1.003))),
        "D21",
        "speed",
    );
    add(
        "0.3 % slow, cut to length",
        Box::new(|pcm, _| each(pcm, |s| slower(s, 1.003)[..s.len()].to_vec())),
        "D21",
        "speed",
    );
    add(
        "0.3 % fast",
        Box::new(|pcm, _| each(pcm, |s| slower(s, 0.997))),
        "D21",
        "speed",
    );
    add(
        "1 % slow",
        Box::new(|pcm, _| each(pcm, |s| slower(s, 1.01))),
        "D21",
        "speed",
    );
    add(
        "2 % fast",
        Box::new(|pcm, _| each(pcm, |s| slower(s, 0.98))),
        "D21",
        "speed",
    );
    add(
        "2 % fast, between the speeds that are tried",
        Box::new(|pcm, _| each(pcm, |s| slower(s, 8000.0 / 8160.0))),
        "D21",
        "speed",
    );
    add(
        "read at 11,025 Hz and resampled",
        Box::new(|pcm, _| each(pcm, |s| slower(s, 8000.0 / 11_025.0))),
        "D20",
        "speed",
    );
    add(
        "as if 11,025 Hz",
        Box::new(|pcm, _| Pcm {
            sample_rate: 11_025,
            channels: pcm.channels.clone(),
        }),
        "D20",
        "",
    );
    add(
        "end cut off",
        Box::new(|pcm, _| each(pcm, |s| s[..s.len() - 12_000].to_vec())),
        "D15",
        "missing",
    );
    add(
        "beginning cut off",
        Box::new(|pcm, _| each(pcm, |s| s[12_000..].to_vec())),
        "D16",
        "missing",
    );
    add(
        "three seconds silent",
        Box::new(|pcm, _| {
            each(pcm, |s| {
                [&s[..40_000], &vec![0; 24_000], &s[64_000..]].concat()
            })
        }),
        "D17",
        "silence",
    );
    add(
        "three seconds of another call",
        Box::new(|pcm, other| {
            let channels = pcm.channels.iter().zip(&other.channels);
            Pcm {
                sample_rate: 8000,
                channels: channels
                    .map(|(s, o)| [&s[..40_000], &o[40_000..64_000], &s[64_000..]].concat())
                    .collect(),
            }
        }),
        "D26",
        "another sound",
    );
    add(
        "channels exchanged",
        Box::new(|pcm, _| Pcm {
            sample_rate: 8000,
            channels: pcm.channels.iter().rev().cloned().collect(),
        }),
        "D22",
        "",
    );
    add(
        "another call",
        Box::new(|_, other| other.clone()),
        "D26",
        "another sound",
    );
    rows
}

#[test]
#[ignore = "needs lame and asterisk-core-sounds-en-wav; ./check runs it"]
fn damages_of_recorded_speech_are_named() {
    let prompts = prompts();
    let folder = tempfile::tempdir().expect("a folder");
    let mut wrong = Vec::new();
    let ways: [(&str, Option<&str>); 3] = [
        ("wav", None),
        ("mp3", Some(TO_MP3)),
        (
            "mp3 to a pipe",
            Some("lame --quiet -t -b 32 mid.wav out.mp3"),
        ),
    ];
    let mut all = 0;
    for (n, (name, damage, codes, words)) in damages().into_iter().enumerate() {
        for seed in 0..3u64 {
            let (source, other) = (
                call(&prompts, 100 + seed, 14, 2),
                call(&prompts, 200 + seed, 14, 2),
            );
            let damaged = damage(&source, &other);
            let (way, line) = ways[(n + seed as usize) % 3];
            let target = match line {
                None => wav(&damaged),
                Some(line) => made(folder.path(), &damaged, &line.replace("mid.wav", "in.wav")),
            };
            all += 1;
            let found = found(&source, &target, &[], PauseRule::Keep);
            let right = matches!(found.as_slice(), [(code, said)] if codes.contains(code) && said.contains(words));
            if !right {
                wrong.push(format!(
                    "{name} ({way}, call {seed}): {found:?} instead of {codes} {words:?}"
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {all}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// What stands in a pause by name, and whether it is a leak.
type Filling = (&'static str, Box<dyn Fn(&[i16]) -> Vec<i16>>, bool);

#[test]
#[ignore = "needs lame and asterisk-core-sounds-en-wav; ./check runs it"]
fn only_what_the_source_says_leaks_from_a_pause() {
    let prompts = prompts();
    let hiss = |level: usize| {
        move |samples: &[i16]| {
            let mut chance = Chance::of(3);
            samples
                .iter()
                .map(|_| chance.below(2 * level + 1) as i16 - level as i16)
                .collect()
        }
    };
    let zero = |samples: &[i16]| vec![0; samples.len()];
    let rows: Vec<Filling> = vec![
        ("silence", Box::new(zero), false),
        ("comfort noise", Box::new(hiss(40)), false),
        ("loud comfort noise", Box::new(hiss(500)), false),
        (
            "a tone",
            Box::new(|samples| {
                (0..samples.len())
                    .map(|at| (3000.0 * (at as f64 * std::f64::consts::FRAC_PI_4).sin()) as i16)
                    .collect()
            }),
            false,
        ),
        (
            "a faint tone",
            Box::new(|samples| {
                (0..samples.len())
                    .map(|at| (30.0 * (at as f64 * 0.35).sin()) as i16)
                    .collect()
            }),
            false,
        ),
        ("wide open", Box::new(<[i16]>::to_vec), true),
        (
            "20 dB softer",
            Box::new(|samples| louder(samples, -20.0)),
            true,
        ),
        (
            "36 dB softer",
            Box::new(|samples| louder(samples, -36.0)),
            true,
        ),
        (
            "44 dB softer",
            Box::new(|samples| louder(samples, -44.0)),
            true,
        ),
        (
            "52 dB softer",
            Box::new(|samples| louder(samples, -52.0)),
            true,
        ),
        (
            "bits shifted right by 6",
            Box::new(|samples| samples.iter().map(|sample| sample >> 6).collect()),
            true,
        ),
        (
            "bits shifted right by 8",
            Box::new(|samples| samples.iter().map(|sample| sample >> 8).collect()),
            true,
        ),
        (
            "moved by 300 ms",
            Box::new(|samples| moved(samples, 300)),
            true,
        ),
        (
            "100 ms open at the start",
            Box::new(|samples| [&samples[..800], &vec![0; samples.len() - 800]].concat()),
            true,
        ),
        (
            "100 ms open at the end",
            Box::new(|samples| {
                [
                    &vec![0; samples.len() - 800],
                    &samples[samples.len() - 800..],
                ]
                .concat()
            }),
            true,
        ),
    ];
    let folder = tempfile::tempdir().expect("a folder");
    let ways: [(&str, Option<&str>); 4] = [
        ("wav", None),
        ("mp3", Some("lame --quiet -V 2 in.wav out.mp3")),
        (
            "mp3 to a pipe",
            Some("lame --quiet -t -b 24 in.wav out.mp3"),
        ),
        (
            "mp3 of 16 kHz",
            Some("lame --quiet -b 32 --resample 16 in.wav out.mp3"),
        ),
    ];
    let (mut wrong, mut all) = (Vec::new(), 0);
    for seed in 0..4u64 {
        let mut source = call(&prompts, 300 + seed, 14, 1 + seed as usize % 2);
        // A number is read in the pause, from edge to edge.
        let spoken: Vec<i16> = prompts[10 + seed as usize..]
            .iter()
            .take(8)
            .flatten()
            .filter(|sample| sample.abs() > 0)
            .copied()
            .take(48_000)
            .collect();
        // Loud at both edges.
        let loud = |at: usize| {
            spoken.get(at..at + 400).is_some_and(|piece| {
                piece
                    .iter()
                    .map(|sample| i32::from(sample.abs()))
                    .sum::<i32>()
                    > 400 * 300
            })
        };
        let first = (0..spoken.len())
            .step_by(200)
            .find(|at| loud(*at) && loud(*at + 400))
            .expect("speech");
        let last = (first + 16_000..first + 28_000)
            .step_by(200)
            .rev()
            .find(|at| loud(*at) && loud(*at + 400))
            .expect("speech");
        let number = spoken[first..last + 800].to_vec();
        let (from, to) = (40_000, 40_000 + number.len());
        source.channels[0][from..to].copy_from_slice(&number);
        if seed == 3 {
            // Spoken so quietly that no part of it is loud.
            let quiet = louder(&source.channels[0][from..to], -34.0);
            source.channels[0][from..to].copy_from_slice(&quiet);
        }
        let pause = [Pause {
            start_ms: 5000,
            end_ms: (to / 8) as i64,
        }];
        for (name, fill, leaks) in &rows {
            if seed == 3
                && (name.contains("softer") || name.contains("bits") || name.contains("100 ms"))
            {
                continue;
            }
            let mut damaged = source.clone();
            damaged
                .channels
                .iter_mut()
                .for_each(|channel| channel[from..to].fill(0));
            let filled = fill(&source.channels[0][from..to]);
            damaged.channels[0][from..to].copy_from_slice(&filled);
            for (way, line) in ways {
                let target = match line {
                    None => wav(&damaged),
                    Some(line) => made(folder.path(), &damaged, line),
                };
                all += 1;
                let found = found(&source, &target, &pause, PauseRule::Silence);
                let right = if *leaks {
                    matches!(found.as_slice(), [("D59", _)])
                } else {
                    found.is_empty()
                };
                if !right {
                    wrong.push(format!("{name} ({way}, call {seed}): {found:?}"));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {all}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
#[ignore = "needs lame and asterisk-core-sounds-en-wav; ./check runs it"]
fn short_prompts_of_one_length_are_told_apart_and_find_their_owner() {
    let prompts = prompts();
    let folder = tempfile::tempdir().expect("a folder");
    let (mut wrong, mut all) = (Vec::new(), 0);
    for length in [8_000, 12_000, 18_000] {
        let same: Vec<Pcm> = prompts
            .iter()
            .filter(|prompt| (length..length + 3000).contains(&prompt.len()))
            .take(24)
            .map(|prompt| Pcm {
                sample_rate: 8000,
                channels: vec![prompt[..length].to_vec()],
            })
            .collect();
        let fingerprints: Vec<AudioFingerprint> = same.iter().map(AudioFingerprint::of).collect();
        for (at, source) in same.iter().enumerate() {
            let other = (at + 1) % same.len();
            // Some prompts begin with the same words, cut from one recording.
            let of = |pcm: &Pcm| {
                pcm.channels[0]
                    .iter()
                    .map(|sample| f32::from(*sample))
                    .collect::<Vec<f32>>()
            };
            if fit(&of(source), &of(&same[other])) > 0.3 {
                continue;
            }
            let line = if at % 2 == 0 {
                "lame --quiet -V 2 in.wav out.mp3"
            } else {
                "lame --quiet -t -b 32 in.wav out.mp3"
            };
            let target = made(folder.path(), &same[other], line);
            let (SourceSound::Good(facts), Some(pcm)) =
                read_source(&wav(source), None, audio::Ffmpeg::Never)
            else {
                panic!("the source decodes")
            };
            let audio = AudioExpectation::Transcoded {
                container: audio::Container::Mp3,
                codec: Codec::Mp3,
            };
            let wanted = Wanted {
                audio,
                pauses: Vec::new(),
                rule: PauseRule::Keep,
            };
            let verdict = judge(&facts, &pcm, &wanted, &target, None);
            let owners: Vec<usize> = match &verdict.fingerprint {
                Some(fingerprint) => {
                    let alike = (0..same.len())
                        .filter(|owner| *owner != at)
                        .filter_map(|owner| {
                            Some((fingerprints[owner].likeness(fingerprint)?, owner))
                        });
                    alike
                        .max_by(|a, b| a.0.total_cmp(&b.0))
                        .map(|(_, owner)| owner)
                        .into_iter()
                        .collect()
                }
                None => Vec::new(),
            };
            all += 1;
            let is_other =
                |owner: &usize| *owner == other || fit(&of(&same[*owner]), &of(&same[other])) > 0.9;
            if !owners.first().is_some_and(is_other) {
                let differences: Vec<_> = verdict
                    .differences
                    .iter()
                    .map(|found| (found.defect.code(), &found.actual))
                    .collect();
                wrong.push(format!(
                    "{length} samples, {at} for {other} ({line}): owners \
                    {owners:?}, {differences:?}"
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {all}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
