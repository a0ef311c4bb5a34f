//! The rounds: each attack by the person, by the administrator, against the reconciler alone, and
//! with nobody to defend.

use std::time::{Duration, Instant};

use futures::StreamExt;
use gitward_test_cluster::Stage;
use kube::Client;

use crate::attacker::{Answer, Attacker};
use crate::case::{Case, When, Who};
use crate::paths;
use crate::sight::Sight;
use crate::stage;
use crate::table::{self, Ending, Row};
use crate::{Result, cases};

/// Attacks under way at once.
const CONCURRENT: usize = 40;

/// How long nothing must have come of a request that was turned down.
const QUIET: Duration = Duration::from_millis(1200);

/// How long an attack may stay in effect where something defends.
const GIVE_UP: Duration = Duration::from_secs(40);

/// How long an attack may take to take effect with nobody to defend.
const EFFECT: Duration = Duration::from_secs(40);

/// Only attacks with this in their name are played, for whoever looks for something.
const ONLY: &str = "GITWARD_ATTACKS_ONLY";

/// An attack with the name of its objects.
pub(crate) struct Played {
    pub(crate) class: &'static str,
    pub(crate) key: String,
    pub(crate) case: Case,
}

impl Played {
    /// The names of its objects in the rounds: others where a round may leave something behind.
    pub(crate) fn keys(&self) -> [String; ROUNDS] {
        let case = &self.case;
        let all = case.fresh || case.harmless.is_some();
        let passes = all || case.out_of_reach.is_some();
        let leaves = [false, all, passes, passes || case.left.is_some()];
        let mut letters = ["", "b", "c", "d"];
        for round in 1..ROUNDS {
            if !leaves[round] {
                letters[round] = letters[round - 1];
            }
        }
        letters.map(|letter| format!("{}{letter}", self.key))
    }
}

/// The person, the administrator, the reconciler alone, nobody.
const ROUNDS: usize = 4;

/// The round in which nothing defends but the reconciler.
const ALONE: usize = 2;

/// Plays all, prints the table, and compares it with the published one.
pub(crate) async fn play() -> Result<()> {
    let only = std::env::var(ONLY).ok();
    let played: Vec<Played> = cases::all()
        .into_iter()
        .enumerate()
        .map(|(n, (class, case))| Played { class, key: format!("a{n:03}"), case })
        .filter(|p| only.as_ref().is_none_or(|text| p.case.name.contains(text) || p.class.contains(text)))
        .collect();
    let began = Instant::now();
    let mut stage = stage::set(&played).await?;
    let said = |what: &str| println!("{:>4} s  {what}", began.elapsed().as_secs());
    said("converged");
    let result = rounds(&mut stage, &played, &said).await;
    if let Ok(keep) = std::env::var("GITWARD_KEEP") {
        let _ = std::fs::copy(stage.reconciler_log(), format!("{keep}/reconciler.log"));
        let _ = std::fs::copy(stage.webhook_log(), format!("{keep}/webhook.log"));
    }
    table::conclude(&result?, only.is_none())
}

