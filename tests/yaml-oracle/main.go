// The oracle for the manifest reader: what sigs.k8s.io/yaml makes of a text.
//
// Reads a JSON list of {"yaml": …} on standard input and writes it back with the answers: the JSON
// of the strict reading or its error, and the JSON of the lax reading where strict fails. To add a
// case, put {"yaml": …} into cases.json and run `go run . < cases.json > new && mv new cases.json`.
package main

import (
	"encoding/json"
	"log"
	"os"
	"strings"

	"sigs.k8s.io/yaml"
)

type answer struct {
	YAML   string          `json:"yaml"`
	Strict json.RawMessage `json:"strict,omitempty"`
	Error  string          `json:"error,omitempty"`
	Lax    json.RawMessage `json:"lax,omitempty"`
}

func ask(text string) answer {
	// kubectl's reader ends every line with a line break before it parses.
	input := text
	if !strings.HasSuffix(input, "\n") {
		input += "\n"
	}
	found := answer{YAML: text}
	var err error
	if found.Strict, err = yaml.YAMLToJSONStrict([]byte(input)); err != nil {
		found.Error = err.Error()
		found.Strict = nil
		found.Lax, _ = yaml.YAMLToJSON([]byte(input))
	}
	return found
}

func main() {
	var cases []answer
	if err := json.NewDecoder(os.Stdin).Decode(&cases); err != nil {
		log.Fatal(err)
	}
	for i := range cases {
		cases[i] = ask(cases[i].YAML)
	}
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	out.SetIndent("", " ")
	if err := out.Encode(cases); err != nil {
		log.Fatal(err)
	}
}
