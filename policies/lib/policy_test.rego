package gitward.lib.pod_test

import data.gitward.lib.pod

object := {"spec": {
	"securityContext": {"runAsNonRoot": true},
	"containers": [{"name": "app"}],
	"initContainers": [{"image": "busybox:1.36"}],
	"ephemeralContainers": [{"name": "debug"}],
}}

test_all_lists_are_read if {
	count(pod.containers) == 3 with input.object as object
	count(pod.declared) == 2 with input.object as object
}

test_places_are_exact if {
	paths := {entry.path | some entry in pod.containers} with input.object as object
	["spec", "initContainers", 0] in paths
}

test_a_container_without_a_name_is_called_by_its_image if {
	pod.name({"image": "busybox:1.36"}) == "busybox:1.36"
}

test_the_container_comes_before_the_pod if {
	pod.effective({}, "runAsNonRoot") == true with input.object as object
	own := {"securityContext": {"runAsNonRoot": false}}
	pod.effective(own, "runAsNonRoot") == false with input.object as object
}
