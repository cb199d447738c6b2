//! What only one platform tells or needs, carried by everybody else without a look: its own folder
//! writes it and reads it.

use std::any::{Any, type_name};
use std::fmt::Debug;
use std::sync::OnceLock;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::refill::read_anew;

/// A value of a type that only a platform's own folder knows. Mostly empty.
#[derive(Debug, Default)]
pub(crate) struct PlatformFacts(Option<Held>);

#[derive(Debug)]
enum Held {
    Value(Box<dyn Fact>),
    /// As it was set aside; read back when its platform asks for it, which alone knows the type.
    Packed(Packed, OnceLock<Option<Box<dyn Fact>>>),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Packed {
    /// Name of the type; the same program reads it back.
    name: String,
    bytes: Vec<u8>,
}

trait Fact: Any + Debug + Send + Sync {
    fn boxed(&self) -> Box<dyn Fact>;
    fn packed(&self) -> Result<Packed, postcard::Error>;
}

impl<T: Any + Clone + Debug + Send + Sync + Serialize> Fact for T {
    fn boxed(&self) -> Box<dyn Fact> {
        Box::new(self.clone())
    }

    fn packed(&self) -> Result<Packed, postcard::Error> {
        Ok(Packed {
            name: type_name::<T>().to_owned(),
            bytes: postcard::to_stdvec(self)?,
        })
    }
}

impl Packed {
    fn read<T: Any + Clone + Debug + Send + Sync + Serialize + DeserializeOwned>(
        &self,
    ) -> Option<Box<dyn Fact>> {
        if self.name != type_name::<T>() {
            return None;
        }
        let value: T =
            postcard::from_bytes(&self.bytes).expect("this very program has packed the facts");
        Some(Box::new(value))
    }
}

impl PlatformFacts {
    pub(crate) fn of<T>(facts: T) -> PlatformFacts
    where
        T: Any + Clone + Debug + Send + Sync + Serialize,
    {
        PlatformFacts(Some(Held::Value(Box::new(facts))))
    }

    /// `None`: there is none, or it is another platform's.
    pub(crate) fn get<T>(&self) -> Option<&T>
    where
        T: Any + Clone + Debug + Send + Sync + Serialize + DeserializeOwned,
    {
        let facts: &dyn Any = match self.0.as_ref()? {
            Held::Value(value) => value.as_ref(),
            Held::Packed(packed, _) if packed.name != type_name::<T>() => return None,
            Held::Packed(packed, value) => value.get_or_init(|| packed.read::<T>()).as_deref()?,
        };
        facts.downcast_ref()
    }

    pub(crate) fn get_mut<T>(&mut self) -> Option<&mut T>
    where
        T: Any + Clone + Debug + Send + Sync + Serialize + DeserializeOwned,
    {
        if let Some(Held::Packed(packed, _)) = &self.0 {
            self.0 = Some(Held::Value(packed.read::<T>()?));
        }
        match self.0.as_mut()? {
            Held::Value(value) => {
                let facts: &mut dyn Any = value.as_mut();
                facts.downcast_mut()
            }
            Held::Packed(..) => None,
        }
    }
}

impl Clone for PlatformFacts {
    fn clone(&self) -> PlatformFacts {
        PlatformFacts(self.0.as_ref().map(|held| match held {
            Held::Value(value) => Held::Value(value.boxed()),
            Held::Packed(packed, _) => Held::Packed(packed.clone(), OnceLock::new()),
        }))
    }
}

impl Serialize for PlatformFacts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let packed = match &self.0 {
            None => None,
            Some(Held::Value(value)) => Some(value.packed().map_err(serde::ser::Error::custom)?),
            Some(Held::Packed(packed, _)) => Some(packed.clone()),
        };
        packed.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for PlatformFacts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<PlatformFacts, D::Error> {
        let packed = Option::<Packed>::deserialize(deserializer)?;
        Ok(PlatformFacts(
            packed.map(|packed| Held::Packed(packed, OnceLock::new())),
        ))
    }
}

read_anew!(PlatformFacts);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_that_were_set_aside_are_those_of_their_own_type_alone() {
        let facts = PlatformFacts::of(("label".to_owned(), 7_u32));
        let bytes = postcard::to_stdvec(&facts).expect("written");
        let mut back: PlatformFacts = postcard::from_bytes(&bytes).expect("read");
        assert_eq!(back.get::<String>(), None, "another type");
        assert_eq!(back.get::<(String, u32)>(), facts.get());
        let pair = back.get_mut::<(String, u32)>().expect("its own type");
        pair.1 = 8;
        let again = postcard::to_stdvec(&back).expect("written");
        let again: PlatformFacts = postcard::from_bytes(&again).expect("read");
        assert_eq!(again.get::<(String, u32)>().map(|pair| pair.1), Some(8));
        let none = postcard::to_stdvec(&PlatformFacts::default()).expect("written");
        let none: PlatformFacts = postcard::from_bytes(&none).expect("read");
        assert_eq!(none.get::<(String, u32)>(), None);
    }
}
