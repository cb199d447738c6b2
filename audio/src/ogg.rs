//! Ogg with one stream of Opus, read and written. Source: RFC 3533 and RFC 7845.

use ogg::{PacketWriteEndInfo, PacketWriter};

use crate::blocks::{BlockReader, Need, Progress};
use crate::format::{AudioError, Container as Wrapping, Damage};
use crate::opus::{COUNTED_RATE, Container, Head, PACKET_SAMPLES, Track};
use crate::pcm::at_ms;
use crate::window::Window;

/// The one stream of a file; any number does.
pub(crate) const SERIAL: u32 = 0x5ea7;
/// Packets of a page: a second, as RFC 7845 advises.
const PAGE_PACKETS: u64 = 50;
/// Lacing values of a page.
const PAGE_SEGMENTS: usize = 255;

const CONTINUED: u8 = 1;
const FIRST: u8 = 2;
const LAST: u8 = 4;

/// Bytes of a page's head before its lacing values.
const HEAD_BYTES: usize = 27;
/// The longest page.
const MOST_PAGE_BYTES: usize = HEAD_BYTES + PAGE_SEGMENTS + PAGE_SEGMENTS * 255;
/// The longest packet that is put together; Opus has none beyond 61 KiB. Source: RFC 7845, section
/// 6.
const MOST_PACKET_BYTES: usize = 64 * 1024;

/// Whether a file starts with a stream of Opus.
pub(crate) fn looks_opus(bytes: &[u8]) -> bool {
    bytes.starts_with(b"OggS") && bytes.get(28..36) == Some(b"OpusHead")
}

/// A page as it stands in a file.
struct Page {
    flags: u8,
    granule: u64,
    serial: u32,
    number: u32,
    lacing: Vec<u8>,
    body: Vec<u8>,
    /// As its checksum says.
    sound: bool,
}

impl Page {
    /// The page at the start of `bytes`, and its length. `None`: there is none, or it is cut.
    fn read(bytes: &[u8]) -> Option<(Page, usize)> {
        let head = bytes
            .first_chunk::<HEAD_BYTES>()
            .filter(|head| head.starts_with(b"OggS\0"))?;
        let lacing = bytes
            .get(HEAD_BYTES..HEAD_BYTES + usize::from(head[26]))?
            .to_vec();
        let start = HEAD_BYTES + lacing.len();
        let end = start
            + lacing
                .iter()
                .map(|&value| usize::from(value))
                .sum::<usize>();
        let body = bytes.get(start..end)?.to_vec();
        let number =
            |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let mut plain = bytes[..end].to_vec();
        plain[22..26].fill(0);
        let page = Page {
            flags: head[5],
            granule: u64::from(number(6)) | u64::from(number(10)) << 32,
            serial: number(14),
            number: number(18),
            lacing,
            body,
            sound: checksum(&plain) == number(22),
        };
        Some((page, end))
    }

    /// Its pieces of packets, each with whether the packet ends there.
    fn pieces(&self) -> impl Iterator<Item = (&[u8], bool)> {
        let (mut at, mut start) = (0, 0);
        let last = self.lacing.len().saturating_sub(1);
        self.lacing
            .iter()
            .enumerate()
            .filter_map(move |(index, &value)| {
                at += usize::from(value);
                let ends = value < 255;
                (ends || index == last).then(|| {
                    let piece = &self.body[start..at];
                    start = at;
                    (piece, ends)
                })
            })
    }
}

/// Opens a file that [`looks_opus`].
pub(crate) fn open(mut window: Window<'_>) -> Result<Box<dyn BlockReader + '_>, AudioError> {
    let Some((page, length)) = Page::read(window.at(0, MOST_PAGE_BYTES)?) else {
        return Err(AudioError::undecodable(
            "an Ogg file that is cut inside its first page",
        ));
    };
    let track = Track::new(&page.body, Wrapping::Ogg)?;
    Ok(Box::new(Reader {
        window,
        at: length as u64,
        track,
        serial: page.serial,
        number: page.number,
        granule: 0,
        headers_left: 1,
        packet: Vec::new(),
        dropped: false,
        ended: false,
        beside: 0,
    }))
}

struct Reader<'s> {
    window: Window<'s>,
    at: u64,
    track: Track,
    serial: u32,
    /// Of the last page.
    number: u32,
    /// Place of the last page's end.
    granule: u64,
    /// Packets that are no sound before the first.
    headers_left: u32,
    /// The beginning of a packet that goes on in the next page.
    packet: Vec<u8>,
    /// The packet that goes on has lost its beginning, or is too long.
    dropped: bool,
    ended: bool,
    /// Longest of the streams that follow and cannot be part of the same recording. Counted
    /// samples.
    beside: u64,
}

