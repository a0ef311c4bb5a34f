//! `gitward schema`: schemas of custom resources that are kept in the repository.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Subcommand;
use gitward_core::adopt::yaml;
use gitward_core::config;
use gitward_core::finding::Finding;
use gitward_core::manifest::{self, Manifest};
use gitward_core::schema::Schemas;
use gitward_core::schema::vendor::{self, KindName, Unusable};
use gitward_repo::Repository;
use serde_json::Value;

use crate::fault::Fault;
use crate::{Outcome, output};

/// Where schemas are kept if gitward.yaml names no directory.
const DIRECTORY: &str = "schemas";

/// Bytes that are read.
const MOST_BYTES: u64 = 8 << 20;

/// Arguments of `gitward schema`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Keep the schema of custom resources in the repository, so that they are judged by it.
    Add(Add),
}

#[derive(Debug, clap::Args)]
struct Add {
    /// A file with CustomResourceDefinitions, an OpenAPI v3 document (`kubectl get --raw
    /// /openapi/v3/apis/GROUP/VERSION`) or a JSON schema; `-` reads standard input.
    file: PathBuf,
    /// Where it is kept, from the root of the repository; the first directory in `crds`, if none is
    /// given, or else `schemas`.
    #[arg(long, value_name = "DIRECTORY")]
    directory: Option<String>,
    /// Of a JSON schema: the apiVersion of its objects.
    #[arg(long, value_name = "GROUP/VERSION", requires = "kind")]
    api_version: Option<String>,
    /// Of a JSON schema: the kind of its objects.
    #[arg(long, value_name = "KIND", requires = "api_version")]
    kind: Option<String>,
    /// Of a JSON schema: its objects live in no namespace.
    #[arg(long, requires = "kind")]
    cluster_scoped: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> anyhow::Result<Outcome> {
    let Command::Add(args) = &args.command;
    let crds = vendor::crds(&read(&args.file)?, args.kind_name()?.as_ref()).map_err(|why| not_usable(args, &why))?;
    let root = root()?;
    let known = Known::at(&root)?;
    let directory = args.directory.clone().unwrap_or_else(|| known.directory(&root));
    if directory.is_empty() || directory.split('/').any(|part| part.is_empty() || part.starts_with('.')) {
        let message = format!("{directory:?} is no directory that gitward.yaml could name");
        return Err(Fault::new(message, "name one below the root, like `schemas`").into());
    }
    let mut told = String::new();
    for crd in &crds {
        let name = crd["metadata"]["name"].as_str().unwrap_or_default();
        let path = format!("{directory}/{name}.yaml");
        let text = yaml(crd);
        let findings = judged(&path, &text)?;
        if !findings.is_empty() {
            output::findings(output::Format::Text, &findings, &[])?;
            return Err(Fault::new(format!("{name} cannot be used"), "see what was found").into());
        }
        write(&root, &path, &text)?;
        told.push_str(&format!("wrote {path}: {}\n", kinds(crd)));
    }
    told.push_str(&known.covers(&root, &directory)?);
    output::print(&told)?;
    Ok(Outcome::Clean)
}

impl Add {
    fn kind_name(&self) -> anyhow::Result<Option<KindName>> {
        let (Some(api_version), Some(kind)) = (&self.api_version, &self.kind) else { return Ok(None) };
        let Some((group, version)) = api_version.split_once('/') else {
            return Err(Fault::new(format!("{api_version:?} names no group"), "write GROUP/VERSION").into());
        };
        Ok(Some(KindName {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: kind.clone(),
            namespaced: !self.cluster_scoped,
        }))
    }
}

fn not_usable(args: &Add, why: &Unusable) -> Fault {
    let hint = match why {
        Unusable::NoKind => "say it with --api-version GROUP/VERSION and --kind KIND",
        _ => "give the operator's CRDs, or what `kubectl get --raw /openapi/v3/apis/GROUP/VERSION` says",
    };
    Fault::new(format!("{}: {why}", args.file.display()), hint)
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let fault = |error: std::io::Error| Fault::new(format!("{}: {error}", file.display()), "name a file that is there");
    if file == Path::new("-") {
        std::io::stdin().lock().take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(fault)?;
    } else {
        fs::File::open(file).and_then(|f| f.take(MOST_BYTES + 1).read_to_end(&mut bytes)).map_err(fault)?;
    }
    if bytes.len() as u64 > MOST_BYTES {
        let message = format!("{} has more than {MOST_BYTES} bytes", file.display());
        return Err(Fault::new(message, "take out the CRDs that are needed").into());
    }
    Ok(bytes)
}

/// The root of the repository, or the directory itself where there is none.
fn root() -> anyhow::Result<PathBuf> {
    let here = std::env::current_dir()?;
    let repository = Repository::discover(&here).ok();
    Ok(repository.as_ref().and_then(Repository::workdir).map_or(here, Path::to_owned))
}

/// What is wrong with a CRD, as the gates would find it.
fn judged(path: &str, text: &str) -> anyhow::Result<Vec<Finding>> {
    let (manifests, mut findings) = manifest::read(&Arc::from(path), text.as_bytes(), &manifest::Limits::default());
    let newest = Schemas::versions().next().unwrap_or_default();
    let schemas = Schemas::builtin(newest).map_err(|f| Fault::new(f.message, "this is a defect: report it"))?;
    let (schemas, found) = schemas.with_crds(manifests.iter());
    findings.extend(found);
    findings.extend(manifests.iter().flat_map(|m: &Manifest| schemas.check(m)));
    findings.retain(|f| f.severity == gitward_core::finding::Severity::Error);
    Ok(findings)
}

fn write(root: &Path, path: &str, text: &str) -> anyhow::Result<()> {
    let target = root.join(path);
    let written = target.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&target, text));
    written.map_err(|e| Fault::new(format!("{}: {e}", target.display()), "write to a directory of your own").into())
}

