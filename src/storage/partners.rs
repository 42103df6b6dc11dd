//! Who is who: company, partners with their profiles, connections, logins and EDI addresses.

use std::sync::Arc;

use super::connection::{Connection, list};
use super::failure::Failure;
use crate::binds;
use crate::domain::clock::Instant;

row! {
    /// A partner.
    #[derive(Debug, Clone)]
    pub struct PartnerRow {
        /// Its number.
        pub id: i64,
        /// Short name.
        pub code: String,
        /// Name.
        pub name: String,
        /// live or test.
        pub status: String,
        /// Version of the profile in force.
        pub profile_version: i64,
    }
}

row! {
    /// A connection.
    #[derive(Debug, Clone)]
    pub struct ConnectionRow {
        /// Its number.
        pub id: i64,
        /// Its name; a mailbox's login.
        pub name: String,
        /// mailbox, sftp, folder.
        pub kind: String,
        /// Whose it is.
        pub partner_id: Option<i64>,
        /// Its settings as JSON, as the profile gives them.
        pub body: String,
        /// When it was polled last.
        pub polled_at: Option<i64>,
        /// What is wrong with it.
        pub problem: Option<String>,
    }
}

const CONNECTION: &str =
    "SELECT id, name, kind, partner_id, body, polled_at, problem FROM connection";

/// That partner `$1` sends and receives over a connection. A mailbox that several profiles name is made once, for the first
/// of them.
const OF_PARTNER: &str = concat!(
    "connection.id IN (SELECT connection_id FROM ",
    speakers!(),
    " over_it WHERE over_it.partner_id = $1)"
);

/// An EDI address with its partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAddress {
    /// ISA05 or ISA07.
    pub qualifier: String,
    /// ISA06 or ISA08, without trailing blanks.
    pub isa_id: String,
    /// GS02 or GS03.
    pub gs_id: String,
    /// production or test.
    pub mode: &'static str,
}

row! {
    /// What is known of a sender.
    #[derive(Debug, Clone)]
    pub struct SenderRow {
        /// The address.
        pub id: i64,
        /// Whose.
        pub partner_id: i64,
        /// The GS id it uses.
        pub gs_id: String,
        /// production or test.
        pub mode: String,
    }
}

row! {
    /// A login of a mailbox.
    #[derive(Debug, Clone)]
    pub struct MailboxLoginRow {
        /// Which mailbox.
        pub connection_id: i64,
        /// key or password.
        pub kind: String,
        /// The public key in OpenSSH's form, or the argon2 hash.
        pub secret: String,
    }
}

impl Connection {
    /// Makes sure that our company is in the database.
    pub async fn save_company(&mut self, id: i64, name: &str, body: &str) -> Result<(), Failure> {
        self.execute(
            "INSERT INTO company (id, name, body) VALUES ($1, $2, $3)
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, body = excluded.body",
            binds![id, name, body],
        )
        .await?;
        Ok(())
    }

    /// Applies a profile as a new version; a text equal to the one in force makes none. Partner and version.
    #[allow(clippy::too_many_arguments)]
    pub async fn apply_profile(
        &mut self,
        code: &str,
        name: &str,
        kind: &str,
        status: &str,
        text: &str,
        by: &str,
        at: Instant,
    ) -> Result<(i64, i64), Failure> {
        let (id, version) = match self.partner_named(code).await? {
            Some(partner) => {
                if self
                    .profile(partner.id, partner.profile_version)
                    .await?
                    .as_deref()
                    == Some(text)
                {
                    return Ok((partner.id, partner.profile_version));
                }
                (partner.id, partner.profile_version + 1)
            }
            None => (self.identity("partner").await?, 1),
        };
        self.change_catalogue().await?;
        self.execute(
            "INSERT INTO partner (id, code, name, kind, status, profile_version) VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (id) DO UPDATE SET name = excluded.name, kind = excluded.kind, status = excluded.status,
             profile_version = excluded.profile_version",
            binds![id, code, name, kind, status, version],
        )
        .await?;
        self.execute(
            "INSERT INTO profile (partner_id, version, text, applied_at, applied_by) VALUES ($1, $2, $3, $4, $5)",
            binds![id, version, text, at, by],
        )
        .await?;
        Ok((id, version))
    }

    /// A partner by its short name.
    pub async fn partner_named(&mut self, code: &str) -> Result<Option<PartnerRow>, Failure> {
        self.row(
            "SELECT id, code, name, status, profile_version FROM partner WHERE code = $1",
            binds![code],
        )
        .await
    }

