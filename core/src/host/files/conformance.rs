#![allow(clippy::unwrap_used, clippy::missing_panics_doc)]

//! What files of every kind of host have to do; cases as in [`crate::host::conformance`].

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Copied, FileOptions, HostFile, OpenMode, Problem};
use crate::host::conformance::{Stage, within};
use crate::host::{Host, RunError};

/// A directory on the host, gone at the end, and one here.
struct Bench {
    stage: Stage,
    top: PathBuf,
    here: tempfile::TempDir,
}

impl Bench {
    async fn new(host: &Arc<dyn Host>) -> Bench {
        let stage = Stage::plain(host);
        let top = PathBuf::from(stage.text("mktemp -d").await);
        Bench { stage, top, here: tempfile::tempdir().unwrap() }
    }

    async fn sh(&self, command: &str) -> String {
        let _cd = self.stage.host.cd(self.top.to_str().unwrap(), false, false);
        self.stage.text(command).await
    }

    async fn open(&self, name: &str, mode: OpenMode) -> HostFile {
        let plain = FileOptions::default();
        within(name, self.stage.host.open(self.top.join(name), mode, &plain)).await.unwrap()
    }

    async fn write(&self, name: &str, content: &'static [u8], options: &FileOptions) -> Result<(), RunError> {
        let mut file = within(name, self.stage.host.open(self.top.join(name), OpenMode::Write, options)).await?;
        within(name, file.write(content)).await?;
        within(name, file.close()).await
    }

    async fn content(&self, name: &str) -> Vec<u8> {
        let mut file = self.open(name, OpenMode::Read).await;
        within(name, file.read(None)).await.unwrap().to_vec()
    }

    async fn put(&self, local: &Path, name: &str, options: &FileOptions) -> Result<Copied, RunError> {
        within(name, self.stage.host.put_file(local, self.top.join(name), options)).await
    }

    async fn get(&self, name: &str, local: &Path, options: &FileOptions) -> Result<Copied, RunError> {
        within(name, self.stage.host.get_file(self.top.join(name), local, options)).await
    }

    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.here.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    async fn end(self) {
        self.stage.text(&format!("chmod -R u+rwX '{0}' && rm -r '{0}'", self.top.display())).await;
    }
}

fn problem<T: std::fmt::Debug>(result: Result<T, RunError>) -> (Problem, String) {
    match result {
        Err(RunError::File(error)) => (error.fault.problem, error.to_string()),
        other => panic!("a trouble with a file was expected: {other:?}"),
    }
}

/// Open, read, readline, write, append, close.
// rows: F-49 F-50 F-51 F-52 F-53
pub async fn open_files(host: &Arc<dyn Host>) {
    let bench = Bench::new(host).await;
    let plain = FileOptions::default();
    bench.write("a file", b"one\ntwo\n\xff\0three", &plain).await.unwrap();
    assert_eq!(
        bench.sh("od -An -c 'a file' | head -n 1").await.trim(),
        "o   n   e  \\n   t   w   o  \\n 377  \\0   t   h   r   e   e"
    );
    let mut file = bench.open("a file", OpenMode::Read).await;
    assert_eq!(&file.readline().await.unwrap()[..], b"one\n");
    assert_eq!(&file.read(Some(0)).await.unwrap()[..], b"");
    assert_eq!(&file.read(Some(2)).await.unwrap()[..], b"tw");
    assert_eq!(&file.readline().await.unwrap()[..], b"o\n");
    assert_eq!(&file.readline().await.unwrap()[..], b"\xff\0three");
    assert_eq!((&file.readline().await.unwrap()[..], &file.read(None).await.unwrap()[..]), (&b""[..], &b""[..]));
    assert_eq!(problem(file.write("x").await).0, Problem::WrongMode);
    file.close().await.unwrap();
    file.close().await.unwrap();
    assert_eq!(problem(file.read(None).await).0, Problem::Closed);
    assert_eq!(problem(file.readline().await).0, Problem::Closed);

    let mut file = bench.open("a file", OpenMode::Append).await;
    file.write(", four").await.unwrap();
    assert_eq!(problem(file.read(None).await).0, Problem::WrongMode);
    file.close().await.unwrap();
    assert_eq!(problem(file.write("x").await).0, Problem::Closed);
    assert_eq!(bench.content("a file").await, b"one\ntwo\n\xff\0three, four");
    let mut file = bench.open("new", OpenMode::Append).await;
    file.write("begun").await.unwrap();
    file.close().await.unwrap();
    assert_eq!(bench.content("new").await, b"begun");

    let missing = bench.stage.host.open(bench.top.join("no/such"), OpenMode::Read, &plain).await.map(|_| ());
    let (kind, message) = problem(missing);
    assert_eq!(kind, Problem::Missing);
    let slug = bench.stage.host.slug();
    let path = bench.top.join("no/such");
    assert_eq!(message, format!("{slug}: cannot read {}: no such file or directory", path.display()));
    for mode in [OpenMode::Read, OpenMode::Write] {
        let directory = bench.stage.host.open(&bench.top, mode, &plain).await.map(|_| ());
        assert_eq!(problem(directory).0, Problem::IsADirectory, "{mode:?}");
    }
    assert_eq!(bench.sh("ls -A").await, "a file\nnew");
    bench.end().await;
}

