//! A shuffled order of any length in constant memory, so that exact counts can be spread over a
//! world nobody lists.

use crate::seed::Seed;

/// A bijection of `0..n`: a four-round Feistel network over the next even power of two, walked
/// until it lands inside.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shuffle {
    seed: Seed,
    n: u64,
    half_bits: u32,
}

impl Shuffle {
    pub(crate) fn new(seed: Seed, n: u64) -> Shuffle {
        let bits = u64::BITS - n.saturating_sub(1).leading_zeros();
        Shuffle {
            seed,
            n,
            half_bits: bits.div_ceil(2).max(1),
        }
    }

    /// Where `i` (below `n`) stands in the shuffled order.
    pub(crate) fn rank(&self, i: u64) -> u64 {
        let mut at = i;
        loop {
            at = self.round_trip(at);
            if at < self.n || self.n == 0 {
                return at;
            }
        }
    }

    /// True for exactly `round(share * n)` values of `i`.
    pub(crate) fn share(&self, i: u64, share: f64) -> bool {
        (self.rank(i) as f64) < (share * self.n as f64).round()
    }

    fn round_trip(&self, value: u64) -> u64 {
        let mask = (1_u64 << self.half_bits) - 1;
        let (mut left, mut right) = (value >> self.half_bits, value & mask);
        for round in 0..4 {
            let mixed = self.seed.index(round).index(right).value() & mask;
            (left, right) = (right, left ^ mixed);
        }
        (left << self.half_bits) | right
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_place_is_taken_once(seed: u64, n in 1_u64..2000) {
            let shuffle = Shuffle::new(Seed::new(seed), n);
            let mut places: Vec<u64> = (0..n).map(|i| shuffle.rank(i)).collect();
            places.sort_unstable();
            prop_assert!(places.iter().copied().eq(0..n));
        }

        #[test]
        fn a_share_is_exact(seed: u64, n in 1_u64..2000, share in 0.0_f64..=1.0) {
            let shuffle = Shuffle::new(Seed::new(seed), n);
            let hits = (0..n).filter(|i| shuffle.share(*i, share)).count();
            prop_assert_eq!(hits as f64, (share * n as f64).round());
        }
    }
}
