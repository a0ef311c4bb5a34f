//! JSON of any depth, read as values of a bounded one.
//!
//! API servers store custom resources nested far deeper than a program should walk. Refusing to read
//! such an object would hide it, and with it the whole list that it stands in. So what lies too deep is
//! read as one text that stands for it: two such texts are equal if what they stand for is.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
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
        Below { depth: 0, parts: None }.deserialize(deserializer).map(Self)
    }
}

/// Reads a JSON text.
///
/// # Errors
/// It is no JSON.
pub fn read(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str::<Bounded>(text).map(|read| read.0)
}

/// What the texts stand for that [`read`] puts in the place of what lies too deep.
#[derive(Debug, Default)]
pub struct Parts(HashMap<String, Box<RawValue>>);

impl Parts {
    /// Those of a JSON text.
    ///
    /// # Errors
    /// It is no JSON.
    pub fn of(text: &str) -> Result<Self, serde_json::Error> {
        let parts = RefCell::default();
        Below { depth: 0, parts: Some(&parts) }.deserialize(&mut serde_json::Deserializer::from_str(text))?;
        Ok(Self(parts.into_inner()))
    }

    /// A value that was read by [`read`] as JSON again, with what lay too deep in its place.
    ///
    /// # Errors
    /// As of [`serde_json::to_string`].
    pub fn put_back(&self, value: &Value) -> Result<String, serde_json::Error> {
        serde_json::to_string(&Whole { value, parts: self })
    }
}

/// Whether something in a value may stand for what lay too deep.
pub fn has_stand_ins(value: &Value) -> bool {
    match value {
        Value::String(text) => text.starts_with(&stand_in("")),
        Value::Array(items) => items.iter().any(has_stand_ins),
        Value::Object(fields) => fields.values().any(has_stand_ins),
        _ => false,
    }
}

/// A value with its parts, as it is written.
struct Whole<'a> {
    value: &'a Value,
    parts: &'a Parts,
}

impl Serialize for Whole<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let within = |value| Whole { value, parts: self.parts };
        match self.value {
            Value::String(text) => match self.parts.0.get(text) {
                Some(part) => part.serialize(serializer),
                None => serializer.serialize_str(text),
            },
            Value::Array(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                items.iter().try_for_each(|item| list.serialize_element(&within(item)))?;
                list.end()
            }
            Value::Object(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                fields.iter().try_for_each(|(name, value)| map.serialize_entry(name, &within(value)))?;
                map.end()
            }
            other => other.serialize(serializer),
        }
    }
}

/// Reads a value below so many levels.
#[derive(Clone, Copy)]
struct Below<'p> {
    depth: usize,
    /// Keeps what lies too deep.
    parts: Option<&'p RefCell<HashMap<String, Box<RawValue>>>>,
}

impl<'de> DeserializeSeed<'de> for Below<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        if self.depth < DEPTH {
            return deserializer.deserialize_any(self);
        }
        // Skipped without recursion.
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        match raw.get().as_bytes().first() {
            Some(b'{' | b'[') => {
                let text = stand_in(&blake3::hash(raw.get().as_bytes()).to_string());
                if let Some(parts) = self.parts {
                    parts.borrow_mut().insert(text.clone(), raw);
                }
                Ok(Value::String(text))
            }
            _ => serde_json::from_str(raw.get()).map_err(D::Error::custom),
        }
    }
}

fn stand_in(digest: &str) -> String {
    format!("nested deeper than {DEPTH} levels, with the digest {digest}")
}

impl<'de> Visitor<'de> for Below<'_> {
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
        while let Some(item) = access.next_element_seed(Self { depth: self.depth + 1, ..self })? {
            items.push(item);
        }
        Ok(items.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(field) = access.next_key::<String>()? {
            fields.insert(field, access.next_value_seed(Self { depth: self.depth + 1, ..self })?);
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
    fn what_lies_deep_is_put_back_where_it_was() {
        let deep = nested(5000, r#""heart""#);
        let text = format!(r#"{{"a":[{deep}],"b":"{}x","n":1.50}}"#, stand_in(""));
        let (value, parts) = (read(&text).unwrap(), Parts::of(&text).unwrap());
        assert!(has_stand_ins(&value) && !has_stand_ins(&json!({"a": ["nested"]})));
        let again = parts.put_back(&value).unwrap();
        assert_eq!(again, text.replace("1.50", "1.5"));
        assert_eq!(Parts::default().put_back(&value).unwrap(), value.to_string());
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
