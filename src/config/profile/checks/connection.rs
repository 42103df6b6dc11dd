//! The connection: its kind and its tables, the partner's server.

use super::Found;
use crate::config::profile::Profile;
use crate::config::profile::connection::{AfterFetch, ConnectionKind, RemoteServer};
use crate::config::reading::is_short_name;

pub(super) fn check(profile: &Profile, found: &mut Found<'_>) {
    let connection = &profile.connection;
    let kind = connection.kind;
    for (table, there, its_kind) in [
        (
            "connection.mailbox",
            connection.mailbox.is_some(),
            ConnectionKind::Mailbox,
        ),
        (
            "connection.sftp",
            connection.sftp.is_some(),
            ConnectionKind::Sftp,
        ),
        (
            "connection.folder",
            connection.folder.is_some(),
            ConnectionKind::Folder,
        ),
    ] {
        found.unless(
            !there || kind == its_kind,
            table,
            format!(
                "this table is for kind = \"{}\", and the kind is \"{}\"",
                its_kind.word(),
                kind.word()
            ),
            "Take the table out or write that kind",
        );
        found.unless(
            there || kind != its_kind || kind == ConnectionKind::Mailbox,
            "connection.kind",
            format!("kind = \"{}\" needs the table [{table}]", kind.word()),
            "Add it",
        );
    }
    if let Some(mailbox) = &connection.mailbox {
        found.unless(
            mailbox.name.is_empty() || is_short_name(&mailbox.name),
            "connection.mailbox.name",
            format!("{:?} is no name of a mailbox", mailbox.name),
            "Write the name given to `mailbox add`: small letters, digits and hyphens, 2 to 32 of them",
        );
    }
    if let (ConnectionKind::Sftp, Some(server)) = (kind, &connection.sftp) {
        check_server(server, found);
    }
    if let (ConnectionKind::Folder, Some(folder)) = (kind, &connection.folder) {
        for (key, name) in [("inbound", &folder.inbound), ("outbound", &folder.outbound)] {
            found.unless(
                !name.is_empty(),
                &format!("connection.folder.{key}"),
                "the folder has no name",
                format!("Write {key} = \"…\"; a relative name is taken against the data folder"),
            );
        }
        found.unless(
            folder.inbound.is_empty() || folder.inbound != folder.outbound,
            "connection.folder.outbound",
            "both folders are the same, so the gateway would take in what it sends",
            "Write two",
        );
    }
}

fn check_server(server: &RemoteServer, found: &mut Found<'_>) {
    let key = |name: &str| format!("connection.sftp.{name}");
    for (name, value) in [("host", &server.host), ("user", &server.user)] {
        found.unless(
            !value.is_empty(),
            &key(name),
            format!("the server's `{name}` is missing"),
            format!("Write {name} = \"…\""),
        );
    }
    found.unless(
        !server.key_file.is_empty() || server.password().is_some(),
        "connection.sftp",
        "there is neither a key nor a password to log in with",
        "Add key_file = \"keys/….key\", password_env = \"…\" or password_file = \"…\"",
    );
    found.unless(
        is_host_key(&server.host_key),
        &key("host_key"),
        if server.host_key.is_empty() {
            "the server's host key is missing, and no server is trusted at first sight".to_owned()
        } else {
            format!("{:?} is no host key", server.host_key)
        },
        "Write the fingerprint SHA256:… that the partner told you (`ssh-keygen -lf` shows it), or the whole key `ssh-ed25519 AAAA…`",
    );
    found.unless(
        !(server.fetch_from.is_empty() && server.deliver_to.is_empty()),
        &key("fetch_from"),
        "nothing is fetched and nothing is delivered",
        "Write fetch_from and deliver_to, the partner's folders",
    );
    found.unless(
        server.after_fetch != AfterFetch::Archive || !server.archive_to.is_empty(),
        &key("archive_to"),
        "after_fetch = \"archive\" needs a folder to move files to",
        "Write archive_to = \"…\", or after_fetch = \"delete\"",
    );
    found.unless(
        server.archive_to.is_empty() || server.archive_to != server.fetch_from,
        &key("archive_to"),
        "files would be moved to the folder that they are fetched from",
        "Write another folder",
    );
    for (name, value) in [
        ("port", u32::from(server.port)),
        ("interval_seconds", server.interval_seconds),
        ("timeout_seconds", server.timeout_seconds),
        ("attempts", server.attempts),
        ("backoff_seconds", server.backoff_seconds),
    ] {
        found.unless(
            value > 0,
            &key(name),
            "zero is not possible here",
            "Write 1 or more",
        );
    }
    found.unless(
        server.backoff_seconds_max >= server.backoff_seconds,
        &key("backoff_seconds_max"),
        "the longest wait is shorter than the first",
        "Write at least backoff_seconds",
    );
}

fn is_host_key(text: &str) -> bool {
    if let Some(digest) = text.strip_prefix("SHA256:") {
        // 32 bytes in base64, with or without padding
        return (43..=44).contains(&digest.len());
    }
    let mut words = text.split_whitespace();
    let kind = words.next().unwrap_or_default();
    (kind.starts_with("ssh-") || kind.starts_with("ecdsa-"))
        && words.next().is_some_and(|blob| blob.len() >= 40)
}
