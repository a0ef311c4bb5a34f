// Makes gitward's built-in schemas out of the Go module k8s.io/kubernetes.
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: schemas DIRECTORY VERSION...")
		os.Exit(2)
	}
	if err := writeLifecycle(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", os.Args[2], err)
		os.Exit(1)
	}
	for _, version := range os.Args[2:] {
		if err := write(os.Args[1], version); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", version, err)
			os.Exit(1)
		}
	}
}

func write(directory, version string) error {
	module, err := download("k8s.io/kubernetes", version)
	if err != nil {
		return err
	}
	documents, err := readDocuments(filepath.Join(module, "api", "openapi-spec", "v3"))
	if err != nil {
		return err
	}
	enums, err := readEnums(filepath.Join(module, "pkg", "generated", "openapi", "zz_generated.openapi.go"))
	if err != nil {
		return err
	}
	catalog := compact(version, documents, enums)
	text, err := json.Marshal(catalog)
	if err != nil {
		return err
	}
	var packed bytes.Buffer
	zip, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := zip.Write(text); err != nil {
		return err
	}
	if err := zip.Close(); err != nil {
		return err
	}
	minor := strings.Join(strings.Split(version, ".")[:2], ".")
	file := filepath.Join(directory, minor+".json.gz")
	fmt.Printf("%s: %d kinds, %d types, %d bytes, %d compressed\n",
		file, len(catalog.Kinds), len(catalog.Types), len(text), packed.Len())
	return os.WriteFile(file, packed.Bytes(), 0o644)
}

// download has the go command download a module and says where it lies.
func download(module, version string) (string, error) {
	command := exec.Command("go", "mod", "download", "-json", module+"@"+version)
	output, err := command.Output()
	var answer struct{ Dir, Error string }
	if jsonErr := json.Unmarshal(output, &answer); jsonErr != nil {
		return "", fmt.Errorf("go mod download: %w", err)
	}
	if answer.Error != "" {
		return "", fmt.Errorf("go mod download: %s", answer.Error)
	}
	return answer.Dir, nil
}
