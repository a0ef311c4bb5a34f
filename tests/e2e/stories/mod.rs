//! Everyday life: with both gates closed, all that people and controllers legitimately do goes on.
//! No controller is denied, nothing is taken for a divergence, and every end is reached.

mod configuration;
mod daemons;
mod ends;
mod figures;
mod jobs;
mod kinds;
mod manifests;
mod nodes;
mod owners;
mod rollouts;
mod scaling;
mod scene;
mod sets;
mod theatre;

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::{LocalBoxFuture, join_all};
use gitward_test_cluster::{Component, Options};

use crate::edits;
use figures::Figures;
use scene::Scene;
use theatre::Theatre;

/// The node that is lost, and the one that comes later.
const LOST: Component = Component::Node(2);
const LATE: Component = Component::Node(3);

type Play = for<'a> fn(Scene<'a>) -> LocalBoxFuture<'a, ()>;

/// A story: what it is, its namespace, and how it goes.
struct Story(&'static str, &'static str, Play);

macro_rules! stories {
    ($($name:literal in $namespace:ident: $play:path),* $(,)?) => {
        &[$(Story($name, stringify!($namespace), |scene| $play(scene).boxed_local())),*]
    };
}

const STORIES: &[Story] = stories! {
    "a rolling update, and back through Git" in rolls: rollouts::there_and_back,
    "a restart by an exempted account" in rolls: rollouts::restart,
    "an exempted account debugs a Pod" in rolls: rollouts::debugged,
    "one update overtakes another" in rolls: rollouts::overtaken,
    "a paused Deployment goes on" in rolls: rollouts::paused,
    "Pods are recreated, not rolled" in rolls: rollouts::recreated,
    "an autoscaler's bounds move" in scales: scaling::autoscaler,
    "replicas through Git" in scales: scaling::through_git,
    "a ConfigMap and a Secret are turned over" in turns: configuration::turned_over,
    "a Job runs, and its next content" in jobs: jobs::two_contents,
    "an Indexed Job" in jobs: jobs::indexed,
    "a Job that is gone when its time is over" in jobs: jobs::time_to_live,
    "a suspended Job is resumed" in jobs: jobs::resumed,
    "a Job that fails, its Pods collected" in jobs: jobs::failing,
    "a Job with fewer Pods, and with none" in jobs: jobs::fewer,
    "a Job that takes too long" in jobs: jobs::too_long,
    "a CronJob fires" in cron: jobs::cron,
    "a job out of turn" in turns: jobs::out_of_turn,
    "a StatefulSet grows, shrinks and is updated" in sets: sets::up_and_down,
    "a StatefulSet whose claims go with it" in sets: sets::claims_go,
    "a StatefulSet is held back by a partition" in sets: sets::partition,
    "a DaemonSet is updated" in daemons: daemons::updated,
    "evictions within a budget" in nodes: nodes::evicted,
    "a node is drained and comes back" in nodes: nodes::drained,
    "a node is lost" in nodes: nodes::lost,
    "a more important Pod takes a place" in nodes: nodes::preempted,
    "quotas and limits through Git" in limits: configuration::limits,
    "tokens of service accounts" in tokens: configuration::tokens,
    "an application elects a leader" in tokens: configuration::lease,
    "a namespace comes and goes through Git" in born: kinds::namespace,
    "a CRD comes, changes and goes through Git" in kinds: kinds::definition_of_widgets,
    "aggregated roles" in kinds: kinds::aggregated,
    "devices for a Pod" in claims: kinds::devices,
    "Pods are orphaned and adopted" in orphans: owners::orphaned,
    "a whole tree goes with its root" in orphans: owners::collected,
    "a Pod is deleted by an exempted account" in spare: owners::replaced,
};

#[tokio::test(flavor = "multi_thread")]
async fn everyday_life_goes_on() {
    let began = Instant::now();
    let mut theatre = open().await;
    println!("{:>6.1} s  the stage is set", began.elapsed().as_secs_f64());
    let mut failed = Vec::new();
    let played = STORIES.iter().filter(|s| wanted(s.0)).map(|story| theatre.play(story));
    failed.extend(join_all(played).await.into_iter().flatten());
    for (name, act) in ends::ACTS.iter().filter(|(name, _)| wanted(name)) {
        let began = Instant::now();
        let outcome = AssertUnwindSafe(act(&mut theatre)).catch_unwind().await;
        failed.extend(theatre::told(name, began, outcome));
    }
    // What would be taken for a divergence is looked at within a moment.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let figures = Figures::take(&theatre).await;
    println!("{figures}");
    println!("{:>6.1} s  in all", began.elapsed().as_secs_f64());
    failed.extend(figures.denied_to_others());
    failed.extend(theatre.divergences());
    assert!(failed.is_empty(), "{} failures:\n{}", failed.len(), failed.join("\n"));
}

/// Whether a story is played: all are, unless `GITWARD_STORIES` names some.
fn wanted(name: &str) -> bool {
    std::env::var("GITWARD_STORIES").map_or(true, |some| some.split(',').any(|part| name.contains(part)))
}

fn options() -> Options {
    let flags = [
        // Simulated kubelets renew their leases every ten seconds.
        "--node-monitor-grace-period=25s",
        "--node-monitor-period=1s",
        "--terminated-pod-gc-threshold=12",
        "--leader-elect=true",
    ];
    Options { simulated_nodes: 4, controller_manager_flags: flags.map(str::to_owned).to_vec(), ..edits::options() }
}

async fn open() -> Theatre {
    let mut theatre = Theatre::set(options()).await;
    theatre.stage.cluster.kill(LATE);
    theatre.admin("delete node node-3").await;
    theatre.admin("taint node node-1 for=drain:NoSchedule").await;
    theatre.admin("taint node node-2 for=loss:NoSchedule").await;
    theatre.plant().await;
    // Its absence is noticed while the stories go on.
    nodes::to_be_lost_runs(theatre.scene("nodes")).await;
    theatre.stage.cluster.kill(LOST);
    theatre
}
