//! What holds for the manifest reader whatever it is given.

use std::sync::Arc;

use gitward_core::manifest::{self, Limits, parse_document};
use gitward_core::path::{FieldPath, Step};
use proptest::prelude::*;
use serde_json::{Map, Value};

const LIMITS: Limits = Limits { bytes: 1 << 16, depth: 20, nodes: 5_000 };

/// Bits of YAML: thrown together they reach further into the parser than bytes do.
fn yamlish() -> impl Strategy<Value = String> {
    let token = prop::sample::select(vec![
        "a",
        "b: ",
        ": ",
        ":",
        "- ",
        "? ",
        "\n",
        "\n  ",
        "\n- ",
        "[",
        "]",
        "{",
        "}",
        ", ",
        "&x ",
        "*x",
        "<<: ",
        "!!str ",
        "!t ",
        "\"",
        "'",
        "|\n",
        ">-\n",
        "#",
        "---\n",
        "...\n",
        "%TAG ! x\n",
        "\t",
        "\r\n",
        "\r",
        "\u{feff}",
        "\u{85}",
        "\\",
        "0x1",
        "~",
        "kind: List\n",
        "items:\n",
        "apiVersion: v1\n",
        "é",
    ]);
    prop::collection::vec(token, 0..40).prop_map(|tokens| tokens.concat())
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        "[ -~\u{a0}-\u{24f}\n\t]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("[ -~]{0,8}", inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn paths(value: &Value, at: &FieldPath, all: &mut Vec<FieldPath>) {
    all.push(at.clone());
    match value {
        Value::Array(items) => items.iter().enumerate().for_each(|(i, item)| paths(item, &at.index(i), all)),
        Value::Object(map) => map.iter().for_each(|(name, value)| paths(value, &at.field(name), all)),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        manifest::read(&Arc::from("f"), &bytes, &LIMITS);
    }

    #[test]
    fn texts_never_panic_and_places_lie_within(text in yamlish()) {
        let file = Arc::from("f");
        let lines = text.matches('\n').count() as u32 + 1;
        let (manifests, findings) = manifest::read(&file, text.as_bytes(), &LIMITS);
        for finding in findings {
            let place = finding.place.unwrap();
            prop_assert!(place.line >= 1 && place.line <= lines && place.column >= 1);
        }
        for manifest in manifests {
            let mut all = Vec::new();
            paths(&manifest.value, &FieldPath::root(), &mut all);
            for path in all {
                prop_assert!(manifest.place(&path).line <= lines);
                if let Some((offset, length)) = manifest.span(&path) {
                    prop_assert!(text.get(offset..offset + length).is_some());
                }
            }
        }
    }

    #[test]
    fn json_is_read_as_itself(value in json(), pretty in any::<bool>()) {
        prop_assume!(!value.is_null());
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
        let document = parse_document(text.as_bytes(), &Limits::default()).unwrap();
        prop_assert_eq!(&document.value, &value);
        let mut all = Vec::new();
        paths(&value, &FieldPath::root(), &mut all);
        for path in all {
            let scalar = path.get(&value).filter(|v| !v.is_array() && !v.is_object());
            let written = document.spans.span(&path).map(|(offset, length)| &text[offset..offset + length]);
            match scalar {
                Some(scalar) => prop_assert_eq!(serde_json::from_str::<Value>(written.unwrap()).unwrap(), scalar.clone()),
                None => prop_assert_eq!(written, None),
            }
            if let Some(Step::Field(name)) = path.0.last() {
                let place = document.spans.key_place(&Arc::from("f"), &path);
                let line = text.split('\n').nth(place.line as usize - 1).unwrap();
                let rest: String = line.chars().skip(place.column as usize - 1).collect();
                prop_assert!(rest.starts_with(&serde_json::to_string(name).unwrap()));
            }
        }
    }
}
