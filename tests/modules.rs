//! How the inside of a crate hangs together: no circle between its modules, and a platform named in
//! its own folder only.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on fails where it stands"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const CRATES: [&str; 9] = [
    "output",
    "plan",
    "platforms",
    "audio",
    "simulator",
    "migrator",
    "verifier",
    "rehearsal",
    "seatrial",
];

/// Files outside a platform's own folder that may name Interaction Recording: registries, the
/// plan's schema and what a person reads.
const NAME_GIR_MOST: usize = 12;

fn source_of(name: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if name == "seatrial" {
        root.join("src")
    } else {
        root.join(name).join("src")
    }
}

/// Every source file below a folder.
fn all_files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(all_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Every source file below a folder that is no test.
fn files(dir: &Path) -> Vec<PathBuf> {
    let is_of_tests = |path: &PathBuf| {
        ["tests", "testing"]
            .iter()
            .any(|name| is_of(path.strip_prefix(dir).unwrap(), name))
    };
    all_files(dir)
        .into_iter()
        .filter(|path| !is_of_tests(path))
        .collect()
}

/// A file's code: without comments, and without its module of tests, which stands last.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The first names of every path that begins at the crate's root: of `crate::a::B` it is `a`, of
/// `crate::{a::B, c}` they are `a` and `c`.
fn roots(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut first = String::new();
            for letter in group.chars() {
                match letter {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    _ => {}
                }
                if depth == 0 && letter == ',' {
                    found.insert(name(&first));
                    first.clear();
                } else if depth == 0 {
                    first.push(letter);
                }
            }
            found.insert(name(&first));
        } else {
            found.insert(name(rest));
        }
    }
    found.remove("");
    found
}

fn name(path: &str) -> String {
    path.trim_start()
        .chars()
        .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
        .collect()
}

/// Names that `lib.rs` or `main.rs` gives out at the root, and the module each comes from.
fn given_out(code: &str, modules: &BTreeSet<String>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for line in code.replace('\n', " ").split(';') {
        let Some((_, path)) = line.split_once("use ") else {
            continue;
        };
        let path = path
            .trim_start_matches("self::")
            .trim_start_matches("crate::");
        let Some((module, names)) = path
            .split_once("::")
            .filter(|(module, _)| modules.contains(*module))
        else {
            continue;
        };
        for word in names
            .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
            .filter(|word| !word.is_empty())
        {
            found.insert(word.to_owned(), module.to_owned());
        }
    }
    found
}

/// Which module of a crate uses which others of it.
fn uses(source: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let module_of = |path: &Path| {
        let first = path
            .strip_prefix(source)
            .unwrap()
            .components()
            .next()
            .unwrap();
        Path::new(first.as_os_str())
            .file_stem()
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned()
    };
    let all = files(source);
    let is_root = |module: &str| ["lib", "main"].contains(&module);
    let modules: BTreeSet<String> = all
        .iter()
        .map(|path| module_of(path))
        .filter(|module| !is_root(module))
        .collect();
    let mut outside = BTreeMap::new();
    for path in all.iter().filter(|path| is_root(&module_of(path))) {
        outside.extend(given_out(&code(path), &modules));
    }
    let mut graph: BTreeMap<String, BTreeSet<String>> = modules
        .iter()
        .map(|module| (module.clone(), BTreeSet::new()))
        .collect();
    for path in &all {
        let module = module_of(path);
        let Some(others) = graph.get_mut(&module) else {
            continue;
        };
        for used in roots(&code(path)) {
            let used = if modules.contains(&used) {
                Some(&used)
            } else {
                outside.get(&used)
            };
            others.extend(used.filter(|used| **used != module).cloned());
        }
    }
    graph
}

/// Modules from which a way leads back to themselves.
fn in_circles(graph: &BTreeMap<String, BTreeSet<String>>) -> BTreeSet<&str> {
    let returns = |module: &String| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![module]);
        while let Some(one) = next.pop() {
            for used in &graph[one] {
                if used == module {
                    return true;
                }
                if seen.insert(used) {
                    next.push(used);
                }
            }
        }
        false
    };
    graph
        .keys()
        .filter(|module| returns(module))
        .map(String::as_str)
        .collect()
}

