//! What one look into a folder, a partner's or our own, brought.

/// The outcome of a look.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct FetchReport {
    /// Files that are committed and gone from the folder, in the order in which they were taken.
    pub fetched: Vec<String>,
    /// Files that were left there, each with the reason; those that are only not complete yet are not named.
    pub left: Vec<FileLeft>,
}

/// A file that stays where it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileLeft {
    /// As the folder shows it.
    pub name: String,
    /// For people.
    pub reason: String,
}
