//! The layers of the source tree: no file imports upwards, and no files import each other in a
//! circle.
//!
//! The check reads the source as text. Documentation, comments, strings and test modules do not
//! count. A parent that declares its child module, or exports what is in it, does not import it.
//! A name is followed through exports to the file that defines it, so that an export hides no
//! circle.
#![allow(clippy::disallowed_methods, reason = "a test reads the source tree")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::path::Path;

/// The layers, lowest first, each with those that it may import.
const LAYERS: [(&str, &[&str]); 11] = [
    ("collections", &[]),
    ("model", &["collections"]),
    ("registers", &["collections", "model"]),
    ("rules", &["collections", "model", "registers"]),
    ("room", &["collections", "model", "registers", "rules"]),
    ("read", &["collections", "model", "registers", "rules", "room"]),
    ("stored", &["collections", "model", "registers", "rules", "room", "read"]),
    ("repair", &["collections", "model", "registers", "rules", "room", "read", "stored"]),
    (
        "registry",
        &["collections", "model", "registers", "rules", "room", "read", "stored", "repair"],
    ),
    ("vendor", &["model"]),
    ("guide", &[]),
];

#[test]
fn no_file_imports_upwards_or_in_a_circle() {
    let tree = Tree::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../src"));
    let broken = tree.violations();
    assert!(broken.is_empty(), "{broken}");
}

/// The files of a crate, by the path of their module: `room::state` for `room/state.rs`, and an
/// empty path for `lib.rs`.
#[derive(Debug, Default)]
struct Tree {
    files: BTreeMap<ModulePath, File>,
}

type ModulePath = Vec<String>;

#[derive(Debug)]
struct File {
    /// The path in `src`.
    name: String,
    imports: Vec<Import>,
    /// The names of its items.
    defined: BTreeSet<String>,
}

/// A path that a file names, resolved against the crate's root.
#[derive(Debug)]
struct Import {
    path: Vec<String>,
    line: usize,
    /// The name that a `use` gives to it here; `*` for all that it holds.
    name: Option<String>,
    /// Whether it is part of a `pub use`, with whatever restriction.
    is_export: bool,
}

/// What breaks the rules, all of it.
#[derive(Debug, Default)]
struct Violations {
    /// Files that no layer is named for.
    homeless: Vec<String>,
    upwards: Vec<Upwards>,
    circles: Vec<Circle>,
}

/// Files that import each other in a circle, each with those of them that it imports.
type Circle = BTreeMap<String, Vec<String>>;

#[derive(Debug)]
struct Upwards {
    from: String,
    line: usize,
    to: String,
    layers: (String, String),
}

