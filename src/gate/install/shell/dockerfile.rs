//! Images that a Dockerfile names, and the same file with their digests. Pure.

use std::collections::BTreeMap;
use std::ops::Range;

/// A Dockerfile and where it names images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dockerfile {
    text: String,
    mentions: Vec<(Range<usize>, String)>,
}

/// A line that names an image in a way that is not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the Dockerfile: {why}")]
pub struct NotUnderstood {
    line: usize,
    why: String,
}

impl Dockerfile {
    /// Finds every image a build with these arguments and named contexts brings in.
    ///
    /// # Errors
    /// An image is named in a way that only the builder itself could understand.
    pub fn read(
        text: &str,
        args: &[(String, String)],
        contexts: &[String],
    ) -> Result<Self, NotUnderstood> {
        let mut reader = Reader {
            given: args.iter().cloned().collect(),
            declared: BTreeMap::new(),
            stages: contexts.to_vec(),
            count: 0,
            mentions: Vec::new(),
        };
        for instruction in instructions(text) {
            reader.take(&instruction).map_err(|why| NotUnderstood {
                line: text
                    .get(..instruction.start)
                    .unwrap_or_default()
                    .lines()
                    .count()
                    + 1,
                why,
            })?;
        }
        Ok(Self {
            text: text.to_owned(),
            mentions: reader.mentions,
        })
    }

    /// The images, each as often as it is named.
    pub fn images(&self) -> impl Iterator<Item = &str> {
        self.mentions.iter().map(|(_, image)| image.as_str())
    }

    /// The file with other words for the images it names.
    pub fn with(&self, mut pinned: impl FnMut(&str) -> Option<String>) -> Option<String> {
        let mut text = String::new();
        let mut at = 0;
        for (place, image) in &self.mentions {
            text.push_str(self.text.get(at..place.start)?);
            text.push_str(&pinned(image)?);
            at = place.end;
        }
        text.push_str(self.text.get(at..)?);
        Some(text)
    }
}

/// One instruction over all its lines.
struct Instruction<'a> {
    text: &'a str,
    start: usize,
    words: Vec<Range<usize>>,
    /// The value of `# syntax=`
    is_syntax: bool,
}

impl<'a> Instruction<'a> {
    fn word(&self, place: &Range<usize>) -> &'a str {
        self.text.get(place.clone()).unwrap_or_default()
    }

    fn name(&self) -> String {
        let first = self.words.first().map(|place| self.word(place));
        first.unwrap_or_default().to_ascii_uppercase()
    }
}

/// Splits a file into instructions, without comments and the text of here-documents.
fn instructions(text: &str) -> Vec<Instruction<'_>> {
    let mut found = Vec::new();
    let mut escape = '\\';
    let mut directives = true;
    let mut here: Vec<String> = Vec::new();
    let mut open: Option<Instruction<'_>> = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let bare = line.trim();
        if let Some(end) = here.first() {
            if line.trim_end_matches(['\r', '\n']).trim_start_matches('\t') == end {
                here.remove(0);
            }
            continue;
        }
        if bare.starts_with('#') || (bare.is_empty() && open.is_some()) {
            let directive = directives.then(|| directive(line, start)).flatten();
            match directive {
                Some((name, place)) if name == "syntax" => found.push(Instruction {
                    text,
                    start,
                    words: vec![place],
                    is_syntax: true,
                }),
                Some((name, place)) if name == "escape" => {
                    let value = text.get(place).unwrap_or_default();
                    escape = value.chars().next().unwrap_or('\\');
                }
                Some(_) => {}
                None => directives = false,
            }
            continue;
        }
        directives = false;
        if bare.is_empty() {
            continue;
        }
        let continues = bare.ends_with(escape);
        let body = if continues {
            let body = line.trim_end();
            body.get(..body.len() - escape.len_utf8())
                .unwrap_or_default()
        } else {
            line
        };
        let mut instruction = open.take().unwrap_or(Instruction {
            text,
            start,
            words: Vec::new(),
            is_syntax: false,
        });
        instruction.words.extend(words(body, start));
        if continues {
            open = Some(instruction);
            continue;
        }
        here = here_documents(&instruction);
        found.push(instruction);
    }
    found.extend(open);
    found
}

/// `# name=value` and where the value stands.
fn directive(line: &str, start: usize) -> Option<(String, Range<usize>)> {
    let (name, value) = line.trim_start().strip_prefix('#')?.split_once('=')?;
    let name = name.trim().to_ascii_lowercase();
    if !name.chars().all(|it| it.is_ascii_alphanumeric()) {
        return None;
    }
    let value = value.trim();
    let from = start + line.rfind(value)?;
    Some((name, from..from + value.len()))
}

