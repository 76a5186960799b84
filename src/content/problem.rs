//! What is wrong with a file of the user's: data that travels like any other content.

/// What is wrong with a file of the user's, in words for its author.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The cause, such as `expected ',' or '}'`.
    pub message: String,
    /// Line and column, both from 1; the column counts characters. `None` where the file as a whole is meant.
    pub place: Option<(usize, usize)>,
}
