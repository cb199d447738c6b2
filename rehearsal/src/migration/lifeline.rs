//! The way to the platforms of a migrator that is to be killed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use platforms::transport::{Body, Failure, Retry, Transport, TransportError};
use tokio::sync::Notify;

/// Counts what is asked, and lets nobody know the answer of the last request: done, and nobody was
/// told.
pub(crate) struct Lifeline {
    inner: Arc<dyn Transport>,
    /// The request whose answer is the last. Absent: there is none.
    last: Option<u64>,
    /// Beyond so many nothing is sent: a migrator that goes round in circles without time passing
    /// would never end.
    most: u64,
    asked: AtomicU64,
    cut: Arc<Notify>,
}

impl Lifeline {
    /// The way, and what tells that it was cut.
    pub(crate) fn new(
        inner: Arc<dyn Transport>,
        last: Option<u64>,
        most: u64,
    ) -> (Arc<Lifeline>, Arc<Notify>) {
        let cut = Arc::new(Notify::new());
        (
            Arc::new(Lifeline {
                inner,
                last,
                most,
                asked: AtomicU64::new(0),
                cut: cut.clone(),
            }),
            cut,
        )
    }
}

#[async_trait]
impl Transport for Lifeline {
    async fn send(
        &self,
        request: http::Request<Body>,
    ) -> Result<http::Response<Body>, TransportError> {
        let number = self.asked.fetch_add(1, Ordering::AcqRel) + 1;
        if number > self.most {
            let why = format!("more than {} requests in one rehearsal", self.most);
            return Err(TransportError::new(Failure::Barred, why));
        }
        let answer = self.inner.send(request).await;
        if self.last.is_some_and(|last| number >= last) {
            self.cut.notify_one();
            return std::future::pending().await;
        }
        answer
    }

    fn retrying(&self, retry: &Retry<'_>) {
        self.inner.retrying(retry);
    }
}
