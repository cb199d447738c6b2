"""Audio by its content, never by its label: what it is, how long it is, its pauses covered, and the file the target gets.

WAV headers are read here; every codec is decoded and encoded by ffmpeg, AMR by sox where ffmpeg has no comfort noise."""

import array
import hashlib
import math
import shutil
import struct
import subprocess
import sys
import tempfile
from dataclasses import dataclass

from peer_rules import StaysBehind

# Format tags of WAV that are judged here: linear, MS ADPCM, float, A-law, mu-law, IMA ADPCM, GSM, MP3, extensible. ffmpeg opens more, some
# with decoders that make sound of any bytes at all, so that nobody could tell a call from noise.
KNOWN_TAGS = {0x0001, 0x0002, 0x0003, 0x0006, 0x0007, 0x0011, 0x0031, 0x0055, 0xFFFE}
MP3_RATES = {8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000}


@dataclass
class Sound:
    """A file for the target."""
    data: bytes
    extension: str
    mime: str
    length_ms: int

    @property
    def sha256(self):
        return hashlib.sha256(self.data).hexdigest()


@dataclass
class Samples:
    rate: int
    channels: int
    data: array.array  # 16 bit, interleaved

    @property
    def length_ms(self):
        return len(self.data) // self.channels * 1000 // self.rate


