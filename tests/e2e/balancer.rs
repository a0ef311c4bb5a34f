//! What a Service does: one address, and behind it those replicas that are ready.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

/// Passes connections on, to one replica after the other; where one is not there, to the next.
pub(crate) struct Balancer {
    address: SocketAddr,
    counts: Arc<Vec<AtomicUsize>>,
}

impl Balancer {
    /// Starts one on this machine.
    pub(crate) async fn start(replicas: Vec<SocketAddr>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let counts: Arc<Vec<AtomicUsize>> = Arc::new(replicas.iter().map(|_| AtomicUsize::new(0)).collect());
        let counted = counts.clone();
        tokio::spawn(async move {
            for turn in 0.. {
                let Ok((client, _)) = listener.accept().await else { return };
                tokio::spawn(pass_on(client, replicas.clone(), turn, counted.clone()));
            }
        });
        Self { address, counts }
    }

    /// Its address as the API server calls it.
    pub(crate) fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// Connections that each replica was given so far.
    pub(crate) fn connections(&self) -> Vec<usize> {
        self.counts.iter().map(|count| count.load(Ordering::SeqCst)).collect()
    }
}

async fn pass_on(mut client: TcpStream, replicas: Vec<SocketAddr>, turn: usize, counts: Arc<Vec<AtomicUsize>>) {
    for n in 0..replicas.len() {
        let chosen = (turn + n) % replicas.len();
        if let Ok(mut replica) = TcpStream::connect(replicas[chosen]).await {
            counts[chosen].fetch_add(1, Ordering::SeqCst);
            let _ = copy_bidirectional(&mut client, &mut replica).await;
            return;
        }
    }
}
