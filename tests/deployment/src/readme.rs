//! The commands of `host/deploy/README.md`, as they stand there.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use crate::cluster::Cluster;
use crate::manifests::folder;

/// The indented block that comes so many blocks after a heading.
fn block(heading: &str, index: usize) -> String {
    let text = std::fs::read_to_string(folder().join("README.md")).unwrap();
    let section = text.split("\n## ").find(|section| section.lines().next() == Some(heading));
    let section = section.unwrap_or_else(|| panic!("no heading {heading}"));
    let mut blocks: Vec<String> = Vec::new();
    let mut inside = false;
    for line in section.lines() {
        match line.strip_prefix("    ") {
            Some(command) => {
                if !inside {
                    blocks.push(String::new());
                }
                let last = blocks.last_mut().unwrap();
                last.push_str(command);
                last.push('\n');
                inside = true;
            }
            None => inside = false,
        }
    }
    blocks.get(index).unwrap_or_else(|| panic!("{heading} has no block {index}")).clone()
}

/// Runs a block in the root of the tree, with the cluster's administrator; what it prints. It must succeed.
pub(crate) fn follow(cluster: &Cluster, heading: &str, index: usize) -> String {
    let commands = block(heading, index);
    let tools = tools(cluster);
    let mut shell = Command::new("bash");
    shell.args(["-euo", "pipefail", "-c", &commands]).current_dir(support::root());
    shell.env("KUBECONFIG", cluster.kubernetes.kubeconfig()).env("HOME", cluster.folder.path());
    shell.env("PATH", format!("{}:/usr/bin:/bin", tools.display()));
    let output = shell.output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{commands}{out}{err}");
    format!("{out}{err}")
}

/// A folder with kubectl, helm and keymill, and nothing of the machine's own.
fn tools(cluster: &Cluster) -> std::path::PathBuf {
    let folder = cluster.folder.path().join("tools");
    std::fs::create_dir_all(&folder).unwrap();
    let kubectl = cluster.kubernetes.kubectl();
    let words: Vec<String> = std::iter::once(kubectl.get_program())
        .chain(kubectl.get_args())
        .map(|word| format!("'{}'", word.display()))
        .collect();
    let helm = servers::binary("helm").unwrap();
    script(&folder, "kubectl", &words.join(" "));
    script(&folder, "helm", &format!("'{}'", helm.display()));
    script(&folder, "keymill", &format!("'{}'", support::keymill().unwrap().display()));
    folder
}

fn script(folder: &Path, name: &str, words: &str) {
    let path = folder.join(name);
    if !path.exists() {
        std::fs::write(&path, format!("#!/bin/sh\nexec {words} \"$@\"\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
}
