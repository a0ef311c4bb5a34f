//! Reading the objects of a review without `metadata.managedFields`: up to half of an object, and
//! no field manager makes a change legitimate; and the rest to a bounded depth.

use std::fmt;

use gitward_core::bounded::Bounded;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};

/// Reads an object, or nothing.
pub(super) fn object<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Ok(Option::<Object>::deserialize(deserializer)?.map(|o| o.0))
}

struct Object(Value);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields { metadata: false }).map(|fields| Self(Value::Object(fields)))
    }
}

struct Metadata(Value);

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields { metadata: true }).map(|fields| Self(Value::Object(fields)))
    }
}

/// The fields of an object, or of its metadata.
struct Fields {
    metadata: bool,
}

impl<'de> Visitor<'de> for Fields {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.metadata { "metadata" } else { "an object" })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut fields = Map::new();
        while let Some(field) = access.next_key::<String>()? {
            let value = match (self.metadata, field.as_str()) {
                (true, "managedFields") => {
                    access.next_value::<IgnoredAny>()?;
                    continue;
                }
                (false, "metadata") => access.next_value::<Option<Metadata>>()?.map_or(Value::Null, |m| m.0),
                _ => access.next_value::<Bounded>()?.0,
            };
            fields.insert(field, value);
        }
        Ok(fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn everything_but_the_managed_fields_is_read() {
        let managed = json!([{"manager": "m", "fieldsV1": {"f:a": {}}}]);
        let mut value = json!({"kind": "X", "metadata": {"name": "x", "labels": {"managedFields": "l"}},
            "spec": {"managedFields": [1], "metadata": {"managedFields": 2}}});
        let expected = value.clone();
        value["metadata"]["managedFields"] = managed;
        assert_eq!(object(&value).unwrap(), Some(expected));
        assert_eq!(object(&json!({"metadata": null})).unwrap(), Some(json!({"metadata": null})));
        assert_eq!(object(&Value::Null).unwrap(), None);
        for odd in [json!([1]), json!("text"), json!({"metadata": "text"})] {
            assert!(object(&odd).is_err(), "{odd}");
        }
    }
}
