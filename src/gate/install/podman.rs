//! The hook of Podman, skopeo, Buildah and CRI-O: names point to the gate's proxy.

use super::files::Files;
use super::plan::Plan;
use super::{GateAddress, Refusal, Wanted};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use toml_edit::{DocumentMut, Item, TableLike, Value};

/// What is wanted.
#[derive(Clone, Debug)]
pub struct Options {
    /// The proxy that answers for the registries
    pub proxy: GateAddress,
    /// Registries, or parts of them, that the gate answers for
    pub registries: Vec<String>,
    /// The registry the gate answers for where a path names none: its `--upstream`
    pub upstream: String,
    /// Registries from which nothing is pulled
    pub blocked: Vec<String>,
    /// Folder of the configuration, `/etc/containers` or a user's
    pub folder: PathBuf,
}

/// One `[[registry]]` as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Names it is for
    pub prefix: String,
    /// Who answers
    pub location: String,
    /// Who is asked before
    pub mirrors: Vec<String>,
    /// Whether it may be asked without TLS
    pub insecure: bool,
    /// Whether nothing is pulled
    pub blocked: bool,
}

/// A file of registries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registries {
    /// Its entries, in order
    pub entries: Vec<Entry>,
    /// Where short names are looked for
    pub search: Vec<String>,
}

impl Registries {
    /// Reads a file.
    ///
    /// # Errors
    /// Podman would not read it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let document: DocumentMut = text
            .parse()
            .map_err(|error: toml_edit::TomlError| error.to_string().trim_end().to_owned())?;
        let tables = |item: Option<&Item>| -> Vec<Entry> {
            let list = item.and_then(Item::as_array_of_tables);
            list.into_iter()
                .flat_map(toml_edit::ArrayOfTables::iter)
                .map(|table| entry(table))
                .collect()
        };
        let search = document.get("unqualified-search-registries");
        let search = search.and_then(Item::as_array);
        let search = search.into_iter().flat_map(toml_edit::Array::iter);
        Ok(Self {
            entries: tables(document.get("registry")),
            search: search
                .filter_map(|it| it.as_str().map(str::to_owned))
                .collect(),
        })
    }
}

