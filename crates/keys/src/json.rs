//! Reading foreign JSON strictly: no repeated member, nothing after the value, no memory for what is ignored.

use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{
    self, Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess,
    Visitor,
};

use crate::limits::OBJECT_MEMBERS;

/// Reads an object that other software wrote in JSON: white space, order and unknown members are free; a repeated
/// member is refused at any depth, and so is an object of very many members and nesting deeper than 127 levels.
pub(crate) fn from_foreign<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, serde_json::Error> {
    let mut walk = serde_json::Deserializer::from_slice(bytes);
    NoRepeats.deserialize(&mut walk)?;
    walk.end()?;
    serde_json::from_slice(bytes).map(|Object(value)| value)
}

/// A struct that is read from a JSON object only. Serde by itself also takes an array of the members' values.
#[derive(Default)]
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(members)).map(Object)
            }
        }

        deserializer.deserialize_map(Members(PhantomData))
    }
}

// Walks through a value and keeps nothing of it but the member names of the objects that are open.
struct NoRepeats;

impl<'de> DeserializeSeed<'de> for NoRepeats {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for NoRepeats {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value without repeated members")
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(NoRepeats)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = members.next_key::<String>()? {
            if names.len() == OBJECT_MEMBERS {
                return Err(de::Error::custom("an object has too many members"));
            }
            if !names.insert(name) {
                return Err(de::Error::custom("a member is repeated"));
            }
            members.next_value_seed(NoRepeats)?;
        }
        Ok(())
    }
}

/// Reads an array of at most `limit` items; more are refused before they take memory.
pub(crate) fn at_most<'de, T, D>(deserializer: D, limit: usize) -> Result<Vec<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    struct AtMost<T>(usize, Vec<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for AtMost<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "an array of at most {} items", self.0)
        }

        fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Vec<T>, A::Error> {
            while self.1.len() < self.0 {
                let Some(item) = items.next_element()? else { return Ok(self.1) };
                self.1.push(item);
            }
            match items.next_element::<IgnoredAny>()? {
                None => Ok(self.1),
                Some(IgnoredAny) => Err(de::Error::invalid_length(self.0 + 1, &self)),
            }
        }
    }

    deserializer.deserialize_seq(AtMost(limit, Vec::new()))
}
