//! The versions that are built and downloaded, and which others will do.

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::binaries::Program;

/// The Kubernetes release that is built and downloaded, without the `v`.
pub(crate) const KUBERNETES: &str = "1.36.3";
/// The etcd release that is built and downloaded.
pub(crate) const ETCD: &str = "3.6.8";
/// The kwok release that is built and downloaded.
pub(crate) const KWOK: &str = "0.8.0";

/// The one Kubernetes minor accepted from elsewhere. Programs of two minors in one control plane
/// would test a skew that nobody asked for, and defaults differ between minors.
const KUBERNETES_MINOR: u32 = 36;
const ETCD_AT_LEAST: Version = Version(3, 5, 0);
const KWOK_AT_LEAST: Version = Version(0, 6, 0);
/// What go.mod asks for.
pub(crate) const GO_AT_LEAST: Version = Version(1, 26, 0);

/// How long a program may take to tell its version.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);

/// Major, minor, patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(pub(crate) u32, pub(crate) u32, pub(crate) u32);

impl Version {
    /// The first `1.2` or `1.2.3` in a text such as `Kubernetes v1.36.3` or `go1.26`.
    pub(crate) fn find(text: &str) -> Option<Self> {
        text.split(|c: char| !(c.is_ascii_digit() || c == '.')).find_map(|word| {
            let mut numbers = word.split('.').map(str::parse::<u32>);
            let major = numbers.next()?.ok()?;
            let minor = numbers.next()?.ok()?;
            let patch = numbers.next().and_then(Result::ok).unwrap_or(0);
            Some(Self(major, minor, patch))
        })
    }
}

/// Whether `version` of `program` may be used for a control plane.
fn suits(program: Program, version: Version) -> bool {
    match program {
        Program::Etcd => version >= ETCD_AT_LEAST && version.0 == 3,
        Program::Kwok => version >= KWOK_AT_LEAST,
        _ => version.0 == 1 && version.1 == KUBERNETES_MINOR,
    }
}

/// Whether the file at `path` runs and reports a suitable version.
pub(crate) fn is_suitable(program: Program, path: &Path) -> bool {
    let arguments: &[&str] = match program {
        Program::Kubectl => &["version", "--client"],
        _ => &["--version"],
    };
    ask(path, arguments).and_then(|answer| Version::find(&answer)).is_some_and(|version| suits(program, version))
}

/// The standard output of a program that answers in time and ends well.
pub(crate) fn ask(program: &Path, arguments: &[&str]) -> Option<String> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let started = Instant::now();
    // An answer fits in the pipe's buffer, so the program need not be read while it runs.
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if started.elapsed() < ANSWER_WITHIN => std::thread::sleep(Duration::from_millis(10)),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
        }
    };
    let mut answer = String::new();
    child.stdout.take()?.take(64 * 1024).read_to_string(&mut answer).ok()?;
    status.success().then_some(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_version_each_program_prints() {
        let cases = [
            ("Kubernetes v1.36.3\n", Some(Version(1, 36, 3))),
            ("Client Version: v1.36.3\nKustomize Version: v5.8.1", Some(Version(1, 36, 3))),
            ("etcd Version: 3.6.8\nGit SHA: Not provided", Some(Version(3, 6, 8))),
            ("kwok version v0.8.0 go1.26.8 (linux/amd64)", Some(Version(0, 8, 0))),
            ("go version go1.26.8 linux/amd64", Some(Version(1, 26, 8))),
            ("go version go1.27 linux/amd64", Some(Version(1, 27, 0))),
            ("go version devel", None),
            ("", None),
        ];
        for (text, version) in cases {
            assert_eq!(Version::find(text), version, "{text:?}");
        }
    }

    #[test]
    fn only_the_tested_minor_suits() {
        let cases = [
            (Program::KubeApiserver, Version(1, 36, 0), true),
            (Program::KubeApiserver, Version(1, 35, 9), false),
            (Program::Kubectl, Version(1, 37, 0), false),
            (Program::Etcd, Version(3, 4, 30), false),
            (Program::Etcd, Version(3, 5, 0), true),
            (Program::Etcd, Version(3, 7, 1), true),
            (Program::Kwok, Version(0, 5, 9), false),
            (Program::Kwok, Version(0, 9, 0), true),
        ];
        for (program, version, expected) in cases {
            assert_eq!(suits(program, version), expected, "{program:?} {version:?}");
        }
    }

    #[test]
    fn the_versions_are_those_of_go_mod() {
        let go_mod = include_str!("../go.mod");
        for line in [
            format!("require k8s.io/kubernetes v{KUBERNETES} "),
            format!("require go.etcd.io/etcd/server/v3 v{ETCD} "),
            format!("require sigs.k8s.io/kwok v{KWOK} "),
            format!("go {}.{}.{}\n", GO_AT_LEAST.0, GO_AT_LEAST.1, GO_AT_LEAST.2),
        ] {
            assert!(go_mod.contains(&line), "go.mod lacks {line:?}");
        }
    }
}
