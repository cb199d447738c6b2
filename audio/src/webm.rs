//! WebM (and Matroska) with a track of Opus, read and written. Source: RFC 8794 (EBML), the
//! Matroska element list, and Matroska's codec mapping of Opus.
//!
//! By hand: it is little, no well-kept crate writes WebM without a C++ compiler, and browsers write
//! it with lengths that are never filled in.

use crate::blocks::{BlockReader, Need, Progress};
use crate::format::{AudioError, Container as Wrapping, Damage};
use crate::opus::{COUNTED_RATE, Container, Head, PACKET_SAMPLES, Track};
use crate::window::Window;

/// Packets of a cluster: five seconds, as players like to seek.
const CLUSTER_PACKETS: usize = 250;
/// Milliseconds of a packet.
const PACKET_MS: u64 = PACKET_SAMPLES * 1_000 / COUNTED_RATE;
/// Nanoseconds that a player decodes before a place it seeks. Source: Matroska's codec mapping of
/// Opus.
const SEEK_PRE_ROLL_NS: u64 = 80_000_000;
const TRACK: u8 = 1;
const KEY_FRAME: u8 = 0x80;

/// First bytes of every EBML file.
const EBML: [u8; 4] = [0x1a, 0x45, 0xdf, 0xa3];
const SEGMENT: u32 = 0x1853_8067;
const INFO: u32 = 0x1549_a966;
const TRACKS: u32 = 0x1654_ae6b;
const TRACK_ENTRY: u32 = 0xae;
const CLUSTER: u32 = 0x1f43_b675;
const BLOCK_GROUP: u32 = 0xa0;
/// The longest element that is read whole; a packet of Opus has 61 KiB at most.
const MOST_BYTES: u64 = 64 * 1024;
/// Elements before the first cluster; more than any writer makes.
const MOST_ELEMENTS: usize = 10_000;

/// Whether a file starts like WebM or Matroska.
pub(crate) fn looks_webm(bytes: &[u8]) -> bool {
    bytes.starts_with(&EBML)
}

/// An element's head: what it is, where its content starts, and how long it says it is; `None`
/// where it does not say.
struct Element {
    id: u32,
    body: u64,
    size: Option<u64>,
}

impl Element {
    fn at(window: &mut Window<'_>, at: u64) -> Result<Option<Element>, AudioError> {
        let bytes = window.at(at, 12)?;
        let Some(id_bytes) = bytes
            .first()
            .map(|first| first.leading_zeros() as usize + 1)
            .filter(|&width| width <= 4)
        else {
            return Ok(None);
        };
        let Some(width) = bytes
            .get(id_bytes)
            .map(|first| first.leading_zeros() as usize + 1)
            .filter(|&width| width <= 8)
        else {
            return Ok(None);
        };
        let Some(coded) = bytes.get(id_bytes..id_bytes + width) else {
            return Ok(None);
        };
        let id = bytes[..id_bytes]
            .iter()
            .fold(0, |id, &byte| id << 8 | u32::from(byte));
        let marked = big(coded);
        let size = marked & ((1 << (7 * width)) - 1);
        let is_known = size != (1 << (7 * width)) - 1;
        Ok(Some(Element {
            id,
            body: at + (id_bytes + width) as u64,
            size: is_known.then_some(size),
        }))
    }

    /// Its content is elements that are walked through one by one, whether or not it says how long
    /// it is.
    fn is_walked(&self) -> bool {
        matches!(
            self.id,
            SEGMENT | INFO | TRACKS | TRACK_ENTRY | CLUSTER | BLOCK_GROUP
        )
    }

    /// Where the next one stands.
    fn next(&self) -> u64 {
        if self.is_walked() {
            self.body
        } else {
            self.body.saturating_add(self.size.unwrap_or(0))
        }
    }
}

fn big(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .take(8)
        .fold(0, |all, &byte| all << 8 | u64::from(byte))
}

/// What a track says of itself.
#[derive(Default)]
struct Entry {
    number: u64,
    kind: u64,
    codec: Vec<u8>,
    private: Vec<u8>,
    is_encoded: bool,
}

