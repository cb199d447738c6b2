//! ffmpeg as a process of its own, for formats that have no reader here: bounded in time and
//! output, ended when nobody reads on.
//!
//! It is given the recording as an unnamed file, no other input, no network and an empty
//! environment, and is told which format to read. What comes back is linear samples; of its
//! messages nothing but one cleaned line is kept.

use crate::blocks::{BlockReader, Need, Progress};
use crate::foreign::Foreign;
use crate::format::{AudioError, Damage, DamageLog, Head};
use crate::pcm::at_ms;
use crate::process::{self, ExitReport, Process, wav_header};
use crate::wav::{self, Linear, linear};
use crate::window::Source;
use std::io::{self, Read, SeekFrom};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

/// How long one recording may take. Ten hours of Speex take under a minute.
pub(crate) const TIME_LIMIT: Duration = Duration::from_secs(600);
/// ffmpeg stops by itself, with success, at the limit that it is given: so far beyond ours, so that
/// what exceeds ours is seen. Bytes.
pub(crate) const BEYOND_LIMIT: u64 = 1 << 20;
/// Bytes read at a time.
const READ_BYTES: usize = 64 * 1024;
/// What of a message goes into a sentence. Characters.
const LINE_CHARS: usize = 160;
/// Decoded bytes allowed for a byte of input, and whatever the input: as for the readers of this
/// crate.
const MOST_GROWTH: u64 = 1024;
const FREE_BYTES: u64 = 16 << 20;
/// Sound that one error message stands for: a packet of the usual codecs, which give no length with
/// it. Milliseconds.
const ERROR_MS: u64 = 20;

/// What the first and last packet of a codec may take away of the length its container states: 2048
/// samples at 8 kHz. Milliseconds.
const DELAY_MS: u64 = 256;

/// Whether ffmpeg may be used for formats that this crate does not read itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ffmpeg {
    /// Where it is found on the `PATH`.
    Auto,
    /// Not at all: such a format is [`AudioError::Unsupported`].
    #[default]
    Never,
}

/// Opens a recording through ffmpeg. `what` is its format in words, `lost` what its own header
/// promises beyond what is there.
pub(crate) fn open<'s>(
    source: impl Source,
    foreign: Foreign,
    what: &str,
    lost: Option<(u64, String)>,
) -> Result<Box<dyn BlockReader + 's>, AudioError> {
    let program = process::find_on_path("ffmpeg").ok_or_else(|| {
        AudioError::unsupported(format!(
            "{what}; ffmpeg would read it and is not on the PATH"
        ))
    })?;
    Ok(Box::new(Reader::start(
        &program, TIME_LIMIT, source, foreign, what, lost,
    )?))
}

struct Reader {
    process: Process,
    foreign: Foreign,
    what: String,
    channels: usize,
    sample_rate: u32,
    /// Decoded bytes allowed.
    limit: u64,
    /// Samples per channel so far.
    samples: u64,
    lost: Option<(u64, String)>,
    damage: DamageLog,
}

impl Reader {
    fn start(
        program: &Path,
        limit: Duration,
        mut source: impl Source,
        foreign: Foreign,
        what: &str,
        lost: Option<(u64, String)>,
    ) -> Result<Reader, AudioError> {
        source.seek(SeekFrom::Start(0))?;
        let (input, bytes) = process::unnamed_input(&mut source)?;
        let most = FREE_BYTES.saturating_add(MOST_GROWTH.saturating_mul(bytes));
        let mut process =
            start(program, limit, input.into(), foreign.demuxer, most).map_err(|error| {
                AudioError::unsupported(format!("{what}; ffmpeg cannot be started: {error}"))
            })?;
        let Some((channels, sample_rate)) = process.out.as_mut().and_then(wav_header) else {
            return Err(Ending::of(&mut process).refusal(what));
        };
        wav::possible("a decoded", channels, sample_rate)?;
        let what = what.to_owned();
        Ok(Reader {
            process,
            foreign,
            what,
            channels,
            sample_rate,
            limit: most,
            samples: 0,
            lost,
            damage: DamageLog::default(),
        })
    }

    fn finish(&mut self) -> Result<(), AudioError> {
        let ending = Ending::of(&mut self.process);
        if !ending.well || self.samples == 0 {
            return Err(ending.refusal(&self.what));
        }
        let at = at_ms(self.samples, self.sample_rate);
        if ending.errors > 0 {
            self.damage.lose(
                at,
                ending.errors * ERROR_MS,
                format!(
                    "ffmpeg met {} errors, at last: {}",
                    ending.errors, ending.line
                ),
            );
        }
        let promised = ending.duration_ms.filter(|&ms| ms > at + DELAY_MS);
        match (self.lost.take(), promised) {
            (Some((lost_ms, what)), _) => self.damage.lose(at, lost_ms, what),
            (None, Some(ms)) => self.damage.lose(
                at,
                ms - at,
                format!("the stream ends early: {at} of {ms} ms are there"),
            ),
            (None, None) => {}
        }
        Ok(())
    }
}

