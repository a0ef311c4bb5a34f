//! Where programs come from: what suits is taken, what is missing is downloaded and verified.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use flate2::Compression;
use flate2::write::GzEncoder;
use gitward_test_cluster::{Binaries, Error, Mirrors, Program, Progress, Sources};
use sha2::{Digest, Sha256};

type Files = BTreeMap<String, Vec<u8>>;
/// Paths that were asked for.
type Asked = Arc<Mutex<Vec<String>>>;

/// Serves files at paths, and notes what was asked for.
struct Mirror {
    url: String,
    asked: Asked,
    _runtime: tokio::runtime::Runtime,
}

impl Mirror {
    fn serving(files: Files) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let router = Router::new().fallback(answer).with_state((Arc::new(files), asked.clone()));
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { url, asked, _runtime: runtime }
    }

    fn mirrors(&self) -> Mirrors {
        let url = || self.url.clone();
        Mirrors { kubernetes: url(), etcd: url(), kwok: url(), kwok_sha256: None }
    }
}

async fn answer(State((files, asked)): State<(Arc<Files>, Asked)>, uri: Uri) -> Result<Vec<u8>, StatusCode> {
    asked.lock().unwrap().push(uri.path().to_owned());
    files.get(uri.path()).cloned().ok_or(StatusCode::NOT_FOUND)
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn architecture() -> &'static str {
    if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" }
}

fn kubectl_path() -> String {
    format!("/release/v1.36.3/bin/linux/{}/kubectl", architecture())
}

