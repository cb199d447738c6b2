//! Choices of a swarm: each a function of the seed and of what is chosen, so that one more choice
//! does not change the others.

/// A seed that can be asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(mix(seed))
    }

    /// The dice for what is called `name`.
    pub(crate) fn of(self, name: &str) -> Dice {
        // FNV-1a: short names, spread by `mix`.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Dice(mix(self.0 ^ hash))
    }

    /// The dice for the `n`-th of several.
    pub(crate) fn nth(self, n: usize) -> Dice {
        Dice(mix(self.0.wrapping_add(n as u64 + 1)))
    }

    /// In `low..=high`.
    pub(crate) fn between(self, low: u64, high: u64) -> u64 {
        low + self.0 % (high - low + 1)
    }

    /// True for so many in a hundred.
    pub(crate) fn percent(self, share: u64) -> bool {
        self.0 % 100 < share
    }

    /// One of these.
    pub(crate) fn one_of<T: Copy>(self, choices: &[T]) -> T {
        choices[(self.0 % choices.len() as u64) as usize]
    }

    /// As a seed that TOML can hold.
    pub(crate) fn seed(self) -> i64 {
        (self.0 >> 2) as i64
    }
}

/// The finaliser of splitmix64 (Steele, Lea, Flood 2014; public domain).
fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
