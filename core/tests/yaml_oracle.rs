//! The manifest reader against sigs.k8s.io/yaml, whose answers are recorded in
//! `tests/yaml-oracle/cases.json`.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use gitward_core::manifest::{self, Limits};
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Debug, PartialEq, Deserialize, Serialize)]
struct Case {
    yaml: String,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    strict: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    lax: Option<Value>,
}

/// Tells `null` from absent.
fn given<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/yaml-oracle")
}

fn cases() -> Vec<Case> {
    serde_json::from_slice(&fs::read(folder().join("cases.json")).unwrap()).unwrap()
}

/// What the reader makes of a text: the value, or the first problem.
fn ours(yaml: &str) -> Result<Value, String> {
    let (documents, problems) = manifest::documents(yaml.as_bytes(), &Limits::default());
    match (problems.first(), documents.len()) {
        (Some(problem), _) => Err(problem.to_string()),
        (None, 0) => Ok(Value::Null),
        (None, 1) => Ok(documents.into_iter().next().unwrap().value),
        (None, many) => Err(format!("{many} documents")),
    }
}

/// Where the reader is deliberately not the oracle.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Deviation {
    /// Reads what only the lax reading of the oracle takes, with the same result.
    AsLax,
    /// Refuses what the oracle takes.
    Stricter,
    /// Takes what the oracle refuses.
    Laxer,
}

use Deviation::{AsLax, Laxer, Stricter};

const OVERRIDE: &str = "what is written after a merge key overrides it, for kubectl apply as for everyone else";
const MANY_DIGITS: &str = "a float of many digits has more than one shortest text; as a key it is refused";
const JSON: &str = "kubectl reads a file that begins with a brace as JSON, if it is";
const COLON: &str = "a key without a value is meant, and the oracle takes the colon for a part of its name";
const FIRST_ONLY: &str = "the oracle silently drops what follows the first document";

const DEVIATIONS: &[(&str, Deviation, &str)] = &[
    ("b: &b {x: 1, y: 2}\nc: {<<: *b, x: 3}\n", AsLax, OVERRIDE),
    ("a: &a {x: 1}\nb: &b {x: 2, y: 3}\nc: {<<: [*a, *b]}\n", AsLax, OVERRIDE),
    ("a: &a {x: 1}\nb: &b {x: 2}\nc: {<<: [*a, *b], x: 5}\n", AsLax, OVERRIDE),
    ("a: &a {x: 1}\nc: {<<: [*a, {x: 2}]}\n", AsLax, OVERRIDE),
    ("a: !!binary /w==\n", Stricter, "what is no text cannot be put into JSON; the oracle garbles it"),
    ("a: !!timestamp 2001-01-01\n", Stricter, "nobody needs the tag"),
    ("  a: 1\n b: 2\n", Stricter, FIRST_ONLY),
    ("%YAML 1.1\n---\na: 1\n", Stricter, "kubectl cuts the directive off before the oracle sees it"),
    ("%TAG !e! tag:x,2000:\n---\na: !e!y 1\n", Stricter, "kubectl cuts the directive off before the oracle sees it"),
    ("123456.5: v\n", Stricter, MANY_DIGITS),
    ("1234567.0: v\n", Stricter, MANY_DIGITS),
    ("16777217.0: v\n", Stricter, MANY_DIGITS),
    ("{\"a\": \"x\\/y\"}\n", Laxer, JSON),
    ("{\"a\": \"\\ud83d\\ude00\"}\n", Laxer, JSON),
    ("{\"a\": \"x\u{7f}y\"}\n", Laxer, JSON),
    ("{\"a\": 1}\n{\"b\": 2}\n", Stricter, FIRST_ONLY),
    ("{\"a\": 1}{\"b\": 2}\n", Stricter, FIRST_ONLY),
    ("{a: x, b:}\n", Stricter, COLON),
    ("{b:}\n", Stricter, COLON),
    ("{b:, a: 1}\n", Stricter, COLON),
    ("[b:]\n", Stricter, COLON),
    ("{a: b:}\n", Stricter, COLON),
    ("{a: b:, c: 1}\n", Stricter, COLON),
    ("{http://a:}\n", Stricter, COLON),
];

