package gitward.resource_requests_test

import data.gitward.resource_requests

with_resources(resources) := {"spec": {"containers": [{"name": "app", "resources": resources}]}}

test_missing_requests_are_a_warning if {
	some finding in resource_requests.warn with input.object as with_resources({})
	finding.message == "container app requests no cpu and no memory"
}

test_one_missing_is_named if {
	object := with_resources({"requests": {"cpu": "100m"}})
	some finding in resource_requests.warn with input.object as object
	finding.message == "container app requests no memory"
}

test_requests_or_limits_pass if {
	object := with_resources({"requests": {"cpu": "100m"}, "limits": {"memory": "1Gi"}})
	count(resource_requests.warn) == 0 with input.object as object
}

test_requests_of_the_pod_pass if {
	object := {"spec": {"resources": {"requests": {"cpu": 1, "memory": "1Gi"}}, "containers": [{"name": "app"}]}}
	count(resource_requests.warn) == 0 with input.object as object
}
