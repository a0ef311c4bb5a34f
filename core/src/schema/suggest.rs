//! What the author may have meant.

/// Names listed in full in a hint; of longer lists only this many.
const MOST_NAMES: usize = 12;

/// Longest name that is compared, in characters: comparing takes time with its square.
const LONGEST: usize = 80;

/// The candidate nearest to a name, if it is near enough to be a slip of the pen.
pub(crate) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name: Vec<char> = name.chars().take(LONGEST + 1).collect();
    if name.len() > LONGEST {
        return None;
    }
    let most = (name.len() / 3).clamp(1, 3);
    candidates
        .filter_map(|candidate| Some((distance(&name, candidate, most)?, candidate)))
        .min_by_key(|(distance, candidate)| (*distance, *candidate))
        .map(|(_, candidate)| candidate)
}

/// The number of characters to add, drop, change or swap with a neighbour, letter case aside; `None`
/// if more than `most`.
fn distance(name: &[char], candidate: &str, most: usize) -> Option<usize> {
    let other: Vec<char> = candidate.chars().map(|c| c.to_ascii_lowercase()).collect();
    if name.len().abs_diff(other.len()) > most {
        return None;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, a) in name.iter().map(char::to_ascii_lowercase).enumerate() {
        let mut next = vec![i + 1];
        for (j, b) in other.iter().enumerate() {
            let mut least = (row[j] + usize::from(a != *b)).min(row[j + 1] + 1).min(next[j] + 1);
            let swapped = i > 0 && j > 0 && name[i - 1].eq_ignore_ascii_case(b) && a == other[j - 1];
            if swapped {
                least = least.min(before[j - 1] + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().filter(|d| *d <= most)
}

/// Names as a list to read: `a, b, c`, shortened if there are many.
pub(crate) fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    if names.len() <= MOST_NAMES {
        return names.join(", ");
    }
    format!("{} and {} more", names[..MOST_NAMES].join(", "), names.len() - MOST_NAMES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised_and_other_words_are_not() {
        let fields = ["replicas", "selector", "template", "strategy", "image", "imagePullPolicy"];
        let cases = [
            ("replica", Some("replicas")),
            ("Replicas", Some("replicas")),
            ("repilcas", Some("replicas")),
            ("imagepullpolicy", Some("imagePullPolicy")),
            ("imagePullPolcy", Some("imagePullPolicy")),
            ("img", None),
            ("containers", None),
            ("x", None),
        ];
        for (name, expected) in cases {
            assert_eq!(nearest(name, fields.into_iter()), expected, "{name}");
        }
    }

    #[test]
    fn long_lists_are_shortened() {
        assert_eq!(listed(["a", "b"].into_iter()), "a, b");
        assert!(listed((0..20).map(|_| "x")).ends_with("and 8 more"));
    }
}
