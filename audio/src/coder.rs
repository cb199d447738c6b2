//! What every writer of a codec offers to the encoder.

use crate::format::AudioError;

/// A codec, written block by block with bounded memory. What is coded is appended to `out`.
pub(crate) trait BlockCoder {
    /// Writes what stands before the first sample.
    fn start(&mut self, _out: &mut Vec<u8>) -> Result<(), AudioError> {
        Ok(())
    }

    /// Codes samples, at least one, equally many in every channel. Some may be kept back until more
    /// come.
    fn code(&mut self, channels: &[&[i16]], out: &mut Vec<u8>) -> Result<(), AudioError>;

    /// Codes what has been kept back.
    fn end(&mut self, out: &mut Vec<u8>) -> Result<(), AudioError>;

    /// What takes the place of the file's first bytes now that all is known: lengths, mostly. Asked
    /// for after the end.
    fn first_bytes(&self) -> Result<Vec<u8>, AudioError> {
        Ok(Vec::new())
    }
}

/// A codec that knows only frames of a fixed number of samples.
pub(crate) trait FrameCoder {
    /// Writes what stands before the first frame.
    fn start(&mut self, _out: &mut Vec<u8>) {}

    /// Codes exactly one frame.
    fn frame(&mut self, channels: &[&[i16]], out: &mut Vec<u8>);
}

/// How the last frame is filled up.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Filling {
    /// With the last sample: a predictor follows it without effort.
    LastSample,
    /// With digital silence.
    Silence,
}

/// Cuts samples into frames.
pub(crate) struct Framed<C> {
    coder: C,
    samples: usize,
    filling: Filling,
    /// Samples that are not yet a frame.
    kept: Vec<Vec<i16>>,
}

impl<C: FrameCoder> Framed<C> {
    /// Frames of `samples` per channel.
    pub(crate) fn new(coder: C, channels: u16, samples: usize, filling: Filling) -> Framed<C> {
        Framed {
            coder,
            samples,
            filling,
            kept: vec![Vec::new(); channels.into()],
        }
    }

    fn frames(&mut self, out: &mut Vec<u8>) {
        let mut start = 0;
        while start + self.samples <= self.kept[0].len() {
            let end = start + self.samples;
            let frame: Vec<&[i16]> = self
                .kept
                .iter()
                .map(|channel| &channel[start..end])
                .collect();
            self.coder.frame(&frame, out);
            start = end;
        }
        for channel in &mut self.kept {
            channel.drain(..start);
        }
    }
}

impl<C: FrameCoder> BlockCoder for Framed<C> {
    fn start(&mut self, out: &mut Vec<u8>) -> Result<(), AudioError> {
        self.coder.start(out);
        Ok(())
    }

    fn code(&mut self, channels: &[&[i16]], out: &mut Vec<u8>) -> Result<(), AudioError> {
        self.kept
            .iter_mut()
            .zip(channels)
            .for_each(|(kept, more)| kept.extend_from_slice(more));
        self.frames(out);
        Ok(())
    }

    fn end(&mut self, out: &mut Vec<u8>) -> Result<(), AudioError> {
        let whole = self.kept[0].len().next_multiple_of(self.samples);
        for channel in &mut self.kept {
            let last = match self.filling {
                Filling::LastSample => channel.last().copied().unwrap_or(0),
                Filling::Silence => 0,
            };
            channel.resize(whole, last);
        }
        self.frames(out);
        Ok(())
    }
}
