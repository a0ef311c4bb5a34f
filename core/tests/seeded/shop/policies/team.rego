package gitward.team

title := "Workloads have few replicas"

kinds := {"Deployment.apps"}

deny contains {"message": "too many replicas", "field": "spec.replicas"} if input.object.spec.replicas > 10
