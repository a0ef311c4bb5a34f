//! Who wrote a line.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use gitward_core::snapshot::Commit;

use crate::program::Git;
use crate::{CommitId, Repository};

/// Time for one line: a denial is worth no more waiting for a name.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Time for the lines of a file that a person asks for.
const PATIENCE: Duration = Duration::from_secs(20);

impl Repository {
    /// The commit that last changed a line (counted from 1) of a file as it stands at `commit`.
    /// `None` if that cannot be told in good time.
    pub fn blame_line(&self, commit: &CommitId, file: &str, line: u32) -> Option<Commit> {
        self.blame(commit, file, &BTreeSet::from([line]), TIMEOUT)?.remove(&line)
    }

    /// The commits that last changed some lines of a file, by line. What cannot be told is left out.
    pub fn blame_lines(&self, commit: &CommitId, file: &str, lines: &BTreeSet<u32>) -> BTreeMap<u32, Commit> {
        self.blame(commit, file, lines, PATIENCE).unwrap_or_default()
    }

    fn blame(
        &self,
        commit: &CommitId,
        file: &str,
        lines: &BTreeSet<u32>,
        timeout: Duration,
    ) -> Option<BTreeMap<u32, Commit>> {
        let ranges: Vec<String> = lines.iter().map(|line| format!("-L{line},{line}")).collect();
        let output = Git::new(self.git_dir(), "blame", timeout)
            .args(["--porcelain"])
            .args(ranges.iter().map(String::as_str))
            .args([commit.as_str(), "--", file])
            .run()
            .ok()?;
        let mut commits: HashMap<CommitId, Option<Commit>> = HashMap::new();
        let mut found = BTreeMap::new();
        for (line, id) in output.split(|b| *b == b'\n').filter_map(header) {
            let commit = commits.entry(id).or_insert_with_key(|id| self.commit(id).ok());
            found.extend(commit.clone().map(|commit| (line, commit)));
        }
        Some(found)
    }
}

/// The line of the final file and its commit, from a header of the porcelain format: id, line in the
/// commit's file, line in the final file. Source: git-blame(1).
fn header(line: &[u8]) -> Option<(u32, CommitId)> {
    let mut words = std::str::from_utf8(line).ok()?.split(' ');
    let id = CommitId::parse(words.next()?).ok()?;
    Some((words.nth(1)?.parse().ok()?, id))
}
