//! Why no verifier could find some mutants. A missed mutant without a reason fails the proof.

/// A missed mutant, known by its text.
pub(super) struct Reason {
    pub(super) file: &'static str,
    /// What stands there, as the page shows it.
    pub(super) what: &'static str,
    pub(super) instead: &'static str,
    /// Of several places with the same text, counted from 1; 0 means each.
    pub(super) occurrence: u32,
    pub(super) why: &'static str,
}

const FILE_NAME: &str = "only the name under which a file is uploaded differs; no request of Genesys \
    Cloud shows that name again, and the recording is linked by the file's id (two recordings of \
    the same bytes would share one file; no call here has such a pair)";

pub(super) const REASONS: &[Reason] = &[
    Reason {
        file: "audio/src/ima.rs",
        what: "0",
        instead: "1",
        occurrence: 6,
        why: "each block of samples is shifted by less than a hundredth of full scale, each by \
            another amount: noise as a lossy codec makes it, which the check of sound has to let \
            pass",
    },
    Reason {
        file: "migrator/src/target/genesys_cloud/guide/requests.rs",
        what: "! matches ! (c , '/' | '\\\\')",
        instead: "matches ! (c , '/' | '\\\\')",
        occurrence: 0,
        why: FILE_NAME,
    },
    Reason {
        file: "migrator/src/upload_source.rs",
        what: "12",
        instead: "13",
        occurrence: 0,
        why: FILE_NAME,
    },
];
