//! A fresh control plane of real programs, torn down with its handle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::binaries::{Binaries, Program};
use crate::cache::hex;
use crate::certificates::{Authority, token_key};
use crate::cluster::{Cluster, People, Person};
use crate::component::Component;
use crate::flags::Layout;
use crate::folder::Folder;
use crate::options::Options;
use crate::process::Process;
use crate::{Error, Result, earlier, kubeconfig, ports, readiness, simulated_node};

/// Control planes that one process runs at a time; more wait. Each takes half a gigabyte.
const AT_ONCE: u32 = 4;
static PERMITS: Semaphore = Semaphore::const_new(AT_ONCE as usize);
const API_SERVERS: [Component; 2] = [Component::ApiServer, Component::ApiServerBeside];
/// How often another process may take a port before its component does.
const PORT_ATTEMPTS: usize = 5;
/// How long a port may take to come free after the component that held it was killed.
const PORT_FREE_WITHIN: Duration = Duration::from_secs(5);

/// A running control plane of its own. Dropping the handle kills its processes and removes its
/// folder; if this process is killed, they die with it.
///
/// It is a [`Cluster`] to its users, and has the control of its components besides.
#[derive(Debug)]
pub struct ControlPlane {
    // In this order: the processes end before the folder goes.
    processes: BTreeMap<Component, Process>,
    cluster: Cluster,
    layout: Layout,
    binaries: Binaries,
    options: Options,
    /// The API servers that are of the release before from their next start on.
    earlier: BTreeSet<Component>,
    _folder: Folder,
    _permit: Option<SemaphorePermit<'static>>,
}

impl Deref for ControlPlane {
    type Target = Cluster;

    fn deref(&self) -> &Cluster {
        &self.cluster
    }
}

impl ControlPlane {
    /// Starts a control plane and waits until it is ready: seconds, where the programs are there.
    /// Waits first while this process runs four others.
    ///
    /// # Errors
    /// Where a program cannot be had or started, or is not ready within [`Options::deadline`].
    pub async fn start(options: Options) -> Result<Self> {
        let permit = permits(1).await;
        let mut control_plane = Self::start_now(options).await?;
        control_plane._permit = permit;
        Ok(control_plane)
    }

    /// Starts two control planes for a test that needs both. (Starting one after the other could
    /// wait for ever for another test that does the same.)
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub async fn start_two(one: Options, other: Options) -> Result<(Self, Self)> {
        let permit = permits(2).await;
        let (one, other) = tokio::join!(Self::start_now(one), Self::start_now(other));
        let (mut one, other) = (one?, other?);
        one._permit = permit;
        Ok((one, other))
    }

    async fn start_now(options: Options) -> Result<Self> {
        let binaries = provide(&options).await?;
        let mut attempt = 1;
        loop {
            match Self::start_on_a_free_port(&options, &binaries).await {
                Err(error) if attempt < PORT_ATTEMPTS && is_port_taken(&error) => attempt += 1,
                result => return result,
            }
        }
    }

    async fn start_on_a_free_port(options: &Options, binaries: &Binaries) -> Result<Self> {
        let folder = Folder::new()?;
        let layout = Layout { folder: folder.path().to_owned(), port: ports::free()?, port_beside: ports::free()? };
        let authority = Box::new(Authority::new()?);
        let people = people(options)?;
        layout.write(&authority, &token_file(&people), options)?;
        let people = People::Own { server: layout.server(), authority, tokens: people };
        let kubectl = binaries.path(Program::Kubectl)?.to_owned();
        let cluster = Cluster::own(&layout.folder, layout.file("admin.kubeconfig"), kubectl, people);
        let mut control_plane = Self {
            processes: BTreeMap::new(),
            cluster,
            layout,
            binaries: binaries.clone(),
            options: options.clone(),
            earlier: API_SERVERS.into_iter().filter(|_| options.release_before).collect(),
            _folder: folder,
            _permit: None,
        };
        control_plane.start_again().await?;
        Ok(control_plane)
    }

    /// What its users see of it.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// The address of the API server, such as `https://127.0.0.1:16443`.
    pub fn server(&self) -> String {
        self.layout.server()
    }

    /// The address of [`Component::ApiServerBeside`].
    pub fn server_beside(&self) -> String {
        self.layout.server_beside()
    }

