//! A machine of its own within this one: mounts, network, processes and cgroups that go with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Names, to the program within, the sandbox's folder and its cgroup.
const FOLDER: &str = "GITWARD_NODE_FOLDER";
const CGROUP: &str = "GITWARD_NODE_CGROUP";

const SCRIPT: &str = include_str!("sandbox.sh");

/// The address of the machine within, on the bridge that Pods are attached to.
pub(crate) const ADDRESS: &str = "10.244.0.1";
/// The addresses of Pods.
pub(crate) const PODS: &str = "10.244.0.0/24";
/// The bridge.
pub(crate) const BRIDGE: &str = "cni0";

/// What the program within has of its sandbox.
#[derive(Debug, Clone)]
pub(crate) struct Within {
    /// A folder in memory that goes with the sandbox.
    pub(crate) folder: PathBuf,
    /// The cgroup, by its path from the root of each hierarchy, that all other cgroups are made in.
    pub(crate) cgroup: String,
}

/// Whether this process is the one within.
pub(crate) fn within() -> Option<Within> {
    let folder = std::env::var_os(FOLDER)?;
    Some(Within { folder: folder.into(), cgroup: std::env::var(CGROUP).ok()? })
}

/// Why there can be no sandbox here, if so.
pub(crate) fn is_possible() -> Result<(), String> {
    if !rustix::process::geteuid().is_root() {
        return Err("only root runs a node".to_owned());
    }
    let mut command = Command::new("unshare");
    let made = command.args(["--mount", "--net", "--pid", "--fork", "ip", "link", "add", "cni0", "type", "bridge"]);
    let output = made.output().map_err(|error| format!("unshare: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    output.status.success().then_some(()).ok_or_else(|| format!("no sandbox: {}", said.trim()))
}

/// Runs this program once more, within a sandbox. When it ends, or this process does, all that it started
/// is killed and all that it left is removed.
pub(crate) fn run_within() -> Result<(), String> {
    let place = Place::make()?;
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "--net", "--pid", "--fork", "--mount-proc", "--kill-child=SIGKILL", "sh", "-c", SCRIPT])
        .arg("sandbox.sh")
        .arg(&place.folder)
        .arg(program)
        .env(FOLDER, &place.folder)
        .env(CGROUP, &place.name)
        // Held open as long as this process lives: the program within ends when it closes.
        .stdin(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("unshare: {error}"))?;
    let lifeline = child.stdin.take();
    let status = child.wait().map_err(|error| error.to_string())?;
    drop(lifeline);
    drop(place);
    status.success().then_some(()).ok_or_else(|| format!("the story within ended with {status}"))
}

/// Ends this process, and so the sandbox, when whoever started it is gone.
pub(crate) fn end_with_the_starter() {
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(1);
    });
}

const PREFIX: &str = "gitward-node-";

/// What a sandbox needs outside of it: a folder to mount its own memory on, and a cgroup in each
/// hierarchy, both named by the process that made them.
struct Place {
    name: String,
    folder: PathBuf,
}

impl Place {
    fn make() -> Result<Self, String> {
        remove_what_the_dead_left();
        let name = format!("{PREFIX}{}", std::process::id());
        let folder = std::env::temp_dir().join(&name);
        fs::create_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        for hierarchy in hierarchies() {
            // One that takes none is not among those that Pods are put into.
            let _ = fs::create_dir(hierarchy.join(&name));
        }
        Ok(Self { name, folder })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.folder);
        hierarchies().iter().for_each(|hierarchy| remove(&hierarchy.join(&self.name)));
    }
}

/// A process that was killed could not remove its folder and cgroups; the next one does.
fn remove_what_the_dead_left() {
    let parents = hierarchies().into_iter().chain([std::env::temp_dir()]);
    for place in parents.flat_map(|parent| folders(&parent)) {
        let name = place.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let maker = name.strip_prefix(PREFIX).and_then(|id| id.parse::<u32>().ok());
        let is_dead = |id: u32| id == std::process::id() || !Path::new("/proc").join(id.to_string()).exists();
        if maker.is_some_and(is_dead) {
            remove(&place);
        }
    }
}

/// The folders of cgroups: one where there is one hierarchy, else one for each controller.
pub(crate) fn hierarchies() -> Vec<PathBuf> {
    let root = PathBuf::from("/sys/fs/cgroup");
    if root.join("cgroup.controllers").exists() {
        return vec![root];
    }
    // Some are there by two names.
    let mut found: Vec<PathBuf> = folders(&root).iter().filter_map(|folder| folder.canonicalize().ok()).collect();
    found.sort();
    found.dedup();
    found
}

/// Folders in a folder.
pub(crate) fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

/// Removes the cgroups that were made within, as they are gone after a power cut.
pub(crate) fn remove_cgroups_of_pods(within: &Within) {
    let own = hierarchies().into_iter().map(|hierarchy| hierarchy.join(&within.cgroup));
    own.flat_map(|cgroup| folders(&cgroup)).for_each(|made| remove(&made));
}

/// Removes a folder with those in it, as far as nothing else is in them: no process, where they are
/// cgroups.
fn remove(cgroup: &Path) {
    folders(cgroup).iter().for_each(|within| remove(within));
    let _ = fs::remove_dir(cgroup);
}
