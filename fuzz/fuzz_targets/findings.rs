//! Any finding in any file: shown without a character that a terminal would act on, within bounds, and
//! in the one piece that tools read.
#![no_main]

use std::sync::Arc;

use gitward_core::finding::{Finding, Place};
use gitward_core::object::ObjectKey;
use gitward_core::path::FieldPath;
use gitward_core::report::{self, Style};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

type Input = (String, String, String, [String; 4], String, u32, u32, String, u8);

fuzz_target!(|input: Input| {
    let (rule, message, hint, [group, kind, namespace, name], file, line, column, source, width) = input;
    let finding = Finding::error(rule, message)
        .with_hint(hint)
        .with_object(ObjectKey::new(&group, &kind, &namespace, &name))
        .with_field(FieldPath::of(["metadata", &name]))
        .with_place(Some(Place { file: file.into(), line, column }));
    let findings = [finding];
    let sources = |_: &str| Some(Arc::from(source.as_str()));
    let style = Style { width: width.into(), ..Style::default() };
    let text = report::text(&findings, &sources, &style);
    assert!(text.len() < 512 * 1024, "{} bytes", text.len());
    let (json, sarif) = (report::json(&findings), report::sarif(&findings));
    for document in [&json, &sarif] {
        assert!(serde_json::from_str::<Value>(document).is_ok(), "{document}");
    }
    for shown in [text, json, sarif, report::github(&findings), report::junit(&findings), findings[0].line()] {
        assert!(shown.lines().all(|line| report::harmless(line) == line), "{shown:?}");
    }
});
