//! The comparison is tested by sabotage: each damage must show in a number, and each honest
//! transcode in none.

mod speech;

use audio::compare::{
    Likeness, between_channels, bit_error, channel_order, envelope, is_silent, likeness,
    likeness_of_loudness, rms, rms_by_second,
};
use audio::{Codec, Pcm, decode, encode, silence};
use proptest::prelude::*;

const SECONDS: f64 = 40.0;

/// What reference measurements separate with; the verifier has its own copy.
fn alike(found: &Likeness) -> bool {
    (found.length_ratio - 1.0).abs() < 0.005
        && found.min_window >= 0.90
        && found.bit_error.unwrap_or(0.0) <= 0.10
}

fn transcoded(pcm: &Pcm, codec: Codec) -> Pcm {
    decode(&encode(pcm, codec).expect("writes"))
        .expect("decodes")
        .1
}

fn changed(pcm: &Pcm, change: impl Fn(&[i16]) -> Vec<i16>) -> Pcm {
    Pcm {
        channels: pcm.channels.iter().map(|channel| change(channel)).collect(),
        ..pcm.clone()
    }
}

#[test]
fn honest_transcodes_are_alike() {
    let source = speech::mono(20, SECONDS);
    for codec in [
        Codec::Mulaw,
        Codec::Alaw,
        Codec::ImaAdpcm,
        Codec::MsAdpcm,
        Codec::Mp3,
        Codec::GsmWav49,
        Codec::AmrNb,
    ] {
        let found = likeness(&source, &transcoded(&source, codec));
        assert!(alike(&found), "{codec}: {found:?}");
        assert!(found.channels[0].hole_ms.is_none(), "{codec}: {found:?}");
        assert!(
            found.channels[0].gain_db.expect("speech").abs() < 1.0,
            "{codec}: {found:?}"
        );
    }
    let stereo = speech::stereo(21, SECONDS);
    let found = likeness(&stereo, &transcoded(&stereo, Codec::Mp3));
    assert!(alike(&found) && found.channels.len() == 2, "{found:?}");
    let twice = transcoded(&transcoded(&source, Codec::GsmWav49), Codec::Mp3);
    assert!(alike(&likeness(&source, &twice)));
}

#[test]
fn softer_and_late_copies_are_alike_and_say_by_how_much() {
    let source = speech::mono(22, SECONDS);
    let softer = likeness(
        &source,
        &changed(&source, |samples| samples.iter().map(|&s| s / 2).collect()),
    );
    assert!(alike(&softer), "{softer:?}");
    assert!(
        (softer.channels[0].gain_db.expect("speech") + 6.0).abs() < 0.5,
        "{softer:?}"
    );
    for late in [137, 1105, 7000] {
        let found = likeness(
            &source,
            &changed(&source, |samples| [&vec![0; late], samples].concat()),
        );
        assert!(
            found.min_window > 0.95 && found.bit_error < Some(0.1),
            "{late}: {found:?}"
        );
        assert!(
            (found.channels[0].lag_ms - late as i64 / 8).abs() <= 5,
            "{late}: {found:?}"
        );
    }
}

#[test]
fn every_damage_shows() {
    let source = speech::mono(23, SECONDS);
    let other = speech::mono(24, SECONDS).channels.remove(0);
    let length = source.samples();
    let cases: [(&str, Pcm); 11] = [
        ("other call", changed(&source, |_| other.clone())),
        (
            "tail cut",
            changed(&source, |samples| samples[..length * 9 / 10].to_vec()),
        ),
        (
            "head cut",
            changed(&source, |samples| samples[length / 10..].to_vec()),
        ),
        (
            "second half silent",
            changed(&source, |s| {
                [&s[..length / 2], &vec![0; length - length / 2][..]].concat()
            }),
        ),
        (
            "foreign middle",
            changed(&source, |s| {
                [&s[..160_000], &other[..40_000], &s[200_000..]].concat()
            }),
        ),
        (
            "halves swapped",
            changed(&source, |s| [&s[length / 2..], &s[..length / 2]].concat()),
        ),
        ("silent", changed(&source, |s| vec![0; s.len()])),
        (
            "twice the speed",
            changed(&source, |s| s.iter().step_by(2).copied().collect()),
        ),
        (
            "wrong rate in the header",
            Pcm {
                sample_rate: 11_025,
                ..source.clone()
            },
        ),
        (
            "slower by 2 %",
            changed(&source, |s| (0..s.len()).map(|i| s[i * 98 / 100]).collect()),
        ),
        (
            "three seconds of hole",
            changed(&source, |s| {
                [&s[..80_000], &vec![0; 24_000][..], &s[104_000..]].concat()
            }),
        ),
    ];
    for (name, target) in cases {
        let found = likeness(&source, &transcoded(&target, Codec::Mulaw));
        assert!(!alike(&found), "{name}: {found:?}");
    }
}

