//! The Common Gateway Interface to `git http-backend`: bodies stream in both directions.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, USER_AGENT};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::TryStreamExt;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{ChildStdin, Command};
use tokio_util::io::{ReaderStream, StreamReader};

use crate::work_tree::isolate;

/// No head of an answer is larger, in bytes.
const LARGEST_HEAD: u64 = 64 * 1024;

/// The program that answers, and the repositories that it serves.
#[derive(Debug)]
pub(crate) struct Backend {
    repositories: PathBuf,
    program: PathBuf,
}

impl Backend {
    pub(crate) fn new(repositories: PathBuf, program: PathBuf) -> Self {
        Self { repositories, program }
    }

    /// The program, told what `request` asks. Its errors go to the host's standard error.
    fn command(&self, request: &Request) -> Command {
        let mut command = std::process::Command::new(&self.program);
        isolate(&mut command, Path::new("/"));
        command
            .env("GIT_PROJECT_ROOT", &self.repositories)
            .env("GIT_HTTP_EXPORT_ALL", "1")
            .env("REQUEST_METHOD", request.method().as_str())
            .env("PATH_INFO", request.uri().path())
            .env("QUERY_STRING", request.uri().query().unwrap_or_default())
            .env("REMOTE_ADDR", "127.0.0.1")
            .env("SERVER_PROTOCOL", "HTTP/1.1")
            .env("GATEWAY_INTERFACE", "CGI/1.1");
        // Without a length (a chunked body) the program reads to the end; it inflates gzip itself.
        let passed = [
            (CONTENT_LENGTH, "CONTENT_LENGTH"),
            (CONTENT_TYPE, "CONTENT_TYPE"),
            (CONTENT_ENCODING, "HTTP_CONTENT_ENCODING"),
            (USER_AGENT, "HTTP_USER_AGENT"),
            (HeaderName::from_static("git-protocol"), "GIT_PROTOCOL"),
        ];
        for (header, variable) in passed {
            match request.headers().get(header).and_then(|value| value.to_str().ok()) {
                Some(value) => command.env(variable, value),
                None => command.env_remove(variable),
            };
        }
        let mut command = Command::from(command);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        command
    }
}

pub(crate) fn router(backend: Arc<Backend>) -> Router {
    Router::new().fallback(answer).with_state(backend)
}

async fn answer(State(backend): State<Arc<Backend>>, request: Request) -> Response {
    run(&backend, request).await.unwrap_or_else(|error| {
        tracing::warn!("git http-backend: {error}");
        (StatusCode::BAD_GATEWAY, error.to_string()).into_response()
    })
}

async fn run(backend: &Backend, request: Request) -> io::Result<Response> {
    let mut child = backend.command(&request).spawn()?;
    let broken = || io::Error::other("a pipe is missing");
    let stdin = child.stdin.take().ok_or_else(broken)?;
    let mut stdout = BufReader::new(child.stdout.take().ok_or_else(broken)?);
    // Beside reading the answer: the program answers before it has read a large body.
    tokio::spawn(feed(request.into_body(), stdin));
    let (status, headers) = read_head(&mut stdout).await?;
    // When the client goes away the pipe closes, and with it the program ends.
    tokio::spawn(async move { child.wait().await });
    let mut response = Response::new(Body::from_stream(ReaderStream::new(stdout)));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

async fn feed(body: Body, mut stdin: ChildStdin) {
    let mut body = StreamReader::new(body.into_data_stream().map_err(io::Error::other));
    // A program that has refused reads no more; its answer says why.
    let _ = tokio::io::copy(&mut body, &mut stdin).await;
}

/// Reads the header lines up to the empty one.
async fn read_head(stdout: &mut (impl AsyncBufRead + Unpin)) -> io::Result<(StatusCode, HeaderMap)> {
    let mut head = stdout.take(LARGEST_HEAD);
    let (mut status, mut headers) = (StatusCode::OK, HeaderMap::new());
    loop {
        let mut line = String::new();
        if head.read_line(&mut line).await? == 0 || !line.ends_with('\n') {
            return Err(io::Error::other("the answer has no whole head"));
        }
        let line = line.trim_end();
        if line.is_empty() {
            return Ok((status, headers));
        }
        let (name, value) = line.split_once(':').ok_or_else(|| io::Error::other("a header has no colon"))?;
        let value = value.trim();
        if name.eq_ignore_ascii_case("status") {
            let code = value.split(' ').next().unwrap_or_default();
            status = StatusCode::from_bytes(code.as_bytes()).map_err(io::Error::other)?;
        } else {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(io::Error::other)?;
            headers.append(name, HeaderValue::from_str(value).map_err(io::Error::other)?);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn reads_heads_and_refuses_what_is_none() {
        let cases: [(&str, Option<(u16, usize)>); 6] = [
            ("Content-Type: a/b\r\n\r\nbody", Some((200, 1))),
            ("Status: 404 Not Found\r\nExpires: never\r\n\r\n", Some((404, 1))),
            ("\r\n", Some((200, 0))),
            ("Content-Type: a/b\r\n", None),
            ("no colon\r\n\r\n", None),
            ("", None),
        ];
        for (text, expected) in cases {
            let read = read_head(&mut text.as_bytes()).await.ok();
            assert_eq!(read.map(|(status, headers)| (status.as_u16(), headers.len())), expected, "{text:?}");
        }
    }
}
