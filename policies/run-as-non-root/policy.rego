package gitward.run_as_non_root

import data.gitward.lib.pod

title := "Containers do not run as root"

kinds := {"Pod"}

warn contains {
	"message": sprintf("container %s may run as root", [pod.name(entry.container)]),
	"field": pod.field(entry, ["securityContext"]),
	"hint": "set `securityContext.runAsNonRoot: true`",
} if {
	some entry in pod.declared
	not is_windows
	not safe(entry.container)
}

safe(container) if pod.effective(container, "runAsNonRoot") == true

safe(container) if pod.effective(container, "runAsUser") > 0

# Root in a user namespace is nobody outside of it.
safe(_) if input.object.spec.hostUsers == false

is_windows if input.object.spec.os.name == "windows"
