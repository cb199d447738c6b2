//! Writes a copy of a Rust workspace that holds many mutants at once: at each chosen place the code
//! asks which mutant runs (environment `SEATRIAL_MUTANT`, a number; 0 is none) and does something
//! slightly wrong for that one. So all mutants are one build.
//!
//! `mutants FROM TO COUNT [OMITTED,..]` prints a JSON line for each mutant: number, file, line, what
//! stands there, and what the mutant does instead. Which places are chosen is decided by a hash of
//! file and text, so that a change of the workspace leaves most mutants as they were. The same COUNT
//! gives the same mutants; those OMITTED (they do not compile) are left as they are.
//!
//! With `SEATRIAL_MUTANTS_REACHED`, a file, the program appends the number of each mutant whose place
//! it comes to, once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use quote::ToTokens as _;
use syn::spanned::Spanned as _;
use syn::visit_mut::{self, VisitMut};
use syn::{BinOp, Expr, Lit, Stmt, UnOp, parse_quote};

/// What is mutated: everything that reads, decides, converts or sends on the migrator's side, and
/// what both sides share. A name ending with `/` is a folder.
const FILES: &[&str] = &[
    "migrator/src/canonical.rs",
    "migrator/src/convert.rs",
    "migrator/src/extract.rs",
    "migrator/src/file_name.rs",
    "migrator/src/holds.rs",
    "migrator/src/legacy_id.rs",
    "migrator/src/phone.rs",
    "migrator/src/prepare.rs",
    "migrator/src/resolve.rs",
    "migrator/src/stage.rs",
    "migrator/src/step.rs",
    "migrator/src/time.rs",
    "migrator/src/upload_source.rs",
    "migrator/src/engine/",
    "migrator/src/source/legacy/",
    "migrator/src/target/attributes.rs",
    "migrator/src/target/genesys_cloud/",
    "migrator/src/target/gir/",
    "plan/src/audio.rs",
    "plan/src/identity.rs",
    "plan/src/mapping.rs",
    "plan/src/pii.rs",
    "plan/src/retention.rs",
    "plan/src/rules.rs",
    "plan/src/time.rs",
    "plan/src/source/",
    "plan/src/target/",
    "platforms/src/legacy/",
    "platforms/src/genesys_cloud/",
    "platforms/src/gir/",
    "platforms/src/net/",
    "audio/src/blocks.rs",
    "audio/src/coder.rs",
    "audio/src/cover.rs",
    "audio/src/decode.rs",
    "audio/src/encode.rs",
    "audio/src/g711.rs",
    "audio/src/gsm.rs",
    "audio/src/headers.rs",
    "audio/src/ima.rs",
    "audio/src/ms_adpcm.rs",
    "audio/src/amr.rs",
    "audio/src/mp3.rs",
    "audio/src/pcm.rs",
    "audio/src/sniff.rs",
    "audio/src/wav.rs",
    "audio/src/wav_write.rs",
];
/// Crates that get the module which says what runs.
const CRATES: &[&str] = &["migrator", "plan", "platforms", "audio"];

const MODULE: &str = r#"//! Which mutant runs, and which are reached.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::{LazyLock, Mutex};

static CHOSEN: LazyLock<u32> = LazyLock::new(|| {
    std::env::var("SEATRIAL_MUTANT").ok().and_then(|number| number.parse().ok()).unwrap_or(0)
});
static REACHED: LazyLock<Option<Mutex<(std::fs::File, BTreeSet<u32>)>>> = LazyLock::new(|| {
    let path = std::env::var_os("SEATRIAL_MUTANTS_REACHED")?;
    let file = std::fs::OpenOptions::new().create(true).append(true).open(path).ok()?;
    Some(Mutex::new((file, BTreeSet::new())))
});

