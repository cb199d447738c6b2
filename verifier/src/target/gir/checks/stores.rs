//! What one store of Interaction Recording has and another has not: SpeechMiner against RWS (D14,
//! D03); and what could not be read of them. What SpeechMiner says of a call that it has is in
//! `speechminer.rs`.

use super::super::{CallFacts, Gir, GirExpectation, Posts, Until};
use crate::checks::Comparison;
use crate::defect::Defect;
use crate::expected::{Expectation, Recorded};
use crate::finding::Finding;
use crate::observed::{Field, TargetConversation};

pub(super) fn check(seen: &Comparison<'_>) -> Vec<Finding> {
    let Some(facts) = seen.conversation.platform.get::<CallFacts>() else {
        return Vec::new();
    };
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
pub(super) fn unread(
    site: &Gir,
    expected: &Expectation,
    conversation: &TargetConversation,
) -> Option<String> {
    let facts = conversation.platform.get::<CallFacts>()?;
    let posts = match &facts.posts {
        Posts::Unread(need) => Some(need.clone()),
        Posts::Unused | Posts::Count(_) => None,
    };
    posts
        .or_else(|| hidden_fields(expected, conversation))
        .or_else(|| undeclared(site, expected))
}

/// Fields that the call has and this account is not shown. One that no call has, as the logins of
/// agents whose table has none, is not hidden.
fn hidden_fields(expected: &Expectation, conversation: &TargetConversation) -> Option<String> {
    let agents = || {
        let recordings = expected.recordings.iter();
        recordings.filter_map(|recording| match &recording.agent {
            Recorded::Agent(agent) => Some(agent),
            Recorded::Unsaid | Recorded::Nobody => None,
        })
    };
    let has = |field: &Field| match field {
        Field::Caller | Field::RecordingCaller => expected.ani.is_some(),
        Field::Dialled | Field::RecordingDialled => expected.dnis.is_some(),
        Field::RecordingUser => agents().next().is_some(),
        Field::RecordingLogin => agents().any(|agent| agent.login.is_some()),
        Field::User => !expected.legs.is_empty(),
        Field::UserNumber => expected.legs.iter().any(|leg| leg.login.is_some()),
    };
    conversation
        .withheld
        .iter()
        .any(has)
        .then(|| "an account that privacy settings do not hide fields from".to_owned())
}

/// Without the site's purge rules nobody knows when a call is deleted.
fn undeclared(site: &Gir, expected: &Expectation) -> Option<String> {
    let dated = expected
        .platform
        .get::<GirExpectation>()?
        .keeps
        .iter()
        .any(|keep| matches!(keep.until, Until::Date { .. }));
    let unknown = dated && !expected.hold && site.purge.is_empty();
    unknown.then(|| {
        "the site's purge rules, declared as [[retention.gir_rule]] in the plan, for \
        the date of deletion"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{call_facts, gir_codes, gir_wanted, right, site};
    use super::*;

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
        let need = |actual: &TargetConversation, site: &Gir| {
            unread(site, &expected, actual).unwrap_or_default()
        };
        let mut actual = right(&expected);
        assert_eq!(need(&actual, &site()), "");
        let undeclared = Gir {
            purge: Vec::new(),
            ..site()
        };
        assert!(need(&actual, &undeclared).contains("retention.gir_rule"));
        actual.withheld = [Field::RecordingUser].into();
        assert!(need(&actual, &site()).contains("privacy settings"));
        let mut without_logins = expected.clone();
        for leg in &mut without_logins.legs {
            leg.login = None;
        }
        for recording in &mut without_logins.recordings {
            if let Recorded::Agent(agent) = &mut recording.agent {
                agent.login = None;
            }
        }
        for field in [Field::RecordingLogin, Field::UserNumber] {
            actual.withheld = [field].into();
            assert!(need(&actual, &site()).contains("privacy settings"));
            assert_eq!(
                unread(&site(), &without_logins, &actual),
                None,
                "{field:?} is not there to be hidden"
            );
        }
        call_facts(&mut actual).posts = Posts::Unread("an export".into());
        assert_eq!(need(&actual, &site()), "an export");
        let mut held = expected.clone();
        held.hold = true;
        assert_eq!(
            unread(&undeclared, &held, &right(&held)),
            None,
            "what is held is deleted by no rule"
        );
    }
}
