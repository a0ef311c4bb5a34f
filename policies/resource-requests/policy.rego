package gitward.resource_requests

import data.gitward.lib.pod

title := "Containers request CPU and memory"

kinds := {"Pod"}

warn contains {
	"message": sprintf("container %s requests no %s", [pod.name(entry.container), concat(" and no ", sort(missing))]),
	"field": pod.field(entry, ["resources"]),
	"hint": "set `resources.requests.cpu` and `resources.requests.memory`",
} if {
	some entry in pod.declared
	missing := {resource | some resource in ["cpu", "memory"]; not requested(entry.container, resource)}
	count(missing) > 0
}

requested(container, resource) if container.resources.requests[resource]

# A limit without a request is its own request.
requested(container, resource) if container.resources.limits[resource]

# The Pod as a whole may request them.
requested(_, resource) if input.object.spec.resources.requests[resource]
