//! The object store behind pre-signed addresses: signatures, expiry, and refusals in its own XML.

use http::header::CONTENT_TYPE;
use uuid::Uuid;

use super::super::{GenesysCloud, endpoint::Query};
use crate::http::reply::Reply;

impl GenesysCloud {
    /// An address of one thing that takes no token and lives `life_s` seconds.
    pub(super) fn presigned(&self, kind: &str, id: Uuid, life_s: u64) -> String {
        let expires = (self.now_ms() / 1_000).saturating_add_unsigned(life_s);
        let signature = self.signature(kind, id, id, "", expires);
        format!(
            "{}/presigned/{kind}/{id}?expires={expires}&signature={signature}",
            self.base_url()
        )
    }

    /// Whether an address was given out by [`GenesysCloud::presigned`] and still lives; else the
    /// store's refusal.
    pub(super) fn check_presigned(
        &self,
        kind: &str,
        id: Uuid,
        query: &Query,
    ) -> Result<(), Refusal> {
        let expires: i64 = query
            .one("expires")
            .and_then(|text| text.parse().ok())
            .unwrap_or_default();
        if query.one("signature") != Some(self.signature(kind, id, id, "", expires).as_str()) {
            return Err(refusal(
                403,
                "SignatureDoesNotMatch",
                "the signature does not fit the address",
            ));
        }
        if self.now_ms() / 1_000 >= expires {
            return Err(refusal(403, "AccessDenied", "Request has expired"));
        }
        Ok(())
    }
}

/// A refusal of the store.
pub(in crate::platforms::genesys_cloud) struct Refusal {
    status: u16,
    code: &'static str,
    message: String,
}

/// A refusal with a status, a code of the store and a sentence.
pub(in crate::platforms::genesys_cloud) fn refusal(
    status: u16,
    code: &'static str,
    message: impl Into<String>,
) -> Refusal {
    Refusal {
        status,
        code,
        message: message.into(),
    }
}

impl Refusal {
    /// As an S3 store words it. Source: S3 API reference, error responses.
    pub(in crate::platforms::genesys_cloud) fn reply(&self) -> Reply {
        let message = self
            .message
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        let text = format!(
            "<?xml version=\"1.0\" \
             encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{message}</Message></Error>",
            self.code
        );
        Reply::empty(self.status)
            .with_header(CONTENT_TYPE, "application/xml")
            .holding(text)
    }
}
