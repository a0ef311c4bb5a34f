package gitward.host_path_test

import data.gitward.host_path

pod(path, mount) := {"spec": {
	"volumes": [{"name": "v", "hostPath": {"path": path}}],
	"containers": [{"name": "app", "volumeMounts": [object.union({"name": "v", "mountPath": "/v"}, mount)]}],
}}

test_a_writable_root_is_denied if {
	every path in ["/", "/etc", "/etc/", "/etc/kubernetes", "/var/lib/kubelet/pods", "/tmp/../etc"] {
		count(host_path.deny) == 1 with input.object as pod(path, {})
	}
}

test_a_read_only_root_is_a_warning if {
	count(host_path.deny) == 0 with input.object as pod("/", {"readOnly": true})
	count(host_path.warn) == 1 with input.object as pod("/", {"readOnly": true})
}

test_the_runtime_socket_is_denied_even_read_only if {
	count(host_path.deny) == 1 with input.object as pod("/var/run/docker.sock", {"readOnly": true})
}

test_other_paths_are_a_warning if {
	count(host_path.deny) == 0 with input.object as pod("/var/log/app", {})
	count(host_path.warn) == 1 with input.object as pod("/var/log/app", {})
}

test_other_volumes_pass if {
	object := {"spec": {"volumes": [{"name": "v", "emptyDir": {}}]}}
	count(host_path.warn) == 0 with input.object as object
}

test_a_volume_of_the_node_is_seen_behind_others if {
	volumes := [{"name": "c", "emptyDir": {}}, {"name": "h", "hostPath": {"path": "/var/log"}}]
	count(host_path.warn) == 1 with input.object as {"spec": {"volumes": volumes}}
}
