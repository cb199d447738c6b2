//! Rows about sound: honest encoders, shifts, leaks in a pause, quality, and what belongs to
//! another call.

use audio::Pcm;

use super::encoders::{FFMPEG, TO_MP3, honest, honest_wav};
use super::rows::{ALL, At, Deviation, Expected, FIRST, Row, Samples};
use super::speech::{Chance, RATE, Spoken};
use super::world::{PAUSED, PLAIN, QUIETLY_PAUSED, Shape};

pub(crate) const SHIFTS: &str = "shifts of equal length";
pub(crate) const LEAKS: &str = "leaks in a pause";
pub(crate) const QUALITY: &str = "quality and order";
pub(crate) const OWNER: &str = "whose sound it is";
pub(crate) const PAUSES_KEPT: &str = "honest pauses";

/// The encoders by turns: a damage looks the same whoever encodes it.
const ENCODERS: [&str; 4] = [
    TO_MP3,
    "ffmpeg -nostdin -v error -y -i mid.wav -c:a libmp3lame -b:a 48k -f mp3 - > out.mp3",
    "lame --quiet -t -b 32 --resample 8 mid.wav out.mp3",
    "sox -V1 mid.wav -t mp3 -C 64 - > out.mp3",
];

pub(crate) fn rows() -> Vec<Row> {
    let mut rows: Vec<Row> = [shifts(), leaks(), quality()]
        .into_iter()
        .flatten()
        .enumerate()
        .map(|(n, (kind, shape, name, samples, before, expected))| {
            let line = format!("{before} && {}", ENCODERS[n % ENCODERS.len()]);
            Row::new(kind, name, ALL, &[shape, PLAIN], &expected, move |_| {
                vec![Deviation::Sound {
                    call: 0,
                    recording: 0,
                    samples,
                    line: line.clone(),
                }]
            })
        })
        .collect();
    rows.extend(owners());
    rows
}

/// Kind, what the call is like, name, what is done to its samples, the line that makes `mid.wav`,
/// what has to be found.
type Damage = (
    &'static str,
    Shape,
    String,
    Option<Samples>,
    String,
    Vec<Expected>,
);

fn sox(effects: &str) -> String {
    format!("sox -V1 -D in.wav mid.wav {effects}")
}

/// Pieces of `in.wav` cut by `trim`, put together in this order.
fn pieces(cuts: &[&str]) -> String {
    let each: Vec<String> = cuts
        .iter()
        .enumerate()
        .map(|(n, cut)| format!("sox -V1 -D in.wav p{n}.wav {cut}"))
        .collect();
    let names: Vec<String> = (0..cuts.len()).map(|n| format!("p{n}.wav")).collect();
    format!(
        "{} && sox -V1 -D {} mid.wav",
        each.join(" && "),
        names.join(" ")
    )
}

fn at_first(codes: &'static str) -> Vec<Expected> {
    vec![(codes, FIRST)]
}

fn shifts() -> Vec<Damage> {
    let mut rows = Vec::new();
    let mut add = |name: String, effects: String, codes| {
        rows.push((SHIFTS, PLAIN, name, None, sox(&effects), at_first(codes)))
    };
    for ms in [200, 350, 500, 800] {
        let seconds = f64::from(ms) / 1000.0;
        add(
            format!("{ms} ms lost at the start and padded at the end"),
            format!("trim {seconds} pad 0 {seconds}"),
            "D16",
        );
        add(
            format!("{ms} ms of silence before, the end lost"),
            format!("pad {seconds} 0 trim 0 14"),
            "D15|D26",
        );
    }
    for (ms, name, delay) in [
        (100, "second channel", "0 0.1"),
        (250, "second channel", "0 0.25"),
        (800, "second channel", "0 0.8"),
        (150, "first channel", "0.15 0"),
        (400, "first channel", "0.4 0"),
    ] {
        add(
            format!("{name} {ms} ms late"),
            format!("delay {delay} trim 0 14"),
            "D26",
        );
    }
    rows
}

