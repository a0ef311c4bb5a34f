package gitward.privileged_test

import data.gitward.privileged

with_privileged(value) := {"spec": {"containers": [{
	"name": "app",
	"securityContext": {"privileged": value},
}]}}

test_a_privileged_container_is_denied if {
	some finding in privileged.deny with input.object as with_privileged(true)
	finding.field == ["spec", "containers", 0, "securityContext", "privileged"]
}

test_init_containers_count_too if {
	object := {"spec": {"initContainers": [{"name": "a", "securityContext": {"privileged": true}}]}}
	count(privileged.deny) == 1 with input.object as object
}

test_anything_else_passes if {
	count(privileged.deny) == 0 with input.object as with_privileged(false)
	count(privileged.deny) == 0 with input.object as {"spec": {"containers": [{"name": "app"}]}}
}
