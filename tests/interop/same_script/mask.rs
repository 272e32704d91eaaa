//! What is different each time, put out of sight.

/// The text without ids, digests, times and the progress of layers.
pub(super) fn masked(text: &str) -> String {
    let lines = text.lines().filter(|line| !is_progress(line));
    let lines: Vec<String> = lines.map(masked_line).collect();
    lines.join("\n")
}

/// `5f70bf18a086: Pushed`: how often the engine says so depends on the moment.
fn is_progress(line: &str) -> bool {
    line.split_once(": ")
        .is_some_and(|(layer, _)| layer.len() == 12 && is_hex(layer))
}

fn masked_line(line: &str) -> String {
    let mut shown = String::new();
    let mut word = String::new();
    for letter in line.chars().chain(['\n']) {
        if letter.is_ascii_alphanumeric() {
            word.push(letter);
            continue;
        }
        shown.push_str(if is_id(&word) { "<id>" } else { &word });
        word.clear();
        shown.push(letter);
    }
    times_masked(shown.trim_end_matches('\n'))
}

/// Key ids in full or cut short, and digests.
fn is_id(word: &str) -> bool {
    matches!(word.len(), 7 | 12 | 32..)
        && is_hex(word)
        && word.contains(|it: char| it.is_ascii_digit())
}

fn is_hex(word: &str) -> bool {
    word.chars().all(|it| matches!(it, '0'..='9' | 'a'..='f'))
}

/// `time="…"` of a log, and what a changefeed says of when and which: `PostgreSQL` fills an empty
/// hash with blanks.
fn times_masked(line: &str) -> String {
    let mut line = line.to_owned();
    for start in ["time=\"", "\"CreatedAt\":\"", "\"ID\":\"", "\"SHA256\":\""] {
        let mut from = 0;
        while let Some(at) = line[from..].find(start) {
            let begin = from + at + start.len();
            let end = line[begin..].find('"').map_or(line.len(), |it| begin + it);
            line.replace_range(begin..end, "…");
            from = begin;
        }
    }
    line
}
