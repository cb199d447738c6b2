//! What one store of Interaction Recording has and another has not: SpeechMiner against RWS (D14, D03); and what could not be read of them. What
//! SpeechMiner says of a call that it has is in `speechminer.rs`.

use super::Seen;
use crate::defect::Defect;
use crate::expected::{Expectation, Rules, Until};
use crate::finding::Finding;
use crate::target::TargetConversation;
use crate::target::gir::{CallFacts, Field, Posts};

pub(super) fn check(seen: &Seen<'_>) -> Vec<Finding> {
    let Some(facts) = &seen.conversation.gir else { return Vec::new() };
    match &facts.posts {
        Posts::Unused | Posts::Unread(_) | Posts::Count(1) => Vec::new(),
        Posts::Count(0) => {
            vec![
                seen.finding(Defect::MissingInOneStore, "SpeechMiner")
                    .expected("present")
                    .actual("absent")
                    .because("not posted to SpeechMiner"),
            ]
        }
        Posts::Count(count) => {
            vec![
                seen.finding(Defect::UploadedTwice, "SpeechMiner")
                    .expected("once")
                    .actual(format!("{count} times"))
                    .because("posted more than once"),
            ]
        }
    }
}

/// What would be needed to judge the rest of a call; `None`: nothing.
pub(super) fn unread(expected: &Expectation, conversation: &TargetConversation, rules: &Rules) -> Option<String> {
    let facts = conversation.gir.as_ref()?;
    let posts = match &facts.posts {
        Posts::Unread(need) => Some(need.clone()),
        Posts::Unused | Posts::Count(_) => None,
    };
    posts.or_else(|| hidden_fields(expected, facts)).or_else(|| undeclared(expected, rules))
}

/// Fields that the call has and this account is not shown.
fn hidden_fields(expected: &Expectation, facts: &CallFacts) -> Option<String> {
    let has = |field: &Field| match field {
        Field::Caller | Field::Ani => expected.ani.is_some(),
        Field::Dialled | Field::Dnis => expected.dnis.is_some(),
        Field::Username | Field::Login | Field::UserName | Field::UserNumber => !expected.legs.is_empty(),
    };
    facts.withheld.iter().any(has).then(|| "an account that privacy settings do not hide fields from".to_owned())
}

/// Without the site's purge rules nobody knows when a call is deleted.
fn undeclared(expected: &Expectation, rules: &Rules) -> Option<String> {
    let dated = expected.gir.as_ref()?.keeps.iter().any(|keep| matches!(keep.until, Until::Date { .. }));
    let unknown = dated && !expected.hold && rules.gir.as_ref()?.purge.is_empty();
    unknown.then(|| "the site's purge rules, declared as [[retention.gir_rule]] in the plan, for the date of deletion".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::testing::{call_facts, gir_codes, gir_wanted, right};
    use crate::expected::testing::gir_rules;

    #[test]
    fn a_call_stands_in_speechminer_once() {
        let expected = gir_wanted();
        let rows = [
            (Posts::Count(1), &[][..]),
            (Posts::Count(0), &["D14"]),
            (Posts::Count(2), &["D03"]),
            (Posts::Unused, &[]),
            (Posts::Unread("x".into()), &[]),
        ];
        for (posts, wanted) in rows {
            let mut actual = right(&expected);
            call_facts(&mut actual).posts = posts.clone();
            assert_eq!(gir_codes(&expected, &actual), wanted, "{posts:?}");
        }
    }

    #[test]
    fn what_could_not_be_read_is_named() {
        let expected = gir_wanted();
        let need = |actual: &TargetConversation, rules: &Rules| unread(&expected, actual, rules).unwrap_or_default();
        let mut actual = right(&expected);
        assert_eq!(need(&actual, &gir_rules()), "");
        let mut undeclared = gir_rules();
        undeclared.gir.as_mut().expect("rules").purge.clear();
        assert!(need(&actual, &undeclared).contains("retention.gir_rule"));
        call_facts(&mut actual).withheld = [Field::Username].into();
        assert!(need(&actual, &gir_rules()).contains("privacy settings"));
        call_facts(&mut actual).posts = Posts::Unread("an export".into());
        assert_eq!(need(&actual, &gir_rules()), "an export");
        let mut held = expected.clone();
        held.hold = true;
        assert_eq!(unread(&held, &right(&held), &undeclared), None, "what is held is deleted by no rule");
    }
}