#[test]
fn no_modules_of_a_crate_use_each_other_in_a_circle() {
    for name in CRATES {
        let graph = uses(&source_of(name));
        let found = in_circles(&graph);
        println!(
            "{name}: {} modules, {} in circles",
            graph.len(),
            found.len()
        );
        for module in &found {
            let others = graph[*module]
                .iter()
                .filter(|used| found.contains(used.as_str()))
                .cloned()
                .collect::<Vec<_>>();
            println!("    {module} -> {}", others.join(", "));
        }
        assert!(
            found.is_empty(),
            "{name}: modules that use each other in a circle: {found:?}"
        );
    }
}

#[test]
fn a_circle_is_found_and_what_is_none_is_not() {
    let graph = |edges: &[(&str, &[&str])]| -> BTreeMap<String, BTreeSet<String>> {
        edges
            .iter()
            .map(|(from, to)| {
                (
                    (*from).to_owned(),
                    to.iter().map(|one| (*one).to_owned()).collect(),
                )
            })
            .collect()
    };
    let knotted = graph(&[
        ("a", &["b"]),
        ("b", &["c"]),
        ("c", &["a"]),
        ("d", &["a"]),
        ("e", &[]),
    ]);
    assert_eq!(in_circles(&knotted), ["a", "b", "c"].into());
    assert!(in_circles(&graph(&[("a", &["b", "c"]), ("b", &["c"]), ("c", &[])])).is_empty());
    let code =
        "use crate::{one::A, two::{B, C},\n three};\nfn f() { crate::four::g() }\nuse crate::Five;";
    assert_eq!(
        roots(code),
        ["one", "two", "three", "four", "Five"]
            .map(str::to_owned)
            .into()
    );
    let lib = "mod five;\npub use five::{Five, other};\npub use self::six::Six;";
    let modules: BTreeSet<String> = ["five", "six"].map(str::to_owned).into();
    assert_eq!(given_out(lib, &modules)["Five"], "five");
    assert_eq!(given_out(lib, &modules)["Six"], "six");
}

/// Whether a file's path has the platform's folder or file in it.
fn is_of(path: &Path, platform: &str) -> bool {
    path.components().any(|part| {
        Path::new(part.as_os_str())
            .file_stem()
            .is_some_and(|stem| stem == platform)
    })
}

/// Whether code names the platform. That a parent declares the folder does not count.
fn names_gir(code: &str) -> bool {
    let lines = code
        .lines()
        .filter(|line| !line.trim_end().ends_with("mod gir;"));
    let words = lines.flat_map(|line| line.split(|letter: char| !letter.is_alphanumeric()));
    words
        .into_iter()
        .any(|word| word == "gir" || word == "GIR" || word.starts_with("Gir"))
}

/// No class of damage is named by its number in code: `Defect` says what happened, and `code()`
/// gives the number.
#[test]
fn no_defect_is_named_by_its_number() {
    let mut found = Vec::new();
    for name in CRATES {
        for path in files(&source_of(name)) {
            let text = std::fs::read_to_string(&path).unwrap();
            let numbered = text.match_indices("Defect::D").any(|(at, prefix)| {
                text[at + prefix.len()..].starts_with(|one: char| one.is_ascii_digit())
            });
            found.extend(numbered.then(|| path.display().to_string()));
        }
    }
    println!("{} files name a class of damage by its number", found.len());
    assert!(found.is_empty(), "name what happened instead: {found:?}");
}

#[test]
fn a_platform_is_named_in_its_own_folder_only() {
    let mut found = Vec::new();
    for name in CRATES {
        let source = source_of(name);
        for path in files(&source) {
            let within = path.strip_prefix(&source).unwrap();
            if !is_of(within, "gir") && names_gir(&code(&path)) {
                found.push(format!("{name}/src/{}", within.display()));
            }
        }
    }
    println!(
        "{} files name Interaction Recording outside its folders:\n    {}",
        found.len(),
        found.join("\n    ")
    );
    assert!(
        found.len() <= NAME_GIR_MOST,
        "{} files name Interaction Recording outside its folders; at most {NAME_GIR_MOST} may",
        found.len()
    );
}

