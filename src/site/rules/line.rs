//! The lines of a file of rules, and what there is to say of them.

/// How many characters a line may have.
pub(super) const LINE: usize = 2000;

/// Something about a line that its author should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// The number of the line, from 1.
    pub line: usize,
    /// What it is, in words.
    pub message: String,
    /// How it matters.
    pub kind: RemarkKind,
}

/// What a [`Remark`] means for the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemarkKind {
    /// It makes no sense.
    Broken,
    /// It makes sense for a host, but can't be followed here.
    Unsupported,
    /// It is followed, and not every host does.
    Differs,
}

/// The lines that say something, each with its number, without the space around it.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let numbered = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    numbered.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}