impl Reader<'_> {
    fn page(&mut self, page: &Page, out: &mut [Vec<i16>]) -> Result<(), AudioError> {
        if page.serial != self.serial || page.flags & FIRST != 0 {
            return self.other(page);
        }
        let is_lost = page.number != self.number.wrapping_add(1);
        self.number = page.number;
        if is_lost || page.flags & CONTINUED == 0 {
            self.packet.clear();
            self.dropped = page.flags & CONTINUED != 0;
        }
        let began = self.track.at_ms();
        let mut samples = 0;
        for (piece, ends) in page.pieces() {
            self.dropped |= self.packet.len() + piece.len() > MOST_PACKET_BYTES;
            if !self.dropped {
                self.packet.extend_from_slice(piece);
            }
            if !ends {
                continue;
            }
            let packet = std::mem::take(&mut self.packet);
            match (std::mem::take(&mut self.dropped), self.headers_left) {
                (true, _) => {}
                (false, 0) => samples += self.track.packet(&packet, out) as u64,
                (false, _) => self.headers_left -= 1,
            }
        }
        if page.granule == u64::MAX || samples == 0 {
            return Ok(());
        }
        let before = page.granule.saturating_sub(samples);
        if is_lost && before > self.granule {
            let lost_ms = at_ms(before - self.granule, COUNTED_RATE as u32);
            self.track
                .damage
                .lose(began, lost_ms, "pages of the Ogg stream are missing");
        } else if !page.sound {
            self.track.damage.lose(
                began,
                at_ms(samples, COUNTED_RATE as u32),
                "an Ogg page is not what its checksum says",
            );
        }
        let is_last = page.flags & LAST != 0;
        if is_last {
            // The end lies inside the last packets.
            self.track
                .take_back((self.granule + samples).saturating_sub(page.granule), out);
        }
        (self.granule, self.ended) = (page.granule, is_last);
        Ok(())
    }

    /// A stream behind this one goes on with it, as where files were put together.
    fn other(&mut self, page: &Page) -> Result<(), AudioError> {
        let starts = page.flags & FIRST != 0 && page.body.starts_with(b"OpusHead");
        if starts
            && self.ended
            && page
                .body
                .get(9)
                .is_some_and(|&channels| usize::from(channels) == self.track.channels())
        {
            self.track.restart(&page.body)?;
            (
                self.serial,
                self.number,
                self.granule,
                self.headers_left,
                self.ended,
            ) = (page.serial, page.number, 0, 1, false);
        } else if self.ended && page.granule != u64::MAX {
            self.beside = self.beside.max(page.granule);
        }
        Ok(())
    }

    /// Goes on to the next page, or to the end.
    fn resync(&mut self) -> Result<(), AudioError> {
        let mut next = self.at + 1;
        while next < self.window.length()
            && Page::read(self.window.at(next, MOST_PAGE_BYTES)?).is_none()
        {
            next += 1;
        }
        let is_padding = next >= self.window.length() && self.window.only_zeros_from(self.at)?;
        if !is_padding {
            // What is lost shows in the place of the next page; at the end it is what the cut
            // page's head names.
            let cut = self
                .window
                .at(self.at, HEAD_BYTES + PAGE_SEGMENTS)?
                .to_vec();
            let packets = cut
                .get(HEAD_BYTES..)
                .unwrap_or(&[])
                .iter()
                .filter(|&&value| value < 255)
                .count() as u64;
            let is_cut = cut.starts_with(b"OggS\0") && next >= self.window.length();
            let lost_ms = if is_cut {
                packets * PACKET_SAMPLES * 1000 / COUNTED_RATE
            } else {
                0
            };
            let what = format!("{} bytes that are no Ogg pages skipped", next - self.at);
            self.track.damage.lose(self.track.at_ms(), lost_ms, what);
        }
        self.at = next;
        Ok(())
    }
}

