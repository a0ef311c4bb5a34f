//! Changes of what is there that the API server or a controller answers with something of its own: other
//! addresses and ports of a Service, replicas that an autoscaler gave.

use super::{GIVE_UP, Traps};

const SERVICES: &str = "apiVersion: v1
kind: Service
metadata: {name: web, namespace: traps}
spec:
  selector: {app: web}
  ports: [{name: a, port: 80}]
---
apiVersion: v1
kind: Service
metadata: {name: away, namespace: traps}
spec: {type: ExternalName, externalName: example.org}
---
apiVersion: v1
kind: Service
metadata: {name: headless, namespace: traps}
spec:
  clusterIP: None
  selector: {app: web}
";

const WEB: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: traps}
spec:
  replicas: 3
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
      - name: app
        image: registry.example.org/app:1
";

const AUTOSCALER: &str = "apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web, namespace: traps}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  minReplicas: 4
  maxReplicas: 6
";

const SERVICE: &str = "service/web -n traps";
const DEPLOYMENT: &str = "deployment/web -n traps";

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_through_git_converges_whatever_is_drawn_for_it() {
    let traps = Traps::set(&[("prod/services.yaml", SERVICES), ("prod/web.yaml", WEB)]).await;
    services_change_their_type_and_ports(&traps).await;
    a_headless_service_stays_so_and_says_why(&traps).await;
    replicas_are_gits_again_without_the_autoscaler(&traps).await;
}

async fn services_change_their_type_and_ports(traps: &Traps) {
    let address = traps.get(SERVICE).await["spec"]["clusterIP"].clone();
    traps.replace("prod/services.yaml", "  selector: {app: web}\n  ports: [{name: a, port: 80}]", NODE_PORTS[0]);
    traps.push("Reached from outside").await;
    let port = traps.get(SERVICE).await["spec"]["ports"][0]["nodePort"].clone();
    assert!(port.is_u64(), "{port}");
    traps.replace("prod/services.yaml", NODE_PORTS[0], NODE_PORTS[1]);
    traps.push("One port more").await;
    let ports = traps.get(SERVICE).await["spec"]["ports"].clone();
    assert_eq!(ports[0]["nodePort"], port);
    assert!(ports[1]["nodePort"].is_u64(), "{ports}");
    traps.replace("prod/services.yaml", "{type: ExternalName, externalName: example.org}", "{ports: [{port: 80}]}");
    traps.push("At home").await;
    let away = traps.get("service/away -n traps").await;
    assert!(away["spec"]["clusterIP"].as_str().is_some_and(|ip| !ip.is_empty()), "{away}");
    traps.in_peace(&[SERVICE, "service/away -n traps"]).await;

    // What was drawn is expected from then on: nobody swaps it.
    let swap = "patch service/web -n traps --type=json -p \
                '[{\"op\":\"replace\",\"path\":\"/spec/ports/1/nodePort\",\"value\":30999}]'";
    traps.denied(swap, "").await;
    traps.replace("prod/services.yaml", "  type: NodePort\n", "");
    traps.push("Not from outside any more").await;
    let service = traps.get(SERVICE).await;
    assert_eq!((&service["spec"]["clusterIP"], &service["spec"]["type"]), (&address, &"ClusterIP".into()));
    traps.in_peace(&[SERVICE]).await;
}

const NODE_PORTS: [&str; 2] = [
    "  type: NodePort\n  selector: {app: web}\n  ports: [{name: a, port: 80}]",
    "  type: NodePort\n  selector: {app: web}\n  ports: [{name: a, port: 80}, {name: b, port: 81}]",
];

async fn a_headless_service_stays_so_and_says_why(traps: &Traps) {
    let before = traps.stage.work.read("prod/services.yaml").unwrap();
    traps.replace("prod/services.yaml", "  clusterIP: None\n", "  ports: [{port: 80}]\n");
    let commit = traps.push_only("With an address");
    let refused = async || {
        let message = traps.stage.wait_condition("Converged", "False", GIVE_UP).await?;
        Ok(message.contains(&commit[..12]).then_some(message))
    };
    let message = traps.stage.wait_for("the refusal of an address", GIVE_UP, refused).await.unwrap();
    assert!(message.contains("Service/headless in traps") && message.contains("keeps a Service headless"), "{message}");
    traps.stage.work.write("prod/services.yaml", before).unwrap();
    traps.push("Without one").await;
}

async fn replicas_are_gits_again_without_the_autoscaler(traps: &Traps) {
    traps.stage.work.write("prod/autoscaler.yaml", AUTOSCALER).unwrap();
    traps.push("An autoscaler").await;
    traps.until(DEPLOYMENT, "the autoscaler's replicas", |web| web["spec"]["replicas"] == 4).await;
    // What is learnt now is learnt of an object with the autoscaler's number.
    traps.replace("prod/web.yaml", "app:1", "app:2");
    traps.push("Another image").await;
    assert_eq!(traps.get(DEPLOYMENT).await["spec"]["replicas"], 4);
    traps.stage.work.remove("prod/autoscaler.yaml").unwrap();
    traps.push("No autoscaler").await;
    traps.until(DEPLOYMENT, "Git's replicas", |web| web["spec"]["replicas"] == 3).await;
    traps.in_peace(&[DEPLOYMENT]).await;
}
