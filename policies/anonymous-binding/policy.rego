package gitward.anonymous_binding

title := "No rights for everybody"

kinds := {"RoleBinding.rbac.authorization.k8s.io", "ClusterRoleBinding.rbac.authorization.k8s.io"}

# Callers without an account.
nobody := {"system:anonymous", "system:unauthenticated"}

# Every account there is, those of every Pod included.
everybody := {"system:authenticated", "system:serviceaccounts"}

writing := {"cluster-admin", "admin", "edit"}

deny contains {
	"message": sprintf("%s gets the role %s", [subject.name, input.object.roleRef.name]),
	"field": ["subjects", index, "name"],
	"hint": "bind the role to the accounts that need it",
} if {
	some index, subject in input.object.subjects
	subject.kind in {"User", "Group"}
	subject.name in nobody | everybody
	input.object.roleRef.name in writing
}

warn contains {
	"message": sprintf("%s, callers without an account, get the role %s", [subject.name, input.object.roleRef.name]),
	"field": ["subjects", index, "name"],
	"hint": "bind the role to the accounts that need it",
} if {
	some index, subject in input.object.subjects
	subject.kind in {"User", "Group"}
	subject.name in nobody
	not input.object.roleRef.name in writing
}
