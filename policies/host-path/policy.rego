package gitward.host_path

import data.gitward.lib.pod

title := "No host paths"

kinds := {"Pod"}

# Whoever writes here owns the node.
sensitive := {"", "/boot", "/dev", "/etc", "/lib", "/opt/cni", "/proc", "/root", "/run", "/sbin", "/sys", "/usr", "/var"}

# Whoever speaks to these owns the node, and a mount that is read-only does not hinder that.
sockets := {
	"/run/containerd/containerd.sock", "/run/crio/crio.sock", "/run/docker.sock",
	"/var/run/containerd/containerd.sock", "/var/run/crio/crio.sock", "/var/run/docker.sock",
}

host_paths contains {"index": index, "name": volume.name, "path": path} if {
	some index, volume in input.object.spec.volumes
	path := trim_right(volume.hostPath.path, "/")
}

deny contains {
	"message": sprintf("the volume %s gives the container runtime's socket %s away", [volume.name, volume.path]),
	"field": ["spec", "volumes", volume.index, "hostPath", "path"],
	"hint": "use the Kubernetes API instead of the container runtime",
} if {
	some volume in host_paths
	volume.path in sockets
}

deny contains {
	"message": sprintf("container %s may write to %s of the node", [pod.name(container), path_of(volume)]),
	"field": ["spec", list, position, "volumeMounts", index],
	"hint": "mount it with `readOnly: true`, or use another kind of volume",
} if {
	some volume in host_paths
	is_sensitive(volume.path)
	some list in ["containers", "initContainers", "ephemeralContainers"]
	some position, container in input.object.spec[list]
	some index, mount in container.volumeMounts
	not mount.readOnly == true
	volume.name == mount.name
}

warn contains {
	"message": sprintf("the volume %s is the node's directory %s", [volume.name, path_of(volume)]),
	"field": ["spec", "volumes", volume.index, "hostPath", "path"],
	"hint": "use a PersistentVolumeClaim, an emptyDir or a ConfigMap unless this is an agent of the node",
} if {
	some volume in host_paths
	not volume.path in sockets
}

is_sensitive(path) if path in sensitive

is_sensitive(path) if contains(path, "/..")

is_sensitive(path) if {
	some root in {"/etc", "/root", "/var/lib/kubelet", "/var/lib/etcd", "/var/lib/rancher"}
	startswith(concat("", [path, "/"]), concat("", [root, "/"]))
}

path_of(volume) := "/" if volume.path == ""

path_of(volume) := volume.path if volume.path != ""
