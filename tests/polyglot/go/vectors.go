package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"buf.build/go/protovalidate"
	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

type object = map[string]any

// step is one call of a vector, or one message that a stream is to receive.
type step struct {
	Call    string
	As      string
	Request json.RawMessage
	Timeout int64 `json:"timeout_ms"`
	Stream  []step
	Receive string
	Expect  json.RawMessage
	Save    map[string]string
}

// vector is a vector being run, with the values that it has saved.
type vector struct {
	conn   *grpc.ClientConn
	tokens map[string]string
	saved  map[string]string
}

// runVectors runs every vector of a folder and returns the exit status.
func runVectors(conn *grpc.ClientConn, folder string) int {
	var tokens map[string]string
	read(os.Getenv("SYMPHONY_TOKENS"), &tokens)
	files, _ := filepath.Glob(filepath.Join(folder, "*.json"))
	failed := 0
	for _, file := range files {
		var steps struct{ Calls []step }
		read(file, &steps)
		v := &vector{conn, tokens, map[string]string{"unique": fmt.Sprint("go ", time.Now().UnixNano())}}
		if err := v.performAll(steps.Calls); err != nil {
			failed++
			fmt.Printf("FAIL %s: %v\n", filepath.Base(file), err)
		}
	}
	fmt.Printf("%d passed, %d failed\n", len(files)-failed, failed)
	return min(failed, 1)
}

func (v *vector) performAll(calls []step) error {
	for _, call := range calls {
		if err := v.perform(call); err != nil {
			return fmt.Errorf("%s: %w", call.Call, err)
		}
	}
	return nil
}

// perform makes a call and holds what comes of it against what is expected.
func (v *vector) perform(call step) error {
	name := protoreflect.FullName(strings.ReplaceAll(call.Call, "/", "."))
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(name)
	if err != nil {
		return err
	}
	method := found.(protoreflect.MethodDescriptor)
	request, response := newMessage(method.Input()), newMessage(method.Output())
	if err := protojson.Unmarshal(v.fill(call.Request), request); err != nil {
		return err
	}

	timeout := 20 * time.Second
	if call.Timeout != 0 {
		timeout = time.Duration(call.Timeout) * time.Millisecond
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if call.As == "" {
		call.As = "developer"
	}
	if call.As != "nobody" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+v.tokens[call.As])
	}

	outcome := object{"prevalidation": brokenRules(request)}
	var refused error
	if method.IsStreamingServer() {
		refused, err = v.follow(ctx, call, request, response)
	} else if refused = v.conn.Invoke(ctx, "/"+call.Call, request, response); refused == nil {
		outcome["response"] = toJSON(response)
	}
	explain(refused, outcome)
	usual := object{"code": "OK", "prevalidation": []any{}}
	return errors.Join(err, v.settle(usual, call, outcome))
}

// follow receives what is expected, in this order, and makes calls while the stream is open. It
// tells how the server ended the stream, and what was not as expected.
func (v *vector) follow(ctx context.Context, call step, request, message proto.Message) (refused, err error) {
	stream, refused := v.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, "/"+call.Call)
	if refused != nil {
		return refused, nil
	}
	if err := errors.Join(stream.SendMsg(request), stream.CloseSend()); err != nil {
		return nil, err
	}
	for _, step := range call.Stream {
		if step.Call != "" {
			if err := v.perform(step); err != nil {
				return nil, err
			}
			continue
		}
		var event object
		for event[step.Receive] == nil {
			if refused := stream.RecvMsg(message); refused != nil {
				return refused, nil
			}
			event = toJSON(message).(object)
			if event[step.Receive] == nil && event["checkpoint"] == nil {
				return nil, fmt.Errorf("received %v instead of a %s", event, step.Receive)
			}
		}
		if err := v.settle(object{}, step, event); err != nil {
			return nil, err
		}
	}
	if strings.Contains(string(call.Expect), `"code"`) { // the end is what is expected
		return stream.RecvMsg(message), nil
	}
	return nil, nil
}

// settle compares what is expected, path by path, and saves what is to be used again.
func (v *vector) settle(expected object, step step, outcome object) error {
	if len(step.Expect) > 0 {
		if err := json.Unmarshal(v.fill(step.Expect), &expected); err != nil {
			return err
		}
	}
	for path, value := range expected {
		if actual := at(path, outcome); !reflect.DeepEqual(value, actual) {
			return fmt.Errorf("%s: expected %v, got %v: %v", path, value, actual, outcome)
		}
	}
	for name, path := range step.Save {
		v.saved[name] = fmt.Sprint(at(path, outcome))
	}
	return nil
}

// fill puts what was saved in the place of ${name}.
func (v *vector) fill(text []byte) []byte {
	return []byte(os.Expand(string(text), func(name string) string { return v.saved[name] }))
}

var repeat = regexp.MustCompile(`\{\s*"\$repeat":\s*(\d+),\s*"item":\s*(\{[^{}]*\})\s*\}`)

// read reads a JSON file and writes out what is to be repeated.
func read(file string, value any) {
	text, err := os.ReadFile(file)
	text = repeat.ReplaceAllFunc(text, func(found []byte) []byte {
		parts := repeat.FindSubmatch(found)
		times, _ := strconv.Atoi(string(parts[1]))
		items := make([]string, times)
		for i := range items {
			items[i] = strings.ReplaceAll(string(parts[2]), "#", strconv.Itoa(i))
		}
		return []byte("[" + strings.Join(items, ",") + "]")
	})
	if err := errors.Join(err, json.Unmarshal(text, value)); err != nil {
		log.Fatal(file, ": ", err)
	}
}

// at returns what is at a path like response.steps.0.name, or nil.
func at(path string, value any) any {
	for _, key := range strings.Split(path, ".") {
		switch parent := value.(type) {
		case object:
			value = parent[key]
		case []any:
			value = nil
			if i, _ := strconv.Atoi(key); i < len(parent) {
				value = parent[i]
			}
		}
	}
	return value
}

// brokenRules returns what the contract's own rules say of a request, without a call.
func brokenRules(request proto.Message) []any {
	var invalid *protovalidate.ValidationError
	var broken []string
	if errors.As(protovalidate.Validate(request), &invalid) {
		for _, v := range invalid.Violations {
			path := protovalidate.FieldPathString(v.Proto.GetField())
			broken = append(broken, path+": "+v.Proto.GetRuleId())
		}
	}
	return sorted(broken)
}

// explain adds the code of a refusal, and what its details say.
func explain(refused error, outcome object) {
	outcome["code"] = code.Code(status.Code(refused)).String()
	for _, detail := range status.Convert(refused).Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			outcome["reason"] = detail.Reason
			outcome["metadata"] = toJSON(detail).(object)["metadata"]
		case *errdetails.BadRequest:
			var violations []string
			for _, v := range detail.FieldViolations {
				violations = append(violations, v.Field+": "+v.Reason)
			}
			outcome["violations"] = sorted(violations)
		}
	}
}

func newMessage(kind protoreflect.MessageDescriptor) proto.Message {
	found, _ := protoregistry.GlobalTypes.FindMessageByName(kind.FullName())
	return found.New().Interface()
}

func toJSON(message proto.Message) (value any) {
	data, _ := protojson.MarshalOptions{UseProtoNames: true}.Marshal(message)
	_ = json.Unmarshal(data, &value)
	return value
}

// sorted returns texts as encoding/json would read them.
func sorted(texts []string) []any {
	slices.Sort(texts)
	values := make([]any, len(texts))
	for i, text := range texts {
		values[i] = text
	}
	return values
}
