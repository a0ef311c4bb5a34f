//! The table of all attacks: printed, judged, and compared with the published one.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use crate::Result;
use crate::case::{Case, Who};

/// How an attack ended.
#[derive(Clone)]
pub(crate) enum Ending {
    /// It never took effect: who refused it, and with what words.
    Denied(&'static str, String),
    /// It was in effect for so long.
    Reverted(Duration),
    /// It stays in effect.
    Through(String),
    /// The API server refuses it whoever defends.
    RefusedByKubernetes(String),
    /// Nobody refused it, and nothing came of it.
    NoEffect,
    /// Its first request was made, and undone before its next: that one found the object put back.
    Overtaken,
    /// It was not played in this round.
    NotPlayed,
    /// The test itself could not do it.
    Failed(String),
}

/// One attack and how it ended.
pub(crate) struct Row {
    pub(crate) class: &'static str,
    pub(crate) key: String,
    pub(crate) case: Case,
    pub(crate) person: Ending,
    pub(crate) administrator: Ending,
    pub(crate) alone: Ending,
    pub(crate) control: Ending,
}

impl Ending {
    fn word(&self) -> String {
        match self {
            Self::Denied(by, _) => format!("denied ({by})"),
            Self::Reverted(_) | Self::Overtaken => "reverted".to_owned(),
            Self::Through(_) => "THROUGH".to_owned(),
            Self::RefusedByKubernetes(_) => "refused by Kubernetes".to_owned(),
            Self::NoEffect => "came to nothing".to_owned(),
            Self::NotPlayed => "–".to_owned(),
            Self::Failed(_) => "FAILED".to_owned(),
        }
    }

    fn with_time(&self) -> String {
        match self {
            Self::Reverted(took) => format!("reverted in {} ms", took.as_millis()),
            Self::Overtaken => "reverted before its next request".to_owned(),
            other => other.word(),
        }
    }

    fn holds(&self) -> bool {
        // What it would lead to is another's write, which was refused.
        matches!(self, Self::Denied(..) | Self::Reverted(_) | Self::Overtaken | Self::NotPlayed | Self::NoEffect)
    }

    fn why(&self) -> &str {
        match self {
            Self::Denied(_, why) | Self::Through(why) | Self::RefusedByKubernetes(why) | Self::Failed(why) => why,
            _ => "",
        }
    }
}

impl Row {
    fn person(&self) -> String {
        match (&self.person, self.case.harmless) {
            (Ending::Through(_), Some(why)) => format!("allowed, because {why}"),
            (ending, _) => ending.word(),
        }
    }

    fn administrator(&self) -> String {
        match (&self.administrator, self.case.out_of_reach) {
            (Ending::Through(_), _) if self.case.harmless.is_some() => "allowed".to_owned(),
            (Ending::Through(_), Some(why)) => format!("out of reach, because {why}"),
            (ending, _) => ending.word(),
        }
    }

    fn alone(&self) -> String {
        match (&self.alone, self.case.left) {
            (Ending::Through(_), _) if self.case.harmless.is_some() => "allowed".to_owned(),
            (Ending::Through(_), Some(why)) => format!("stays, because {why}"),
            (Ending::Reverted(_) | Ending::Overtaken | Ending::NoEffect, Some(why)) if self.case.races => {
                format!("stays, because {why}")
            }
            (ending, _) => ending.word(),
        }
    }

