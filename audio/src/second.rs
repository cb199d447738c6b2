//! A recording decoded by another program, ffmpeg or sox, so that what this crate makes of it can be
//! held against somebody else's decoding.
//!
//! The program is given the recording as an unnamed file on its standard input, is told which
//! format to read, and writes linear samples. It is bounded in time and output; of what it says
//! only whether it complains is kept.

use crate::ffmpeg;
use crate::format::Container;
use crate::pcm::Pcm;
use crate::process::{self, Process, wav_header};
use crate::wav::{self, Linear, linear};
use std::io::Read;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

/// How long a program may take to say its version.
const VERSION_LIMIT: Duration = Duration::from_secs(10);
const MOST_VERSION_BYTES: u64 = 64 * 1024;
/// A WAV header is shorter. Bytes.
const MOST_HEADER_BYTES: u64 = 64 * 1024;
/// Characters kept of a version.
const VERSION_CHARS: usize = 40;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Program {
    Ffmpeg,
    Sox,
}

impl Program {
    fn name(self) -> &'static str {
        match self {
            Program::Ffmpeg => "ffmpeg",
            Program::Sox => "sox",
        }
    }

    /// Its own name of a format. `None`: it does not read that.
    fn format_name(self, container: Container) -> Option<&'static str> {
        match (self, container) {
            (_, Container::Wav) => Some("wav"),
            (_, Container::Mp3) => Some("mp3"),
            (_, Container::GsmRaw) => Some("gsm"),
            (_, Container::Flac) => Some("flac"),
            (_, Container::Ogg) => Some("ogg"),
            (_, Container::Aiff) => Some("aiff"),
            (_, Container::Au) => Some("au"),
            (_, Container::W64) => Some("w64"),
            (Program::Ffmpeg, Container::AmrFile) => Some("amr"),
            (Program::Sox, Container::AmrFile) => Some("amr-nb"),
            (Program::Ffmpeg, Container::Adts) => Some("aac"),
            (Program::Ffmpeg, Container::Mp4) => Some("mov"),
            (Program::Ffmpeg, Container::Webm) => Some("matroska"),
            (Program::Sox, Container::Adts | Container::Mp4 | Container::Webm)
            | (_, Container::Other) => None,
        }
    }
}

/// A program that decodes recordings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecondDecoder {
    program: Program,
    path: PathBuf,
    version: String,
    limit: Duration,
}

/// What another program makes of a recording.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// Its samples.
    pub pcm: Pcm,
    /// Whether it reported errors of the file.
    pub reports_errors: bool,
}

/// Why another program gives no samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeFailure {
    /// Its input cannot be written.
    #[error("its input could not be written ({0}); free space in the temporary folder")]
    InputNotWritten(std::io::ErrorKind),
    /// It cannot be started.
    #[error("it could not be started ({0})")]
    NotStarted(std::io::ErrorKind),
    /// It does not read this format.
    #[error("it does not read this format")]
    UnsupportedFormat,
    /// It was ended.
    #[error("it did not come to an end in time and was ended")]
    TimedOut,
    /// It was ended.
    #[error("it gives more than the recording can hold and was ended")]
    TooMuchOutput,
    /// It ended with an error, or without a sample.
    #[error("it gives no sound")]
    NoSound,
}

impl SecondDecoder {
    /// What is on the `PATH` and says its version: ffmpeg, and sox.
    #[must_use]
    pub fn all() -> Vec<SecondDecoder> {
        [Program::Ffmpeg, Program::Sox]
            .into_iter()
            .filter_map(|program| {
                SecondDecoder::probe(
                    program,
                    process::find_on_path(program.name())?,
                    ffmpeg::TIME_LIMIT,
                )
            })
            .collect()
    }

    fn probe(program: Program, path: PathBuf, limit: Duration) -> Option<SecondDecoder> {
        let mut asked = SecondDecoder {
            program,
            path,
            version: String::new(),
            limit,
        };
        asked.version = asked.ask_version()?;
        Some(asked)
    }

