//! Settings as people write them.

mod document;
mod notary;
mod ours;

use super::*;
use tempfile::TempDir;

/// A folder with one configuration in it, and what was read from it.
fn read_as(
    name: &str,
    text: &str,
    variables: &[(&str, &str)],
) -> (TempDir, Result<(Settings, Vec<String>), SettingsError>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    trust_store::write_atomic(&file, text.as_bytes(), 0o600).unwrap();
    let variables = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let read = Settings::read(&file, &variables);
    (folder, read)
}

/// The one line of an error, without the folder.
fn problem(name: &str, text: &str) -> String {
    let (folder, read) = read_as(name, text, &[]);
    let words = read.unwrap_err().to_string();
    assert!(!words.contains('\n'), "{words}");
    words.replace(&format!("{}/", folder.path().display()), "")
}