    /// A copy of a kubeconfig of this cluster that leads to [`Component::ApiServerBeside`].
    ///
    /// # Errors
    /// If the file cannot be read or its copy not written.
    pub fn beside(&self, kubeconfig: &Path) -> Result<PathBuf> {
        let text = fs::read_to_string(kubeconfig).map_err(Error::io(format!("read {}", kubeconfig.display())))?;
        let copy = kubeconfig.with_extension("beside.kubeconfig");
        kubeconfig::write_private(&copy, &text.replace(&self.server(), &self.server_beside()))?;
        Ok(copy)
    }

    /// Lets an API server be of the release before from its next start on, or of the usual one again.
    /// The first start of that release builds it, which takes minutes.
    pub fn be_of_the_release_before(&mut self, api_server: Component, before: bool) {
        if before {
            self.earlier.insert(api_server);
        } else {
            self.earlier.remove(&api_server);
        }
    }

    /// The certificate, in PEM, of the authority that signed the API server's certificate.
    ///
    /// # Errors
    /// If its file cannot be read.
    pub fn authority(&self) -> Result<String> {
        let path = self.layout.file("ca.crt");
        fs::read_to_string(&path).map_err(Error::io(format!("read {}", path.display())))
    }

    /// The log of a component, from all its runs.
    ///
    /// # Errors
    /// If there is none.
    pub fn log(&self, component: Component) -> Result<String> {
        let path = self.layout.log(component);
        let bytes = fs::read(&path).map_err(Error::io(format!("read {}", path.display())))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The components that this control plane consists of, in the order of their start.
    pub fn components(&self) -> Vec<Component> {
        components(&self.options)
    }

    /// Kills a component at once, as a crash would. Nothing happens if it does not run.
    pub fn kill(&mut self, component: Component) {
        self.processes.remove(&component);
    }

    /// Asks a component to end and waits; kills it after ten seconds.
    pub fn stop(&mut self, component: Component) {
        if let Some(process) = self.processes.remove(&component) {
            process.stop();
        }
    }

    /// Kills everything at once, as a power cut would, and keeps data, port and credentials.
    pub fn kill_all(&mut self) {
        self.processes.clear();
    }

    /// Starts a component that does not run and waits until it is ready.
    ///
    /// # Errors
    /// Where it cannot be started, ends by itself, or is not ready in time.
    pub async fn start_component(&mut self, component: Component) -> Result<()> {
        self.launch(component).await?;
        self.wait_until_ready(component).await
    }

    /// Starts a component, or starts it anew, without waiting until it is ready.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub async fn launch(&mut self, component: Component) -> Result<()> {
        self.kill(component);
        self.options.progress.line(&format!("starting {component}"));
        match component {
            // Left behind by a kill, it would keep the next etcd from listening.
            Component::Etcd => drop(fs::remove_file(self.layout.etcd_socket())),
            Component::ApiServer => ports::wait_until_free(self.layout.port, PORT_FREE_WITHIN).await?,
            Component::ApiServerBeside => ports::wait_until_free(self.layout.port_beside, PORT_FREE_WITHIN).await?,
            Component::Node(_) => simulated_node::register(&self.client().await?, &component.to_string()).await?,
            Component::ControllerManager | Component::Scheduler => {}
        }
        let program = self.program(component).await?;
        let flags = self.layout.flags(component, &self.options);
        let process = Process::start(&program, &flags, &self.layout.folder, &self.layout.log(component))?;
        self.processes.insert(component, process);
        Ok(())
    }

    async fn program(&self, component: Component) -> Result<PathBuf> {
        if self.earlier.contains(&component) {
            return earlier::provide(&self.options.sources, &self.options.progress).await;
        }
        self.binaries.path(component.program()).map(Path::to_owned)
    }