/// The pause is 5..8 s.
fn leaks() -> Vec<Damage> {
    let covered = |effect: &str| pieces(&["trim 0 5", &format!("trim 5 3 {effect}"), "trim 8"]);
    let mut rows = Vec::new();
    for (name, effect) in [
        ("silence", "vol 0"),
        ("a tone", "synth 3 sine 1000 vol 0.1"),
        ("faint comfort noise", "synth 3 whitenoise vol 0.001"),
    ] {
        rows.push((
            PAUSES_KEPT,
            PAUSED,
            format!("covered by {name}"),
            None,
            covered(effect),
            Vec::new(),
        ));
    }
    let mut add = |shape, name: &str, line: String| {
        rows.push((LEAKS, shape, name.to_owned(), None, line, at_first("D59")))
    };
    add(PAUSED, "wide open", sox(""));
    for decibels in [36, 44, 52] {
        add(
            PAUSED,
            &format!("attenuated by {decibels} dB"),
            covered(&format!("gain -{decibels}")),
        );
    }
    add(
        PAUSED,
        "shifted by 300 ms inside the pause",
        covered("pad 0.3 0 trim 0 3"),
    );
    add(
        PAUSED,
        "100 ms open at the beginning",
        pieces(&["trim 0 5.1", "trim 5.1 2.9 vol 0", "trim 8"]),
    );
    add(
        PAUSED,
        "100 ms open at the end",
        pieces(&["trim 0 5", "trim 5 2.9 vol 0", "trim 7.9"]),
    );
    add(
        PAUSED,
        "300 ms open at the beginning",
        pieces(&["trim 0 5.3", "trim 5.3 2.7 vol 0", "trim 8"]),
    );
    add(
        PAUSED,
        "300 ms open at the end",
        pieces(&["trim 0 5", "trim 5 2.7 vol 0", "trim 7.7"]),
    );
    add(
        PAUSED,
        "mask half a second late",
        pieces(&["trim 0 5.5", "trim 5.5 3 vol 0", "trim 8.5"]),
    );
    add(
        PAUSED,
        "mask half a second early",
        pieces(&["trim 0 4.5", "trim 4.5 3 vol 0", "trim 7.5"]),
    );
    add(
        PAUSED,
        "only the other channel silenced",
        pieces(&["trim 0 5", "trim 5 3 remix 1 0", "trim 8"]),
    );
    let heard_through = "sox -V1 -D in.wav n.wav trim 5 3 && sox -V1 -D -n -r 8000 -c 2 t.wav \
        synth 3 sine 1000 vol 0.05 && sox -V1 -D -m -v 1 n.wav -v 1 t.wav m.wav && sox -V1 -D \
        in.wav a.wav trim 0 5 && sox -V1 -D in.wav b.wav trim 8 && sox -V1 -D a.wav m.wav b.wav \
        mid.wav";
    add(
        PAUSED,
        "covered by a tone that the number is heard through",
        heard_through.to_owned(),
    );
    add(QUIETLY_PAUSED, "a number read quietly, wide open", sox(""));
    add(
        QUIETLY_PAUSED,
        "a number read quietly, the middle second covered",
        pieces(&["trim 0 6", "trim 6 1 vol 0", "trim 7"]),
    );
    rows
}

fn lossy(pcm: &Pcm, repeat: bool) -> Pcm {
    const PACKET: usize = RATE / 50;
    let mut chance = Chance::of(7);
    let mut out = pcm.clone();
    for from in (PACKET..pcm.samples().saturating_sub(PACKET)).step_by(PACKET) {
        if chance.below(10) == 0 {
            for channel in &mut out.channels {
                if repeat {
                    channel.copy_within(from - PACKET..from, from)
                } else {
                    channel[from..from + PACKET].fill(0)
                }
            }
        }
    }
    out
}

