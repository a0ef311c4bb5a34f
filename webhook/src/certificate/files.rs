//! A certificate from files, read again when they change.

use std::fs;
use std::path::{Path, PathBuf};

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::{CertificateError, Issued};

/// The three files.
#[derive(Debug, Clone)]
pub struct Files {
    /// Certificate chain (PEM).
    pub certificate: PathBuf,
    /// Private key (PEM).
    pub key: PathBuf,
    /// CA certificates to trust it by (PEM).
    pub ca: PathBuf,
    last: Option<[Vec<u8>; 3]>,
}

impl Files {
    /// Three files; nothing is read yet.
    pub fn new(certificate: PathBuf, key: PathBuf, ca: PathBuf) -> Self {
        Self { certificate, key, ca, last: None }
    }

    pub(super) fn issue(&mut self) -> Result<Option<Issued>, CertificateError> {
        let content = [read(&self.certificate)?, read(&self.key)?, read(&self.ca)?];
        if self.last.as_ref() == Some(&content) {
            return Ok(None);
        }
        let wrong =
            |path: &Path, reason: String| CertificateError::Content { what: path.display().to_string(), reason };
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&content[0])
            .collect::<Result<_, _>>()
            .map_err(|e| wrong(&self.certificate, e.to_string()))?;
        if chain.is_empty() {
            return Err(wrong(&self.certificate, "holds no certificate".to_owned()));
        }
        let key = PrivateKeyDer::from_pem_slice(&content[1]).map_err(|e| wrong(&self.key, e.to_string()))?;
        let bundle = String::from_utf8(content[2].clone()).map_err(|e| wrong(&self.ca, e.to_string()))?;
        self.last = Some(content);
        Ok(Some(Issued { chain, key, bundle }))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, CertificateError> {
    fs::read(path).map_err(|error| CertificateError::Io { what: path.display().to_string(), error })
}