fn words(body: &str, start: usize) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut begin = None;
    for (at, letter) in body.char_indices() {
        match (letter.is_whitespace(), begin) {
            (true, Some(from)) => {
                words.push(start + from..start + at);
                begin = None;
            }
            (false, None) => begin = Some(at),
            _ => {}
        }
    }
    words.extend(begin.map(|from| start + from..start + body.len()));
    words
}

/// The words that end the here-documents of an instruction, in order.
fn here_documents(instruction: &Instruction<'_>) -> Vec<String> {
    if !["RUN", "COPY", "ADD"].contains(&instruction.name().as_str()) {
        return Vec::new();
    }
    let ends = instruction.words.iter().filter_map(|place| {
        let (_, word) = instruction.word(place).split_once("<<")?;
        let word = word.strip_prefix('-').unwrap_or(word);
        let word = word.trim_matches(['"', '\'']);
        let end: String = word
            .chars()
            .take_while(|it| it.is_alphanumeric() || *it == '_')
            .collect();
        (!end.is_empty()).then_some(end)
    });
    ends.collect()
}

struct Reader {
    /// What the command line says of arguments
    given: BTreeMap<String, String>,
    /// What arguments before the first FROM are
    declared: BTreeMap<String, String>,
    /// Names that are no images
    stages: Vec<String>,
    /// How many stages there are so far
    count: usize,
    mentions: Vec<(Range<usize>, String)>,
}

impl Reader {
    fn take(&mut self, instruction: &Instruction<'_>) -> Result<(), String> {
        if instruction.is_syntax {
            let place = instruction.words.first().cloned().unwrap_or_default();
            let image = instruction.word(&place).to_owned();
            self.mentions.push((place, image));
            return Ok(());
        }
        match instruction.name().as_str() {
            "ARG" if self.count == 0 => self.argument(instruction),
            "FROM" => self.from(instruction),
            "COPY" | "ADD" => self.flags(instruction, "--from="),
            "RUN" => self.flags(instruction, "--mount="),
            _ => Ok(()),
        }
    }

    fn argument(&mut self, instruction: &Instruction<'_>) -> Result<(), String> {
        for place in instruction.words.iter().skip(1) {
            let word = instruction.word(place);
            let (name, default) = word.split_once('=').unwrap_or((word, ""));
            let default = default.trim_matches(['"', '\'']);
            let value = match self.given.get(name) {
                Some(given) => given.clone(),
                None if word.contains('=') => self.expanded(default)?,
                None => continue,
            };
            self.declared.insert(name.to_owned(), value);
        }
        Ok(())
    }

    fn from(&mut self, instruction: &Instruction<'_>) -> Result<(), String> {
        let mut words = instruction.words.iter().skip(1).peekable();
        while words
            .next_if(|place| instruction.word(place).starts_with("--"))
            .is_some()
        {}
        let Some(place) = words.next() else {
            return Err("FROM names no image".into());
        };
        let name = match (words.next(), words.next(), words.next()) {
            (None, ..) => None,
            (Some(by), Some(name), None) if instruction.word(by).eq_ignore_ascii_case("as") => {
                Some(instruction.word(name).to_ascii_lowercase())
            }
            _ => return Err("FROM is not understood".into()),
        };
        let image = self.expanded(instruction.word(place))?;
        if image != "scratch" && !self.is_stage(&image) {
            self.mentions.push((place.clone(), image));
        }
        self.stages.extend(name);
        self.count += 1;
        Ok(())
    }

    /// Images in flags: `COPY --from=IMAGE`, `RUN --mount=type=bind,from=IMAGE`.
    fn flags(&mut self, instruction: &Instruction<'_>, flag: &str) -> Result<(), String> {
        let flags = instruction.words.iter().skip(1);
        let flags = flags.take_while(|place| instruction.word(place).starts_with("--"));
        for place in flags {
            let word = instruction.word(place);
            let Some(value) = word.strip_prefix(flag) else {
                continue;
            };
            let image = if flag == "--from=" {
                Some(value)
            } else {
                value.split(',').find_map(|it| it.strip_prefix("from="))
            };
            let Some(image) = image else { continue };
            if image.contains(['$', '"', '\'', '\\', '`']) {
                return Err(format!("{image} cannot be told before the build"));
            }
            if self.is_stage(image) || image.chars().all(|it| it.is_ascii_digit()) {
                continue;
            }
            let offset = word.find(image).unwrap_or_default();
            let from = if flag == "--from=" {
                place.start + flag.len()
            } else {
                place.start + word.find("from=").unwrap_or(offset) + "from=".len()
            };
            self.mentions
                .push((from..from + image.len(), image.to_owned()));
        }
        Ok(())
    }

    fn is_stage(&self, image: &str) -> bool {
        let image = image.to_ascii_lowercase();
        self.stages
            .iter()
            .any(|it| it.to_ascii_lowercase() == image)
    }

