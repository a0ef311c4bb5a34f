package gitward.host_namespaces

title := "No host namespaces"

kinds := {"Pod"}

reach := {
	"hostNetwork": "sees the node's network and its local services",
	"hostPID": "sees and signals every process of the node",
	"hostIPC": "shares memory with every process of the node",
}

warn contains {
	"message": sprintf("the Pod uses %s: it %s", [key, effect]),
	"field": ["spec", key],
	"hint": sprintf("remove `%s: true` unless this is an agent of the node", [key]),
} if {
	some key, effect in reach
	input.object.spec[key] == true
}
