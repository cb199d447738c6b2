//! One line per request the simulators answered, with digests instead of bodies. The latest lines
//! are in memory, the rest in a file of the spool.

mod line;
mod spill;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;
use std::path::Path;

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use self::line::{Line, Names};
use self::spill::Spill;
use crate::conduct::{Conduct, ConductReport, RequestEvent};
use crate::http::request_context::RequestMetadata;
use crate::http::served::Served;
use crate::operations::Operation;
use crate::time::instant;

/// A journal line, as the control API gives it (docs/reference/control-api.md).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Position, from 1; `after=n` continues behind it.
    pub n: u64,
    /// When the answer was decided: UTC, RFC 3339 with milliseconds, on the simulator's clock.
    pub at: String,
    /// `legacy`, `genesys_cloud`, `gir`, `webdav` or `speechminer`.
    pub platform: String,
    /// Name in the table of operations.
    pub operation: String,
    /// Business key; `-` for an operation without one.
    pub key: String,
    /// The how-manieth request of this operation and key; 0 for one refused before its turn (bad
    /// token, limiter).
    pub attempt: u32,
    /// HTTP status the client was told; 0: the connection was cut without an answer.
    pub status: u16,
    /// Id of the fault that struck it; null for none.
    pub fault: Option<String>,
    /// What changed on the platform (`created`, `replaced`, `updated`); null for nothing.
    pub effect: Option<String>,
    /// Bytes of the request's body.
    pub bytes_in: u64,
    /// Bytes of the answer's body as decided; fewer may have reached the client under a transport
    /// fault.
    pub bytes_out: u64,
    /// SHA-256 of what the request brought, hex: of the file for an upload, else of the body. Only
    /// where digests are asked for; absent for a request without a body, for a token's (it holds a
    /// secret), and for one that was turned away unread.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest_in: Option<String>,
    /// SHA-256 of the answer's body as decided, hex. Only where digests are asked for; absent for
    /// an answer without a body, for a token, and for media that pass as a stream: they are told by
    /// their size and by the truth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest_out: Option<String>,
}

#[derive(Serialize)]
struct Effect<'a> {
    operation: &'a str,
    key: &'a str,
    status: u16,
    effect: &'a str,
}

/// The journal of one simulator, all platforms together.
#[derive(Default)]
pub(crate) struct Journal {
    inner: Mutex<Inner>,
}

/// What a snapshot keeps of it: the file is shared, for nothing in it is ever written over.
#[derive(Clone, Default)]
pub(crate) struct Inner {
    names: Names,
    lines: Spill,
    /// Mutations that were no requests of their own.
    side_effects: Spill,
    conduct: Conduct,
}

/// Whether entries show the digests of bodies.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Digests {
    Shown,
    Hidden,
}

impl Journal {
    /// Says where lines go that are not among the latest. `pace`: simulated seconds in a real one.
    pub(crate) fn spill_into(&self, dir: &Path, pace: f64) {
        let mut inner = self.inner.lock();
        inner.lines.spill_into(dir);
        inner.side_effects.spill_into(dir);
        inner.conduct = Conduct::at_pace(pace);
    }

    /// Notes a mutation that was no request of its own: an item of a batch, or what a platform did
    /// later by itself. It stands in the effects journal with status 200 and is not counted as a
    /// request.
    pub(crate) fn record_side_effect(
        &self,
        operation: &'static Operation,
        key: &str,
        effect: &'static str,
    ) {
        let served = Served {
            at_ms: 0,
            platform: "-",
            operation,
            key,
            attempt: 0,
            status: 200,
            work_status: 200,
            fault: None,
            effect: Some(effect),
            bytes_in: 0,
            bytes_out: 0,
            retry_after_s: None,
            digest_out: None,
            metadata: RequestMetadata::default(),
        };
        let Inner {
            names,
            side_effects,
            conduct,
            ..
        } = &mut *self.inner.lock();
        side_effects.push(|out| names.write(&served, out));
        conduct.observe_side_effect(operation, key, effect);
    }

    pub(crate) fn write(&self, served: Served<'_>) {
        let Inner {
            names,
            lines,
            conduct,
            ..
        } = &mut *self.inner.lock();
        let n = lines.push(|out| names.write(&served, out));
        conduct.observe(&RequestEvent::of(n, &served));
    }

