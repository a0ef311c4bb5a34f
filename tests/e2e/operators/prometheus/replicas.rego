package ceiling.replicas

title := "No more than three of a kind"

kinds := {"StatefulSet.apps"}

deny contains {
	"message": sprintf("%d replicas are more than 3", [input.object.spec.replicas]),
	"field": "spec.replicas",
} if {
	input.object.spec.replicas > 3
}