#[test]
fn mulaw_read_as_alaw_shows_in_the_chromaprint_or_the_window() {
    let source = speech::mono(25, SECONDS);
    let mut mistaken = encode(&source, Codec::Mulaw).expect("writes");
    assert_eq!(mistaken[20], 7);
    mistaken[20] = 6;
    let found = likeness(&source, &decode(&mistaken).expect("decodes").1);
    assert!(!alike(&found), "{found:?}");
}

#[test]
fn the_worst_window_and_the_hole_are_located() {
    let source = speech::mono(26, SECONDS);
    let mut target = source.clone();
    silence(&mut target, 20_000, 24_000);
    let found = likeness(&source, &target);
    let (start, end) = found.worst_ms.expect("a window");
    assert!(start < 24_000 && end > 20_000, "{found:?}");
    let (start, end) = found.channels[0].hole_ms.expect("a hole");
    assert!(
        (20_000..=24_000).contains(&start) && (20_000..=24_000).contains(&end),
        "{found:?}"
    );
}

#[test]
fn silence_on_both_sides_is_the_same_and_on_one_side_is_not() {
    let silent = Pcm {
        sample_rate: 8000,
        channels: vec![vec![0; 80_000]],
    };
    let hiss = Pcm {
        sample_rate: 8000,
        channels: vec![(0..80_000).map(|i| (i % 7 * 4) as i16).collect()],
    };
    let both = likeness(&silent, &hiss);
    assert_eq!(
        (both.min_window, both.bit_error, both.worst_ms),
        (1.0, None, None)
    );
    assert_eq!(likeness(&speech::mono(27, 10.0), &silent).min_window, 0.0);
    assert_eq!(likeness(&silent, &speech::mono(27, 10.0)).min_window, 0.0);
}

#[test]
fn a_pause_in_one_channel_does_not_make_a_transcode_look_foreign() {
    let mut source = speech::stereo(28, 60.0);
    for second in (0..60).step_by(20) {
        source.channels[0][second * 8000..(second + 12) * 8000].fill(0);
        source.channels[1][(second + 10) * 8000..(second + 20) * 8000].fill(0);
    }
    let found = likeness(
        &source,
        &transcoded(&transcoded(&source, Codec::Mulaw), Codec::Mp3),
    );
    assert!(alike(&found), "{found:?}");
}

#[test]
fn a_short_clip_is_one_window() {
    let source = speech::mono(29, 1.5);
    let found = likeness(&source, &transcoded(&source, Codec::Mp3));
    assert!(
        found.min_window > 0.95 && found.bit_error.is_none(),
        "{found:?}"
    );
    assert_eq!(found.worst_ms, Some((0, 1500)));
    assert!(likeness(&source, &speech::mono(30, 1.5)).min_window < 0.9);
    let empty = Pcm {
        sample_rate: 8000,
        channels: vec![Vec::new()],
    };
    assert_eq!(likeness(&empty, &empty).length_ratio, 1.0);
    assert_eq!(likeness(&source, &empty).length_ratio, 0.0);
    assert!(likeness(&empty, &source).length_ratio.is_infinite());
}