    /// A partner by its number.
    pub async fn partner(&mut self, id: i64) -> Result<Option<PartnerRow>, Failure> {
        let seen = self.catalogue_seen().await?;
        if let Some(known) = self.recall(seen).and_then(|memory| memory.partner(id)) {
            return Ok(Some(known));
        }
        let found: Option<PartnerRow> = self
            .row(
                "SELECT id, code, name, status, profile_version FROM partner WHERE id = $1",
                binds![id],
            )
            .await?;
        if let (Some(mut memory), Some(found)) = (self.recall(seen), &found) {
            memory.keep_partner(found.clone());
        }
        Ok(found)
    }

    /// All partners, by short name.
    pub async fn partners(&mut self) -> Result<Vec<PartnerRow>, Failure> {
        self.rows(
            "SELECT id, code, name, status, profile_version FROM partner ORDER BY code",
            binds![],
        )
        .await
    }

    /// The text of a version of a profile.
    pub async fn profile(&mut self, partner: i64, version: i64) -> Result<Option<String>, Failure> {
        Ok(self
            .row::<(String,)>(
                "SELECT text FROM profile WHERE partner_id = $1 AND version = $2",
                binds![partner, version],
            )
            .await?
            .map(|row| row.0))
    }

    /// Makes a partner's addresses these, each speaking over these connections and over those mailboxes of the partner
    /// that have a login. An address of another partner is left
    /// to it and given back, so that the caller can refuse.
    pub async fn save_addresses(
        &mut self,
        partner: i64,
        addresses: &[NewAddress],
        connections: &[i64],
    ) -> Result<Option<NewAddress>, Failure> {
        for address in addresses {
            let taken = self
                .number(
                    "SELECT COUNT(*) FROM edi_address WHERE qualifier = $1 AND isa_id = $2 AND gs_id = $3 AND mode = $4
                     AND partner_id <> $5",
                    binds![&address.qualifier, &address.isa_id, &address.gs_id, address.mode, partner],
                )
                .await?;
            if taken > 0 {
                return Ok(Some(address.clone()));
            }
        }
        self.change_catalogue().await?;
        self.execute(
            "DELETE FROM address_connection WHERE address_id IN (SELECT id FROM edi_address WHERE partner_id = $1)",
            binds![partner],
        )
        .await?;
        self.execute(
            "DELETE FROM edi_address WHERE partner_id = $1",
            binds![partner],
        )
        .await?;
        let ids = self.identities("edi_address", addresses.len()).await?;
        let rows = ids
            .iter()
            .zip(addresses)
            .map(|(id, address)| {
                binds![
                    *id,
                    partner,
                    &address.qualifier,
                    &address.isa_id,
                    &address.gs_id,
                    address.mode
                ]
            })
            .collect();
        self.insert_many(
            "INSERT INTO edi_address (id, partner_id, qualifier, isa_id, gs_id, mode)",
            rows,
            "",
        )
        .await?;
        let links = ids
            .iter()
            .flat_map(|id| {
                connections
                    .iter()
                    .map(move |connection| binds![*id, *connection])
            })
            .collect();
        self.insert_many(
            "INSERT INTO address_connection (address_id, connection_id)",
            links,
            "",
        )
        .await?;
        // Mailboxes that the partner was given besides stay its own.
        self.execute(
            "INSERT INTO address_connection (address_id, connection_id)
             SELECT edi_address.id, connection.id FROM edi_address
             JOIN connection ON connection.partner_id = edi_address.partner_id
             WHERE edi_address.partner_id = $1 AND connection.kind = 'mailbox' AND connection.active = 1
             AND EXISTS (SELECT 1 FROM mailbox_login WHERE connection_id = connection.id) ON CONFLICT DO NOTHING",
            binds![partner],
        )
        .await?;
        self.pass_on_mailboxes(partner).await?;
        Ok(None)
    }

    /// A mailbox that a partner no longer speaks over, and others do, becomes theirs: else the first login that they add
    /// would be one of a partner that has left it.
    async fn pass_on_mailboxes(&mut self, partner: i64) -> Result<(), Failure> {
        let speakers =
            "FROM address_connection link JOIN edi_address ON edi_address.id = link.address_id
             WHERE link.connection_id = connection.id AND edi_address.partner_id";
        self.execute(
            &format!(
                "UPDATE connection SET partner_id = (SELECT MIN(edi_address.partner_id) {speakers} <> $1)
                 WHERE partner_id = $1 AND kind = 'mailbox'
                 AND NOT EXISTS (SELECT 1 {speakers} = $1) AND EXISTS (SELECT 1 {speakers} <> $1)"
            ),
            binds![partner],
        )
        .await?;
        Ok(())
    }