/// What a store may not name: the platform it is part of, its requests and answers, and what the
/// platform is simulated by.
const NOT_OF_A_STORE: [&str; 8] = [
    "GenesysCloud",
    "ApiError",
    "Reply",
    "axum",
    "http",
    "pipeline",
    "faults",
    "journal",
];

/// Which of the words that are not a store's its code has.
fn not_of_a_store(code: &str) -> BTreeSet<&str> {
    code.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .filter(|word| NOT_OF_A_STORE.contains(word))
        .collect()
}

#[test]
fn a_platforms_stores_know_neither_the_platform_nor_http() {
    let platforms = source_of("simulator").join("platforms");
    let stores: Vec<PathBuf> = files(&platforms)
        .into_iter()
        .filter(|path| is_of(path.strip_prefix(&platforms).unwrap(), "stores"))
        .collect();
    println!("{} files of stores", stores.len());
    assert!(
        stores
            .iter()
            .any(|path| path.ends_with("genesys_cloud/stores/conversations.rs")),
        "the stores moved: {stores:?}"
    );
    assert!(
        stores
            .iter()
            .any(|path| path.ends_with("public/stores/uploads.rs")),
        "the stores moved: {stores:?}"
    );
    for path in &stores {
        let code = code(path);
        let found = not_of_a_store(&code);
        assert!(
            found.is_empty(),
            "{}: a store names {found:?}; let its caller do that",
            path.display()
        );
    }
    assert_eq!(
        not_of_a_store("use super::{GenesysCloud, files};\nuse crate::http::reply::Reply;"),
        ["GenesysCloud", "Reply", "http"].into()
    );
    assert!(
        not_of_a_store("use crate::platforms::genesys_cloud::conversation::Conversation;")
            .is_empty()
    );
}

/// What a platform costs beside its own folders: a source and a target that only tests have are
/// known to the registries alone, and to no build that is no test's.
#[test]
fn a_toy_source_and_a_toy_target_are_a_folder_and_lines_of_a_registry_on_each_side() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = CRATES
        .into_iter()
        .flat_map(|name| [source_of(name), source_of(name).with_file_name("tests")]);
    let (mut inside, mut outside) = (Vec::new(), Vec::new());
    for path in folders
        .filter(|folder| folder.exists())
        .flat_map(|folder| all_files(&folder))
    {
        let (name, text) = (
            path.strip_prefix(root).unwrap(),
            std::fs::read_to_string(&path).unwrap(),
        );
        if is_of(name, "toy") {
            inside.push(format!(
                "{}, {} lines",
                name.display(),
                text.lines().count()
            ));
        } else if name != Path::new(file!()) {
            let naming = lines_naming_toy(&text);
            assert!(
                naming
                    .iter()
                    .all(|(before, _)| before.trim() == "#[cfg(test)]"),
                "{}: {naming:?}",
                name.display()
            );
            let more = naming
                .iter()
                .filter(|(_, line)| line.trim() != "mod toy;")
                .count();
            outside.extend((more > 0).then(|| (name.display().to_string(), more)));
        }
    }
    println!("the toys:\n    {}", inside.join("\n    "));
    println!("lines elsewhere that name them: {outside:?}");
    let outside: Vec<String> = outside.into_iter().map(|(name, _)| name).collect();
    let registries = ["migrator", "verifier"]
        .map(|side| ["source", "target"].map(|seam| format!("{side}/src/{seam}/registry.rs")));
    assert_eq!(
        outside,
        registries.concat(),
        "only the registries may name the toys"
    );
}

/// Lines with a word that begins with `toy`, each with the line before it.
fn lines_naming_toy(text: &str) -> Vec<(&str, &str)> {
    let is_toy = |word: &str| {
        word.get(..3)
            .is_some_and(|head| head.eq_ignore_ascii_case("toy"))
    };
    let names = |line: &str| {
        line.split(|letter: char| !letter.is_alphanumeric())
            .any(is_toy)
    };
    text.lines()
        .zip(text.lines().skip(1))
        .filter(|(_, line)| names(line))
        .collect()
}