impl Tree {
    fn read(root: &Path) -> Self {
        let mut files = Vec::new();
        let mut folders = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("the source can be read") {
                let path = entry.expect("the source can be read").path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let name = path.strip_prefix(root).expect("it lies below the root");
                    let name = name.to_str().expect("names are text").replace('\\', "/");
                    files.push((name, fs::read_to_string(&path).expect("the source can be read")));
                }
            }
        }
        Self::of(files.iter().map(|(name, text)| (&**name, &**text)))
    }

    fn of<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut tokens: BTreeMap<ModulePath, (&str, Vec<Token>)> = files
            .into_iter()
            .map(|(name, text)| (module_of(name), (name, tokens_of(text))))
            .collect();
        let mut tests = Vec::new();
        for (module, (_, tokens)) in &mut tokens {
            tests.extend(without_tests(tokens).into_iter().map(|child| below(module, &child)));
        }
        tokens.retain(|module, _| tests.iter().all(|test| !module.starts_with(test)));
        let modules: BTreeSet<_> = tokens.keys().cloned().collect();
        let read = |(module, (name, tokens)): (ModulePath, (&str, Vec<Token>))| {
            let imports = Reader::new(&module, &modules, &tokens).imports();
            (module, File { name: name.to_owned(), imports, defined: defined_in(&tokens) })
        };
        Self { files: tokens.into_iter().map(read).collect() }
    }

    fn violations(&self) -> Violations {
        let mut violations = Violations::default();
        let mut edges: BTreeMap<&ModulePath, BTreeMap<&ModulePath, usize>> = BTreeMap::new();
        for (from, file) in &self.files {
            let targets = edges.entry(from).or_default();
            for import in &file.imports {
                // A parent shows what its children define.
                let is_own = import.path.starts_with(from) && self.nearest(&import.path).0 != from;
                if import.is_export && is_own {
                    continue;
                }
                let to = self.defining(&import.path);
                if to != from {
                    targets.entry(to).or_insert(import.line);
                }
            }
        }
        for (from, targets) in &edges {
            let name = &self.files[*from].name;
            let Some(layer) = from.first() else { continue };
            let Some((_, lower)) = LAYERS.iter().find(|(name, _)| name == layer) else {
                violations.homeless.push(name.clone());
                continue;
            };
            for (to, line) in targets {
                let target = to.first().map_or("lib", |layer| layer.as_str());
                if target != layer && !lower.contains(&target) {
                    violations.upwards.push(Upwards {
                        from: name.clone(),
                        line: *line,
                        to: self.files[*to].name.clone(),
                        layers: (layer.clone(), target.to_owned()),
                    });
                }
            }
        }
        let name = |module: &ModulePath| self.files[module].name.clone();
        let named = |circle: Vec<&ModulePath>| -> Circle {
            let imported = |module| {
                let targets = edges[module].keys().filter(|target| circle.contains(target));
                (name(module), targets.map(|target| name(target)).collect())
            };
            circle.iter().map(|module| imported(*module)).collect()
        };
        violations.circles = circles_of(&edges).into_iter().map(named).collect();
        violations
    }

    /// The file whose module a path leads to, and what of the path is left.
    fn nearest<'p>(&self, path: &'p [String]) -> (&ModulePath, &'p [String]) {
        let lengths = (0..=path.len()).rev();
        let mut found = lengths.filter_map(|length| {
            let (module, _) = self.files.get_key_value(&path[..length])?;
            Some((module, &path[length..]))
        });
        found.next().expect("lib.rs has the empty path")
    }

    /// The file that defines what a path names, whoever exports it.
    fn defining(&self, path: &[String]) -> &ModulePath {
        self.follow(path, &mut BTreeSet::new()).unwrap_or_else(|| self.nearest(path).0)
    }

    /// Follows a name through the files that know it by an import of their own.
    fn follow(&self, path: &[String], seen: &mut BTreeSet<Vec<String>>) -> Option<&ModulePath> {
        let (module, rest) = self.nearest(path);
        let File { imports, defined, .. } = &self.files[module];
        let Some((name, rest)) = rest.split_first() else { return Some(module) };
        if defined.contains(name) {
            return Some(module);
        }
        if !seen.insert(path.to_vec()) {
            return None;
        }
        let further = |import: &Import, name: Option<&String>| -> Vec<_> {
            import.path.iter().chain(name).chain(rest).cloned().collect()
        };
        let of_name = imports.iter().find(|import| import.name.as_ref() == Some(name));
        if let Some(import) = of_name {
            return self.follow(&further(import, None), seen);
        }
        let all = imports.iter().filter(|import| import.name.as_deref() == Some("*"));
        all.map(|import| further(import, Some(name))).find_map(|path| self.follow(&path, seen))
    }
}

impl Violations {
    fn is_empty(&self) -> bool {
        self.homeless.is_empty() && self.upwards.is_empty() && self.circles.is_empty()
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { homeless, upwards, circles } = self;
        let files: usize = circles.iter().map(BTreeMap::len).sum();
        writeln!(
            out,
            "{} imports upwards, {} circles of {files} files, {} files in no layer",
            upwards.len(),
            circles.len(),
            homeless.len()
        )?;
        let mut by_layers: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for import in upwards {
            by_layers.entry(&import.layers).or_default().push(import);
        }
        for ((from, to), imports) in by_layers {
            writeln!(out, "\n`{from}` may not import `{to}`, and does {} times:", imports.len())?;
            for Upwards { from, line, to, .. } in imports {
                writeln!(out, "  src/{from}:{line} imports src/{to}")?;
            }
        }
        for circle in circles {
            writeln!(out, "\nthese {} files import each other in a circle:", circle.len())?;
            for (from, to) in circle {
                writeln!(out, "  src/{from} imports {}", to.join(", "))?;
            }
        }
        for name in homeless {
            writeln!(out, "\nsrc/{name} is in no layer: name its folder in this test")?;
        }
        Ok(())
    }
}

