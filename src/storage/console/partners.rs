//! Partners: who they are, over what they speak, and when they last did.

use super::WHOLE;
use crate::binds;
use crate::storage::{Connection, Failure};

row! {
    /// A partner and its traffic.
    #[derive(Debug, Clone)]
    pub(crate) struct PartnerItem {
        pub id: i64,
        pub code: String,
        pub name: String,
        pub kind: String,
        pub status: String,
        pub profile_version: i64,
        /// When it last sent a document.
        pub last_in: Option<i64>,
        /// When we last sent one.
        pub last_out: Option<i64>,
        /// Documents that wait for a person.
        pub held: i64,
        /// Documents of ours that it has not answered in time.
        pub overdue: i64,
        /// Documents of either direction that were refused since the given instant.
        pub rejected: i64,
    }
}

/// Partners by short name, with their traffic; refusals count since `since`.
pub(crate) async fn list(
    connection: &mut Connection,
    now: i64,
    since: i64,
) -> Result<Vec<PartnerItem>, Failure> {
    // PostgreSQL would go back through everybody's documents for the last one of a partner, which may be long ago; of a
    // range, only the index of partners has the order that is asked for.
    let own = if connection.is_sqlite() {
        "= p.id"
    } else {
        "BETWEEN p.id AND p.id"
    };
    let sql = format!(
        "SELECT p.id, p.code, p.name, p.kind, p.status, p.profile_version,
            (SELECT d.created_at FROM document d WHERE d.partner_id {own} AND d.delivery = 'none'
                ORDER BY d.partner_id DESC, d.delivery DESC, d.id DESC LIMIT 1) AS last_in,
            (SELECT t.created_at FROM transmission t WHERE t.partner_id {own}
                ORDER BY t.partner_id DESC, t.id DESC LIMIT 1) AS last_out,
            COALESCE(x.held, 0) AS held, COALESCE(x.overdue, 0) AS overdue, COALESCE(x.rejected, 0) AS rejected
         FROM partner p LEFT JOIN (
            SELECT partner_id, CAST(SUM(held) AS BIGINT) AS held, CAST(SUM(overdue) AS BIGINT) AS overdue,
                CAST(SUM(rejected) AS BIGINT) AS rejected FROM (
                SELECT partner_id, CASE WHEN disposition = 'held' OR delivery = 'held' THEN 1 ELSE 0 END AS held,
                    0 AS overdue, 0 AS rejected FROM document WHERE disposition = 'held' OR delivery = 'held'
                    OR (direction = 'out' AND syntax = 'rejected' AND delivery <> 'superseded')
                UNION ALL
                SELECT partner_id, 0, 1, 0 FROM document
                    WHERE direction = 'out' AND syntax = 'pending' AND answer_due_at < $1
                UNION ALL
                SELECT partner_id, 0, 0, 1 FROM document WHERE disposition = 'rejected' AND created_at >= $2
                UNION ALL
                SELECT partner_id, 0, 0, 1 FROM document WHERE syntax = 'rejected' AND syntax NOT IN ('accepted', 'none')
                    AND disposition <> 'rejected' AND created_at >= $2) told
            GROUP BY partner_id) x ON x.partner_id = p.id
         ORDER BY p.code LIMIT {WHOLE}"
    );
    connection.rows(&sql, binds![now, since]).await
}

/// Number, short name and name of every partner, for choices in forms.
pub(crate) async fn choices(
    connection: &mut Connection,
) -> Result<Vec<(i64, String, String)>, Failure> {
    connection
        .rows(
            "SELECT id, code, name FROM partner ORDER BY name, code LIMIT 2000",
            binds![],
        )
        .await
}

row! {
    /// An EDI address.
    #[derive(Debug, Clone)]
    pub(crate) struct AddressItem {
        pub qualifier: String,
        pub isa_id: String,
        pub gs_id: String,
        pub mode: String,
    }
}

/// A partner's EDI addresses.
pub(crate) async fn addresses(
    connection: &mut Connection,
    partner: i64,
) -> Result<Vec<AddressItem>, Failure> {
    connection
        .rows(
            "SELECT qualifier, isa_id, gs_id, mode FROM edi_address WHERE partner_id = $1 ORDER BY id",
            binds![partner],
        )
        .await
}

row! {
    /// A connection with its logins counted by kind.
    #[derive(Debug, Clone)]
    pub(crate) struct ConnectionItem {
        pub name: String,
        /// mailbox, sftp, folder.
        pub kind: String,
        /// Settings as JSON; secrets stand in it by reference only.
        pub body: String,
        pub active: i64,
        pub polled_at: Option<i64>,
        pub problem: Option<String>,
    }
}

/// A partner's connections.
pub(crate) async fn connections(
    connection: &mut Connection,
    partner: i64,
) -> Result<Vec<ConnectionItem>, Failure> {
    connection
        .rows(
            concat!(
                "SELECT name, kind, body, active, polled_at, problem FROM connection
                 WHERE id IN (SELECT connection_id FROM ",
                speakers!(),
                " over_it WHERE over_it.partner_id = $1) ORDER BY id"
            ),
            binds![partner],
        )
        .await
}

row! {
    /// A login of a mailbox. Of a password nothing is read but that there is one.
    #[derive(Debug, Clone)]
    pub(crate) struct LoginItem {
        pub mailbox: String,
        pub kind: String,
        /// The public key; empty for a password.
        pub key: String,
        pub created_at: i64,
    }
}

/// The logins of a partner's mailboxes.
pub(crate) async fn logins(
    connection: &mut Connection,
    partner: i64,
) -> Result<Vec<LoginItem>, Failure> {
    connection
        .rows(
            concat!("SELECT c.name AS mailbox, l.kind, CASE WHEN l.kind = 'key' THEN l.secret ELSE '' END AS key, l.created_at
             FROM mailbox_login l JOIN connection c ON c.id = l.connection_id
             WHERE c.id IN (SELECT connection_id FROM ", speakers!(), " over_it WHERE over_it.partner_id = $1)
             ORDER BY c.name, l.id LIMIT 200"),
            binds![partner],
        )
        .await
}

/// The text of one version of a partner's profile.
pub(crate) async fn profile(
    connection: &mut Connection,
    partner: i64,
    version: i64,
) -> Result<Option<String>, Failure> {
    connection.profile(partner, version).await
}

/// The versions of a partner's profile, newest first: number, when, by whom.
pub(crate) async fn versions(
    connection: &mut Connection,
    partner: i64,
) -> Result<Vec<(i64, i64, String)>, Failure> {
    connection
        .rows(
            "SELECT version, applied_at, applied_by FROM profile WHERE partner_id = $1 ORDER BY version DESC LIMIT 200",
            binds![partner],
        )
        .await
}

/// One partner, without its traffic.
pub(crate) async fn one(
    connection: &mut Connection,
    id: i64,
) -> Result<Option<PartnerItem>, Failure> {
    connection
        .row(
            "SELECT p.id, p.code, p.name, p.kind, p.status, p.profile_version,
                (SELECT d.created_at FROM document d WHERE d.partner_id = p.id AND d.delivery = 'none'
                ORDER BY d.id DESC LIMIT 1) AS last_in,
                (SELECT t.created_at FROM transmission t WHERE t.partner_id = p.id
                ORDER BY t.id DESC LIMIT 1) AS last_out,
                CAST(0 AS BIGINT) AS held, CAST(0 AS BIGINT) AS overdue, CAST(0 AS BIGINT) AS rejected
             FROM partner p WHERE p.id = $1",
            binds![id],
        )
        .await
}
