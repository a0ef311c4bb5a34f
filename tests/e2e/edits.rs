//! Edits past Git, as people make them: one table for the gate that denies them and for the
//! reconciler that reverts them.

mod table;

use std::path::PathBuf;

use gitward_test_cluster::{Options, Output, Result, Stage, WorkTree};
use serde_json::Value;

pub(crate) use table::EDITS;

use crate::picture;

/// A cluster administrator who should be pushing to Git.
pub(crate) const MALLORY: &str = "mallory";

/// Whom an exemption in `gitward.yaml` lets restart Deployments.
pub(crate) const SRE: &str = "sre";

/// A controller's account that an exemption lets keep finalizers and owners.
pub(crate) const KEEPER: &str = "keeper";

/// Everybody who may do anything in the cluster.
const ADMINISTRATORS: [&str; 3] = [MALLORY, SRE, KEEPER];

/// Deployments that the edits are spread over: many reverts of one object would be taken for a
/// fight, and slowed down.
const APPS: usize = 8;

/// One edit.
pub(crate) struct Edit {
    /// What it is, for people.
    pub(crate) name: &'static str,
    /// The command line after `kubectl`; single quotes keep words together.
    pub(crate) kubectl: &'static str,
    /// What it reads.
    pub(crate) input: Input,
    /// The object that it changes, as `kubectl get` takes it.
    pub(crate) object: &'static str,
    /// What its denial says.
    pub(crate) says: &'static [&'static str],
    /// The file and the first text of the line in it that the denial names.
    pub(crate) place: Option<(&'static str, &'static str)>,
    /// What becomes of it where nobody denies it.
    pub(crate) then: Then,
}

/// What a command reads.
pub(crate) enum Input {
    /// Nothing.
    Nothing,
    /// This text.
    Text(&'static str),
    /// The object as it is, with one text in it replaced.
    Live(&'static str, &'static str),
    /// Nothing; the object is edited in an editor with this script of `sed`.
    Editor(&'static str),
}

/// What becomes of an edit that nobody denied.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// The object is again as it was.
    Back,
    /// The object is removed.
    Gone,
    /// The object stays, for it holds data.
    Stays,
    /// It leaves nothing in the cluster that could be put right, or is not tried.
    Nothing,
}

/// The edits' own parts of the repository.
pub(crate) fn plant(work: &WorkTree) -> Result<()> {
    work.write("prod/more.yaml", include_str!("fixtures/more.yaml"))?;
    for n in 0..APPS {
        let app = format!("app-{n}");
        work.write(&format!("prod/apps/{app}.yaml"), include_str!("fixtures/app.yaml").replace("APP", &app))?;
    }
    Ok(())
}

/// The people of the stories.
pub(crate) fn options() -> Options {
    let people = ADMINISTRATORS.map(|name| (name.to_owned(), Vec::new())).to_vec();
    Options { people, ..Options::with_nodes(2) }
}

/// Makes administrators of the people.
pub(crate) async fn empower(stage: &Stage) -> Result<()> {
    for name in ADMINISTRATORS {
        let user = format!("--user={name}");
        let binding = ["create", "clusterrolebinding", name, "--clusterrole=cluster-admin", &user];
        stage.cluster.kubectl(&binding).await?.checked()?;
    }
    Ok(())
}

/// Makes edits.
pub(crate) struct Editor<'a> {
    stage: &'a Stage,
    kubeconfig: PathBuf,
}

impl<'a> Editor<'a> {
    /// Edits as a person.
    pub(crate) fn new(stage: &'a Stage, person: &str) -> Result<Self> {
        Ok(Self { stage, kubeconfig: stage.cluster.person_kubeconfig(person, &[])? })
    }

    /// Makes the `n`th edit of a story.
    pub(crate) async fn make(&self, edit: &Edit, n: usize) -> Result<Output> {
        let names = self.names(n).await?;
        let line = names.fill(edit.kubectl);
        let words = words(&line);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let (input, editor) = match edit.input {
            Input::Nothing => (String::new(), "false".to_owned()),
            Input::Text(text) => (names.fill(text), "false".to_owned()),
            Input::Editor(script) => (String::new(), format!("sed -i {script}")),
            Input::Live(from, to) => {
                let live = picture::get(&self.stage.cluster.client().await?, &names.fill(edit.object)).await?;
                let text = live.to_string();
                let edited = text.replacen(&names.fill(from), &names.fill(to), 1);
                assert_ne!(text, edited, "{from} is not in {text}");
                (edited, "false".to_owned())
            }
        };
        self.stage.cluster.kubectl_with_editor(&self.kubeconfig, &words, &input, &editor).await
    }

    /// Runs `kubectl` as the person.
    pub(crate) async fn kubectl(&self, line: &str, input: &str) -> Result<Output> {
        let words = words(line);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.stage.cluster.kubectl_as(&self.kubeconfig, &words, input).await
    }

    /// An object as it is; `null` if it is not there.
    pub(crate) async fn get(&self, object: &str) -> Result<Value> {
        let line = format!("get {object} -o json");
        let words = words(&line);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let output = self.stage.cluster.kubectl(&words).await?;
        Ok(serde_json::from_str(&output.stdout).unwrap_or(Value::Null))
    }

    /// The names that the `n`th edit's placeholders stand for.
    pub(crate) async fn names(&self, n: usize) -> Result<Names> {
        let app = format!("app-{}", n % APPS);
        let pods = self.get("pods -n shop -l app=web").await?;
        let running = pods["items"].as_array().into_iter().flatten();
        let mut running = running.filter(|p| p["metadata"]["deletionTimestamp"].is_null());
        let pod = running.next().and_then(|p| p["metadata"]["name"].as_str()).unwrap_or_default().to_owned();
        Ok(Names { app, pod })
    }
}

/// What placeholders stand for.
pub(crate) struct Names {
    app: String,
    pod: String,
}

impl Names {
    /// Fills in `{app}`, a Deployment, and `{pod}`, a Pod of the Deployment `web`.
    pub(crate) fn fill(&self, text: &str) -> String {
        text.replace("{app}", &self.app).replace("{pod}", &self.pod)
    }
}

/// The line of a file of the repository that first holds a text.
pub(crate) fn line_of(stage: &Stage, file: &str, text: &str) -> usize {
    let contents = stage.work.read(file).unwrap();
    contents.lines().position(|l| l.contains(text)).unwrap_or_else(|| panic!("{text} is not in {file}")) + 1
}

/// Splits a command line at spaces that do not stand between single quotes.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for c in line.chars() {
        match c {
            '\'' => quoted = !quoted,
            ' ' if !quoted => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            c => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}
