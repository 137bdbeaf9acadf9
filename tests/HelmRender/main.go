// Renders a chart as `helm template` does, for the tests: Helm itself is no Debian package, its engine (text/template and sprig) is.
//
//	helm-render [-name rag-operator] [-namespace rag-operator-system] [-values FILE]... [-api GROUP/VERSION/KIND]... [-notes] CHART
//
// Prints the manifests with their sources, or with -notes what NOTES.txt says. Wrong values end it with code 3, each problem on a line with its path.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

type list []string

func (l *list) String() string         { return strings.Join(*l, ",") }
func (l *list) Set(value string) error { *l = append(*l, value); return nil }

func main() {
	var valueFiles, apis list
	name := flag.String("name", "rag-operator", "the release's name")
	namespace := flag.String("namespace", "rag-operator-system", "the release's namespace")
	kube := flag.String("kube-version", "v1.31.0", "the cluster's version")
	notes := flag.Bool("notes", false, "print NOTES.txt instead of the manifests")
	flag.Var(&valueFiles, "values", "a file of values; several: the later wins")
	flag.Var(&apis, "api", "what the cluster serves beside Kubernetes' own")
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}

	chart, err := load(flag.Arg(0))
	stop(err, 1)
	values := chart.values
	for _, file := range valueFiles {
		more, err := readYaml(file)
		stop(err, 1)
		values = merge(values, more)
	}
	if problems, err := chart.check(values); err != nil || len(problems) > 0 {
		stop(err, 1)
		fmt.Fprintln(os.Stderr, "values don't meet the specifications of the schema:\n"+strings.Join(problems, "\n"))
		os.Exit(3)
	}

	rendered, err := chart.render(map[string]interface{}{
		"Name": *name, "Namespace": *namespace, "Service": "Helm", "IsInstall": true, "IsUpgrade": false, "Revision": 1,
	}, values, capabilities(*kube, apis))
	stop(err, 1)
	var files []string
	for file := range rendered {
		if (filepath.Base(file) == "NOTES.txt") == *notes {
			files = append(files, file)
		}
	}
	sort.Strings(files)
	for _, file := range files {
		text := strings.TrimSpace(rendered[file])
		switch {
		case text == "":
		case *notes:
			fmt.Println(text)
		default:
			fmt.Printf("---\n# Source: %s\n%s\n", file, strings.TrimPrefix(text, "---\n"))
		}
	}
}

func stop(err error, code int) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(code)
	}
}
