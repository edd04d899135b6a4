// Command check-compose loads a compose file by the code that docker compose itself loads it with: the
// specification's JSON schema, interpolation, merges, and whether what it names is there. It prints the
// result as JSON, relative paths resolved.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/compose-spec/compose-go/v2/cli"
)

func main() {
	options, err := cli.NewProjectOptions(os.Args[1:], cli.WithProfiles([]string{"*"}), cli.WithEnv(os.Environ()))
	if err == nil {
		project, loading := options.LoadProject(context.Background())
		err = loading
		if err == nil {
			content, encoding := project.MarshalJSON()
			fmt.Println(string(content))
			err = encoding
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
