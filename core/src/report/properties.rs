//! Whatever findings say, and whatever file they stand in: they are shown without a byte that a
//! terminal would act on, within bounds, and in one piece.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::finding::Place;
use crate::object::ObjectKey;
use crate::path::{FieldPath, Step};

/// Text with what terminals act on in it, and what formats quote by.
fn nasty() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<String>(),
        "[a-z ]{0,40}",
        prop::sample::select(vec![
            "\u{1b}[31m",
            "\u{1b}]0;x\u{7}",
            "\u{9b}1m",
            "\r\n",
            "\t",
            "\u{202e}",
            "\u{200b}",
            "\0"
        ])
        .prop_map(str::to_owned),
        prop::sample::select(vec!["::error::", "%0A", "]]>", "</failure>", "\"", "'", "\\", "日本語", "---", "Secret"])
            .prop_map(str::to_owned),
        Just("long ".repeat(2_000)),
    ];
    vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

fn finding() -> impl Strategy<Value = Finding> {
    let severity = prop::sample::select(vec![Severity::Info, Severity::Warning, Severity::Error]);
    let place = prop::option::of((nasty(), any::<u32>(), any::<u32>(), 0..9u32));
    let object = prop::option::of((nasty(), nasty(), nasty(), nasty()));
    let (field, hint) = (vec(nasty(), 0..3), prop::option::of(nasty()));
    (severity, nasty(), nasty(), place, object, field, hint).prop_map(
        |(severity, rule, message, place, object, field, hint)| {
            let mut finding = Finding::new(severity, rule, message)
                .with_field(FieldPath(field.into_iter().map(Step::Field).collect()));
            finding.hint = hint;
            finding.place = place.map(|(file, line, column, near)| {
                // Most lines of no file are there.
                let line = if near > 0 { near } else { line };
                Place { file: file.into(), line, column: column % 300 }
            });
            finding.object =
                object.map(|(group, kind, namespace, name)| ObjectKey::new(&group, &kind, &namespace, &name));
            finding
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn findings_are_shown_harmless_and_within_bounds(
        findings in vec(finding(), 0..4),
        source in nasty(),
        width in 0..200usize,
        limit in 0..4usize,
    ) {
        let sources = |_: &str| Some(Arc::from(source.as_str()));
        let text = text(&findings, &sources, &Style { color: false, width, limit });
        // Message, rule, place, object with its three names, field and hint, each bounded, and escapes
        // of up to ten bytes a character.
        prop_assert!(text.len() <= 512 + limit.min(findings.len()) * 8 * 4_000 * 12, "{} bytes", text.len());
        for shown in [text, json(&findings), sarif(&findings), github(&findings), gitlab(&findings), junit(&findings)] {
            let raw: Vec<char> = shown.chars().filter(|c| *c != '\n' && escape::is_harmful(*c)).collect();
            prop_assert!(raw.is_empty(), "{raw:?} in {shown}");
        }
        for finding in &findings {
            let line = finding.line();
            prop_assert!(!line.chars().any(escape::is_harmful), "{line:?}");
        }
    }

    #[test]
    fn what_tools_read_stays_one_piece(findings in vec(finding(), 0..4)) {
        for document in [json(&findings), sarif(&findings), gitlab(&findings)] {
            prop_assert!(serde_json::from_str::<Value>(&document).is_ok(), "{document}");
        }
        prop_assert_eq!(github(&findings).lines().count(), findings.len());
        let junit = junit(&findings);
        prop_assert_eq!(junit.matches("<testcase").count(), findings.len().max(1));
        prop_assert_eq!(junit.matches("</failure>").count(), junit.matches("<failure").count());
    }
}
