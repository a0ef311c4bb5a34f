package gitward.rbac_wildcard

title := "Roles name what they allow"

kinds := {"Role.rbac.authorization.k8s.io", "ClusterRole.rbac.authorization.k8s.io"}

whole := {"apiGroups": "API groups", "resources": "resources", "verbs": "verbs"}

# A wildcard group alone widens little: the resources are named.
warn contains {
	"message": sprintf("the role allows all %s, those of tomorrow as well", [whole[list]]),
	"field": ["rules", index, list],
	"hint": sprintf("list the %s that are needed", [whole[list]]),
} if {
	some index, rule in input.object.rules
	some list in ["resources", "verbs"]
	"*" in rule[list]
}

warn contains {
	"message": sprintf("the role allows to %s, and so to take more rights than it names", [verb]),
	"field": ["rules", index, "verbs", position],
	"hint": "leave granting rights to Git",
} if {
	some index, rule in input.object.rules
	some position, verb in rule.verbs
	verb in {"bind", "escalate", "impersonate"}
}
