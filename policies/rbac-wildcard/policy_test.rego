package gitward.rbac_wildcard_test

import data.gitward.rbac_wildcard

role(rule) := {"kind": "Role", "rules": [rule]}

test_all_verbs_are_a_warning if {
	object := role({"apiGroups": [""], "resources": ["pods"], "verbs": ["*"]})
	some finding in rbac_wildcard.warn with input.object as object
	finding.field == ["rules", 0, "verbs"]
}

test_all_resources_are_a_warning if {
	object := role({"apiGroups": ["*"], "resources": ["*"], "verbs": ["get"]})
	count(rbac_wildcard.warn) == 1 with input.object as object
}

test_taking_more_rights_is_a_warning if {
	object := role({"apiGroups": [""], "resources": ["users"], "verbs": ["impersonate"]})
	count(rbac_wildcard.warn) == 1 with input.object as object
}

test_a_narrow_role_passes if {
	object := role({"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]})
	count(rbac_wildcard.warn) == 0 with input.object as object
}
