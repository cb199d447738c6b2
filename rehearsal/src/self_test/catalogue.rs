//! Every class of defect by every way into a target: how it is planted, or why it is not.

use verifier::Defect;

use super::Status;
use crate::forecast::Surface;

/// A class with what is done by each way.
pub(super) struct Class {
    pub(super) code: &'static str,
    /// In the order of [`Surface::ALL`].
    by: [How; 3],
}

/// How a class is planted by a way.
#[derive(Clone, Copy)]
pub(super) enum How {
    /// In single calls of the target, beside other classes.
    InCalls,
    /// In many calls: they have it in common, and sound tells nothing of it.
    Pattern,
    /// In what a site exports instead of being read.
    InExports,
    /// In what the migrator staged.
    InStaging,
    /// In the migrator's log.
    InCustody,
    /// In the target, once it has been verified.
    AfterVerification,
    /// The same, in calls of one agent each.
    PatternOfDay,
    /// In calls at a change of clocks.
    AtClockChange,
    /// Calls that the source lists only once the migration has ended.
    ListedLate,
    /// Calls that the source has no longer when it is verified.
    ErasedInSource,
    /// Not planted.
    Declared(Declared),
}

impl How {
    /// Planted by itself, in the world that has calls of every kind.
    pub(super) fn is_in_the_main_world(self) -> bool {
        matches!(
            self,
            How::Pattern
                | How::InExports
                | How::InStaging
                | How::InCustody
                | How::AfterVerification
        )
    }

    /// Planted by itself, in the world of one day.
    pub(super) fn is_in_the_day_world(self) -> bool {
        matches!(
            self,
            How::PatternOfDay | How::AtClockChange | How::ListedLate | How::ErasedInSource
        )
    }
}

/// Why a class is not planted by a way.
#[derive(Debug, Clone, Copy)]
pub enum Declared {
    /// It cannot exist there.
    CannotExist(&'static str),
    /// Nothing that a reader may read shows it.
    NoReaderCanTell(&'static str),
}

impl Declared {
    pub(super) fn status(self) -> Status {
        match self {
            Declared::CannotExist(_) => Status::CannotExist,
            Declared::NoReaderCanTell(_) => Status::NoReaderCanTell,
        }
    }

    pub(super) fn reason(self) -> &'static str {
        match self {
            Declared::CannotExist(reason) | Declared::NoReaderCanTell(reason) => reason,
        }
    }
}

impl Class {
    pub(super) fn how(&self, way: Surface) -> How {
        self.by[way as usize]
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

impl Class {
    /// The class its finding has.
    pub(super) fn named(&self) -> &'static str {
        self.stands_as().unwrap_or(self.code)
    }

    /// A class that may be named beside it at the same record.
    pub(super) fn beside(&self) -> Option<&'static str> {
        // Of two recordings with one's times either may be taken for it.
        (self.code == "P3").then_some("D28")
    }

    /// The class the simulator plants for it.
    pub(super) fn planted_as(&self) -> &'static str {
        match self.code {
            "P1" => "D01",
            code => code,
        }
    }
}

/// Every code of the catalogue.
pub fn class_codes() -> impl Iterator<Item = &'static str> {
    CLASSES.iter().map(|class| class.code)
}

/// Classes the verifier reports under another code. Source: docs/reference/defects.md.
const STANDS_AS: &[(&str, &str)] = &[
    ("D07", "D01"),
    ("D09", "D02"),
    ("P1", "D01"),
    ("P3", "D03"),
    ("P4", "cannot tell"),
    ("P6", "a change"),
];

const OWN_TITLES: &[(&str, &str)] = &[
    ("D07", "call recorded during the extraction was skipped"),
    ("D09", "call was erased in the source and is in the target"),
    ("P1", "migrator says done, target has nothing"),
    ("P3", "written twice with different content"),
    ("P4", "staged original was altered after hashing"),
    ("P6", "target changed after the verification"),
];

