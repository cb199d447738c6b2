//! WebM, writing one track of Opus. Source: RFC 8794 (EBML), the Matroska element list, and Matroska's codec mapping of Opus.
//!
//! By hand: it is a hundred lines, and no well-kept crate writes WebM without a C++ compiler.

use crate::opus::{COUNTED_RATE, Container, Head, PACKET_SAMPLES};

/// Packets of a cluster: five seconds, as players like to seek.
const CLUSTER_PACKETS: usize = 250;
/// Milliseconds of a packet.
const PACKET_MS: u64 = PACKET_SAMPLES * 1_000 / COUNTED_RATE;
/// Nanoseconds that a player decodes before a place it seeks. Source: Matroska's codec mapping of Opus.
const SEEK_PRE_ROLL_NS: u64 = 80_000_000;
const TRACK: u8 = 1;
const KEY_FRAME: u8 = 0x80;

/// Clusters of packets, of which the unfinished one is kept.
#[derive(Default)]
pub(crate) struct Muxer {
    head: Head,
    /// Packets of the unfinished cluster.
    waiting: Vec<Vec<u8>>,
    /// Packets taken.
    packets: u64,
    /// Bytes of the clusters written.
    written: u64,
    /// Samples of the recording; absent until the end.
    samples: Option<u64>,
}

impl Muxer {
    /// Everything before the first cluster: as long with its lengths as without.
    fn before_clusters(&self) -> Vec<u8> {
        let head = [
            number(&[0x42, 0x86], 1),
            number(&[0x42, 0xf7], 1),
            number(&[0x42, 0xf2], 4),
            number(&[0x42, 0xf3], 8),
            element(&[0x42, 0x82], b"webm"),
            number(&[0x42, 0x87], 4),
            number(&[0x42, 0x85], 2),
        ];
        let milliseconds = self.samples.unwrap_or(0) as f64 * 1_000.0 / COUNTED_RATE as f64;
        let info = [
            number(&[0x2a, 0xd7, 0xb1], 1_000_000),
            element(&[0x44, 0x89], &milliseconds.to_be_bytes()),
            element(&[0x4d, 0x80], b"seatrial"),
            element(&[0x57, 0x41], b"seatrial"),
        ];
        let sound = [element(&[0xb5], &(COUNTED_RATE as f64).to_be_bytes()), number(&[0x9f], self.head.channels.into())];
        let track = [
            number(&[0xd7], TRACK.into()),
            number(&[0x73, 0xc5], TRACK.into()),
            number(&[0x9c], 0),
            number(&[0x83], 2),
            element(&[0x86], b"A_OPUS"),
            number(&[0x56, 0xaa], nanoseconds(self.head.pre_skip)),
            number(&[0x56, 0xbb], SEEK_PRE_ROLL_NS),
            element(&[0xe1], &sound.concat()),
            element(&[0x63, 0xa2], &self.head.bytes()),
        ];
        let inside =
            [element(&[0x15, 0x49, 0xa9, 0x66], &info.concat()), element(&[0x16, 0x54, 0xae, 0x6b], &element(&[0xae], &track.concat()))]
                .concat();
        let mut whole = element(&[0x1a, 0x45, 0xdf, 0xa3], &head.concat());
        whole.extend([0x18, 0x53, 0x80, 0x67]);
        let size = self.samples.map_or(UNKNOWN, |_| long_size(inside.len() as u64 + self.written));
        whole.extend(size);
        whole.extend(inside);
        whole
    }

    /// Writes the cluster; of its last packet a player drops `dropped` nanoseconds, where that is said.
    fn cluster(&mut self, dropped: Option<u64>, out: &mut Vec<u8>) {
        let first = self.packets - self.waiting.len() as u64;
        let mut inside = number(&[0xe7], first * PACKET_MS);
        let last = self.waiting.len().saturating_sub(1);
        for (at, packet) in self.waiting.drain(..).enumerate() {
            let mut block = vec![0x80 | TRACK];
            block.extend(((at as u64 * PACKET_MS) as i16).to_be_bytes());
            match dropped.filter(|_| at == last) {
                Some(dropped) => {
                    block.push(0);
                    block.extend(packet);
                    let group = [element(&[0xa1], &block), number(&[0x75, 0xa2], dropped)];
                    inside.extend(element(&[0xa0], &group.concat()));
                }
                None => {
                    block.push(KEY_FRAME);
                    block.extend(packet);
                    inside.extend(element(&[0xa3], &block));
                }
            }
        }
        let cluster = element(&[0x1f, 0x43, 0xb6, 0x75], &inside);
        self.written += cluster.len() as u64;
        out.extend(cluster);
    }
}

impl Container for Muxer {
    fn start(&mut self, head: Head, out: &mut Vec<u8>) {
        self.head = head;
        out.extend(self.before_clusters());
    }

    fn packet(&mut self, packet: Vec<u8>, out: &mut Vec<u8>) {
        if self.waiting.len() == CLUSTER_PACKETS {
            self.cluster(None, out);
        }
        self.waiting.push(packet);
        self.packets += 1;
    }

    fn end(&mut self, samples: u64, out: &mut Vec<u8>) {
        let dropped = (self.packets * PACKET_SAMPLES).saturating_sub(self.head.pre_skip + samples);
        self.cluster(Some(nanoseconds(dropped)), out);
        self.samples = Some(samples);
    }

    fn first_bytes(&self) -> Vec<u8> {
        self.before_clusters()
    }
}

/// A size that is not known yet.
const UNKNOWN: [u8; 8] = [0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];

/// A size in eight bytes, so that it can take the place of the unknown one.
fn long_size(size: u64) -> [u8; 8] {
    (size | 1 << 56).to_be_bytes()
}

fn element(id: &[u8], inside: &[u8]) -> Vec<u8> {
    let size = inside.len() as u64;
    let width = (1..8).find(|width| size < (1 << (7 * width)) - 1).unwrap_or(8);
    let marked = size | 1 << (7 * width);
    let mut whole = id.to_vec();
    whole.extend(&marked.to_be_bytes()[8 - width as usize..]);
    whole.extend(inside);
    whole
}

/// A number, in as many bytes as it needs and one more where its first bit would read as a sign.
fn number(id: &[u8], value: u64) -> Vec<u8> {
    let bytes = value.to_be_bytes();
    let from = (value.leading_zeros() as usize).saturating_sub(1) / 8;
    element(id, &bytes[from.min(7)..])
}

fn nanoseconds(samples: u64) -> u64 {
    samples * 1_000_000_000 / COUNTED_RATE
}
