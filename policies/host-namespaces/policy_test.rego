package gitward.host_namespaces_test

import data.gitward.host_namespaces

test_each_is_a_warning if {
	object := {"spec": {"hostNetwork": true, "hostPID": true, "hostIPC": true}}
	fields := {finding.field | some finding in host_namespaces.warn} with input.object as object
	fields == {["spec", "hostNetwork"], ["spec", "hostPID"], ["spec", "hostIPC"]}
}

test_a_plain_pod_passes if {
	count(host_namespaces.warn) == 0 with input.object as {"spec": {"hostNetwork": false}}
}
