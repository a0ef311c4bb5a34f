//! A policy's README, read as an explanation: a title, and the paragraphs Why, Example and Fix.

use super::Explanation;

/// Splits a README at its bold headings.
pub(super) fn explanation(rule: &str, readme: &'static str) -> Explanation {
    let title = readme.lines().next().unwrap_or_default().trim_start_matches("# ");
    Explanation {
        rule: rule.to_owned().into(),
        title: title.into(),
        why: section(readme, "**Why.**").into(),
        example: without_fences(section(readme, "**Example.**")).into(),
        fix: without_fences(section(readme, "**Fix.**")).into(),
    }
}

fn section(readme: &'static str, heading: &str) -> &'static str {
    let after = readme.split_once(heading).map_or("", |(_, after)| after);
    let end = after.find("\n**").unwrap_or(after.len());
    after[..end].trim()
}

fn without_fences(text: &str) -> String {
    text.lines().filter(|line| !line.starts_with("```")).collect::<Vec<_>>().join("\n").trim().to_owned()
}
