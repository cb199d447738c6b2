//! The commands of README.md, docs/guide and examples are run as they stand there, and answer what
//! the page shows.
//!
//! How a page is written:
//! - A block ```` ```console ```` is run. `$ ` begins a command, `>
//!   ` goes on with it, other lines are its output. All blocks of a page are one bash session in a fresh folder that holds `scenarios` and `examples` as a checkout does, with `seatrial` on the `PATH`.
//! - A command without output below it may answer anything. Output is standard output, or standard
//!   output and then standard error. A line `...` stands for any number of lines, `[..]` for
//!   anything within a line. What differs from run to run is compared by its form: ports, seconds,
//!   counts of requests, dates, hashes.
//! - A command ends with 0 unless the next one is `$ echo $?`.
//! - A block ```` ```console,no-run: REASON ```` is not run. Its subcommands and flags have to
//!   exist, and there is a limit to such blocks.
//! - Other blocks name another language; none goes without one.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails where it stands"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Blocks that need something no test has: a vendor's organisation, a build, hours.
const MOST_NOT_RUN: usize = 12;
/// Languages of blocks that hold no commands.
const NOT_COMMANDS: [&str; 5] = ["toml", "csv", "json", "text", "python"];
/// Seconds a page may take beside the others.
const PAGE_SECONDS: &str = "600";

struct Block {
    line: usize,
    info: String,
    body: Vec<String>,
}

#[derive(Debug)]
struct Step {
    line: usize,
    command: String,
    expected: Vec<String>,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> = std::fs::read_dir(root().join("docs/guide"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    pages.retain(|page| page.extension().is_some_and(|extension| extension == "md"));
    pages.extend(["README.md", "examples/python-migrator/README.md"].map(|page| root().join(page)));
    pages.sort();
    assert!(pages.len() >= 8, "{pages:?}");
    pages
}

fn name(page: &Path) -> String {
    page.strip_prefix(root()).unwrap().display().to_string()
}

fn blocks(page: &Path) -> Vec<Block> {
    let text = std::fs::read_to_string(page).unwrap();
    let (mut blocks, mut open) = (Vec::new(), None::<Block>);
    for (n, line) in text.lines().enumerate() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(info), None) => {
                open = Some(Block {
                    line: n + 1,
                    info: info.trim().to_owned(),
                    body: Vec::new(),
                })
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some(block)) => block.body.push(line.to_owned()),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{}: a block is not closed", name(page));
    blocks
}

fn steps(block: &Block) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for (n, line) in block.body.iter().enumerate() {
        let line_number = block.line + n + 1;
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step {
                line: line_number,
                command: command.to_owned(),
                expected: Vec::new(),
            });
            continue;
        }
        let step = steps
            .last_mut()
            .unwrap_or_else(|| panic!("line {line_number}: output without a command: {line}"));
        match line
            .strip_prefix("> ")
            .or_else(|| (line == ">").then_some(""))
        {
            Some(more) if step.expected.is_empty() => {
                step.command.push('\n');
                step.command.push_str(more);
            }
            _ => step.expected.push(line.trim_end().to_owned()),
        }
    }
    steps
}

/// A line with what differs from run to run taken out.
fn form(line: &str) -> String {
    let words: Vec<&str> = line.trim_end().split(' ').collect();
    let counted = [
        "requests",
        "answered",
        "requests,",
        "requests)",
        "s",
        "s,",
        "s)",
        "to",
    ];
    let mut out = Vec::new();
    for (n, word) in words.iter().enumerate() {
        let next = words.get(n + 1).copied().unwrap_or_default();
        let bare = word.trim_start_matches('(');
        let is_number = !bare.is_empty() && bare.chars().all(|c| c.is_ascii_digit() || c == '.');
        out.push(if is_number && counted.contains(&next) {
            word.replace(bare, "N")
        } else {
            shape(word)
        });
    }
    out.join(" ")
}

/// A word without its port, date and hash.
fn shape(word: &str) -> String {
    if let Some((before, after)) = word.split_once("127.0.0.1:") {
        return format!(
            "{before}127.0.0.1:PORT{}",
            after.trim_start_matches(|c: char| c.is_ascii_digit())
        );
    }
    let mut out = String::new();
    for part in word.split_inclusive(|c: char| !(c.is_ascii_alphanumeric() || "-:.".contains(c))) {
        let token =
            part.trim_end_matches(|c: char| !(c.is_ascii_alphanumeric() || "-:.".contains(c)));
        let digits = token.chars().filter(char::is_ascii_digit).count();
        let is_date = token.len() >= 10
            && digits >= 8
            && token.as_bytes()[4] == b'-'
            && token.as_bytes()[7] == b'-';
        let is_hash = token.len() == 64 && token.chars().all(|c| c.is_ascii_hexdigit());
        out.push_str(if is_date {
            "DATE"
        } else if is_hash {
            "HASH"
        } else {
            token
        });
        out.push_str(&part[token.len()..]);
    }
    out
}