/// `Prometheus of monitoring.coreos.com/v1`.
fn kinds(crd: &Value) -> String {
    let spec = &crd["spec"];
    let versions = spec["versions"].as_array().into_iter().flatten().filter_map(|v| v["name"].as_str());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let versions: Vec<String> = versions.map(|v| format!("{}/{v}", text(&spec["group"]))).collect();
    format!("{} of {}", text(&spec["names"]["kind"]), versions.join(", "))
}

/// What gitward.yaml says of schemas; nothing if there is none.
struct Known {
    text: Option<String>,
    crds: Vec<String>,
}

impl Known {
    fn at(root: &Path) -> anyhow::Result<Self> {
        let Ok(text) = fs::read_to_string(root.join(config::FILE)) else {
            return Ok(Self { text: None, crds: Vec::new() });
        };
        let configuration = config::parse(&Arc::from(config::FILE), text.as_bytes())
            .map_err(|_| Fault::new(format!("{} cannot be read", config::FILE), "see `gitward check`"))?;
        Ok(Self { text: Some(text), crds: configuration.crds })
    }

    fn directory(&self, root: &Path) -> String {
        let is_directory = |crds: &&String| root.join(crds).is_dir();
        self.crds.iter().find(is_directory).cloned().unwrap_or_else(|| DIRECTORY.to_owned())
    }

    /// Sees to it that gitward.yaml names the directory, and says what was done.
    fn covers(&self, root: &Path, directory: &str) -> anyhow::Result<String> {
        let Some(text) = &self.text else {
            return Ok(format!("there is no {}: its `crds` has to name {directory}\n", config::FILE));
        };
        let within = |crds: &String| {
            directory == crds || directory.strip_prefix(crds.as_str()).is_some_and(|r| r.starts_with('/'))
        };
        if self.crds.iter().any(within) {
            return Ok(String::new());
        }
        let line_end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        let entry = format!("crds: [{}]\n", Value::from(directory));
        let longer = format!(
            "{text}{line_end}# What custom resources look like whose operators are installed by other means.\n{entry}"
        );
        // Written only where it says just that: the file may hold a list already, or be written otherwise.
        let said = config::parse(&Arc::from(config::FILE), longer.as_bytes());
        if self.crds.is_empty() && said.is_ok_and(|c| c.crds == [directory]) {
            write(root, config::FILE, &longer)?;
            return Ok(format!("{} names {directory} under `crds` now\n", config::FILE));
        }
        Ok(format!("next: add {directory} to `crds` in {}\n", config::FILE))
    }
}
