//! docs/from-notary.md as a program sees it: its tables.

use std::{fs, path::Path};

/// The page.
pub(super) struct Page {
    pub(super) rows: Vec<Row>,
}

/// One row of a table.
pub(super) struct Row {
    /// What its first cell names, without backticks
    pub(super) notary: String,
    /// The same, one by one
    pub(super) spans: Vec<String>,
    /// The commands and the like in the second cell
    pub(super) trust: Vec<String>,
    /// The third cell
    pub(super) remark: String,
}

impl Page {
    pub(super) fn read() -> Self {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/from-notary.md");
        let text = fs::read_to_string(file).expect("the page");
        let lines: Vec<&str> = text.lines().collect();
        let mut rows = Vec::new();
        for (number, line) in lines.iter().enumerate() {
            let next = lines.get(number + 1).copied().unwrap_or_default();
            if line.starts_with('|') && !line.starts_with("|-") && !next.starts_with("|-") {
                rows.push(Row::parse(line));
            }
        }
        Self { rows }
    }

    pub(super) fn row(&self, notary: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.notary == notary)
    }
}

impl Row {
    fn parse(line: &str) -> Self {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let ["", notary, trust, remark, ""] = cells[..] else {
            panic!("not three cells: {line}");
        };
        Self {
            notary: spans(notary).join(", "),
            spans: spans(notary),
            trust: spans(trust),
            remark: remark.to_owned(),
        }
    }

    /// Requires that each command of the second cell is among what was run, with its flags and names.
    pub(super) fn was_run(&self, ran: &[String]) {
        for span in &self.trust {
            let there = |line: &String| {
                let words: Vec<&str> = line.split_whitespace().collect();
                fixed(span).all(|fixed| words.contains(&fixed))
                    && (!span.contains(DIGEST) || line.contains(DIGEST))
            };
            let found = ran.iter().any(there);
            assert!(found, "`{}`: `{span}` is not among {ran:#?}", self.notary);
        }
    }
}

/// What stands between backticks.
fn spans(cell: &str) -> Vec<String> {
    let odd = cell.split('`').skip(1).step_by(2);
    odd.map(str::to_owned).collect()
}

/// The words of a command that stand for themselves.
fn fixed(span: &str) -> impl Iterator<Item = &str> {
    let words = span.split_whitespace().filter(|word| *word != "trust");
    words.filter(|word| {
        word.starts_with('-') || word.contains('_') || !word.contains(|c: char| c.is_uppercase())
    })
}

const DIGEST: &str = "@sha256:";
