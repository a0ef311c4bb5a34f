//! Who wrote the lines that are named.

use std::collections::{BTreeMap, BTreeSet};

use gitward_core::finding::Place;
use gitward_core::snapshot::Commit;
use gitward_repo::CommitId;

use crate::Sight;

/// The commits that last changed lines, by file and line.
pub(crate) struct Authors(BTreeMap<(String, u32), Commit>);

impl Sight {
    /// The commits that last changed these lines, each file asked once. What Git cannot tell in good
    /// time is left out.
    pub(crate) fn authors<'a>(&self, places: impl Iterator<Item = &'a Place>) -> Authors {
        let mut lines: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
        for place in places {
            lines.entry(&place.file).or_default().insert(place.line);
        }
        let Ok(id) = CommitId::parse(&self.snapshot.commit.id) else { return Authors(BTreeMap::new()) };
        let of_file = |(file, lines): (&str, BTreeSet<u32>)| {
            let found = self.repository.blame_lines(&id, file, &lines);
            found.into_iter().map(move |(line, commit)| ((file.to_owned(), line), commit)).collect::<Vec<_>>()
        };
        Authors(lines.into_iter().flat_map(of_file).collect())
    }
}

impl Authors {
    /// The commit that last changed the line of a place.
    pub(crate) fn of(&self, place: &Place) -> Option<&Commit> {
        self.0.get(&(place.file.to_string(), place.line))
    }
}
