//! One seed, split by name: every choice of a world is a pure function of it, so the same seed
//! gives the same world for ever.

use uuid::Uuid;

/// A point in the tree of seeds. Splitting never draws: order of calls does not matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seed(u64);

impl Seed {
    /// The root of a scenario.
    pub(crate) fn new(value: u64) -> Seed {
        Seed(value)
    }

    /// The branch called `name` (`world/agents`).
    pub(crate) fn child(self, name: &str) -> Seed {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in name.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        Seed(mix(self.0 ^ mix(hash)))
    }

    /// The `i`-th of a row of equals.
    pub(crate) fn index(self, i: u64) -> Seed {
        Seed(mix(self.0 ^ mix(i.wrapping_add(0x51ed_270b_0a1f_39c1))))
    }

    /// 64 well mixed bits.
    pub(crate) fn value(self) -> u64 {
        mix(self.0)
    }

    /// A number in `0..n`; 0 when `n` is 0.
    pub(crate) fn below(self, n: u64) -> u64 {
        ((u128::from(self.value()) * u128::from(n)) >> 64) as u64
    }

    /// A number in `0.0..1.0`.
    pub(crate) fn fraction(self) -> f64 {
        (self.value() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True for a share `p` (0..1) of seeds.
    pub(crate) fn chance(self, p: f64) -> bool {
        self.fraction() < p
    }

    /// An id shaped like a random (version 4) UUID.
    pub(crate) fn uuid(self) -> Uuid {
        let high = self.child("uuid/high").value();
        let low = self.child("uuid/low").value();
        uuid::Builder::from_random_bytes(((u128::from(high) << 64) | u128::from(low)).to_be_bytes())
            .into_uuid()
    }
}

/// The finaliser of splitmix64 (Steele, Lea, Flood 2014; public domain).
fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_are_the_same_for_ever() {
        let seed = Seed::new(7).child("world/agents").index(3);
        assert_eq!(
            seed.value(),
            Seed::new(7).child("world/agents").index(3).value()
        );
        assert_eq!(format!("{:016x}", seed.value()), "36c3076359f0d9fd");
        assert_eq!(
            seed.uuid().to_string(),
            "efd0530a-8e03-4ebf-a1ad-9cc3b54fdb12"
        );
        assert_eq!(seed.uuid().get_version_num(), 4);
    }

    proptest! {
        #[test]
        fn below_stays_below(value: u64, n in 1_u64..) {
            prop_assert!(Seed::new(value).below(n) < n);
        }

        #[test]
        fn siblings_differ(value: u64, a: u64, b: u64) {
            prop_assume!(a != b);
            prop_assert_ne!(Seed::new(value).index(a).value(), Seed::new(value).index(b).value());
        }

        #[test]
        fn a_chance_of_zero_never_comes_and_of_one_always(value: u64) {
            prop_assert!(!Seed::new(value).chance(0.0));
            prop_assert!(Seed::new(value).chance(1.0));
        }
    }

    #[test]
    fn a_share_is_met_within_a_percent() {
        let hits = (0..100_000)
            .filter(|i| Seed::new(7).index(*i).chance(0.2))
            .count();
        assert!((19_000..21_000).contains(&hits), "{hits}");
    }
}
