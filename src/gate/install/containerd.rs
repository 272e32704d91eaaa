//! The hook of containerd: its CRI asks the gate's proxy, and since version 2 a verifier of ours.

use super::docker::route;
use super::files::{Files, State};
use super::plan::Plan;
use super::{GateAddress, Refusal, Wanted};
use std::path::{Path, PathBuf};
use toml_edit::{DocumentMut, Item, Table, TableLike, value};

/// What is wanted.
#[derive(Clone, Debug)]
pub struct Options {
    /// The proxy that answers for every registry
    pub proxy: Option<GateAddress>,
    /// Whether our verifier is put into the verifiers' folder
    pub verifier: bool,
    /// The program the verifier is
    pub program: PathBuf,
    /// containerd's configuration
    pub config: PathBuf,
}

/// What containerd's configuration says of images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Version of the configuration's form
    pub version: i64,
    /// Folders of the registries' settings; empty: not set
    pub config_path: Vec<PathBuf>,
    /// Whether mirrors, configs or credentials stand in the old form
    pub has_legacy_registry: bool,
    /// Folder of the verifiers
    pub bin_dir: PathBuf,
    /// Verifiers that are asked; none: all
    pub max_verifiers: Option<usize>,
    /// Whether other files are read after this one
    pub has_imports: bool,
    /// Whether Kubernetes' interface is off
    pub cri_disabled: bool,
    /// Settings with which pulls pass by the verifiers, as they stand
    pub skipping: Vec<String>,
}

impl Settings {
    /// Reads a configuration; an empty one has the defaults.
    ///
    /// # Errors
    /// It is no TOML, or of a version nobody knows.
    pub fn parse(text: &str) -> Result<Self, String> {
        let document: DocumentMut = text
            .parse()
            .map_err(|error: toml_edit::TomlError| error.to_string().trim_end().to_owned())?;
        let root = document.as_table();
        let version = match root.get("version") {
            // A file without a number is of the first form; an empty one is of any.
            None if root.is_empty() => 2,
            None => 1,
            Some(item) => item.as_integer().ok_or("`version` is not a number")?,
        };
        let plugin = |name: &str| table(root.get("plugins")?)?.get(name).and_then(table);
        let cri = plugin(cri(version)?);
        let registry = cri.and_then(|it| it.get("registry")).and_then(table);
        let text = |table: Option<&dyn TableLike>, key: &str| {
            let text = table?.get(key)?.as_str()?;
            Some(text.to_owned()).filter(|it| !it.is_empty())
        };
        let bindir = plugin(BINDIR);
        let max = bindir.and_then(|it| it.get("max_verifiers")?.as_integer());
        let disabled = root.get("disabled_plugins").and_then(Item::as_array);
        let is_cri = |name: &str| name == "cri" || name.starts_with("io.containerd.grpc.v1.cri");
        Ok(Self {
            version,
            config_path: text(registry, "config_path")
                .map(|it| it.split(':').map(PathBuf::from).collect())
                .unwrap_or_default(),
            has_legacy_registry: LEGACY
                .iter()
                .any(|key| registry.is_some_and(|it| it.contains_key(key))),
            bin_dir: text(bindir, "bin_dir")
                .unwrap_or_else(|| BIN_DIR.into())
                .into(),
            max_verifiers: usize::try_from(max.unwrap_or(MAX_VERIFIERS)).ok(),
            has_imports: root.get("imports").is_some(),
            cri_disabled: disabled
                .is_some_and(|list| list.iter().any(|it| it.as_str().is_some_and(is_cri))),
            skipping: skipping(cri),
        })
    }
}

/// What has to be looked at before planning.
pub fn wanted(options: &Options, settings: &Settings) -> Vec<Wanted> {
    let mut wanted = vec![Wanted::Content(options.config.clone())];
    wanted.extend(options.proxy.iter().flat_map(GateAddress::wanted));
    wanted.extend(settings.config_path.iter().cloned().map(Wanted::Tree));
    wanted.push(Wanted::Tree(CERTS.into()));
    wanted.push(Wanted::Names(settings.bin_dir.clone()));
    wanted.push(Wanted::Content(settings.bin_dir.join(VERIFIER)));
    wanted
}

