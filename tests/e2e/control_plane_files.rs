//! What an owner of the control plane can add to the fence: files that no request can change.

use std::path::Path;
use std::time::Duration;

use gitward_test_cluster::Options;

use crate::edits::{self, Editor, MALLORY};
use crate::fleet::fenced_with;

const WITHIN: Duration = Duration::from_secs(60);

/// What cluster-admin and system:masters try on the fence itself.
const ON_THE_FENCE: [&str; 4] = [
    "delete validatingadmissionpolicybinding gitward-trust",
    "delete validatingadmissionpolicy gitward-registration",
    "patch validatingadmissionpolicybinding gitward-namespace --type=merge -p '{\"spec\":{\"validationActions\":[\"Audit\"]}}'",
    "annotate validatingadmissionpolicy gitward-identities a=b",
];

/// Names that nobody may take, and one that may be taken.
const NAMES: [&str; 4] = [
    "system:kube-controller-manager",
    "system:serviceaccount:kube-system:deployment-controller",
    "system:serviceaccount:gitward-system:gitward-reconciler",
    "system:node:node-0",
];

#[tokio::test(flavor = "multi_thread")]
async fn files_of_the_control_plane_guard_the_fence_and_stop_impersonation() {
    let files = tempfile::tempdir().unwrap();
    let mut stage = fenced_with(with_files(files.path()), |_| Ok(())).await.unwrap();
    let mallory = Editor::new(&stage, MALLORY).unwrap();
    for attempt in ON_THE_FENCE {
        for (who, tried) in [
            ("cluster-admin", mallory.kubectl(attempt, "").await.unwrap()),
            ("system:masters", stage.cluster.kubectl(&split(attempt)).await.unwrap()),
        ] {
            let refused = !tried.success() && tried.stderr.contains("gitward-fence.static.k8s.io");
            assert!(refused, "{who}: {attempt}: {}", tried.stderr);
        }
    }
    for name in NAMES {
        let tried = mallory.kubectl(&format!("get pods -A --as={name}"), "").await.unwrap();
        assert!(!tried.success() && tried.stderr.contains("cannot impersonate"), "{name}: {}", tried.stderr);
    }
    let masters = mallory.kubectl("get pods -A --as=anybody --as-group=system:masters", "").await.unwrap();
    assert!(!masters.success() && masters.stderr.contains("cannot impersonate"), "{}", masters.stderr);
    mallory.kubectl("get pods -n shop --as=sre", "").await.unwrap().checked().unwrap();
    // The keeper itself goes on.
    stage.kill_reconciler();
    stage.start_reconciler().await.unwrap();
    stage.wait_condition("Guarded", "True", WITHIN).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_these_files_the_same_succeeds() {
    let mut stage = fenced_with(edits::options(), |_| Ok(())).await.unwrap();
    stage.kill_reconciler();
    let mallory = Editor::new(&stage, MALLORY).unwrap();
    for name in NAMES {
        let tried = mallory.kubectl(&format!("get pods -A --as={name}"), "").await.unwrap();
        assert!(!tried.stderr.contains("cannot impersonate"), "{name}: {}", tried.stderr);
    }
    for attempt in ON_THE_FENCE {
        mallory.kubectl(attempt, "").await.unwrap().checked().unwrap();
    }
}

fn split(line: &str) -> Vec<&str> {
    line.split(' ').map(|word| word.trim_matches('\'')).collect()
}

/// The shipped files, at a place of the test's own.
fn with_files(folder: &Path) -> Options {
    const SHIPPED: &str = "/etc/kubernetes/gitward";
    let here = folder.display().to_string();
    std::fs::create_dir(folder.join("static")).unwrap();
    let fence = include_str!("../../deploy/control-plane/static/gitward-fence.yaml");
    std::fs::write(folder.join("static/gitward-fence.yaml"), fence).unwrap();
    let nobody = include_str!("../../deploy/control-plane/nobody.kubeconfig");
    std::fs::write(folder.join("nobody.kubeconfig"), nobody).unwrap();
    Options {
        feature_gates: vec!["ManifestBasedAdmissionControlConfig=true".to_owned()],
        admission_config: Some(include_str!("../../deploy/control-plane/admission.yaml").replace(SHIPPED, &here)),
        authorization_config: Some(
            include_str!("../../deploy/control-plane/authorization.yaml").replace(SHIPPED, &here),
        ),
        ..edits::options()
    }
}