fn entry(table: &dyn TableLike) -> Entry {
    let text = |key: &str| {
        table
            .get(key)
            .and_then(Item::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let truth = |key: &str| table.get(key).and_then(Item::as_bool) == Some(true);
    let location = text("location");
    let mirrors = match table.get("mirror") {
        Some(Item::ArrayOfTables(list)) => list.iter().map(location_of).collect(),
        Some(Item::Value(Value::Array(list))) => list
            .iter()
            .filter_map(|it| Some(it.as_inline_table()?.get("location")?.as_str()?.to_owned()))
            .collect(),
        _ => Vec::new(),
    };
    let prefix = text("prefix");
    Entry {
        prefix: if prefix.is_empty() {
            location.clone()
        } else {
            prefix
        },
        location,
        mirrors,
        insecure: truth("insecure"),
        blocked: truth("blocked"),
    }
}

fn location_of(mirror: &toml_edit::Table) -> String {
    let location = mirror.get("location").and_then(Item::as_str);
    location.unwrap_or_default().to_owned()
}

/// What has to be looked at before planning.
pub fn wanted(folder: &Path, gate: Option<&GateAddress>) -> Vec<Wanted> {
    let mut wanted = vec![
        Wanted::Content(folder.join("registries.conf")),
        Wanted::Tree(folder.join(DROP_INS)),
    ];
    if let Some(gate) = gate {
        wanted.push(Wanted::Tree(folder.join("certs.d").join(gate.host())));
        wanted.extend(gate.ca.clone().map(Wanted::Content));
        let client = gate.client.clone();
        wanted.extend(
            client
                .into_iter()
                .flat_map(|(a, b)| [a, b])
                .map(Wanted::Content),
        );
    }
    wanted
}

/// Files with entries in the order in which Podman reads them; the last entry for a prefix wins.
pub fn registry_files(files: &Files, folder: &Path) -> Vec<PathBuf> {
    let drop_ins = folder.join(DROP_INS);
    let mut paths = vec![folder.join("registries.conf")];
    let conf = |path: &Path| path.extension().is_some_and(|it| it == "conf");
    paths.extend(
        files
            .within(&drop_ins)
            .map(|it| it.0.to_owned())
            .filter(|it| conf(it)),
    );
    paths
}

/// What has to be written so that Podman asks the gate.
///
/// # Errors
/// The layout would let images by, or a file cannot be understood.
pub fn plan(files: &Files, options: &Options) -> Result<Plan, Refusal> {
    let mut plan = Plan::default();
    let gate = &options.proxy;
    if gate.header.is_some() {
        return Err(Refusal::Option(
            "Podman cannot send a header of its own; use a client certificate".into(),
        ));
    }
    let ours = options.folder.join(DROP_INS).join(OURS);
    let mut routed: BTreeSet<String> = options.registries.iter().cloned().collect();
    let blocked: BTreeSet<String> = options.blocked.iter().cloned().collect();
    for path in registry_files(files, &options.folder) {
        if path == ours {
            continue;
        }
        let unreadable = |why| Refusal::Unreadable {
            path: path.clone(),
            why,
        };
        let text = files.text(&path)?.unwrap_or_default();
        let found = Registries::parse(text).map_err(unreadable)?;
        routed.extend(found.search);
        let later = path.file_name() > ours.file_name() && path.parent() == ours.parent();
        for entry in found.entries {
            if later {
                return Err(leaky(&path, &entry, "it is read after ours, and wins"));
            }
            if entry.prefix.starts_with("*.") && !entry.blocked {
                if entry.mirrors.is_empty() {
                    continue;
                }
                return Err(leaky(
                    &path,
                    &entry,
                    "mirrors are asked instead of the gate",
                ));
            }
            // A longer prefix wins over ours, so it needs an entry of its own.
            if !entry.blocked {
                routed.insert(entry.prefix);
            }
        }
    }
    let routed = routed.difference(&blocked).filter(|it| !gate.is(it));
    let routed = routed.map(|prefix| Ok((prefix.as_str(), location(prefix, options)?)));
    let routed = routed.collect::<Result<Vec<_>, Refusal>>()?;
    plan.write(files, &ours, &text(gate, &routed, &blocked), 0o644);
    certificates(files, options, &mut plan)?;
    plan.notes.push(
        "what is in no entry is still pulled from its registry; block those you do not need".into(),
    );
    Ok(plan)
}

fn leaky(path: &Path, entry: &Entry, why: &str) -> Refusal {
    Refusal::Leaky {
        what: format!("[[registry]] for {} in {}", entry.prefix, path.display()),
        why: why.into(),
        hint: "take it out, or rename its file".into(),
    }
}

/// Where the gate answers for these names.
fn location(prefix: &str, options: &Options) -> Result<String, Refusal> {
    let gate = options.proxy.host();
    let rest = prefix.strip_prefix(&options.upstream);
    if let Some(rest) = rest.filter(|it| it.is_empty() || it.starts_with('/')) {
        return Ok(format!("{gate}{rest}"));
    }
    if prefix.contains(':') {
        return Err(Refusal::Leaky {
            what: format!("the registry {prefix}"),
            why: "a name with a port cannot follow the gate's in Podman's names".into(),
            hint: "block it, or start a gate with --upstream for it and say so with --upstream"
                .into(),
        });
    }
    Ok(format!("{gate}/{prefix}"))
}

/// Our drop-in.
fn text(gate: &GateAddress, routed: &[(&str, String)], blocked: &BTreeSet<String>) -> String {
    let mut text = String::from(
        "# Written by `trust hook install podman`; `trust hook remove podman` takes it away.\n",
    );
    let insecure = gate.url.scheme() == "http";
    for (prefix, location) in routed {
        // Writing to a text does not fail.
        let _ = write!(
            text,
            "\n[[registry]]\nprefix = {}\nlocation = {}\n",
            Value::from(*prefix),
            Value::from(location)
        );
        if insecure {
            text.push_str("insecure = true\n");
        }
    }
    for prefix in blocked {
        let prefix = Value::from(prefix.as_str());
        let _ = write!(text, "\n[[registry]]\nprefix = {prefix}\n");
        if !prefix.as_str().is_some_and(|it| it.starts_with("*.")) {
            let _ = writeln!(text, "location = {prefix}");
        }
        text.push_str("blocked = true\n");
    }
    text
}

/// Podman finds authorities and its own certificate in a folder of the gate's name.
fn certificates(files: &Files, options: &Options, plan: &mut Plan) -> Result<(), Refusal> {
    let gate = &options.proxy;
    let folder = options.folder.join("certs.d").join(gate.host());
    let client = gate.client.as_ref();
    let all = [
        (gate.ca.as_ref(), "ca.crt", 0o644),
        (client.map(|it| &it.0), "client.cert", 0o644),
        (client.map(|it| &it.1), "client.key", 0o600),
    ];
    for (from, name, mode) in all {
        let Some(from) = from else { continue };
        let text = files.text(from)?.ok_or_else(|| Refusal::Missing {
            path: from.clone(),
            why: "Podman needs it to reach the gate".into(),
        })?;
        if name == "client.key" {
            plan.secrets
                .extend(text.lines().map(str::to_owned).filter(|it| it.len() > 8));
        }
        plan.write(files, &folder.join(name), text, mode);
    }
    Ok(())
}

/// Read after all others, so that its entries win.
const OURS: &str = "zzz-trust.conf";
const DROP_INS: &str = "registries.conf.d";

#[cfg(test)]
mod tests {
    use super::*;
    use snapbox::{assert_data_eq, str};

    fn options() -> Options {
        Options {
            proxy: GateAddress::parse("https://127.0.0.1:8443").unwrap(),
            registries: vec!["docker.io".into()],
            upstream: "own.test:5000".into(),
            blocked: vec!["*.evil.test".into(), "quay.io".into()],
            folder: "/etc/containers".into(),
        }
    }

    #[test]
    fn longer_prefixes_are_routed_too() {
        let files = Files::default().with(
            "/etc/containers/registries.conf",
            "unqualified-search-registries = ['docker.io', 'quay.io', 'ghcr.io']\n\
             [[registry]]\nprefix = 'docker.io/library'\nlocation = 'mirror.test/library'\n\
             [[registry.mirror]]\nlocation = 'other.test'\n",
        );
        assert_data_eq!(
            plan(&files, &options()).unwrap().diff(),
            str![[r#"
--- /dev/null
+++ /etc/containers/registries.conf.d/zzz-trust.conf
@@ -0,0 +1,22 @@
+# Written by `trust hook install podman`; `trust hook remove podman` takes it away.
+
+[[registry]]
+prefix = "docker.io"
+location = "127.0.0.1:8443/docker.io"
+
+[[registry]]
+prefix = "docker.io/library"
+location = "127.0.0.1:8443/docker.io/library"
+
+[[registry]]
+prefix = "ghcr.io"
+location = "127.0.0.1:8443/ghcr.io"
+
+[[registry]]
+prefix = "*.evil.test"
+blocked = true
+
+[[registry]]
+prefix = "quay.io"
+location = "quay.io"
+blocked = true

"#]]
        );
    }

    #[test]
    fn a_port_stands_in_no_path() {
        let mut options = options();
        options.registries = vec!["own.test:5000".into(), "own.test:5000/team".into()];
        let text = plan(&Files::default(), &options).unwrap().diff();
        assert!(text.contains("location = \"127.0.0.1:8443\"\n"), "{text}");
        assert!(
            text.contains("location = \"127.0.0.1:8443/team\"\n"),
            "{text}"
        );
        options.registries = vec!["own.test:50001".into()];
        assert!(plan(&Files::default(), &options).is_err());
    }

    #[test]
    fn what_would_win_over_ours_is_refused() {
        let entry = "[[registry]]\nprefix='docker.io'\nlocation='docker.io'\n";
        let mirrors = "[[registry]]\nprefix='*.a.test'\n[[registry.mirror]]\nlocation='m'\n";
        for (path, text) in [
            ("/etc/containers/registries.conf.d/zzzz.conf", entry),
            ("/etc/containers/registries.conf", mirrors),
            ("/etc/containers/registries.conf", "[[registry]"),
        ] {
            let files = Files::default().with(path, text);
            assert!(plan(&files, &options()).is_err(), "{path}");
        }
    }
}