    /// Waits until a component that was launched is ready.
    ///
    /// # Errors
    /// Where it ended by itself or is not ready in time, with the end of its log.
    pub async fn wait_until_ready(&mut self, component: Component) -> Result<()> {
        let client = match component {
            Component::ApiServerBeside => self.client_for(self.beside(self.admin_kubeconfig())?).await?,
            _ => self.client().await?,
        };
        let not_running = || Error::Invalid(format!("{component} was not started"));
        let process = self.processes.get_mut(&component).ok_or_else(not_running)?;
        let deadline = self.options.deadline;
        let client = &client;
        match component {
            // The API server is ready only with its store, and the scheduler shows by what it schedules.
            Component::Etcd | Component::Scheduler => {
                readiness::wait(component, process, deadline, || async { Ok(()) }).await
            }
            Component::ApiServer | Component::ApiServerBeside => {
                readiness::wait(component, process, deadline, || readiness::api_server(client)).await
            }
            Component::ControllerManager => {
                readiness::wait(component, process, deadline, || readiness::controller_manager(client)).await
            }
            Component::Node(_) => {
                let name = &component.to_string();
                readiness::wait(component, process, deadline, || readiness::node(client, name)).await
            }
        }
    }

    /// Starts every component that does not run, with the data, port and credentials of before, and
    /// waits until all are ready.
    ///
    /// # Errors
    /// Where one cannot be started, ends by itself, or is not ready in time.
    pub async fn start_again(&mut self) -> Result<()> {
        let (server, rest): (Vec<_>, Vec<_>) = self
            .components()
            .into_iter()
            .filter(|component| !self.processes.contains_key(component))
            .partition(|component| matches!(component, Component::Etcd | Component::ApiServer));
        // Each group starts together; the second has nothing to do before the first is ready.
        for group in [server, rest] {
            for &component in &group {
                self.launch(component).await?;
            }
            for &component in &group {
                self.wait_until_ready(component).await?;
            }
        }
        Ok(())
    }

    /// Stops a component as an upgrade would, and starts it again with its data.
    ///
    /// # Errors
    /// As [`start_component`](Self::start_component).
    pub async fn restart(&mut self, component: Component) -> Result<()> {
        self.stop(component);
        self.start_component(component).await
    }

    /// Stops the API server and starts it again.
    ///
    /// # Errors
    /// As [`start_component`](Self::start_component).
    pub async fn restart_api_server(&mut self) -> Result<()> {
        self.restart(Component::ApiServer).await
    }
}

fn components(options: &Options) -> Vec<Component> {
    let mut components = vec![Component::Etcd, Component::ApiServer];
    if options.controller_manager {
        components.push(Component::ControllerManager);
    }
    if options.scheduler || options.simulated_nodes > 0 {
        components.push(Component::Scheduler);
    }
    components.extend((0..options.simulated_nodes).map(Component::Node));
    components
}

async fn permits(count: u32) -> Option<SemaphorePermit<'static>> {
    // Never closed, so it always gives.
    PERMITS.acquire_many(count).await.ok()
}

async fn provide(options: &Options) -> Result<Binaries> {
    let mut needed: Vec<Program> = components(options).into_iter().map(Component::program).collect();
    needed.push(Program::Kubectl);
    needed.sort_unstable();
    needed.dedup();
    let (sources, progress) = (options.sources.clone(), options.progress.clone());
    let provided = tokio::task::spawn_blocking(move || Binaries::provide(&needed, &sources, &progress)).await;
    provided.map_err(|error| Error::Invalid(format!("providing the programs: {error}")))?
}

fn people(options: &Options) -> Result<BTreeMap<String, Person>> {
    let mut people = BTreeMap::new();
    for (name, groups) in &options.people {
        for text in groups.iter().chain([name]) {
            if text.is_empty() || text.contains(['"', ',', '\n', '\r']) {
                return Err(Error::Invalid(format!("{text:?} cannot be the name of a person or group")));
            }
        }
        // A fresh key is a good random token.
        let token = hex(&sha256(&token_key()?.0));
        people.insert(name.clone(), Person { groups: groups.clone(), token });
    }
    Ok(people)
}

fn sha256(text: &str) -> Vec<u8> {
    use sha2::Digest;
    sha2::Sha256::digest(text.as_bytes()).to_vec()
}

/// Lines of token, user, uid, groups.
fn token_file(people: &BTreeMap<String, Person>) -> String {
    people
        .iter()
        .map(|(name, Person { groups, token })| format!("{token},{name},{name},\"{}\"\n", groups.join(",")))
        .collect()
}

fn is_port_taken(error: &Error) -> bool {
    matches!(error, Error::Ended { log_tail, .. } if log_tail.contains("address already in use"))
}