/// The strongly connected components of more than one file, by Tarjan's algorithm.
fn circles_of<'a>(
    edges: &BTreeMap<&'a ModulePath, BTreeMap<&'a ModulePath, usize>>,
) -> Vec<Vec<&'a ModulePath>> {
    let (numbers, open, circles) = (BTreeMap::new(), Vec::new(), Vec::new());
    let mut search = Search { edges, numbers, open, circles };
    for module in edges.keys() {
        if !search.numbers.contains_key(module) {
            search.visit(module);
        }
    }
    search.circles
}

struct Search<'a, 'e> {
    edges: &'e BTreeMap<&'a ModulePath, BTreeMap<&'a ModulePath, usize>>,
    /// In which order files were found.
    numbers: BTreeMap<&'a ModulePath, usize>,
    /// Those whose circle is not known yet.
    open: Vec<&'a ModulePath>,
    circles: Vec<Vec<&'a ModulePath>>,
}

impl<'a> Search<'a, '_> {
    /// Returns the number of the first open file that can be reached.
    fn visit(&mut self, module: &'a ModulePath) -> usize {
        let number = self.numbers.len();
        self.numbers.insert(module, number);
        self.open.push(module);
        let mut first = number;
        let edges = self.edges;
        for target in edges[module].keys().copied() {
            match self.numbers.get(target) {
                None => first = first.min(self.visit(target)),
                Some(number) if self.open.contains(&target) => first = first.min(*number),
                Some(_) => {}
            }
        }
        if first == number {
            let from = self.open.iter().position(|held| *held == module);
            let mut circle = self.open.split_off(from.expect("it was pushed above"));
            circle.sort();
            if circle.len() > 1 {
                self.circles.push(circle);
            }
        }
        first
    }
}

/// The path of a file's module.
fn module_of(name: &str) -> ModulePath {
    let name = name.strip_suffix(".rs").expect("it is a source file");
    let name = name.strip_suffix("/mod").unwrap_or(name);
    if name == "lib" { Vec::new() } else { name.split('/').map(str::to_owned).collect() }
}

fn below(module: &[String], child: &str) -> ModulePath {
    module.iter().cloned().chain([child.to_owned()]).collect()
}

/// A word or a character of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Token {
    text: String,
    line: usize,
}

/// What is left without comments, strings, characters and lifetimes.
fn tokens_of(text: &str) -> Vec<Token> {
    let characters: Vec<char> = text.chars().collect();
    let (mut tokens, mut index, mut line) = (Vec::new(), 0, 1);
    while let Some(character) = characters.get(index).copied() {
        let rest = &characters[index..];
        let length = match character {
            '/' if rest.get(1) == Some(&'/') => {
                rest.iter().take_while(|character| **character != '\n').count()
            }
            '/' if rest.get(1) == Some(&'*') => block_comment(rest),
            '"' => string(rest),
            'r' | 'b' | 'c' if raw_string(rest).is_some() => raw_string(rest).unwrap_or(1),
            'b' | 'c' if rest.get(1) == Some(&'"') => 1 + string(&rest[1..]),
            '\'' => character_or_lifetime(rest),
            _ if is_of_word(character) => {
                let length = rest.iter().take_while(|character| is_of_word(**character)).count();
                tokens.push(Token { text: rest[..length].iter().collect(), line });
                length
            }
            _ => {
                if !character.is_whitespace() {
                    tokens.push(Token { text: character.to_string(), line });
                }
                1
            }
        };
        line += rest[..length].iter().filter(|character| **character == '\n').count();
        index += length;
    }
    tokens
}

fn is_of_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// How long the comment is that begins here; comments nest.
fn block_comment(text: &[char]) -> usize {
    let (mut depth, mut index) = (0, 0);
    while index < text.len() {
        match text[index..] {
            ['/', '*', ..] => depth += 1,
            ['*', '/', ..] => depth -= 1,
            _ => {
                index += 1;
                continue;
            }
        }
        index += 2;
        if depth == 0 {
            break;
        }
    }
    index
}

fn string(text: &[char]) -> usize {
    let mut index = 1;
    while index < text.len() {
        match text[index] {
            '\\' => index += 2,
            '"' => return index + 1,
            _ => index += 1,
        }
    }
    text.len()
}

