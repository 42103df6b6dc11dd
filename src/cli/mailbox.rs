//! `mailbox`: logins of partners on the embedded SFTP server.

use std::path::PathBuf;
use std::process::ExitCode;

use super::{CliError, CliResult, Options, house, outcome};
use crate::storage::Class;
use crate::storage::journal::Subject;
use crate::storage::users::hash_password;

/// Mailboxes.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Add a login to a mailbox; makes the mailbox where there is none
    Add {
        /// Name of the mailbox: the login name of the partner's SFTP client
        name: String,
        /// The partner it belongs to; of a mailbox that several profiles name, any of them
        #[arg(long)]
        partner: String,
        /// Public key, as ssh-keygen writes it (id_ed25519.pub)
        #[arg(
            long,
            value_name = "FILE",
            conflicts_with = "password_stdin",
            required_unless_present = "password_stdin"
        )]
        key: Option<PathBuf>,
        /// Read a password from standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// List mailboxes and who may log in to them
    List,
}

/// Runs it.
pub async fn run(options: &Options, command: Command) -> CliResult {
    match command {
        Command::List => super::show::partners::list_mailboxes(options).await,
        Command::Add {
            name,
            partner,
            key,
            password_stdin: _,
        } => {
            check_name(&name)?;
            let (kind, secret) = match key {
                Some(path) => ("key", public_key(&path)?),
                None => ("password", hash_password(&house::read_password()?)?),
            };
            add(options, name, partner, kind, secret).await
        }
    }
}

fn check_name(name: &str) -> Result<(), CliError> {
    let sound = !name.is_empty()
        && name.len() <= 64
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if sound {
        return Ok(());
    }
    Err(CliError::Refused(format!(
        "{name:?} can not be a mailbox: use letters, digits, '-', '_' and '.', at most 64"
    )))
}

fn public_key(path: &std::path::Path) -> Result<String, CliError> {
    let text = String::from_utf8_lossy(&house::read_file(path)?)
        .trim()
        .to_owned();
    if text.contains("PRIVATE KEY") {
        return Err(CliError::Refused(format!(
            "{} is a private key, which must never leave its owner: give the public one ({}.pub)",
            path.display(),
            path.display()
        )));
    }
    let mut words = text.split_whitespace();
    let kind = words.next().unwrap_or_default();
    let blob = words.next().unwrap_or_default();
    let known = [
        "ssh-ed25519",
        "ssh-rsa",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
    ];
    if !known.contains(&kind) || blob.len() < 40 {
        return Err(CliError::Refused(format!(
            "{} holds no public key: one line `ssh-ed25519 AAAA… comment` is needed, as `ssh-keygen -y -f KEY` prints it",
            path.display()
        )));
    }
    Ok(text)
}

async fn add(
    options: &Options,
    name: String,
    partner: String,
    kind: &'static str,
    secret: String,
) -> CliResult {
    let gateway = house::open(options).await?;
    let now = gateway.now();
    let actor = house::actor();
    let (mailbox, of) = (name.clone(), partner.clone());
    gateway
        .store
        .write(Class::Ordinary, move |connection| {
            let (name, partner, secret, actor) = (mailbox.clone(), of.clone(), secret.clone(), actor.clone());
            Box::pin(async move {
                let owner = connection.partner_named(&partner).await?.ok_or_else(|| {
                    crate::storage::Failure::refuse(format!(
                        "there is no partner {partner:?}: apply its profile first (`supercargo partner apply FILE`)"
                    ))
                })?;
                let id = connection.open_mailbox(&name, owner.id).await?;
                connection.add_mailbox_login(id, kind, &secret, now).await?;
                let subject = Subject::new("connection", id);
                connection.record(now, &actor, "mailbox login added", subject, &format!("{name}, {kind}")).await
            })
        })
        .await?;
    if options.json {
        return outcome::print_json(
            &serde_json::json!({ "mailbox": name, "partner": partner, "login": kind }),
        );
    }
    println!("{partner} can log in as {name} with its {kind}.");
    Ok(ExitCode::SUCCESS)
}
