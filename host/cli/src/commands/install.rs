//! `keymill install`: everything that the operator needs in a cluster, as one YAML stream.
//!
//! The namespace and rights, the definitions, and the operator. `host/deploy/install.yaml` is what this prints by default, so the
//! two cannot differ. What is chosen is only where it runs and from which image; the chart has more to choose.

use std::process::ExitCode;

use anyhow::Result;

use crate::args::Install;
use crate::ending::{self, Ending};
use crate::output::Output;

const RIGHTS: &str = include_str!("../../../deploy/rbac.yaml");
const OPERATOR: &str = include_str!("../../../deploy/operator.yaml");
/// As the two files have them.
const NAMESPACE: &str = "keymill-system";
const IMAGE: &str = concat!("keymill:", env!("CARGO_PKG_VERSION"));

pub(crate) fn run(args: &Install) -> Result<ExitCode> {
    Ok(ending::code(print(args)))
}

fn print(args: &Install) -> Result<(), Ending> {
    let mut output = Output::open();
    output.write(manifests(args)?.as_bytes())?;
    output.finish()
}

fn manifests(args: &Install) -> Result<String, Ending> {
    let definitions = api::crds_yaml()
        .map_err(|error| Ending::failed(format!("write the definitions as YAML: {error}")))?;
    let namespace = chosen(args.namespace.as_deref(), NAMESPACE);
    let image = chosen(args.image.as_deref(), IMAGE);
    let rights = RIGHTS.replace(NAMESPACE, &namespace);
    let operator = OPERATOR.replace(NAMESPACE, &namespace).replace(IMAGE, &image);
    Ok(format!("{rights}{definitions}{operator}"))
}

/// In quotes, since `123` and `true` are names, too.
fn chosen(choice: Option<&str>, default: &str) -> String {
    choice.map_or_else(|| default.to_owned(), |name| format!("\"{name}\""))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn args(namespace: Option<&str>, image: Option<&str>) -> Install {
        Install { namespace: namespace.map(str::to_owned), image: image.map(str::to_owned) }
    }

    /// `KEYMILL_BLESS=1 cargo test -p keymill install` writes it anew.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "a switch for developers; nothing but tests reads it")]
    fn the_committed_file_is_what_is_printed() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/install.yaml");
        let printed = manifests(&args(None, None)).unwrap();
        if std::env::var("KEYMILL_BLESS").is_ok_and(|value| value == "1") {
            std::fs::write(&path, &printed).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == printed, "host/deploy/install.yaml is not what `keymill install` prints");
    }

    #[test]
    fn the_place_and_the_image_are_chosen_everywhere() {
        let printed = manifests(&args(Some("secrets"), Some("registry.example/keymill@sha256:0a"))).unwrap();
        assert!(!printed.contains(NAMESPACE) && !printed.contains(IMAGE));
        assert_eq!(printed.matches("image: \"registry.example/keymill@sha256:0a\"\n").count(), 1);
        assert_eq!(printed.matches("namespace: \"secrets\"\n").count(), 10);
        let objects = printed.split("---\n").skip(1);
        let default = manifests(&args(None, None)).unwrap();
        assert_eq!(objects.count(), default.split("---\n").skip(1).count());
    }
}