fn raw_string(text: &[char]) -> Option<usize> {
    let prefix = text.iter().take_while(|character| matches!(character, 'b' | 'c' | 'r')).count();
    if text[prefix - 1] != 'r' || prefix > 2 {
        return None;
    }
    let hashes = text[prefix..].iter().take_while(|character| **character == '#').count();
    let opened = prefix + hashes;
    if text.get(opened) != Some(&'"') {
        return None;
    }
    let end: Vec<char> = std::iter::once('"').chain(vec!['#'; hashes]).collect();
    let body = &text[opened + 1..];
    let closed = body.windows(end.len()).position(|window| window == end);
    Some(closed.map_or(text.len(), |at| opened + 1 + at + end.len()))
}

fn character_or_lifetime(text: &[char]) -> usize {
    match text {
        ['\'', '\\', ..] => {
            let closed = text[3..].iter().position(|character| *character == '\'');
            closed.map_or(text.len(), |at| at + 4)
        }
        ['\'', _, '\'', ..] => 3,
        _ => 1 + text[1..].iter().take_while(|character| is_of_word(**character)).count(),
    }
}

/// Removes the items that are compiled for tests only. Returns the modules of them that are files.
fn without_tests(tokens: &mut Vec<Token>) -> Vec<String> {
    let (mut kept, mut files, mut index) = (Vec::new(), Vec::new(), 0);
    while index < tokens.len() {
        let rest = &tokens[index..];
        if is_test_attribute(rest) {
            let (length, file) = item(rest);
            files.extend(file);
            index += length;
        } else {
            kept.push(rest[0].clone());
            index += 1;
        }
    }
    *tokens = kept;
    files
}

fn is_test_attribute(tokens: &[Token]) -> bool {
    let texts: Vec<_> = tokens.iter().take(4).map(|token| &*token.text).collect();
    if texts != ["#", "[", "cfg", "("] {
        return false;
    }
    let inside = &tokens[3..3 + group(&tokens[3..])];
    let at = inside.iter().position(|token| token.text == "test");
    at.is_some_and(|at| !inside[..at].iter().any(|token| token.text == "not"))
}

/// How many tokens an item has, with its attributes; and its name if it is a module in a file.
fn item(tokens: &[Token]) -> (usize, Option<String>) {
    let mut index = 0;
    while tokens.get(index).is_some_and(|token| token.text == "#") {
        index += 1 + group(&tokens[index + 1..]);
    }
    let body = index;
    let is_import = tokens[body..].iter().take(5).any(|token| token.text == "use");
    while let Some(token) = tokens.get(index) {
        match &*token.text {
            ";" => {
                let name = tokens[body..index].windows(2).find(|pair| pair[0].text == "mod");
                return (index + 1, name.map(|pair| pair[1].text.clone()));
            }
            "{" if !is_import => return (index + group(&tokens[index..]), None),
            "(" | "[" | "{" => index += group(&tokens[index..]),
            _ => index += 1,
        }
    }
    (tokens.len(), None)
}

/// How many tokens there are from an opening bracket to the one that closes it.
fn group(tokens: &[Token]) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate() {
        match &*token.text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return index + 1;
        }
    }
    tokens.len()
}

/// The names of items, of all that a file has.
fn defined_in(tokens: &[Token]) -> BTreeSet<String> {
    const ITEMS: [&str; 9] =
        ["struct", "enum", "union", "fn", "trait", "type", "const", "static", "macro_rules"];
    let pairs = tokens.windows(2).filter(|pair| ITEMS.contains(&&*pair[0].text));
    pairs.map(|pair| pair[1].text.clone()).collect()
}

/// Reads the paths that a file names.
struct Reader<'a> {
    modules: &'a BTreeSet<ModulePath>,
    tokens: &'a [Token],
    index: usize,
    /// The module that it is in.
    module: ModulePath,
    /// After how many tokens the modules within the file end.
    ends: Vec<usize>,
    imports: Vec<Import>,
}

impl<'a> Reader<'a> {
    fn new(module: &[String], modules: &'a BTreeSet<ModulePath>, tokens: &'a [Token]) -> Self {
        let module = module.to_vec();
        Self { modules, tokens, index: 0, module, ends: Vec::new(), imports: Vec::new() }
    }

