//! Ref updates as Git hands them to hooks. Source: githooks(5).

use std::io::Read;

use gitward_repo::{CommitId, Repository};

use crate::{Error, Result};

/// Bytes of all update lines together: room for some hundred thousand refs.
const INPUT_LIMIT: u64 = 32 << 20;

/// A ref that a push moves, creates or deletes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefUpdate {
    /// What the ref points to now; `None` if it is created.
    pub old: Option<CommitId>,
    /// What it shall point to; `None` if it is deleted.
    pub new: Option<CommitId>,
    /// Full name of the ref.
    pub git_ref: String,
}

impl RefUpdate {
    /// An update from its three parts as text; ids of zeros mean "there is none".
    ///
    /// # Errors
    /// [`Error::Updates`] for what is no id or no ref name.
    pub fn new(old: &str, new: &str, git_ref: &str) -> Result<Self> {
        let id = |text: &str| {
            let id = CommitId::parse(text).map_err(|e| Error::Updates(e.to_string()))?;
            Ok::<_, Error>((!id.is_zero()).then_some(id))
        };
        if !git_ref.starts_with("refs/") || git_ref.chars().any(char::is_control) {
            return Err(Error::Updates(format!("{git_ref:?} is no ref name")));
        }
        Ok(Self { old: id(old)?, new: id(new)?, git_ref: git_ref.to_owned() })
    }

    /// The same of the ref that moves: what is pushed to a symbolic ref moves the one that it leads to.
    pub(crate) fn followed(&self, repository: &Repository) -> Self {
        Self { git_ref: repository.stands_for(&self.git_ref), ..self.clone() }
    }
}

/// Reads `old new ref` lines to the end.
///
/// # Errors
/// [`Error::Updates`] for a line that is none, for no text, and for too much of it.
pub fn parse_lines(input: &mut dyn Read) -> Result<Vec<RefUpdate>> {
    let mut text = Vec::new();
    input.take(INPUT_LIMIT + 1).read_to_end(&mut text).map_err(|e| Error::Updates(e.to_string()))?;
    if text.len() as u64 > INPUT_LIMIT {
        return Err(Error::Updates(format!("more than {INPUT_LIMIT} bytes of them")));
    }
    let text = String::from_utf8(text).map_err(|_| Error::Updates("a ref name is no UTF-8".to_owned()))?;
    text.lines().filter(|line| !line.is_empty()).map(parse_line).collect()
}

fn parse_line(line: &str) -> Result<RefUpdate> {
    let mut parts = line.splitn(3, ' ');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(old), Some(new), Some(git_ref)) => RefUpdate::new(old, new, git_ref),
        _ => Err(Error::Updates(format!("{:?} is no `old new ref` line", line.chars().take(120).collect::<String>()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_updates() {
        let (a, b, zero) = ("a".repeat(40), "b".repeat(40), "0".repeat(40));
        let text = format!("{a} {b} refs/heads/main\n{zero} {b} refs/tags/v1\n{a} {zero} refs/heads/old\n");
        let updates = parse_lines(&mut text.as_bytes()).unwrap();
        assert_eq!(updates.len(), 3);
        assert_eq!((updates[1].old.as_ref(), updates[2].new.as_ref()), (None, None));
        assert!(parse_lines(&mut "".as_bytes()).unwrap().is_empty());
        for bad in ["x", "a b refs/heads/main", &format!("{a} {b} main"), &format!("{a} {b}")] {
            assert!(parse_lines(&mut bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