/// Whether it is this one.
pub(crate) fn on(number: u32) -> bool {
    if let Some(reached) = &*REACHED
        && let Ok(mut reached) = reached.lock()
        && reached.1.insert(number)
    {
        let _ = reached.0.write_all(format!("{number}\n").as_bytes());
    }
    *CHOSEN == number
}
"#;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [from, to, count, rest @ ..] = arguments.as_slice() else {
        eprintln!("usage: mutants FROM TO COUNT [OMITTED,..]");
        std::process::exit(2);
    };
    let count: usize = count.parse().expect("COUNT is a number");
    let omitted: BTreeSet<u32> = rest
        .first()
        .map(|list| list.split(',').filter_map(|number| number.parse().ok()).collect())
        .unwrap_or_default();
    let (from, to) = (Path::new(from), Path::new(to));
    let files = files(from);
    let mut sources: Vec<(PathBuf, syn::File)> = files
        .into_iter()
        .map(|file| {
            let text = std::fs::read_to_string(from.join(&file)).expect("a source file");
            let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            (file, parsed)
        })
        .collect();
    let mut places: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for (file, source) in &sources {
        let mut counter = Mutator::new(file, None);
        counter.visit_file_mut(&mut source.clone());
        places.entry(crate_of(file)).or_default().extend(counter.hashes);
    }
    // The migrator has half of all; the others share the rest.
    let of_others = count / CRATES.len() * 2 / 3;
    let limits: BTreeMap<String, u64> = places
        .into_iter()
        .map(|(name, mut hashes)| {
            let wanted = if name == "migrator" {
                count - (CRATES.len() - 1) * of_others
            } else {
                of_others
            };
            hashes.sort_unstable();
            let limit = hashes.get(wanted).copied().unwrap_or(u64::MAX);
            (name, limit)
        })
        .collect();
    let mut made = 0;
    for (file, source) in &mut sources {
        let choice = Choice {
            limit: limits[&crate_of(file)],
            before: made,
            omitted: &omitted,
        };
        let mut mutator = Mutator::new(file, Some(choice));
        mutator.visit_file_mut(source);
        made += mutator.made;
        for line in &mutator.mutants {
            println!("{line}");
        }
        std::fs::write(to.join(&*file), prettyplease::unparse(source)).expect("written");
    }
    for name in CRATES {
        std::fs::write(to.join(name).join("src/mutants.rs"), MODULE).expect("written");
        let lib = to.join(name).join("src/lib.rs");
        let text = std::fs::read_to_string(&lib).expect("a library");
        std::fs::write(&lib, format!("{text}\nmod mutants;\n")).expect("written");
    }
}

fn crate_of(file: &Path) -> String {
    let first = file.components().next().expect("a path");
    first.as_os_str().to_string_lossy().into_owned()
}

fn files(from: &Path) -> Vec<PathBuf> {
    fn walk(root: &Path, folder: &Path, into: &mut Vec<PathBuf>) {
        let mut entries: Vec<PathBuf> = std::fs::read_dir(root.join(folder))
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            .map(|entry| folder.join(entry.expect("an entry").file_name()))
            .collect();
        entries.sort();
        for entry in entries {
            if root.join(&entry).is_dir() {
                if entry.file_name().is_some_and(|name| name != "tests") {
                    walk(root, &entry, into);
                }
            } else if entry.extension().is_some_and(|ending| ending == "rs")
                && entry.file_name().is_some_and(|name| name != "tests.rs")
            {
                into.push(entry);
            }
        }
    }
    let mut files = Vec::new();
    for name in FILES {
        if name.ends_with('/') {
            walk(from, Path::new(name.trim_end_matches('/')), &mut files);
        } else {
            files.push(PathBuf::from(name));
        }
    }
    files.sort();
    files.dedup();
    files
}

/// Which places become mutants: those whose hash is below the limit.
struct Choice<'a> {
    limit: u64,
    /// Mutants before this file.
    before: u32,
    omitted: &'a BTreeSet<u32>,
}

struct Mutator<'a> {
    file: &'a Path,
    /// Absent: places are only counted.
    choice: Option<Choice<'a>>,
    /// Of each place so far.
    hashes: Vec<u64>,
    /// How often each text was met in this file.
    texts: BTreeMap<String, u32>,
    /// A JSON line each, of those not omitted.
    mutants: Vec<serde_json::Value>,
    made: u32,
}

