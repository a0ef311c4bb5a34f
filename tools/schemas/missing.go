package main

import "strings"

// Fields that the documents call required and the API server does without: it fills in a default,
// or the empty value is a good one. Each was tried, or is so in the API server's validation.
var lenient = map[string]string{}

func acceptedMissing(typeName, field string) bool {
	parts := strings.Split(typeName, ".")
	for _, allowed := range strings.Fields(lenient[parts[len(parts)-1]]) {
		if allowed == field {
			return true
		}
	}
	return false
}
