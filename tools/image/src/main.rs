//! Writes the image: `cargo run -p gitward-image -- --gitward target/release/gitward --out gitward.tar`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program of the command line")]

use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use gitward_image::{Error, archive, root};

/// Writes gitward's container image as a tar that docker, podman and containerd load.
#[derive(Debug, Parser)]
struct Arguments {
    /// The binary; build it with `cargo build --release -p gitward`.
    #[arg(long, value_name = "FILE")]
    gitward: PathBuf,
    /// Where the tar is written.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Name of the image.
    #[arg(long, default_value = concat!("gitward:", env!("CARGO_PKG_VERSION")))]
    name: String,
}

fn main() -> ExitCode {
    match written(&Arguments::parse()) {
        Ok(digest) => {
            println!("{digest}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("no image: {error}");
            ExitCode::from(2)
        }
    }
}

fn written(arguments: &Arguments) -> Result<String, Error> {
    let root = root::with(&arguments.gitward)?;
    let out = File::create(&arguments.out).map_err(|error| Error::Io { path: arguments.out.clone(), error })?;
    archive::write(&root, &arguments.name, BufWriter::new(out))
}
