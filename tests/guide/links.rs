//! The links of every page: of the READMEs, the changelog, the guide, and the documentation of items. What they
//! lead to is there, and each `#fragment` is a heading of its page. The files that the pages name are there, too.
#![allow(clippy::disallowed_methods, reason = "a test, not the library: it may look for files")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Where the documentation of the newest version is.
const DOCS: &str = "https://docs.rs/room-registry/latest/room_registry/";

/// What ends the name of a file.
const EXTENSIONS: [&str; 10] =
    ["html", "js", "json", "jsonl", "lua", "md", "mjs", "rs", "sh", "toml"];

/// The folders to which a name without an extension may lead.
const FOLDERS: [&str; 4] = ["benches/", "examples/", "src/", "tests/"];

/// Names of files that are not of the repository, and where they are named.
const ELSEWHERE: [(&str, &str); 1] = [("README.md", "src/main.rs")];

#[test]
fn links_lead_to_what_is_there_and_fragments_to_headings() {
    let (mut checked, mut with_fragment, mut broken) = (0, 0, Vec::new());
    for page in pages() {
        for link in links(&prose(&page, Docs::All)) {
            checked += 1;
            with_fragment += usize::from(link.contains('#'));
            if let Err(problem) = check(&page, &link) {
                broken.push(format!("{page}: {link}: {problem}"));
            }
        }
    }
    assert!(checked > 500 && with_fragment > 30, "{checked} links, {with_fragment} with fragments");
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn files_that_pages_name_are_there() {
    let mut missing = Vec::new();
    let mut checked = 0;
    for page in pages().into_iter().filter(|page| page != "CHANGELOG.md") {
        let text = prose(&page, Docs::All);
        let named: BTreeSet<_> = text.split('`').skip(1).step_by(2).filter(is_file).collect();
        for name in named.into_iter().filter(|name| !ELSEWHERE.contains(&(&page, name))) {
            checked += 1;
            let near = Path::new(&page).parent().unwrap().join(name);
            let is_there = |path: &Path| root().join(path).exists();
            let below = ["", "src", "tests"].map(|folder| Path::new(folder).join(name));
            if !is_there(&near) && !below.iter().any(|path| is_there(path)) {
                missing.push(format!("{page}: {name}"));
            }
        }
    }
    assert!(checked > 60, "{checked} files");
    assert!(missing.is_empty(), "{missing:#?}");
}

/// The rows of the page on mutants name lines, which move and go.
#[test]
fn lines_that_no_test_guards_are_there() {
    let page = fs::read_to_string(root().join("tests/mutants.md")).unwrap();
    let rows: Vec<_> = page.lines().filter(|line| line.starts_with("| `")).collect();
    assert!(rows.len() > 5, "{rows:?}");
    for row in rows {
        let spans: Vec<_> = row.split('`').skip(1).step_by(2).collect();
        let source = fs::read_to_string(root().join("src").join(spans[0])).unwrap();
        let (_, function) = spans[1].rsplit_once("::").unwrap_or(("", spans[1]));
        let (_, body) = source.split_once(&format!("fn {function}")).expect(row);
        assert!(body.contains(spans[2]), "{row}");
    }
}

#[test]
fn headings_become_fragments_as_both_hosts_make_them() {
    let text = "# On `wasm32-unknown-unknown`\n## 1. What it can't know\n```sh\n# no heading\n```\n# A b\n# A b\n";
    let expected = ["on-wasm32-unknown-unknown", "1-what-it-cant-know", "a-b", "a-b-1"];
    assert_eq!(headings(&without_code(text)), expected.map(str::to_owned).into());
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    for (page, link) in [
        ("README.md", "no/such/file.md"),
        ("README.md", "#no-such-heading"),
        ("benches/README.md", "../README.md#no-such-heading"),
        ("README.md", "https://docs.rs/room-registry/latest/room_registry/guide/none/index.html"),
        ("README.md", "https://docs.rs/room-registry/latest/room_registry/index.html#none"),
        ("README.md", "https://docs.rs/room-registry/latest/room_registry/journal/enum.None.html"),
        ("src/guide/laws.md", "crate::guide::rules#no-such-heading"),
        ("src/guide/laws.md", "crate::RoomQuery#no-such-heading"),
        ("src/guide/laws.md", "../../README.md"),
    ] {
        assert!(check(page, link).is_err(), "{page}: {link}");
    }
    for (page, link) in [
        ("README.md", "#limits"),
        ("benches/README.md", "../README.md#limits"),
        ("README.md", "https://docs.rs/room-registry/latest/room_registry/index.html#words"),
        (
            "README.md",
            "https://docs.rs/room-registry/latest/room_registry/journal/enum.Command.html",
        ),
        ("src/guide/laws.md", "crate#words"),
        ("src/guide/laws.md", "crate::RoomQuery#cost"),
    ] {
        assert_eq!(check(page, link), Ok(()), "{page}: {link}");
    }
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The pages of the repository, by their paths: all Markdown, and the source of the library.
fn pages() -> Vec<String> {
    let mut pages = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
            let is_source = path.starts_with("src/") && extension(&path) == Some("rs");
            if entry.file_type().unwrap().is_dir() {
                if name != "target" && !name.starts_with('.') {
                    folders.push(path);
                }
            } else if is_source || extension(&path) == Some("md") {
                pages.push(path);
            }
        }
    }
    pages.sort();
    assert!(pages.len() > 100, "{pages:?}");
    pages
}

