//! A listing's pages, with an end: whoever follows cursors follows them through this.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::error::CallError;

/// Pages in a row that bring nothing new before a listing is given up. A platform may leave out
/// what a client may not see, and so give empty pages; not that many one after the other.
const MOST_IDLE: u32 = 20;

/// What is remembered of a listing's pages: eight bytes for a cursor and for a page.
#[derive(Debug, Default)]
pub struct Pages {
    cursors: HashSet<u64>,
    pages: HashSet<u64>,
    idle: u32,
    read: u64,
}

impl Pages {
    /// Whether no page has been read yet.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.read == 0
    }

    /// Takes note of the cursor a listing goes on from: to lead back to it is a circle.
    pub fn began_at(&mut self, cursor: &str) {
        self.cursors.insert(hash_of(cursor));
    }

    /// Takes note of a page and of the cursor to the next. Answers that cursor; `None`: this was
    /// the last page.
    ///
    /// # Errors
    ///
    /// [`CallError::Malformed`] where the pages have no end: a cursor came before, or page after
    /// page brings nothing new. `what` names the listing.
    pub fn next<'a>(
        &mut self,
        what: &str,
        entities: impl IntoIterator<Item = &'a str>,
        next: Option<String>,
    ) -> Result<Option<String>, CallError> {
        self.read += 1;
        let mut hash = DefaultHasher::new();
        let mut count = 0_u64;
        for entity in entities {
            entity.hash(&mut hash);
            count += 1;
        }
        let Some(next) = next else { return Ok(None) };
        self.idle = if count > 0 && self.pages.insert(hash.finish()) {
            0
        } else {
            self.idle + 1
        };
        let why = if !self.cursors.insert(hash_of(&next)) {
            format!(
                "its pages go in a circle: the cursor of page {} came before",
                self.read
            )
        } else if self.idle >= MOST_IDLE {
            format!(
                "its pages have no end: the last {} of {} brought nothing new",
                self.idle, self.read
            )
        } else {
            return Ok(Some(next));
        };
        Err(CallError::Malformed {
            what: what.to_owned(),
            why,
        })
    }
}

fn hash_of(text: &str) -> u64 {
    let mut hash = DefaultHasher::new();
    text.hash(&mut hash);
    hash.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Follows a listing to its end; how many pages that took, or why there is none.
    fn follow(page: impl Fn(u32) -> (Vec<String>, Option<String>)) -> Result<u32, String> {
        let mut pages = Pages::default();
        for number in 1..10_000 {
            let (entities, next) = page(number);
            match pages.next("GET /list", entities.iter().map(String::as_str), next) {
                Ok(Some(_)) => {}
                Ok(None) => return Ok(number),
                Err(error) => return Err(error.to_string()),
            }
        }
        panic!("pages without end were followed without end")
    }

    #[test]
    fn a_listing_without_end_is_given_up_and_a_long_one_is_not() {
        let entity = |number: u32| vec![format!("entity {number}")];
        let cursor = |number: u32| Some(format!("cursor {number}"));
        assert_eq!(
            follow(|number| (entity(number), (number < 3000).then(|| number.to_string()))),
            Ok(3000)
        );
        assert_eq!(
            follow(|number| (
                if number % 15 == 0 {
                    entity(number)
                } else {
                    vec![]
                },
                cursor(number).filter(|_| number < 600)
            )),
            Ok(600)
        );
        let circle = follow(|number| (entity(number), cursor(number % 2))).expect_err("A, B, A, B");
        assert!(
            circle.contains("circle") && circle.contains("page 3"),
            "{circle}"
        );
        let still =
            follow(|number| (entity(number), cursor(0))).expect_err("a cursor that does not move");
        assert!(still.contains("circle"), "{still}");
        let empty = follow(|number| (vec![], cursor(number)))
            .expect_err("ever new cursors with nothing in them");
        assert!(empty.contains("no end") && empty.contains("20"), "{empty}");
        let same = follow(|number| (entity(0), cursor(number)))
            .expect_err("ever new cursors with ever the same page");
        assert!(same.contains("no end"), "{same}");
    }
}