/// Opens a file that [`looks_webm`]: its first track of sound.
pub(crate) fn open(mut window: Window<'_>) -> Result<Box<dyn BlockReader + '_>, AudioError> {
    let (mut entries, mut scale, mut duration): (Vec<Entry>, u64, Option<f64>) =
        (Vec::new(), 1_000_000, None);
    let (mut at, mut end) = (0, None);
    for _ in 0..MOST_ELEMENTS {
        let Some(element) = Element::at(&mut window, at)? else {
            return Err(AudioError::undecodable("a WebM file without sound"));
        };
        let size = element.size.unwrap_or(0).min(MOST_BYTES) as usize;
        let content = if element.is_walked() {
            Vec::new()
        } else {
            window.at(element.body, size)?.to_vec()
        };
        let entry = entries.last_mut();
        match (element.id, entry) {
            (SEGMENT, _) => end = element.size.map(|size| element.body.saturating_add(size)),
            (0x2a_d7b1, _) => scale = big(&content),
            (0x4489, _) => duration = float(&content),
            (TRACK_ENTRY, _) => entries.push(Entry::default()),
            (0xd7, Some(entry)) => entry.number = big(&content),
            (0x83, Some(entry)) => entry.kind = big(&content),
            (0x86, Some(entry)) => entry.codec = content,
            (0x63a2, Some(entry)) => entry.private = content,
            (0x6d80, Some(entry)) => entry.is_encoded = true,
            (CLUSTER, _) => break,
            _ => {}
        }
        at = element.next();
    }
    const SOUND: u64 = 2;
    let entry = entries
        .into_iter()
        .find(|entry| entry.kind == SOUND)
        .ok_or_else(|| AudioError::undecodable("WebM without a track of sound"))?;
    if entry.codec != b"A_OPUS" {
        return Err(AudioError::unsupported(format!(
            "WebM with codec {}",
            entry.codec.escape_ascii()
        )));
    }
    let is_laced =
        first_block(&mut window, at, entry.number)?.is_some_and(|flags| flags & LACING != 0);
    if entry.is_encoded || is_laced {
        return Err(AudioError::unsupported(
            "WebM with Opus that is compressed or laced",
        ));
    }
    let track = Track::new(&entry.private, Wrapping::Webm)?;
    let to_ms = |ticks: f64| (ticks * scale as f64 / 1e6) as u64;
    let promised_ms = duration
        .filter(|ticks| ticks.is_finite() && *ticks > 0.0)
        .map(to_ms);
    Ok(Box::new(Reader {
        window,
        at,
        end,
        number: entry.number,
        scale,
        track,
        promised_ms,
        cluster_ms: 0,
        reached_ms: 0,
        held: Vec::new(),
    }))
}

fn float(bytes: &[u8]) -> Option<f64> {
    match *bytes {
        [a, b, c, d] => Some(f32::from_be_bytes([a, b, c, d]).into()),
        [a, b, c, d, e, f, g, h] => Some(f64::from_be_bytes([a, b, c, d, e, f, g, h])),
        _ => None,
    }
}

/// Bits of a block's flags that say how several packets stand in it.
const LACING: u8 = 6;

/// A block's track, place in its cluster, flags and content.
fn block(content: &[u8]) -> Option<(u64, i16, u8, &[u8])> {
    let width = content.first()?.leading_zeros() as usize + 1;
    let number = big(content.get(..width.min(8))?) & ((1 << (7 * width.min(8))) - 1);
    let &[high, low, flags, ref rest @ ..] = content.get(width..)? else {
        return None;
    };
    Some((number, i16::from_be_bytes([high, low]), flags, rest))
}

/// Flags of the track's first block.
fn first_block(
    window: &mut Window<'_>,
    mut at: u64,
    number: u64,
) -> Result<Option<u8>, AudioError> {
    for _ in 0..100 {
        let Some(element) = Element::at(window, at)? else {
            break;
        };
        if matches!(element.id, 0xa3 | 0xa1)
            && let Some((track, _, flags, _)) = block(window.at(element.body, 16)?)
            && track == number
        {
            return Ok(Some(flags));
        }
        at = element.next();
    }
    Ok(None)
}

struct Reader<'s> {
    window: Window<'s>,
    at: u64,
    /// Where the segment ends, as it says.
    end: Option<u64>,
    /// The track that is read.
    number: u64,
    /// Nanoseconds of a tick.
    scale: u64,
    track: Track,
    /// How long the file says it is.
    promised_ms: Option<u64>,
    cluster_ms: u64,
    /// Where the last packet ends, as the file counts.
    reached_ms: u64,
    /// The last packet's samples: what follows may say that some are too many.
    held: Vec<Vec<i16>>,
}