/// Whether a line is what the page shows; `[..]` is anything.
fn line_fits(expected: &str, actual: &str) -> bool {
    let pieces: Vec<String> = expected.split("[..]").map(form).collect();
    let actual = form(actual);
    if let [whole] = pieces.as_slice() {
        return *whole == actual;
    }
    let (first, last) = (&pieces[0], &pieces[pieces.len() - 1]);
    if actual.len() < first.len() + last.len()
        || !actual.starts_with(first.as_str())
        || !actual.ends_with(last.as_str())
    {
        return false;
    }
    let mut rest = &actual[first.len()..actual.len() - last.len()];
    for piece in &pieces[1..pieces.len() - 1] {
        let Some(at) = rest.find(piece.as_str()) else {
            return false;
        };
        rest = &rest[at + piece.len()..];
    }
    true
}

/// Whether output is what the page shows; `...` is any number of lines.
fn fits(expected: &[String], actual: &[&str]) -> bool {
    match expected.split_first() {
        None => actual.is_empty(),
        Some((line, rest)) if line == "..." => {
            (0..=actual.len()).any(|skipped| fits(rest, &actual[skipped..]))
        }
        Some((line, rest)) => actual
            .split_first()
            .is_some_and(|(first, left)| line_fits(line, first) && fits(rest, left)),
    }
}

#[test]
fn outputs_are_compared_line_by_line_and_not_by_what_differs_from_run_to_run() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let cases = [
        ("a\nb", "a\nb", true),
        ("a", "a\nb", false),
        ("a\n...", "a\nb\nc", true),
        ("...\nc", "a\nb\nc", true),
        ("...\nb", "a\nb\nc", false),
        (
            "match: all 252 [..] are there",
            "match: all 252 recordings are there",
            true,
        ),
        (
            "match: all 252 [..] are there",
            "match: all 251 recordings are there",
            false,
        ),
        (
            "passed in 13.1 s, 2384 requests",
            "passed in 9.0 s, 2385 requests",
            true,
        ),
        (
            "control http://127.0.0.1:1",
            "control http://127.0.0.1:22",
            true,
        ),
        (
            "the world is that of 2026-11-30: x",
            "the world is that of 2027-01-02: x",
            true,
        ),
        ("missing 2", "missing 3", false),
    ];
    for (expected, actual, wanted) in cases {
        assert_eq!(
            fits(&lines(expected), &actual.lines().collect::<Vec<_>>()),
            wanted,
            "{expected:?} and {actual:?}"
        );
    }
}

/// The Python that has what the sample migrators need.
fn python() -> String {
    std::env::var("SEATRIAL_PYTHON").unwrap_or_else(|_| "python3".to_owned())
}

/// A folder for one page: what a checkout has, and programs of its own in front of the `PATH`.
fn folder(page: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("guide")
        .join(page.replace(['/', '.'], "-"));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(folder.join("session/bin")).unwrap();
    for shared in ["scenarios", "examples"] {
        std::os::unix::fs::symlink(root().join(shared), folder.join(shared)).unwrap();
    }
    std::os::unix::fs::symlink(
        env!("CARGO_BIN_EXE_seatrial"),
        folder.join("session/bin/seatrial"),
    )
    .unwrap();
    let python = format!("#!/bin/sh\nexec {} \"$@\"\n", python());
    // In front of the PATH only where another Python was asked for: a script of that name that
    // starts itself would never end.
    if std::env::var_os("SEATRIAL_PYTHON")
        .is_some_and(|python| python.to_string_lossy().contains('/'))
    {
        let file = folder.join("session/bin/python3");
        std::fs::write(&file, python).unwrap();
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .unwrap();
    }
    folder
}