/// The old file is there until the new one is whole; owner, permissions and links stay.
// rows: F-49
pub async fn replaced_in_one_step(host: &Arc<dyn Host>) {
    let bench = Bench::new(host).await;
    bench.sh("mkdir d && printf old > d/target && chmod 4640 d/target && ln -s d/target link").await;
    let inode = bench.sh("stat -c %i d/target").await;
    let mut file = bench.open("link", OpenMode::Write).await;
    file.write("ne").await.unwrap();
    assert_eq!(bench.content("link").await, b"old");
    file.write("w").await.unwrap();
    file.close().await.unwrap();
    assert_eq!(
        bench.sh("readlink link; cat d/target; stat -c ' %a' d/target; ls -A d").await,
        "d/target\nnew 4640\ntarget"
    );
    assert_ne!(bench.sh("stat -c %i d/target").await, inode, "it was written over");

    let mut file = bench.open("link", OpenMode::Write).await;
    file.write("half").await.unwrap();
    file.discard().await;
    assert_eq!(bench.sh("cat link; ls -A d").await, "newtarget");
    let mut file = bench.open("link", OpenMode::Write).await;
    file.write("half").await.unwrap();
    drop(file);
    bench.sh("while ls -A d | grep -q deployer; do sleep 0.05; done").await;
    assert_eq!(bench.content("link").await, b"new");

    let over = FileOptions { in_place: true, ..FileOptions::default() };
    let inode = bench.sh("stat -c %i d/target").await;
    bench.write("link", b"over", &over).await.unwrap();
    assert_eq!(bench.sh("cat d/target; stat -c ' %i' d/target").await, format!("over {inode}"));
    let private = FileOptions { mode: Some(0o600), ..FileOptions::default() };
    bench.write("secret", b"x", &private).await.unwrap();
    bench.sh("ln -s nowhere dangling").await;
    bench.write("dangling", b"found", &FileOptions::default()).await.unwrap();
    assert_eq!(bench.sh("stat -c %a secret; cat nowhere; test -h dangling && echo '!'").await, "600\nfound!");
    bench.write("/dev/null", b"gone", &FileOptions::default()).await.unwrap();
    assert_eq!(bench.sh("test -c /dev/null && echo device").await, "device");
    bench.end().await;
}

