//! The check of sound on recorded speech: which conversations it takes for the same, what that is
//! decided by, what it costs, and how good the copies are that it lets pass.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use audio::{Codec, Pcm, SecondDecoder};
use verifier::{
    DECODERS_LEAST_FIT, DECODERS_LEAST_IN_PLACE, DECODERS_LENGTH_APART_MS,
    DECODERS_LOUDNESS_APART_DB, Defect, FileDifference, compare_files, decode_again, fit_files,
};

use crate::report::{Failure, Report};
use crate::strangers::speech::recorded::{call, prompts};
use crate::workers;

const SEED: u64 = 17;
const FFMPEG: &str = "ffmpeg -nostdin -v error -y";
/// Calls of the same seconds and channels are held against each other.
const SECONDS: [usize; 5] = [6, 9, 14, 24, 40];
/// The stranger of a call is made from a seed this far away, an odd multiple of the lengths.
const STRANGER: u64 = 1_000_005;
/// Copies whose opinion score is taken, for each conversion. Each costs seconds.
const SCORED: u64 = 6;

/// A way to make a copy.
struct Conversion {
    name: &'static str,
    /// Channels it takes at most.
    channels: usize,
    /// File that the line makes of `in.wav`.
    out: &'static str,
    line: &'static str,
    /// What it does to the sound on purpose.
    meant: &'static [Defect],
}

const fn plain(
    name: &'static str,
    channels: usize,
    out: &'static str,
    line: &'static str,
) -> Conversion {
    Conversion {
        name,
        channels,
        out,
        line,
        meant: &[],
    }
}

const CONVERSIONS: [Conversion; 20] = [
    plain(
        "MP3, 16 kbit/s of 8 kHz",
        2,
        "out.mp3",
        "lame --quiet -b 16 --cbr --resample 8 in.wav out.mp3",
    ),
    plain(
        "MP3, -V 2 of 8 kHz",
        2,
        "out.mp3",
        "lame --quiet -V 2 in.wav out.mp3",
    ),
    plain(
        "MP3, 24 kbit/s of 16 kHz, no tag",
        2,
        "out.mp3",
        "lame --quiet -t -b 24 --cbr --resample 16 in.wav out.mp3",
    ),
    plain(
        "MP3, 48 kbit/s of 44.1 kHz, to a pipe",
        2,
        "out.mp3",
        "ffmpeg -nostdin -v error -y -i in.wav -ar 44100 -c:a libmp3lame -b:a 48k -f mp3 - > out.mp3",
    ),
    plain(
        "Opus, 12 kbit/s",
        1,
        "out.ogg",
        "ffmpeg -nostdin -v error -y -i in.wav -c:a libopus -b:a 12k -application voip out.ogg",
    ),
    plain(
        "Opus, 32 kbit/s",
        2,
        "out.ogg",
        "ffmpeg -nostdin -v error -y -i in.wav -c:a libopus -b:a 32k out.ogg",
    ),
    plain(
        "Vorbis, quality 0",
        2,
        "out.ogg",
        "ffmpeg -nostdin -v error -y -i in.wav -c:a libvorbis -q:a 0 out.ogg",
    ),
    plain(
        "G.711 mu-law",
        2,
        "out.wav",
        "ffmpeg -nostdin -v error -y -i in.wav -c:a pcm_mulaw out.wav",
    ),
    plain(
        "G.711 A-law",
        2,
        "out.wav",
        "ffmpeg -nostdin -v error -y -i in.wav -c:a pcm_alaw out.wav",
    ),
    plain(
        "AMR, 4.75 kbit/s",
        1,
        "out.amr",
        "sox -V1 in.wav -C 0 mid.amr-nb && mv mid.amr-nb out.amr",
    ),
    plain(
        "AMR, 12.2 kbit/s",
        1,
        "out.amr",
        "sox -V1 in.wav -C 7 mid.amr-nb && mv mid.amr-nb out.amr",
    ),
    plain(
        "GSM 6.10",
        1,
        "out.wav",
        "ffmpeg -nostdin -v error -y -i in.wav -c:a libgsm_ms out.wav",
    ),
    plain(
        "IMA ADPCM",
        2,
        "out.wav",
        "ffmpeg -nostdin -v error -y -i in.wav -c:a adpcm_ima_wav out.wav",
    ),
    plain(
        "PCM, 8 bit",
        2,
        "out.wav",
        "ffmpeg -nostdin -v error -y -i in.wav -c:a pcm_u8 out.wav",
    ),
    plain(
        "PCM of 11.025 kHz",
        2,
        "out.wav",
        "sox -V1 in.wav -r 11025 out.wav",
    ),
    plain(
        "PCM of 16 kHz",
        2,
        "out.wav",
        "sox -V1 in.wav -r 16000 out.wav",
    ),
    plain(
        "PCM of 44.1 kHz",
        2,
        "out.wav",
        "sox -V1 in.wav -r 44100 out.wav",
    ),
    plain(
        "PCM of 48 kHz",
        2,
        "out.wav",
        "ffmpeg -nostdin -v error -y -i in.wav -ar 48000 out.wav",
    ),
    Conversion {
        name: "MP3, 6 dB quieter",
        channels: 2,
        out: "out.mp3",
        line: "sox -V1 in.wav mid.wav gain -6 && lame --quiet -V 2 mid.wav out.mp3",
        meant: &[Defect::AudioVolumeChanged],
    },
    Conversion {
        name: "MP3, 4 dB louder",
        channels: 2,
        out: "out.mp3",
        line: "sox -V1 in.wav mid.wav gain 4 && lame --quiet -V 2 mid.wav out.mp3",
        meant: &[Defect::AudioVolumeChanged],
    },
];