/// Which documentation of a source file.
#[derive(Clone, Copy)]
enum Docs<'a> {
    All,
    /// That of the module.
    Module,
    /// That of one item.
    Item(&'a str),
}

/// The text of a page without its blocks of code.
fn prose(page: &str, docs: Docs<'_>) -> String {
    let text = fs::read_to_string(root().join(page)).unwrap();
    if extension(page) == Some("md") {
        return without_code(&text);
    }
    let mut kept = String::new();
    for line in text.lines().map(str::trim_start) {
        let line_of_item = line.strip_prefix("///");
        let is_between = line.starts_with("#[") || line.starts_with('"') || line.starts_with(")]");
        let doc = match docs {
            Docs::All => line_of_item.or(line.strip_prefix("//!")),
            Docs::Module => line.strip_prefix("//!"),
            Docs::Item(item) if defines(line, item) => return without_code(&kept),
            Docs::Item(_) => line_of_item,
        };
        match doc {
            Some(doc) => kept.extend([doc.strip_prefix(' ').unwrap_or(doc), "\n"]),
            None if matches!(docs, Docs::Item(_)) && !is_between => kept.clear(),
            None => {}
        }
    }
    without_code(&kept)
}

fn without_code(text: &str) -> String {
    let mut is_code = false;
    let mut kept = String::new();
    for line in text.lines() {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        if !is_code && !is_fence {
            kept.extend([line, "\n"]);
        }
    }
    kept
}

/// The targets of links and images, in the text or at its end.
fn links(prose: &str) -> Vec<String> {
    let inline = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let defined = prose.lines().filter_map(|line| {
        let (name, target) = line.strip_prefix('[')?.split_once("]: ")?;
        Some(target).filter(|_| !name.contains(']'))
    });
    inline.chain(defined).map(str::to_owned).collect()
}

/// The fragments of a page: of each heading, as GitHub and rustdoc make them.
fn headings(prose: &str) -> BTreeSet<String> {
    let mut headings = BTreeSet::new();
    for line in prose.lines().filter(|line| line.trim_start_matches('#').starts_with(' ')) {
        let Some(heading) = line.strip_prefix('#') else { continue };
        let kept = heading.trim_start_matches('#').trim().chars().filter_map(|c| match c {
            ' ' => Some('-'),
            '-' | '_' => Some(c),
            _ => c.is_alphanumeric().then_some(c.to_ascii_lowercase()),
        });
        let fragment: String = kept.collect();
        let mut numbers = 1..;
        let mut unique = fragment.clone();
        while headings.contains(&unique) {
            unique = format!("{fragment}-{}", numbers.next().unwrap());
        }
        headings.insert(unique);
    }
    headings
}

