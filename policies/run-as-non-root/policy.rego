package gitward.run_as_non_root

import data.gitward.lib.pod

title := "Containers do not run as root"

kinds := {"Pod"}

warn contains {
	"message": sprintf("container %s may run as root", [pod.name(container)]),
	"field": ["spec", list, position, "securityContext"],
	"hint": "set `securityContext.runAsNonRoot: true`",
} if {
	some list in ["containers", "initContainers"]
	some position, container in input.object.spec[list]
	not effective(container, "runAsNonRoot") == true
	not effective(container, "runAsUser") > 0
	not in_user_namespace
	not is_windows
}

# What the container says, else the Pod.
effective(container, key) := object.get(
	container, ["securityContext", key],
	object.get(input.object.spec, ["securityContext", key], null),
)

# Root in a user namespace is nobody outside of it.
in_user_namespace if input.object.spec.hostUsers == false

is_windows if input.object.spec.os.name == "windows"
