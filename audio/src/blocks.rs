//! What every reader of a format offers to the decoder.

use crate::format::{AudioError, Damage, Head};

/// Whether samples are wanted or only their number; what is not wanted need not be decoded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Samples.
    Samples,
    /// Their number and the damage. Samples may be given all the same, where counting takes
    /// decoding.
    Count,
}

/// Whether there is more.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// There may be.
    More,
    /// What has just been given was the last.
    Ended,
}

/// A format, read block by block with bounded memory.
pub(crate) trait BlockReader {
    /// Known from the start.
    fn head(&self) -> Head;

    /// Goes on by a bounded stretch of the file and appends its samples, if any, to one list per
    /// channel.
    fn read(&mut self, need: Need, out: &mut [Vec<i16>]) -> Result<Progress, AudioError>;

    /// Samples per channel and damage, up to where reading has come.
    fn ending(self: Box<Self>) -> (u64, Vec<Damage>);
}
