//! Other people's encoders: ffmpeg, sox and lame, each by a shell line that makes `out.mp3` or
//! `out.wav` of `in.wav`.

use std::process::Command;

use audio::{Codec, Pcm};

use crate::report::Failure;

/// Honest settings by name, and their lines. All make MP3.
pub(crate) fn honest() -> Vec<(String, String)> {
    let mut rows: Vec<(String, String)> = Vec::new();
    let mut add = |name: String, line: String| rows.push((name, line));
    for kbps in [16, 24, 32, 64] {
        add(
            format!("ffmpeg, CBR {kbps} kbit/s, to a pipe"),
            format!("{FFMPEG} -i in.wav -c:a libmp3lame -b:a {kbps}k -f mp3 - > out.mp3"),
        );
        add(
            format!("sox, CBR {kbps} kbit/s, to a pipe"),
            format!("sox -V1 in.wav -t mp3 -C {kbps} - > out.mp3"),
        );
        add(
            format!("lame, CBR {kbps} kbit/s, to a pipe"),
            format!("lame --quiet -b {kbps} --cbr --resample 8 in.wav - | cat > out.mp3"),
        );
        add(
            format!("lame -t, CBR {kbps} kbit/s of 8 kHz"),
            format!("lame --quiet -t -b {kbps} --cbr --resample 8 in.wav out.mp3"),
        );
    }
    add(
        "lame, CBR 16 kbit/s of 16 kHz".into(),
        "lame --quiet -b 16 --cbr --resample 16 in.wav out.mp3".into(),
    );
    add(
        "ffmpeg, CBR 24 kbit/s of 16 kHz, no tag".into(),
        format!("{FFMPEG} -i in.wav -ar 16000 -c:a libmp3lame -b:a 24k -write_xing 0 out.mp3"),
    );
    add(
        "sox, CBR 32 kbit/s of 16 kHz".into(),
        "sox -V1 in.wav -r 16000 -C 32 out.mp3".into(),
    );
    add(
        "ffmpeg, CBR 48 kbit/s of 44.1 kHz".into(),
        format!("{FFMPEG} -i in.wav -ar 44100 -c:a libmp3lame -b:a 48k out.mp3"),
    );
    add(
        "lame, CBR 64 kbit/s of 48 kHz, no tag".into(),
        "lame --quiet -t -b 64 --cbr --resample 48 in.wav out.mp3".into(),
    );
    add(
        "ffmpeg, CBR 32 kbit/s of 22.05 kHz".into(),
        format!("{FFMPEG} -i in.wav -ar 22050 -c:a libmp3lame -b:a 32k out.mp3"),
    );
    for quality in [0, 4, 9] {
        add(
            format!("lame, VBR -V {quality}"),
            format!("lame --quiet -V {quality} in.wav out.mp3"),
        );
        add(
            format!("ffmpeg, VBR -q:a {quality}, to a pipe"),
            format!("{FFMPEG} -i in.wav -c:a libmp3lame -q:a {quality} -f mp3 - > out.mp3"),
        );
    }
    for kbps in [24, 48] {
        add(
            format!("lame, ABR {kbps} kbit/s"),
            format!("lame --quiet --abr {kbps} in.wav out.mp3"),
        );
        add(
            format!("ffmpeg, ABR {kbps} kbit/s, no tag"),
            format!("{FFMPEG} -i in.wav -c:a libmp3lame -abr 1 -b:a {kbps}k -write_xing 0 out.mp3"),
        );
    }
    for (letter, mode) in [
        ('j', "joint stereo"),
        ('s', "plain stereo"),
        ('f', "forced joint stereo"),
    ] {
        add(
            format!("lame, {mode}, CBR 32 kbit/s"),
            format!("lame --quiet -m {letter} -b 32 --cbr in.wav out.mp3"),
        );
    }
    add(
        "ffmpeg, channels coded apart".into(),
        format!("{FFMPEG} -i in.wav -c:a libmp3lame -b:a 48k -joint_stereo 0 out.mp3"),
    );
    add(
        "ffmpeg, without the bit reservoir".into(),
        format!("{FFMPEG} -i in.wav -c:a libmp3lame -b:a 32k -reservoir 0 out.mp3"),
    );
    add(
        "lame, with checksums".into(),
        "lame --quiet -p -b 32 --cbr in.wav out.mp3".into(),
    );
    add(
        "lame, with an ID3v2 tag".into(),
        "lame --quiet --tt Recording --ta Agent --add-id3v2 -V 4 in.wav out.mp3".into(),
    );
    add(
        "ffmpeg, with an ID3v1 tag".into(),
        format!(
            "{FFMPEG} -i in.wav -c:a libmp3lame -b:a 32k -write_id3v1 1 -metadata title=call \
             out.mp3"
        ),
    );
    for decibels in [-2, 2] {
        add(
            format!("sox, {decibels} dB"),
            format!("sox -V1 in.wav -C 32 out.mp3 gain {decibels}"),
        );
    }
    add(
        "sox, without what lies below 60 Hz".into(),
        "sox -V1 in.wav -C 32 out.mp3 highpass 60".into(),
    );
    add(
        "from a G.711 file".into(),
        "sox -V1 in.wav -e mu-law mid.wav && lame --quiet -V 4 mid.wav out.mp3".into(),
    );
    rows
}

