//! Gitea's API, as one of its accounts.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use ureq::http::{Request, StatusCode};

const WITHIN: Duration = Duration::from_secs(60);

pub(super) struct Account {
    agent: ureq::Agent,
    url: String,
    authorization: String,
}

/// What the API said.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Value,
}

impl Account {
    pub(super) fn new(url: &str, name: &str, password: &str) -> Self {
        let agent = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(WITHIN)).build();
        let authorization = format!("Basic {}", STANDARD.encode(format!("{name}:{password}")));
        Self { agent: agent.into(), url: format!("{url}/api/v1"), authorization }
    }

    pub(super) fn ask(&self, method: &str, path: &str, body: Value) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(format!("{}/{path}", self.url))
            .header("Authorization", &self.authorization)
            .header("Content-Type", "application/json")
            .body(body.to_string())
            .unwrap();
        let mut answer = self.agent.run(request).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        Answer { status: answer.status(), body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
    }
}

impl Answer {
    pub(super) fn succeeds(self) -> Value {
        assert!(self.status.is_success(), "{self:?}");
        self.body
    }

    /// Refused for what the one who asks did, with a message that says all of that.
    pub(super) fn refused(self, saying: &[&str]) {
        assert!(self.status.is_client_error(), "{self:?}");
        crate::laptop::shows(self.body["message"].as_str().unwrap(), saying);
    }
}
