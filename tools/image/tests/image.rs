//! The image as what loads it sees it.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use gitward_image::{archive, root};
use serde_json::Value;
use tar::Archive;

/// Any program will do where it is not run.
const STAND_IN: &str = "/usr/bin/git";

fn files(tar: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = Archive::new(tar);
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        (entry.path().unwrap().display().to_string(), bytes)
    });
    entries.collect()
}

#[test]
fn the_same_files_give_the_same_image_and_both_kinds_of_readers_find_their_way() {
    let write = || {
        let mut tar = Vec::new();
        let digest = archive::write(&root::with(Path::new(STAND_IN)).unwrap(), "gitward:test", &mut tar).unwrap();
        (digest, tar)
    };
    let ((digest, tar), again) = (write(), write());
    assert!((&digest, &tar) == (&again.0, &again.1), "not the same to the byte");
    let files = files(&tar);
    let json = |path: &str| -> Value { serde_json::from_slice(&files[path]).unwrap() };
    let blob = |digest: &Value| format!("blobs/{}", digest.as_str().unwrap().replace(':', "/"));

    let described = &json("index.json")["manifests"][0];
    assert_eq!(described["digest"], digest);
    let manifest = json(&blob(&described["digest"]));
    let (config, layer) = (blob(&manifest["config"]["digest"]), blob(&manifest["layers"][0]["digest"]));
    let docker = &json("manifest.json")[0];
    assert_eq!((docker["Config"].as_str(), docker["Layers"][0].as_str()), (Some(&*config), Some(&*layer)));
    let config = json(&config);
    assert_eq!(config["config"]["User"], "65532:65532");
    assert_eq!(config["rootfs"]["diff_ids"][0], manifest["layers"][0]["digest"]);

    let inside = self::files(&files[&layer]);
    for path in ["usr/bin/gitward", "usr/bin/git", "usr/bin/ssh", "usr/lib/git-core/git-remote-http", "etc/passwd"] {
        assert!(!inside[path].is_empty(), "{path}");
    }
    for path in ["usr/share/doc/git/copyright", "usr/share/doc/libc6/copyright", "usr/share/doc/gitward/packages"] {
        assert!(!inside[path].is_empty(), "{path}");
    }
    let programs: Vec<&String> = inside.keys().filter(|path| path.starts_with("usr/bin/")).collect();
    assert_eq!(
        programs,
        ["dash", "git", "git-upload-pack", "gitward", "sh", "ssh"]
            .map(|p| format!("usr/bin/{p}"))
            .iter()
            .collect::<Vec<_>>()
    );
}
