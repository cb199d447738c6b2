//! Long recordings pass through in memory that does not grow with them. One test, because memory is
//! counted by process; the sources make their bytes as they are read and the sinks forget what is
//! written, so nothing is on disk either.

mod speech;

use audio::{Codec, Cover, Covers, Decoder, Encoder, encode};
use std::io::{Read, Seek, SeekFrom, Write};

const MIB: u64 = 1 << 20;
/// What all of it may take beyond what the process had at its start. Measured: 2.5 MiB; the rest is
/// for other allocators. The samples of the smallest recording here are 10 MiB, so one that is held
/// whole is found out.
const MOST_BYTES: u64 = 8 * MIB;

/// A file that is its head and then the same stretch of sound again and again.
struct Endless {
    head: Vec<u8>,
    unit: Vec<u8>,
    length: u64,
    at: u64,
}

impl Endless {
    /// The first `head_bytes` of a file, then the rest of it until `length` is reached.
    fn new(mut file: Vec<u8>, head_bytes: usize, length: u64) -> Endless {
        let unit = file.split_off(head_bytes);
        Endless {
            head: file,
            unit,
            length,
            at: 0,
        }
    }

    /// A WAV file whose header says what is there.
    fn wav(seconds: f64, codec: Codec, length: u64) -> Endless {
        let mut file = encode(&speech::stereo(70, seconds), codec).expect("writes");
        let data = file
            .windows(4)
            .position(|four| four == b"data")
            .expect("data")
            + 8;
        let bytes = u32::try_from(length - data as u64).expect("below 4 GiB");
        file[data - 4..data].copy_from_slice(&bytes.to_le_bytes());
        Endless::new(file, data, length)
    }
}

impl Read for Endless {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let most = into.len().min(self.length.saturating_sub(self.at) as usize);
        let there = match self.at.checked_sub(self.head.len() as u64) {
            None => &self.head[self.at as usize..],
            Some(at) => &self.unit[(at % self.unit.len() as u64) as usize..],
        };
        let count = most.min(there.len());
        into[..count].copy_from_slice(&there[..count]);
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Endless {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.at = seek(to, self.at, self.length);
        Ok(self.at)
    }
}

/// Counts what is written and forgets it.
#[derive(Default)]
struct Counting {
    length: u64,
    at: u64,
}

impl Write for Counting {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.at += bytes.len() as u64;
        self.length = self.length.max(self.at);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Seek for Counting {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.at = seek(to, self.at, self.length);
        Ok(self.at)
    }
}

fn seek(to: SeekFrom, at: u64, length: u64) -> u64 {
    match to {
        SeekFrom::Start(start) => start,
        SeekFrom::Current(by) => at.saturating_add_signed(by),
        SeekFrom::End(by) => length.saturating_add_signed(by),
    }
}

/// What the kernel counts for this process, in bytes; `None` where it does not count like Linux.
fn counted(field: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    Some(
        line.trim()
            .trim_end_matches(" kB")
            .parse::<u64>()
            .expect("a number")
            * 1024,
    )
}

/// Decodes, covers an hour with a tone, encodes. Bytes written, bytes of the longest block, and a
/// line about both.
fn transcode(source: Endless, to: Codec) -> (u64, usize, String) {
    let length = source.length;
    let mut decoder = Decoder::new(source).expect("opens");
    let head = decoder.head();
    let mut encoder =
        Encoder::new(Counting::default(), to, head.sample_rate, head.channels).expect("opens");
    let mut covers = Covers::new([(60_000, 3_660_000)], Cover::Tone);
    let mut longest = 0;
    while let Some(block) = decoder.next_block().expect("decodes") {
        longest = longest.max(block.samples() * block.channels.len() * 2);
        covers.apply(block);
        encoder.write(block).expect("writes");
    }
    let written = encoder.finish().expect("ends").length;
    let seconds = decoder.finish().expect("ends").duration_ms() / 1000;
    let sizes = (length / MIB, written / MIB);
    let line = format!(
        "{} {} MiB, {seconds} s -> {to} {} MiB, blocks up to {longest} bytes",
        head.codec, sizes.0, sizes.1
    );
    (written, longest, line)
}

#[test]
fn hundreds_of_megabytes_pass_through_a_few() {
    let before = counted("VmRSS");
    let amr = encode(&speech::mono(71, 2.0), Codec::AmrNb).expect("writes");
    let mp3 = encode(&speech::mono(71, 30.0), Codec::Mp3).expect("writes");
    let gsm = encode(&speech::mono(71, 2.0), Codec::GsmRaw).expect("writes");
    for (source, to, at_least) in [
        (
            Endless::wav(2.0, Codec::Mulaw, 512 * MIB),
            Codec::PcmS16,
            1023 * MIB,
        ),
        (Endless::wav(2.0, Codec::PcmS16, 64 * MIB), Codec::Mp3, MIB),
        (
            Endless::wav(2.0, Codec::ImaAdpcm, 64 * MIB),
            Codec::Alaw,
            126 * MIB,
        ),
        (
            Endless::wav(2.0, Codec::MsAdpcm, 64 * MIB),
            Codec::ImaAdpcm,
            63 * MIB,
        ),
        (Endless::new(mp3, 0, 32 * MIB), Codec::Mulaw, 72 * MIB),
        (Endless::new(gsm, 0, 8 * MIB), Codec::Mulaw, 38 * MIB),
        (Endless::new(amr, 6, MIB), Codec::PcmS16, 9 * MIB),
    ] {
        let (written, longest, line) = transcode(source, to);
        println!("{line}");
        assert!(written >= at_least && longest < 256 << 10, "{line}");
    }
    let Some((before, most)) = before.zip(counted("VmHWM")) else {
        println!("peak: not counted on this system");
        return;
    };
    println!(
        "peak: {} KiB beyond the {} KiB at the start",
        (most - before) / 1024,
        before / 1024
    );
    assert!(most - before < MOST_BYTES, "{} MiB", (most - before) / MIB);
}
