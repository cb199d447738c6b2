//! What could not be read, and what would be needed.

use platforms::CallError;

use crate::requests::Operation;

/// What it takes to read what this operation tells; `None` where the error is not about one answer
/// but about the whole target: nobody answers, or the credentials are refused.
pub(super) fn need(operation: &Operation, error: &CallError) -> Option<String> {
    match error {
        CallError::Refused { status: 403, .. } if operation.account.is_some() => Some(format!(
            "an account that may read {}: {} is refused",
            operation.tells,
            operation.account.unwrap_or_default()
        )),
        CallError::Refused {
            status: 403,
            message,
            ..
        } => {
            let mut rights: Vec<String> = operation
                .permission
                .map(str::to_owned)
                .into_iter()
                .collect();
            rights.extend(
                named(message)
                    .filter(|right| operation.permission != Some(right))
                    .map(str::to_owned),
            );
            if rights.is_empty() {
                rights.extend(operation.scope.map(|scope| format!("with scope {scope}")));
            }
            Some(format!(
                "permission {} for {}",
                rights.join(" and "),
                operation.tells
            ))
        }
        CallError::Refused { status, code, .. } => Some(format!(
            "an answer to {} {} other than {status} {code}, for {}",
            operation.method,
            operation.path(),
            operation.tells
        )),
        // Without a token nothing can be read.
        CallError::Redirected { what, .. } if what.ends_with("/oauth/token") => None,
        CallError::Redirected { status, .. } | CallError::NotReady { status, .. } => Some(format!(
            "an answer to {} {} other than {status}, for {}",
            operation.method,
            operation.path(),
            operation.tells
        )),
        CallError::Malformed { .. } => Some(format!(
            "an answer to {} {} that this version can read, for {}",
            operation.method,
            operation.path(),
            operation.tells
        )),
        CallError::Unreachable { .. }
        | CallError::Unauthorized { .. }
        | CallError::OutcomeUnknown { .. }
        | CallError::NotSent { .. }
        | CallError::WaitTooLong { .. }
        | CallError::Untrusted { .. }
        | CallError::ClockDiffers { .. }
        | CallError::HostNotAllowed { .. } => None,
    }
}

/// Permissions and scopes that a refusal names: `domain:entity:action`, `domain:readonly`. Nothing
/// else of it is repeated.
fn named(message: &str) -> impl Iterator<Item = &str> {
    let words = message
        .split(|c: char| c.is_whitespace() || "[],;()\"'".contains(c))
        .map(|word| word.trim_end_matches('.'));
    words.filter(|word| {
        let parts: Vec<&str> = word.split(':').collect();
        (2..=3).contains(&parts.len())
            && parts.iter().all(|part| {
                part.starts_with(|c: char| c.is_ascii_alphabetic())
                    && part.chars().all(|c| c.is_ascii_alphabetic() || c == '-')
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::genesys_cloud::OPERATIONS;

    fn need(name: &str, error: &CallError) -> Option<String> {
        super::need(Operation::named(OPERATIONS, name), error)
    }

    fn refused(status: u16, message: &str) -> CallError {
        CallError::Refused {
            what: "GET /x/1".into(),
            status,
            code: "c".into(),
            message: message.into(),
            entity_id: None,
            field: None,
        }
    }

    #[test]
    fn a_refusal_leads_to_what_is_needed() {
        let rows = [
            (
                "list_recordings",
                refused(
                    403,
                    "You are missing the following permission(s): recording:recording:view",
                ),
                "permission recording:recording:view for a call's recordings with their times, \
                 dates and pauses",
            ),
            (
                "create_details_job",
                refused(403, "missing [analytics:call:read]."),
                "permission analytics:conversationDetail:view and analytics:call:read for which \
                 calls are there, those without recordings, skills",
            ),
            (
                "query_deletionprotection",
                refused(403, "not for +1:555:0100 at 10:15:20"),
                "permission with scope recordings:readonly for deletion protection, for calls \
                 under legal hold",
            ),
            (
                "get_conversation",
                refused(410, "gone"),
                "an answer to GET /api/v2/conversations/{} other than 410 c, for calls that \
                 analytics does not show",
            ),
        ];
        for (name, error, wanted) in rows {
            assert_eq!(need(name, &error).as_deref(), Some(wanted));
        }
        let away = CallError::Unreachable {
            what: String::new(),
            why: String::new(),
            tries: 8,
            answered: None,
        };
        assert_eq!(
            need("get_conversation", &away),
            None,
            "nobody answers: no verdict rather than a guess"
        );
    }
}
