//! The node: containerd, kubelet and kube-proxy, which can be stopped, killed and started again.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use gitward_test_cluster::ControlPlane;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::programs::Programs;
use crate::sandbox::{self, ADDRESS, BRIDGE, PODS, Within};
use crate::{images, pods};

/// The node's name.
const NAME: &str = "worker";

const SOCKET: &str = "/run/containerd/containerd.sock";

/// Lines that are told of a log.
const TAIL: usize = 25;

/// How long a part of it may take to end or to answer.
const SOON: Duration = Duration::from_secs(30);

/// A node. Its processes end with the sandbox.
pub(crate) struct Node {
    within: Within,
    programs: Programs,
    containerd: Daemon,
    kubelet: Daemon,
    kube_proxy: Daemon,
}

impl Node {
    /// Registers a node with the control plane and runs it, with the images that it has to have.
    pub(crate) fn start(cluster: &ControlPlane, within: &Within) -> Self {
        let programs = Programs::provide().unwrap();
        let account = cluster.person_kubeconfig(&format!("system:node:{NAME}"), &["system:nodes"]).unwrap();
        let proxy_account = cluster.person_kubeconfig("system:kube-proxy", &[]).unwrap();
        let folder = &within.folder;
        write_configurations(within, &programs, &proxy_account);
        let at = |name: &str| folder.join(name).display().to_string();
        let containerd =
            Daemon::new(programs.debian("usr/bin/containerd"), vec![format!("--config={}", at("containerd.toml"))]);
        let kubelet = vec![
            format!("--config={}", at("kubelet.json")),
            format!("--kubeconfig={}", account.display()),
            format!("--root-dir={}", at("kubelet")),
            format!("--cert-dir={}", at("kubelet/pki")),
            format!("--hostname-override={NAME}"),
            format!("--node-ip={ADDRESS}"),
        ];
        let kubelet = Daemon::new(programs.kubelet.clone(), kubelet);
        let kube_proxy = Daemon::new(programs.kube_proxy.clone(), vec![format!("--config={}", at("kube-proxy.json"))]);
        let mut node = Self { within: within.clone(), programs, containerd, kubelet, kube_proxy };
        node.start_containerd();
        node.import(&images::pause(&node.programs.pause, folder));
        node.import(&images::gitward(folder));
        node.ctr(&[
            "images",
            "tag",
            &format!("{}:{}", images::NAME, images::FIRST),
            &format!("{}:{}", images::NAME, images::SECOND),
        ]);
        node.start_rest();
        node
    }

    /// Stops kubelet and containerd and starts them again, as their upgrade does. Containers go on.
    pub(crate) fn restart_services(&mut self) {
        self.kubelet.stop();
        self.containerd.stop();
        self.start_containerd();
        let environment = self.programs.environment();
        self.kubelet.start(&self.within.folder, &environment);
    }

    /// Ends everything on it at once, and leaves what a machine without power keeps: its disk.
    pub(crate) fn cut_power(&mut self) {
        for daemon in [&mut self.kubelet, &mut self.kube_proxy, &mut self.containerd] {
            daemon.kill();
        }
        pods::kill_all(&self.within);
        sandbox::remove_cgroups_of_pods(&self.within);
        unmount_below(&[Path::new("/run"), &self.within.folder.join("kubelet")]);
        for folder in sandbox::folders(Path::new("/run")) {
            fs::remove_dir_all(&folder).unwrap();
        }
        run(Command::new(self.programs.debian("usr/sbin/nft"))
            .args(["flush", "ruleset"])
            .envs(self.programs.environment()));
    }

    /// Starts it after [`cut_power`](Self::cut_power).
    pub(crate) fn start_again(&mut self) {
        self.start_containerd();
        self.start_rest();
    }