/// What is known about files.
// rows: F-44 F-45 F-46 F-47 F-48
pub async fn asking_about_files(host: &Arc<dyn Host>) {
    let bench = Bench::new(host).await;
    let here = &bench.stage.host;
    bench.sh("mkdir dir && printf 12345 > file && chmod 640 file && touch -d @1000000000 file && ln -s dir link").await;
    let owner = bench.sh("stat -c '%u %g' file").await;
    let _cd = here.cd(bench.top.to_str().unwrap(), false, false);
    let stat = within("stat", here.stat("file")).await.unwrap().unwrap();
    assert_eq!((stat.name.as_os_str(), stat.size, stat.mode), (OsStr::new("file"), 5, 0o640));
    assert_eq!((format!("{} {}", stat.uid, stat.gid), stat.modified), (owner, 1_000_000_000));
    assert!(stat.is_file() && !stat.is_dir());
    assert!(here.stat("link").await.unwrap().unwrap().is_dir());
    assert!(here.lstat("link").await.unwrap().unwrap().is_symlink());
    assert_eq!(problem(here.stat("none").await).0, Problem::Missing);

    bench.sh(r#"cd dir && touch 'two words' "$(printf 'new\nline')" "$(printf 'caf\351')" .hidden ./-n"#).await;
    let names: Vec<&[u8]> = vec![b"-n", b".hidden", b"caf\xe9", b"new\nline", b"two words"];
    let listed = within("listdir", here.listdir(Some(Path::new("dir")))).await.unwrap().unwrap();
    assert_eq!(listed.iter().map(|name| name.as_bytes()).collect::<Vec<_>>(), names);
    for name in names {
        let path = Path::new("dir").join(OsStr::from_bytes(name));
        let mut file = within("open", here.open(&path, OpenMode::Write, &FileOptions::default())).await.unwrap();
        file.write(name.to_vec()).await.unwrap();
        file.close().await.unwrap();
        assert_eq!(here.stat(&path).await.unwrap().unwrap().size, name.len() as u64);
    }
    let entries = here.listdir_stat(None).await.unwrap().unwrap();
    let kinds: Vec<_> = entries.iter().map(|e| (e.name.to_str().unwrap(), e.is_dir(), e.is_symlink())).collect();
    assert_eq!(kinds, [("dir", true, false), ("file", false, false), ("link", false, true)]);
    assert_eq!(problem(here.listdir(Some(Path::new("file"))).await).0, Problem::NotADirectory);
    assert_eq!(problem(here.listdir(Some(Path::new("none"))).await).0, Problem::Missing);

    let home = bench.sh("echo \"$HOME\"").await;
    let root = bench.sh("echo ~root").await;
    let path = async |path: &str| here.expand_path(path).await.unwrap().unwrap().to_str().unwrap().to_string();
    let top = bench.top.to_str().unwrap();
    assert_eq!(path("~").await, home);
    assert_eq!(path("~/a b").await, format!("{home}/a b"));
    assert_eq!(path("~root/x").await, format!("{root}/x"));
    assert_eq!((path("a/./b").await, path(".").await), (format!("{top}/a/b"), top.to_string()));
    assert_eq!((path("/x/~").await, path("a~").await), ("/x/~".to_string(), format!("{top}/a~")));
    assert_eq!(here.get_home_directory(Some("root")).await.unwrap(), Some(PathBuf::from(root)));
    assert!(here.get_home_directory(Some("no such user")).await.is_err());
    assert!(here.get_home_directory(Some("nosuchuser77")).await.unwrap_err().to_string().contains("no user"));
    drop(_cd);
    bench.end().await;
}

/// Up and down: every size, modes, links at the end of a path.
// rows: F-57 W-52
pub async fn transfers(host: &Arc<dyn Host>) {
    let bench = Bench::new(host).await;
    let plain = FileOptions::default();
    for size in [0, 1, 32 * 1024, 261_120, 261_121, 5 * 1024 * 1024 + 7] {
        let content: Vec<u8> = (0..size).map(|at: u32| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        let local = bench.file("up", &content);
        let copied = bench.put(&local, "there", &plain).await.unwrap();
        assert_eq!(copied, Copied { files: 1, bytes: size.into() });
        let back = bench.here.path().join("down");
        bench.get("there", &back, &plain).await.unwrap();
        assert!(std::fs::read(&back).unwrap() == content, "{size} bytes came back otherwise");
    }
    let script = bench.file("script", b"#!/bin/sh\n");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::File::options()
        .write(true)
        .open(&script)
        .unwrap()
        .set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000))
        .unwrap();
    bench.put(&script, "script", &plain).await.unwrap();
    assert_eq!(bench.sh("test -x script && echo runs").await, "runs");
    assert_ne!(bench.sh("stat -c %Y script").await, "1000000000");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o711)).unwrap();
    bench.put(&script, "script", &FileOptions { preserve: true, ..plain.clone() }).await.unwrap();
    assert_eq!(bench.sh("stat -c '%a %Y' script").await, "711 1000000000");
    let back = bench.here.path().join("back");
    bench.get("script", &back, &FileOptions { preserve: true, ..plain.clone() }).await.unwrap();
    let metadata = std::fs::metadata(&back).unwrap();
    assert_eq!((metadata.mode() & 0o777, metadata.mtime()), (0o711, 1_000_000_000));

    let absent = bench.here.path().join("absent");
    let (kind, message) = problem(bench.put(&absent, "there", &plain).await);
    assert!(kind == Problem::Missing && message.contains("cannot read the local file"), "{message}");
    let (kind, _) = problem(bench.get("absent", &absent, &plain).await);
    assert!(kind == Problem::Missing && !absent.exists(), "no empty file is left behind");
    let (_, message) = problem(bench.get(".", &absent, &plain).await);
    assert!(message.ends_with("it is a directory; recursive copies a directory"), "{message}");
    assert_eq!(bench.sh("ls -A").await, "script\nthere");
    bench.end().await;
}

