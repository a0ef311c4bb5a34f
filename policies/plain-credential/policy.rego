package gitward.plain_credential

import data.gitward.lib.pod

title := "No credentials in plain text"

kinds := {"Pod", "ConfigMap"}

hint := "put it into a Secret that comes from a secret store, refer to that, and replace the value: Git forgets nothing"

# Containers whose environment has anything of a credential in it. One look at all of it together tells that of
# most that they have none.
suspects contains {"container": container, "list": list, "position": position} if {
	some list in ["containers", "initContainers", "ephemeralContainers"]
	some position, container in input.object.spec[list]
	regex.match(traces, json.marshal(container.env))
}

# What an environment is not read as is told by whoever goes through it.
suspects contains {"container": container, "list": list, "position": position} if {
	some list in ["containers", "initContainers", "ephemeralContainers"]
	some position, container in input.object.spec[list]
	not is_array(container.env)
}

# Part of every name, at its end, and of every value that is meant below.
traces := `(?i:(password|passwd|secret|token|(api|access|secret|private)_?key)")|PRIVATE KEY-----|AKIA|gh[pos]_|glpat-|xox[bp]-|AIza|sk_live_`

# An environment variable that is called a credential and has its value written beside it.
warn contains {
	"message": sprintf("container %s is given %s in plain text", [pod.name(suspect.container), variable.name]),
	"field": ["spec", suspect.list, suspect.position, "env", index, "value"],
	"hint": hint,
} if {
	some suspect in suspects
	some index, variable in suspect.container.env
	is_credential_name(variable.name)
	is_plain(variable.value)
}

# One that looks like a credential whatever it is called.
warn contains {
	"message": sprintf("the value of %s of container %s looks like a credential", [variable.name, pod.name(suspect.container)]),
	"field": ["spec", suspect.list, suspect.position, "env", index, "value"],
	"hint": hint,
} if {
	some suspect in suspects
	some index, variable in suspect.container.env
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

shapes := `-----BEGIN [A-Z ]*PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|\bgh[pos]_[0-9A-Za-z]{36}\b|\bglpat-[0-9A-Za-z_-]{20}|\bxox[bp]-[0-9A-Za-z-]{20}|\bAIza[0-9A-Za-z_-]{35}\b|\bsk_live_[0-9A-Za-z]{24}`

looks_like_credential(value) if {
	is_string(value)
	regex.match(shapes, value)
}