    /// Name and version, as `ffmpeg 5.1.9-0+deb12u1`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} {}", self.program.name(), self.version)
    }

    /// How well it suits a format, the less the better: sox knows the comfort noise of AMR, ffmpeg
    /// does not. `None`: it does not read that.
    #[must_use]
    pub fn rank(&self, container: Container) -> Option<u8> {
        self.program.format_name(container)?;
        let is_second = match container {
            Container::AmrFile => self.program == Program::Ffmpeg,
            _ => self.program == Program::Sox,
        };
        Some(u8::from(is_second))
    }

    /// Decodes a recording of that format to no more bytes than these.
    ///
    /// # Errors
    ///
    /// It gives no samples, too many, or takes too long.
    pub fn decode(
        &self,
        bytes: &[u8],
        container: Container,
        most_bytes: u64,
    ) -> Result<Decoded, DecodeFailure> {
        let format = self
            .program
            .format_name(container)
            .ok_or(DecodeFailure::UnsupportedFormat)?;
        let (input, _) = process::unnamed_input(&mut &*bytes)
            .map_err(|error| DecodeFailure::InputNotWritten(error.kind()))?;
        let most = most_bytes.saturating_add(ffmpeg::BEYOND_LIMIT).to_string();
        let arguments = match self.program {
            Program::Ffmpeg => ffmpeg::decode_arguments(format, &most).to_vec(),
            // Errors only, and no noise for rounding.
            Program::Sox => vec![
                "-V1",
                "-D",
                "-t",
                format,
                "-",
                "-b",
                "16",
                "-e",
                "signed-integer",
                "-L",
                "-t",
                "wav",
                "-",
            ],
        };
        let mut process = Process::start(&self.path, &arguments, input.into(), self.limit)
            .map_err(|error| DecodeFailure::NotStarted(error.kind()))?;
        let most = most_bytes.saturating_add(MOST_HEADER_BYTES);
        let written = read(&mut process, most).ok_or(DecodeFailure::TooMuchOutput)?;
        let ended = process.end();
        if ended.timed_out {
            return Err(DecodeFailure::TimedOut);
        }
        let pcm = samples(&written).filter(|_| ended.succeeded);
        let pcm = pcm.ok_or(DecodeFailure::NoSound)?;
        let said = String::from_utf8_lossy(&ended.messages);
        let reports_errors = said.lines().any(|line| match self.program {
            Program::Ffmpeg => ffmpeg::is_error(line),
            Program::Sox => !line.trim().is_empty(),
        });
        Ok(Decoded {
            pcm,
            reports_errors,
        })
    }

    /// The word behind the program's name.
    fn ask_version(&self) -> Option<String> {
        let (argument, before) = match self.program {
            Program::Ffmpeg => ("-version", "ffmpeg version "),
            Program::Sox => ("--version", "SoX v"),
        };
        let mut process =
            Process::start(&self.path, &[argument], Stdio::null(), VERSION_LIMIT).ok()?;
        let said = read(&mut process, MOST_VERSION_BYTES)?;
        if process.end().timed_out {
            return None;
        }
        let said = String::from_utf8_lossy(&said);
        let (_, version) = said.split_once(before)?;
        let version: String = version
            .split_whitespace()
            .next()?
            .chars()
            .filter(|letter| letter.is_ascii_alphanumeric() || ".-+~:".contains(*letter))
            .take(VERSION_CHARS)
            .collect();
        Some(version)
    }
}

/// All that a program writes. `None`: it is more than that.
fn read(process: &mut Process, most: u64) -> Option<Vec<u8>> {
    let mut written = Vec::new();
    if let Some(out) = &mut process.out {
        // What was read before an error is what there is.
        let _ = out.take(most.saturating_add(1)).read_to_end(&mut written);
    }
    (written.len() as u64 <= most).then_some(written)
}

