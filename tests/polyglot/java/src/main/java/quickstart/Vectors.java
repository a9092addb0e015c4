package quickstart;

import build.buf.protovalidate.Validator;
import build.buf.protovalidate.ValidatorFactory;
import build.buf.validate.FieldPathElement;
import com.google.gson.Gson;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.Any;
import com.google.protobuf.Message;
import com.google.protobuf.MessageOrBuilder;
import com.google.protobuf.util.JsonFormat;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.PrototypeMarshaller;
import io.grpc.ServiceDescriptor;
import io.grpc.StatusException;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.BlockingClientCall;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Runs the vectors of a folder; the README beside them says what they mean. */
final class Vectors {
  private static final Pattern REPEAT =
      Pattern.compile("\\{\\s*\"\\$repeat\":\\s*(\\d+),\\s*\"item\":\\s*(\\{[^{}]*\\})\\s*\\}");
  private static final Validator VALIDATOR = ValidatorFactory.newBuilder().build();

  /** A call of a vector, or a message that a stream is to receive. */
  private static final class Step {
    String call;
    String as = "developer";
    JsonObject request;
    int timeout_ms = 20_000;
    List<Step> stream;
    String receive;
    JsonObject expect = new JsonObject();
    Map<String, String> save = Map.of();
  }

  private record Vector(List<Step> calls) {}

  private final Channel channel;
  private final JsonObject tokens;
  private final Map<String, String> saved = new HashMap<>();

  private Vectors(Channel channel, JsonObject tokens) {
    this.channel = channel;
    this.tokens = tokens;
    saved.put("unique", "java " + System.nanoTime());
  }

  /** Runs every vector of a folder; returns the exit status. */
  static int run(Channel channel, String folder) throws IOException {
    JsonObject tokens = read(Path.of(System.getenv("SYMPHONY_TOKENS")), JsonObject.class);
    int passed = 0;
    int failed = 0;
    try (var files = Files.newDirectoryStream(Path.of(folder), "*.json")) {
      for (Path file : files) {
        Vectors vector = new Vectors(channel, tokens);
        try {
          for (Step call : read(file, Vector.class).calls) {
            vector.perform(call);
          }
          passed++;
        } catch (Exception | AssertionError error) {
          failed++;
          System.out.println("FAIL " + file.getFileName() + ": " + error);
        }
      }
    }
    System.out.println(passed + " passed, " + failed + " failed");
    return Math.min(failed, 1);
  }

  /** Makes a call and holds what comes of it against what is expected. */
  private void perform(Step call) throws Exception {
    MethodDescriptor<Message, Message> method = find(call.call);
    var prototype = (PrototypeMarshaller<Message>) method.getRequestMarshaller();
    Message.Builder builder = prototype.getMessagePrototype().newBuilderForType();
    JsonFormat.parser().merge(fill(call.request).toString(), builder);
    Message request = builder.build();

    Metadata headers = new Metadata();
    if (!call.as.equals("nobody")) {
      headers.put(QuickStart.AUTHORIZATION, "Bearer " + tokens.get(call.as).getAsString());
    }
    Channel authorized =
        ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(headers));
    CallOptions options = CallOptions.DEFAULT.withDeadlineAfter(Duration.ofMillis(call.timeout_ms));

