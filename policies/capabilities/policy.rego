package gitward.capabilities

import data.gitward.lib.pod

title := "No dangerous capabilities"

kinds := {"Pod"}

# Each of these is as good as root on the node.
dangerous := {
	"ALL", "BPF", "DAC_READ_SEARCH", "MAC_ADMIN", "MAC_OVERRIDE", "PERFMON", "SYS_ADMIN", "SYS_BOOT",
	"SYS_MODULE", "SYS_PTRACE", "SYS_RAWIO",
}

# These reach beyond the container, and some agents need them.
doubtful := {"NET_ADMIN", "NET_BROADCAST", "NET_RAW", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME", "SYSLOG"}

added contains {"container": container, "list": list, "position": position, "index": index, "name": name} if {
	some list in ["containers", "initContainers", "ephemeralContainers"]
	some position, container in input.object.spec[list]
	some index, capability in container.securityContext.capabilities.add
	name := trim_prefix(upper(capability), "CAP_")
}

deny contains finding(addition) if {
	some addition in added
	addition.name in dangerous
}

warn contains finding(addition) if {
	some addition in added
	addition.name in doubtful
}

finding(addition) := {
	"message": sprintf("container %s adds the capability %s", [pod.name(addition.container), addition.name]),
	"field": ["spec", addition.list, addition.position, "securityContext", "capabilities", "add", addition.index],
	"hint": "drop ALL and add only what the program needs",
}