impl BlockReader for Reader<'_> {
    fn head(&self) -> crate::format::Head {
        self.track.head()
    }

    fn read(&mut self, _: Need, out: &mut [Vec<i16>]) -> Result<Progress, AudioError> {
        if self.at >= self.window.length() {
            if self.beside > 0 {
                let lost_ms = at_ms(self.beside, COUNTED_RATE as u32);
                self.track.damage.lose(
                    self.track.at_ms(),
                    lost_ms,
                    "another stream follows that is not of the same kind; it is left out",
                );
            }
            return Ok(Progress::Ended);
        }
        match Page::read(self.window.at(self.at, MOST_PAGE_BYTES)?) {
            Some((page, length)) => {
                self.at += length as u64;
                self.page(&page, out)?;
            }
            None => self.resync()?,
        }
        Ok(Progress::More)
    }

    fn ending(self: Box<Self>) -> (u64, Vec<Damage>) {
        self.track.ending()
    }
}

/// Writes pages of [`PAGE_PACKETS`] packets. The newest packet is kept: the last one carries the
/// end.
#[derive(Default)]
pub(crate) struct Muxer {
    writer: Option<PacketWriter<'static, Vec<u8>>>,
    pre_skip: u64,
    /// Packets taken.
    packets: u64,
    newest: Option<Vec<u8>>,
}

impl Muxer {
    /// Writes a packet and gives what became whole pages; `granule` is the place of its end.
    fn write(
        &mut self,
        packet: Vec<u8>,
        ends: PacketWriteEndInfo,
        granule: u64,
        out: &mut Vec<u8>,
    ) {
        let writer = self
            .writer
            .get_or_insert_with(|| PacketWriter::new(Vec::new()));
        // Writing into memory does not fail.
        let _ = writer.write_packet(packet, SERIAL, ends, granule);
        out.append(writer.inner_mut());
    }
}

impl Container for Muxer {
    fn start(&mut self, head: Head, out: &mut Vec<u8>) {
        self.pre_skip = head.pre_skip;
        self.write(head.bytes(), PacketWriteEndInfo::EndPage, 0, out);
        let mut tags = b"OpusTags".to_vec();
        tags.extend(8_u32.to_le_bytes());
        tags.extend(b"seatrial");
        tags.extend(0_u32.to_le_bytes());
        self.write(tags, PacketWriteEndInfo::EndPage, 0, out);
    }

    fn packet(&mut self, packet: Vec<u8>, out: &mut Vec<u8>) {
        if let Some(before) = self.newest.replace(packet) {
            self.packets += 1;
            let is_full = self.packets.is_multiple_of(PAGE_PACKETS);
            let ends = if is_full {
                PacketWriteEndInfo::EndPage
            } else {
                PacketWriteEndInfo::NormalPacket
            };
            self.write(before, ends, self.packets * PACKET_SAMPLES, out);
        }
    }

    /// The last page's place lies before its packets' end: that is how much a player drops.
    fn end(&mut self, samples: u64, out: &mut Vec<u8>) {
        let last = self.newest.take().unwrap_or_default();
        self.write(
            last,
            PacketWriteEndInfo::EndStream,
            self.pre_skip + samples,
            out,
        );
    }
}

/// The sum of a page, its own field zero: CRC-32 with the polynomial 0x04c11db7, not reflected,
/// from 0.
fn checksum(page: &[u8]) -> u32 {
    page.iter().fold(0, |sum, byte| {
        let mut sum = sum ^ (u32::from(*byte) << 24);
        for _ in 0..8 {
            sum = if sum & 0x8000_0000 == 0 {
                sum << 1
            } else {
                (sum << 1) ^ 0x04c1_1db7
            };
        }
        sum
    })
}
