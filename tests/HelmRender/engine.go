package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"sort"
	"strconv"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig"
	"sigs.k8s.io/yaml"
)

type versions []string

// Has says whether the cluster serves a group's version, or a kind of it.
func (v versions) Has(api string) bool {
	for _, each := range v {
		if each == api || strings.HasPrefix(each, api+"/") {
			return true
		}
	}
	return false
}

func capabilities(kube string, apis []string) map[string]interface{} {
	parts := strings.Split(strings.TrimPrefix(kube, "v"), ".")
	apis = append([]string{"v1", "apps/v1", "networking.k8s.io/v1", "rbac.authorization.k8s.io/v1", "policy/v1beta1"}, apis...)
	if minor, err := strconv.Atoi(strings.Split(parts[1], ".")[0]); err == nil && minor >= 21 {
		apis = append(apis, "policy/v1")
	}
	return map[string]interface{}{
		"APIVersions": versions(apis),
		"KubeVersion": map[string]interface{}{"Version": kube, "GitVersion": kube, "Major": parts[0], "Minor": parts[1]},
	}
}

// render executes all templates; helpers (_*.tpl) only define.
func (c *chart) render(release map[string]interface{}, values, capabilities map[string]interface{}) (map[string]string, error) {
	root := template.New("chart").Option("missingkey=zero")
	root.Funcs(functions(root))
	var names []string
	for name := range c.templates {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		if _, err := root.New(c.metadata.Name + "/" + name).Parse(c.templates[name]); err != nil {
			return nil, err
		}
	}

	rendered := map[string]string{}
	for _, name := range names {
		full := c.metadata.Name + "/" + name
		if strings.HasPrefix(path.Base(name), "_") {
			continue
		}
		var out bytes.Buffer
		if err := root.ExecuteTemplate(&out, full, map[string]interface{}{
			"Chart": c.metadata, "Release": release, "Values": values, "Capabilities": capabilities, "Files": c.files,
			"Template": map[string]interface{}{"Name": full, "BasePath": c.metadata.Name + "/templates"},
		}); err != nil {
			return nil, err
		}
		// As Helm: what is not there is empty.
		rendered[full] = strings.ReplaceAll(out.String(), "<no value>", "")
	}
	return rendered, nil
}

func functions(root *template.Template) template.FuncMap {
	funcs := sprig.TxtFuncMap()
	delete(funcs, "env") // not Helm's, either: a chart may not read the machine
	delete(funcs, "expandenv")
	depth := map[string]int{}
	funcs["include"] = func(name string, data interface{}) (string, error) {
		if depth[name]++; depth[name] > 100 {
			return "", fmt.Errorf("%s includes itself", name)
		}
		defer func() { depth[name]-- }()
		var out strings.Builder
		err := root.ExecuteTemplate(&out, name, data)
		return out.String(), err
	}
	funcs["tpl"] = func(text string, data interface{}) (string, error) {
		clone, err := root.Clone()
		if err != nil {
			return "", err
		}
		parsed, err := clone.New("tpl").Parse(text)
		if err != nil {
			return "", err
		}
		var out strings.Builder
		err = parsed.Execute(&out, data)
		return strings.ReplaceAll(out.String(), "<no value>", ""), err
	}
	funcs["required"] = func(message string, value interface{}) (interface{}, error) {
		if value == nil || value == "" {
			return value, errors.New(message)
		}
		return value, nil
	}
	funcs["fail"] = func(message string) (string, error) { return "", errors.New(message) }
	// No cluster is asked, as in `helm template`.
	funcs["lookup"] = func(string, string, string, string) map[string]interface{} { return map[string]interface{}{} }
	funcs["toYaml"] = func(value interface{}) string {
		data, err := yaml.Marshal(value)
		if err != nil {
			return ""
		}
		return strings.TrimSuffix(string(data), "\n")
	}
	funcs["fromYaml"] = func(text string) map[string]interface{} {
		values := map[string]interface{}{}
		if err := yaml.Unmarshal([]byte(text), &values); err != nil {
			values["Error"] = err.Error()
		}
		return values
	}
	funcs["fromYamlArray"] = func(text string) []interface{} {
		var values []interface{}
		if err := yaml.Unmarshal([]byte(text), &values); err != nil {
			return []interface{}{err.Error()}
		}
		return values
	}
	funcs["fromJson"] = func(text string) map[string]interface{} {
		values := map[string]interface{}{}
		if err := json.Unmarshal([]byte(text), &values); err != nil {
			values["Error"] = err.Error()
		}
		return values
	}
	return funcs
}

// files are those of the chart that are no templates, as .Files.
type files map[string][]byte

// Get is a file's text; empty if there is none.
func (f files) Get(name string) string { return string(f[name]) }

// GetBytes is a file's content.
func (f files) GetBytes(name string) []byte { return f[name] }

// Lines are a file's lines.
func (f files) Lines(name string) []string {
	return strings.Split(strings.TrimSuffix(string(f[name]), "\n"), "\n")
}

// Glob are the files whose names match a pattern; * stays within a folder.
func (f files) Glob(pattern string) files {
	found := files{}
	for name, data := range f {
		if ok, _ := path.Match(pattern, name); ok {
			found[name] = data
		}
	}
	return found
}

// AsConfig is the data of a ConfigMap.
func (f files) AsConfig() string {
	data := map[string]string{}
	for name, content := range f {
		data[path.Base(name)] = string(content)
	}
	return asYaml(data)
}

// AsSecrets is the data of a Secret.
func (f files) AsSecrets() string {
	data := map[string]string{}
	for name, content := range f {
		data[path.Base(name)] = base64.StdEncoding.EncodeToString(content)
	}
	return asYaml(data)
}

func asYaml(data map[string]string) string {
	if len(data) == 0 {
		return ""
	}
	text, err := yaml.Marshal(data)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(string(text), "\n")
}