/// Follows a link. Rustdoc checks paths to items, but no fragments.
fn check(page: &str, link: &str) -> Result<(), String> {
    let (target, fragment) = match link.split_once('#') {
        Some((target, fragment)) => (target, Some(fragment)),
        None => (link, None),
    };
    let text = if target.is_empty() {
        prose(page, Docs::Module)
    } else if let Some(target) = target.strip_prefix(DOCS) {
        let path = target.strip_suffix(".html").ok_or("no page")?;
        let (module, name) = path.rsplit_once('/').unwrap_or(("", path));
        match name.split_once('.') {
            Some((_kind, item)) => item_page(item)?,
            None if name == "index" => module_page(module)?,
            None => return Err("no page".to_owned()),
        }
    } else if target.contains("://") {
        return Ok(());
    } else if page.starts_with("src/") {
        if target.contains('/') || extension(target) == Some("md") {
            return Err("the documentation has no files".to_owned());
        }
        let path = target.trim_start_matches("crate").trim_start_matches("::");
        let (_, last) = path.rsplit_once("::").unwrap_or(("", path));
        match last.starts_with(char::is_uppercase) {
            _ if fragment.is_none() => return Ok(()),
            true => item_page(last)?,
            false => module_page(&path.replace("::", "/"))?,
        }
    } else {
        let file = Path::new(page).parent().unwrap().join(target);
        let file = file.to_str().unwrap();
        if !root().join(file).exists() {
            return Err("there is no such file".to_owned());
        }
        let Some(_) = fragment else { return Ok(()) };
        prose(file, Docs::Module)
    };
    match fragment {
        Some(fragment) if !headings(&text).contains(fragment) => {
            Err(format!("its headings are {:?}", headings(&text)))
        }
        Some(_) | None => Ok(()),
    }
}

/// The text of the page of a module: a page of the guide, or a source file.
fn module_page(module: &str) -> Result<String, String> {
    let sources = match module {
        "" => ["src/lib.rs".to_owned(), String::new()],
        module => [format!("src/{module}.md"), format!("src/{module}.rs")],
    };
    let source = sources.iter().find(|source| root().join(source).is_file());
    source.map(|source| prose(source, Docs::Module)).ok_or("there is no such module".to_owned())
}

/// The text of the page of an item.
fn item_page(item: &str) -> Result<String, String> {
    let sources = pages().into_iter().filter(|page| extension(page) == Some("rs"));
    for source in sources {
        let text = fs::read_to_string(root().join(&source)).unwrap();
        if text.lines().any(|line| defines(line.trim_start(), item)) {
            return Ok(prose(&source, Docs::Item(item)));
        }
    }
    Err("there is no such item".to_owned())
}

fn defines(line: &str, item: &str) -> bool {
    ["pub struct ", "pub enum ", "pub trait "].iter().any(|kind| {
        line.strip_prefix(kind)
            .and_then(|line| line.strip_prefix(item))
            .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
    })
}

/// Whether a text in backticks is the name of a file or a folder of the repository.
fn is_file(text: &&str) -> bool {
    let is_path = |c: char| c.is_ascii_alphanumeric() || "_./-".contains(c);
    let names_file = extension(text).is_some_and(|end| EXTENSIONS.contains(&end));
    let names_folder = FOLDERS.iter().any(|folder| text.starts_with(folder)) || text.ends_with('/');
    text.contains('/')
        && !text.starts_with('/')
        && text.chars().all(is_path)
        && (names_file || names_folder)
}

fn extension(path: &str) -> Option<&str> {
    Path::new(path).extension()?.to_str()
}
