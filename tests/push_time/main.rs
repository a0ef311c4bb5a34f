//! What the push gate costs the pusher: `cargo bench -p gitward --bench push [-- PUSHES]`.
//!
//! Each push is a real `git push` over HTTP of one commit that changes one file of a tree of 100, and of
//! 1,000, manifests; to a repository without hooks, with a hook that does nothing, and with gitward's.
//! They take turns, so that all three see the same machine. Then the hook alone, run as Git would run it, for
//! one changed file of 10,000, with the index and without. Everything has been read once before (warm).

#![allow(clippy::print_stdout, reason = "a program that prints figures")]

#[path = "../check_time/corpus.rs"]
mod corpus;
mod hook;
#[path = "../check_time/policies.rs"]
mod policies;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use gitward_test_cluster::{GitHost, WorkTree};

const CONFIGURATION: &str = "\
apiVersion: gitward.dev/v1alpha1
kind: Configuration
environments:
- name: prod
  ref: refs/heads/main
  path: prod
  namespaces: [shop]
";

const HOOKS: [&str; 3] = ["no hook", "a no-op hook", "gitward"];

fn main() {
    let pushes = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(20);
    println!("push of one changed file   manifests     median       p99   times no hook");
    for manifests in [100, 1_000] {
        let folder = tempfile::tempdir().unwrap();
        let host = GitHost::start(folder.path().join("host")).unwrap();
        let trees: Vec<WorkTree> = HOOKS.iter().map(|hook| tree(&host, folder.path(), hook, manifests)).collect();
        let mut found: [Vec<Duration>; 3] = Default::default();
        for turn in 0..pushes {
            for (tree, times) in trees.iter().zip(&mut found) {
                times.push(push(tree, manifests / 2, turn));
            }
        }
        let base = quantile(&mut found[0], 0.5);
        for (hook, times) in HOOKS.iter().zip(&mut found) {
            let median = quantile(times, 0.5);
            println!(
                "{hook:24} {manifests:>11} {:>7} ms {:>6} ms   {:.2}",
                median.as_millis(),
                quantile(times, 0.99).as_millis(),
                median.as_secs_f64() / base.as_secs_f64()
            );
        }
    }
    hook::tell(10_000, pushes);
}

/// A clone whose first commit, with all manifests, is pushed already.
fn tree(host: &GitHost, folder: &Path, hook: &str, manifests: usize) -> WorkTree {
    let name = hook.replace(' ', "-");
    let repository = host.create_repository(&name).unwrap();
    match hook {
        "no hook" => {}
        "gitward" => {
            let mut install = Command::new(env!("CARGO_BIN_EXE_gitward"));
            let installed = install.args(["hook", "install", "--repo"]).arg(repository.path()).output().unwrap();
            assert!(installed.status.success(), "{}", String::from_utf8_lossy(&installed.stderr));
        }
        _ => repository.install_hook("pre-receive", "#!/bin/sh\nexit 0\n").unwrap(),
    }
    let tree = WorkTree::clone(repository.url(), folder.join(name)).unwrap();
    tree.write("gitward.yaml", CONFIGURATION).unwrap();
    for n in 0..manifests {
        tree.write(&format!("prod/web-{n}.yaml"), deployment(n, 0)).unwrap();
    }
    tree.commit("The shop").unwrap();
    let pushed = tree.push().unwrap();
    assert!(pushed.success(), "{}", pushed.stderr);
    tree
}

fn push(tree: &WorkTree, n: usize, turn: usize) -> Duration {
    tree.write(&format!("prod/web-{n}.yaml"), deployment(n, turn + 1)).unwrap();
    tree.commit("One more").unwrap();
    let began = Instant::now();
    let pushed = tree.push().unwrap();
    let took = began.elapsed();
    assert!(pushed.success(), "{}", pushed.stderr);
    took
}

fn deployment(n: usize, version: usize) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web-{n}\n  namespace: shop\nspec:\n  \
         replicas: 2\n  selector:\n    matchLabels: {{app: web-{n}}}\n  template:\n    metadata:\n      \
         labels: {{app: web-{n}}}\n    spec:\n      containers:\n      - name: web\n        \
         image: registry.example.org/shop/web:1.{version}.0\n        \
         resources: {{requests: {{cpu: 10m, memory: 16Mi}}, limits: {{memory: 64Mi}}}}\n        \
         securityContext: {{allowPrivilegeEscalation: false, runAsNonRoot: true}}\n"
    )
}

fn quantile(times: &mut [Duration], q: f64) -> Duration {
    times.sort_unstable();
    times[((times.len() - 1) as f64 * q) as usize]
}
