//! Objects as people write them: YAML, with its fields in the order that people expect.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::{Map, Value};

use crate::manifest::{self, Limits};

/// Long lines stay lines: a folded text is no easier to read.
const NEVER_FOLDED: usize = 1 << 20;

/// An object as YAML. What a reader would understand otherwise is written as JSON, which YAML is too.
pub fn yaml(object: &Value) -> String {
    let options = serde_saphyr::ser_options! { folded_wrap_chars: NEVER_FOLDED };
    let written = serde_saphyr::to_string_with_options(&Ordered(object), options).ok();
    written.filter(|text| says(text, object)).unwrap_or_else(|| format!("{object:#}\n"))
}

fn says(text: &str, object: &Value) -> bool {
    let read = manifest::parse_document(text.as_bytes(), &Limits::default());
    read.is_ok_and(|document| document.value == *object)
}

/// Fields that come first, in this order; the others follow by name.
const FIRST: [&str; 8] = ["apiVersion", "kind", "metadata", "name", "namespace", "labels", "annotations", "image"];

/// A value whose maps are written in a person's order.
struct Ordered<'a>(&'a Value);

impl Serialize for Ordered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (field, value) in in_order(fields) {
                    map.serialize_entry(field, &Ordered(value))?;
                }
                map.end()
            }
            Value::Array(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(&Ordered(item))?;
                }
                list.end()
            }
            other => other.serialize(serializer),
        }
    }
}

fn in_order(fields: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut all: Vec<_> = fields.iter().collect();
    let place = |field: &str| FIRST.iter().position(|f| *f == field).unwrap_or(FIRST.len());
    all.sort_by(|(a, _), (b, _)| (place(a), a).cmp(&(place(b), b)));
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_object_reads_as_people_write_it() {
        let object = json!({"spec": {"containers": [{"image": "i", "args": ["-c", "echo\nhello\n"], "name": "web"}],
            "list": [], "map": {}}, "kind": "Pod", "metadata": {"labels": {"b": "yes", "a": "0644"}, "namespace": "shop", "name": "web"},
            "apiVersion": "v1"});
        assert_eq!(
            yaml(&object),
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  namespace: shop\n  labels:\n    a: \"0644\"\n    b: \"yes\"\nspec:\n  containers:\n  - name: web\n    image: i\n    args:\n    - -c\n    - |\n      echo\n      hello\n  list: []\n  map: {}\n"
        );
    }

    #[test]
    fn every_text_is_read_as_it_was() {
        let texts = [
            "",
            " ",
            "y",
            "no",
            "null",
            "~",
            "1e3",
            "0x1f",
            "1:30",
            "=",
            "<<",
            "a: b",
            "# a",
            "- a",
            "a\tb",
            "\ta",
            "a \nb",
            "a\n\n",
            "\n",
            " a\n",
            "\u{7f}\u{85}\u{feff}",
            "é\u{2028}",
            "'",
            "\"",
            "%a",
            "@a",
            "`",
            "|",
            "2001-01-01",
            "---\n",
            "a\r\nb",
            "\\",
            ".inf",
            "1_000",
            "0b1",
            "{a",
            "[",
            "*a",
            "&a",
            "!a",
            "? a",
            ": a",
            "a #b",
            "long ".repeat(100).as_str(),
        ]
        .map(str::to_owned);
        for text in texts {
            let object = json!({"data": {"key": text.as_str(), text.as_str(): [text.as_str()]}});
            let written = yaml(&object);
            assert!(says(&written, &object), "{text:?}: {written}");
        }
        let numbers = json!({"a": 1, "b": -1.5, "c": 1e21, "d": true, "e": null, "f": u64::MAX});
        assert!(says(&yaml(&numbers), &numbers), "{}", yaml(&numbers));
    }
}