    JsonObject outcome = usual();
    outcome.add("prevalidation", brokenRules(request));
    try {
      if (call.stream != null) {
        var stream =
            ClientCalls.blockingV2ServerStreamingCall(authorized, method, options, request);
        follow(stream, call);
        stream.cancel("seen enough", null);
      } else {
        outcome.add(
            "response",
            json(ClientCalls.blockingV2UnaryCall(authorized, method, options, request)));
      }
    } catch (StatusException refusal) {
      explain(refusal, outcome);
    }
    settle(usual(), call, outcome);
  }

  /** Receives what is expected, in this order, and makes calls while the stream is open. */
  private void follow(BlockingClientCall<Message, Message> stream, Step call) throws Exception {
    for (Step step : call.stream) {
      if (step.call != null) {
        perform(step);
        continue;
      }
      JsonObject event;
      do {
        event = json(stream.read());
      } while (event.has("checkpoint") && !step.receive.equals("checkpoint"));
      if (!event.has(step.receive)) {
        throw new AssertionError("received " + event);
      }
      settle(new JsonObject(), step, event);
    }
    if (call.expect.has("code")) {
      stream.read(); // the end is what is expected
    }
  }

  /** Compares what is expected, path by path, and saves what is to be used again. */
  private void settle(JsonObject expected, Step step, JsonObject outcome) {
    step.expect.asMap().forEach(expected::add);
    fill(expected)
        .asMap()
        .forEach(
            (path, value) -> {
              JsonElement actual = at(path, outcome);
              if (!actual.equals(value)) {
                throw new AssertionError(
                    path + ": expected " + value + ", got " + actual + ": " + outcome);
              }
            });
    step.save.forEach((name, path) -> saved.put(name, at(path, outcome).getAsString()));
  }

  /** Puts what was saved in the place of ${name}. */
  private JsonObject fill(JsonObject value) {
    String text = value.toString();
    for (var known : saved.entrySet()) {
      text = text.replace("${" + known.getKey() + "}", known.getValue());
    }
    return JsonParser.parseString(text).getAsJsonObject();
  }

  /** Reads a JSON file and writes out what is to be repeated. */
  private static <T> T read(Path file, Class<T> type) throws IOException {
    String text =
        REPEAT
            .matcher(Files.readString(file))
            .replaceAll(
                found ->
                    IntStream.range(0, Integer.parseInt(found.group(1)))
                        .mapToObj(i -> found.group(2).replace("#", "" + i))
                        .collect(Collectors.joining(",", "[", "]")));
    return new Gson().fromJson(text, type);
  }

  /** What is at a path like response.steps.0.name, or null. */
  private static JsonElement at(String path, JsonElement value) {
    for (String key : path.split("\\.")) {
      JsonElement child = null;
      if (value instanceof JsonObject object) {
        child = object.get(key);
      } else if (value instanceof JsonArray array && Integer.parseInt(key) < array.size()) {
        child = array.get(Integer.parseInt(key));
      }
      value = child == null ? JsonNull.INSTANCE : child;
    }
    return value;
  }

  /** The method of a stub, with messages of types that are not known here. */
  @SuppressWarnings("unchecked")
  private static MethodDescriptor<Message, Message> find(String call) throws Exception {
    String[] names = call.split("/");
    Class<?> stubs = Class.forName(names[0] + "Grpc");
    var service = (ServiceDescriptor) stubs.getMethod("getServiceDescriptor").invoke(null);
    return (MethodDescriptor<Message, Message>)
        service.getMethods().stream()
            .filter(method -> method.getBareMethodName().equals(names[1]))
            .findAny()
            .orElseThrow();
  }

  private static JsonObject usual() {
    JsonObject usual = new JsonObject();
    usual.addProperty("code", "OK");
    usual.add("prevalidation", new JsonArray());
    return usual;
  }

  /** What the contract's own rules say of a request, without a call. */
  private static JsonArray brokenRules(Message request) throws Exception {
    return sorted(
        VALIDATOR.validate(request).toProto().getViolationsList().stream()
            .map(v -> path(v.getField().getElementsList()) + ": " + v.getRuleId()));
  }

  private static String path(List<FieldPathElement> elements) {
    List<String> names = new ArrayList<>();
    for (FieldPathElement element : elements) {
      String index = element.hasIndex() ? "[" + element.getIndex() + "]" : "";
      names.add(element.getFieldName() + index);
    }
    return String.join(".", names);
  }

  /** Adds the code of a refusal, and what its details say. */
  private static void explain(StatusException refusal, JsonObject outcome) throws IOException {
    outcome.addProperty("code", refusal.getStatus().getCode().name());
    for (Any detail : StatusProto.fromThrowable(refusal).getDetailsList()) {
      if (detail.is(ErrorInfo.class)) {
        json(detail.unpack(ErrorInfo.class)).asMap().forEach(outcome::add);
      } else if (detail.is(BadRequest.class)) {
        var violations = detail.unpack(BadRequest.class).getFieldViolationsList().stream();
        outcome.add("violations", sorted(violations.map(v -> v.getField() + ": " + v.getReason())));
      }
    }
  }

  private static JsonObject json(MessageOrBuilder message) throws IOException {
    String text = JsonFormat.printer().preservingProtoFieldNames().print(message);
    return JsonParser.parseString(text).getAsJsonObject();
  }

  private static JsonArray sorted(Stream<String> texts) {
    JsonArray array = new JsonArray();
    texts.sorted().forEach(array::add);
    return array;
  }
}
