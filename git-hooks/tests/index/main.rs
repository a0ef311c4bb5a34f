//! The index changes no verdict: with it, without it, with one that is broken or another's, the same is
//! found.

mod history;
mod pool;

use std::fs;
use std::path::PathBuf;

use gitward_git_hooks::{Index, RefUpdate, RefVerdict, judge, remember, summary};
use gitward_repo::Limits;
use history::{History, Random};

/// Histories, each with other numbers.
const SEEDS: u64 = 6;

/// Pushes of each history.
const PUSHES: usize = 40;

/// Everything that a pusher could see of a verdict.
fn told(verdict: &RefVerdict) -> String {
    let mut sources: Vec<_> = verdict.sources.iter().map(|f| (&f.path, f.bytes.len())).collect();
    sources.sort();
    format!("{}\n{verdict:#?}", summary(std::slice::from_ref(verdict)))
}

fn verdict(history: &History, update: &RefUpdate, index: &Index) -> String {
    told(&judge(&history.repository(), update, &Limits::default(), index).unwrap())
}

fn index_files(history: &History) -> Vec<PathBuf> {
    let entries = fs::read_dir(history.index_directory()).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn whatever_is_pushed_the_verdict_is_the_one_without_index() {
    let mut known = 0;
    for seed in 1..=SEEDS {
        let mut random = Random::new(seed);
        let history = History::begun();
        let index = Index::of(&history.repository());
        for push in 0..PUSHES {
            let update = history.push(&mut random);
            let expected = verdict(&history, &update, &Index::none());
            let found = verdict(&history, &update, &index);
            assert_eq!(found, expected, "seed {seed}, push {push}: {}", history.last());
            known += usize::from(!index_files(&history).is_empty());
            // Not every push is followed by post-receive: the index may be older than the ref.
            if random.below(3) > 0 {
                remember(&history.repository(), &[update], &Limits::default(), &index).unwrap();
            }
        }
    }
    let pushes = SEEDS as usize * PUSHES;
    assert!(known > pushes / 2, "the index was there at {known} of {pushes} pushes");
}

#[test]
fn a_broken_index_is_none() {
    let mut random = Random::new(9);
    let history = History::begun();
    let index = Index::of(&history.repository());
    let first = history.push(&mut random);
    remember(&history.repository(), &[first], &Limits::default(), &index).unwrap();
    let update = history.push(&mut random);
    let expected = verdict(&history, &update, &Index::none());
    let files = index_files(&history);
    let [file] = &files[..] else { panic!("{files:?}") };
    let whole = fs::read(file).unwrap();
    let last = whole.len() - 1;
    for (what, bytes) in [
        ("empty", Vec::new()),
        ("cut", whole[..last / 2].to_vec()),
        ("cut by a byte", whole[..last].to_vec()),
        ("longer", [&whole[..], b"x"].concat()),
        ("noise", vec![0xa5; whole.len()]),
    ] {
        fs::write(file, bytes).unwrap();
        assert_eq!(verdict(&history, &update, &index), expected, "{what}");
    }
    for _ in 0..100 {
        let mut bytes = whole.clone();
        bytes[random.below(last)] ^= 1 << random.below(8);
        fs::write(file, bytes).unwrap();
        assert_eq!(verdict(&history, &update, &index), expected);
    }
    // And it comes back.
    remember(&history.repository(), &[update], &Limits::default(), &index).unwrap();
    assert!(fs::read(file).unwrap().len() > whole.len() / 2);
}

#[test]
fn with_an_index_what_did_not_change_is_not_read() {
    let history = History::begun();
    history.write("deploy/other.yaml", pool::CONFIG_MAP);
    history.write("deploy/web.yaml", pool::DEPLOYMENT);
    let first = history.commit();
    let index = Index::of(&history.repository());
    remember(&history.repository(), &[first], &Limits::default(), &index).unwrap();
    history.write("deploy/web.yaml", &pool::DEPLOYMENT.replace("replicas: 1", "replcas: 1"));
    let update = history.commit();
    let expected = verdict(&history, &update, &Index::none());
    assert!(expected.contains("schema/unknown-field"), "{expected}");

    history.lose("deploy/other.yaml");
    assert!(judge(&history.repository(), &update, &Limits::default(), &Index::none()).is_err());
    assert_eq!(verdict(&history, &update, &index), expected);
}

#[test]
fn of_a_directory_that_did_not_change_nothing_is_read() {
    let history = History::begun();
    history.write("deploy/other/settings.yaml", pool::CONFIG_MAP);
    history.write("deploy/web/web.yaml", pool::DEPLOYMENT);
    let first = history.commit();
    let index = Index::of(&history.repository());
    remember(&history.repository(), &[first], &Limits::default(), &index).unwrap();
    let pushed = ["replicas: 2", "replcas: 1"].map(|edit| {
        history.write("deploy/web/web.yaml", &pool::DEPLOYMENT.replace("replicas: 1", edit));
        let update = history.commit();
        let expected = verdict(&history, &update, &Index::none());
        (update, expected)
    });
    assert!(pushed[1].1.contains("schema/unknown-field"), "{}", pushed[1].1);

    history.lose("deploy/other");
    for (update, expected) in &pushed {
        assert!(judge(&history.repository(), update, &Limits::default(), &Index::none()).is_err());
        assert_eq!(&verdict(&history, update, &index), expected);
    }
}

/// A definition whose objects may grow and never shrink.
fn growing() -> String {
    let rule = "x-kubernetes-validations: [{rule: self.size >= oldSelf.size, message: it only grows}]";
    pool::DEFINITIONS[1].replace("spec: {type: object, ", &format!("spec: {{type: object, {rule}, "))
}

fn widget(size: u32) -> String {
    format!(
        "apiVersion: example.org/v1\nkind: Widget\nmetadata: {{name: a, namespace: shop}}\nspec: {{size: {size}}}\n"
    )
}

#[test]
fn an_object_that_another_file_declares_from_now_on_is_compared_with_what_it_was() {
    let history = History::begun();
    history.write("deploy/crd.yaml", &growing());
    history.write("deploy/b.yaml", &widget(9));
    history.write("deploy/f.yaml", &widget(5));
    let first = history.commit();
    let index = Index::of(&history.repository());
    remember(&history.repository(), &[first], &Limits::default(), &index).unwrap();

    // The file that does not count is not compared with the one that does.
    history.write("deploy/b.yaml", &format!("# touched\n{}", widget(9)));
    let touched = history.commit();
    history.remove("deploy/b.yaml");
    let taken = history.commit();
    for (update, is_told) in [(&touched, false), (&taken, true)] {
        let expected = verdict(&history, update, &Index::none());
        assert_eq!(expected.contains("it only grows"), is_told, "{expected}");
        assert_eq!(verdict(&history, update, &index), expected);
    }
}

#[test]
fn what_further_versions_find_counts_for_what_is_declared() {
    let history = History::begun();
    history.write("deploy/one.yaml", pool::DEPLOYMENT);
    history.write("deploy/other.yaml", pool::DEPLOYMENT);
    let first = history.commit();
    let index = Index::of(&history.repository());
    remember(&history.repository(), &[first], &Limits::default(), &index).unwrap();
    let later = "serviceAccountName: web\n      schedulingGroup: {podGroupName: g}";
    for (file, is_told) in [("deploy/other.yaml", false), ("deploy/one.yaml", true)] {
        history.write(file, &pool::DEPLOYMENT.replace("serviceAccountName: web", later));
        let update = history.commit();
        let expected = verdict(&history, &update, &Index::none());
        assert_eq!(expected.contains("schema/unknown-field"), is_told, "{expected}");
        assert_eq!(verdict(&history, &update, &index), expected, "{file}");
    }
}

#[test]
fn what_was_refused_is_not_kept() {
    let history = History::begun();
    history.write("deploy/web.yaml", pool::DEPLOYMENT);
    let first = history.commit();
    let index = Index::of(&history.repository());
    remember(&history.repository(), &[first], &Limits::default(), &index).unwrap();
    let before = index_files(&history).iter().map(|f| fs::read(f).unwrap()).collect::<Vec<_>>();
    history.write("deploy/web.yaml", &pool::DEPLOYMENT.replace("replicas: 1", "replcas: 1"));
    let update = history.commit();
    assert!(!judge(&history.repository(), &update, &Limits::default(), &index).unwrap().allowed());
    assert_eq!(index_files(&history).iter().map(|f| fs::read(f).unwrap()).collect::<Vec<_>>(), before);
}