    fn imports(mut self) -> Vec<Import> {
        while self.index < self.tokens.len() {
            while self.ends.last().is_some_and(|end| *end <= self.index) {
                self.ends.pop();
                self.module.pop();
            }
            match self.text(0) {
                "mod" if self.text(2) == "{" => {
                    self.module.push(self.text(1).to_owned());
                    self.ends.push(self.index + 2 + group(&self.tokens[self.index + 2..]));
                    self.index += 3;
                }
                "mod" => self.index += 2,
                "use" if self.text(1) != "<" => self.import(),
                _ => self.inline_path(),
            }
        }
        self.imports
    }

    /// The text of a token, counted from where the reader is.
    fn text(&self, ahead: usize) -> &'a str {
        self.tokens.get(self.index + ahead).map_or("", |token| &token.text)
    }

    fn before(&self, back: usize) -> &'a str {
        let index = self.index.checked_sub(back);
        index.map_or("", |index| &self.tokens[index].text)
    }

    fn is_path_on(&self) -> bool {
        (self.text(0), self.text(1)) == (":", ":")
    }

    fn import(&mut self) {
        let is_export = matches!(self.before(1), "pub" | ")");
        let line = self.tokens[self.index].line;
        self.index += 1;
        let mut leaves = Vec::new();
        self.tree(&mut Vec::new(), &mut leaves);
        for (path, name) in leaves {
            if let Some(path) = self.absolute(&path) {
                self.imports.push(Import { path, line, name: Some(name), is_export });
            }
        }
    }

    /// Reads what follows `use`, or one branch of it.
    fn tree(&mut self, path: &mut Vec<String>, leaves: &mut Vec<(Vec<String>, String)>) {
        let length = path.len();
        loop {
            match self.text(0) {
                "{" => {
                    self.index += 1;
                    while !matches!(self.text(0), "}" | "") {
                        self.tree(path, leaves);
                        if self.text(0) == "," {
                            self.index += 1;
                        }
                    }
                    self.index += 1;
                    break;
                }
                "*" => {
                    self.index += 1;
                    leaves.push((path.clone(), "*".to_owned()));
                    break;
                }
                ":" => self.index += 1,
                // `r#type` is two words and a character to the lexer.
                word if word == "r" && self.text(1) == "#" => self.index += 2,
                word => {
                    self.index += 1;
                    if word != "self" || path.is_empty() {
                        path.push(word.to_owned());
                    }
                    if self.is_path_on() {
                        continue;
                    }
                    let mut name = path.last().cloned().unwrap_or_default();
                    if self.text(0) == "as" {
                        self.text(1).clone_into(&mut name);
                        self.index += 2;
                    }
                    leaves.push((path.clone(), name));
                    break;
                }
            }
        }
        path.truncate(length);
    }

    /// Reads a path within the code if there is one, or one token.
    fn inline_path(&mut self) {
        let is_begun = self.before(1) == ":" && self.before(2) == ":";
        let is_visibility = self.before(1) == "in" && self.before(2) == "(";
        let root = self.text(0).to_owned();
        let line = self.tokens[self.index].line;
        self.index += 1;
        if is_begun || is_visibility || !self.is_path_on() {
            return;
        }
        let mut path = vec![root];
        while self.is_path_on() && self.text(2).starts_with(|first: char| is_of_word(first)) {
            path.push(self.text(2).to_owned());
            self.index += 3;
        }
        if let Some(path) = self.absolute(&path) {
            self.imports.push(Import { path, line, name: None, is_export: false });
        }
    }

    /// A path from the crate's root, if it stays in the crate.
    fn absolute(&self, path: &[String]) -> Option<Vec<String>> {
        let (root, rest) = path.split_first()?;
        let mut resolved = match &**root {
            "crate" => Vec::new(),
            "self" => self.module.clone(),
            "super" => self.module.split_last()?.1.to_vec(),
            child => {
                let child = below(&self.module, child);
                if !self.modules.contains(&child) {
                    return None;
                }
                child
            }
        };
        for segment in rest {
            if segment == "super" {
                resolved.pop()?;
            } else {
                resolved.push(segment.clone());
            }
        }
        Some(resolved)
    }
}

