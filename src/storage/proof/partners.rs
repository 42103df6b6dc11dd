//! Partners with the profile in force, and what was made of it: addresses, and the connections that they speak over.

use crate::binds;
use crate::storage::connection::Connection;
use crate::storage::failure::Failure;

row! {
    /// A partner with its profile in force.
    #[derive(Debug)]
    pub struct KeptPartner {
        /// Its number.
        pub id: i64,
        /// Its short name.
        pub code: String,
        /// Version in force.
        pub profile_version: i64,
        /// How many versions are kept.
        pub versions: i64,
        /// Text of the version in force; none: it is not there.
        pub text: Option<String>,
    }
}

row! {
    /// An EDI address and a connection that it speaks over.
    #[derive(Debug)]
    pub struct KeptAddress {
        /// Whose.
        pub partner_id: i64,
        /// ISA05.
        pub qualifier: String,
        /// ISA06.
        pub isa_id: String,
        /// GS02.
        pub gs_id: String,
        /// production or test.
        pub mode: String,
        /// Name of one connection; none: it speaks over no connection that is there.
        pub connection: Option<String>,
    }
}

impl Connection {
    /// Partners after `after`, in order of number.
    pub async fn kept_partners(
        &mut self,
        after: i64,
        most: i64,
    ) -> Result<Vec<KeptPartner>, Failure> {
        self.rows(
            "SELECT partner.id, partner.code, partner.profile_version, profile.text,
                 (SELECT COUNT(*) FROM profile AS each_version WHERE each_version.partner_id = partner.id) AS versions
             FROM partner LEFT JOIN profile ON profile.partner_id = partner.id AND profile.version = partner.profile_version
             WHERE partner.id > $1 ORDER BY partner.id LIMIT $2",
            binds![after, most],
        )
        .await
    }

    /// The addresses of partners `first` to `last`, once for each of their connections.
    pub async fn kept_addresses(
        &mut self,
        first: i64,
        last: i64,
    ) -> Result<Vec<KeptAddress>, Failure> {
        self.rows(
            "SELECT edi_address.partner_id, edi_address.qualifier, edi_address.isa_id, edi_address.gs_id, edi_address.mode,
                 connection.name AS connection
             FROM edi_address
             LEFT JOIN address_connection ON address_connection.address_id = edi_address.id
             LEFT JOIN connection ON connection.id = address_connection.connection_id
             WHERE edi_address.partner_id BETWEEN $1 AND $2",
            binds![first, last],
        )
        .await
    }

    /// The mailboxes made for partners `first` to `last` that have a login: partner, name.
    pub async fn kept_mailboxes(
        &mut self,
        first: i64,
        last: i64,
    ) -> Result<Vec<(i64, String)>, Failure> {
        self.rows(
            "SELECT partner_id, name FROM connection
             WHERE partner_id BETWEEN $1 AND $2 AND kind = 'mailbox' AND active = 1
             AND EXISTS (SELECT 1 FROM mailbox_login WHERE connection_id = connection.id) ORDER BY name",
            binds![first, last],
        )
        .await
    }

    /// The profile of a partner that is in force, and since when.
    pub async fn profile_in_force(
        &mut self,
        partner: i64,
    ) -> Result<Option<(String, i64)>, Failure> {
        self.row(
            "SELECT profile.text, profile.applied_at FROM partner
             JOIN profile ON profile.partner_id = partner.id AND profile.version = partner.profile_version
             WHERE partner.id = $1",
            binds![partner],
        )
        .await
    }

    /// Where the numbers of each table with numbers of its own stand: table, last number given, largest number kept. A
    /// table whose numbers are not there is left out.
    pub async fn number_series(
        &mut self,
        tables: &[&str],
    ) -> Result<Vec<(String, i64, i64)>, Failure> {
        let sqlite = self.is_sqlite();
        let asked: Vec<String> = tables
            .iter()
            .map(|name| {
                let given = if sqlite {
                    format!("value FROM sequence WHERE name = '{name}'")
                } else {
                    format!("CASE WHEN is_called THEN last_value ELSE 0 END FROM {name}_seq")
                };
                let largest = format!("COALESCE((SELECT MAX(id) FROM {name}), 0)");
                given.replacen(
                    " FROM ",
                    &format!(" AS given, {largest} AS largest FROM "),
                    1,
                )
            })
            .zip(tables)
            .map(|(rest, name)| format!("SELECT '{name}' AS name, {rest}"))
            .collect();
        self.rows(&asked.join(" UNION ALL "), vec![]).await
    }
}
