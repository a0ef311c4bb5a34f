//! What the demo says, on standard output.

use std::io::IsTerminal;

use crate::output;

const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const GREEN: &str = "\x1b[32m";
const RED: &str = "\x1b[31m";
const PLAIN: &str = "\x1b[0m";

/// Characters that a shell takes as they are.
const UNQUOTED: &str = "-_./:=@,+%";

/// Tells the play. Whoever has left hears nothing, which is no error.
#[derive(Debug, Clone, Copy)]
pub(super) struct Narrator {
    color: bool,
}

impl Narrator {
    /// Colours only for eyes.
    pub(super) fn new() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { color: wanted && std::io::stdout().is_terminal() }
    }

    /// A heading.
    pub(super) fn act(&self, heading: &str) {
        self.line(&format!("\n{}\n", self.in_color(BOLD, heading)));
    }

    /// Some lines of the story.
    pub(super) fn tell(&self, text: &str) {
        self.line(text);
    }

    /// What is being waited for.
    pub(super) fn progress(&self, text: &str) {
        self.line(&self.in_color(DIM, &format!("  … {text}")));
    }

    /// A command that was run.
    pub(super) fn command(&self, program: &str, arguments: &[&str]) {
        let arguments: Vec<String> = arguments.iter().map(|argument| quoted(argument)).collect();
        self.line(&self.in_color(BOLD, &format!("$ {program} {}", arguments.join(" "))));
    }

    /// What a program said, as it said it.
    pub(super) fn quote(&self, said: &str) {
        for line in said.trim_end().lines() {
            let line = line.trim_end();
            self.line(&format!("{} {line}", self.in_color(DIM, "  |")));
        }
    }

    /// Something that was checked and is so.
    pub(super) fn holds(&self, fact: &str) {
        self.line(&format!("{} {fact}", self.in_color(GREEN, "  ✓")));
    }

    /// Something that is not as it should be.
    pub(super) fn fails(&self, what: &str) {
        self.line(&format!("{} {what}", self.in_color(RED, "  ✗")));
    }

    fn line(&self, text: &str) {
        let _ = output::print(&format!("{text}\n"));
    }

    fn in_color(&self, color: &str, text: &str) -> String {
        if self.color { format!("{color}{text}{PLAIN}") } else { text.to_owned() }
    }
}

/// An argument as a shell has to be given it.
fn quoted(argument: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || UNQUOTED.contains(c);
    if !argument.is_empty() && argument.chars().all(plain) {
        return argument.to_owned();
    }
    format!("'{}'", argument.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn arguments_are_quoted_where_a_shell_needs_it() {
        for (argument, wanted) in
            [("a/b:1=x", "a/b:1=x"), ("", "''"), (r#"[{"a":1}]"#, r#"'[{"a":1}]'"#), ("it's", r"'it'\''s'")]
        {
            assert_eq!(quoted(argument), wanted);
        }
    }
}
