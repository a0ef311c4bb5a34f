//! The hook alone: one changed file of a large repository, judged with the index and without.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::{corpus, policies, quantile};

/// Policies of the repository besides those that gitward brings, to make twenty.
const OF_OUR_OWN: usize = 7;

/// Prints what judging takes with the index, without, and what the program takes that does nothing.
pub(crate) fn tell(files: usize, rounds: usize) {
    let folder = tempfile::tempdir().unwrap();
    let guarded = Guarded::with(folder.path(), files);
    println!(
        "\none changed file of {files} ({:.1} MB), judged as a hook, 20 policies: median, p99",
        guarded.bytes as f64 / 1e6
    );
    let row = |what: &str, mut times: Vec<Duration>| {
        let of = |times: &mut [Duration], q| quantile(times, q).as_secs_f64() * 1e3;
        println!("{what:24} {:>8.1} ms {:>8.1} ms", of(&mut times, 0.5), of(&mut times, 0.99));
    };
    row("the program alone", (0..rounds).map(|_| guarded.nothing()).collect());
    row("without index", (0..rounds.min(10)).map(|_| guarded.judge()).collect());
    row("writing the index", vec![guarded.accept()]);
    let index: u64 = fs::read_dir(guarded.repository.join("gitward/index"))
        .unwrap()
        .map(|e| e.unwrap().metadata().unwrap().len())
        .sum();
    row("with index", (0..rounds).map(|_| guarded.judge()).collect());
    println!("the index takes {:.1} MB", index as f64 / 1e6);
}

/// A bare repository, and a commit that somebody pushes to it.
struct Guarded {
    repository: PathBuf,
    bytes: usize,
    old: String,
    new: String,
}

impl Guarded {
    fn with(folder: &Path, count: usize) -> Self {
        let (repository, work) = (folder.join("fleet.git"), folder.join("work"));
        git(folder, &["init", "--quiet", "--bare", "--initial-branch=main", "fleet.git"]);
        git(folder, &["init", "--quiet", "--initial-branch=main", "work"]);
        fs::create_dir(work.join("policies")).unwrap();
        fs::write(work.join("gitward.yaml"), corpus::configuration(true)).unwrap();
        for (name, text) in policies::policies(OF_OUR_OWN, "input.object") {
            fs::write(work.join("policies").join(name), text).unwrap();
        }
        let files = corpus::files(count);
        let bytes = corpus::write(&work, &files);
        let remote = repository.to_str().unwrap();
        let commit = |message: &str, to: &str| {
            git(&work, &["add", "--all"]);
            git(&work, &["commit", "--quiet", "-m", message]);
            git(&work, &["push", "--quiet", remote, to]);
            git(&work, &["rev-parse", "HEAD"])
        };
        let old = commit("The fleet", "HEAD:refs/heads/main");
        // The objects are there; the branch that feeds the environment has not moved yet.
        fs::write(work.join(&files[count / 5].path), files[count / 5].text.replace("replicas: 2", "replicas: 3"))
            .unwrap();
        let new = commit("One more", "HEAD:refs/heads/draft");
        Self { repository, bytes, old, new }
    }

    fn nothing(&self) -> Duration {
        let began = Instant::now();
        let done = Command::new(env!("CARGO_BIN_EXE_gitward")).arg("--version").output().unwrap();
        assert!(done.status.success());
        began.elapsed()
    }

    fn judge(&self) -> Duration {
        self.hook("pre-receive", &format!("{} {} refs/heads/main\n", self.old, self.new))
    }

    /// What follows an accepted push of what is there.
    fn accept(&self) -> Duration {
        self.hook("post-receive", &format!("{} {} refs/heads/main\n", "0".repeat(40), self.old))
    }

    fn hook(&self, hook: &str, updates: &str) -> Duration {
        let began = Instant::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_gitward"))
            .args(["hook", hook])
            .current_dir(&self.repository)
            .env("GIT_DIR", ".")
            // How long it takes is the question, however busy the machine.
            .env("GITWARD_HOOK_TIMEOUT", "600")
            .env_remove("RUST_BACKTRACE")
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(updates.as_bytes()).unwrap();
        let done = child.wait_with_output().unwrap();
        let took = began.elapsed();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        took
    }
}

fn git(at: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .arg("-C")
        .arg(at)
        .args([
            "-c",
            "user.name=Ann",
            "-c",
            "user.email=ann@example.org",
            "-c",
            "commit.gpgsign=false",
            "-c",
            "gc.auto=0",
        ])
        .args(arguments)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