#[test]
fn reads_as_kubectl_does() {
    let mut wrong = Vec::new();
    for case in cases() {
        let deviation = DEVIATIONS.iter().find(|(yaml, ..)| *yaml == case.yaml).map(|(_, deviation, _)| *deviation);
        let ours = ours(&case.yaml);
        let agreed = match deviation {
            None => ours.as_ref().ok() == case.strict.as_ref(),
            Some(AsLax) => case.strict.is_none() && ours.as_ref().ok() == case.lax.as_ref(),
            Some(Stricter) => case.strict.is_some() && ours.is_err(),
            Some(Laxer) => case.strict.is_none() && ours.is_ok(),
        };
        if !agreed {
            wrong.push(format!("{:?}\n  ours   {ours:?}\n  oracle {:?} {:?}", case.yaml, case.strict, case.error));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
#[ignore = "needs Go and its module proxy"]
fn the_recorded_answers_are_the_oracles() {
    let recorded = fs::read(folder().join("cases.json")).unwrap();
    assert_eq!(ask(recorded), cases());
}

/// Broken, shuffled and spliced texts: whatever the reader takes, it takes as the oracle does.
#[test]
#[ignore = "needs Go and its module proxy"]
fn mutated_texts_are_read_as_the_oracle_reads_them() {
    let seed = std::env::var("ORACLE_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(1);
    let texts: Vec<String> = cases().into_iter().map(|case| case.yaml).filter(|yaml| yaml.len() < 1000).collect();
    let mut random = Random(seed);
    let mutated: Vec<Case> = (0..30_000)
        .map(|_| Case { yaml: random.mutate(&texts), strict: None, error: None, lax: None })
        // Several documents are not the oracle's business, nor are directives and files of JSON.
        .filter(|case| !["---", "...", "%"].iter().any(|s| case.yaml.contains(s)) && !is_json(&case.yaml))
        .collect();
    let mut wrong = Vec::new();
    let mut refused = Vec::new();
    let mut agreed = 0;
    for case in ask(serde_json::to_vec(&mutated).unwrap()) {
        let ours = ours(&case.yaml);
        let merges = case.yaml.contains("<<");
        match (&ours, &case.strict) {
            // The oracle stops after the first document and does not see what follows it.
            (Err(problem), Some(_)) if problem.contains("the document has ended") => agreed += 1,
            (Err(problem), Some(_)) => refused.push(format!("{:?}: {problem}", case.yaml)),
            (Ok(ours), strict) if Some(ours) == strict.as_ref() || merges && Some(ours) == case.lax.as_ref() => {
                agreed += 1
            }
            (Ok(_), _) => {
                wrong.push(format!("{:?}\n  ours   {ours:?}\n  oracle {:?} {:?}", case.yaml, case.strict, case.error))
            }
            (Err(_), None) => agreed += 1,
        }
    }
    assert!(refused.len() * 100 < agreed, "too much refused that the oracle takes:\n{}", refused.join("\n"));
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

fn is_json(text: &str) -> bool {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<serde::de::IgnoredAny>();
    text.trim_start().starts_with('{') && values.all(|value| value.is_ok())
}

fn ask(cases: Vec<u8>) -> Vec<Case> {
    let mut oracle = Command::new("go")
        .args(["run", "."])
        .current_dir(folder())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("go is not installed");
    let mut stdin = oracle.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(&cases));
    let output = oracle.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A xorshift generator: the same texts for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }

    fn mutate(&mut self, texts: &[String]) -> String {
        const TOKENS: &[&str] = &[
            " ", "\n", ":", ": ", "- ", "-", "? ", "[", "]", "{", "}", ",", "&a ", "*a", "!", "!!str ", "!!int ", "\"",
            "'", "|", ">", "|-\n", "#", " #", "<<: ", "0", "_", ".", "e", "0x", "yes", "~", "\\", "\t", "\r\n",
            "\u{85}", "\u{2028}", "a", "1",
        ];
        let mut text: Vec<char> = texts[self.below(texts.len())].chars().collect();
        for _ in 0..1 + self.below(4) {
            let at = self.below(text.len() + 1);
            match self.below(4) {
                0 if at < text.len() => drop(text.remove(at)),
                1 if at < text.len() => {
                    let other: Vec<char> = texts[self.below(texts.len())].chars().collect();
                    text.splice(at..at, other);
                }
                2 if at < text.len() => {
                    let other = self.below(text.len());
                    text.swap(at, other);
                }
                _ => drop(text.splice(at..at, TOKENS[self.below(TOKENS.len())].chars())),
            }
        }
        text.into_iter().collect()
    }
}
