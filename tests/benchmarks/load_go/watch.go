package main

import (
	"bufio"
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
)

// firstOfChange is what a WatchResponse with a change starts with: field 1, its bytes. One with a
// checkpoint starts with field 2.
const firstOfChange = 0x0a

// watch opens the plan's streams and says so with an empty line on standard output. After a line
// on standard input it makes the plan's calls, one at a time, each of which changes one thing, and
// notes how long after it was sent each stream was told.
func watch(plan Plan, c connections, input *bufio.Reader) (Outcome, error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	began := time.Now()
	sent := make([]atomic.Int64, plan.Calls) // since it began
	told := make(chan []time.Duration, plan.Streams)
	var open, deliveries atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for number := range plan.Streams {
		group.Go(func() error {
			stream, err := openStream(ctx, plan, c[number%len(c)])
			if err != nil {
				return err
			}
			latencies := make([]time.Duration, 0, plan.Calls)
			for first := true; len(latencies) < int(plan.Calls); first = false {
				var message []byte
				if err := stream.RecvMsg(&message); err != nil {
					return fmt.Errorf("stream %d: %w", number, err)
				}
				if first {
					open.Add(1)
				}
				if len(message) > 0 && message[0] == firstOfChange {
					waited := time.Since(began) - time.Duration(sent[len(latencies)].Load())
					latencies = append(latencies, waited)
					deliveries.Add(1)
				}
			}
			told <- latencies
			return nil
		})
	}
	until := func(count *atomic.Int64, wanted int64) bool {
		for count.Load() < wanted && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		return ctx.Err() == nil
	}
	write := c.caller(plan)
	group.Go(func() error {
		if !until(&open, int64(plan.Streams)) {
			return nil // another one says why
		}
		fmt.Println()
		if _, err := input.ReadString('\n'); err != nil {
			return err
		}
		for number := range plan.Calls {
			asked := time.Now()
			sent[number].Store(int64(asked.Sub(began)))
			if err := write(ctx, 0, plan.request(number)); err != nil {
				return err
			}
			if !until(&deliveries, (number+1)*int64(plan.Streams)) {
				return nil
			}
			rest := plan.IntervalSeconds - time.Since(asked).Seconds()
			time.Sleep(time.Duration(rest * float64(time.Second)))
		}
		return nil
	})
	if err := group.Wait(); err != nil {
		return Outcome{}, err
	}
	var all []time.Duration
	for range plan.Streams {
		all = append(all, <-told...)
	}
	return outcome(plan.Calls, time.Since(began), all), nil
}

func openStream(ctx context.Context, plan Plan, c *grpc.ClientConn) (grpc.ClientStream, error) {
	description := &grpc.StreamDesc{ServerStreams: true}
	stream, err := c.NewStream(withMetadata(ctx, plan), description, plan.StreamMethod)
	if err != nil {
		return nil, err
	}
	request := plan.StreamRequest
	if err := stream.SendMsg(&request); err != nil {
		return nil, err
	}
	return stream, stream.CloseSend()
}
