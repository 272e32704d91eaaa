//! Docker's command lines: where the image stands in them. Pure.
//!
//! What is not understood is refused, never guessed: a flag taken for an image, or an image taken
//! for a value, would let an unsigned image pass.

use super::flags::{self, Flags, Wants};
use std::ops::Range;

/// What a command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// Nothing that content trust is about
    Other,
    /// An image is pulled
    Pull(Mention),
    /// A container is made of an image
    Run(Mention),
    /// An image is built
    Build(Build),
    /// It is about images and would get by unchecked
    Refused(String),
}

/// The one word that names an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    /// Which word it is
    pub at: usize,
    /// Which word the command begins with, behind what says which engine it is for
    pub command: usize,
    /// The image as typed
    pub image: String,
}

/// A build and the words that matter for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Build {
    /// The folder that is sent
    pub context: String,
    /// The Dockerfile, if it is named
    pub file: Option<String>,
    /// The words that name it; empty: where they would go
    pub file_words: Range<usize>,
    /// Build arguments with a value
    pub args: Vec<(String, String)>,
    /// Names that stand for other folders
    pub contexts: Vec<String>,
}

/// Reads the words behind `docker`; `trusted`: whether the environment wants content trust.
///
/// None of the words is changed here; the positions in what is given back are theirs.
pub fn read(words: &[String], trusted: bool) -> Call {
    match parts(words, trusted) {
        Ok(call) => call,
        Err(why) => Call::Refused(why),
    }
}

fn parts(words: &[String], trusted: bool) -> Result<Call, String> {
    let globals = match parsed(words, 0, &flags::GLOBAL) {
        Ok(globals) => globals,
        // Docker does not understand it either; but it might be newer than this table.
        Err(why) if trusted => return Err(why),
        Err(_) => return Ok(Call::Other),
    };
    let Some(&at) = globals.others.first() else {
        return Ok(Call::Other);
    };
    let word = |at: usize| words.get(at).map(String::as_str);
    let (command, begin) = match (word(at).unwrap_or_default(), word(at + 1)) {
        ("image", Some(command @ ("pull" | "build")))
        | ("container", Some(command @ ("run" | "create")))
        | ("builder" | "buildx", Some(command @ "build")) => (command, at + 2),
        ("buildx", Some("b")) => ("build", at + 2),
        (command, _) => (command, at + 1),
    };
    let flags = match command {
        "pull" => &flags::PULL,
        "run" | "create" => &flags::RUN,
        "build" => &flags::BUILD,
        // Between a group and its command, Docker takes flags as well.
        "image" | "container" | "builder" | "buildx"
            if trusted && word(at + 1).is_some_and(|it| it.starts_with('-') && !is_help(it)) =>
        {
            return Err(format!("flags between `{command}` and its command"));
        }
        _ => return Ok(Call::Other),
    };
    let line = match parsed(words, begin, flags) {
        Ok(line) => line,
        // Without content trust nothing depends on what is not understood, except this flag.
        Err(why) if trusted || asks_for_trust(words) => return Err(why),
        Err(_) => return Ok(Call::Other),
    };
    if line.truth("help")? == Some(true) {
        return Ok(Call::Other);
    }
    let untrusted = line.truth("disable-content-trust")?.unwrap_or(!trusted);
    if untrusted {
        return Ok(Call::Other);
    }
    match command {
        "pull" => pull(words, &line, at),
        "build" => build(words, &line),
        _ => run(words, &line, at),
    }
}

fn is_help(word: &str) -> bool {
    word == "--help" || word == "-h"
}

fn asks_for_trust(words: &[String]) -> bool {
    let flag = "--disable-content-trust=";
    words
        .iter()
        .filter_map(|word| word.strip_prefix(flag))
        .any(|value| truth(value) != Some(true))
}

fn pull(words: &[String], line: &Line, command: usize) -> Result<Call, String> {
    if line.truth("all-tags")? == Some(true) {
        return Err("all tags at once are pulled by `trust pull --all-tags`".into());
    }
    match line.others.as_slice() {
        [at] => Ok(Call::Pull(mention(words, *at, command))),
        // Docker says so itself.
        _ => Ok(Call::Other),
    }
}

fn run(words: &[String], line: &Line, command: usize) -> Result<Call, String> {
    let is_image = |mount: &str| mount.split(',').any(|it| it.trim() == "type=image");
    if line.values("mount").any(is_image) {
        return Err("--mount type=image brings in an image that is not checked".into());
    }
    match line.others.first() {
        Some(at) => Ok(Call::Run(mention(words, *at, command))),
        None => Ok(Call::Other),
    }
}

