//! An answer's body as it comes in: bounded in length, in the pause before each piece, and in how
//! slow it may be.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;

use crate::clock::Clock;
use crate::net::transport::{Failure, TransportError};

/// How long the next piece of an answer's body may take.
const PIECE_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a body may come as slowly as it likes.
const GRACE_MS: i64 = 60_000;
/// The slowest line that is waited for after that, bytes a second: half of what G.711 speech takes
/// to be heard as it comes. A worker that waits for less is held by one recording for hours.
const SLOWEST: u64 = 4 * 1024;

/// What has come of a body so far.
pub(crate) struct Arrival {
    clock: Clock,
    /// Bytes so far.
    pub(crate) bytes: u64,
    /// Bytes it may have at most.
    most: u64,
    /// Where that bound comes from, for the words.
    bound: &'static str,
    /// Time spent waiting for it; what its reader does in between is not its fault. Milliseconds.
    waited_ms: i64,
}

impl Arrival {
    /// Of an answer that is read whole.
    pub(crate) fn whole(clock: Clock, most: u64) -> Arrival {
        Arrival {
            clock,
            bytes: 0,
            most,
            bound: "the most that is read of such an answer",
            waited_ms: 0,
        }
    }

    /// Of a recording.
    pub(crate) fn media(clock: Clock, most: u64) -> Arrival {
        Arrival {
            clock,
            bytes: 0,
            most,
            bound: "the most that is taken by what is stated of it and by audio.max_bytes",
            waited_ms: 0,
        }
    }

    /// The next piece; `None` at the end.
    pub(crate) async fn piece(
        &mut self,
        stream: &mut BoxStream<'static, Result<Bytes, TransportError>>,
    ) -> Result<Option<Bytes>, TransportError> {
        let began_ms = self.clock.now_ms();
        let piece = self.clock.timeout(PIECE_TIMEOUT, stream.next()).await;
        self.waited_ms += (self.clock.now_ms() - began_ms).max(0);
        let Some(piece) = piece
            .ok_or_else(|| TransportError::new(Failure::Broken, "the answer's body stopped"))?
        else {
            return Ok(None);
        };
        let piece = piece?;
        self.bytes += piece.len() as u64;
        if self.bytes > self.most {
            return Err(TransportError::new(
                Failure::Unusable,
                format!("it is longer than {} bytes, {}", self.most, self.bound),
            ));
        }
        let due_ms = GRACE_MS + i64::try_from(self.bytes * 1000 / SLOWEST).unwrap_or(i64::MAX / 2);
        if self.waited_ms > due_ms {
            let why = format!(
                "only {} bytes came in {} s",
                self.bytes,
                self.waited_ms / 1000
            );
            return Err(TransportError::new(Failure::Slow, why));
        }
        Ok(Some(piece))
    }

    /// What an answer announces, held against the bound before anything is read.
    pub(crate) fn announced(&self, length: Option<u64>) -> Result<(), TransportError> {
        match length {
            Some(length) if length > self.most => Err(TransportError::new(
                Failure::Unusable,
                format!(
                    "it announces {length} bytes, more than {}, {}",
                    self.most, self.bound
                ),
            )),
            _ => Ok(()),
        }
    }
}
