//! SpeechMiner's Interaction Receiver. That a recording's document is posted to it is documented
//! (Insertion API); everything else, its reads above all, is the simulator's assumption.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use url::Url;

use super::wire::{Posted, PostedPage, Recording};
use crate::clock::Clock;
use crate::error::CallError;
use crate::net::auth::Account;
use crate::net::call::{Call, Repeat};
use crate::net::rate_limit::Limit;
use crate::net::session::{Counts, Session};
use crate::net::transport::Transport;

/// What a post is answered with. Not documented; any success without a promise of later work is
/// taken (assumed).
const POSTED: &[u16] = &[200, 201, 204];

/// A client of one receiver.
pub struct SpeechMinerClient {
    session: Session,
    url: Url,
}

impl SpeechMinerClient {
    /// Sends nothing yet.
    #[must_use]
    pub fn new(
        transport: Arc<dyn Transport>,
        clock: Clock,
        url: Url,
        account: &Account,
        requests_per_minute: u32,
    ) -> SpeechMinerClient {
        let limit = Limit::rising(requests_per_minute, Duration::from_secs(60));
        SpeechMinerClient {
            session: Session::basic(transport, clock, account, limit),
            url,
        }
    }

    /// What this client has sent.
    #[must_use]
    pub fn counts(&self) -> Arc<Counts> {
        self.session.counts.clone()
    }

    /// Posts a recording's document. Whether a repeat is safe is the site's to say, so none is made
    /// here.
    ///
    /// # Errors
    ///
    /// The receiver refuses or does not answer ([`CallError`]). An unknown outcome comes back as
    /// [`CallError::OutcomeUnknown`].
    pub async fn post(&self, recording: &Recording) -> Result<(), CallError> {
        let mut call = Call::json(
            Method::POST,
            self.url.clone(),
            Repeat::LookFirst,
            POSTED,
            recording,
        )?;
        call.key.clone_from(&recording.id);
        self.session.bytes(&call).await.map(|_| ())
    }

    /// What a simulated receiver has of a recording; `None` where it has nothing.
    ///
    /// # Errors
    ///
    /// The receiver refuses otherwise than by 404, does not answer, or answers what is not the JSON
    /// expected ([`CallError`]).
    pub async fn recording(&self, id: &str) -> Result<Option<Posted>, CallError> {
        match self
            .session
            .json(&Call::get(crate::net::path::below(
                &self.url,
                &["recordings", id],
            )?))
            .await
        {
            Ok(posted) => Ok(Some(posted)),
            Err(CallError::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A page of what a simulated receiver has, in the order of ids.
    ///
    /// # Errors
    ///
    /// The receiver refuses, does not answer, or answers what is not the JSON expected
    /// ([`CallError`]).
    pub async fn recordings(
        &self,
        after: Option<&str>,
        limit: u32,
    ) -> Result<PostedPage, CallError> {
        let mut url = crate::net::path::below(&self.url, &["recordings"])?;
        url.query_pairs_mut()
            .append_pair("limit", &limit.to_string());
        if let Some(after) = after {
            url.query_pairs_mut().append_pair("after", after);
        }
        self.session.json(&Call::get(url)).await
    }
}
