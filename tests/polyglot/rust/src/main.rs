//! Calls a server as README.md says; with a folder of vectors, runs those instead.

mod vectors;

use std::{env, error::Error, fs, process::ExitCode, sync::LazyLock, time::Duration};

use prost::{Message, Name};
use prost_protovalidate::Validator;
use prost_reflect::{DescriptorPool, DynamicMessage};
use stubs::symphony::v1::{
    CreateProjectRequest, CreateWorkflowRequest, DeleteWorkflowRequest, WatchRequest, WorkflowSpec,
    WorkflowStep, change_service_client::ChangeServiceClient,
    project_service_client::ProjectServiceClient, watch_response::Event,
    workflow_service_client::WorkflowServiceClient,
};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tonic::{Request, metadata::AsciiMetadataValue};
use tonic_types::StatusExt;

/// The stubs that build.rs makes.
#[allow(dead_code, clippy::all)] // they are all that the contract has, as prost makes it
mod stubs {
    tonic::include_proto!("stubs");
}

/// The contract as data: its rules, and the JSON names of its fields.
static CONTRACT: LazyLock<DescriptorPool> = LazyLock::new(|| {
    let descriptors = include_bytes!("../../../../generated/symphony.binpb");
    DescriptorPool::decode(&descriptors[..]).expect("the contract's descriptor set is whole")
});

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let channel = connect().await?;
    if let Some(folder) = env::args().nth(1) {
        return vectors::run(channel, &folder).await;
    }
    quick_start(channel).await?;
    Ok(ExitCode::SUCCESS)
}

/// Leads to SYMPHONY_SERVER, over TLS if SYMPHONY_TLS_CA says whom to trust.
async fn connect() -> Result<Channel, Box<dyn Error>> {
    let server = env::var("SYMPHONY_SERVER").unwrap_or("localhost:50051".into());
    let endpoint = match env::var("SYMPHONY_TLS_CA") {
        Err(_) => Endpoint::from_shared(format!("http://{server}"))?,
        Ok(ca) => {
            let ca = Certificate::from_pem(fs::read(ca)?);
            Endpoint::from_shared(format!("https://{server}"))?
                .tls_config(ClientTlsConfig::new().ca_certificate(ca))?
        }
    };
    Ok(endpoint.connect().await?)
}

async fn quick_start(channel: Channel) -> Result<(), Box<dyn Error>> {
    // An interceptor gives every call the token and a deadline.
    let bearer: AsciiMetadataValue = format!("Bearer {}", env::var("SYMPHONY_TOKEN")?).parse()?;
    let authorize = move |mut request: Request<()>| {
        request.metadata_mut().insert("authorization", bearer.clone());
        request.set_timeout(Duration::from_secs(30));
        Ok(request)
    };
    let mut projects = ProjectServiceClient::with_interceptor(channel.clone(), authorize.clone());
    let mut workflows = WorkflowServiceClient::with_interceptor(channel.clone(), authorize.clone());
    let mut changes = ChangeServiceClient::with_interceptor(channel, authorize);

    let project = CreateProjectRequest { name: "From Rust".into(), ..Default::default() };
    let project = projects.create_project(project).await?.into_inner();
    let step = |name: &str, command: &str, depends_on: &[&str]| WorkflowStep {
        name: name.into(),
        command: command.into(),
        depends_on: depends_on.iter().map(|&step| step.into()).collect(),
        ..Default::default()
    };
    let request = |name: &str, steps: Vec<WorkflowStep>| CreateWorkflowRequest {
        project_id: project.id.clone(),
        spec: Some(WorkflowSpec { name: name.into(), steps, ..Default::default() }),
        ..Default::default()
    };
    let build =
        request("Build", vec![step("fetch", "git pull", &[]), step("compile", "make", &["fetch"])]);
    let workflow = workflows.create_workflow(build).await?.into_inner();
    let compute_units = workflow.estimated_cost.unwrap_or_default().compute_units();
    println!("{} {compute_units} compute units", workflow.id);

    // A refusal has a code, a reason for programs, and the fields that are wrong.
    let circle = vec![step("fetch", "git pull", &["compile"]), step("compile", "make", &["fetch"])];
    if let Err(status) = workflows.create_workflow(request("Circle", circle)).await {
        let details = status.get_error_details();
        if let Some(info) = details.error_info() {
            println!("refused: {:?} {}", status.code(), info.reason);
        }
        for violation in details.bad_request().iter().flat_map(|bad| &bad.field_violations) {
            println!("  {} {}", violation.field, violation.description);
        }
    }

    // The contract's rules can be asked without a call.
    if let Err(error) = Validator::new().validate(&reflect(&request(" ", vec![]))?) {
        println!("not even sent: {error}");
    }

    // The change feed tells of what happens once its first checkpoint has come.
    let watch = WatchRequest { project_ids: vec![project.id.clone()], ..Default::default() };
    let mut feed = changes.watch(watch).await?.into_inner();
    feed.message().await?;
    let delete = DeleteWorkflowRequest { id: workflow.id, ..Default::default() };
    workflows.delete_workflow(delete).await?;
    while let Some(message) = feed.message().await? {
        if let Some(Event::Change(change)) = message.event {
            println!("saw {} {}", change.operation().as_str_name(), change.resource_id);
            break;
        }
    }
    Ok(())
}

/// A message together with its description, which is where its rules are.
fn reflect<M: Message + Name>(message: &M) -> Result<DynamicMessage, prost::DecodeError> {
    let description = CONTRACT.get_message_by_name(&M::full_name()).expect("it is in the contract");
    DynamicMessage::decode(description, &*message.encode_to_vec())
}