    /// A word with the values of arguments.
    fn expanded(&self, word: &str) -> Result<String, String> {
        let unclear = || format!("{word} cannot be told before the build");
        if word.contains(['"', '\'', '\\', '`']) {
            return Err(unclear());
        }
        let mut done = String::new();
        let mut rest = word;
        while let Some((before, after)) = rest.split_once('$') {
            done.push_str(before);
            let (name, default, left) = variable(after).ok_or_else(unclear)?;
            let value = self.declared.get(name).filter(|it| !it.is_empty());
            match (value, default) {
                (Some(value), _) => done.push_str(value),
                (None, Some(default)) if !default.contains('$') => done.push_str(default),
                _ => return Err(unclear()),
            }
            rest = left;
        }
        Ok(done + rest)
    }
}

/// A variable behind its `$`: name, default, and what follows it.
fn variable(text: &str) -> Option<(&str, Option<&str>, &str)> {
    if let Some(braced) = text.strip_prefix('{') {
        let (inside, rest) = braced.split_once('}')?;
        return match inside.split_once(":-") {
            Some((name, default)) => Some((name, Some(default), rest)),
            None => Some((inside, None, rest)),
        };
    }
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let end = text.find(|letter| !is_name(letter)).unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end)?;
    Some((name, None, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<String>, NotUnderstood> {
        let args = [("GIVEN".to_owned(), "given:1".to_owned())];
        let file = Dockerfile::read(text, &args, &["lib".to_owned()])?;
        Ok(file.images().map(str::to_owned).collect())
    }

    #[test]
    fn every_image_is_found() {
        for (text, expected) in [
            ("FROM alpine", vec!["alpine"]),
            ("from alpine as a\nFROM A\n", vec!["alpine"]),
            (
                "FROM --platform=$BUILDPLATFORM alpine:3 AS a",
                vec!["alpine:3"],
            ),
            ("FROM scratch", vec![]),
            ("FROM lib", vec![]),
            (
                "# c\n\nFROM \\\n  # in between\n\n  alpine \\\n AS x\n",
                vec!["alpine"],
            ),
            (
                "# syntax=docker/dockerfile:1\nFROM a",
                vec!["docker/dockerfile:1", "a"],
            ),
            ("# x\n# syntax=docker/dockerfile:1\nFROM a", vec!["a"]),
            ("# escape=`\nFROM `\n a", vec!["a"]),
            ("ARG V=3\nFROM alpine:$V", vec!["alpine:3"]),
            ("ARG V=\"3\" W=4\nFROM alpine:${V}.${W}", vec!["alpine:3.4"]),
            ("ARG GIVEN=x\nFROM $GIVEN", vec!["given:1"]),
            ("ARG GIVEN\nFROM ${GIVEN}", vec!["given:1"]),
            ("ARG N\nFROM ${N:-busybox}", vec!["busybox"]),
            (
                "FROM a AS b\nCOPY --from=b x y\nCOPY --from=0 x y\nCOPY --from=c:1 x y",
                vec!["a", "c:1"],
            ),
            ("FROM a\nCOPY --chown=1 --from=c x y", vec!["a", "c"]),
            (
                "FROM a\nRUN --mount=type=bind,from=c,target=/x make",
                vec!["a", "c"],
            ),
            ("FROM a\nRUN <<EOF\nFROM b\nEOF\nFROM c", vec!["a", "c"]),
            (
                "FROM a\nRUN cat <<-'E1' <<E2\nFROM b\n\tE1\nFROM c\nE2\nFROM d",
                vec!["a", "d"],
            ),
            ("FROM a\r\nFROM b\r\n", vec!["a", "b"]),
        ] {
            assert_eq!(read(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn what_only_the_builder_knows_is_refused() {
        for text in [
            "FROM",
            "FROM a b",
            "FROM a AS",
            "FROM $UNKNOWN",
            "ARG N\nFROM $N",
            "FROM base-${TARGETARCH}",
            "FROM ${V:+x}",
            "FROM ${V",
            "FROM \"a\"",
            "FROM a\nCOPY --from=$X a b",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn images_get_their_digests_and_nothing_else_changes() {
        let text = "# FROM alpine\nFROM alpine AS alpine-1 # x\nRUN --mount=from=alpine,type=bind x from=alpine\nCOPY --from=alpine a b";
        // A comment behind FROM is none.
        assert!(Dockerfile::read(text, &[], &[]).is_err());
        let text = text.replace(" # x", "");
        let file = Dockerfile::read(&text, &[], &[]).unwrap();
        let pinned = file
            .with(|image| Some(format!("{image}@sha256:0")))
            .unwrap();
        assert_eq!(
            pinned,
            "# FROM alpine\nFROM alpine@sha256:0 AS alpine-1\n\
             RUN --mount=from=alpine@sha256:0,type=bind x from=alpine\nCOPY --from=alpine@sha256:0 a b"
        );
        assert_eq!(file.with(|_| None), None);
    }
}
