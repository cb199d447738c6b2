//! Wall time beside the simulators' own: the one file of this crate that asks the machine's clock.

/// When something began, on this machine's clock.
pub(crate) struct Wall(std::time::Instant);

impl Wall {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    pub(crate) fn now() -> Wall {
        Wall(std::time::Instant::now())
    }

    pub(crate) fn seconds(&self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}
