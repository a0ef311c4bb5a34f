package gitward.privilege_escalation_test

import data.gitward.privilege_escalation

container(context) := {"spec": {"containers": [{"name": "app", "securityContext": context}]}}

test_escalation_is_denied if {
	object := container({"allowPrivilegeEscalation": true})
	count(privilege_escalation.deny) == 1 with input.object as object
}

test_false_and_unset_pass if {
	object := container({"allowPrivilegeEscalation": false})
	count(privilege_escalation.deny) == 0 with input.object as object
	count(privilege_escalation.deny) == 0 with input.object as container({})
}
