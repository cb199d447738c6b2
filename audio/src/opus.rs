//! Opus: packets of any length read, of 20 ms written, and what their containers have to know.

use crate::coder::BlockCoder;
use crate::format::{AudioError, Codec, Container as Wrapping, Damage, DamageLog};
use crate::pcm::at_ms;
use ropus::{Application, Bitrate, Channels, DecodeMode, Decoder, Encoder};
use std::fmt::Display;

/// Rates Opus takes; anything else goes up to the last.
const RATES: [u32; 5] = [8000, 12_000, 16_000, 24_000, 48_000];
/// The rate that every length and place in an Opus stream is counted in, whatever was coded.
pub(crate) const COUNTED_RATE: u64 = 48_000;
/// Counted samples of one packet: 20 ms, what every player expects.
pub(crate) const PACKET_SAMPLES: u64 = 960;
/// Largest packet. Source: RFC 6716, section 3.4, for one frame.
const PACKET_BYTES: usize = 1_275;
/// Bits a second and channel: transparent for speech.
const BITRATE: u32 = 32_000;

/// What a container says of its stream.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Head {
    pub(crate) channels: u16,
    /// Counted samples that a player drops at the beginning.
    pub(crate) pre_skip: u64,
    /// The rate before coding, for information.
    pub(crate) rate: u32,
}

impl Head {
    /// The identification header. Source: RFC 7845, section 5.1.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut head = b"OpusHead\x01".to_vec();
        head.push(self.channels as u8);
        head.extend((self.pre_skip as u16).to_le_bytes());
        head.extend(self.rate.to_le_bytes());
        head.extend([0, 0, 0]);
        head
    }
}

/// The longest packet, in counted samples: 120 ms. Source: RFC 6716, section 3.2.5.
const MOST_SAMPLES: usize = 5760;

/// Opus packets of a container, as samples at 48 kHz, which is what every player makes of them.
pub(crate) struct Track {
    decoder: Decoder,
    wrapping: Wrapping,
    channels: usize,
    /// Samples that are still to be left out at the beginning.
    skip: usize,
    /// Samples per channel given.
    samples: u64,
    /// Counted samples of the last packet that was decoded.
    last: usize,
    pub(crate) damage: DamageLog,
}

impl Track {
    /// `head` is the identification header. Source: RFC 7845, section 5.1.
    pub(crate) fn new(head: &[u8], wrapping: Wrapping) -> Result<Track, AudioError> {
        let &[
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            _,
            channels,
            skip_low,
            skip_high,
            _,
            _,
            _,
            _,
            gain_low,
            gain_high,
            family,
            ..,
        ] = head
        else {
            return Err(AudioError::undecodable("an Opus header that is cut"));
        };
        // More than two channels come as several streams in one.
        let layout = match (family, channels) {
            (_, 1) if family < 2 => Channels::Mono,
            (0, 2) => Channels::Stereo,
            _ => {
                return Err(AudioError::unsupported(format!(
                    "Opus with {channels} channels of mapping {family} in {wrapping}"
                )));
            }
        };
        let mut decoder = Decoder::new(COUNTED_RATE as u32, layout)
            .map_err(|error| AudioError::undecodable(format!("opus: {error}")))?;
        let gain = i16::from_le_bytes([gain_low, gain_high]);
        decoder
            .set_gain(gain.into())
            .map_err(|error| AudioError::undecodable(format!("opus: {error}")))?;
        let skip = usize::from(u16::from_le_bytes([skip_low, skip_high]));
        Ok(Track {
            decoder,
            wrapping,
            channels: channels.into(),
            skip,
            samples: 0,
            last: 0,
            damage: DamageLog::default(),
        })
    }

    pub(crate) fn head(&self) -> crate::format::Head {
        crate::format::Head {
            container: self.wrapping,
            codec: Codec::Opus,
            channels: self.channels as u16,
            sample_rate: COUNTED_RATE as u32,
        }
    }

    pub(crate) fn channels(&self) -> usize {
        self.channels
    }

