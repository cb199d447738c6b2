//! What a sample says about the whole.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A sample and its bound, as written into the scope of a summary.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SampleBound {
    /// Recordings whose audio was compared.
    pub size: u64,
    /// Recordings they were drawn from.
    pub of: u64,
    /// Seed of the draw.
    pub seed: u64,
    /// Recordings of the sample whose audio is wrong.
    pub wrong: u64,
    /// With 95 % confidence no larger share of all recordings is wrong. Exact (Clopper-Pearson),
    /// 0..1.
    pub upper_95: f64,
}

/// Exact one-sided Clopper-Pearson bound: the largest share at which `wrong` or fewer of `size`
/// still has a chance of 5 %. Without a wrong one this is the rule of three, 3 / size. Drawing
/// without putting back only makes it safer.
#[must_use]
pub fn upper_bound_95(wrong: u64, size: u64) -> f64 {
    if wrong >= size {
        return 1.0;
    }
    let (mut low, mut high) = (wrong as f64 / size as f64, 1.0);
    // 60 halvings: beyond what a double can hold.
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if at_most(wrong, size, middle) > 0.05 {
            low = middle
        } else {
            high = middle
        }
    }
    high
}

/// Chance of `wrong` or fewer in `size` draws of probability `share`; summed in logarithms, so that
/// large samples do not underflow.
fn at_most(wrong: u64, size: u64, share: f64) -> f64 {
    if share >= 1.0 {
        return 0.0;
    }
    let odds = (share / (1.0 - share)).ln();
    let mut term = size as f64 * (1.0 - share).ln();
    let mut sum = term.exp();
    for k in 1..=wrong {
        term += ((size - k + 1) as f64 / k as f64).ln() + odds;
        sum += term.exp();
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_is_the_exact_one() {
        // Closed form without a wrong one: 1 - 0.05^(1/n); the others by scipy.stats.beta.ppf(0.95,
        // k + 1, n - k).
        let rows = [
            (0, 10, 0.258_866),
            (0, 300, 0.009_936),
            (1, 10, 0.394_163),
            (5, 100, 0.102_253),
            (10, 10, 1.0),
            (0, 0, 1.0),
        ];
        for (wrong, size, wanted) in rows {
            assert!(
                (upper_bound_95(wrong, size) - wanted).abs() < 1e-5,
                "{wrong} of {size}: {}",
                upper_bound_95(wrong, size)
            );
        }
        assert!(
            (upper_bound_95(0, 1_000_000) - 3.0e-6).abs() < 1e-8,
            "the rule of three"
        );
    }
}