/// What came of one call, its copy and a stranger.
struct Pair {
    conversion: usize,
    /// What is said against the own copy, but for what was meant.
    own: Vec<FileDifference>,
    /// What is said against the copy as that of the stranger.
    stranger: Vec<FileDifference>,
    /// Seconds in their place, and the median correlation: of the own copy, of the stranger's.
    fits: [(Option<f64>, f64); 2],
    /// How another decoder and ours differ on the copy. Absent: they do not.
    decoders: Option<String>,
    /// Which call, in words.
    what: String,
}

/// `n`: pairs of a call and its copy, and as many of a call and a stranger's copy.
pub(crate) fn run(n: u64) -> Result<Report, Failure> {
    let prompts = prompts().map_err(Failure::new)?;
    let pairs = pairs(&prompts, n)?;
    let mut report = Report {
        seed: SEED,
        ..Report::default()
    };
    let rejected: Vec<&Pair> = pairs.iter().filter(|pair| !pair.own.is_empty()).collect();
    let accepted: Vec<&Pair> = pairs
        .iter()
        .filter(|pair| pair.stranger.is_empty())
        .collect();
    let unforeign = pairs
        .iter()
        .filter(|pair| !pair.stranger.iter().any(|told| told.is_foreign))
        .count();
    report.row("calls held against their own copy", pairs.len());
    report.row("false rejects", rejected.len());
    report.row("calls held against the copy of a stranger", pairs.len());
    report.row("false accepts", accepted.len());
    report.row(
        "strangers that are told as something else than another's sound",
        unforeign,
    );
    let of = |at: usize| -> (Vec<f64>, Vec<f64>) {
        (
            pairs.iter().filter_map(|pair| pair.fits[at].0).collect(),
            pairs.iter().map(|pair| pair.fits[at].1).collect(),
        )
    };
    let ((own_held, own_typical), (stranger_held, stranger_typical)) = (of(0), of(1));
    report.row(
        "share of seconds in their place (threshold 0.985): own, least and hundredth; stranger, \
         ninety-ninth and most",
        edges(own_held, stranger_held),
    );
    report.row(
        "median correlation of all seconds (a second is in place from 0.35, in clips of one or two \
         from 0.62): own, least and hundredth; stranger, ninety-ninth and most",
        edges(own_typical, stranger_typical),
    );
    let unlike: Vec<&Pair> = pairs
        .iter()
        .filter(|pair| pair.decoders.is_some())
        .collect();
    report.row("copies decoded a second time by ffmpeg or sox", pairs.len());
    report.row(
        &format!(
            "of these, the two decoders differ (median correlation below {DECODERS_LEAST_FIT}, share \
             of seconds in their place below {DECODERS_LEAST_IN_PLACE}, {DECODERS_LENGTH_APART_MS} ms in \
             length or {DECODERS_LOUDNESS_APART_DB} dB in loudness apart)"
        ),
        unlike.len(),
    );
    for (channels, seconds, on_all) in cost(&prompts, n)? {
        report.row(
            &format!("CPU seconds to check a call of five minutes, {channels} (goal: 0.3)"),
            format!("{seconds:.2}"),
        );
        report.row(
            &format!("the same on all cores at once, share of them busy, {channels}"),
            format!("{on_all:.2}"),
        );
    }
    report.appendix = table(&pairs, &scores(&prompts, if n < 100 { 1 } else { SCORED })?);
    let told = |what: &str, pairs: &[&Pair], words: fn(&Pair) -> String| {
        pairs
            .iter()
            .map(|pair| format!("\n    {what}: {}: {}", pair.what, words(pair)))
            .collect::<String>()
    };
    let wrong = [
        told("false reject", &rejected, |pair| format!("{:?}", pair.own)),
        told("false accept", &accepted, |_| "nothing was said".to_owned()),
        told("decoders", &unlike, |pair| {
            pair.decoders.clone().unwrap_or_default()
        }),
    ]
    .concat();
    if wrong.is_empty() {
        Ok(report)
    } else {
        Err(Failure::new(wrong))
    }
}

