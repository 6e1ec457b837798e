//! What a second run finds, with stand-ins for the server and the bridge.

use super::*;

/// A folder with a target folder of scripts in it that stand in for the programs.
struct Scene {
    folder: PathBuf,
    workspace: Workspace,
    server: Server,
    profile: PathBuf,
}

impl Scene {
    /// `bridge` is what the bridge's stand-in does; `$profile` is the folder that it was given.
    fn new(name: &str, bridge: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("mecum-demo-{name}-{}", std::process::id()));
        let workspace = Workspace { root: folder.clone(), target: folder.join("target") };
        fs::create_dir_all(folder.join("target/debug")).expect("a temporary folder can be made");
        let scene = Self {
            server: Server {
                _process: None,
                url: "http://127.0.0.1:1".to_owned(),
                folder: folder.join("server"),
            },
            profile: folder.join("profile"),
            workspace,
            folder,
        };
        scene.script("mecum-server", "echo code");
        scene.script("mecum-bridge", &format!("profile=$2; echo \"$@\" >> calls; {bridge}"));
        scene
    }

    fn script(&self, name: &str, body: &str) {
        // Written by a process of its own: a file that a fork of this one still has open cannot be run.
        let written = Command::new("sh")
            .args(["-c", r#"printf '#!/bin/sh\n%s\n' "$1" > "$2" && chmod 700 "$2""#, "sh", body])
            .arg(self.workspace.debug_binary(name))
            .status();
        assert!(written.is_ok_and(|status| status.success()), "a script can be written");
    }

    fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.folder.join("calls")).unwrap_or_default();
        calls.lines().map(str::to_owned).collect()
    }

    fn demo(&self) -> Result<Option<String>, String> {
        make_profile(&self.workspace, &self.profile, &self.server)
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

const MAKES: &str = r#"echo made >> "$profile/vault"; echo '{"passphrase":"one two three four five six"}'"#;

#[test]
fn a_second_run_makes_no_new_demo_and_tells_no_passphrase() {
    let scene = Scene::new("second", MAKES);
    let first = scene.demo().expect("the demo is made");
    assert_eq!(first.as_deref(), Some("one two three four five six"), "the first run tells the passphrase");
    assert!(
        scene
            .calls()
            .first()
            .is_some_and(|call| call.contains("--make-demo") && call.contains("--code code")),
        "as a demo, enrolled"
    );
    let second = scene.demo().expect("the demo is there");
    assert_eq!(second, None, "the second run has none to tell");
    assert_eq!(scene.calls().len(), 1, "and made nothing");
    assert_eq!(
        fs::read_to_string(scene.profile.join("vault")).ok().as_deref(),
        Some("made\n"),
        "the vault is as it was"
    );
    assert!(!scene.profile.join(UNFINISHED).exists(), "nothing of the making is left");
}

#[test]
fn a_demo_whose_making_was_cut_short_is_made_anew() {
    let scene = Scene::new("cut", MAKES);
    fs::create_dir_all(scene.profile.join("inner")).expect("a folder can be made");
    for file in ["vault", "inner/file", UNFINISHED] {
        fs::write(scene.profile.join(file), "half").expect("a file can be written");
    }
    let passphrase = scene.demo().expect("the demo is made");
    assert!(passphrase.is_some(), "nobody was told the passphrase of the half one");
    assert_eq!(
        fs::read_to_string(scene.profile.join("vault")).ok().as_deref(),
        Some("made\n"),
        "nothing of the half one is in it"
    );
    assert!(!scene.profile.join("inner").exists(), "nor beside it");
}

#[test]
fn the_mark_of_a_half_made_profile_is_there_while_it_is_made() {
    let scene = Scene::new("mark", r#"test -e "$profile/unfinished" && echo '{"passphrase":"p"}'"#);
    assert_eq!(scene.demo(), Ok(Some("p".to_owned())), "the bridge found the mark");
}

#[test]
fn a_file_that_is_refused_leaves_no_profile() {
    let scene = Scene::new("refused", r#"echo half > "$profile/vault"; exit 1"#);
    let refused = import_profile(&scene.workspace, &scene.profile, &scene.server, Path::new("file.json"));
    assert!(refused.is_err(), "the bridge's refusal is an error");
    assert!(
        scene.calls().first().is_some_and(|call| call.ends_with("--import file.json")),
        "it was given the file"
    );
    assert!(!is_whole(&scene.profile), "the next run may use the folder");
    assert_eq!(
        fs::read_dir(&scene.profile).expect("the folder is there").count(),
        0,
        "nothing is left in it"
    );
}

#[test]
fn an_import_touches_no_profile_that_is_in_use() {
    let scene = Scene::new("in-use", MAKES);
    fs::create_dir_all(&scene.profile).expect("a folder can be made");
    fs::write(scene.profile.join("vault"), "a record").expect("a file can be written");
    let refused = import_profile(&scene.workspace, &scene.profile, &scene.server, Path::new("file.json"));
    assert!(refused.is_err_and(|reason| reason.contains("in use")), "it is said why");
    assert!(scene.calls().is_empty(), "the bridge was not asked");
    assert_eq!(
        fs::read_to_string(scene.profile.join("vault")).ok().as_deref(),
        Some("a record"),
        "the vault is as it was"
    );
}

/// A data folder whose last run had the port of `listener`.
fn data_of(scene: &Scene, listener: &TcpListener) -> u16 {
    let port = listener.local_addr().expect("it is bound").port();
    fs::write(scene.folder.join("port"), port.to_string()).expect("a file can be written");
    port
}

fn listener() -> TcpListener {
    TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port")
}

const SOON: Duration = Duration::from_millis(300);

#[test]
fn a_port_that_the_last_run_is_giving_back_is_waited_for() {
    let scene = Scene::new("back", MAKES);
    let taken = listener();
    let port = data_of(&scene, &taken);
    let ending = thread::spawn(move || {
        thread::sleep(SOON);
        drop(taken);
    });
    let found = place(&scene.folder, Duration::from_secs(10), || true);
    ending.join().expect("the listener was dropped");
    assert_eq!(found, Ok(Place::Free(port)), "the same port, because the profile remembers it");
}

#[test]
fn the_server_of_a_run_that_is_open_is_used() {
    let scene = Scene::new("open", MAKES);
    let taken = listener();
    let port = data_of(&scene, &taken);
    let answering = thread::spawn(move || {
        let (mut stream, _) = taken.accept().expect("it is asked");
        let _ = stream.read(&mut [0; 512]).expect("it is asked something");
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n").expect("it answers");
        taken
    });
    let found = place(&scene.folder, Duration::from_secs(10), || true);
    assert_eq!(found, Ok(Place::Ours(port)), "it answers and is over this folder");
    answering.join().expect("it was asked how it is");
}

#[test]
fn a_stranger_on_the_port_is_named_and_not_spoken_to() {
    let scene = Scene::new("stranger", MAKES);
    let taken = listener();
    let port = data_of(&scene, &taken);
    let found = place(&scene.folder, SOON, || false);
    assert!(found.is_err_and(|reason| reason.contains(&format!("port {port}"))), "the port is named");
    taken.set_nonblocking(true).expect("it can be asked without waiting");
    assert!(taken.accept().is_err(), "nobody connected");
}

#[cfg(target_os = "linux")]
#[test]
fn a_server_is_known_by_its_folder_and_not_by_its_number_alone() {
    let scene = Scene::new("known", MAKES);
    let mut other = Command::new("sh")
        .args(["-c", "read line", "mecum-server"])
        .arg(&scene.server.folder)
        .stdin(std::process::Stdio::piped())
        .spawn()
        .expect("sh starts");
    let pid_file = scene.folder.join("server.pid");
    fs::write(&pid_file, other.id().to_string()).expect("a file can be written");
    // Until the new process runs its program it has the words of this one.
    let begun = Instant::now();
    while !is_server_of(&pid_file, &scene.server.folder) && begun.elapsed() < Duration::from_secs(5) {
        thread::sleep(Duration::from_millis(10));
    }
    assert!(is_server_of(&pid_file, &scene.server.folder), "a process over this folder");
    assert!(!is_server_of(&pid_file, &scene.folder), "a process over another one");
    other.kill().expect("it can be ended");
    other.wait().expect("it ended");
    assert!(!is_server_of(&pid_file, &scene.server.folder), "a process that is no more");
}
