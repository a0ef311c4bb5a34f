//! What adoption found and did, for people.

use gitward_core::adopt::Effect;
use gitward_core::report::harmless;

use super::report::{Other, Report, Taken};
use crate::output::plural;

/// Of a long list of objects of one sort, so many are named.
const SHOWN: usize = 20;

/// The whole report.
pub(super) fn text(report: &Report) -> String {
    let mut text = head(report);
    text.push_str(&affected(report));
    text.push_str(&installers(report));
    text.push_str(&others("left out", &report.left));
    text.push_str(&others("made by operators, to be delegated", &report.operated));
    text.push_str(&others("made by no controller that is known, and left alone", &report.strange));
    if !report.unknown.is_empty() {
        text.push_str("\ncould not be told:\n");
    }
    for unknown in &report.unknown {
        text.push_str(&format!(
            "? {}: {}\n  to do: {}\n",
            harmless(&unknown.what),
            harmless(&unknown.why),
            unknown.to_do
        ));
    }
    if !report.delegations.is_empty() {
        text.push_str(&format!("\n{}", report.delegations));
    }
    for (file, manifest) in &report.manifests {
        text.push_str(&format!("\n--- # {file}\n{manifest}"));
    }
    if report.commit.is_some() {
        text.push_str(&next(report));
    }
    text
}

fn head(report: &Report) -> String {
    let Report { namespace, directory, .. } = report;
    let taken = plural(report.taken.len(), "object");
    let done = match (&report.branch, &report.commit) {
        (Some(branch), Some(commit)) => {
            format!("branch {branch} declares {taken} of {namespace} in {directory} (commit {})\n", short(commit))
        }
        _ if report.taken.is_empty() => format!("there is nothing in {namespace} that Git would have to declare\n"),
        _ => format!("{taken} of {namespace} would be declared in {directory}; nothing was written\n"),
    };
    let already = match report.declared {
        0 => String::new(),
        n => format!("{} declared already\n", plural(n, "object")),
    };
    format!("{done}{already}{} of controllers follow from them\n", plural(report.derived, "object"))
}

fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

/// What changes of the live objects once Git governs them.
fn affected(report: &Report) -> String {
    let changed: Vec<&Taken> = report.taken.iter().filter(|t| !t.effects.is_empty() || t.note.is_some()).collect();
    if changed.is_empty() {
        return "\nno live object changes when Git governs\n".to_owned();
    }
    let mut text = "\nwhen Git governs, these live objects change:\n".to_owned();
    for taken in changed {
        text.push_str(&format!("~ {}\n", harmless(&taken.object.to_string())));
        text.extend(taken.effects.iter().map(effect));
        text.extend(taken.note.iter().map(|note| format!("    note: {note}\n")));
    }
    let restarted = report.taken.iter().filter(|t| t.effects.iter().any(|e| e.restarts)).count();
    match restarted {
        0 => text.push_str("no Pod is restarted by that\n"),
        n => text.push_str(&format!("the Pods of {} are RESTARTED by that\n", plural(n, "workload"))),
    }
    text
}

fn effect(effect: &Effect) -> String {
    let restarts = if effect.restarts { " (RESTARTS its Pods)" } else { "" };
    format!("    {} {}{restarts}\n", effect.how, harmless(&effect.path.to_string()))
}

/// Who has to let go, and how.
fn installers(report: &Report) -> String {
    if report.installers.is_empty() {
        return String::new();
    }
    let mut text = "\ninstalled by others, who have to let go:\n".to_owned();
    for by in &report.installers {
        let objects = plural(by.objects, "object");
        text.push_str(&format!("! {} ({objects})\n  to do: {}\n", harmless(&by.installer), by.to_do));
    }
    text
}

fn others(what: &str, list: &[Other]) -> String {
    if list.is_empty() {
        return String::new();
    }
    let mut text = format!("\n{what}:\n");
    for Other { object, why } in list.iter().take(SHOWN) {
        text.push_str(&format!("- {}: {}\n", harmless(&object.to_string()), harmless(why)));
    }
    if let Some(more) = list.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        text.push_str(&format!("  and {more} more; `-o json` names them all\n"));
    }
    text
}

fn next(report: &Report) -> String {
    let Report { namespace, .. } = report;
    let branch = report.branch.as_deref().unwrap_or_default();
    let environment = match &report.environment {
        Some(name) => format!("environment {name} in gitward.yaml"),
        None => "its environment in gitward.yaml (`gitward init` writes a first one)".to_owned(),
    };
    let git_ref = report.git_ref.as_deref().unwrap_or("the environment's ref");
    let let_go = if report.installers.is_empty() { "" } else { "have it let go of by those above, and " };
    format!(
        "\nnext:\n\
         1. review it: git show {branch}\n\
         2. merge {branch}, and with it add {namespace} to `namespaces` of {environment}, with `mode: observe` first\n\
         3. `gitward check` says what the push gate will say; then push to {git_ref}\n\
         4. `gitward diff` shows what is listed above and nothing else; then {let_go}set `mode: enforce`\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use gitward_core::object::ObjectKey;
    use gitward_core::path::FieldPath;

    #[test]
    fn what_restarts_pods_is_said_aloud() {
        let effect = |restarts| Effect { path: FieldPath::of(["spec", "template"]), how: "removed", restarts };
        let taken = |restarts| Taken {
            object: ObjectKey::new("apps", "Deployment", "shop", "web"),
            file: "shop/deployment-web.yaml".into(),
            effects: vec![effect(restarts)],
            note: None,
        };
        let told = |restarts| text(&Report { taken: vec![taken(restarts)], ..Report::default() });
        assert!(told(true).contains("the Pods of 1 workload are RESTARTED"), "{}", told(true));
        assert!(told(false).contains("no Pod is restarted"), "{}", told(false));
        assert!(text(&Report::default()).contains("no live object changes"));
    }
}
