//! One request with its outcome, as the journal and the rules of conduct are given it.

use super::request_context::{RequestMetadata, Sha};
use crate::operations::Operation;

/// What happened to one request, as the pipeline hands it over.
pub(crate) struct Served<'a> {
    pub(crate) at_ms: i64,
    pub(crate) platform: &'static str,
    pub(crate) operation: &'static Operation,
    pub(crate) key: &'a str,
    pub(crate) attempt: u32,
    /// The status the client received; 0 when the connection was cut instead.
    pub(crate) status: u16,
    /// The status the platform decided on: differs from `status` when a fault hid a commit.
    pub(crate) work_status: u16,
    pub(crate) fault: Option<String>,
    pub(crate) effect: Option<&'static str>,
    pub(crate) bytes_in: u64,
    pub(crate) bytes_out: u64,
    /// `Retry-After` as the client received it. Seconds.
    pub(crate) retry_after_s: Option<u64>,
    /// SHA-256 of the answer's body, where the platform had it whole.
    pub(crate) digest_out: Option<Sha>,
    /// What else is known of the request.
    pub(crate) metadata: RequestMetadata,
}