impl BlockReader for Reader {
    fn head(&self) -> Head {
        let Foreign {
            container, codec, ..
        } = self.foreign;
        Head {
            container,
            codec,
            channels: self.channels as u16,
            sample_rate: self.sample_rate,
        }
    }

    fn read(&mut self, _: Need, out: &mut [Vec<i16>]) -> Result<Progress, AudioError> {
        let frame = 2 * self.channels;
        let mut bytes = Vec::with_capacity(READ_BYTES);
        if let Some(out) = &mut self.process.out {
            out.take((READ_BYTES / frame * frame) as u64)
                .read_to_end(&mut bytes)?;
        }
        self.samples += (bytes.len() / frame) as u64;
        if self.samples.saturating_mul(frame as u64) > self.limit {
            return Err(AudioError::undecodable(format!(
                "{} grows beyond {} bytes",
                self.what, self.limit
            )));
        }
        linear(&bytes, 2, Linear::Signed, false, out);
        if bytes.len() < READ_BYTES / frame * frame {
            self.finish()?;
            return Ok(Progress::Ended);
        }
        Ok(Progress::More)
    }

    fn ending(self: Box<Self>) -> (u64, Vec<Damage>) {
        (self.samples, self.damage.into_vec())
    }
}

/// Begins to read the recording.
fn start(
    program: &Path,
    limit: Duration,
    input: Stdio,
    demuxer: &str,
    most_bytes: u64,
) -> io::Result<Process> {
    let most_bytes = most_bytes.saturating_add(BEYOND_LIMIT).to_string();
    Process::start(
        program,
        &decode_arguments(demuxer, &most_bytes),
        input,
        limit,
    )
}

/// How ffmpeg is asked to make WAV of its standard input: of the first track of sound, without the
/// network, and of no more than so many bytes.
pub(crate) fn decode_arguments<'a>(demuxer: &'a str, most_bytes: &'a str) -> [&'a str; 25] {
    [
        "-nostdin",
        "-hide_banner",
        "-nostats",
        "-loglevel",
        "level+info",
        "-threads",
        "1",
        "-protocol_whitelist",
        "file,pipe",
        "-f",
        demuxer,
        "-i",
        "file:/dev/stdin",
        "-map",
        "0:a:0",
        "-map_metadata",
        "-1",
        "-bitexact",
        "-c:a",
        "pcm_s16le",
        "-fs",
        most_bytes,
        "-f",
        "wav",
        "pipe:1",
    ]
}

/// Whether a line of its messages says that something is broken.
pub(crate) fn is_error(line: &str) -> bool {
    line.contains("[error]") || line.contains("[fatal]")
}

/// How it went.
struct Ending {
    well: bool,
    late: bool,
    /// Messages about what is broken.
    errors: u64,
    /// The last of them, cleaned.
    line: String,
    /// What the container says of its length; none where it was guessed or is a film's.
    duration_ms: Option<u64>,
}

impl Ending {
    fn of(process: &mut Process) -> Ending {
        let ExitReport {
            messages,
            succeeded,
            timed_out,
        } = process.end();
        Ending::read(&String::from_utf8_lossy(&messages), succeeded, timed_out)
    }

    fn read(messages: &str, well: bool, late: bool) -> Ending {
        let bad: Vec<&str> = messages.lines().filter(|line| is_error(line)).collect();
        let line = bad.last().map_or(String::new(), |line| clean(line));
        let guessed = messages.contains("Estimating duration") || messages.contains(": Video:");
        let duration_ms = messages
            .lines()
            .find_map(|line| milliseconds(line.split_once("Duration: ")?.1))
            .filter(|_| !guessed);
        Ending {
            well,
            late,
            errors: bad.len() as u64,
            line,
            duration_ms,
        }
    }

    /// Why there is no sound.
    fn refusal(&self, what: &str) -> AudioError {
        let said = if self.line.is_empty() {
            String::new()
        } else {
            format!(": {}", self.line)
        };
        let no_decoder = [
            "not found",
            "Unknown",
            "not currently supported",
            "not supported",
            "not implemented",
        ];
        if self.late {
            AudioError::unsupported(format!(
                "{what}; ffmpeg did not come to an end in time and was ended"
            ))
        } else if no_decoder.iter().any(|words| self.line.contains(words)) {
            AudioError::unsupported(format!("{what}; ffmpeg cannot read it either{said}"))
        } else {
            AudioError::undecodable(format!("{what}; ffmpeg decodes nothing{said}"))
        }
    }
}

