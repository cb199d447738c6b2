//! Faults of requests, and of what platforms do by themselves: a row a kind, with what it does to a
//! request.

use super::delivery;
use super::strike::{After, Before, ItemFault, NOTHING, Refusal, Strike};
use super::table::{Knob, Layer, MS, Row};
use crate::outcome::Outcome::{Left, Survivable};
use crate::world::DomainKind;

const STATUS: Knob = Knob {
    name: "status",
    unit: "500, 502, 503 or 504",
    default: "503",
    allowed: &[500, 502, 503, 504],
};
const REFUSAL: Knob = Knob {
    name: "status",
    unit: "400, 403, 404, 409, 413 or 415",
    default: "400",
    allowed: &[400, 403, 404, 409, 413, 415],
};
const RETRY_AFTER_S: Knob = Knob {
    name: "retry_after_s",
    unit: "whole seconds",
    default: "absent: the header is left out",
    allowed: &[],
};

/// Jobs of Genesys Cloud that run by themselves.
const JOBS: &[&str] = &[
    "genesys_cloud.run_analytics_job",
    "genesys_cloud.run_batch_download",
    "genesys_cloud.run_upload_report",
    "genesys_cloud.run_recording_job",
];

macro_rules! requests {
    ($($kind:ident = $name:literal in $layer:ident $knobs:expr, $(on $on:expr,)? $effect:literal => $outcome:expr $(, $point:ident: $does:expr)*;)*) => {
        /// What goes wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FaultKind {
            $(#[doc = $effect] $kind,)*
            /// The source's own data is wrong.
            Domain(DomainKind),
        }

        /// Its rows, but for those of the source's data.
        pub(super) static REQUESTS: &[Row] = &[$(Row {
            kind: FaultKind::$kind,
            name: $name,
            layer: Layer::$layer,
            knobs: &$knobs,
            on: first(&[$($on,)? &[]]),
            effect: $effect,
            outcome: $outcome,
            plan: "",
            knob: None,
            strike: Strike { $($point: $does,)* ..NOTHING },
        }),*];
    };
}

const fn first(places: &[&'static [&'static str]]) -> &'static [&'static str] {
    places[0]
}

requests! {
    // Bytes on the connection.
    Latency = "latency" in Transport [MS], "waits before the work" => Survivable("survivable"),
        before: |fault| Before::Wait { ms: fault.ms() };
    ConnectionReset = "connection_reset" in Transport [], "closes the connection before the work"
        => Survivable("survivable: nothing was done"),
        before: |_| Before::Close;
    SlowBody = "slow_body" in Transport [MS], "sends the body in pieces of 16 KiB, a pause before each" => Survivable("survivable"),
        send: |reply, fault, clock| delivery::slowly(reply, clock.clone(), fault.ms());
    TruncatedBody = "truncated_body" in Transport [], "closes the connection half-way through the body"
        => Survivable("survivable: read again, or resume"),
        after: |_| After::SendHalf,
        send: |reply, _, _| delivery::truncated(reply);

    // The platform's own words.
    TooManyRequests = "too_many_requests" in Http [RETRY_AFTER_S], "429 before the work" => Survivable("survivable: wait, then repeat"),
        before: |fault| Before::Refuse(Refusal::TooManyRequests { retry_after_s: fault.retry_after_s });
    ServerError = "server_error" in Http [STATUS], "a 5xx before the work"
        => Survivable("survivable: repeat after looking the outcome up"),
        before: |fault| Before::Refuse(Refusal::Server(fault.server_status())),
        item: Some(ItemFault::Refused { is_passing: true });
    Refused = "refused" in Http [REFUSAL], "a 4xx before the work" => Left,
        before: |fault| Before::Refuse(Refusal::of(fault.status)),
        item: Some(ItemFault::Refused { is_passing: false });
    ExpiredToken = "expired_token" in Http [],
        "401 as for an expired token; Interaction Recording, which has none: 403 as for a session that ended. Not where a password or a signed address is all that is sent"
        => Survivable("survivable: a new token or session, once"),
        cannot: |operation| {
            let why = "it is asked with a password or by a signed address, and neither ends so; use refused";
            (!operation.can_expire()).then_some(why)
        },
        before: |_| Before::Refuse(Refusal::TokenExpired);

    // After the deed.
    LostAnswer = "lost_answer" in CommitThenFail [], "does the work, closes the connection without an answer"
        => Survivable("survivable: look the outcome up before any repeat"),
        after: |_| After::Close;
    LateAnswer = "late_answer" in CommitThenFail [MS], "does the work, answers late"
        => Survivable("survivable: look the outcome up before any repeat"),
        after: |fault| After::SendLate { ms: fault.ms() };
    ErrorAfterCommit = "error_after_commit" in CommitThenFail [STATUS], "does the work, answers a 5xx"
        => Survivable("survivable: look the outcome up before any repeat"),
        after: |fault| After::Refuse(Refusal::Server(fault.server_status())),
        item: Some(ItemFault::FailsAfterCommit);

    // What a platform does by itself: it asks for these where it does it, and no request meets
    // them.
    UploadFailed = "upload_failed" in Platform [], on &["genesys_cloud.process_upload"], "the upload ends as Failure"
        => Survivable("survivable: upload again");
    UploadStuck = "upload_stuck" in Platform [MS], on &["genesys_cloud.process_upload"],
        "the upload is parked as WaitForConversation though its conversation is there; beyond the parking time it becomes an orphan"
        => Survivable("survivable: wait, or attach the orphan");
    LateVisibility = "late_visibility" in Platform [MS], on &["genesys_cloud.show_conversation", "genesys_cloud.show_recording"],
        "what was created answers 404, or is left out, as if it were not there yet"
        => Survivable("survivable: look again, and send nothing twice");
    JobStuck = "job_stuck" in Platform [MS], on JOBS, "the job stays in progress longer than its work takes"
        => Survivable("survivable: ask again later, without another job");
    IndexLate = "index_late" in Platform [MS], on &["gir.index_recording"],
        "the index finds the recording later; by its id it is there at once"
        => Survivable("survivable: look up by id");
}
