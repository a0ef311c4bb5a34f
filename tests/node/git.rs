//! The Git host as Pods reach it: over HTTPS, with a certificate of its own authority.

use std::sync::Arc;

use gitward_test_cluster::GitHost;
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::sandbox::ADDRESS;

const PORT: u16 = 443;

/// Serves what `host` does at the node's address, with TLS. Returns the certificate in PEM.
pub(crate) async fn serve_over_tls(host: &GitHost) -> String {
    let own = rcgen::generate_simple_self_signed([ADDRESS.to_owned()]).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(own.signing_key.serialize_der()));
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![own.cert.der().clone()], key);
    let acceptor = TlsAcceptor::from(Arc::new(config.unwrap()));
    let listener = TcpListener::bind((ADDRESS, PORT)).await.unwrap();
    let plain = host.url().trim_start_matches("http://").to_owned();
    tokio::spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            tokio::spawn(pass_on(acceptor.clone(), stream, plain.clone()));
        }
    });
    own.cert.pem()
}

/// The address of a repository of that name.
pub(crate) fn url(repository: &str) -> String {
    format!("https://{ADDRESS}/{repository}.git")
}

async fn pass_on(acceptor: TlsAcceptor, stream: TcpStream, plain: String) {
    let Ok(mut stream) = acceptor.accept(stream).await else { return };
    let Ok(mut host) = TcpStream::connect(plain).await else { return };
    // Whoever breaks off asks again.
    let _ = copy_bidirectional(&mut stream, &mut host).await;
}