fn quality() -> Vec<Damage> {
    let mut rows: Vec<Damage> = Vec::new();
    let mut add = |name: &str, samples: Option<Samples>, line: String, codes| {
        rows.push((
            QUALITY,
            PLAIN,
            name.to_owned(),
            samples,
            line,
            at_first(codes),
        ));
    };
    add("nothing above 1 kHz", None, sox("sinc -1000"), "D27");
    add(
        "nothing above 1.5 kHz",
        None,
        sox("lowpass -2 1500 lowpass -2 1500 lowpass -2 1500 lowpass -2 1500"),
        "D27",
    );
    add(
        "nothing above 2 kHz",
        None,
        format!("{FFMPEG} -i in.wav -ar 4000 low.wav && {FFMPEG} -i low.wav -ar 8000 mid.wav"),
        "D27",
    );
    add(
        "8 kbit/s",
        None,
        "lame --quiet -b 8 --cbr --resample 8 in.wav low.mp3 && lame --quiet \
        --decode low.mp3 mid.wav"
            .to_owned(),
        "D27",
    );
    add(
        "a tenth of the packets silent",
        Some(|pcm, _| lossy(pcm, false)),
        sox(""),
        "D26",
    );
    add(
        "a tenth of the packets repeated",
        Some(|pcm, _| lossy(pcm, true)),
        sox(""),
        "D26",
    );
    add(
        "faded out from the eighth second",
        None,
        sox("fade t 0 14 6"),
        "D28",
    );
    add("20 dB softer", None, sox("gain -20"), "D28");
    add("6 dB softer", None, sox("gain -6"), "D28");
    add("20 dB louder, clipped", None, sox("gain 20"), "D28");
    add("0.3 % slow", None, sox("speed 0.997"), "D21");
    add(
        "0.3 % slow, cut to length",
        None,
        sox("speed 0.997 trim 0 14"),
        "D21",
    );
    add("0.3 % fast", None, sox("speed 1.003"), "D21");
    add("1 % slow", None, sox("speed 0.99"), "D21");
    add(
        "2 % fast",
        None,
        format!("{FFMPEG} -i in.wav -af asetrate=8160,aresample=8000 mid.wav"),
        "D21",
    );
    add(
        "played as 11,025 Hz",
        None,
        "sox -V1 in.wav -t raw - | sox -V1 -t raw -r 11025 -e signed -b 16 -c 2 - mid.wav"
            .to_owned(),
        "D20",
    );
    add("the last 1.5 s cut off", None, sox("trim 0 12.5"), "D15");
    add(
        "the last 1.5 s silent",
        None,
        pieces(&["trim 0 12.5", "trim 12.5 vol 0"]),
        "D15",
    );
    add("the first 1.5 s cut off", None, sox("trim 1.5"), "D16");
    add(
        "three seconds silent in the middle",
        None,
        pieces(&["trim 0 5", "trim 5 3 vol 0", "trim 8"]),
        "D17",
    );
    add(
        "a second missing, padded at the end",
        None,
        format!(
            "{} && mv mid.wav cut.wav && sox -V1 cut.wav mid.wav pad 0 1",
            pieces(&["trim 0 6", "trim 7"])
        ),
        "D17",
    );
    add(
        "0.75 s of silence inserted",
        None,
        pieces(&["trim 0 6 pad 0 0.75", "trim 6"]),
        "D17",
    );
    add(
        "1.5 s of another call inserted",
        None,
        format!(
            "sox -V1 other.wav o.wav trim 3 1.5 && {} && sox -V1 p0.wav o.wav p1.wav mid.wav",
            pieces(&["trim 0 6", "trim 6"])
        ),
        "D26",
    );
    add(
        "three seconds of another call",
        None,
        format!(
            "sox -V1 other.wav o.wav trim 5 3 && {} && sox -V1 p0.wav o.wav p1.wav mid.wav",
            pieces(&["trim 0 5", "trim 8"])
        ),
        "D26",
    );
    add(
        "two seconds twice",
        None,
        pieces(&["trim 0 7", "trim 5"]),
        "D26",
    );
    add(
        "halves exchanged",
        None,
        pieces(&["trim 7", "trim 0 7"]),
        "D26",
    );
    add("silence", None, sox("vol 0"), "D19");
    add("channels exchanged", None, sox("remix 2 1"), "D22");
    add(
        "two channels folded into one",
        None,
        sox("remix 1,2"),
        "D23",
    );
    add(
        "both people on both channels",
        None,
        sox("remix 1,2 1,2"),
        "D23",
    );
    add(
        "mu-law read as A-law",
        None,
        "sox -V1 in.wav -t ul - | sox -V1 -t al -r 8000 -c 2 - -e signed -b 16 mid.wav".to_owned(),
        "D29",
    );
    add(
        "bytes exchanged",
        None,
        "sox -V1 in.wav -t raw - | sox -V1 -t raw -x -r 8000 -e signed -b 16 -c 2 - mid.wav"
            .to_owned(),
        "D29",
    );
    rows
}