class Audio:
    def __init__(self, rules):
        self.format = rules.audio["format"]
        self.tolerance_ms = rules.audio.get("short_tolerance_ms", 1000)
        self.short = rules.audio.get("short_source", "quarantine")
        self.pauses = rules.pii["pauses"]

    def kind(self, data):
        """wav, mp3, amr, gsm; or the reason it stays behind."""
        if not data:
            raise StaysBehind("audio_empty")
        if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
            return "wav"
        if data.startswith(b"#!AMR\n"):
            return "amr"
        if data[:3] == b"ID3" or self.mpeg_frames(data):
            return "mp3"
        if len(data) >= 33 and all(data[at] >> 4 == 0xD for at in range(0, len(data) - 32, 33)):
            return "gsm"
        raise StaysBehind("audio_not_audio")

    def mpeg_frames(self, data):
        """Whether two headers of layer III follow each other at the length the first one states."""
        first = self.mpeg_frame_bytes(data[:4])
        return first is not None and (len(data) <= first or self.mpeg_frame_bytes(data[first:first + 4]) is not None)

    def mpeg_frame_bytes(self, head):
        if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
            return None
        version, rate_at, bits_at = head[1] >> 3 & 3, head[2] >> 2 & 3, head[2] >> 4
        if version == 1 or rate_at == 3 or bits_at in (0, 15):
            return None
        one = version == 3
        rate = (44100, 48000, 32000)[rate_at] >> {3: 0, 2: 1, 0: 2}[version]
        kbits = ((0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320) if one
                 else (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160))[bits_at]
        return (144 if one else 72) * kbits * 1000 // rate + (head[2] >> 1 & 1)

    def decode(self, data, kind):
        if kind == "wav":
            form, _ = self.chunks(data)
            if form is None or len(form) < 16:
                raise StaysBehind("audio_undecodable")
            if struct.unpack_from("<H", form)[0] not in KNOWN_TAGS:
                raise StaysBehind("audio_unsupported")
        if kind == "amr" and shutil.which("sox"):
            wav, code = self.run(["sox", "-V1", "-t", "amr-nb", "-", "-t", "wav", "-e", "signed", "-b", "16", "-"], data)
        else:
            demuxer = {"wav": [], "mp3": ["-f", "mp3"], "amr": ["-f", "amr"], "gsm": ["-f", "gsm"]}[kind]
            command = ["ffmpeg", "-v", "error", *demuxer, "-i", "pipe:0", "-f", "wav", "-c:a", "pcm_s16le", "pipe:1"]
            wav, code = self.run(command, data)
        samples = self.samples(wav)
        if samples is None:
            raise StaysBehind("audio_undecodable")
        return samples

    def run(self, command, data):
        done = subprocess.run(command, input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
        return done.stdout, done.returncode

    def chunks(self, wav):
        """The format and the sample data of a WAV file; sizes that reach beyond the file are cut to it."""
        found, at = {}, 12
        while at + 8 <= len(wav):
            name, size = wav[at:at + 4], struct.unpack_from("<I", wav, at + 4)[0]
            found.setdefault(name, wav[at + 8:at + 8 + size])
            if name == b"data":
                break
            at += 8 + size + (size & 1)
        return found.get(b"fmt "), found.get(b"data")

    def samples(self, wav):
        form, data = self.chunks(wav)
        if not form or not data:
            return None
        channels, rate = struct.unpack_from("<HI", form, 2)
        samples = array.array("h", data[:len(data) // (2 * channels) * 2 * channels])
        if sys.byteorder == "big":
            samples.byteswap()
        return Samples(rate, channels, samples) if len(samples) else None

    def is_linear(self, data):
        """A WAV file of 16-bit linear samples, which the target plays as it is."""
        form, _ = self.chunks(data)
        return form is not None and struct.unpack_from("<H", form)[0] in (1, 0xFFFE) and struct.unpack_from("<H", form, 14)[0] == 16

    def convert(self, data, recording, rules):
        """The file for the target; or the reason why there is none."""
        kind = self.kind(data)
        samples = self.decode(data, kind)
        length_ms = samples.length_ms
        if recording.declared_ms and length_ms + self.tolerance_ms < recording.declared_ms and self.short == "quarantine":
            raise StaysBehind("audio_short")
        if recording.start is None:
            raise StaysBehind("time_unusable")
        if rules.unplaceable(recording, length_ms):
            raise StaysBehind("pii_unprotectable")
        covered = self.cover(samples, recording.pauses)
        plays = "mp3" if kind == "mp3" else "wav" if kind == "wav" and self.is_linear(data) else None
        wanted = self.wanted(plays, samples)
        if plays == wanted and not covered:
            out = data
        elif wanted == "wav":
            out = self.wav(samples)
        else:
            out = self.mp3(samples)
        mime = "audio/mpeg" if wanted == "mp3" else "audio/wav"
        return Sound(out, wanted, mime, length_ms)

    def wanted(self, plays, samples):
        if self.format == "wav" or samples.rate not in MP3_RATES or samples.channels > 2:
            return "wav"
        return plays if self.format == "keep" and plays else "mp3"

    def cover(self, samples, pauses):
        """Silence or a tone in each pause, in place. Whether anything was covered."""
        if self.pauses == "keep":
            return False
        for start_ms, end_ms, _ in pauses:
            first = start_ms * samples.rate // 1000
            last = min(-(-end_ms * samples.rate // 1000), len(samples.data) // samples.channels)
            cover = array.array("h", (self.covering(frame, samples.rate) for frame in range(first, last) for _ in range(samples.channels)))
            samples.data[first * samples.channels:last * samples.channels] = cover
        return bool(pauses)

    def covering(self, frame, rate):
        return round(8000 * math.sin(2 * math.pi * 440 * frame / rate)) if self.pauses == "tone" else 0

    def wav(self, samples):
        body = samples.data.tobytes()
        width = 2 * samples.channels
        head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(body), b"WAVE", b"fmt ", 16, 1, samples.channels, samples.rate,
                           samples.rate * width, width, 16, b"data", len(body))
        return head + body

    def mp3(self, samples):
        """Channels are coded apart: joint stereo would leak the agent into a customer's silenced pause."""
        with tempfile.NamedTemporaryFile(suffix=".mp3") as file:  # a pipe could not be sought, and the header would lack the length
            _, code = self.run(["ffmpeg", "-v", "error", "-y", "-f", "wav", "-i", "pipe:0", "-c:a", "libmp3lame", "-q:a", "2",
                                "-joint_stereo", "0", file.name], self.wav(samples))
            out = file.read()
        if code != 0 or not out:
            raise RuntimeError("ffmpeg could not write an MP3")
        return out
