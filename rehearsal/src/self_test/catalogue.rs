//! Every class of defect by every way into a target: how it is planted, or why it is not.

use verifier::Defect;

use super::Status;
use crate::forecast::Surface;

/// The ways, in the order of a class's row.
pub(super) const WAYS: [Surface; 3] = [Surface::Guide, Surface::Public, Surface::Gir];

/// A class with what is done by each way.
pub(super) struct Class {
    pub(super) code: &'static str,
    by: [How; 3],
}

/// How a class is planted by a way.
#[derive(Clone, Copy)]
pub(super) enum How {
    /// In single calls of the target, beside other classes.
    InCalls,
    /// In single calls; one, where a world has few that can take it.
    InOneCall,
    /// In the target, with no other class beside it.
    Alone,
    /// Calls that the source lists only once the migration has ended.
    ListedLate,
    /// Calls that the source has no longer when it is verified.
    ErasedInSource,
    /// Not planted.
    Declared(Declared),
}

/// Why a class is not planted by a way.
#[derive(Debug, Clone, Copy)]
pub enum Declared {
    /// It cannot exist there.
    CannotExist(&'static str),
    /// Nothing that a reader may read shows it.
    NoReaderCanTell(&'static str),
    /// It could be found, and is not.
    NotBuilt(&'static str),
}

impl Declared {
    pub(super) fn status(self) -> Status {
        match self {
            Declared::CannotExist(_) => Status::CannotExist,
            Declared::NoReaderCanTell(_) => Status::NoReaderCanTell,
            Declared::NotBuilt(_) => Status::NotBuilt,
        }
    }

    pub(super) fn reason(self) -> &'static str {
        match self {
            Declared::CannotExist(reason)
            | Declared::NoReaderCanTell(reason)
            | Declared::NotBuilt(reason) => reason,
        }
    }
}

impl Class {
    pub(super) fn how(&self, way: Surface) -> How {
        let [guide, public, gir] = self.by;
        match way {
            Surface::Guide => guide,
            Surface::Public => public,
            Surface::Gir => gir,
        }
    }

    /// In plain words.
    pub(super) fn title(&self) -> &'static str {
        let own = OWN_TITLES.iter().find(|(code, _)| *code == self.code);
        let known = || {
            let mut all = Defect::ALL.iter();
            all.find(|defect| defect.code() == self.code)
                .map_or("", |defect| defect.title())
        };
        own.map_or_else(known, |(_, title)| title)
    }

    /// The class a finding of it has, where that is another.
    pub(super) fn stands_as(&self) -> Option<&'static str> {
        STANDS_AS
            .iter()
            .find(|(code, _)| *code == self.code)
            .map(|(_, other)| *other)
    }
}

/// Every code of the catalogue.
pub fn class_codes() -> impl Iterator<Item = &'static str> {
    CLASSES.iter().map(|class| class.code)
}

/// Classes the verifier reports under another code. Source: docs/reference/defects.md.
const STANDS_AS: &[(&str, &str)] = &[("D07", "D01"), ("D09", "D02"), ("P1", "D01")];

const OWN_TITLES: &[(&str, &str)] = &[
    ("D07", "call recorded during the extraction was skipped"),
    ("D09", "call was erased in the source and is in the target"),
    ("P1", "migrator says done, target has nothing"),
    ("P2", "target has it, ledger says failed"),
    ("P3", "written twice with different content"),
    ("P4", "staged original was altered after hashing"),
    ("P5", "tool or mapping changed during the migration"),
    ("P6", "target changed after the verification"),
];

const fn all(how: How) -> [How; 3] {
    [how, how, how]
}

const fn class(code: &'static str, by: [How; 3]) -> Class {
    Class { code, by }
}

use How::{Alone, ErasedInSource, InCalls, InOneCall, ListedLate};

const fn cannot(reason: &'static str) -> How {
    How::Declared(Declared::CannotExist(reason))
}

const fn untold(reason: &'static str) -> How {
    How::Declared(Declared::NoReaderCanTell(reason))
}

const fn unbuilt(reason: &'static str) -> How {
    How::Declared(Declared::NotBuilt(reason))
}

