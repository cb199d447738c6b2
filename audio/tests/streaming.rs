//! Blocks give what the whole gives, wherever they end and however the source hands out its bytes.

mod speech;

use audio::{
    AudioError, Codec, Cover, Covers, Decoder, Encoder, Pcm, Playback, decode, encode,
    encode_playback, silence, tone,
};
use proptest::prelude::*;
use std::io::{Cursor, Read, Seek, SeekFrom, Write};

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

/// Hands out its bytes in pieces of the given lengths, in turn.
struct Dribble {
    bytes: Cursor<Vec<u8>>,
    pieces: Vec<usize>,
    turn: usize,
}

impl Dribble {
    fn new(bytes: &[u8], pieces: &[usize]) -> Dribble {
        Dribble {
            bytes: Cursor::new(bytes.to_vec()),
            pieces: pieces.to_vec(),
            turn: 0,
        }
    }
}

impl Read for Dribble {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.turn += 1;
        let most = into.len().min(self.pieces[self.turn % self.pieces.len()]);
        self.bytes.read(&mut into[..most])
    }
}

impl Seek for Dribble {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.bytes.seek(to)
    }
}

/// The samples cut into blocks of the given lengths, in turn.
fn blocks(pcm: &Pcm, lengths: &[usize]) -> Vec<Pcm> {
    let mut out = Vec::new();
    let (mut start, mut turn) = (0, 0);
    while start < pcm.samples() {
        let end = (start + lengths[turn % lengths.len()]).min(pcm.samples());
        let channels = pcm
            .channels
            .iter()
            .map(|channel| channel[start..end].to_vec())
            .collect();
        out.push(Pcm {
            sample_rate: pcm.sample_rate,
            channels,
        });
        (start, turn) = (end, turn + 1);
    }
    out
}

fn encode_blocks(
    blocks: &[Pcm],
    codec: Codec,
    sink: Cursor<Vec<u8>>,
) -> Result<Vec<u8>, AudioError> {
    let first = &blocks[0];
    let mut encoder = Encoder::new(sink, codec, first.sample_rate, first.channels.len() as u16)?;
    for block in blocks {
        encoder.write(block)?;
    }
    Ok(encoder.finish()?.into_inner())
}

fn check_decoder(bytes: &[u8], pieces: &[usize]) {
    let (probe, whole) = decode(bytes).expect("decodes");
    let mut decoder = Decoder::new(Dribble::new(bytes, pieces)).expect("opens");
    let head = decoder.head();
    assert_eq!(
        (head.container, head.codec, head.channels, head.sample_rate),
        (
            probe.container,
            probe.codec,
            probe.channels,
            probe.sample_rate
        )
    );
    let mut at = 0;
    while let Some(block) = decoder.next_block().expect("decodes") {
        let end = at + block.samples();
        assert!(end > at, "an empty block");
        for (part, all) in block.channels.iter().zip(&whole.channels) {
            assert_eq!(part[..], all[at..end], "from sample {at}");
        }
        // What a caller does to a block is its own affair.
        block.channels.truncate(1);
        block.channels[0].fill(77);
        at = end;
    }
    assert_eq!(at, whole.samples());
    assert_eq!(decoder.finish().expect("ends"), probe);
    // Stopped in the middle: the answer about the whole is the same.
    let mut decoder = Decoder::new(Dribble::new(bytes, pieces)).expect("opens");
    decoder.next_block().expect("decodes");
    assert_eq!(decoder.finish().expect("ends"), probe);
}

#[test]
fn every_codec_decodes_in_blocks_from_any_source() {
    for codec in WRITABLE {
        // Longer than what is read ahead, where that is quickly made.
        let seconds = if codec == Codec::AmrNb { 3.0 } else { 40.0 };
        let mut bytes = encode(&speech::mono(60, seconds), codec).expect("writes");
        check_decoder(&bytes, &[4096, 1, 100_000, 333]);
        let middle = bytes.len() / 2;
        bytes.splice(middle..middle + 500, [0x55; 700]);
        bytes.truncate(bytes.len() - 11);
        check_decoder(&bytes, &[70_000, 7]);
    }
    for codec in [Codec::PcmS16, Codec::ImaAdpcm, Codec::MsAdpcm, Codec::Mp3] {
        check_decoder(
            &encode(&speech::stereo(61, 20.0), codec).expect("writes"),
            &[9999],
        );
    }
}

