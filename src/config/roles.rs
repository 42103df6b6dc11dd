//! What one gateway does of the whole, where several share a database.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::reading;

/// A part of the work that a gateway may leave to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// What partners and warehouses reach: the SFTP port, and the folders that are watched.
    Mailbox,
    /// Every step from a received file to a delivered answer, polls of partners' own servers, clocks, mail.
    Workers,
    /// The HTTP port: the console and its probes.
    Console,
}

impl Role {
    /// Every role: what a gateway does that was told nothing.
    pub const ALL: [Self; 3] = [Self::Mailbox, Self::Workers, Self::Console];

    /// The word in settings and at the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Mailbox => "mailbox",
            Self::Workers => "workers",
            Self::Console => "console",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What is wrong with a list of roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RolesFault {
    /// What is wrong.
    pub what: String,
    /// What to write instead.
    pub instead: String,
}

impl fmt::Display for RolesFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}. {}", self.what, self.instead)
    }
}

impl std::error::Error for RolesFault {}

/// The first fault of a list of roles: that it is empty, or names one twice.
pub fn fault(roles: &[Role]) -> Option<RolesFault> {
    if roles.is_empty() {
        return Some(RolesFault {
            what: "a gateway without a role does nothing".to_owned(),
            instead: format!(
                "Write one or more of {}, or leave it out for all of them",
                words(&Role::ALL)
            ),
        });
    }
    let repeated = roles
        .iter()
        .enumerate()
        .find(|(entry, role)| roles[..*entry].contains(role));
    repeated.map(|(_, role)| RolesFault {
        what: format!("the role {role} is named twice"),
        instead: "Write it once".to_owned(),
    })
}

/// Roles in words: `mailbox, workers`.
pub fn words(roles: &[Role]) -> String {
    let words: Vec<&str> = roles.iter().map(|role| role.word()).collect();
    words.join(", ")
}

/// Roles as the command line has them: `mailbox,workers`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleList(pub Vec<Role>);

impl FromStr for RoleList {
    type Err = RolesFault;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut roles = Vec::new();
        let names = text.split(',').map(str::trim);
        for name in names.filter(|_| !text.trim().is_empty()) {
            let known = Role::ALL.into_iter().find(|role| role.word() == name);
            roles.push(known.ok_or_else(|| RolesFault {
                what: format!("{name:?} is no role"),
                instead: reading::advise(
                    name,
                    &Role::ALL.map(|role| role.word().to_owned()),
                    "Write one or more of",
                ),
            })?);
        }
        match fault(&roles) {
            Some(fault) => Err(fault),
            None => Ok(Self(roles)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_or_refused_with_a_sentence() {
        let read = |text: &str| text.parse::<RoleList>().map(|list| list.0);
        assert_eq!(read("mailbox"), Ok(vec![Role::Mailbox]));
        assert_eq!(
            read("console, workers"),
            Ok(vec![Role::Console, Role::Workers])
        );
        for (text, says) in [
            ("", "without a role"),
            (" ", "without a role"),
            ("mailbox,,workers", "\"\" is no role"),
            ("worker", "Did you mean `workers`?"),
            ("boss", "Write one or more of: mailbox, workers, console"),
            ("mailbox,console,mailbox", "the role mailbox is named twice"),
        ] {
            let refused = read(text).unwrap_err().to_string();
            assert!(refused.contains(says), "{text:?}: {refused}");
        }
    }
}