/// On all cores: each makes copies and compares them.
fn pairs(prompts: &[Vec<i16>], n: u64) -> Result<Vec<Pair>, Failure> {
    let programs = SecondDecoder::all();
    let count = usize::try_from(n).map_err(Failure::new)?;
    let pairs = workers::in_parallel(workers::cores(), count, |at| pair(prompts, &programs, at));
    pairs.into_iter().collect()
}

fn pair(prompts: &[Vec<i16>], programs: &[SecondDecoder], at: usize) -> Result<Pair, Failure> {
    let conversion = at % CONVERSIONS.len();
    let by = &CONVERSIONS[conversion];
    let seconds = SECONDS[at / CONVERSIONS.len() % SECONDS.len()];
    let channels = by.channels.min(1 + at / 3 % 2);
    let recorded = |seed: u64| wav(&call(prompts, seed, seconds, channels));
    let (source, other) = (
        recorded(SEED + at as u64)?,
        recorded(SEED + at as u64 + STRANGER)?,
    );
    let folder = tempfile::tempdir().map_err(Failure::new)?;
    let copy = copy(folder.path(), &source, by)?;
    let against = |source: &[u8]| -> Result<Vec<FileDifference>, Failure> {
        let mut told = compare_files(source, &copy).map_err(Failure::new)?;
        told.retain(|told| !by.meant.contains(&told.defect));
        Ok(told)
    };
    let fit = |source: &[u8]| {
        fit_files(source, &copy)
            .map(|fit| (fit.held, fit.typical))
            .map_err(Failure::new)
    };
    Ok(Pair {
        conversion,
        own: against(&source)?,
        stranger: against(&other)?,
        fits: [fit(&source)?, fit(&other)?],
        decoders: decoders(programs, &copy),
        what: format!("call {at}, {seconds} s, {channels} channels, {}", by.name),
    })
}

fn wav(pcm: &Pcm) -> Result<Vec<u8>, Failure> {
    audio::encode(pcm, Codec::PcmS16).map_err(Failure::new)
}

