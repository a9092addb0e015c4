//! Runs the vectors of a folder; the README beside them says what they mean.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};
use std::{env, error::Error, fs, path::Path, process::ExitCode};

use bytes::{Buf, BufMut};
use prost::Message;
use prost_protovalidate::Validator;
use prost_reflect::{DynamicMessage, MessageDescriptor, SerializeOptions};
use regex::{Captures, Regex};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::{Request, Status, Streaming, TimeoutExpired, client::Grpc, transport::Channel};
use tonic_types::StatusExt;

use crate::{CONTRACT, stubs::google::rpc::Code};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// A call of a vector, or a message that a stream is to receive.
#[derive(Deserialize)]
#[serde(default)]
struct Step {
    call: String,
    r#as: String,
    request: Value,
    timeout_ms: u64,
    stream: Option<Vec<Step>>,
    receive: String,
    expect: Map<String, Value>,
    save: HashMap<String, String>,
}

impl Default for Step {
    fn default() -> Self {
        Step {
            call: String::new(),
            r#as: "developer".into(),
            request: json!({}),
            timeout_ms: 20_000,
            stream: None,
            receive: String::new(),
            expect: Map::new(),
            save: HashMap::new(),
        }
    }
}

/// A vector being run, with the values that it has saved.
struct Vector<'a> {
    channel: Channel,
    tokens: &'a HashMap<String, String>,
    validator: &'a Validator,
    saved: HashMap<String, String>,
}

