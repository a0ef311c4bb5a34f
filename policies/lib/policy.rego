# Containers of a Pod, wherever they are listed, each with its place.
package gitward.lib.pod

lists := {"containers", "initContainers", "ephemeralContainers"}

containers contains entry if {
	some list in lists
	some index, container in input.object.spec[list]
	entry := {"list": list, "path": ["spec", list, index], "container": container}
}

# Containers that the Pod is made with: ephemeral ones are only ever added to a running Pod.
declared contains entry if {
	some entry in containers
	entry.list != "ephemeralContainers"
}

# The place of a field of a container.
field(entry, steps) := array.concat(entry.path, steps)

# A container's name, or its image where it has none.
name(container) := object.get(container, "name", object.get(container, "image", "without a name"))

# A field of the container's security context, else of the Pod's.
effective(container, key) := container.securityContext[key]

effective(container, key) := input.object.spec.securityContext[key] if {
	not has(container, key)
}

has(container, key) if {
	key in object.keys(container.securityContext)
}
