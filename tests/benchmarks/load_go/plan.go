package main

import (
	"bytes"
	"fmt"
	"slices"
	"time"
)

// mark is where each request gets a name of its own, of the same length.
var mark = []byte("@@NAME@@")

// Plan is what to call, how often and from how many callers: `Plan` in load.py, where its fields
// are explained.
type Plan struct {
	Kind        string      `json:"kind"`
	Target      string      `json:"target"`
	Method      string      `json:"method"`
	Request     []byte      `json:"request"`
	Metadata    [][2]string `json:"metadata"`
	Calls       int64       `json:"calls"`
	Seconds     float64     `json:"seconds"`
	Callers     int         `json:"callers"`
	Connections int         `json:"connections"`
	FirstName   int64       `json:"first_name"`
	NameStep    int64       `json:"name_step"`
	Names       int64       `json:"names"`

	Streams         int     `json:"streams"`
	StreamMethod    string  `json:"stream_method"`
	StreamRequest   []byte  `json:"stream_request"`
	IntervalSeconds float64 `json:"interval_seconds"`
}

// request is the request of one call, the number-th.
func (p Plan) request(number int64) []byte {
	name := fmt.Appendf(nil, "%08d", (p.FirstName+number*p.NameStep)%p.Names)
	return bytes.ReplaceAll(p.Request, mark, name)
}

// Outcome is how it went.
type Outcome struct {
	Calls   int64   `json:"calls"`
	Seconds float64 `json:"seconds"`
	P50     float64 `json:"p50_us"`
	P99     float64 `json:"p99_us"`
	Max     float64 `json:"max_us"`
}

// outcome sums up latencies; it sorts them.
func outcome(calls int64, took time.Duration, latencies []time.Duration) Outcome {
	slices.Sort(latencies)
	at := func(share float64) float64 {
		index := min(int(share*float64(len(latencies))), len(latencies)-1)
		return float64(latencies[index]) / float64(time.Microsecond)
	}
	return Outcome{calls, took.Seconds(), at(0.5), at(0.99), at(1)}
}