    /// Addresses of a sender by qualifier and ISA id.
    pub async fn senders(
        &mut self,
        qualifier: &str,
        isa_id: &str,
    ) -> Result<Arc<[SenderRow]>, Failure> {
        let address = (qualifier.to_owned(), isa_id.to_owned());
        let seen = self.catalogue_seen().await?;
        if let Some(known) = self
            .recall(seen)
            .and_then(|memory| memory.senders(&address))
        {
            return Ok(known);
        }
        let found: Vec<SenderRow> = self
            .rows(
                "SELECT id, partner_id, gs_id, mode FROM edi_address WHERE qualifier = $1 AND isa_id = $2 ORDER BY id",
                binds![qualifier, isa_id],
            )
            .await?;
        let found: Arc<[SenderRow]> = found.into();
        if let Some(mut memory) = self.recall(seen) {
            memory.keep_senders(address, found.clone());
        }
        Ok(found)
    }

    /// Keeps other transactions from delivering to these partners until this one ends: their files take numbers and names
    /// one transaction after the other. SQLite writes one transaction at a time anyway.
    pub async fn hold_partners(&mut self, partners: &[i64]) -> Result<(), Failure> {
        if self.is_sqlite() || partners.is_empty() {
            return Ok(());
        }
        let sql = format!(
            "SELECT id FROM partner WHERE id IN {} ORDER BY id FOR NO KEY UPDATE",
            list(partners.len(), 0)
        );
        let held = partners.iter().map(|partner| (*partner).into()).collect();
        let _: Vec<(i64,)> = self.rows(&sql, held).await?;
        Ok(())
    }

    /// Whether an address may speak over a connection.
    pub async fn may_speak(&mut self, address: i64, connection: i64) -> Result<bool, Failure> {
        let seen = self.catalogue_seen().await?;
        let known = self.recall(seen);
        if let Some(may) = known.and_then(|memory| memory.may_speak(address, connection)) {
            return Ok(may);
        }
        let n = self
            .number(
                "SELECT COUNT(*) FROM address_connection WHERE address_id = $1 AND connection_id = $2",
                binds![address, connection],
            )
            .await?;
        if let Some(mut memory) = self.recall(seen) {
            memory.keep_speaker(address, connection, n > 0);
        }
        Ok(n > 0)
    }

    /// Makes or changes a connection; its number. One that is a partner's stays that partner's.
    pub async fn save_connection(
        &mut self,
        name: &str,
        kind: &str,
        partner: Option<i64>,
        body: &str,
    ) -> Result<i64, Failure> {
        if let Some(found) = self.connection_named(name).await? {
            self.execute(
                "UPDATE connection SET kind = $2, partner_id = COALESCE(partner_id, $3), body = $4, active = 1 WHERE id = $1",
                binds![found.id, kind, partner, body],
            )
            .await?;
            return Ok(found.id);
        }
        let id = self.identity("connection").await?;
        self.execute(
            "INSERT INTO connection (id, name, kind, partner_id, body, active) VALUES ($1, $2, $3, $4, $5, 1)",
            binds![id, name, kind, partner, body],
        )
        .await?;
        Ok(id)
    }

    /// The mailbox of this name for a partner, made where there is none. Refused where the name is that of a connection
    /// over which the partner does not speak.
    pub async fn open_mailbox(&mut self, name: &str, partner: i64) -> Result<i64, Failure> {
        if let Some(found) = self.connection_named(name).await? {
            if found.kind != "mailbox" {
                return Err(Failure::refuse(format!(
                    "the name {name:?} is taken by a connection of kind {}: choose another",
                    found.kind
                )));
            }
            let speakers = self.partners_over(found.id).await?;
            if !speakers.is_empty() && speakers.iter().all(|(id, _)| *id != partner) {
                let codes: Vec<&str> = speakers.iter().map(|(_, code)| code.as_str()).collect();
                return Err(Failure::refuse(format!(
                    "the mailbox {name:?} serves {}: choose another name, or, where this partner shall share it, name it in its profile (`[connection.mailbox]`, `name = {name:?}`) and apply that first",
                    codes.join(", ")
                )));
            }
        }
        let id = self
            .save_connection(name, "mailbox", Some(partner), "{}")
            .await?;
        self.change_catalogue().await?;
        self.execute(
            "INSERT INTO address_connection (address_id, connection_id)
             SELECT id, CAST($2 AS BIGINT) FROM edi_address WHERE partner_id = $1 ON CONFLICT DO NOTHING",
            binds![partner, id],
        )
        .await?;
        Ok(id)
    }

