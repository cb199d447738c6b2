//! `commands.md`, made from `--help`.

use std::fmt::Write as _;

use tempfile::TempDir;

use crate::page::{Page, root};
use crate::support::seatrial;

/// Above it the page is written by hand.
const MARK: &str = "<!-- Made from --help. SEATRIAL_BLESS=1 cargo test --release --test reference \
    renews it. -->\n";

/// Characters in a line of the page.
const WIDTH: usize = 118;

#[test]
fn the_page_of_commands_is_current() {
    let page = Page::read("commands.md");
    let (head, found) = page
        .text
        .split_once(MARK)
        .expect("commands.md has the mark below which it is generated");
    let wanted = generated();
    if std::env::var_os("SEATRIAL_BLESS").is_some() {
        std::fs::write(
            root().join("docs/reference/commands.md"),
            format!("{head}{MARK}{wanted}"),
        )
        .unwrap();
        return;
    }
    assert!(
        found == wanted,
        "commands.md is not what --help says; run SEATRIAL_BLESS=1 cargo test --release --test \
         reference"
    );
}

fn help(arguments: &[&str]) -> String {
    let folder = TempDir::new().unwrap();
    seatrial(folder.path(), &[arguments, &["--help"]].concat())
        .ends(0)
        .stdout
}

fn generated() -> String {
    let top = help(&[]);
    let everywhere = items(&top, "Options:");
    let mut page = "\n## Every command\n\n".to_owned();
    everywhere.iter().for_each(|item| push(&mut page, item));
    let names = names_of(&top);
    assert!(names.len() >= 11, "{names:?}");
    let texts = names.into_iter().flat_map(|name| {
        let text = help(&[name]);
        let below = if text.contains("Commands:\n") {
            let names = names_of(&text);
            let all = names
                .iter()
                .map(|below| (format!("{name} {below}"), help(&[name, below])));
            all.collect()
        } else {
            Vec::new()
        };
        std::iter::once((name.to_owned(), text)).chain(below)
    });
    for (name, text) in texts {
        let about = text.lines().next().unwrap_or_default();
        let usage = text
            .lines()
            .find_map(|line| line.strip_prefix("Usage: "))
            .unwrap_or_default();
        let _ = write!(
            page,
            "\n## {name}\n\n{}\n\n```\n{usage}\n```\n",
            wrapped(&sentence(about), "")
        );
        let options = items(&text, "Options:")
            .into_iter()
            .filter(|item| everywhere.iter().all(|other| other.name != item.name));
        let all: Vec<Item> = items(&text, "Arguments:")
            .into_iter()
            .chain(options)
            .collect();
        if !all.is_empty() {
            page.push('\n');
        }
        all.iter().for_each(|item| push(&mut page, item));
    }
    page
}

/// Names of the commands, `help` left out.
fn names_of(top: &str) -> Vec<&str> {
    let (_, list) = top.split_once("Commands:\n").unwrap();
    let lines = list.lines().take_while(|line| !line.is_empty());
    // Names stand two columns in; what goes on below a name stands further in.
    let names = lines
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").collect()
}

/// An argument or a flag with what `--help` says of it.
#[derive(Default)]
struct Item {
    name: String,
    lines: Vec<String>,
    values: Vec<String>,
    default: Option<String>,
    environment: Option<String>,
}

/// The items below a heading.
fn items(help: &str, heading: &str) -> Vec<Item> {
    let Some((_, below)) = help.split_once(&format!("{heading}\n")) else {
        return Vec::new();
    };
    let mut items: Vec<Item> = Vec::new();
    let mut in_values = false;
    for line in below
        .lines()
        .take_while(|line| line.is_empty() || line.starts_with(' '))
    {
        let text = line.trim();
        let indent = line.len() - line.trim_start().len();
        if indent > 0 && indent < 10 {
            items.push(Item {
                name: text.to_owned(),
                ..Item::default()
            });
            in_values = false;
            continue;
        }
        let Some(item) = items.last_mut() else {
            continue;
        };
        let tag = |name: &str| {
            text.strip_prefix(&format!("[{name}: "))
                .and_then(|rest| rest.strip_suffix(']'))
                .map(str::to_owned)
        };
        if let Some(default) = tag("default") {
            item.default = Some(default);
        } else if let Some(environment) = tag("env") {
            item.environment = Some(environment.trim_end_matches('=').to_owned());
        } else if let Some(values) = tag("possible values") {
            item.values = values
                .split(", ")
                .map(|value| format!("- {value}"))
                .collect();
        } else if text == "Possible values:" {
            in_values = true;
        } else if in_values && text.starts_with("- ") {
            item.values.push(text.to_owned());
        } else if in_values && !text.is_empty() {
            let last = item.values.last_mut().unwrap();
            last.push(' ');
            last.push_str(text);
        } else if !text.is_empty() {
            item.lines.push(text.to_owned());
        }
    }
    items
}

fn push(page: &mut String, item: &Item) {
    let mut text = format!("- `{}`: {}", item.name, sentence(&item.lines.join(" ")));
    let values = item.values.iter().map(|value| {
        let value = value.trim_start_matches("- ");
        let (name, what) = value.split_once(':').unwrap_or((value, ""));
        if what.is_empty() {
            format!("`{name}`")
        } else {
            format!("`{name}` ({})", lower(what.trim()))
        }
    });
    let values: Vec<String> = values.collect();
    if !values.is_empty() {
        let _ = write!(text, " Values: {}.", values.join(", "));
    }
    if let Some(default) = &item.default {
        let _ = write!(text, " Default: `{default}`.");
    }
    if let Some(environment) = &item.environment {
        let _ = write!(text, " Environment: `{environment}`.");
    }
    let _ = writeln!(page, "{}", wrapped(&text, "  "));
}

fn lower(text: &str) -> String {
    let mut characters = text.chars();
    characters
        .next()
        .map(|first| first.to_lowercase().collect::<String>() + characters.as_str())
        .unwrap_or_default()
}

fn sentence(text: &str) -> String {
    if text.ends_with('.') {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}

/// Text in lines of the page's width; further lines begin with `indent`.
fn wrapped(text: &str, indent: &str) -> String {
    let mut lines: Vec<String> = vec![String::new()];
    for word in escaped(text).split_whitespace() {
        let line = lines.last_mut().unwrap();
        if line.trim().is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= WIDTH {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(format!("{indent}{word}"));
        }
    }
    lines.join("\n")
}

/// What Markdown would take for markup, outside code.
fn escaped(text: &str) -> String {
    let parts = text.split('`').enumerate();
    let parts: Vec<String> = parts
        .map(|(at, part)| {
            if at % 2 == 0 {
                part.replace('*', "\\*").replace('<', "\\<")
            } else {
                part.to_owned()
            }
        })
        .collect();
    parts.join("`")
}