/// An etcd release as upstream packs it, with more in it than the program.
fn etcd_release(program: &[u8]) -> Files {
    let name = format!("etcd-v3.6.8-linux-{}", architecture());
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    for (member, contents) in [("README.md", &b"read me"[..]), ("etcd", program), ("etcdctl", b"another")] {
        let mut header = tar::Header::new_gnu();
        header.set_size(contents.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        archive.append_data(&mut header, format!("{name}/{member}"), contents).unwrap();
    }
    let archive = archive.into_inner().unwrap().finish().unwrap();
    let sums = format!("{}  other.zip\n{}  {name}.tar.gz\n", sha256(b"other"), sha256(&archive));
    [(format!("/v3.6.8/{name}.tar.gz"), archive), ("/v3.6.8/SHA256SUMS".to_owned(), sums.into_bytes())].into()
}

/// No assets, nothing on the search path (so no Go either), an empty cache.
fn bare(cache: &Path, mirrors: Mirrors) -> Sources {
    Sources { assets: None, search_path: None, cache: cache.to_owned(), mirrors }
}

fn script(folder: &Path, name: &str, prints: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, format!("#!/bin/sh\necho '{prints}'\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    run(&path);
    path
}

/// What a fresh program prints. A child that another test forks may for a moment still hold the
/// file as it was open for writing, and until then it cannot be run.
fn run(program: &Path) -> String {
    loop {
        match Command::new(program).output() {
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => std::thread::yield_now(),
            output => return String::from_utf8_lossy(&output.unwrap().stdout).into_owned(),
        }
    }
}

fn nowhere() -> Mirrors {
    Mirrors { kubernetes: String::new(), etcd: String::new(), kwok: String::new(), kwok_sha256: None }
}

#[test]
fn a_download_with_the_right_checksum_is_kept() {
    let kubectl = b"#!/bin/sh\necho so it ran\n".to_vec();
    let kwok = b"kwok".to_vec();
    let mut files = etcd_release(b"#!/bin/sh\necho etcd ran\n");
    files.insert(format!("{}.sha256", kubectl_path()), sha256(&kubectl).into_bytes());
    files.insert(kubectl_path(), kubectl);
    files.insert(format!("/v0.8.0/kwok-linux-{}", architecture()), kwok.clone());
    let mirror = Mirror::serving(files);
    let cache = tempfile::tempdir().unwrap();
    let mirrors = Mirrors { kwok_sha256: Some(sha256(&kwok)), ..mirror.mirrors() };
    let sources = bare(cache.path(), mirrors);
    let needed = [Program::Kubectl, Program::Etcd, Program::Kwok];

    let binaries = Binaries::provide(&needed, &sources, &Progress::default()).unwrap();
    for (program, says) in [(Program::Kubectl, "so it ran\n"), (Program::Etcd, "etcd ran\n")] {
        assert_eq!(run(binaries.path(program).unwrap()), says);
    }
    assert_eq!(fs::read(binaries.path(Program::Kwok).unwrap()).unwrap(), b"kwok");
    assert!(matches!(binaries.path(Program::KubeScheduler), Err(Error::Invalid(_))));

    let asked = mirror.asked.lock().unwrap().len();
    Binaries::provide(&needed, &sources, &Progress::default()).unwrap();
    assert_eq!(mirror.asked.lock().unwrap().len(), asked, "what is kept is not downloaded again");
}

#[test]
fn a_download_with_a_wrong_or_no_checksum_is_refused() {
    let kubectl = || b"kubectl".to_vec();
    let sum = || format!("{}.sha256", kubectl_path());
    let cases: [(Files, &str); 4] = [
        ([(kubectl_path(), kubectl()), (sum(), sha256(b"another").into_bytes())].into(), "is not used"),
        ([(kubectl_path(), kubectl()), (sum(), b"<html>".to_vec())].into(), "holds no SHA-256"),
        ([(kubectl_path(), kubectl())].into(), "404"),
        ([(sum(), sha256(b"kubectl").into_bytes())].into(), "404"),
    ];
    for (files, expected) in cases {
        let mirror = Mirror::serving(files);
        let cache = tempfile::tempdir().unwrap();
        let sources = bare(cache.path(), mirror.mirrors());
        let error = Binaries::provide(&[Program::Kubectl], &sources, &Progress::default()).unwrap_err();
        let text = error.to_string();
        assert!(text.contains(expected), "{expected:?} is missing from {text}");
        assert!(text.contains("kubectl: not found") && text.contains("install Go 1.26"), "{text}");
        let kept = Command::new("find").arg(cache.path()).args(["-name", "kubectl"]).output().unwrap();
        assert!(kept.stdout.is_empty(), "nothing is kept");
    }
}

#[test]
fn an_archive_that_lacks_the_program_is_refused() {
    let mut files = etcd_release(b"etcd");
    let (archive, sums) = ("/v3.6.8/SHA256SUMS", format!("/v3.6.8/etcd-v3.6.8-linux-{}.tar.gz", architecture()));
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(&[0; 1024]).unwrap();
    let empty = gzip.finish().unwrap();
    let name = sums.rsplit('/').next().unwrap();
    files.insert(archive.to_owned(), format!("{}  {name}\n", sha256(&empty)).into_bytes());
    files.insert(sums.clone(), empty);
    let mirror = Mirror::serving(files);
    let cache = tempfile::tempdir().unwrap();
    let sources = bare(cache.path(), mirror.mirrors());
    let error = Binaries::provide(&[Program::Etcd], &sources, &Progress::default()).unwrap_err();
    assert!(error.to_string().contains("holds no etcd-v3.6.8"), "{error}");
}

#[test]
fn assets_come_first_then_the_path_and_unsuitable_versions_are_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let [assets, path, cache] = ["assets", "path", "cache"].map(|name| {
        let path = folder.path().join(name);
        fs::create_dir(&path).unwrap();
        path
    });
    let etcd = script(&assets, "etcd", "etcd Version: 3.5.21");
    script(&path, "etcd", "etcd Version: 3.6.8");
    script(&assets, "kubectl", "Client Version: v1.30.0");
    let kubectl = script(&path, "kubectl", "Client Version: v1.36.1");
    let sources = Sources { assets: Some(assets), search_path: Some(path.into_os_string()), cache, mirrors: nowhere() };
    let needed = [Program::Etcd, Program::Kubectl];
    let binaries = Binaries::provide(&needed, &sources, &Progress::default()).unwrap();
    assert_eq!(binaries.path(Program::Etcd).unwrap(), etcd);
    assert_eq!(binaries.path(Program::Kubectl).unwrap(), kubectl);
}

#[test]
fn an_old_go_is_not_used_and_the_error_says_so() {
    let folder = tempfile::tempdir().unwrap();
    script(folder.path(), "go", "go version go1.19.8 linux/amd64");
    let lines = Arc::new(Mutex::new(Vec::new()));
    let heard = lines.clone();
    let progress = Progress::to(move |line| heard.lock().unwrap().push(line.to_owned()));
    let sources = Sources {
        assets: None,
        search_path: Some(folder.path().as_os_str().to_owned()),
        cache: folder.path().join("cache"),
        mirrors: Mirror::serving(Files::new()).mirrors(),
    };
    let error = Binaries::provide(&[Program::Kubectl], &sources, &progress).unwrap_err();
    assert!(error.to_string().contains("is not Go 1.26 or later (go version go1.19.8"), "{error}");
    let lines = lines.lock().unwrap();
    assert!(lines.iter().any(|line| line.starts_with("cannot build")), "{lines:?}");
    assert!(lines.iter().any(|line| line.starts_with("downloading http")), "{lines:?}");
}

/// Several at once, as tests are: one makes, the others wait and find.
#[test]
fn concurrent_callers_make_a_program_once() {
    let kubectl = b"kubectl".to_vec();
    let sum = sha256(&kubectl).into_bytes();
    let mirror = Mirror::serving([(format!("{}.sha256", kubectl_path()), sum), (kubectl_path(), kubectl)].into());
    let cache = tempfile::tempdir().unwrap();
    let sources = bare(cache.path(), mirror.mirrors());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| Binaries::provide(&[Program::Kubectl], &sources, &Progress::default()).unwrap());
        }
    });
    let asked = mirror.asked.lock().unwrap();
    assert_eq!(asked.iter().filter(|path| **path == kubectl_path()).count(), 1, "{asked:?}");
}
