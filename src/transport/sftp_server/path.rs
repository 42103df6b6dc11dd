//! The mailbox's paths: a root, two folders, and names in them. There is nothing else to reach.

use crate::transport::name::{NameRefused, checked_name};

/// Where a path of a client leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MailboxPath {
    /// `/`
    Root,
    /// `/inbound`
    Inbound,
    /// `/outbound`
    Outbound,
    /// A name in `/inbound`.
    InboundFile(String),
    /// A name in `/outbound`.
    OutboundFile(String),
}

/// A path that leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathRefused {
    /// It climbs above the root.
    #[error("the path leaves the mailbox")]
    Leaves,
    /// There is no such folder.
    #[error("there is no such folder; a mailbox has /inbound and /outbound")]
    NoSuchFolder,
    /// The name breaks a rule.
    #[error(transparent)]
    Name(#[from] NameRefused),
}

/// Longest path that is looked at.
const PATH_BYTES: usize = 4_096;

impl MailboxPath {
    /// Reads a client's path; a relative one starts at the root. `.`, `..` and repeated slashes are resolved as text.
    ///
    /// # Errors
    /// When it leads out of the mailbox, into a folder that does not exist, or to a name that is not allowed.
    pub fn parse(path: &str) -> Result<MailboxPath, PathRefused> {
        if path.len() > PATH_BYTES {
            return Err(NameRefused::TooLong.into());
        }
        let mut parts: Vec<&str> = Vec::new();
        for part in path.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop().ok_or(PathRefused::Leaves)?;
                }
                part => parts.push(part),
            }
        }
        match parts.as_slice() {
            [] => Ok(MailboxPath::Root),
            ["inbound"] => Ok(MailboxPath::Inbound),
            ["outbound"] => Ok(MailboxPath::Outbound),
            ["inbound", name] => Ok(MailboxPath::InboundFile(checked_name(name)?)),
            ["outbound", name] => Ok(MailboxPath::OutboundFile(checked_name(name)?)),
            _ => Err(PathRefused::NoSuchFolder),
        }
    }
}

impl std::fmt::Display for MailboxPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            MailboxPath::Root => f.write_str("/"),
            MailboxPath::Inbound => f.write_str("/inbound"),
            MailboxPath::Outbound => f.write_str("/outbound"),
            MailboxPath::InboundFile(name) => write!(f, "/inbound/{name}"),
            MailboxPath::OutboundFile(name) => write!(f, "/outbound/{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_inside() {
        let file = |name: &str| MailboxPath::InboundFile(name.to_owned());
        for (path, expected) in [
            ("", MailboxPath::Root),
            (".", MailboxPath::Root),
            ("/", MailboxPath::Root),
            ("//./", MailboxPath::Root),
            ("inbound", MailboxPath::Inbound),
            ("/inbound/", MailboxPath::Inbound),
            ("/inbound/..", MailboxPath::Root),
            ("/inbound/../outbound", MailboxPath::Outbound),
            ("/inbound/po.edi", file("po.edi")),
            ("inbound//po 1.edi", file("po 1.edi")),
            ("/inbound/..po", file("..po")),
            (
                "/inbound/Bestellung_\u{fc}.edi",
                file("Bestellung_\u{fc}.edi"),
            ),
            (
                "/inbound/Bestellung_u\u{308}.edi",
                file("Bestellung_u\u{308}.edi"),
            ),
            (
                "/outbound/1.997.edi",
                MailboxPath::OutboundFile("1.997.edi".to_owned()),
            ),
        ] {
            assert_eq!(MailboxPath::parse(path), Ok(expected), "{path:?}");
        }
    }

    #[test]
    fn paths_that_lead_nowhere() {
        let long = format!("/inbound/{}", "x".repeat(256));
        let character = |c| PathRefused::Name(NameRefused::Character(c));
        for (path, expected) in [
            ("..", PathRefused::Leaves),
            ("/../etc/passwd", PathRefused::Leaves),
            ("/inbound/../../etc/passwd", PathRefused::Leaves),
            ("/etc/passwd", PathRefused::NoSuchFolder),
            ("/etc", PathRefused::NoSuchFolder),
            ("/Inbound/x", PathRefused::NoSuchFolder),
            ("/inbound/sub/x", PathRefused::NoSuchFolder),
            ("/inbound/..\\..\\x", character('\\')),
            ("/inbound/a\0b", character('\0')),
            ("/inbound/a\nb", character('\n')),
            ("/inbound/a\u{7f}", character('\u{7f}')),
            ("/inbound/a\u{85}", character('\u{85}')),
            ("/inbound/\u{202e}ide.op", character('\u{202e}')),
            ("/inbound/a\u{200b}b", character('\u{200b}')),
            ("/inbound/a\u{2044}b", character('\u{2044}')),
            ("/inbound/\u{2024}\u{2024}", character('\u{2024}')),
            ("/inbound/a\u{ff0f}b", character('\u{ff0f}')),
            ("/inbound/a\u{fffd}", character('\u{fffd}')),
            ("/inbound/ a", PathRefused::Name(NameRefused::OuterSpace)),
            (long.as_str(), PathRefused::Name(NameRefused::TooLong)),
        ] {
            assert_eq!(MailboxPath::parse(path), Err(expected), "{path:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_read_stays_inside_and_reads_the_same_again(path in ".{0,60}|(\\.\\.|/|inbound|outbound|[a-z]|\\.){0,12}") {
            if let Ok(read) = MailboxPath::parse(&path) {
                let shown = read.to_string();
                proptest::prop_assert!(shown.starts_with('/') && !shown.split('/').any(|part| part == ".."));
                proptest::prop_assert_eq!(MailboxPath::parse(&shown), Ok(read));
            }
        }
    }
}
