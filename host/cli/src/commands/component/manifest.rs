//! `keymill component manifest` and `keymill component grants`: what to apply so that a cluster runs a component, and so that it gets
//! what it wants.

use std::io::Write as _;

use api::component::{ComponentKey, ComponentSource};
use api::grant::{GrantedObject, GrantedPrevious};
use api::{Component, ComponentKind, ComponentRef, ComponentSpec, Grant, GrantSpec};
use flate2::Compression;
use flate2::write::GzEncoder;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::ObjectMeta;
use runtime::{Capability, Want};
use serde::Serialize;

use super::report;
use crate::args::ManifestComponent;
use crate::catalog::{Components, Found};
use crate::ending::Ending;
use crate::output::Output;

/// The key in the ConfigMap.
const KEY: &str = "component.wasm.gz";
/// What the API server takes of a ConfigMap, all keys and values together.
const LARGEST: usize = 1 << 20;

/// A ConfigMap with the bytes, and a Component that names it.
pub(super) fn manifest(args: &ManifestComponent) -> Result<(), Ending> {
    let components = Components::open()?;
    if components.is_built_in(&args.component) {
        return Err(Ending::usage(format!(
            "write a manifest for {0}: it is built in, and componentRef names it as it is: {{kind: BuiltIn, name: {0}}}",
            args.component
        )));
    }
    let found = components.find_any(&args.component)?;
    let bytes = std::fs::read(&args.component)
        .map_err(|error| Ending::failed(format!("read {}: {error}", args.component)))?;
    let packed = pack(&bytes).map_err(|error| Ending::failed(format!("pack {}: {error}", args.component)))?;
    if packed.len() + KEY.len() > LARGEST {
        let (size, most) = (report::size(packed.len()), report::size(LARGEST));
        return Err(Ending::failed(format!(
            "put {} into a ConfigMap: packed it has {size}, and a ConfigMap holds {most}",
            args.component
        )));
    }
    let name = name(args, &found);
    let metadata = || ObjectMeta {
        name: Some(name.clone()),
        namespace: args.namespace.clone(),
        ..ObjectMeta::default()
    };
    let bytes = ConfigMap {
        metadata: metadata(),
        binary_data: Some([(KEY.to_owned(), ByteString(packed))].into()),
        ..ConfigMap::default()
    };
    let config_map = Some(ComponentKey { name: name.clone(), key: KEY.to_owned() });
    let spec = ComponentSpec {
        source: ComponentSource { config_map, secret: None },
        digest: Some(found.component.digest().to_string()),
    };
    let component = Component { metadata: metadata(), spec, status: None };
    let mut output = Output::open();
    // kubectl writes all that it applied by itself into an annotation, which ends at 256 KiB.
    output.write(b"# kubectl apply --server-side -f -\n")?;
    output.write(document(&bytes)?.as_bytes())?;
    output.write(document(&component)?.as_bytes())?;
    output.finish()
}

/// A Grant for each label that the component wants.
pub(super) fn grants(args: &ManifestComponent) -> Result<(), Ending> {
    let components = Components::open()?;
    let found = components.find_any(&args.component)?;
    let wants = &found.component.description().wants;
    let mut output = Output::open();
    if wants.is_empty() {
        output.write(format!("# {} wants nothing\n", found.name).as_bytes())?;
    }
    let is_built_in = components.is_built_in(&args.component);
    let kind = if is_built_in { ComponentKind::BuiltIn } else { ComponentKind::Component };
    let reference = ComponentRef { kind, name: name(args, &found) };
    for want in wants {
        let about = format!("# {} ({}): {}\n", want.label, report::capability(want.capability), want.about);
        output.write(about.as_bytes())?;
        match grant(want, &reference) {
            Some(spec) => {
                let metadata = ObjectMeta {
                    name: Some(format!("{}-{}", reference.name, want.label)),
                    namespace: args.namespace.clone(),
                    ..ObjectMeta::default()
                };
                output.write(document(&Grant { metadata, spec, status: None })?.as_bytes())?;
            }
            None => output.write(b"# no Grant can give it yet\n")?,
        }
    }
    output.finish()
}

/// What is granted has the label's name, for want of a better one: it is there to be changed.
fn grant(want: &Want, reference: &ComponentRef) -> Option<GrantSpec> {
    let (secret, previous) = match want.capability {
        Capability::Kube => (Some(GrantedObject { name: want.label.clone() }), None),
        Capability::Previous => (None, Some(GrantedPrevious {})),
        Capability::Vault | Capability::Http => return None,
    };
    Some(GrantSpec {
        component_ref: reference.clone(),
        label: want.label.clone(),
        secret,
        config_map: None,
        service_account_token: None,
        previous,
        quota: None,
        expires: None,
    })
}

/// What was asked for, else what the component calls itself.
fn name(args: &ManifestComponent, found: &Found) -> String {
    args.name.clone().unwrap_or_else(|| found.component.description().name.clone())
}

fn pack(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(bytes)?;
    packed.finish()
}

fn document(object: &impl Serialize) -> Result<String, Ending> {
    let yaml = serde_saphyr::to_string(object);
    let yaml = yaml.map_err(|error| Ending::failed(format!("write a manifest as YAML: {error}")))?;
    Ok(format!("---\n{yaml}"))
}