/// Samples by whole numbers alone, so that they are the same on every machine.
fn zigzag(samples: i32) -> Vec<i16> {
    let mut chance = 7u32;
    let sample = |at: i32| {
        chance = chance.wrapping_mul(1_103_515_245).wrapping_add(12_345);
        let wave = (at % 47 - 23).abs() * 400 - 4600;
        (wave * ((at / 400) % 7) / 4 + (chance >> 24) as i32) as i16
    };
    (0..samples).map(sample).collect()
}

/// Starts of SHA-256, of the file and of what it decodes to, taken when both were made as a whole.
/// Not MP3: LAME counts in floating point, which compilers may round otherwise.
#[test]
fn bytes_and_samples_are_those_of_before_there_were_blocks() {
    for (codec, file, sound) in [
        (Codec::PcmS16, "074a4a49ac6d8635", "3132da722e1bef5b"),
        (Codec::PcmU8, "536f512f5d50cdc1", "67c1e43fb4095bd5"),
        (Codec::Mulaw, "d73bf8676a863e13", "a96875a850ff0308"),
        (Codec::Alaw, "34f58377c9244d2e", "5f50148317c6958d"),
        (Codec::ImaAdpcm, "aed8dbf86b0883b9", "805d163f2a692010"),
        (Codec::MsAdpcm, "df15df55d75305b8", "1340008a3a801ee6"),
        (Codec::AmrNb, "a10aca622ce5571e", "fa34f40c86633e2b"),
        (Codec::GsmWav49, "397f15da9a14319b", "d30578e5b6fbaf07"),
        (Codec::GsmRaw, "447b48d9e0e6d34d", "f75f460db4a2b9ff"),
    ] {
        let mono = matches!(codec, Codec::AmrNb | Codec::GsmWav49 | Codec::GsmRaw);
        let channels = if mono {
            vec![zigzag(5003)]
        } else {
            vec![zigzag(5003), zigzag(6003)[1000..].to_vec()]
        };
        let bytes = encode(
            &Pcm {
                sample_rate: 8000,
                channels,
            },
            codec,
        )
        .expect("writes");
        let (_, pcm) = decode(&bytes).expect("decodes");
        // One hash for both: the file's bytes, two by two, as the samples of a recording.
        let pairs = bytes
            .chunks(2)
            .map(|pair| i16::from_le_bytes([pair[0], *pair.get(1).unwrap_or(&0)]))
            .collect();
        let found = Pcm {
            sample_rate: 0,
            channels: vec![pairs],
        }
        .sha256();
        assert_eq!(
            (&found[..16], &pcm.sha256()[..16]),
            (file, sound),
            "{codec}"
        );
    }
}

#[test]
fn a_file_may_start_where_the_sink_stands() {
    let pcm = speech::mono(62, 1.0);
    for codec in WRITABLE {
        let mut sink = Cursor::new(Vec::new());
        sink.write_all(b"before").expect("writes");
        let written = encode_blocks(std::slice::from_ref(&pcm), codec, sink).expect("writes");
        assert_eq!(&written[..6], b"before");
        assert_eq!(
            &written[6..],
            encode(&pcm, codec).expect("writes"),
            "{codec}"
        );
    }
}

#[test]
fn blocks_of_another_shape_are_refused() {
    let mut encoder = Encoder::new(Cursor::new(Vec::new()), Codec::PcmS16, 8000, 1).expect("opens");
    for (sample_rate, channels) in [
        (8001, vec![vec![1]]),
        (8000, vec![vec![1], vec![1]]),
        (8000, vec![]),
    ] {
        assert!(matches!(
            encoder.write(&Pcm {
                sample_rate,
                channels
            }),
            Err(AudioError::Unsupported { .. })
        ));
    }
    let empty = Encoder::new(Cursor::new(Vec::new()), Codec::Mp3, 8000, 1)
        .expect("opens")
        .finish();
    assert!(matches!(empty, Err(AudioError::Empty)));
}

/// A source whose end is out of reach.
struct Broken(Cursor<Vec<u8>>);

impl Read for Broken {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        if self.0.position() >= 400_000 {
            Err(std::io::Error::other("gone"))
        } else {
            self.0.read(into)
        }
    }
}

