//! Users of the console, their passwords and their roles. Sessions stand in a table of their own and end with the user's
//! password or activity.

use std::collections::BTreeSet;

use argon2::{Argon2, PasswordHasher};

use super::connection::Connection;
use super::failure::Failure;
use crate::binds;
use crate::domain::clock::Instant;

/// What a user may do beside looking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Orders, documents and shipments.
    Ops,
    /// Payments and deductions.
    Ar,
    /// Everything, partners' profiles and users too.
    Admin,
}

impl Role {
    /// The word in listings and in the database.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ops => "ops",
            Self::Ar => "ar",
            Self::Admin => "admin",
        }
    }
}

impl std::str::FromStr for Role {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text.trim() {
            "ops" => Ok(Self::Ops),
            "ar" => Ok(Self::Ar),
            "admin" => Ok(Self::Admin),
            other => Err(format!("{other:?} is no role: ops, ar or admin")),
        }
    }
}

/// Fewest characters of a password.
pub const PASSWORD_MIN: usize = 8;
/// Most bytes of a password: hashing more would only cost time.
pub const PASSWORD_MAX: usize = 1_024;

/// The argon2id hash of a password, with a salt of its own; for users and mailboxes alike. Takes some 50 ms of work: call
/// it off the runtime's threads.
///
/// # Errors
/// A password that is too short or too long, or a system without randomness.
pub fn hash_password(password: &str) -> Result<String, Failure> {
    if password.chars().count() < PASSWORD_MIN || password.len() > PASSWORD_MAX {
        return Err(Failure::refuse(format!(
            "a password has {PASSWORD_MIN} to {PASSWORD_MAX} characters"
        )));
    }
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| Failure::refuse(format!("the password could not be hashed: {error}")))
}

/// Checks a name to log in with: 1 to 64 letters, digits, `.`, `_`, `-` or `@`.
fn check_name(name: &str) -> Result<(), Failure> {
    let fits = (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-@".contains(&byte));
    if fits {
        Ok(())
    } else {
        Err(Failure::refuse(format!(
            "{name:?} is no user name: 1 to 64 letters, digits, '.', '_', '-' or '@'"
        )))
    }
}

impl Connection {
    /// Adds a user, or gives one that is there a new password and these roles; it is active afterwards and has to log in
    /// anew. True where it is new.
    pub async fn save_user(
        &mut self,
        name: &str,
        password_hash: &str,
        roles: &BTreeSet<Role>,
        at: Instant,
    ) -> Result<bool, Failure> {
        check_name(name)?;
        if roles.is_empty() {
            return Err(Failure::refuse(
                "a user needs a role: ops, ar or admin (`--role ops`)",
            ));
        }
        let known = self
            .number(
                "SELECT COUNT(*) FROM console_user WHERE name = $1",
                binds![name],
            )
            .await?;
        let words: Vec<&str> = roles.iter().map(|role| role.word()).collect();
        self.execute(
            "INSERT INTO console_user (name, password, roles, active, created_at) VALUES ($1, $2, $3, 1, $4)
             ON CONFLICT (name) DO UPDATE SET password = excluded.password, roles = excluded.roles, active = 1",
            binds![name, password_hash, words.join(" "), at],
        )
        .await?;
        self.end_sessions(name).await?;
        Ok(known == 0)
    }

    /// Lets a user log in no more; the name stays, for what it did stands in the audit trail. False where there is no
    /// such user.
    pub async fn retire_user(&mut self, name: &str) -> Result<bool, Failure> {
        let written = self
            .execute(
                "UPDATE console_user SET active = 0 WHERE name = $1",
                binds![name],
            )
            .await?;
        self.end_sessions(name).await?;
        Ok(written == 1)
    }

    async fn end_sessions(&mut self, name: &str) -> Result<(), Failure> {
        self.execute("DELETE FROM console_session WHERE name = $1", binds![name])
            .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use argon2::PasswordVerifier;
    use argon2::password_hash::phc::PasswordHash;

    use super::*;

    #[test]
    fn a_password_is_hashed_with_its_own_salt() {
        let (one, other) = (
            hash_password("correct horse").unwrap(),
            hash_password("correct horse").unwrap(),
        );
        assert_ne!(one, other);
        assert!(one.starts_with("$argon2id$"));
        let hash = PasswordHash::new(&one).unwrap();
        let is_right = |word: &[u8]| Argon2::default().verify_password(word, &hash).is_ok();
        assert!(is_right(b"correct horse") && !is_right(b"wrong horse"));
    }

    #[test]
    fn what_can_not_stand_is_refused() {
        assert!(hash_password("sho rt").is_err());
        assert!(hash_password(&"x".repeat(2_000)).is_err());
        for (name, fits) in [
            ("pat", true),
            ("pat.doe@example.com", true),
            ("", false),
            ("a b", false),
            ("<b>", false),
        ] {
            assert_eq!(check_name(name).is_ok(), fits, "{name:?}");
        }
        assert_eq!("ar".parse(), Ok(Role::Ar));
        assert!("root".parse::<Role>().is_err());
    }
}