fn copy(folder: &Path, source: &[u8], by: &Conversion) -> Result<Vec<u8>, Failure> {
    std::fs::write(folder.join("in.wav"), source).map_err(Failure::new)?;
    shell(folder, by.line)?;
    std::fs::read(folder.join(by.out)).map_err(Failure::new)
}

fn shell(folder: &Path, line: &str) -> Result<(), Failure> {
    let output = Command::new("sh")
        .args(["-e", "-c", line])
        .current_dir(folder)
        .output()
        .map_err(Failure::new)?;
    if output.status.success() {
        Ok(())
    } else {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(Failure::new(format!("{line}: {said}")))
    }
}

/// What another decoder hears in a copy that ours does not.
fn decoders(programs: &[SecondDecoder], copy: &[u8]) -> Option<String> {
    decode_again(programs, copy).unwrap_or_else(Some)
}

/// The least and the hundredth of own pairs, the ninety-ninth and the most of strangers.
fn edges(mut own: Vec<f64>, mut strangers: Vec<f64>) -> String {
    own.sort_by(f64::total_cmp);
    strangers.sort_by(f64::total_cmp);
    let at = |values: &[f64], share: f64| {
        let last = values.len().saturating_sub(1);
        values
            .get((last as f64 * share).round() as usize)
            .copied()
            .unwrap_or(f64::NAN)
    };
    format!(
        "{:.3}, {:.3}; {:.3}, {:.3}",
        at(&own, 0.0),
        at(&own, 0.01),
        at(&strangers, 0.99),
        at(&strangers, 1.0)
    )
}

/// What a call of five minutes costs: CPU seconds of one alone, and the share of all cores that is
/// busy while as many as there are cores are checked at once.
#[expect(clippy::disallowed_methods, reason = "measures wall time")]
fn cost(prompts: &[Vec<i16>], n: u64) -> Result<Vec<(&'static str, f64, f64)>, Failure> {
    let folder = tempfile::tempdir().map_err(Failure::new)?;
    let rounds = if n < 100 { 1 } else { 5 };
    [("one channel", 1), ("two channels", 2)]
        .into_iter()
        .map(|(name, channels)| {
            let pcm = call(prompts, SEED, 300, channels);
            let source = audio::encode(&pcm, Codec::Mulaw).map_err(Failure::new)?;
            let copy = copy(folder.path(), &source, &CONVERSIONS[1])?;
            let check = || match compare_files(&source, &copy) {
                Ok(told) if told.is_empty() => Ok(()),
                Ok(told) => Err(Failure::new(format!("five minutes: {told:?}"))),
                Err(error) => Err(Failure::new(error)),
            };
            let begun = cpu_seconds()?;
            (0..rounds).try_for_each(|_| check())?;
            let alone = (cpu_seconds()? - begun) / f64::from(rounds);
            let (begun, watch) = (cpu_seconds()?, Instant::now());
            let cores = workers::cores();
            workers::in_parallel(cores, cores, |_| (0..rounds).try_for_each(|_| check()))
                .into_iter()
                .try_for_each(|one| one)?;
            let busy = cpu_seconds()? - begun;
            let share = busy / (watch.elapsed().as_secs_f64() * cores as f64);
            Ok((name, alone, share))
        })
        .collect()
}

/// CPU time of this process so far. Source: proc(5), fields 14 and 15, in hundredths of a second.
fn cpu_seconds() -> Result<f64, Failure> {
    let stat = std::fs::read_to_string("/proc/self/stat").map_err(Failure::new)?;
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok());
    match (ticks(11), ticks(12)) {
        (Some(user), Some(system)) => Ok((user + system) / 100.0),
        _ => Err(Failure::new("/proc/self/stat tells no CPU time")),
    }
}