    /// A connection by name.
    pub async fn connection_named(&mut self, name: &str) -> Result<Option<ConnectionRow>, Failure> {
        self.row(&format!("{CONNECTION} WHERE name = $1"), binds![name])
            .await
    }

    /// A connection by number.
    pub async fn connection(&mut self, id: i64) -> Result<Option<ConnectionRow>, Failure> {
        self.row(&format!("{CONNECTION} WHERE id = $1"), binds![id])
            .await
    }

    /// Connections of a kind that are in use.
    pub async fn connections(&mut self, kind: &str) -> Result<Vec<ConnectionRow>, Failure> {
        self.rows(
            &format!("{CONNECTION} WHERE kind = $1 AND active = 1 ORDER BY id"),
            binds![kind],
        )
        .await
    }

    /// The partners that send and receive over a connection, by short name: number, short name.
    pub async fn partners_over(&mut self, connection: i64) -> Result<Vec<(i64, String)>, Failure> {
        self.rows(
            concat!(
                "SELECT id, code FROM partner WHERE id IN (SELECT partner_id FROM ",
                speakers!(),
                " over_it WHERE over_it.connection_id = $1) ORDER BY code"
            ),
            binds![connection],
        )
        .await
    }

    /// The connection of a partner over which files of this kind of connection go out: of several mailboxes the one that
    /// the profile names, unless only another has a login.
    pub async fn delivery_connection(
        &mut self,
        partner: i64,
        kind: &str,
        name: &str,
    ) -> Result<Option<ConnectionRow>, Failure> {
        self.row(
            &format!(
                "{CONNECTION} WHERE {OF_PARTNER} AND kind = $2 AND active = 1
                 ORDER BY CASE WHEN EXISTS (SELECT 1 FROM mailbox_login WHERE connection_id = connection.id) THEN 0 ELSE 1 END,
                 CASE WHEN name = $3 THEN 0 ELSE 1 END, id LIMIT 1"
            ),
            binds![partner, kind, name],
        )
        .await
    }

    /// Notes when a connection was polled and what was wrong with it.
    pub async fn note_poll(
        &mut self,
        id: i64,
        at: Instant,
        problem: Option<&str>,
    ) -> Result<(), Failure> {
        self.execute(
            "UPDATE connection SET polled_at = $2, problem = $3 WHERE id = $1",
            binds![id, at, problem.map(str::to_owned)],
        )
        .await?;
        Ok(())
    }

    /// Adds a login to a mailbox. The same key again changes nothing; another password takes the place of the one before.
    /// The row of a login stays for ever.
    pub async fn add_mailbox_login(
        &mut self,
        connection: i64,
        kind: &str,
        secret: &str,
        at: Instant,
    ) -> Result<(), Failure> {
        let known = if kind == "password" {
            self.execute(
                "UPDATE mailbox_login SET secret = $2, created_at = $3 WHERE connection_id = $1 AND kind = 'password'",
                binds![connection, secret, at],
            )
            .await?
        } else {
            let sql = "SELECT COUNT(*) FROM mailbox_login WHERE connection_id = $1 AND kind = $2 AND secret = $3";
            u64::from(self.number(sql, binds![connection, kind, secret]).await? > 0)
        };
        if known > 0 {
            return Ok(());
        }
        let id = self.identity("mailbox_login").await?;
        self.execute(
            "INSERT INTO mailbox_login (id, connection_id, kind, secret, created_at) VALUES ($1, $2, $3, $4, $5)",
            binds![id, connection, kind, secret, at],
        )
        .await?;
        Ok(())
    }

    /// Logins of the mailbox with this name.
    pub async fn mailbox_logins(&mut self, name: &str) -> Result<Vec<MailboxLoginRow>, Failure> {
        self.rows(
            "SELECT mailbox_login.connection_id, mailbox_login.kind, mailbox_login.secret FROM mailbox_login
             JOIN connection ON connection.id = mailbox_login.connection_id
             WHERE connection.name = $1 AND connection.kind = 'mailbox' AND connection.active = 1",
            binds![name],
        )
        .await
    }
}