#[test]
fn exchanged_channels_and_folded_stereo_are_representable() {
    let source = speech::stereo(31, SECONDS);
    let mut exchanged = source.clone();
    exchanged.channels.swap(0, 1);
    let order = channel_order(&source, &exchanged).expect("stereo");
    assert!(order.crossed > 0.99 && order.straight < 0.5, "{order:?}");
    assert!(!alike(&likeness(&source, &exchanged)));
    let straight = channel_order(&source, &transcoded(&source, Codec::Mp3)).expect("stereo");
    assert!(
        straight.straight > 0.95 && straight.crossed < 0.5,
        "{straight:?}"
    );

    let folded: Vec<i16> = source.channels[0]
        .iter()
        .zip(&source.channels[1])
        .map(|(a, b)| a / 2 + b / 2)
        .collect();
    let mono = Pcm {
        sample_rate: 8000,
        channels: vec![folded.clone()],
    };
    let found = likeness(&source, &mono);
    assert_eq!((found.source_channels, found.target_channels), (2, 1));
    assert!(
        found.min_window > 0.98,
        "the sound itself is the same: {found:?}"
    );
    assert!(channel_order(&source, &mono).is_none());
    let doubled = Pcm {
        sample_rate: 8000,
        channels: vec![folded.clone(), folded],
    };
    assert!(between_channels(&doubled) > Some(0.999));
    assert!(between_channels(&source) < Some(0.5));
}

#[test]
fn frames_of_fractional_length_do_not_drift() {
    // 300 s at 11.025 kHz: a frame is 275.625 samples.
    let envelope = envelope(&vec![0; 300 * 11_025], 11_025);
    assert_eq!(envelope.levels.len(), 300 * 40);
    assert!(envelope.is_silent());
}

#[test]
fn loudness_is_only_the_quick_half() {
    let source = speech::mono(32, SECONDS);
    let target = transcoded(&source, Codec::Mp3);
    let (quick, whole) = (
        likeness_of_loudness(&source, &target),
        likeness(&source, &target),
    );
    assert_eq!(quick.bit_error, None);
    assert_eq!(quick.min_window, whole.min_window);
    assert_eq!(
        whole.bit_error,
        bit_error(&source.channels[0], 8000, &target.channels[0], 8000)
    );
}

#[test]
fn loudness_of_a_range_is_in_samples_units() {
    let channel: Vec<i16> = [vec![0; 8000], vec![300; 8000], vec![-300; 4000]].concat();
    assert_eq!(rms(&channel, 8000, 1000, u64::MAX), 300.0);
    assert_eq!(rms_by_second(&channel, 8000), [0.0, 300.0, 300.0]);
    assert!(is_silent(&channel, 8000, 0, 1000) && !is_silent(&channel, 8000, 0, 1100));
    assert!(is_silent(&channel, 8000, 9000, 9000));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_two_recordings_can_be_compared(
        source in proptest::collection::vec(any::<i16>(), 0..4000),
        target in proptest::collection::vec(any::<i16>(), 0..4000),
        rates in (0u32..50_000, 0u32..50_000),
        channels in (0usize..3, 0usize..3),
    ) {
        let source = Pcm { sample_rate: rates.0, channels: vec![source; channels.0] };
        let target = Pcm { sample_rate: rates.1, channels: vec![target; channels.1] };
        let found = likeness(&source, &target);
        prop_assert!((-1.001..=1.001).contains(&found.min_window), "{:?}", found);
        prop_assert!(found.bit_error.is_none_or(|share| (0.0..=1.0).contains(&share)));
        prop_assert!(!found.length_ratio.is_nan() && !found.correlation.is_nan());
        channel_order(&source, &target);
    }
}

#[test]
fn the_edge_of_one_syllable_is_no_measure_of_volume() {
    // Silent but for its last 60 ms, as a channel is on which somebody begins to speak when the
    // call ends.
    let mut pcm = Pcm {
        sample_rate: 8000,
        channels: vec![vec![0; 9600]],
    };
    for (n, sample) in pcm.channels[0].iter_mut().skip(9120).enumerate() {
        *sample = if (n / 10) % 2 == 0 {
            3 * n as i16
        } else {
            -3 * n as i16
        };
    }
    let (_, heard) = audio::decode(&audio::encode(&pcm, audio::Codec::Mp3).unwrap()).unwrap();
    assert_eq!(
        audio::compare::likeness(&pcm, &heard).channels[0].gain_db,
        None
    );
}
