package gitward.anonymous_binding_test

import data.gitward.anonymous_binding

binding(role, kind, subject) := {
	"kind": "ClusterRoleBinding",
	"roleRef": {"name": role},
	"subjects": [{"kind": kind, "name": subject}],
}

test_cluster_admin_for_everybody_is_denied if {
	every group in ["system:unauthenticated", "system:authenticated", "system:serviceaccounts"] {
		object := binding("cluster-admin", "Group", group)
		count(anonymous_binding.deny) == 1 with input.object as object
	}
	object := binding("cluster-admin", "User", "system:anonymous")
	count(anonymous_binding.deny) == 1 with input.object as object
}

test_reading_without_an_account_is_a_warning if {
	object := binding("public-info", "Group", "system:unauthenticated")
	count(anonymous_binding.deny) == 0 with input.object as object
	count(anonymous_binding.warn) == 1 with input.object as object
}

test_named_accounts_pass if {
	object := binding("cluster-admin", "User", "jane")
	count(anonymous_binding.deny) == 0 with input.object as object
	count(anonymous_binding.warn) == 0 with input.object as object
}