fn build(words: &[String], line: &Line) -> Result<Call, String> {
    let mut build = Build::default();
    match line.others.as_slice() {
        [at] => build.context = words.get(*at).cloned().unwrap_or_default(),
        _ => return Ok(Call::Other),
    }
    let remote = ["://", "git@", "github.com/"];
    if build.context == "-" || remote.iter().any(|it| build.context.contains(it)) {
        return Err(format!(
            "the Dockerfile in {} cannot be checked",
            build.context
        ));
    }
    let named: Vec<&Flag> = line.flags.iter().filter(|it| it.name == "file").collect();
    match named.as_slice() {
        [] => {
            let end = line.others.first().copied().unwrap_or_default();
            build.file_words = end..end;
        }
        [flag] => {
            build.file.clone_from(&flag.value);
            build.file_words = flag.words.clone();
            if !flag.alone {
                return Err("write -f apart from other flags".into());
            }
        }
        _ => return Err("only one Dockerfile can be checked".into()),
    }
    if build.file.as_deref() == Some("-") {
        return Err("a Dockerfile on standard input cannot be checked".into());
    }
    for value in line.values("build-arg") {
        let Some((name, value)) = value.split_once('=') else {
            return Err(format!(
                "the value of --build-arg {value} is not on the command line"
            ));
        };
        if name == "BUILDKIT_SYNTAX" {
            return Err("--build-arg BUILDKIT_SYNTAX runs an image that is not checked".into());
        }
        build.args.push((name.to_owned(), value.to_owned()));
    }
    for value in line.values("build-context") {
        let Some((name, place)) = value.split_once('=') else {
            return Err(format!("--build-context {value} is not understood"));
        };
        if place.contains("://") || place.contains('@') {
            return Err(format!("--build-context {value} is not checked"));
        }
        build.contexts.push(name.to_owned());
    }
    let scans = |value: &str| truth(value) != Some(false);
    if line.values("sbom").any(scans) || line.values("attest").any(|it| it.contains("sbom")) {
        return Err("a scanner for SBOMs is an image that is not checked".into());
    }
    Ok(Call::Build(build))
}

fn mention(words: &[String], at: usize, command: usize) -> Mention {
    Mention {
        at,
        command,
        image: words.get(at).cloned().unwrap_or_default(),
    }
}

/// Words of a command, told apart as Docker does.
#[derive(Default)]
struct Line {
    flags: Vec<Flag>,
    /// Which words are no flags
    others: Vec<usize>,
}

struct Flag {
    name: &'static str,
    value: Option<String>,
    words: Range<usize>,
    /// Whether its words hold nothing else
    alone: bool,
}

impl Line {
    fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.flags.iter().filter(move |flag| flag.name == name);
        named.filter_map(|flag| flag.value.as_deref())
    }

    /// The last value of a flag that is true or false.
    fn truth(&self, name: &str) -> Result<Option<bool>, String> {
        let Some(flag) = self.flags.iter().rfind(|flag| flag.name == name) else {
            return Ok(None);
        };
        match flag.value.as_deref() {
            None => Ok(Some(true)),
            Some(value) => truth(value)
                .map(Some)
                .ok_or_else(|| format!("--{name}={value} is neither true nor false")),
        }
    }
}

