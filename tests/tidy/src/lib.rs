//! Reads the tree for the tests in `main.rs`: which files there are, which crates, what a file declares.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// One text file of the tree.
#[derive(Debug)]
pub struct File {
    /// Relative to the root, with `/`.
    pub path: String,
    /// Its text.
    pub text: String,
}

impl File {
    /// The file's lines with their numbers, from 1.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }
}

/// The root of the workspace.
///
/// # Errors
/// When the crate does not lie two folders below it.
pub fn root() -> Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    Ok(here.ancestors().nth(2).context("find the root of the workspace")?.to_path_buf())
}

/// All files whose name ends in one of `endings`, outside hidden and target folders, sorted.
///
/// # Errors
/// When a folder or file cannot be read.
pub fn files(endings: &[&str]) -> Result<Vec<File>> {
    let root = root()?;
    let mut found = Vec::new();
    walk(&root, &mut |path| {
        let name = path.to_string_lossy();
        if endings.iter().any(|ending| name.ends_with(ending)) {
            let text = std::fs::read_to_string(path).with_context(|| format!("read {name}"))?;
            let path = path.strip_prefix(&root)?.to_string_lossy().replace('\\', "/");
            found.push(File { path, text });
        }
        Ok(())
    })?;
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

fn walk(folder: &Path, visit: &mut dyn FnMut(&Path) -> Result<()>) -> Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') || name == "target" {
            continue;
        }
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), visit)?;
        } else {
            visit(&entry.path())?;
        }
    }
    Ok(())
}

/// A function and how many lines it has.
#[derive(Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Its first line.
    pub line: usize,
    /// From `fn` to the closing brace.
    pub lines: usize,
}

/// The functions of a formatted Rust file: from `fn` to the brace at the same indent.
#[must_use]
pub fn functions(text: &str) -> Vec<Function> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        let indent = line.len() - line.trim_start().len();
        let closing = format!("{}}}", " ".repeat(indent));
        let body = lines.iter().skip(index);
        let length = body
            .clone()
            .position(|line| *line == closing || (line.starts_with(&closing) && line.trim_end() == closing))
            .map_or(1, |end| end + 1);
        let is_declaration = body.clone().take(length).any(|line| line.trim_end().ends_with(';'))
            && !body.clone().take(length).any(|line| line.contains('{'));
        if !is_declaration {
            found.push(Function { name: name.to_owned(), line: index + 1, lines: length });
        }
    }
    found
}

fn function_name(line: &str) -> Option<&str> {
    let mut rest = line.trim_start();
    for word in ["pub(crate) ", "pub(super) ", "pub ", "const ", "async ", "unsafe ", "extern \"C\" "] {
        rest = rest.strip_prefix(word).unwrap_or(rest);
    }
    let rest = rest.strip_prefix("fn ")?;
    if line.trim_end().ends_with('}') || line.trim_end().ends_with(';') {
        return None;
    }
    rest.split(['(', '<']).next()
}