impl<'a> Mutator<'a> {
    fn new(file: &'a Path, choice: Option<Choice<'a>>) -> Mutator<'a> {
        Mutator {
            file,
            choice,
            hashes: Vec::new(),
            texts: BTreeMap::new(),
            mutants: Vec::new(),
            made: 0,
        }
    }

    /// The number of the mutant that a place becomes. Absent: it stays as it is.
    fn chosen(&mut self, line: usize, what: String, instead: String) -> Option<u32> {
        let text = format!("{}\n{what}\n{instead}", self.file.display());
        let occurrence = self.texts.entry(text.clone()).or_default();
        *occurrence += 1;
        let occurrence = *occurrence;
        let hash = hash(&format!("{text}\n{occurrence}"));
        self.hashes.push(hash);
        let choice = self.choice.as_ref()?;
        if hash >= choice.limit {
            return None;
        }
        self.made += 1;
        let number = choice.before + self.made;
        if choice.omitted.contains(&number) {
            return None;
        }
        self.mutants.push(serde_json::json!({
            "number": number, "file": self.file.display().to_string(), "line": line,
            "what": what, "instead": instead, "occurrence": occurrence,
        }));
        Some(number)
    }
}

/// FNV-1a, and its bits mixed as splitmix64 does.
fn hash(text: &str) -> u64 {
    let mut hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

/// On one line, short.
fn text(tokens: impl quote::ToTokens) -> String {
    let text = tokens.to_token_stream().to_string();
    if text.chars().count() > 90 {
        format!("{} ...", text.chars().take(86).collect::<String>())
    } else {
        text
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let text = attribute.to_token_stream().to_string();
        text.contains("test") && (text.contains("cfg") || attribute.path().is_ident("test"))
    })
}

