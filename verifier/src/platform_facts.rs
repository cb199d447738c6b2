//! What only one platform tells or needs, carried by everybody else without a look: its own folder
//! writes it and reads it.

use std::any::Any;
use std::fmt::Debug;

/// A value of a type that only a platform's own folder knows. Mostly empty.
#[derive(Debug, Default)]
pub(crate) struct PlatformFacts(Option<Box<dyn Fact>>);

trait Fact: Any + Debug + Send + Sync {
    fn boxed(&self) -> Box<dyn Fact>;
}

impl<T: Any + Clone + Debug + Send + Sync> Fact for T {
    fn boxed(&self) -> Box<dyn Fact> {
        Box::new(self.clone())
    }
}

impl PlatformFacts {
    pub(crate) fn of<T: Any + Clone + Debug + Send + Sync>(facts: T) -> PlatformFacts {
        PlatformFacts(Some(Box::new(facts)))
    }

    /// `None`: there is none, or it is another platform's.
    pub(crate) fn get<T: Any>(&self) -> Option<&T> {
        let facts: &dyn Any = self.0.as_deref()?;
        facts.downcast_ref()
    }

    pub(crate) fn get_mut<T: Any>(&mut self) -> Option<&mut T> {
        let facts: &mut dyn Any = self.0.as_deref_mut()?;
        facts.downcast_mut()
    }
}

impl Clone for PlatformFacts {
    fn clone(&self) -> PlatformFacts {
        PlatformFacts(self.0.as_deref().map(Fact::boxed))
    }
}
