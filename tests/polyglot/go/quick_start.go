// Command quickstart calls a server as README.md says; with a folder of vectors it runs those.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"buf.build/go/protovalidate"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	symphony "example.com/symphony/quickstart/gen/symphony/v1"
)

func main() {
	conn, err := connect()
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()
	if len(os.Args) > 1 {
		os.Exit(runVectors(conn, os.Args[1]))
	}
	if err := quickStart(conn); err != nil {
		log.Fatal(err)
	}
}

// connect leads to SYMPHONY_SERVER, over TLS if SYMPHONY_TLS_CA says whom to trust.
func connect() (*grpc.ClientConn, error) {
	transport := insecure.NewCredentials()
	if ca := os.Getenv("SYMPHONY_TLS_CA"); ca != "" {
		var err error
		if transport, err = credentials.NewClientTLSFromFile(ca, ""); err != nil {
			return nil, err
		}
	}
	server := os.Getenv("SYMPHONY_SERVER")
	if server == "" {
		server = "localhost:50051"
	}
	return grpc.NewClient(server, grpc.WithTransportCredentials(transport))
}

func quickStart(conn *grpc.ClientConn) error {
	// The context of a call carries the token and the deadline.
	ctx := metadata.AppendToOutgoingContext(context.Background(),
		"authorization", "Bearer "+os.Getenv("SYMPHONY_TOKEN"))
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()

	project, err := symphony.NewProjectServiceClient(conn).CreateProject(ctx,
		&symphony.CreateProjectRequest{Name: fmt.Sprint("From Go ", time.Now())})
	if err != nil {
		return err
	}
	request := &symphony.CreateWorkflowRequest{
		ProjectId: project.Id,
		Spec: &symphony.WorkflowSpec{
			Name: "Build",
			Steps: []*symphony.WorkflowStep{
				{Name: "fetch", Command: "git pull"},
				{Name: "compile", Command: "make", DependsOn: []string{"fetch"}},
			},
		},
	}
	workflows := symphony.NewWorkflowServiceClient(conn)
	workflow, err := workflows.CreateWorkflow(ctx, request)
	if err != nil {
		return err
	}
	fmt.Println(workflow.Id, workflow.EstimatedCost.GetComputeUnits(), "compute units")

	// A refusal has a code, a reason for programs, and the fields that are wrong.
	request.Spec.Name = "Circle"
	request.Spec.Steps[0].DependsOn = []string{"compile"}
	_, err = workflows.CreateWorkflow(ctx, request)
	for _, detail := range status.Convert(err).Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			fmt.Println("refused:", status.Code(err), detail.Reason)
		case *errdetails.BadRequest:
			for _, violation := range detail.FieldViolations {
				fmt.Println(" ", violation.Field, violation.Description)
			}
		}
	}

	// The contract's rules can be asked without a call.
	request.Spec.Name = " "
	var invalid *protovalidate.ValidationError
	if err := protovalidate.Validate(request); errors.As(err, &invalid) {
		fmt.Println("not even sent:", invalid)
	}

	// The change feed tells of what happens once its first checkpoint has come.
	feed, err := symphony.NewChangeServiceClient(conn).Watch(ctx,
		&symphony.WatchRequest{ProjectIds: []string{project.Id}})
	if err != nil {
		return err
	}
	if _, err := feed.Recv(); err != nil {
		return err
	}
	_, err = workflows.DeleteWorkflow(ctx, &symphony.DeleteWorkflowRequest{Id: workflow.Id})
	for err == nil {
		var event *symphony.WatchResponse
		if event, err = feed.Recv(); event.GetChange() != nil {
			fmt.Println("saw", event.GetChange().Operation, event.GetChange().ResourceId)
			break
		}
	}
	return err
}
