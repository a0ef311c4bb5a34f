//! What is there when the play is over, for whoever wants to try things.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use gitward_test_cluster::BRANCH;
use k8s_openapi::api::core::v1::Event;
use kube::Api;
use kube::api::ListParams;

use super::fleet::WEB;
use super::play::{Play, line};

/// How often new alerts are looked for.
const EVERY: Duration = Duration::from_millis(500);

/// Says what runs where, and what to try.
pub(super) fn tell(play: &Play<'_>) {
    let (say, fleet, stage) = (play.say, play.fleet, &play.stage);
    let (shop, url) = (fleet.shop(), stage.repository.url());
    say.act("Everything went as told. It is all yours now, until Ctrl-C:");
    say.tell(&format!("  kubeconfig   {} (alice, cluster-admin)", play.alice.display()));
    say.tell(&format!("  Git remote   {url}"));
    say.tell(&format!("  follows      branch {BRANCH}, path prod (environment {})", fleet.environment()));
    say.tell(&format!("  governs      namespaces {}", fleet.namespaces().join(", ")));
    say.tell("\nTry, in another terminal:\n");
    say.tell(&format!("  export KUBECONFIG={}", play.alice.display()));
    let kubectl = stage.cluster.kubectl_program();
    if !is_on_path(kubectl) {
        say.tell(&format!("  alias kubectl={}", kubectl.display()));
    }
    say.tell("  kubectl get environments");
    say.tell(&format!("  kubectl -n {shop} set env deployment/web DEBUG=1"));
    say.tell(&format!("  kubectl -n {shop} get events --field-selector source=gitward"));
    say.tell(&format!("  git clone {url} && cd fleet"));
    say.tell(&format!("  sed -i.old 's/greeting: hello/greeting: welcome/' {WEB} && rm {WEB}.old"));
    say.tell(&format!("  git commit --all -m Welcome && git push && kubectl -n {shop} get configmap web -o yaml -w"));
    say.tell("\nWhat gitward says from now on:\n");
}

fn is_on_path(program: &Path) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    program
        .parent()
        .is_none_or(|folder| folder.as_os_str().is_empty() || std::env::split_paths(&path).any(|p| p == folder))
}

/// Tells every new Event of gitward, for ever.
pub(super) async fn alerts(play: &Play<'_>) {
    let api: Api<Event> = Api::all(play.client.clone());
    let mut told: Option<BTreeSet<Option<String>>> = None;
    loop {
        // An API server that is away for a moment has no news.
        if let Ok(events) = api.list(&ListParams::default().fields("source=gitward")).await {
            let known = told.take();
            for event in &events.items {
                if known.as_ref().is_some_and(|known| !known.contains(&event.metadata.uid)) {
                    play.say.quote(&line(event));
                }
            }
            told = Some(events.items.into_iter().map(|event| event.metadata.uid).collect());
        }
        tokio::time::sleep(EVERY).await;
    }
}