/// The samples of 16 bits in WAV that was written to a pipe. `None`: there are none.
fn samples(mut wav: &[u8]) -> Option<Pcm> {
    let (channels, sample_rate) = wav_header(&mut wav)?;
    wav::possible("a decoded", channels, sample_rate).ok()?;
    let mut pcm = Pcm {
        sample_rate,
        channels: vec![Vec::new(); channels],
    };
    linear(wav, 2, Linear::Signed, false, &mut pcm.channels);
    (pcm.samples() > 0).then_some(pcm)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::Codec;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    /// A program that tells a version, and does this instead of decoding.
    fn program(folder: &Path, script: &str, limit: Duration) -> SecondDecoder {
        let path = folder.join("ffmpeg");
        let text = format!(
            "#!/bin/sh\nif [ \"$1\" = -version ]; then echo 'ffmpeg version 7.0-fake Copyright'; \
             exit; fi\n{script}\n"
        );
        std::fs::write(&path, text).expect("a program");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700))
            .expect("executable");
        SecondDecoder::probe(Program::Ffmpeg, path, limit).expect("it tells its version")
    }

    fn tone() -> (Pcm, Vec<u8>) {
        let pcm = Pcm {
            sample_rate: 8000,
            channels: vec![(0..16_000).map(|at| (at % 80 * 100) as i16).collect()],
        };
        let bytes = crate::encode(&pcm, Codec::PcmS16).expect("WAV");
        (pcm, bytes)
    }

    fn through(script: &str, limit: Duration) -> Result<Decoded, DecodeFailure> {
        let folder = tempfile::tempdir().expect("a folder");
        let (_, bytes) = tone();
        program(folder.path(), script, limit).decode(&bytes, Container::Wav, 100_000)
    }

    #[test]
    fn what_it_writes_is_read_and_its_complaints_are_noticed() {
        let (pcm, _) = tone();
        let whole = through("cat", ffmpeg::TIME_LIMIT).expect("decodes");
        assert_eq!((&whole.pcm, whole.reports_errors), (&pcm, false));
        let half = through(
            "echo '[error] broken' >&2; head -c 16044",
            ffmpeg::TIME_LIMIT,
        );
        let half = half.expect("decodes");
        assert_eq!((half.pcm.samples(), half.reports_errors), (8000, true));
    }

    #[test]
    fn a_program_that_hangs_floods_or_fails_gives_no_samples() {
        let rows = [
            ("sleep 1000 & sleep 1000", DecodeFailure::TimedOut),
            ("cat; sleep 1000", DecodeFailure::TimedOut),
            ("cat /dev/zero", DecodeFailure::TooMuchOutput),
            ("cat - /dev/zero", DecodeFailure::TooMuchOutput),
            ("cat; exit 1", DecodeFailure::NoSound),
            ("head -c 44", DecodeFailure::NoSound),
            ("echo nothing of the kind", DecodeFailure::NoSound),
        ];
        for (script, wanted) in rows {
            let limit = match wanted {
                DecodeFailure::TimedOut => Duration::from_millis(500),
                _ => ffmpeg::TIME_LIMIT,
            };
            assert_eq!(through(script, limit), Err(wanted), "{script}");
        }
    }

    #[test]
    fn what_tells_no_version_is_not_used() {
        let folder = tempfile::tempdir().expect("a folder");
        let known = program(folder.path(), "cat", ffmpeg::TIME_LIMIT);
        assert_eq!(known.name(), "ffmpeg 7.0-fake");
        let path = folder.path().join("sox");
        std::fs::write(&path, "#!/bin/sh\necho usage\n").expect("a program");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700))
            .expect("executable");
        assert_eq!(
            SecondDecoder::probe(Program::Sox, path, ffmpeg::TIME_LIMIT),
            None
        );
    }

    #[test]
    fn sox_is_asked_first_for_amr_alone_and_for_no_film() {
        let both = [Program::Ffmpeg, Program::Sox].map(|program| SecondDecoder {
            program,
            path: PathBuf::new(),
            version: String::new(),
            limit: ffmpeg::TIME_LIMIT,
        });
        let ranks = |container| both.each_ref().map(|decoder| decoder.rank(container));
        assert_eq!(ranks(Container::Mp3), [Some(0), Some(1)]);
        assert_eq!(ranks(Container::AmrFile), [Some(1), Some(0)]);
        assert_eq!(ranks(Container::Mp4), [Some(0), None]);
        assert_eq!(ranks(Container::Other), [None, None]);
    }

    #[test]
    #[ignore = "needs ffmpeg and sox; ./check runs it"]
    fn both_programs_decode_what_they_read() {
        let all = SecondDecoder::all();
        assert_eq!(all.len(), 2, "{all:?}");
        let (pcm, wav) = tone();
        let mp3 = crate::encode(&pcm, Codec::Mp3).expect("MP3");
        for decoder in &all {
            let heard = decoder.decode(&wav, Container::Wav, 100_000);
            assert_eq!(heard.expect("decodes").pcm, pcm, "{}", decoder.name());
            let heard = decoder.decode(&mp3, Container::Mp3, 100_000);
            let heard = heard.expect("decodes");
            assert!(heard.pcm.samples() >= 16_000 && !heard.reports_errors);
            assert_eq!(
                decoder.decode(b"no sound at all", Container::Mp3, 100_000),
                Err(DecodeFailure::NoSound),
                "{}",
                decoder.name()
            );
        }
    }
}
