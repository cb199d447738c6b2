//! Ogg, writing one stream of Opus. Source: RFC 3533 and RFC 7845.

use crate::opus::{Container, Head, PACKET_SAMPLES};

/// The one stream of a file; any number does.
pub(crate) const SERIAL: u32 = 0x5ea7;
/// Packets of a page: a second, as RFC 7845 advises.
const PAGE_PACKETS: usize = 50;
/// Lacing values of a page.
const PAGE_SEGMENTS: usize = 255;

const FIRST: u8 = 2;
const LAST: u8 = 4;

/// Pages of packets, of which the unfinished one is kept.
#[derive(Default)]
pub(crate) struct Muxer {
    pages: u32,
    pre_skip: u64,
    /// Packets taken.
    packets: u64,
    lacing: Vec<u8>,
    body: Vec<u8>,
    /// Packets of the unfinished page.
    waiting: usize,
}

impl Muxer {
    fn put(&mut self, packet: &[u8]) {
        self.lacing.extend(std::iter::repeat_n(255, packet.len() / 255));
        self.lacing.push((packet.len() % 255) as u8);
        self.body.extend_from_slice(packet);
    }

    /// Writes the page; `granule` is the place of its end.
    fn page(&mut self, flags: u8, granule: u64, out: &mut Vec<u8>) {
        let mut page = b"OggS\0".to_vec();
        page.push(flags);
        page.extend(granule.to_le_bytes());
        page.extend(SERIAL.to_le_bytes());
        page.extend(self.pages.to_le_bytes());
        page.extend([0; 4]);
        page.push(self.lacing.len() as u8);
        page.append(&mut self.lacing);
        page.append(&mut self.body);
        let sum = checksum(&page).to_le_bytes();
        page[22..26].copy_from_slice(&sum);
        out.append(&mut page);
        self.pages += 1;
        self.waiting = 0;
    }
}

impl Container for Muxer {
    fn start(&mut self, head: Head, out: &mut Vec<u8>) {
        self.pre_skip = head.pre_skip;
        self.put(&head.bytes());
        self.page(FIRST, 0, out);
        let mut tags = b"OpusTags".to_vec();
        tags.extend(8_u32.to_le_bytes());
        tags.extend(b"seatrial");
        tags.extend(0_u32.to_le_bytes());
        self.put(&tags);
        self.page(0, 0, out);
    }

    fn packet(&mut self, packet: Vec<u8>, out: &mut Vec<u8>) {
        let is_full = self.waiting == PAGE_PACKETS || self.lacing.len() + packet.len() / 255 + 1 > PAGE_SEGMENTS;
        if is_full {
            self.page(0, self.packets * PACKET_SAMPLES, out);
        }
        self.put(&packet);
        self.waiting += 1;
        self.packets += 1;
    }

    /// The last page's place lies before its packets' end: that is how much a player drops.
    fn end(&mut self, samples: u64, out: &mut Vec<u8>) {
        self.page(LAST, self.pre_skip + samples, out);
    }
}

/// The sum of a page, its own field zero: CRC-32 with the polynomial 0x04c11db7, not reflected, from 0.
fn checksum(page: &[u8]) -> u32 {
    page.iter().fold(0, |sum, byte| {
        let mut sum = sum ^ (u32::from(*byte) << 24);
        for _ in 0..8 {
            sum = if sum & 0x8000_0000 == 0 { sum << 1 } else { (sum << 1) ^ 0x04c1_1db7 };
        }
        sum
    })
}
