//! What to do about a finding. Where sending a call again heals it, the advice says how; where a person has to act elsewhere, it says so.
//! An advice must never harm: what may be the only copy is never to be removed first.

use crate::defect::Defect;
use crate::finding::Finding;

/// Where a finding is, as far as what can be done there differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Platform {
    /// What is sent again puts right what is there.
    GenesysCloud,
    /// A recording cannot be changed: it has to be deleted and inserted again.
    InteractionRecording,
}

/// How Seatrial sends calls again. Another migrator has a way of its own.
fn again(platform: Platform) -> &'static str {
    match platform {
        Platform::GenesysCloud => "send it again (`seatrial migrate PLAN --redo REPORT/findings.jsonl`, or the migrator that sent it)",
        Platform::InteractionRecording => {
            "send it again (`seatrial migrate PLAN --redo REPORT/findings.jsonl --replace`, which deletes the recording in RWS and inserts it anew, or \
             the migrator that sent it)"
        }
    }
}

/// What to do about this class of damage.
pub(crate) fn of(defect: Defect, platform: Platform) -> String {
    defect.remedy().replace("{again}", again(platform))
}

/// What to do about this finding: its class's advice, unless it is a case that the class's advice does not heal.
pub(crate) fn for_finding(finding: &Finding, platform: Platform) -> String {
    own(finding).map_or_else(|| of(finding.defect, platform), |remedy| remedy.replace("{again}", again(platform)))
}

/// Cases of a class that need something else than the class.
fn own(finding: &Finding) -> Option<&'static str> {
    let field = finding.field.as_str();
    Some(match finding.defect {
        Defect::UploadedTwice if field == "SpeechMiner" => {
            "have SpeechMiner's administrator remove one of the entries; sending again may add another (target.speechminer_repost)"
        }
        Defect::RecordingWithoutConversation if field == "file" => {
            "compare it with the file that its recording has: where that one plays, the store's administrator may delete this one; else {again}"
        }
        Defect::RecordingOnAnotherCall if field == "id of the source" => {
            "remove nothing: correct the id that this conversation and the other carry, or {again}, both calls"
        }
        Defect::KeptTooLong if field == "deletion protection" => {
            "ask whether somebody holds the call in the target; where nobody does, {again}, which lifts the protection"
        }
        Defect::DeletedByPolicy if finding.legacy_interaction_id.is_none() => {
            "have this retention policy changed or disabled at once, before anything else; nothing has to be sent again as long as nothing was deleted"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_advice_says_how_to_send_again_or_who_acts_and_removes_nothing_first() {
        const ELSEWHERE: [Defect; 3] = [Defect::RecordWithoutSource, Defect::UploadedTwice, Defect::SourceIdDamaged];
        for defect in Defect::ALL {
            for platform in [Platform::GenesysCloud, Platform::InteractionRecording] {
                let advice = of(*defect, platform);
                assert_eq!(advice.contains("--redo REPORT/findings.jsonl"), !ELSEWHERE.contains(defect), "{}: {advice}", defect.code());
                assert!(!advice.contains('{'), "{advice}");
                let removes = ["remove", "delete"].iter().filter_map(|word| advice.find(word)).min();
                let guards = ["before", "nothing", "only", "not ", "neither", "once ", "when ", "--redo", "deleted or"];
                let guarded = removes.is_none_or(|at| guards.iter().any(|guard| advice.find(guard).is_some_and(|guard| guard < at + 20)));
                assert!(guarded, "{} has something removed before it is safe: {advice}", defect.code());
            }
        }
    }

    #[test]
    fn a_case_of_its_own_has_an_advice_of_its_own() {
        let twice = Finding::new(Defect::UploadedTwice, "SpeechMiner");
        assert!(for_finding(&twice, Platform::InteractionRecording).contains("administrator"));
        let gone = Finding::new(Defect::MissingRecording, "recording");
        assert!(for_finding(&gone, Platform::InteractionRecording).contains("--replace"));
        assert!(!for_finding(&gone, Platform::GenesysCloud).contains("--replace"));
    }
}