async fn rounds(stage: &mut Stage, played: &[Played], said: &dyn Fn(&str)) -> Result<Vec<Row>> {
    let person = Attacker::new(stage, stage::PERSON).await?;
    let administrator = Attacker::new(stage, stage::ADMINISTRATOR).await?;
    let client = stage.cluster.client().await.map_err(|e| e.to_string())?;
    let both = |p: &Played| p.case.who == Who::Both;

    let by_person = round(&client, &person, played, 0, |_| true).await;
    said("the person is done");
    stage::open_the_fence(stage).await?;
    let by_administrator = round(&client, &administrator, played, 1, both).await;
    said("the administrator is done");
    stage::without_webhook(stage).await?;
    let administrator = Attacker::new(stage, stage::ADMINISTRATOR).await?;
    let alone = round(&client, &administrator, played, ALONE, both).await;
    said("the reconciler alone is done");
    stage::without_anything(stage).await?;
    let control = round(&client, &administrator, played, 3, |_| true).await;
    said("with nobody to defend is done");

    let endings = by_person.into_iter().zip(by_administrator).zip(alone.into_iter().zip(control));
    let rows = played.iter().zip(endings).map(|(p, ((person, administrator), (alone, control)))| Row {
        class: p.class,
        key: p.key.clone(),
        case: p.case.clone(),
        person,
        administrator,
        alone,
        control,
    });
    Ok(rows.collect())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Defence {
    Some,
    None,
}

async fn round(
    client: &Client,
    attacker: &Attacker,
    played: &[Played],
    round: usize,
    plays: impl Fn(&Played) -> bool,
) -> Vec<Ending> {
    let defence = if round == ROUNDS - 1 { Defence::None } else { Defence::Some };
    let mut endings = vec![Ending::NotPlayed; played.len()];
    let numbered: Vec<(usize, &Played)> = played.iter().enumerate().filter(|(_, p)| plays(p)).collect();
    let (apart, together): (Vec<_>, Vec<_>) = numbered.into_iter().partition(|(_, p)| p.case.apart);
    let one = |(n, p): (usize, &'_ Played)| {
        let (case, key) = (p.case.clone(), p.keys()[round].clone());
        async move {
            let ending = end(client, attacker, &case, &key, defence).await;
            (n, if round == ALONE { overtaken(ending) } else { ending })
        }
    };
    let together = futures::stream::iter(together.into_iter().map(one)).buffer_unordered(CONCURRENT);
    for (n, ending) in together.collect::<Vec<_>>().await {
        endings[n] = ending;
    }
    for p in apart {
        let (n, ending) = one(p).await;
        endings[n] = ending;
    }
    endings
}

async fn end(client: &Client, attacker: &Attacker, case: &Case, key: &str, defence: Defence) -> Ending {
    match attack(client, attacker, case, key, defence).await {
        Ok(ending) => ending,
        Err(why) => Ending::Failed(why),
    }
}

async fn attack(client: &Client, attacker: &Attacker, case: &Case, key: &str, defence: Defence) -> Result<Ending> {
    if let When::Answer(texts) = &case.effect.when {
        let answers = make(attacker, case, key).await;
        let reached = answers.iter().any(|a| texts.iter().any(|t| a.text.contains(t)));
        return Ok(if reached { Ending::Through(String::new()) } else { refused(&answers) });
    }
    let at = attacker.fill(case.effect.at, key).await?;
    let when = case.effect.when.of(key);
    let mut sight = Sight::open(client, &paths::collection(&at)).await?;
    if sight.shows(&when) {
        return Err(format!("it is in effect before it begins: {}", sight.text()));
    }
    if matches!(when, When::Gone) && sight.was_empty() {
        return Err("what it is to remove is not there".to_owned());
    }
    let mut attack = std::pin::pin!(make(attacker, case, key));
    let mut answers = None;
    let (mut seen, mut undone): (Option<Instant>, Option<Instant>) = (None, None);
    let mut quiet_since = Instant::now();
    let began = Instant::now();
    loop {
        tokio::select! {
            made = &mut attack, if answers.is_none() => {
                answers = Some(made);
                quiet_since = Instant::now();
            }
            changed = sight.change() => changed?,
            () = tokio::time::sleep(Duration::from_millis(50)) => {}
        }
        match (sight.shows(&when), seen, undone) {
            (true, None, _) => seen = Some(Instant::now()),
            (true, Some(_), Some(_)) => undone = None,
            (false, Some(_), None) => (undone, quiet_since) = (Some(Instant::now()), Instant::now()),
            _ => {}
        }
        if answers.is_none() {
            if began.elapsed() > GIVE_UP * 2 {
                return Err("its requests are not answered".to_owned());
            }
            continue;
        }
        let quiet = quiet_since.elapsed();
        match (seen, undone) {
            (Some(_), _) if defence == Defence::None => return Ok(Ending::Through(String::new())),
            (Some(from), Some(to)) if quiet > QUIET => {
                // Once more, by what the API server lists.
                sight.look().await?;
                if !sight.shows(&when) {
                    return Ok(Ending::Reverted(to.duration_since(from)));
                }
                undone = None;
            }
            (Some(from), None) if from.elapsed() > patience(case) => return Ok(Ending::Through(sight.text())),
            (None, _) if quiet > (if defence == Defence::None { EFFECT } else { QUIET }) => {
                sight.look().await?;
                if !sight.shows(&when) {
                    return Ok(refused(&answers.unwrap_or_default()));
                }
            }
            _ => {}
        }
    }
}

/// Where no webhook stands in the way, a conflict means that the reconciler was faster than the attack's
/// next request: the round with nobody to defend shows that the attack works.
fn overtaken(ending: Ending) -> Ending {
    match ending {
        Ending::RefusedByKubernetes(why) if why.starts_with("409 ") => Ending::Overtaken,
        other => other,
    }
}

/// What is known to stay is not waited for as long.
fn patience(case: &Case) -> Duration {
    let stays = case.left.is_some() || case.harmless.is_some() || case.out_of_reach.is_some();
    if stays { Duration::from_secs(4) } else { GIVE_UP }
}

async fn make(attacker: &Attacker, case: &Case, key: &str) -> Vec<Answer> {
    let mut answers = Vec::new();
    for step in &case.steps {
        answers.extend(attacker.make(step, key).await);
    }
    answers
}

/// Nothing came of it: by whose doing?
fn refused(answers: &[Answer]) -> Ending {
    let says = |text: &str| answers.iter().find(|a| a.code != 200 && a.text.contains(text));
    let by_webhook = [".gitward.dev\" denied the request", ".gitward.dev\": failed to call webhook"];
    if let Some(answer) = by_webhook.into_iter().find_map(says) {
        return Ending::Denied("webhook", answer.text.clone());
    }
    if let Some(answer) = says("ValidatingAdmissionPolicy 'gitward-") {
        return Ending::Denied("fence", answer.text.clone());
    }
    if let Some(answer) = answers.iter().find(|a| {
        a.code == 403
            && (a.text.contains(" cannot ")
                || a.text.contains("attempting to grant")
                || a.text.contains("must have cluster-admin"))
    }) {
        return Ending::Denied("role", answer.text.clone());
    }
    match answers.iter().find(|a| a.code != 200) {
        Some(answer) => Ending::RefusedByKubernetes(format!("{} {}", answer.code, answer.text)),
        None => Ending::NoEffect,
    }
}