fn owners() -> Vec<Row> {
    let whole = |line: &'static str| format!("cp in.wav mid.wav && {line}");
    let mut rows = Vec::new();
    rows.push(Row::new(
        OWNER,
        "another call's sound",
        ALL,
        &[PLAIN, PLAIN],
        &[("D18", FIRST)],
        move |_| {
            vec![Deviation::SoundOf {
                call: 0,
                recording: 0,
                of: (1, 0),
                line: whole(TO_MP3),
            }]
        },
    ));
    rows.push(Row::new(
        OWNER,
        "two calls' sound exchanged",
        ALL,
        &[PLAIN, PLAIN],
        &[("D18", FIRST), ("D18", At::Recording(1, 0))],
        move |_| exchange(whole(ENCODERS[1])),
    ));
    for (n, samples) in [8_000, 10_000, 12_000, 14_000, 18_000, 24_000]
        .into_iter()
        .enumerate()
    {
        let shape = PLAIN.spoken(Spoken::Prompt { samples });
        let name = format!("two prompts of {} ms exchanged", samples / 8);
        rows.push(Row::new(
            OWNER,
            name,
            ALL,
            &[shape, shape],
            &[("D18", FIRST), ("D18", At::Recording(1, 0))],
            move |_| exchange(whole(ENCODERS[n % ENCODERS.len()])),
        ));
    }
    rows
}

fn exchange(line: String) -> Vec<Deviation> {
    let of = |call: usize| Deviation::SoundOf {
        call,
        recording: 0,
        of: (1 - call, 0),
        line: line.clone(),
    };
    vec![of(0), of(1)]
}

/// So many honest recordings, by each setting in turn; speech of several lengths, on one channel or
/// two, and lines on which nobody speaks.
pub(crate) fn honest_rows(count: usize) -> Vec<Row> {
    let settings = honest();
    let one = |n: usize| {
        let (name, line) = settings[n % settings.len()].clone();
        let (seconds, channels) = ([6, 9, 14, 20, 30][n % 5], if n % 4 == 3 { 1 } else { 2 });
        let spoken = if n % 6 == 5 {
            Spoken::Noise {
                seconds: 8,
                channels,
            }
        } else {
            Spoken::Call { seconds, channels }
        };
        Row::new(HONEST, name, ALL, &[PLAIN.spoken(spoken)], &[], move |_| {
            vec![Deviation::Sound {
                call: 0,
                recording: 0,
                samples: None,
                line: line.clone(),
            }]
        })
    };
    (0..count).map(one).collect()
}

/// Where WAV was agreed: honest writers of it, and some of the damages.
pub(crate) fn wav_rows() -> Vec<Row> {
    let honest = honest_wav()
        .into_iter()
        .enumerate()
        .map(|(n, (name, line))| {
            let shape = PLAIN.spoken(Spoken::Call {
                seconds: [6, 14, 20][n % 3],
                channels: if n % 4 == 3 { 1 } else { 2 },
            });
            Row::new(WAV, name, ALL, &[shape], &[], move |_| {
                vec![Deviation::Sound {
                    call: 0,
                    recording: 0,
                    samples: None,
                    line: line.clone(),
                }]
            })
        });
    // Every third, so that all kinds are among them.
    let damages = [shifts(), leaks(), quality()]
        .into_iter()
        .flatten()
        .filter(|(_, _, _, _, _, expected)| !expected.is_empty())
        .step_by(3);
    let damages = damages.map(|(_, shape, name, samples, before, expected)| {
        let line = format!("{before} && mv mid.wav out.wav");
        Row::new(
            WAV_DAMAGED,
            name,
            ALL,
            &[shape, PLAIN],
            &expected,
            move |_| {
                vec![Deviation::Sound {
                    call: 0,
                    recording: 0,
                    samples,
                    line: line.clone(),
                }]
            },
        )
    });
    honest.chain(damages).collect()
}

const WAV: &str = "honest WAV";
const WAV_DAMAGED: &str = "damages where WAV was agreed";
pub(crate) const HONEST: &str = "honest encoders";
