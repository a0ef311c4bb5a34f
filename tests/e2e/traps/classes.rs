//! Default classes that Git does not declare: what names no class would take theirs.

use gitward_test_cluster::Stage;

use super::{GIVE_UP, Traps};
use crate::edits;
use crate::fleet::gitward;

const CONFIGURATION: &str = "apiVersion: gitward.dev/v1alpha1
kind: Configuration
environments:
- {name: prod, ref: refs/heads/main, path: prod, namespaces: [traps]}
";

const MANIFESTS: &str = "apiVersion: v1
kind: Namespace
metadata: {name: traps}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: traps}
spec:
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 1Gi}}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: door, namespace: traps}
spec:
  defaultBackend: {service: {name: web, port: {number: 80}}}
";

const CLASSES: &str = "apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata:
  name: provided
  annotations: {storageclass.kubernetes.io/is-default-class: \"true\"}
provisioner: example.org/provided
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata:
  name: provided
  annotations: {ingressclass.kubernetes.io/is-default-class: \"true\"}
spec: {controller: example.org/provided}
";

#[tokio::test(flavor = "multi_thread")]
async fn a_default_class_that_git_does_not_know_is_taken_by_nothing() {
    let stage = Stage::set(gitward(), edits::options()).await.unwrap();
    stage.install_hooks().unwrap();
    edits::empower(&stage).await.unwrap();
    stage.cluster.apply(CLASSES).await.unwrap().checked().unwrap();
    stage.work.write("gitward.yaml", CONFIGURATION).unwrap();
    stage.work.write("prod/all.yaml", MANIFESTS).unwrap();
    let client = stage.cluster.client().await.unwrap();
    let mut traps = Traps { stage, client };

    traps.push_only("What names no class");
    traps.stage.create_environment().await.unwrap();
    traps.stage.start_reconciler().await.unwrap();
    let message = traps.stage.wait_condition("Converged", "False", GIVE_UP).await.unwrap();
    assert!(message.contains("IngressClass/provided") && message.contains("nothing of it was applied"), "{message}");
    traps.told("UnknownMutator", "provided").await;
    assert!(traps.get("persistentvolumeclaim/data -n traps").await.is_null());

    let known = "knownMutators: [StorageClass/provided, IngressClass/provided]\n";
    traps.stage.work.write("gitward.yaml", format!("{CONFIGURATION}{known}")).unwrap();
    traps.push("They are known").await;
    let claim = traps.get("persistentvolumeclaim/data -n traps").await;
    assert_eq!(claim["spec"]["storageClassName"], "provided");
    assert_eq!(traps.get("ingress/door -n traps").await["spec"]["ingressClassName"], "provided");
    traps.stage.start_webhook().await.unwrap();

    let evil = CLASSES.split("---").next().unwrap().replace("provided", "evil");
    traps.attack("create -f -", &evil).await;
    traps.told("UnknownMutator", "evil").await;
    traps.replace("prod/all.yaml", "name: data", "name: other");
    traps.push_only("Another claim");
    let message = traps.stage.wait_condition("Converged", "False", GIVE_UP).await.unwrap();
    assert!(message.contains("StorageClass/evil"), "{message}");
    traps.attack("delete storageclass/evil", "").await;
    traps.push("Nobody stands between").await;
    assert_eq!(traps.get("persistentvolumeclaim/other -n traps").await["spec"]["storageClassName"], "provided");
}