/// Runs every vector of a folder.
pub async fn run(channel: Channel, folder: &str) -> Outcome<ExitCode> {
    #[derive(Deserialize)]
    struct File {
        calls: Vec<Step>,
    }
    let tokens = serde_json::from_str(&read(env::var("SYMPHONY_TOKENS")?)?)?;
    let validator = Validator::new();
    let (mut passed, mut failed) = (0, 0);
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "json") {
            continue;
        }
        let now = SystemTime::UNIX_EPOCH.elapsed()?.as_nanos();
        let mut vector = Vector {
            channel: channel.clone(),
            tokens: &tokens,
            validator: &validator,
            saved: HashMap::from([("unique".into(), format!("rust {now}"))]),
        };
        let file: File = serde_json::from_str(&read(&path)?)?;
        match vector.perform_all(&file.calls).await {
            Ok(()) => passed += 1,
            Err(error) => {
                failed += 1;
                println!("FAIL {}: {error}", path.display());
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Vector<'_> {
    async fn perform_all(&mut self, calls: &[Step]) -> Outcome<()> {
        for call in calls {
            self.perform(call).await?;
        }
        Ok(())
    }

    /// Makes a call and holds what comes of it against what is expected.
    async fn perform(&mut self, call: &Step) -> Outcome<()> {
        let (service, method) = call.call.split_once('/').ok_or("a call is service/method")?;
        let service = CONTRACT.get_service_by_name(service).ok_or("no such service")?;
        let method = service.methods().find(|m| m.name() == method).ok_or("no such method")?;
        let message = DynamicMessage::deserialize(method.input(), self.fill(&call.request)?)?;
        let mut outcome = json!({"code": "OK", "prevalidation": self.broken_rules(&message)});

        let mut request = Request::new(message.encode_to_vec());
        request.set_timeout(Duration::from_millis(call.timeout_ms));
        if call.r#as != "nobody" {
            let bearer = format!("Bearer {}", self.tokens[&call.r#as]).parse()?;
            request.metadata_mut().insert("authorization", bearer);
        }
        let mut client = Grpc::new(self.channel.clone());
        client.ready().await?;
        let path = format!("/{}", call.call).parse()?;
        let refused = if let Some(steps) = &call.stream {
            match client.server_streaming(request, path, Bytes).await {
                Err(status) => Some(status),
                Ok(stream) => {
                    let to_the_end = call.expect.contains_key("code");
                    self.follow(stream.into_inner(), &method.output(), steps, to_the_end).await?
                }
            }
        } else {
            match client.unary(request, path, Bytes).await {
                Err(status) => Some(status),
                Ok(response) => {
                    outcome["response"] = to_json(method.output(), &response.into_inner())?;
                    None
                }
            }
        };
        if let Some(status) = refused {
            explain(&status, &mut outcome);
        }
        self.settle(json!({"code": "OK", "prevalidation": []}), call, &outcome)
    }

    /// Receives what is expected, in this order, and makes calls while the stream is open. Returns
    /// how the server ended the stream, if it did.
    async fn follow(
        &mut self,
        mut stream: Streaming<Vec<u8>>,
        kind: &MessageDescriptor,
        steps: &[Step],
        to_the_end: bool,
    ) -> Outcome<Option<Status>> {
        for step in steps {
            if !step.call.is_empty() {
                Box::pin(self.perform(step)).await?;
                continue;
            }
            let event = loop {
                let event = match stream.message().await {
                    Err(status) => return Ok(Some(status)),
                    Ok(message) => to_json(kind.clone(), &message.ok_or("the stream ended")?)?,
                };
                if event["checkpoint"].is_null() || step.receive == "checkpoint" {
                    break event;
                }
            };
            if event[&step.receive].is_null() {
                return Err(format!("received {event}").into());
            }
            self.settle(json!({}), step, &event)?;
        }
        Ok(if to_the_end { stream.message().await.err() } else { None })
    }

    /// Compares what is expected, path by path, and saves what is to be used again.
    fn settle(&mut self, mut expected: Value, step: &Step, outcome: &Value) -> Outcome<()> {
        for (path, value) in &step.expect {
            expected[path] = value.clone();
        }
        for (path, value) in self.fill(&expected)?.as_object().into_iter().flatten() {
            let actual = at(path, outcome);
            if actual != value {
                return Err(format!("{path}: expected {value}, got {actual}: {outcome}").into());
            }
        }
        for (name, path) in &step.save {
            let value = at(path, outcome).as_str().ok_or("only texts are saved")?;
            self.saved.insert(name.clone(), value.into());
        }
        Ok(())
    }

    /// Puts what was saved in the place of `${name}`.
    fn fill(&self, value: &Value) -> serde_json::Result<Value> {
        let mut text = value.to_string();
        for (name, saved) in &self.saved {
            text = text.replace(&format!("${{{name}}}"), saved);
        }
        serde_json::from_str(&text)
    }

    /// What the contract's own rules say of a request, without a call.
    fn broken_rules(&self, request: &DynamicMessage) -> Vec<String> {
        match self.validator.validate(request) {
            Ok(()) => vec![],
            Err(prost_protovalidate::Error::Validation(invalid)) => sorted(
                invalid.violations().iter().map(|v| format!("{}: {}", v.field_path(), v.rule_id())),
            ),
            Err(error) => vec![error.to_string()],
        }
    }
}

/// Reads a JSON file and writes out what is to be repeated.
fn read(file: impl AsRef<Path>) -> Outcome<String> {
    let repeat = Regex::new(r#"\{\s*"\$repeat":\s*(\d+),\s*"item":\s*(\{[^{}]*\})\s*\}"#)?;
    let repeated = |found: &Captures| {
        let times = found[1].parse().unwrap_or(0);
        let items: Vec<_> =
            (0..times).map(|i: u32| found[2].replace('#', &i.to_string())).collect();
        format!("[{}]", items.join(","))
    };
    Ok(repeat.replace_all(&fs::read_to_string(file)?, repeated).into_owned())
}

/// What is at a path like `response.steps.0.name`, or null.
fn at<'a>(path: &str, value: &'a Value) -> &'a Value {
    path.split('.').fold(value, |parent, key| match key.parse::<usize>() {
        Ok(index) => &parent[index],
        Err(_) => &parent[key],
    })
}

/// Adds the code of a refusal, and what its details say.
fn explain(status: &Status, outcome: &mut Value) {
    let code = Code::try_from(i32::from(status.code())).unwrap_or_default();
    // tonic's own timer calls what the server calls DEADLINE_EXCEEDED a cancellation.
    let timed_out = std::iter::successors(status.source(), |&cause| cause.source())
        .any(|cause| cause.is::<TimeoutExpired>());
    let code = if timed_out { Code::DeadlineExceeded } else { code };
    outcome["code"] = code.as_str_name().into();
    let details = status.get_error_details();
    if let Some(info) = details.error_info() {
        outcome["reason"] = info.reason.clone().into();
        outcome["metadata"] = json!(info.metadata);
    }
    if let Some(bad) = details.bad_request() {
        let violations = bad.field_violations.iter();
        outcome["violations"] =
            sorted(violations.map(|v| format!("{}: {}", v.field, v.reason))).into();
    }
}

fn to_json(kind: MessageDescriptor, bytes: &[u8]) -> Outcome<Value> {
    let message = DynamicMessage::decode(kind, bytes)?;
    let options = SerializeOptions::new().use_proto_field_name(true);
    Ok(message.serialize_with_options(serde_json::value::Serializer, &options)?)
}

fn sorted(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut texts: Vec<_> = texts.collect();
    texts.sort();
    texts
}

/// Sends and receives messages as they are; tonic's own codec wants types that are known when this
/// is compiled.
#[derive(Clone, Copy)]
struct Bytes;

impl Codec for Bytes {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Bytes;
    type Decoder = Bytes;

    fn encoder(&mut self) -> Bytes {
        Bytes
    }

    fn decoder(&mut self) -> Bytes {
        Bytes
    }
}

impl Encoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, message: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&message);
        Ok(())
    }
}

impl Decoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining()).to_vec()))
    }
}
