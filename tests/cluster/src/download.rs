//! Downloading official releases, for machines without a new enough Go.

use std::env;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use ureq::tls::{RootCerts, TlsConfig};

use crate::binaries::Program;
use crate::cache::{Cache, hex};
use crate::progress::Progress;
use crate::version::{ETCD, KUBERNETES, KWOK};
use crate::{Error, Result};

/// No release file is larger, in bytes; more is not read.
const LARGEST: u64 = 512 << 20;
/// No list of checksums is larger, in bytes.
const LARGEST_LIST: u64 = 1 << 20;
const CONNECT_WITHIN: Duration = Duration::from_secs(15);
const FINISH_WITHIN: Duration = Duration::from_secs(20 * 60);

/// The addresses that releases are downloaded from, without a trailing slash. Each is laid out like
/// the upstream's own: `release/vX/bin/OS/ARCH/NAME` for Kubernetes, `vX/FILE` for the two others.
#[derive(Clone, Debug)]
pub struct Mirrors {
    /// Kubernetes releases (`GITWARD_KUBE_MIRROR`).
    pub kubernetes: String,
    /// etcd releases (`GITWARD_ETCD_MIRROR`).
    pub etcd: String,
    /// kwok releases (`GITWARD_KWOK_MIRROR`).
    pub kwok: String,
    /// The SHA-256 of the kwok program (`GITWARD_KWOK_SHA256`), where no `.sha256` lies beside it.
    pub kwok_sha256: Option<String>,
}

impl Mirrors {
    /// The upstreams' release hosts, or what the environment names instead.
    pub fn from_env() -> Self {
        let base = |variable: &str, upstream: &str| {
            let value = env::var(variable).ok().filter(|value| !value.is_empty());
            value.unwrap_or_else(|| upstream.into()).trim_end_matches('/').to_owned()
        };
        Self {
            kubernetes: base("GITWARD_KUBE_MIRROR", "https://dl.k8s.io"),
            etcd: base("GITWARD_ETCD_MIRROR", "https://github.com/etcd-io/etcd/releases/download"),
            kwok: base("GITWARD_KWOK_MIRROR", "https://github.com/kubernetes-sigs/kwok/releases/download"),
            kwok_sha256: env::var("GITWARD_KWOK_SHA256").ok().filter(|value| !value.is_empty()),
        }
    }
}

/// One file of a release.
struct Release {
    url: String,
    checksum: Checksum,
    /// The path of the program in the archive, if the file is one.
    member: Option<String>,
}

enum Checksum {
    Known(String),
    /// A file that holds the checksum alone, or lines of checksum and file name.
    At(String),
}

fn release(program: Program, mirrors: &Mirrors) -> Result<Release> {
    let architecture = match (env::consts::OS, env::consts::ARCH) {
        ("linux", "x86_64") => "amd64",
        ("linux", "aarch64") => "arm64",
        (system, architecture) => {
            let why = format!("there are no releases of {} for {system} on {architecture}", program.name());
            return Err(Error::Download { url: mirrors.kubernetes.clone(), why });
        }
    };
    Ok(match program {
        Program::Etcd => {
            let folder = format!("{}/v{ETCD}", mirrors.etcd);
            let name = format!("etcd-v{ETCD}-linux-{architecture}");
            Release {
                url: format!("{folder}/{name}.tar.gz"),
                checksum: Checksum::At(format!("{folder}/SHA256SUMS")),
                member: Some(format!("{name}/etcd")),
            }
        }
        Program::Kwok => {
            let url = format!("{}/v{KWOK}/kwok-linux-{architecture}", mirrors.kwok);
            let checksum = match &mirrors.kwok_sha256 {
                Some(known) => Checksum::Known(known.to_ascii_lowercase()),
                None => Checksum::At(format!("{url}.sha256")),
            };
            Release { url, checksum, member: None }
        }
        _ => {
            let base = &mirrors.kubernetes;
            let url = format!("{base}/release/v{KUBERNETES}/bin/linux/{architecture}/{}", program.name());
            Release { checksum: Checksum::At(format!("{url}.sha256")), url, member: None }
        }
    })
}

