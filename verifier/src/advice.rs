//! What to do about a finding. Where sending a call again heals it, the advice says how; where a
//! person has to act elsewhere, it says so. An advice must never harm: what may be the only copy is
//! never to be removed first.

use crate::defect::Defect;
use crate::finding::Finding;

/// What to do about this finding: its class's advice, unless it is a case that the class's advice
/// does not heal. `again`: how a call is sent again.
pub(crate) fn for_finding(finding: &Finding, again: &str) -> String {
    own(finding)
        .unwrap_or_else(|| finding.defect.remedy())
        .replace("{again}", again)
}

/// Cases of a class that need something else than the class.
fn own(finding: &Finding) -> Option<&'static str> {
    let field = finding.field.as_str();
    Some(match finding.defect {
        Defect::UploadedTwice if field == "SpeechMiner" => {
            "have SpeechMiner's administrator remove one of the entries; sending again may add \
             another (target.speechminer_repost)"
        }
        Defect::RecordingWithoutConversation if field == "file" => {
            "compare it with the file that its recording has: where that one plays, the store's \
             administrator may delete this one; else {again}"
        }
        Defect::RecordingOnAnotherCall if field == "id of the source" => {
            "remove nothing: correct the id that this conversation and the other carry, or \
             {again}, both calls"
        }
        Defect::DeletionDateMissingOrEarly | Defect::KeptTooLong | Defect::AttributeWrong
            if ["date of deletion", "retention label"].contains(&field) =>
        {
            "where the recording has one retention label too many, ask the administrator of RWS to \
             remove it (DELETE /api/v2/recordings/RECORDING/labels/LABEL), Seatrial does not remove \
             labels; where its own is missing, {again}"
        }
        Defect::KeptTooLong if field == "deletion protection" => {
            "ask whether somebody holds the call in the target; where nobody does, {again}, which \
             lifts the protection"
        }
        Defect::DeletedByPolicy if finding.legacy_interaction_id.is_none() => {
            "have this retention policy changed or disabled at once, before anything else; nothing \
             has to be sent again as long as nothing was deleted"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::PLATFORM;
    use crate::target::Platform;
    use crate::target::gir::testing::SITE;

    const PLATFORMS: [&dyn Platform; 2] = [PLATFORM, &SITE];

    #[test]
    fn each_advice_says_how_to_send_again_or_who_acts_and_removes_nothing_first() {
        const ELSEWHERE: [Defect; 3] = [
            Defect::RecordWithoutSource,
            Defect::UploadedTwice,
            Defect::SourceIdDamaged,
        ];
        for defect in Defect::ALL {
            for platform in PLATFORMS {
                let advice = for_finding(
                    &Finding::new(*defect, "").of("1"),
                    platform.how_to_send_again(),
                );
                assert_eq!(
                    advice.contains("--redo REPORT/findings.jsonl"),
                    !ELSEWHERE.contains(defect),
                    "{}: {advice}",
                    defect.code()
                );
                assert!(!advice.contains('{'), "{advice}");
                let removes = ["remove", "delete"]
                    .iter()
                    .filter_map(|word| advice.find(word))
                    .min();
                let guards = [
                    "before",
                    "nothing",
                    "only",
                    "not ",
                    "neither",
                    "once ",
                    "when ",
                    "--redo",
                    "deleted or",
                ];
                let guarded = removes.is_none_or(|at| {
                    guards
                        .iter()
                        .any(|guard| advice.find(guard).is_some_and(|guard| guard < at + 20))
                });
                assert!(
                    guarded,
                    "{} has something removed before it is safe: {advice}",
                    defect.code()
                );
            }
        }
    }

    #[test]
    fn a_case_of_its_own_has_an_advice_of_its_own() {
        let [genesys_cloud, gir] = PLATFORMS.map(Platform::how_to_send_again);
        let twice = Finding::new(Defect::UploadedTwice, "SpeechMiner");
        assert!(for_finding(&twice, gir).contains("administrator"));
        let gone = Finding::new(Defect::MissingRecording, "recording");
        assert!(for_finding(&gone, gir).contains("--replace"));
        assert!(!for_finding(&gone, genesys_cloud).contains("--replace"));
    }
}
