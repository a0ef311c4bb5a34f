package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
)

// A life says until when an API is served, as the module k8s.io/api declares it beside its types.
type life struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Deprecated string `json:"deprecated"`
	Removed    string `json:"removed,omitempty"`
	// The apiVersion to write instead, where the source names one.
	Instead string `json:"instead,omitempty"`
}

// writeLifecycle writes lifecycle.json: one deprecated API a line. It is read from the module that
// belongs to a version of Kubernetes (v1.36.3 is k8s.io/api v0.36.3); what was removed stays in it.
func writeLifecycle(directory, version string) error {
	module, err := download("k8s.io/api", "v0."+strings.TrimPrefix(version, "v1."))
	if err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(module, "*", "*", "zz_generated.prerelease-lifecycle.go"))
	if err != nil {
		return err
	}
	var lives []life
	for _, file := range files {
		group, err := groupName(filepath.Join(filepath.Dir(file), "register.go"))
		if err != nil {
			return err
		}
		apiVersion := filepath.Base(filepath.Dir(file))
		if group != "" {
			apiVersion = group + "/" + apiVersion
		}
		found, err := readLives(file, apiVersion)
		if err != nil {
			return err
		}
		lives = append(lives, found...)
	}
	sort.Slice(lives, func(i, j int) bool {
		if lives[i].APIVersion != lives[j].APIVersion {
			return lives[i].APIVersion < lives[j].APIVersion
		}
		return lives[i].Kind < lives[j].Kind
	})
	var text bytes.Buffer
	for i, one := range lives {
		line, err := json.Marshal(one)
		if err != nil {
			return err
		}
		text.WriteString(map[bool]string{true: "[", false: ",\n"}[i == 0])
		text.Write(line)
	}
	text.WriteString("]\n")
	file := filepath.Join(directory, "lifecycle.json")
	fmt.Printf("%s: %d deprecated APIs\n", file, len(lives))
	return os.WriteFile(file, text.Bytes(), 0o644)
}

// groupName reads the constant GroupName of a package.
func groupName(file string) (string, error) {
	source, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		return "", err
	}
	group, found := "", false
	ast.Inspect(source, func(node ast.Node) bool {
		value, ok := node.(*ast.ValueSpec)
		if ok && len(value.Values) == 1 && value.Names[0].Name == "GroupName" {
			if literal, ok := value.Values[0].(*ast.BasicLit); ok {
				group, err = strconv.Unquote(literal.Value)
				found = err == nil
			}
		}
		return true
	})
	if !found {
		return "", fmt.Errorf("%s: no GroupName", file)
	}
	return group, nil
}

// readLives reads what the functions APILifecycle… of a package return.
func readLives(file, apiVersion string) ([]life, error) {
	source, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	byKind := map[string]*life{}
	for _, declaration := range source.Decls {
		function, ok := declaration.(*ast.FuncDecl)
		if !ok || function.Recv == nil {
			continue
		}
		kind := function.Recv.List[0].Type.(*ast.StarExpr).X.(*ast.Ident).Name
		if strings.HasSuffix(kind, "List") {
			continue
		}
		one := byKind[kind]
		if one == nil {
			one = &life{APIVersion: apiVersion, Kind: kind}
			byKind[kind] = one
		}
		results := function.Body.List[0].(*ast.ReturnStmt).Results
		switch function.Name.Name {
		case "APILifecycleDeprecated":
			one.Deprecated = number(results)
		case "APILifecycleRemoved":
			one.Removed = number(results)
		case "APILifecycleReplacement":
			one.Instead = replacement(results[0].(*ast.CompositeLit), kind)
		}
	}
	var lives []life
	for _, one := range byKind {
		if one.Deprecated != "" {
			lives = append(lives, *one)
		}
	}
	return lives, nil
}

func number(results []ast.Expr) string {
	return results[0].(*ast.BasicLit).Value + "." + results[1].(*ast.BasicLit).Value
}

// replacement is the apiVersion of a GroupVersionKind literal of the same kind.
func replacement(literal *ast.CompositeLit, kind string) string {
	fields := map[string]string{}
	for _, element := range literal.Elts {
		pair := element.(*ast.KeyValueExpr)
		fields[pair.Key.(*ast.Ident).Name], _ = strconv.Unquote(pair.Value.(*ast.BasicLit).Value)
	}
	if fields["Kind"] != kind {
		return ""
	}
	return fields["Group"] + "/" + fields["Version"]
}