/// Downloads `programs` into the cache, one after the other. The caller holds the cache's lock.
pub(crate) fn download(programs: &[Program], mirrors: &Mirrors, cache: &Cache, progress: &Progress) -> Result<()> {
    let agent = agent();
    let workshop = cache.workshop()?;
    for &program in programs {
        let release = release(program, mirrors)?;
        progress.line(&format!("downloading {}", release.url));
        let expected = expected_checksum(&agent, &release)?;
        let file = workshop.path().join("download");
        let actual = fetch(&agent, &release.url, &file)?;
        if actual != expected {
            let why = format!("its SHA-256 is {actual}, but {expected} is published; it is not used");
            return Err(Error::Download { url: release.url, why });
        }
        match &release.member {
            None => cache.put(program, &file)?,
            Some(member) => {
                let finished = workshop.path().join(program.name());
                unpack(&file, member, &finished).map_err(|error| failed(&release.url, error))?;
                cache.put(program, &finished)?;
            }
        }
    }
    Ok(())
}

fn agent() -> ureq::Agent {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = TlsConfig::builder()
        .unversioned_rustls_crypto_provider(provider)
        .root_certs(RootCerts::PlatformVerifier)
        .build();
    ureq::Agent::config_builder()
        .tls_config(tls)
        .timeout_connect(Some(CONNECT_WITHIN))
        .timeout_global(Some(FINISH_WITHIN))
        .build()
        .into()
}

fn failed(url: &str, why: impl ToString) -> Error {
    Error::Download { url: url.into(), why: why.to_string() }
}

fn expected_checksum(agent: &ureq::Agent, release: &Release) -> Result<String> {
    let url = match &release.checksum {
        Checksum::Known(checksum) => return Ok(checksum.clone()),
        Checksum::At(url) => url,
    };
    let mut response = agent.get(url).call().map_err(|error| failed(url, error))?;
    let list = response.body_mut().with_config().limit(LARGEST_LIST).read_to_string();
    let list = list.map_err(|error| failed(url, error))?;
    let file = release.url.rsplit('/').next().unwrap_or_default();
    find_checksum(&list, file).ok_or_else(|| failed(url, format!("it holds no SHA-256 of {file}")))
}

/// The checksum of `file` in a list: a lone checksum, or lines of `CHECKSUM  FILE`.
fn find_checksum(list: &str, file: &str) -> Option<String> {
    list.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let checksum = words.next().filter(|word| word.len() == 64 && word.chars().all(|c| c.is_ascii_hexdigit()))?;
        let name = words.next().map(|name| name.trim_start_matches(['*', '.', '/']));
        name.is_none_or(|name| name == file).then(|| checksum.to_ascii_lowercase())
    })
}

/// Writes what `url` answers to `file`, and returns its SHA-256.
fn fetch(agent: &ureq::Agent, url: &str, file: &Path) -> Result<String> {
    let mut response = agent.get(url).call().map_err(|error| failed(url, error))?;
    let mut body = response.body_mut().with_config().limit(LARGEST).reader();
    let mut digest = Sha256::new();
    let mut copy = || -> io::Result<()> {
        let mut file = File::create(file)?;
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let read = body.read(&mut buffer)?;
            if read == 0 {
                return file.sync_all();
            }
            digest.update(&buffer[..read]);
            file.write_all(&buffer[..read])?;
        }
    };
    copy().map_err(|error| failed(url, error))?;
    Ok(hex(&digest.finalize()))
}

/// Takes one member out of a gzipped tar; nothing else of it touches the disk.
fn unpack(archive: &Path, member: &str, to: &Path) -> io::Result<()> {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(File::open(archive)?));
    for entry in archive.entries()? {
        let entry = entry?;
        if entry.path()?.as_ref() == Path::new(member) && entry.header().entry_type().is_file() {
            io::copy(&mut entry.take(LARGEST), &mut File::create(to)?)?;
            return Ok(());
        }
    }
    Err(io::Error::new(io::ErrorKind::NotFound, format!("the archive holds no {member}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_a_checksum_in_each_form_of_list() {
        let (a, b) = ("a".repeat(64), "B".repeat(64));
        let cases = [
            (a.clone(), Some(a.clone())),
            (format!("{a}\n"), Some(a.clone())),
            (format!("{b}  other\n{a}  file\n"), Some(a.clone())),
            (format!("{a} *file"), Some(a.clone())),
            (format!("{a}  ./file"), Some(a.clone())),
            (format!("{b}  file"), Some("b".repeat(64))),
            (format!("{a}  other"), None),
            ("<html>not found</html>".into(), None),
            (String::new(), None),
        ];
        for (list, expected) in cases {
            assert_eq!(find_checksum(&list, "file"), expected, "{list:?}");
        }
    }
}