/// What Go takes for true and false.
fn truth(value: &str) -> Option<bool> {
    match value {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

fn parsed(words: &[String], begin: usize, known: &Flags) -> Result<Line, String> {
    let mut line = Line::default();
    let mut at = begin;
    while let Some(word) = words.get(at) {
        if word == "--" {
            line.others.extend(at + 1..words.len());
            break;
        }
        if let Some(long) = word.strip_prefix("--") {
            at = line.long(words, at, long, known)?;
        } else if let Some(letters) = word.strip_prefix('-').filter(|it| !it.is_empty()) {
            at = line.letters(words, at, letters, known)?;
        } else if known.interspersed {
            line.others.push(at);
            at += 1;
        } else {
            line.others.extend(at..words.len());
            break;
        }
    }
    Ok(line)
}

impl Line {
    /// Takes a long flag; gives back where the next word is.
    fn long(&mut self, words: &[String], at: usize, long: &str, known: &Flags) -> Next {
        let (name, value) = match long.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (long, None),
        };
        let all = known.valued.iter().chain(known.plain).chain(&["help"]);
        let (Some(name), Some(wants)) = (all.copied().find(|it| *it == name), known.wants(name))
        else {
            return Err(format!("the flag --{name} is not known"));
        };
        let (value, next) = match (wants, value) {
            (Wants::Value, None) => (Some(value_at(words, at + 1, name)?), at + 2),
            (_, value) => (value, at + 1),
        };
        self.flags.push(Flag {
            name,
            value,
            words: at..next,
            alone: true,
        });
        Ok(next)
    }

    /// Takes flags of one letter; gives back where the next word is.
    fn letters(&mut self, words: &[String], at: usize, letters: &str, known: &Flags) -> Next {
        let mut rest = letters.chars();
        let mut alone = true;
        while let Some(letter) = rest.next() {
            let Some(name) = known.long(letter) else {
                return Err(format!("the flag -{letter} is not known"));
            };
            let left = rest.as_str();
            let (value, next) = match known.wants(name) {
                Some(Wants::Value) if left.is_empty() => {
                    (Some(value_at(words, at + 1, name)?), at + 2)
                }
                Some(Wants::Value) => {
                    let value = left.strip_prefix('=').unwrap_or(left);
                    (Some(value.to_owned()), at + 1)
                }
                _ if left.starts_with('=') => (left.get(1..).map(str::to_owned), at + 1),
                _ => {
                    self.flags.push(Flag {
                        name,
                        value: None,
                        words: at..at + 1,
                        alone: false,
                    });
                    alone = false;
                    continue;
                }
            };
            self.flags.push(Flag {
                name,
                value,
                words: at..next,
                alone,
            });
            return Ok(next);
        }
        Ok(at + 1)
    }
}

/// Where the next word is, or why a word is not understood.
type Next = Result<usize, String>;

fn value_at(words: &[String], at: usize, name: &str) -> Result<String, String> {
    let value = words.get(at).cloned();
    value.ok_or_else(|| format!("the flag --{name} has no value"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{prelude::*, sample::Index};

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    fn image(line: &str) -> Option<String> {
        match read(&words(line), true) {
            Call::Pull(mention) | Call::Run(mention) => {
                assert_eq!(words(line)[mention.at], mention.image);
                Some(mention.image)
            }
            Call::Refused(why) => Some(format!("refused: {why}")),
            Call::Other => None,
            Call::Build(build) => Some(format!("build {}", build.context)),
        }
    }

    #[test]
    fn the_image_is_found_where_docker_finds_it() {
        for (line, expected) in [
            ("pull alpine", Some("alpine")),
            ("pull -q alpine", Some("alpine")),
            ("pull alpine -q", Some("alpine")),
            ("pull --platform linux/arm64 alpine", Some("alpine")),
            ("pull --platform=linux/arm64 -- alpine", Some("alpine")),
            ("image pull alpine", Some("alpine")),
            ("-H tcp://a:1 --context x -D pull alpine", Some("alpine")),
            ("--host=tcp://a:1 pull alpine", Some("alpine")),
            ("-Htcp://a:1 pull alpine", Some("alpine")),
            ("--config pull pull alpine", Some("alpine")),
            ("run alpine pull busybox", Some("alpine")),
            ("run -it --rm alpine sh -c true", Some("alpine")),
            ("run -itv /a:/b alpine", Some("alpine")),
            ("run -itv/a:/b alpine", Some("alpine")),
            ("run -it -e A=b -eC=d -e=E alpine -e x", Some("alpine")),
            ("run --name run --net host -p 80:80 alpine", Some("alpine")),
            ("run --rm=false --sig-proxy=false alpine", Some("alpine")),
            ("run --entrypoint= alpine", Some("alpine")),
            ("run -dit=false alpine", Some("alpine")),
            ("run -- alpine --rm", Some("alpine")),
            ("container run -h host alpine", Some("alpine")),
            ("container create alpine", Some("alpine")),
            ("create --pull always alpine", Some("alpine")),
            ("build .", Some("build .")),
            ("build -t a -f x .", Some("build .")),
            ("buildx build -ta .", Some("build .")),
            ("builder build . -q", Some("build .")),
            // Not about images, or Docker refuses it itself.
            ("", None),
            ("ps -a", None),
            ("--version", None),
            ("pull", None),
            ("pull a b", None),
            ("run", None),
            ("run --help", None),
            ("pull --help", None),
            ("compose up", None),
            // Asked to be left alone.
            ("pull --disable-content-trust alpine", None),
            ("run --disable-content-trust=true alpine", None),
            ("run --disable-content-trust=1 alpine", None),
            ("run --disable-content-trust=false alpine", Some("alpine")),
            ("run alpine --disable-content-trust", Some("alpine")),
        ] {
            assert_eq!(image(line).as_deref(), expected, "docker {line}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for line in [
            "run --new-flag x alpine",
            "run -Z alpine",
            "run --name",
            "--new-flag pull alpine",
            "pull -a alpine",
            "run --disable-content-trust=maybe alpine",
            "run --mount type=image,source=x,target=/x alpine",
            "image --new pull alpine",
            "build -",
            "build https://example.com/x.git",
            "build git@github.com:a/b.git",
            "build github.com/a/b",
            "build -f - .",
            "build -qf x .",
            "build -f a -f b .",
            "build --build-arg A .",
            "build --build-arg BUILDKIT_SYNTAX=x .",
            "build --build-context a=docker-image://x .",
            "build --sbom=true .",
            "build --attest type=sbom .",
        ] {
            let call = read(&words(line), true);
            assert!(matches!(call, Call::Refused(_)), "docker {line}: {call:?}");
        }
    }

    #[test]
    fn without_content_trust_only_the_flag_asks_for_it() {
        for line in [
            "pull alpine",
            "run --new-flag alpine",
            "build -",
            "--new pull x",
        ] {
            assert_eq!(read(&words(line), false), Call::Other, "docker {line}");
        }
        let line = "pull --disable-content-trust=false alpine";
        assert!(matches!(read(&words(line), false), Call::Pull(_)));
        let line = "run --new --disable-content-trust=false alpine";
        assert!(matches!(read(&words(line), false), Call::Refused(_)));
    }

    #[test]
    fn words_with_spaces_are_one_word() {
        let words = ["run", "-e", "A=b c", "--label", "--rm", "al pine", "x"];
        let words = words.map(str::to_owned);
        let Call::Run(mention) = read(&words, true) else {
            panic!("no image");
        };
        assert_eq!((mention.at, mention.image.as_str()), (5, "al pine"));
    }

    proptest! {
        /// Whatever flags stand before it, the image is found, and nothing behind it counts.
        #[test]
        fn flags_never_hide_the_image(
            chosen in proptest::collection::vec((any::<Index>(), any::<bool>(), "[a-z=:/-]{1,6}"), 0..8),
            after in proptest::collection::vec("[a-z-]{0,6}", 0..3),
        ) {
            let known: Vec<&str> = flags::RUN.valued.iter().chain(flags::RUN.plain).copied()
                .filter(|it| !["disable-content-trust", "mount"].contains(it))
                .collect();
            let mut words = vec!["run".to_owned()];
            for (which, joined, value) in chosen {
                let name = which.get(&known);
                if flags::RUN.plain.contains(name) {
                    words.push(format!("--{name}"));
                } else if joined {
                    words.push(format!("--{name}={value}"));
                } else {
                    words.extend([format!("--{name}"), value]);
                }
            }
            let at = words.len();
            words.push("image".to_owned());
            words.extend(after);
            let expected = Mention { at, command: 0, image: "image".to_owned() };
            prop_assert_eq!(read(&words, true), Call::Run(expected));
        }

        #[test]
        fn any_words_at_all_are_read(words in proptest::collection::vec("[ -~]{0,8}", 0..6)) {
            if let Call::Run(mention) | Call::Pull(mention) = read(&words, true) {
                prop_assert_eq!(words.get(mention.at), Some(&mention.image));
            }
        }
    }

    #[test]
    fn a_build_knows_its_words() {
        let line = "build -t a --file=b/Dockerfile --build-arg V=1 --build-context lib=../lib b";
        let Call::Build(build) = read(&words(line), true) else {
            panic!("no build");
        };
        assert_eq!(build.file.as_deref(), Some("b/Dockerfile"));
        assert_eq!(build.file_words, 3..4);
        assert_eq!(build.args, [("V".to_owned(), "1".to_owned())]);
        assert_eq!(build.contexts, ["lib"]);
        let Call::Build(build) = read(&words("build -q ."), true) else {
            panic!("no build");
        };
        assert_eq!(build.file_words, 2..2);
    }
}
