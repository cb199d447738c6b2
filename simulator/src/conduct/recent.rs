//! A map that forgets: what is older than its window, and the older half of everything when it is
//! full.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Entries at most: some hundred KiB a map. A client that touches more keys than this within a
/// window is judged by the newer half of them.
const MOST: usize = 8192;

/// Values by a 64-bit hash.
#[derive(Clone)]
pub(super) struct Recent<T> {
    kept: HashMap<u64, (T, i64), BuildHasherDefault<Passed>>,
    window_ms: i64,
}

/// Keys are hashes already.
#[derive(Clone, Default)]
struct Passed(u64);

impl Hasher for Passed {
    fn write(&mut self, bytes: &[u8]) {
        bytes
            .iter()
            .for_each(|byte| self.0 = self.0.rotate_left(8) ^ u64::from(*byte));
    }
    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
    fn finish(&self) -> u64 {
        self.0
    }
}

impl<T> Recent<T> {
    /// Keeps what was touched within this long. Milliseconds.
    pub(super) fn within(window_ms: i64) -> Recent<T> {
        Recent {
            kept: HashMap::default(),
            window_ms,
        }
    }

    /// What is known, where it is not too old.
    pub(super) fn get(&mut self, slot: u64, now_ms: i64) -> Option<&mut T> {
        let window_ms = self.window_ms;
        let (value, touched_ms) = self.kept.get_mut(&slot)?;
        (now_ms - *touched_ms <= window_ms).then_some(value)
    }

    /// When something that is known was touched last. Unix ms.
    pub(super) fn kept_at(&self, slot: u64) -> Option<i64> {
        self.kept.get(&slot).map(|(_, touched_ms)| *touched_ms)
    }

    /// Keeps a value from now on.
    pub(super) fn put(&mut self, slot: u64, now_ms: i64, value: T) {
        self.make_room(now_ms);
        self.kept.insert(slot, (value, now_ms));
    }

    /// What is known, or a new value; touched now.
    pub(super) fn entry(&mut self, slot: u64, now_ms: i64) -> &mut T
    where
        T: Default,
    {
        self.make_room(now_ms);
        let window_ms = self.window_ms;
        let (value, touched_ms) = self
            .kept
            .entry(slot)
            .or_insert_with(|| (T::default(), now_ms));
        if now_ms - *touched_ms > window_ms {
            *value = T::default();
        }
        *touched_ms = now_ms;
        value
    }

    /// Forgets.
    pub(super) fn remove(&mut self, slot: u64) {
        if !self.kept.is_empty() {
            self.kept.remove(&slot);
        }
    }

    /// Every value, in no order.
    pub(super) fn values(&self) -> impl Iterator<Item = &T> {
        self.kept.values().map(|(value, _)| value)
    }

    fn make_room(&mut self, now_ms: i64) {
        if self.kept.len() < MOST {
            return;
        }
        let window_ms = self.window_ms;
        self.kept
            .retain(|_, (_, touched_ms)| now_ms - *touched_ms <= window_ms);
        if self.kept.len() >= MOST / 2 {
            let mut times: Vec<i64> = self
                .kept
                .values()
                .map(|(_, touched_ms)| *touched_ms)
                .collect();
            let middle = times.len() / 2;
            let (_, median, _) = times.select_nth_unstable(middle);
            let median = *median;
            self.kept.retain(|_, (_, touched_ms)| *touched_ms > median);
        }
    }
}

/// Adds to the latest values, of which there are `most`.
pub(super) fn keep(latest: &mut Vec<i64>, value: i64, most: i64) {
    if latest.len() as i64 >= most {
        latest.remove(0);
    }
    latest.push(value);
}

/// Whether there are as many as a rule begins with.
pub(super) fn is_full(latest: &[i64], rule: &super::ConductRule) -> bool {
    latest.len() as i64 >= rule.threshold
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_old_is_not_known() {
        let mut recent = Recent::within(1000);
        recent.put(1, 0, "a");
        assert_eq!(recent.get(1, 1000), Some(&mut "a"));
        assert_eq!(recent.get(1, 1001), None);
        assert_eq!(*recent.entry(1, 1001), "");
    }

    #[test]
    fn it_never_holds_more_than_its_bound_and_the_newest_stay() {
        let mut recent = Recent::within(i64::MAX / 2);
        for n in 0..100_000_i64 {
            recent.put(n as u64, n, n);
            assert!(recent.kept.len() <= MOST);
        }
        assert!(recent.get(99_999, 100_000).is_some());
        // All at one instant: nothing tells older from newer, and the bound holds all the same.
        let mut recent = Recent::within(1000);
        (0..100_000_u64).for_each(|n| recent.put(n, 5, n));
        assert!(recent.kept.len() <= MOST);
    }
}
