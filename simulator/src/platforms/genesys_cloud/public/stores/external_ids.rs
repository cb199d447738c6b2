//! Ids that users have elsewhere.

use std::collections::BTreeMap;

use uuid::Uuid;

/// Users by authority and key, both as they were written. Each pair belongs to one user.
#[derive(Clone, Default)]
pub(crate) struct ExternalIds {
    users: BTreeMap<(String, String), Uuid>,
}

/// Why an external id is not added.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotAdded {
    /// A user has it already.
    Taken,
    /// The user has as many as one may have.
    TooMany,
}

impl ExternalIds {
    /// Gives a user the key of an authority; a user has at most `most`.
    pub(crate) fn add(
        &mut self,
        authority: String,
        key: String,
        user: Uuid,
        most: u64,
    ) -> Result<(), NotAdded> {
        let own = self.of(user).count() as u64;
        let place = (authority, key);
        if self.users.contains_key(&place) {
            return Err(NotAdded::Taken);
        }
        if own >= most {
            return Err(NotAdded::TooMany);
        }
        self.users.insert(place, user);
        Ok(())
    }

    /// Authority and key of each external id of a user, in their order.
    pub(crate) fn of(&self, user: Uuid) -> impl Iterator<Item = (&str, &str)> {
        let own = self.users.iter().filter(move |(_, other)| **other == user);
        own.map(|((authority, key), _)| (authority.as_str(), key.as_str()))
    }

    /// The user with the key of an authority.
    pub(crate) fn user(&self, authority: String, key: String) -> Option<Uuid> {
        self.users.get(&(authority, key)).copied()
    }

    /// Takes the key of an authority from a user; false where it is not this user's.
    pub(crate) fn remove(&mut self, authority: String, key: String, user: Uuid) -> bool {
        let place = (authority, key);
        let is_own = self.users.get(&place) == Some(&user);
        if is_own {
            self.users.remove(&place);
        }
        is_own
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_one_users_and_a_user_has_no_more_than_allowed() {
        let (john, jane) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut ids = ExternalIds::default();
        let mut add = |key: &str, user| ids.add("legacy".to_owned(), key.to_owned(), user, 2);
        assert_eq!(add("a-1", john), Ok(()));
        assert_eq!(add("a-1", jane), Err(NotAdded::Taken));
        assert_eq!(add("a-2", john), Ok(()));
        assert_eq!(add("a-3", john), Err(NotAdded::TooMany));
        assert_eq!(add("a-3", jane), Ok(()));
        assert_eq!(
            ids.of(john).collect::<Vec<_>>(),
            [("legacy", "a-1"), ("legacy", "a-2")]
        );
    }

    #[test]
    fn nobody_loses_an_id_by_anothers_name() {
        let (john, jane) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut ids = ExternalIds::default();
        let pair = || ("legacy".to_owned(), "a-1".to_owned());
        ids.add(pair().0, pair().1, john, 1).expect("free");
        assert!(!ids.remove(pair().0, pair().1, jane));
        assert_eq!(ids.user(pair().0, pair().1), Some(john));
        assert!(ids.remove(pair().0, pair().1, john));
        assert_eq!(ids.user(pair().0, pair().1), None);
    }
}
