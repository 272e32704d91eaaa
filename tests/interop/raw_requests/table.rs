//! The table as it is written: one request a line, under the repository it is about.

/// One line of the table, or what stands above the next ones.
pub(crate) enum Line {
    /// Nothing to do: empty, or a remark.
    Remark(String),
    /// `= on SERVER` or `= NAME`, perhaps with `own snapshot key`.
    Section(Vec<String>),
    /// A request and what comes of it.
    Row(Row),
}

/// A request and what comes of it.
pub(crate) struct Row {
    /// `METHOD PATH`, then what else there is.
    pub(crate) request: String,
    /// What notary-server answers.
    pub(crate) notary: String,
    /// What ours answers where it differs on purpose, and why.
    pub(crate) ours: Option<(String, String)>,
}

/// Reads the whole table.
pub(crate) fn read(text: &str) -> Vec<Line> {
    text.lines().map(line).collect()
}

/// The same table, as it is written.
pub(crate) fn write(table: &[Line]) -> String {
    let text = table.iter().map(|line| match line {
        Line::Remark(text) => format!("{text}\n"),
        Line::Section(words) => format!("= {}\n", words.join(" ")),
        Line::Row(row) => {
            let start = format!("{:<60} | {}", row.request, row.notary);
            match &row.ours {
                None => format!("{start}\n"),
                Some((ours, why)) => format!("{start} | {ours} | {why}\n"),
            }
        }
    });
    text.collect()
}

fn line(line: &str) -> Line {
    if line.trim().is_empty() || line.starts_with('#') {
        return Line::Remark(line.to_owned());
    }
    if let Some(words) = line.strip_prefix("= ") {
        return Line::Section(words.split_whitespace().map(str::to_owned).collect());
    }
    let mut columns = line.split(" | ").map(|it| it.trim().to_owned());
    let request = columns
        .next()
        .unwrap_or_default()
        .trim_end_matches('|')
        .trim()
        .to_owned();
    let notary = columns.next().unwrap_or_default();
    let ours = columns.next();
    let ours = ours.map(|ours| (ours, columns.next().expect("a reason to differ")));
    Line::Row(Row {
        request,
        notary,
        ours,
    })
}
