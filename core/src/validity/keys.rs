//! Names of objects that make DNS labels, and keys of ConfigMaps and Secrets.

use super::formats::is_data_key;
use super::object::{Object, fields};
use crate::object::is_dns_label;
use crate::path::FieldPath;

/// A Service and a Namespace are part of DNS names.
pub(super) fn label_as_name(object: &mut Object<'_>) {
    if !is_dns_label(&object.manifest.key.name) {
        let at = FieldPath::of(["metadata", "name"]);
        let hint = "use at most 63 lower-case letters, digits and `-`, with a letter or digit at both ends";
        object.say("valid/name", &at, "is no DNS label, as names of this kind are", hint);
    }
}

/// Keys become names of files.
pub(super) fn data(object: &mut Object<'_>) {
    for field in ["data", "stringData", "binaryData"] {
        for (key, _) in fields(&object.value[field]) {
            let at = FieldPath::of([field]).field(key);
            if !is_data_key(key) {
                let hint = "use at most 253 letters, digits, `-`, `_` and `.`; a file's path belongs into `items` of the volume";
                object.say_of_key("valid/name", &at, "is no key of data", hint);
            }
            if field == "binaryData" && object.value["data"].get(key).is_some() {
                object.say_of_key("valid/duplicate", &at, "stands under `data` as well", "keep one of the two");
            }
        }
    }
}

/// Most bytes of all values.
const MOST: usize = 1 << 20;

/// (What is base64 is less than it is written, and left to the API server.)
pub(super) fn size(object: &mut Object<'_>) {
    let field = if object.is("Secret") { "stringData" } else { "data" };
    let bytes: usize = fields(&object.value[field]).filter_map(|(_, value)| value.as_str()).map(str::len).sum();
    if bytes > MOST {
        object.say("valid/bounds", &FieldPath::of([field]), "has more than 1 MiB", "make several objects of it");
    }
}