    fn start_containerd(&mut self) {
        self.containerd.start(&self.within.folder, &self.programs.environment());
        let started = Instant::now();
        while !self.try_ctr(&["version"]) {
            assert!(started.elapsed() < SOON, "containerd does not answer: {}", self.logs());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn start_rest(&mut self) {
        let environment = self.programs.environment();
        for daemon in [&mut self.kube_proxy, &mut self.kubelet] {
            daemon.start(&self.within.folder, &environment);
        }
    }

    fn import(&self, image: &Path) {
        self.ctr(&["images", "import", &image.display().to_string()]);
    }

    fn ctr(&self, arguments: &[&str]) {
        assert!(self.try_ctr(arguments), "ctr {arguments:?}: {}", self.logs());
    }

    fn try_ctr(&self, arguments: &[&str]) -> bool {
        let mut ctr = Command::new(self.programs.debian("usr/bin/ctr"));
        ctr.args(["--address", SOCKET, "--namespace", "k8s.io"]).args(arguments).envs(self.programs.environment());
        ctr.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
    }

    /// The ends of its logs, for whoever looks for a reason.
    fn logs(&self) -> String {
        let daemons = [&self.containerd, &self.kubelet, &self.kube_proxy].map(|daemon| daemon.log(&self.within.folder));
        daemons.iter().chain(&pods::logs()).map(|log| tail(log)).collect()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("{}", self.logs());
        }
    }
}

/// The last lines of a log, under its name.
fn tail(log: &Path) -> String {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    format!("{} ends with:\n{}\n", log.display(), lines[lines.len().saturating_sub(TAIL)..].join("\n"))
}

/// What containerd, kubelet and kube-proxy read.
fn write_configurations(within: &Within, programs: &Programs, proxy_account: &Path) {
    let folder = &within.folder;
    let networks = folder.join("networks");
    fs::create_dir_all(&networks).unwrap();
    let containerd = format!(
        "version = 2\n\
         root = {root:?}\n\
         state = \"/run/containerd\"\n\
         [grpc]\n\
         address = {SOCKET:?}\n\
         [plugins.\"io.containerd.grpc.v1.cri\"]\n\
         sandbox_image = {pause:?}\n\
         # Root need not have the right to raise what the kernel spares.\n\
         restrict_oom_score_adj = true\n\
         [plugins.\"io.containerd.grpc.v1.cri\".cni]\n\
         bin_dir = {plugins:?}\n\
         conf_dir = {networks:?}\n",
        root = folder.join("containerd"),
        pause = images::PAUSE,
        plugins = programs.debian("usr/lib/cni"),
    );
    fs::write(folder.join("containerd.toml"), containerd).unwrap();
    let network = json!({"cniVersion": "0.4.0", "name": "pods", "plugins": [{
        "type": "bridge", "bridge": BRIDGE, "isGateway": true, "hairpinMode": true,
        "ipam": {"type": "host-local", "ranges": [[{"subnet": PODS}]], "routes": [{"dst": "0.0.0.0/0"}]},
    }]});
    fs::write(networks.join("pods.conflist"), network.to_string()).unwrap();
    let kubelet = json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "containerRuntimeEndpoint": format!("unix://{SOCKET}"),
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": format!("/{}", within.cgroup),
        // Whatever the machine has of these will do.
        "failCgroupV1": false,
        "failSwapOn": false,
        "oomScoreAdj": 0,
        "resolvConf": folder.join("resolv.conf"),
    });
    fs::write(folder.join("kubelet.json"), kubelet.to_string()).unwrap();
    let kube_proxy = json!({
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "hostnameOverride": NAME,
        "clientConnection": {"kubeconfig": proxy_account},
        // The machine's own limits stay as they are.
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        "oomScoreAdj": 0,
    });
    fs::write(folder.join("kube-proxy.json"), kube_proxy.to_string()).unwrap();
}

/// Unmounts what is mounted below these folders, the last first.
fn unmount_below(folders: &[&Path]) {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    let places = mounts.lines().filter_map(|line| line.split(' ').nth(1)).map(Path::new);
    let below: Vec<&Path> = places.filter(|p| folders.iter().any(|f| p != f && p.starts_with(f))).collect();
    for place in below.iter().rev() {
        run(Command::new("umount").arg("--lazy").arg(place));
    }
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A program of the node, with a log of all its runs.
struct Daemon {
    program: PathBuf,
    arguments: Vec<String>,
    child: Option<Child>,
}

impl Daemon {
    fn new(program: PathBuf, arguments: Vec<String>) -> Self {
        Self { program, arguments, child: None }
    }

    fn log(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{}.log", self.program.file_name().unwrap_or_default().display()))
    }

    fn start(&mut self, folder: &Path, environment: &[(&str, String)]) {
        let log = File::options().create(true).append(true).open(self.log(folder)).unwrap();
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).envs(environment.iter().map(|(name, value)| (name, value)));
        command.env_remove("KUBECONFIG").env("NO_PROXY", "*").current_dir(folder).stdin(Stdio::null());
        self.child = Some(command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap());
    }

    /// Asks it to end, and waits.
    fn stop(&mut self) {
        let Some(child) = &mut self.child else { return };
        kill_process(Pid::from_child(child), Signal::TERM).unwrap();
        let asked = Instant::now();
        while child.try_wait().unwrap().is_none() {
            assert!(asked.elapsed() < SOON, "{} does not end", self.program.display());
            std::thread::sleep(Duration::from_millis(20));
        }
        self.child = None;
    }

    fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}
