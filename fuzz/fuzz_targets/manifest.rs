//! Any bytes as a manifest: no panic, bounded time and memory, places within the file.
#![no_main]

use std::sync::Arc;

use gitward_core::manifest::{self, Limits};
use gitward_core::path::FieldPath;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { bytes: 1 << 20, depth: 50, nodes: 20_000 };
    let lines = bytes.iter().filter(|b| **b == b'\n').count() as u32 + 1;
    let (manifests, findings) = manifest::read(&Arc::from("f.yaml"), bytes, &limits);
    for manifest in manifests {
        assert!(manifest.place(&FieldPath::root()).line <= lines);
        if let Some((offset, length)) = manifest.span(&FieldPath::of(["metadata", "name"])) {
            assert!(offset + length <= bytes.len());
        }
    }
    for finding in findings {
        assert!(finding.place.is_some_and(|place| place.line <= lines));
    }
});
