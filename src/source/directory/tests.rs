use super::*;

fn site() -> (tempfile::TempDir, Directory) {
    let site = tempfile::tempdir().unwrap();
    fs::create_dir_all(site.path().join("root/sub")).unwrap();
    fs::write(site.path().join("outside.txt"), "outside").unwrap();
    fs::write(site.path().join("root/a.txt"), "inside").unwrap();
    fs::write(site.path().join("root/.env"), "secret").unwrap();
    let root = Directory::new(&site.path().join("root"), 100).unwrap();
    (site, root)
}

fn read(root: &Directory, url: &str) -> Result<Vec<u8>, String> {
    match root.find(&SitePath::from_url(url).unwrap()) {
        Ok(Found::File(content)) => Ok(content.bytes.into()),
        other => Err(format!("{other:?}")),
    }
}

#[test]
fn reads_what_is_inside() {
    let (_site, root) = site();
    assert_eq!(read(&root, "/a.txt").unwrap(), b"inside");
    assert!(read(&root, "/b.txt").unwrap_err().contains("Missing"));
    assert!(read(&root, "/a.txt/").unwrap_err().contains("Missing"));
    assert!(read(&root, "/a.txt/b").unwrap_err().contains("Missing"));
    assert!(read(&root, "/sub").unwrap_err().contains("Directory"));
    assert!(read(&root, "/sub/").unwrap_err().contains("Directory"));
    fs::write(root.path().join("large.txt"), [b'x'; 101]).unwrap();
    assert!(read(&root, "/large.txt").unwrap_err().contains("Large"));
}

#[test]
fn a_log_that_takes_the_name_of_another_is_another_file() {
    let (_site, root) = site();
    let file = || root.tail(&SitePath::from_url("/a.txt").unwrap()).unwrap().file;
    let first = file();
    fs::write(root.path().join("a.txt"), "another line").unwrap();
    assert_eq!(file(), first);
    fs::write(root.path().join("new"), "inside").unwrap();
    fs::remove_file(root.path().join("a.txt")).unwrap();
    fs::rename(root.path().join("new"), root.path().join("a.txt")).unwrap();
    assert_ne!(file(), first);
}

#[cfg(unix)]
#[test]
fn links_lead_anywhere_inside_and_nowhere_else() {
    use std::os::unix::fs::symlink;
    let (site, root) = site();
    let link = |to: &str, from: &str| symlink(to, root.path().join(from)).unwrap();
    link("a.txt", "relative");
    link(root.path().join("a.txt").to_str().unwrap(), "absolute");
    link("../outside.txt", "out");
    link(site.path().join("outside.txt").to_str().unwrap(), "out2");
    link("..", "up");
    link(".env", "innocent.txt");
    link("circle", "circle");
    link("nowhere", "dangling");
    link("/dev/null", "device");
    link(&"x".repeat(300), "too-long");
    fs::create_dir(root.path().join(".aws")).unwrap();
    fs::write(root.path().join(".aws/credentials"), "secret").unwrap();
    fs::write(root.path().join(".npmrc"), "secret").unwrap();
    link(".npmrc", "a2.txt");
    link(".aws", "aws");
    link("aws/credentials", "credentials");
    // A volume of Kubernetes.
    fs::create_dir(root.path().join("..2026_11_21_09_05_03.1")).unwrap();
    fs::write(root.path().join("..2026_11_21_09_05_03.1/map.txt"), "config").unwrap();
    link("..2026_11_21_09_05_03.1", "..data");
    link("..data/map.txt", "map.txt");

    assert_eq!(read(&root, "/relative").unwrap(), b"inside");
    assert_eq!(read(&root, "/absolute").unwrap(), b"inside");
    assert_eq!(read(&root, "/map.txt").unwrap(), b"config");
    for url in ["/a2.txt", "/aws/", "/aws/credentials", "/credentials"] {
        let path = SitePath::from_url(url).unwrap();
        assert!(read(&root, url).unwrap_err().contains("Missing"), "{url}");
        assert!(matches!(root.tail(&path), Err(ReadError::Missing)), "{url}");
        assert!(matches!(root.entries(&path), Err(ReadError::Missing)), "{url}");
        assert!(root.find_now(&path).is_none() && root.standing(&path) == Standing::Missing, "{url}");
    }
    for url in ["/innocent.txt", "/dangling", "/too-long"] {
        assert!(read(&root, url).unwrap_err().contains("Missing"), "{url}");
    }
    for url in ["/out", "/out2", "/up/outside.txt", "/up/", "/device"] {
        assert!(read(&root, url).unwrap_err().contains("Outside"), "{url}");
    }
    assert!(read(&root, "/circle").unwrap_err().contains("Unreadable"));

    let names = root.entries(&SitePath::root()).unwrap().into_iter().map(|entry| entry.name);
    let mut names = names.collect::<Vec<_>>();
    names.sort();
    assert_eq!(names, ["a.txt", "absolute", "map.txt", "relative", "sub"]);
}

/// A directory and a link to outside take each other's place all the time.
#[cfg(target_os = "linux")]
#[test]
fn a_listing_never_shows_what_is_outside() {
    use rustix::fs::CWD;
    use rustix::fs::RenameFlags;
    use std::sync::atomic::AtomicBool;
    use std::sync::atomic::Ordering;

    let (site, root) = site();
    fs::create_dir(site.path().join("elsewhere")).unwrap();
    fs::write(site.path().join("elsewhere/secret.txt"), "").unwrap();
    fs::write(root.path().join("sub/inside.txt"), "").unwrap();
    std::os::unix::fs::symlink(site.path().join("elsewhere"), root.path().join("link")).unwrap();
    let (one, other) = (root.path().join("sub"), root.path().join("link"));
    let is_over = AtomicBool::new(false);
    let mut listed = 0;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                rustix::fs::renameat_with(CWD, &one, CWD, &other, RenameFlags::EXCHANGE).unwrap();
            }
        });
        for _ in 0..20_000 {
            for entry in root.entries(&SitePath::from_url("/sub/").unwrap()).unwrap_or_default() {
                assert_eq!(entry.name, "inside.txt");
                listed += 1;
            }
        }
        is_over.store(true, Ordering::Relaxed);
    });
    assert!(listed > 0, "the directory is there half of the time");
}

#[cfg(unix)]
#[test]
fn a_fifo_blocks_nobody() {
    let (_site, root) = site();
    let fifo = root.path().join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    assert!(read(&root, "/fifo").unwrap_err().contains("not a regular file"));
}
