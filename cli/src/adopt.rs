//! `gitward adopt`: brings a namespace that already runs under Git, without a surprise.
//!
//! The cluster is read, and asked by dry runs. In Git one commit is made on a branch of its own.

mod base;
mod report;
mod seen;
mod settle;
mod told;

use std::collections::BTreeMap;
use std::path::PathBuf;

use futures::StreamExt;
use gitward_core::adopt::{Choice, FileNames, Installer, Operated, Selection, Sorted, draft, installers, sort, yaml};
use gitward_core::derived::Context;
use gitward_core::object::{ObjectKey, is_dns_label};
use gitward_reconciler::api::Api;
use gitward_repo::NewBranch;
use jiff::Timestamp;

use crate::look::{self, Format};
use crate::{Outcome, output, start};
use base::Base;
use report::{InstalledBy, Other, Report, Taken, Unknown};
use seen::Seen;
use settle::{Settled, Settling, settle};

/// Arguments of `gitward adopt`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The namespace.
    #[arg(long, short, value_parser = namespace)]
    namespace: String,
    /// The environment of gitward.yaml that is to govern it: what that declares already is left out.
    #[arg(long, env = "GITWARD_ENVIRONMENT", value_parser = start::environment)]
    environment: Option<String>,
    /// The repository; its checked-out commit is what the branch goes out from.
    #[arg(long, value_name = "DIR", default_value = ".")]
    repo: PathBuf,
    /// The branch that is made; without it adopt/NAMESPACE.
    #[arg(long)]
    branch: Option<String>,
    /// Directory of the manifests, from the root of the repository; without it one named as the
    /// namespace, under the environment's path.
    #[arg(long, value_name = "DIR")]
    path: Option<String>,
    /// Take Secrets too: their values are then in Git for good, for all who read it.
    #[arg(long)]
    secrets: bool,
    /// Drop the marks that `kubectl rollout restart` left in templates, which restarts their Pods once
    /// more when Git governs.
    #[arg(long)]
    tidy: bool,
    /// Make no branch; print the manifests.
    #[arg(long)]
    dry_run: bool,
    /// Replace the branch if it is there.
    #[arg(long)]
    force: bool,
    /// Kubeconfig file; without it what kubectl would use.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// How it is told.
    #[arg(long, short, value_enum, default_value_t = Format::Text)]
    output: Format,
}

fn namespace(name: &str) -> Result<String, String> {
    if is_dns_label(name) {
        return Ok(name.to_owned());
    }
    Err("a Namespace's name has at most 63 lower-case letters, digits and `-`".to_owned())
}

/// Objects that are asked about at a time: a look must not crowd out the cluster's own work.
const CONCURRENT: usize = 4;

/// Runs the command.
pub(crate) fn run(args: &Args) -> anyhow::Result<Outcome> {
    let base = Base::open(args)?;
    let branch = args.branch.clone().unwrap_or_else(|| format!("adopt/{}", args.namespace));
    let new = NewBranch {
        name: &branch,
        base: base.commit.as_ref(),
        files: &[],
        message: &message(args),
        replace: args.force,
    };
    if !args.dry_run {
        // Better now than after all the questions.
        base.repository.new_branch(&new)?;
    }
    let (mut report, files) = look::run(look_at(args, &base))?;
    let files: Vec<(String, Vec<u8>)> = files.into_iter().map(|(path, text)| (path, text.into_bytes())).collect();
    if args.dry_run {
        let text = |(path, bytes): &(String, Vec<u8>)| (path.clone(), String::from_utf8_lossy(bytes).into_owned());
        report.manifests = files.iter().map(text).collect();
    } else if !report.taken.is_empty() {
        let commit = base.repository.commit_on_branch(&NewBranch { files: &files, ..new })?;
        report.branch = Some(branch);
        report.commit = Some(commit.to_string());
    }
    match args.output {
        Format::Text => output::print(&told::text(&report))?,
        Format::Json => output::print(&format!("{}\n", serde_json::to_string_pretty(&report)?))?,
    }
    Ok(if report.unknown.is_empty() { Outcome::Clean } else { Outcome::Unknown })
}

