//! `user`: who may log in to the console.

use std::collections::BTreeSet;
use std::process::ExitCode;

use super::listing::{Shape, minute, missing, show_all};
use super::{CliError, CliResult, Options, house, print};
use crate::storage::Class;
use crate::storage::journal::Subject;
use crate::storage::listing::users::{UserListing, users};
use crate::storage::users::{Role, hash_password};

/// Users of the console.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Add a user, or give one that is there a new password and these roles
    Add {
        /// Name to log in with
        name: String,
        /// ops (orders, documents, shipments), ar (payments, deductions) or admin (everything); several allowed
        #[arg(long, required = true, value_delimiter = ',')]
        role: Vec<Role>,
        /// Read the password from standard input
        #[arg(long, required = true)]
        password_stdin: bool,
    },
    /// List users
    List,
    /// Let a user log in no more
    Retire {
        /// Name of the user
        name: String,
    },
}

const USERS: Shape<UserListing> = Shape {
    what: "users; `supercargo user add NAME --role admin --password-stdin` adds one",
    titles: &["USER", "ROLES", "ACTIVE", "SINCE (UTC)"],
    row: |row| {
        vec![
            row.user.clone(),
            row.roles.join(" "),
            if row.active { "yes" } else { "no" }.to_owned(),
            minute(row.created_at),
        ]
    },
    below: None,
    cursor: None,
};

/// Runs it.
pub async fn run(options: &Options, command: Command) -> CliResult {
    match command {
        Command::Add {
            name,
            role,
            password_stdin: _,
        } => add(options, name, role).await,
        Command::List => {
            let gateway = house::open(options).await?;
            let rows = users(&mut gateway.store.read().await?).await?;
            show_all(options, &USERS, &rows)
        }
        Command::Retire { name } => retire(options, name).await,
    }
}

async fn add(options: &Options, name: String, roles: Vec<Role>) -> CliResult {
    let hash = hash_password(&house::read_password()?)?;
    let roles: BTreeSet<Role> = roles.into_iter().collect();
    let gateway = house::open(options).await?;
    let (now, actor) = (gateway.now(), house::actor());
    let (who, of) = (name.clone(), roles.clone());
    let is_new = gateway
        .store
        .write(Class::Ordinary, move |connection| {
            let (name, hash, roles, actor) = (who.clone(), hash.clone(), of.clone(), actor.clone());
            Box::pin(async move {
                let is_new = connection.save_user(&name, &hash, &roles, now).await?;
                let action = if is_new { "user added" } else { "user changed" };
                connection
                    .record(now, &actor, action, Subject::new("user", 0), &name)
                    .await?;
                Ok(is_new)
            })
        })
        .await?;
    let words: Vec<&str> = roles.iter().map(|role| role.word()).collect();
    if options.json {
        print::json(&serde_json::json!({ "user": name, "roles": words, "new": is_new }))?;
    } else {
        let done = if is_new {
            "is added"
        } else {
            "has a new password and has to log in anew"
        };
        print::line(&format!("{name} ({}) {done}.", words.join(", ")))?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn retire(options: &Options, name: String) -> CliResult {
    let gateway = house::open(options).await?;
    let (now, actor, who) = (gateway.now(), house::actor(), name.clone());
    let is_known = gateway
        .store
        .write(Class::Ordinary, move |connection| {
            let (name, actor) = (who.clone(), actor.clone());
            Box::pin(async move {
                let is_known = connection.retire_user(&name).await?;
                if is_known {
                    connection
                        .record(now, &actor, "user retired", Subject::new("user", 0), &name)
                        .await?;
                }
                Ok(is_known)
            })
        })
        .await?;
    if !is_known {
        let error: CliError = missing("user", &name, "user list");
        return Err(error);
    }
    print::line(&format!("{name} can log in no more."))?;
    Ok(ExitCode::SUCCESS)
}
