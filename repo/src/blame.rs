//! Who wrote a line.

use std::time::Duration;

use gitward_core::snapshot::Commit;

use crate::program::Git;
use crate::{CommitId, Repository};

/// Time for one line: a denial is worth no more waiting for a name.
const TIMEOUT: Duration = Duration::from_secs(2);

impl Repository {
    /// The commit that last changed a line (counted from 1) of a file as it stands at `commit`.
    /// `None` if that cannot be told in good time.
    pub fn blame_line(&self, commit: &CommitId, file: &str, line: u32) -> Option<Commit> {
        let range = format!("{line},{line}");
        let output = Git::new(self.git_dir(), "blame", TIMEOUT)
            .args(["--porcelain", "-L", &range, commit.as_str(), "--", file])
            .run()
            .ok()?;
        let id = output.split(|b| *b == b' ').next()?;
        let id = CommitId::parse(std::str::from_utf8(id).ok()?).ok()?;
        self.commit(&id).ok()
    }
}
