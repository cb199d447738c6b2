//! A row of the table: who did what, by which ways in, and what a verifier has to say of it.

use std::sync::Arc;

use audio::Pcm;
use futures_util::future::BoxFuture;
use serde_json::Value;

use super::hands::Hands;
use super::rim::{Change, Relist};
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
/// What is done with the platforms' own requests once the migration is through; ids of what was made there.
pub(crate) type After = Arc<dyn for<'a> Fn(&'a Hands) -> BoxFuture<'a, Result<Vec<String>, Failure>> + Send + Sync>;

/// Something done otherwise, to a call or a recording of it, by their places in the row.
pub(crate) enum Deed {
    /// The source's word of a call is misread.
    Call(usize, Change),
    /// Its word of a recording is.
    Recording(usize, usize, Change),
    /// Its list is.
    List(Relist),
    /// Another file goes: `in.wav` through these samples, then this shell line.
    Sound {
        call: usize,
        recording: usize,
        samples: Option<Samples>,
        line: String,
    },
    /// Another recording's sound goes, by the same line.
    SoundOf {
        call: usize,
        recording: usize,
        of: (usize, usize),
        line: String,
    },
    /// What is written by the guide, by events, to RWS or to SpeechMiner is otherwise.
    Guide(usize, Change),
    Events(usize, Change),
    Rws(usize, Change),
    SpeechMiner(usize, Change),
    /// Done afterwards.
    After(After),
}

/// Where a finding has to stand.
#[derive(Clone, Copy, Debug)]
pub(crate) enum At {
    Call(usize),
    Recording(usize, usize),
    /// At no record of the source: by what stands in the target.
    Nobody,
}

/// What is done to a row's calls.
pub(crate) type Deeds = Box<dyn Fn(&[Call]) -> Vec<Deed> + Send + Sync>;
/// Classes one of which is right, and where.
pub(crate) type Expected = (&'static str, At);

pub(crate) struct Row {
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    pub(crate) ways: &'static [Way],
    pub(crate) shapes: Vec<Shape>,
    pub(crate) deeds: Deeds,
    /// Nothing: the row is honest.
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
        deeds: impl Fn(&[Call]) -> Vec<Deed> + Send + Sync + 'static,
    ) -> Row {
        Row { kind, name: name.into(), ways, shapes: shapes.to_vec(), deeds: Box::new(deeds), expected: expected.to_vec() }
    }
}

pub(crate) fn change(change: impl Fn(&mut Value) + Send + Sync + 'static) -> Change {
    Arc::new(change)
}

pub(crate) fn after_deed(after: impl for<'a> Fn(&'a Hands) -> BoxFuture<'a, Result<Vec<String>, Failure>> + Send + Sync + 'static) -> Deed {
    Deed::After(Arc::new(after))
}
