//! What a full check costs: `cargo bench --workspace --bench check [-- FILES]`.
//!
//! gitward with the schemas of Kubernetes and twenty policies, beside conftest with ten policies alone and
//! kubeconform, strict, with full schemas alone: each over the same generated files, taking turns, so that
//! all see the same machine. Each run is a process of its own. The files are in the system's memory (warm)
//! but for a first round, where the system can be asked to forget them (cold).

#![allow(clippy::print_stdout, reason = "a program that prints figures")]

mod corpus;
mod measure;
mod policies;
mod schemas;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;

use gitward_test_cluster::{Peers, Progress, Sources};
use measure::Taken;

/// Policies of the repository besides those that gitward brings, to make twenty.
const OF_OUR_OWN: usize = 7;

const ROUNDS: usize = 5;

fn main() {
    let count = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(10_000);
    let peers = Peers::provide(&Sources::from_env(), &Progress::default()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let bytes = lay_out(folder.path(), count);
    let kinds = schemas::write(&peers.openapi, &folder.path().join("schemas"));
    let shares: Vec<String> = corpus::HISTOGRAM.iter().map(|(kind, share)| format!("{share} % {kind}")).collect();
    println!(
        "{count} files of {:.1} MB in {} namespaces: {}",
        bytes as f64 / 1e6,
        corpus::NAMESPACES,
        shares.join(", ")
    );
    println!("{} processors; kubeconform has schemas of {kinds} kinds\n", thread::available_parallelism().unwrap());

    let mut programs = programs(folder.path(), &peers);
    println!("{:44} {:>9} {:>9} {:>9}", "", "wall", "CPU", "memory");
    if measure::forget_files() {
        for (name, command) in &mut programs {
            measure::forget_files();
            let (taken, said) = measure::run(command);
            tell(&format!("{name}, cold"), &taken, &said);
        }
    }
    let mut taken: Vec<Vec<Taken>> = vec![Vec::new(); programs.len()];
    for _ in 0..ROUNDS {
        for ((_, command), taken) in programs.iter_mut().zip(&mut taken) {
            taken.push(measure::run(command).0);
        }
    }
    let medians: Vec<Taken> = taken.iter_mut().map(|runs| median(runs)).collect();
    for ((name, _), taken) in programs.iter().zip(&medians) {
        tell(&format!("{name}, warm"), taken, "");
    }
    let [gitward, conftest, kubeconform] = medians[..] else { unreachable!("three programs") };
    let times = |other: &Taken| other.wall.as_secs_f64() / gitward.wall.as_secs_f64();
    println!(
        "\nconftest takes {:.1} times as long as gitward, kubeconform {:.2} times",
        times(&conftest),
        times(&kubeconform)
    );
}

/// Writes the repository of manifests and policies, and policies and room for schemas beside it.
fn lay_out(folder: &Path, count: usize) -> usize {
    let (repository, conftest) = (folder.join("repository"), folder.join("conftest"));
    for directory in [&repository.join("policies"), &conftest, &folder.join("schemas")] {
        fs::create_dir_all(directory).unwrap();
    }
    fs::write(repository.join("gitward.yaml"), corpus::configuration(true)).unwrap();
    for (name, text) in policies::policies(OF_OUR_OWN, "input.object") {
        fs::write(repository.join("policies").join(name), text).unwrap();
    }
    for (name, text) in policies::policies(10, "input") {
        fs::write(conftest.join(name), text).unwrap();
    }
    corpus::write(&repository, &corpus::files(count))
}

fn programs(folder: &Path, peers: &Peers) -> Vec<(&'static str, Command)> {
    let manifests = folder.join("repository/apps");
    let mut gitward = Command::new(env!("CARGO_BIN_EXE_gitward"));
    gitward.arg("check").arg(folder.join("repository"));
    // Where it is set each fault within the policy engine is traced, whoever hears of it.
    gitward.env_remove("RUST_BACKTRACE");
    let mut conftest = Command::new(&peers.conftest);
    conftest.args(["test", "--no-color", "--all-namespaces", "--policy"]).arg(folder.join("conftest")).arg(&manifests);
    let mut kubeconform = Command::new(&peers.kubeconform);
    let schemas = folder.join("schemas/{{.ResourceKind}}{{.KindSuffix}}.json");
    let processors = thread::available_parallelism().unwrap().to_string();
    kubeconform.args(["-strict", "-summary", "-n", &processors, "-schema-location"]).arg(schemas).arg(&manifests);
    vec![
        ("gitward, schemas and 20 policies", gitward),
        ("conftest, 10 policies alone", conftest),
        ("kubeconform, strict schemas alone", kubeconform),
    ]
}

/// Of each figure the median.
fn median(runs: &mut [Taken]) -> Taken {
    let middle = runs.len() / 2;
    let mut of = |key: &dyn Fn(&Taken) -> u128| {
        runs.sort_by_key(key);
        runs[middle]
    };
    Taken {
        wall: of(&|t| t.wall.as_nanos()).wall,
        cpu: of(&|t| t.cpu.as_nanos()).cpu,
        memory: of(&|t| u128::from(t.memory)).memory,
    }
}

fn tell(name: &str, taken: &Taken, said: &str) {
    let (wall, cpu, memory) = (taken.wall.as_secs_f64(), taken.cpu.as_secs_f64(), taken.memory / (1 << 20));
    println!("{name:44} {wall:>7.2} s {cpu:>7.2} s {memory:>5} MiB  {said}");
}