const ONE_STORE: How = cannot("Genesys Cloud has one store; RWS and SpeechMiner are GIR's");
const NO_UPLOAD: How = cannot("a PUT to the WebDAV store has ended when it is answered");
const NO_STATED_LENGTH: How = untold("the public API shows neither length nor size of a file");
const TODO: How = unbuilt("not yet");

/// In the order of codes.
pub(super) static CLASSES: [Class; 70] = [
    class("D01", all(InCalls)),
    class("D02", all(InCalls)),
    class("D03", all(InCalls)),
    class("D04", all(InCalls)),
    class("D05", [InCalls, InCalls, TODO]),
    class("D06", all(TODO)),
    class("D07", all(TODO)),
    class("D08", all(TODO)),
    class("D09", all(TODO)),
    class("D10", [TODO, TODO, InCalls]),
    class("D11", all(InCalls)),
    class("D12", [InCalls, InCalls, NO_UPLOAD]),
    class("D13", all(InCalls)),
    class("D14", [ONE_STORE, ONE_STORE, InCalls]),
    class("D15", all(InCalls)),
    class("D16", all(InCalls)),
    class("D17", all(InCalls)),
    class("D18", all(InCalls)),
    class("D19", all(InCalls)),
    class("D20", all(InCalls)),
    class("D21", all(InCalls)),
    class("D22", all(InCalls)),
    class("D23", all(InCalls)),
    class("D24", all(InCalls)),
    class("D25", all(InCalls)),
    class("D26", all(InCalls)),
    class("D27", all(TODO)),
    class("D28", all(InCalls)),
    class("D29", all(InCalls)),
    class("D30", all(InCalls)),
    class("D31", all(InCalls)),
    class("D32", all(InCalls)),
    class("D33", [InCalls, InCalls, TODO]),
    class("D34", [NO_STATED_LENGTH, NO_STATED_LENGTH, InCalls]),
    class("D35", all(InCalls)),
    class("D36", all(InCalls)),
    class("D37", all(TODO)),
    class("D38", all(InCalls)),
    class("D39", all(InCalls)),
    class("D40", all(InCalls)),
    class("D41", all(TODO)),
    class("D42", all(InCalls)),
    class("D43", [InCalls, InCalls, TODO]),
    class("D44", all(TODO)),
    class("D45", all(InCalls)),
    class("D46", all(InCalls)),
    class("D47", all(TODO)),
    class("D48", [TODO, TODO, InCalls]),
    class("D49", all(InCalls)),
    class("D50", all(InCalls)),
    class("D51", all(InCalls)),
    class("D52", all(InCalls)),
    class("D53", [TODO, TODO, InCalls]),
    class("D54", [TODO, TODO, InCalls]),
    class("D55", all(InCalls)),
    class("D56", all(InCalls)),
    class("D57", all(InCalls)),
    class("D58", [InCalls, InCalls, TODO]),
    class("D59", all(InCalls)),
    class("D60", all(InCalls)),
    class("D61", all(InCalls)),
    class("D62", all(InCalls)),
    class("D63", all(TODO)),
    class("D64", all(InCalls)),
    class("P1", all(TODO)),
    class("P2", all(TODO)),
    class("P3", all(TODO)),
    class("P4", all(TODO)),
    class("P5", all(TODO)),
    class("P6", all(TODO)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_is_planted_or_declared_by_every_way() {
        let wanted: Vec<String> = (1..=64)
            .map(|number| format!("D{number:02}"))
            .chain((1..=6).map(|number| format!("P{number}")))
            .collect();
        assert_eq!(class_codes().collect::<Vec<_>>(), wanted);
        for class in &CLASSES {
            assert!(!class.title().is_empty(), "{}", class.code);
            for way in WAYS {
                if let How::Declared(declared) = class.how(way) {
                    assert!(
                        !declared.reason().is_empty(),
                        "{} {}",
                        class.code,
                        way.name()
                    );
                }
            }
        }
    }

    #[test]
    fn what_the_verifier_reports_stands_here_under_its_own_code() {
        for defect in Defect::ALL {
            let class = CLASSES.iter().find(|class| class.code == defect.code());
            assert!(
                class.is_some_and(|class| class.stands_as().is_none()),
                "{defect}"
            );
        }
    }
}