fn message(args: &Args) -> String {
    format!(
        "Declare what runs in {0}\n\nTaken from the cluster by `gitward adopt --namespace {0}`: each object without what the API\n\
         server and controllers add by themselves.\n",
        args.namespace
    )
}

/// What is there, and the files that declare it.
async fn look_at(args: &Args, base: &Base) -> anyhow::Result<(Report, Vec<(String, String)>)> {
    let client = start::client(args.kubeconfig.as_deref()).await?;
    let seen = Seen::of(&client, &args.namespace).await?;
    let selection = Selection { secrets: args.secrets, tidy: args.tidy };
    let (sorted, snapshot) = sort(&seen.objects, &base.plan, selection, &seen.listing, Timestamp::now());
    let context = Context { snapshot: &snapshot, live: &seen.listing, now: Timestamp::now() };
    let api = Api::new(client, seen.discovery.clone());
    let mut settled: BTreeMap<ObjectKey, Settled> = BTreeMap::new();
    let all = sorted.manifests.iter().filter_map(|(key, manifest)| {
        let live = seen.objects.get(key)?;
        let has_status_subresource = seen.has_status_subresource(key);
        let settling = Settling { api: &api, key, has_status_subresource, tidy: args.tidy, context: &context };
        Some(async move { (key.clone(), settle(&settling, live, manifest).await) })
    });
    let mut answers = futures::stream::iter(all).buffer_unordered(CONCURRENT);
    while let Some((key, one)) = answers.next().await {
        settled.insert(key, one);
    }
    drop(answers);
    Ok(reported(args, base, &seen, &sorted, settled))
}

fn reported(
    args: &Args,
    base: &Base,
    seen: &Seen,
    sorted: &Sorted,
    settled: BTreeMap<ObjectKey, Settled>,
) -> (Report, Vec<(String, String)>) {
    let mut report = Report {
        namespace: args.namespace.clone(),
        environment: args.environment.clone(),
        git_ref: base.git_ref(),
        directory: base.directory.clone(),
        unknown: seen.unknown.clone(),
        tidy: args.tidy,
        ..Report::default()
    };
    let (mut names, mut files) = (FileNames::default(), Vec::new());
    for (key, one) in settled {
        let file = format!("{}/{}", base.directory, names.of(&key));
        files.push((file.clone(), yaml(&one.manifest)));
        report.unknown.extend(one.untried.map(|why| Unknown::untried(&key, &why)));
        report.taken.push(Taken { object: key, file, effects: one.effects, note: one.note });
    }
    let mut operated = Vec::new();
    for (key, choice) in &sorted.choices {
        let other = |why: &str| Other { object: key.clone(), why: why.to_owned() };
        match choice {
            Choice::Taken => {}
            Choice::Declared => report.declared += 1,
            Choice::Derived => report.derived += 1,
            Choice::Left(why) => report.left.push(other(why)),
            Choice::Operated(owner) => {
                report.operated.push(other(&format!("an operator made it for {owner}")));
                operated.extend(seen.objects.get(key).map(|object| Operated { key, object, owner }));
            }
            Choice::Strange(reason, asked) => match seen.unread_of(asked) {
                Some(why) => report.unknown.push(Unknown { what: key.to_string(), why, to_do: seen::RIGHTS }),
                None => report.strange.push(other(reason)),
            },
        }
    }
    report.installers = installed_by(seen, sorted);
    report.delegations = draft(&args.namespace, &operated);
    if !report.delegations.is_empty() && !files.is_empty() {
        files.push((format!("{}/gitward.adopt.yaml", base.directory), report.delegations.clone()));
    }
    (report, files)
}

/// Who installed what a person would have written, each with the number of objects. What controllers make
/// is left out: some of it is marked like what it is made of.
fn installed_by(seen: &Seen, sorted: &Sorted) -> Vec<InstalledBy> {
    let written = sorted.choices.iter().filter(|(_, choice)| !matches!(choice, Choice::Derived | Choice::Operated(_)));
    let mut counted: BTreeMap<Installer, usize> = BTreeMap::new();
    for installer in written.filter_map(|(key, _)| seen.objects.get(key)).flat_map(|object| installers(object)) {
        *counted.entry(installer).or_default() += 1;
    }
    counted.into_iter().map(InstalledBy::new).collect()
}
