use std::net::SocketAddr;

use axum::Router;
use axum::routing::get;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::*;
use crate::certificate::{Certificate, CertificateSource};
use crate::state_dir::StateDir;

struct Server {
    address: SocketAddr,
    client: Arc<ClientConfig>,
    stop: CancellationToken,
    served: JoinHandle<io::Result<()>>,
    _dir: tempfile::TempDir,
}

/// A server whose one answer takes a while.
async fn server() -> Server {
    let dir = tempfile::tempdir().unwrap();
    let source = CertificateSource::own(StateDir::open(dir.path()).unwrap(), vec!["localhost".to_owned()]);
    let certificate = Certificate::load(source, jiff::Timestamp::now()).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let slow = || async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        "judged"
    };
    let app = Router::new().route("/", get(slow));
    let stop = CancellationToken::new();
    let served = tokio::spawn(listen(listener, certificate.server_config().unwrap(), app, stop.clone()));
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_slice_iter(certificate.bundle().borrow().as_bytes()) {
        roots.add(root.unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let client = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let client = Arc::new(client.with_root_certificates(roots).with_no_client_auth());
    Server { address, client, stop, served, _dir: dir }
}

impl Server {
    async fn connect(&self) -> TlsStream<TcpStream> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        TlsConnector::from(self.client.clone())
            .connect(ServerName::try_from("localhost").unwrap(), stream)
            .await
            .unwrap()
    }
}

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// Reads until the answer is whole.
async fn answer(stream: &mut TlsStream<TcpStream>) -> String {
    let mut text = Vec::new();
    while !text.ends_with(b"judged") {
        let read = stream.read_buf(&mut text).await.unwrap();
        assert!(read > 0, "it ends with {}", String::from_utf8_lossy(&text));
    }
    String::from_utf8(text).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_being_judged_is_answered_before_the_end() {
    let server = server().await;
    let mut stream = server.connect().await;
    stream.write_all(REQUEST).await.unwrap();
    stream.flush().await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.stop.cancel();
    assert!(answer(&mut stream).await.starts_with("HTTP/1.1 200"));
    server.served.await.unwrap().unwrap();
    assert!(TcpStream::connect(server.address).await.is_err(), "nobody listens any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_say_nothing_hold_up_nobody_and_are_sent_away() {
    let server = server().await;
    let mut silent = Vec::new();
    for _ in 0..100 {
        // They do not even shake hands.
        silent.push(TcpStream::connect(server.address).await.unwrap());
    }
    let mut half = server.connect().await;
    half.write_all(b"GET / HTTP/1.1\r\nHo").await.unwrap();
    half.flush().await.unwrap();
    let mut stream = server.connect().await;
    for _ in 0..2 {
        stream.write_all(REQUEST).await.unwrap();
        stream.flush().await.unwrap();
        assert!(answer(&mut stream).await.starts_with("HTTP/1.1 200"));
    }
    let mut rest = Vec::new();
    let _ = half.read_to_end(&mut rest).await;
    assert!(!String::from_utf8_lossy(&rest).contains("judged"));
    for mut stream in silent {
        let _ = stream.read_to_end(&mut rest).await;
    }
}
