//! A few values by name, in the order of their names.

use std::borrow::Borrow;
use std::fmt::Formatter;
use std::marker::PhantomData;
use std::ops::Index;

use postcard::Error;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::refill::{Refill, Rest};

/// A map of a dozen entries: one list, in which a name is found by looking at a few of them. Read
/// back, it costs one allocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SortedMap<K, V>(Vec<(K, V)>);

/// Entries for which room is made at once, whatever a record says that it has.
const MOST_AT_ONCE: usize = 64;

impl<K, V> Default for SortedMap<K, V> {
    fn default() -> SortedMap<K, V> {
        SortedMap(Vec::new())
    }
}

impl<K: Ord, V> SortedMap<K, V> {
    pub(crate) fn with_capacity(entries: usize) -> SortedMap<K, V> {
        SortedMap(Vec::with_capacity(entries))
    }

    fn place<Q: Ord + ?Sized>(&self, name: &Q) -> Result<usize, usize>
    where
        K: Borrow<Q>,
    {
        // What is read back comes in order.
        match self.0.last() {
            Some((last, _)) if last.borrow() < name => Err(self.0.len()),
            _ => self
                .0
                .binary_search_by(|(known, _)| known.borrow().cmp(name)),
        }
    }

    pub(crate) fn get<Q: Ord + ?Sized>(&self, name: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        let at = self.place(name).ok()?;
        Some(&self.0[at].1)
    }

    pub(crate) fn contains_key<Q: Ord + ?Sized>(&self, name: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.place(name).is_ok()
    }

    /// In the place of what stood under the name.
    pub(crate) fn insert(&mut self, name: K, value: V) {
        match self.place(&name) {
            Ok(at) => self.0[at].1 = value,
            Err(at) => self.0.insert(at, (name, value)),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.0.iter().map(|(name, value)| (name, value))
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &V> {
        self.0.iter().map(|(_, value)| value)
    }
}

#[cfg(test)]
impl<K: Ord, V> SortedMap<K, V> {
    pub(crate) fn remove<Q: Ord + ?Sized>(&mut self, name: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let at = self.place(name).ok()?;
        Some(self.0.remove(at).1)
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

impl<K: Ord, V> Extend<(K, V)> for SortedMap<K, V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        for (name, value) in entries {
            self.insert(name, value);
        }
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for SortedMap<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> SortedMap<K, V> {
        let mut map = SortedMap::default();
        map.extend(entries);
        map
    }
}

impl<K: Ord + Borrow<Q>, Q: Ord + ?Sized, V> Index<&Q> for SortedMap<K, V> {
    type Output = V;

    fn index(&self, name: &Q) -> &V {
        self.get(name).expect("no value under this name")
    }
}

impl<K: Serialize + Ord, V: Serialize> Serialize for SortedMap<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de, K: Deserialize<'de> + Ord, V: Deserialize<'de>> Deserialize<'de> for SortedMap<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<SortedMap<K, V>, D::Error> {
        deserializer.deserialize_map(OfMap(PhantomData))
    }
}

struct OfMap<K, V>(PhantomData<(K, V)>);

impl<'de, K: Deserialize<'de> + Ord, V: Deserialize<'de>> Visitor<'de> for OfMap<K, V> {
    type Value = SortedMap<K, V>;

    fn expecting(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<SortedMap<K, V>, A::Error> {
        let room = entries.size_hint().unwrap_or(0).min(MOST_AT_ONCE);
        let mut map = SortedMap::with_capacity(room);
        while let Some((name, value)) = entries.next_entry()? {
            map.insert(name, value);
        }
        Ok(map)
    }
}

impl<K: Refill + Default + Ord, V: Refill + Default> Refill for SortedMap<K, V> {
    fn refill(&mut self, from: &mut Rest<'_>) -> Result<(), Error> {
        self.0.refill(from)?;
        if !self.0.is_sorted_by(|one, other| one.0 < other.0) {
            *self = std::mem::take(&mut self.0).into_iter().collect();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_the_map_that_the_standard_library_makes(
            entries in proptest::collection::vec(("[a-d]{0,2}", 0..9_u8), 0..12),
            asked in "[a-d]{0,2}",
        ) {
            let wanted: BTreeMap<String, u8> = entries.iter().cloned().collect();
            let map: SortedMap<String, u8> = entries.into_iter().collect();
            prop_assert!(map.iter().eq(wanted.iter()));
            prop_assert_eq!(map.get(asked.as_str()), wanted.get(&asked));
            let bytes = postcard::to_stdvec(&map).expect("written");
            prop_assert_eq!(&bytes, &postcard::to_stdvec(&wanted).expect("written"));
            prop_assert_eq!(postcard::from_bytes::<SortedMap<String, u8>>(&bytes).expect("read"), map);
        }
    }
}