/// Runs all steps of a page in one bash, and says what did not go as the page shows.
fn session(page: &str, steps: &[Step]) -> Vec<String> {
    let folder = folder(page);
    let mut script = "set -m\ntrap 'kill $(jobs -p) 2>/dev/null' EXIT\n".to_owned();
    for (n, step) in steps.iter().enumerate() {
        let at = folder.join(format!("session/{n:03}"));
        let at = at.display();
        let _ = writeln!(
            script,
            "{{\n{}\n}} >{at}.out 2>{at}.err\n__ended=$?; echo $__ended >{at}.code; (exit \
             $__ended)",
            step.command
        );
    }
    std::fs::write(folder.join("session/script.sh"), script).unwrap();
    let mut bash = Command::new("timeout");
    bash.args([
        "--kill-after=10",
        PAGE_SECONDS,
        "bash",
        "--noprofile",
        "--norc",
        "session/script.sh",
    ]);
    for (variable, _) in std::env::vars().filter(|(variable, _)| variable.starts_with("SEATRIAL_"))
    {
        bash.env_remove(variable);
    }
    let path = std::env::var("PATH").unwrap_or_default();
    bash.env(
        "PATH",
        format!("{}:{path}", folder.join("session/bin").display()),
    )
    .env("TZ", "UTC");
    bash.current_dir(&folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();

    let read = |n: usize, what: &str| {
        std::fs::read_to_string(folder.join(format!("session/{n:03}.{what}"))).unwrap_or_default()
    };
    let mut wrong = Vec::new();
    for (n, step) in steps.iter().enumerate() {
        let (out, err, code) = (read(n, "out"), read(n, "err"), read(n, "code"));
        let (stdout, all): (Vec<&str>, Vec<&str>) = (
            out.lines().collect(),
            out.lines().chain(err.lines()).collect(),
        );
        let is_told = steps
            .get(n + 1)
            .is_some_and(|next| next.command == "echo $?");
        let problem = match code.trim() {
            "" => "was not reached",
            code if code != "0" && !is_told => {
                "did not end with 0, and the next line is not `$ echo $?`"
            }
            _ if !step.expected.is_empty()
                && !fits(&step.expected, &stdout)
                && !fits(&step.expected, &all) =>
            {
                "answers otherwise"
            }
            _ => continue,
        };
        wrong.push(format!(
            "{page}:{}: {problem}: {}\n-- ended {code}-- stdout\n{out}-- stderr\n{err}",
            step.line, step.command
        ));
    }
    wrong
}

#[test]
#[ignore = "needs curl, ffmpeg, and Python with requests; ./check runs it"]
fn every_command_answers_as_its_page_shows() {
    let only = std::env::var("GUIDE_PAGE").unwrap_or_default();
    let sessions: Vec<(String, Vec<Step>)> = pages()
        .iter()
        .map(|page| {
            (
                name(page),
                blocks(page)
                    .iter()
                    .filter(|block| block.info == "console")
                    .flat_map(steps)
                    .collect(),
            )
        })
        .filter(|(page, steps): &(String, Vec<Step>)| !steps.is_empty() && page.contains(&only))
        .collect();
    // Side by side: a session mostly waits.
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let running: Vec<_> = sessions
            .iter()
            .map(|(page, steps)| scope.spawn(|| session(page, steps)))
            .collect();
        running
            .into_iter()
            .flat_map(|session| session.join().unwrap())
            .collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn every_block_says_whether_it_is_run_and_why_not() {
    let mut not_run = Vec::new();
    for page in pages() {
        for block in blocks(&page) {
            let at = format!("{}:{}", name(&page), block.line);
            if let Some(reason) = block.info.strip_prefix("console,no-run:") {
                assert!(reason.trim().len() > 8, "{at}: say why it is not run");
                not_run.push(format!("{at}:{reason}"));
            } else {
                let known = block.info == "console" || NOT_COMMANDS.contains(&block.info.as_str());
                assert!(
                    known,
                    "{at}: a block of {:?}; write console, console,no-run: REASON, or one of \
                     {NOT_COMMANDS:?}",
                    block.info
                );
            }
        }
    }
    for block in &not_run {
        println!("not run: {block}");
    }
    assert!(
        not_run.len() <= MOST_NOT_RUN,
        "{} blocks are not run, {MOST_NOT_RUN} may be: {not_run:#?}",
        not_run.len()
    );
}

/// What a page asks of `seatrial` outside the blocks that are run: blocks that are not, and code
/// within a sentence.
fn mentioned(page: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(page).unwrap();
    let mut mentioned: Vec<String> = blocks(page)
        .iter()
        .filter(|block| block.info.starts_with("console,"))
        .flat_map(steps)
        .map(|step| step.command)
        .collect();
    let mut in_block = false;
    for line in text.lines() {
        in_block ^= line.starts_with("```");
        if !in_block {
            mentioned.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    mentioned.retain(|command| command.contains("seatrial "));
    mentioned
}

#[test]
fn every_command_that_is_not_run_exists_with_its_flags() {
    let mut help: BTreeMap<String, Option<String>> = BTreeMap::new();
    let mut seen = 0;
    for page in pages() {
        for command in mentioned(&page) {
            for call in command.split("seatrial ").skip(1) {
                // A shell's operators end the call; `cargo run` and prose before it are no part of
                // it.
                let words: Vec<&str> = call
                    .split_whitespace()
                    .take_while(|word| !["|", "&&", "||", ";", "#", "&"].contains(word))
                    .collect();
                let Some(subcommand) = words
                    .first()
                    .filter(|word| word.chars().all(|c| c.is_ascii_lowercase()))
                else {
                    continue;
                };
                let text = help.entry((*subcommand).to_owned()).or_insert_with(|| {
                    let output = Command::new(env!("CARGO_BIN_EXE_seatrial"))
                        .args([*subcommand, "--help"])
                        .output()
                        .unwrap();
                    output
                        .status
                        .success()
                        .then(|| String::from_utf8(output.stdout).unwrap())
                });
                let Some(text) = text else {
                    panic!(
                        "{}: there is no `seatrial {subcommand}`: {command}",
                        name(&page)
                    )
                };
                for flag in words.iter().filter(|word| word.starts_with("--")) {
                    let flag = flag
                        .split('=')
                        .next()
                        .unwrap()
                        .trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
                    let is_there = text
                        .split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
                        .any(|word| word == flag);
                    assert!(
                        is_there,
                        "{}: `seatrial {subcommand}` has no {flag}: {command}",
                        name(&page)
                    );
                    seen += 1;
                }
            }
        }
    }
    assert!(seen >= 10, "{seen} flags were looked at");
}

/// Pages that are written by hand.
fn written() -> Vec<PathBuf> {
    let mut written = pages();
    for folder in ["docs/design", "docs/design/decisions", "docs/reference"] {
        written.extend(
            std::fs::read_dir(root().join(folder))
                .unwrap()
                .map(|entry| entry.unwrap().path())
                .filter(|page| page.is_file()),
        );
    }
    written.extend(["ARCHITECTURE.md", "CONTRIBUTING.md"].map(|page| root().join(page)));
    written
}

/// A heading as links name it.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase().replace(' ', "-");
    kept.chars()
        .filter(|c| c.is_alphanumeric() || "-_".contains(*c))
        .collect()
}

#[test]
fn every_link_leads_to_a_file_and_to_a_heading_in_it() {
    for page in written() {
        let text = std::fs::read_to_string(&page).unwrap();
        for link in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
            .filter(|link| !link.starts_with("http"))
        {
            let (path, heading) = link
                .split_once('#')
                .map_or((link, None), |(path, heading)| (path, Some(heading)));
            let file = if path.is_empty() {
                page.clone()
            } else {
                page.parent().unwrap().join(path)
            };
            assert!(
                file.exists(),
                "{} links to {link}, which is not there",
                name(&page)
            );
            let Some(heading) = heading else { continue };
            let target = std::fs::read_to_string(&file).unwrap();
            let mut in_block = false;
            let headings = target.lines().filter(|line| {
                in_block ^= line.starts_with("```");
                !in_block && line.starts_with('#')
            });
            let found = headings
                .map(|line| anchor(line.trim_start_matches('#').trim()))
                .any(|known| known == heading);
            assert!(
                found,
                "{} links to {link}, and no heading is called that",
                name(&page)
            );
        }
    }
}

#[test]
fn the_index_of_decisions_names_each_of_them_with_its_title() {
    let folder = root().join("docs/design/decisions");
    let index = std::fs::read_to_string(folder.join("README.md")).unwrap();
    let mut decisions: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    decisions.retain(|page| !page.ends_with("README.md"));
    decisions.sort();
    for (n, page) in decisions.iter().enumerate() {
        let text = std::fs::read_to_string(page).unwrap();
        let title = text
            .lines()
            .next()
            .unwrap()
            .trim_start_matches("# ")
            .to_owned();
        let file = page.file_name().unwrap().to_str().unwrap();
        assert!(
            file.starts_with(&format!("{:04}-", n + 1)),
            "{file} is the decision after {n}"
        );
        assert!(
            index.contains(&format!("- [{title}]({file})")),
            "the index does not name {title} in {file}"
        );
        for part in ["**Context.**", "**Decision.**", "**Consequence.**"] {
            assert!(text.contains(part), "{file} has no {part}");
        }
    }
    assert_eq!(index.matches("](").count(), decisions.len());
}

#[test]
fn pages_that_are_written_by_hand_keep_to_120_columns() {
    for page in &written() {
        let text = std::fs::read_to_string(page).unwrap();
        let mut in_block = false;
        for (n, line) in text.lines().enumerate() {
            in_block ^= line.starts_with("```");
            // A table's row, a block's line and a single link cannot be broken.
            let may_be_wide = in_block
                || line.starts_with('|')
                || (line.starts_with("- [") && line.ends_with(".md)"));
            assert!(
                may_be_wide || line.chars().count() <= 120,
                "{}:{} is wider than 120 columns",
                name(page),
                n + 1
            );
        }
    }
}
