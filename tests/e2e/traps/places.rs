//! A stranger's object in the place of a declared one: what cannot be changed of it keeps it from
//! becoming Git's.

use super::Traps;

const WEB: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: traps}
spec:
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

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_in_a_workloads_place_gives_it_up() {
    let mut traps = Traps::set(&[("prod/web.yaml", WEB)]).await;
    traps.stage.kill_reconciler();
    traps.without_webhook().await;
    traps.attack("delete deployment/web -n traps", "").await;
    traps.attack("create -f -", &WEB.replace("app: web", "app: evil").replace("app:1", "evil:1")).await;
    traps.stage.start_reconciler().await.unwrap();
    let web = traps
        .until("deployment/web -n traps", "Git's Deployment is back", |web| {
            web["spec"]["selector"]["matchLabels"]["app"] == "web"
        })
        .await;
    assert_eq!(web["spec"]["template"]["spec"]["containers"][0]["image"], "registry.example.org/app:1");
    traps.until("deployment/web -n traps", "it runs", |web| web["status"]["readyReplicas"] == 1).await;
}
