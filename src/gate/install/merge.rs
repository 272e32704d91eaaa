//! Taking our lines out of a file that somebody else changed, too.

use similar::{Algorithm, DiffOp, capture_diff_slices};

/// `theirs` without what turned `before` into `ours`; none if both touch the same lines.
///
/// Lines that border on each other count as the same place: what belongs together cannot be told
/// there.
pub(super) fn without(before: &str, ours: &str, theirs: &str) -> Option<String> {
    let (before, ours, theirs) = (lines(before), lines(ours), lines(theirs));
    let edits = |to: &[&str]| -> Vec<Edit> {
        capture_diff_slices(Algorithm::Myers, &ours, to)
            .iter()
            .filter(|op| !matches!(op, DiffOp::Equal { .. }))
            .map(|op| Edit {
                start: op.old_range().start,
                end: op.old_range().end,
                text: to.get(op.new_range()).unwrap_or_default().concat(),
            })
            .collect()
    };
    let mut all = edits(&before);
    for edit in edits(&theirs) {
        if all.contains(&edit) {
            continue;
        }
        if all.iter().any(|other| other.touches(&edit)) {
            return None;
        }
        all.push(edit);
    }
    all.sort_by_key(|edit| edit.start);
    let mut at = 0;
    let mut merged = String::new();
    for edit in all {
        merged.push_str(&ours.get(at..edit.start)?.concat());
        merged.push_str(&edit.text);
        at = edit.end;
    }
    merged.push_str(&ours.get(at..)?.concat());
    Some(merged)
}

/// Lines of ours that become another text.
#[derive(PartialEq, Eq)]
struct Edit {
    start: usize,
    end: usize,
    text: String,
}

impl Edit {
    fn touches(&self, other: &Self) -> bool {
        self.start <= other.end && other.start <= self.end
    }
}

fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn their_lines_stay_and_ours_go() {
        let (before, ours) = ("a\nb\nc\nd\n", "a\nb\nOURS\nc\nd\n");
        for (theirs, expected) in [
            (ours, Some(before)),
            ("a\nb\nOURS\nc\nd\ne\n", Some("a\nb\nc\nd\ne\n")),
            ("x\na\nb\nOURS\nc\n", Some("x\na\nb\nc\n")),
            // Taken out by hand already.
            ("a\nb\nc\nd\ne\n", Some("a\nb\nc\nd\ne\n")),
            ("a\nb\nOURS changed\nc\nd\n", None),
            ("a\nb\nbeside\nOURS\nc\nd\n", None),
        ] {
            assert_eq!(
                without(before, ours, theirs).as_deref(),
                expected,
                "{theirs:?}"
            );
        }
    }
}
