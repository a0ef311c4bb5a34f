package gitward.team

# Whoever is called at night wants to know whom to call.
kinds := {"Deployment", "StatefulSet"}

deny contains finding if {
	not input.object.metadata.labels.team
	finding := {
		"message": sprintf("%s/%s has no team", [input.object.kind, input.object.metadata.name]),
		"field": "metadata.labels",
		"hint": "add the label team with the name of the team that runs it",
	}
}