    /// What is not as it must be.
    fn objections(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.case.harmless.is_some() {
            return found;
        }
        let mut object = |round: &str, ending: &Ending| {
            let why: String = ending.why().chars().take(1200).collect();
            found.push(format!("{} {} / {}: {round}: {}: {why}", self.key, self.class, self.case.name, ending.word()));
        };
        if !self.person.holds() {
            object("person", &self.person);
        }
        let through = |e: &Ending| matches!(e, Ending::Through(_));
        match self.case.out_of_reach {
            Some(_) if through(&self.administrator) => {}
            _ if self.administrator.holds() => {}
            _ => object("administrator", &self.administrator),
        }
        match self.case.left {
            Some(_) if through(&self.alone) => {}
            _ if self.alone.holds() => {}
            _ => object("reconciler alone", &self.alone),
        }
        if !through(&self.control) {
            object("control", &self.control);
        }
        found
    }
}

const PUBLISHED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/attacks.md");
const BEGIN: &str = "<!-- the table, as the suite writes it -->";

/// Prints, judges, and compares.
pub(crate) fn conclude(rows: &[Row], whole: bool) -> Result<()> {
    for row in rows {
        println!(
            "{} {:<22} {:<74} {:<18} {:<24} {:<24} {}",
            row.key,
            row.class,
            row.case.name,
            row.person.with_time(),
            row.administrator.with_time(),
            row.alone.with_time(),
            if matches!(row.control, Ending::Through(_)) { "succeeds undefended" } else { "NOT AN ATTACK" },
        );
    }
    let text = text(rows);
    println!("{}", totals(rows));
    let objections: Vec<String> = rows.iter().flat_map(Row::objections).collect();
    if !objections.is_empty() {
        return Err(format!("{} are not as they must be:\n{}", objections.len(), objections.join("\n")));
    }
    if whole { published(&text) } else { Ok(()) }
}

fn published(text: &str) -> Result<()> {
    let page = std::fs::read_to_string(PUBLISHED).unwrap_or_default();
    let (before, rest) = page.split_once(BEGIN).ok_or("docs/attacks.md has no place for the table")?;
    if std::env::var("GITWARD_WRITE_TABLE").is_ok_and(|v| v == "1") {
        return std::fs::write(Path::new(PUBLISHED), format!("{before}{BEGIN}\n\n{text}")).map_err(|e| e.to_string());
    }
    if rest.trim() == text.trim() {
        return Ok(());
    }
    let old: Vec<&str> = rest.lines().collect();
    let news: Vec<&str> = text.lines().filter(|l| !old.contains(l)).collect();
    Err(format!("docs/attacks.md says otherwise (GITWARD_WRITE_TABLE=1 writes it anew):\n{}", news.join("\n")))
}

/// The published text: nothing in it depends on how fast it went.
fn text(rows: &[Row]) -> String {
    let mut out = totals(rows);
    let mut class = "";
    for row in rows {
        if row.class != class {
            class = row.class;
            let _ = write!(
                out,
                "\n### {class}\n\n| attack | person | administrator | reconciler alone |\n| --- | --- | --- | --- |\n"
            );
        }
        let _ = writeln!(out, "| {} | {} | {} | {} |", row.case.name, row.person(), row.administrator(), row.alone());
    }
    out
}

fn totals(rows: &[Row]) -> String {
    let short = |word: String| word.split(',').next().unwrap_or_default().to_owned();
    let mut classes: Vec<&str> = Vec::new();
    let mut counts: BTreeMap<(&str, usize), BTreeMap<String, usize>> = BTreeMap::new();
    for row in rows {
        if !classes.contains(&row.class) {
            classes.push(row.class);
        }
        let by_administrator = (row.case.who == Who::Both).then(|| short(row.administrator()));
        let alone = (row.case.who == Who::Both).then(|| short(row.alone()));
        for (round, word) in [Some(short(row.person())), by_administrator, alone].into_iter().enumerate() {
            let Some(word) = word else { continue };
            for class in [row.class, "all"] {
                *counts.entry((class, round)).or_default().entry(word.clone()).or_default() += 1;
            }
        }
    }
    classes.push("all");
    let mut out =
        "| class | attacks | person | administrator | reconciler alone |\n| --- | --- | --- | --- | --- |\n".to_owned();
    for class in classes {
        let number = rows.iter().filter(|r| class == "all" || r.class == class).count();
        let cell = |round: usize| {
            let found = counts.get(&(class, round));
            let parts = found.into_iter().flatten().map(|(word, n)| format!("{n} {word}"));
            parts.collect::<Vec<_>>().join(", ")
        };
        let _ = writeln!(out, "| {class} | {number} | {} | {} | {} |", cell(0), cell(1), cell(2));
    }
    out
}
