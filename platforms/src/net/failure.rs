//! What a failed exchange ends a call with, and what may go better when it is tried again.

use http::{StatusCode, header};
use url::Url;

use crate::error::CallError;
use crate::net::answer::Answer;
use crate::net::call::{Call, Repeat};
use crate::net::transport::{Failure, TransportError};

/// Statuses that pass by themselves: a server error, one that gave up waiting for the request (408)
/// or will not yet look at it (425).
pub(super) fn is_passing(status: StatusCode) -> bool {
    status.is_server_error()
        || status == StatusCode::REQUEST_TIMEOUT
        || status == StatusCode::TOO_EARLY
}

/// The error a failed exchange ends a call with; `Err` with the words where another try may go
/// better.
pub(super) fn final_failure(
    what: &str,
    url: &Url,
    error: TransportError,
) -> Result<CallError, String> {
    let (what, why) = (what.to_owned(), error.why);
    match error.kind {
        Failure::NotSent | Failure::Broken => Err(why),
        Failure::Barred => Ok(CallError::NotSent { what, why }),
        Failure::Untrusted => Ok(CallError::Untrusted {
            what,
            host: host(url),
            why,
        }),
        Failure::ClockDiffers => Ok(CallError::ClockDiffers { what, why }),
        Failure::Unusable => Ok(CallError::Malformed { what, why }),
        Failure::Slow => Ok(CallError::Unreachable {
            what,
            why,
            tries: 1,
            answered: Some(200),
        }),
    }
}

/// The same of a body that is passed on as it comes, and not asked for again here.
pub(crate) fn body_failure(what: &str, url: &Url, error: TransportError) -> CallError {
    let cut = |why| CallError::Unreachable {
        what: what.to_owned(),
        why,
        tries: 1,
        answered: Some(200),
    };
    final_failure(what, url, error).unwrap_or_else(cut)
}

/// A redirect of a call that follows none. Whatever it was to do is not done.
pub(super) fn redirected(what: String, call: &Call, answer: &Answer) -> CallError {
    CallError::Redirected {
        what,
        status: answer.status.as_u16(),
        to: leads_to(&call.url, answer),
    }
}

/// Where a redirect leads, without what could be a secret.
pub(super) fn leads_to(from: &Url, answer: &Answer) -> String {
    let location = answer
        .headers
        .get(header::LOCATION)
        .and_then(|value| value.to_str().ok());
    match location.and_then(|location| from.join(location).ok()) {
        Some(to) if to.host().is_some() => {
            format!("to {}://{}{}", to.scheme(), host(&to), to.path())
        }
        _ => "to nowhere it names".to_owned(),
    }
}

/// A success that is none of the call's: who was to change something does not know whether it was.
pub(super) fn not_done(what: String, call: &Call, status: StatusCode) -> CallError {
    let done: Vec<String> = call.done.iter().map(u16::to_string).collect();
    let why = format!(
        "status {} where {} means done",
        status.as_u16(),
        done.join(" or ")
    );
    match call.repeat {
        Repeat::LookFirst => CallError::OutcomeUnknown { what, why },
        Repeat::Safe => CallError::Malformed { what, why },
    }
}

pub(crate) fn parse<T: serde::de::DeserializeOwned>(
    what: &str,
    bytes: &[u8],
) -> Result<T, CallError> {
    serde_json::from_slice(bytes).map_err(|error| CallError::Malformed {
        what: what.to_owned(),
        why: place_of(&error),
    })
}

/// Where and what kind, without serde's own words: they quote values, and a value may be a name or
/// a number.
pub(crate) fn place_of(error: &serde_json::Error) -> String {
    let kind = match error.classify() {
        serde_json::error::Category::Io => "cannot be read",
        serde_json::error::Category::Syntax => "is no JSON",
        serde_json::error::Category::Data => "has a value of a wrong type, or lacks one",
        serde_json::error::Category::Eof => "ends too early",
    };
    format!(
        "the answer {kind} at line {} column {}",
        error.line(),
        error.column()
    )
}

pub(crate) fn uri(url: &Url) -> Result<http::Uri, CallError> {
    url.as_str().parse().map_err(|_| CallError::Malformed {
        what: url.path().to_owned(),
        why: "not a URL that HTTP can carry".to_owned(),
    })
}

/// `host:port`, as a plan lists hosts.
pub(crate) fn host(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        _ => String::new(),
    }
}
