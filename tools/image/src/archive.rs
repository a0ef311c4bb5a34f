//! The image as a tar: an OCI layout that `docker load`, `podman load` and `ctr images import` take.

use std::io::{self, Write};
use std::path::Path;

use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use tar::{Builder, EntryType, Header};

use crate::root::{Entry, GITWARD, Root, USER};
use crate::{Error, Result};

/// The time of everything in it: the same files give the same image whenever it is made.
const TIME: &str = "1970-01-01T00:00:00Z";

/// Writes the image of that name (`gitward:0.1.0`). Returns its digest, `sha256:…`.
///
/// # Errors
/// A file cannot be read, or `out` not be written.
pub fn write(root: &Root, name: &str, out: impl Write) -> Result<String> {
    let layer = Blob::of(layer(root)?);
    let config = Blob::of(serde_json::to_vec(&config(&layer.digest))?);
    let manifest = Blob::of(serde_json::to_vec(&json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": config.descriptor("application/vnd.oci.image.config.v1+json"),
        "layers": [layer.descriptor("application/vnd.oci.image.layer.v1.tar")],
    }))?);
    let mut described = manifest.descriptor("application/vnd.oci.image.manifest.v1+json");
    described["annotations"] = json!({"io.containerd.image.name": name, "org.opencontainers.image.ref.name": name});
    let index =
        json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [described]});
    // What reads no OCI layout reads this.
    let docker = json!([{"Config": config.path(), "RepoTags": [name], "Layers": [layer.path()]}]);
    let mut tar = Builder::new(out);
    let texts = [
        ("index.json".to_owned(), serde_json::to_vec(&index)?),
        ("manifest.json".to_owned(), serde_json::to_vec(&docker)?),
        ("oci-layout".to_owned(), serde_json::to_vec(&json!({"imageLayoutVersion": "1.0.0"}))?),
    ];
    let blobs = [&config, &layer, &manifest].map(|blob| (blob.path(), blob.bytes.clone()));
    let written = || -> io::Result<()> {
        for folder in ["blobs", "blobs/sha256"] {
            append(&mut tar, folder, EntryType::Directory, 0o755, 0, &[])?;
        }
        for (path, bytes) in blobs.iter().chain(&texts) {
            append(&mut tar, path, EntryType::Regular, 0o644, 0, bytes)?;
        }
        tar.into_inner()?.flush()
    };
    written().map_err(Error::io(Path::new("the image")))?;
    Ok(manifest.digest)
}

fn config(layer: &str) -> Value {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    json!({
        "created": TIME,
        "architecture": architecture,
        "os": "linux",
        "config": {
            "User": format!("{USER}:{USER}"),
            "Entrypoint": [format!("/{GITWARD}")],
            "Env": ["PATH=/usr/bin", "HOME=/tmp"],
            "WorkingDir": "/",
        },
        "rootfs": {"type": "layers", "diff_ids": [layer]},
        "history": [{"created": TIME, "created_by": "gitward-image"}],
    })
}

/// The file system as a tar.
fn layer(root: &Root) -> Result<Vec<u8>> {
    let mut tar = Builder::new(Vec::new());
    for (path, entry) in root {
        let (bytes, of) = match entry {
            Entry::Copy { of, .. } => (std::fs::read(of).map_err(Error::io(of))?, of.as_path()),
            Entry::Text(text) => (text.clone().into_bytes(), Path::new(path)),
            Entry::Folder { .. } | Entry::Link(_) => (Vec::new(), Path::new(path)),
        };
        let appended = match entry {
            Entry::Folder { mode, owner } => append(&mut tar, path, EntryType::Directory, *mode, *owner, &[]),
            Entry::Text(_) => append(&mut tar, path, EntryType::Regular, 0o644, 0, &bytes),
            Entry::Copy { mode, .. } => append(&mut tar, path, EntryType::Regular, *mode, 0, &bytes),
            Entry::Link(to) => {
                let mut header = header(EntryType::Symlink, 0o777, 0, 0);
                tar.append_link(&mut header, path, to)
            }
        };
        appended.map_err(Error::io(of))?;
    }
    tar.into_inner().map_err(Error::io(Path::new("the layer")))
}

fn append(
    tar: &mut Builder<impl Write>,
    path: &str,
    kind: EntryType,
    mode: u32,
    owner: u32,
    bytes: &[u8],
) -> io::Result<()> {
    let mut header = header(kind, mode, owner, bytes.len());
    tar.append_data(&mut header, path, bytes)
}

fn header(kind: EntryType, mode: u32, owner: u32, size: usize) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(owner.into());
    header.set_gid(owner.into());
    header.set_mtime(0);
    header.set_size(u64::try_from(size).unwrap_or(u64::MAX));
    header
}

/// Something that is named by its digest.
struct Blob {
    digest: String,
    bytes: Vec<u8>,
}

impl Blob {
    fn of(bytes: Vec<u8>) -> Self {
        let hex: String = digest(&SHA256, &bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        Self { digest: format!("sha256:{hex}"), bytes }
    }

    fn path(&self) -> String {
        format!("blobs/{}", self.digest.replace(':', "/"))
    }

    fn descriptor(&self, media_type: &str) -> Value {
        json!({"mediaType": media_type, "digest": self.digest, "size": self.bytes.len()})
    }
}