    /// Goes on with the stream of another header that has as many channels.
    pub(crate) fn restart(&mut self, head: &[u8]) -> Result<(), AudioError> {
        let next = Track::new(head, self.wrapping)?;
        (self.decoder, self.skip) = (next.decoder, next.skip);
        Ok(())
    }

    /// Where the samples given so far end, in milliseconds.
    pub(crate) fn at_ms(&self) -> u64 {
        at_ms(self.samples, COUNTED_RATE as u32)
    }

    /// Decodes a packet; counted samples of it, those left out at the beginning included.
    pub(crate) fn packet(&mut self, packet: &[u8], out: &mut [Vec<i16>]) -> usize {
        let mut pcm = vec![0; MOST_SAMPLES * self.channels];
        let decoded = match packet {
            [] => Err("it is empty".to_owned()),
            packet => self
                .decoder
                .decode(packet, &mut pcm, DecodeMode::Normal)
                .map_err(|error| error.to_string()),
        };
        let samples = decoded.unwrap_or_else(|cause| {
            let what =
                format!("an Opus packet cannot be decoded ({cause}); silence stands in its place");
            self.damage.lose(
                self.at_ms(),
                at_ms(self.last as u64, COUNTED_RATE as u32),
                what,
            );
            pcm.fill(0);
            self.last
        });
        let skipped = self.skip.min(samples);
        for (index, channel) in out.iter_mut().enumerate() {
            channel.extend(
                pcm[skipped * self.channels..samples * self.channels]
                    .iter()
                    .skip(index)
                    .step_by(self.channels),
            );
        }
        self.skip -= skipped;
        self.last = samples;
        self.samples += (samples - skipped) as u64;
        samples
    }

    /// Takes back what was given too much at the end of `out`.
    pub(crate) fn take_back(&mut self, samples: u64, out: &mut [Vec<i16>]) {
        let there = out.first().map_or(0, Vec::len);
        let taken = usize::try_from(samples).unwrap_or(there).min(there);
        out.iter_mut()
            .for_each(|channel| channel.truncate(there - taken));
        self.samples -= taken as u64;
    }

    pub(crate) fn ending(self) -> (u64, Vec<Damage>) {
        (self.samples, self.damage.into_vec())
    }
}

/// A container of Opus packets, in bounded memory.
pub(crate) trait Container {
    /// Writes what stands before the first packet.
    fn start(&mut self, head: Head, out: &mut Vec<u8>);

    /// Takes the next packet. It may be kept back until more come.
    fn packet(&mut self, packet: Vec<u8>, out: &mut Vec<u8>);

    /// Writes the rest; of all packets' samples a player keeps `samples` after the ones it drops at
    /// the beginning.
    fn end(&mut self, samples: u64, out: &mut Vec<u8>);

    /// What takes the place of the file's first bytes once all is known.
    fn first_bytes(&self) -> Vec<u8> {
        Vec::new()
    }
}

/// Codes one or two channels into a container.
pub(crate) struct Coder<C> {
    container: C,
    encoder: Encoder,
    head: Head,
    /// Brings other rates to 48 kHz.
    lines: Option<Lines>,
    /// Samples of one packet, at the encoder's rate.
    packet_samples: usize,
    /// Interleaved samples that are not yet a packet.
    kept: Vec<i16>,
    /// Samples per channel given so far, at their own rate.
    samples: u64,
    packets: u64,
}

impl<C: Container> Coder<C> {
    pub(crate) fn new(container: C, rate: u32, channels: u16) -> Result<Coder<C>, AudioError> {
        let is_taken = RATES.contains(&rate);
        let coded = if is_taken { rate } else { RATES[4] };
        let layout = if channels == 1 {
            Channels::Mono
        } else {
            Channels::Stereo
        };
        let built = Encoder::builder(coded, layout, Application::Audio)
            .bitrate(Bitrate::Bits(BITRATE * u32::from(channels)))
            .build();
        let encoder = built.map_err(refused)?;
        let pre_skip = u64::from(encoder.lookahead()) * COUNTED_RATE / u64::from(coded);
        Ok(Coder {
            container,
            encoder,
            head: Head {
                channels,
                pre_skip,
                rate,
            },
            lines: (!is_taken).then(|| Lines::new(rate, channels)),
            packet_samples: coded as usize / 50,
            kept: Vec::new(),
            samples: 0,
            packets: 0,
        })
    }

