//! The docker function of shells: real shells, and a docker that writes down its words.

use super::{Disk, Ran, run};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A person with a shell, a policy and a docker that only says what it was called with.
struct Person {
    home: tempfile::TempDir,
}

impl Person {
    fn new(shell: &str) -> Self {
        let person = Self {
            home: tempfile::tempdir().unwrap(),
        };
        person.script(
            "bin/docker",
            "#!/bin/sh\n\
             for word do printf '<%s>' \"$word\"; done\n\
             echo \" trust=${DOCKER_CONTENT_TRUST-unset}\"\n\
             if [ \"$2\" = -f ] && [ \"$3\" = - ]; then cat; fi\n\
             exit ${DOCKER_ENDS:-0}\n",
        );
        fs::create_dir_all(person.path(".docker/trust")).unwrap();
        fs::write(person.path(".docker/trust/policy.toml"), POLICY).unwrap();
        let mut install = Command::new(env!("CARGO_BIN_EXE_trust"));
        install
            .args(["hook", "install", "shell", "-y", "--shell", shell])
            .env_clear()
            .env("HOME", person.home.path());
        run(&mut install).ends(0);
        person
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn script(&self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt;
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A line typed into the shell after it has read its file.
    fn types(&self, shell: &str, line: &str, trust: Option<&str>) -> Ran {
        let file = match shell {
            "bash" => ".bashrc",
            "zsh" => ".zshrc",
            _ => ".config/fish/conf.d/trust.fish",
        };
        let mut command = Command::new(shell);
        let line = format!("source {}\n{line}", self.path(file).display());
        let path = std::env::var("PATH").unwrap();
        command
            .args(["-c", &line])
            .current_dir(self.home.path())
            .env_clear()
            .env("HOME", self.home.path())
            .env("PATH", format!("{}:{path}", self.path("bin").display()));
        if let Some(trust) = trust {
            command.env("DOCKER_CONTENT_TRUST", trust);
        }
        run(&mut command)
    }
}

/// Shells that are on this machine; bash always is.
fn shells() -> Vec<&'static str> {
    let there = |shell: &&str| {
        *shell == "bash"
            || ["/bin", "/usr/bin"]
                .iter()
                .any(|it| Path::new(it).join(shell).exists())
    };
    ["bash", "zsh", "fish"].into_iter().filter(there).collect()
}

#[test]
fn words_arrive_as_they_were_typed() {
    for shell in shells() {
        let person = Person::new(shell);
        for (line, words) in [
            ("docker ps -a", "<ps><-a>"),
            ("docker", ""),
            (
                "docker run --rm -e 'A=b c' -v '/a b:/c' good \"x y\" '*' '$HOME'",
                "<run><--rm><-e><A=b c><-v></a b:/c><good><x y><*><$HOME>",
            ),
            (
                "docker -H tcp://a create --name 'it''s' good ''",
                "<-H><tcp://a><create><--name><its><good><>",
            ),
        ] {
            let ran = person.types(shell, line, Some("1")).ends(0);
            assert!(
                ran.stdout.starts_with(&format!("{words} trust=")),
                "{shell}: {}",
                ran.stdout
            );
        }
    }
}

#[test]
fn unsigned_images_do_not_get_as_far_as_docker() {
    for shell in shells() {
        let person = Person::new(shell);
        for line in [
            "docker pull evil",
            "docker run -it --rm evil",
            "docker container create evil",
            "docker image pull -q evil:1",
            "docker run --disable-content-trust=false evil",
            "docker run --what-is-this good",
        ] {
            let ran = person.types(shell, line, Some("1"));
            assert_ne!(ran.code, 0, "{shell}: {line}");
            assert_eq!(ran.stdout, "", "{shell}: {line}");
            assert!(ran.stderr.starts_with("trust: docker"), "{}", ran.stderr);
        }
    }
}

#[test]
fn without_content_trust_docker_gets_everything() {
    let person = Person::new("bash");
    for trust in [None, Some("0"), Some("false"), Some("")] {
        let ran = person.types("bash", "docker run evil", trust).ends(0);
        assert!(ran.stdout.starts_with("<run><evil> "), "{}", ran.stdout);
    }
    let line = "docker pull --disable-content-trust evil";
    let ran = person.types("bash", line, Some("1")).ends(0);
    assert_eq!(
        ran.stdout,
        "<pull><--disable-content-trust><evil> trust=1\n"
    );
    let line = "docker pull --disable-content-trust=false evil";
    assert_eq!(person.types("bash", line, None).code, 1);
}

#[test]
fn dockers_exit_code_is_passed_on() {
    for shell in shells() {
        let person = Person::new(shell);
        for line in ["docker ps", "docker run good", "docker pull good"] {
            let line = format!("export DOCKER_ENDS=42\n{line}");
            let line = match shell {
                "fish" => line.replace("export DOCKER_ENDS=42", "set -x DOCKER_ENDS 42"),
                _ => line,
            };
            let ran = person.types(shell, &line, Some("1")).ends(42);
            assert_eq!(ran.stderr, "", "{shell}");
        }
    }
}

#[test]
fn audit_mode_only_says_so() {
    let person = Person::new("bash");
    let ran = person.types("bash", "docker run tried", Some("1")).ends(0);
    assert_eq!(ran.stdout, "<run><tried> trust=unset\n");
    ran.says("tried would be refused, but for audit mode");
}

#[test]
fn what_has_been_checked_is_not_checked_again() {
    let person = Person::new("bash");
    let ran = person.types("bash", "docker run good", Some("1")).ends(0);
    assert_eq!(ran.stdout, "<run><good> trust=unset\n");
}

#[test]
fn builds_get_a_dockerfile_that_was_checked() {
    let person = Person::new("bash");
    fs::create_dir(person.path("ctx")).unwrap();
    let types = |dockerfile: &str, line: &str| {
        fs::write(person.path("ctx/Dockerfile"), dockerfile).unwrap();
        person.types("bash", line, Some("1"))
    };
    let good = "FROM good AS a\nRUN make 'a b'\n";
    let ran = types(good, "docker build ctx").ends(0);
    assert_eq!(
        ran.stdout,
        format!("<build><-f><-><ctx> trust=unset\n{good}")
    );
    let ran = types(good, "docker build -f ctx/Dockerfile -t x ctx").ends(0);
    assert_eq!(
        ran.stdout,
        format!("<build><-f><-><-t><x><ctx> trust=unset\n{good}")
    );
    for (dockerfile, line) in [
        ("FROM evil", "docker build ctx"),
        ("FROM good\nCOPY --from=evil a b", "docker build ctx"),
        ("# syntax=evil\nFROM good", "docker build ctx"),
        ("ARG X=good\nFROM $X", "docker build --build-arg X=evil ctx"),
        ("FROM $UNKNOWN", "docker build ctx"),
        (good, "docker build - < ctx/Dockerfile"),
        (good, "docker build https://git.test/x.git"),
    ] {
        let ran = types(dockerfile, line).ends(1);
        assert_eq!(ran.stdout, "", "{line}");
    }
    fs::write(person.path("ctx/Dockerfile.dockerignore"), "x").unwrap();
    types(good, "docker build ctx")
        .ends(1)
        .says("would not be read");
}

#[test]
fn ids_pass_only_where_local_images_do() {
    let person = Person::new("bash");
    let line = format!("docker run {}", "0".repeat(64));
    person
        .types("bash", &line, Some("1"))
        .ends(1)
        .says("no local images");
    fs::write(
        person.path(".docker/trust/policy.toml"),
        POLICY.replace("local = \"reject\"", "local = \"accept\""),
    )
    .unwrap();
    person.types("bash", &line, Some("1")).ends(0);
}

#[test]
fn a_program_that_is_gone_lets_nothing_pass() {
    let person = Person::new("bash");
    let file = person.path(".bashrc");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(
        &file,
        text.replace(env!("CARGO_BIN_EXE_trust"), "/gone/trust"),
    )
    .unwrap();
    let ran = person.types("bash", "docker run good", Some("1"));
    assert_eq!((ran.code, ran.stdout.as_str()), (127, ""));
}

#[test]
fn an_alias_does_not_hide_the_function() {
    for shell in ["bash", "zsh"]
        .into_iter()
        .filter(|it| shells().contains(it))
    {
        let person = Person::new(shell);
        let name = if shell == "bash" { ".bashrc" } else { ".zshrc" };
        let text = fs::read_to_string(person.path(name)).unwrap();
        fs::write(
            person.path(name),
            format!("alias docker='echo alias'\n{text}"),
        )
        .unwrap();
        let ran = person.types(shell, "docker run evil", Some("1"));
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{shell}");
    }
}

#[test]
fn the_files_of_shells_come_back_as_they_were() {
    for text in ["", "alias x=y", "# c\n\nx() { :; }\n"] {
        let disk = Disk::new();
        disk.put_with_mode("/home/a/.bashrc", text, 0o600);
        disk.put("/srv/zshrc", text);
        disk.link("/home/a/.zshrc", "../../srv/zshrc");
        disk.put("/home/a/.config/fish/config.fish", text);
        let before = disk.tree();
        disk.hook("install shell -y").ends(0);
        for path in [
            "/home/a/.bashrc",
            "/srv/zshrc",
            "/home/a/.config/fish/conf.d/trust.fish",
        ] {
            assert!(disk.text(path).contains("# >>> trust >>>"), "{path}");
        }
        disk.put_with_mode(
            "/home/a/.bashrc",
            &format!("{}more\n", disk.text("/home/a/.bashrc")),
            0o600,
        );
        disk.hook("remove shell -y").ends(0);
        let end = if text.is_empty() || text.ends_with('\n') {
            ""
        } else {
            "\n"
        };
        assert_eq!(disk.text("/home/a/.bashrc"), format!("{text}{end}more\n"));
        disk.put_with_mode("/home/a/.bashrc", text, 0o600);
        assert_eq!(disk.tree(), before);
    }
}

#[test]
fn the_function_can_be_printed() {
    let disk = Disk::new();
    let ran = disk
        .hook("install shell --print --shell fish --program /usr/bin/trust")
        .ends(0);
    assert!(
        ran.stdout.contains("'/usr/bin/trust' hook call -- $argv"),
        "{}",
        ran.stdout
    );
    assert!(disk.tree().is_empty());
    disk.hook("install shell -y").ends(2).says("--shell");
}

/// Nothing here asks a server: `good` is accepted, everything else refused.
const POLICY: &str = "\
[default]
require = \"reject\"
[engine]
local = \"reject\"
[[rule]]
match = \"docker.io/library/tried\"
require = \"reject\"
mode = \"audit\"
[[rule]]
match = \"docker.io/library/good\"
require = \"accept\"
";
