//! JSON of any depth, read as values of a bounded one.
//!
//! API servers store custom resources nested far deeper than a program should walk. Refusing to read
//! such an object would hide it, and with it the whole list that it stands in. So what lies too deep is
//! read as one text that stands for it: two such texts are equal if what they stand for is.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};

/// So deep an object is read; Git declares nothing deeper (see [`crate::manifest::Limits`]). The reader
/// of JSON gives up at 128, wrappers included.
pub const DEPTH: usize = 110;

/// A value that was read so.
#[derive(Debug, Clone, PartialEq)]
pub struct Bounded(pub Value);

impl<'de> Deserialize<'de> for Bounded {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Below { depth: 0 }.deserialize(deserializer).map(Self)
    }
}

/// Reads a JSON text.
///
/// # Errors
/// It is no JSON.
pub fn read(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str::<Bounded>(text).map(|read| read.0)
}

/// Reads a value below so many levels.
#[derive(Clone, Copy)]
struct Below {
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Below {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        if self.depth < DEPTH {
            return deserializer.deserialize_any(self);
        }
        // Skipped without recursion.
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        match raw.get().as_bytes().first() {
            Some(b'{' | b'[') => Ok(Value::String(standing_for(raw.get()))),
            _ => serde_json::from_str(raw.get()).map_err(D::Error::custom),
        }
    }
}

fn standing_for(text: &str) -> String {
    format!("nested deeper than {DEPTH} levels, with the digest {}", blake3::hash(text.as_bytes()))
}

impl<'de> Visitor<'de> for Below {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(Self { depth: self.depth + 1 })? {
            items.push(item);
        }
        Ok(items.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(field) = access.next_key::<String>()? {
            fields.insert(field, access.next_value_seed(Self { depth: self.depth + 1 })?);
        }
        Ok(fields.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn nested(levels: usize, heart: &str) -> String {
        format!("{}{heart}{}", r#"{"x":"#.repeat(levels), "}".repeat(levels))
    }

    #[test]
    fn what_lies_deep_is_told_apart_without_being_read() {
        let (one, same, other) = (nested(5000, "1"), nested(5000, "1"), nested(5000, "2"));
        assert_eq!(read(&one).unwrap(), read(&same).unwrap());
        assert_ne!(read(&one).unwrap(), read(&other).unwrap());
        let mut at = &read(&one).unwrap();
        for _ in 0..DEPTH {
            at = &at["x"];
        }
        assert!(at.as_str().unwrap().starts_with("nested deeper"), "{at}");
    }

    #[test]
    fn what_is_less_deep_is_read_as_it_is() {
        assert_eq!(read(&nested(DEPTH, "1")).unwrap(), serde_json::from_str::<Value>(&nested(DEPTH, "1")).unwrap());
        assert_eq!(read(r#"[null, true, -1, 18446744073709551615, 0.5, "a\nb"]"#).unwrap(), {
            json!([null, true, -1, 18_446_744_073_709_551_615_u64, 0.5, "a\nb"])
        });
    }

    #[test]
    fn what_is_no_json_is_refused_at_any_depth() {
        for text in ["", "{", "{\"a\":}", &nested(300, "}"), &nested(300, "nul"), &nested(300, "1")[..600]] {
            assert!(read(text).is_err(), "{text:.40}");
        }
    }

    proptest! {
        #[test]
        fn texts_are_read_as_ever(text in r#"[\[\]{}:,"a1 .\-e\\ntrufls]{0,40}"#) {
            let (ours, theirs) = (read(&text).ok(), serde_json::from_str::<Value>(&text).ok());
            prop_assert_eq!(ours, theirs);
        }
    }
}
