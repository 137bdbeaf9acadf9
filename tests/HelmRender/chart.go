package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/xeipuuv/gojsonschema"
	"sigs.k8s.io/yaml"
)

// Metadata is what Chart.yaml says, as far as templates ask for it.
type Metadata struct {
	Name        string            `json:"name"`
	Version     string            `json:"version"`
	AppVersion  string            `json:"appVersion"`
	Description string            `json:"description"`
	KubeVersion string            `json:"kubeVersion"`
	Home        string            `json:"home"`
	Annotations map[string]string `json:"annotations"`
}

type chart struct {
	metadata  Metadata
	values    map[string]interface{}
	schema    []byte
	templates map[string]string
	files     files
}

func load(folder string) (*chart, error) {
	c := &chart{templates: map[string]string{}, files: files{}, values: map[string]interface{}{}}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(folder, path)
		switch {
		case err != nil:
			return err
		case name == "Chart.yaml":
			return yaml.UnmarshalStrict(data, &struct {
				*Metadata
				APIVersion  string   `json:"apiVersion"`
				Type        string   `json:"type"`
				Icon        string   `json:"icon"`
				Keywords    []string `json:"keywords"`
				Sources     []string `json:"sources"`
				Maintainers []struct {
					Name, Email, URL string
				} `json:"maintainers"`
			}{Metadata: &c.metadata})
		case name == "values.yaml":
			c.values, err = parse(data)
			return err
		case name == "values.schema.json":
			c.schema = data
		case strings.HasPrefix(name, "templates/"):
			c.templates[name] = string(data)
		default:
			c.files[name] = data
		}
		return nil
	})
	return c, err
}

// check says what of the values the schema refuses, by path. The same library as Helm's.
func (c *chart) check(values map[string]interface{}) ([]string, error) {
	if c.schema == nil {
		return nil, nil
	}
	data, err := json.Marshal(values)
	if err != nil {
		return nil, err
	}
	result, err := gojsonschema.Validate(gojsonschema.NewBytesLoader(c.schema), gojsonschema.NewBytesLoader(data))
	if err != nil {
		return nil, err
	}
	var problems []string
	for _, problem := range result.Errors() {
		problems = append(problems, "- "+problem.String())
	}
	sort.Strings(problems)
	return problems, nil
}

func readYaml(file string) (map[string]interface{}, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return parse(data)
}

func parse(data []byte) (map[string]interface{}, error) {
	values := map[string]interface{}{}
	return values, yaml.UnmarshalStrict(data, &values)
}

// merge lays more over values, as Helm: maps are merged, anything else replaces, null takes away.
func merge(values, more map[string]interface{}) map[string]interface{} {
	result := map[string]interface{}{}
	for key, value := range values {
		result[key] = value
	}
	for key, value := range more {
		old, was := result[key].(map[string]interface{})
		now, is := value.(map[string]interface{})
		switch {
		case value == nil:
			delete(result, key)
		case was && is:
			result[key] = merge(old, now)
		default:
			result[key] = value
		}
	}
	return result
}