    /// Up to `limit` lines behind line `after`, of one platform or of all.
    pub(crate) fn page(
        &self,
        platform: Option<&str>,
        after: u64,
        limit: usize,
        digests: Digests,
    ) -> Vec<Entry> {
        let mut entries = Vec::new();
        let (mut after, names) = (after, self.inner.lock().names.clone());
        // One run at a time, so that a long page does not keep requests waiting.
        while entries.len() < limit {
            let run = self.inner.lock().lines.run(after);
            let Some((before, bytes)) = readable(run) else {
                break;
            };
            let mut n = before;
            for line in lines_of(&names, &bytes) {
                n += 1;
                if n > after
                    && platform.is_none_or(|name| name == line.platform)
                    && entries.len() < limit
                {
                    entries.push(line.entry(n, digests));
                }
            }
            if n <= after {
                break;
            }
            after = n;
        }
        entries
    }

    /// The latest lines, the oldest of them first.
    pub(crate) fn latest(&self, count: u64) -> Vec<Entry> {
        let after = self.len().saturating_sub(count);
        self.page(None, after, usize::MAX, Digests::Hidden)
    }

    /// How many lines there are.
    pub(crate) fn len(&self) -> u64 {
        self.inner.lock().lines.len()
    }

    /// The effects journal: NDJSON of the mutations that took effect, with the status the platform
    /// gave the deed itself (a fault may have hidden it from the client). No times and no order of
    /// arrival: sorted by operation, key, effect, status, so any number of workers gives the same
    /// bytes.
    pub(crate) fn effects(&self) -> String {
        let (names, lists) = {
            let inner = self.inner.lock();
            (
                inner.names.clone(),
                [inner.lines.clone(), inner.side_effects.clone()],
            )
        };
        let mut effects: Vec<(&str, Box<str>, &str, u16)> = Vec::new();
        for list in &lists {
            let mut after = 0;
            while let Some((_, bytes)) = readable(list.run(after)) {
                for line in lines_of(&names, &bytes) {
                    after += 1;
                    effects.extend(line.effect.map(|effect| {
                        (
                            line.operation.name,
                            line.key.into(),
                            effect,
                            line.work_status,
                        )
                    }));
                }
            }
        }
        effects.sort_unstable();
        let mut text = String::new();
        for (operation, key, effect, status) in effects {
            let line = Effect {
                operation,
                key: &key,
                status,
                effect,
            };
            let _ = writeln!(text, "{}", serde_json::to_string(&line).unwrap_or_default());
        }
        text
    }

    /// How the clients behaved so far.
    pub(crate) fn conduct(&self) -> ConductReport {
        self.inner.lock().conduct.report()
    }

    /// As it stands, for a snapshot.
    pub(crate) fn snapshot(&self) -> Inner {
        self.inner.lock().clone()
    }

    /// As it stood at a snapshot.
    pub(crate) fn restore(&self, snapshot: Inner) {
        *self.inner.lock() = snapshot;
    }
}

/// A journal that cannot be read is no journal with fewer lines.
fn readable<T>(read: std::io::Result<T>) -> T {
    read.unwrap_or_else(|error| panic!("the journal's file in the spool cannot be read: {error}"))
}

fn lines_of<'a>(names: &Names, mut bytes: &'a [u8]) -> impl Iterator<Item = Line<'a>> {
    std::iter::from_fn(move || names.read(&mut bytes))
}

impl Line<'_> {
    fn entry(&self, n: u64, digests: Digests) -> Entry {
        let digest = |digest: Option<&[u8]>| {
            digest
                .filter(|_| digests == Digests::Shown)
                .map(hex::encode)
        };
        Entry {
            n,
            at: instant(self.at_ms),
            platform: self.platform.to_owned(),
            operation: self.operation.name.to_owned(),
            key: self.key.to_owned(),
            attempt: self.attempt,
            status: self.status,
            fault: self.fault.map(str::to_owned),
            effect: self.effect.map(str::to_owned),
            bytes_in: self.bytes_in,
            bytes_out: self.bytes_out,
            digest_in: digest(self.digest_in),
            digest_out: digest(self.digest_out),
        }
    }
}
