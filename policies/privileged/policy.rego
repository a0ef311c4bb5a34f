package gitward.privileged

import data.gitward.lib.pod

title := "No privileged containers"

kinds := {"Pod"}

deny contains {
	"message": sprintf("container %s is privileged", [pod.name(entry.container)]),
	"field": pod.field(entry, ["securityContext", "privileged"]),
	"hint": "remove `privileged: true` and add the one capability that is needed",
} if {
	some entry in pod.containers
	entry.container.securityContext.privileged == true
}