/// More than 4 GiB, most of it holes, which stay holes.
pub async fn a_sparse_giant(host: &Arc<dyn Host>) {
    const GIANT: u64 = (4 << 30) + 300_000;
    let bench = Bench::new(host).await;
    let local = bench.file("giant", b"begin");
    let file = std::fs::File::options().write(true).open(&local).unwrap();
    file.write_all_at(b"end", GIANT - 3).unwrap();
    let copied = bench.put(&local, "giant", &FileOptions::default()).await.unwrap();
    assert_eq!(copied.bytes, GIANT);
    assert_eq!(bench.sh("stat -c %s giant; head -c 5 giant; tail -c 3 giant").await, format!("{GIANT}\nbeginend"));
    let blocks: u64 = bench.sh("stat -c %b giant").await.parse().unwrap();
    assert!(blocks < 10_000, "the holes were filled: {blocks} blocks");
    file.set_len(GIANT - 3).unwrap();
    bench.put(&local, "giant", &FileOptions::default()).await.unwrap();
    assert_eq!(bench.sh("stat -c %s giant").await, (GIANT - 3).to_string());
    bench.end().await;
}

/// Directories with everything in them.
pub async fn trees(host: &Arc<dyn Host>) {
    let bench = Bench::new(host).await;
    let tree = bench.here.path().join("tree");
    std::fs::create_dir_all(tree.join("deep/deeper/empty")).unwrap();
    let mut expected = Vec::new();
    for number in 0..100 {
        let name = [&b"deep/f\xff\n "[..], number.to_string().as_bytes()].concat();
        let path = tree.join(OsStr::from_bytes(&name));
        std::fs::write(&path, format!("content {number}")).unwrap();
        expected.push((name, format!("content {number}")));
    }
    symlink("../nowhere", tree.join("deep/link")).unwrap();
    std::fs::set_permissions(tree.join("deep"), std::fs::Permissions::from_mode(0o750)).unwrap();
    let whole = FileOptions { recursive: true, preserve: true, ..FileOptions::default() };
    for _ in 0..2 {
        // The second time everything is there already.
        let copied = bench.put(&tree, "tree", &whole).await.unwrap();
        assert_eq!(copied.files, 101);
    }
    assert_eq!(
        bench.sh("find tree -print0 | tr -cd '\\0' | wc -c; stat -c %a tree/deep; readlink tree/deep/link").await,
        "105\n750\n../nowhere"
    );
    let back = bench.here.path().join("back");
    bench.get("tree", &back, &whole).await.unwrap();
    for (name, content) in expected {
        assert_eq!(std::fs::read_to_string(back.join(OsStr::from_bytes(&name))).unwrap(), content);
    }
    assert!(back.join("deep/deeper/empty").is_dir());
    assert_eq!(std::fs::read_link(back.join("deep/link")).unwrap(), Path::new("../nowhere"));
    let single = bench.file("single", b"1");
    assert_eq!(bench.put(&single, "single", &whole).await.unwrap().files, 1);

    // A link that stands where a directory is to be is not followed.
    bench.sh("mkdir outside && rm -r tree/deep && ln -s ../outside tree/deep").await;
    let (_, message) = problem(bench.put(&tree, "tree", &whole).await);
    assert!(message.contains("it is a link where a directory is to be"), "{message}");
    assert_eq!(bench.sh("ls -A outside").await, "");
    bench.sh("mkfifo outside/pipe").await;
    let (_, message) = problem(bench.get("outside", &bench.here.path().join("out"), &whole).await);
    assert!(message.contains("outside/pipe: a device, pipe or socket cannot be copied"), "{message}");
    assert!(!bench.here.path().join("out").exists(), "nothing half done");
    bench.end().await;
}

