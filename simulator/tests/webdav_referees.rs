//! The simulated store, judged by others: Debian's `litmus` and `rclone`.

use std::path::Path;
use std::process::{Command, Stdio};

use simulator::{Account, Options, Setup, Simulator};

const SCENARIO: &str = "about = 'A store.'\nseed = 7\ntarget = 'gir'\n[world]\ninteractions = 1\n";

/// Every suite of litmus with its number of tests, all of which pass.
const SUITES: [(&str, u32); 5] = [
    ("basic", 16),
    ("copymove", 13),
    ("props", 30),
    ("locks", 41),
    ("http", 4),
];

async fn store() -> (Simulator, String, Account) {
    let setup = Setup::parse(SCENARIO, "store").expect("a setup");
    let simulator = Simulator::start(setup, Options::default())
        .await
        .expect("a simulator");
    let (url, account) = (
        simulator.addresses().webdav.clone().expect("a store"),
        simulator.credentials().webdav.clone(),
    );
    (simulator, url, account)
}

/// What a tool says and whether it is content.
async fn run(dir: &Path, program: &str, arguments: &[&str]) -> (bool, String) {
    let (dir, program) = (dir.to_owned(), program.to_owned());
    let arguments: Vec<String> = arguments.iter().map(|one| (*one).to_owned()).collect();
    let ran = tokio::task::spawn_blocking(move || {
        let mut command = Command::new(&program);
        command
            .args(&arguments)
            .current_dir(&dir)
            .env("HOME", &dir)
            .stdin(Stdio::null());
        let output = command
            .output()
            .unwrap_or_else(|error| panic!("{program}: {error}"));
        (
            output.status.success(),
            String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned(),
        )
    });
    ran.await.expect("it ran")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs litmus; ./check runs it"]
async fn litmus_passes() {
    let (_simulator, url, account) = store().await;
    let dir = tempfile::tempdir().expect("a folder");
    let (_, said) = run(
        dir.path(),
        "litmus",
        &[
            "-k",
            &format!("{url}/"),
            &account.username,
            &account.password,
        ],
    )
    .await;
    for (suite, tests) in SUITES {
        let wanted =
            format!("summary for `{suite}': of {tests} tests run: {tests} passed, 0 failed");
        assert!(said.contains(&wanted), "{wanted}\n{said}");
    }
    assert!(
        !said.contains("WARNING") || said.contains("delete_fragment"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs rclone; ./check runs it"]
async fn rclone_copies_a_folder_and_finds_it_the_same() {
    let (_simulator, url, account) = store().await;
    let dir = tempfile::tempdir().expect("a folder");
    let source = dir.path().join("source");
    for i in 0..22_u32 {
        let folder = source.join(format!("2024-07-{:02}", i % 3 + 1));
        std::fs::create_dir_all(&folder).expect("a folder");
        let bytes: Vec<u8> = (0..i * 40_000).map(|at| (at * 31 % 251) as u8).collect();
        std::fs::write(folder.join(format!("call {i} \u{e9}#%.mp3")), bytes).expect("a file");
    }
    let (_, hidden) = run(dir.path(), "rclone", &["obscure", &account.password]).await;
    let flags = [
        "--webdav-vendor=other",
        "--webdav-url",
        &url,
        "--webdav-user",
        &account.username,
        "--webdav-pass",
        hidden.trim(),
    ];
    for arguments in [
        &["copy", "source", ":webdav:copied"][..],
        &["check", "--download", "source", ":webdav:copied"],
    ] {
        let (is_content, said) = run(dir.path(), "rclone", &[arguments, &flags].concat()).await;
        assert!(is_content, "{arguments:?}: {said}");
        if arguments[0] == "check" {
            assert!(
                said.contains("22 matching files") && said.contains("0 differences found"),
                "{said}"
            );
        }
    }
}
