// Command helm is Helm for tests: it renders and lints the chart.
package main

import (
	"os"

	"helm.sh/helm/v4/pkg/cmd"
)

func main() {
	root, err := cmd.NewRootCmd(os.Stdout, os.Args[1:], cmd.SetupLogging)
	if err != nil || root.Execute() != nil {
		os.Exit(1)
	}
}
