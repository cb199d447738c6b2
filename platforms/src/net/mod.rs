//! HTTP as every platform's client needs it: one seam for bytes, one authenticated session with
//! rate limit and retries, bounds on what arrives. No platform is named here.

pub(crate) mod answer;
pub(crate) mod arrival;
pub(crate) mod auth;
pub(crate) mod body;
pub(crate) mod call;
pub(crate) mod clock_check;
mod content_coding;
pub(crate) mod failure;
pub(crate) mod network;
pub(crate) mod pages;
pub(crate) mod path;
pub(crate) mod rate_limit;
pub(crate) mod refusal;
pub mod request_log;
pub(crate) mod resume;
mod retry;
pub(crate) mod session;
pub(crate) mod transport;