/// `[speex @ 0x55d] [error] Invalid\x1b data` as `Invalid data`: no addresses, which differ from
/// run to run, and no control characters.
fn clean(line: &str) -> String {
    let said = line
        .rsplit_once("[error] ")
        .or_else(|| line.rsplit_once("[fatal] "))
        .map_or(line, |(_, said)| said);
    let plain = said
        .chars()
        .filter(|c| !c.is_control())
        .take(LINE_CHARS)
        .collect::<String>();
    plain.trim().to_owned()
}

/// `00:01:02.34, ..` in milliseconds.
fn milliseconds(text: &str) -> Option<u64> {
    let text = text.split(',').next()?.trim();
    let (whole, hundredths) = text.split_once('.')?;
    let seconds = whole.split(':').try_fold(0u64, |all, part| {
        Some(all.checked_mul(60)? + part.parse::<u64>().ok()?)
    })?;
    Some(seconds.checked_mul(1000)? + hundredths.parse::<u64>().ok()? * 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{Codec, Container};
    use std::io::{Cursor, Write};
    use std::os::unix::fs::PermissionsExt;

    const SPEEX: Foreign = Foreign {
        container: Container::Ogg,
        codec: Codec::Speex,
        demuxer: "ogg",
    };

    /// What comes of a program that does this instead of decoding.
    fn with_program(
        script: &str,
        limit: Duration,
    ) -> Result<(Reader, tempfile::TempDir), AudioError> {
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder.path().join("ffmpeg");
        let mut file = std::fs::File::create(&program).expect("a program");
        file.write_all(format!("#!/bin/sh\n{script}\n").as_bytes())
            .expect("written");
        drop(file);
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700))
            .expect("executable");
        Reader::start(
            &program,
            limit,
            Cursor::new(vec![1; 100]),
            SPEEX,
            "Speex in Ogg",
            None,
        )
        .map(|reader| (reader, folder))
    }

    const HEAD: &str = r"printf 'RIFF\377\377\377\377WAVEfmt \020\0\0\0\001\0\001\0\100\037\0\0\200\076\0\0\002\0\020\0data\377\377\377\377'";

    fn read_all(reader: &mut Reader) -> Result<u64, AudioError> {
        let mut out = vec![Vec::new()];
        while reader.read(Need::Samples, &mut out)? == Progress::More {
            out[0].clear();
        }
        Ok(reader.samples)
    }

    #[test]
    fn a_program_that_never_ends_is_ended_with_what_it_started() {
        let Err(error) = with_program("sleep 1000 & sleep 1000", Duration::from_millis(300)) else {
            panic!("it decoded")
        };
        assert!(
            matches!(&error, AudioError::Unsupported { what } if what.contains("in time")),
            "{error}"
        );
    }

    #[test]
    fn output_without_end_is_an_end() {
        let (mut reader, _folder) =
            with_program(&format!("{HEAD}; cat /dev/zero"), Duration::from_secs(60))
                .expect("starts");
        let error = read_all(&mut reader).expect_err("too much");
        assert!(
            matches!(&error, AudioError::Undecodable { reason } if reason.contains("grows beyond")),
            "{error}"
        );
    }

    #[test]
    fn a_program_that_nobody_reads_is_ended() {
        let (reader, _folder) =
            with_program(&format!("{HEAD}; sleep 1000"), Duration::from_secs(600)).expect("starts");
        let id = reader.process.id();
        drop(reader);
        assert!(!Path::new(&format!("/proc/{id}")).exists(), "it still runs");
    }

    #[test]
    fn messages_become_one_clean_line_and_the_promised_length() {
        let script = format!(
            "{HEAD}; head -c 16000 /dev/zero; printf '[info]   Duration: 00:00:03.50, start: 0\\n' \
             >&2; printf '[ogg @ 0x5566] [error] bad \\033[31mpage\\n' >&2"
        );
        let (mut reader, _folder) = with_program(&script, Duration::from_secs(60)).expect("starts");
        assert_eq!(read_all(&mut reader).expect("decodes"), 8000);
        let (_, damage) = Box::new(reader).ending();
        assert_eq!(damage[0].what, "ffmpeg met 1 errors, at last: bad [31mpage");
        assert_eq!(
            (damage[1].lost_ms, damage[1].what.as_str()),
            (2500, "the stream ends early: 1000 of 3500 ms are there")
        );
    }

    #[test]
    fn a_failure_is_told_from_a_missing_decoder() {
        let fails = |message: &str| {
            let script = format!("printf '[error] {message}\\n' >&2; exit 1");
            with_program(&script, Duration::from_secs(60))
                .err()
                .expect("no sound")
                .to_string()
        };
        assert!(
            fails("Invalid data found when processing input")
                .starts_with("undecodable audio: Speex in Ogg; ffmpeg decodes nothing")
        );
        assert!(
            fails("Decoder (codec speex) not found for input stream")
                .starts_with("unsupported audio: Speex in Ogg")
        );
    }
}
