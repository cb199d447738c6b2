//! Commands that show a finding again. `PLAN` and `REPORT` stand for the plan and the report's
//! folder, `CUSTODY` for the chain of custody.

use crate::defect::Defect;
use crate::finding::Finding;
use crate::habits::LEG_OF_WRAP_UP;

/// Before an id that is a call's, whatever else it looks like: a file of ids, or a class.
pub(crate) const ONE_CALL: &str = "call:";

/// The command that prints what a report says of a record.
pub(crate) fn from_report(id: &str) -> String {
    format!("seatrial verify PLAN --report REPORT --call={}", word(id))
}

/// What shows a finding again: its call is verified anew; of a record without a call in the source,
/// the request that shows it, where its platform has one, or what the report says.
pub(crate) fn again(finding: &Finding, request: Option<String>) -> String {
    match (&finding.legacy_interaction_id, request, &finding.target_id) {
        // Which leg is right only the other calls tell.
        (Some(call), ..) if finding.field == LEG_OF_WRAP_UP => from_report(call),
        (Some(call), ..) => {
            let calls = std::iter::once(call).chain(&finding.with_calls);
            let only: Vec<String> = calls
                .map(|call| format!("--only={}", word(&format!("{ONE_CALL}{call}"))))
                .collect();
            let custody = match finding.defect {
                Defect::LedgerSaysFailed | Defect::VersionChanged => " --custody CUSTODY",
                _ => "",
            };
            format!(
                "seatrial verify PLAN --report REPORT {}{custody}",
                only.join(" ")
            )
        }
        (None, Some(request), _) => request,
        (None, None, id) => from_report(id.as_deref().unwrap_or_default()),
    }
}

/// An id as one word of a shell: it comes from a platform, and nothing of it may run.
fn word(id: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/".contains(&byte);
    if !id.is_empty() && id.bytes().all(is_plain) {
        id.to_owned()
    } else {
        format!("'{}'", id.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_verified_again_and_what_has_none_is_asked_for() {
        let finding = Finding::new(Defect::AudioSilent, "audio")
            .of("7")
            .target("t");
        assert_eq!(
            again(&finding, None),
            "seatrial verify PLAN --report REPORT --only=call:7"
        );
        let finding = finding.with_call("8");
        assert!(again(&finding, None).ends_with("--only=call:7 --only=call:8"));
        let finding = Finding::new(Defect::RecordWithoutSource, "conversation").target("t");
        assert_eq!(again(&finding, Some("GET /t".to_owned())), "GET /t");
        assert_eq!(
            again(&finding, None),
            "seatrial verify PLAN --report REPORT --call=t"
        );
        let finding = Finding::new(Defect::AudioSilent, "audio").of("a'; rm b");
        assert!(again(&finding, None).ends_with(r"--only='call:a'\''; rm b'"));
    }
}