/// A transfer that is interrupted leaves the old file, and nothing else.
pub async fn interrupted_transfers(host: &Arc<dyn Host>) {
    let bench = Bench::new(host).await;
    bench.sh("printf old > target").await;
    let local = bench.here.path().join("endless");
    let file = std::fs::File::create(&local).unwrap();
    // Not sparse, or it would be over before it is interrupted.
    let block = vec![1_u8; 1 << 20];
    (0..256).for_each(|at| file.write_all_at(&block, at << 20).unwrap());
    let fresh = Stage::plain(host);
    let plain = FileOptions::default();
    let putting = fresh.host.put_file(&local, bench.top.join("target"), &plain);
    let operator = async {
        bench.sh("until ls -A | grep -q deployer; do sleep 0.01; done").await;
        fresh.cancel.cancel();
    };
    let (result, ()) = tokio::join!(within("the upload", putting), operator);
    let (kind, message) = problem(result);
    assert!(kind == Problem::Interrupted && message.ends_with("interrupted; the old file is as it was"), "{message}");
    assert_eq!(bench.sh("cat target; ls -A").await, "oldtarget");
    bench.end().await;
}

/// A full disk leaves the old file as it was, and says so. Told where the host's user may mount a small disk.
pub async fn a_full_disk(host: &Arc<dyn Host>) {
    let bench = Bench::new(host).await;
    let small = "mkdir small && mount -t tmpfs -o size=1m none small 2>/dev/null && echo mounted || echo no";
    if bench.sh(small).await != "mounted" {
        return bench.end().await;
    }
    bench.sh("printf old > small/target").await;
    let local = bench.file("big", &vec![7; 3 << 20]);
    for options in [FileOptions::default(), FileOptions { use_sudo: true, ..FileOptions::default() }] {
        let (kind, message) = problem(bench.put(&local, "small/target", &options).await);
        let told = message.ends_with("no space left on the device; the old file is as it was");
        assert!(kind == Problem::Full && told, "{message}");
        assert_eq!(bench.sh("cat small/target; ls -A small").await, "oldtarget");
        let (_, message) = problem(bench.put(&local, "small/new", &options).await);
        assert!(message.contains("no space left on the device"), "{message}");
        assert_eq!(bench.sh("ls -A small").await, "target");
        let mut file = bench.stage.host.open(bench.top.join("small/target"), OpenMode::Append, &options).await.unwrap();
        let appended = match file.write(vec![7; 3 << 20]).await {
            Ok(()) => file.close().await,
            failed => failed,
        };
        let (kind, message) = problem(appended);
        assert!(kind == Problem::Full && message.ends_with("file is as it was"), "{message}");
        assert_eq!(bench.content("small/target").await, b"old");
    }
    let (_, message) = problem(bench.get("small/target", &bench.top.join("x/none"), &FileOptions::default()).await);
    assert!(message.contains("cannot write the local file"), "{message}");
    bench.sh("umount small").await;
    bench.end().await;
}

/// Nothing is touched.
// rows: F-56 F-82 W-09
pub async fn files_in_a_sandbox(host: &Arc<dyn Host>) {
    let bench = Bench::new(host).await;
    let checked = FileOptions { sandbox: Some(true), ..FileOptions::default() };
    bench.write("new", b"x", &checked).await.unwrap();
    let mut file = bench.stage.host.open("/no such file", OpenMode::Read, &checked).await.unwrap();
    assert_eq!((&file.read(None).await.unwrap()[..], &file.readline().await.unwrap()[..]), (&b""[..], &b""[..]));
    assert_eq!(problem(file.write("x").await).0, Problem::WrongMode);
    let local = bench.file("local", b"x");
    assert_eq!(bench.put(&local, "new", &checked).await.unwrap(), Copied::default());
    assert_eq!(problem(bench.put(Path::new("/no such file"), "new", &checked).await).0, Problem::Missing);
    bench.get("absent", &bench.here.path().join("absent"), &checked).await.unwrap();
    assert!(!bench.here.path().join("absent").exists());
    assert_eq!(bench.sh("ls -A").await, "");
    let mut here = bench.stage.host.clone();
    here.io.sandbox = true;
    assert_eq!(here.stat("/").await.unwrap(), None);
    assert_eq!(here.listdir(None).await.unwrap(), None);
    assert_eq!(here.expand_path("~").await.unwrap(), None);
    assert_eq!(here.get_home_directory(None).await.unwrap(), None);
    bench.end().await;
}