/// Mean opinion scores of so many copies of each conversion: least and mean.
fn scores(prompts: &[Vec<i16>], copies: u64) -> Result<BTreeMap<usize, (f64, f64)>, Failure> {
    let folder = tempfile::tempdir().map_err(Failure::new)?;
    let scored: Vec<usize> = CONVERSIONS
        .iter()
        .enumerate()
        .filter(|(_, by)| by.meant.is_empty())
        .map(|(at, _)| at)
        .take(if copies == 1 { 2 } else { CONVERSIONS.len() })
        .collect();
    let mut lines = String::new();
    for copy_of in 0..copies {
        let source = wav(&call(prompts, SEED + copy_of, 9, 1))?;
        for at in &scored {
            let by = &CONVERSIONS[*at];
            let own = folder.path().join(format!("{copy_of}-{at}"));
            std::fs::create_dir(&own).map_err(Failure::new)?;
            copy(&own, &source, by)?;
            // ViSQOL's model of speech takes 16 kHz.
            for (from, to) in [("in.wav", "reference.wav"), (by.out, "copy.wav")] {
                shell(
                    &own,
                    &format!("{FFMPEG} -i {from} -ar 16000 -c:a pcm_s16le {to}"),
                )?;
            }
            let _ = writeln!(
                lines,
                "{}\t{}",
                own.join("reference.wav").display(),
                own.join("copy.wav").display()
            );
        }
    }
    let told = opinions(&lines)?;
    let mut scores: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for (at, score) in scored.iter().cycle().zip(told) {
        scores.entry(*at).or_default().push(score);
    }
    Ok(scores
        .into_iter()
        .map(|(at, of)| {
            let mean = of.iter().sum::<f64>() / of.len() as f64;
            (at, (of.into_iter().fold(f64::INFINITY, f64::min), mean))
        })
        .collect())
}

fn opinions(lines: &str) -> Result<Vec<f64>, Failure> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python: PathBuf = root.join("target/sound/python/bin/python");
    let mut child = Command::new(&python)
        .arg(root.join("tests/sound/mos.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| {
            Failure::new(format!(
                "{}: {error}; ./check installs it",
                python.display()
            ))
        })?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(lines.as_bytes()).map_err(Failure::new)?;
    }
    let output = child.wait_with_output().map_err(Failure::new)?;
    let told = String::from_utf8_lossy(&output.stdout);
    let scores: Option<Vec<f64>> = told.lines().map(|line| line.parse().ok()).collect();
    match scores {
        Some(scores) if output.status.success() && scores.len() == lines.lines().count() => {
            Ok(scores)
        }
        _ => Err(Failure::new(format!("ViSQOL answered {told:?}"))),
    }
}

/// Conversion by conversion.
fn table(pairs: &[Pair], scores: &BTreeMap<usize, (f64, f64)>) -> String {
    let mut page = "\n## Corpus\n\nCalls of 6 to 40 s on one or two channels, of Asterisk's recorded \
        prompts; a stranger is another call of the same length and channels. DecoderComparison scores are \
        ViSQOL's (speech, 16 kHz), 1 to 5, of calls of 9 s: a figure for people, which decides \
        nothing.\n\n| copy | pairs | least seconds in place | least median correlation | stranger's \
        most | opinion, mean | least |\n| --- | --- | --- | --- | --- | --- | --- |\n"
        .to_owned();
    for (at, by) in CONVERSIONS.iter().enumerate() {
        let of: Vec<&Pair> = pairs.iter().filter(|pair| pair.conversion == at).collect();
        let least = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::INFINITY, f64::min);
        let held = least(&mut of.iter().filter_map(|pair| pair.fits[0].0));
        let typical = least(&mut of.iter().map(|pair| pair.fits[0].1));
        let stranger = of.iter().map(|pair| pair.fits[1].1).fold(0.0, f64::max);
        let (worst, mean) = scores.get(&at).map_or_else(
            || ("-".to_owned(), "-".to_owned()),
            |(worst, mean)| (format!("{worst:.2}"), format!("{mean:.2}")),
        );
        let _ = writeln!(
            page,
            "| {} | {} | {held:.3} | {typical:.3} | {stranger:.3} | {mean} | {worst} |",
            by.name,
            of.len()
        );
    }
    page
}
