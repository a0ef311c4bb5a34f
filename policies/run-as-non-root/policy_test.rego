package gitward.run_as_non_root_test

import data.gitward.run_as_non_root

pod(of_pod, of_container) := {"spec": {
	"securityContext": of_pod,
	"containers": [{"name": "app", "securityContext": of_container}],
}}

test_nothing_said_is_a_warning if {
	count(run_as_non_root.warn) == 1 with input.object as {"spec": {"containers": [{"name": "app"}]}}
	count(run_as_non_root.warn) == 1 with input.object as pod({}, {"runAsUser": 0})
}

test_the_pod_may_say_it if {
	count(run_as_non_root.warn) == 0 with input.object as pod({"runAsNonRoot": true}, {})
	count(run_as_non_root.warn) == 0 with input.object as pod({"runAsUser": 1000}, {})
}

test_the_container_overrules_the_pod if {
	count(run_as_non_root.warn) == 1 with input.object as pod({"runAsNonRoot": true}, {"runAsNonRoot": false})
	count(run_as_non_root.warn) == 0 with input.object as pod({}, {"runAsNonRoot": true})
}

test_user_namespaces_and_windows_pass if {
	count(run_as_non_root.warn) == 0 with input.object as {"spec": {"hostUsers": false, "containers": [{"name": "a"}]}}
	object := {"spec": {"os": {"name": "windows"}, "containers": [{"name": "a"}]}}
	count(run_as_non_root.warn) == 0 with input.object as object
}