impl Reader<'_> {
    fn element(&mut self, element: &Element, out: &mut [Vec<i16>]) -> Result<(), AudioError> {
        let size = element.size.unwrap_or(0);
        let to_ms =
            |ticks: u64, scale: u64| (u128::from(ticks) * u128::from(scale) / 1_000_000) as u64;
        match element.id {
            0xe7 => {
                self.cluster_ms = to_ms(
                    big(self.window.at(element.body, size.min(8) as usize)?),
                    self.scale,
                )
            }
            0xa3 | 0xa1 if size <= MOST_BYTES => {
                let content = self.window.at(element.body, size as usize)?;
                if (content.len() as u64) < size {
                    self.track
                        .damage
                        .push(self.track.at_ms(), "the last WebM block is cut");
                } else if let Some((number, place, flags, packet)) = block(content)
                    && number == self.number
                {
                    let packet = packet.to_vec();
                    if flags & LACING != 0 {
                        self.track.damage.lose(
                            self.track.at_ms(),
                            20,
                            "a WebM block of several packets is left out",
                        );
                        return Ok(());
                    }
                    self.give(out);
                    self.held.resize(out.len(), Vec::new());
                    let samples = self.track.packet(&packet, &mut self.held) as u64;
                    let place_ms = i64::from(place) * self.scale as i64 / 1_000_000;
                    self.reached_ms = self.cluster_ms.saturating_add_signed(place_ms)
                        + samples * 1000 / COUNTED_RATE;
                }
            }
            // How many nanoseconds of the block before are too many.
            0x75a2 => {
                let nanoseconds = big(self.window.at(element.body, size.min(8) as usize)?);
                let samples = (u128::from(nanoseconds) * u128::from(COUNTED_RATE))
                    .div_ceil(1_000_000_000) as u64;
                // Negative ones would be of the beginning, which the header tells.
                let is_positive = size < 8 || nanoseconds >> 63 == 0;
                if is_positive && samples < COUNTED_RATE {
                    self.track.take_back(samples, &mut self.held);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn give(&mut self, out: &mut [Vec<i16>]) {
        self.held
            .iter_mut()
            .zip(out)
            .for_each(|(held, out)| out.append(held));
    }

    /// Goes on to the next cluster, or to the end.
    fn resync(&mut self) -> Result<(), AudioError> {
        let mut next = self.at + 1;
        while next < self.window.length() && self.window.at(next, 4)? != CLUSTER.to_be_bytes() {
            next += 1;
        }
        if next < self.window.length() || !self.window.only_zeros_from(self.at)? {
            let lost_ms = self.by_bytes(next - self.at);
            self.track.damage.lose(
                self.track.at_ms(),
                lost_ms,
                format!("{} bytes that are no WebM skipped", next - self.at),
            );
        }
        self.at = next;
        Ok(())
    }

    /// Sound that so many bytes hold, by those that were read.
    fn by_bytes(&self, bytes: u64) -> u64 {
        (u128::from(bytes) * u128::from(self.track.at_ms()) / u128::from(self.at.max(1))) as u64
    }

    fn finish(&mut self, out: &mut [Vec<i16>]) {
        self.give(out);
        let (at, length) = (self.track.at_ms(), self.window.length());
        match (self.promised_ms, self.end) {
            (Some(promised), _) if promised > self.reached_ms => {
                let what = format!(
                    "the stream ends early: {} of {promised} ms are there",
                    self.reached_ms
                );
                self.track.damage.lose(at, promised - self.reached_ms, what);
            }
            (None, Some(end)) if end > length => {
                let what = format!("data ends early: {length} of {end} bytes are there");
                self.track
                    .damage
                    .lose(at, self.by_bytes(end - length), what);
            }
            _ => {}
        }
    }
}

impl BlockReader for Reader<'_> {
    fn head(&self) -> crate::format::Head {
        self.track.head()
    }

    fn read(&mut self, _: Need, out: &mut [Vec<i16>]) -> Result<Progress, AudioError> {
        // A second of the usual blocks.
        for _ in 0..50 {
            if self.at >= self.window.length() {
                self.finish(out);
                return Ok(Progress::Ended);
            }
            match Element::at(&mut self.window, self.at)?.filter(Reader::is_possible) {
                Some(element) => {
                    self.element(&element, out)?;
                    self.at = element.next();
                }
                None => self.resync()?,
            }
        }
        Ok(Progress::More)
    }

    fn ending(self: Box<Self>) -> (u64, Vec<Damage>) {
        self.track.ending()
    }
}

impl Reader<'_> {
    /// The elements that occur from the first cluster on; anything else is damage.
    fn is_possible(element: &Element) -> bool {
        const OTHERS: [u32; 18] = [
            0xe7,
            0xa3,
            0xa1,
            0x75a2,
            0xa7,
            0xab,
            0x9b,
            0xfb,
            0xec,
            0xbf,
            0xa6,
            0x75a1,
            0xa4,
            0xfd,
            0x8e,
            0x1c53_bb6b,
            0x1254_c367,
            0x114d_9b74,
        ];
        const MORE: [u32; 6] = [0x1043_a770, 0x1941_a469, 0x5854, 0xaf, 0xc8, 0xa2];
        element.is_walked()
            || ((OTHERS.contains(&element.id) || MORE.contains(&element.id))
                && element.size.is_some())
    }
}

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
        let sound = [
            element(&[0xb5], &(COUNTED_RATE as f64).to_be_bytes()),
            number(&[0x9f], self.head.channels.into()),
        ];
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
        let inside = [
            element(&[0x15, 0x49, 0xa9, 0x66], &info.concat()),
            element(
                &[0x16, 0x54, 0xae, 0x6b],
                &element(&[0xae], &track.concat()),
            ),
        ]
        .concat();
        let mut whole = element(&[0x1a, 0x45, 0xdf, 0xa3], &head.concat());
        whole.extend([0x18, 0x53, 0x80, 0x67]);
        let size = self
            .samples
            .map_or(UNKNOWN, |_| long_size(inside.len() as u64 + self.written));
        whole.extend(size);
        whole.extend(inside);
        whole
    }

    /// Writes the cluster; of its last packet a player drops `dropped` nanoseconds, where that is
    /// said.
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
    let width = (1..8)
        .find(|width| size < (1 << (7 * width)) - 1)
        .unwrap_or(8);
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
