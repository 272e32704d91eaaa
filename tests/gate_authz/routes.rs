//! Every route of the engine that writes, and every way to write it misleadingly.

use std::collections::BTreeMap;
use trust::gate::authz::{Call, route};

/// Bypass 10, 12, 13, 14, 15: by the table.
#[test]
fn requests_have_the_effects_of_the_table() {
    let mut wrong = Vec::new();
    let mut rows = 0;
    for line in include_str!("routes.txt").lines() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        rows += 1;
        let line = line.replace("{D}", &digest());
        let cells: Vec<&str> = line.splitn(4, '|').map(str::trim).collect();
        let [request, headers, body, expected] = cells[..] else {
            panic!("four cells: {line}");
        };
        let effect = route(&call(request, headers, body)).to_string();
        if effect != expected {
            wrong.push(format!(
                "{request} | {headers} | {body}\n  is {effect}\n not {expected}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(rows >= 120, "only {rows} rows");
}

fn call(request: &str, headers: &str, body: &str) -> Call {
    let (method, uri) = request.split_once(char::is_whitespace).unwrap();
    Call {
        method: method.to_owned(),
        uri: uri.trim().to_owned(),
        headers: known_headers(headers),
        body: (!body.is_empty()).then(|| body.as_bytes().to_vec()),
        ..Call::default()
    }
}

fn known_headers(name: &str) -> BTreeMap<String, String> {
    let kind = |kind| vec![("Content-Type", kind), ("Content-Length", "99")];
    let headers = match name {
        "-" => Vec::new(),
        "empty" => vec![("Content-Type", "text/plain"), ("Content-Length", "0")],
        "form" => kind("application/x-www-form-urlencoded"),
        "FORM" => kind("Application/X-WWW-Form-Urlencoded; charset=utf-8"),
        "json" => kind("application/json"),
        "large" => vec![
            ("Content-Type", "application/json"),
            ("Content-Length", "4194305"),
        ],
        "multipart" => kind("multipart/form-data; boundary=x"),
        "tar" => kind("application/x-tar"),
        "text" => kind("text/plain"),
        // Sent in chunks: the engine tells of no length.
        "unsaid" => vec![("Content-Type", "application/json")],
        other => panic!("unknown headers {other}"),
    };
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    headers.into_iter().map(owned).collect()
}

fn digest() -> String {
    format!("sha256:{}", "d".repeat(64))
}
