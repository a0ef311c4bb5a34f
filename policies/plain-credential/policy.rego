package gitward.plain_credential

import data.gitward.lib.pod

title := "No credentials in plain text"

kinds := {"Pod", "ConfigMap"}

hint := "put it into a Secret that comes from a secret store, refer to that, and replace the value: Git forgets nothing"

# An environment variable that is called a credential and has its value written beside it.
warn contains {
	"message": sprintf("container %s is given %s in plain text", [pod.name(entry.container), variable.name]),
	"field": pod.field(entry, ["env", index, "value"]),
	"hint": hint,
} if {
	some entry in pod.containers
	some index, variable in entry.container.env
	is_credential_name(variable.name)
	is_plain(variable.value)
}

# One that looks like a credential whatever it is called.
warn contains {
	"message": sprintf("the value of %s of container %s looks like a credential", [variable.name, pod.name(entry.container)]),
	"field": pod.field(entry, ["env", index, "value"]),
	"hint": hint,
} if {
	some entry in pod.containers
	some index, variable in entry.container.env
	not is_credential_name(variable.name)
	looks_like_credential(variable.value)
}

warn contains {
	"message": sprintf("the ConfigMap's value %s looks like a credential", [key]),
	"field": ["data", key],
	"hint": hint,
} if {
	input.object.kind == "ConfigMap"
	some key, value in input.object.data
	looks_like_credential(value)
}

is_credential_name(name) if {
	is_string(name)
	regex.match(`(?i)(^|[_-])(password|passwd|secret|token|api_?key|access_?key|secret_?key|private_?key)$`, name)
}

# Neither nothing, nor a switch, a path, or a reference to something else.
is_plain(value) if {
	is_string(value)
	count(value) > 3
	not lower(value) in {"true", "false", "none", "null"}
	not startswith(value, "/")
	not contains(value, "$(")
	not contains(value, "${")
}

markers := ["PRIVATE KEY-----", "AKIA", "ghp_", "gho_", "ghs_", "glpat-", "xoxb-", "xoxp-", "AIza", "sk_live_"]

shapes := `-----BEGIN [A-Z ]*PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|\bgh[pos]_[0-9A-Za-z]{36}\b|\bglpat-[0-9A-Za-z_-]{20}|\bxox[bp]-[0-9A-Za-z-]{20}|\bAIza[0-9A-Za-z_-]{35}\b|\bsk_live_[0-9A-Za-z]{24}`

looks_like_credential(value) if {
	is_string(value)
	some marker in markers
	contains(value, marker)
	regex.match(shapes, value)
}
