//! The load: connections that each send one request after the other.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// What is asked of whom.
pub(crate) struct Target<'a> {
    pub(crate) port: u16,
    pub(crate) ca: &'a str,
    pub(crate) path: &'a str,
    pub(crate) body: Vec<u8>,
}

/// What was measured.
#[derive(Default)]
pub(crate) struct Figures {
    latencies: Vec<Duration>,
    took: Duration,
    pub(crate) processor: Duration,
}

impl Figures {
    pub(crate) fn add(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        self.took += other.took;
        self.processor += other.processor;
    }

    pub(crate) fn quantile(&mut self, q: f64) -> Duration {
        self.latencies.sort_unstable();
        self.latencies[((self.latencies.len() - 1) as f64 * q) as usize]
    }

    pub(crate) fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.took.as_secs_f64()
    }

    pub(crate) fn processor_each(&self) -> Duration {
        self.processor.div_f64(self.latencies.len() as f64)
    }
}

/// Measures for a while.
pub(crate) async fn run(target: &Target<'_>, connections: usize, each: Duration) -> Figures {
    let mut roots = RootCertStore::empty();
    for one in CertificateDer::pem_slice_iter(target.ca.as_bytes()) {
        roots.add(one.unwrap()).unwrap();
    }
    let config = Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth());
    let head = format!(
        "POST {}?timeout=10s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n",
        target.path,
        target.body.len()
    );
    let request: Arc<[u8]> = [head.as_bytes(), &target.body].concat().into();
    let (port, began) = (target.port, Instant::now());
    let tasks: Vec<_> = (0..connections)
        .map(|_| tokio::spawn(connection(port, config.clone(), request.clone(), began + each)))
        .collect();
    let mut figures = Figures::default();
    for task in tasks {
        figures.latencies.extend(task.await.unwrap());
    }
    figures.took = began.elapsed();
    figures
}

async fn connection(port: u16, config: Arc<ClientConfig>, request: Arc<[u8]>, until: Instant) -> Vec<Duration> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = TlsConnector::from(config).connect(name, stream).await.unwrap();
    let (mut latencies, mut buffer) = (Vec::new(), Vec::new());
    while Instant::now() < until {
        let sent = Instant::now();
        stream.write_all(&request).await.unwrap();
        stream.flush().await.unwrap();
        answer(&mut stream, &mut buffer).await;
        latencies.push(sent.elapsed());
    }
    latencies
}

/// Reads one answer, which has to let the request pass.
async fn answer(stream: &mut (impl AsyncReadExt + Unpin), buffer: &mut Vec<u8>) {
    buffer.clear();
    loop {
        assert_ne!(stream.read_buf(buffer).await.unwrap(), 0, "the server closed the connection");
        let Some(end) = buffer.windows(4).position(|w| w == b"\r\n\r\n") else { continue };
        let head = std::str::from_utf8(&buffer[..end]).unwrap().to_ascii_lowercase();
        assert!(head.starts_with("http/1.1 200"), "{head}");
        let length = head.lines().find_map(|l| l.strip_prefix("content-length: ")).unwrap();
        if buffer.len() >= end + 4 + length.parse::<usize>().unwrap() {
            break;
        }
    }
    let passes = buffer.windows(14).any(|w| w == b"\"allowed\":true");
    assert!(passes, "{}", String::from_utf8_lossy(buffer));
}
