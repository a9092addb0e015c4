package quickstart;

import build.buf.protovalidate.ValidatorFactory;
import com.google.protobuf.Any;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import io.grpc.ChannelCredentials;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.StatusException;
import io.grpc.TlsChannelCredentials;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.BlockingClientCall;
import io.grpc.stub.MetadataUtils;
import java.io.File;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import symphony.v1.ChangeOuterClass.Change;
import symphony.v1.ChangeServiceGrpc;
import symphony.v1.ChangeServiceOuterClass.WatchRequest;
import symphony.v1.ChangeServiceOuterClass.WatchResponse;
import symphony.v1.ProjectOuterClass.Project;
import symphony.v1.ProjectServiceGrpc;
import symphony.v1.ProjectServiceOuterClass.CreateProjectRequest;
import symphony.v1.WorkflowOuterClass.Workflow;
import symphony.v1.WorkflowOuterClass.WorkflowStep;
import symphony.v1.WorkflowServiceGrpc;
import symphony.v1.WorkflowServiceOuterClass.CreateWorkflowRequest;
import symphony.v1.WorkflowServiceOuterClass.DeleteWorkflowRequest;

/** Calls a server as README.md says; with a folder of vectors, runs those instead. */
public final class QuickStart {
  static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

  public static void main(String[] arguments) throws Exception {
    ManagedChannel channel = connect(System.getenv());
    try {
      if (arguments.length > 0) {
        System.exit(Vectors.run(channel, arguments[0]));
      }
      quickStart(channel);
    } finally {
      channel.shutdownNow();
    }
  }

  /** Leads to SYMPHONY_SERVER, over TLS if SYMPHONY_TLS_CA says whom to trust. */
  private static ManagedChannel connect(Map<String, String> environment) throws Exception {
    String ca = environment.get("SYMPHONY_TLS_CA");
    ChannelCredentials credentials =
        ca == null
            ? InsecureChannelCredentials.create()
            : TlsChannelCredentials.newBuilder().trustManager(new File(ca)).build();
    String server = environment.getOrDefault("SYMPHONY_SERVER", "localhost:50051");
    return Grpc.newChannelBuilder(server, credentials).build();
  }

  private static void quickStart(ManagedChannel channel) throws Exception {
    Metadata headers = new Metadata();
    headers.put(AUTHORIZATION, "Bearer " + System.getenv("SYMPHONY_TOKEN"));
    var authorize = MetadataUtils.newAttachHeadersInterceptor(headers);

    // Of a stub with a deadline every call has to be answered by then: 30 s from now.
    var projects =
        ProjectServiceGrpc.newBlockingV2Stub(channel)
            .withInterceptors(authorize)
            .withDeadlineAfter(Duration.ofSeconds(30));
    Project project =
        projects.createProject(
            CreateProjectRequest.newBuilder().setName("From Java " + Instant.now()).build());

    CreateWorkflowRequest.Builder request =
        CreateWorkflowRequest.newBuilder().setProjectId(project.getId());
    request
        .getSpecBuilder()
        .setName("Build")
        .addSteps(WorkflowStep.newBuilder().setName("fetch").setCommand("git pull"))
        .addSteps(
            WorkflowStep.newBuilder().setName("compile").setCommand("make").addDependsOn("fetch"));
    var workflows =
        WorkflowServiceGrpc.newBlockingV2Stub(channel)
            .withInterceptors(authorize)
            .withDeadlineAfter(Duration.ofSeconds(30));
    Workflow workflow = workflows.createWorkflow(request.build());
    System.out.println(
        workflow.getId() + " " + workflow.getEstimatedCost().getComputeUnits() + " compute units");

    // A refusal has a code, a reason for programs, and the fields that are wrong.
    request.getSpecBuilder().setName("Circle").getStepsBuilder(0).addDependsOn("compile");
    try {
      workflows.createWorkflow(request.build());
    } catch (StatusException refusal) {
      for (Any detail : StatusProto.fromThrowable(refusal).getDetailsList()) {
        if (detail.is(ErrorInfo.class)) {
          String reason = detail.unpack(ErrorInfo.class).getReason();
          System.out.println("refused: " + refusal.getStatus().getCode() + " " + reason);
        } else if (detail.is(BadRequest.class)) {
          for (var violation : detail.unpack(BadRequest.class).getFieldViolationsList()) {
            System.out.println("  " + violation.getField() + " " + violation.getDescription());
          }
        }
      }
    }

    // The contract's rules can be asked without a call.
    request.getSpecBuilder().setName(" ");
    var verdict = ValidatorFactory.newBuilder().build().validate(request.build());
    System.out.println("not even sent: " + verdict);

    // The change feed tells of what happens once its first checkpoint has come.
    WatchRequest watch = WatchRequest.newBuilder().addProjectIds(project.getId()).build();
    BlockingClientCall<?, WatchResponse> feed =
        ChangeServiceGrpc.newBlockingV2Stub(channel).withInterceptors(authorize).watch(watch);
    WatchResponse event = feed.read();
    workflows.deleteWorkflow(DeleteWorkflowRequest.newBuilder().setId(workflow.getId()).build());
    while (!event.hasChange()) {
      event = feed.read();
    }
    Change change = event.getChange();
    System.out.println("saw " + change.getOperation() + " " + change.getResourceId());
    feed.cancel("seen enough", null);
  }

  private QuickStart() {}
}