/// What has to be written so that containerd asks the gate.
///
/// # Errors
/// The layout would let images by, or a file cannot be understood.
pub fn plan(files: &Files, options: &Options) -> Result<Plan, Refusal> {
    let text = files.text(&options.config)?.unwrap_or_default();
    let settings = Settings::parse(text).map_err(|why| Refusal::Unreadable {
        path: options.config.clone(),
        why,
    })?;
    let mut plan = Plan::default();
    if let Some(gate) = &options.proxy {
        proxy(files, gate, &settings, options, &mut plan)?;
    }
    if options.verifier {
        verifier(files, &settings, options, &mut plan)?;
    }
    Ok(plan)
}

fn proxy(
    files: &Files,
    gate: &GateAddress,
    settings: &Settings,
    options: &Options,
    plan: &mut Plan,
) -> Result<(), Refusal> {
    if settings.has_legacy_registry {
        return Err(Refusal::Leaky {
            what: format!(
                "registry.mirrors, configs or auths in {}",
                options.config.display()
            ),
            why: "containerd does not take them together with config_path".into(),
            hint: "move them to the gate, or to hosts.toml files".into(),
        });
    }
    gate.check_files(files)?;
    let mut folders = settings.config_path.clone();
    if folders.is_empty() {
        let text = files.text(&options.config)?.unwrap_or_default();
        plan.write(
            files,
            &options.config,
            &with_config_path(text, settings)?,
            0o644,
        );
        plan.next.push("systemctl restart containerd".into());
        folders.push(CERTS.into());
    }
    let folders: Vec<&Path> = folders.iter().map(PathBuf::as_path).collect();
    route(files, gate, "containerd", &folders, plan);
    if settings.has_imports {
        plan.notes
            .push("files that its configuration imports may say otherwise".into());
    }
    if settings.cri_disabled {
        plan.notes.push(
            "its Kubernetes interface is off: nerdctl reads these files by itself, \
             ctr only with --hosts-dir"
                .into(),
        );
    }
    Ok(())
}

/// The configuration with the folder of the registries' settings named.
fn with_config_path(text: &str, settings: &Settings) -> Result<String, Refusal> {
    let unfit = |why: &str| Refusal::Leaky {
        what: "containerd's configuration".into(),
        why: why.into(),
        hint: "bring it up to date with `containerd config migrate`".into(),
    };
    if settings.version < 2 {
        return Err(unfit("config_path needs version 2 of its form, or later"));
    }
    let mut document: DocumentMut = text.parse().map_err(|_| unfit("it is no TOML"))?;
    if text.trim().is_empty() {
        document.insert("version", value(2));
    }
    let cri = cri(settings.version).map_err(|why| unfit(&why))?;
    let mut at: &mut dyn TableLike = document.as_table_mut();
    for key in ["plugins", cri, "registry"] {
        let item = at.entry(key).or_insert_with(|| {
            let mut table = Table::new();
            table.set_implicit(true);
            Item::Table(table)
        });
        at = item
            .as_table_like_mut()
            .ok_or_else(|| unfit(&format!("`{key}` is no table")))?;
    }
    at.insert("config_path", value(CERTS));
    Ok(document.to_string())
}

