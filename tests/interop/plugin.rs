//! The same binary as the Docker CLI plugin `docker-trust`.
//!
//! Docker up to 28 has a `trust` command of its own and refuses a plugin of
//! that name, so the words reach us through a plugin with another name.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::PathBuf,
};

use serde_json::Value;

use crate::peers::{
    docker_cli,
    home::Home,
    lab::Lab,
    program,
    run::run,
    server::{Kind, on_both_servers},
};

on_both_servers!(
    the_metadata_is_what_docker_asks_for,
    words_as_docker_passes_them_do_the_same,
    docker_runs_it
);

fn the_metadata_is_what_docker_asks_for(server: Kind) {
    let lab = Lab::start(server);
    let nigel = lab.home("nigel");
    let plugin = install(&nigel);
    let ran = run(nigel.command(&plugin, "docker-cli-plugin-metadata")).ok();
    let metadata: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(metadata["SchemaVersion"], "0.1.0", "{ran}");
    for field in ["Vendor", "ShortDescription", "Version"] {
        assert!(
            metadata[field].as_str().is_some_and(|it| !it.is_empty()),
            "{field} in {ran}"
        );
    }
}

fn words_as_docker_passes_them_do_the_same(server: Kind) {
    let lab = Lab::start(server);
    let nigel = lab.home("nigel");
    let app = lab.name("app");
    let plugin = install(&nigel);
    let call = |line: &str| run(nigel.command(&plugin, line));
    lab.push("app", "v1");
    call("trust key generate nigel").ok();
    call(&format!("trust signer add --key nigel.pub nigel {app}")).ok();
    call(&format!("--debug trust sign {app}:v1")).ok();
    let as_plugin = call(&format!("trust inspect --pretty {app}")).ok().stdout;
    let by_name = nigel.trust(&format!("inspect --pretty {app}")).ok().stdout;
    assert_eq!(as_plugin, by_name);
    call("trust --help").ok().says("docker trust");
}

fn docker_runs_it(server: Kind) {
    let lab = Lab::start(server);
    let nigel = lab.home("nigel");
    let app = lab.name("app");
    let plugin = install(&nigel);
    // Docker passes the plugin's own name as the first word.
    let relay = plugin.with_file_name("docker-relay");
    let script = format!(
        "#!/bin/sh\n[ \"$1\" = docker-cli-plugin-metadata ] || {{ shift; set -- trust \"$@\"; }}\n\
         exec {} \"$@\"\n",
        plugin.display()
    );
    fs::write(&relay, script).expect("a script");
    fs::set_permissions(&relay, fs::Permissions::from_mode(0o755)).expect("a mode");

    let version = docker_cli::version();
    let ran = nigel.docker("relay key generate nigel").ok();
    assert!(
        ran.stdout.contains("Successfully generated"),
        "{version}\n{ran}"
    );
    nigel
        .docker(&format!("relay signer add --key nigel.pub nigel {app}"))
        .ok();
    let relayed = nigel.docker(&format!("relay inspect {app}")).ok().stdout;
    assert_eq!(
        relayed,
        nigel.docker(&format!("trust inspect {app}")).ok().stdout
    );
    nigel
        .docker(&format!("relay verify {app}:nothing"))
        .exit(1)
        .says("No valid trust data");
}

fn install(home: &Home<'_>) -> PathBuf {
    let folder = home.docker_config().join("cli-plugins");
    fs::create_dir_all(&folder).expect("a plugin folder");
    let plugin = folder.join("docker-trust");
    symlink(program::trust(), &plugin).expect("a link");
    plugin
}
