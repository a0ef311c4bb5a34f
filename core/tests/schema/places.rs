//! Findings point to the line and column in Git.

use crate::{newest, read};

#[test]
fn each_finding_stands_where_the_mistake_is() {
    let text = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: app}
spec:
  replica: 3
  replicas: two
  template:
    spec:
      containers:
        - name: app
          imagePullPolicy: Sometimes
          ports:
            - name: http
";
    let findings = newest().check(&read(text)[0]);
    let found: Vec<_> = findings
        .iter()
        .map(|f| {
            let place = f.place.as_ref().expect("a place");
            (&*f.rule, f.field.as_ref().expect("a field").to_string(), place.line, place.column)
        })
        .collect();
    let expected = [
        ("schema/unknown-field", "spec.replica", 5, 3),
        ("schema/type", "spec.replicas", 6, 13),
        ("schema/enum", "spec.template.spec.containers[name=app].imagePullPolicy", 11, 28),
        ("schema/required", "spec.template.spec.containers[name=app].ports[0].containerPort", 13, 15),
        ("schema/required", "spec.selector", 4, 1),
    ];
    assert_eq!(found, expected.map(|(rule, field, line, column)| (rule, field.to_owned(), line, column)));
    assert!(findings.iter().all(|f| f.object.as_ref().is_some_and(|o| o.name == "app")));
}

#[test]
fn an_element_without_a_key_of_its_own_is_named_by_position() {
    let text = "\
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  containers:
    - {name: a, image: x, tty: 1}
    - {name: a, image: x, tty: 1}
    - {image: x, tty: 1}
";
    let fields: Vec<_> = newest()
        .check(&read(text)[0])
        .iter()
        .filter(|f| f.rule == "schema/type")
        .map(|f| f.field.as_ref().expect("a field").to_string())
        .collect();
    assert_eq!(fields, ["spec.containers[name=a].tty", "spec.containers[1].tty", "spec.containers[2].tty"]);
}
