// Makes calls as fast as they are answered, and tells how long they took.
//
// Reads a plan (plan.go) as one line of JSON from standard input and writes one line of JSON:
// how many calls, the seconds, and percentiles of their latency in microseconds. It exits with 1
// and one line on standard error when a call fails: a benchmark of refusals measures nothing.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func run() error {
	input := bufio.NewReader(os.Stdin)
	line, err := input.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("no plan on standard input: %w", err)
	}
	var plan Plan
	if err := json.Unmarshal(line, &plan); err != nil {
		return fmt.Errorf("the plan: %w", err)
	}
	var outcome Outcome
	switch plan.Kind {
	case "grpc":
		outcome, err = withConnections(plan, func(c connections) (Outcome, error) {
			return callInLoops(plan, c.caller(plan))
		})
	case "http":
		outcome, err = callInLoops(plan, httpCaller(plan))
	case "watch":
		outcome, err = withConnections(plan, func(c connections) (Outcome, error) {
			return watch(plan, c, input)
		})
	default:
		err = fmt.Errorf("the plan: no kind %q", plan.Kind)
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(outcome)
}
