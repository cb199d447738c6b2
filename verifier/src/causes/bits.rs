//! A set of rows.

/// Rows by number; a bit each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bits {
    words: Vec<u64>,
}

impl Bits {
    /// No row of so many.
    pub(super) fn none(rows: usize) -> Bits {
        Bits {
            words: vec![0; rows.div_ceil(64)],
        }
    }

    pub(super) fn of(rows: usize, members: impl IntoIterator<Item = usize>) -> Bits {
        let mut bits = Bits::none(rows);
        members.into_iter().for_each(|row| bits.set(row));
        bits
    }

    pub(super) fn set(&mut self, row: usize) {
        self.words[row / 64] |= 1 << (row % 64);
    }

    pub(super) fn has(&self, row: usize) -> bool {
        self.words[row / 64] & (1 << (row % 64)) != 0
    }

    pub(super) fn count(&self) -> usize {
        self.words
            .iter()
            .map(|word| word.count_ones() as usize)
            .sum()
    }

    pub(super) fn and(&self, other: &Bits) -> Bits {
        self.each(other, |a, b| a & b)
    }

    pub(super) fn or(&self, other: &Bits) -> Bits {
        self.each(other, |a, b| a | b)
    }

    pub(super) fn without(&self, other: &Bits) -> Bits {
        self.each(other, |a, b| a & !b)
    }

    /// How many rows are in all three.
    pub(super) fn shared(&self, other: &Bits, third: &Bits) -> usize {
        self.words
            .iter()
            .zip(&other.words)
            .zip(&third.words)
            .map(|((a, b), c)| (a & b & c).count_ones() as usize)
            .sum()
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = usize> + '_ {
        self.words.iter().enumerate().flat_map(|(at, word)| {
            let mut word = *word;
            std::iter::from_fn(move || {
                let bit = word.trailing_zeros() as usize;
                (word != 0).then(|| {
                    word &= word - 1;
                    at * 64 + bit
                })
            })
        })
    }

    fn each(&self, other: &Bits, join: impl Fn(u64, u64) -> u64) -> Bits {
        let words = self.words.iter().zip(&other.words);
        Bits {
            words: words.map(|(a, b)| join(*a, *b)).collect(),
        }
    }
}
