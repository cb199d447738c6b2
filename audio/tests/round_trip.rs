//! What is written can be read again: exact lengths, close samples, equal bytes.

mod speech;

use audio::compare::{peak, rms};
use audio::{AudioError, Codec, Pcm, decode, encode, encoder_version, probe, silence, tone};
use proptest::prelude::*;

const WRITABLE: [Codec; 10] = [
    Codec::PcmS16,
    Codec::PcmU8,
    Codec::Mulaw,
    Codec::Alaw,
    Codec::ImaAdpcm,
    Codec::MsAdpcm,
    Codec::Mp3,
    Codec::AmrNb,
    Codec::GsmWav49,
    Codec::GsmRaw,
];

fn there_and_back(pcm: &Pcm, codec: Codec) -> Pcm {
    let bytes = encode(pcm, codec).expect("writes");
    let (found, back) = decode(&bytes).unwrap_or_else(|error| panic!("{codec}: {error}"));
    assert_eq!((found.codec, found.container), (codec, codec.container()));
    assert_eq!(found.damage, [], "{codec}");
    assert_eq!(found.samples, back.samples() as u64, "{codec}");
    assert_eq!(probe(&bytes).expect("probes"), found, "{codec}");
    back
}

/// Signal to noise in decibels, both sides mono and in step.
fn snr(original: &[i16], back: &[i16]) -> f64 {
    let noise: f64 = original
        .iter()
        .zip(back)
        .map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2))
        .sum();
    let signal: f64 = original.iter().map(|&a| f64::from(a).powi(2)).sum();
    10.0 * (signal / noise.max(1e-9)).log10()
}

#[test]
fn every_codec_sounds_as_it_should_after_decoding() {
    let pcm = speech::mono(1, 4.0);
    for (codec, at_least) in [
        (Codec::PcmS16, 150.0),
        (Codec::PcmU8, 18.0),
        (Codec::Mulaw, 30.0),
        (Codec::Alaw, 30.0),
        (Codec::ImaAdpcm, 15.0),
        (Codec::MsAdpcm, 15.0),
        (Codec::Mp3, 12.0),
        (Codec::GsmWav49, 3.0),
        (Codec::GsmRaw, 3.0),
    ] {
        let back = there_and_back(&pcm, codec);
        let found = snr(&pcm.channels[0], &back.channels[0]);
        assert!(found > at_least, "{codec}: {found:.1} dB");
    }
    let amr = there_and_back(&pcm, Codec::AmrNb);
    // AMR looks 5 ms ahead: its output is 40 samples late.
    assert!(snr(&pcm.channels[0], &amr.channels[0][40..]) > 5.0);
}

#[test]
fn the_same_samples_give_the_same_bytes() {
    let pcm = speech::mono(2, 1.3);
    for codec in WRITABLE {
        assert_eq!(
            encode(&pcm, codec).expect("writes"),
            encode(&pcm, codec).expect("writes"),
            "{codec}"
        );
        assert_ne!(encoder_version(codec), "none");
    }
    assert_eq!(encoder_version(Codec::Mp3), "lame 3.100 vbr mtrh v2 q5");
}

#[test]
fn what_cannot_be_written_is_refused() {
    let stereo = speech::stereo(3, 0.1);
    for codec in [
        Codec::AmrNb,
        Codec::GsmRaw,
        Codec::GsmWav49,
        Codec::Aac,
        Codec::Flac,
        Codec::Vorbis,
    ] {
        assert!(
            matches!(encode(&stereo, codec), Err(AudioError::Unsupported { .. })),
            "{codec}"
        );
    }
    let odd = Pcm {
        sample_rate: 7999,
        channels: vec![vec![0; 100]],
    };
    assert!(matches!(
        encode(&odd, Codec::Mp3),
        Err(AudioError::Unsupported { .. })
    ));
    let empty = Pcm {
        sample_rate: 8000,
        channels: vec![Vec::new()],
    };
    assert!(matches!(encode(&empty, Codec::Mp3), Err(AudioError::Empty)));
    let header_only = encode(&empty, Codec::PcmS16).expect("an empty WAV is a WAV");
    assert!(matches!(decode(&header_only), Err(AudioError::Empty)));
}