fn verifier(
    files: &Files,
    settings: &Settings,
    options: &Options,
    plan: &mut Plan,
) -> Result<(), Refusal> {
    let folder = &settings.bin_dir;
    let ours = folder.join(VERIFIER);
    let others = files.within(folder).filter(|(path, _)| *path != ours);
    let before = others.filter(|(path, _)| **path < *ours).count();
    if settings.max_verifiers.is_some_and(|max| before >= max) {
        return Err(Refusal::Leaky {
            what: format!("{before} verifiers before ours in {}", folder.display()),
            why: "containerd asks only the first ones, and lets pass what the rest would refuse"
                .into(),
            hint: "raise max_verifiers, or take some out".into(),
        });
    }
    plan.change(
        files,
        ours,
        State::Link {
            to: options.program.clone(),
        },
    );
    for setting in &settings.skipping {
        plan.notes.push(format!(
            "{setting}: pulls for Kubernetes pass by the verifiers"
        ));
    }
    Ok(())
}

/// Settings with which the CRI pulls by itself, without the verifiers.
fn skipping(cri: Option<&dyn TableLike>) -> Vec<String> {
    let mut found = Vec::new();
    let Some(cri) = cri else {
        return found;
    };
    let mut check = |key: &str, skips: &dyn Fn(&Item) -> bool| {
        if let Some(item) = cri.get(key).filter(|item| skips(item)) {
            found.push(format!("{key} = {}", item.to_string().trim()));
        }
    };
    check("max_concurrent_downloads", &|it| it.as_integer() != Some(3));
    check("disable_snapshot_annotations", &|it| {
        it.as_bool() == Some(false)
    });
    check("discard_unpacked_layers", &|it| it.as_bool() == Some(true));
    check("image_pull_with_sync_fs", &|it| it.as_bool() == Some(true));
    check("use_local_image_pull", &|it| it.as_bool() == Some(true));
    let registry = cri.get("registry").and_then(table);
    for key in LEGACY {
        if registry.is_some_and(|it| it.contains_key(key)) {
            found.push(format!("registry.{key}"));
        }
    }
    found
}

fn cri(version: i64) -> Result<&'static str, String> {
    match version {
        1 => Ok("cri"),
        2 => Ok("io.containerd.grpc.v1.cri"),
        3 | 4 => Ok("io.containerd.cri.v1.images"),
        other => Err(format!("version {other} of its form is not known")),
    }
}

fn table(item: &Item) -> Option<&dyn TableLike> {
    item.as_table_like()
}

/// Name of our verifier; called by it, the program is one.
pub const VERIFIER: &str = "trust-containerd-verifier";
/// Where the registries' settings go if nothing else is said.
pub const CERTS: &str = "/etc/containerd/certs.d";
const BINDIR: &str = "io.containerd.image-verifier.v1.bindir";
const BIN_DIR: &str = "/opt/containerd/image-verifier/bin";
/// containerd's own default.
const MAX_VERIFIERS: i64 = 10;
/// The old form of settings for registries.
const LEGACY: [&str; 3] = ["mirrors", "configs", "auths"];

#[cfg(test)]
mod tests {
    use super::*;
    use snapbox::{assert_data_eq, str};

    fn options() -> Options {
        Options {
            proxy: Some(GateAddress::parse("https://127.0.0.1:8443").unwrap()),
            verifier: true,
            program: "/usr/bin/trust".into(),
            config: "/etc/containerd/config.toml".into(),
        }
    }

