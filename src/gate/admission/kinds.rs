//! The kinds whose pod specs stand in a known place, and what the cluster has to send here.

/// Where the images of one kind are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Workload {
    /// The API group; empty for the core
    pub group: &'static str,
    /// The kind, as objects name it
    pub kind: &'static str,
    /// The resource, as rules of a webhook name it
    pub resource: &'static str,
    /// Names of members, from the object to the pod or its template
    pub template: &'static [&'static str],
}

impl Workload {
    /// The kind of that name, if it is one of those Kubernetes brings.
    pub(super) fn find(group: &str, kind: &str) -> Option<&'static Self> {
        WORKLOADS
            .iter()
            .find(|known| known.kind == kind && known.is_in(group))
    }

    /// Whether it is the pod itself, which is what runs.
    pub fn is_pod(&self) -> bool {
        self.template.is_empty()
    }

    /// Whether its template stays as it was made: a change of it would be refused.
    pub(super) fn is_fixed(&self) -> bool {
        self.kind == "Job"
    }

    /// Old groups are asked for where a webhook's rules name them.
    fn is_in(&self, group: &str) -> bool {
        self.group == group || (self.group == "apps" && group == "extensions")
    }
}

/// Every kind of Kubernetes that holds a pod spec.
///
/// A `ControllerRevision` holds one as well, as opaque data: the pods it leads to come here.
pub const WORKLOADS: [Workload; 9] = [
    workload("", "Pod", "pods", &[]),
    workload("", "PodTemplate", "podtemplates", &["template"]),
    workload(
        "",
        "ReplicationController",
        "replicationcontrollers",
        TEMPLATE,
    ),
    workload("apps", "DaemonSet", "daemonsets", TEMPLATE),
    workload("apps", "Deployment", "deployments", TEMPLATE),
    workload("apps", "ReplicaSet", "replicasets", TEMPLATE),
    workload("apps", "StatefulSet", "statefulsets", TEMPLATE),
    workload("batch", "CronJob", "cronjobs", JOB_TEMPLATE),
    workload("batch", "Job", "jobs", TEMPLATE),
];

/// The one subresource through which images come into a pod.
pub const EPHEMERAL: &str = "ephemeralcontainers";

const fn workload(
    group: &'static str,
    kind: &'static str,
    resource: &'static str,
    template: &'static [&'static str],
) -> Workload {
    Workload {
        group,
        kind,
        resource,
        template,
    }
}

const TEMPLATE: &[&str] = &["spec", "template"];
const JOB_TEMPLATE: &[&str] = &["spec", "jobTemplate", "spec", "template"];