const fn all(how: How) -> [How; 3] {
    [how, how, how]
}

const fn class(code: &'static str, by: [How; 3]) -> Class {
    Class { code, by }
}

use How::{
    AfterVerification, AtClockChange, ErasedInSource, InCalls, InCustody, InExports, InStaging,
    ListedLate, Pattern, PatternOfDay,
};

const fn cannot(reason: &'static str) -> How {
    How::Declared(Declared::CannotExist(reason))
}

const fn untold(reason: &'static str) -> How {
    How::Declared(Declared::NoReaderCanTell(reason))
}

const ONE_STORE: How = cannot("Genesys Cloud keeps metadata in one store, not in two");
const NO_UPLOAD: How = cannot("a PUT to the WebDAV store has ended when it is answered");
const NO_STATED_LENGTH: How = untold(
    "the public API shows length and size only of the file that the platform makes when it is read; \
     what a migrator declared it does not show",
);
const TIMES_ARE_INSTANTS: How =
    cannot("the API keeps instants: a text that is none is refused when it is sent");
const NO_ACCESS_GROUPS: How =
    cannot("neither surface takes a division: a call stands in that of its queue (D50)");
const ONE_REGION: How = cannot("an organisation is in one region, whose address the plan names");
const NO_POLICIES: How =
    untold("RWS lists no purge rules; those that the plan declares are judged as D55 and D56");
/// In the order of codes.
pub(super) static CLASSES: [Class; 70] = [
    class("D01", all(InCalls)),
    class("D02", all(InCalls)),
    class("D03", all(InCalls)),
    class("D04", all(InCalls)),
    class("D05", all(InCalls)),
    class("D06", all(Pattern)),
    class("D07", all(ListedLate)),
    class("D08", all(Pattern)),
    class("D09", all(ErasedInSource)),
    class("D10", all(InCalls)),
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
    class("D27", all(InCalls)),
    class("D28", all(InCalls)),
    class("D29", all(InCalls)),
    class("D30", all(InCalls)),
    class("D31", all(InCalls)),
    class("D32", all(InCalls)),
    class("D33", all(InCalls)),
    class("D34", [NO_STATED_LENGTH, NO_STATED_LENGTH, InCalls]),
    class("D35", all(InCalls)),
    class("D36", all(InCalls)),
    class("D37", all(AtClockChange)),
    class("D38", all(InCalls)),
    class("D39", all(InCalls)),
    class("D40", all(InCalls)),
    class("D41", all(InCalls)),
    class("D42", all(InCalls)),
    class("D43", all(InCalls)),
    class("D44", [TIMES_ARE_INSTANTS, TIMES_ARE_INSTANTS, InExports]),
    class("D45", all(InCalls)),
    class("D46", all(InCalls)),
    class("D47", all(PatternOfDay)),
    class("D48", all(InCalls)),
    class("D49", all(InCalls)),
    class("D50", all(InCalls)),
    class("D51", all(InCalls)),
    class("D52", all(InCalls)),
    class("D53", [NO_ACCESS_GROUPS, NO_ACCESS_GROUPS, InCalls]),
    class("D54", [ONE_REGION, ONE_REGION, InCalls]),
    class("D55", all(InCalls)),
    class("D56", all(InCalls)),
    class("D57", all(InCalls)),
    class("D58", [InCalls, InCalls, NO_POLICIES]),
    class("D59", all(InCalls)),
    class("D60", all(InCalls)),
    class("D61", all(InCalls)),
    class("D62", all(InCalls)),
    class("D63", all(InCalls)),
    class("D64", all(InCalls)),
    class("P1", all(InCalls)),
    class("P2", all(InCustody)),
    class("P3", all(InCalls)),
    class("P4", all(InStaging)),
    class("P5", all(InCustody)),
    class("P6", all(AfterVerification)),
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
            for way in Surface::ALL {
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
