package gitward.secret_in_git

title := "No plain Secrets in Git"

kinds := {"Secret"}

warn contains {
	"message": sprintf("the Secret's value %s stands in Git, readable by all who read the repository", [key]),
	"field": [list, key],
	"hint": "keep it in a secret store (External Secrets, Sealed Secrets, SOPS), and replace the value: Git forgets nothing",
} if {
	some list in ["data", "stringData"]
	some key, value in input.object[list]
	not value in {"", null}
}