mod checker {
    use super::{Tree, Violations};

    #[test]
    fn a_tree_in_its_layers_breaks_nothing() {
        let violations = check(&[
            ("lib.rs", "mod model; mod room; pub use model::id::Id; pub use crate::room::Room;"),
            ("model.rs", "pub mod id;"),
            ("model/id.rs", "pub struct Id;"),
            ("room.rs", "mod state; pub use state::Room; use crate::model::id::Id;"),
            ("room/state.rs", "use crate::{model::{id::{self, Id}}}; pub struct Room;"),
        ]);
        assert!(violations.is_empty(), "{violations}");
    }

    #[test]
    fn an_import_upwards_is_told_with_its_line() {
        let violations = check(&[
            ("lib.rs", ""),
            ("model.rs", "\n\nuse crate::room::Room;"),
            ("room.rs", "pub struct Room;"),
        ]);
        assert_eq!(upwards(&violations), ["model.rs:3 room.rs"]);
        assert!(violations.to_string().contains("`model` may not import `room`"));
    }

    #[test]
    fn every_way_to_name_a_path_is_seen() {
        for text in [
            "pub(crate) use crate::room::Room;",
            "use crate::{model::Id, room::{self as place, Room}};",
            "fn f(room: &crate::room::Room) {}",
            "fn f() { let f = |x| crate::room::Room::new(x); }",
            "use super::room::Room;",
            "mod inner { use super::super::room::Room; }",
            "use crate::{\n    model::Id,\n    room::*,\n};",
            "use crate::Room;",
            "macro_rules! m { () => { $crate::room::Room } }",
        ] {
            let lib = ("lib.rs", "pub use room::Room;");
            let violations = check(&[lib, ("model.rs", text), ("room.rs", "pub struct Room;")]);
            assert_eq!(violations.upwards.len(), 1, "{text}");
            assert_eq!(violations.upwards[0].to, "room.rs", "{text}");
        }
    }

    #[test]
    fn what_is_no_code_does_not_count() {
        for text in [
            "//! [`Room`](crate::room::Room)\n/// crate::room::Room\n// use crate::room::Room;",
            "/* use /* crate::room::Room; */ use crate::room::Room; */",
            "const A: &str = \"use crate::room::Room; \\\" crate::room::Room\";",
            "const A: &str = r#\"\" crate::room::Room \"#; const B: char = '\"';",
            "#[cfg(test)]\nmod tests { use crate::room::Room; fn f() { crate::room::f(); } }",
            "#[cfg(test)]\n#[allow(dead_code)]\nuse crate::room::{Room, Other};",
            "#[cfg(all(test, feature = \"serde\"))]\nfn f<'a>(x: &'a str) { crate::room::f() }",
            "pub(in crate::room) struct A;",
            "use std::room::Room; use other::{crate_room, room};",
        ] {
            let violations = check(&[("lib.rs", ""), ("model.rs", text), ("room.rs", "")]);
            assert!(violations.is_empty(), "{text}: {violations}");
        }
    }

    #[test]
    fn code_behind_what_is_no_code_counts() {
        for text in [
            "const A: char = '\\''; use crate::room::Room;",
            "fn f<'a>(x: &'a str) -> &'a str { x } use crate::room::Room;",
            "const A: &[u8] = b\"\\\\\"; use crate::room::Room;",
            "#[cfg(test)]\nmod tests { fn f() {} }\nuse crate::room::Room;",
            "#[cfg(not(test))]\nuse crate::room::Room;",
            "/* /* */ */ use crate::room::Room;",
        ] {
            let violations = check(&[("lib.rs", ""), ("model.rs", text), ("room.rs", "")]);
            assert_eq!(violations.upwards.len(), 1, "{text}");
        }
    }

    #[test]
    fn the_files_of_test_modules_do_not_count() {
        let violations = check(&[
            ("lib.rs", ""),
            ("model.rs", "#[cfg(test)]\nmod tests;"),
            ("model/tests.rs", "use crate::room::Room;"),
            ("model/tests/more.rs", "use crate::room::Room;"),
            ("room.rs", ""),
        ]);
        assert!(violations.is_empty(), "{violations}");
    }

