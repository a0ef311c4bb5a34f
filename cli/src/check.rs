//! `gitward check`: the verdict of the push gate, before the push.

use std::path::{Path, PathBuf};

use anyhow::Context;
use gitward_core::baseline::Baseline;
use gitward_core::config::{self, Configuration, EnvironmentConfig};
use gitward_core::evaluate::{self, Judge, TreeFile};
use gitward_core::exemption;
use gitward_core::finding::{Finding, Severity};
use gitward_git_hooks::{Index, RefUpdate};
use gitward_repo::{CommitId, Limits, Repository, Selection, Tree};
use jiff::Timestamp;

use crate::Outcome;
use crate::fault::Fault;
use crate::output::{self, Format, counted, plural};

/// Arguments of `gitward check`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Directory or file to tell of. The whole tree is judged; what stands elsewhere is counted.
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Judge the commits A..B as the server would judge their push.
    #[arg(long, value_name = "A..B", conflicts_with = "staged")]
    range: Option<String>,
    /// With --range, judge the push of this ref alone, such as refs/heads/main; else of every ref that
    /// gitward.yaml names.
    #[arg(long = "ref", value_name = "REF", requires = "range")]
    git_ref: Option<String>,
    /// Judge what is staged for the next commit instead of the working tree.
    #[arg(long)]
    staged: bool,
    /// How findings are written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Judge this environment alone.
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// Tell only what a report of before, written with `--format json`, does not: what a newer gitward
    /// finds, or a change of gitward.yaml.
    #[arg(long, value_name = "FILE")]
    since: Option<PathBuf>,
}

/// Bytes of a report of before.
const REPORT_LIMIT: u64 = 256 << 20;

/// What was judged.
#[derive(Default)]
struct Report {
    findings: Vec<Finding>,
    sources: Vec<TreeFile>,
    /// Lines for people, after the findings.
    summary: Vec<String>,
    /// Whether the rules themselves cannot be used: then that is told, whatever was asked for.
    is_broken: bool,
}

impl Report {
    /// What keeps a tree from being judged at all.
    fn broken(findings: Vec<Finding>, sources: Vec<TreeFile>) -> Self {
        Self { findings, sources, summary: Vec::new(), is_broken: true }
    }

    /// Keeps what is about the part that was asked for.
    fn keep(&mut self, place: &Place) {
        if self.is_broken {
            return;
        }
        let all = self.findings.len();
        self.findings.retain(|finding| place.covers(finding));
        match all - self.findings.len() {
            0 => {}
            elsewhere => {
                self.summary.push(format!("elsewhere than in {}: {}", place.part, plural(elsewhere, "finding")))
            }
        }
    }

    /// Keeps what is new.
    fn leave_out(&mut self, known: Baseline) {
        let (new, before) = known.split(std::mem::take(&mut self.findings));
        self.summary.push(format!("since then: {} new, {before} known", new.len()));
        self.findings = new;
    }
}

