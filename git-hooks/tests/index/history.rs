//! A repository whose files change at random.

use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use gitward_git_hooks::RefUpdate;
use gitward_repo::Repository;
use tempfile::TempDir;

use crate::pool;

/// Numbers that look like chance and are the same every time.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % end
    }

    fn of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}

/// A manifest as people edit it: most of what they change is nothing to other files.
fn touched(text: &str, random: &mut Random) -> String {
    match random.below(6) {
        0 if !text.is_empty() => format!("# told\n{text}"),
        1 => text.replace("web:1", "web:2").replace("colour: red", "colour: blue"),
        2 => text.replace("replicas: 1", "replicas: 7").replace("image:", "imagee:"),
        3 => text.replace("replicas: 1", "replicas: [1]"),
        _ => text.to_owned(),
    }
}

pub(crate) struct History {
    folder: TempDir,
    /// What the last push did.
    last: RefCell<String>,
}

impl History {
    /// A repository with rules and nothing else.
    pub(crate) fn begun() -> Self {
        let history = Self { folder: tempfile::tempdir().unwrap(), last: RefCell::default() };
        history.git(&["init", "--quiet", "--initial-branch=main"]);
        history.write("gitward.yaml", pool::CONFIGURATION);
        history.write("policies/replicas.rego", pool::POLICY);
        history.commit();
        history
    }

    pub(crate) fn repository(&self) -> Repository {
        Repository::open(self.folder.path()).unwrap()
    }

    pub(crate) fn index_directory(&self) -> PathBuf {
        self.folder.path().join(".git/gitward/index")
    }

    pub(crate) fn last(&self) -> String {
        self.last.borrow().clone()
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn remove(&self, path: &str) {
        fs::remove_file(self.folder.path().join(path)).unwrap();
    }

    /// Commits what is there, and gives the push of it.
    pub(crate) fn commit(&self) -> RefUpdate {
        let old = self.git(&["rev-parse", "--verify", "--quiet", "HEAD"]);
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", "change"]);
        let zeros = "0".repeat(40);
        let old = if old.is_empty() { &zeros } else { &old };
        RefUpdate::new(old, &self.git(&["rev-parse", "HEAD"]), "refs/heads/main").unwrap()
    }

    /// A push that changes one thing or three.
    pub(crate) fn push(&self, random: &mut Random) -> RefUpdate {
        self.last.borrow_mut().clear();
        for _ in 0..*random.of(&[1, 1, 1, 3]) {
            self.change(random);
        }
        self.commit()
    }

    fn change(&self, random: &mut Random) {
        let (path, text) = match random.below(16) {
            0 => ("gitward.yaml", *random.of(&pool::CONFIGURATIONS)),
            1 => ("policies/replicas.rego", *random.of(&pool::POLICIES)),
            2 => (*random.of(&["crds/one.yaml", "deploy/crd.yaml"]), *random.of(&pool::DEFINITIONS)),
            3 => ("deploy/listed/kustomization.yaml", *random.of(&pool::KUSTOMIZATIONS)),
            _ => (*random.of(&pool::PATHS), *random.of(&pool::TEXTS)),
        };
        let text = if path.starts_with("deploy/") { &touched(text, random) } else { text };
        if text.is_empty() {
            let _ = fs::remove_file(self.folder.path().join(path));
        } else {
            self.write(path, text);
        }
        self.last.borrow_mut().push_str(&format!("{path}:\n{text}\n"));
    }

    /// Takes the content of a file out of the repository.
    pub(crate) fn lose(&self, path: &str) {
        let id = self.git(&["rev-parse", &format!("HEAD:{path}")]);
        let (directory, file) = id.split_at(2);
        fs::remove_file(self.folder.path().join(".git/objects").join(directory).join(file)).unwrap();
    }

    fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .current_dir(self.folder.path())
            .args(["-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "commit.gpgsign=false"])
            .args(["-c", "gc.auto=0"])
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success() || arguments[0] == "rev-parse", "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}
