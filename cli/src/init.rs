//! `gitward init`: a first `gitward.yaml` from what the tree holds.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;

use gitward_core::config::{self, Configuration};
use gitward_core::evaluate::Judge;
use gitward_core::snapshot::Declared;
use gitward_repo::{Limits, Repository, Selection};

use crate::Outcome;
use crate::fault::Fault;
use crate::output::{self, plural};

/// Namespaces that are shared in a first configuration: clusters need them to start, and have objects of their own there.
const SYSTEM: [&str; 4] = ["kube-system", "kube-public", "kube-node-lease", "gitward-system"];

/// Arguments of `gitward init`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Root of the repository.
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Name of the environment.
    #[arg(long, value_name = "NAME", default_value = "prod")]
    environment: String,
    /// The ref that feeds it; the checked-out branch, if none is given.
    #[arg(long = "ref", value_name = "REF")]
    git_ref: Option<String>,
    /// Write to standard output instead of the file.
    #[arg(long)]
    stdout: bool,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> anyhow::Result<Outcome> {
    let repository = Repository::discover(&args.path).ok();
    if repository.as_ref().is_some_and(|r| r.workdir().is_none()) {
        return Err(Fault::new(
            format!(
                "{} is in a bare repository, which has no working tree to write {} to",
                args.path.display(),
                config::FILE
            ),
            "clone it, run `gitward init` in the clone, and push what it wrote",
        )
        .into());
    }
    let root = repository.as_ref().and_then(Repository::workdir).unwrap_or(&args.path).to_owned();
    let target = root.join(config::FILE);
    // A link that leads nowhere is something as well: what is written would go where nobody looks.
    if !args.stdout && target.symlink_metadata().is_ok() {
        return Err(Fault::new(
            format!("{} is there already", target.display()),
            "edit it, or see what would be written with --stdout",
        )
        .into());
    }
    let (everything, limits) = (Selection::everything(), Limits::default());
    let tree = match &repository {
        Some(repository) => repository.working_tree(&everything, &limits)?,
        None => gitward_repo::read_directory(&root, &everything, &limits)?,
    };
    let judge = Judge::new(Configuration { starter_policies: false, ..Configuration::for_unconfigured_tree() }, &[])
        .map_err(|_| Fault::new("the built-in schemas cannot be read", "this is a defect: report it"))?;
    let evaluation = judge.environment(&judge.configuration().environments[0], &tree.files);
    let found = Found::of(&evaluation.declared, &judge);
    let git_ref = args.git_ref.clone().or_else(|| repository.as_ref().and_then(Repository::head_ref));
    let text = configuration(&args.environment, &git_ref.unwrap_or_else(|| "refs/heads/main".to_owned()), &found);
    if let Err(findings) = config::parse(&Arc::from(config::FILE), text.as_bytes()) {
        let first = findings.into_iter().next().map(|f| f.message).unwrap_or_default();
        return Err(Fault::new(
            format!("no configuration can be made of that: {first}"),
            "give --environment and --ref",
        )
        .into());
    }
    if args.stdout {
        output::print(&text)?;
        return Ok(Outcome::Clean);
    }
    std::fs::write(&target, text)
        .map_err(|e| Fault::new(format!("{}: {e}", target.display()), "write to a directory of your own"))?;
    output::print(&found.told(&target.display().to_string()))?;
    Ok(Outcome::Clean)
}

/// What a tree holds.
#[derive(Default)]
struct Found {
    objects: usize,
    namespaces: BTreeSet<String>,
    system: BTreeSet<String>,
    /// Whether one of the system's namespaces is declared itself.
    declares_system: bool,
    cluster_kinds: BTreeSet<String>,
    /// The directory that all manifests are in; empty for the root.
    path: String,
    without_namespace: usize,
}

