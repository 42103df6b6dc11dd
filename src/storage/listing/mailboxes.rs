//! Mailboxes of the embedded SFTP server and who may log in to them.

use std::collections::HashMap;

use serde::Serialize;

use super::instant;
use crate::binds;
use crate::domain::clock::Instant;
use crate::storage::connection::Connection;
use crate::storage::documents::lying;
use crate::storage::failure::Failure;

/// A mailbox in a listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MailboxListing {
    /// Its name: the login.
    pub mailbox: String,
    /// Code of the partner it was made for; null: it belongs to none.
    pub partner: Option<String>,
    /// Codes of all partners that send and receive over it: several where several profiles name it.
    pub partners: Vec<String>,
    /// Whether it is in use.
    pub active: bool,
    /// Who may log in.
    pub logins: Vec<MailboxLogin>,
    /// Files in its `outbound/`.
    pub outbound_files: i64,
}

/// A login of a mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MailboxLogin {
    /// `key` or `password`.
    pub kind: String,
    /// The public key in OpenSSH's form; null for a password, which is never shown.
    pub key: Option<String>,
    /// Since when.
    pub created_at: Instant,
}

/// All mailboxes by name.
pub async fn mailboxes(connection: &mut Connection) -> Result<Vec<MailboxListing>, Failure> {
    row! {
        struct Row {
            id: i64,
            name: String,
            partner: Option<String>,
            active: i64,
            outbound: i64,
        }
    }
    let mut logins = logins(connection).await?;
    let sql = format!(
        "SELECT c.id, c.name, p.code AS partner, c.active,
               (SELECT COUNT(*) FROM transmission t{} WHERE t.connection_id = c.id AND t.state IN ('delivered', 'picked_up')
                AND t.removed_at IS NULL) AS outbound
             FROM connection c LEFT JOIN partner p ON p.id = c.partner_id WHERE c.kind = 'mailbox' ORDER BY c.name",
        lying(connection)
    );
    let rows: Vec<Row> = connection.rows(&sql, binds![]).await?;
    let speakers: Vec<(i64, String)> = connection
        .rows(
            concat!(
                "SELECT over_it.connection_id, p.code FROM ",
                speakers!(),
                " over_it JOIN partner p ON p.id = over_it.partner_id ORDER BY p.code"
            ),
            binds![],
        )
        .await?;
    let mut partners: HashMap<i64, Vec<String>> = HashMap::new();
    for (mailbox, code) in speakers {
        partners.entry(mailbox).or_default().push(code);
    }
    Ok(rows
        .into_iter()
        .map(|row| MailboxListing {
            partners: partners.remove(&row.id).unwrap_or_default(),
            mailbox: row.name,
            partner: row.partner,
            active: row.active != 0,
            logins: logins.remove(&row.id).unwrap_or_default(),
            outbound_files: row.outbound,
        })
        .collect())
}

async fn logins(connection: &mut Connection) -> Result<HashMap<i64, Vec<MailboxLogin>>, Failure> {
    let rows: Vec<(i64, String, Option<String>, i64)> = connection
        .rows(
            "SELECT connection_id, kind, CASE WHEN kind = 'key' THEN secret END, created_at FROM mailbox_login ORDER BY id",
            binds![],
        )
        .await?;
    let mut found: HashMap<i64, Vec<MailboxLogin>> = HashMap::new();
    for (mailbox, kind, key, at) in rows {
        found.entry(mailbox).or_default().push(MailboxLogin {
            kind,
            key,
            created_at: instant("mailbox_login", at)?,
        });
    }
    Ok(found)
}