    /// Counted samples of the recording.
    fn counted(&self) -> u64 {
        self.samples * COUNTED_RATE / u64::from(self.head.rate)
    }

    fn pack(&mut self, out: &mut Vec<u8>) -> Result<(), AudioError> {
        let whole = self.packet_samples * usize::from(self.head.channels);
        let mut start = 0;
        while start + whole <= self.kept.len() {
            let mut packet = vec![0; PACKET_BYTES];
            let length = self
                .encoder
                .encode(&self.kept[start..start + whole], &mut packet)
                .map_err(refused)?;
            packet.truncate(length);
            self.container.packet(packet, out);
            self.packets += 1;
            start += whole;
        }
        self.kept.drain(..start);
        Ok(())
    }
}

impl<C: Container> BlockCoder for Coder<C> {
    fn start(&mut self, out: &mut Vec<u8>) -> Result<(), AudioError> {
        self.container.start(self.head, out);
        Ok(())
    }

    fn code(&mut self, channels: &[&[i16]], out: &mut Vec<u8>) -> Result<(), AudioError> {
        self.samples += channels[0].len() as u64;
        for index in 0..channels[0].len() {
            let frame = channels.iter().map(|channel| channel[index]);
            match &mut self.lines {
                Some(lines) => lines.take(frame, &mut self.kept),
                None => self.kept.extend(frame),
            }
            // A low rate becomes many samples: no more than a second of them waits.
            if self.kept.len() >= COUNTED_RATE as usize {
                self.pack(out)?;
            }
        }
        self.pack(out)
    }

    /// Silence follows until the last sample is through the encoder.
    fn end(&mut self, out: &mut Vec<u8>) -> Result<(), AudioError> {
        let needed = (self.head.pre_skip + self.counted()).div_ceil(PACKET_SAMPLES);
        let missing = needed.saturating_sub(self.packets) as usize
            * self.packet_samples
            * usize::from(self.head.channels);
        self.kept.resize(missing.max(self.kept.len()), 0);
        self.pack(out)?;
        self.container.end(self.counted(), out);
        Ok(())
    }

    fn first_bytes(&self) -> Result<Vec<u8>, AudioError> {
        Ok(self.container.first_bytes())
    }
}

/// Straight lines between samples, from any rate to 48 kHz.
struct Lines {
    rate: u64,
    last: Vec<i16>,
    /// Frames taken.
    taken: u64,
    /// Frames given.
    given: u64,
}

impl Lines {
    fn new(rate: u32, channels: u16) -> Lines {
        Lines {
            rate: rate.into(),
            last: vec![0; channels.into()],
            taken: 0,
            given: 0,
        }
    }

    /// Gives every frame that lies before the one taken and not before its predecessor.
    fn take(&mut self, frame: impl Iterator<Item = i16> + Clone, to: &mut Vec<i16>) {
        let (here, rate) = (self.taken * COUNTED_RATE, self.rate);
        while self.taken > 0 && self.given * rate < here {
            let part = self.given * rate - (here - COUNTED_RATE);
            let between = |(from, next): (&i16, i16)| {
                let (from, next) = (i64::from(*from), i64::from(next));
                (from + (next - from) * part as i64 / COUNTED_RATE as i64) as i16
            };
            to.extend(self.last.iter().zip(frame.clone()).map(between));
            self.given += 1;
        }
        self.last
            .iter_mut()
            .zip(frame)
            .for_each(|(last, next)| *last = next);
        self.taken += 1;
    }
}

fn refused(error: impl Display) -> AudioError {
    AudioError::unsupported(format!("opus: {error}"))
}