impl Seek for Broken {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn after_an_error_every_call_fails() {
    let bytes = encode(&speech::stereo(63, 40.0), Codec::PcmS16).expect("writes");
    let mut decoder = Decoder::new(Broken(Cursor::new(bytes))).expect("opens");
    let error = loop {
        match decoder.next_block() {
            Ok(block) => assert!(block.is_some(), "the end was never reached"),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, AudioError::Io(_)), "{error}");
    assert!(decoder.next_block().is_err());
    assert!(
        decoder.finish().is_err(),
        "half a recording is not a short one"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_codec_encodes_the_same_bytes_from_any_blocks(
        samples in 1usize..40_000,
        channels in 1usize..=2,
        lengths in proptest::collection::vec(prop_oneof![1usize..4, 1usize..700, 1usize..20_000], 1..6),
        seed in 0u64..1000,
    ) {
        for codec in WRITABLE {
            let narrow = matches!(codec, Codec::AmrNb | Codec::GsmRaw | Codec::GsmWav49);
            let mut pcm = if narrow || channels == 1 { speech::mono(seed, 5.0) } else { speech::stereo(seed, 5.0) };
            let samples = if codec == Codec::AmrNb { samples.min(2000) } else { samples };
            pcm.channels.iter_mut().for_each(|channel| channel.truncate(samples));
            let found = encode_blocks(&blocks(&pcm, &lengths), codec, Cursor::new(Vec::new())).expect("writes");
            prop_assert!(found == encode(&pcm, codec).expect("writes"), "{codec}");
        }
    }

    #[test]
    fn covers_across_any_borders_are_those_of_the_whole(
        samples in 1usize..30_000,
        rate in proptest::sample::select(vec![8000u32, 11_025, 44_100]),
        lengths in proptest::collection::vec(prop_oneof![1usize..4, 1usize..5000], 1..6),
        ranges in proptest::collection::vec((0u64..4000, prop_oneof![0u64..4500, Just(u64::MAX)]), 0..5),
    ) {
        let sound: Vec<i16> = (0..samples).map(|index| (index % 9001) as i16 + 5000).collect();
        let pcm = Pcm { sample_rate: rate, channels: vec![sound; 2] };
        for (cover, over_whole) in [(Cover::Silence, silence as fn(&mut Pcm, u64, u64)), (Cover::Tone, tone)] {
            let mut expected = pcm.clone();
            ranges.iter().for_each(|&(start, end)| over_whole(&mut expected, start, end));
            let mut covers = Covers::new(ranges.clone(), cover);
            let mut found = Pcm { sample_rate: rate, channels: vec![Vec::new(); 2] };
            for mut block in blocks(&pcm, &lengths) {
                covers.apply(&mut block);
                found.channels.iter_mut().zip(block.channels).for_each(|(all, part)| all.extend(part));
            }
            prop_assert!(found == expected, "{cover:?}");
        }
    }

    #[test]
    fn damaged_files_decode_the_same_from_any_source(
        codec in proptest::sample::select(WRITABLE.to_vec()),
        pieces in proptest::collection::vec(1usize..3000, 1..5),
        hits in proptest::collection::vec((0.0f64..1.0, any::<u8>()), 0..10),
    ) {
        let mut bytes = encode(&speech::mono(64, 0.9), codec).expect("writes");
        for (place, value) in hits {
            let at = (place * bytes.len() as f64) as usize;
            bytes[at] = value;
        }
        if decode(&bytes).is_ok() {
            check_decoder(&bytes, &pieces);
        }
    }
}

#[test]
fn blocks_written_for_playback_give_what_the_whole_gives() {
    for spoken in [
        speech::mono(81, 6.3),
        Pcm {
            sample_rate: 44_100,
            ..speech::stereo(82, 9.1)
        },
    ] {
        for playback in [Playback::WebmOpus, Playback::OggOpus, Playback::OggVorbis] {
            let whole = encode_playback(&spoken, playback).expect("writes");
            for lengths in [&[1_usize, 7_000, 13][..], &[320], &[50_000]] {
                let (rate, channels) = (spoken.sample_rate, spoken.channels.len() as u16);
                let mut encoder =
                    Encoder::playback(Cursor::new(Vec::new()), playback, rate, channels)
                        .expect("begins");
                blocks(&spoken, lengths)
                    .iter()
                    .for_each(|block| encoder.write(block).expect("writes"));
                assert!(
                    encoder.finish().expect("ends").into_inner() == whole,
                    "{playback:?} in blocks of {lengths:?}"
                );
            }
        }
    }
}

#[test]
fn what_cannot_be_played_back_is_refused() {
    for playback in [Playback::WebmOpus, Playback::OggOpus, Playback::OggVorbis] {
        let three = Pcm {
            sample_rate: 8_000,
            channels: vec![vec![0; 100]; 3],
        };
        assert!(
            matches!(
                encode_playback(&three, playback),
                Err(AudioError::Unsupported { .. })
            ),
            "{playback:?}"
        );
        let empty = Pcm {
            sample_rate: 8_000,
            channels: vec![Vec::new()],
        };
        assert!(
            matches!(encode_playback(&empty, playback), Err(AudioError::Empty)),
            "{playback:?}"
        );
    }
}
