//! Rules about the policies themselves.

use super::Row;

pub(super) const ROWS: &[Row] = &[
    Row {
        rule: "policy/compile",
        title: "Policies can be evaluated",
        why: "A policy that fails halfway, runs for ever, or gives another answer at another gate protects nothing. Broken Rego, recursion, unknown functions, functions like http.send or time.now_ns, and references to nothing are refused before anything is judged.",
        example: r#"deny contains msg if {
  input.kind == "Pod"    # there is no input.kind: it is input.object.kind
}"#,
        fix: "Mend the policy at the place named; `gitward policy test` checks it.",
    },
    Row {
        rule: "policy/evaluation",
        title: "A policy could be evaluated for an object",
        why: "An object that a policy cannot judge is not let through unseen: a value that a function cannot read would else be a way around the policy. A function that meets another type than it takes counts as undefined, as in OPA, and is only warned of.",
        example: r#"deny contains "too large" if units.parse_bytes(input.object.spec.size) > 1000"#,
        fix: "Guard the expression in the policy, for example with is_string or regex.match, or correct the object.",
    },
    Row {
        rule: "policy/sprintf",
        title: "Formats fit their arguments",
        why: "The message would hold `%!s(MISSING)` or the like.",
        example: r#"sprintf("%s in %s", [name])"#,
        fix: "Give each verb its argument.",
    },
    Row {
        rule: "policy/judges-nothing",
        title: "A policy judges something",
        why: "A package without `deny` or `warn` finds nothing, and neither does a policy for a kind that there is none of: most likely a name is misspelt, and everybody believes in a rule that does not hold. Packages that others use, and those with tests, need no rule of their own. A warning.",
        example: r#"kinds := {"Deploymnet.apps"}"#,
        fix: "Correct the name, or remove the file.",
    },
    Row {
        rule: "policy/exception",
        title: "An exception is for a policy that there is",
        why: "One for a policy that does not exist lets nothing pass: its name is misspelt, or the policy is gone, and then so should the exception be. A warning.",
        example: r#""policy": "privilegd""#,
        fix: "Write the policy's rule id as findings show it, with or without `policy/`, or remove the exception.",
    },
    Row {
        rule: "policy/not-text",
        title: "Policies are UTF-8 text",
        why: "A file that cannot be read as text cannot be a policy, and leaving it out would loosen the rules.",
        example: "",
        fix: "Save it as UTF-8, or move it out of the directories in `policies`.",
    },
];
