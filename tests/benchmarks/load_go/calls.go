package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

// aCall makes one call with a request, on behalf of a caller, and waits for its answer.
type aCall func(ctx context.Context, caller int, request []byte) error

// callInLoops has every caller call again as soon as it is answered, until the plan's calls are
// made or its time is up.
func callInLoops(plan Plan, call aCall) (Outcome, error) {
	var next atomic.Int64
	latencies := make([][]time.Duration, plan.Callers)
	group, ctx := errgroup.WithContext(context.Background())
	began := time.Now()
	for caller := range plan.Callers {
		group.Go(func() error {
			for plan.Seconds == 0 || time.Since(began).Seconds() < plan.Seconds {
				number := next.Add(1) - 1
				if plan.Calls > 0 && number >= plan.Calls {
					return nil
				}
				sent := time.Now()
				if err := call(ctx, caller, plan.request(number)); err != nil {
					return err
				}
				latencies[caller] = append(latencies[caller], time.Since(sent))
			}
			return nil
		})
	}
	err := group.Wait()
	took := time.Since(began)
	all := slices.Concat(latencies...)
	if err == nil && len(all) == 0 {
		err = errors.New("no call was made")
	}
	if err != nil {
		return Outcome{}, err
	}
	return outcome(int64(len(all)), took, all), nil
}

// raw is a codec that leaves bytes as they are.
type raw struct{}

func (raw) Name() string                       { return "proto" }
func (raw) Marshal(v any) ([]byte, error)      { return *v.(*[]byte), nil }
func (raw) Unmarshal(data []byte, v any) error { *v.(*[]byte) = bytes.Clone(data); return nil }

type connections []*grpc.ClientConn

// withConnections opens what the plan says, and closes it afterwards.
func withConnections(plan Plan, use func(connections) (Outcome, error)) (Outcome, error) {
	opened := make(connections, plan.Connections)
	for number := range opened {
		connection, err := grpc.NewClient(
			"passthrough:///"+plan.Target,
			grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithDefaultCallOptions(grpc.ForceCodec(raw{}), grpc.MaxCallRecvMsgSize(64<<20)),
		)
		if err != nil {
			return Outcome{}, err
		}
		defer connection.Close()
		opened[number] = connection
	}
	return use(opened)
}

// caller calls the plan's method; the callers share the connections evenly.
func (c connections) caller(plan Plan) aCall {
	return func(ctx context.Context, caller int, request []byte) error {
		var answer []byte
		ctx = withMetadata(ctx, plan)
		return c[caller%len(c)].Invoke(ctx, plan.Method, &request, &answer)
	}
}

func withMetadata(ctx context.Context, plan Plan) context.Context {
	for _, pair := range plan.Metadata {
		ctx = metadata.AppendToOutgoingContext(ctx, pair[0], pair[1])
	}
	return ctx
}

// httpCaller asks as the plan's method says, `POST /path`, with the metadata as headers and a
// kept connection for each caller.
func httpCaller(plan Plan) aCall {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: plan.Callers}}
	verb, path, _ := strings.Cut(plan.Method, " ")
	return func(ctx context.Context, _ int, body []byte) error {
		asked, err := http.NewRequestWithContext(
			ctx, verb, "http://"+plan.Target+path, bytes.NewReader(body),
		)
		if err != nil {
			return err
		}
		for _, pair := range plan.Metadata {
			asked.Header.Set(pair[0], pair[1])
		}
		answer, err := client.Do(asked)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		said, err := io.ReadAll(answer.Body)
		if err == nil && answer.StatusCode/100 != 2 {
			err = fmt.Errorf("%s: %s: %.500s", plan.Method, answer.Status, said)
		}
		return err
	}
}