/// What a slightly wrong programmer would have written.
fn wrong(expr: &Expr) -> Option<Expr> {
    match expr {
        Expr::Binary(binary) => {
            if contains_let(&binary.left) || contains_let(&binary.right) {
                return None;
            }
            let op: BinOp = match binary.op {
                BinOp::Lt(_) => parse_quote!(<=),
                BinOp::Le(_) => parse_quote!(<),
                BinOp::Gt(_) => parse_quote!(>=),
                BinOp::Ge(_) => parse_quote!(>),
                BinOp::Eq(_) => parse_quote!(!=),
                BinOp::Ne(_) => parse_quote!(==),
                BinOp::And(_) => parse_quote!(||),
                BinOp::Or(_) => parse_quote!(&&),
                BinOp::Add(_) => parse_quote!(-),
                BinOp::Sub(_) => parse_quote!(+),
                BinOp::Mul(_) => parse_quote!(/),
                BinOp::Div(_) => parse_quote!(*),
                BinOp::Rem(_) => parse_quote!(/),
                _ => return None,
            };
            let mut other = binary.clone();
            other.op = op;
            Some(Expr::Binary(other))
        }
        Expr::Unary(unary) if matches!(unary.op, UnOp::Not(_)) => Some((*unary.expr).clone()),
        Expr::Lit(literal) => match &literal.lit {
            Lit::Bool(value) => {
                let other = !value.value;
                Some(parse_quote!(#other))
            }
            Lit::Int(value) => {
                let number: u128 = value.base10_parse().ok()?;
                let other = syn::LitInt::new(
                    &format!("{}{}", number.checked_add(1)?, value.suffix()),
                    value.span(),
                );
                Some(parse_quote!(#other))
            }
            _ => None,
        },
        Expr::MethodCall(call) => {
            let other = match call.method.to_string().as_str() {
                "min" => "max",
                "max" => "min",
                "saturating_add" => "saturating_sub",
                "saturating_sub" => "saturating_add",
                "checked_add" => "checked_sub",
                "checked_sub" => "checked_add",
                "is_some" => "is_none",
                "is_none" => "is_some",
                "is_ok" => "is_err",
                "is_err" => "is_ok",
                "first" => "last",
                "last" => "first",
                "any" => "all",
                "all" => "any",
                "starts_with" => "ends_with",
                "ends_with" => "starts_with",
                "min_by_key" => "max_by_key",
                "max_by_key" => "min_by_key",
                "to_lowercase" => "to_uppercase",
                "to_uppercase" => "to_lowercase",
                _ => return None,
            };
            let mut swapped = call.clone();
            swapped.method = syn::Ident::new(other, call.method.span());
            Some(Expr::MethodCall(swapped))
        }
        _ => None,
    }
}

fn contains_let(expr: &Expr) -> bool {
    match expr {
        Expr::Let(_) => true,
        Expr::Binary(binary) => contains_let(&binary.left) || contains_let(&binary.right),
        Expr::Paren(inner) => contains_let(&inner.expr),
        Expr::Unary(inner) => contains_let(&inner.expr),
        _ => false,
    }
}

impl VisitMut for Mutator<'_> {
    fn visit_item_mut(&mut self, item: &mut syn::Item) {
        let attributes = match item {
            syn::Item::Fn(item) if item.sig.constness.is_some() => return,
            syn::Item::Fn(item) => &item.attrs,
            syn::Item::Mod(item) => &item.attrs,
            syn::Item::Impl(item) => &item.attrs,
            syn::Item::Const(_) | syn::Item::Static(_) | syn::Item::Enum(_) | syn::Item::Macro(_) => return,
            _ => return visit_mut::visit_item_mut(self, item),
        };
        if !is_test(attributes) {
            visit_mut::visit_item_mut(self, item);
        }
    }

    fn visit_impl_item_mut(&mut self, item: &mut syn::ImplItem) {
        match item {
            syn::ImplItem::Const(_) => {}
            syn::ImplItem::Fn(function)
                if function.sig.constness.is_some() || is_test(&function.attrs) => {}
            _ => visit_mut::visit_impl_item_mut(self, item),
        }
    }

    fn visit_expr_repeat_mut(&mut self, repeat: &mut syn::ExprRepeat) {
        self.visit_expr_mut(&mut repeat.expr);
    }

    /// A list that is borrowed for ever has to stay a constant.
    fn visit_expr_reference_mut(&mut self, reference: &mut syn::ExprReference) {
        if !matches!(*reference.expr, Expr::Array(_)) {
            visit_mut::visit_expr_reference_mut(self, reference);
        }
    }

    fn visit_type_mut(&mut self, _: &mut syn::Type) {}
    fn visit_pat_mut(&mut self, _: &mut syn::Pat) {}
    fn visit_attribute_mut(&mut self, _: &mut syn::Attribute) {}
    fn visit_macro_mut(&mut self, _: &mut syn::Macro) {}
    fn visit_generic_argument_mut(&mut self, _: &mut syn::GenericArgument) {}

    fn visit_expr_mut(&mut self, expr: &mut Expr) {
        if matches!(expr, Expr::Const(_)) {
            return;
        }
        let other = wrong(expr);
        let (line, what) = (expr.span().start().line, text(&*expr));
        visit_mut::visit_expr_mut(self, expr);
        if let Some(other) = other {
            if let Some(number) = self.chosen(line, what, text(&other)) {
                let own = expr.clone();
                *expr = parse_quote!((if crate::mutants::on(#number) { #other } else { #own }));
            }
        }
    }

    fn visit_stmt_mut(&mut self, stmt: &mut Stmt) {
        let line = stmt.span().start().line;
        // A call or an assignment that somebody forgot.
        let forgettable = match stmt {
            Stmt::Expr(inner @ (Expr::MethodCall(_) | Expr::Assign(_) | Expr::Call(_)), Some(_)) => {
                Some(text(&*inner))
            }
            _ => None,
        };
        visit_mut::visit_stmt_mut(self, stmt);
        if let Some(what) = forgettable
            && let Some(number) = self.chosen(line, what, "left out".to_owned())
            && let Stmt::Expr(own, Some(_)) = stmt
        {
            let own = own.clone();
            *stmt = parse_quote!(if !crate::mutants::on(#number) { #own; });
        }
    }
}
