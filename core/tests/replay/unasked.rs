//! Which requests of a recording the API server would not ask about.

use gitward_core::derived::unasked::asked;
use kube_cel::cel::{Context, Program, Value, to_value};

use crate::recording::Recording;

/// Their positions.
pub(crate) fn of(recording: &Recording) -> Vec<usize> {
    let programs: Vec<Program> = asked().iter().map(|(_, text)| Program::compile(text).unwrap()).collect();
    let is_asked = |request: &serde_json::Value| {
        let mut context = Context::default();
        for (name, value) in
            [("request", request), ("object", &request["object"]), ("oldObject", &request["oldObject"])]
        {
            context.add_variable_from_value(name, to_value(value).unwrap());
        }
        programs.iter().all(|program| match program.execute(&context) {
            Ok(Value::Bool(holds)) => holds,
            other => panic!("{other:?} of {request}"),
        })
    };
    let positions = recording.requests.iter().enumerate();
    positions.filter(|(_, recorded)| !is_asked(recorded.review())).map(|(position, _)| position).collect()
}