/// The findings of a report that was written before.
fn known(file: &Path) -> anyhow::Result<Baseline> {
    let told = |why: &dyn std::fmt::Display| {
        Fault::new(format!("{}: {why}", file.display()), "write one with `gitward check --format json`")
    };
    let size = std::fs::metadata(file).map_err(|error| told(&error))?.len();
    if size > REPORT_LIMIT {
        return Err(told(&"the report is too large").into());
    }
    let text = std::fs::read(file).map_err(|error| told(&error))?;
    Ok(Baseline::of_report(&text).map_err(|error| told(&error))?)
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> anyhow::Result<Outcome> {
    let place = Place::find(&args.path)?;
    let mut report = match (&args.range, place.configured) {
        (Some(range), _) => of_range(&place, range, args)?,
        (None, _) if place.is_bare() => return Err(place.has_no_working_tree().into()),
        (None, true) => of_environments(&place, args)?,
        (None, false) => of_everything(&place, args)?,
    };
    report.keep(&place);
    if let Some(file) = &args.since {
        report.leave_out(known(file)?);
    }
    output::findings(args.format, &report.findings, &report.sources)?;
    if args.format == Format::Text {
        output::print(&report.summary.iter().map(|line| format!("{line}\n")).collect::<String>())?;
    }
    Ok(Outcome::from(report.findings.iter().all(|f| f.severity < Severity::Error)))
}

/// Where the tree is, and which part of it was asked for.
struct Place {
    root: PathBuf,
    /// The part asked for, relative to the root; empty for all of it.
    part: String,
    repository: Option<Repository>,
    configured: bool,
}

impl Place {
    fn find(path: &Path) -> anyhow::Result<Self> {
        let asked = path.canonicalize().map_err(|error| {
            Fault::new(format!("{}: {error}", path.display()), "name a directory or file that is there")
        })?;
        let repository = Repository::discover(&asked).ok();
        let here = if asked.is_dir() { asked.clone() } else { asked.parent().unwrap_or(&asked).to_owned() };
        let workdir = repository.as_ref().and_then(Repository::workdir).and_then(|p| p.canonicalize().ok());
        let has_configuration = |directory: &Path| directory.join(config::FILE).is_file();
        let root = [Some(&here), workdir.as_ref()].into_iter().flatten().find(|d| has_configuration(d));
        let configured = root.is_some();
        // Paths are told from the repository's root, as code hosts want them.
        let root = root.or(workdir.as_ref()).unwrap_or(&here).clone();
        let part = asked.strip_prefix(&root).unwrap_or(Path::new("")).to_string_lossy().into_owned();
        Ok(Self { root, part, repository, configured })
    }

    fn repository(&self) -> anyhow::Result<&Repository> {
        self.repository.as_ref().ok_or_else(|| {
            Fault::new(format!("{} is in no Git repository", self.root.display()), "run it inside one").into()
        })
    }

    fn is_bare(&self) -> bool {
        self.repository.as_ref().is_some_and(|r| r.workdir().is_none())
    }

    fn has_no_working_tree(&self) -> Fault {
        let message = format!("{} is in a bare repository, which has no working tree", self.root.display());
        Fault::new(message, "judge its commits: `gitward check --range A..B`")
    }

    fn covers(&self, finding: &Finding) -> bool {
        self.part.is_empty()
            || finding.place.as_ref().is_none_or(|p| {
                p.file.strip_prefix(self.part.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
    }

    fn read(&self, selection: &Selection, staged: bool) -> anyhow::Result<Tree> {
        let limits = Limits::default();
        if staged {
            return Ok(self.repository()?.staged(selection, &limits)?);
        }
        let repository = self
            .repository
            .as_ref()
            .filter(|r| r.workdir().and_then(|w| w.canonicalize().ok()).as_deref() == Some(self.root.as_path()));
        match repository {
            Some(repository) => repository.working_tree(selection, &limits),
            None => gitward_repo::read_directory(&self.root, selection, &limits),
        }
        .context("cannot read the tree")
    }
}

/// The working tree or index by `gitward.yaml`.
fn of_environments(place: &Place, args: &Args) -> anyhow::Result<Report> {
    let head = place.read(&Selection::under([config::FILE.to_owned()]), args.staged)?;
    let Some(file) = head.files.first() else {
        return Err(Fault::new(
            format!("{} cannot be read", config::FILE),
            "it has to be a regular file (and, for --staged, be added)",
        )
        .into());
    };
    let configuration = match config::parse(&file.path, &file.bytes) {
        Ok(configuration) => configuration,
        Err(findings) => return Ok(Report::broken(findings, head.files)),
    };
    let environments = chosen(&configuration, args.environment.as_deref())?;
    let roots = environments.iter().flat_map(|e| configuration.roots(e)).chain([config::FILE.to_owned()]);
    let tree = place.read(&Selection::under(roots), args.staged)?;
    let mut report = Report { sources: tree.files.clone(), ..Report::default() };
    let judge = match Judge::new(configuration.clone(), &tree.files) {
        Ok(judge) => judge,
        Err(findings) => return Ok(Report::broken(findings, report.sources)),
    };
    report.findings.extend(exemption::expired(&configuration, Timestamp::now()));
    report.findings.extend_from_slice(judge.lints());
    if !environments.is_empty() {
        report.findings.extend(evaluate::nothing_there(&configuration, None, tree.files.iter().map(|f| &*f.path)));
    }
    for environment in &environments {
        let verdict = judge.verdict(environment, &tree.files);
        let unread =
            tree.findings.iter().filter(|f| f.place.as_ref().is_some_and(|p| is_below(&p.file, &environment.path)));
        let found: Vec<Finding> = verdict.findings.into_iter().chain(unread.cloned()).collect();
        let objects = plural(verdict.objects, "object");
        let told: Vec<Finding> = found.iter().filter(|finding| place.covers(finding)).cloned().collect();
        report.summary.push(format!("{}: {objects}, {}", environment.name, counted(&told)));
        // What is wrong with the rules themselves is found in every environment.
        let is_new = |f: &Finding| f.object.is_some() || !report.findings.contains(f);
        let new: Vec<Finding> = found.into_iter().filter(is_new).collect();
        report.findings.extend(new);
    }
    if environments.is_empty() {
        report.summary.push(format!("{} names no environment: nothing is judged", config::FILE));
    }
    Ok(report)
}

fn is_below(path: &str, directory: &str) -> bool {
    directory.is_empty() || path == directory || path.strip_prefix(directory).is_some_and(|r| r.starts_with('/'))
}

fn chosen(configuration: &Configuration, name: Option<&str>) -> anyhow::Result<Vec<EnvironmentConfig>> {
    let Some(name) = name else { return Ok(configuration.environments.clone()) };
    let found: Vec<EnvironmentConfig> = configuration.environments.iter().filter(|e| e.name == name).cloned().collect();
    if found.is_empty() {
        let known: Vec<&str> = configuration.environments.iter().map(|e| e.name.as_str()).collect();
        return Err(Fault::new(
            format!("there is no environment {name:?}"),
            format!("{} names these: {}", config::FILE, known.join(", ")),
        )
        .into());
    }
    Ok(found)
}

/// A tree without `gitward.yaml`: whatever looks like a Kubernetes object.
fn of_everything(place: &Place, args: &Args) -> anyhow::Result<Report> {
    if args.environment.is_some() {
        let message = format!("there is no {} here, so there are no environments", config::FILE);
        return Err(Fault::new(message, "write one with `gitward init`").into());
    }
    let tree = place.read(&Selection::under([place.part.clone()]), args.staged)?;
    let configuration = Configuration::for_unconfigured_tree();
    let judge = Judge::new(configuration, &[]).map_err(built_in_broken)?;
    let environment = &judge.configuration().environments[0];
    let verdict = judge.verdict(environment, &tree.files);
    let mut report = Report { findings: verdict.findings, sources: tree.files, ..Report::default() };
    // One that is too large to be read could have been a manifest.
    report.findings.extend(tree.findings.into_iter().filter(|f| f.rule == "tree/too-large").map(|mut finding| {
        finding.severity = Severity::Warning;
        finding
    }));
    // What is not read matters only where it could have been a manifest; nobody asked for a verdict
    // on other files.
    report.summary.push(if verdict.files == 0 && report.findings.is_empty() {
        format!("no Kubernetes manifests under {}", args.path.display())
    } else {
        let (objects, files) = (plural(verdict.objects, "object"), plural(verdict.files, "file"));
        format!("{objects} in {files}: {}", counted(&report.findings))
    });
    Ok(report)
}

fn built_in_broken(findings: Vec<Finding>) -> Fault {
    let first = findings.into_iter().next().map(|f| f.message).unwrap_or_default();
    Fault::new(
        format!("the policies that come with gitward cannot be evaluated: {first}"),
        "this is a defect: report it",
    )
}

/// The commits A..B as the server would judge their push.
fn of_range(place: &Place, range: &str, args: &Args) -> anyhow::Result<Report> {
    let repository = place.repository()?;
    let usage = || Fault::new(format!("{range:?} is no range"), "write two revisions, like `origin/main..HEAD`");
    let (old, new) = range.split_once("..").ok_or_else(usage)?;
    if new.starts_with('.') || old.is_empty() {
        return Err(usage().into());
    }
    let old = repository.revision(old)?;
    let new = repository.revision(if new.is_empty() { "HEAD" } else { new })?;
    let mut report = Report::default();
    let refs = match &args.git_ref {
        Some(git_ref) if git_ref.starts_with("refs/") => vec![git_ref.clone()],
        Some(git_ref) => {
            let message = format!("{git_ref:?} is no full name of a ref");
            return Err(Fault::new(message, format!("write it like `refs/heads/{git_ref}`")).into());
        }
        None => refs(repository, &old, &new, args.environment.as_deref())?,
    };
    if refs.is_empty() {
        report.summary.push(format!("{} names no environment at these commits: nothing is judged", config::FILE));
    }
    for git_ref in refs {
        let update = RefUpdate { old: Some(old.clone()), new: Some(new.clone()), git_ref };
        let mut verdict = gitward_git_hooks::judge(repository, &update, &Limits::default(), &Index::none())?;
        if let Some(name) = &args.environment {
            verdict.environments.retain(|e| e.environment == *name);
        }
        report.findings.extend(verdict.findings().cloned());
        report.summary.extend(gitward_git_hooks::summary(std::slice::from_ref(&verdict)).lines().map(str::to_owned));
        if verdict.environments.is_empty() && verdict.allowed() && verdict.notice.is_none() {
            report.summary.push(format!("{} feeds no environment: nothing is judged", verdict.git_ref));
        }
        report.summary.extend(verdict.notice.map(|notice| format!("gitward: {notice}")));
        report.sources.extend(verdict.sources);
    }
    Ok(report)
}

/// The refs that feed environments at either end of a range.
fn refs(
    repository: &Repository,
    old: &CommitId,
    new: &CommitId,
    environment: Option<&str>,
) -> anyhow::Result<Vec<String>> {
    let mut refs = Vec::new();
    let mut broken = false;
    for commit in [old, new] {
        let Some(file) = repository.file(commit, config::FILE, 1 << 20)? else { continue };
        match config::parse(&file.path, &file.bytes) {
            Ok(configuration) => {
                let named = configuration.environments.iter().filter(|e| environment.is_none_or(|n| n == e.name));
                refs.extend(named.map(|e| e.git_ref.clone()));
            }
            Err(_) => broken = true,
        }
    }
    if refs.is_empty() && broken {
        // The gate itself says what is wrong with the configuration, whatever the ref.
        refs.extend(repository.head_ref());
    }
    refs.sort();
    refs.dedup();
    Ok(refs)
}
