//! HTTP as every platform serves it: connections, bodies, replies, and what is known of a request
//! beside what its handler says.

pub(crate) mod body;
pub(crate) mod connection;
pub(crate) mod layer;
pub(crate) mod ranges;
pub(crate) mod reply;
pub(crate) mod request_context;
pub(crate) mod served;
