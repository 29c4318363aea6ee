// Command sprig renders with Go's own text/template and sprig, for comparison: one JSON request a line on standard input, its
// answer a line on standard output. What External Secrets takes out of sprig is taken out here too.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/Masterminds/sprig/v3"
)

const longest = 64 << 10

type request struct {
	Template string            `json:"template"`
	Data     map[string]string `json:"data"`
	// How often to render, parsing included; the answer is the last rendering and the median of the times.
	Repeat int `json:"repeat"`
}

type answer struct {
	Output []byte `json:"output"`
	Error  string `json:"error,omitempty"`
	Nanos  int64  `json:"nanos"`
}

func main() {
	functions := sprig.TxtFuncMap()
	for _, name := range []string{"env", "expandenv", "getHostByName"} {
		delete(functions, name)
	}
	requests := bufio.NewReader(os.Stdin)
	answers := json.NewEncoder(os.Stdout)
	for {
		line, err := requests.ReadBytes('\n')
		if err != nil {
			return
		}
		var asked request
		if err := json.Unmarshal(line, &asked); err != nil {
			panic(err)
		}
		if err := answers.Encode(answered(asked, functions)); err != nil {
			return
		}
	}
}

func answered(asked request, functions template.FuncMap) answer {
	var times []time.Duration
	var output []byte
	for range max(asked.Repeat, 1) {
		started := time.Now()
		rendered, err := render(asked, functions)
		if err != nil {
			return answer{Error: err.Error()}
		}
		times = append(times, time.Since(started))
		output = rendered
	}
	slices.Sort(times)
	return answer{Output: output, Nanos: times[len(times)/2].Nanoseconds()}
}

// The names and options are those that External Secrets renders with.
func render(asked request, functions template.FuncMap) ([]byte, error) {
	parsed, err := template.New("out").Funcs(functions).Option("missingkey=error").Parse(asked.Template)
	if err != nil {
		return nil, err
	}
	var text bounded
	if err := parsed.Execute(&text, asked.Data); err != nil {
		return nil, err
	}
	return []byte(text.String()), nil
}

type bounded struct{ strings.Builder }

func (b *bounded) Write(text []byte) (int, error) {
	if b.Len()+len(text) > longest {
		return 0, errors.New("too long")
	}
	return b.Builder.Write(text)
}
