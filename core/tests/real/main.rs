//! Real manifests, which a real API server took, give no finding.
//!
//! They are not part of the repository: `GITWARD_TEST_DATA` names the directory that holds them, or
//! they lie beside the checkout. Without them the tests count as ignored.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use flate2::read::GzDecoder;
use gitward_core::finding::Finding;
use gitward_core::manifest::{self, Limits, Manifest};
use gitward_core::schema::Schemas;
use gitward_core::validity;
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;

fn test_data() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let data = std::env::var_os("GITWARD_TEST_DATA").map_or(beside, PathBuf::from);
    data.is_dir().then_some(data)
}

fn read_all(root: &Path) -> Vec<Manifest> {
    let mut manifests = Vec::new();
    let mut paths = vec![root.to_owned()];
    while let Some(path) = paths.pop() {
        if path.is_dir() {
            if path.file_name().is_none_or(|name| name != ".git" && name != ".github") {
                paths.extend(
                    std::fs::read_dir(&path).expect("a directory").map(|entry| entry.expect("an entry").path()),
                );
            }
        } else if path.extension().is_some_and(|e| e == "yaml") && !path.ends_with("kustomization.yaml") {
            let text = std::fs::read(&path).expect("a file");
            let file = Arc::from(path.strip_prefix(root).unwrap_or(&path).to_string_lossy().as_ref());
            let (found, findings) = manifest::read(&file, &text, &Limits::default());
            assert_eq!(findings, [], "{}", path.display());
            manifests.extend(found);
        }
    }
    manifests
}

/// Findings that are right: the field is there to be found.
const EXPECTED: &[(&str, &str)] = &[("Widget/w-rich", "spec.unknown")];

/// The API server warns of Endpoints too.
const DEPRECATED: &str = "schema/deprecated-api";

/// Some manifests say `annotations: {x: y}`, and a bare `y` is a boolean to kubectl.
const BARE_Y: (&str, &str) = ("schema/type", "metadata.annotations.x");

/// Rule and field of each finding, in the order found.
fn outline(findings: &[Finding]) -> Vec<(String, String)> {
    findings
        .iter()
        .map(|f| (f.rule.to_string(), f.field.as_ref().map(ToString::to_string).unwrap_or_default()))
        .collect()
}

fn check_all(manifests: &[Manifest]) {
    let newest = Schemas::builtin("1.36").expect("1.36 is carried");
    let (schemas, findings) = newest.with_crds(manifests.iter());
    assert_eq!(findings, []);
    for manifest in manifests {
        let name = format!("{}/{}", manifest.gvk.kind, manifest.key.name);
        let mut found = outline(&schemas.check(manifest));
        found.extend(outline(&validity::check(manifest)));
        found.retain(|(rule, field)| {
            (rule.as_str(), field.as_str()) != BARE_Y
                && !(rule == DEPRECATED && manifest.gvk.kind == "Endpoints")
                && !EXPECTED.contains(&(name.as_str(), field.as_str()))
        });
        assert_eq!(found, [], "{name} in {}", manifest.file);
    }
}

fn kube_prometheus_gives_no_finding(data: &Path) {
    let manifests = cloned(data, "kube-prometheus", "manifests");
    assert!(manifests.len() > 100, "{}", manifests.len());
    check_all(&manifests);
}

fn every_kind_minimal_and_rich_gives_no_finding(data: &Path) {
    let manifests = read_all(&data.join("kinds"));
    assert!(manifests.len() > 100, "{}", manifests.len());
    check_all(&manifests);
}

/// Objects as an API server had them when it asked its webhooks: whatever came of them, it had found nothing
/// against them itself.
fn recorded_objects_are_valid(data: &Path) {
    let mut wrong = BTreeSet::new();
    let mut seen = 0;
    for recording in ["admission-reviews.jsonl.gz", "admission-reviews-2.jsonl.gz"] {
        let file = File::open(data.join(recording)).expect("a recording");
        for line in BufReader::new(GzDecoder::new(file)).lines() {
            let review: Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
            let object = &review["request"]["object"];
            if object["metadata"]["name"].is_null() || !review["request"]["subResource"].is_null() {
                continue;
            }
            let (manifests, _) =
                manifest::read(&Arc::from("a.json"), object.to_string().as_bytes(), &Limits::default());
            seen += manifests.len();
            wrong.extend(manifests.iter().flat_map(validity::check).map(|f| f.line()));
        }
    }
    assert!(seen > 2_000, "{seen}");
    assert_eq!(wrong, BTreeSet::new());
}

fn microservices_demo_is_valid(data: &Path) {
    let manifests = cloned(data, "microservices-demo", "kubernetes-manifests");
    assert!(manifests.len() > 30, "{}", manifests.len());
    check_all(&manifests);
}

/// The manifests of a directory of a bundle.
fn cloned(data: &Path, name: &str, directory: &str) -> Vec<Manifest> {
    let clone = std::env::temp_dir().join(format!("gitward-{name}-{}", std::process::id()));
    let bundle = data.join(format!("{name}.bundle"));
    let cloned = Command::new("git").args(["clone", "--quiet", "--branch", "main"]).arg(bundle).arg(&clone).status();
    assert!(cloned.expect("git").success());
    let manifests = read_all(&clone.join(directory));
    std::fs::remove_dir_all(&clone).expect("the clone is ours");
    manifests
}

fn trial(name: &str, needs: &str, test: fn(&Path)) -> Trial {
    let data = test_data().filter(|d| d.join(needs).exists());
    let ignored = data.is_none();
    let runner = move || {
        test(data.as_deref().ok_or_else(|| Failed::from("the manifests are not there"))?);
        Ok(())
    };
    Trial::test(name, runner).with_ignored_flag(ignored)
}

fn main() {
    let trials = vec![
        trial("kube_prometheus_gives_no_finding", "kube-prometheus.bundle", kube_prometheus_gives_no_finding),
        trial("microservices_demo_is_valid", "microservices-demo.bundle", microservices_demo_is_valid),
        trial("recorded_objects_are_valid", "admission-reviews-2.jsonl.gz", recorded_objects_are_valid),
        trial("every_kind_minimal_and_rich_gives_no_finding", "kinds", every_kind_minimal_and_rich_gives_no_finding),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