/// The same for WAV.
pub(crate) fn honest_wav() -> Vec<(String, String)> {
    let sox = |name: &str, arguments: &str| {
        (
            format!("sox, WAV, {name}"),
            format!("sox -V1 in.wav {arguments}"),
        )
    };
    let ffmpeg = |name: &str, arguments: &str| {
        (
            format!("ffmpeg, WAV, {name}"),
            format!("{FFMPEG} -i in.wav {arguments} out.wav"),
        )
    };
    vec![
        sox("as it is", "out.wav"),
        sox("16 kHz", "-r 16000 out.wav"),
        sox("1 dB softer", "out.wav gain -1"),
        sox(
            "by way of G.711",
            "-e a-law mid.wav && sox -V1 mid.wav -e signed-integer -b 16 out.wav",
        ),
        ffmpeg("as it is", "-c:a pcm_s16le"),
        ffmpeg("44.1 kHz", "-ar 44100 -c:a pcm_s16le"),
        ffmpeg("with tags", "-metadata title=call -c:a pcm_s16le"),
        (
            "lame, decoded again to WAV".to_owned(),
            "lame --quiet -V 2 in.wav mid.mp3 && lame --quiet --decode mid.mp3 out.wav".to_owned(),
        ),
        (
            "ffmpeg, WAV written to a pipe".to_owned(),
            format!("{FFMPEG} -i in.wav -c:a pcm_s16le -f wav - > out.wav"),
        ),
    ]
}

pub(crate) const FFMPEG: &str = "ffmpeg -nostdin -v error -y";
/// Of the same sound in the codec the target plays; `in.wav` becomes `mid.wav` before.
pub(crate) const TO_MP3: &str = "lame --quiet -V 2 mid.wav out.mp3";

/// Runs a shell line in a folder of its own that holds `in.wav` and, where there is one,
/// `other.wav`; what it made.
pub(crate) fn make(line: &str, input: &Pcm, other: Option<&Pcm>) -> Result<Vec<u8>, Failure> {
    let folder = tempfile::tempdir().map_err(Failure::new)?;
    let write = |name: &str, pcm: &Pcm| -> Result<(), Failure> {
        std::fs::write(folder.path().join(name), wav(pcm)?).map_err(Failure::new)
    };
    write("in.wav", input)?;
    if let Some(other) = other {
        write("other.wav", other)?;
    }
    let output = Command::new("sh")
        .args(["-e", "-c", line])
        .current_dir(folder.path())
        .output()
        .map_err(Failure::new)?;
    let made = ["out.mp3", "out.wav"]
        .iter()
        .find_map(|name| std::fs::read(folder.path().join(name)).ok())
        .filter(|bytes| !bytes.is_empty());
    made.filter(|_| output.status.success()).ok_or_else(|| {
        Failure::new(format!(
            "`{line}` made nothing; ./check installs what it needs: {}",
            String::from_utf8_lossy(&output.stderr)
        ))
    })
}

pub(crate) fn wav(pcm: &Pcm) -> Result<Vec<u8>, Failure> {
    audio::encode(pcm, Codec::PcmS16).map_err(Failure::new)
}
