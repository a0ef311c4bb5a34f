package gitward.service_exposure

title := "Services that face the outside are meant to"

kinds := {"Service"}

open := {
	"NodePort": "a port on every node",
	"LoadBalancer": "an address outside the cluster",
}

warn contains {
	"message": sprintf("the Service opens %s", [open[input.object.spec.type]]),
	"field": ["spec", "type"],
	"hint": "use type ClusterIP behind an Ingress or Gateway, or limit `loadBalancerSourceRanges`",
} if {
	open[input.object.spec.type]
	count(object.get(input.object.spec, "loadBalancerSourceRanges", [])) == 0
}

warn contains {
	"message": sprintf("the Service takes the address %s, whoever owns it", [address]),
	"field": ["spec", "externalIPs", index],
	"hint": "remove `externalIPs`: traffic for any address can be drawn in with it",
} if {
	some index, address in input.object.spec.externalIPs
}
