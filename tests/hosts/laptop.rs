//! A pusher's clone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

pub(crate) const GITWARD: &str = env!("CARGO_BIN_EXE_gitward");

const CONFIGURATION: &str = "\
apiVersion: gitward.dev/v1alpha1
kind: Configuration
starterPolicies: false
environments:
- {name: prod, ref: refs/heads/main, path: deploy, namespaces: [shop]}
";

const CONFIG_MAP: &str = "\
apiVersion: v1
kind: ConfigMap
metadata: {name: web, namespace: shop}
data: {a: b}
";

pub(crate) struct Laptop {
    folder: PathBuf,
    home: PathBuf,
    ssh: String,
}

impl Laptop {
    pub(crate) fn new(folder: &Path, hash: &str, url: &str, ssh: String) -> Self {
        let laptop = Self { folder: folder.join("laptop"), home: folder.to_owned(), ssh };
        fs::create_dir(&laptop.folder).unwrap();
        laptop.git(&["init", "--quiet", "--initial-branch=main", &format!("--object-format={hash}")]);
        laptop.git(&["remote", "add", "origin", url]);
        laptop.write("gitward.yaml", CONFIGURATION);
        laptop
    }

    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new("git")
            .current_dir(&self.folder)
            .args(["-c", "user.name=Ann Author", "-c", "user.email=ann@example.org", "-c", "commit.gpgsign=false"])
            .args(arguments)
            .env("HOME", &self.home)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_SSH_COMMAND", &self.ssh)
            .env("LC_ALL", "C")
            .output()
            .unwrap()
    }

    /// Pushes `main`; whether it got in, and what was said.
    pub(crate) fn push(&self) -> (bool, String) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "-m", "change"]);
        let output = self.run(&["push", "origin", "main"]);
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// A good push, a bad one, and the mended one; what was said of the three.
    pub(crate) fn good_bad_and_mended(&self) -> [String; 3] {
        self.write("deploy/web.yaml", CONFIG_MAP);
        let (accepted, first) = self.push();
        assert!(accepted, "{first}");
        shows(
            &first,
            &["remote: gitward: accepted: prod at refs/heads/main: 1 object", "prod follows refs/heads/main"],
        );
        self.write("deploy/web.yaml", &CONFIG_MAP.replace("\ndata:", "\ndta:"));
        let (accepted, second) = self.push();
        assert!(!accepted, "{second}");
        shows(
            &second,
            &[
                "remote: error[schema/unknown-field]: `dta` is not a field of ConfigMap",
                "deploy/web.yaml:4:1",
                "remote: gitward: rejected: 1 error in prod at refs/heads/main",
                "pre-receive hook declined",
            ],
        );
        self.write("deploy/web.yaml", &CONFIG_MAP.replace("a: b", "a: c"));
        let (accepted, third) = self.push();
        assert!(accepted, "{third}");
        [first, second, third]
    }
}

pub(crate) fn shows(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
}
