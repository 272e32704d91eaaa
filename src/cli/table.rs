//! Aligned columns, in Docker's layout.

/// Rows under a header, each column three spaces wider than its widest cell.
pub(crate) fn table<const N: usize>(header: [&str; N], rows: &[[String; N]]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        let widths = cells.map(|cell| cell.chars().count());
        let header = header.get(column).map_or(0, |cell| cell.len());
        (widths.fold(header, usize::max) + PADDING).max(NARROWEST)
    };
    let widths: Vec<usize> = (0..N).map(width).collect();
    let line = |cells: &[&str; N]| {
        let (last, others) = cells.split_last().unwrap_or((&"", &[]));
        let padded = others
            .iter()
            .zip(&widths)
            .map(|(cell, width)| format!("{cell:width$}"));
        padded.chain([format!("{last}\n")]).collect::<String>()
    };
    let rows = rows
        .iter()
        .map(|row| line(&row.each_ref().map(String::as_str)));
    std::iter::once(line(&header)).chain(rows).collect()
}

const PADDING: usize = 3;
/// Characters, padding included.
const NARROWEST: usize = 10;

#[cfg(test)]
#[allow(
    clippy::needless_raw_string_hashes,
    reason = "the snapshot tool writes them"
)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_dockers() {
        let rows = [
            ["a", "05e87edcaecb, 5600f5ab76a2"],
            ["a-very-long-name", ""],
        ]
        .map(|row| row.map(str::to_owned));
        snapbox::assert_data_eq!(
            table(["SIGNER", "KEYS"], &rows[..1]),
            snapbox::str![[r#"
SIGNER    KEYS
a         05e87edcaecb, 5600f5ab76a2

"#]]
        );
        snapbox::assert_data_eq!(
            table(["SIGNER", "KEYS"], &rows),
            snapbox::str![[r#"
SIGNER             KEYS
a                  05e87edcaecb, 5600f5ab76a2
a-very-long-name   

"#]]
        );
    }
}
