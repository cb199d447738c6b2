//! Chromaprint: 32 bits about every eighth of a second, from the notes in 2.6 s of sound.

use super::envelope::{Alignment, FRAME_MS};
use rusty_chromaprint::{Configuration, Fingerprinter};

/// How far the two prints may be shifted against each other, in items of 0.12 s.
const MOST_SHIFT: i64 = 6;
/// With fewer items the share of bits says nothing.
const FEWEST_ITEMS: usize = 8;
/// An item counts when this share of its 2.6 s has sound on either side: less and it is mostly the
/// pause that is compared.
const SOUND_SHARE: f64 = 0.25;

/// Share of differing bits over the items with sound.
///
/// Frames without sound on either side are made exactly silent first. Half of each channel of a
/// call is pause, and the notes in coding noise are chance: left in, a sound transcode would look
/// half foreign.
pub(super) fn bit_error(
    source: (&[i16], u32),
    target: (&[i16], u32),
    alignment: &Alignment,
) -> Option<f64> {
    let background: Vec<bool> = (0..alignment.source.len())
        .map(|frame| alignment.is_background(frame))
        .collect();
    if background.iter().all(|&background| background) {
        return None;
    }
    let configuration = Configuration::preset_test2();
    let left = print(
        &configuration,
        gate(source, alignment.skipped.0, &background),
        source.1,
    )?;
    let right = print(
        &configuration,
        gate(target, alignment.skipped.1, &background),
        target.1,
    )?;
    let counted = counted(&configuration, &background, left.len());
    (-MOST_SHIFT..=MOST_SHIFT)
        .filter_map(|shift| difference(&left, &right, &counted, shift))
        .min_by(f64::total_cmp)
}

/// The channel from the first common moment on, exactly silent in the background.
fn gate((channel, rate): (&[i16], u32), skipped: usize, background: &[bool]) -> Vec<i16> {
    let border = |frame: usize| {
        ((frame as u64 * u64::from(rate) * FRAME_MS / 1000) as usize).min(channel.len())
    };
    let mut out = channel.to_vec();
    for (frame, _) in background
        .iter()
        .enumerate()
        .filter(|(_, background)| **background)
    {
        out[border(skipped + frame)..border(skipped + frame + 1)].fill(0);
    }
    out.drain(..border(skipped));
    out
}

fn print(configuration: &Configuration, samples: Vec<i16>, rate: u32) -> Option<Vec<u32>> {
    let mut printer = Fingerprinter::new(configuration);
    // Fails for rates below 1 kHz only, where there are no notes to print.
    printer.start(rate, 1).ok()?;
    printer.consume(&samples);
    printer.finish();
    Some(printer.fingerprint().to_vec())
}

/// Which items of the source's print have enough sound to count.
fn counted(configuration: &Configuration, background: &[bool], items: usize) -> Vec<bool> {
    let frames = |seconds: f64| (seconds * 1000.0 / FRAME_MS as f64) as usize;
    let step = f64::from(configuration.item_duration_in_seconds());
    let span = frames(configuration.delay() as f64 / f64::from(configuration.sample_rate())).max(1);
    (0..items)
        .map(|item| {
            let start = frames(item as f64 * step).min(background.len());
            let end = (start + span).min(background.len());
            let sound = background[start..end]
                .iter()
                .filter(|&&background| !background)
                .count();
            sound as f64 >= span as f64 * SOUND_SHARE
        })
        .collect()
}

fn difference(left: &[u32], right: &[u32], counted: &[bool], shift: i64) -> Option<f64> {
    let (mut bits, mut items) = (0u64, 0usize);
    for (index, &item) in left.iter().enumerate().filter(|(index, _)| counted[*index]) {
        let other = usize::try_from(index as i64 + shift)
            .ok()
            .and_then(|index| right.get(index));
        if let Some(other) = other {
            bits += u64::from((item ^ other).count_ones());
            items += 1;
        }
    }
    (items >= FEWEST_ITEMS).then(|| bits as f64 / (items as f64 * 32.0))
}
