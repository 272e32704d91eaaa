//! The manifests an operator applies: they are valid, and ask about every kind there is.

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use trust::gate::admission::kinds::{EPHEMERAL, WORKLOADS};
use trust::policy::{Demand, Mode, Policy};
use trust::reference::ImageReference;
use yaml_rust2::{Yaml, YamlLoader};

/// The documents of a file, as JSON.
fn documents(name: &str) -> Vec<Value> {
    let file = format!("{}/examples/kubernetes/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(file).unwrap();
    YamlLoader::load_from_str(&text)
        .unwrap()
        .iter()
        .map(json_of)
        .collect()
}

fn json_of(yaml: &Yaml) -> Value {
    match yaml {
        Yaml::String(text) => json!(text),
        Yaml::Integer(number) => json!(number),
        Yaml::Boolean(yes) => json!(yes),
        Yaml::Null => Value::Null,
        Yaml::Array(items) => items.iter().map(json_of).collect(),
        Yaml::Hash(members) => members
            .iter()
            .map(|(name, value)| (name.as_str().unwrap().to_owned(), json_of(value)))
            .collect(),
        other => panic!("{other:?} in a manifest"),
    }
}

fn one(documents: &[Value], kind: &str) -> Value {
    let mut found = documents.iter().filter(|document| document["kind"] == kind);
    let one = found.next().unwrap_or_else(|| panic!("no {kind}"));
    assert!(found.next().is_none(), "more than one {kind}");
    one.clone()
}

/// Bypass 20: no label that somebody can put on or take off keeps the API server from asking.
#[test]
fn the_api_server_asks_about_every_kind_with_images() {
    let mut expected = BTreeSet::from([(String::new(), format!("pods/{EPHEMERAL}"))]);
    let known = WORKLOADS.map(|known| (known.group.to_owned(), known.resource.to_owned()));
    expected.extend(known);
    let documents = documents("webhooks.yaml");
    assert_eq!(documents.len(), 2);
    for (kind, path, reinvocation) in [
        ("MutatingWebhookConfiguration", "/mutate", json!("IfNeeded")),
        ("ValidatingWebhookConfiguration", "/validate", Value::Null),
    ] {
        let configuration = one(&documents, kind);
        let webhook = &configuration["webhooks"][0];
        let mut resources = BTreeSet::new();
        for rule in webhook["rules"].as_array().unwrap() {
            assert_eq!(rule["operations"], json!(["CREATE", "UPDATE"]));
            assert_eq!(rule["apiVersions"], json!(["v1"]));
            for group in rule["apiGroups"].as_array().unwrap() {
                for resource in rule["resources"].as_array().unwrap() {
                    let text = |value: &Value| value.as_str().unwrap().to_owned();
                    assert!(resources.insert((text(group), text(resource))));
                }
            }
        }
        assert_eq!(resources, expected, "{kind}");
        assert_eq!(webhook["admissionReviewVersions"], json!(["v1"]));
        assert_eq!(webhook["sideEffects"], "None");
        assert_eq!(webhook["failurePolicy"], "Fail");
        assert_eq!(webhook["matchPolicy"], "Equivalent");
        assert_eq!(webhook["timeoutSeconds"], 10);
        assert_eq!(webhook["reinvocationPolicy"], reinvocation);
        assert_eq!(webhook["clientConfig"]["service"]["path"], path);
        assert!(
            webhook.get("objectSelector").is_none(),
            "labels are the user's"
        );
        let selector = &webhook["namespaceSelector"]["matchExpressions"];
        assert_eq!(selector.as_array().unwrap().len(), 1);
        assert_eq!(selector[0]["key"], "kubernetes.io/metadata.name");
        assert_eq!(selector[0]["operator"], "NotIn");
    }
}

#[test]
fn the_parts_fit_together() {
    let gate = documents("gate.yaml");
    let webhooks = documents("webhooks.yaml");
    let deployment = one(&gate, "Deployment");
    let service = one(&gate, "Service");
    let labels = &deployment["spec"]["template"]["metadata"]["labels"];
    assert_eq!(labels, &deployment["spec"]["selector"]["matchLabels"]);
    assert_eq!(labels, &service["spec"]["selector"]);
    let budget = one(&gate, "PodDisruptionBudget");
    assert_eq!(labels, &budget["spec"]["selector"]["matchLabels"]);
    let (replicas, left) = (
        &deployment["spec"]["replicas"],
        &budget["spec"]["minAvailable"],
    );
    assert!(replicas.as_u64() > left.as_u64(), "a node can be drained");
    let namespace = &one(&gate, "Namespace")["metadata"]["name"];
    for webhook in &webhooks {
        let webhook = &webhook["webhooks"][0];
        let wanted = &webhook["clientConfig"]["service"];
        assert_eq!(&wanted["name"], &service["metadata"]["name"]);
        assert_eq!(&wanted["namespace"], namespace);
        let exempt = webhook["namespaceSelector"]["matchExpressions"][0]["values"].as_array();
        assert!(
            exempt.unwrap().contains(namespace),
            "or it could not start again"
        );
    }
    for object in gate.iter().filter(|object| object["kind"] != "Namespace") {
        assert_eq!(&object["metadata"]["namespace"], namespace);
    }
    let container = &deployment["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true);
    let ports = &container["ports"][0];
    assert_eq!(ports["name"], service["spec"]["ports"][0]["targetPort"]);
    for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
        assert_eq!(container[probe]["httpGet"]["scheme"], "HTTPS");
    }
}

#[test]
fn the_policy_refuses_nothing_yet_but_what_nobody_named() {
    let policy = one(&documents("gate.yaml"), "ConfigMap")["data"]["policy.toml"].clone();
    let no_file = &mut |name: &_| panic!("{name:?} is not in the ConfigMap");
    let policy = Policy::parse(policy.as_str().unwrap(), no_file).unwrap();
    let rule = |name: &str| policy.rule(&ImageReference::parse(name).unwrap());
    assert_eq!(rule("registry.k8s.io/coredns:1").demand, Demand::Accept);
    assert_eq!(rule("registry.example.com/app").mode, Mode::Audit);
    assert_eq!(rule("alpine").demand, Demand::Reject);
}