    #[test]
    fn collections_import_nothing_and_vendors_the_model_alone() {
        let violations = check(&[
            ("lib.rs", ""),
            ("collections.rs", "use crate::model::Id;"),
            ("guide.rs", "use crate::model::Id;"),
            ("model.rs", "use crate::collections::Table;"),
            ("vendor/zego.rs", "use crate::{collections::Table, model::Id};"),
        ]);
        let told =
            ["collections.rs:1 model.rs", "guide.rs:1 model.rs", "vendor/zego.rs:1 collections.rs"];
        assert_eq!(upwards(&violations), told);
    }

    #[test]
    fn only_the_root_may_import_everything_and_nobody_the_root() {
        let violations = check(&[
            ("lib.rs", "mod registry; use registry::Registry; pub struct Here;"),
            ("registry.rs", "use crate::Here; pub struct Registry;"),
        ]);
        assert_eq!(upwards(&violations), ["registry.rs:1 lib.rs"]);
        assert_eq!(circles(&violations), [["lib.rs", "registry.rs"]]);
    }

    #[test]
    fn a_folder_without_a_layer_is_told() {
        let violations = check(&[("lib.rs", ""), ("embedding/one.rs", "")]);
        assert_eq!(violations.homeless, ["embedding/one.rs"]);
    }

    #[test]
    fn a_circle_is_told_with_all_its_files() {
        let violations = check(&[
            ("lib.rs", ""),
            ("room.rs", "mod a; mod b; mod c; mod d;"),
            ("room/a.rs", "use crate::room::b::B; pub struct A;"),
            ("room/b.rs", "use super::c::C; pub struct B;"),
            ("room/c.rs", "fn f() { crate::room::a::A }"),
            ("room/d.rs", "use crate::room::a::A;"),
        ]);
        assert_eq!(circles(&violations), [["room/a.rs", "room/b.rs", "room/c.rs"]]);
        assert!(violations.to_string().contains("src/room/c.rs imports room/a.rs"));
    }

    #[test]
    fn a_parent_that_shows_its_child_does_not_import_it() {
        let child = ("room/a.rs", "use super::Shared;");
        for (parent, circles) in [
            ("mod a; pub use a::A; pub(crate) use self::a::{A, B}; struct Shared;", 0),
            ("mod a; pub use crate::room::a::A; struct Shared;", 0),
            ("mod a; use a::A; struct Shared;", 1),
            ("mod a; struct Shared(a::A);", 1),
            ("mod a; use crate::room::a::A; struct Shared;", 1),
        ] {
            let violations = check(&[("lib.rs", ""), ("room.rs", parent), child]);
            assert_eq!(violations.circles.len(), circles, "{parent}: {violations}");
        }
    }

    #[test]
    fn an_export_hides_no_circle() {
        for export in
            ["pub use a::A; pub use b::{B as Bee};", "pub use a::*; pub use b::{B as Bee};"]
        {
            let violations = check(&[
                ("lib.rs", ""),
                ("room.rs", export),
                ("room/a.rs", "use crate::room::Bee; pub struct A;"),
                ("room/b.rs", "use crate::room::A; pub struct B;"),
            ]);
            assert_eq!(circles(&violations), [["room/a.rs", "room/b.rs"]], "{export}");
        }
    }

    #[test]
    fn two_circles_are_told_apart() {
        let violations = check(&[
            ("lib.rs", ""),
            ("model/a.rs", "use crate::model::b::B;"),
            ("model/b.rs", "use crate::model::a::A;"),
            ("room/a.rs", "use crate::{model::a::A, room::b::B};"),
            ("room/b.rs", "use crate::room::a::A;"),
        ]);
        let told = [["model/a.rs", "model/b.rs"], ["room/a.rs", "room/b.rs"]];
        assert_eq!(circles(&violations), told);
    }

    fn check(files: &[(&str, &str)]) -> Violations {
        Tree::of(files.iter().copied()).violations()
    }

    fn circles(violations: &Violations) -> Vec<Vec<&str>> {
        let circles = violations.circles.iter();
        circles.map(|circle| circle.keys().map(String::as_str).collect()).collect()
    }

    fn upwards(violations: &Violations) -> Vec<String> {
        let told = violations.upwards.iter();
        told.map(|import| format!("{}:{} {}", import.from, import.line, import.to)).collect()
    }
}