/// Files as root: what is read is not touched, what is written keeps owner, permissions and links, and no copy stays.
/// Told where sudo asks for no password.
// rows: F-54 F-55 W-10 W-22
pub async fn files_as_root(host: &Arc<dyn Host>) {
    let bench = Bench::new(host).await;
    if bench.sh("sudo -n true 2>/dev/null && echo yes || echo no").await != "yes" {
        return bench.end().await;
    }
    let sudo = FileOptions { use_sudo: true, ..FileOptions::default() };
    let secret = bench.top.file_name().unwrap().to_str().unwrap().to_string();
    let copies = "grep -rsl \"$(basename $(pwd))\" /tmp/deployer-*/ | wc -l";
    bench.sh("basename $(pwd) > a && sudo chown 65534:65534 a && sudo chmod 2640 a && ln -s a link").await;
    let facts = "stat -c '%u %g %a %i' a";
    let before = bench.sh(facts).await;
    let mut file = bench.stage.host.open(bench.top.join("link"), OpenMode::Read, &sudo).await.unwrap();
    assert_eq!(bench.sh(copies).await, "0", "a copy lies about");
    assert_eq!(&file.read(None).await.unwrap()[..], format!("{secret}\n").as_bytes());
    file.close().await.unwrap();
    assert_eq!(bench.sh(facts).await, before, "reading rewrites");

    let content = bench.file("local", secret.as_bytes());
    bench.put(&content, "link", &sudo).await.unwrap();
    bench.write("link", b"changed", &sudo).await.unwrap();
    assert_eq!(bench.sh("sudo cat a; stat -c ' %u %g %a' a; readlink link").await, "changed 65534 65534 2640\na");
    let local = bench.file("local", b"uploaded");
    bench.put(&local, "link", &sudo).await.unwrap();
    assert_eq!(bench.sh("sudo cat a; stat -c ' %u %g %a' a; readlink link").await, "uploaded 65534 65534 2640\na");
    let mut file = bench.stage.host.open(bench.top.join("a"), OpenMode::Append, &sudo).await.unwrap();
    file.write(" more").await.unwrap();
    file.close().await.unwrap();
    let back = bench.here.path().join("back");
    bench.get("a", &back, &sudo).await.unwrap();
    assert_eq!(std::fs::read(&back).unwrap(), b"uploaded more");
    assert_eq!(std::fs::metadata(&back).unwrap().mode() & 0o777, 0o600);
    let odd = OsStr::from_bytes(b"caf\xe9 'x\n");
    let mut file = bench.stage.host.open(bench.top.join(odd), OpenMode::Write, &sudo).await.unwrap();
    file.write("odd").await.unwrap();
    file.close().await.unwrap();
    assert_eq!(bench.stage.host.stat(bench.top.join(odd)).await.unwrap().unwrap().uid, 0);

    for mode in [OpenMode::Read, OpenMode::Write] {
        let path = bench.top.join("no/such");
        let mut opened = bench.stage.host.open(&path, mode, &sudo).await;
        if let Ok(file) = &mut opened {
            opened = file.close().await.map(|()| panic!("{mode:?} of a file in no directory"));
        }
        assert_eq!(problem(opened.map(|_| ())).0, Problem::Missing, "{mode:?}");
    }
    assert_eq!(problem(bench.get(".", &back, &sudo).await).0, Problem::IsADirectory);
    assert_eq!(bench.sh(&format!("{copies}; ls -A | tr -cd '\\n' | wc -c")).await, "0\n4");
    bench.sh("sudo rm -f a").await;
    bench.end().await;
}