#[test]
fn a_silenced_pause_stays_silent_in_its_channel_after_mp3() {
    let mut pcm = speech::stereo(4, 8.0);
    silence(&mut pcm, 2000, 4000);
    pcm.channels[1][40_000..56_000].fill(0);
    let back = there_and_back(&pcm, Codec::Mp3);
    for channel in &back.channels {
        // 72 ms on either side: one MP3 granule at 8 kHz may smear into the pause.
        assert!(
            peak(channel, 8000, 2080, 3920) <= 1,
            "{}",
            peak(channel, 8000, 2080, 3920)
        );
        assert!(
            rms(channel, 8000, 2000, 4000) < 40.0,
            "{}",
            rms(channel, 8000, 2000, 4000)
        );
    }
    assert!(
        rms(&back.channels[0], 8000, 5000, 7000) > 500.0,
        "the other side goes on talking"
    );
    assert!(
        peak(&back.channels[1], 8000, 5080, 6920) <= 1,
        "nothing leaks from the other side"
    );
}

#[test]
fn silence_and_tone_cover_exactly_their_range() {
    let mut pcm = Pcm {
        sample_rate: 8000,
        channels: vec![vec![1000; 16_000]; 2],
    };
    silence(&mut pcm, 500, 750);
    tone(&mut pcm, 1000, 1500);
    for channel in &pcm.channels {
        assert_eq!(peak(channel, 8000, 500, 750), 0);
        assert_eq!((channel[3999], channel[6000]), (1000, 1000));
        assert!((rms(channel, 8000, 1000, 1500) - 2317.0).abs() < 2.0);
        assert_eq!((channel[7999], channel[12_000]), (1000, 1000));
    }
    let before = pcm.clone();
    silence(&mut pcm, 900, 800);
    silence(&mut pcm, 5000, u64::MAX);
    tone(&mut pcm, u64::MAX, u64::MAX);
    assert_eq!(pcm, before);
}

#[test]
fn the_hash_is_over_rate_channels_and_interleaved_samples() {
    let pcm = Pcm {
        sample_rate: 8000,
        channels: vec![vec![1, 2], vec![-1, -2]],
    };
    // printf '\x40\x1f\0\0\x02\0\x01\0\xff\xff\x02\0\xfe\xff' | sha256sum
    assert_eq!(
        pcm.sha256(),
        "d1973031fce7932c657f9cd616309a64132047c594cb15169c11f8b6d061aec5"
    );
}

#[test]
fn names_of_codecs_are_read_as_they_are_written() {
    for codec in Codec::ALL {
        assert_eq!(codec.to_string().parse::<Codec>(), Ok(codec));
    }
    assert!("wma".parse::<Codec>().is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn decoding_gives_back_exactly_as_many_samples(
        samples in 1usize..9000,
        channels in 1usize..=2,
        rate in proptest::sample::select(vec![8000u32, 11_025, 16_000, 22_050, 32_000, 44_100, 48_000]),
        seed in 0u64..1000,
    ) {
        let channels = (0..channels as u64)
            .map(|index| {
                let mut channel = speech::voice(seed + index, samples as f64 / f64::from(rate) + 0.01, rate);
                channel.truncate(samples);
                channel
            })
            .collect();
        let pcm = Pcm { sample_rate: rate, channels };
        for codec in [Codec::PcmS16, Codec::Mulaw, Codec::Alaw, Codec::PcmU8, Codec::ImaAdpcm, Codec::MsAdpcm, Codec::Mp3] {
            let back = there_and_back(&pcm, codec);
            prop_assert_eq!((back.samples(), back.channels.len(), back.sample_rate), (samples, pcm.channels.len(), rate));
        }
        if (pcm.channels.len(), rate) == (1, 8000) {
            prop_assert_eq!(there_and_back(&pcm, Codec::GsmWav49).samples(), samples);
            prop_assert_eq!(there_and_back(&pcm, Codec::AmrNb).samples(), samples.next_multiple_of(160));
        }
    }
}
