//! Makes the stubs from the contract's descriptor set; no protoc is needed.

use prost::Message;

const DESCRIPTORS: &str = "../../../generated/symphony.binpb";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed={DESCRIPTORS}");
    let descriptors = prost_types::FileDescriptorSet::decode(&*std::fs::read(DESCRIPTORS)?)?;
    let mut config = tonic_prost_build::Config::new();
    config.enable_type_names().include_file("stubs.rs");
    tonic_prost_build::configure()
        .build_server(false)
        .compile_fds_with_config(descriptors, config)?;
    Ok(())
}
