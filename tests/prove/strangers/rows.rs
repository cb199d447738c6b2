//! A row of the table: what is done otherwise, by which ways in, and what the verifier must find.

use std::sync::Arc;

use audio::Pcm;
use futures_util::future::BoxFuture;
use serde_json::Value;

use super::altering_transport::{Change, ListChange};
use super::platform_requests::PlatformRequests;
use super::world::{Call, Shape};
use crate::report::Failure;

/// A way in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Way {
    Guide,
    Public,
    Gir,
}

impl Way {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Way::Guide => "guide",
            Way::Public => "public",
            Way::Gir => "GIR",
        }
    }
}

pub(crate) const ALL: &[Way] = &[Way::Guide, Way::Public, Way::Gir];
pub(crate) const CLOUD: &[Way] = &[Way::Guide, Way::Public];
pub(crate) const GUIDE: &[Way] = &[Way::Guide];
pub(crate) const PUBLIC: &[Way] = &[Way::Public];
pub(crate) const GIR: &[Way] = &[Way::Gir];

/// What samples become before an encoder has them; the second are another call's.
pub(crate) type Samples = fn(&Pcm, &Pcm) -> Pcm;
/// Sends requests after the migration; ids of what they created in the target.
pub(crate) type After = Arc<
    dyn for<'a> Fn(&'a PlatformRequests) -> BoxFuture<'a, Result<Vec<String>, Failure>>
        + Send
        + Sync,
>;

/// What the faulty migrator does otherwise, to a call or a recording of it, by their places in the
/// row.
pub(crate) enum Deviation {
    /// The source's document of a call is misread.
    Call(usize, Change),
    /// Its document of a recording is misread.
    Recording(usize, usize, Change),
    /// Its list of calls is misread.
    List(ListChange),
    /// Another file is uploaded: `in.wav` changed by `samples`, then by the shell line.
    Sound {
        call: usize,
        recording: usize,
        samples: Option<Samples>,
        line: String,
    },
    /// Another recording's sound is uploaded, encoded by the shell line.
    SoundOf {
        call: usize,
        recording: usize,
        of: (usize, usize),
        line: String,
    },
    /// What is written by the guide surface, as events, to RWS or to SpeechMiner is altered.
    Guide(usize, Change),
    Events(usize, Change),
    Rws(usize, Change),
    SpeechMiner(usize, Change),
    /// Requests to the target after the migration.
    After(After),
}

/// The record that a finding must name.
#[derive(Clone, Copy, Debug)]
pub(crate) enum At {
    Call(usize),
    Recording(usize, usize),
    /// No record of the source: something that is only in the target.
    TargetOnly,
}

/// What is done otherwise with a row's calls.
pub(crate) type DeviationsOf = Box<dyn Fn(&[Call]) -> Vec<Deviation> + Send + Sync>;
/// Codes separated by `|`, one of which must be found, and where.
pub(crate) type Expected = (&'static str, At);

pub(crate) struct Row {
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    pub(crate) ways: &'static [Way],
    pub(crate) shapes: Vec<Shape>,
    pub(crate) deviations: DeviationsOf,
    /// Empty: the row is honest.
    pub(crate) expected: Vec<Expected>,
}

/// At the first recording of the first call.
pub(crate) const FIRST: At = At::Recording(0, 0);

impl Row {
    pub(crate) fn new(
        kind: &'static str,
        name: impl Into<String>,
        ways: &'static [Way],
        shapes: &[Shape],
        expected: &[Expected],
        deviations: impl Fn(&[Call]) -> Vec<Deviation> + Send + Sync + 'static,
    ) -> Row {
        Row {
            kind,
            name: name.into(),
            ways,
            shapes: shapes.to_vec(),
            deviations: Box::new(deviations),
            expected: expected.to_vec(),
        }
    }
}

pub(crate) fn change(change: impl Fn(&mut Value) + Send + Sync + 'static) -> Change {
    Arc::new(change)
}

pub(crate) fn afterwards(
    after: impl for<'a> Fn(&'a PlatformRequests) -> BoxFuture<'a, Result<Vec<String>, Failure>>
    + Send
    + Sync
    + 'static,
) -> Deviation {
    Deviation::After(Arc::new(after))
}
