//! What is wrong with manifests that are valid: things that run and then lock somebody out.
//!
//! Two faults of the published CloudNativePG guide, in general form. Reads manifests only, prints names and keys only.

use serde_json::Value as Json;

use crate::manifest::Manifest;

/// Characters that end or change the user-info of a URI when they stand there raw.
const BREAKS_URI: &str = "%/?#[]@:";

/// All remarks about a set of manifests, each with the object, what is wrong with it and what to do.
pub(crate) fn lint(manifests: &[Manifest]) -> Vec<String> {
    manifests
        .iter()
        .filter(|manifest| manifest.kind() == "ExternalSecret")
        .flat_map(|secret| raw_in_uri(secret, manifests).into_iter().chain(left_behind(secret, manifests)))
        .collect()
}

/// A generated value with characters that a URI reserves, put into a URI as it is.
fn raw_in_uri(secret: &Manifest, manifests: &[Manifest]) -> Option<String> {
    let (generator, symbols) = generators(secret, manifests)
        .find(|(_, symbols)| symbols.chars().any(|symbol| BREAKS_URI.contains(symbol)))?;
    let keys: Vec<&str> = template(secret)
        .filter(|(_, text)| text.contains("://") && raw_before_at(text))
        .map(|(key, _)| key)
        .collect();
    if keys.is_empty() {
        return None;
    }
    let bad: String = symbols.chars().filter(|symbol| BREAKS_URI.contains(*symbol)).collect();
    let text = format!(
        "{} puts a generated value into the URI of {} as it is, and {generator} draws from `{bad}`, which end or change \
         it there: use `{{{{ .password | uriUserinfo }}}}`, or symbolCharacters out of `-._~`",
        secret.title(),
        keys.join(", "),
    );
    Some(text)
}

/// A key of the target that holds the old password and that the template does not write.
fn left_behind(secret: &Manifest, manifests: &[Manifest]) -> Option<String> {
    let name = match secret.text_at("/spec/target/name") {
        "" => secret.name(),
        name => name,
    };
    let target = manifests
        .iter()
        .find(|one| one.kind() == "Secret" && one.name() == name && one.namespace() == secret.namespace())?;
    let data = target.object.pointer("/stringData").and_then(Json::as_object)?;
    let written: Vec<&str> = template(secret).map(|(key, _)| key).collect();
    let password = data.get("password").and_then(Json::as_str).filter(|text| text.len() >= 8)?;
    let stale: Vec<&str> = data
        .iter()
        .filter(|(key, value)| {
            !written.is_empty()
                && !written.contains(&key.as_str())
                && value.as_str().is_some_and(|text| text.contains(password))
        })
        .map(|(key, _)| key.as_str())
        .collect();
    if stale.is_empty() {
        return None;
    }
    let text = format!(
        "{} does not write {} of Secret/{name}, which hold the password too: after the first rotation they hold the old \
         one; add them to spec.target.template.data",
        secret.title(),
        stale.join(", "),
    );
    Some(text)
}

fn template(secret: &Manifest) -> impl Iterator<Item = (&str, &str)> {
    let data = secret.object.pointer("/spec/target/template/data").and_then(Json::as_object);
    data.into_iter().flatten().filter_map(|(key, text)| Some((key.as_str(), text.as_str()?)))
}

/// The Password generators that an ExternalSecret names, with their symbols.
fn generators<'a>(
    secret: &'a Manifest,
    manifests: &'a [Manifest],
) -> impl Iterator<Item = (String, &'a str)> + 'a {
    let entries = secret.object.pointer("/spec/dataFrom").and_then(Json::as_array);
    entries.into_iter().flatten().filter_map(|entry| {
        let reference = entry.pointer("/sourceRef/generatorRef")?;
        let name = reference.get("name")?.as_str()?;
        let generator = manifests.iter().find(|one| {
            one.kind() == "Password" && one.name() == name && one.namespace() == secret.namespace()
        })?;
        let symbols = match generator.text_at("/spec/symbolCharacters") {
            "" => "~!@#$%^&*()_+`-={}|[]\\:\"<>?,./",
            symbols => symbols,
        };
        let draws = generator.object.pointer("/spec/symbols").and_then(Json::as_i64) != Some(0);
        draws.then(|| (generator.title(), symbols))
    })
}

/// Whether an action that is only a field stands between `://` and the last `@`.
fn raw_before_at(text: &str) -> bool {
    let Some((_, rest)) = text.split_once("://") else {
        return false;
    };
    let Some((user_info, _)) = rest.rsplit_once('@') else {
        return false;
    };
    user_info.split("{{").skip(1).any(|action| {
        let action = action.split("}}").next().unwrap_or_default();
        action.trim_matches(['-', ' ']).starts_with('.') && !action.contains('|')
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::manifest::{Manifests, parse};

    fn remarks(template: &str, symbols: &str) -> Vec<String> {
        let text = format!(
            "apiVersion: v1\nkind: Secret\nmetadata: {{name: db}}\nstringData: {{password: longEnough, uri: \"x://a:longEnough@h\", \
             fqdn: longEnough}}\n---\napiVersion: g/v1\nkind: Password\nmetadata: {{name: p}}\nspec: {{symbolCharacters: \"{symbols}\"}}\n---\n\
             apiVersion: e/v1\nkind: ExternalSecret\nmetadata: {{name: e}}\nspec:\n  target: {{name: db, template: {{data: {template}}}}}\n  \
             dataFrom: [{{sourceRef: {{generatorRef: {{kind: Password, name: p}}}}}}]\n"
        );
        let mut manifests = Manifests::default();
        parse(Path::new("a.yaml"), &text, &mut manifests);
        assert!(manifests.bad.is_empty(), "{:?}", manifests.bad);
        lint(&manifests.good)
    }

    const ALL_KEYS: &str =
        "{password: \"{{ .password }}\", fqdn: \"{{ .password }}\", uri: \"x://a:{{ .password }}@h\"}";

    #[test]
    fn an_at_sign_in_a_uri_is_said() {
        let said = remarks(ALL_KEYS, "-_$@");
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said.concat().contains("the URI of uri") && said.concat().contains("`@`"), "{said:?}");
        assert!(remarks(ALL_KEYS, "-._~").is_empty());
        let escaped = ALL_KEYS.replace("a:{{ .password }}", "a:{{ .password | uriUserinfo }}");
        assert!(remarks(&escaped, "-_$@").is_empty());
    }

    #[test]
    fn a_key_that_keeps_the_old_password_is_said() {
        let said = remarks("{password: \"{{ .password }}\"}", "-");
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said.concat().contains("does not write uri, fqdn of Secret/db"), "{said:?}");
        assert!(!said.concat().contains("longEnough"));
    }
}