    #[test]
    fn comments_stay_and_the_folder_is_named() {
        let text = "# mine\nversion = 2\n\n[plugins]\n  [plugins.\"io.containerd.grpc.v1.cri\"]\n    sandbox_image = \"pause\" # here\n";
        let files = Files::default().with("/etc/containerd/config.toml", text);
        assert_data_eq!(
            plan(&files, &options()).unwrap().diff(),
            str![[r#"
--- /etc/containerd/config.toml
+++ /etc/containerd/config.toml
@@ -4,3 +4,6 @@
 [plugins]
   [plugins."io.containerd.grpc.v1.cri"]
     sandbox_image = "pause" # here
+
+[plugins."io.containerd.grpc.v1.cri".registry]
+config_path = "/etc/containerd/certs.d"
--- /dev/null
+++ /etc/containerd/certs.d/_default/hosts.toml
@@ -0,0 +1,5 @@
+# Written by `trust hook install containerd`; `trust hook remove containerd` puts back what was here.
+server = "https://127.0.0.1:8443"
+
+# Nobody else is asked. Without this table containerd 1 ignores the file.
+[host]
--- /dev/null
+++ /opt/containerd/image-verifier/bin/trust-containerd-verifier
@@ -0,0 +1 @@
+-> /usr/bin/trust

"#]]
        );
    }

    #[test]
    fn every_form_of_the_configuration_is_understood() {
        for (text, version, path) in [
            ("", 2, ""),
            ("version = 2", 2, ""),
            (
                "version = 2\n[plugins.'io.containerd.grpc.v1.cri'.registry]\nconfig_path = '/a:/b'",
                2,
                "/a",
            ),
            (
                "version = 3\n[plugins.'io.containerd.cri.v1.images'.registry]\nconfig_path = '/c'",
                3,
                "/c",
            ),
            (
                "root = '/x'\n[plugins.cri.registry]\nconfig_path = '/d'",
                1,
                "/d",
            ),
        ] {
            let settings = Settings::parse(text).unwrap();
            assert_eq!(settings.version, version, "{text}");
            let first = settings.config_path.first().cloned().unwrap_or_default();
            assert_eq!(first, Path::new(path), "{text}");
        }
        assert!(Settings::parse("version = 9").is_err());
        assert!(Settings::parse("version = ").is_err());
    }

    #[test]
    fn what_is_written_is_read_back() {
        for version in [2, 3] {
            let text = format!("version = {version}\n");
            let settings = Settings::parse(&text).unwrap();
            let written = with_config_path(&text, &settings).unwrap();
            let read = Settings::parse(&written).unwrap();
            assert_eq!(read.config_path, [Path::new(CERTS)]);
        }
    }

    #[test]
    fn every_folder_is_routed() {
        let config =
            "version = 2\n[plugins.'io.containerd.grpc.v1.cri'.registry]\nconfig_path = '/a:/b'\n";
        let mut files = Files::default()
            .with("/etc/containerd/config.toml", config)
            .with("/b/quay.io/ca.crt", "x");
        files.put("/b/quay.io", State::Folder { mode: 0o755 });
        let plan = plan(&files, &options()).unwrap();
        let paths: Vec<_> = plan
            .changes
            .iter()
            .map(|it| it.path.to_str().unwrap())
            .collect();
        assert_eq!(
            paths[..2],
            ["/b/quay.io/hosts.toml", "/a/_default/hosts.toml"]
        );
    }

    /// Bypass 18: an eleventh verifier is not asked.
    #[test]
    fn a_verifier_that_would_not_be_asked_is_refused() {
        let mut files = Files::default();
        for n in 0..10 {
            files.put(
                format!("{BIN_DIR}/a{n}"),
                State::File {
                    bytes: vec![],
                    mode: 0o755,
                },
            );
        }
        let refused = plan(&files, &options()).unwrap_err();
        assert!(
            refused.to_string().starts_with("10 verifiers before ours"),
            "{refused}"
        );
    }

    /// Bypass 17: the CRI pulls by itself, and the verifier is not asked.
    #[test]
    fn settings_that_skip_verifiers_are_named() {
        let cri = "version = 3\n[plugins.'io.containerd.cri.v1.images']\n";
        for (setting, skips) in [
            ("max_concurrent_downloads = 5", true),
            ("max_concurrent_downloads = 3", false),
            ("disable_snapshot_annotations = false", true),
            ("disable_snapshot_annotations = true", false),
            ("discard_unpacked_layers = true", true),
            ("image_pull_with_sync_fs = true", true),
            ("use_local_image_pull = true", true),
            (
                "registry.mirrors.'docker.io'.endpoint = ['https://m']",
                true,
            ),
        ] {
            let settings = Settings::parse(&format!("{cri}{setting}\n")).unwrap();
            assert_eq!(!settings.skipping.is_empty(), skips, "{setting}");
        }
    }
}