impl Found {
    fn of(declared: &[Declared], judge: &Judge) -> Self {
        let mut found = Self { objects: declared.len(), path: common_directory(declared), ..Self::default() };
        for object in declared {
            let key = &object.manifest.key;
            let is_namespace = key.group.is_empty() && key.kind == "Namespace";
            let namespace = if is_namespace { &key.name } else { &key.namespace };
            if !namespace.is_empty() {
                let system = SYSTEM.contains(&namespace.as_str());
                found.declares_system |= system && is_namespace;
                let names = if system { &mut found.system } else { &mut found.namespaces };
                names.insert(namespace.clone());
            } else if judge.is_cluster_scoped(&object.manifest.gvk) {
                found.cluster_kinds.insert(match key.group.as_str() {
                    "" => key.kind.clone(),
                    group => format!("{}.{group}", key.kind),
                });
            } else {
                found.without_namespace += 1;
            }
        }
        found
    }

    fn told(&self, target: &str) -> String {
        let mut text = match self.objects {
            0 => format!("wrote {target}; no manifest was found, so it governs nothing yet: add namespaces to it\n"),
            objects => format!("wrote {target} from {}\n", plural(objects, "object")),
        };
        if self.without_namespace > 0 {
            let objects = plural(self.without_namespace, "object");
            let _ = writeln!(text, "{objects} do not say their namespace: add it to their metadata");
        }
        if !self.system.is_empty() {
            let names: Vec<&str> = self.system.iter().map(String::as_str).collect();
            let _ = writeln!(text, "shared, since clusters need them to start: {}", names.join(", "));
        }
        text.push_str("next: read it, then run `gitward check`\n");
        text
    }
}

/// The deepest directory that holds all the files.
fn common_directory(declared: &[Declared]) -> String {
    let directory = |file: &str| file.rsplit_once('/').map_or(String::new(), |(directory, _)| directory.to_owned());
    let mut directories = declared.iter().map(|d| directory(&d.manifest.file));
    let Some(first) = directories.next() else { return String::new() };
    directories.fold(first, |common, other| {
        let same = common.split('/').zip(other.split('/')).take_while(|(a, b)| a == b);
        same.map(|(component, _)| component).collect::<Vec<_>>().join("/")
    })
}

fn configuration(name: &str, git_ref: &str, found: &Found) -> String {
    let mut text = format!(
        "# What gitward guards, read alike by the push gate, the admission gate and the reconciler.\n\
         apiVersion: {}\nkind: {}\n\
         # Manifests have to be valid for these versions of Kubernetes.\n\
         kubernetes: [\"1.36\"]\n\
         environments:\n- name: {}\n  ref: {}\n",
        config::API_VERSION,
        config::KIND,
        quoted(name),
        quoted(git_ref)
    );
    if !found.path.is_empty() {
        let _ = writeln!(text, "  path: {}", quoted(&found.path));
    }
    list(&mut text, "Whatever lives in these namespaces has to come from Git.", "namespaces", &found.namespaces);
    if !found.system.is_empty() {
        let comment = "Here others live as well: only the objects that Git declares are governed.";
        list(&mut text, comment, "sharedNamespaces", &found.system);
    }
    list(&mut text, "So have all objects of these cluster-scoped kinds.", "clusterKinds", &found.cluster_kinds);
    if found.declares_system {
        let namespaces = BTreeSet::from(["Namespace".to_owned()]);
        list(&mut text, "Of these kinds others have objects, too.", "sharedClusterKinds", &namespaces);
    }
    text.push_str("  # observe: admit and report. enforce: deny and revert.\n  mode: observe\n");
    text
}

fn list(text: &mut String, comment: &str, field: &str, values: &BTreeSet<String>) {
    let values: Vec<String> = values.iter().map(|v| quoted(v)).collect();
    let _ = writeln!(text, "  # {comment}\n  {field}: [{}]", values.join(", "));
}

/// A string as a YAML scalar: plain where that is safe beyond doubt, else in JSON's quotes.
fn quoted(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-./".contains(&b))
        && !["y", "n", "yes", "no", "on", "off", "true", "false", "null"].contains(&text.to_ascii_lowercase().as_str());
    if plain { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}
